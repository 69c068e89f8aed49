"""Does every `$ref` lead somewhere, stand alone, and is every schema file the target of one?"""

from __future__ import annotations

from collections.abc import Iterator

from mig_codegen.link.place import Place, target
from mig_codegen.load import SourceFile, Spec
from mig_codegen.problem import Problems


def check_refs(spec: Spec, problems: Problems) -> frozenset[str]:
    """Refuse dangling references and siblings. Returns the names of the files that others refer to."""
    used: set[str] = set()
    for file in _referring(spec):
        for place in references(file):
            found = target(spec, place)
            ref = place.text("$ref")
            if found is None:
                problems.add(
                    place.source, f"$ref {ref!r} leads nowhere", "correct the path or add the target"
                )
            elif found.file is not file:
                used.add(found.file.name)
            siblings = sorted(set(place.value) - {"$ref"})
            if siblings:
                problems.add(
                    place.source,
                    f"$ref {ref!r} has siblings ({', '.join(siblings)}), which draft-07 readers ignore",
                    "move them into the target",
                )
    return frozenset(used)


def references(file: SourceFile) -> Iterator[Place]:
    """Every place of the document that is a reference."""
    return (place for place in Place.root(file).everything() if place.text("$ref"))


def _referring(spec: Spec) -> Iterator[SourceFile]:
    for folder in ("schema", "openapi", "asyncapi"):
        yield from spec.folder(folder)
