"""What a bound function is made of: which values are computed once, which in every call, which for each block of examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from symgrad.compile.arguments import Argument
from symgrad.compile.loops import has_loops
from symgrad.compile.numpy_source import Scope
from symgrad.compile.operations import TABLES, Op, Type
from symgrad.compile.plan import VIEWS, Plan
from symgrad.compile.separable import Separation, separation
from symgrad.compile.turn import NotTurned, Turner
from symgrad.graph.expression import Leaf
from symgrad.graph.sizes import ONE, Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

ROWS = Size.symbol("rows in a block")
# What stands for a size of parameters alone when the data are bound.
UNTOLD = 64
# Outputs besides loss and gradients, which have names that no parameter has.
SQUARES, WHOLE = "sum of squares", "sum of squares of the data"
NOWHERE = Separation(ROWS, {}, ())


@dataclass(frozen=True, slots=True)
class Eigen:
    """The plan of the matrix, the name of its eigenvalues, and those of the data that are rotated with it."""

    plan: Plan
    values: str
    rotated: Sequence[str]


@dataclass(frozen=True, slots=True)
class Instead:
    """A plan for a product of low rank: what its gate compares is among the outputs; (rows, columns, rank)."""

    plan: Plan
    sizes: tuple[Size, Size, Size]


@dataclass(slots=True)
class Body:
    """Divides a plan between `bind`, the blocks of examples and the rest of a call."""

    plan: Plan
    scope: Scope
    rest: Sequence[Argument]
    leaves: Sequence[Leaf]
    told: Sequence[str]
    # Labels whose number of classes is told in the call.
    untold: Sequence[Leaf] = ()
    # Data whose rows are rotated before anything is computed of them, and the column of ones.
    columns: Sequence[str] = ()
    # A matrix of data that is diagonal in the basis of its eigenvectors.
    eigen: Eigen | None = None
    instead: Instead | None = None
    # What depends on data alone and is used in a call, by the name that it has in `bind`.
    once: dict[Op, str] = field(default_factory=dict)
    tiles: dict[Op, str] = field(default_factory=dict)
    # The same of the other form.
    others: dict[Op, str] = field(default_factory=dict)
    separation: Separation = NOWHERE
    is_turned: bool = True
    width: Size = ONE
    # Whether numba compiles the sums over examples, and the functions that it compiles.
    is_looped: bool = False
    # How many threads share the tiles.
    threads: int = 1
    # The names of numbers that are bound, which a compiled function has to be passed.
    numbers: Sequence[str] = ()
    looped: list[list[str]] = field(default_factory=list)
    # Arrays of which the examples may be rows.
    by_rows: set[str] = field(default_factory=set)
    varying: set[Op] = field(default_factory=set)

    def __post_init__(self) -> None:
        free = {a.name for a in self.rest}
        outputs = list(self.plan.outputs.values())
        for op in postorder([*outputs, *(op for _, op in self.plan.checks)]):
            is_free = op.kind == "argument" and op.data in free
            sizes = [*op.shape, *([op.data] if op.kind == "size" else [])]
            is_free |= any(not set(s.names) <= set(self.told) for s in sizes)
            if is_free or any(x in self.varying for x in op.args):
                self.varying.add(op)
        self._find_once(outputs)
        self._separate(outputs)

    @property
    def axis(self) -> str:
        """The size that is cut into blocks, or ""."""
        return "" if self.separation is NOWHERE else str(self.separation.size)

    @property
    def made(self) -> tuple[str, ...]:
        """The data that something else takes the place of in `bind`."""
        return (*self.columns, *((self.eigen.values, *self.eigen.rotated) if self.eigen else ()))

    def _find_once(self, outputs: Sequence[Op]) -> None:
        """What calls use of what does not vary: views are looked through, numbers are written where they are used."""
        for op in postorder(outputs):
            for x in op.args if op in self.varying else ():
                self._keep(x)
        for op in outputs:
            self._keep(op)

    def _keep(self, op: Op) -> None:
        while op.kind in VIEWS and op.args and op.kind != "item":
            op = op.args[0]
        if op in self.varying or op in self.once or op.type is Type.SCALAR or op.kind in ("number", "size"):
            return
        names = self.scope.names
        is_given = op.kind == "argument"
        wanted = self.plan.names.get(op) or (op.data[0] if op.kind in TABLES else op.kind)
        self.once[op] = self.scope.local[op.data] if is_given else names.fresh(wanted)

    def _separate(self, outputs: Sequence[Op]) -> None:
        """Cut the axis of examples, if there is one and every array that runs along it is bound."""
        # A fact of what varies is checked in each call, on the whole of it.
        is_checked = any(op in self.varying for _, op in self.plan.checks)
        # The few rows that take the place of the examples are no blocks; a loop over them spares NumPy's calls.
        is_cut = not is_checked and (self.is_looped or not self.made)
        sizes = [s for op in self.once for s in op.shape[:1] if s.is_name and is_cut]
        for size in dict.fromkeys(sizes):
            found = separation(outputs, size, self.once)
            if found is None or any(op.kind == "argument" and op in self.varying for op in found.axes):
                continue
            if not any(s in self.varying for s in found.sums):
                continue
            self.separation = found
            self.tiles = {op: name for op, name in self.once.items() if op in found.axes}
            if self.is_looped and self._fits(outputs) and self._has_loops(outputs):
                return
            self.is_looped, is_wanted = False, self.is_looped
            for self.is_turned in (True, False):
                if not self.made and self._fits(outputs):
                    return
            self.is_looped, self.is_turned = is_wanted, True
            self.separation, self.tiles = NOWHERE, {}
        self.is_looped = False

    def _has_loops(self, outputs: Sequence[Op]) -> bool:
        sums = self.sums(outputs)
        before = self.before(sums)
        if self.made and any(op.kind == "primitive" and op.data[0] == "inv" for op in before):
            # Beside an inverse the few rows that take the place of the examples cost little, and NumPy's calls less.
            return False
        turner = self.turner({**self.once, **{op: f"before {k}" for k, op in enumerate(before)}}, ROWS)
        turner.run(sums)
        return has_loops([turner.made[op] for op in sums], ROWS)

    def _fits(self, outputs: Sequence[Op]) -> bool:
        if not self.is_turned and any(self.separation.axes[op] for op in self.tiles):
            return False
        try:
            self.turner(self.once, ROWS).run(self.sums(outputs))
        except NotTurned:
            return False
        return True

    def sums(self, outputs: Iterable[Op]) -> list[Op]:
        """The sums over examples that a call has to compute."""
        needed = set(postorder(outputs, stop=self.once))
        return [op for op in self.separation.sums if op in needed and op not in self.once]

    def before(self, sums: Sequence[Op]) -> list[Op]:
        """What the blocks need of what varies and does not run along the examples."""
        found = dict[Op, None]()
        for op in postorder(sums, stop=self.once):
            for x in op.args if op not in self.once and (op in self.separation.axes or op in sums) else ():
                while x.kind in VIEWS and x.args and x.kind != "item":
                    x = x.args[0]
                is_plain = x.kind in ("argument", "number", "size") or x in self.once or x.type is Type.SCALAR
                if x not in self.separation.axes and not is_plain:
                    found[x] = None
        return list(found)

    def turner(self, given: Mapping[Op, str], rows: Size) -> Turner:
        """What rebuilds the operations for a block of so many examples."""
        return Turner(self.plan.ops, self.separation, rows, given, self.is_turned, is_looped=self.is_looped)

    def other_form(self, instead: Instead) -> Body:
        """The body of the other form; what depends on the data alone has the names that it has here."""
        other = Body(instead.plan, self.scope, self.rest, self.leaves, self.told)
        other.once = {op: self.others.setdefault(op, name) for op, name in other.once.items()}
        return other

    def largest(self, leaf: Leaf) -> str:
        """The name of the largest of some labels."""
        return f"largest_{self.scope.local[leaf.name]}"
