"""Primitives that put entries elsewhere and change none: slices, padding, joining, reversing, reshaping, triangles.

Each is linear, and its pullback puts the entries back: a slice is undone by padding, a join by slices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.graph.expression import Expr, Shape, slice_of
from symgrad.graph.show import show_shape
from symgrad.graph.sizes import ONE, ZERO, Size
from symgrad.primitives.declarations import shape_of, size_of
from symgrad.primitives.entry import Array, Primitive, Scalars
from symgrad.primitives.normalisers import one_axis, same_shape
from symgrad.prose import Text

Options = dict[str, Any]


def _replaced(shape: Shape, axis: int, size: Size) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def _atom(text: str) -> str:
    return text if text.isidentifier() else f"({text})"


# ---- slices and padding


def _slice_numpy(args: Sequence[str], options: Options, ranks: Sequence[int]) -> str:
    start, stop, step = (str(options[key]) for key in ("start", "stop", "step"))
    part = f"{'' if start == '0' else start}:{stop}{'' if step == '1' else f':{step}'}"
    return f"{_atom(args[0])}[{', '.join([*[':'] * options['axis'], part])}]"


def _slice_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    part = slice(options["start"], options["stop"], options["step"])
    return arrays[0][(*[slice(None)] * options["axis"], part)]


def _slice_latex(shapes: Sequence[Shape], options: Options, tex: Callable[[Size], str]) -> str:
    """x_{a+1:b}, counted from 1 as everything on a page."""
    first, last = tex(options["start"] + 1), tex(options["stop"])
    step = "" if options["step"] == 1 else f":{options['step']}"
    part = f"{first}{step}:{last}" if first != last else first
    places = [":"] * len(shapes[0])
    places[options["axis"]] = part
    joined = r",\,".join(places)
    return f"{{0}}_{{{{{joined}}}}}"


def _slice_options(operands: Sequence[Expr], options: Options) -> Options:
    options = one_axis(operands, options)
    stop = operands[0].shape[options["axis"]] if options["stop"] is None else size_of("slice", options["stop"])
    return {**options, "start": size_of("slice", options["start"]), "stop": stop}


def _slice_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    axis, step = options["axis"], options["step"]
    whole, part = operands[0].shape[axis], ybar.shape[axis]
    used = (part - ONE) * step + ONE
    return (PAD(ybar, axis=axis, before=options["start"], after=whole - options["start"] - used, step=step),)


SLICE = Primitive(
    name="slice",
    is_linear=True,
    word="",
    about=Text(en="slice", zh="切片"),
    shape=lambda operands, options: slice_of(operands[0], **options).shape,
    forward=_slice_forward,
    pullback=_slice_pullback,
    reason=Text(
        en="The slice passes on the entries of {x} that it holds; the others do not reach {y} and get 0.",
        zh="切片原样传递其中的元素；{x} 的其余元素不影响 {y}，导数为 0。",
    ),
    latex=_slice_latex,
    numpy=_slice_numpy,
    options={"axis": 0, "start": ZERO, "stop": None, "step": 1},
    normal_options=_slice_options,
)


def _pad_options(operands: Sequence[Expr], options: Options) -> Options:
    options = one_axis(operands, options)
    before, after = size_of("pad", options["before"]), size_of("pad", options["after"])
    return {**options, "before": before, "after": after}


def _pad_shape(operands: Sequence[Expr], options: Options) -> Shape:
    x, axis = operands[0], options["axis"]
    inside = (x.shape[axis] - ONE) * options["step"] + ONE
    return _replaced(x.shape, axis, options["before"] + inside + options["after"])


def _pad_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    (x,) = arrays
    axis, before, step = options["axis"], options["before"], options["step"]
    shape = list(x.shape)
    shape[axis] = before + (shape[axis] - 1) * step + 1 + options["after"]
    result = np.full(shape, s.number(Fraction(0)), dtype=object)
    result[(*[slice(None)] * axis, slice(before, before + (x.shape[axis] - 1) * step + 1, step))] = x
    return result


def _pad_latex(shapes: Sequence[Shape], options: Options, tex: Callable[[Size], str]) -> str:
    """A block of zeros before and behind."""
    inner = "{0}" if options["step"] == 1 else rf"\mathrm{{{{spread}}}}_{{{{{options['step']}}}}}({{0}})"
    parts = ["0"] * (options["before"] != ZERO) + [inner] + ["0"] * (options["after"] != ZERO)
    if len(parts) == 1 and options["step"] != 1:
        return inner
    if len(shapes[0]) > 2:
        return rf"\mathrm{{{{pad}}}}({inner})"
    between = r" \\ " if options["axis"] == 0 else " & "
    return rf"\begin{{{{bmatrix}}}} {between.join(parts)} \end{{{{bmatrix}}}}"


PAD = Primitive(
    name="pad",
    is_linear=True,
    about=Text(en="zero padding", zh="补零"),
    shape=_pad_shape,
    forward=_pad_forward,
    pullback=lambda ybar, y, operands, options: (
        slice_of(
            ybar,
            axis=options["axis"],
            start=options["before"],
            stop=ybar.shape[options["axis"]] - options["after"],
            step=options["step"],
        ),
    ),
    reason=Text(
        en="The entries of {x} stand unchanged within {y}, and the zeros around them do not vary: the derivative is the"
        " part at their places.",
        zh="{x} 的元素原样位于 {y} 之内，四周的零不变化：导数取对应位置的那一部分。",
    ),
    latex=_pad_latex,
    numpy=lambda args, options, ranks: (
        f"padded({args[0]}, {options['axis']}, {options['before']}, {options['after']}, {options['step']})"
    ),
    options={"axis": -1, "before": 0, "after": 0, "step": 1},
    normal_options=_pad_options,
    kernel='''
def padded(x, axis, before, after, step=1):
    """x along an axis between zeros, with step - 1 zeros between neighbours."""
    shape = list(x.shape)
    used = (shape[axis] - 1) * step + 1
    shape[axis] = before + used + after
    y = np.zeros(shape, x.dtype)
    y[(slice(None),) * axis + (slice(before, before + used, step),)] = x
    return y
''',
    sign=(
        r"\mathrm{spread}_{k}",
        Text(en="{sign} puts $k - 1$ zeros between neighbours", zh="{sign} 在相邻元素之间插入 $k - 1$ 个零"),
    ),
)


# ---- joining


def _joined_shape(operands: Sequence[Expr], options: Options) -> Shape:
    axis, first = options["axis"], operands[0]
    for e in operands[1:]:
        if e.rank != first.rank or _replaced(e.shape, axis, ONE) != _replaced(first.shape, axis, ONE):
            shapes = ", ".join(show_shape(x.shape) for x in operands)
            raise ShapeError(
                f"concatenate along axis {axis}: the shapes are {shapes}; they may differ along that axis only"
            )
    total = ZERO
    for e in operands:
        total = total + e.shape[axis]
    return _replaced(first.shape, axis, total)


def _joined_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    axis = options["axis"]
    ends = list(accumulate((e.shape[axis] for e in operands), initial=ZERO))
    return tuple(slice_of(ybar, axis=axis, start=ends[k], stop=ends[k + 1]) for k in range(len(operands)))


def _joined_latex(shapes: Sequence[Shape], options: Options, tex: Callable[[Size], str]) -> str:
    places = [f"{{{k}}}" for k in range(len(shapes))]
    if len(shapes[0]) > 2:
        return rf"\mathrm{{{{concatenate}}}}({', '.join(places)})"
    between = r" \\ " if options["axis"] == 0 else " & "
    return rf"\begin{{{{bmatrix}}}} {between.join(places)} \end{{{{bmatrix}}}}"


CONCATENATE = Primitive(
    name="concatenate",
    word="",
    about=Text(en="concatenation", zh="拼接"),
    shape=_joined_shape,
    forward=lambda s, arrays, options: np.concatenate(list(arrays), axis=options["axis"]),
    pullback=_joined_pullback,
    arity=None,
    reason=Text(
        en="{x} stands unchanged in its own part of {y}: its derivative is that part of the derivative of {y}.",
        zh="{x} 原样位于 {y} 中属于自己的那一段：它的导数就是 {y} 的导数的对应一段。",
    ),
    latex=_joined_latex,
    numpy=lambda args, options, ranks: f"np.concatenate([{', '.join(args)}], axis={options['axis']})",
    options={"axis": 0},
    normal_options=one_axis,
)


def _flip_forward(s: Scalars, arrays: Sequence[Array], options: Options) -> Array:
    return np.flip(arrays[0], axis=options["axis"])


FLIP: Primitive = Primitive(
    name="flip",
    is_linear=True,
    about=Text(en="reversal", zh="颠倒次序"),
    shape=same_shape,
    forward=_flip_forward,
    pullback=lambda ybar, y, operands, options: (FLIP(ybar, axis=options["axis"]),),
    reason=Text(
        en="Entry i of {y} is entry n+1-i of {x}: the derivatives go back in reverse order.",
        zh="{y} 的第 i 个元素就是 {x} 的第 n+1−i 个元素：导数按相反次序传回。",
    ),
    latex=r"\mathrm{flip}",
    numpy=lambda args, options, ranks: f"np.flip({args[0]}, axis={options['axis']})",
    options={"axis": -1},
    normal_options=one_axis,
    sign=(
        r"\mathrm{flip}",
        Text(en="{sign} reverses the order along an axis", zh="{sign} 颠倒沿轴的次序"),
    ),
)


# ---- reshaping


def _count(shape: Shape) -> Size:
    total = ONE
    for s in shape:
        total = total * s
    return total


def _reshape_options(operands: Sequence[Expr], options: Options) -> Options:
    shape = options["shape"]
    wanted = shape_of("reshape", shape if isinstance(shape, tuple | list) else (shape,))
    if _count(wanted) != _count(operands[0].shape):
        raise ShapeError(
            f"reshape: {show_shape(operands[0].shape)} has not as many entries as {show_shape(wanted)};"
            " give sizes with the same product"
        )
    return {"shape": tuple(wanted)}


RESHAPE: Primitive = Primitive(
    name="reshape",
    is_linear=True,
    word="",
    about=Text(en="reshape", zh="改变形状"),
    shape=lambda operands, options: options["shape"],
    forward=lambda s, arrays, options: np.asarray(arrays[0], dtype=object).reshape(options["shape"]),
    pullback=lambda ybar, y, operands, options: (RESHAPE(ybar, shape=operands[0].shape),),
    reason=Text(
        en="{y} holds the entries of {x} in the same order: the derivatives go back to their places.",
        zh="{y} 与 {x} 的元素次序相同：导数各归其位。",
    ),
    latex=r"\mathrm{reshape}",
    numpy=lambda args, options, ranks: f"np.reshape({args[0]}, ({', '.join(options['shape'])},))",
    options={"shape": None},
    normal_options=_reshape_options,
    sign=(
        r"\mathrm{reshape}",
        Text(
            en="{sign} keeps the entries in their order, row after row, in the shape that stands beside",
            zh="{sign} 保持元素逐行的次序，只改变形状",
        ),
    ),
)
