"""The verdict as a small picture, for a README."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from mig_conformance.report.headline import Tone, headline
from mig_conformance.report.model import Report

_COLOURS: Mapping[Tone, str] = {"good": "#2e7d32", "fair": "#8a6100", "bad": "#b3261e", "neutral": "#5f6368"}
# Of Verdana at 11 pixels, which the font list falls back to last; textLength keeps other fonts to it.
_CHARACTER = 6.6
_PADDING = 7

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3c4043"/>\
<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g fill="#fff" text-anchor="middle" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11">
<text x="{left_middle}" y="14" textLength="{left_text}">{label}</text>
<text x="{right_middle}" y="14" textLength="{right_text}">{verdict}</text>
</g>
</svg>
"""


def to_badge(report: Report) -> str:
    """SVG of one line: the protocol's version, the verdict, and the strongest profile that it is about."""
    found = headline(report)
    label = f"MIG {report.suite.mig_version}"
    verdict = f"{found.text}: {found.of.rpartition(', ')[2]}"
    left_text, right_text = (round(len(text) * _CHARACTER) for text in (label, verdict))
    left, right = left_text + 2 * _PADDING, right_text + 2 * _PADDING
    return _SVG.format(
        title=escape(f"{label}: {verdict}", {'"': "&quot;"}),
        label=escape(label),
        verdict=escape(verdict),
        colour=_COLOURS[found.tone],
        width=left + right,
        left=left,
        right=right,
        left_text=left_text,
        right_text=right_text,
        left_middle=left / 2,
        right_middle=left + right / 2,
    )
