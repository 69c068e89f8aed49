"""What ${...} in a manifest stands for.

`${port.NAME}` is a free port, `${folder.NAME}` an empty folder, each the same wherever the name is used;
`${env.NAME}` is a variable of the environment, so that a secret need not be in the file. Any other ${...} is
left as it is, for the shell.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

_PLACEHOLDER = re.compile(r"\$\{(port|folder|env)\.([A-Za-z0-9_]+)\}")


class UnsetError(Exception):
    """The environment has no such variable; the text is one line."""


class Placeholders:
    """Folders are made in `scratch`, which is the caller's to remove."""

    def __init__(self, environ: Mapping[str, str], scratch: Path) -> None:
        self._environ = environ
        self._scratch = scratch
        self._ports: dict[str, int] = {}

    def fill(self, text: str) -> str:
        """The text with its placeholders replaced. Raises UnsetError."""
        return _PLACEHOLDER.sub(lambda match: self._value(match[1], match[2]), text)

    def _value(self, kind: str, name: str) -> str:
        if kind == "port":
            if name not in self._ports:
                self._ports[name] = _free_port(self._ports.values())
            return str(self._ports[name])
        if kind == "folder":
            folder = self._scratch / name
            folder.mkdir(exist_ok=True)
            return str(folder)
        if name not in self._environ:
            raise UnsetError(f"${{env.{name}}} stands for a variable that is not set: export {name}")
        return self._environ[name]


def _free_port(taken: Collection[int]) -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port if port not in taken else _free_port(taken)
