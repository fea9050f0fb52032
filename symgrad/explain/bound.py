"""The section on bound data: each law that applied, the loss and the gradients as they are written then, their proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from symgrad.derive.bound_form import Applied, BoundForm, Law
from symgrad.derive.derivation import Equation, Line, Proof, Verdict
from symgrad.explain import bound_sentences as tell
from symgrad.explain.checks import MARKS, assigned, how
from symgrad.explain.document import Block, CodeSpan, Display, Heading, Inline, Mark, Math, Paragraph, Row, Sentence
from symgrad.explain.writing import Writing, equation_rows, listed, shape_tex
from symgrad.graph.expression import Elementwise, Expr, Leaf, Role
from symgrad.graph.sizes import ONE, ZERO
from symgrad.graph.walk import postorder
from symgrad.notation.names import typeset
from symgrad.notation.pieces import render
from symgrad.notation.scalars import size
from symgrad.rewrite.display import Reason, Why

ORTHONORMAL = r"{%s}^{\top} {%s} = I"
# What binds a product of low rank, see compile/bound_function.py.
OVERHEAD = "20000"


def expressions_of(form: BoundForm) -> list[Expr]:
    """What the section prints."""
    own = [eq.expression for law in form.laws for eq in law.definitions]
    return [*own, *(eq.expression for eq in form.equations)]


def bound_section(writing: Writing, form: BoundForm) -> Iterator[Block]:
    """The section."""
    names = listed([Math(writing.name(e)) for e in form.bound])
    yield Heading(1, Sentence(tell.HEADING, {"data": names}))
    command = CodeSpan(f"f.bind({', '.join(f'{e.name}=…' for e in form.bound)})")
    values: dict[str, Inline] = {"data": names, "command": command, "blocks": _blocks(form)}
    is_one = len(form.bound) == 1
    if not form.laws:
        yield Paragraph((Sentence(tell.NO_LAW_ONE if is_one else tell.NO_LAW, values),))
        return
    yield Paragraph((Sentence(tell.OPENING_ONE if is_one else tell.OPENING, values),))
    for law in form.laws:
        yield Heading(2, Sentence(tell.NAMES[law.law]))
        yield from SECTIONS[law.law](writing, form, law)
    yield Heading(2, Sentence(tell.RESULTS))
    yield Display(tuple(_row(writing, eq, _mark(writing, form, eq)) for eq in form.equations))
    turned = list(_turned(writing, form))
    here = [Sentence(tell.HERE, {"items": listed(turned, "clause")})] if turned else []
    yield Paragraph((*here, Sentence(tell.ONCE, values)))


def _blocks(form: BoundForm) -> Inline:
    if not form.blocks:
        return Sentence(tell.NOTHING)
    return Sentence(tell.BLOCKS, {"size": Math(typeset(form.blocks))})


def _mark(writing: Writing, form: BoundForm, eq: Equation) -> Mark | None:
    """How sure the loss and the gradients are; what only has a name is no claim."""
    is_claim = eq.target is writing.derivation.loss or eq.variable is not None
    return next(mark for verdict, mark in MARKS if verdict in {p.verdict for p in form.checks}) if is_claim else None


def _row(writing: Writing, eq: Equation, mark: Mark | None = None) -> Row:
    # The rows of a triangular factor have no size of their own on the page.
    has_rows = any(" " in name for s in eq.shape for name in s.names)
    shape = "" if has_rows else shape_tex(eq.shape)
    (own,) = equation_rows(writing, eq.target, [eq.expression])
    return replace(own, shape=shape, label=eq.label, mark=mark)


def _turned(writing: Writing, form: BoundForm) -> Iterator[Inline]:
    """What names of the page with a tilde are, where no law has said it."""
    basis = next((law.basis for law in form.laws if law.basis is not None), None)
    shown = {eq.target for eq in form.equations}
    for new, old in form.turned.items():
        if basis is None or new not in shown:
            continue
        if new.rank < old.rank:
            values: dict[str, Inline] = {"values": Math(writing.name(new)), "matrix": Math(writing.name(old))}
            yield Sentence(tell.EIGENVALUES_OF, values)
        else:
            yield Math(f"{writing.name(old)} = {writing.name(basis)} {writing.name(new)}")


# ---- the laws


def _rotation(writing: Writing, form: BoundForm, law: Applied) -> Iterator[Block]:
    assert law.basis is not None
    basis = writing.name(law.basis)
    a, b = _free(writing, form, "abuvpq", 2)
    columns = _side_by_side([_column(writing, e) for e in law.given])
    instead = _side_by_side([writing.name(e) for e in law.instead])
    rows = ZERO
    for e in law.given:
        rows = rows + (e.shape[1] if e.rank > 1 else ONE)
    values: dict[str, Inline] = {
        "product": Math(rf"{a}^{{\top}} {b}"),
        "a": Math(a),
        "b": Math(b),
        "columns": Math(columns),
        "turned": Math(rf"{a} = {basis} \tilde{{{a}}},\ {b} = {basis} \tilde{{{b}}}"),
        "orthonormal": Math(ORTHONORMAL % (basis, basis)),
        "rows": Math(render(size(rows))),
    }
    yield Paragraph((Sentence(tell.ROTATION, values),))
    middle = rf"\tilde{{{a}}}^{{\top}} {basis}^{{\top}} {basis} \tilde{{{b}}}"
    yield Display((Row(rf"{a}^{{\top}} {b}", rf"{middle} = \tilde{{{a}}}^{{\top}} \tilde{{{b}}}"),))
    yield Paragraph((Sentence(tell.ROTATION_END, values),))
    yield Display((Row(columns, f"{basis} {instead}", reason=Math(ORTHONORMAL % (basis, basis)), label=law.label),))


def _eigenvectors(writing: Writing, form: BoundForm, law: Applied) -> Iterator[Block]:
    assert law.basis is not None
    basis, values = writing.name(law.basis), writing.name(law.instead[0])
    matrix = writing.tex(law.given[0])
    sentences = [Sentence(tell.EIGENVECTORS, {"matrix": Math(matrix), "basis": Math(basis)})]
    first = Row(
        matrix,
        rf"{basis}\,\mathrm{{diag}}({values})\,{basis}^{{\top}}",
        reason=Math(ORTHONORMAL % (basis, basis)),
        label=law.label,
    )
    yield Paragraph(tuple(sentences))
    yield Display((first, *(_row(writing, eq) for eq in law.definitions)))
    if any(isinstance(e, Elementwise) and e.function == "absolute" for e in postorder(expressions_of(form))):
        yield Paragraph((Sentence(tell.LOGDET),))


def _signs(writing: Writing, form: BoundForm, law: Applied) -> Iterator[Block]:
    (u,) = _free(writing, form, "uvtp", 1)
    for label, sign in zip(law.given, law.instead, strict=True):
        y, s = writing.tex(label), writing.name(sign)
        sigmoid = rf"\sigma({u}) = 1/(1 + e^{{-{u}}})"
        values: dict[str, Inline] = {"label": Math(y), "sign": Math(s), "u": Math(u), "sigmoid": Math(sigmoid)}
        yield Paragraph((Sentence(tell.SIGNS, values),))
        left = rf"-{y} \odot \log \sigma({u}) - (1 - {y}) \odot \log\bigl(1 - \sigma({u})\bigr)"
        identities = (
            Row(left, rf"\log\bigl(1 + e^{{{s} \odot {u}}}\bigr)"),
            Row(rf"\sigma({u}) - {y}", rf"{s} \odot \sigma({s} \odot {u})"),
        )
        yield Display(identities)
        yield Paragraph((Sentence(tell.SIGNS_END),))
    yield Display(tuple(_row(writing, eq) for eq in law.definitions))


def _inner_products(writing: Writing, form: BoundForm, law: Applied) -> Iterator[Block]:
    a, b, c = _free(writing, form, "abcpqr", 3)
    i = writing.indices(form.bound[0].shape[:1])[0] if form.bound[0].rank else "i"
    formula = rf"\sum_{{{i}}} ({a}_{{{i}}} - {b}_{{{i}}} {c}_{{{i}}}) = \sum_{{{i}}} {a}_{{{i}}} - {b}^{{\top}} {c}"
    yield Paragraph((Sentence(tell.INNER_PRODUCTS, {"formula": Math(formula)}),))


def _columns(writing: Writing, form: BoundForm, law: Applied) -> Iterator[Block]:
    joined = [eq.target for eq in law.definitions if eq.target.rank > 1]
    others = [eq.target for eq in law.definitions if eq.target.rank == 1]
    turned = listed([Math(rf"{writing.name(e)}^{{\top}}") for e in joined])
    has_sums = any(eq.variable is None and set(eq.shape) & {e.shape[1] for e in joined} for eq in form.equations)
    values: dict[str, Inline] = {
        "columns": listed([Math(writing.name(e)) for e in joined]),
        "coefficients": listed([Math(writing.name(e)) for e in others]),
        "sums": Sentence(tell.SUMS, {"turned": turned}) if has_sums else Sentence(tell.NOTHING),
    }
    yield Paragraph((Sentence(tell.COLUMNS, values),))
    yield Display(tuple(_row(writing, eq) for eq in law.definitions))


def _low_rank(writing: Writing, form: BoundForm, law: Applied) -> Iterator[Block]:
    squares, whole = (writing.tex(e) for e in law.given)
    matrix = next(e for e in postorder(law.given[1:]) if isinstance(e, Leaf) and e.rank)
    *grams, last = law.definitions
    values: dict[str, Inline] = {"matrix": Math(writing.name(matrix))}
    yield Paragraph((Sentence(tell.LOW_RANK, values),))
    q = writing.name(last.target)
    own = _row(writing, last)
    yield Display((*(_row(writing, eq) for eq in grams), Row(q, squares), replace(own, left="")))
    rows, columns, rank = (render(size(s)) for s in law.sizes)
    values["rank"] = Math(rf"4 {rank} ({rows} + {columns}) + {OVERHEAD} < {rows} {columns}")
    values["fit"] = Math(rf"{q} > 10^{{-4}} {whole}")
    yield Paragraph((Sentence(tell.GATE, values),))


SECTIONS: Mapping[Law, Callable[[Writing, BoundForm, Applied], Iterator[Block]]] = {
    Law.ROTATION: _rotation,
    Law.EIGENVECTORS: _eigenvectors,
    Law.SIGNS: _signs,
    Law.INNER_PRODUCTS: _inner_products,
    Law.COLUMNS: _columns,
    Law.LOW_RANK: _low_rank,
}


def _column(writing: Writing, e: Expr) -> str:
    """A column of data; the column of ones has no name on the page."""
    is_ones = isinstance(e, Leaf) and e.role is Role.INTERMEDIATE
    return r"\mathbf{1}" if is_ones else writing.tex(e)


def _side_by_side(columns: Sequence[str]) -> str:
    return rf"\begin{{bmatrix}} {' & '.join(columns)} \end{{bmatrix}}"


def _free(writing: Writing, form: BoundForm, letters: str, count: int) -> list[str]:
    """Letters that stand for nothing else on the page."""
    derivation = writing.derivation
    own = [*derivation.leaves, *(eq.target for eq in derivation.forward), *(eq.target for eq in form.equations)]
    own += [e for law in form.laws for e in (*law.instead, *(eq.target for eq in law.definitions))]
    taken = {writing.name(e) for e in own} | {name for e in own for s in e.shape for name in s.names}
    free = [c for c in (*letters, "xi", "zeta", "chi") if typeset(c) not in taken]
    return [typeset(c) for c in free[:count]]


# ---- the checks


def bound_checked(writing: Writing, form: BoundForm) -> tuple[Inline, ...]:
    """A row for the table of the checks."""
    first, last = form.equations[0].label, form.equations[-1].label
    return (Math(rf"({first})\text{{–}}({last})"), Sentence(tell.SAME), _how(writing, form))


def _how(writing: Writing, form: BoundForm) -> Inline:
    weakest = next((p for p in form.checks if p.verdict is not Verdict.PROVED), form.checks[0])
    rotated = next((law.basis for law in form.laws if law.law is Law.ROTATION), None)
    if rotated is not None:
        values: dict[str, Inline] = {
            "basis": Math(writing.name(rotated)),
            "sizes": listed([Math(assigned(s)) for s in weakest.sizes]),
        }
        return Sentence(tell.ROTATED, values)
    return how(weakest, [_line(form, p) for p in form.checks])


def _line(form: BoundForm, proof: Proof) -> Line:
    return Line(form.equations[0].expression, Reason(Why.RULE), proof)
