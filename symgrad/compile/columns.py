"""Columns of data side by side: Xw + b - y is [X, 1, y] c with c = (w, b, -1), one product and no further pass.

The gradients of w and b are then parts of one product as well: (Xᵀs, Σᵢ sᵢ, yᵀs) = [X, 1, y]ᵀ s. Only vectors over the
examples are rewritten: there c is short, and what it costs to write it down is nothing beside the product.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace
from itertools import accumulate

from symgrad.compile.dissolve import Program
from symgrad.compile.stable import is_one, rebuilt
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Contraction,
    Expr,
    Leaf,
    Linear,
    Role,
    contraction,
    number,
    scale,
    slice_of,
    transpose,
)
from symgrad.graph.sizes import ONE, ZERO, Size
from symgrad.graph.walk import fold, postorder, use_counts
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass

Labels = tuple[int, ...]
MATRIX = 2
# What an expression is made of: numbers alone, bound data besides, or anything else.
CONSTANT, DATA, PARAMETERS = range(3)


def side_by_side(program: Program, bound: Collection[str]) -> Program:
    """The program with affine maps of bound data, and the gradients beside them, as products with joined columns."""
    roots = [program.loss, *program.gradients.values()]
    leaves = [e for e in postorder(roots) if isinstance(e, Leaf) and e.name in bound]
    sizes = [e.shape[k] for k in range(MATRIX) for e in leaves if e.rank == MATRIX and e.role is Role.DATA]
    for size in dict.fromkeys(sizes):
        found = _Joining(size, frozenset(bound))
        values = found.run(roots)
        if found.joined:
            return replace(
                program,
                loss=values[program.loss],
                gradients={name: values[e] for name, e in program.gradients.items()},
                labels=found.labels(program.labels, values),
                names={**{values.get(e, e): name for e, name in program.names.items()}, **found.names},
                symmetric={values.get(e, e): s for e, s in program.symmetric.items()},
            )
    return program


@dataclass(frozen=True, slots=True)
class Part:
    """A term of an affine map: a matrix of columns times a vector, or one column times a number."""

    column: Expr
    coefficient: Expr


@dataclass(frozen=True, slots=True)
class Sum:
    """Σᵢ columnᵢ sᵢ over the examples, times numbers."""

    column: Expr
    of: Expr
    others: tuple[Expr, ...]


@dataclass(slots=True)
class _Joining:
    size: Size
    bound: frozenset[str]
    # The joined columns by what was joined; where each matrix of columns went first.
    joined: dict[tuple[Expr, ...], Expr] = field(default_factory=dict)
    places: dict[Expr, tuple[Expr, ...]] = field(default_factory=dict)
    names: dict[Expr, str] = field(default_factory=dict)
    # What an affine map was made of, by the map.
    inside: dict[Expr, Expr] = field(default_factory=dict)
    made_of: dict[Expr, int] = field(default_factory=dict)

    def run(self, roots: Sequence[Expr]) -> dict[Expr, Expr]:
        """What each node becomes."""
        order = postorder(roots)
        maps = self._maps(order)
        for parts in maps.values():
            self._join(parts)
        # What the loss needs by itself is left alone: it would be computed with all gradients.
        needed = set(postorder(roots[:1]))
        sums = {e: found for e in order if e not in needed and (found := self._sum(e)) is not None}
        beside = {found.of: self.places[found.column] for found in sums.values() if found.column in self.places}
        values: dict[Expr, Expr] = {}
        for e in order:
            if e in maps:
                values[e] = self._mapped(maps[e], values)
            elif e in sums and _place(sums[e].column, columns := beside.get(sums[e].of, ())) >= 0:
                values[e] = self._summed(e, sums[e], columns, values)
            else:
                values[e] = rebuilt(e, [values[x] for x in e.children])
        return values

    def _maps(self, order: Sequence[Expr]) -> dict[Expr, list[Part]]:
        """The affine maps; one that only another uses is a part of that."""
        uses = use_counts(order)
        found: dict[Expr, list[Part]] = {}
        inside: set[Expr] = set()
        for e in reversed(order):
            if e in inside or e.shape != (self.size,) or self._is_bound(e):
                continue
            weight, of = self._weighted(e)
            if isinstance(of, Linear) and (weight is None or uses[of] == 1):
                parts, opened = self._affine(of, uses)
                if parts:
                    found[e] = [Part(_times(part.column, weight), part.coefficient) for part in parts]
                    inside |= {of, *opened}
                    self.inside |= dict.fromkeys((of, *opened), e)
        return found

    def _weighted(self, e: Expr) -> tuple[Expr | None, Expr]:
        """(s, x) of s ⊙ x where s is a bound vector; (None, e) of another."""
        if isinstance(e, Contraction) and e.indices == ((0,), (0,)) and e.shape == (self.size,):
            for s, x in (e.operands, e.operands[::-1]):
                if self._is_bound(s) and not self._is_bound(x):
                    return s, x
        return None, e

    def labels(self, labels: Mapping[Expr, Labels], values: Mapping[Expr, Expr]) -> dict[Expr, Labels]:
        """The equations of what nodes became."""
        found: dict[Expr, Labels] = {}
        for e, own in labels.items():
            owner = self.inside.get(e, e)
            new = values.get(owner, owner)
            found[new] = tuple(dict.fromkeys((*found.get(new, ()), *own)))
        return found

    @property
    def ones(self) -> Expr:
        """The column of ones."""
        return contraction([number(1)], [()], (self.size,))

    def _is_bound(self, e: Expr) -> bool:
        """Whether an array along the examples is made of bound data alone."""
        if e.shape[:1] != (self.size,) or self._runs(e.shape[1:]):
            return False
        for x in postorder([e], stop=self.made_of) if e not in self.made_of else ():
            self.made_of[x] = self._made_of(x)
        return self.made_of[e] == DATA

    def _made_of(self, x: Expr) -> int:
        if x in self.made_of:
            return self.made_of[x]
        if isinstance(x, Leaf):
            is_data = x.name in self.bound and x.role is not Role.LABELS
            return CONSTANT if x.role in CONSTANT_ROLES else DATA if is_data else PARAMETERS
        return max((self.made_of[child] for child in x.children), default=CONSTANT)

    def _runs(self, shape: Sequence[Size]) -> bool:
        return any(set(s.names) & set(self.size.names) for s in shape)

    # ---- forward

    def _affine(self, e: Linear, uses: Mapping[Expr, int]) -> tuple[list[Part], set[Expr]]:
        """(parts, sums inside it) of an affine map of bound data; no parts where it is no such map, or gains nothing."""
        found: list[Part] = []
        opened: set[Expr] = set()
        pending = list(reversed(e.terms))
        while pending:
            c, x = pending.pop()
            if isinstance(x, Linear) and uses[x] == 1 and not self._is_bound(x):
                pending += [(c * p, inner) for p, inner in reversed(x.terms)]
                opened.add(x)
                continue
            part = self._part(x)
            if part is None:
                return [], set()
            found.append(Part(part.column, part.coefficient if c == 1 else scale(c, part.coefficient)))
        columns = [part.column for part in found]
        is_gain = len(columns) > 1 and any(x.rank == MATRIX for x in columns) and len(set(columns)) == len(columns)
        return (found, opened) if is_gain else ([], set())

    def _part(self, x: Expr) -> Part | None:
        if self._is_bound(x):
            return Part(x, number(1))
        if not isinstance(x, Contraction):
            return None
        along = [k for k, own in enumerate(x.indices) if 0 in own]
        others = [k for k in range(len(x.operands)) if k not in along]
        if any(self._runs(x.operands[k].shape) for k in others) or len(along) > 1:
            return None
        operands, indices = [x.operands[k] for k in others], [x.indices[k] for k in others]
        if not along:
            return Part(self.ones, contraction(operands, indices, ()))
        column, own = x.operands[along[0]], x.indices[along[0]]
        if len(set(own)) < len(own) or column.rank > MATRIX:
            return None
        if column.rank == 1:
            coefficient = contraction(operands, indices, ()) if operands else number(1)
            return Part(column, coefficient) if self._is_bound(column) else None
        s = next(i for i in own if i != 0)
        column = column if own[0] == 0 else _turned(column)
        # The summed index is the axis of the coefficient, and 0, which nothing else has, its number.
        moved = [tuple(0 if i == s else i for i in inner) for inner in indices]
        return (
            Part(column, contraction(operands or [number(1)], moved or [()], column.shape[1:]))
            if self._is_bound(column)
            else None
        )

    def _join(self, parts: Sequence[Part]) -> None:
        key = tuple(part.column for part in parts)
        if key in self.joined:
            return
        columns = [x if x.rank == MATRIX else contraction([x], [(0,)], (self.size, ONE)) for x in key]
        self.joined[key] = PRIMITIVES["concatenate"](*columns, axis=1)
        self.names[self.joined[key]] = "columns"
        for x in key:
            if x.rank == MATRIX:
                self.places.setdefault(x, key)

    def _mapped(self, parts: Sequence[Part], values: Mapping[Expr, Expr]) -> Expr:
        columns = self.joined[tuple(part.column for part in parts)]
        numbers = fold(
            [part.coefficient for part in parts], lambda e, new: values[e] if e in values else rebuilt(e, new)
        )
        again = [numbers[part.coefficient] for part in parts]
        c = PRIMITIVES["concatenate"](*(x if x.rank else contraction([x], [()], (ONE,)) for x in again), axis=0)
        self.names[c] = "coefficients"
        return contraction([columns, c], [(0, 1), (1,)], (self.size,))

    # ---- sums over examples

    def _sum(self, e: Expr) -> Sum | None:
        """Xᵀs or Σᵢ sᵢ, times numbers."""
        if not isinstance(e, Contraction) or e.rank > 1:
            return None
        others = tuple(x for x in e.operands if not x.rank)
        rest = [(x, own) for x, own in zip(e.operands, e.indices, strict=True) if x.rank]
        vectors = [x for x, own in rest if own == (e.rank,) and x.shape == (self.size,)]
        free = [x for x in vectors if not self._is_bound(x)]
        if len(free) != 1 or len(rest) > 2:
            return None
        weight, of = self._weighted(free[0])
        if e.rank == 0:
            known = [x for x in vectors if x is not free[0]]
            column = _times(known[0] if known else self.ones, weight)
            return Sum(column, of, others) if len(rest) == len(vectors) else None
        matrices = [(x, own) for x, own in rest if sorted(own) == [0, 1]]
        if len(matrices) != 1:
            return None
        column, own = matrices[0]
        return Sum(_times(column if own == (1, 0) else _turned(column), weight), of, others)

    def _summed(self, e: Expr, found: Sum, columns: Sequence[Expr], values: Mapping[Expr, Expr]) -> Expr:
        """The same as a part of [X, 1, …]ᵀ s."""
        joined = self.joined[tuple(columns)]
        total = contraction([joined, values[found.of]], [(1, 0), (1,)], joined.shape[1:])
        self.names[total] = "sums"
        k = _place(found.column, columns)
        ends = list(accumulate((x.shape[1] if x.rank == MATRIX else ONE for x in columns), initial=ZERO))
        part = slice_of(total, axis=0, start=ends[k], stop=ends[k + 1])
        own = (0,)
        return contraction([part, *(values[x] for x in found.others)], [own, *[()] * len(found.others)], e.shape)


def _times(column: Expr, weight: Expr | None) -> Expr:
    """Each row of a column times its weight; of the column of ones the weights themselves."""
    if weight is None or is_one(column):
        return column if weight is None else weight
    return contraction([column, weight], [tuple(range(column.rank)), (0,)], column.shape)


def _place(column: Expr, columns: Sequence[Expr]) -> int:
    """Where a column stands; -1 where it does not."""
    return next((k for k, x in enumerate(columns) if x is column), -1)


def _turned(e: Expr) -> Expr:
    """The transpose of a matrix; that of a transpose is the matrix."""
    if isinstance(e, Contraction) and e.indices == ((1, 0),):
        return e.operands[0]
    return transpose(e)
