"""The section that says what kind of point each stationary point is, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy

from symgrad.explain import extrema_sentences as tell
from symgrad.explain.blocks import is_in_matrices
from symgrad.explain.document import (
    Block,
    CodeSpan,
    Display,
    Heading,
    Inline,
    Math,
    Paragraph,
    Row,
    Sentence,
    Table,
)
from symgrad.explain.writing import Writing, listed, row
from symgrad.extrema.found import Answer, Basis, Condition, Found, Kind, Need, Point, Root
from symgrad.graph.expression import Contraction, Expr, Leaf, Role, is_number

# Numbers of more operations than this are printed as decimals.
LONGEST_NUMBER = 12
DECIMALS = 6
INTEGERS = "kmjlqrst"


def conditions_of(writing: Writing, conditions: Sequence[Condition]) -> Inline:
    """What is supposed: X has linearly independent columns, λ is positive."""
    return listed([_condition(writing, c) for c in conditions], "clause")


def _condition(writing: Writing, c: Condition) -> Inline:
    return Sentence(tell.NEED[c.need], {"of": Math(_shown(writing, c.of))})


def _shown(writing: Writing, e: Expr) -> str:
    return writing.tex(e) if not writing.is_by_entries(e) else writing.entry_form(e, writing.indices(e.shape))


def _provided(writing: Writing, conditions: Sequence[Condition]) -> Inline:
    if not conditions:
        return Sentence(tell.NOTHING)
    return Sentence(tell.PROVIDED, {"conditions": conditions_of(writing, conditions)})


def number_tex(e: Any) -> tuple[str, bool]:
    """A number in LaTeX, and whether that is exact."""
    if e.has(sympy.CRootOf) or (not e.free_symbols and e.count_ops() > LONGEST_NUMBER):
        return sympy.latex(sympy.N(e, DECIMALS)), False
    return sympy.latex(e), True


def integer_letter(writing: Writing) -> Any:
    """A symbol for an integer that is no name on the page."""
    derivation = writing.derivation
    taken = {e.name for e in (*derivation.leaves, *(eq.target for eq in derivation.forward))}
    return sympy.Symbol(next(c for c in (*INTEGERS, "k'") if c not in taken), integer=True)


def point_rows(writing: Writing, point: Point) -> Iterator[Row]:
    """θ = …, a row for each parameter; numbers of SymPy's where the point has no data in it."""
    root = point.root
    if root is not None and not root.has_data:
        letter = integer_letter(writing)
        for p, value in root.values.items():
            tex, is_exact = number_tex(value if root.integer is None else value.xreplace({root.integer: letter}))
            more = rf",\quad {letter} \in \mathbb{{Z}}" if root.integer is not None else ""
            yield Row(writing.name(p), tex + more, relation="=" if is_exact else r"\approx")
        return
    for p, e in (point.shown or point.values).items():
        yield equals(writing, writing.name(p), e)


def equals(writing: Writing, left: str, e: Expr) -> Row:
    """left = right, entry by entry where there is no other form."""
    if is_zero_array(e):
        return Row(left, "0")
    if not writing.is_by_entries(e):
        return row(writing, left, e)
    return Row(left, writing.entry_form(e, writing.indices(e.shape)))


def is_zero_array(e: Expr) -> bool:
    """Whether an array is 0 repeated."""
    while isinstance(e, Contraction) and len(e.operands) == 1:
        e = e.operands[0]
    return is_number(e, 0)


def kinds(writing: Writing, found: Found) -> Iterator[Block]:
    """What the stationary points are."""
    if found.answer in {Answer.NONE_EXISTS, Answer.CONSTANT}:
        return
    yield Heading(1, Sentence(tell.KINDS))
    yield from _hessian(writing, found)
    curvature = found.curvature
    if curvature.is_convex or curvature.is_concave:
        yield from _global(writing, found)
        yield from _said_of_points(writing, found)
        return
    if found.answer is Answer.NOT_FOUND and not found.points:
        yield Paragraph((Sentence(tell.NOT_CONVEX, {"loss": Math(writing.loss)}),))
        return
    if found.has_kinks:
        yield Paragraph((Sentence(tell.KINKED, {"loss": Math(writing.loss)}),))
    yield from _local(writing, found)


def _hessian(writing: Writing, found: Found) -> Iterator[Block]:
    """The block of the only parameter, where it has a form in matrices."""
    if len(found.blocks) != 1:
        return
    ((a, b, made),) = found.blocks
    if not is_in_matrices(made.expression) or found.curvature.in_inverse:
        return
    command = CodeSpan(f"symgrad explain model.py --hessian {a.name}")
    yield Paragraph((Sentence(tell.HESSIAN_IS if a.rank else tell.SECOND_IS, {"command": command}),))
    turned = r"^{\top}" if a.rank == 1 else ""
    above, below = (
        rf"\partial^{{2}} {writing.loss}",
        rf"\partial {writing.name(a)}\, \partial {writing.name(b)}{turned}",
    )
    if not a.rank:
        below = rf"\partial {writing.name(a)}^{{2}}"
    yield Display((row(writing, rf"\frac{{{above}}}{{{below}}}", made.expression),))


# ---- convex and concave losses


def _global(writing: Writing, found: Found) -> Iterator[Block]:
    """Why the loss is convex, and why that makes a stationary point a global minimum."""
    curvature = found.curvature
    parameters = list(found.gradients)
    word = Sentence(tell.CONVEX if curvature.is_convex else tell.CONCAVE)
    sign = r"\ge 0" if curvature.is_convex else r"\le 0"
    values: dict[str, Inline] = {
        "loss": Math(writing.loss),
        "curvature": word,
        "parameters": listed([Math(writing.name(p)) for p in parameters]),
        "parameter": Math(_coordinates(writing, found)),
        "together": Sentence(tell.TOGETHER if len(parameters) > 1 else tell.NOT_TOGETHER),
        "conditions": _provided(writing, curvature.conditions),
        "gram": Math(r"B^{\top} D B"),
        "weights": Math(r"D \succeq 0" if curvature.is_convex else r"D \preceq 0"),
        "vector": Math("v"),
        "sign": Math(rf"v^{{\top}} H v {sign}"),
        "change": Math(r"\Delta"),
    }
    if curvature.symmetric_only:
        values["sign"] = Math(sign)
        yield Paragraph((Sentence(tell.AMONG_SYMMETRIC, values),))
    else:
        yield Paragraph((Sentence(tell.BY_HESSIAN if curvature.by_hessian else tell.COMPOSITION, values),))
    yield from _why_global(writing, found, values)


def _coordinates(writing: Writing, found: Found) -> str:
    (first, *_) = found.gradients
    return rf"{writing.name(first)}^{{-1}}" if found.curvature.in_inverse else writing.name(first)


def _why_global(writing: Writing, found: Found, values: dict[str, Inline]) -> Iterator[Block]:
    curvature = found.curvature
    relation = r"\ge" if curvature.is_convex else r"\le"
    parameters = list(found.gradients)
    here = _coordinates(writing, found) if len(parameters) == 1 else r"\theta"
    there = rf"{here}'" if "^" not in here else rf"({here})'"
    slope = rf"\left\langle \nabla {writing.loss}({here}),\, {there} - {here} \right\rangle"
    own: dict[str, Inline] = {
        **values,
        "here": Math(here),
        "there": Math(there),
        "extremum": Sentence(tell.MINIMUM_WORD if curvature.is_convex else tell.MAXIMUM_WORD),
        "side": Sentence(tell.ABOVE if curvature.is_convex else tell.BELOW),
        "better": Sentence(tell.LOWER if curvature.is_convex else tell.HIGHER),
        "claim": Math(rf"{writing.loss}({there}) {relation} {writing.loss}({here})"),
    }
    yield Paragraph((Sentence(tell.WHY_GLOBAL, own),))
    terms = (rf"{writing.loss}({here})", slope)
    yield Display((Row(rf"{writing.loss}({there})", " + ".join(terms), terms=terms, relation=relation),))
    sentences: list[Inline] = [Sentence(tell.WHY_GLOBAL_END, own)]
    if found.answer is Answer.NOT_FOUND and curvature.is_convex:
        sentences.append(Sentence(tell.CONVEX_ANYWAY))
    yield Paragraph(tuple(sentences))


def _said_of_points(writing: Writing, found: Found) -> Iterator[Block]:
    for point in found.points:
        sentences: list[Inline] = [_point_is(writing, point)]
        needs = {c.need for c in point.conditions}
        if needs & {Need.FULL_RANK, Need.INVERTIBLE} and not point.symmetric_only:
            word = tell.MINIMUM_WORD if point.kind is Kind.MINIMUM else tell.MAXIMUM_WORD
            values: dict[str, Inline] = {"extremum": Sentence(word), "loss": Math(writing.loss)}
            sentences.append(Sentence(tell.EVERY_SOLUTION, values))
        if point.symmetric_only:
            sentences.append(_only_symmetric(writing, found))
        yield Paragraph(tuple(sentences))


def _point_is(writing: Writing, point: Point) -> Inline:
    names = tell.GLOBAL if point.is_global else tell.KIND
    conditions = _provided(writing, point.conditions)
    return Sentence(tell.POINT_IS, {"kind": Sentence(names[point.kind]), "conditions": conditions})


def _only_symmetric(writing: Writing, found: Found) -> Inline:
    matrices = [Math(writing.name(p)) for p in found.gradients if p.rank == 2]
    return Sentence(tell.ONLY_SYMMETRIC, {"parameter": listed(matrices)})


# ---- others


def _local(writing: Writing, found: Found) -> Iterator[Block]:
    """By what is known at each point: numbers in a table, data in words."""
    plain = [p for p in found.points if p.root is not None and not p.root.has_data]
    if plain:
        yield _table(writing, plain)
        yield Paragraph(tuple(_rules(plain)))
    for point in found.points:
        if point.root is None or point.root.has_data:
            yield from _in_words(writing, found, point)


def _table(writing: Writing, points: Sequence[Point]) -> Table:
    is_single = len(points[0].values or points[0].root.values) == 1 if points[0].root is not None else False
    third = tell.SECOND if is_single else tell.EIGENVALUES
    header = (
        Sentence(tell.POINT),
        Sentence(tell.VALUE, {"loss": Math(writing.loss)}),
        Sentence(third),
        Sentence(tell.KIND_OF),
    )
    rows = tuple(_table_row(writing, p, is_single=is_single) for p in points)
    return Table(header, rows, wide=2)


def _table_row(writing: Writing, point: Point, *, is_single: bool) -> tuple[Inline, ...]:
    root = point.root
    assert root is not None
    at = r",\ ".join(f"{r.left} {r.relation} {r.right}" for r in point_rows(writing, point))
    kind = Sentence((tell.GLOBAL if point.is_global else tell.KIND)[point.kind])
    return Math(at), Math(_number(root.value)), _curvatures(root, is_single=is_single), kind


def _number(e: Any) -> str:
    tex, is_exact = number_tex(e)
    return tex if is_exact else rf"\approx {tex}"


def _curvatures(root: Root, *, is_single: bool) -> Inline:
    if not is_single:
        if root.eigenvalues:
            return Math(r",\ ".join(_number(e) for e in root.eigenvalues))
        return Math(sympy.latex(root.hessian))
    if root.order == 2:
        return Math(_number(root.derivative))
    values: dict[str, Inline] = {"order": Math(str(root.order)), "value": Math(_number(root.derivative))}
    return listed([Math("0"), Sentence(tell.NTH, values)], "semicolon")


def _rules(points: Sequence[Point]) -> Iterator[Inline]:
    roots = [p.root for p in points if p.root is not None]
    if len(roots[0].values) > 1:
        yield Sentence(tell.BY_EIGENVALUES)
        return
    if any(not number_tex(v)[1] for root in roots for v in root.values.values()):
        yield Sentence(tell.APPROXIMATE)
    yield Sentence(tell.BY_SECOND)
    if any(root.order > 2 for root in roots):
        yield Sentence(tell.BY_ORDER)


def _in_words(writing: Writing, found: Found, point: Point) -> Iterator[Block]:
    values: dict[str, Inline] = {"loss": Math(writing.loss)}
    if point.basis is Basis.NESTED:
        order = [s.parameter for s in found.steps]
        order += [p for p in point.values if p not in set(order)]
        values["order"] = _names(writing, order)
        yield Paragraph((Sentence(tell.NESTED, values), _point_is(writing, point)))
        if point.symmetric_only:
            yield Paragraph((_only_symmetric(writing, found),))
        return
    if point.witness is not None:
        first, other = point.witness
        flat = [c for c in point.conditions if c.need is Need.NOT_ZERO]
        values |= {"first": Math(writing.name(first)), "second": Math(writing.name(other))}
        values["conditions"] = conditions_of(writing, flat[-1:]) if flat else Sentence(tell.NOTHING)
        yield Paragraph((Sentence(tell.FLAT_BLOCK if point.basis is Basis.FLAT_BLOCK else tell.OPPOSITE, values),))
        return
    yield from _by_sign(writing, found, point)


def _names(writing: Writing, parameters: Sequence[Leaf]) -> Inline:
    return listed([Math(writing.name(p)) for p in parameters])


def _by_sign(writing: Writing, found: Found, point: Point) -> Iterator[Block]:
    """A definite Hessian, or one whose sign the data decide."""
    if point.kind is Kind.UNDECIDED:
        facts = listed([CodeSpan("positive_definite=True"), CodeSpan("positive=True")])
        is_single = [p.rank for p in found.gradients] == [0]
        if all(e.role is Role.PARAMETER for e in writing.derivation.leaves):
            yield Paragraph((Sentence(tell.NOT_DECIDED),))
            return
        yield Paragraph((Sentence(tell.UNKNOWN_SCALAR if is_single else tell.UNKNOWN, {"facts": facts}),))
        return
    sentences: list[Inline] = []
    if point.basis is Basis.DEFINITE and len(found.gradients) > 1:
        sentences.append(Sentence(tell.DEFINITE))
    elif point.root is not None:
        sentences.append(Sentence(tell.BY_SECOND))
    yield Paragraph((*sentences, _point_is(writing, point)))
