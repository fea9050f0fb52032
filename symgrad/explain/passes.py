"""The way there and the way back: the equations of a derivation in order, what recurs stated once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from symgrad.derive.derivation import Equation, Labels
from symgrad.derive.fold import Family, Part, Statement
from symgrad.explain import differential
from symgrad.explain import sentences as say
from symgrad.explain.document import Block, Display, Heading, Inline, Math, Paragraph, Plain, Row, Sentence
from symgrad.explain.steps import Detail, brief_rows, step_blocks
from symgrad.explain.writing import Writing, equation_number, equation_rows, listed, series_tex, shape_tex, shortened
from symgrad.graph.expression import Apply, Contraction, Expr, Linear
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES

# The way of the chain rule is written out up to this many values; beyond them it is no longer read.
LONGEST_PATH = 14
DOTS = r"\cdots"


def statements(parts: Sequence[Part]) -> Iterator[Statement]:
    """Every statement, those of families among them, in order."""
    for part in parts:
        yield from part.statements if isinstance(part, Family) else (part,)


# ---- forward


def forward(writing: Writing, detail: Detail) -> Iterator[Block]:
    """From the parameters to the loss."""
    yield Heading(1, Sentence(say.FORWARD))
    yield Paragraph((Sentence(say.VALUES),))
    rows: list[Row] = []
    parts = writing.reading.forward
    for k, part in enumerate(parts):
        if isinstance(part, Statement):
            rows += _definition(writing, part, detail)
            continue
        if rows:
            yield Display(tuple(rows))
        text = say.FOR_EACH if k else say.FROM_HERE
        yield Paragraph((Sentence(text, {"values": Math(writing.values(part))}),))
        yield Display(tuple(r for s in part.statements for r in _definition(writing, s, detail, part)))
        rows = []
        if k + 1 < len(parts) and isinstance(parts[k + 1], Statement):
            yield Paragraph((Sentence(say.THEN),))
    if rows:
        yield Display(tuple(rows))
    path = _path(writing)
    if path is not None and detail != "brief":
        yield Paragraph((path,))


def _definition(writing: Writing, s: Statement, detail: Detail, family: Family | None = None) -> Iterator[Row]:
    eq = s.equation
    only = Math(writing.values(s)) if family is not None and s.values != family.values else None
    shape = shape_tex(eq.shape)
    (line,) = equation_rows(writing, eq.target, [eq.expression])
    yield replace(line, reason=only, shape=shape, label=eq.label)
    if detail != "brief" and wants_entries(eq) and not writing.is_by_entries(eq.expression):
        own = writing.indices(eq.shape)
        yield writing.entry_row(writing.entry(eq.target, own), spelled(eq.expression), own)


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
    wanted = set(writing.derivation.parameters)
    middle: list[str] = []
    for part in writing.reading.backward:
        own = part.instances if isinstance(part, Family) else [part.instances[0]]
        names = [writing.name(eq.variable) for eq in own if eq.variable is not None and eq.variable not in wanted]
        if isinstance(part, Family) and len(names) > LONGEST_PATH // 2:
            width = len([s for s in part.statements if s.instances[0].variable not in wanted])
            names = [*names[:width], DOTS, *names[-width:]]
        middle += names
    if not middle or len(middle) > LONGEST_PATH:
        return None
    parameters = writing.derivation.parameters
    if _is_chain(writing):
        ends = ", ".join(shortened([writing.name(p) for p in parameters], parameters, r"\ldots"))
        return Sentence(say.CHAIN, {"path": Math(r" \to ".join([writing.loss, *middle, ends]))})
    return Sentence(say.ORDER, {"path": listed([Math(name) for name in middle])})


def _is_chain(writing: Writing) -> bool:
    """Whether each name is used by the one before it, and every parameter by the last."""
    derivation = writing.derivation
    wanted = set(derivation.parameters)
    definitions = {eq.target: set(postorder([eq.expression])) for eq in derivation.forward}
    inner = [eq.variable for eq in derivation.backward if eq.variable is not None and eq.variable not in wanted]
    names = [derivation.loss, *inner]
    return all(b in definitions[a] for a, b in pairwise(names)) and wanted <= definitions[names[-1]]


# ---- backward


def backward(writing: Writing, detail: Detail) -> Iterator[Block]:
    """From the loss back to the parameters, step by step."""
    yield Heading(1, Sentence(say.BACKWARD))
    if detail == "brief":
        yield from _brief(writing)
        return
    by_differentials = [s.equation for s in statements(writing.reading.backward) if s.equation.differential]
    if by_differentials:
        yield from differential.head(writing, by_differentials)
    before = len(writing.derivation.forward)
    for part in writing.reading.backward:
        if isinstance(part, Statement):
            number = part.instances[0].label - before
            every = _every(writing, part.equation)
            yield from step_blocks(writing.of(part), part.equation, number, detail, every)
            continue
        own = part.instances
        values: dict[str, Inline] = {
            "first": Plain(str(own[0].label - before)),
            "last": Plain(str(own[-1].label - before)),
            "values": Math(writing.values(part)),
        }
        yield Paragraph((Sentence(say.SAME_STEPS, values),))
        for s in part.statements:
            numbers = series_tex([eq.label - before for eq in s.instances])
            only = [Sentence(say.ONLY_FOR, {"values": Math(writing.values(s))})] if s.values != part.values else []
            yield from step_blocks(writing.of(s), s.equation, numbers, detail, only)


def _brief(writing: Writing) -> Iterator[Block]:
    """A line for each step; those of a family in a display of their own."""
    rows: list[Row] = []
    for part in writing.reading.backward:
        if isinstance(part, Statement):
            rows += brief_rows(writing.of(part), part.equation)
            continue
        if rows:
            yield Display(tuple(rows))
            rows = []
        yield Paragraph((Sentence(say.FOR_EACH, {"values": Math(writing.values(part))}),))
        for s in part.statements:
            only = [Sentence(say.ONLY_FOR, {"values": Math(writing.values(s))})] if s.values != part.values else []
            if only:
                yield Paragraph(tuple(only))
            rows += brief_rows(writing.of(s), s.equation)
        yield Display(tuple(rows))
        rows = []
    if rows:
        yield Display(tuple(rows))


def _every(writing: Writing, eq: Equation) -> list[Inline]:
    """That a name is used for every number, where this is the only way in which it is used."""
    if len(eq.contributions) != 1 or not isinstance(eq.contributions[0].label, Labels):
        return []
    assert eq.variable is not None
    values: dict[str, Inline] = {
        "variable": Math(writing.name(eq.variable)),
        "letter": Math(writing.reading.letter),
        "equations": equation_number(eq.contributions[0].label),
    }
    return [Sentence(say.USED_IN_EVERY, values)]
