"""Products of arrays, two at a time: matrix products, inner and outer products, solved linear systems.

A product of two arrays is remembered whatever the order of its axes, so that another product finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from symgrad.compile.arrays import Array
from symgrad.compile.labels import is_one_hot, without_one_hot
from symgrad.compile.operations import Op, Operations
from symgrad.compile.order import Indices, Task, pairs
from symgrad.compile.stable import WHOLE
from symgrad.graph.sizes import ONE, Size
from symgrad.records import dataclass


@dataclass(eq=False, slots=True)
class Contractor:
    """Multiplies arrays out with the operations of `ops`."""

    ops: Operations
    known: dict[object, tuple[Op, Indices]] = field(default_factory=dict)

    def contract(self, arrays: Sequence[Array], result: Indices, sizes: Mapping[int, Size]) -> list[Array]:
        """The product summed over every index that is not in `result`, as one array and scalar factors."""
        if len(arrays) == 1 and arrays[0].indices == result and not arrays[0].is_divisor and not arrays[0].is_inverse:
            return list(arrays)
        if any(a.op.kind == "window" or is_one_hot(a) for a in arrays):
            arrays = without_one_hot(self.ops, self._slid(arrays, result), result, self.plain)
        held = [i for a in arrays for i in set(a.indices)]
        alone = [self._summed_alone(a, held, result) for a in arrays]
        scalars = [a for a in alone if not a.indices]
        pending = [a for a in alone if a.indices]
        if not pending:
            return scalars
        if all(i in result for a in pending for i in a.indices):
            return [self._entrywise(pending), *scalars]
        self._multiply(pending, result, sizes)
        last = pending[-1]
        return [last, *scalars] if last.indices else [*scalars, last]

    def _slid(self, arrays: Sequence[Array], result: Indices) -> list[Array]:
        """Without selectors [u = t + s] of which u or t is summed and held by one array alone.

        x_u is seen as window t; x_t, summed over t, as x moved by s.
        """
        pending = list(arrays)
        while True:
            found = next(
                ((a, *way) for a in pending if a.op.kind == "window" for way in self._ways(a, pending, result)), None
            )
            if found is None:
                return pending
            selector, kind, holder, i, indices = found
            op = self.ops.floating(self.plain(holder))
            width = self.ops.size(selector.op.shape[2])
            axis = holder.indices.index(i)
            shape = (
                *op.shape[:axis],
                selector.op.shape[kind == "windows"],
                *op.shape[axis + 1 :],
                selector.op.shape[2],
            )
            slid = self.ops.make(kind, (op, width), axis, shape)
            own = (*holder.indices[:axis], indices[kind == "windows"], *holder.indices[axis + 1 :], indices[2])
            pending = [Array(slid, own) if a is holder else a for a in pending if a is not selector]

    def _ways(
        self, selector: Array, arrays: Sequence[Array], result: Indices
    ) -> Iterator[tuple[str, Array, int, Indices]]:
        for kind, i in (("windows", selector.indices[0]), ("shifted", selector.indices[1])):
            holders = [a for a in arrays if a is not selector and i in a.indices]
            if i not in result and len(holders) == 1 and holders[0].indices.count(i) == 1:
                yield kind, holders[0], i, selector.indices

    def _multiply(self, pending: list[Array], result: Indices, sizes: Mapping[int, Size]) -> None:
        def is_known(p: int, q: int) -> bool:
            return self._remembered(pending[p], pending[q], _kept(pending, (p, q), result)) is not None

        order = [(0, 1)][: len(pending) - 1]
        if len(pending) > 2:
            order = pairs(Task([a.indices for a in pending], result, sizes, [a.is_inverse for a in pending], is_known))
        live = set(range(len(pending)))
        for p, q in order:
            live -= {p, q}
            kept = frozenset(result) | {i for k in live for i in pending[k].indices}
            pending.append(self._pair(pending[p], pending[q], kept))
            live.add(len(pending) - 1)

    def plain(self, a: Array) -> Op:
        """The array itself: a reciprocal or inverse computed."""
        if a.is_inverse:
            return self.ops.primitive("inv", (), [a.op], a.op.shape)
        return self.ops.product(WHOLE, [(a.op, True)]) if a.is_divisor else a.op

    def _summed_alone(self, a: Array, held: Sequence[int], result: Indices) -> Array:
        """Without repeated indices, and without those that neither the result nor another array has: `held` by one alone."""
        distinct = tuple(dict.fromkeys(a.indices))
        gone = [i for i in distinct if i not in result and held.count(i) == 1]
        if len(distinct) == len(a.indices) and not gone:
            return a
        op = self.plain(a)
        if len(distinct) < len(a.indices):
            op = self.ops.diagonal(op) if op.rank == 2 else self.ops.einsum([op], [a.indices], distinct)
        op = self.ops.squeeze(op, axes) if (axes := _axes(op, distinct, gone, True)) else op
        distinct = tuple(i for k, i in enumerate(distinct) if k not in axes)
        op = self.ops.sum(op, axes) if (axes := _axes(op, distinct, gone, False)) else op
        return Array(op, tuple(i for k, i in enumerate(distinct) if k not in axes))

    def _entrywise(self, arrays: Sequence[Array]) -> Array:
        """The product of arrays without a sum; its axes in order of their indices."""
        union = tuple(sorted({i for a in arrays for i in a.indices}))
        plain = all(not a.is_divisor and not a.is_inverse for a in arrays)
        if plain and len(arrays) == 2 and len(union) == 2:
            first, second = sorted(arrays, key=lambda a: a.indices)
            if len(first.indices) == len(second.indices) == 1:
                return Array(self.ops.outer(first.op, second.op), union)
            vector, eye = sorted(arrays, key=lambda a: len(a.indices))
            if eye.op.kind == "eye" and len(vector.indices) == 1:
                op = self.ops.make("diag", (self.ops.floating(vector.op),), None, eye.op.shape)
                return Array(op, union)
        factors = []
        for a in arrays:
            op = self.plain(a) if a.is_inverse else a.op
            own = sorted(a.indices)
            op = self.ops.permute(op, [a.indices.index(i) for i in own])
            factors.append((self.ops.aligned(op, [union.index(i) for i in own], len(union)), a.is_divisor))
        factors.sort(key=lambda pair: pair[1])
        return Array(self.ops.product(WHOLE, factors), union)

    def _pair(self, a: Array, b: Array, kept: Iterable[int]) -> Array:
        needed = frozenset(kept)
        found = self._remembered(a, b, needed)
        if found is None:
            found = self._product(a, b, needed)
            key, names = _key(a, b, needed)
            self.known[key] = found.op, tuple([names[i] for i in found.indices])
        return found

    def _remembered(self, a: Array, b: Array, kept: frozenset[int]) -> Array | None:
        for x, y in ((a, b), (b, a)):
            key, names = _key(x, y, kept)
            if key in self.known:
                op, indices = self.known[key]
                back = {new: old for old, new in names.items()}
                return Array(op, tuple([back[i] for i in indices]))
        return None

    def _product(self, a: Array, b: Array, kept: frozenset[int]) -> Array:
        shared = set(a.indices) & set(b.indices)
        summed = shared - kept
        if not summed:
            return self._entrywise([a, b])
        if len(summed) == 1 and shared == summed:
            for inverse, other in ((a, b), (b, a)):
                if inverse.is_inverse and len(other.indices) <= 2:
                    return self._solved(inverse, Array(self.plain(other), other.indices), summed.pop())
        x, y = Array(self.plain(a), a.indices), Array(self.plain(b), b.indices)
        if len(summed) == len(x.indices) == len(y.indices):
            order = [y.indices.index(i) for i in x.indices]
            return Array(self.ops.inner(x.op, self.ops.permute(y.op, order)), ())
        free = [[i for i in own if i not in shared] for own in (x.indices, y.indices)]
        if len(summed) == 1 and len(free[0]) <= 1 and len(free[1]) <= 1:
            if shared == summed:
                return self._matrix_product(x, y, summed.pop())
            if free[0] and free[1]:
                return self._batched(x, y, sorted(shared - summed), summed.pop())
        result = tuple(sorted(i for i in {*x.indices, *y.indices} if i in kept))
        return Array(self.ops.einsum([x.op, y.op], [x.indices, y.indices], result), result)

    def _solved(self, inverse: Array, other: Array, s: int) -> Array:
        """Σₛ (A⁻¹)ᵢₛ bₛ is the solution of A x = b, Σₛ (A⁻¹)ₛᵢ bₛ that of Aᵀ x = b."""
        i, j = inverse.indices
        matrix = inverse.op if j == s else self.ops.permute(inverse.op, (1, 0))
        rest = [k for k in other.indices if k != s]
        right = self.ops.permute(other.op, [other.indices.index(k) for k in (s, *rest)])
        return Array(self.ops.solve(matrix, right), (i if j == s else j, *rest))

    def _matrix_product(self, x: Array, y: Array, s: int) -> Array:
        """x @ y with transposes as needed, the axes in order of their indices where both are matrices."""
        if len(x.indices) == 1 and y.indices[-1] == s:
            x, y = y, x
        if len(x.indices) == len(y.indices) == 2:
            row, column = (next(i for i in own if i != s) for own in (x.indices, y.indices))
            if row > column:
                x, y = y, x
        rows = [i for i in x.indices if i != s]
        columns = [i for i in y.indices if i != s]
        left = self.ops.permute(x.op, [x.indices.index(i) for i in (*rows, s)])
        right = self.ops.permute(y.op, [y.indices.index(i) for i in (s, *columns)])
        return Array(self.ops.matmul(left, right), (*rows, *columns))

    def _batched(self, x: Array, y: Array, lead: Sequence[int], s: int) -> Array:
        (row,) = (i for i in x.indices if i not in lead and i != s)
        (column,) = (i for i in y.indices if i not in lead and i != s)
        left = self.ops.permute(x.op, [x.indices.index(i) for i in (*lead, row, s)])
        right = self.ops.permute(y.op, [y.indices.index(i) for i in (*lead, s, column)])
        return Array(self.ops.matmul(left, right), (*lead, row, column))


def _axes(op: Op, indices: Indices, gone: Sequence[int], is_one: bool) -> list[int]:
    return [k for k, i in enumerate(indices) if i in gone and (op.shape[k] == ONE) == is_one]


def _kept(arrays: Sequence[Array], pair: tuple[int, int], result: Indices) -> frozenset[int]:
    return frozenset(result) | {i for k, a in enumerate(arrays) if k not in pair for i in a.indices}


def _key(a: Array, b: Array, kept: frozenset[int]) -> tuple[object, dict[int, int]]:
    """What a product of two is remembered by, its indices numbered as they occur; and these numbers."""
    names: dict[int, int] = {}
    own = [names.setdefault(i, len(names)) for i in (*a.indices, *b.indices)]
    return (a.key, b.key, len(a.indices), tuple(own), frozenset([names[i] for i in kept if i in names])), names
