"""Standardised data, Z = (X − m)/s, and the way back: the same predictions from X in its own units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.errors import InputError
from symgrad.fitting.binding import Bound, axis_of, class_fact
from symgrad.graph.expression import Contraction, Expr, Leaf, Linear, Role
from symgrad.graph.walk import postorder, use_counts
from symgrad.tables import Standardizer

Array = Any


def standardizers(
    data: Sequence[Leaf], wanted: bool | Sequence[str], is_input: Mapping[str, bool], bound: Bound, train: Array | None
) -> dict[str, Standardizer]:
    """m and s of the training rows for the matrices named, or for every matrix of numbers that the model reads."""
    if not wanted:
        return {}
    matrices = [e for e in data if e.rank == 2 and not class_fact(e) and axis_of(e, bound.examples) is not None]
    names = [e.name for e in matrices if is_input[e.name]] if wanted is True else list(wanted)
    allowed = {e.name: e for e in matrices}
    for name in names:
        if name not in allowed:
            raise InputError(f"{name} cannot be standardised; name a matrix of numbers with examples along one axis")
    if not names:
        raise InputError("there is nothing to standardise; the model reads no matrix with one example per row")
    return {name: Standardizer.fit(_rows_first(bound, name, bound.arrays[name], train)) for name in names}


def _rows_first(bound: Bound, name: str, array: Array, chosen: Array | None) -> Array:
    rows = np.moveaxis(array, bound.axes[name], 0)
    return rows if chosen is None else rows[chosen]


def standardized(
    arrays: Mapping[str, Array], found: Mapping[str, Standardizer], axes: Mapping[str, int]
) -> dict[str, Array]:
    """The arrays, those with a standardizer as (X − m)/s in the type that they had."""
    result = dict(arrays)
    for name, standardizer in found.items():
        if name in result:
            array = np.asarray(result[name])
            rows = standardizer.transform(np.moveaxis(array, axes[name], 0))
            result[name] = np.moveaxis(rows, 0, axes[name]).astype(array.dtype if array.dtype.kind == "f" else float)
    return result


def original_units(
    model: Expr | None, parameters: Mapping[str, Array], found: Mapping[str, Standardizer]
) -> dict[str, Array] | None:
    """The parameters that predict from X what these predict from Z: W/s and b − (m/s)W where the model reads X as XW + b.

    None where it reads X in any other way: nothing in the model then takes up the shift.

    >>> from symgrad.primitives.language import data, dims, parameter
    >>> n, d = dims("n d")
    >>> X, w, b = data("X", n, d), parameter("w", d), parameter("b")
    >>> scale = {"X": Standardizer(np.array([2.0]), np.array([4.0]), ())}
    >>> original_units(X @ w + b, {"w": np.array([8.0]), "b": np.array(1.0)}, scale)
    {'w': array([2.]), 'b': array(-3.)}
    >>> original_units(X @ w, {"w": np.array([8.0])}, scale) is None
    True
    """
    if model is None or not found:
        return None
    order = postorder([model])
    counts = use_counts(order)
    mapped = dict(parameters)
    for name, standardizer in found.items():
        pair = _affine(name, order, counts)
        if pair is None:
            return None
        w, b = pair
        mapped[w], mapped[b] = standardizer.original_units(mapped[w], mapped[b])
    return mapped


def _affine(name: str, order: Sequence[Expr], counts: Mapping[Expr, int]) -> tuple[str, str] | None:
    """The names of W and b where X, W and b are read once, in XW + b."""
    products = [e for e in order if any(isinstance(c, Leaf) and c.name == name for c in e.children)]
    if len(products) != 1 or not isinstance(products[0], Contraction) or counts[products[0]] != 1:
        return None
    product = products[0]
    w = _weights(product, name, counts)
    sums = [e for e in order if isinstance(e, Linear) and any(c is product for c in e.children)]
    plain = [e for c, e in sums[0].terms if c == 1] if sums else []
    if w is None or not any(e is product for e in plain):
        return None
    biases = [b for e in plain if (b := _bias(e, counts)) is not None]
    return (w, biases[0]) if biases else None


def _weights(product: Contraction, name: str, counts: Mapping[Expr, int]) -> str | None:
    """W of X @ W."""
    if len(product.operands) != 2:
        return None
    (x, own), (w, others) = zip(product.operands, product.indices, strict=True)
    columns = tuple(range(1, product.rank))
    is_product = own == (0, product.rank) and others == (product.rank, *columns)
    is_once = isinstance(x, Leaf) and x.name == name and counts[x] == 1 and counts[w] == 1
    return w.name if isinstance(w, Leaf) and w.role is Role.PARAMETER and is_product and is_once else None


def _bias(term: Expr, counts: Mapping[Expr, int]) -> str | None:
    """B of a term that is b in every row."""
    if not isinstance(term, Contraction) or len(term.operands) != 1 or counts[term] != 1:
        return None
    (b,), (own,) = term.operands, term.indices
    is_row = own == tuple(range(1, term.rank)) and counts[b] == 1
    return b.name if isinstance(b, Leaf) and b.role is Role.PARAMETER and is_row else None
