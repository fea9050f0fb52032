"""Class labels → the numbers that a loss expects, as the fact declared of its data asks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from symgrad.errors import InputError, ShapeError
from symgrad.tables.table import NUMBER, Array, quoted

Fact = Literal["one_hot", "sign", "binary", "labels"]
Label = str | int | float

FACTS = ("one_hot", "sign", "binary", "labels")

TWO_CLASSES = ("sign", "binary")


@dataclass(frozen=True, slots=True)
class Encoded:
    """The encoded array, and the classes in the order of their codes 0, 1, …, k−1."""

    array: Array
    classes: tuple[Label, ...]


def encode(values: Array | Sequence[Any], fact: str, *, classes: Sequence[Label] | None = None) -> Encoded:
    """Class labels `(n,)` as `one_hot` (n, k), `sign` ±1 (n,), `binary` 0/1 (n,) or `labels` 0…k−1 (n,).

    Labels are text, or whole numbers. The classes are the values that occur, numbers by size and text by
    code point, so that a file gives the same codes whatever the order of its rows; pass `classes` to fix
    them. Of two classes the second is +1 or 1. A one-hot matrix `(n, k)` is taken as it is.
    Raises `InputError` for smoothed values, a single class, three where there are two, an unknown class.

    >>> encode(["malignant", "benign", "malignant"], "binary")
    Encoded(array=array([1., 0., 1.]), classes=('benign', 'malignant'))
    >>> encode([10, 9], "one_hot").array
    array([[0., 1.],
           [1., 0.]])
    """
    if fact not in FACTS:
        raise InputError(f"{quoted(fact)} is no encoding of classes; use one of {', '.join(FACTS)}")
    array = np.asarray(values)
    if array.ndim == 2 and fact == "one_hot":
        return _checked_one_hot(array)
    if array.ndim != 1:
        raise ShapeError(f"the labels have shape {array.shape}; give one label a row, shape (n,)")
    # Not from `array`, which would turn the numbers of a mixed list into text.
    labels = [_label(value, row) for row, value in enumerate(values)]
    known = _classes(labels) if classes is None else tuple(_label(c, i) for i, c in enumerate(classes))
    if len(known) < 2:
        raise InputError(f"the labels hold {len(known)} class; a classifier needs at least two")
    if fact in TWO_CLASSES and len(known) != 2:
        what = f"there are {len(known)} classes ({_listed(known)}) where {fact} has two"
        raise InputError(f"{what}; declare the data one_hot or labels")
    return Encoded(_encoded(_codes(labels, known), fact, len(known)), known)


def decide(outputs: Array, fact: str) -> Array:
    """The codes `(n,)` that a model's outputs stand for: argmax of a row, p ≥ ½, or a score ≥ 0.

    `outputs` are probabilities or scores `(n, k)` for `one_hot` and `labels`, probabilities `(n,)` for
    `binary`, scores `(n,)` for `sign`.

    >>> decide(np.array([[0.1, 0.9], [0.8, 0.2]]), "one_hot"), decide(np.array([-3.0, 0.5]), "sign")
    (array([1, 0]), array([0, 1]))
    """
    expected = 1 if fact in TWO_CLASSES else 2
    if outputs.ndim != expected:
        raise ShapeError(f"the outputs have shape {outputs.shape}; {fact} is decided from {expected} axes")
    if expected == 2:
        return np.asarray(np.argmax(outputs, axis=1))
    return np.asarray(outputs >= (0.5 if fact == "binary" else 0.0)).astype(np.int64)


def _label(value: object, row: int) -> Label:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        raise InputError(
            f"label {row + 1} is {value!r}, which is no class: smoothed labels and measurements "
            "cannot be encoded; give class names or whole numbers"
        )
    raise InputError(f"label {row + 1} is {value!r}; give class names or whole numbers")


def _classes(labels: list[Label]) -> tuple[Label, ...]:
    found = set(labels)
    texts = {label for label in found if isinstance(label, str)}
    if texts and texts != found:
        other = next(iter(sorted(map(str, found - texts))))
        raise InputError(f"the labels mix text ({quoted(min(texts))}) and numbers ({other}); use one kind")
    if all(NUMBER.fullmatch(text) for text in texts):
        return tuple(sorted(found, key=lambda label: (float(label), str(label))))
    return tuple(sorted(found, key=str))


def _codes(labels: list[Label], classes: tuple[Label, ...]) -> Array:
    index = {label: code for code, label in enumerate(classes)}
    if len(index) != len(classes):
        raise InputError(f"the classes ({_listed(classes)}) repeat one; name each once")
    for row, label in enumerate(labels):
        if label not in index:
            shown = quoted(label) if isinstance(label, str) else str(label)
            raise InputError(f"label {row + 1} is {shown}, which is none of {_listed(classes)}; correct it")
    return np.array([index[label] for label in labels], dtype=np.int64)


def _encoded(codes: Array, fact: str, count: int) -> Array:
    match fact:
        case "one_hot":
            return np.eye(count)[codes]
        case "sign":
            return 2.0 * codes - 1.0
        case "binary":
            return codes.astype(np.float64)
        case _:
            return codes


def _checked_one_hot(matrix: Array) -> Encoded:
    is_number = matrix.dtype.kind in "fiub"
    rows = ((matrix == 0) | (matrix == 1)).all(axis=1) & (matrix.sum(axis=1) == 1) if is_number else np.zeros(1)
    if not rows.all():
        row = int(np.flatnonzero(~rows.astype(bool))[0])
        raise InputError(f"row {row + 1} is not one-hot; give a single 1 and zeros, or a column of labels")
    return Encoded(matrix.astype(np.float64), tuple(range(matrix.shape[1])))


def _listed(classes: tuple[Label, ...]) -> str:
    shown = ", ".join(quoted(label) if isinstance(label, str) else str(label) for label in classes[:5])
    return shown + (", …" if len(classes) > 5 else "")
