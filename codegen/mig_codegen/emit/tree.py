"""Writing a generated tree: formatted, exactly these files, and no write where nothing changed."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mig_codegen.emit.failure import EmitError

PACKAGE = "mig_protocol"
_MARK = "# Generated from spec/ by `make generate`."
BANNER = f"{_MARK} Do not edit: change the spec or codegen/ and generate again."
LINE_LENGTH = 110
_RUFF = Path(sysconfig.get_path("scripts"), "ruff")
_UNLINTED = ("pb", "betterproto")  # kept as their generators write them, formatting aside
_CACHE = "__pycache__"
_RULES = "I,F401,UP006,UP007,UP035,RUF022"


def write_tree(files: Mapping[str, str], out_dir: Path) -> None:
    """Make `out_dir` hold exactly `files` (path in it -> text, "\\n" line ends), Python formatted.

    A file whose bytes do not change is not touched. Everything else below `out_dir` is removed, so a folder
    that holds files and was not generated is refused with EmitError.
    """
    _check_ours(out_dir)
    with tempfile.TemporaryDirectory(prefix="mig-emit-") as scratch:
        root = Path(scratch)
        for name, text in files.items():
            _write(root / name, text)
        _format(root)
        _publish(root, out_dir)


def _check_ours(out_dir: Path) -> None:
    """A mistaken `--out` must not cost anybody a folder."""
    files = [path for path in out_dir.rglob("*") if path.is_file() and path.parent.name != _CACHE]
    marked = out_dir / "__init__.py"
    if files and not (marked.is_file() and marked.read_bytes().startswith(_MARK.encode())):
        raise EmitError(f"{out_dir} holds files that were not generated; empty it, or give another folder")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.replace("\r\n", "\n").encode())


def _format(root: Path) -> None:
    """ruff over the whole tree, deaf to any configuration of the machine or of the folder."""
    shared = ("--isolated", "--no-cache", "--quiet", f"--line-length={LINE_LENGTH}", "--target-version=py311")
    ours = f'lint.isort.known-first-party=["{PACKAGE}"]'
    linted = ("--fix", f"--select={_RULES}", f"--exclude={','.join(_UNLINTED)}", f"--config={ours}", ".")
    for arguments in (("check", *shared, *linted), ("format", *shared, ".")):
        done = subprocess.run([_RUFF, *arguments], cwd=root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise EmitError(
                f"ruff {arguments[0]} refused generated code:\n{done.stdout}{done.stderr}".rstrip()
            )


def _publish(root: Path, out_dir: Path) -> None:
    wanted = {path.relative_to(root) for path in root.rglob("*") if path.is_file()}
    for relative in sorted(wanted):
        target = out_dir / relative
        content = (root / relative).read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    _remove_others(out_dir, wanted)


def _remove_others(out_dir: Path, wanted: set[Path]) -> None:
    folders = {parent for relative in wanted for parent in relative.parents}
    for path in sorted(out_dir.rglob("*"), reverse=True):
        relative = path.relative_to(out_dir)
        if path.is_dir() and relative not in folders and path.name != _CACHE:
            shutil.rmtree(path)
        elif path.is_file() and relative not in wanted and path.parent.name != _CACHE:
            path.unlink()
