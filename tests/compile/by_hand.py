"""Derivations built without the derive layer: forward equations by hand, cotangents by a plain reverse sweep.

Nothing is simplified, so that the compiler meets the rawest form of every gradient.
"""

from __future__ import annotations

from symgrad.derive.derivation import Derivation, Equation, Line
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    contraction,
    identity,
    leaf,
    linear,
    number,
)
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.display import Reason, Why


class Hand:
    """Collects forward equations: `Z = hand("Z", X @ W + b)`."""

    def __init__(self):
        self.equations = []

    def __call__(self, name, expression, **options):
        target = leaf(name, expression.shape, Role.INTERMEDIATE, **options)
        self.equations.append(Equation(len(self.equations) + 1, target, expression))
        return target


def derivation(hand, gradients=None, model=None, facts=()):
    """The derivation whose loss is the last equation; gradients by the sweep unless given as {name: expression}."""
    leaves = [e for eq in hand.equations for e in postorder([eq.expression]) if isinstance(e, Leaf)]
    if model is not None:
        leaves += [e for e in postorder([model]) if isinstance(e, Leaf)]
    leaves = list(dict.fromkeys(e for e in leaves if e.role not in CONSTANT_ROLES and e.role is not Role.INTERMEDIATE))
    parameters = tuple(e for e in leaves if e.role is Role.PARAMETER)
    if gradients is None:
        backward = sweep(hand.equations, parameters)
    else:
        known = {e.name: e for e in [*parameters, *(eq.target for eq in hand.equations)]}
        first = len(hand.equations) + 1
        backward = [
            Equation(first + k, bar(known[name]), e, known[name]) for k, (name, e) in enumerate(gradients.items())
        ]
    if facts:
        line = Line(backward[0].expression, Reason(Why.FACT, facts=tuple(facts)))
        first = backward[0]
        backward[0] = Equation(first.label, first.target, first.expression, first.variable, lines=(line,))
    loss = hand.equations[-1].target
    return Derivation(loss, tuple(hand.equations), tuple(backward), parameters, tuple(leaves), model)


def bar(variable):
    return leaf(variable.name, variable.shape, Role.COTANGENT)


def sweep(equations, parameters):
    """Backward equations, in reverse order of the forward ones."""
    label = len(equations)
    backward = []
    seeds = {equations[-1].target: number(1)}
    contributions = {}
    for eq in reversed(equations):
        target = eq.target
        if target in seeds:
            ybar = seeds[target]
        else:
            label += 1
            total = summed(contributions.get(target, []), target.shape)
            backward.append(Equation(label, bar(target), total, target))
            ybar = bar(target)
        for variable, e in pulled_back(eq.expression, ybar).items():
            contributions.setdefault(variable, []).append(e)
    for p in parameters:
        label += 1
        backward.append(Equation(label, bar(p), summed(contributions.get(p, []), p.shape), p))
    return backward


def summed(terms, shape):
    if not terms:
        return contraction([number(0)], [()], shape) if shape else number(0)
    return terms[0] if len(terms) == 1 else linear((1, e) for e in terms)


def pulled_back(root, ybar):
    bars = {root: [ybar]}
    result = {}
    for node in reversed(postorder([root])):
        if node not in bars:
            continue
        total = summed(bars[node], node.shape)
        if isinstance(node, Leaf):
            if node.role in (Role.PARAMETER, Role.INTERMEDIATE):
                result[node] = total
            continue
        for child, e in zip(node.children, pullbacks(node, total), strict=True):
            if e is not None:
                bars.setdefault(child, []).append(e)
    return result


def pullbacks(node, ybar):
    if isinstance(node, Linear):
        return [linear([(c, ybar)]) for c, _ in node.terms]
    if isinstance(node, Contraction):
        return [contraction_pullback(node, k, ybar) for k in range(len(node.operands))]
    if isinstance(node, Elementwise):
        entry = FUNCTIONS[node.function]
        extra = (node.parameter,) if entry.is_family else ()
        assert entry.derivatives is not None
        return [None if d is None else product(ybar, d(node, *node.operands, *extra)) for d in entry.derivatives]
    assert isinstance(node, Apply)
    return list(PRIMITIVES[node.primitive].pullback(ybar, node, node.operands, dict(node.options)))


def product(a: Expr, b: Expr) -> Expr:
    """a·b of one shape; the operator would print both for the error that it does not raise."""
    return contraction((a, b), (tuple(range(a.rank)),) * 2, a.shape) if b.shape == a.shape else a * b


def contraction_pullback(node: Contraction, k: int, ybar: Expr) -> Expr:
    own = node.indices[k]
    operand = node.operands[k]
    fresh = 1000
    place, extra = [], []
    for axis, i in enumerate(own):
        if i in own[:axis]:
            place.append(fresh)
            extra.append((identity(operand.shape[axis]), (i, fresh)))
            fresh += 1
        else:
            place.append(i)
    operands = [ybar, *(e for j, e in enumerate(node.operands) if j != k), *(e for e, _ in extra)]
    indices = [
        tuple(range(node.rank)),
        *(o for j, o in enumerate(node.indices) if j != k),
        *(i for _, i in extra),
    ]
    names = {i: axis for axis, i in enumerate(place)}
    bound = {i: 2000 + n for n, i in enumerate(sorted({i for o in indices for i in o} - set(names)))}
    names.update(bound)
    return contraction(operands, [tuple(names[i] for i in o) for o in indices], operand.shape)
