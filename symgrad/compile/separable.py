"""Which values of a plan run along the examples, which are sums over them, and which come after the sums.

L = Σᵢ ℓᵢ(θ) and its gradients are computed a block of examples at a time where nothing that runs along the examples needs
a sum over them. That is read off the operations: each of the kinds below keeps example i for itself, or adds examples up.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from symgrad.compile.operations import Op
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

# Primitives that act along the axes that their option names, and on each of the others by itself.
ALONG_AXES = frozenset(
    {"softmax", "log_softmax", "logsumexp", "norm", "max", "min", "is_max", "is_min", "prod", "prod_others"}
)


class NotSeparable(Exception):
    """An operation mixes examples in a way that is no sum over them; the message says which."""


@dataclass(frozen=True, slots=True)
class Separation:
    """The axis of examples of each operation that has one, and the sums over examples; all else is before or after them."""

    size: Size
    axes: Mapping[Op, int]
    sums: tuple[Op, ...]


def separation(outputs: Iterable[Op], size: Size, known: Container[Op] = ()) -> Separation | None:
    """How the outputs are sums over the axis of this size, given what is known; None where they are not."""
    roots = list(outputs)
    axes: dict[Op, int] = {}
    sums: list[Op] = []
    after: set[Op] = set()
    try:
        for op in postorder(roots, stop=known):
            axis = _axis_of(op, size)
            if op in known:
                axes |= {op: axis} if axis is not None else {}
            elif any(x in after for x in op.args):
                after.add(op)
                if axis is not None:
                    raise NotSeparable(op.kind)
            elif axis is not None:
                axes[op] = axis
                _check_keeps(op, axes)
            elif any(x in axes for x in op.args):
                _check_adds(op, axes)
                sums.append(op)
                after.add(op)
    except NotSeparable:
        return None
    if not sums or any(op in axes for op in roots):
        return None
    return Separation(size, axes, tuple(sums))


def _axis_of(op: Op, size: Size) -> int | None:
    """The axis of this size, of which there may be one."""
    places = [k for k, s in enumerate(op.shape) if s == size]
    # A size made of it, n - 1 or 2n, is another way to run along the examples.
    if len(places) > 1 or any(s != size and set(s.names) & set(size.names) for s in op.shape):
        raise NotSeparable(op.kind)
    return places[0] if places else None


def _check_keeps(op: Op, axes: Mapping[Op, int]) -> None:
    """Example i of the result has to be made of example i of the operands."""
    held = [(x, axes[x]) for x in op.args if x in axes]
    if not held and op.kind in ("argument", "broadcast"):
        return
    check = _KEEPS.get(op.kind)
    if check is None or not check(op, axes):
        raise NotSeparable(op.kind)


def _check_adds(op: Op, axes: Mapping[Op, int]) -> None:
    """The result has to be the sum, over all examples, of what each contributes."""
    if op.kind == "item":
        is_fine = op.args[0].kind in ("sigmoid_and_sum", "softmax_and_inner")
    elif op.kind == "sum":
        (x,) = op.args
        is_fine = axes[x] in op.data
    elif op.kind == "matmul":
        a, b = op.args
        is_fine = a in axes and b in axes and axes[a] == a.rank - 1 and axes[b] == max(b.rank - 2, 0)
    elif op.kind == "inner":
        is_fine = all(x in axes for x in op.args) and len({axes[x] for x in op.args}) == 1
    elif op.kind == "einsum":
        is_fine = len({own[axes[x]] for x, own in zip(op.args, op.data[0], strict=True) if x in axes}) == 1
    else:
        is_fine = op.kind == "added" and op.args[0] in axes and op.args[1] in axes
        is_fine = is_fine and axes[op.args[0]] == axes[op.args[1]] == 0
    if not is_fine:
        raise NotSeparable(op.kind)


def _aligned(op: Op, axes: Mapping[Op, int]) -> bool:
    """Broadcast from the right: the axes of examples lie on each other."""
    return all(op.rank - x.rank + axes[x] == axes[op] for x in op.args if x in axes)


def _moved(op: Op, axes: Mapping[Op, int]) -> bool:
    return bool(op.data[axes[op]] == axes[op.args[0]])


def _placed(op: Op, axes: Mapping[Op, int]) -> bool:
    return bool(op.data[axes[op.args[0]]] == axes[op])


def _not_along(op: Op, axes: Mapping[Op, int]) -> bool:
    """A primitive that works along other axes than that of the examples."""
    options = dict(op.data[1] if op.kind == "primitive" else op.data)
    if op.kind == "primitive" and op.data[0] == "one_hot":
        return True
    along = options.get("axis")
    is_known = op.kind == "pair" or op.data[0] in ALONG_AXES
    if not is_known or along is None:
        return False
    return all(axes[x] not in (along if isinstance(along, tuple) else (along,)) for x in op.args if x in axes)


def _inner_keeps(op: Op, axes: Mapping[Op, int]) -> bool:
    z, y, sums = op.args
    return all(x in axes for x in op.args) and axes[z] == axes[y] == 1 - op.data and axes[sums] == 0


def _product_of_rows(op: Op, axes: Mapping[Op, int]) -> bool:
    """A matrix product whose examples are rows of the first factor or columns of the second, or a batch."""
    a, b = op.args
    if op.rank > 2:
        return False
    if a in axes and b in axes:
        return False
    return axes[a] == 0 and a.rank == 2 if a in axes else axes[b] == 1


def _einsum_keeps(op: Op, axes: Mapping[Op, int]) -> bool:
    indices, result = op.data
    i = result[axes[op]]
    return all(own[axes[x]] == i for x, own in zip(op.args, indices, strict=True) if x in axes)


_KEEPS: Mapping[str, Callable[[Op, Mapping[Op, int]], bool]] = {
    "product": _aligned,
    "total": _aligned,
    "function": _aligned,
    "cast": _aligned,
    "item": _aligned,
    "permute": _moved,
    "expand": _placed,
    "broadcast": _placed,
    "squeeze": lambda op, axes: True,
    "sum": lambda op, axes: axes[op.args[0]] not in op.data,
    "matmul": _product_of_rows,
    "outer": lambda op, axes: sum(x in axes for x in op.args) == 1,
    "einsum": _einsum_keeps,
    "sigmoid_and_logs": _aligned,
    "sigmoid_and_sum": _aligned,
    "softmax_and_inner": _inner_keeps,
    "pair": _not_along,
    "primitive": _not_along,
    "pick": lambda op, axes: all(axes.get(x) == 0 for x in op.args),
    "take": lambda op, axes: op.args[0] not in axes or (op.args[1] not in axes and axes[op.args[0]] != op.data),
    "solve": lambda op, axes: op.args[0] not in axes and axes[op.args[1]] == 1,
}
