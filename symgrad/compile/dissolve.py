"""Names dissolved: every equation of a derivation over the user's own leaves, rewritten for stable code.

The graph stays shared, so that nothing grows: what two equations have in common is one node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from symgrad.compile.branches import branch_of, factor_of_branch, is_condition
from symgrad.compile.products import PRODUCT_RULES, better_product
from symgrad.compile.stable import STABLE, Rules, rebuilt, reciprocal_of_norm, stabilise
from symgrad.derive.derivation import Derivation
from symgrad.graph.expression import (
    Apply,
    Elementwise,
    Expr,
    Leaf,
    Role,
    contraction,
    number,
)
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass
from symgrad.rewrite.form import INDICATORS

RULES_WITH_BRANCHES = (*PRODUCT_RULES, (is_condition, factor_of_branch))


def product_rules(e: Expr) -> Expr | None:
    """All rules of products."""
    return better_product(e, RULES_WITH_BRANCHES)


FORWARD: Rules = {
    **STABLE,
    "contraction": (*STABLE["contraction"], product_rules),
    "elementwise": (*STABLE["elementwise"], branch_of),
}
BACKWARD: Rules = {**FORWARD, "elementwise": (*FORWARD["elementwise"], reciprocal_of_norm)}
SYMMETRIC_FACTS = frozenset({"symmetric", "positive_definite"})


Written = tuple[int, str, Expr, Mapping[Expr, Expr]]


# What is checked of an array where a reason says more than the fact's name: y² = y and u = yᵀm of a one-hot y.
CHECKED = {"one_hot_squares": "one_hot", "picks": "one_hot"}


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact that the gradients rest on: of a leaf, as the expression that it stands for, and by what it was declared."""

    fact: str
    name: str
    expression: Expr
    declared: str


@dataclass(frozen=True, slots=True)
class Program:
    """What a derivation computes, without names: roots, and what the page calls each node.

    `written` has, for each equation and the model, its label (0), its name, its expression, and what its parts became.
    """

    loss: Expr
    gradients: Mapping[str, Expr]
    model: Expr | None
    labels: Mapping[Expr, tuple[int, ...]]
    names: Mapping[Expr, str]
    stated: tuple[Stated, ...]
    symmetric: Mapping[Expr, Stated]
    written: tuple[Written, ...]


def dissolve(derivation: Derivation) -> Program:
    """The program of a derivation, over its leaves alone."""
    values: dict[Expr, Expr] = {}
    backward: dict[Expr, Expr] = {}
    labels: dict[Expr, tuple[int, ...]] = {}
    names: dict[Expr, str] = {}
    written: list[Written] = []
    for equations, memo, rules, suffix in (
        (derivation.forward, values, FORWARD, ""),
        (derivation.backward, backward, BACKWARD, "_bar"),
    ):
        memo.update({leaf: e for leaf, e in values.items() if isinstance(leaf, Leaf)})
        for equation in equations:
            e = _rewritten(equation.expression, memo, rules)
            memo[equation.target] = e
            _call(e, equation.name + suffix, equation.label, labels, names)
            written.append((equation.label, equation.name + suffix, equation.expression, memo))
    gradients = {}
    targets = {eq.variable: eq.target for eq in derivation.backward}
    for p in derivation.parameters:
        target = targets.get(p)
        gradients[p.name] = backward[target] if target is not None else _zeros(p)
    symmetric = _symmetric(derivation, values)
    model = None if derivation.model is None else _rewritten(derivation.model, values, FORWARD)
    if derivation.model is not None:
        written.append((0, "model", derivation.model, values))
    stated = tuple(_stated(derivation, {**values, **backward}))
    return Program(values[derivation.loss], gradients, model, labels, names, stated, symmetric, tuple(written))


def _rewritten(root: Expr, memo: dict[Expr, Expr], rules: Rules) -> Expr:
    for node in postorder([root]):
        if not node.children:
            memo.setdefault(node, node)
        elif node not in memo:
            children = [memo[child] for child in node.children]
            memo[node] = stabilise(rebuilt(node, children), rules, children)
    return memo[root]


def _call(e: Expr, name: str, label: int, labels: dict[Expr, tuple[int, ...]], names: dict[Expr, str]) -> None:
    if isinstance(e, Leaf):
        return
    labels[e] = (*labels.get(e, ()), label)
    names.setdefault(e, name)
    if isinstance(e, Apply) and e.primitive == "softmax":
        log = PRIMITIVES["log_softmax"](e.operands[0], axis=e.option("axis"))
        labels.setdefault(log, (label,))
        names.setdefault(log, f"log_{name}")


def _zeros(p: Leaf) -> Expr:
    return contraction([number(0)], [()], p.shape) if p.shape else number(0)


def _stated(derivation: Derivation, values: Mapping[Expr, Expr]) -> Iterable[Stated]:
    """The facts that reasons of backward lines use, and that masks are masks, each once."""
    definitions = {eq.target: eq.expression for eq in derivation.forward}
    reasons = [line.reason for equation in derivation.backward for line in equation.lines]
    used = [(CHECKED.get(fact, fact), e) for reason in reasons for fact, e in reason.facts]
    found = [(fact, of) for fact, e in used for of in _declared(fact, e, definitions)]
    found += [("binary", mask) for mask in _masks(derivation, definitions)]
    for fact, of in dict.fromkeys(found):
        declared = fact if fact in of.facts else min(of.facts & _implied(fact))
        yield Stated(fact, of.name, values.get(of, of), declared)


def _masks(derivation: Derivation, definitions: Mapping[Leaf, Expr]) -> list[Leaf]:
    """The data of 0 and 1 that choose between two values: a derivative is multiplied by them, or by 1 less them."""
    choices = [e for e in postorder(definitions.values()) if isinstance(e, Elementwise) and e.function == "where"]
    by_mask = [(masks, e) for e in choices if (masks := _binary_in(e.children[0], definitions))]
    varying = set[Expr](derivation.parameters)
    for target, expression in definitions.items() if by_mask else ():
        varying |= {target} if varying.intersection(postorder([expression])) else set()
    used = [masks for masks, e in by_mask if varying.intersection(postorder(e.children[1:]))]
    return [mask for masks in used for mask in masks]


def _binary_in(mask: Expr, definitions: Mapping[Leaf, Expr]) -> list[Leaf]:
    """The data by which a mask is 0 or 1; a comparison is so by itself."""
    found, pending, seen = list[Leaf](), [mask], set[Expr]()
    while pending:
        node = pending.pop()
        if node in seen or (isinstance(node, Elementwise) and node.function in INDICATORS):
            continue
        seen.add(node)
        if isinstance(node, Leaf):
            found += [node] if "binary" in node.facts else []
            pending += [definitions[node]] if node in definitions else []
        else:
            pending += node.children[::-1]
    return found


def _implied(fact: str) -> frozenset[str]:
    """The declarations by which an array has a fact: a positive definite matrix is symmetric."""
    return SYMMETRIC_FACTS if fact == "symmetric" else frozenset({fact})


def _declared(fact: str, e: Expr, definitions: Mapping[Leaf, Expr]) -> Iterator[Leaf]:
    """The arrays with the fact by which e has it: itself, or those that a matrix symmetric by definition is made of."""
    implied = _implied(fact)
    pending, seen = [e], set[Expr]()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, Leaf) and node.facts & implied:
            yield node
        elif fact == "symmetric" and node in definitions:
            assert isinstance(node, Leaf)
            pending += [x for x in postorder([definitions[node]]) if isinstance(x, Leaf)][::-1]


def _symmetric(derivation: Derivation, values: Mapping[Expr, Expr]) -> dict[Expr, Stated]:
    """What has a fact that makes it symmetric, among the leaves and what forward equations define; `values` has all of it."""
    found: dict[Expr, Stated] = {}
    leaves = [
        *derivation.leaves,
        *(eq.target for eq in derivation.forward),
        *(e for e in values if isinstance(e, Leaf)),
    ]
    for leaf in leaves:
        held = sorted(leaf.facts & SYMMETRIC_FACTS)
        if held and leaf.role is not Role.PARAMETER:
            e = values.get(leaf, leaf)
            found.setdefault(e, Stated(held[0], leaf.name, e, held[0]))
    return found
