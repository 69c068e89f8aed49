"""How far the fuzzing goes: a little in every run of the tests, a lot with `make fuzz`."""

from __future__ import annotations

import pytest

_FEW = 3
_MANY = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", action="store_true", help="fuzz for minutes instead of seconds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fuzz", default=False):
        for item in items:
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def examples(request: pytest.FixtureRequest) -> int:
    """Random requests per operation and phase."""
    return _MANY if request.config.getoption("--fuzz", default=False) else _FEW
