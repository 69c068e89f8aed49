"""What holds for every test: no gateway writes into the home of whoever runs the suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_default_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A gateway that is given no folder and no home of its own finds a file where the folder would be."""
    forbidden = tmp_path_factory.mktemp("home") / "this-test-gave-its-gateway-no-data-dir"
    forbidden.touch()
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("XDG_DATA_HOME", str(forbidden))
        yield
