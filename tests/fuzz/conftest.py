"""How far the fuzzing goes: a little in every run of the tests, a lot with `make fuzz`."""

from __future__ import annotations

import pytest

_FEW = 3
_MANY = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", action="store_true", help="fuzz for minutes instead of seconds")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes minutes, and runs with --fuzz only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fuzz", default=False):
        for item in items:
            item.add_marker(pytest.mark.timeout(1800))
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def examples(request: pytest.FixtureRequest) -> int:
    """Random requests per operation and phase."""
    return _MANY if request.config.getoption("--fuzz", default=False) else _FEW
