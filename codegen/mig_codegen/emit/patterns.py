"""ECMA-262 patterns, as JSON Schema has them, rewritten for Python's `re`.

The two differ where it hurts: Python's `$` also matches before a final newline ("acme\\n" would be a
tenant), and its `\\d`, `\\w`, `\\s` and `.` know Unicode. Only what the spec needs is translated; the rest
is refused, so that a pattern never means two things.
"""

from __future__ import annotations

_CLASS_OF = {"d": "0-9", "w": "A-Za-z0-9_"}
_SAME_ESCAPES = frozenset("\\/.-+*?()[]{}|^$nrtfv")
_NOT_A_LINE_END = r"[^\n\r\u2028\u2029]"


def python_pattern(ecma: str) -> str:
    """The Python form of an ECMA-262 pattern. Raises ValueError for what it does not translate."""
    translated: list[str] = []
    in_class = False
    position = 0
    while position < len(ecma):
        character = ecma[position]
        if character == "\\":
            position += 1
            translated.append(_escape(ecma, position, in_class))
        elif in_class:
            in_class = character != "]"
            translated.append(character)
        elif (
            character == "("
            and ecma.startswith("(?", position)
            and ecma[position : position + 3] not in _GROUPS
        ):
            raise ValueError(
                f"pattern {ecma!r}: only (...), (?:...), (?=...) and (?!...) groups are translated"
            )
        else:
            in_class = character == "["
            translated.append(_OUTSIDE_CLASS.get(character, character))
        position += 1
    return "".join(translated)


_GROUPS = ("(?:", "(?=", "(?!")
_OUTSIDE_CLASS = {"$": r"\Z", ".": _NOT_A_LINE_END}


def _escape(ecma: str, position: int, in_class: bool) -> str:
    letter = ecma[position : position + 1]
    if letter in _CLASS_OF:
        return _CLASS_OF[letter] if in_class else f"[{_CLASS_OF[letter]}]"
    if letter == "/":
        return "/"
    if letter in _SAME_ESCAPES:
        return "\\" + letter
    if letter in ("u", "x"):  # the digits that follow are the same in both
        return "\\" + letter
    raise ValueError(f"pattern {ecma!r}: the escape \\{letter} at {position} has no translation")
