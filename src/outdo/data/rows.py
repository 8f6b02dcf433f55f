"""Rows of JSONL, CSV and Parquet files as dicts, each with its file and line.

A mistake is raised at once, or counted and passed over, as the `Mistakes` that is handed in says.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from outdo.data.place import MAX_TEXT_BYTES, Place, decoded
from outdo.errors import DataError, MissingExtra
from outdo.records import Json

MAX_ROW_BYTES = 32 * 2**20
SUFFIXES = (".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one row, and where it stands."""

    values: Mapping[str, Json]
    place: Place


@dataclass(slots=True)
class Mistakes:
    """What to do about a row that can't be used: raise, or count it and go on.

    `counts` tells how often each thing was wrong, `first` the first row of each kind.
    """

    dropping: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def tell(self, error: DataError) -> None:
        if not self.dropping:
            raise error
        self.drop(error.problem, where=error.where)

    def drop(self, reason: str, *, where: str) -> None:
        """Count a row that is left out for a reason that is no mistake."""
        self.counts[reason] += 1
        self.first.setdefault(reason, where)


def read_rows(path: Path | str, mistakes: Mistakes | None = None) -> Iterator[Row]:
    """The rows of a data file, or of all data files in a folder, by name.

    Raises DataError if there is none, if the file is torn, or at the line of a row that can't be
    read; MissingExtra where Parquet needs pyarrow.
    """
    path, mistakes = Path(path), mistakes or Mistakes()
    found = 0
    for file in _files(path):
        for row in _reader(file)(file, mistakes):
            found += 1
            yield row
    if not found and not mistakes.counts:
        raise DataError("there are no rows", "the file is empty", where=str(path))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.name.endswith(SUFFIXES))
        if not files:
            raise DataError(f"the folder holds no {', '.join(SUFFIXES)}", where=str(path))
        return files
    if not path.exists():
        raise DataError("there is no such file", "check the path", where=str(path))
    return [path]


def _reader(path: Path) -> Callable[[Path, Mistakes], Iterator[Row]]:
    for suffix, reader in ((".jsonl", _jsonl), (".csv", _csv), (".parquet", _parquet)):
        if path.name.removesuffix(".gz").endswith(suffix):
            return reader
    raise DataError("unknown kind of file", f"known are {', '.join(SUFFIXES)}", where=str(path))


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, unpacked if its name ends in .gz; a torn file is told as such."""
    line = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            while data := stream.readline(MAX_ROW_BYTES + 1):
                line += 1
                if len(data) > MAX_ROW_BYTES:
                    raise DataError(
                        f"the row has more than {MAX_ROW_BYTES:,} bytes", where=f"{path}:{line}"
                    )
                yield data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"the file is torn: {error}", "copy it again", where=f"{path}:{line + 1}"
        ) from None
    except OSError as error:
        raise DataError(f"the file can't be read: {error.strerror}", where=str(path)) from None


def _jsonl(path: Path, mistakes: Mistakes) -> Iterator[Row]:
    for number, data in enumerate(_lines(path), start=1):
        place = Place(path=str(path), line=number)
        if not data.strip():
            continue
        try:
            values = json.loads(decoded(data, where=str(path), line=number))
        except (ValueError, RecursionError):
            torn = not data.endswith(b"\n")
            hint = "the last line is torn: copy the file again" if torn else "one object a line"
            mistakes.tell(place.error("the line isn't JSON", hint))
            continue
        except DataError as error:
            mistakes.tell(error)
            continue
        if isinstance(values, dict):
            yield Row(values, place)
        else:
            mistakes.tell(place.error("the line isn't a JSON object", 'like {"id": "1", ...}'))


def _csv(path: Path, mistakes: Mistakes) -> Iterator[Row]:
    text = decoded(b"".join(_lines(path)), where=str(path))
    reader = csv.DictReader(io.StringIO(text), strict=True)
    csv.field_size_limit(max(MAX_TEXT_BYTES + 1, csv.field_size_limit()))
    line = 1
    try:
        names = list(reader.fieldnames or ())
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"the column {twice!r} stands twice", where=f"{path}:1")
        while True:
            line = reader.line_num + 1
            values = next(reader, None)
            if values is None:
                return
            place = Place(path=str(path), line=line)
            if None in values or None in values.values():
                mistakes.tell(place.error(f"the row hasn't {len(names)} cells like the header"))
            else:
                yield Row(values, place)
    except csv.Error as error:
        raise DataError(f"not CSV: {error}", where=f"{path}:{line}") from None


def _parquet(path: Path, _mistakes: Mistakes) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise MissingExtra.of("pyarrow", "data") from None
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    yield Row(values, Place(path=str(path), line=number))
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"the file is torn, or no Parquet: {reason}", where=f"{path}:{number + 1}"
        ) from None
