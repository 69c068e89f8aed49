"""The curl commands of the documentation, understood and sent without curl, which a machine may lack."""

from __future__ import annotations

import shlex
import urllib.error
import urllib.request
from dataclasses import dataclass, field


@dataclass(slots=True)
class CurlCommand:
    """One request, as `curl -s [-X METHOD] [-H 'Name: value']... [-d BODY] URL` makes it."""

    url: str = ""
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None

    def send(self) -> tuple[int, str]:
        """Status and body; a refusal is an answer like any other."""
        request = urllib.request.Request(
            self.url,
            data=None if self.body is None else self.body.encode(),
            headers=self.headers,
            method=self.method or ("GET" if self.body is None else "POST"),
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


def read_curl(command: str) -> CurlCommand:
    """Raises ValueError for an option that the documentation has not used so far."""
    found = CurlCommand()
    program, *words = shlex.split(command.replace("\\\n", " "))
    if program != "curl":
        raise ValueError(f"not a curl command: {command}")
    given = iter(words)
    for word in given:
        if word in ("-s", "-N", "-sN", "-sS"):
            continue
        if word == "-H":
            name, _, value = next(given).partition(":")
            found.headers[name] = value.strip()
        elif word in ("-d", "--data"):
            found.body = next(given)
        elif word == "-X":
            found.method = next(given)
        elif word.startswith("-") or found.url:
            raise ValueError(f"{word} in: {command}")
        else:
            found.url = word
    return found
