"""Few rows for many examples: [data, 1] = Q R with QᵀQ = I, and the same program on the rows of R.

Where examples enter only through Σᵢ aᵢ bᵢ, a and b linear in columns of the data and in the column of ones, nothing
changes when the columns are rotated: Σᵢ aᵢ bᵢ = (Q a′)ᵀ(Q b′) = a′ᵀ b′. Least squares, with or without a penalty, and a
Gaussian's likelihood are such programs. R is computed by orthogonal transformations: the Gram matrix would square the
condition number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace

import numpy as np
import sympy

from symgrad.compile.dissolve import Program
from symgrad.compile.products import Factor, factors, product_of
from symgrad.compile.stable import power_of, provable, rebuilt
from symgrad.derive.derivation import Proof, Verdict
from symgrad.derive.samples import Draw, assignments, entries_of, sizes_in
from symgrad.derive.zero import are_equal
from symgrad.errors import CheckFailed
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Symbolic
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    Shape,
    apply,
    leaf,
    linear,
)
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array
from symgrad.records import dataclass

ROTATED = "rotated rows"
MANY = 2
POINTS = 2


@dataclass(frozen=True, slots=True)
class Rotation:
    """The program on rotated rows: which size became which, the new leaves by the old, the column of ones."""

    program: Program
    size: Size
    rows: Size
    leaves: Mapping[Leaf, Leaf]
    ones: Leaf


def rotation(program: Program, bound: Collection[str], ones: str) -> Rotation | None:
    """The program rotated along an axis of bound data; None where examples enter otherwise. `ones` names the new column."""
    roots = [program.loss, *program.gradients.values()]
    data = [e for e in postorder(roots) if isinstance(e, Leaf) and e.name in bound and e.role is Role.DATA and e.rank]
    for size in dict.fromkeys(e.shape[0] for e in data if e.shape[0].is_name):
        rotating = _Rotating(size, Size.symbol(ROTATED), frozenset(bound), ones)
        new = rotating.run(roots)
        if new is not None:
            loss, *gradients = new
            moved = [(old, e) for old, e in rotating.values.items() if e is not None]
            changed = replace(
                program,
                loss=loss,
                gradients=dict(zip(program.gradients, gradients, strict=True)),
                labels={e: program.labels[old] for old, e in moved if old in program.labels},
                names={e: program.names[old] for old, e in moved if old in program.names},
                symmetric={e: program.symmetric[old] for old, e in moved if old in program.symmetric},
            )
            return Rotation(changed, size, rotating.rows, rotating.leaves, rotating.ones)
    return None


@dataclass(slots=True)
class _Rotating:
    size: Size
    rows: Size
    bound: frozenset[str]
    name: str
    leaves: dict[Leaf, Leaf] = field(default_factory=dict)
    # What a node becomes; None for one that only a sum over examples may use.
    values: dict[Expr, Expr | None] = field(default_factory=dict)

    @property
    def ones(self) -> Leaf:
        """The rotated column of ones."""
        return leaf(self.name, (self.rows,), Role.DATA)

    def run(self, roots: Sequence[Expr]) -> list[Expr] | None:
        """The new roots; None where one of them is not invariant, or none of them sums over examples."""
        for node in postorder(roots):
            self.values[node] = self._value(node)
        new = [self.values[e] for e in roots]
        found = [e for e in new if e is not None]
        is_complete = len(found) == len(new) and not any(self._runs(e.shape) for e in roots)
        return found if is_complete and self.leaves else None

    def _runs(self, shape: Shape) -> bool:
        return any(set(s.names) & set(self.size.names) for s in shape)

    def _value(self, node: Expr) -> Expr | None:
        if sum(s == self.size for s in node.shape) > 1 or any(s != self.size and self._runs((s,)) for s in node.shape):
            return None
        if isinstance(node, Leaf):
            return self._leaf(node)
        if isinstance(node, Contraction):
            return self._product(node)
        children = [self.values[e] for e in node.children]
        known = [e for e in children if e is not None]
        if len(known) < len(children):
            return None
        if not any(self._runs(e.shape) for e in node.children):
            return rebuilt(node, known)
        if isinstance(node, Linear):
            return linear((c, e) for (c, _), e in zip(node.terms, known, strict=True))
        if isinstance(node, Apply) and node.primitive == "solve" and not self._runs(node.operands[0].shape):
            # A⁻¹ B is linear in B; a B whose rows run along the examples would need an A that does.
            return apply("solve", known, node.options, self._shape(node)) if node.shape[0] != self.size else None
        return None

    def _leaf(self, node: Leaf) -> Expr | None:
        if not self._runs(node.shape):
            return node
        if node.name not in self.bound or node.role is not Role.DATA or node.shape[0] != self.size:
            return None
        return self.leaves.setdefault(node, leaf(node.name, self._shape(node), Role.DATA))

    def _shape(self, e: Expr) -> Shape:
        return tuple(self.rows if s == self.size else s for s in e.shape)

    def _product(self, node: Contraction) -> Expr | None:
        """A product laid open: an index of examples is carried by one factor, or summed and carried by two."""
        found, sizes = factors(node)
        runs = [i for i, s in sizes.items() if s == self.size]
        if not runs:
            children = [self.values[e] for e in node.children]
            known = [e for e in children if e is not None]
            return rebuilt(node, known) if len(known) == len(children) else None
        if any(s != self.size and self._runs((s,)) for s in sizes.values()):
            return None
        opened = [f for x, own in found for f in self._squares_opened(x, own)]
        extra: list[Factor] = []
        for i in runs:
            carriers = sum(i in own for _, own in opened)
            wanted = 1 if i < node.rank else MANY
            if carriers > wanted or (carriers == 0 and wanted == MANY):
                return None
            extra += [(self.ones, (i,))] * (wanted - carriers)
        # Laid open, a product may have a number that was no node of its own.
        new = [(self.values.get(x, x if isinstance(x, Leaf) else None), own) for x, own in opened]
        kept = [(x, own) for x, own in new if x is not None]
        if len(kept) < len(new):
            return None
        resized = {i: self.rows if s == self.size else s for i, s in sizes.items()}
        return product_of([*kept, *extra], resized, self._shape(node))

    def _squares_opened(self, x: Expr, own: tuple[int, ...]) -> list[Factor]:
        """x² as x·x where it runs along the examples."""
        base, exponent = power_of(x)
        is_square = isinstance(x, Elementwise) and exponent == MANY and self._runs(x.shape)
        return [(base, own)] * MANY if is_square else [(x, own)]


# ---- the proof


def prove_rotation(program: Program, rotated: Rotation) -> Proof:
    """Both programs have the same value and gradients, in exact arithmetic at random rational points.

    The rows of data are Q times arbitrary rows: Q is rational with QᵀQ = I, and the column of ones lies in its range.
    """
    before = [provable(e) for e in (program.loss, *program.gradients.values())]
    after = [provable(e) for e in (rotated.program.loss, *rotated.program.gradients.values())]
    q = _orthonormal()
    names = dict(assignments(sizes_in([*before, *after]))[0].names)
    sizes = Assignment(names | {str(rotated.size): len(q), str(rotated.rows): len(q[0])})
    leaves = [e for e in postorder([*before, *after]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    for seed in range(POINTS):
        draw = Draw(f"rotation {seed}", Symbolic())
        values = {e: draw.array(e, sizes) for e in leaves if e not in rotated.leaves}
        values[rotated.ones] = q.sum(axis=0)
        for old, new in rotated.leaves.items():
            values[old] = np.tensordot(q, values[new], axes=1)
        found = evaluate([*before, *after], values, sizes, Symbolic())
        for x, y in zip(found[: len(before)], found[len(before) :], strict=True):
            pairs = zip(entries_of(x), entries_of(y), strict=True)
            if not all(are_equal(sympy.S(a), sympy.S(b)) for a, b in pairs):
                raise CheckFailed(
                    "bind: rotating the data changes the loss or a gradient; this is a defect of symgrad, please report"
                )
    shown = {**names, str(rotated.size): len(q)}
    shown.pop(str(rotated.rows), None)
    return Proof(Verdict.VERIFIED, (shown,))


def _orthonormal() -> Array:
    """Four rows, three columns, QᵀQ = I, (1, 1, 1, 1) in the range: a reflection that takes e₄ to what is orthogonal to it."""
    half = sympy.Rational(1, 2)
    v = np.array([half, half, -half, -half - 1], dtype=object)
    return (np.eye(4, dtype=int) - 2 * np.outer(v, v) / (v @ v))[:, :3]
