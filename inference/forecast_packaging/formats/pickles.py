"""Pickles: what a serialized estimator names, found without loading it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

from forecast_packaging.errors import ModelError
from forecast_packaging.manifest import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

# A module's name as a pickle (with its length, or ending a line) or a skops file (quoted) holds it.
# LightGBM's text, which its estimators carry along, has a key pandas_categorical without pandas.
_PANDAS = (b"pandas.", b"\x06pandas", b"pandas\n", b'"pandas"')
_NEEDED_IF_NAMED = {"pandas": _PANDAS, "cloudpickle": (b"cloudpickle",)}
_TAKES_COLUMNS_BY_NAME = (b"ColumnTransformer", *_PANDAS)
_BY_VALUE = (b"_make_function", b"_make_skeleton_class", b"_make_skel_func", b"_fill_function")
_MAIN = (b"\x08__main__", b"c__main__\n", b'"__main__"')
_COMPRESSED: Mapping[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x5d\x00\x00": lzma.open,
}
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


class SerializedEstimator:
    """The text in a pickle, a joblib file or a skops file.

    Args:
        file: The file.
        skops: Whether it is in the skops format.

    Raises:
        ModelError: It is no skops file, although it should be.
    """

    def __init__(self, file: Path, *, skops: bool) -> None:
        self._file = file
        self._schema = _read_skops(file) if skops else None

    @property
    def takes_columns_by_name(self) -> bool:
        """Whether the estimator may look for columns by their names."""
        return self._names(_TAKES_COLUMNS_BY_NAME)

    @property
    def cloudpickled(self) -> bool:
        """Whether it holds objects that only cloudpickle can read."""
        return self._names((b"cloudpickle",))

    @property
    def unused(self) -> frozenset[str]:
        """Libraries that MLflow lists for every pickle and that this one does not name."""
        return frozenset(
            library for library, names in _NEEDED_IF_NAMED.items() if not self._names(names)
        )

    def refuse_own_code(self) -> None:
        """Refuse functions and classes that no library holds.

        cloudpickle writes those of a notebook or script by value, as the bytecode of one Python
        minor: another one crashes on it, and no review ever sees it.

        Raises:
            ModelError: There are such.
        """
        by_value = self._names((b"cloudpickle",)) and self._names(_BY_VALUE)
        if by_value or self._names(_MAIN):
            how = "pickled by value" if by_value else "of the script __main__"
            raise ModelError(
                f"the model {self._file.name!r} carries functions or classes {how}, which the "
                "container cannot be sure to run: put that code into an installable library among "
                "the pip requirements, or use the library's own steps"
            )

    def _names(self, names: tuple[bytes, ...]) -> bool:
        if self._schema is not None:
            return any(name in self._schema for name in names)
        return mentions(self._file, *names)


def mentions(file: Path, *names: bytes) -> bool:
    """Whether one of the names stands in a file as plain text, as a pickle's modules do."""
    longest = max(map(len, names))
    tail = b""
    with closing(_content(file)) as chunks:
        for chunk in chunks:
            text = tail + chunk
            if any(name in text for name in names):
                return True
            tail = text[-longest:]
    return False


def _content(file: Path) -> Generator[bytes, None, None]:
    """The file in pieces, unpacked if joblib has compressed it."""
    with file.open("rb") as stream:
        start = stream.read(6)
        stream.seek(0)
        if start.startswith(_ZLIB):
            yield from _inflate(iter(lambda: stream.read(CHUNK_BYTES), b""), file)
            return
        opened = next((it for magic, it in _COMPRESSED.items() if start.startswith(magic)), None)
        if opened is None:
            yield from iter(lambda: stream.read(CHUNK_BYTES), b"")
            return
        try:
            with opened(stream) as unpacked:
                yield from iter(lambda: unpacked.read(CHUNK_BYTES), b"")
        except (OSError, EOFError, lzma.LZMAError):
            raise _damaged(file) from None


def _inflate(chunks: Iterable[bytes], file: Path) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                yield inflater.decompress(rest, CHUNK_BYTES)
                rest = inflater.unconsumed_tail
    except zlib.error:
        raise _damaged(file) from None


def _damaged(file: Path) -> ModelError:
    return ModelError(f"the model {file.name!r} is damaged: log it again")


def _read_skops(file: Path) -> bytes:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.read("schema.json")
    except (zipfile.BadZipFile, KeyError):
        raise ModelError(f"the model {file.name!r} is not a skops file") from None
