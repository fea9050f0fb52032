"""The text of the functions inside `bind`: what reads the arrays, the loss with its gradients, the loss alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.compile.bound_body import NOWHERE, ROWS, SQUARES, UNTOLD, WHOLE, Body, Instead
from symgrad.compile.layout import read_of, reading, signature
from symgrad.compile.loop_text import Given, LoopWriter, described
from symgrad.compile.loop_whole import TOLD, call_lines, is_simple, passed_as, whole
from symgrad.compile.loops import loops_of
from symgrad.compile.names import Names
from symgrad.compile.numpy_source import returned_lines
from symgrad.compile.numpy_text import Context
from symgrad.compile.operations import Op
from symgrad.compile.plan import VIEWS, Labels, Plan
from symgrad.compile.statements import INDENT, WIDTH, Writer
from symgrad.compile.turn import GIVEN, Turner
from symgrad.graph.expression import Leaf
from symgrad.graph.sizes import ONE, Size
from symgrad.graph.walk import postorder


def indented(lines: Iterable[str]) -> list[str]:
    """The lines one step further in."""
    return [f"    {line}" if line else "" for line in lines]


def arrays_lines(body: Body) -> list[str]:
    """The lines of the function that reads the arrays for both, not indented."""
    if not any(a.is_array for a in body.rest):
        return []
    read = read_of(body.rest, body.leaves, body.scope.local, body.scope.context, body.told, "dtype")
    return [*read.function("_arrays"), ""]


def function_lines(body: Body, name: str) -> list[str]:
    """The lines of one of the two functions, not indented."""
    is_pair = name == "value_and_gradients"
    outputs = dict(body.plan.outputs) if is_pair else {"": body.plan.outputs[""]}
    local = body.scope.local
    numbers = [local[a.name] for a in body.rest if a.is_array and a.role != "labels"]
    bound = body.scope.context
    context = Context(bound.sizes, f"{numbers[0]}.dtype" if numbers else "dtype", bound.kernels, bound.lambdas)
    context.used_sizes = bound.used_sizes
    instead = _instead_lines(body, body.instead, context) if body.instead and is_pair else []
    lines = [*instead, *_Writing(body, context, body.scope.names.copy()).lines(outputs, is_pair=is_pair)]
    checks = [f'    _labels("{x.name}", {body.largest(x)}, {_classes(x, context)})' for x in body.untold]
    arrays = read_of(body.rest, body.leaves, local, context, body.told, "dtype").called("_arrays")
    read = [*reading(body.rest, body.leaves, local, context, arrays, known=body.told), *checks]
    summary = "The loss, and its gradient by each parameter." if is_pair else "The loss."
    return [*signature(name, body.rest, local), f'    """{summary}"""', *read, *lines]


def _instead_lines(body: Body, instead: Instead, context: Context) -> list[str]:
    """The other form where it is faster, and where nothing that is nearly equal is subtracted in it."""
    rows, columns, rank = (context.size(s)[0] for s in instead.sizes)
    other = body.other_form(instead)
    writing = _Writing(other, context, body.scope.names.copy())
    return [
        f"    if 4 * {rank} * ({rows} + {columns}) + 20000 < {rows} * {columns}:",
        "        # ‖M - ABᵀ‖² multiplied out: no matrix as large as M is written, but near a perfect fit digits are lost.",
        *indented(writing.guarded(other.plan.outputs)),
    ]


def _classes(leaf: Leaf, context: Context) -> str:
    assert isinstance(leaf.value, Size)
    return context.size(leaf.value)[0]


@dataclass(slots=True)
class _Writing:
    """One function: what is before the sums over examples, the function `some`, what comes after."""

    body: Body
    context: Context
    names: Names

    def lines(self, outputs: Mapping[str, Op], *, is_pair: bool) -> list[str]:
        body = self.body
        sums = body.sums(outputs.values())
        before = body.before(sums)
        names = {op: self.names.fresh(body.plan.names.get(op) or described(op)) for op in before}
        first = self._write({f"{k}": op for k, op in enumerate(before)}, body.once, {}, names)
        locals_ = {**names}
        lines = list(first.lines)
        if sums and body.is_looped:
            return self._looped(outputs, sums, names, first)
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
        turner = body.turner({**body.once, **before}, ROWS)
        turner.run(sums)
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

    def _looped(
        self, outputs: Mapping[str, Op], sums: Sequence[Op], names: Mapping[Op, str], first: Writer
    ) -> list[str]:
        """The lines of a function whose sums numba compiles, and what comes before and after them where that is simple."""
        body, is_pair = self.body, len(outputs) > 1
        totals = {op: self.names.fresh(self._called(op, outputs)) for op in sums}
        name = f"value{'_and_gradients' if is_pair else ''}"
        written = self._loops({**body.once, **names}, sums, totals, outputs)
        body.looped.append(written.function(f"_sums_for_{name}"))
        last = self._write(outputs, body.once, {**names, **totals}, {}, is_checked=is_pair)
        target = f"finite, {', '.join(totals.values())} = "
        if body.threads == 1 and is_simple(first, last):
            local = self.body.scope.local
            ranks = {local[a.name]: len(a.shape) for a in body.rest if a.is_array}
            numbers = [*body.numbers, *(local[a.name] for a in body.rest if not a.is_array)]
            others = [*body.tiles.values(), *numbers, *self.context.sizes.values(), "size", "by_rows"]
            passed = passed_as(ranks, {name: op for op, name in body.once.items()}, others)
            call = written.call(f"_sums_for_{name}", is_shared=False, is_inside=True)
            function, lines = whole(
                f"_compiled_{name}", (first, last), target + call, passed, self.names, is_held=written.has_matrices
            )
            body.looped.append(function)
            return lines
        call = written.call(f"_sums_for_{name}", is_shared=body.threads > 1)
        scalars = [f"    {totals[op]} = dtype.type({totals[op]})" for op in sums if not op.shape]
        is_held = written.has_matrices and body.threads == 1
        lines = [*first.lines, *call_lines(f"    {target}{call}", is_held=is_held), *TOLD, *scalars, *last.lines]
        return [*lines, *returned_lines(last.plan, last, is_pair=is_pair)]

    def _loops(
        self, given: Mapping[Op, str], sums: Sequence[Op], totals: Mapping[Op, str], outputs: Mapping[str, Op]
    ) -> LoopWriter:
        """What writes the function of all examples."""
        body = self.body
        turner = body.turner(given, ROWS)
        turner.run(sums)
        writer = self._writer({}, turner, {}, self._served(sums, outputs))
        tiles = {turner.made[op]: name for op, name in body.tiles.items() if op in turner.made}
        body.width = self._wider(turner)
        made = {turner.made[op]: totals[op] for op in sums}
        loops = loops_of(list(made), ROWS)
        body.by_rows |= {tiles[x] for x in loops.by_rows if x in tiles}
        placed = Given(writer.arguments, {turner.made.get(op, op): name for op, name in body.tiles.items()})
        return LoopWriter(
            loops, made, writer.plan.names, writer.plan.labels, placed, self.context, self.names.copy(),
            self.context.size(body.separation.size)[0], ROWS,
        )  # fmt: skip

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
