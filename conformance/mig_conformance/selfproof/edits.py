"""The edits that a mutant is made of.

hide: /pointer                out of the request, and back into the header of its answer
remove: /pointer
set: {/pointer: value}        ${request./pointer} and ${message./pointer} stand for what is there
add: {/pointer: number}       to a number
rename: {/pointer: name}
text: /pointer                a number becomes a string
respell: {/pointer: {text: other text}}
reverse: /pointer             a list
replace: {regular expression: text}     in the bytes of the message
body: text                    in its place
status: 500                   HTTP's status, or the name of gRPC's
fields: {name: text}          header fields of the transport; null removes one
tenant: name                  asked in the name of that tenant; answers still name the right one
credential: caller            with the token of that caller
believe: {claim: value}       the request's token, whoever signed it, is signed anew, with these claims
answer: {message: {...}} | {error: {...}}   the server is not asked
delay_ms: 500
drop: true, twice: true, swap: true    never, two times, after the next one of its kind
ignore: true                  of a hangup: the server does not hear of it
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from operator import add
from typing import Any

import jwt

from mig_conformance.selfproof.answers import Means, answer_to
from mig_conformance.selfproof.passage import Passage, read_json
from mig_conformance.selfproof.pointers import found, put, replace, take

_REFERENCE = re.compile(r"\$\{(request|message)\.(/[^}]*)\}")

Edit = Callable[[Passage, Any, Means], None]


def _hide(passage: Passage, pointer: str, _: Means) -> None:
    for value in found(passage.message, pointer):
        passage.restores[pointer] = value
        _remove(passage, pointer, _)


def _remove(passage: Passage, pointer: str, _: Means) -> None:
    if found(passage.message, pointer):
        take(passage.message, pointer)
        passage.changed = True


def _set(passage: Passage, values: Mapping[str, Any], _: Means) -> None:
    for pointer, value in values.items():
        passage.message = put(passage.message, pointer, _filled(value, passage))
        passage.changed = True


def _add(passage: Passage, numbers: Mapping[str, int], _: Means) -> None:
    for pointer, number in numbers.items():
        _change(passage, pointer, partial(add, number))


def _rename(passage: Passage, names: Mapping[str, str], _: Means) -> None:
    for pointer, name in names.items():
        around = pointer.rpartition("/")[0]
        for value in found(passage.message, pointer):
            take(passage.message, pointer)
            passage.message = put(passage.message, f"{around}/{name}", value)
            passage.changed = True


def _text(passage: Passage, pointer: str, _: Means) -> None:
    _change(passage, pointer, str)


def _respell(passage: Passage, spellings: Mapping[str, Mapping[str, str]], _: Means) -> None:
    for pointer, spelling in spellings.items():
        _change(passage, pointer, partial(_spelt, spelling))


def _spelt(spelling: Mapping[str, str], value: str) -> str:
    return spelling.get(value, value)


def _reverse(passage: Passage, pointer: str, _: Means) -> None:
    _change(passage, pointer, lambda items: items[::-1])


def _replace(passage: Passage, texts: Mapping[str, str], means: Means) -> None:
    text = passage.json().decode()
    for pattern, new in texts.items():
        text = re.sub(pattern, new, text)
    _body(passage, text, means)


def _body(passage: Passage, text: str, _: Means) -> None:
    passage.raw = text.encode()
    passage.message, passage.changed = read_json(passage.raw), False


def _status(passage: Passage, status: int | str, _: Means) -> None:
    passage.new_status = status


def _fields(passage: Passage, fields: Mapping[str, str | None], _: Means) -> None:
    passage.new_fields.update({name: _filled(value, passage) for name, value in fields.items()})


def _tenant(passage: Passage, tenant: str, _: Means) -> None:
    named = found(passage.message, "/header/tenant_id")
    passage.restores["/header/tenant_id"] = named[0] if named else passage.tenant
    if named:
        passage.message = put(passage.message, "/header/tenant_id", tenant)
        passage.changed = True
    passage.new_tenant = tenant


def _credential(passage: Passage, caller: str, means: Means) -> None:
    passage.new_fields["authorization"] = f"Bearer {means.callers.named(caller).token}"


def _believe(passage: Passage, claims: Mapping[str, Any], means: Means) -> None:
    token = passage.fields.get("authorization", "").removeprefix("Bearer ")
    try:
        read = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        read = {}
    timeless = {name: value for name, value in read.items() if name not in ("exp", "nbf", "iat")}
    passage.new_fields["authorization"] = f"Bearer {means.callers.token({**timeless, **claims})}"


def _answer(passage: Passage, given: Mapping[str, Any], means: Means) -> None:
    passage.answer = answer_to(passage, _filled(deepcopy(given), passage), means)


def _delay(passage: Passage, milliseconds: int, _: Means) -> None:
    passage.delay_s += milliseconds / 1000


def _ignore(passage: Passage, ignored: bool, _: Means) -> None:
    passage.ignored = ignored


EDITS: Mapping[str, Edit] = {
    "hide": _hide,
    "remove": _remove,
    "set": _set,
    "add": _add,
    "rename": _rename,
    "text": _text,
    "respell": _respell,
    "reverse": _reverse,
    "replace": _replace,
    "body": _body,
    "status": _status,
    "fields": _fields,
    "tenant": _tenant,
    "credential": _credential,
    "believe": _believe,
    "answer": _answer,
    "delay_ms": _delay,
    "ignore": _ignore,
}
FLOW: frozenset[str] = frozenset({"drop", "twice", "swap"})
"""Edits that say whether and when a message arrives (selfproof.mutation)."""


def _change(passage: Passage, pointer: str, change: Callable[[Any], Any]) -> None:
    if found(passage.message, pointer):
        passage.message = replace(passage.message, pointer, change)
        passage.changed = True


def _filled(value: Any, passage: Passage) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(each, passage) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, passage) for each in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    return _named(whole, passage) if whole else _REFERENCE.sub(lambda one: str(_named(one, passage)), value)


def _named(reference: re.Match[str], passage: Passage) -> Any:
    source = passage if reference[1] == "message" else passage.request
    return next(iter(found(source.message if source else None, reference[2])), "")
