"""The page of the stationary points: the conditions, how they are solved, what kind of point each solution is, the checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symgrad.derive.derivation import Verdict
from symgrad.derive.fold import unfolded
from symgrad.explain import extrema_sentences as tell
from symgrad.explain import sentences as say
from symgrad.explain.blocks import is_in_matrices, leaf_table, steps_checked
from symgrad.explain.checks import how
from symgrad.explain.document import (
    Block,
    Box,
    CodeSpan,
    Display,
    Document,
    Heading,
    Inline,
    Math,
    Paragraph,
    Plain,
    Row,
    Sentence,
    Table,
)
from symgrad.explain.extrema_kinds import conditions_of, equals, integer_letter, is_zero_array, kinds, point_rows
from symgrad.explain.kinks import kinks
from symgrad.explain.page import notes, opening, stand_ins
from symgrad.explain.steps import Detail
from symgrad.explain.writing import Writing, listed, row, shape_tex, writing_of
from symgrad.extrema.found import Answer, Basis, Found, Point, Side, Step
from symgrad.graph.expression import Expr, Leaf, is_number
from symgrad.prose import Language, Text
from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class ExtremaPage:
    """What the page is about: title and text of the user's, and what was found."""

    title: Text
    text: Text
    found: Found


def extrema_page(content: ExtremaPage, language: Language, detail: Detail) -> Document:
    """The document of the stationary points."""
    found = content.found
    writing = writing_of(unfolded(found.derivation), language)
    blocks: list[Block] = opening(content.text, writing)
    blocks += [*_given(writing, found), *_conditions(writing, found), *_solving(writing, found)]
    blocks += [*kinds(writing, found), *_checks(writing, found)]
    return Document(Sentence(tell.TITLE, {"title": Plain(content.title.to(language))}), tuple(blocks), language)


def _given(writing: Writing, found: Found) -> Iterator[Block]:
    yield Heading(1, Sentence(say.GIVEN))
    yield leaf_table(writing, {})
    values: dict[str, Inline] = {"parameters": _names(writing, list(found.gradients)), "loss": Math(writing.loss)}
    yield Paragraph((Sentence(tell.WANTED, values),))
    shown = [e for s in (*found.steps, *found.partial) for e in (s.left, s.right, s.solution)]
    shown += [e for p in found.points for e in p.shown.values() if is_in_matrices(e)]
    shown += [b.expression for _, _, b in found.blocks if is_in_matrices(b.expression)]
    signs = notes(writing, more=shown)
    if signs is not None:
        yield Paragraph((signs,))
    conventions = kinks(found.derivation.forward, found.derivation.parameters)
    if conventions:
        yield Paragraph((Sentence(say.KINKS), *conventions))


def _names(writing: Writing, parameters: Sequence[Leaf]) -> Inline:
    return listed([Math(writing.name(p)) for p in parameters])


def _conditions(writing: Writing, found: Found) -> Iterator[Block]:
    """The values that the loss needs, and every gradient set to 0, with the numbers of the derivation's page."""
    yield Heading(1, Sentence(tell.CONDITIONS))
    yield Paragraph((Sentence(tell.ALL_ZERO, {"command": CodeSpan("symgrad explain model.py")}),))
    rows = [
        row(writing, writing.name(eq.target), eq.expression, shape=shape_tex(eq.shape), label=eq.label)
        for eq in found.derivation.forward
    ]
    wanted = set(found.gradients)
    results = [eq for eq in found.derivation.backward if eq.variable in wanted]
    for eq in results:
        assert eq.variable is not None
        rows.append(_is_zero(row(writing, writing.derivative(eq.variable), eq.expression, label=eq.label)))
    yield Display(tuple(rows))
    yield from stand_ins(writing, [eq.expression for eq in results])


def _is_zero(r: Row) -> Row:
    """… = 0."""
    terms = (*r.terms[:-1], r.terms[-1] + " = 0") if r.terms else ()
    return replace(r, right=r.right + " = 0", terms=terms)


# ---- solving


def _solving(writing: Writing, found: Found) -> Iterator[Block]:
    yield Heading(1, Sentence(tell.SOLVING))
    for step in found.steps:
        yield from _step(writing, step, is_alone=len(found.steps) == 1 and found.answer is Answer.SOLVED)
    if found.answer is Answer.ROOTS:
        yield from _roots(writing, found)
    elif found.answer is Answer.NONE_EXISTS:
        yield Paragraph((Sentence(tell.NO_POINT),))
    elif found.answer is Answer.CONSTANT:
        yield Paragraph((Sentence(tell.NO_PARAMETER),))
    elif found.answer is Answer.NOT_FOUND:
        yield from _not_found(writing, found)
    elif len(found.steps) > 1:
        yield Paragraph((Sentence(tell.RESULT),))
        yield Box(tuple(equals(writing, writing.name(s.parameter), s.solution) for s in found.steps))


def _step(writing: Writing, step: Step, *, is_alone: bool) -> Iterator[Block]:
    name = Math(writing.name(step.parameter))
    if not is_alone:
        yield Heading(2, Sentence(tell.STEP, {"parameter": name}))
    sentences = _introduction(writing, step)
    if step.put_in:
        sentences.insert(0, Sentence(tell.WITH_PUT_IN, {"parameters": _names(writing, step.put_in)}))
    yield Paragraph(tuple(sentences))
    yield Display((_equation(writing, step),))
    yield Paragraph(tuple(_solvable(writing, step)))
    solution = equals(writing, writing.name(step.parameter), step.solution)
    yield Box((solution,)) if is_alone else Display((solution,))


def _introduction(writing: Writing, step: Step) -> list[Inline]:
    """Why the equation is linear, and what was done to it."""
    values: dict[str, Inline] = {
        "parameter": Math(writing.name(step.parameter)),
        "inverse": Math(rf"{writing.name(step.parameter)}^{{-1}}"),
        "factor": _factor(writing, step.factor),
    }
    if step.side is Side.INVERSE:
        return [Sentence(tell.COORDINATES if step.in_coordinates else tell.INVERSE, values)]
    is_system = step.side in {Side.LEFT, Side.RIGHT}
    return [Sentence(tell.AFFINE, values), Sentence(tell.NORMAL_EQUATIONS if is_system else tell.EQUATION_IS, values)]


def _factor(writing: Writing, factor: Expr) -> Inline:
    if is_number(factor, 1):
        return Sentence(tell.NOTHING)
    return Sentence(tell.TIMES, {"factor": Math(writing.tex(factor))})


def _equation(writing: Writing, step: Step) -> Row:
    return equals(writing, writing.tex(step.left), step.right)


def _solvable(writing: Writing, step: Step) -> Iterator[Inline]:
    if step.is_cancelled:
        yield Sentence(tell.CANCELS)
    if not step.conditions:
        yield Sentence(tell.SOLUTION)
        return
    yield Sentence(tell.SOLUTION_IF, {"conditions": conditions_of(writing, step.conditions)})


def _roots(writing: Writing, found: Found) -> Iterator[Block]:
    """What SymPy found, a row for each point where there are no data, else in the user's arrays."""
    solved = {s.parameter for s in found.steps}
    unknown = [p for p in found.gradients if p not in solved]
    is_plain = all(p.root is not None and not p.root.has_data for p in found.points)
    if found.steps:
        yield Heading(2, Sentence(tell.STEP, {"parameter": _names(writing, unknown)}))
    text = tell.SYMPY_PLAIN if is_plain else tell.SYMPY
    sentences: list[Inline] = [Sentence(text, {"parameters": _names(writing, unknown)})]
    if any(p.rank for p in unknown):
        sentences.insert(0, Sentence(tell.ENTRY_BY_ENTRY, {"parameter": _names(writing, unknown)}))
    yield Paragraph(tuple(sentences))
    for point in found.points:
        yield Box(tuple(point_rows(writing, point)))
        if point.root is not None and point.root.conditions and not is_plain:
            values: dict[str, Inline] = {"conditions": conditions_of(writing, point.root.conditions)}
            yield Paragraph((Sentence(tell.ONE_ROOT, values),))
    sentences = []
    families = [p.root.integer for p in found.points if p.root is not None and p.root.integer is not None]
    if families:
        sentences.append(Sentence(tell.FAMILY, {"integer": Math(str(integer_letter(writing)))}))
    sentences.append(Sentence(tell.COMPLETE if found.is_complete else tell.PERHAPS_MORE))
    yield Paragraph(tuple(sentences))


def _not_found(writing: Writing, found: Found) -> Iterator[Block]:
    sentences: list[Inline] = [Sentence(tell.NOT_FOUND)]
    if found.curvature.is_convex:
        sentences.append(Sentence(tell.USE_FIT, {"command": CodeSpan("symgrad fit model.py --data …")}))
    yield Paragraph(tuple(sentences))
    if found.partial:
        text = tell.GIVEN_ONE if len(found.gradients) == 1 else tell.GIVEN_THE_OTHERS
        yield Paragraph((Sentence(text),))
    for step in found.partial:
        values: dict[str, Inline] = {"parameter": Math(writing.name(step.parameter))}
        if step.conditions:
            values["conditions"] = conditions_of(writing, step.conditions)
        given = tell.GIVEN_OTHER if step.conditions else tell.GIVEN_OTHER_SURE
        yield Paragraph((Sentence(given, values),))
        solution = equals(writing, writing.name(step.parameter), step.solution)
        yield Display((_equation(writing, step), solution))
    for point in found.points:
        yield Paragraph((_known_point(writing, point),))
        yield Box(tuple(point_rows(writing, point)))


def _known_point(writing: Writing, point: Point) -> Inline:
    zeros = [p for p, e in point.shown.items() if is_zero_array(e)]
    others = [p for p in point.shown if p not in set(zeros)]
    rest = Sentence(tell.AND_THE_REST, {"others": _names(writing, others)}) if others else Sentence(tell.NOTHING)
    return Sentence(tell.ONE_POINT_IS_KNOWN, {"zeros": _names(writing, zeros), "rest": rest})


# ---- the checks


def _checks(writing: Writing, found: Found) -> Iterator[Block]:
    yield Heading(1, Sentence(say.CHECKS))
    header = tuple(Sentence(text) for text in (say.WHAT, say.STATEMENT, say.HOW))
    rows: list[tuple[Inline, ...]] = list(steps_checked(writing))
    for step in (*found.steps, *found.partial):
        values: dict[str, Inline] = {"parameter": Math(writing.name(step.parameter))}
        text = tell.COORDINATES_CHECKED if step.in_coordinates else tell.EQUATION_CHECKED
        rows.append((values["parameter"], Sentence(text, values), how(step.proof, [step])))
    for k, point in enumerate(found.points, 1):
        rows.append((_point_name(found, k), Sentence(tell.PUT_IN_CHECKED), _put_in(point, found)))
    is_used = len(found.blocks) == 1 or any(p.basis in {Basis.DEFINITE, Basis.FLAT_BLOCK} for p in found.points)
    for a, b, made in found.blocks if is_used else ():
        below = rf"\partial {writing.name(a)}\, \partial {writing.name(b)}"
        name = rf"\partial^{{2}} {writing.loss}/({below})"
        weakest = next((x for x in made.lines if x.proof.verdict is not Verdict.PROVED), made.lines[0])
        rows.append((Math(name), Sentence(tell.HESSIAN_CHECKED), how(weakest.proof, made.lines)))
    yield Table(header, tuple(rows), wide=2)


def _point_name(found: Found, number: int) -> Inline:
    return Sentence(tell.POINT if len(found.points) == 1 else tell.POINT_NUMBER, {"number": Plain(str(number))})


def _put_in(point: Point, found: Found) -> Inline:
    """How it was seen that the point is stationary."""
    told = how(point.proof, [point])
    is_inverse = any(s.side in {Side.LEFT, Side.RIGHT, Side.INVERSE} for s in found.steps)
    if is_inverse and found.answer is Answer.SOLVED and all(s.proof.verdict is Verdict.PROVED for s in found.steps):
        return Sentence(tell.BY_EQUATION, {"how": told})
    return told
