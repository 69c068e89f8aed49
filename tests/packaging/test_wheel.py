"""The built package is complete: a gateway and the conformance suite started from it alone do their work."""

from __future__ import annotations

import filecmp
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from support.running_migd import running_migd

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "conformance" / "mig_conformance"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installation of the wheel puts beside its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize("package", ["mig_codegen", "mig_conformance", "mig_protocol", "migd"])
def test_every_package_is_there_and_says_that_it_is_typed(unpacked: Path, package: str) -> None:
    assert (unpacked / package / "__init__.py").is_file()
    assert (unpacked / package / "py.typed").is_file()


def test_the_commands_are_declared(unpacked: Path) -> None:
    (declared,) = unpacked.glob("*.dist-info/entry_points.txt")
    commands = declared.read_text()
    assert "migd = migd.cli:main" in commands
    assert "mig-conformance = mig_conformance.cli:main" in commands
    assert "mig-grpc-smoke = mig_conformance.smoke.grpc_tool:main" in commands


def test_every_file_of_the_suite_and_every_golden_message_is_in_the_wheel(unpacked: Path) -> None:
    folders = ((SUITE, "mig_conformance"), (ROOT / "spec" / "vectors", "mig_conformance/spec/vectors"))
    for folder, packaged in folders:
        inside = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
        names = [path.relative_to(folder).as_posix() for path in inside if path.is_file()]
        _, different, missing = filecmp.cmpfiles(folder, unpacked / packaged, names, shallow=False)
        assert (different, missing) == ([], [])


def test_the_suite_judges_a_gateway_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    with running_migd(cwd=tmp_path, XDG_DATA_HOME=str(tmp_path)) as migd:
        judged = subprocess.run(
            [sys.executable, "-m", "mig_conformance", "run", "--http", migd.url, "--only", "vectors/*"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(unpacked)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (judged.returncode, judged.stderr) == (0, "")
    assert "vectors: " in judged.stdout


def test_a_gateway_runs_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    with running_migd(cwd=tmp_path, PYTHONPATH=str(unpacked), XDG_DATA_HOME=str(tmp_path)) as migd:
        for page in ("/ui", "/docs", "/docs/mig", "/docs/openapi/mig.json", "/healthz", "/metrics"):
            with urllib.request.urlopen(migd.url + page) as answer:
                assert answer.status == 200, page
        told = subprocess.run(
            [sys.executable, "-c", "import migd; print(migd.__file__)"],
            env={"PYTHONPATH": str(unpacked)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert told.stdout.startswith(str(unpacked))
