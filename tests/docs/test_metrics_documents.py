"""The user guide's table and the Grafana dashboard name the metrics that a gateway has, and all of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from prometheus_client import Metric

from support.busy_scrape import Scrapes, busy_scrape
from support.document_blocks import ROOT
from support.promql import names_in

DASHBOARD = ROOT / "docs" / "grafana" / "migd.json"
_ROW = re.compile(r"^\| `(mig_gateway_\w+)` \|([^|]*)\|", re.MULTILINE)
# Added by whoever scrapes: they are on every sample, and in no scrape.
_TARGET = {"job", "instance"}


@pytest.fixture(scope="module")
def scrapes(tmp_path_factory: pytest.TempPathFactory) -> Scrapes:
    return busy_scrape(tmp_path_factory.mktemp("gateway"))


def test_the_table_of_the_user_guide_has_every_metric_with_its_labels(scrapes: Scrapes) -> None:
    guide = (ROOT / "docs" / "USER-GUIDE.md").read_text(encoding="utf-8")
    told = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in _ROW.findall(guide)}
    there = {
        _sample_name(family): {label for sample in family.samples for label in sample.labels if label != "le"}
        for family in scrapes.plain
        if family.name.startswith("mig_gateway_")
    }
    assert told == there


def test_both_formats_say_the_same(scrapes: Scrapes) -> None:
    def series(families: list[Metric]) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        # A series that the first scrape has made, and _created, which only the one format has.
        return {
            (sample.name, frozenset(sample.labels.items()))
            for family in families
            for sample in family.samples
            if not sample.name.endswith("_created") and sample.labels.get("path") != "/metrics"
        }

    assert series(scrapes.plain) == series(scrapes.openmetrics)


def test_the_dashboard_is_what_its_tool_prints() -> None:
    program = [sys.executable, "-m", "tools.grafana"]
    printed = subprocess.run(program, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert DASHBOARD.read_text() == printed, (
        "write it anew: .venv/bin/python -m tools.grafana > docs/grafana/migd.json"
    )


def test_every_query_of_the_dashboard_finds_its_metrics_and_labels_in_a_scrape(scrapes: Scrapes) -> None:
    assert [
        f"{title}: {name}"
        for title, target in targets()
        for name in missing(scrapes, target["expr"], target["legendFormat"])
    ] == []


@pytest.mark.parametrize(
    ("query", "legend", "name"),
    [
        ("rate(mig_gateway_invocation_total[5m])", "", "mig_gateway_invocation_total"),
        ('mig_gateway_errors_total{binding="grpc"}', "", "binding"),
        ("sum by (tenant) (mig_gateway_errors_total)", "", "tenant"),
        ("mig_gateway_errors_total", "{{outcome}}", "outcome"),
    ],
)
def test_a_misspelt_name_is_found(scrapes: Scrapes, query: str, legend: str, name: str) -> None:
    assert missing(scrapes, query, legend) == {name}


def test_what_a_dashboard_lets_one_choose_is_there(scrapes: Scrapes) -> None:
    variables = json.loads(DASHBOARD.read_text())["templating"]["list"]
    asked = [re.findall(r"label_values\((\w+)\{", each["query"]) for each in variables[1:]]
    assert asked == [["mig_gateway_build_info"]] * 2
    assert "mig_gateway_build_info" in scrapes.labels()


def test_the_dashboard_shows_every_metric(scrapes: Scrapes) -> None:
    shown = {name for _, target in targets() for name in names_in(target["expr"])[0]}
    told = {family.name for family in scrapes.plain if family.name.startswith("mig_gateway_")}
    assert {name for name in told if not any(each.startswith(name) for each in shown)} == set()


@pytest.mark.parametrize(
    ("query", "metrics", "labels"),
    [
        (
            'sum by (code, le) (rate(a_total{job=~"x|y"}[$__rate_interval]))',
            {"a_total"},
            {"code", "le", "job"},
        ),
        ("a / on (instance) group_left b == 0", {"a", "b"}, {"instance"}),
        ("histogram_quantile(0.95, b_bucket{$only})", {"b_bucket"}, set()),
    ],
)
def test_names_are_found_in_a_query(query: str, metrics: set[str], labels: set[str]) -> None:
    assert names_in(query) == (metrics, labels)


def missing(scrapes: Scrapes, query: str, legend: str) -> set[str]:
    """What the query names and the scrape has not: metrics, and labels of the metrics in it."""
    there = scrapes.labels()
    metrics, labels = names_in(query)
    known = _TARGET.union(*(there.get(name, set()) for name in metrics))
    return (metrics - there.keys()) | ((labels | set(re.findall(r"{{(\w+)}}", legend))) - known)


def targets() -> list[tuple[str, dict[str, str]]]:
    """The title of each panel, with each of its queries."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = [(panel["title"], target) for panel in panels for target in panel.get("targets", ())]
    assert len(found) > 20
    return found


def _sample_name(family: Metric) -> str:
    """What queries call it; a histogram has several names, which begin with its own."""
    return str(family.name if family.type == "histogram" else family.samples[0].name)
