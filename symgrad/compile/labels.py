"""Products with one-hot rows, without the rows: onehot(c) E is E[c], and onehot(c)ᵀ Y adds up the rows of each class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgrad.compile.arrays import Array
from symgrad.compile.operations import Op, Operations
from symgrad.compile.order import Indices


def without_one_hot(
    ops: Operations, arrays: Sequence[Array], result: Indices, plain: Callable[[Array], Op]
) -> list[Array]:
    """The arrays with labels used as indices wherever one other array meets them."""
    pending = list(arrays)
    while True:
        found = next((new for a in pending if is_one_hot(a) and (new := _used(ops, a, pending, result, plain))), None)
        if found is None:
            return pending
        pending = found


def is_one_hot(a: Array) -> bool:
    """Whether an array is made of labels."""
    return a.op.kind == "primitive" and a.op.data[0] == "one_hot" and not a.is_divisor


def _used(
    ops: Operations, rows: Array, arrays: Sequence[Array], result: Indices, plain: Callable[[Array], Op]
) -> list[Array] | None:
    """The arrays without these rows; None where the product needs them."""
    *lead, j = rows.indices
    others = [a for a in arrays if a is not rows]
    by_class = [a for a in others if j in a.indices]
    by_example = [a for a in others if set(lead) & set(a.indices)]
    (labels,) = rows.op.args
    if len(set(rows.indices)) < len(rows.indices):
        return None
    if j not in result and len(by_class) == 1 and by_class[0].indices.count(j) == 1:
        (holder,) = by_class
        op = ops.floating(plain(holder))
        if not set(lead) & set(holder.indices):
            taken = _taken(ops, op, labels, holder.indices, lead, j)
        elif len(lead) == 1 and holder.indices.count(lead[0]) == 1:
            taken = _picked(ops, op, labels, holder.indices, lead[0], j)
        else:
            return None
    elif not set(lead) & set(result) and len(by_example) == 1 and j not in by_example[0].indices:
        (holder,) = by_example
        if any(holder.indices.count(i) > 1 for i in lead):
            return None
        taken = _added_up(ops, ops.floating(plain(holder)), rows, holder.indices)
    else:
        return None
    return [taken if a is holder else a for a in others]


def _taken(ops: Operations, x: Op, labels: Op, own: Indices, lead: Sequence[int], j: int) -> Array:
    """x with the axis of classes replaced by those of the labels."""
    axis = own.index(j)
    shape = (*x.shape[:axis], *labels.shape, *x.shape[axis + 1 :])
    return Array(ops.make("take", (x, labels), axis, shape), (*own[:axis], *lead, *own[axis + 1 :]))


def _picked(ops: Operations, x: Op, labels: Op, own: Indices, i: int, j: int) -> Array:
    """x[i, c_i, …], example and class moved to the front."""
    rest = [k for k in own if k not in (i, j)]
    turned = ops.permute(x, [own.index(k) for k in (i, j, *rest)])
    return Array(ops.make("pick", (turned, labels), None, (turned.shape[0], *turned.shape[2:])), (i, *rest))


def _added_up(ops: Operations, x: Op, rows: Array, own: Indices) -> Array:
    """For each class the sum of the entries of x whose label it is."""
    *lead, j = rows.indices
    (labels,) = rows.op.args
    rest = [k for k in own if k not in lead]
    order = [k for k in (*lead, *rest) if k in own]
    turned = ops.permute(x, [own.index(k) for k in order])
    # What does not depend on the place in a text is the same for all its words.
    full = (*labels.shape, *turned.shape[len(order) - len(rest) :])
    turned = ops.stretched(turned, [(*lead, *rest).index(k) for k in order], full)
    classes = rows.op.shape[-1]
    shape = (classes, *turned.shape[len(lead) :])
    return Array(ops.make("added", (turned, labels, ops.size(classes)), None, shape), (j, *rest))
