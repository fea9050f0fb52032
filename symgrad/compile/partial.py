"""Losses that are sums over examples: which they are, and what the sums over some of the examples are.

That examples can be taken apart is read off the operations (`separable`). How the parts are put together again, a mean or a sum
with or without what no example has a part in, is decided with 50 digits: the loss of all beside those of two parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from symgrad.compile.dissolve import dissolve
from symgrad.compile.pairs import paired
from symgrad.compile.plan import make_plan
from symgrad.compile.separable import separation
from symgrad.derive.derivation import Derivation
from symgrad.derive.samples import Draw, assignments, entries_of, sizes_in
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf, Role
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

Array = Any
FIRST, SECOND = 2, 3
DIGITS = 50
MOST_POINTS = 20
TOLERANCE = 1e-40


class Kind(Enum):
    """L = (1/n) Σ ℓᵢ, L = Σ ℓᵢ, or L = Σ ℓᵢ + r with an r(θ) in which no example has a part."""

    MEAN = "mean"
    SUM = "sum"
    SUM_AND_REST = "sum and rest"


@dataclass(frozen=True, slots=True)
class Separable:
    """The size of the axis of examples, how their losses make the loss, and the arrays that run along the axis, with it."""

    axis: str
    kind: Kind
    axes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Partial:
    """Σ ℓᵢ over some examples, Σ ∂ℓᵢ/∂θ for each parameter, and how many they are; parts are added with `+`.

    >>> Partial(1.0, {"w": np.ones(2)}, 3) + Partial(0.5, {"w": np.ones(2)}, 1)
    Partial(loss=1.5, gradients={'w': array([2., 2.])}, count=4)
    """

    loss: Any
    gradients: Mapping[str, Array]
    count: int

    def __add__(self, other: Partial) -> Partial:
        gradients = {name: g + other.gradients[name] for name, g in self.gradients.items()}
        return Partial(self.loss + other.loss, gradients, self.count + other.count)

    def __iter__(self) -> Any:
        return iter((self.loss, self.gradients, self.count))


def separable(derivation: Derivation) -> Separable | None:
    """The axis of examples over which the loss and its gradients are sums; None where there is none."""
    program = dissolve(derivation)
    plan = paired(make_plan(program, {"": program.loss, **program.gradients}))
    data = [e for e in derivation.leaves if e.role in (Role.DATA, Role.LABELS)]
    for size in dict.fromkeys(e.shape[0] for e in data if e.rank and e.shape[0].is_name):
        found = separation(plan.outputs.values(), size)
        runs = {e: e.shape.index(size) for e in data if size in e.shape}
        is_data = found is not None and all(
            op.data in {e.name for e in runs} for op in found.axes if op.kind == "argument"
        )
        kind = _kind(program.loss, size, runs) if is_data else None
        if kind is not None:
            return Separable(str(size), kind, {e.name: axis for e, axis in runs.items()})
    return None


def _kind(loss: Expr, size: Size, runs: Mapping[Leaf, int]) -> Kind | None:
    """By n = 2 + 3 examples, with 50 digits at a random rational point; what holds of the loss holds of its gradients."""
    names = dict(assignments(sizes_in([loss]))[0].names)
    sizes = {count: Assignment(names | {str(size): count}) for count in (FIRST, SECOND, FIRST + SECOND)}
    leaves = [e for e in postorder([loss]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    for seed in range(MOST_POINTS):
        draw = Draw(f"separable {seed}", Reals(DIGITS))
        whole = {e: draw.array(e, sizes[FIRST + SECOND], is_positive=seed % 2 == 1) for e in leaves}
        first = {e: a.take(range(FIRST), axis=runs[e]) if e in runs else a for e, a in whole.items()}
        second = {e: a.take(range(FIRST, FIRST + SECOND), axis=runs[e]) if e in runs else a for e, a in whole.items()}
        # The same parameters with other data: what is left over has to be the same.
        other = {
            e: draw.array(e, sizes[SECOND], is_positive=seed % 2 == 1) if e in runs else a for e, a in whole.items()
        }
        mixed = {e: np.concatenate([first[e], other[e]], axis=runs[e]) if e in runs else a for e, a in whole.items()}
        points = ((first, FIRST), (second, SECOND), (other, SECOND), (whole, FIRST + SECOND), (mixed, FIRST + SECOND))
        a, b, c, both, again = (_value(loss, values, sizes[count]) for values, count in points)
        if not np.isfinite(np.array([a, b, c, both, again], float)).all():
            continue
        if _same(FIRST * a + SECOND * b, (FIRST + SECOND) * both):
            return Kind.MEAN
        if _same(a + b, both):
            return Kind.SUM
        return Kind.SUM_AND_REST if _same(a + b - both, a + c - again) else None
    return None


def _value(loss: Expr, values: Mapping[Leaf, Array], sizes: Assignment) -> Any:
    (value,) = entries_of(evaluate([loss], values, sizes, Reals(DIGITS))[0])
    return value


def _same(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= TOLERANCE * (1 + abs(a) + abs(b)))
