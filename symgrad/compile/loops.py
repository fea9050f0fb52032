"""The operations of a block of examples as loops: what is made entry by entry in one loop, what sums and multiplies in calls.

A tile of examples lies along the last axis. Operations fall into stages, each of which needs those before it alone:

- a *nest* computes every operation of one shape that is made entry by entry, and adds up sums over them, in one loop;
- a *call* is a matrix product or a normaliser, by a function of `tiles`.

What only its own nest reads is a number there and no array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from symgrad.compile.operations import MATRIX, Op, Type
from symgrad.compile.plan import VIEWS
from symgrad.graph.expression import Shape
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

# Those of `tiles`, which take the same operands.
OWN = (
    *("exp", "tanh", "sigmoid", "softplus", "logcosh", "relu", "sign", "inverse_or_zero", "maximum", "minimum"),
    *("clip", "huber", "leaky_relu", "elu"),
)
# Functions of numbers by how a loop writes them.
FUNCTIONS: Mapping[str, str] = {
    **{name: f"tiles.{name}" for name in OWN},
    "log": "np.log",
    "absolute": "abs",
    "sin": "np.sin",
    "cos": "np.cos",
    "sinh": "np.sinh",
    "cosh": "np.cosh",
}
MOST_AXES = 6
COMPARED = frozenset({"greater", "greater_equal", "equal"})
# What is written by itself.
WRITTEN = frozenset({"power", "power_of", "where"})
ENTRYWISE = frozenset({"product", "total", "function", "cast", "outer", "pick", "take"})
SUMS = frozenset({"sum", "inner", "einsum", "added"})
NORMALISERS = frozenset({"softmax", "log_softmax", "logsumexp"})
SEEN_THROUGH = frozenset({"permute", "expand", "broadcast", "squeeze"})
PAIRS = frozenset({"pair", "softmax_and_inner", "sigmoid_and_sum"})


class NotLooped(Exception):
    """An operation that has no loop; the message says which."""


@dataclass(slots=True)
class Nest:
    """Operations of one shape, and the sums over them."""

    shape: Shape
    made: list[Op] = field(default_factory=list)
    sums: list[Op] = field(default_factory=list)


@dataclass(slots=True)
class Call:
    """An operation that a kernel computes: for a pair, its items."""

    op: Op
    items: list[Op] = field(default_factory=list)


@dataclass(slots=True)
class Loops:
    """The stages for some sums over a tile; `stored` are the operations that need an array, in order."""

    stages: list[Nest | Call]
    stored: list[Op]
    # Matrices of data that only ever meet vectors and matrices in products: their examples may be rows.
    by_rows: set[Op]


def operands_of(op: Op) -> tuple[Op, ...]:
    """What an operation is made of; one of several functions of z, each computed by itself, of z."""
    is_function = op.kind == "item" and op.args[0].kind == "sigmoid_and_logs"
    return op.args[0].args if is_function else op.args[:1] if op.kind == "added" else op.args


def is_entrywise(op: Op) -> bool:
    """Whether each entry is made of the entries of the operands at its place."""
    is_own = op.kind == "primitive" and op.data[0] == "one_hot"
    return op.kind in ENTRYWISE or is_own or (op.kind == "item" and op.args[0].kind == "sigmoid_and_logs")


@dataclass(frozen=True, slots=True)
class Summation:
    """A sum of products of entries: the shape that is run through, the axes of it that each factor and the result have."""

    shape: Shape
    factors: tuple[tuple[int, ...], ...]
    kept: tuple[int, ...]


def summation(op: Op, rows: Size) -> Summation:
    """How an operation adds up; the examples are the last axis that is run through."""
    if op.kind != "einsum":
        every = tuple(range(op.args[0].rank))
        kept = tuple(k for k in every if op.kind == "sum" and k not in op.data)
        return Summation(op.args[0].shape, (every,) * len(operands_of(op)), kept)
    indices, result = op.data
    size = {i: s for x, own in zip(op.args, indices, strict=True) for i, s in zip(own, x.shape, strict=True)}
    order = sorted(size, key=lambda i: (size[i] == rows, i not in result, result.index(i) if i in result else i))
    place = {i: k for k, i in enumerate(order)}
    factors = tuple(tuple(place[i] for i in own) for own in indices)
    return Summation(tuple(size[i] for i in order), factors, tuple(place[i] for i in result))


def domain(op: Op, rows: Size) -> Shape:
    """The shape of the nest of an operation."""
    return summation(op, rows).shape if op.kind in SUMS else op.shape


def is_in_order(op: Op, rows: Size) -> bool:
    """Whether a factor of the shape that is run through has its axes in that order."""
    if op.kind != "einsum":
        return True
    found = summation(op, rows)
    return all(own == tuple(range(len(found.shape))) for own in found.factors if len(own) == len(found.shape))


def base_of(op: Op) -> Op:
    """What a view looks at."""
    while op.kind in SEEN_THROUGH:
        op = op.args[0]
    return op


def loops_of(sums: Sequence[Op], rows: Size) -> Loops:
    """The stages that compute these sums over the examples of a tile, `rows` many; NotLooped where there are none."""
    order = [op for op in postorder(sums) if op.kind not in VIEWS or op.kind == "item"]
    found = _Staging(rows, set(sums))
    for op in order:
        found.place(op)
        for x in operands_of(op):
            found.readers.setdefault(base_of(x), []).append(op)
    for op in reversed(order):
        found.sink(op)
    return Loops(found.stages(), found.stored(), found.by_rows(order))


def has_loops(sums: Sequence[Op], rows: Size) -> bool:
    """Whether these sums have stages."""
    try:
        loops_of(sums, rows)
    except NotLooped:
        return False
    return True


@dataclass(slots=True)
class _Staging:
    rows: Size
    sums: set[Op]
    levels: dict[Op, int] = field(default_factory=dict)
    readers: dict[Op, list[Op]] = field(default_factory=dict)

    def place(self, op: Op) -> None:
        """Put an operation into its stage."""
        if (op.type is Type.SCALAR and not op.shape) or op.kind == "sigmoid_and_logs":
            return
        if not self._runs(op):
            raise NotLooped(op.kind)
        if is_entrywise(op) or op.kind in SUMS:
            self._place_in_nest(op)
        elif op.kind == "item":
            self._place_item(op)
        else:
            self._check_call(op)
            self._place_call(op)

    def _runs(self, op: Op) -> bool:
        """Whether an operation runs along the examples, or sums over them."""
        return self.rows in op.shape or op in self.sums or op.kind in PAIRS

    def _place_in_nest(self, op: Op) -> None:
        shape = domain(op, self.rows)
        self._check_entry(op, shape)
        computed = [x for x in operands_of(op) if base_of(x) in self.levels]
        self.levels[op] = max((self.levels[base_of(x)] + (not self._meets(op, x)) for x in computed), default=0)

    def _meets(self, op: Op, x: Op) -> bool:
        """Whether `op`, which has a nest, reads `x` where that can be a number of the same nest."""
        is_nested = is_entrywise(op) or op.kind in SUMS
        return is_nested and is_entrywise(x) and domain(op, self.rows) == x.shape and is_in_order(op, self.rows)

    def _is_number_for(self, op: Op, x: Op) -> bool:
        """Whether `op` reads what is computed in its own nest, and no array."""
        return x in operands_of(op) and self._meets(op, x) and self.levels[op] == self.levels[x]

    def sink(self, op: Op) -> None:
        """Compute an entry where it is first read, if that spares an array and needs no other."""
        readers = self.readers.get(op, ())
        if (
            op not in self.levels
            or not readers
            or not is_entrywise(op)
            or not all(op in operands_of(r) and self._meets(r, op) for r in readers)
        ):
            return
        level = min(self.levels[r] for r in readers)
        moved: set[Op] = set()
        if level > self.levels[op] and self._moves(op, moved):
            self.levels |= dict.fromkeys(moved, level)

    def _moves(self, op: Op, moved: set[Op]) -> bool:
        """Whether `op` can be computed later, with what nothing else reads; what else it reads has to be an array anyway."""
        moved.add(op)
        for x in dict.fromkeys(map(base_of, operands_of(op))):
            if x in self.levels and self._is_number_for(op, x):
                others = [r for r in self.readers[x] if r not in moved]
                if others and all(self._is_number_for(r, x) for r in others):
                    return False
                if not others and not self._moves(x, moved):
                    return False
        return True

    def stages(self) -> list[Nest | Call]:
        """Nests and calls in the order of their levels."""
        nests: dict[tuple[int, Shape], Nest] = {}
        calls: dict[Op, Call] = {}
        placed: list[tuple[int, Nest | Call]] = []
        for op, level in self.levels.items():
            if op.kind == "item" and not is_entrywise(op):
                calls[op.args[0]].items.append(op)
            elif is_entrywise(op) or op.kind in SUMS:
                key = (level, domain(op, self.rows))
                if key not in nests:
                    nests[key] = Nest(key[1])
                    placed.append((level, nests[key]))
                (nests[key].sums if op.kind in SUMS else nests[key].made).append(op)
            else:
                calls[op] = Call(op)
                placed.append((level, calls[op]))
        return [stage for _, stage in sorted(placed, key=lambda pair: pair[0])]

    def _check_entry(self, op: Op, shape: Shape) -> None:
        if op.kind == "function":
            name = op.data[0]
            if name not in FUNCTIONS and name not in COMPARED | WRITTEN:
                raise NotLooped(name)
        is_first = op.kind != "take" or (op.data == 0 and op.args[0].kind == "argument")
        if shape[-1:] != (self.rows,) or not is_first:
            raise NotLooped(op.kind)
        if shape.count(self.rows) > 1 or len(shape) > MOST_AXES:
            raise NotLooped(op.kind)

    def _place_call(self, op: Op) -> None:
        level = 1 + max((self.levels[b] for b in map(base_of, op.args) if b in self.levels), default=-1)
        self.levels[op] = level

    def _place_item(self, op: Op) -> None:
        pair = op.args[0]
        if pair not in self.levels:
            raise NotLooped(pair.kind)
        self.levels[op] = self.levels[pair]

    def _check_call(self, op: Op) -> None:
        if op.kind == "matmul":
            self._check_product(op)
            return
        name = op.data[0] if op.kind == "primitive" else op.kind
        options = dict(op.data[1] if op.kind == "primitive" else op.data) if op.kind in ("primitive", "pair") else {}
        (z, *_) = op.args
        is_column = z.rank == MATRIX and z.shape[-1] == self.rows and options.get("axis", 0) == 0
        is_fine = (name in NORMALISERS or name in PAIRS) and (is_column or (name == "sigmoid_and_sum" and z.rank == 1))
        if not is_fine or z.kind in SEEN_THROUGH:
            raise NotLooped(name)

    def _check_product(self, op: Op) -> None:
        """A matrix of parameters times a tile, or the sum over examples of products of two tiles."""
        a, b = op.args
        if op in self.sums:
            right = b.rank == 1 or (b.kind == "permute" and b.args[0].kind not in SEEN_THROUGH)
            is_fine = a.rank == MATRIX and a.kind not in SEEN_THROUGH and right
        else:
            is_fine = self.rows not in a.shape and b.rank == MATRIX and b.kind not in SEEN_THROUGH
        if not is_fine or a.rank > MATRIX or op.rank > MATRIX:
            raise NotLooped("matmul")

    def stored(self) -> list[Op]:
        """Operations along the examples that something outside their nest reads, or that a call or a sum writes."""
        found = []
        for op in self.levels:
            if op in self.sums or op.kind in PAIRS:
                continue
            is_written = op.kind in ("item", *SUMS) and not is_entrywise(op)
            if is_written or not all(self._is_number_for(r, op) for r in self.readers.get(op, ())):
                found.append(op)
        return found

    def by_rows(self, order: Iterable[Op]) -> set[Op]:
        """Matrices of data that are only ever the second factor of A X, or the first of X Gᵀ, of matrices at least once.

        Times a vector they are read once from memory, and long rows of examples are read faster than short ones of features.
        """
        found: dict[Op, bool] = {}
        beside_matrices: set[Op] = set()
        for op in order:
            for k, x in enumerate(op.args):
                base = base_of(x)
                if base.kind == "argument" and base.rank == MATRIX and self.rows in base.shape:
                    is_factor = op.kind == "matmul" and base is x and k == (0 if op in self.sums else 1)
                    found[base] = found.get(base, True) and is_factor
                    beside_matrices |= {base} if op.rank == MATRIX else set()
        return {op for op, is_factor in found.items() if is_factor and op in beside_matrices}
