"""What compression does not make smaller is stored, and everybody can read the result."""

from __future__ import annotations

import gzip
import os
import zlib

from hypothesis import given
from hypothesis import strategies as st

from forecast_packaging.building.deflate import compressed

NOISE = os.urandom(300_000)
TEXT = b"a forecast of tomatoes; " * 12_000


def packed(*blocks: bytes) -> bytes:
    return b"".join(piece for pieces in compressed(blocks) for piece in pieces)


def test_noise_is_stored_and_text_is_not() -> None:
    assert len(NOISE) < len(packed(NOISE)) < len(NOISE) + 100
    assert len(packed(TEXT)) < len(TEXT) / 20


def test_a_block_of_both_is_judged_by_samples_of_all_of_it() -> None:
    mixed = NOISE[:20_000] + TEXT
    assert len(packed(mixed)) < len(mixed) / 5


def test_blocks_of_both_kinds_follow_each_other_in_one_member() -> None:
    blocks = (TEXT, NOISE, NOISE, TEXT, b"", TEXT[:10], NOISE, NOISE[:10])
    data = packed(*blocks)
    assert gzip.decompress(data) == b"".join(blocks)
    inflater = zlib.decompressobj(31)
    inflater.decompress(data)
    assert inflater.eof
    assert inflater.unused_data == b""
    assert len(data) < 2 * len(NOISE) + len(NOISE) + 60_000


@given(
    st.lists(
        st.tuples(st.sampled_from([NOISE, TEXT]), st.integers(0, 140_000), st.integers(0, 5000)),
        max_size=6,
    )
)
def test_whatever_is_packed_is_unpacked_and_packed_alike_again(
    cuts: list[tuple[bytes, int, int]],
) -> None:
    blocks = [source[start : start + size * 29] for source, start, size in cuts]
    data = packed(*blocks)
    assert gzip.decompress(data) == b"".join(blocks)
    assert packed(*blocks) == data
