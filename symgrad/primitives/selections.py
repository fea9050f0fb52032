"""Primitives that choose entries: the largest and smallest along axes, and the rows that labels name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Leaf, Role
from symgrad.primitives.entry import Array, Primitive, Scalars
from symgrad.primitives.normalisers import along, normal_axis, reduced, same_shape, stretched
from symgrad.prose import Text

Options = dict[str, Any]
_IS_EXTREME = '''
def is_extreme(x, extreme, axis):
    """1 where x is the `extreme` (np.max or np.min) along `axis`, shared among equal entries, else 0."""
    found = x == extreme(x, axis=axis, keepdims=True)
    return found / found.sum(axis=axis, keepdims=True, dtype=x.dtype)
'''


def _extremum(sign: int) -> Callable[[Scalars, Sequence[Array], Options], Array]:
    """The largest entry of sign·x along the axes, times the sign."""

    def forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
        (x,) = arrays
        flat, _ = along(x, options["axis"])
        result = np.empty(flat.shape[:-1], dtype=object)
        for place in np.ndindex(result.shape):
            result[place] = sign * s.largest([sign * e for e in flat[place]])
        if not options["keepdims"]:
            return result
        gone = (options["axis"],) if isinstance(options["axis"], int) else options["axis"]
        return result.reshape([1 if k in gone else m for k, m in enumerate(x.shape)])

    return forward


def _attained(sign: int) -> Callable[[Scalars, Sequence[Array], Options], Array]:
    """Where sign·x is largest along the axes."""

    def forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
        flat, back = along(arrays[0], options["axis"])
        result = np.empty(flat.shape, dtype=object)
        for place in np.ndindex(flat.shape[:-1]):
            items = [sign * e for e in flat[place]]
            for k in range(len(items)):
                result[(*place, k)] = s.is_largest(k, items)
        return back(result)

    return forward


def _pullback(indicator: str) -> Callable[[Expr, Expr, Sequence[Expr], Options], tuple[Expr, ...]]:
    def pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
        where = {"is_max": IS_MAX, "is_min": IS_MIN}[indicator](operands[0], axis=options["axis"])
        return (stretched(ybar, operands, options) * where,)

    return pullback


def _nothing(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    """A step function: its derivative is 0 wherever it has one."""
    return tuple(0 * e for e in operands)


_KINK = Text(
    en="Where several entries share the {what}, each of them gets an equal share of the derivative.",
    zh="若有多个元素同为{what}，则它们平分导数。",
)


def _kink(en: str, zh: str) -> Text:
    return Text(en=_KINK.en.replace("{what}", en), zh=_KINK.zh.replace("{what}", zh))


MAX = Primitive(
    name="max",
    about=Text(en="maximum over axes", zh="沿轴取最大值"),
    shape=reduced,
    forward=_extremum(1),
    pullback=_pullback("is_max"),
    reason=Text(
        en="Only the largest entry of {x} decides {y}, which grows by 1 with each unit of it: the derivative goes there,"
        " and nothing goes to the others.",
        zh="{y} 只由 {x} 的最大元素决定，且随它同步增长：导数全部传给该元素，其余元素得 0。",
    ),
    latex=r"\max",
    numpy=lambda args, options, ranks: f"np.max({args[0]}, axis={options['axis']}, keepdims={options['keepdims']})",
    options={"axis": None, "keepdims": False},
    normal_options=normal_axis,
    kink=_kink("largest value", "最大值"),
    citation="Boyd & Vandenberghe 2004, §3.2.3",
)
MIN = Primitive(
    name="min",
    about=Text(en="minimum over axes", zh="沿轴取最小值"),
    shape=reduced,
    forward=_extremum(-1),
    pullback=_pullback("is_min"),
    reason=Text(
        en="Only the smallest entry of {x} decides {y}, which grows by 1 with each unit of it: the derivative goes there,"
        " and nothing goes to the others.",
        zh="{y} 只由 {x} 的最小元素决定，且随它同步增长：导数全部传给该元素，其余元素得 0。",
    ),
    latex=r"\min",
    numpy=lambda args, options, ranks: f"np.min({args[0]}, axis={options['axis']}, keepdims={options['keepdims']})",
    options={"axis": None, "keepdims": False},
    normal_options=normal_axis,
    kink=_kink("smallest value", "最小值"),
    citation="Boyd & Vandenberghe 2004, §3.2.3",
)
IS_MAX = Primitive(
    name="is_max",
    about=Text(en="place of the maximum", zh="最大值的位置"),
    shape=same_shape,
    forward=_attained(1),
    pullback=_nothing,
    reason=Text(
        en="Where the largest entry stands does not change with small changes of {x}: the derivative is 0.",
        zh="{x} 作微小变化时最大元素的位置不变：导数为 0。",
    ),
    latex=r"\mathrm{ismax}",
    numpy=lambda args, options, ranks: f"is_extreme({args[0]}, np.max, axis={options['axis']})",
    kink=Text(
        en="Where the largest entry stands jumps: its derivative is taken to be 0 everywhere.",
        zh="最大元素的位置是跳变的：约定其导数处处为 0。",
    ),
    options={"axis": -1},
    normal_options=normal_axis,
    sign=(
        r"\mathrm{ismax}",
        Text(
            en="{sign} is 1 where an entry is the largest of those that max compares, else 0; equal ones share the 1",
            zh="{sign} 在 max 所比较的各元素中最大者处为 1，其余为 0；若有并列则平分",
        ),
    ),
    kernel=_IS_EXTREME,
)
IS_MIN = Primitive(
    name="is_min",
    about=Text(en="place of the minimum", zh="最小值的位置"),
    shape=same_shape,
    forward=_attained(-1),
    pullback=_nothing,
    reason=Text(
        en="Where the smallest entry stands does not change with small changes of {x}: the derivative is 0.",
        zh="{x} 作微小变化时最小元素的位置不变：导数为 0。",
    ),
    latex=r"\mathrm{ismin}",
    numpy=lambda args, options, ranks: f"is_extreme({args[0]}, np.min, axis={options['axis']})",
    kink=Text(
        en="Where the smallest entry stands jumps: its derivative is taken to be 0 everywhere.",
        zh="最小元素的位置是跳变的：约定其导数处处为 0。",
    ),
    options={"axis": -1},
    normal_options=normal_axis,
    sign=(
        r"\mathrm{ismin}",
        Text(
            en="{sign} is 1 where an entry is the smallest of those that min compares, else 0; equal ones share the 1",
            zh="{sign} 在 min 所比较的各元素中最小者处为 1，其余为 0；若有并列则平分",
        ),
    ),
    kernel=_IS_EXTREME,
)


# ---- labels


def _classes(operands: Sequence[Expr], options: Options) -> Options:
    (c,) = operands
    if not isinstance(c, Leaf) or c.role is not Role.LABELS:
        raise InputError(f"one_hot({c}): only labels name classes; declare them with sg.labels")
    return {"classes": c.value}


def _one_hot_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    """A label is a whole number, or in proofs the row of symbols that it stands for."""
    (c,) = arrays
    k = options["classes"]
    result = np.empty((*c.shape, k), dtype=object)
    for place in np.ndindex(c.shape):
        label = c[place]
        for j in range(k):
            result[(*place, j)] = label[j] if isinstance(label, tuple) else s.number(Fraction(int(label == j)))
    return result


ONE_HOT = Primitive(
    name="one_hot",
    about=Text(en="one-hot rows of labels", zh="标签的独热表示"),
    shape=lambda operands, options: (*operands[0].shape, options["classes"]),
    forward=_one_hot_forward,
    pullback=_nothing,
    reason=Text(en="Labels are given and do not change.", zh="标签是给定的，不变化。"),
    latex=r"\mathrm{onehot}",
    numpy=lambda args, options, ranks: f"np.equal.outer({args[0]}, np.arange({options['classes']}))",
    options={"classes": None},
    normal_options=_classes,
    is_truth=True,
    sign=(
        r"\mathrm{onehot}(c)_{ij} = [c_{i} = j]",
        Text(
            en="{sign}: row $i$ is 1 at the class of example $i$, else 0",
            zh="{sign}：第 $i$ 行在样本 $i$ 的类别处为 1，其余为 0",
        ),
    ),
)
