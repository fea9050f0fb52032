"""Windows of sequences and images: convolutions and pooling, as contractions with the selector [u = t + s]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.errors import ShapeError
from symgrad.graph.expression import Expr, axes_of, coerce, contraction, size
from symgrad.graph.expression import window as _window
from symgrad.graph.show import show_shape
from symgrad.graph.sizes import Size
from symgrad.primitives.arrays import einsum, mean, reshape
from symgrad.primitives.declarations import shape_of
from symgrad.primitives.rearrangements import PAD
from symgrad.primitives.selections import MAX

__all__ = ["avg_pool1d", "avg_pool2d", "conv1d", "conv2d", "max_pool1d", "max_pool2d", "unfold", "window"]


def window(length: object, width: object) -> Expr:
    """The selector [u = t + s] of shape (length, length - width + 1, width): entry u of a sequence is entry s of window t."""
    (whole,), (part,) = shape_of("window", (length,)), shape_of("window", (width,))
    return _window(whole, part)


def unfold(a: object, width: object, axis: int = -1, stride: int = 1) -> Expr:
    """All windows of a width along an axis, `stride` apart: y[…, t, …, s] = a[…, stride·t + s, …].

    The axis of length t is replaced by t - width + 1 windows, and a last axis runs within each window. A convolution
    is their contraction with a kernel.

    >>> from symgrad.primitives.language import data, dims
    >>> n, t, s = dims("n t s")
    >>> unfold(data("X", n, t), s).shape, unfold(data("x", 9), 3, stride=2).shape
    ((n, t+1-s, s), (4, 3))
    """
    x = coerce(a)
    (place,) = axes_of(x, axis)
    selector = window(x.shape[place], width)
    own = [k if k != place else x.rank + 1 for k in range(x.rank)]
    shape = (*x.shape[:place], selector.shape[1], *x.shape[place + 1 :], selector.shape[2])
    windows = contraction((x, selector), (own, (x.rank + 1, place, x.rank)), shape)
    return windows if stride == 1 else windows[(*[slice(None)] * place, slice(None, None, stride))]


def _padded(x: Expr, axes: Sequence[int], padding: object) -> Expr:
    for axis in axes:
        x = PAD(x, axis=axis, before=padding, after=padding) if padding != 0 else x
    return x


def _pair(value: Any) -> tuple[Any, Any]:
    return value if isinstance(value, tuple) else (value, value)


def conv1d(x: object, W: object, b: object = None, stride: int = 1, padding: int = 0) -> Expr:
    """Σ over channels c and places s of W[o, c, s]·x[n, c, stride·t + s], as PyTorch's conv1d.

    x is (n, channels, t), W (outputs, channels, width), b (outputs,); a sequence (t,) takes a kernel (width,).

    >>> from symgrad.primitives.language import data, dims, parameter
    >>> n, c, t, o, s = dims("n c t o s")
    >>> conv1d(data("X", n, c, t), parameter("W", o, c, s)).shape
    (n, o, t+1-s)
    """
    e, kernel = coerce(x), coerce(W)
    if (e.rank, kernel.rank) == (1, 1):
        y = unfold(_padded(e, [0], padding), size(kernel.shape[0]), 0, stride) @ kernel
        return y if b is None else y + b
    _check("conv1d", e, kernel, 3)
    windows = unfold(_padded(e, [2], padding), size(kernel.shape[2]), 2, stride)
    y = einsum("ncts,ocs->not", windows, kernel)
    return y if b is None else y + coerce(b)[:, None]


def conv2d(x: object, W: object, b: object = None, stride: Any = 1, padding: Any = 0) -> Expr:
    """Σ W[o, c, r, s]·x[n, c, stride·p + r, stride·q + s], as PyTorch's conv2d: x (n, channels, h, w), W (outputs, channels, r, s).

    >>> from symgrad.primitives.language import data, dims, parameter
    >>> conv2d(data("X", dims("n"), 3, 8, 8), parameter("W", 4, 3, 3, 3), stride=2, padding=1).shape
    (n, 4, 4, 4)
    """
    e, kernel = coerce(x), coerce(W)
    _check("conv2d", e, kernel, 4)
    for axis, p in zip((2, 3), _pair(padding), strict=True):
        e = _padded(e, [axis], p)
    for axis, step in zip((2, 3), _pair(stride), strict=True):
        e = unfold(e, size(kernel.shape[axis]), axis, step)
    y = einsum("ncpqrs,ocrs->nopq", e, kernel)
    return y if b is None else y + coerce(b)[:, None, None]


def _check(what: str, x: Expr, kernel: Expr, rank: int) -> None:
    if x.rank != rank or kernel.rank != rank or x.shape[1] != kernel.shape[1]:
        raise ShapeError(
            f"{what}: the shapes are {show_shape(x.shape)} and {show_shape(kernel.shape)};"
            f" it takes (n, channels, …) and (outputs, channels, …) with {rank} axes each"
        )


def _pooled(what: str, x: object, width: Any, stride: Any, axes: Sequence[int]) -> tuple[Expr, tuple[int, ...]]:
    """The windows over the last axes, and the axes that run within each."""
    e = coerce(x)
    if e.rank < len(axes):
        raise ShapeError(f"{what}: the shape is {show_shape(e.shape)}; it pools the last {len(axes)} axes")
    widths, strides = _pair(width), _pair(width if stride is None else stride)
    places = [e.rank + k for k in axes]
    if widths == strides and (side_by_side := _blocks(e, places, widths)) is not None:
        return side_by_side
    for axis, w, step in zip(places, widths, strides, strict=False):
        e = unfold(e, w, axis, step)
    return e, tuple(range(e.rank - len(axes), e.rank))


def _blocks(e: Expr, places: Sequence[int], widths: Sequence[Any]) -> tuple[Expr, tuple[int, ...]] | None:
    """Windows side by side that fill an axis of m·w entries: the axis as m by w, nothing copied."""
    shape, inner = list[Size](e.shape[: places[0]]), list[int]()
    for axis, w in zip(places, widths, strict=False):
        count = e.shape[axis].over(w) if type(w) is int and w > 0 else None
        if count is None or count * w != e.shape[axis]:
            return None
        shape += [count, Size.constant(w)]
        inner.append(len(shape) - 1)
    return reshape(e, *shape), tuple(inner)


def avg_pool1d(x: object, width: int, stride: int | None = None) -> Expr:
    """The means of windows along the last axis, side by side unless a stride is given.

    >>> from symgrad.primitives.language import data
    >>> avg_pool1d(data("x", 8), 2).shape
    (4,)
    """
    windows, axes = _pooled("avg_pool1d", x, width, stride, [-1])
    return mean(windows, axis=axes)


def max_pool1d(x: object, width: int, stride: int | None = None) -> Expr:
    """The largest entries of windows along the last axis, side by side unless a stride is given."""
    windows, axes = _pooled("max_pool1d", x, width, stride, [-1])
    return MAX(windows, axis=axes)


def avg_pool2d(x: object, width: Any, stride: Any = None) -> Expr:
    """The means of windows over the last two axes."""
    windows, axes = _pooled("avg_pool2d", x, width, stride, [-2, -1])
    return mean(windows, axis=axes)


def max_pool2d(x: object, width: Any, stride: Any = None) -> Expr:
    """The largest entries of windows over the last two axes."""
    windows, axes = _pooled("max_pool2d", x, width, stride, [-2, -1])
    return MAX(windows, axis=axes)
