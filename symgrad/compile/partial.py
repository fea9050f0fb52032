"""Losses that are sums over examples: which they are, and what the sums over some of the examples are.

That examples can be taken apart is read off the operations (`separable`). How the parts are put together again, a mean or a sum
with or without what no example has a part in, is decided in exact arithmetic: the loss of all examples beside those of two parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import sympy

from symgrad.compile.dissolve import Program, dissolve
from symgrad.compile.pairs import paired
from symgrad.compile.plan import make_plan
from symgrad.compile.separable import separation
from symgrad.derive.derivation import Derivation
from symgrad.derive.samples import Draw, assignments, entries_of, sizes_in
from symgrad.derive.zero import are_equal
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Symbolic
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf, Role
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder

Array = Any
FIRST, SECOND = 2, 3


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
    roots = [program.loss, *program.gradients.values()]
    plan = paired(make_plan(program, {"": program.loss, **program.gradients}))
    data = [e for e in derivation.leaves if e.role in (Role.DATA, Role.LABELS)]
    for size in dict.fromkeys(e.shape[0] for e in data if e.rank and e.shape[0].is_name):
        found = separation(plan.outputs.values(), size)
        runs = {e: e.shape.index(size) for e in data if size in e.shape}
        is_data = found is not None and all(
            op.data in {e.name for e in runs} for op in found.axes if op.kind == "argument"
        )
        kind = _kind(program, roots, size, runs) if is_data else None
        if kind is not None:
            return Separable(str(size), kind, {e.name: axis for e, axis in runs.items()})
    return None


def _kind(program: Program, roots: list[Expr], size: Size, runs: Mapping[Leaf, int]) -> Kind | None:
    """Of n = 2 + 3 examples, and of 0: in exact arithmetic, at random rational points."""
    names = dict(assignments(sizes_in(roots))[0].names)
    sizes = {count: Assignment(names | {str(size): count}) for count in (FIRST, SECOND, FIRST + SECOND)}
    leaves = [e for e in postorder(roots) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    draw = Draw("separable", Symbolic())
    whole = {e: draw.array(e, sizes[FIRST + SECOND]) for e in leaves}
    first = {e: a.take(range(FIRST), axis=runs[e]) if e in runs else a for e, a in whole.items()}
    second = {e: a.take(range(FIRST, FIRST + SECOND), axis=runs[e]) if e in runs else a for e, a in whole.items()}
    # The same parameters with other data: what is left over has to be the same.
    other = {e: draw.array(e, sizes[SECOND]) if e in runs else a for e, a in whole.items()}
    a, b, c, both = (
        _values(roots, values, sizes[count])
        for values, count in ((first, FIRST), (second, SECOND), (other, SECOND), (whole, FIRST + SECOND))
    )
    if _same([FIRST * x + SECOND * y for x, y in zip(a, b, strict=True)], [(FIRST + SECOND) * x for x in both]):
        return Kind.MEAN
    rest = [x + y - z for x, y, z in zip(a, b, both, strict=True)]
    if _same(rest, [sympy.S.Zero] * len(rest)):
        return Kind.SUM
    joined = {e: np.concatenate([first[e], other[e]], axis=runs[e]) if e in runs else v for e, v in whole.items()}
    again = _values(roots, joined, sizes[FIRST + SECOND])
    return Kind.SUM_AND_REST if _same(rest, [x + y - z for x, y, z in zip(a, c, again, strict=True)]) else None


def _values(roots: list[Expr], values: Mapping[Leaf, Array], sizes: Assignment) -> list[Any]:
    return [sympy.S(e) for array in evaluate(roots, values, sizes, Symbolic()) for e in entries_of(array)]


def _same(a: list[Any], b: list[Any]) -> bool:
    return all(are_equal(x, y) for x, y in zip(a, b, strict=True))
