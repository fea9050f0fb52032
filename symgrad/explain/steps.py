"""The backward pass in words: for each step why it holds, entry by entry where an order or a transpose has to be seen."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Literal, cast

from symgrad.derive.derivation import Contribution, Equation
from symgrad.derive.differential import differential_of
from symgrad.derive.reverse import cotangent_of, local_derivatives
from symgrad.explain import differential, reasons
from symgrad.explain import differential_sentences as tell
from symgrad.explain import sentences as say
from symgrad.explain.checks import mark_of
from symgrad.explain.document import Block, Display, Heading, Inline, Math, Paragraph, Plain, Row, Sentence
from symgrad.explain.indexproof import index_proof
from symgrad.explain.notes import operand_and_result, told
from symgrad.explain.rules import rule_blocks, top_rules
from symgrad.explain.transposes import facing, transposes
from symgrad.explain.why import line_reason
from symgrad.explain.writing import Writing, equation_number, listed, result_row, shape_tex, step_rows
from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, Role, elementwise, leaf
from symgrad.graph.walk import postorder
from symgrad.notation.index import arrival
from symgrad.primitives.table import PRIMITIVES
from symgrad.prose import Text
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.display import simplify
from symgrad.rewrite.facts import Facts

Detail = Literal["brief", "normal", "full"]


def step_blocks(
    writing: Writing, eq: Equation, number: int | str, detail: Detail, remarks: Sequence[Inline] = ()
) -> Iterator[Block]:
    """A step: its heading, its reasons, its lines. The steps of a family have several numbers, and remarks to begin with."""
    assert eq.variable is not None
    rules = _rules(eq)
    yield Heading(2, _heading(writing, eq, number, rules), mark=mark_of(eq))
    if eq.differential:
        yield from _by_differentials(writing, eq, detail, remarks)
        yield Display(tuple(_lines(writing, eq)))
        return
    proof = index_proof(writing, eq) if detail == "full" else []
    if proof:
        yield from _in_full(writing, eq, proof, remarks)
    else:
        yield from _in_words(writing, eq, rules, detail, remarks)
    yield Display(tuple(_lines(writing, eq)))


def brief_rows(writing: Writing, eq: Equation) -> Iterator[Row]:
    """A step on one line: the derivative as it ends, by which rule, its shape, its number."""
    assert eq.variable is not None
    reason = listed(_names(_rules(eq)), "names")
    own = result_row(writing, eq)
    shape = shape_tex(writing.shape(eq.shape))
    yield replace(own, reason=reason, shape=shape, label=eq.label, mark=mark_of(eq))


def because(writing: Writing, eq: Equation) -> tuple[Inline, ...]:
    """Why the first line of a step is what it is, a sentence each."""
    return (*_reasons(writing, eq), *top_rules(writing, eq))


def _rules(eq: Equation) -> list[str]:
    return list(dict.fromkeys(rule for c in eq.contributions for rule, _ in c.ways)) or ["linearity"]


def _in_words(
    writing: Writing, eq: Equation, rules: list[str], detail: Detail, remarks: Sequence[Inline]
) -> Iterator[Block]:
    """The reasons as sentences, and one line by entries where it is needed; in full detail the rules of one variable."""
    sentences = [*remarks, *_reasons(writing, eq), *(top_rules(writing, eq) if detail == "normal" else ())]
    if sentences:
        yield Paragraph(tuple(sentences))
    by_rules = list(rule_blocks(writing, eq)) if detail == "full" else []
    yield from by_rules
    index_rows = list(_index_rows(writing, eq, rules, detail))
    if index_rows:
        yield Display(tuple(index_rows))
        yield Paragraph((*transposes(writing, writing.lines(eq)[0].expression), _in_matrices(writing, eq)))
    elif by_rules:
        yield Paragraph((Sentence(reasons.ALTOGETHER),))


def _in_full(writing: Writing, eq: Equation, proof: Sequence[Block], remarks: Sequence[Inline]) -> Iterator[Block]:
    """The proof by entries; before it what the entries alone do not say: which function, which primitive."""
    said = [name for name, entry in PRIMITIVES.items() if entry.definition is not None]
    sentences = [*remarks, *_reasons(writing, eq, left_out=("linearity", "contraction", *said))]
    if sentences:
        yield Paragraph(tuple(sentences))
    yield from rule_blocks(writing, eq)
    yield from proof
    if eq.shape:
        by_entries = any(writing.is_by_entries(line.expression) for line in eq.lines)
        turned = [] if by_entries else facing(writing, writing.lines(eq)[0].expression)
        yield Paragraph((*turned, Sentence(reasons.SO_BY_ENTRIES) if by_entries else _so_in_matrices(writing, eq)))


def _in_matrices(writing: Writing, eq: Equation) -> Inline:
    """That matrices follow; in numerator layout also where in them an entry stands."""
    return Sentence(*_place(writing, eq, (say.IN_MATRICES, say.AS_A_ROW, say.IN_MATRICES_TURNED)))


def _so_in_matrices(writing: Writing, eq: Equation) -> Inline:
    texts = (reasons.SO_IN_MATRICES, reasons.SO_AS_A_ROW, reasons.SO_IN_MATRICES_TURNED)
    return Sentence(*_place(writing, eq, texts))


def _place(writing: Writing, eq: Equation, texts: Sequence[Text]) -> tuple[Text, dict[str, Inline]]:
    """The sentence for denominator layout, or for a row or a matrix in numerator layout, with the entry that it names."""
    assert eq.variable is not None
    plain, as_row, as_matrix = texts
    if not writing.is_turned or not eq.variable.rank:
        return plain, {}
    own = writing.indices(eq.variable.shape)
    derivative = rf"\partial {writing.loss}/\partial {writing.entry(eq.variable, own)}"
    if eq.variable.rank == 1:
        return as_row, {"entry": Math(derivative), "column": Math(own[0])}
    return as_matrix, {"entry": Math(derivative), "row": Math(own[1]), "column": Math(own[0])}


def _by_differentials(writing: Writing, eq: Equation, detail: Detail, remarks: Sequence[Inline]) -> Iterator[Block]:
    """The proof by differentials; before it why a primitive's differential is what it is."""
    assert eq.variable is not None
    sentences = [*remarks]
    for c in eq.contributions:
        ways = [replace(c, rule=rule, subject=e) for rule, e in c.ways if rule in PRIMITIVES]
        sentences += [_primitive_reason(writing, way) for way in ways]
    if sentences:
        yield Paragraph(tuple(sentences))
    if detail == "full":
        yield from rule_blocks(writing, eq)
    slopes = {c.label: found for c in eq.contributions if (found := _slopes(writing, eq, c)) is not None}
    yield Display(tuple(differential.rows(writing, eq, slopes)))
    moved = Math(writing.tex(differential_of(eq.variable)))
    yield Paragraph((Sentence(tell.HENCE, {"differential": moved}),))


def _slopes(writing: Writing, eq: Equation, c: Contribution) -> Inline | None:
    """The derivatives of the functions of one variable through which a contribution comes."""
    assert eq.variable is not None
    if all(rule != "elementwise" for rule, _ in c.ways):
        return None
    definition = next(f.expression for f in writing.derivation.forward if f.label == c.label)
    found = [_rule_of(writing, node, argument) for node, argument in _maps_of(definition, eq.variable)]
    known = [Math(rule[1]) for rule in dict.fromkeys(found) if rule is not None]
    return listed(known, "clause") if known else None


def _names(rules: Sequence[str]) -> list[Inline]:
    return [Sentence(say.LAWS[rule] if rule in say.LAWS else PRIMITIVES[rule].about) for rule in rules]


def _heading(writing: Writing, eq: Equation, number: int | str, rules: list[str]) -> Sentence:
    assert eq.variable is not None
    names = _names(rules)
    derivative = Math(writing.derivative(eq.variable, is_inline=True))
    text = say.STEP if isinstance(number, int) else say.STEPS
    shown = Plain(str(number)) if isinstance(number, int) else Math(number)
    return Sentence(text, {"number": shown, "derivative": derivative, "rule": listed(names, "names")})


def _reasons(writing: Writing, eq: Equation, left_out: Collection[str] = ()) -> Iterator[Inline]:
    if len(eq.contributions) > 1:
        numbers = listed([equation_number(c.label) for c in eq.contributions])
        yield Sentence(say.SHARES, {"variable": _math(writing, eq.variable), "equations": numbers})
    # What ends in a colon, or speaks of all ways, comes last.
    ways = [replace(c, rule=rule, subject=e) for c in eq.contributions for rule, e in c.ways]
    said: set[object] = set()
    found: list[Inline] = []
    for c in sorted(ways, key=lambda c: c.rule in PRIMITIVES):
        if c.rule not in left_out and (c.label, c.rule, c.subject if c.rule in PRIMITIVES else None) not in said:
            said.add((c.label, c.rule, c.subject if c.rule in PRIMITIVES else None))
            found.append(_reason(writing, eq, c))
    yield from _said_once(found)


def _said_once(found: Sequence[Inline]) -> Iterator[Inline]:
    """Sentences of which those that say the same of another result than the first name only that."""
    groups: dict[object, list[Sentence]] = {}
    for k, reason in enumerate(found):
        is_same = isinstance(reason, Sentence) and {"x", "y"} <= reason.values.keys()
        key = (reason.text, reason.values["x"]) if isinstance(reason, Sentence) and is_same else k
        groups.setdefault(key, []).append(cast(Sentence, reason))
    for first, *others in groups.values():
        yield first
        if others:
            yield Sentence(say.LIKEWISE, {"results": listed([other.values["y"] for other in others])})


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
    return _primitive_reason(writing, c)


def _primitive_reason(writing: Writing, c: Contribution) -> Inline:
    """What a primitive's entry says of its derivative."""
    target = next(f.target for f in writing.derivation.forward if f.label == c.label)
    whole = any(f.target is target and f.expression is c.subject for f in writing.derivation.forward)
    result = writing.name(target) if whole and target is not writing.derivation.loss else writing.tex(c.subject)
    # With one operand only its result may have no name, K⁻¹; with two it is a product, (K⁻¹ e).
    operands = [_closed(writing, e) for e in c.subject.children]
    result = result if whole or len(operands) == 1 else f"({result})"
    entry = PRIMITIVES[c.rule]
    text = entry.reason_in_rows if writing.is_turned and entry.reason_in_rows is not None else entry.reason
    return told(text, operand_and_result(operands[0], result, *operands[1:2]))


def _closed(writing: Writing, e: Expr) -> str:
    """An expression of which a product or a differential is written: d(K + λ I)."""
    return writing.tex(e) if isinstance(e, Leaf) else f"({writing.tex(e)})"


def _local_reason(writing: Writing, c: Contribution, target: Leaf, values: dict[str, Inline]) -> Inline | None:
    """A primitive's reason with its local derivatives by entries, where it has them and stands under a name."""
    assert isinstance(c.subject, Apply)
    entry, x = PRIMITIVES[c.rule], c.subject.children[0]
    whole = any(f.target is target and f.expression is c.subject for f in writing.derivation.forward)
    if entry.local is None or not isinstance(x, Leaf) or target is writing.derivation.loss or not whole:
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
    found = [_rule_of(writing, node, argument) for node, argument in _maps_of(definition, eq.variable)]
    known = [rule for rule in dict.fromkeys(found) if rule is not None]
    if not known:
        return Sentence(say.ELEMENTWISE_PLAIN, values)
    functions = listed([Math(function) for function, _ in known])
    rules = listed([Math(rule) for _, rule in known], "clause")
    values = {**values, "function": functions, "rule": rules}
    if not eq.variable.shape:
        return Sentence(say.ELEMENTWISE_SCALAR, values)
    own = writing.indices(eq.variable.shape)
    target = next(f.target for f in writing.derivation.forward if f.label == c.label)
    arrived = arrival(c.expression, cotangent_of(target), own, writing.letters)
    if arrived is None or not arrived[1]:
        return Sentence(say.ELEMENTWISE, values)
    reached, summed = arrived
    more = {"reached": Math(writing.entry(target, reached)), "indices": Math(", ".join(summed))}
    return Sentence(say.ELEMENTWISE_SUM, {**values, **more, "entry": Math(writing.entry(eq.variable, own))})


def _maps_of(definition: Expr, variable: Leaf) -> list[tuple[Elementwise, Expr]]:
    """The elementwise functions on the way from a variable to a value, each with the operand through which it acts."""
    order = postorder([definition])
    on_the_way: set[Expr] = {variable}
    for node in order:
        if any(e in on_the_way for e in node.children):
            on_the_way.add(node)
    maps = [node for node in order if isinstance(node, Elementwise) and node in on_the_way]
    return [(node, next(e for e in node.operands if e in on_the_way)) for node in maps]


def _scalar(e: Expr) -> Expr | None:
    """The number, or the named scalar, that an operand is, broadcast or not; None where it is anything else."""
    while isinstance(e, Contraction) and len(e.operands) == 1:
        e = e.operands[0]
    return e if isinstance(e, Leaf) and not e.rank else None


def _rule_of(writing: Writing, node: Elementwise, argument: Expr) -> tuple[str, str] | None:
    """f(u) and (f(u))' = …, from the table; u is the operand that acts, any others are numbers or named scalars."""
    u = leaf(writing.argument, (), Role.DATA)
    operands = [u if e is argument else _scalar(e) for e in node.operands]
    place = next(k for k, e in enumerate(node.operands) if e is argument)
    if any(e is None for e in operands):
        return None
    f = elementwise(node.function, *operands, parameter=node.parameter)
    if not isinstance(f, Elementwise) or (local := local_derivatives(f, f)[place]) is None:
        return None
    derivative = simplify(local, Facts({}))
    function = writing.tex(f)
    if own := re.fullmatch(rf"(\\mathrm\{{\w+\}}|\\[a-zA-Z]+)(\({re.escape(writing.tex(u))}\))", function):
        return function, f"{own[1]}'{own[2]} = {writing.tex(derivative)}"
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
    is_needed = any(rule not in ("linearity", "elementwise") for rule in rules) or _sums(first)
    if any(writing.is_by_entries(line.expression) for line in eq.lines):
        return
    if not eq.variable.shape or not (is_needed or detail == "full") or not _fits_index_form(first):
        return
    own = writing.indices(eq.variable.shape)
    yield writing.entry_row(writing.entry(eq.target, own), first, own)


def _sums(e: Expr) -> bool:
    """Whether an entry of the expression is a sum over an index."""
    return any(i >= e.rank for term in to_form(e).terms for f in term.factors for i in f.indices)


def _fits_index_form(e: Expr) -> bool:
    """Whether an entry of the expression is a formula of entries; inverses of matrices have none that is short."""
    return all(node.kind != "apply" for node in postorder([e]))


def _lines(writing: Writing, eq: Equation) -> Iterator[Row]:
    assert eq.variable is not None
    rows = step_rows(writing, eq)
    for k, (line, own) in enumerate(rows):
        is_last = k == len(rows) - 1
        yield replace(
            own,
            reason=line_reason(writing, line.reason) if k else None,
            shape=shape_tex(writing.shape(eq.shape)) if is_last else "",
            label=eq.label if is_last else None,
            mark=mark_of(eq) if is_last else None,
        )
