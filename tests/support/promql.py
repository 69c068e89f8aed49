"""The names in a PromQL expression: enough of the language for the queries of a dashboard."""

from __future__ import annotations

import re

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_SELECTION = re.compile(r"\{([^}]*)\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_KEYWORDS = {"and", "or", "unless", "bool", "offset", "group_left", "group_right"}
_NAME = re.compile(r"(?<![\w$:])[a-zA-Z_:][\w:]*\b(?!\s*\()")
_AGGREGATION = re.compile(r"\b(?:sum|max|min|avg|count|topk)\b")


def names_in(expression: str) -> tuple[set[str], set[str]]:
    """The metrics, and the labels that are selected or grouped by."""
    bare = _RANGE.sub("", _STRING.sub('""', expression))
    labels = {
        name
        for found in (*_SELECTION.findall(bare), *_GROUPING.findall(bare))
        for name in re.findall(r"(?<![\w$])[a-zA-Z_]\w*", found)
    }
    rest = _AGGREGATION.sub("", _GROUPING.sub("", _SELECTION.sub("", bare)))
    return {name for name in _NAME.findall(rest) if name not in _KEYWORDS}, labels
