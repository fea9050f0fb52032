"""Operations on a block of examples, with the examples along the last axis: X of shape (n, d) becomes Xᵀ, (d, n).

Then sums over classes or features run through memory, a vector of the parameters meets the rows that it is broadcast over,
and a matrix times a vector reads columns of X, which BLAS does faster. What has no such form raises `NotTurned`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.compile.operations import Op, Operations
from symgrad.compile.pairs import LOGS
from symgrad.compile.separable import Separation
from symgrad.graph.expression import Shape
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder

# What labels choose.
CHOOSING = frozenset({"pick", "take", "added"})
# How the names of arguments begin that stand for what is given.
GIVEN = "given"


class NotTurned(Exception):
    """An operation has no form with the examples last; the message says which."""


@dataclass(slots=True)
class Turner:
    """Rebuilds operations for a block: the size of examples becomes `rows`, given operations become arguments."""

    ops: Operations
    separation: Separation
    rows: Size
    given: Mapping[Op, str]
    is_turned: bool
    # Of what is given that which this very call has computed, so that nobody else holds it.
    own: Set[Op] = frozenset()
    # Whether loops will be written, in which labels choose entries with the examples last, too.
    is_looped: bool = False
    made: dict[Op, Op] = field(default_factory=dict)

    def run(self, outputs: Iterable[Op]) -> None:
        """Make the new form of every operation that the outputs need."""
        order = postorder(outputs, stop=self.given)
        held = [op.args[0] for op in order if op.kind == "item" and op not in self.given]
        for op in order:
            if op.kind == "item" and op not in self.given and held.count(op.args[0]) == 1:
                self.made[op] = self._alone(op)
            elif op in self.given:
                kind = "local" if op in self.own else "argument"
                self.made[op] = self.ops.make(kind, (), f"{GIVEN} {self.given[op]}", self.shape(op), op.type)
            elif op not in self.separation.axes and op not in self.separation.sums:
                self.made[op] = self.ops.rebuilt(op, [self.made[x] for x in op.args])
            elif self.is_turned:
                self.made[op] = self._turned(op)
            else:
                again = self.ops.make(op.kind, [self.made[x] for x in op.args], op.data, self.shape(op), op.type)
                self.made[op] = again

    def _alone(self, op: Op) -> Op:
        """One of a pair whose other half nobody needs."""
        pair = self.made[op.args[0]]
        z = pair.args[0]
        if pair.kind == "softmax_and_inner":
            name = "log_softmax" if op.data else "softmax"
            alone = self.ops.primitive(name, (("axis", pair.data),), [z], z.shape)
            return self.ops.inner(pair.args[1], alone) if op.data else alone
        if pair.kind == "sigmoid_and_logs":
            name, sign = next(key for key, place in LOGS.items() if place == op.data)
            u = self.ops.total([(Fraction(-1), z)]) if sign else z
            return self.ops.function(name, None, [u])
        if pair.kind == "inverse_and_logdet":
            return self.ops.primitive("logdet" if op.data else "inv", (), [z], op.shape)
        if pair.kind == "sigmoid_and_sum":
            logs = self.ops.function("softplus", None, [z])
            return self.ops.sum(logs, range(z.rank)) if op.data else self.ops.function("sigmoid", None, [z])
        name = "log_softmax" if op.data else "softmax"
        return self.ops.primitive(name, pair.data, list(pair.args), pair.shape)

    def shape(self, op: Op) -> Shape:
        """The new shape."""
        sizes = [self.rows if s == self.separation.size else s for s in op.shape]
        return tuple(sizes[k] for k in self._order(op))

    def _order(self, op: Op) -> list[int]:
        """The old axes in their new order."""
        axis = self.separation.axes.get(op)
        if axis is None or not self.is_turned:
            return list(range(op.rank))
        return [*(k for k in range(op.rank) if k != axis), axis]

    def _turned(self, op: Op) -> Op:
        rule = _RULES.get(op.kind)
        is_chosen = op.kind in CHOOSING or (op.kind == "primitive" and op.data[0] == "one_hot")
        if self.is_looped and is_chosen and op.args[-1 if op.kind != "added" else 1].rank == 1:
            rule = _same
        if rule is None:
            raise NotTurned(op.kind)
        made = rule(self, op)
        if made.shape != self.shape(op):
            raise NotTurned(op.kind)
        return made

    def new_axes(self, op: Op, old: Sequence[int]) -> list[int]:
        """Where old axes of an operation are now."""
        order = self._order(op)
        return [order.index(k) for k in old]

    def placed(self, x: Op, result: Op) -> Op:
        """An operand of an elementwise operation, such that broadcasting puts its axes where they are in the result."""
        own = list(range(result.rank - x.rank, result.rank))
        while x.kind == "expand" and x not in self.given:
            own = [own[k] for k in x.data]
            x = x.args[0]
        new = self.new_axes(result, own)
        order = self._order(x)
        moved = [new[k] for k in order]
        op = self.made[x]
        by_place = sorted(range(len(moved)), key=lambda k: moved[k])
        op = self.ops.permute(op, by_place)
        return self.ops.aligned(op, sorted(moved), result.rank)


def _elementwise(t: Turner, op: Op) -> Op:
    args = [t.placed(x, op) for x in op.args]
    return t.ops.make(op.kind, args, op.data, t.shape(op), op.type)


def _same(t: Turner, op: Op) -> Op:
    return t.ops.make(op.kind, [t.made[x] for x in op.args], op.data, t.shape(op), op.type)


def _argument(t: Turner, op: Op) -> Op:
    raise NotTurned("argument")


def _permute(t: Turner, op: Op) -> Op:
    (x,) = op.args
    # Old axis op.data[k] of x is axis k of the result; both are turned.
    order = [t.new_axes(x, [op.data[k]])[0] for k in t._order(op)]
    return t.ops.permute(t.made[x], order)


def _expand(t: Turner, op: Op) -> Op:
    return t.ops.make("expand", (t.made[op.args[0]],), tuple(sorted(t.new_axes(op, op.data))), t.shape(op), op.type)


def _broadcast(t: Turner, op: Op) -> Op:
    own = tuple(sorted(t.new_axes(op, op.data)))
    return t.ops.make("broadcast", (t.made[op.args[0]],), own, t.shape(op), op.type)


def _squeeze(t: Turner, op: Op) -> Op:
    (x,) = op.args
    return t.ops.squeeze(t.made[x], sorted(t.new_axes(x, op.data)))


def _sum(t: Turner, op: Op) -> Op:
    (x,) = op.args
    return t.ops.sum(t.made[x], sorted(t.new_axes(x, op.data)))


def _matmul(t: Turner, op: Op) -> Op:
    a, b = op.args
    x, y = t.made[a], t.made[b]
    axes = t.separation.axes
    if a in axes and b in axes:
        if b.rank == 1:
            return t.ops.matmul(x, y)
        return t.ops.matmul(y, x) if a.rank == 1 else t.ops.matmul(x, t.ops.permute(y, (1, 0)))
    if a in axes:
        return t.ops.matmul(y if b.rank == 1 else t.ops.permute(y, (1, 0)), x)
    return t.ops.matmul(x, y)


def _outer(t: Turner, op: Op) -> Op:
    a, b = (t.made[x] for x in op.args)
    return t.ops.outer(b, a) if op.args[0] in t.separation.axes else t.ops.outer(a, b)


def _einsum(t: Turner, op: Op) -> Op:
    indices, result = op.data
    moved = [tuple(own[k] for k in t._order(x)) for x, own in zip(op.args, indices, strict=True)]
    return t.ops.einsum([t.made[x] for x in op.args], moved, tuple(result[k] for k in t._order(op)))


def _along(t: Turner, op: Op) -> Op:
    """A primitive along some axes, by its option."""
    name, options = op.data if op.kind == "primitive" else ("", op.data)
    found = dict(options)
    axis = found.get("axis")
    if name == "one_hot" or axis is None or found.get("keepdims"):
        raise NotTurned(op.kind)
    (x,) = op.args
    moved = t.new_axes(x, axis if isinstance(axis, tuple) else (axis,))
    found["axis"] = tuple(sorted(moved)) if isinstance(axis, tuple) else moved[0]
    new = tuple(found.items())
    data = (name, new) if op.kind == "primitive" else new
    return t.ops.make(op.kind, [t.made[x]], data, t.shape(op), op.type)


def _solve(t: Turner, op: Op) -> Op:
    return t.ops.solve(t.made[op.args[0]], t.made[op.args[1]])


def _softmax_and_inner(t: Turner, op: Op) -> Op:
    (axis,) = t.new_axes(op.args[0], (op.data,))
    return t.ops.make(op.kind, [t.made[x] for x in op.args], axis, t.shape(op), op.type)


_RULES: Mapping[str, Callable[[Turner, Op], Op]] = {
    "product": _elementwise,
    "total": _elementwise,
    "function": _elementwise,
    "cast": _same,
    "item": _same,
    "argument": _argument,
    "permute": _permute,
    "expand": _expand,
    "broadcast": _broadcast,
    "squeeze": _squeeze,
    "sum": _sum,
    "inner": _same,
    "matmul": _matmul,
    "outer": _outer,
    "einsum": _einsum,
    "pair": _along,
    "primitive": _along,
    "sigmoid_and_logs": _same,
    "sigmoid_and_sum": _same,
    "softmax_and_inner": _softmax_and_inner,
    "solve": _solve,
}
