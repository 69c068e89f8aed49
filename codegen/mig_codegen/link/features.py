"""Do the conformance profiles require features that there are?"""

from __future__ import annotations

from collections.abc import Iterable

from mig_codegen.link.place import Place
from mig_codegen.link.rows import check_unique
from mig_codegen.load import Spec
from mig_codegen.model import Feature, Profile
from mig_codegen.problem import Problems


def link_features(spec: Spec, problems: Problems) -> tuple[Feature, ...]:
    """What HELLO can negotiate."""
    rows = list(Place.root(spec.registry("features")).members("features"))
    check_unique(rows, "id", problems)
    return tuple(
        Feature(id=row.text("id"), description=row.text("description"), source=row.source) for row in rows
    )


def link_profiles(spec: Spec, features: Iterable[Feature], problems: Problems) -> tuple[Profile, ...]:
    """The conformance profiles; what they require are features."""
    rows = list(Place.root(spec.registry("features")).members("profiles"))
    known = {feature.id for feature in features}
    check_unique(rows, "id", problems)
    for row in rows:
        for required in row.members("requires"):
            if required.value not in known:
                what = f"the profile {row.text('id')!r} requires {required.value!r}, which is no feature"
                problems.add(required.source, what, f"write one of {', '.join(sorted(known))}")
    return tuple(
        Profile(
            id=row.text("id"),
            requires=tuple(row.value["requires"]),
            description=row.text("description"),
            source=row.source,
        )
        for row in rows
    )
