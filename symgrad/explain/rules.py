"""Steps of one variable by the named rules of calculus: a line for each, what it rests on before it."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.derive.calculus import Rule, bodies_of, differentiate, is_composite, steps_in_order
from symgrad.derive.derivation import Contribution, Equation
from symgrad.explain import reasons as say
from symgrad.explain.document import Block, Display, Inline, Math, Paragraph, Row, Sentence
from symgrad.explain.writing import Writing, equation_number
from symgrad.graph.expression import Expr, Leaf, Role, leaf
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute

# Rules that a reader of a page in normal detail is told of.
WORTH_A_WORD = ("product", "quotient")


def rule_blocks(writing: Writing, eq: Equation) -> Iterator[Block]:
    """For every use through more than one function: its derivative rule by rule."""
    told: set[str] = set()
    for c in eq.contributions:
        found = _bodies(writing, eq, c)
        if found:
            yield Paragraph((_opening(writing, eq, c, found[0].variable),))
            yield Display(tuple(row for rule in found for row in _rows(writing, rule, told)))


def _opening(writing: Writing, eq: Equation, c: Contribution, letter: Leaf) -> Inline:
    assert eq.variable is not None
    values: dict[str, Inline] = {"equation": equation_number(c.label)}
    if letter is eq.variable:
        return Sentence(say.BY_RULES, values)
    variable = Math(writing.name(eq.variable))
    return Sentence(say.BODY, {**values, "letter": Math(writing.name(letter)), "variable": variable})


def top_rules(writing: Writing, eq: Equation) -> list[Inline]:
    """The one rule that a step turns on, in a sentence, where it is a product's or a quotient's."""
    found = dict.fromkeys(_top(rule).name for c in eq.contributions for rule in _bodies(writing, eq, c))
    return [Sentence(say.BY_THE_RULE, {"rule": Sentence(say.RULES[name][0])}) for name in found if name in WORTH_A_WORD]


def _bodies(writing: Writing, eq: Equation, c: Contribution) -> list[Rule]:
    assert eq.variable is not None
    if c.rule == "linearity":
        return []
    definition = next(f.expression for f in writing.derivation.forward if f.label == c.label)
    found = [differentiate(e, variable) for e, variable in bodies_of(definition, eq.variable)]
    return [rule for rule in found if is_composite(rule)]


def _top(rule: Rule) -> Rule:
    while rule.name == "constant multiple":
        (rule,) = rule.children
    return rule


def _rows(writing: Writing, rule: Rule, told: set[str]) -> Iterator[Row]:
    for step in steps_in_order(rule):
        # What is linear needs no line of its own.
        if step is not rule and not _holds(step.derivative, step.variable):
            continue
        yield Row(
            _left(writing, step),
            writing.tex(step.derivative),
            terms=writing.terms(step.derivative),
            reason=_reason(writing, step, told),
        )


def _left(writing: Writing, step: Rule) -> str:
    variable, text = writing.name(step.variable), writing.tex(step.expression)
    others = {x for x in postorder([step.expression]) if isinstance(x, Leaf) and x.name and x is not step.variable}
    sign = r"\partial" if others else "d"
    fence = (r"\left(", r"\right)") if r"\frac" in text else (r"\bigl(", r"\bigr)")
    return rf"\frac{{{sign}}}{{{sign} {variable}}}{fence[0]}{text}{fence[1]}"


def _holds(e: Expr, variable: Leaf) -> bool:
    return any(node is variable for node in postorder([e]))


def _reason(writing: Writing, step: Rule, told: set[str]) -> Inline:
    """The rule's name; with its formula where it is told for the first time, and what the outer function gives."""
    if step.name not in say.RULES:
        return Sentence(say.OF_FUNCTION, {"function": Math(writing.tex(_of_letter(writing, step)))})
    name, formula = say.RULES[step.name]
    if step.name == "chain":
        outer = step.children[0]
        derivative = Math(_prime(writing, outer.expression, outer.derivative))
        return Sentence(say.CHAIN_WITH, {"rule": Sentence(name), "formula": derivative})
    if step.name in told or not formula:
        return Sentence(name)
    told.add(step.name)
    return Sentence(say.WITH_FORMULA, {"rule": Sentence(name), "formula": Math(formula)})


def _of_letter(writing: Writing, step: Rule) -> Expr:
    """f(u) of a step f(x)."""
    u = leaf(writing.argument, (), Role.DATA)
    return substitute(step.expression, {step.variable: u})


def _prime(writing: Writing, f: Expr, derivative: Expr) -> str:
    text = writing.tex(f)
    fence = (r"\Bigl(", r"\Bigr)") if r"\frac" in text else (r"\bigl(", r"\bigr)") if "(" in text else ("(", ")")
    return f"{fence[0]}{text}{fence[1]}' = {writing.tex(derivative)}"
