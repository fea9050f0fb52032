"""Primitives that run along an axis: products of all entries, and sums of all entries so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from symgrad.graph.expression import Expr, Shape, contraction, identity, total
from symgrad.graph.sizes import Size
from symgrad.primitives.entry import DEFINITION, Array, Primitive, Scalars
from symgrad.primitives.normalisers import along, normal_axis, one_axis, reduced, same_shape, stretched
from symgrad.prose import Text

Options = dict[str, Any]


def _prod_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    result = np.prod(np.asarray(arrays[0], dtype=object), axis=options["axis"], keepdims=options["keepdims"])
    return np.asarray(result, dtype=object)


def _prod_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    return (stretched(ybar, operands, options) * PROD_OTHERS(operands[0], axis=options["axis"]),)


def _others_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    flat, back = along(arrays[0], options["axis"])
    result = np.empty(flat.shape, dtype=object)
    for place in np.ndindex(flat.shape[:-1]):
        row = list(flat[place])
        for k in range(len(row)):
            result[(*place, k)] = reduce(mul, [*row[:k], *row[k + 1 :]], s.number(Fraction(1)))
    return back(result)


def _others_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    """Σᵢ ȳᵢ ∂yᵢ/∂xₖ over i ≠ k, where ∂yᵢ/∂xₖ = yᵢ/xₖ."""
    (x,), axis, products = operands, options["axis"], ybar * y
    if not isinstance(axis, int):
        return ((total(products, axis, keepdims=True) - products) / x,)
    # Summed without its own term, not subtracted from the whole: where xₖ is small that would cancel.
    n = x.shape[axis]
    places = [x.rank if k == axis else k for k in range(x.rank)]
    rest = contraction((products, 1 - identity(n)), (places, (x.rank, axis)), x.shape)
    return (rest / x,)


def _cumsum_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    step = -1 if options["reverse"] else 1
    moved = np.moveaxis(np.asarray(arrays[0], dtype=object), options["axis"], -1)
    result = np.empty(moved.shape, dtype=object)
    for place in np.ndindex(moved.shape[:-1]):
        result[place] = list(accumulate(moved[place][::step]))[::step]
    return np.moveaxis(result, -1, options["axis"])


def _cumsum_latex(shapes: Sequence[Shape], options: Options, tex: Callable[[Size], str]) -> str:
    return r"\mathrm{revcumsum}" if options["reverse"] else r"\mathrm{cumsum}"


PROD = Primitive(
    name="prod",
    about=Text(en="product of entries", zh="元素之积"),
    shape=reduced,
    forward=_prod_forward,
    pullback=_prod_pullback,
    reason=Text(
        en="The derivative of a product by one of its factors is the product of the others.",
        zh="乘积对其中一个因子的导数等于其余因子之积。",
    ),
    latex=r"\mathrm{prod}",
    numpy=lambda args, options, ranks: f"np.prod({args[0]}, axis={options['axis']}, keepdims={options['keepdims']})",
    options={"axis": None, "keepdims": False},
    normal_options=normal_axis,
    sign=(r"\mathrm{prod}(t) = \prod_{i} t_{i}", DEFINITION),
)
PROD_OTHERS: Primitive = Primitive(
    name="prod_others",
    about=Text(en="product of the other entries", zh="其余元素之积"),
    shape=same_shape,
    forward=_others_forward,
    pullback=_others_pullback,
    reason=Text(
        en="An entry of {x} is a factor of every entry of {y} but its own: the derivative of each is that product without"
        " this factor, and all of them are added up.",
        zh="{x} 的一个元素是 {y} 中除对应元素外各元素的因子：对每个乘积求导即去掉该因子，再全部相加。",
    ),
    latex=r"\mathrm{others}",
    numpy=lambda args, options, ranks: f"prod_others({args[0]}, axis={options['axis']})",
    options={"axis": -1},
    normal_options=normal_axis,
    domain=Text(en="The derivative is written for entries that are not 0.", zh="导数公式要求各元素不为 0。"),
    kernel='''
def prod_others(x, axis):
    """For each entry the product of the others along `axis`, without a division."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    rows = moved.reshape(moved.shape[: x.ndim - len(axes)] + (-1,))
    before, behind = np.ones_like(rows), np.ones_like(rows)
    np.cumprod(rows[..., :-1], axis=-1, out=before[..., 1:])
    np.cumprod(rows[..., :0:-1], axis=-1, out=behind[..., -2::-1])
    return np.moveaxis((before * behind).reshape(moved.shape), last, axes)
''',
    sign=(r"\mathrm{others}(t)_{i} = \prod_{j \ne i} t_{j}", DEFINITION),
)
CUMSUM: Primitive = Primitive(
    name="cumsum",
    is_linear=True,
    about=Text(en="cumulative sum", zh="累加和"),
    shape=same_shape,
    forward=_cumsum_forward,
    pullback=lambda ybar, y, operands, options: (CUMSUM(ybar, axis=options["axis"], reverse=not options["reverse"]),),
    reason=Text(
        en="An entry of {x} is part of every sum of {y} from its own place on: it receives all their derivatives, which is"
        " a cumulative sum the other way round.",
        zh="{x} 的一个元素从自身位置起出现在 {y} 的每个部分和之中：它得到这些部分和的全部导数，即反方向的累加和。",
    ),
    latex=_cumsum_latex,
    numpy=lambda args, options, ranks: _cumsum_numpy(args[0], options, ranks[0]),
    options={"axis": -1, "reverse": False},
    normal_options=one_axis,
    sign=(
        r"\mathrm{cumsum}(t)_{i} = \sum_{j \le i} t_{j}",
        Text(
            en=r"{sign}; $\mathrm{revcumsum}$ adds from the other end, $j \ge i$",
            zh=r"{sign}；$\mathrm{revcumsum}$ 从另一端累加，即 $j \ge i$",
        ),
    ),
)


def _cumsum_numpy(x: str, options: Options, rank: int) -> str:
    axis = options["axis"]
    if not options["reverse"]:
        return f"np.cumsum({x}, axis={axis})"
    return f"np.flip(np.cumsum(np.flip({x}, axis={axis}), axis={axis}), axis={axis})"
