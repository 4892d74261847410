"""Gzip read strictly: one member, its checksum right, and nothing before or after it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from isal import isal_zlib

from forecast_packaging.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable

_GZIP = 16 + isal_zlib.MAX_WBITS
_INPUT_BYTES = 256 * 1024


class GzipReader:
    """The uncompressed bytes of a gzip file, as many as are asked for at a time.

    Args:
        file: The compressed file.
        max_bytes: Most bytes that it may unpack to.
        tell: Told the compressed bytes read so far.
    """

    def __init__(self, file: IO[bytes], max_bytes: int, tell: Callable[[int], None]) -> None:
        self._file = file
        self._left = max_bytes
        self._tell = tell
        self._read = 0
        self._waiting = b""
        self._inflater = isal_zlib.decompressobj(_GZIP)

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none only at the end, where the checksum was right.

        Raises:
            ContractError: The file is damaged, unpacks to too much, or goes on after its end.
        """
        while not self._inflater.eof:
            data = self._more()
            try:
                found: bytes = self._inflater.decompress(data, size)
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls it an instance
                raise ContractError(f"its compression is damaged: {error}") from None
            self._waiting = self._inflater.unconsumed_tail
            self._left -= len(found)
            if self._left < 0:
                raise ContractError("it is larger than allowed when it is unpacked")
            if found:
                return found
        if self._inflater.unused_data or self._file.read(1):
            raise ContractError("its compression goes on after its end")
        return b""

    def _more(self) -> bytes:
        if self._waiting:
            return self._waiting
        data = self._file.read(_INPUT_BYTES)
        if not data:
            raise ContractError("its compression ends too soon")
        self._read += len(data)
        self._tell(self._read)
        return data
