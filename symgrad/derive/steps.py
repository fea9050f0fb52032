"""Steps of the same shape: the same expressions but for the names in them. What was found for one serves all.

The layers of a deep net are one step repeated; it is written and proved once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from symgrad.graph.expression import CONSTANT_ROLES, Apply, Contraction, Expr, Leaf, leaf
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.walk import postorder
from symgrad.records import dataclass
from symgrad.rewrite.convert import rebuild, substitute_in
from symgrad.rewrite.display import Reason, Written, display
from symgrad.rewrite.facts import DEEPEST, Facts, is_algebraic
from symgrad.rewrite.symmetry import symmetric_names


@dataclass(frozen=True, slots=True)
class Renamed:
    """Expressions with placeholders for their leaves; `back` leads from a placeholder to the leaf it stands for."""

    roots: tuple[Expr, ...]
    back: Mapping[Expr, Expr]

    def restored(self, lines: Sequence[Written]) -> list[Written]:
        """Lines over the placeholders in the names of this step."""
        held = [e for line in lines for e in _expressions(line)]
        own = dict(zip(held, substitute_in(held, self.back), strict=True))
        return [_over(line, own) for line in lines]


def without_names(roots: Sequence[Expr]) -> Renamed:
    """The expressions with their leaves numbered in the order in which they occur.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> a, b, c = (data(name, n) for name in "abc")
    >>> without_names([a * b]).roots[0] is without_names([b * c]).roots[0]
    True
    """
    back: dict[Expr, Expr] = {}
    renamed: dict[Expr, Expr] = {}
    for node in postorder(roots):
        if not isinstance(node, Leaf):
            renamed[node] = rebuild(node, [*map(renamed.__getitem__, node.children)])
        elif node.role in CONSTANT_ROLES:
            renamed[node] = node
        else:
            new = leaf(f"name{len(back)}", node.shape, node.role, facts=node.facts, value=node.value)
            renamed[node], back[new] = new, node
    return Renamed(tuple([renamed[root] for root in roots]), back)


# A definition of more nodes than this is not looked into when a step is written.
LARGEST_DEFINITION = 20


# Primitives whose results a step may need by name: softmax sums to 1, and what solves a system may come again as A⁻¹ b.
TELLING = frozenset({"softmax", "inv", "solve"})


class Writer:
    """Writes steps by the display normal form, each shape of step once."""

    def __init__(self, definitions: Mapping[Leaf, Expr]) -> None:
        self._definitions = {e: d for e, d in definitions.items() if _is_telling(d)}
        self._leaves = {e: _names_in(d) for e, d in self._definitions.items()}
        # Each definition under the name in it that the fewest definitions hold: there a step looks for it.
        uses = Counter(name for names in self._leaves.values() for name in names)
        self._found_by: dict[Expr, list[Leaf]] = {}
        for e, names in self._leaves.items():
            if names:
                self._found_by.setdefault(min(names, key=lambda name: (uses[name], name.name)), []).append(e)
        self._place = {e: k for k, e in enumerate(self._definitions)}
        self._symmetric = symmetric_names(definitions)
        self._written: dict[tuple[object, ...], list[Written]] = {}

    def lines(self, raw: Expr, upstream: Mapping[Leaf, Expr], *, is_result: bool) -> list[Written]:
        """The lines of a step; `upstream` holds the equations of the cotangents that occur in it."""
        cotangents = list(upstream)
        above = [upstream[c] for c in cotangents]
        known = self._known([raw, *above])
        renamed = without_names([raw, *cotangents, *above, *known, *known.values()])
        symmetric = frozenset(
            new for new, old in renamed.back.items() if old in self._symmetric and isinstance(new, Leaf)
        )
        key = (
            renamed.roots,
            len(cotangents),
            tuple(sorted(e.name for e in symmetric)),
            is_result,
        )
        if key not in self._written:
            head, rest = renamed.roots[0], list(renamed.roots[1:])
            pairs = _paired(rest[: 2 * len(cotangents)])
            facts = Facts(_paired(rest[2 * len(cotangents) :]), symmetric)
            self._written[key] = display(head, pairs, facts, is_result=is_result)
        return renamed.restored(self._written[key])

    def _known(self, roots: Sequence[Expr]) -> dict[Leaf, Expr]:
        """The definitions that a step can use, in the order of the program.

        Those of its names, of the names in these, as deep as facts look, and those made of nothing but its names.
        """
        held = set(postorder(roots))
        near = [e for name in held for e in self._found_by.get(name, ()) if held.issuperset(self._leaves[e])]
        found: dict[Leaf, Expr] = {e: self._definitions[e] for e in near}
        layer: set[Leaf] = set(found) | {e for e in held if isinstance(e, Leaf) and e in self._definitions}
        for _ in range(DEEPEST):
            found |= {e: self._definitions[e] for e in layer}
            layer = {e for name in layer for e in self._leaves[name] if e in self._definitions and e not in found}
        return {e: found[e] for e in sorted(found, key=self._place.__getitem__)}


def _paired(halves: Sequence[Expr]) -> dict[Leaf, Expr]:
    """The first half of a list as names of the second."""
    names, values = halves[: len(halves) // 2], halves[len(halves) // 2 :]
    return {name: value for name, value in zip(names, values, strict=True) if isinstance(name, Leaf)}


def _names_in(e: Expr) -> set[Leaf]:
    return {node for node in postorder([e]) if isinstance(node, Leaf) and node.role not in CONSTANT_ROLES}


def _is_telling(definition: Expr) -> bool:
    """Whether a definition can shorten a step: a softmax, a product, a quotient, a mean or a difference of such.

    A layer's X W + b cannot; left out, it lets all layers of a net be one shape of step.
    """
    order = postorder([definition])
    if len(order) > LARGEST_DEFINITION or isinstance(definition, Leaf):
        return False
    if isinstance(definition, Apply):
        return definition.primitive in TELLING
    mixes = any(isinstance(e, Contraction) and read(e.indices, e.rank).pattern is Pattern.MATMUL for e in order)
    return isinstance(definition, Contraction) or (is_algebraic(definition) and not mixes)


def _expressions(line: Written) -> list[Expr]:
    """What a line and its reason hold."""
    expression, reason = line
    return [expression, *reason.put_in, *(e for _, e in reason.facts), *reason.by]


def _over(line: Written, own: Mapping[Expr, Expr]) -> Written:
    """The line with each expression replaced."""
    expression, reason = line
    put_in = tuple([e for c in reason.put_in if isinstance(e := own[c], Leaf)])
    facts = tuple([(fact, own[e]) for fact, e in reason.facts])
    by = tuple([e for c in reason.by if isinstance(e := own[c], Leaf)])
    return own[expression], Reason(reason.kind, put_in, facts, by)
