"""The computation graph of a derivation: which value is used by which, and where derivatives come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.derive.derivation import Equation
from symgrad.derive.fold import Family, Statement, fold_leaves
from symgrad.explain import graph_sentences as say
from symgrad.explain.document import (
    Arrow,
    Block,
    Figure,
    Graph,
    Group,
    Inline,
    Listing,
    Math,
    Node,
    NodeKind,
    Paragraph,
    Plain,
    Sentence,
)
from symgrad.explain.picture import draw, draw_narrow
from symgrad.explain.writing import Writing, listed
from symgrad.graph.expression import Expr, Leaf, Role
from symgrad.graph.walk import postorder

# A graph of one value says nothing; one of more than this many is no longer read.
FEWEST_EQUATIONS, MOST_NODES = 2, 30


def computation_graph(writing: Writing) -> Iterator[Block]:
    """The picture, or one sentence where it would be too large, or nothing where there is nothing to see."""
    if len(writing.derivation.forward) < FEWEST_EQUATIONS:
        return
    graph = graph_of(writing)
    drawing = draw(graph) if len(graph.nodes) <= MOST_NODES else None
    if drawing is None:
        yield Paragraph((Sentence(say.TOO_LARGE, {"count": Plain(str(len(graph.nodes)))}),))
        return
    groups = [Sentence(say.GROUP, {"values": p.values}) for p in graph.parts if isinstance(p, Group)]
    caption = Sentence(say.CAPTION_OF_GROUPS, {"groups": listed(groups)}) if groups else Sentence(say.CAPTION)
    yield Figure(caption, tuple(words(graph)), drawing, graph, draw_narrow(graph, drawing))


def words(graph: Graph) -> Iterator[Inline]:
    """The graph in sentences, forward and backward."""
    name = {n.key: n.name for n in graph.nodes}
    sources = {n.key: [a for a in graph.arrows if a.target == n.key] for n in graph.nodes}
    for part in graph.parts:
        nodes = part.nodes if isinstance(part, Group) else (part,)
        computed = [
            Sentence(
                say.IS_ANOTHER if n.kind == "shown" else say.COMPUTED,
                {"name": n.name, "sources": listed([name[a.source] for a in sources[n.key]], "names")},
            )
            for n in nodes
            if sources[n.key]
        ]
        if computed and isinstance(part, Group):
            yield Sentence(say.IN_GROUP, {"values": part.values, "items": Listing(tuple(computed), "semicolon")})
        elif computed:
            yield Sentence(say.ALONE, {"item": computed[0]})
    back = [n.derivative for n in reversed(graph.nodes) if n.derivative is not None]
    if back:
        yield Sentence(say.BACK, {"derivatives": listed(back)})


def graph_of(writing: Writing) -> Graph:
    """The nodes of the page's own equations: a family once, with what it uses."""
    reader = _Reader(writing, _families(writing))
    families = [part for part in writing.reading.forward if isinstance(part, Family)]
    for k, family in enumerate(families):
        reader.settle(f"g{k}", family)
    for part in writing.reading.forward:
        if isinstance(part, Family):
            reader.group(f"g{families.index(part)}", part)
        else:
            reader.alone(part.instances[0])
    return Graph(tuple(reader.parts), tuple(dict.fromkeys(reader.arrows)))


@dataclass(slots=True)
class _Reader:
    writing: Writing
    # What a declared array is drawn as where many that differ in a number are drawn once.
    families: Mapping[Leaf, Leaf]
    parts: list[Node | Group] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    # The node of every array; what a group alone uses belongs to the group.
    home: dict[Leaf, str] = field(default_factory=dict)

    def has_derivative(self, leaf: Leaf) -> bool:
        """Whether ∂L/∂(leaf) is computed; that of the loss by itself is 1."""
        derivation = self.writing.derivation
        return leaf is derivation.loss or any(eq.variable is leaf for eq in derivation.backward)

    def leaves(self, e: Expr) -> list[Leaf]:
        """The arrays in an expression, declared or computed, in the order in which they are printed."""
        known = {*self.writing.derivation.leaves, *(eq.target for eq in self.writing.derivation.forward)}
        return [x for x in postorder([e]) if isinstance(x, Leaf) and x in known]

    def node(self, key: str, shown: Leaf, own: Sequence[Leaf], kind: NodeKind, label: int | None = None) -> Node:
        derivative = None
        if kind != "loss" and any(map(self.has_derivative, own)):
            derivative = Math(self.writing.derivative(shown, is_inline=True))
        return Node(key, Math(self.writing.name(shown)), kind, label, derivative)

    def alone(self, eq: Equation) -> None:
        """One equation: its value, what it uses, the arrows between."""
        for e in self.leaves(eq.expression):
            self.ensure(e)
        kind: NodeKind = "loss" if eq.target is self.writing.derivation.loss else "value"
        self.home[eq.target] = eq.target.name
        self.parts.append(self.node(eq.target.name, eq.target, [eq.target], kind, eq.label))
        for e in self.leaves(eq.expression):
            self.arrow(self.home[e], eq.target.name, e)

    def ensure(self, e: Leaf) -> None:
        """A declared array gets its node where it is first used."""
        if e in self.home:
            return
        shown = self.families.get(e, e)
        own = [x for x in self.families if self.families[x] is shown and x not in self.home] or [e]
        self.home |= dict.fromkeys(own, shown.name)
        self.parts.append(self.node(shown.name, shown, own, _kind(e)))

    def arrow(self, source: str, target: str, through: Leaf) -> None:
        self.arrows.append(Arrow(source, target, self.has_derivative(through)))

    def pairs(self, s: Statement) -> dict[Leaf, list[Leaf]]:
        """The arrays of a statement, each with those that it stands for, in order."""
        found: dict[Leaf, list[Leaf]] = {}
        stated = [x for x in postorder([s.equation.expression]) if isinstance(x, Leaf)]
        for eq in s.instances:
            own = [x for x in postorder([eq.expression]) if isinstance(x, Leaf)]
            for a, b in zip(stated, own, strict=True):
                found.setdefault(a, []).append(b)
        known = {*self.writing.derivation.leaves, *(eq.target for eq in self.writing.derivation.forward)}
        return {a: own for a, own in found.items() if own[0] in known}

    def settle(self, key: str, family: Family) -> None:
        """Say of every array that a family computes, or alone declares, that it is at home there."""
        declared = set(self.writing.derivation.leaves)
        for s in family.statements:
            self.home |= {eq.target: f"{key}.{s.equation.name}" for eq in s.instances}
        for s in family.statements:
            for a, own in self.pairs(s).items():
                if len(set(own)) > 1 and declared >= set(own):
                    self.home |= dict.fromkeys(own, f"{key}.{a.name}")

    def group(self, key: str, family: Family) -> None:
        """A family: its values, and inside its frame also what it uses."""
        declared = set(self.writing.derivation.leaves)
        computed = {s.equation.name for s in family.statements}
        nodes: dict[str, Node] = {}
        for s in family.statements:
            target = f"{key}.{s.equation.name}"
            for a, own in self.pairs(s).items():
                source = f"{key}.{a.name}"
                if source not in nodes and a.name not in computed:
                    is_declared = declared >= set(own)
                    nodes[source] = self.node(source, a, own, _kind(own[0]) if is_declared else "shown")
                    outside = [] if is_declared else [e for e in own if not self.home.get(e, "").startswith(f"{key}.")]
                    for e in outside:
                        self.ensure(e)
                        self.arrow(self.home[e], source, e)
                self.arrows.append(Arrow(source, target, any(map(self.has_derivative, own))))
            instances = [eq.target for eq in s.instances]
            nodes[target] = self.node(target, s.equation.target, instances, "value")
        values = Sentence(say.VALUES, {"values": Math(self.writing.values(family))})
        self.parts.append(Group(key, values, tuple(nodes.values())))


def _families(writing: Writing) -> dict[Leaf, Leaf]:
    """The declared arrays that the page's table states once: Y1, Y2, … as Y[t]."""
    reading = writing.reading
    if not reading.is_folded:
        return {}
    leaves = reading.derivation.leaves
    by_role = ([e for e in leaves if e.role is role] for role in Role)
    declared = [d for own in by_role for d in fold_leaves(own, reading.letter, writing.language)]
    return {e: d.leaf for d in declared for e in d.instances}


def _kind(e: Leaf) -> NodeKind:
    return "parameter" if e.role is Role.PARAMETER else "data" if e.role is not Role.INTERMEDIATE else "value"
