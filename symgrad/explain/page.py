"""Derivation → Document: what is given, the way there, the way back, the results, their meaning, the checks, the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symgrad.derive.derivation import Derivation, Equation, Line, Proof, Verdict
from symgrad.derive.entries import shares_of
from symgrad.derive.nudge import Nudge
from symgrad.explain import sentences as say
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
from symgrad.explain.notes import SIGNS
from symgrad.explain.steps import Detail, brief_rows, step_blocks
from symgrad.explain.writing import Writing, equation_number, equation_rows, listed, shape_inline, shape_tex, writing_of
from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, Linear, Role
from symgrad.graph.walk import postorder
from symgrad.notation.pieces import render
from symgrad.notation.scalars import number
from symgrad.primitives.facts import FACTS
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.prose import Language

ROLES = {
    Role.DATA: say.DATA,
    Role.LABELS: say.LABELS,
    Role.PARAMETER: say.PARAMETER,
    Role.HYPERPARAMETER: say.HYPERPARAMETER,
}
# The way of the chain rule is written out up to this many values; in a deep net it is a pattern.
LONGEST_PATH = 14
# The update is written for each of up to this many parameters, and once for all of more.
MOST_UPDATES = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page is about, besides the derivation: title and text of the user's, numbers, the program."""

    title: str
    text: str
    nudge: Nudge | None
    code: str


def page(derivation: Derivation, subject: Subject, language: Language, detail: Detail) -> Document:
    """The document of a derivation."""
    writing = writing_of(derivation, language)
    blocks: list[Block] = [Paragraph((Plain(part),)) for part in subject.text.split("\n\n") if part.strip()]
    for section in (_given, _forward, _backward, _results):
        blocks += section(writing, detail)
    if detail != "brief":
        blocks += _meaning(writing, subject.nudge)
    blocks += _checks(writing)
    if detail != "brief" and subject.code:
        blocks += program(subject.code)
    return Document(Plain(subject.title), tuple(blocks), language)


def equations(derivation: Derivation, language: Language) -> tuple[Block, ...]:
    """The equations alone, forward and backward a line each, and the framed gradients."""
    writing = writing_of(derivation, language)
    blocks = [block for section in (_forward, _backward, _results) for block in section(writing, "brief")]
    return tuple(block for block in blocks if isinstance(block, Display | Box) and block.rows)


def _given(writing: Writing, detail: Detail) -> Iterator[Block]:
    derivation = writing.derivation
    yield Heading(1, Sentence(say.GIVEN))
    header = tuple(Sentence(text) for text in (say.SYMBOL, say.MEANS, say.SHAPE, say.ROLE))
    order = list(ROLES)
    leaves = sorted(derivation.leaves, key=lambda e: order.index(e.role))
    rows = tuple((Math(writing.name(e)), meaning_of(e), shape_inline(e.shape), Sentence(ROLES[e.role])) for e in leaves)
    yield Table(header, rows, wide=1)
    derivatives = [Math(writing.derivative(p, is_inline=True)) for p in derivation.parameters]
    names = listed([Math(writing.name(p)) for p in derivation.parameters], "or")
    values = {"derivatives": listed(derivatives), "loss": Math(writing.loss), "parameters": names}
    yield Paragraph((Sentence(say.WANTED, values), Sentence(say.CONVENTION)))
    signs = notes(writing, detail)
    if signs is not None:
        yield Paragraph((signs,))
    conventions = kinks(derivation)
    if conventions:
        yield Paragraph((Sentence(say.KINKS), *conventions))


def meaning_of(e: Leaf) -> Inline:
    """What the user says of an array, its facts, its default."""
    parts: list[Inline] = [Plain(e.about)] if e.about else []
    parts += [Sentence(FACTS[fact].sentence) for fact in sorted(e.facts)]
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
    shown = [*(eq.expression for eq in derivation.forward), *more]
    shown += [line.expression for eq in derivation.backward for line in eq.lines]
    used = frozenset[str]().union(*(writing.signs_printed(e) for e in shown))
    if detail == "full" and any(eq.shape and shares_of(derivation, eq) for eq in derivation.backward):
        used |= {"indicator"}  # [j = q], entry by entry
    items = [Sentence(text, {"sign": Math(sign)}) for key, (sign, text) in SIGNS.items() if key in used]
    return Sentence(say.NOTATION, {"items": Listing(tuple(items), "semicolon")}) if items else None


def kinks(derivation: Derivation) -> list[Inline]:
    """The conventions at kinks of the functions and primitives that occur."""
    found: dict[str, Inline] = {}
    for node in postorder([eq.expression for eq in derivation.forward]):
        entry = (
            FUNCTIONS[node.function]
            if isinstance(node, Elementwise)
            else PRIMITIVES[node.primitive]
            if isinstance(node, Apply)
            else None
        )
        if entry is not None and entry.kink is not None:
            found[entry.name] = Sentence(entry.kink)
    return list(found.values())


def _forward(writing: Writing, detail: Detail) -> Iterator[Block]:
    yield Heading(1, Sentence(say.FORWARD))
    yield Paragraph((Sentence(say.VALUES),))
    rows: list[Row] = []
    for eq in writing.derivation.forward:
        (line,) = equation_rows(writing, eq.target, [eq.expression])
        rows.append(replace(line, shape=shape_tex(eq.shape), label=eq.label))
        if detail != "brief" and wants_entries(eq) and not writing.is_by_entries(eq.expression):
            own = writing.indices(eq.shape)
            rows.append(Row(writing.entry(eq.target, own), writing.entry_form(spelled(eq.expression), own)))
    yield Display(tuple(rows))
    path = _path(writing)
    if path is not None and detail != "brief":
        yield Paragraph((Sentence(say.CHAIN, {"path": path}),))


def wants_entries(eq: Equation) -> bool:
    """Whether a definition is better understood entry by entry: it sums over an index, or compares entries."""
    if not eq.shape or not isinstance(eq.expression, Contraction | Apply | Linear):
        return False
    if isinstance(eq.expression, Apply):
        return PRIMITIVES[eq.expression.primitive].definition is not None
    order = postorder([eq.expression])
    mixes = any(
        isinstance(e, Contraction) and len(e.operands) > 1 and max(map(max, e.indices)) >= e.rank
        for e in order
        if _is_indexed(e)
    )
    return mixes and all(e.kind != "apply" for e in order)


def _is_indexed(e: Expr) -> bool:
    return isinstance(e, Contraction) and all(e.indices)


def spelled(e: Expr) -> Expr:
    """A primitive by its definition."""
    if isinstance(e, Apply):
        definition = PRIMITIVES[e.primitive].definition
        assert definition is not None
        return definition(e.operands, dict(e.options))
    return e


def _path(writing: Writing) -> Inline | None:
    """L → P → Z → W, b: the names in the order in which their derivatives are found, parameters at the end."""
    inner = [eq.variable for eq in writing.derivation.backward if eq.variable is not None]
    wanted = set(writing.derivation.parameters)
    middle = [writing.name(v) for v in inner if v not in wanted]
    if not middle or len(middle) > LONGEST_PATH:
        return None
    ends = ", ".join(writing.name(p) for p in writing.derivation.parameters)
    return Math(r" \to ".join([writing.loss, *middle, ends]))


def _backward(writing: Writing, detail: Detail) -> Iterator[Block]:
    yield Heading(1, Sentence(say.BACKWARD))
    if detail == "brief":
        yield Display(tuple(r for eq in writing.derivation.backward for r in brief_rows(writing, eq)))
        return
    for number_, eq in enumerate(writing.derivation.backward, 1):
        yield from step_blocks(writing, eq, number_, detail)


def _results(writing: Writing, detail: Detail) -> Iterator[Block]:
    yield Heading(1, Sentence(say.RESULTS))
    wanted = set(writing.derivation.parameters)
    results = [eq for eq in writing.derivation.backward if eq.variable in wanted]
    rows = [r for eq in results for r in equation_rows(writing, eq.target, [eq.expression])]
    yield Box(tuple(rows))
    yield from stand_ins(writing, [eq.expression for eq in results])


def stand_ins(writing: Writing, results: Sequence[Expr]) -> Iterator[Block]:
    """Where the cotangents stand that results hold by name."""
    held = {e for e in postorder(results) if isinstance(e, Leaf) and e.role is Role.COTANGENT}
    places = [_stands_in(writing, eq) for eq in writing.derivation.backward if eq.target in held]
    if places:
        yield Paragraph((Sentence(say.HERE, {"items": listed(places)}),))


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
    rate = r"\eta"
    parameters = writing.derivation.parameters
    if len(parameters) > MOST_UPDATES:
        yield Paragraph((Sentence(say.UPDATE_EACH, {"rate": Math(rate), "any": Math(r"\theta")}),))
        slope = rf"\frac{{\partial {writing.loss}}}{{\partial \theta}}"
        yield Display((Row(r"\theta", rf"\theta - {rate}\,{slope}", relation=r"\leftarrow"),))
        return
    yield Paragraph((Sentence(say.UPDATE, {"rate": Math(rate)}),))
    rows = [
        Row(writing.name(p), rf"{writing.name(p)} - {rate}\,{writing.derivative(p)}", relation=r"\leftarrow")
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
    return Sentence(say.NUDGE, {**values, "sizes": Math(assigned(found.sizes))})


def assigned(sizes: Mapping[str, int]) -> str:
    """n = 3, d = 4."""
    return r",\ ".join(f"{name} = {value}" for name, value in sizes.items())


def digits(value: float) -> str:
    """Five significant digits, with a power of ten where the number is very small or large."""
    text = f"{value:.5g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}"
    return text


def _checks(writing: Writing) -> Iterator[Block]:
    derivation = writing.derivation
    yield Heading(1, Sentence(say.CHECKS))
    header = tuple(Sentence(text) for text in (say.WHAT, say.STATEMENT, say.HOW))
    rows: list[tuple[Inline, ...]] = []
    for verdict in Verdict:
        members = [eq for eq in derivation.backward if eq.proof.verdict is verdict]
        if members:
            rows.append((Math(ranges(members)), Sentence(say.EACH_STEP), how(members[0].proof, members)))
    if derivation.end_to_end is not None:
        parameters = listed([Math(writing.name(p)) for p in derivation.parameters])
        error = Math(digits(float(derivation.end_to_end.largest_error)))
        values: dict[str, Inline] = {"points": Plain(str(derivation.end_to_end.points)), "error": error}
        rows.append((parameters, Sentence(say.WHOLE_GRADIENT), Sentence(say.DIFFERENCES, values)))
    yield Table(header, tuple(rows), wide=2)


def ranges(members: Sequence[Equation]) -> str:
    """(4)–(7), or several such runs."""
    runs: list[list[int]] = []
    for eq in members:
        if runs and eq.label == runs[-1][-1] + 1:
            runs[-1].append(eq.label)
        else:
            runs.append([eq.label])
    return r",\ ".join(f"({run[0]})" if len(run) == 1 else rf"({run[0]})\text{{–}}({run[-1]})" for run in runs)


def how(proof: Proof, members: Sequence[Equation | Line]) -> Inline:
    """How sure, and at which sizes."""
    if proof.verdict is Verdict.UNCHECKED:
        return Sentence(say.UNCHECKED_STEP)
    widest = max((eq.proof for eq in members), key=lambda p: max((len(s) for s in p.sizes), default=0))
    if not any(widest.sizes):
        return Sentence(say.PROVED)
    text = say.PROVED_AT if proof.verdict is Verdict.PROVED else say.VERIFIED_AT
    return Sentence(text, {"sizes": listed([Math(assigned(s)) for s in widest.sizes])})


def program(code: str) -> Iterator[Block]:
    """The section with the NumPy source."""
    yield Heading(1, Sentence(say.PROGRAM))
    yield Paragraph((Sentence(say.PROGRAM_TEXT, {"command": CodeSpan("symgrad compile model.py -o grads.py")}),))
    yield Code("python", code)
