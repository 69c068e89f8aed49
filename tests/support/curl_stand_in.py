"""As much of curl as the documents use, for machines that have none.

    python curl_stand_in.py [-sSNi] [-X METHOD] [-H 'Name: value']... [-d DATA | -d @FILE] [-o FILE]
                            [--max-time S] URL

An option that is not listed here ends it with status 2: then the documents use more of curl than before.
"""

from __future__ import annotations

import argparse
import http.client
import sys
from pathlib import Path
from typing import BinaryIO, NoReturn
from urllib.parse import urlsplit

_NO_CONNECTION = 7
_TIMED_OUT = 28


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"curl (stand-in): {message}\n")


def main(arguments: list[str]) -> int:
    """curl's exit status."""
    given = _options().parse_args(arguments)
    address = urlsplit(given.url if "://" in given.url else f"http://{given.url}")
    connection = http.client.HTTPConnection(address.netloc, timeout=given.max_time)
    body = _body(given.data)
    target = f"{address.path or '/'}{'?' if address.query else ''}{address.query}"
    try:
        connection.request(
            given.method or ("GET" if body is None else "POST"), target, body, _fields(given, body)
        )
        answer = connection.getresponse()
    except OSError as error:
        sys.stderr.write(f"curl (stand-in): {error}\n")
        return _NO_CONNECTION
    with Path(given.output).open("wb") if given.output else sys.stdout.buffer as output:
        if given.include:
            output.write(_head(answer))
        try:
            _copy(answer, output)
        except TimeoutError:
            return _TIMED_OUT
    return 0


def _options() -> argparse.ArgumentParser:
    parser = _Options(add_help=False)
    for flag in ("-s", "-S", "-N"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-i", dest="include", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("-o", dest="output")
    parser.add_argument("--max-time", type=float)
    parser.add_argument("url")
    return parser


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    if not data.startswith("@"):
        return data.encode()
    read = sys.stdin.buffer.read() if data == "@-" else Path(data[1:]).read_bytes()
    # Like curl's -d, which leaves line ends out of what it reads.
    return read.replace(b"\r", b"").replace(b"\n", b"")


def _fields(given: argparse.Namespace, body: bytes | None) -> dict[str, str]:
    fields = {"Accept": "*/*"}
    if body is not None:
        fields["Content-Type"] = "application/x-www-form-urlencoded"
    for line in given.headers:
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    return fields


def _head(answer: http.client.HTTPResponse) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {answer.reason}",
        *(f"{name}: {value}" for name, value in answer.getheaders()),
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _copy(answer: http.client.HTTPResponse, output: BinaryIO) -> None:
    output.flush()
    while chunk := answer.read1():
        output.write(chunk)
        output.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
