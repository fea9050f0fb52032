"""A symmetric matrix of data in the basis of its eigenvectors: αE + βI = V (αΛ + β) Vᵀ, and what is made of it is diagonal.

Where E enters only through sums with multiples of the identity, their inverses, determinants and products, nothing changes
when every axis of its size is rotated by Vᵀ. A Gaussian process with a fixed kernel, and ridge regression on kernels, then
cost O(n) in each call and not O(n³). Eigenvalues err by ε‖E‖, as the factors of E do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from fractions import Fraction
from itertools import product

import numpy as np

from symgrad.compile.dissolve import SYMMETRIC_FACTS, Program, Stated
from symgrad.compile.products import Factor, factors, product_of
from symgrad.compile.stable import power_of, provable, rebuilt, unscaled
from symgrad.derive.derivation import Proof, Verdict
from symgrad.derive.equality import named
from symgrad.derive.samples import Draw, assignments, entries_of, sizes_in
from symgrad.errors import CheckFailed
from symgrad.evaluate import evaluate
from symgrad.fields import Reals
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
    contraction,
    elementwise,
    leaf,
    linear,
    number,
    power,
)
from symgrad.graph.sizes import Size
from symgrad.graph.walk import fold, postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass

MATRIX = 2
DIGITS, POINTS, MOST_POINTS = 50, 3, 30
TOLERANCE = Fraction(1, 10**30)
SOLVED = frozenset({"inv", "solve", "logdet", "det"})


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The program in the eigenvectors' basis: the matrix, its eigenvalues, the arrays that are rotated by what they become."""

    program: Program
    size: Size
    matrix: Expr
    eigenvalues: Leaf
    rotated: Mapping[Expr, Leaf]


@dataclass(frozen=True, slots=True)
class Split:
    """diag(diagonal) + rest, either of which may be None."""

    diagonal: Expr | None
    rest: Expr | None


Value = Expr | Split | None


def spectrum(program: Program, bound: Collection[str], name: str) -> Spectrum | None:
    """The program with a matrix of bound data diagonal; None where it enters otherwise. `name` is for its eigenvalues."""
    roots = [program.loss, *program.gradients.values()]
    if not any(isinstance(e, Apply) and e.primitive in SOLVED for e in postorder(roots)):
        return None
    facts = [e for e in postorder(roots) if isinstance(e, Leaf) and e.name in bound and e.facts & SYMMETRIC_FACTS]
    for size in dict.fromkeys(e.shape[0] for e in facts if e.shape[0].is_name):
        found = _Rotating(size, frozenset(bound), leaf(name, (size,), Role.DATA))
        new = found.run(roots)
        if new is not None and found.matrix is not None and found.is_solved:
            held = {e: min(e.facts & SYMMETRIC_FACTS) for e in facts if e in found.symmetric}
            stated = [Stated(fact, e.name, e, fact) for e, fact in held.items()]
            changed = replace(
                program,
                loss=new[0],
                gradients=dict(zip(program.gradients, new[1:], strict=True)),
                labels={e: program.labels[old] for old, e in found.moved() if old in program.labels},
                names=found.names(program.names),
                symmetric={},
                stated=(*program.stated, *stated),
            )
            return Spectrum(changed, size, found.matrix, found.eigenvalues, found.rotated)
    return None


@dataclass(slots=True)
class _Rotating:
    size: Size
    bound: frozenset[str]
    eigenvalues: Leaf
    matrix: Expr | None = None
    is_solved: bool = False
    rotated: dict[Expr, Leaf] = field(default_factory=dict)
    # Leaves whose symmetry the rotation rests on.
    symmetric: set[Leaf] = field(default_factory=set)
    values: dict[Expr, Value] = field(default_factory=dict)

    def run(self, roots: Sequence[Expr]) -> list[Expr] | None:
        """The new roots; None where one of them is not invariant."""
        for node in postorder(roots):
            self.values[node] = self._value(node)
        new = [self.values[e] for e in roots]
        found = [e for e in new if isinstance(e, Expr)]
        return found if len(found) == len(new) and not any(self._runs(e.shape) for e in roots) else None

    def moved(self) -> Iterator[tuple[Expr, Expr]]:
        """(a node, what it became), where that is one array."""
        for old, new in self.values.items():
            only = new if not isinstance(new, Split) else new.diagonal if new.rest is None else None
            if only is not None:
                yield old, only

    def names(self, names: Mapping[Expr, str]) -> dict[Expr, str]:
        """What nodes became, by name; of a matrix that is diagonal now these are the eigenvalues."""
        split = {e for e, new in self.values.items() if isinstance(new, Split)}
        return {e: names[old] + ("_eigenvalues" if old in split else "") for old, e in self.moved() if old in names}

    def _runs(self, shape: Shape) -> bool:
        return any(set(s.names) & set(self.size.names) for s in shape)

    def _is_square(self, e: Expr) -> bool:
        return e.shape == (self.size, self.size)

    def _value(self, node: Expr) -> Value:
        if any(s != self.size and self._runs((s,)) for s in node.shape):
            return None
        if isinstance(node, Leaf) and node.role is Role.IDENTITY and self._is_square(node):
            return Split(contraction([number(1)], [()], (self.size,)), None)
        if self._runs(node.shape) and self._is_data(node):
            return self._data(node)
        if isinstance(node, Leaf):
            return None if self._runs(node.shape) else node
        if isinstance(node, Contraction):
            return self._product(node)
        children = [self.values[e] for e in node.children]
        if any(e is None for e in children):
            return None
        if isinstance(node, Linear) and any(isinstance(e, Split) for e in children):
            return self._total(node, children)
        if isinstance(node, Apply) and node.primitive in SOLVED and isinstance(children[0], Split):
            return self._solved(node, children)
        known = [e for e in children if isinstance(e, Expr)]
        is_kept = isinstance(node, Linear) or not any(self._runs(e.shape) for e in node.children)
        return rebuilt(node, known) if is_kept and len(known) == len(children) else None

    def _is_data(self, e: Expr) -> bool:
        leaves = [x for x in postorder([e]) if isinstance(x, Leaf) and x.role not in CONSTANT_ROLES]
        return bool(leaves) and all(x.name in self.bound and x.role is Role.DATA for x in leaves)

    def _data(self, node: Expr) -> Value:
        """What data become: the one symmetric matrix its eigenvalues, an array with one axis of this size a new leaf."""
        if self._is_square(node):
            # What is made of a matrix entry by entry replaces it, as nothing else may use it.
            self.symmetric |= {x for x in postorder([node]) if isinstance(x, Leaf) and self._is_square(x)}
            return Split(self.eigenvalues, None) if _is_symmetric(node) else None
        if not isinstance(node, Leaf) or node.rank > MATRIX or node.shape[0] != self.size or self._runs(node.shape[1:]):
            return None
        return self.rotated.setdefault(node, leaf(node.name, node.shape, Role.DATA))

    def _is_used(self, node: Expr) -> bool:
        """Whether data are the matrix; a second one has other eigenvectors."""
        if self._is_square(node) and self._is_data(node) and self.matrix is None:
            self.matrix = node
        return not (self._is_square(node) and self._is_data(node)) or self.matrix is node

    def _total(self, node: Linear, children: Sequence[Value]) -> Value:
        parts: tuple[list[tuple[Fraction, Expr]], list[tuple[Fraction, Expr]]] = ([], [])
        for (c, old), new in zip(node.terms, children, strict=True):
            if not self._is_used(old):
                return None
            for k, x in enumerate((new.diagonal, new.rest) if isinstance(new, Split) else (None, new)):
                if x is not None:
                    parts[k].append((c, x))
        return Split(*(linear(part) if part else None for part in parts))

    def _solved(self, node: Apply, children: Sequence[Value]) -> Value:
        """Inverse, solution and determinant of a diagonal matrix."""
        matrix = children[0]
        assert isinstance(matrix, Split)
        v = matrix.diagonal
        if matrix.rest is not None or v is None or not self._is_used(node.operands[0]):
            return None
        self.is_solved = True
        inverse = power(v, number(-1))
        if node.primitive == "inv":
            return Split(inverse, None)
        if node.primitive == "solve":
            b = children[1]
            own = tuple(range(node.rank))
            return contraction([inverse, b], [(0,), own], node.shape) if isinstance(b, Expr) else None
        if node.primitive == "det":
            return PRIMITIVES["prod"](v)
        # log det is that of |det| where det > 0, and no number where it is not.
        logs = contraction([elementwise("log", elementwise("absolute", v))], [(0,)], ())
        return linear([(1, logs), (1, elementwise("log", PRIMITIVES["prod"](elementwise("sign", v))))])

    def _product(self, node: Contraction) -> Value:
        """A product laid open: an axis of this size is carried by one factor, or summed and carried by two."""
        found, sizes = factors(node)
        opened = [f for x, own in found for f in self._squares_opened(x, own)]
        for i in (i for i, s in sizes.items() if s == self.size):
            if sum(own.count(i) for _, own in opened) != (1 if i < node.rank else 2):
                return None
        if any(s != self.size and self._runs((s,)) for s in sizes.values()):
            return None
        # Laid open, a product may have a number that was no node of its own.
        new = [self.values.get(x, x if isinstance(x, Leaf) else None) for x, _ in opened]
        if any(v is None or not self._is_used(x) for v, (x, _) in zip(new, opened, strict=True)):
            return None
        parts = [(v.diagonal, v.rest) if isinstance(v, Split) else (None, v) for v in new]
        sums: tuple[list[Expr], list[Expr]] = ([], [])
        for choice in product(*([k for k in (0, 1) if part[k] is not None] for part in parts)):
            chosen = [(part[k], own, k == 0) for part, k, (_, own) in zip(parts, choice, opened, strict=True)]
            is_diagonal, e = _unified([(x, own, d) for x, own, d in chosen if x is not None], sizes, node.shape)
            sums[0 if is_diagonal else 1].append(e)
        if not self._is_square(node):
            return linear([(1, e) for e in sums[1]]) if sums[1] and not sums[0] else None
        return Split(*(linear([(1, e) for e in part]) if part else None for part in sums))

    def _squares_opened(self, x: Expr, own: tuple[int, ...]) -> list[Factor]:
        """x² as x·x where it has an axis of this size."""
        base, exponent = power_of(x)
        is_square = isinstance(x, Elementwise) and exponent == 2 and self._runs(x.shape)
        return [(base, own)] * 2 if is_square else [(x, own)]


def _unified(
    chosen: Sequence[tuple[Expr, tuple[int, ...], bool]], sizes: Mapping[int, Size], shape: Shape
) -> tuple[bool, Expr]:
    """(whether it is the diagonal of a matrix, the product), the two indices of each diagonal factor being one."""
    place = {i: i for i in sizes}
    for _, own, is_diagonal in chosen:
        if is_diagonal:
            a, b = sorted(place[i] for i in own)
            place = {i: a if k == b else k for i, k in place.items()}
    is_whole = len(shape) == MATRIX and place[1] == 0
    found: list[Factor] = []
    for x, own, is_diagonal in chosen:
        found.append((x, (place[own[0]],) if is_diagonal else tuple(place[i] for i in own)))
    kept = {i: s for i, s in sizes.items() if place[i] == i}
    e = product_of(found, kept, shape[:1] if is_whole else shape)
    # The diagonal of a product is never the product's diagonal: no matrix is written.
    c, e = unscaled(e)
    opened = product_of(*factors(e), e.shape) if isinstance(e, Contraction) else e
    return is_whole, linear([(c, opened)])


def _is_symmetric(e: Expr) -> bool:
    """Whether a matrix is made of symmetric ones and of numbers, entry by entry."""

    def visit(node: Expr, below: list[bool]) -> bool:
        if not node.rank:
            return True
        if isinstance(node, Leaf):
            return bool(node.facts & SYMMETRIC_FACTS) or node.role is Role.IDENTITY
        if isinstance(node, Contraction) and any(sorted(own) not in ([], [0, 1]) for own in node.indices):
            return False
        return not isinstance(node, Apply) and all(below)

    return fold([e], visit)[e]


def prove_spectrum(program: Program, found: Spectrum) -> Proof:
    """Both programs have the same value and gradients, to 50 digits at random points: E is Q diag(λ) Qᵀ, QᵀQ = I."""
    matrix = leaf("E", found.matrix.shape, Role.DATA)

    def put_in(node: Expr, new: list[Expr]) -> Expr:
        return matrix if node is found.matrix else rebuilt(node, new)

    roots = [program.loss, *program.gradients.values()]
    seen = fold(roots, put_in)
    before = [provable(seen[e]) for e in roots]
    after = [provable(e) for e in (found.program.loss, *found.program.gradients.values())]
    s = Reals(DIGITS)
    sizes = assignments(sizes_in([*before, *after]))[0]
    n = sizes.at(found.size)
    v = np.array([s.number(Fraction(k + 1)) for k in range(n)], dtype=object)
    q = np.array([[s.number(Fraction(int(i == j))) for j in range(n)] for i in range(n)]) - 2 * np.outer(v, v) / (v @ v)
    done = 0
    for seed in range(MOST_POINTS):
        draw = Draw(f"spectrum {seed}", s)
        eigenvalues = draw.array(found.eigenvalues, sizes, is_positive=True)
        turned = {old: draw.array(new, sizes) for old, new in found.rotated.items()}
        leaves = [e for e in postorder([*before, *after]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
        values = {e: draw.array(e, sizes) for e in leaves if e not in turned and e is not matrix}
        # A rotated leaf may be the leaf that it takes the place of: each side has values of its own.
        ours = {found.rotated[old]: a for old, a in turned.items()} | {found.eigenvalues: eigenvalues}
        theirs = {old: np.tensordot(q, a, axes=1) for old, a in turned.items()} | {matrix: (q * eigenvalues) @ q.T}
        x = [a for e in evaluate(before, {**values, **theirs}, sizes, s) for a in entries_of(e)]
        y = [a for e in evaluate(after, {**values, **ours}, sizes, s) for a in entries_of(e)]
        if not all(map(s.context.isfinite, [*x, *y])):
            continue
        if any(abs(a - b) > s.number(TOLERANCE) * (1 + abs(a) + abs(b)) for a, b in zip(x, y, strict=True)):
            break
        done += 1
        if done == POINTS:
            return Proof(Verdict.VERIFIED, named([sizes]))
    raise CheckFailed("bind: eigenvectors change the loss or a gradient; this is a defect of symgrad, please report")
