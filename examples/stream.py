"""Call a capability over the WebSocket and print each answer as it comes, one JSON object a line.

    python examples/stream.py text.language.identify '{"text": "Good morning\\nGuten Morgen"}'

The last line is the terminal frame's. An error is told on standard error, with exit status 1.
"""

from __future__ import annotations

import argparse
import json
import sys

from websockets.sync.client import connect


def stream(url: str, tenant: str, capability: str, payload: object) -> int:
    request = {"kind": "request", "capability": capability, "payload": payload, "end_stream": True}
    with connect(f"{url}/mig/v0.1/stream", additional_headers={"X-Tenant-ID": tenant}) as connection:
        connection.send(json.dumps(request))
        for message in connection:
            frame = json.loads(message)
            if frame["kind"] == "error":
                error = frame["error"]
                print(f"{error['code']}: {error['message']}", file=sys.stderr)
                return 1
            print(json.dumps(frame.get("payload", {}), ensure_ascii=False), flush=True)
            if frame["end_stream"]:
                return 0
    print("the connection ended before the stream did", file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description="Stream a capability's answer")
    parser.add_argument("capability")
    parser.add_argument("payload", type=json.loads, help="a JSON object")
    parser.add_argument("--url", default="ws://127.0.0.1:8080", help="default: ws://127.0.0.1:8080")
    parser.add_argument("--tenant", default="acme")
    given = parser.parse_args()
    return stream(given.url, given.tenant, given.capability, given.payload)


if __name__ == "__main__":
    sys.exit(main())
