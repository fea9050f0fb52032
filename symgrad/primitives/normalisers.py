"""Primitives that compare the entries of an axis with each other: softmax, log-softmax, log-sum-exp, the Euclidean norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Shape, axes_of, elementwise, identity, power, total
from symgrad.graph.sizes import ONE
from symgrad.primitives.entry import DEFINITION, Array, Primitive, Scalars
from symgrad.prose import Text

Options = dict[str, Any]


def normal_axis(operands: Sequence[Expr], options: Options) -> Options:
    """The axis counted from 0: a number where it is one, else a tuple."""
    axes = axes_of(operands[0], options["axis"])
    return {**options, "axis": axes[0] if len(axes) == 1 else axes}


def one_axis(operands: Sequence[Expr], options: Options) -> Options:
    """One axis, counted from 0."""
    if not isinstance(options["axis"], int):
        raise InputError(f"axis={options['axis']!r} is not one axis; name one, counted from 0")
    return normal_axis(operands, options)


def along(a: Array, axis: int | tuple[int, ...]) -> tuple[Array, Callable[[Array], Array]]:
    """The array with the axes last and laid flat, and the way back for an array of that shape."""
    gone = (axis,) if isinstance(axis, int) else tuple(axis)
    order = [*(k for k in range(a.ndim) if k not in gone), *gone]
    moved = np.asarray(a, dtype=object).transpose(order)
    flat = moved.reshape((*moved.shape[: a.ndim - len(gone)], -1))
    return flat, lambda b: b.reshape(moved.shape).transpose(np.argsort(order))


def same_shape(operands: Sequence[Expr], options: Options) -> Shape:
    """The operand's shape."""
    return operands[0].shape


def reduced(operands: Sequence[Expr], options: Options) -> Shape:
    """The operand's shape without the axes, or with size 1 there."""
    x = operands[0]
    gone = set(axes_of(x, options["axis"]))
    if options["keepdims"]:
        return tuple(ONE if k in gone else s for k, s in enumerate(x.shape))
    return tuple(s for k, s in enumerate(x.shape) if k not in gone)


def _softmax_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    powers = s.each(s.exp, arrays[0])
    return powers / s.sum(powers, options["axis"], keepdims=True)


def _log_softmax_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    total_ = s.sum(s.each(s.exp, arrays[0]), options["axis"], keepdims=True)
    return arrays[0] - s.each(s.log, total_)


def _logsumexp_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    return s.each(s.log, s.sum(s.each(s.exp, arrays[0]), options["axis"], keepdims=options["keepdims"]))


def _norm_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    squares = s.sum(arrays[0] * arrays[0], options["axis"], keepdims=options["keepdims"])
    return s.each(lambda x: s.power(x, Fraction(1, 2)), squares)


def stretched(e: Expr, operands: Sequence[Expr], options: Options) -> Expr:
    """A reduced array with its summed axes put back with size 1, so that it broadcasts against the operand."""
    x = operands[0]
    if options["keepdims"]:
        return e
    gone = set(axes_of(x, options["axis"]))
    return e[tuple(None if k in gone else slice(None) for k in range(x.rank))] if e.rank else e


def _softmax_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    return (y * (ybar - total(ybar * y, options["axis"], keepdims=True)),)


def _softmax_local(y: Expr, options: Options) -> tuple[Expr, Text] | None:
    """∂yⱼ/∂x_q = yⱼ([j = q] - y_q), row by row."""
    if options["axis"] != y.rank - 1 or y.rank > 2:
        return None
    unit = identity(y.shape[-1])
    if y.rank == 1:
        return y[:, None] * (unit - y[None, :]), SOFTMAX_LOCAL
    return y[:, :, None] * (unit[None, :, :] - y[:, None, :]), SOFTMAX_LOCAL


SOFTMAX_LOCAL = Text(
    en="Raising {x_entry} changes every {y_entry} that is normalised with it: {local}. All the ways in which {x_entry}"
    " reaches {loss} through them are added up.",
    zh="{x_entry} 的变化会影响与它一同归一化的每个 {y_entry}：{local}。把 {x_entry} 经由它们通向 {loss} 的各条路径的贡献相加。",
)


def _log_softmax_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    p = SOFTMAX(operands[0], axis=options["axis"])
    return (ybar - p * total(ybar, options["axis"], keepdims=True),)


def _logsumexp_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    return (stretched(ybar, operands, options) * SOFTMAX(operands[0], axis=options["axis"]),)


def _norm_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    return (stretched(ybar / y, operands, options) * operands[0],)


def _exponentials(operands: Sequence[Expr], options: Options) -> Expr:
    e = elementwise("exp", operands[0])
    return e / total(e, options["axis"], keepdims=True)


SOFTMAX = Primitive(
    name="softmax",
    about=Text(en="softmax", zh="softmax"),
    shape=same_shape,
    forward=_softmax_forward,
    pullback=_softmax_pullback,
    definition=_exponentials,
    reason=Text(
        en="Raising one entry of {x} changes every entry of {y} that is normalised with it: the entry itself by"
        " {y}(1 - {y}), the others by minus their product. All these ways lead to the loss and are added up.",
        zh="{x} 的一个元素增大，会改变与它一同归一化的 {y} 的每个元素：自身的导数为 {y}(1 − {y})，其余为两者乘积的相反数。把所有通向损失的路径的贡献相加。",
    ),
    local=_softmax_local,
    latex=r"\mathrm{softmax}",
    sign=(
        r"\mathrm{softmax}(t)_{i} = e^{t_{i}}/\sum_{j} e^{t_{j}}",
        Text(en="{sign}, of a matrix row by row", zh="{sign}，对矩阵则逐行进行"),
    ),
    numpy=lambda args, options, ranks: f"softmax({args[0]}, axis={options['axis']})",
    options={"axis": -1},
    normal_options=normal_axis,
    kernel='''
def softmax(z, axis):
    """exp(z) / sum(exp(z)) along `axis`; the maximum is taken out first, so that exp cannot overflow."""
    e = z - z.max(axis=axis, keepdims=True)
    np.exp(e, out=e)
    e /= e.sum(axis=axis, keepdims=True)
    return e
''',
    citation="Bishop 2006, eq. 4.106",
)
LOG_SOFTMAX = Primitive(
    name="log_softmax",
    about=Text(en="log-softmax", zh="log-softmax"),
    shape=same_shape,
    forward=_log_softmax_forward,
    pullback=_log_softmax_pullback,
    definition=lambda operands, options: operands[0] - LOGSUMEXP(operands[0], axis=options["axis"], keepdims=True),
    reason=Text(
        en="Each log-probability contains its own entry of {x}, and the log of the common sum, whose derivative is the"
        " softmax of {x}.",
        zh="每个对数概率含有 {x} 的对应元素，以及公共和的对数，后者的导数是 {x} 的 softmax。",
    ),
    latex=r"\log\mathrm{softmax}",
    sign=(
        r"\log\mathrm{softmax}(t)_{i} = t_{i} - \log \sum_{j} e^{t_{j}}",
        Text(en="{sign}, of a matrix row by row", zh="{sign}，对矩阵则逐行进行"),
    ),
    numpy=lambda args, options, ranks: f"log_softmax({args[0]}, axis={options['axis']})",
    options={"axis": -1},
    normal_options=normal_axis,
    kernel='''
def log_softmax(z, axis):
    """z - log(sum(exp(z))) along `axis`, without overflow and without the log of 0."""
    z = z - z.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
''',
    citation="Bishop 2006, eq. 4.106",
)
LOGSUMEXP: Primitive = Primitive(
    name="logsumexp",
    about=Text(en="log-sum-exp", zh="log-sum-exp"),
    shape=reduced,
    forward=_logsumexp_forward,
    pullback=_logsumexp_pullback,
    definition=lambda operands, options: elementwise(
        "log", total(elementwise("exp", operands[0]), options["axis"], keepdims=options["keepdims"])
    ),
    reason=Text(
        en="The derivative of a log-sum-exp by one entry under the sum is that entry's share of the sum of exponentials: the"
        " softmax of {x}.",
        zh="log-sum-exp 对和式中一个元素的导数，是该元素在指数和中所占的份额，即 {x} 的 softmax。",
    ),
    latex=r"\mathrm{logsumexp}",
    sign=(r"\mathrm{logsumexp}(t) = \log \sum_{i} e^{t_{i}}", DEFINITION),
    numpy=lambda args, options, ranks: f"logsumexp({args[0]}, axis={options['axis']}, keepdims={options['keepdims']})",
    options={"axis": None, "keepdims": False},
    normal_options=normal_axis,
    kernel='''
def logsumexp(z, axis, keepdims=False):
    """log(sum(exp(z))) along `axis`; the maximum is taken out first, so that exp cannot overflow."""
    m = z.max(axis=axis, keepdims=True)
    s = np.log(np.exp(z - m).sum(axis=axis, keepdims=True)) + m
    return s if keepdims else s.squeeze(axis=axis)
''',
    citation="Boyd & Vandenberghe 2004, §3.1.5",
)
NORM = Primitive(
    name="norm",
    word="",
    about=Text(en="Euclidean norm", zh="欧几里得范数"),
    shape=reduced,
    forward=_norm_forward,
    pullback=_norm_pullback,
    definition=lambda operands, options: power(
        total(operands[0] ** 2, options["axis"], keepdims=options["keepdims"]), Fraction(1, 2)
    ),
    reason=Text(
        en="The norm grows fastest along {x} itself, and there by 1 for each unit: its gradient is {x} divided by its length.",
        zh="范数沿 {x} 自身的方向增长最快，每单位增长 1：其梯度是 {x} 除以自身的长度。",
    ),
    latex=r"\lVert {0} \rVert",
    numpy=lambda args, options, ranks: f"norm({args[0]}, axis={options['axis']}, keepdims={options['keepdims']})",
    options={"axis": None, "keepdims": False},
    normal_options=normal_axis,
    kernel='''
def norm(x, axis, keepdims=False):
    """sqrt(sum(x**2)) along `axis`, scaled by the largest entry so that no square overflows."""
    m = np.abs(x).max(axis=axis, keepdims=True)
    m = np.where(m > 0, m, 1)
    s = m * np.sqrt(np.square(x / m).sum(axis=axis, keepdims=True))
    return s if keepdims else s.squeeze(axis=axis)
''',
    kink=Text(en="At 0 the gradient of the norm is taken to be 0.", zh="约定范数在 0 处的梯度取 0。"),
    citation="Petersen & Pedersen 2012, eq. 129",
)
