"""Where a descent begins: at 0 where the loss is convex, else at seeded normals that break the symmetry."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import Contraction, Expr, Leaf, Role
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

Array = Any
ValueAndGradients = Callable[..., tuple[Any, Mapping[str, Array]]]


class Origin(StrEnum):
    """Where the initial value of a parameter comes from."""

    GIVEN = "given"
    ZEROS = "zeros"
    NORMALS = "seeded normals"


@dataclass(frozen=True, slots=True)
class Start:
    """The initial values, and where each comes from."""

    values: Mapping[str, Array]
    origins: Mapping[str, Origin]


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter that needs a value: its shape in numbers, and how many of its entries each result sums over."""

    name: str
    shape: tuple[int, ...]
    fan_in: int


def starting_values(
    slots: Sequence[Slot], f: ValueAndGradients, *, is_convex: bool, given: Mapping[str, Array], seed: int, dtype: Any
) -> Start:
    """θ₀: what is given; 0 where the loss is convex; else normals of variance 1/fan-in for matrices and 0 for vectors.

    The rule for a loss that is not seen to be convex has a second half: a parameter that starts at 0 and whose gradient is
    exactly 0 there would never move (both factors of u vᵀ, the weights of a single relu), and begins at normals too. So do
    all of them where the loss is not finite at 0.

    >>> slots = [Slot("w", (2,), 2), Slot("a", (), 1)]
    >>> def f(w, a):  # L = (a w₁ - 1)², its gradient 0 at w = 0, a = 0
    ...     r = a * w[0] - 1
    ...     return r * r, {"w": 2 * r * a * np.array([1.0, 0.0]), "a": 2 * r * w[0]}
    >>> {k: str(o) for k, o in starting_values(slots, f, is_convex=False, given={}, seed=0, dtype=float).origins.items()}
    {'w': 'seeded normals', 'a': 'seeded normals'}
    """
    given = {slot.name: _fitting(slot, given[slot.name], dtype) for slot in slots if slot.name in given}
    # A stream of its own: the rows are split by the same seed.
    random = np.random.RandomState([seed, 1])
    normals = {s.name: (random.standard_normal(s.shape) / math.sqrt(s.fan_in)).astype(dtype) for s in slots}
    free = [slot for slot in slots if slot.name not in given]
    zeroed = {slot.name for slot in free if is_convex or len(slot.shape) < 2}

    def values() -> dict[str, Array]:
        zeros = {slot.name: np.zeros(slot.shape, dtype) for slot in slots if slot.name in zeroed}
        return {slot.name: {**normals, **zeros, **given}[slot.name] for slot in slots}

    if zeroed:
        loss, gradients = _evaluated(f, values())
        if not np.isfinite(loss):
            zeroed = set()
        elif not is_convex:
            zeroed = {name for name in zeroed if np.any(gradients[name] != 0)}
    origins = {
        s.name: Origin.GIVEN if s.name in given else Origin.ZEROS if s.name in zeroed else Origin.NORMALS for s in slots
    }
    return Start(values(), origins)


def sizes_of(start: Mapping[str, Any], leaves: Sequence[Leaf]) -> dict[str, int]:
    """The sizes that the given initial values tell and no data do.

    >>> from symgrad.primitives.language import data, dims, parameter
    >>> n, d, h = dims("n d h")
    >>> sizes_of({"W": np.zeros((3, 4))}, [data("X", n, d), parameter("W", d, h)])
    {'h': 4}
    """
    fixed = {s.names[0] for e in leaves if e.role in (Role.DATA, Role.LABELS) for s in e.shape if s.is_name}
    fixed |= {name for e in leaves if e.role is Role.LABELS and isinstance(e.value, Size) for name in e.value.names}
    found: dict[str, int] = {}
    for e in leaves:
        shape = np.shape(start[e.name]) if e.name in start else ()
        for s, number in zip(e.shape, shape, strict=False):
            if s.is_name and s.names[0] not in fixed:
                found.setdefault(s.names[0], number)
    return found


def _evaluated(f: ValueAndGradients, values: Mapping[str, Array]) -> tuple[Any, Mapping[str, Array]]:
    with np.errstate(all="ignore"):
        try:
            return f(**values)
        except np.linalg.LinAlgError:
            return math.nan, {}


def _fitting(slot: Slot, value: Any, dtype: Any) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise InputError(f"the start of {slot.name} has type {array.dtype}; give it real numbers")
    if array.shape != slot.shape:
        raise ShapeError(f"the start of {slot.name} has shape {array.shape}; give it the shape {slot.shape}")
    return array.astype(dtype)


def slot_of(parameter: Leaf, roots: Sequence[Expr], sizes: Mapping[str, int]) -> Slot:
    """The parameter's shape at these sizes, and its fan-in: the axes over which its first product sums.

    >>> from symgrad.primitives.language import data, dims, parameter, tanh
    >>> h, d = dims("h d")
    >>> W, x = parameter("W", h, d), data("x", d)
    >>> slot_of(W, [tanh(W @ x)], {"h": 4, "d": 3})
    Slot(name='W', shape=(4, 3), fan_in=3)
    """
    shape = tuple(size.at(sizes) for size in parameter.shape)
    summed = _summed_axes(parameter, postorder(roots))
    return Slot(parameter.name, shape, max(1, math.prod(shape[k] for k in summed)))


def _summed_axes(parameter: Leaf, order: Sequence[Expr]) -> list[int]:
    node: Expr = parameter
    axes = list(range(parameter.rank))  # of the parameter, for each axis of the node
    while True:
        user = next((e for e in order if isinstance(e, Contraction) and any(c is node for c in e.operands)), None)
        if user is None:
            return []
        own = next(i for c, i in zip(user.operands, user.indices, strict=True) if c is node)
        summed = [axes[k] for k, i in enumerate(own) if i >= user.rank]
        is_transpose = len(user.operands) == 1 and not summed and sorted(own) == list(range(user.rank))
        if not is_transpose:
            return summed
        axes = [axes[own.index(k)] for k in range(user.rank)]
        node = user
