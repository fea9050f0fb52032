"""Arrays written over: where a matrix is needed no more, what is made of it entry by entry takes its memory.

Other uses of the matrix are computed first where that can be. Only matrices are worth it, and only those that the
function made itself: an argument, a block of the data or a result that is returned is never written over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from symgrad.compile.numpy_text import Context, text_of
from symgrad.compile.operations import Op, Operations, Type
from symgrad.compile.plan import VIEWS
from symgrad.graph.show import Text
from symgrad.graph.sizes import ONE
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.records import dataclass

MATRIX = 2
# Operations whose result is an array of its own; of the primitives those whose kernels write a new one.
FRESH = frozenset({"product", "total", "matmul", "function", "item"})
FRESH_PRIMITIVES = frozenset({"softmax", "log_softmax"})
# Longer programs are left as they are: the order of each operation would be weighed against all others.
MOST_OPERATIONS = 400


@dataclass(frozen=True, slots=True)
class Reuse:
    """The operations in an order in which `over[op]` is read by nothing after `op`, which is written over it."""

    order: Sequence[Op]
    over: Mapping[Op, Op]
    # What reads the memory of each operation.
    readers: Mapping[Op, Sequence[Op]]


def reuse(order: Sequence[Op], kept: Collection[Op], bound: str) -> Reuse:
    """What can be written over what; `kept` is needed afterwards, names of what is given begin with `bound`."""
    if len(order) > MOST_OPERATIONS:
        return Reuse(order, {}, {})
    readers = _readers(order)
    scheduling = _Scheduling(_held(kept), readers, _wide(order, bound))
    for op in order:
        scheduling.visit(op)
    return Reuse(list(scheduling.done), scheduling.over, readers)


def _looks(op: Op) -> bool:
    """Whether a value may lie in the memory of its operands: views, and what NumPy gives back without a copy."""
    if op.kind in ("function", "primitive"):
        return not is_fresh(op)
    return (op.kind in VIEWS and op.kind != "item") or op.kind in ("windows", "einsum", "diag")


def _held(kept: Collection[Op]) -> set[Op]:
    """What is needed afterwards, and what it looks at."""
    return set(kept) | {x for op in kept for x in _seen(op)}


def _seen(op: Op) -> set[Op]:
    """What a value may lie in the memory of."""
    found: set[Op] = set()
    pending = [op]
    while pending:
        y = pending.pop()
        new = set(y.args) - found if _looks(y) else set()
        found |= new
        pending += new
    return found


def _readers(order: Sequence[Op]) -> dict[Op, list[Op]]:
    """The operations that read the memory of each, also through those that look at it."""
    found: dict[Op, list[Op]] = {op: [] for op in order}
    for op in reversed(order):
        is_view = op.kind in VIEWS and op.kind != "item"
        for x in dict.fromkeys(op.args):
            found[x] += [*([] if is_view else [op]), *(found[op] if _looks(op) else [])]
    return {op: list(dict.fromkeys(readers)) for op, readers in found.items()}


def _wide(order: Sequence[Op], bound: str) -> set[Op]:
    """What has the type of the arrays of a call, in which everything else fits: data alone may be narrower."""
    found: set[Op] = set()
    for op in order:
        is_passed = op.kind == "argument" and op.type is Type.FLOATING and not op.data.startswith(bound)
        if is_passed or any(x in found for x in op.args):
            found.add(op)
    return found


@dataclass(slots=True)
class _Scheduling:
    held: set[Op]
    readers: Mapping[Op, Sequence[Op]]
    wide: set[Op]
    done: dict[Op, None] = field(default_factory=dict)
    over: dict[Op, Op] = field(default_factory=dict)
    pending: set[Op] = field(default_factory=set)

    def visit(self, op: Op) -> None:
        """Put an operation into the order, behind the other readers of what it is written over."""
        if op in self.done or op in self.pending:
            return
        self.pending.add(op)
        for x in sorted(places(op), key=lambda x: len(self.readers[x])):
            others = [u for u in self.readers[x] if u not in self.done and u is not op]
            is_ours = x in self.wide and x not in self.held and x not in self.over.values() and is_fresh(x)
            if is_ours and not any(self._waits(u) for u in others):
                for u in others:
                    for y in postorder([u]):
                        self.visit(y)
                if all(u in self.done for u in others):
                    self.over[op] = x
                    break
        self.pending.discard(op)
        self.done[op] = None

    def _waits(self, op: Op) -> bool:
        """Whether an operation needs one that is being put into the order."""
        return any(x in self.pending for x in postorder([op], stop=self.done))


def is_fresh(x: Op) -> bool:
    """Whether the result of an operation is an array of its own."""
    if x.kind == "primitive":
        return x.data[0] in FRESH_PRIMITIVES
    # A function given as SymPy's may hand back its argument.
    return x.kind in FRESH and not (x.kind == "function" and x.data[0] == "scalar")


def places(op: Op) -> list[Op]:
    """The operands that an operation could be written over."""
    same = [x for x in dict.fromkeys(op.args) if x.shape == op.shape and x.type is Type.FLOATING]
    if op.rank < MATRIX or op.type is not Type.FLOATING:
        return []
    if op.kind == "softmax_and_inner":
        return same[:1]
    if op.kind == "function":
        return same if len(op.args) == 1 and _function(op) else []
    if op.kind == "total":
        return same if len(op.args) == 2 and all(abs(c) == 1 for c in op.data) and op.data != (-1, -1) else []
    is_plain = op.kind == "product" and all(x.type in (Type.FLOATING, Type.SCALAR) for x in op.args)
    flags = op.data[1:] if is_plain else ()
    # x·x has no other factor to multiply with.
    divisors = {x for x, is_divisor in zip(op.args, flags, strict=False) if is_divisor}
    return [x for x in same if x not in divisors and op.args.count(x) == 1] if is_plain else []


def _function(op: Op) -> str:
    """The NumPy function of one array, or ""."""
    name, parameter = op.data
    if name == "power":
        return "np.square" if parameter == Fraction(2) else ""
    found = re.fullmatch(r"(np\.\w+)\(\{0\}\)", FUNCTIONS[name].numpy) if name in FUNCTIONS else None
    return found[1] if found else ""


def written_over(op: Op, x: Op, texts: Mapping[Op, Text], ops: Operations, context: Context) -> list[tuple[str, str]]:
    """The steps of `op` in the memory of `x`: ("+", y) for += y and so on, ("", call) for a call that writes to it."""
    out = texts[x][0]
    if op.kind == "function":
        return [("", f"{_function(op)}({out}, out={out})")]
    if op.kind == "product":
        return _product(op, x, texts, ops, context)
    (c, a), (d, b) = zip(op.data, op.args, strict=True)
    (own, other), y = ((c, d), b) if a is x else ((d, c), a)
    if own < 0:
        return [("", f"np.subtract({texts[y][0]}, {out}, out={out})")]
    return [("-" if other < 0 else "+", texts[y][0])]


def _product(op: Op, x: Op, texts: Mapping[Op, Text], ops: Operations, context: Context) -> list[tuple[str, str]]:
    """Numbers are multiplied with the smallest of the other factors, before it meets the matrix."""
    coefficient, *flags = op.data
    others = [(y, d) for y, d in zip(op.args, flags, strict=True) if y is not x]
    scalars = [(y, d) for y, d in others if not y.rank]
    arrays = sorted([(y, d) for y, d in others if y.rank], key=lambda f: (f[1], sum(s != ONE for s in f[0].shape)))
    smallest = [arrays.pop(0)] if arrays and not arrays[0][1] else []
    first = ops.product(coefficient, [*smallest, *scalars])
    steps = [("/" if is_divisor else "*", texts[y][0]) for y, is_divisor in arrays]
    if first.kind == "number" and first.data == 1:
        return steps
    if first.kind == "product" and first.data == (1, True):
        return [("/", texts[first.args[0]][0]), *steps]
    text = texts[first] if first in texts else text_of(first, [texts[y] for y in first.args], context)
    return [("*", text[0]), *steps]


CALLS = {"+": "np.add", "-": "np.subtract", "*": "np.multiply", "/": "np.divide"}


def call_of(step: tuple[str, str], out: str) -> str:
    """A step as a call that writes to its first operand."""
    sign, text = step
    return f"{CALLS[sign]}({out}, {text}, out={out})" if sign else text
