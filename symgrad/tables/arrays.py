"""A file of arrays by name, as JSON or as NumPy's .npz → exact numbers. The file is untrusted: it is read, never run."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import InputError

MOST_BYTES = 50_000_000
# What a number may have before and behind the point; beyond that it is a mistake, and slow.
MOST_DIGITS = 400
# NumPy's arrays have no more axes.
DEEPEST = 32


def read_arrays(path: str | Path) -> dict[str, Any]:
    """The arrays of a .json file ({"X": [[1, 0.5]], "b": 2}) or an .npz file, as object arrays of fractions.

    InputError, one line, where it is no such file, or where an array is ragged or holds what is not a finite number.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".npz"):
        raise InputError(f"{path}: arrays are read from .json or .npz files; write one of these")
    try:
        if Path(path).stat().st_size > MOST_BYTES:
            raise InputError(f"{path}: the file is larger than {MOST_BYTES // 10**6} MB; give smaller arrays")
        return _from_json(path) if suffix == ".json" else _from_npz(path)
    except OSError as e:
        raise InputError(f"{path}: {(e.strerror or 'cannot be read').lower()}; give the path of a file") from None


def exact_arrays(values: Mapping[str, Any], where: str = "values") -> dict[str, Any]:
    """Arrays and numbers by name as object arrays of fractions: 0.1 is 1/10.

    >>> exact_arrays({"w": [0.5, 2]})["w"].tolist()
    [Fraction(1, 2), Fraction(2, 1)]
    """
    return {name: _exact(f"{where}: {name}", _plain(value)) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist() if value.dtype == object or value.dtype.kind != "f" else _texts(value)
    return value


def _texts(value: Any) -> Any:
    """A floating array as decimal numbers, each as short as its type allows: 0.1 stays 0.1 in single precision too."""
    flat = [Decimal(str(x)) for x in np.ravel(value)]
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(np.shape(value)).tolist()


def _from_json(path: str | Path) -> dict[str, Any]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        found = json.loads(
            text, parse_float=Decimal, parse_int=_whole, parse_constant=_refused, object_pairs_hook=_once
        )
    except UnicodeDecodeError:
        raise InputError(f"{path}: the text is not UTF-8; save it as UTF-8") from None
    except json.JSONDecodeError as e:
        raise InputError(f"{path}:{e.lineno}:{e.colno}: this is not JSON ({e.msg.lower()}); mend it there") from None
    except RecursionError:
        raise InputError(f"{path}: lists stand in lists too deep; an array has at most {DEEPEST} axes") from None
    except ValueError as e:
        raise InputError(f"{path}: {e}") from None
    if not isinstance(found, dict):
        raise InputError(f'{path}: the file holds no names; write for example {{"w": [1, 2]}}')
    return exact_arrays(found, str(path))


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"it holds a number of {len(digits)} digits; give smaller ones")
    return int(digits)


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no finite number; write numbers only")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands there twice; leave one")
        found[name] = value
    return found


def _from_npz(path: str | Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(info.file_size for info in packed.infolist()) > MOST_BYTES:
                raise InputError(f"{path}: the arrays take more than {MOST_BYTES // 10**6} MB; give smaller ones")
        with np.load(path) as found:
            arrays = {name: found[name] for name in found.files}
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, NotImplementedError, MemoryError):
        raise InputError(f"{path}: this is no .npz file of numbers; write one with np.savez") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            raise InputError(f"{path}: {name} does not hold real numbers; give it numbers")
    return exact_arrays(arrays, str(path))


def _exact(what: str, value: Any) -> Any:
    shape = _shape(what, value)
    entries = [_number(what, x) for x in _entries(value, len(shape))]
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array.reshape(shape)


def _shape(what: str, value: Any) -> tuple[int, ...]:
    """The shape of lists in lists; InputError where they are ragged, or empty."""
    shape: list[int] = []
    level = [value]
    while any(isinstance(x, list | tuple) for x in level):
        lengths = {len(x) if isinstance(x, list | tuple) else -1 for x in level}
        if len(lengths) > 1:
            raise InputError(f"{what}: its rows are not equally long; give every row as many numbers")
        shape.append(lengths.pop())
        if not shape[-1] or len(shape) > DEEPEST:
            wrong = "it holds an empty list" if not shape[-1] else f"it has more than {DEEPEST} axes"
            raise InputError(f"{what}: {wrong}; give it numbers")
        level = [y for x in level for y in x]
    return tuple(shape)


def _entries(value: Any, rank: int) -> Iterator[Any]:
    level = [value]
    for _ in range(rank):
        level = [y for x in level for y in x]
    yield from level


def _number(what: str, x: Any) -> Fraction:
    if isinstance(x, bool | np.bool_) or not isinstance(x, int | float | Decimal | Fraction):
        raise InputError(f"{what}: it holds a {type(x).__name__} where a number should stand; give numbers only")
    if isinstance(x, Fraction):
        return x
    exact = Decimal(str(x)) if isinstance(x, float) else Decimal(x)
    if not exact.is_finite():
        raise InputError(f"{what}: it holds {exact}, which is no finite number; give numbers only")
    if exact and abs(exact.adjusted()) > MOST_DIGITS:
        raise InputError(f"{what}: it holds a number of 10^{exact.adjusted()}; give smaller ones")
    return Fraction(exact)
