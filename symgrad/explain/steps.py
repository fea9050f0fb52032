"""The backward pass in words: for each step why it holds, entry by entry where an order or a transpose has to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from symgrad.derive.derivation import Contribution, Equation
from symgrad.derive.reverse import cotangent_of
from symgrad.explain import sentences as say
from symgrad.explain.document import Block, Display, Heading, Inline, Math, Paragraph, Plain, Row, Sentence
from symgrad.explain.writing import Writing, equation_number, listed, row, shape_tex
from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, Role, elementwise, leaf
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.walk import postorder
from symgrad.notation.index import arrival
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.display import Reason, Why, simplify
from symgrad.rewrite.facts import Facts

Detail = Literal["brief", "normal", "full"]


def step_blocks(
    writing: Writing, eq: Equation, number: int | str, detail: Detail, remarks: Sequence[Inline] = ()
) -> Iterator[Block]:
    """A step: its heading, its reasons, its lines. The steps of a family have several numbers, and remarks to begin with."""
    assert eq.variable is not None
    rules = list(dict.fromkeys(c.rule for c in eq.contributions)) or ["linearity"]
    yield Heading(2, _heading(writing, eq, number, rules))
    if detail != "brief":
        because = [*remarks, *_reasons(writing, eq)]
        if because:
            yield Paragraph(tuple(because))
        index_rows = list(_index_rows(writing, eq, rules, detail))
        if index_rows:
            yield Display(tuple(index_rows))
            yield Paragraph((*_transposes(writing, eq.lines[0].expression), Sentence(say.IN_MATRICES)))
    elif remarks:
        yield Paragraph(tuple(remarks))
    yield Display(tuple(_lines(writing, eq, detail)))


def _heading(writing: Writing, eq: Equation, number: int | str, rules: list[str]) -> Sentence:
    assert eq.variable is not None
    names = [Sentence(say.LAWS[rule] if rule in say.LAWS else PRIMITIVES[rule].about) for rule in rules]
    derivative = Math(writing.derivative(eq.variable, is_inline=True))
    text = say.STEP if isinstance(number, int) else say.STEPS
    shown = Plain(str(number)) if isinstance(number, int) else Math(number)
    return Sentence(text, {"number": shown, "derivative": derivative, "rule": listed(names)})


def _reasons(writing: Writing, eq: Equation) -> Iterator[Inline]:
    if len(eq.contributions) > 1:
        numbers = listed([equation_number(c.label) for c in eq.contributions])
        yield Sentence(say.SHARES, {"variable": _math(writing, eq.variable), "equations": numbers})
    for c in eq.contributions:
        yield _reason(writing, eq, c)


def _math(writing: Writing, variable: Leaf | None) -> Math:
    assert variable is not None
    return Math(writing.name(variable))


def _reason(writing: Writing, eq: Equation, c: Contribution) -> Inline:
    variable = _math(writing, eq.variable)
    target = next(f.target for f in writing.derivation.forward if f.label == c.label)
    values: dict[str, Inline] = {
        "equation": equation_number(c.label),
        "variable": variable,
        "target": Math(writing.name(target)),
    }
    if c.rule == "linearity":
        return Sentence(say.LINEARITY, values)
    if c.rule == "elementwise":
        return _elementwise_reason(writing, eq, c, values)
    if c.rule == "contraction":
        return _contraction_reason(writing, eq, c, target, values)
    if (local := _local_reason(writing, c, target, values)) is not None:
        return local
    x = c.subject.children[0]
    result = Math(writing.name(target)) if target is not writing.derivation.loss else Math(writing.tex(c.subject))
    return Sentence(PRIMITIVES[c.rule].reason, {"x": Math(writing.tex(x)), "y": result})


def _local_reason(writing: Writing, c: Contribution, target: Leaf, values: dict[str, Inline]) -> Inline | None:
    """A primitive's reason with its local derivatives by entries, where it has them and stands under a name."""
    assert isinstance(c.subject, Apply)
    entry, x = PRIMITIVES[c.rule], c.subject.children[0]
    if entry.local is None or not isinstance(x, Leaf) or target is writing.derivation.loss:
        return None
    found = entry.local(target, dict(c.subject.options))
    if found is None:
        return None
    jacobian, text = found
    own = writing.indices(x.shape)
    (other,) = writing.indices(x.shape[-1:], beside=own)
    x_entry, y_entry = writing.entry(x, own), writing.entry(target, [*own[:-1], other])
    entries = writing.entry_form(jacobian, [*own[:-1], other, own[-1]])
    formula = rf"\partial {y_entry}/\partial {x_entry} = {entries}"
    more = {
        "x_entry": Math(x_entry),
        "y_entry": Math(y_entry),
        "local": Math(formula),
        "loss": Math(writing.loss),
    }
    return Sentence(text, {**values, **more})


def _elementwise_reason(writing: Writing, eq: Equation, c: Contribution, values: dict[str, Inline]) -> Inline:
    """The functions of one variable through which the variable acts, each with its derivative."""
    assert eq.variable is not None
    definition = next(f.expression for f in writing.derivation.forward if f.label == c.label)
    found = [_rule_of(writing, node) for node in _maps_of(definition, eq.variable)]
    known = [rule for rule in dict.fromkeys(found) if rule is not None]
    if not known:
        return Sentence(say.ELEMENTWISE_PLAIN, values)
    functions = listed([Math(function) for function, _ in known])
    rules = listed([Math(rule) for _, rule in known])
    text = say.ELEMENTWISE if eq.variable.shape else say.ELEMENTWISE_SCALAR
    return Sentence(text, {**values, "function": functions, "rule": rules})


def _maps_of(definition: Expr, variable: Leaf) -> list[Elementwise]:
    """The elementwise functions on the way from a variable to a value."""
    order = postorder([definition])
    on_the_way: set[Expr] = {variable}
    for node in order:
        if any(e in on_the_way for e in node.children):
            on_the_way.add(node)
    return [node for node in order if isinstance(node, Elementwise) and node in on_the_way]


def _rule_of(writing: Writing, node: Elementwise) -> tuple[str, str] | None:
    """f(u) and (f(u))' = …, from the table."""
    entry = FUNCTIONS[node.function]
    if entry.derivatives is None or len(node.operands) > 1 or entry.derivatives[0] is None:
        return None
    u = leaf("u", (), Role.DATA)
    extra = (node.parameter,) if entry.is_family else ()
    f = elementwise(node.function, u, parameter=node.parameter)
    derivative = simplify(entry.derivatives[0](f, u, *extra), Facts({}))
    function = writing.tex(f)
    fence = (r"\Bigl(", r"\Bigr)") if r"\frac" in function else ("(", ")")
    return function, f"{fence[0]}{function}{fence[1]}' = {writing.tex(derivative)}"


def _contraction_reason(
    writing: Writing, eq: Equation, c: Contribution, target: Leaf, values: dict[str, Inline]
) -> Inline:
    assert eq.variable is not None
    own = writing.indices(eq.variable.shape)
    entry = Math(writing.entry(eq.variable, own))
    values = {**values, "entry": entry}
    found = arrival(c.expression, cotangent_of(target), own, writing.letters)
    if target is writing.derivation.loss or found is None:
        return Sentence(say.CONTRACTION_LOSS, values)
    reached, summed = found
    values = {**values, "reached": Math(writing.entry(target, reached))}
    if not summed:
        return Sentence(say.CONTRACTION_SINGLE, values)
    return Sentence(say.CONTRACTION, {**values, "indices": Math(", ".join(summed))})


def _index_rows(writing: Writing, eq: Equation, rules: list[str], detail: Detail) -> Iterator[Row]:
    """The step entry by entry, where it holds a sum or a transpose; in full detail always."""
    assert eq.variable is not None
    first = eq.lines[0].expression
    is_needed = any(rule not in ("linearity", "elementwise") for rule in rules)
    if not eq.variable.shape or not (is_needed or detail == "full") or not _fits_index_form(first):
        return
    own = writing.indices(eq.variable.shape)
    yield writing.entry_row(writing.entry(eq.target, own), first, own)


def _transposes(writing: Writing, e: Expr) -> list[Inline]:
    """Why a matrix stands transposed at an end of a product: the sum runs over the index that faces away."""
    found: dict[Expr, Inline] = {}
    for node in postorder([e]):
        if not isinstance(node, Contraction) or read(node.indices, node.rank).pattern is not Pattern.MATMUL:
            continue
        left, right = node.operands
        for side, text in ((left, say.TRANSPOSED_LEFT), (right, say.TRANSPOSED_RIGHT)):
            core = side.children[0] if isinstance(side, Contraction) and side.indices == ((1, 0),) else None
            if isinstance(core, Leaf):
                found.setdefault(core, Sentence(text, {"array": Math(writing.tex(core))}))
    return list(found.values()) if len(found) == 1 else []


def _fits_index_form(e: Expr) -> bool:
    """Whether an entry of the expression is a formula of entries; inverses of matrices have none that is short."""
    return all(node.kind != "apply" for node in postorder([e]))


def _lines(writing: Writing, eq: Equation, detail: Detail) -> Iterator[Row]:
    assert eq.variable is not None
    left = writing.derivative(eq.variable)
    lines = eq.lines if detail != "brief" else eq.lines[-1:]
    for k, line in enumerate(lines):
        is_last = k == len(lines) - 1
        reason = line_reason(writing, line.reason) if k or detail == "brief" else None
        yield row(
            writing,
            left if k == 0 else "",
            line.expression,
            reason=reason,
            shape=shape_tex(eq.shape) if is_last else "",
            label=eq.label if is_last else None,
        )


def line_reason(writing: Writing, reason: Reason) -> Inline | None:
    """Why a line follows from the one before it."""
    if reason.kind is Why.PUT_IN:
        numbers = [
            equation_number(eq.label) for c in reason.put_in for eq in writing.derivation.backward if eq.target is c
        ]
        return Sentence(say.PUT_IN, {"equations": listed(numbers)})
    if reason.kind is Why.CANCEL:
        return Sentence(say.CANCEL)
    if reason.kind is Why.MULTIPLY_OUT:
        return Sentence(say.MULTIPLY_OUT)
    if reason.kind is Why.FACT:
        return listed([_fact(writing, fact, array) for fact, array in reason.facts])
    return None


def _fact(writing: Writing, fact: str, array: Expr) -> Inline:
    is_sum = fact in ("one_hot", "softmax")
    texts = {"symmetric": say.IS_SYMMETRIC, "sign": say.SQUARES_TO_ONE, "binary": say.SQUARES_TO_ITSELF}
    text = texts[fact] if not is_sum else say.ROWS_SUM_TO_ONE if array.rank > 1 else say.ENTRIES_SUM_TO_ONE
    return Sentence(text, {"array": Math(writing.tex(array))})
