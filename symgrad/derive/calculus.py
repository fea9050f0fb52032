"""The rules of one-variable calculus by name: the derivative of a scalar expression as a tree of the steps that lead to it.

A step is a value: its `derivative` is an expression, made from its children's by the rule alone and simplified by nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import sympy

from symgrad.derive.reverse import local_derivatives
from symgrad.errors import InputError
from symgrad.graph.expression import (
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    add,
    divide,
    elementwise,
    leaf,
    linear,
    multiply,
    number,
    power,
)
from symgrad.graph.walk import postorder
from symgrad.records import dataclass
from symgrad.rewrite.convert import rebuild, substitute
from symgrad.text.from_sympy import from_sympy

# The functions whose rules have names of their own; every other one goes by its name in the table.
NAMED = {"power": "power", "exp": "exponential", "log": "logarithm"}
LINEAR = ("identity", "constant", "constant multiple", "sum")
# Letters of a function's argument: the first that the expression does not use.
ARGUMENTS = ("u", "v", "t", "s", "u1", "u2", "u3", "u4")
SCALARS = frozenset({Role.NUMBER, Role.SIZE, Role.HYPERPARAMETER})


@dataclass(frozen=True, slots=True)
class Rule:
    """d expression / d variable = derivative, by the rule of this name, from the children.

    | name | rule |
    |---|---|
    | identity | x′ = 1 |
    | sum | (f + g)′ = f′ + g′ |
    | constant multiple | (c f)′ = c f′ |
    | product | (f g)′ = f′ g + f g′ |
    | quotient | (f/g)′ = (f′ g - f g′)/g² |
    | power | (uᵃ)′ = a uᵃ⁻¹ |
    | exponential | (eᵘ)′ = eᵘ |
    | logarithm | (log u)′ = 1/u |
    | chain | (f(u))′ = f′(u) u′; children: f by u, and u, for each argument that varies |
    | a function of the table | its own derivative there |
    """

    name: str
    expression: Expr
    variable: Leaf
    derivative: Expr
    children: tuple[Rule, ...] = ()


def differentiate(e: Expr, variable: Leaf) -> Rule:
    """The derivative of a scalar expression by one of its scalar leaves, rule by rule.

    >>> from symgrad.primitives.language import parameter, tanh
    >>> x = parameter("x")
    >>> step = differentiate(tanh(x**2), x)
    >>> step.name, str(step.derivative), [c.name for c in step.children]
    ('chain', '(1 - tanh(x**2)**2) * (2 * x)', ['tanh', 'power'])
    """
    root = opened(e)
    steps: dict[Expr, Rule] = {variable: Rule("identity", variable, variable, number(1))}
    for node in postorder([root]):
        if any(child in steps for child in node.children):
            steps[node] = _step(node, steps, variable)
    return steps.get(root) or Rule("constant", root, variable, number(0))


def opened(e: Expr) -> Expr:
    """The expression with every body given in SymPy written in the model language, as far as that has words for it."""
    new: dict[Expr, Expr] = {}
    for node in postorder([e]):
        rebuilt = rebuild(node, [new[child] for child in node.children])
        new[node] = _opened(rebuilt) if isinstance(rebuilt, Elementwise) and not rebuilt.rank else rebuilt
    return new[e]


def _opened(node: Elementwise) -> Expr:
    if not isinstance(node.parameter, sympy.Lambda):
        return node
    stand_ins = [sympy.Symbol(f"operand{k}", real=True) for k in range(len(node.operands))]
    body = node.parameter.expr.xreplace(dict(zip(node.parameter.variables, stand_ins, strict=True)))
    try:
        converted = from_sympy(body, [])
    except InputError:  # a constant without an exact value, say: the body stays whole
        return node
    leaves: dict[Expr, Expr] = {leaf(s.name, (), Role.DATA): e for s, e in zip(stand_ins, node.operands, strict=True)}
    return substitute(converted, leaves)


def _step(node: Expr, steps: Mapping[Expr, Rule], variable: Leaf) -> Rule:
    if isinstance(node, Linear):
        return _of_sum(node, steps, variable)
    if isinstance(node, Contraction):
        return _of_product(node.operands, node, steps, variable)
    assert isinstance(node, Elementwise)
    return _of_function(node, steps, variable)


def _of_sum(node: Linear, steps: Mapping[Expr, Rule], variable: Leaf) -> Rule:
    """Termwise; a term with a coefficient is a step of its own, unless it is the variable's."""
    parts = [_multiple(c, steps[e], variable) for c, e in node.terms if e in steps]
    if len(node.terms) == 1:
        return parts[0]
    return Rule("sum", node, variable, reduce(add, (p.derivative for p in parts)), tuple(parts))


def _multiple(c: object, step: Rule, variable: Leaf) -> Rule:
    if c == 1:
        return step
    term = linear([(c, step.expression)])  # type: ignore[list-item]  # a Fraction
    return Rule("constant multiple", term, variable, multiply(c, step.derivative), (step,))


def _of_product(operands: Sequence[Expr], node: Expr, steps: Mapping[Expr, Rule], variable: Leaf) -> Rule:
    below = [e for e in operands if _is_reciprocal(e)]
    varying = [e for e in operands if e in steps]
    if any(e in steps for e in below) and len(varying) > 1:
        return _of_quotient(operands, node, steps, variable)
    constant = [e for e in operands if e not in steps]
    if constant:
        inner = steps[varying[0]] if len(varying) == 1 else _of_factors(varying, _product(varying), steps, variable)
        return Rule("constant multiple", node, variable, multiply(_product(constant), inner.derivative), (inner,))
    return _of_factors(varying, node, steps, variable)


def _of_factors(factors: Sequence[Expr], node: Expr, steps: Mapping[Expr, Rule], variable: Leaf) -> Rule:
    """Each factor's derivative times all the others."""
    terms = [
        _product([steps[e].derivative if k == place else e for k, e in enumerate(factors)])
        for place in range(len(factors))
    ]
    children = tuple({id(steps[e]): steps[e] for e in factors}.values())
    return Rule("product", node, variable, reduce(add, terms), children)


def _of_quotient(operands: Sequence[Expr], node: Expr, steps: Mapping[Expr, Rule], variable: Leaf) -> Rule:
    above = [e for e in operands if not (_is_reciprocal(e) and e in steps)]
    below = [_base(e) for e in operands if _is_reciprocal(e) and e in steps]
    f, g = (_part(part, steps, variable) for part in (above, below))
    top = add(multiply(f.derivative, g.expression), multiply(f.expression, g.derivative), -1)
    return Rule("quotient", node, variable, divide(top, _square(g.expression)), (f, g))


def _square(e: Expr) -> Expr:
    if isinstance(e, Elementwise) and e.function == "power":
        return power(e.operands[0], 2 * e.parameter)  # type: ignore[operator]  # a Fraction
    return power(e, 2)


def _part(factors: Sequence[Expr], steps: Mapping[Expr, Rule], variable: Leaf) -> Rule:
    """The step of a numerator or denominator, which is no node of the expression where it has several factors."""
    if not any(e in steps for e in factors):
        return Rule("constant", _product(factors), variable, number(0))
    known = dict(steps)
    for e in factors:
        if e not in known and isinstance(e, Elementwise) and any(child in known for child in e.children):
            known[e] = _of_function(e, known, variable)
    return known[factors[0]] if len(factors) == 1 else _of_product(factors, _product(factors), known, variable)


def _is_reciprocal(e: Expr) -> bool:
    return isinstance(e, Elementwise) and e.function == "power" and e.parameter < 0  # type: ignore[operator]  # a Fraction


def _base(e: Expr) -> Expr:
    """g of 1/g, g² of 1/g²."""
    assert isinstance(e, Elementwise)
    return power(e.operands[0], -e.parameter)  # type: ignore[operator]  # a Fraction


def _product(factors: Sequence[Expr]) -> Expr:
    one: Expr = number(1)
    return reduce(multiply, factors, one)


def _of_function(node: Elementwise, steps: Mapping[Expr, Rule], variable: Leaf) -> Rule:
    name = NAMED.get(node.function, node.function)
    outer = local_derivatives(node, node)
    varying = [k for k, e in enumerate(node.operands) if e in steps and outer[k] is not None]
    terms = [multiply(outer[k], steps[node.operands[k]].derivative) for k in varying]
    derivative = reduce(add, terms) if terms else number(0)
    if all(node.operands[k] is variable for k in varying):
        return Rule(name, node, variable, derivative)
    children: list[Rule] = []
    stand_ins = dict(zip(varying, _arguments(node, len(varying)), strict=True))
    f = elementwise(
        node.function, *(stand_ins.get(k, e) for k, e in enumerate(node.operands)), parameter=node.parameter
    )
    for k, u in stand_ins.items():
        if isinstance(f, Elementwise) and (d := local_derivatives(f, f)[k]) is not None:
            children += [Rule(name, f, u, d), steps[node.operands[k]]]
    return Rule("chain", node, variable, derivative, tuple(children))


def _arguments(e: Expr, count: int) -> list[Leaf]:
    used = {x.name for x in postorder([e]) if isinstance(x, Leaf)}
    free = [name for name in (*ARGUMENTS, *(f"u{k}" for k in range(5, 99))) if name not in used]
    return [leaf(name, (), Role.DATA) for name in free[:count]]


def steps_in_order(rule: Rule) -> list[Rule]:
    """The steps of a tree, each once, what a step rests on before it; without what is plain, and without a chain's parts."""
    found: list[Rule] = []
    seen: set[tuple[Expr, Leaf]] = set()
    stack: list[tuple[Rule, bool]] = [(rule, False)]
    while stack:
        step, is_ready = stack.pop()
        key = step.expression, step.variable
        if is_ready:
            found.append(step)
        elif key not in seen and step.name not in ("identity", "constant"):
            seen.add(key)
            stack.append((step, True))
            inner = step.children[1::2] if step.name == "chain" else step.children
            stack.extend((child, False) for child in reversed(inner))
    return found


def is_composite(rule: Rule) -> bool:
    """Whether more than one rule is needed, and not those of linear expressions alone."""
    steps = steps_in_order(rule)
    curved = [step for step in steps if step.name not in LINEAR]
    return bool(curved) and (len(steps) > 1 or curved[0].name == "chain")


def bodies_of(definition: Expr, variable: Leaf) -> list[tuple[Expr, Leaf]]:
    """The scalar expressions through which a variable acts: the definition itself where all is scalar, else each largest
    function of one entry, with a letter for that entry.

    >>> from symgrad.primitives.language import dims, log, parameter, sum
    >>> z = parameter("z", dims("n"))
    >>> [str(e) for e, _ in bodies_of(sum(log(1 + z**2)), z)]
    ['log(1 + u**2)']
    """
    order = postorder([definition])
    active: set[Expr] = {variable}
    for node in order:
        if any(child in active for child in node.children):
            active.add(node)
    if not any(node.rank for node in active) and all(
        not isinstance(n, Elementwise | Contraction) or _is_scalar(n) for n in active
    ):
        return [(definition, variable)] if all(node.kind != "apply" for node in active) else []
    letter = _arguments(definition, 1)[0]
    entries: dict[Expr, Expr] = {variable: letter}
    for node in order:
        if (entry := _entry(node, entries)) is not None:
            entries[node] = entry
    whole = {node for node in entries if node in active and node is not variable}
    inside = {child for node in whole for child in node.children}
    return [(entries[node], letter) for node in order if node in whole and node not in inside]


def _is_scalar(node: Expr) -> bool:
    return not any(child.rank for child in node.children)


def _entry(node: Expr, entries: Mapping[Expr, Expr]) -> Expr | None:
    """One entry of a node as a function of one entry of the variable; None where other entries, or arrays, take part."""
    if node in entries:
        return entries[node]
    if isinstance(node, Leaf):
        return node if node.role in SCALARS else None
    if node.kind == "apply" or any(child not in entries for child in node.children):
        return None
    inner = [entries[child] for child in node.children]
    if isinstance(node, Linear):
        return linear([(c, e) for (c, _), e in zip(node.terms, inner, strict=True)])
    if isinstance(node, Elementwise):
        return elementwise(node.function, *inner, parameter=node.parameter)
    assert isinstance(node, Contraction)
    full = tuple(range(node.rank))
    is_aligned = all(own in ((), full) for own in node.indices)
    return _product(inner) if is_aligned else None
