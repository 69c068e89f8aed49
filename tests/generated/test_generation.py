"""`generate` gives the same bytes everywhere, and those are the committed ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mig_codegen.emit import EmitError, emit
from mig_codegen.link import link
from mig_codegen.load import load
from mig_codegen.model import Model

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "generated" / "mig_protocol"
ENVIRONMENTS = [
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
    {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu", "COLUMNS": "20"},
]


@pytest.fixture(scope="module")
def model() -> Model:
    return link(load(ROOT / "spec"))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "__pycache__"
    }


def start_generating(spec: Path, out: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mig_codegen", "generate", f"--spec={spec}", f"--out={out}"]
    inherited = {key: os.environ[key] for key in os.environ if not key.startswith(("PYTHON", "LC_", "LANG"))}
    return subprocess.Popen(
        command,
        cwd=spec.parent,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_generation_gives_the_committed_bytes_whatever_the_environment(tmp_path: Path) -> None:
    runs = []
    for number, environment in enumerate(ENVIRONMENTS):
        home = tmp_path / f"somewhere else {number}"
        spec, out = home / "spec", home / "a" / "package"
        shutil.copytree(ROOT / "spec", spec)
        runs.append((start_generating(spec, out, environment), spec, out))
    told = [process.communicate(timeout=60)[0] for process, _, _ in runs]
    for said, (process, spec, out) in zip(told, runs, strict=True):
        assert process.returncode == 0, said
        assert tree(out) == tree(COMMITTED), "generated/ is stale: run `make generate`"
        assert (spec / "SURFACE.txt").read_bytes() == (ROOT / "spec" / "SURFACE.txt").read_bytes()


def test_what_is_not_generated_is_removed_and_what_is_unchanged_is_left_alone(
    model: Model, tmp_path: Path
) -> None:
    out = tmp_path / "mig_protocol"
    shutil.copytree(COMMITTED, out, ignore=shutil.ignore_patterns("__pycache__"))
    stray = [out / "stray.py", out / "old" / "deep" / "module.py", out / "pb" / "old_pb2.py"]
    for path in stray:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    (out / "errors.py").write_text("damaged\n")
    os.utime(out / "messages.py", ns=(1, 1))
    emit(model, out)
    assert tree(out) == tree(COMMITTED)
    assert not (out / "old").exists()
    assert (out / "messages.py").stat().st_mtime_ns == 1


def test_a_proto_file_that_protoc_refuses_stops_the_generation_in_its_words(tmp_path: Path) -> None:
    spec = tmp_path / "spec"
    shutil.copytree(ROOT / "spec", spec)
    model = link(load(spec))
    [proto] = [spec / "proto" / name for name in model.proto_files]
    proto.write_text(proto.read_text("utf-8") + "\nmessage Broken { string x = 1 }\n")
    with pytest.raises(EmitError, match=r"protoc failed:\n.*mig\.proto:\d+"):
        emit(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_pattern_without_a_translation_stops_the_generation_and_names_its_file(tmp_path: Path) -> None:
    spec = tmp_path / "spec"
    shutil.copytree(ROOT / "spec", spec)
    schema = spec / "schema" / "tenant-id.schema.json"
    written = schema.read_text("utf-8")
    schema.write_text(written.replace("^[A-Za-z0-9_-]{1,64}$", r"^([A-Za-z0-9_-]{1,64}|\\s)$"))
    with pytest.raises(EmitError, match=r"spec/schema/tenant-id\.schema\.json: pattern .* the escape \\s"):
        emit(link(load(spec)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_was_not_generated_is_never_emptied(model: Model, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy\n")
    with pytest.raises(EmitError, match="holds files that were not generated"):
        emit(model, tmp_path)
    assert tree(tmp_path) == {"thesis.txt": b"the only copy\n"}


def test_generated_python_is_formatted_and_says_not_to_edit_it() -> None:
    for path in COMMITTED.glob("*.py"):
        first, *_ = path.read_text("utf-8").splitlines()
        assert first.startswith("# Generated from spec/ by `make generate`. Do not edit")
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "format", "--isolated", "--no-cache", "--line-length=110", "--check", "--quiet"]
    assert subprocess.run([*command, str(COMMITTED)], check=False).returncode == 0
