"""Derivation → Document: what is given, the way there, the way back, the results, their meaning, the checks, the code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.derive.bound_form import BoundForm
from symgrad.derive.derivation import Derivation, Equation, Proof
from symgrad.derive.entries import shares_of
from symgrad.derive.fold import Declared, Statement, alone, fold_leaves, unfolded
from symgrad.derive.fold import fold as folded
from symgrad.derive.nudge import Nudge
from symgrad.explain import differential
from symgrad.explain import sentences as say
from symgrad.explain.bound import bound_checked, bound_section, expressions_of
from symgrad.explain.checks import DOTS, assigned, checks, digits, parameters_named
from symgrad.explain.document import (
    Block,
    Box,
    Code,
    CodeSpan,
    Display,
    Document,
    Heading,
    Inline,
    Listing,
    Math,
    Paragraph,
    Plain,
    Row,
    Sentence,
    Table,
)
from symgrad.explain.graph import computation_graph
from symgrad.explain.kinks import kinks
from symgrad.explain.notes import FUNCTION_SIGNS, SIGNS, note
from symgrad.explain.numbers import Source as NumbersShown
from symgrad.explain.numbers import in_numbers
from symgrad.explain.passes import backward, forward, statements
from symgrad.explain.steps import Detail
from symgrad.explain.wording import worded
from symgrad.explain.writing import Writing, equation_number, listed, result_row, shape_inline, shortened, writing_of
from symgrad.graph.expression import Apply, Elementwise, Expr, Leaf, Role
from symgrad.graph.numbered import Place
from symgrad.graph.walk import postorder
from symgrad.notation.names import parse_name
from symgrad.notation.pieces import render
from symgrad.notation.scalars import number
from symgrad.primitives.facts import FACTS
from symgrad.primitives.table import PRIMITIVES
from symgrad.prose import Language, Text
from symgrad.records import dataclass

ROLES = {
    Role.DATA: say.DATA,
    Role.LABELS: say.LABELS,
    Role.PARAMETER: say.PARAMETER,
    Role.HYPERPARAMETER: say.HYPERPARAMETER,
}
# The update is written for each of up to this many parameters, and once for all of more.
MOST_UPDATES = 2
# The sample sizes are listed up to this many.
MOST_SIZES = 8
# A program cannot be folded: beside equations that are, one longer than this is not printed.
MOST_LINES_OF_A_FOLDED_PROGRAM = 32


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page is about, besides the derivation: title and text of the user's, numbers, the program."""

    title: Text
    text: Text
    nudge: Nudge | None
    code: str
    # In numerator layout: how it was proved that every line is the transpose of the one that was derived.
    rows: Proof | None = None
    numbers: NumbersShown | None = None
    # The loss and its gradients as they are computed with data bound.
    bound: BoundForm | None = None


def page(
    derivation: Derivation,
    subject: Subject,
    language: Language,
    detail: Detail,
    *,
    fold: bool = True,
    graph: bool = True,
) -> Document:
    """The document of a derivation; what recurs in it is stated once, unless `fold=False`."""
    reading = folded(derivation) if fold else unfolded(derivation)
    writing = writing_of(reading, language, is_turned=subject.rows is not None)
    blocks: list[Block] = opening(subject.text, writing)
    picture = computation_graph(writing) if graph and detail != "brief" else ()
    more = [] if subject.bound is None else expressions_of(subject.bound)
    blocks += [*_given(writing, detail, more), *forward(writing, detail), *picture]
    blocks += [*backward(writing, detail), *_results(writing, detail)]
    if detail != "brief":
        blocks += _meaning(writing, subject.nudge)
    if subject.numbers is not None:
        blocks += in_numbers(writing, subject.numbers)
    if subject.bound is not None:
        blocks += bound_section(writing, subject.bound)
    checked = [bound_checked(writing, subject.bound)] if subject.bound is not None and subject.bound.laws else []
    blocks += checks(writing, subject.rows, checked)
    if detail != "brief" and subject.code:
        blocks += program(writing, subject.code)
    return Document(Plain(subject.title.to(language)), tuple(blocks), language)


def opening(text: Text, writing: Writing) -> list[Block]:
    """What the user says of the model, a paragraph each."""
    parts = text.to(writing.language).split("\n\n")
    return [Paragraph((worded(part, writing.derivation),)) for part in parts if part.strip()]


def equations(derivation: Derivation, language: Language) -> tuple[Block, ...]:
    """The equations alone, forward and backward a line each, and the framed gradients."""
    writing = writing_of(unfolded(derivation), language)
    blocks = [block for section in (forward, backward, _results) for block in section(writing, "brief")]
    return tuple(block for block in blocks if isinstance(block, Display | Box) and block.rows)


def _given(writing: Writing, detail: Detail, more: Sequence[Expr] = ()) -> Iterator[Block]:
    derivation = writing.derivation
    yield Heading(1, Sentence(say.GIVEN))
    header = tuple(Sentence(text) for text in (say.SYMBOL, say.MEANS, say.SHAPE, say.ROLE))
    order = list(ROLES)
    leaves = sorted(derivation.leaves, key=lambda e: order.index(e.role))
    language = writing.language
    is_folded = writing.reading.is_folded
    each = [alone(e, language) for e in leaves]
    declared = fold_leaves(leaves, writing.reading.letter, language) if is_folded else each
    rows = tuple(
        (_symbol(writing, d), _meaning_of(writing, d), shape_inline(d.leaf.shape), Sentence(ROLES[d.leaf.role]))
        for d in declared
    )
    yield Table(header, rows, wide=1)
    derivatives = [Math(writing.derivative(p, is_inline=True)) for p in derivation.parameters]
    values = {
        "derivatives": listed(shortened(derivatives, derivation.parameters, DOTS)),
        "loss": Math(writing.loss),
        "parameters": parameters_named(writing, "or"),
    }
    yield Paragraph((Sentence(say.WANTED, values), convention(writing)))
    signs = notes(writing, detail, more)
    if signs is not None:
        yield Paragraph((signs,))
    assumed = [(eq.target, fact) for eq in derivation.forward for fact in sorted(eq.target.facts)]
    if assumed:
        yield Paragraph(
            (Sentence(say.ASSUMED, {"items": listed([_assumed(writing, *a) for a in assumed], "semicolon")}),)
        )
    conventions = kinks(derivation.forward, derivation.parameters)
    if conventions:
        yield Paragraph((Sentence(say.KINKS), *conventions))


def _assumed(writing: Writing, e: Leaf, fact: str) -> Inline:
    own = FACTS[fact]
    sentence = own.of_vector if own.of_vector is not None and e.rank < 2 else own.sentence
    return Sentence(say.ASSUMED_OF, {"array": Math(writing.name(e)), "fact": Sentence(sentence)})


def convention(writing: Writing) -> Inline:
    """The layout of the page."""
    return Sentence(say.CONVENTION_IN_ROWS if writing.is_turned else say.CONVENTION)


def _symbol(writing: Writing, declared: Declared) -> Inline:
    name = Math(writing.name(declared.leaf))
    if not declared.values:
        return name
    return Sentence(say.CELL, {"symbol": name, "values": Math(writing.values(declared))})


def _about(writing: Writing, parts: Sequence[str | Place]) -> Inline:
    """What the user says of an array; in a family the number that runs along stands as its letter."""
    if len(parts) == 1 and isinstance(parts[0], str):
        return worded(parts[0], writing.derivation)
    names = [f"part{k}" for k in range(len(parts))]
    text = "".join(f"{{{name}}}" for name in names)
    pieces = [worded(part, writing.derivation) if isinstance(part, str) else Math(str(part)) for part in parts]
    return Sentence(Text(en=text, zh=text), dict(zip(names, pieces, strict=True)))


def meaning_of(writing: Writing, e: Leaf) -> Inline:
    """What the user says of an array, its facts, its default."""
    return _meaning_of(writing, alone(e, writing.language))


def _meaning_of(writing: Writing, declared: Declared) -> Inline:
    e = declared.leaf
    parts: list[Inline] = [_about(writing, declared.about)] if any(declared.about) else []
    known = [FACTS[fact] for fact in sorted(e.facts)]
    parts += [
        Sentence(fact.of_vector if fact.of_vector is not None and e.rank < 2 else fact.sentence) for fact in known
    ]
    if isinstance(e.value, Fraction):
        parts.append(Sentence(say.DEFAULT, {"value": Math(_default(e.value))}))
    return Listing(tuple(parts), "semicolon")


def _default(value: Fraction) -> str:
    """A default as it was written: 0.05 where that is exact, else a fraction."""
    decimal = repr(float(value))
    return decimal.removesuffix(".0") if "e" not in decimal and Fraction(decimal) == value else render(number(value))


def notes(writing: Writing, detail: Detail = "normal", more: Sequence[Expr] = ()) -> Inline | None:
    """What the signs in the lines of a derivation mean, and those in `more`."""
    derivation = writing.derivation
    shown = [*(s.equation.expression for s in statements(writing.reading.forward)), *more]
    shown += [line.expression for s in statements(writing.reading.backward) for line in writing.lines(s.equation)]
    shown += [e for s in statements(writing.reading.backward) for e in differential.expressions_of(writing, s.equation)]
    used = frozenset[str]().union(*(writing.signs_printed(e) for e in shown))
    if detail == "full" and any(eq.shape and shares_of(derivation, eq) for eq in derivation.backward):
        used |= {"indicator"}  # [j = q], entry by entry
    if any(
        PRIMITIVES[rule].local
        for eq in derivation.backward
        for c in eq.contributions
        for rule, _ in c.ways
        if rule in PRIMITIVES
    ):
        used |= {"indicator"}  # [j = q] in the reason of a softmax
    known = [*SIGNS.items(), *((key, FUNCTION_SIGNS[key]) for key in _functions_in(shown))]
    items = [note(sign, text) for key, (sign, text) in known if key in used or key in FUNCTION_SIGNS]
    items += _capitals_told(writing)
    return Sentence(say.NOTATION, {"items": Listing(tuple(items), "semicolon")}) if items else None


def _capitals_told(writing: Writing) -> Iterator[Sentence]:
    """Whose entry A_ij is and whose a_ij, for each letter that stays capital in entries."""
    derivation = writing.derivation
    arrays = [e for e in (*derivation.leaves, *(eq.target for eq in derivation.forward)) if e.rank]
    small = {e: parse_name(e.name).entry("i") for e in arrays}
    for letter in sorted(writing.letters.capitals):
        own = [e for e in arrays if parse_name(e.name).base == letter]
        pairs = [(a, b) for a in own for b in arrays if a.name != b.name and small[a] == small[b]]
        for a, b in pairs[:1]:
            of_large, of_small = (Math(writing.entry(e, writing.indices(e.shape))) for e in (a, b))
            names = {"large": Math(writing.name(a)), "small": Math(writing.name(b))}
            yield Sentence(say.CAPITALS, {**names, "of_large": of_large, "of_small": of_small})


def _functions_in(shown: Sequence[Expr]) -> list[str]:
    """The functions that formulas call by name; one that is all of an equation is spelled out there entry by entry."""
    whole = {e for e in shown if isinstance(e, Apply)}
    inside = [e for e in postorder(shown) if e not in whole]
    names = [e.function for e in inside if isinstance(e, Elementwise)]
    names += [e.primitive for e in inside if isinstance(e, Apply) and _is_called(e)]
    return [name for name in FUNCTION_SIGNS if name in names]


def _is_called(e: Apply) -> bool:
    """Whether the name that its note explains is printed: zeros around an array are a matrix of blocks."""
    entry = PRIMITIVES[e.primitive]
    if entry.sign is None or isinstance(entry.latex, str):
        return True
    printed = entry.latex([x.shape for x in e.operands], dict(e.options), str)
    return all(word in printed for word in re.findall(r"\\mathrm\{(\w+)\}", entry.sign[0]))


def _results(writing: Writing, detail: Detail) -> Iterator[Block]:
    yield Heading(1, Sentence(say.RESULTS))
    wanted = set(writing.derivation.parameters)
    results = [s for s in statements(writing.reading.backward) if s.instances[0].variable in wanted]
    yield Box(tuple(_result(writing, s) for s in results))
    yield from stand_ins(writing, [eq.expression for s in results for eq in s.instances])


def stand_ins(writing: Writing, results: Sequence[Expr]) -> Iterator[Block]:
    """Where the cotangents stand that results hold by name."""
    held = {e for e in postorder(results) if _is_cotangent(e)}
    own = statements(writing.reading.backward)
    places = [_stands_in(writing, s.equation) for s in own if any(eq.target in held for eq in s.instances)]
    if places:
        yield Paragraph((Sentence(say.HERE, {"items": listed(places, "clause")}),))


def _is_cotangent(e: Expr) -> bool:
    return isinstance(e, Leaf) and e.role is Role.COTANGENT


def _result(writing: Writing, s: Statement) -> Row:
    eq = s.equation
    assert eq.variable is not None
    plain = result_row(writing, eq)
    if not s.values:
        return plain
    where = rf"\qquad ({writing.values(s)})"
    terms = (*plain.terms[:-1], plain.terms[-1] + where) if plain.terms else ()
    return replace(plain, right=plain.right + where, terms=terms)


def _stands_in(writing: Writing, eq: Equation) -> Inline:
    assert eq.variable is not None
    derivative = Math(writing.derivative(eq.variable, is_inline=True))
    return Sentence(say.STANDS_IN, {"derivative": derivative, "equation": equation_number(eq.label)})


def _meaning(writing: Writing, found: Nudge | None) -> Iterator[Block]:
    yield Heading(1, Sentence(say.MEANING))
    sentences: list[Inline] = [Sentence(say.ALL_ZERO, {"loss": Math(writing.loss)})]
    if found is not None:
        sentences.insert(0, _nudged(writing, found))
    yield Paragraph(tuple(sentences))
    rate = writing.rate
    parameters = writing.derivation.parameters
    if len(parameters) > MOST_UPDATES:
        any_ = writing.any_parameter
        yield Paragraph((Sentence(say.UPDATE_EACH, {"rate": Math(rate), "any": Math(any_)}),))
        slope = rf"\frac{{\partial {writing.loss}}}{{\partial {any_}}}"
        slope = rf"\left({slope}\right)^{{\top}}" if writing.is_turned else slope
        yield Display((Row(any_, rf"{any_} - {rate}\,{slope}", relation=r"\leftarrow"),))
        return
    yield Paragraph((Sentence(say.UPDATE, {"rate": Math(rate)}),))
    rows = [
        Row(writing.name(p), rf"{writing.name(p)} - {rate}\,{writing.update(p)}", relation=r"\leftarrow")
        for p in parameters
    ]
    yield Display(tuple(rows))


def _nudged(writing: Writing, found: Nudge) -> Inline:
    place = [str(k + 1) for k in found.place]
    entry = writing.entry(found.parameter, place)
    values: dict[str, Inline] = {
        "value": Math(f"{writing.loss} = {digits(found.loss)}"),
        "slope": Math(rf"\partial {writing.loss}/\partial {entry} = {digits(found.slope)}"),
        "entry": Math(entry),
        "epsilon": Math(str(float(found.epsilon))),
        "predicted": Math(digits(found.predicted)),
        "actual": Math(digits(found.actual)),
    }
    if not found.sizes:
        return Sentence(say.SCALAR_NUDGE, values)
    return Sentence(say.NUDGE, {**values, "sizes": _sample_sizes(found.sizes)})


def _sample_sizes(sizes: Mapping[str, int]) -> Inline:
    if len(sizes) <= MOST_SIZES:
        return Math(assigned(sizes))
    ends = {"least": Math(str(min(sizes.values()))), "most": Math(str(max(sizes.values())))}
    return Sentence(say.SIZES_BETWEEN, ends)


def _bar(writing: Writing, code: str) -> Iterator[Inline]:
    """What a name of the program means that no equation has."""
    for p in writing.derivation.parameters:
        name = f"{p.name}_bar"
        if re.search(rf"\b{re.escape(name)} = ", code):
            derivative = Math(writing.derivative(p, is_inline=True))
            yield Sentence(say.BAR, {"bar": CodeSpan("_bar"), "name": CodeSpan(name), "derivative": derivative})
            return


def program(writing: Writing, code: str) -> Iterator[Block]:
    """The section with the NumPy source."""
    yield Heading(1, Sentence(say.PROGRAM))
    command = CodeSpan("symgrad compile model.py -o grads.py")
    length = len(code.splitlines())
    if writing.reading.is_folded and length > MOST_LINES_OF_A_FOLDED_PROGRAM:
        yield Paragraph((Sentence(say.LONG_PROGRAM, {"lines": Plain(str(length)), "command": command}),))
        return
    shapes = [Sentence(say.PROGRAM_SHAPES)] if writing.is_turned else []
    yield Paragraph((*_bar(writing, code), Sentence(say.PROGRAM_TEXT, {"command": command}), *shapes))
    yield Code("python", code)
