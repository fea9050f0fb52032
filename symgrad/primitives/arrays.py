"""NumPy's sums, products and views, defined in the language itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import (
    Contraction,
    Expr,
    Leaf,
    Role,
    axes_of,
    coerce,
    contraction,
    elementwise,
    identity,
    is_number,
    number,
    power,
    size,
    total,
)  # fmt: skip
from symgrad.graph.expression import (
    broadcast_to as _broadcast_to,
)
from symgrad.graph.expression import (
    transpose as _transpose,
)
from symgrad.graph.show import show_shape
from symgrad.graph.sizes import ONE, Size
from symgrad.primitives.declarations import shape_of
from symgrad.primitives.functions import WHERE
from symgrad.primitives.rearrangements import CONCATENATE, RESHAPE

__all__ = [
    "broadcast_to", "concatenate", "diag", "diagonal", "dot", "einsum", "eye", "mean", "ones", "outer", "reshape", "scalar",
    "sqrt", "stack", "std", "sum", "trace", "transpose", "var", "where",
]  # fmt: skip


def sum(a: object, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """Σ a over the named axes, or over all of them.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> sum(data("X", n, d), axis=1).shape
    (n,)
    """
    return total(a, axis, keepdims=keepdims)


def mean(a: object, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """The sum over the named axes divided by how many entries it has.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> str(mean(data("X", n, d), axis=0)), str(mean(data("X", n, d)))
    ('sum(X, axis=0) / n', 'sum(X) / (d*n)')
    """
    x = coerce(a)
    counts = [x.shape[k] for k in axes_of(x, axis)]
    result = total(x, axis, keepdims=keepdims)
    symbolic = Size.constant(1)
    for s in counts:
        # A number that is a size (784) stays apart from other numbers: proofs put a small stand-in for it.
        result, symbolic = (result / size(s), symbolic) if s.value is not None else (result, symbolic * s)
    return result / size(symbolic) if symbolic != ONE else result


def var(a: object, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """The mean of (a - mean)² over the named axes, or over all of them."""
    x = coerce(a)
    return mean((x - mean(x, axis, keepdims=True)) ** 2, axis, keepdims)


def std(a: object, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """√var."""
    return sqrt(var(a, axis, keepdims))


def sqrt(a: object) -> Expr:
    """√a entry by entry."""
    return power(a, Fraction(1, 2))


def where(condition: object, a: object, b: object) -> Expr:
    """a where the condition holds, else b.

    >>> from symgrad.primitives.language import data, dims
    >>> r = data("r", dims("n"))
    >>> str(where(r > 0, r, 0))
    'where(r > 0, r, 0)'
    """
    if isinstance(condition, bool):
        raise InputError(
            "where: the condition is a Python truth value; compare expressions with <, >, <=, >= or sg.equal"
        )
    mask = coerce(condition)
    if isinstance(mask, Leaf) and mask.role is not Role.NUMBER and "binary" not in mask.facts:
        raise InputError(
            f"where: {mask} is not known to be 0 or 1; declare it with binary=True, or compare it: {mask} > 0"
        )
    return WHERE(mask, a, b)


def transpose(a: object, axes: Sequence[int] | None = None) -> Expr:
    """The axes in the given order, or in reverse."""
    return _transpose(a, axes)


def dot(a: object, b: object) -> Expr:
    """aᵀb for vectors, the matrix product otherwise."""
    return coerce(a) @ coerce(b)


def outer(a: object, b: object) -> Expr:
    """a bᵀ: entry (i, j) is aᵢ bⱼ."""
    x, y = _of_rank("outer", a, 1), _of_rank("outer", b, 1)
    return contraction((x, y), ((0,), (1,)), (*x.shape, *y.shape))


def trace(a: object) -> Expr:
    """Σᵢ aᵢᵢ."""
    x = _of_rank("trace", a, 2)
    _same(x, "trace")
    return contraction([x], [(0, 0)], ())


def diagonal(a: object) -> Expr:
    """The vector aᵢᵢ."""
    x = _of_rank("diagonal", a, 2)
    _same(x, "diagonal")
    return contraction([x], [(0, 0)], x.shape[:1])


def diag(a: object) -> Expr:
    """The matrix with the vector a on its diagonal, or the diagonal of a matrix.

    >>> from symgrad.primitives.language import data, dims
    >>> str(diag(data("v", dims("n"))))
    'diag(v)'
    """
    x = coerce(a)
    if x.rank == 2:
        return diagonal(x)
    _of_rank("diag", x, 1)
    return contraction((x, identity(x.shape[0])), ((0,), (0, 1)), x.shape * 2)


def eye(n: object) -> Expr:
    """The n × n identity matrix."""
    return identity(shape_of("eye", (n,))[0])


def ones(*shape: object) -> Expr:
    """The array whose entries are all 1.

    >>> from symgrad.primitives.language import dims
    >>> ones(dims("n"), 2).shape
    (n, 2)
    """
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    return _broadcast_to(number(1), shape_of("ones", wanted))


def concatenate(arrays: Sequence[object], axis: int = 0) -> Expr:
    """Arrays joined along an axis.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d, k = dims("n d k")
    >>> concatenate([data("A", n, d), data("B", n, k)], axis=1).shape
    (n, d+k)
    """
    nodes = [coerce(e) for e in arrays]
    if not nodes:
        raise InputError("concatenate([]): there is nothing to join; give at least one array")
    return CONCATENATE(*nodes, axis=axis) if len(nodes) > 1 else nodes[0]


def stack(arrays: Sequence[object], axis: int = 0) -> Expr:
    """Arrays of one shape joined along a new axis.

    >>> from symgrad.primitives.language import data, dims
    >>> stack([data("u", dims("n")), data("v", dims("n"))]).shape
    (2, n)
    """
    nodes = [coerce(e) for e in arrays]
    if len({e.shape for e in nodes}) != 1 or not -nodes[0].rank - 1 <= axis <= nodes[0].rank:
        shapes = ", ".join(show_shape(e.shape) for e in nodes) or "none"
        raise ShapeError(
            f"stack along axis {axis}: the shapes are {shapes}; give arrays of one shape and an axis of the result"
        )
    place = axis % (nodes[0].rank + 1)
    return concatenate([e[(*[slice(None)] * place, None)] for e in nodes], axis=place)


def reshape(a: object, *shape: object) -> Expr:
    """The same entries, row after row, in another shape.

    >>> from symgrad.primitives.language import data, dims
    >>> n, h, w = dims("n h w")
    >>> str(reshape(data("X", n, h, w), n, h * w))
    'reshape(X, (n, h*w))'
    """
    wanted = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    x = coerce(a)
    sizes = shape_of("reshape", wanted)
    return x if sizes == x.shape else RESHAPE(x, shape=sizes)


def einsum(subscripts: str, *operands: object) -> Expr:
    """Π operands[letters], summed over the letters that do not stand behind `->`, as in NumPy.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> X = data("X", n, d)
    >>> einsum("ij,kj->ik", X, X).shape, einsum("ij->ji", X) is X.T, einsum("ij,k->ik", X, ones(d)).shape
    ((n, n), True, (n, d))
    """
    left, arrow, result = str(subscripts).replace(" ", "").partition("->")
    spelled = left.split(",")
    nodes = [coerce(e) for e in operands]
    what = f'einsum("{subscripts}", …)'
    if not arrow or not all(word.isalpha() or not word for word in (*spelled, result)):
        raise InputError(f'{what} is not understood; write the letters of every axis, as einsum("ij,jk->ik", A, B)')
    if [len(word) for word in spelled] != [e.rank for e in nodes]:
        shapes = " and ".join(show_shape(e.shape) for e in nodes) or "none"
        raise ShapeError(f"{what}: the shapes are {shapes}; write one letter for each axis of each operand")
    extents: dict[str, Size] = {}
    for letter, extent in (
        (i, s) for word, e in zip(spelled, nodes, strict=True) for i, s in zip(word, e.shape, strict=True)
    ):
        if extents.setdefault(letter, extent) != extent:
            raise ShapeError(f"{what}: {letter} is both {extents[letter]} and {extent}; give both axes the same size")
    if len(set(result)) < len(result) or not set(result) <= set(extents):
        raise InputError(f"{what}: each letter behind -> stands there once, and in an operand too; mend the letters")
    place = {letter: k for k, letter in enumerate(dict.fromkeys((*result, *extents)))}
    pairs = _without_ones(list(zip(nodes, spelled, strict=True)), result)
    indices = [[place[letter] for letter in word] for _, word in pairs]
    return contraction([e for e, _ in pairs], indices, tuple(extents[letter] for letter in result))


def _without_ones(pairs: list[tuple[Expr, str]], result: str) -> list[tuple[Expr, str]]:
    """The operands but for arrays of ones that only tell the size of an axis of the result."""
    kept = [(e, word) for e, word in pairs if not (_is_ones(e) and set(word) <= set(result))]
    return kept or pairs


def _is_ones(e: Expr) -> bool:
    return isinstance(e, Contraction) and len(e.operands) == 1 and is_number(e.operands[0], 1)


def scalar(body: Any, *operands: object) -> Expr:
    """f(e₁, …) entry by entry, f given as a SymPy `Lambda` in real symbols; its derivative is SymPy's.

    >>> from symgrad.primitives.language import data, dims
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> str(scalar(sympy.Lambda((x,), sympy.atan(x)), data("u", dims("n"))))
    'scalar("x: atan(x)", u)'
    """
    variables = getattr(body, "variables", None)
    if not isinstance(variables, Iterable):
        raise InputError(
            "scalar: the function is not a SymPy Lambda; write scalar(sympy.Lambda((x,), sympy.atan(x)), e)"
        )
    names = list(variables)
    if len(names) != len(operands) or not operands:
        raise InputError(f"scalar: the function takes {len(names)} argument(s), not {len(operands)}; give one for each")
    free = sorted(str(v) for v in body.expr.free_symbols - set(names))
    if free:
        raise InputError(f"scalar: {free[0]} is no variable of the function; make it one of its arguments")
    return elementwise("scalar", *operands, parameter=body)


def broadcast_to(a: object, *shape: object) -> Expr:
    """a repeated along new axes and axes of size 1."""
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    x, sizes = coerce(a), shape_of("broadcast_to", wanted)
    fits = len(sizes) >= x.rank and all(s in (t, ONE) for s, t in zip(x.shape[::-1], sizes[::-1], strict=False))
    if not fits:
        raise InputError(f"broadcast_to: shape {show_shape(x.shape)} does not stretch to {show_shape(sizes)}")
    return _broadcast_to(x, sizes)


def _of_rank(what: str, a: object, rank: int) -> Expr:
    x = coerce(a)
    if x.rank != rank:
        raise InputError(f"{what}({x}): its shape is {show_shape(x.shape)}; {what} needs {rank} axes")
    return x


def _same(x: Expr, what: str) -> None:
    if x.shape[0] != x.shape[1]:
        raise InputError(f"{what}({x}): its shape is {show_shape(x.shape)}; {what} needs a square matrix")
