"""An ASGI application on a real uvicorn with httptools and uvloop, in a thread, on a port of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serving(application: Any, **settings: Any) -> Iterator[int]:
    """The port, while it is served. Connections made before the server is up wait in the socket's queue."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        http="httptools",
        loop="uvloop",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        **{"timeout_graceful_shutdown": 2} | settings,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
