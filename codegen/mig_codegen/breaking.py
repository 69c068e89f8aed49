"""What of a release's surface is gone or changed so that its users break, in words."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mig_codegen.load.tree import SURFACE

Subject = tuple[str, str]
Surface = Mapping[Subject, Mapping[str, Any]]


class ReleaseError(Exception):
    """The tag does not exist, or the spec had no surface then. One line that a person can act on."""


# --- What was released -----------------------------------------------------------------------------------


def last_release(spec_dir: Path) -> str | None:
    """The nearest tag v* behind the checked-out commit, or None if there is none (or no git repository)."""
    done = _git(spec_dir, "describe", "--tags", "--abbrev=0", "--match", "v*")
    return done.stdout.strip() if done.returncode == 0 else None


def released_surface(spec_dir: Path, tag: str) -> str:
    """SURFACE.txt as it was at `tag`. Raises ReleaseError."""
    if _git(spec_dir, "rev-parse", "--verify", "--quiet", f"{tag}^{{commit}}").returncode != 0:
        raise ReleaseError(
            f"there is no tag {tag} here; name a release, or fetch the tags (git fetch --tags)"
        )
    done = _git(spec_dir, "show", f"{tag}:./{SURFACE}")
    if done.returncode != 0:
        raise ReleaseError(f"{tag} has no {SURFACE} in its spec folder; compare with a later release")
    return done.stdout


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


# --- What broke -------------------------------------------------------------------------------------------


def breaks(old: str, new: str) -> list[str]:
    """One line for each fact of `old` that `new` breaks, sorted; both are texts of SURFACE.txt.

    Additions break nobody, with one exception: what a request must newly carry.
    """
    before, after = _parse(old), _parse(new)
    found = [*_removed(before, after), *_added(before, after)]
    for subject in before.keys() & after.keys():
        found.extend(_changed(subject, before, after))
    return sorted(found)


def _parse(text: str) -> dict[Subject, dict[str, Any]]:
    facts: dict[Subject, dict[str, Any]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        kind, subject, *rest = line.split(" ", 3)
        attributes = facts.setdefault((kind, subject), {})
        if len(rest) == 2:
            attributes[rest[0]] = json.loads(rest[1])
    return facts


def _removed(before: Surface, after: Surface) -> Iterator[str]:
    for kind, subject in before.keys() - after.keys():
        owner = _owner(before, kind, subject)
        if owner is None or owner in after:  # else the owner's own line says it
            yield f"{kind} {subject} is gone: {_LOST.get(kind, 'whoever uses it breaks')}"


def _owner(before: Surface, kind: str, subject: str) -> Subject | None:
    """The larger thing that goes away together with this one."""
    name = subject.partition(".")[0]
    candidate = (_OWNERS.get(kind, ""), name)
    return candidate if candidate in before else None


_OWNERS = {
    "field": "message",
    "enum-value": "enum",
    "property": "schema",
    "schema-value": "schema",
    "body": "operation",
    "parameter": "operation",
    "status": "operation",
    "response-header": "operation",
    "channel-receives": "channel",
    "channel-sends": "channel",
    "channel-replies": "channel",
    "error-variant": "error",
}
_LOST = {
    "message": "peers that send it are no longer understood",
    "field": "peers that set or read it lose its value",
    "property": "clients that write or read it lose its value",
    "enum-value": "peers that send it are refused",
    "schema-value": "peers that send it are refused",
    "operation": "its callers are refused",
    "parameter": "callers that give it are no longer heard",
    "status": "clients that handle it wait for something that never comes",
    "error": "clients that handle the code no longer see it, and old servers still send it",
    "feature": "HELLO no longer agrees on it",
    "profile": "servers can no longer declare it",
    "header": "the field is no longer read outside the body",
    "requirement": "implementers and the conformance suite cite it",
}


def _added(before: Surface, after: Surface) -> Iterator[str]:
    for kind, subject in after.keys() - before.keys():
        owner = (_OWNERS.get(kind, ""), subject.partition(".")[0])
        if owner not in before or after[kind, subject].get("required") is not True:
            continue
        if kind == "parameter" or (kind == "property" and "request" in _travels(after, subject)):
            yield f"{kind} {subject} is new and required: requests written for the release are refused"


def _travels(facts: Surface, subject: str) -> list[str]:
    schema = facts.get(("schema", subject.partition(".")[0]), {})
    travels: list[str] = schema.get("travels", [])
    return travels


def _changed(subject: Subject, before: Surface, after: Surface) -> Iterator[str]:
    old, new = before[subject], after[subject]
    kind, name = subject
    # What only ever travels one way breaks only the peer that writes it, or only the one that reads it.
    travels = ["request"] if kind in ("parameter", "body") else _travels(after, name)
    for attribute in sorted(old.keys() | new.keys()):
        was, now = old.get(attribute), new.get(attribute)
        if was != now:
            judge = _JUDGES.get(attribute, _any_change)
            why = judge(was, now, travels)
            if why:
                yield f"{kind} {name}: {attribute} was {_show(was)}, is {_show(now)}: {why}"


def _show(value: Any) -> str:
    return "absent" if value is None else json.dumps(value, sort_keys=True)


_Judge = Callable[[Any, Any, list[str]], str]


def _any_change(was: Any, _now: Any, _travels: list[str]) -> str:
    # What was not there before is an addition.
    return "" if was is None else "peers of the release expect what it was"


def _required(_was: Any, now: Any, travels: list[str]) -> str:
    if now and "request" in travels:
        return "requests that leave it out are refused"
    if not now and "response" in travels:
        return "clients that count on it may not find it"
    return ""


def _lower_bound(was: Any, now: Any, travels: list[str]) -> str:
    return _narrowed(was is None or (now is not None and now > was), travels)


def _upper_bound(was: Any, now: Any, travels: list[str]) -> str:
    return _narrowed(was is None or (now is not None and now < was), travels)


def _narrowed(narrower: bool, travels: list[str]) -> str:
    if narrower and "request" in travels:
        return "requests that were valid are refused"
    if not narrower and "response" in travels:
        return "answers go beyond what clients were promised"
    return ""


def _restriction(was: Any, now: Any, travels: list[str]) -> str:
    # Two patterns can not be compared: another one may be narrower and wider at once.
    if now is not None and "request" in travels:
        return "requests that were valid may be refused"
    if was is not None and "response" in travels:
        return "answers may go beyond what clients were promised"
    return ""


def _choices(was: Any, now: Any, _travels: list[str]) -> str:
    lost = sorted(set(was or ()) - set(now or ()))
    return f"peers that send {', '.join(map(str, lost))} are refused" if lost and now is not None else ""


def _travels_more(was: Any, now: Any, _travels: list[str]) -> str:
    lost = sorted(set(was or ()) - set(now or ()))
    return f"it is no longer part of any {' or '.join(lost)}" if lost else ""


def _words(was: Any, _now: Any, _travels: list[str]) -> str:
    return "" if was is None else "implementers were held to other words; add a row that says what is new"


_JUDGES: dict[str, _Judge] = {
    "required": _required,
    "minimum": _lower_bound,
    "minLength": _lower_bound,
    "minItems": _lower_bound,
    "maximum": _upper_bound,
    "maxLength": _upper_bound,
    "maxItems": _upper_bound,
    "pattern": _restriction,
    "format": _restriction,
    "const": _restriction,
    "uniqueItems": _restriction,
    "enum": _choices,
    "travels": _travels_more,
    "text": _words,
}
