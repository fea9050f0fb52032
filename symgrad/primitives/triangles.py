"""Primitives of matrices whose entries keep their place or are copied in blocks: triangles, the Kronecker product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import Expr, Shape, contraction
from symgrad.graph.show import show_shape
from symgrad.primitives.entry import Array, Primitive, Scalars, square
from symgrad.primitives.rearrangements import RESHAPE
from symgrad.prose import Text

Options = dict[str, Any]


def _matrix_shape(operands: Sequence[Expr], options: Options) -> Shape:
    if operands[0].rank != 2:
        raise ShapeError(f"a triangle of shape {show_shape(operands[0].shape)}; only a matrix has one")
    return operands[0].shape


def _triangle(keeps: Callable[[int, int], bool]) -> Callable[[Scalars, Sequence[Array], Options], Array]:
    def forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
        result = np.full(arrays[0].shape, s.number(Fraction(0)), dtype=object)
        for i, j in np.ndindex(*arrays[0].shape):
            if keeps(i, j):
                result[i, j] = arrays[0][i, j]
        return result

    return forward


_TRIANGLE = Text(
    en="The triangle passes on the entries that it keeps; the others are replaced by 0 and do not matter.",
    zh="三角部分的元素原样传递，其余元素被 0 代替，不产生影响。",
)
TRIL: Primitive = Primitive(
    name="tril",
    is_linear=True,
    about=Text(en="lower triangle", zh="下三角部分"),
    shape=_matrix_shape,
    forward=_triangle(lambda i, j: i >= j),
    pullback=lambda ybar, y, operands, options: (TRIL(ybar),),
    reason=_TRIANGLE,
    latex=r"\mathrm{tril}",
    numpy=lambda args, options, ranks: f"np.tril({args[0]})",
    sign=(
        r"\mathrm{tril}",
        Text(en="{sign} keeps the lower triangle with the diagonal", zh="{sign} 保留下三角部分（含对角线）"),
    ),
)
TRIU: Primitive = Primitive(
    name="triu",
    is_linear=True,
    about=Text(en="upper triangle", zh="上三角部分"),
    shape=_matrix_shape,
    forward=_triangle(lambda i, j: i <= j),
    pullback=lambda ybar, y, operands, options: (TRIU(ybar),),
    reason=_TRIANGLE,
    latex=r"\mathrm{triu}",
    numpy=lambda args, options, ranks: f"np.triu({args[0]})",
    sign=(
        r"\mathrm{triu}",
        Text(en="{sign} keeps the upper triangle with the diagonal", zh="{sign} 保留上三角部分（含对角线）"),
    ),
)


def _square_shape(operands: Sequence[Expr], options: Options) -> Shape:
    square("half_tril", operands[0])
    return operands[0].shape


def _half_tril(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    low = TRIL.forward(s, arrays, options)
    for i in range(len(low)):
        low[i, i] = low[i, i] / 2
    return low


HALF_TRIL: Primitive = Primitive(
    name="half_tril",
    is_linear=True,
    about=Text(en="lower triangle with half of the diagonal", zh="对角线减半的下三角部分"),
    shape=_square_shape,
    forward=_half_tril,
    pullback=lambda ybar, y, operands, options: (HALF_TRIL(ybar),),
    reason=_TRIANGLE,
    latex=r"\mathrm{tril}_{1/2}",
    numpy=lambda args, options, ranks: f"half_tril({args[0]})",
    kernel='''
def half_tril(x):
    """The lower triangle of x with half of the diagonal."""
    y = np.tril(x)
    np.einsum("ii->i", y)[:] /= 2
    return y
''',
    sign=(
        r"\mathrm{tril}_{1/2}",
        Text(en="{sign} keeps the lower triangle with half of the diagonal", zh="{sign} 保留下三角部分并将对角线减半"),
    ),
)


def _kron_shape(operands: Sequence[Expr], options: Options) -> Shape:
    a, b = operands
    if a.rank != 2 or b.rank != 2:
        raise InputError(f"kron: the shapes are {show_shape(a.shape)} and {show_shape(b.shape)}; it takes two matrices")
    return a.shape[0] * b.shape[0], a.shape[1] * b.shape[1]


def _kron_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    a, b = operands
    blocks = RESHAPE(ybar, shape=(a.shape[0], b.shape[0], a.shape[1], b.shape[1]))
    return (
        contraction((blocks, b), ((0, 2, 1, 3), (2, 3)), a.shape),
        contraction((blocks, a), ((2, 0, 3, 1), (2, 3)), b.shape),
    )


KRON = Primitive(
    name="kron",
    about=Text(en="Kronecker product", zh="克罗内克积"),
    shape=_kron_shape,
    forward=lambda s, arrays, options: np.kron(arrays[0], arrays[1]),
    pullback=_kron_pullback,
    arity=2,
    reason=Text(
        en="{y} consists of one block for each pair of entries: an entry collects the products of the derivative with the"
        " entries that it is multiplied by.",
        zh="{y} 由两矩阵元素两两之积组成：一个元素的导数是 {y} 的导数与它所乘的各元素之积的总和。",
    ),
    latex=r"{0} \otimes {1}",
    numpy=lambda args, options, ranks: f"np.kron({args[0]}, {args[1]})",
    citation="Petersen & Pedersen 2012, §10.2",
    sign=(
        r"A \otimes B",
        Text(en="{sign} is the Kronecker product", zh="{sign} 是克罗内克积"),
    ),
)
