"""From the linked model to the files of generated/mig_protocol. Python computes, templates print."""

from __future__ import annotations

from pathlib import Path

from mig_codegen.emit.bundles import bundles
from mig_codegen.emit.convert import convert_views
from mig_codegen.emit.failure import EmitError
from mig_codegen.emit.http import http_views
from mig_codegen.emit.messages import messages_module
from mig_codegen.emit.nats import nats_views
from mig_codegen.emit.protobuf import protobuf_files
from mig_codegen.emit.reference import reference_views
from mig_codegen.emit.subjects import rpc_views, subject_views
from mig_codegen.emit.tables import table_views
from mig_codegen.emit.templates import printed
from mig_codegen.emit.tree import BANNER, write_tree
from mig_codegen.model import Model

__all__ = ["EmitError", "emit"]


def emit(model: Model, out_dir: Path) -> None:
    """Write the whole package to `out_dir` and remove every other file from it.

    The same model gives the same bytes on every machine. Raises EmitError in the words of a tool that
    failed.
    """
    views = {
        "banner": BANNER,
        **table_views(model),
        **http_views(model),
        **subject_views(model),
        **rpc_views(model),
        **nats_views(model),
        **convert_views(model),
        **reference_views(model),
    }
    write_tree(
        {
            "messages.py": messages_module(model.schemas, BANNER),
            **dict(protobuf_files(model)),
            **dict(bundles(model)),
            **dict(printed(views)),
        },
        out_dir,
    )
