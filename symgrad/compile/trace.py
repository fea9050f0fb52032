"""A program run value by value: what is computed, what the page calls it, and in which equation it stands.

A trace is for a result that is not finite: it is slower than the compiled function and keeps every intermediate value. It
computes what the compiled function does, stable forms included, and speaks of it in the words of the derivation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from symgrad.compile.arguments import Argument, arguments_of, leaves_of, sizes_in
from symgrad.compile.dissolve import Program, dissolve
from symgrad.compile.kernels import kernel_source
from symgrad.compile.layout import definition, prologue, read_of, reading
from symgrad.compile.numpy_source import scope_of
from symgrad.compile.operations import Op
from symgrad.compile.plan import make_plan
from symgrad.compile.scalars import lambda_source
from symgrad.compile.stable import is_one, is_view, rebuilt
from symgrad.compile.statements import INDENT, Writer
from symgrad.derive.derivation import Derivation
from symgrad.graph.expression import CONSTANT_ROLES, Apply, Contraction, Elementwise, Expr, Leaf, Linear
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

# What is longer is not quoted: the equation's number says where it stands.
LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Operand:
    """A value that another is made of; `axes[k]` is the axis of the result along which its axis k runs, None for none."""

    index: int
    axes: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the program: its formula and its equation, what the page calls it, the table's entry, its operands.

    `text` is empty where the formula is long, `label` 0 for what is given; `entry` is empty for a sum or a product.
    """

    text: str
    called: str
    label: int
    entry: str
    shape: tuple[str, ...]
    operands: tuple[Operand, ...]
    is_given: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """`source` defines `trace(seen, …)`, which writes value k of `order`, one after another, into seen[k]."""

    source: str
    arguments: tuple[Argument, ...]
    values: Mapping[int, Value]
    order: tuple[int, ...]
    outputs: tuple[int, ...]


def trace_of(derivation: Derivation, function: str) -> Trace:
    """The trace of `value`, `value_and_gradients` or `predict`."""
    program = dissolve(derivation)
    roots = {
        "value": [program.loss],
        "value_and_gradients": [program.loss, *program.gradients.values()],
        "predict": [program.model] if program.model is not None else [],
    }[function]
    every = [program.loss, *program.gradients.values(), *derivation.parameters]
    leaves = leaves_of(postorder(roots if function == "predict" else every), derivation)
    wanted = [e for e in postorder(roots) if not isinstance(e, Leaf) or e.role not in CONSTANT_ROLES]
    index = {e: k for k, e in enumerate(wanted)}
    words = _Words(program)
    values = {k: words.value(e, index) for e, k in index.items()}
    source, arguments, order = _written(program, wanted, leaves)
    return Trace(source, arguments, values, order, tuple(index[e] for e in roots if e in index))


# ---- the words


@dataclass(slots=True)
class _Words:
    """For each node of a program the formula of the page that it computes, the equation, and what the page calls it."""

    program: Program
    formulas: dict[Expr, tuple[Expr, int]] = field(default_factory=dict)
    names: dict[Expr, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for label, name, expression, memo in self.program.written:
            for e in postorder([expression]):
                # What a rule of stable code made on the way belongs to the smallest formula that holds it.
                for node in postorder([memo[e]], stop=self.formulas):
                    self.formulas.setdefault(node, (e, label))
            self._quote_divisions(expression, memo)
            self.names.setdefault(memo[expression], name)

    def _quote_divisions(self, expression: Expr, memo: Mapping[Expr, Expr]) -> None:
        """1/y is quoted as the quotient in which it stands."""
        for e in postorder([expression]):
            for x in e.children if isinstance(e, Contraction) else ():
                own, label = self.formulas[memo[x]]
                is_reciprocal = isinstance(x, Elementwise) and x.function == "power" and x.parameter == -1
                if is_reciprocal and own is x and _quoted(e):
                    self.formulas[memo[x]] = e, label

    def value(self, node: Expr, index: Mapping[Expr, int]) -> Value:
        """What is to be said of a node."""
        seen = self._unguarded(node)
        formula, label = self.formulas.get(seen, (seen, 0))
        shape = tuple(str(size) for size in node.shape)
        if isinstance(node, Leaf):
            return Value(node.name, node.name, 0, "", shape, (), is_given=True)
        entry = node.function if isinstance(node, Elementwise) else node.primitive if isinstance(node, Apply) else ""
        text = _quoted(formula)
        return Value(text, self.names.get(node, text), label, entry, shape, tuple(_operands(seen, index)))

    def _unguarded(self, node: Expr) -> Expr:
        """log x of log(where(c, x, 1)), as the page has it: where log x is looked at the condition holds."""
        guard = node.children[0] if isinstance(node, Elementwise) else None
        if not isinstance(guard, Elementwise) or guard.function != "where":
            return node
        branches = [x for x in guard.operands[1:] if not is_one(x)]
        plain = rebuilt(node, [branches[0], *node.children[1:]]) if len(branches) == 1 else node
        return plain if plain in self.formulas else node


def _quoted(e: Expr) -> str:
    text = str(e)
    return text if len(text) <= LONGEST_QUOTE and "\n" not in text else ""


def _operands(node: Expr, index: Mapping[Expr, int]) -> Iterable[Operand]:
    """The operands, a broadcast one as what is broadcast."""
    if isinstance(node, Contraction):
        places: Sequence[Sequence[int]] = node.indices
    else:
        whole = isinstance(node, (Linear, Elementwise))
        places = [range(e.rank) if whole else [node.rank] * e.rank for e in node.children]
    for e, own in zip(node.children, places, strict=True):
        axes = [i if i < node.rank else None for i in own]
        while isinstance(e, Contraction) and is_view(e):
            axes = [axes[i] if i < e.rank else None for i in e.indices[0]]
            e = e.children[0]
        if e in index:
            yield Operand(index[e], tuple(axes))


# ---- the source


def _written(
    program: Program, wanted: Sequence[Expr], leaves: Sequence[Leaf]
) -> tuple[str, tuple[Argument, ...], tuple[int, ...]]:
    """The source, its arguments, and the values in the order in which they are computed."""
    # No fact is relied on here: a fact that does not hold may be what is looked for.
    plan = make_plan(replace(program, symmetric={}), {str(k): e for k, e in enumerate(wanted)})
    size_names = sizes_in(postorder([*wanted, *leaves]))
    arguments = arguments_of(leaves, size_names)
    kernels: dict[str, None] = {}
    lambdas: dict[object, str] = {}
    scope = scope_of(arguments, size_names, kernels, lambdas)
    record = scope.names.fresh("seen")
    places: dict[Op, list[int]] = {}
    for k, op in plan.outputs.items():
        places.setdefault(op, []).append(int(k))
    writer = _Recorder(plan, scope.context, scope.names, scope.local, "", record=record, places=places)
    writer.write()
    taken = (Argument(record, "record"), *arguments)
    read = read_of(arguments, leaves, scope.local, scope.context).checked
    body = [*reading(arguments, leaves, scope.local, scope.context, read), *writer.lines]
    local = {**scope.local, record: record}
    parts = ["import numpy as np\n", *prologue(leaves)]
    parts += [source.strip() + "\n" for name in kernels if (source := kernel_source(name))]
    parts += [lambda_source(f, name).strip() + "\n" for f, name in lambdas.items()]
    parts.append(definition("trace", "Every value of the program, one after another.", taken, local, "", body))
    return "\n\n".join(parts), arguments, tuple(writer.recorded)


@dataclass(slots=True)
class _Recorder(Writer):
    """Writes the assignments, and behind each value that is looked for a line that keeps it."""

    record: str = ""
    places: Mapping[Op, Sequence[int]] = field(default_factory=dict)
    recorded: list[int] = field(default_factory=list)

    def _write(self, op: Op, uses: int, is_checked: bool) -> None:
        Writer._write(self, op, uses, is_checked)
        for k in self.places.get(op, ()):
            self.lines.append(f"{INDENT}{self.record}[{k}] = {self.texts[op][0]}")
            self.recorded.append(k)
