"""Print docs/grafana/migd.json, a Grafana dashboard of the gateway's metrics.

    .venv/bin/python -m tools.grafana > docs/grafana/migd.json

A test compares the file with what this prints, and every query with a scrape of a gateway.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tools.grafana.panels import ROWS, Panel

_WIDTH, _HEIGHT, _PER_ROW = 8, 8, 3
_ONLY = 'job=~"$job",instance=~"$instance"'


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana 9 and later import it; it asks which Prometheus and which gateways."""
    return {
        "__inputs": [],
        "title": "migd",
        "uid": "migd",
        "tags": ["mig"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_source(), _choice("job", ""), _choice("instance", 'job=~"$job"')]},
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for title, panels in ROWS:
        number += 1
        yield {"id": number, "type": "row", "title": title, "gridPos": _place(0, y, 24, 1), "panels": []}
        for position, panel in enumerate(panels):
            number += 1
            row, column = divmod(position, _PER_ROW)
            place = _place(column * _WIDTH, y + 1 + row * _HEIGHT, _WIDTH, _HEIGHT)
            yield {"id": number, "gridPos": place, **_graph(panel)}
        y += 1 + -(-len(panels) // _PER_ROW) * _HEIGHT


def _graph(panel: Panel) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": _prometheus(),
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _prometheus(),
                "expr": query.replace("$only", _ONLY),
                "legendFormat": legend,
            }
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _choice(label: str, within: str) -> dict[str, Any]:
    return {
        "name": label,
        "type": "query",
        "datasource": _prometheus(),
        "query": f"label_values(mig_gateway_build_info{{{within}}}, {label})",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
    }


def _prometheus() -> dict[str, str]:
    return {"type": "prometheus", "uid": "$source"}


def _place(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2))
