"""Model data: whether an instance fetches the archive, or its files one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast_config.settings import ServingSettings

SMALLEST_PREFIX_BYTES = 512 * 1024 * 1024
"""Unpacked bytes below which unpacking takes two seconds, which a request per file may cost too."""

LEAST_PACKED_SHARE = 0.7
"""Share of its size that the archive must have for single files to arrive no later.

One by one saves unpacking, which gunzip does at 260 to 310 MB/s here, and fetches what compression
took away. At 94 MB/s, the 0.75 Gbit/s of an ml.m5.large without burst, the two are equal where
1 - packed/unpacked is 94/310; a faster network favours single files earlier. The figures are in
docs/large-models.md.
"""


def fetches_files(serving: ServingSettings, *, packed_bytes: int, unpacked_bytes: int) -> bool:
    """Whether instances fetch the files one by one.

    Args:
        serving: What was asked for; `auto` follows from the sizes.
        packed_bytes: Bytes of the archive.
        unpacked_bytes: Bytes of its files.
    """
    if serving.model_data != "auto":
        return serving.model_data == "prefix"
    if unpacked_bytes < SMALLEST_PREFIX_BYTES:
        return False
    return packed_bytes >= LEAST_PACKED_SHARE * unpacked_bytes
