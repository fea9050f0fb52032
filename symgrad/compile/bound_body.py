"""The functions inside `bind`: which values are computed once, which in every call, which for each block of examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.compile.arguments import Argument
from symgrad.compile.layout import read_of, reading, signature, wrapped_call
from symgrad.compile.loop_text import Given, LoopWriter
from symgrad.compile.loops import has_loops, loops_of
from symgrad.compile.names import Names
from symgrad.compile.numpy_source import Scope, returned_lines
from symgrad.compile.numpy_text import Context
from symgrad.compile.operations import Op, Type
from symgrad.compile.plan import VIEWS, Labels, Plan
from symgrad.compile.separable import Separation, separation
from symgrad.compile.statements import INDENT, WIDTH, Writer
from symgrad.compile.turn import GIVEN, NotTurned, Turner
from symgrad.graph.expression import Leaf
from symgrad.graph.sizes import ONE, Size
from symgrad.graph.walk import postorder

ROWS = Size.symbol("rows in a block")
# What stands for a size of parameters alone when the data are bound.
UNTOLD = 64
# Outputs besides loss and gradients, which have names that no parameter has.
SQUARES, WHOLE = "sum of squares", "sum of squares of the data"
NOWHERE = Separation(ROWS, {}, ())


def indented(lines: Iterable[str]) -> list[str]:
    """The lines one step further in."""
    return [f"    {line}" if line else "" for line in lines]


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
    """Writes the functions of what is not bound, and collects what `bind` has to compute for them."""

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
        wanted = self.plan.names.get(op) or (op.data[0] if op.kind == "function" else op.kind)
        self.once[op] = self.scope.local[op.data] if is_given else names.fresh(wanted)

    def _separate(self, outputs: Sequence[Op]) -> None:
        """Cut the axis of examples, if there is one and every array that runs along it is bound."""
        # A fact of what varies is checked in each call, on the whole of it.
        is_checked = any(op in self.varying for _, op in self.plan.checks)
        sizes = [s for op in self.once for s in op.shape[:1] if s.is_name and not is_checked and not self.made]
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
                if self._fits(outputs):
                    return
            self.is_looped, self.is_turned = is_wanted, True
            self.separation, self.tiles = NOWHERE, {}
        self.is_looped = False

    def _has_loops(self, outputs: Sequence[Op]) -> bool:
        sums = self._sums(outputs)
        turner = self._turner({**self.once, **{op: f"before {k}" for k, op in enumerate(self._before(sums))}}, ROWS)
        turner.run(sums)
        return has_loops([turner.made[op] for op in sums], ROWS)

    def _fits(self, outputs: Sequence[Op]) -> bool:
        if not self.is_turned and any(self.separation.axes[op] for op in self.tiles):
            return False
        try:
            self._turner(self.once, ROWS).run(self._sums(outputs))
        except NotTurned:
            return False
        return True

    def _sums(self, outputs: Iterable[Op]) -> list[Op]:
        """The sums over examples that a call has to compute."""
        needed = set(postorder(outputs, stop=self.once))
        return [op for op in self.separation.sums if op in needed and op not in self.once]

    def _before(self, sums: Sequence[Op]) -> list[Op]:
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

    def _turner(self, given: Mapping[Op, str], rows: Size) -> Turner:
        return Turner(self.plan.ops, self.separation, rows, given, self.is_turned, is_looped=self.is_looped)

    # ---- the lines

    def arrays(self) -> list[str]:
        """The lines of the function that reads the arrays for both, not indented."""
        if not any(a.is_array for a in self.rest):
            return []
        read = read_of(self.rest, self.leaves, self.scope.local, self.scope.context, self.told, "dtype")
        return [*read.function("_arrays"), ""]

    def function(self, name: str) -> list[str]:
        """The lines of one of the two functions, not indented."""
        is_pair = name == "value_and_gradients"
        outputs = dict(self.plan.outputs) if is_pair else {"": self.plan.outputs[""]}
        local = self.scope.local
        numbers = [local[a.name] for a in self.rest if a.is_array and a.role != "labels"]
        bound = self.scope.context
        context = Context(bound.sizes, f"{numbers[0]}.dtype" if numbers else "dtype", bound.kernels, bound.lambdas)
        context.used_sizes = bound.used_sizes
        instead = self._instead_lines(self.instead, context) if self.instead and is_pair else []
        lines = [*instead, *_Writing(self, context, self.scope.names.copy()).lines(outputs, is_pair=is_pair)]
        checks = [f'    _labels("{x.name}", {self.largest(x)}, {self._classes(x, context)})' for x in self.untold]
        arrays = read_of(self.rest, self.leaves, local, context, self.told, "dtype").called("_arrays")
        read = [*reading(self.rest, self.leaves, local, context, arrays, known=self.told), *checks]
        summary = "The loss, and its gradient by each parameter." if is_pair else "The loss."
        return [*signature(name, self.rest, local), f'    """{summary}"""', *read, *lines]

    def _instead_lines(self, instead: Instead, context: Context) -> list[str]:
        """The other form where it is faster, and where nothing that is nearly equal is subtracted in it."""
        rows, columns, rank = (context.size(s)[0] for s in instead.sizes)
        other = self._of(instead)
        writing = _Writing(other, context, self.scope.names.copy())
        return [
            f"    if 4 * {rank} * ({rows} + {columns}) + 20000 < {rows} * {columns}:",
            "        # ‖M - ABᵀ‖² multiplied out: no matrix as large as M is written, but near a perfect fit digits are lost.",
            *indented(writing.guarded(other.plan.outputs)),
        ]

    def _of(self, instead: Instead) -> Body:
        """The body of the other form; what depends on the data alone has the names that it has here."""
        other = Body(instead.plan, self.scope, self.rest, self.leaves, self.told)
        other.once = {op: self.others.setdefault(op, name) for op, name in other.once.items()}
        return other

    def _classes(self, leaf: Leaf, context: Context) -> str:
        assert isinstance(leaf.value, Size)
        return context.size(leaf.value)[0]

    def largest(self, leaf: Leaf) -> str:
        """The name of the largest of some labels."""
        return f"largest_{self.scope.local[leaf.name]}"


@dataclass(slots=True)
class _Writing:
    """One function: what is before the sums over examples, the function `some`, what comes after."""

    body: Body
    context: Context
    names: Names

    def lines(self, outputs: Mapping[str, Op], *, is_pair: bool) -> list[str]:
        body = self.body
        sums = body._sums(outputs.values())
        before = body._before(sums)
        names = {op: self.names.fresh(body.plan.names.get(op) or op.kind) for op in before}
        first = self._write({f"{k}": op for k, op in enumerate(before)}, body.once, {}, names)
        locals_ = {**names}
        lines = list(first.lines)
        if sums:
            totals = {op: self.names.fresh(self._called(op, outputs)) for op in sums}
            lines += self._some(sums, totals, names, outputs)
            locals_ |= totals
        last = self._write(outputs, body.once, locals_, {}, is_checked=is_pair)
        return [*lines, *last.lines, *returned_lines(last.plan, last, is_pair=is_pair)]

    def guarded(self, outputs: Mapping[str, Op]) -> list[str]:
        """The lines of a form that returns only where a sum of squares is not small beside that of the data."""
        name = self.names.fresh("squares")
        written = self._write(outputs, self.body.once, {}, {outputs[SQUARES]: name})
        whole = written.texts[written.plan.outputs[WHOLE]][0]
        kept = {key: op for key, op in written.plan.outputs.items() if key not in (SQUARES, WHOLE)}
        returned = returned_lines(replace(written.plan, outputs=kept), written, is_pair=True)
        # The loss comes first: up to the sum of squares nothing is computed that the gate does not need.
        k = next(k for k, line in enumerate(written.lines) if line.startswith(f"{INDENT}{name} = ")) + 1
        gate = f"    if {name} > 1e-4 * {whole}:"
        return [*written.lines[:k], gate, *indented([*written.lines[k:], *returned])]

    def _called(self, sum_: Op, outputs: Mapping[str, Op]) -> str:
        """A name for a sum: its own, or that of the first value which is made of it."""
        names = self.body.plan.names
        if sum_ in names:
            return names[sum_]
        reached = {sum_}
        for op in postorder(outputs.values()):
            if any(x in reached for x in op.args):
                reached.add(op)
                if op in names:
                    return f"{names[op]}_sum"
        return "sum"

    def _served(self, sums: Sequence[Op], outputs: Mapping[str, Op]) -> dict[Op, Labels]:
        """The equations that the sums are for: their own, or those of the first value that is made of each."""
        labels = self.body.plan.labels
        served = {op: labels.get(op, ()) for op in sums}
        for op in postorder(outputs.values()):
            for x in op.args:
                if not served.get(x, (0,)) and x in served:
                    served[x] = labels.get(op, ())
        return served

    def _some(
        self, sums: Sequence[Op], totals: Mapping[Op, str], before: Mapping[Op, str], outputs: Mapping[str, Op]
    ) -> list[str]:
        """`some(block)` gives what the examples of a block add to the sums."""
        body = self.body
        turner = body._turner({**body.once, **before}, ROWS)
        turner.run(sums)
        if body.is_looped:
            return self._loops(turner, sums, totals, outputs)
        made = {str(k): turner.made[op] for k, op in enumerate(sums)}
        writer = self._writer(made, turner, {turner.made[op]: totals[op] for op in sums}, self._served(sums, outputs))
        writer.write()
        used = [name for op, name in body.tiles.items() if op in turner.made]
        body.width = self._wider(turner)
        place = "-1" if body.is_turned else "0"
        told = [f"    rows = {used[0]}.shape[{place}]"] if re.search(r"\brows\b", "\n".join(writer.lines)) else []
        returned = ", ".join(writer.texts[made[str(k)]][0] for k in range(len(sums)))
        returned = f"({returned},)" if len(sums) == 1 else returned
        tiles = ", ".join(body.tiles.values())
        where = "last" if body.is_turned else "first"
        about = f'    """What some of the examples, which lie along the {where} axis, add to each sum."""'
        some = [f"def some({tiles}):", about, *told, *writer.lines, f"    return {returned}"]
        target = ", ".join(totals[op] for op in sums)
        target = f"({target},)" if len(sums) == 1 else target
        line = f"    {target} = _added_up(some, blocks)"
        if len(line) > WIDTH - 4:
            line = f"    (\n{INDENT * 4}{target},\n{INDENT * 2}) = _added_up(some, blocks)"
        return ["", *indented(some), "", line]

    def _loops(
        self, turner: Turner, sums: Sequence[Op], totals: Mapping[Op, str], outputs: Mapping[str, Op]
    ) -> list[str]:
        """A function of all examples that numba compiles, and the lines that call it."""
        body = self.body
        made = {turner.made[op]: totals[op] for op in sums}
        writer = self._writer({}, turner, {}, self._served(sums, outputs))
        tiles = {turner.made[op]: name for op, name in body.tiles.items() if op in turner.made}
        body.width = self._wider(turner)
        loops = loops_of(list(made), ROWS)
        body.by_rows |= {tiles[x] for x in loops.by_rows if x in tiles}
        given = Given(writer.arguments, {turner.made.get(op, op): name for op, name in body.tiles.items()})
        written = LoopWriter(
            loops, made, writer.plan.names, writer.plan.labels, given, self.context, self.names.copy(),
            self.context.size(body.separation.size)[0], ROWS,
        )  # fmt: skip
        name = f"_sums_for_value{'_and_gradients' if len(outputs) > 1 else ''}"
        body.looped.append(written.function(name))
        scalars = [f"    {totals[op]} = dtype.type({totals[op]})" for op in sums if not op.shape]
        line = f"    finite, {', '.join(totals[op] for op in sums)} = {written.call(name, is_shared=body.threads > 1)}"
        return [*wrapped_call(line), "    tiles.told(finite)", *scalars]

    def _wider(self, turner: Turner) -> Size:
        return max(self.body.width, self._width(turner), key=lambda s: len(s.terms) * 100 + sum(c for _, c in s.terms))

    def _width(self, turner: Turner) -> Size:
        """How many numbers there are for each example."""
        total = ONE
        for op in postorder([turner.made[x] for x in turner.made]):
            if ROWS in op.shape and op.kind not in VIEWS:
                each = ONE
                for s in op.shape:
                    is_told = set(s.names) <= set(self.body.told)
                    each = each if s == ROWS else each * (s if is_told else UNTOLD)
                total = total + each
        return total

    def _write(
        self,
        outputs: Mapping[str, Op],
        once: Mapping[Op, str],
        own: Mapping[Op, str],
        kept: Mapping[Op, str],
        *,
        is_checked: bool = False,
    ) -> Writer:
        checks = [(s, op) for s, op in self.body.plan.checks if is_checked and op in self.body.varying]
        turner = Turner(self.body.plan.ops, NOWHERE, ROWS, {**once, **own}, False, frozenset(own))
        turner.run([*outputs.values(), *(op for _, op in checks)])
        made = {name: turner.made[op] for name, op in outputs.items()}
        writer = self._writer(made, turner, {turner.made[op]: name for op, name in kept.items()})
        writer.plan = replace(writer.plan, checks=tuple((s, turner.made[op]) for s, op in checks))
        writer.write()
        return writer

    def _writer(
        self,
        outputs: Mapping[str, Op],
        turner: Turner,
        kept: Mapping[Op, str],
        served: Mapping[Op, Labels] | None = None,
    ) -> Writer:
        plan = self.body.plan
        names: dict[Op, str] = {turner.made[op]: name for op, name in plan.names.items() if op in turner.made}
        labels: dict[Op, Labels] = {turner.made[op]: found for op, found in plan.labels.items() if op in turner.made}
        labels |= {turner.made[op]: found for op, found in (served or {}).items()}
        given = {f"{GIVEN} {name}": name for name in turner.given.values()}
        new = Plan(outputs, names, labels, (), plan.ops)
        scope = self.body.scope
        arguments = {**scope.local, **given}
        of_loss = postorder([plan.outputs[""]], stop=turner.given)
        forward = {turner.made[op] for op in of_loss if op in turner.made}
        return Writer(
            new, self.context, self.names, arguments, scope.switch, kept, forward, is_in_place=True, given=GIVEN
        )
