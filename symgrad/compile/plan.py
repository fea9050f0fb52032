"""A plan: the operations that give the wanted values, each done once, keyed to the equations that they serve.

Only what a wanted value needs is planned. A backend prints a plan; it decides nothing about mathematics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import field
from fractions import Fraction

from symgrad.compile.arrays import Array
from symgrad.compile.contract import Contractor
from symgrad.compile.dissolve import Program, Stated
from symgrad.compile.flat import Flat, Sharing, flatten, is_scaled, sharing
from symgrad.compile.operations import Op, Operations, Type
from symgrad.compile.order import Indices
from symgrad.compile.stable import WHOLE, is_primitive, is_reciprocal, power_of
from symgrad.graph.expression import Apply, Elementwise, Expr, Leaf, Linear, Role, Shape
from symgrad.graph.sizes import Size
from symgrad.records import dataclass

Labels = tuple[int, ...]
PAIRED = frozenset({"softmax", "log_softmax"})
# Views cost nothing and are never given a name.
VIEWS = frozenset(
    {"argument", "local", "number", "size", "permute", "expand", "broadcast", "squeeze", "diagonal", "item"}
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`outputs` by name; for each operation what the page calls it and the equations that it computes."""

    outputs: Mapping[str, Op]
    names: Mapping[Op, str]
    labels: Mapping[Op, Labels]
    checks: tuple[tuple[Stated, Op], ...]
    ops: Operations


def make_plan(program: Program, wanted: Mapping[str, Expr], *, stated: bool = False) -> Plan:
    """The plan of the wanted expressions; with `stated`, of the facts that gradients rest on, too."""
    facts = program.stated if stated else ()
    roots = [*(s.expression for s in facts), *wanted.values()]
    planner = _Planner(program, sharing(roots, program.labels))
    planner.lower(planner.order(roots))
    return planner.plan(wanted, facts)


def loss_and_whole(program: Program) -> tuple[Plan, Plan]:
    """The plan of the loss alone, and that of loss and gradients with the facts that they rest on.

    The second has most of the first in it: what both multiply out in the same way is planned once.
    """
    loss = {"": program.loss}
    roots = [*(s.expression for s in program.stated), program.loss, *program.gradients.values()]
    first = _Planner(program, sharing([program.loss], program.labels))
    second = _Planner(program, sharing(roots, program.labels))
    order = first.order([program.loss])
    apart = first.apart(second)
    first.lower([node for node in order if node not in apart])
    second.take_up(first, apart)
    first.lower(order)
    second.lower(second.order(roots))
    return first.plan(loss, ()), second.plan({**loss, **program.gradients}, program.stated)


@dataclass(slots=True)
class _Planner:
    """Lays the nodes of some roots flat (`flats`), then gives each its operation (`values`)."""

    program: Program
    shared: Sharing
    ops: Operations = field(default_factory=Operations)
    values: dict[Expr, Op] = field(default_factory=dict)
    names: dict[Op, str] = field(default_factory=dict)
    labels: dict[Op, Labels] = field(default_factory=dict)
    paired: set[tuple[Expr, object]] = field(default_factory=set)
    flats: dict[Expr, list[Flat]] = field(default_factory=dict)
    # The products of two arrays that have been made.
    known: dict[object, tuple[Op, Indices]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.paired = _pairs(self.shared.uses)

    def lower(self, order: Iterable[Expr]) -> None:
        """Operations for these nodes, operands first, where there is none yet."""
        contractor = Contractor(self.ops, self.known)
        for node in order:
            if node in self.values:
                continue
            op = self._lowered(node, contractor)
            self.values[node] = op
            if node in self.program.symmetric:
                self.ops.symmetric.add(op)
            self._call(op, node)

    def plan(self, wanted: Mapping[str, Expr], facts: Iterable[Stated]) -> Plan:
        """The plan of expressions that have operations."""
        outputs = {name: self.output(e) for name, e in wanted.items()}
        checks = {(s.fact, s.name): (s, self.values[s.expression]) for s in facts}
        for e, s in self.program.symmetric.items():
            if self.values.get(e) in self.ops.used_symmetry:
                checks.setdefault((s.fact, s.name), (s, self.values[e]))
        return Plan(outputs, self.names, self.labels, tuple(checks.values()), self.ops)

    def apart(self, other: _Planner) -> set[Expr]:
        """The nodes of this one that another one, which has more of them, lays flat otherwise or pairs otherwise."""
        found: set[Expr] = set()
        for node in self.shared.uses:
            is_alike = self.shared.is_alike(node, other.shared)
            if isinstance(node, Apply) and node.primitive in PAIRED:
                key = node.operands[0], node.options
                is_alike &= (key in self.paired) == (key in other.paired)
            if not is_alike or any(x in found for x in node.children):
                found.add(node)
        return found

    def take_up(self, begun: _Planner, apart: Set[Expr]) -> None:
        """Go on from where another one is that has lowered nothing but what both lower alike."""
        self.ops = begun.ops.copy()
        self.values, self.names, self.labels, self.known = (
            dict(begun.values), dict(begun.names), dict(begun.labels), dict(begun.known),
        )  # fmt: skip
        self.flats = {node: flats for node, flats in begun.flats.items() if node not in apart}

    def output(self, e: Expr) -> Op:
        """The operation of a wanted expression; a truth value is a number there."""
        op = self.values[e]
        return op if op.type is Type.SCALAR else self.ops.floating(op)

    def order(self, roots: Iterable[Expr]) -> list[Expr]:
        """The nodes that become operations, operands first; products have been laid flat."""
        order: list[Expr] = []
        seen: set[Expr] = set()
        stack = [(root, False) for root in list(roots)[::-1]]
        while stack:
            node, is_done = stack.pop()
            if is_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                needed = self._needed(node)
                stack += [(e, False) for e in reversed(needed) if e not in seen]
        return order

    def _needed(self, node: Expr) -> list[Expr]:
        flats = self.flats.get(node)
        if flats is None:
            if is_scaled(node):
                flats = [flatten(node, self.shared)]
            elif isinstance(node, Linear):
                flats = [_scaled_term(c, e, self.shared) for c, e in node.terms]
            else:
                return list(node.children)
            self.flats[node] = flats
        return [_base(e) for flat in flats for e in flat.operands]

    def _call(self, op: Op, node: Expr) -> None:
        """Note the page's name and labels of a node on its operation, or on what the operation looks at."""
        flats = self.flats.get(node, ())
        spliced = tuple(label for flat in flats for label in flat.labels)
        is_itself = True
        while op.kind in ("broadcast", "expand", "permute"):
            op, is_itself = op.args[0], False
        own = self.program.labels.get(node, ())
        if op.kind in VIEWS and op.kind != "item":
            return
        if own or spliced:
            self.labels[op] = tuple(sorted({*self.labels.get(op, ()), *own, *spliced}))
        if node in self.program.names and is_itself:
            self.names.setdefault(op, self.program.names[node])

    def _lowered(self, node: Expr, contractor: Contractor) -> Op:
        if isinstance(node, Leaf):
            return self._leaf(node)
        if isinstance(node, Elementwise):
            operands = [self.values[e] for e in node.operands]
            return self._function(node.function, node.parameter, operands, node.shape)
        if isinstance(node, Apply):
            return self._primitive(node)
        terms = [self._product(flat, contractor) for flat in self.flats[node]]
        if len(terms) == 1:
            coefficient, factors, own = terms[0]
            return self.ops.stretched(self.ops.product(coefficient, factors), own, node.shape)
        return self._total(terms, node.shape)

    def _leaf(self, node: Leaf) -> Op:
        if isinstance(node.value, Fraction) and node.role is Role.NUMBER:
            return self.ops.product(node.value, ())
        if node.role is Role.SIZE:
            assert isinstance(node.value, Size)
            return self.ops.size(node.value)
        if node.role is Role.IDENTITY:
            return self.ops.make("eye", (), None, node.shape)
        if node.role is Role.WINDOW:
            return self.ops.make("window", (), None, node.shape)
        is_scalar, is_whole = node.role is Role.HYPERPARAMETER, node.role is Role.LABELS
        kind = Type.SCALAR if is_scalar else Type.WHOLE if is_whole else Type.FLOATING
        return self.ops.make("argument", (), node.name, node.shape, kind)

    def _primitive(self, node: Apply) -> Op:
        operands = [self.values[e] for e in node.operands]
        if node.primitive == "solve":
            return self.ops.solve(*operands)
        if (node.operands[0], node.options) in self.paired and node.primitive in PAIRED:
            pair = self.ops.make("pair", [self.ops.floating(operands[0])], node.options, node.shape)
            return self.ops.make("item", (pair,), int(node.primitive == "log_softmax"), node.shape)
        return self.ops.primitive(node.primitive, node.options, operands, node.shape)

    def _function(self, name: str, parameter: object, operands: Sequence[Op], shape: Shape) -> Op:
        placed = [_looked_through(x) for x in operands]
        union = sorted({k for _, own in placed for k in own})
        args = [self.ops.aligned(x, [union.index(k) for k in own], len(union)) for x, own in placed]
        return self.ops.stretched(self.ops.function(name, parameter, args), union, shape)

    def _total(self, terms: Sequence[tuple[Fraction, list[tuple[Op, bool]], list[int]]], shape: Shape) -> Op:
        """Σ of products, broadcast against each other."""
        union = sorted({k for _, _, own in terms for k in own})
        summands = []
        for c, factors, own in terms:
            # A number among the factors takes the coefficient along: x/(2n) is one division.
            inside, before = (abs(c), WHOLE if c.numerator > 0 else -WHOLE) if len(factors) > 1 else (WHOLE, c)
            op = self.ops.product(inside, factors)
            op = self.ops.aligned(op, [union.index(k) for k in own], len(union))
            summands.append((before, op))
        return self.ops.stretched(self.ops.total(summands), union, shape)

    def _product(self, flat: Flat, contractor: Contractor) -> tuple[Fraction, list[tuple[Op, bool]], list[int]]:
        """(coefficient, factors, the axes of the result that they have) of a product laid flat."""
        arrays = [self._array(e, own) for e, own in zip(flat.operands, flat.indices, strict=True)]
        result = tuple(range(len(flat.shape)))
        found = contractor.contract(arrays, result, flat.sizes)
        factors: list[tuple[Op, bool]] = []
        own: list[int] = []
        for a in found:
            op, is_divisor = (contractor.plain(a), False) if a.is_inverse else (a.op, a.is_divisor)
            if a.indices:
                own = sorted(a.indices)
                op = self.ops.permute(op, [a.indices.index(i) for i in own])
            factors.append((op, is_divisor))
        return flat.coefficient, factors, own

    def _array(self, e: Expr, own: tuple[int, ...]) -> Array:
        if is_primitive(e, "inv"):
            return Array(self.values[e.children[0]], own, is_inverse=True)
        if not is_reciprocal(e):
            return Array(self.values[e], own)
        base, exponent = power_of(e)
        op = self.values[base]
        if exponent != -1:
            op = self._function("power", -exponent, [op], base.shape)
        return Array(op, own, is_divisor=True)


def _pairs(nodes: Iterable[Expr]) -> set[tuple[Expr, object]]:
    """softmax(z) and log_softmax(z) that are both needed come from one exponential."""
    seen: dict[tuple[Expr, object], set[str]] = {}
    for node in nodes:
        if isinstance(node, Apply) and node.primitive in PAIRED:
            seen.setdefault((node.operands[0], node.options), set()).add(node.primitive)
    return {key for key, found in seen.items() if found == PAIRED}


def _scaled_term(c: Fraction, e: Expr, shared: Sharing) -> Flat:
    if is_scaled(e) and e in shared.spliced:
        flat = flatten(e, shared)
        labels = (*shared.labels.get(e, ()), *flat.labels)
        both = c if flat.coefficient is WHOLE else c * flat.coefficient
        return Flat(both, flat.operands, flat.indices, flat.shape, flat.sizes, labels)
    if isinstance(e, Leaf) and isinstance(e.value, Fraction) and e.role is Role.NUMBER:
        return Flat(c * e.value, (), (), (), {})
    return Flat(c, (e,), (tuple(range(e.rank)),), e.shape, dict(enumerate(e.shape)))


def _base(e: Expr) -> Expr:
    """What has to be computed for a factor: x for 1/x, A for A⁻¹."""
    return e.children[0] if is_reciprocal(e) or is_primitive(e, "inv") else e


def _looked_through(x: Op) -> tuple[Op, tuple[int, ...]]:
    """What is repeated to give `x`, and which axes it has."""
    return (x.args[0], x.data) if x.kind == "broadcast" else (x, tuple(range(x.rank)))
