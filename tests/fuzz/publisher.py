"""Events while a campaign runs, so that its subscriptions have something to receive."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_PAUSE_S = 0.01


@contextmanager
def publishing(url: str, topics: tuple[str, ...], headers: dict[str, str]) -> Iterator[None]:
    """Publish to each of `topics`, about a hundred times a second, until the end of the block."""
    over = threading.Event()
    thread = threading.Thread(target=_publish, args=(url, topics, headers, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _publish(url: str, topics: tuple[str, ...], headers: dict[str, str], over: threading.Event) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    while not over.wait(_PAUSE_S):
        for topic in topics:
            connection.request("POST", f"/mig/v0.1/publish/{topic}", b'{"payload":{"n":1}}', headers)
            connection.getresponse().read()
    connection.close()
