"""The golden messages against the generated codecs and both protobuf stacks."""

from __future__ import annotations

import pytest

from mig_conformance.codecs import judge_codec
from mig_conformance.protobuf import judge_protobuf
from mig_conformance.vectors import Vectors, load_vectors, packaged_vectors
from mig_conformance.verdict import failed

VECTORS = load_vectors(packaged_vectors())


@pytest.mark.parametrize("vectors", VECTORS, ids=lambda vectors: vectors.message)
def test_the_codec_takes_and_refuses_what_the_vectors_say(vectors: Vectors) -> None:
    verdicts = judge_codec(vectors)
    assert len(verdicts) == len(vectors.valid) + len(vectors.malformed)
    assert not failed(verdicts)


@pytest.mark.parametrize(
    "vectors",
    [vectors for vectors in VECTORS if any(row.protobuf is not None for row in vectors.valid)],
    ids=lambda vectors: vectors.message,
)
def test_both_protobuf_stacks_read_and_write_the_golden_bytes(vectors: Vectors) -> None:
    verdicts = judge_protobuf(vectors)
    assert verdicts
    assert not failed(verdicts)
