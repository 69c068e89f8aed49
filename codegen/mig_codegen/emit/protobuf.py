"""pb/ and betterproto/: two protobuf stacks that know nothing of each other, from the same proto files.

Both come out of one protoc run in a scratch folder, as text, so that the caller decides where they go.
protoc derives Python imports from the proto file's folder; `pb` is flat, so the two module names are
rewritten.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path, PurePosixPath

from mig_codegen.emit.failure import EmitError
from mig_codegen.emit.tree import PACKAGE
from mig_codegen.model import Model

_SCRIPTS = Path(sysconfig.get_path("scripts"))
_PLUGIN = "protoc-gen-python_betterproto2"


def protobuf_files(model: Model) -> Iterator[tuple[str, str]]:
    """(path in the package, text) of every file of both stacks. Raises EmitError with protoc's own
    words.
    """
    with tempfile.TemporaryDirectory(prefix="mig-protoc-") as scratch:
        google, better = Path(scratch, "pb"), Path(scratch, "betterproto")
        google.mkdir()
        better.mkdir()
        _run_protoc(model, google, better, Path(scratch))
        yield "pb/__init__.py", '"""The official protobuf and gRPC stubs."""\n'
        for path in sorted(google.rglob("*.py*")):
            yield f"pb/{path.name}", _flattened(path.read_text("utf-8"), model)
        for path in sorted(better.rglob("*")):
            if path.is_file():
                yield f"betterproto/{path.relative_to(better).as_posix()}", path.read_text("utf-8")


def _run_protoc(model: Model, google: Path, better: Path, scratch: Path) -> None:
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc"),
        *(f"--proto_path={root}" for root in (model.proto_root.resolve(), _well_known_protos())),
        f"--python_out={google}",
        f"--pyi_out={google}",
        f"--grpc_python_out={google}",
        f"--plugin={_PLUGIN}={_SCRIPTS / _PLUGIN}",
        f"--python_betterproto2_out={better}",
        "--python_betterproto2_opt=client_generation=async",
        *model.proto_files,
    ]
    # The betterproto2 plugin looks for ruff on PATH and ruff for settings in the folder and in the user's
    # home.
    environment = {
        **os.environ,
        "PATH": f"{_SCRIPTS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "XDG_CONFIG_HOME": str(scratch),
        "RUFF_NO_CACHE": "true",
        "PYTHONHASHSEED": "0",
    }
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EmitError(f"protoc failed:\n{done.stderr.strip()}")


def _well_known_protos() -> str:
    return str(resources.files("grpc_tools").joinpath("_proto"))


def _flattened(source: str, model: Model) -> str:
    """The two mentions of the folder that protoc saw, as they are below PACKAGE."""
    seen, home, stem = model.proto_package, f"{PACKAGE}.pb", proto_stem(model)
    return source.replace(f"from {seen} import {stem}", f"from {home} import {stem}").replace(
        f"'{seen}.{stem}'", f"'{home}.{stem}'"
    )


def proto_stem(model: Model) -> str:
    """The name of the message module: "mig_pb2"."""
    return f"{PurePosixPath(model.proto_files[0]).stem}_pb2"
