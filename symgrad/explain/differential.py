"""A step by differentials: dL, dY put in, everything moved off dX, the gradient read off.

The lines are those that `derive.differential` found and proved; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from symgrad.derive.brackets import Bracket, bracket_of, brackets_of
from symgrad.derive.derivation import DifferentialLine, Equation, Move
from symgrad.derive.differential import differential_of
from symgrad.explain import differential_sentences as say
from symgrad.explain.document import Block, Display, Inline, Math, Paragraph, Row, Sentence
from symgrad.explain.writing import Writing, equation_number, listed
from symgrad.graph.expression import Expr, is_number, linear, scale
from symgrad.notation.pieces import render
from symgrad.notation.scalars import number

_Write = Callable[[Writing, Fraction, Bracket], str]
# More laws than these are not written beside a line; all that a page uses stand before its steps.
MOST_LAWS = 2


def head(writing: Writing, equations: Sequence[Equation]) -> Iterator[Block]:
    """What an inner product and a differential are, and the laws that the lines of these equations use."""
    used = {move for eq in equations for line in eq.differential for move in line.moves}
    derivation = writing.derivation
    names = {e.name for e in (*derivation.leaves, *(eq.target for eq in derivation.forward))}
    u, v = [c for c in say.LETTERS if c not in names][:2]
    loss = rf"\partial {writing.loss}/\partial"
    chain = rf"\mathrm{{d}}{writing.loss} = \langle {loss} {v},\, \mathrm{{d}}{v} \rangle"
    letters = {"u": u, "v": v, "du": rf"\mathrm{{d}}{u}", "dv": rf"\mathrm{{d}}{v}"}
    formulas = {**say.VALUES, **letters, "gradient": f"{loss} {u}", "chain": chain}
    values: dict[str, Inline] = {name: Math(tex) for name, tex in formulas.items()}
    yield Paragraph(tuple(Sentence(text, values) for text in (say.HEAD, say.RULES, say.PAIRING)))
    rows = [Row(left, right) for move, (left, right) in say.LAWS.items() if move in used]
    if rows:
        yield Paragraph((Sentence(say.LAWS_USED),))
        yield Display(tuple(rows))
    if Move.ADJOINT in used:
        yield Paragraph((Sentence(say.ADJOINT, {"f": Math("F"), "adjoint": Math(r"F^{\ast}")}),))


def rows(writing: Writing, eq: Equation, slopes: Mapping[int, Inline]) -> Iterator[Row]:
    """The lines of a step, each with what led to it; `slopes` are the derivatives of functions, by the equation's label.

    In matrices, or all of them entry by entry where one has no form in matrices.
    """
    is_by_entries = any(_has_no_matrices(writing, line.expression) for line in eq.differential)
    write = _by_entries if is_by_entries else _in_matrices
    shown: list[str] = []
    left = rf"\mathrm{{d}}{writing.loss}"
    for line in eq.differential:
        terms = _terms(writing, line.expression, write)
        text = _joined(terms)
        if text not in shown:
            reason = _reason(writing, eq, line, slopes, is_by_entries=is_by_entries)
            yield Row("" if shown else left, text, terms=tuple(terms), reason=reason)
            shown.append(text)


def _reason(
    writing: Writing, eq: Equation, line: DifferentialLine, slopes: Mapping[int, Inline], *, is_by_entries: bool
) -> Inline | None:
    if Move.PUT_IN in line.moves:
        return listed([_put_in(writing, c.label, slopes) for c in eq.contributions], "clause")
    if Move.COLLECT in line.moves:
        return Sentence(say.COLLECTED)
    if Move.CHAIN in line.moves:
        return None
    if Move.ENTRIES in line.moves or is_by_entries:
        return Sentence(say.SUMS_FIRST)
    laws = [move for move in line.moves if move in say.LAWS]
    # That a number may stand anywhere is said where nothing else is.
    laws = [move for move in laws if move is not Move.SCALAR] or laws
    if len(laws) > MOST_LAWS:
        return Sentence(say.MOVED)
    return listed([Math("{} = {}".format(*say.LAWS[move])) for move in laws], "clause") if laws else None


def _put_in(writing: Writing, label: int, slopes: Mapping[int, Inline]) -> Inline:
    """By which equation, and for functions of one variable with which derivative."""
    target = next(f.target for f in writing.derivation.forward if f.label == label)
    values: dict[str, Inline] = {
        "equation": equation_number(label),
        "differential": Math(writing.tex(differential_of(target))),
    }
    is_loss = target is writing.derivation.loss
    if label in slopes:
        return Sentence(say.LOSS_WITH if is_loss else say.PUT_IN_WITH, {**values, "slopes": slopes[label]})
    return Sentence(say.LOSS if is_loss else say.PUT_IN, values)


# ---- lines


def expressions_of(writing: Writing, eq: Equation) -> list[Expr]:
    """What stands in the inner products of a step: the page says what its notation means."""
    return [e for line in eq.differential for e in _sides(writing, line.expression)]


def _has_no_matrices(writing: Writing, e: Expr) -> bool:
    return any(writing.is_by_entries(side) for side in _sides(writing, e))


def _sides(writing: Writing, e: Expr) -> Iterator[Expr]:
    """What stands in the inner products of a line, in those under a Σ too."""
    for _, term in brackets_of(e):
        found = term if isinstance(term, Bracket) else _under_sum(writing, term)
        if found is not None:
            yield from (found.left, found.right)


def _under_sum(writing: Writing, term: Expr) -> Bracket | None:
    return bracket_of(writing.sums[term].term) if term in writing.sums else None


def _terms(writing: Writing, e: Expr, write: _Write) -> list[str]:
    """The terms of a line, each behind its sign."""
    found = []
    for c, term in brackets_of(e):
        if isinstance(term, Bracket):
            found.append(write(writing, c, term))
            continue
        inner = _under_sum(writing, term)
        if inner is None:
            found.append(writing.tex(scale(c, term)))
        else:
            found.append(f"{_coefficient(c)}{writing.sums[term].latex} {write(writing, Fraction(1), inner)}")
    return found


def _joined(terms: Sequence[str]) -> str:
    first, *others = terms
    return " ".join([first, *(f"- {t[1:]}" if t.startswith("-") else f"+ {t}" for t in others)])


def _coefficient(c: Fraction) -> str:
    sign = "-" if c < 0 else ""
    return sign if abs(c) == 1 else f"{sign}{render(number(abs(c)))}\\, "


def _in_matrices(writing: Writing, c: Fraction, b: Bracket) -> str:
    """c ⟨A, B⟩; of numbers their product."""
    if is_number(b.left, 1):
        return writing.tex(scale(c, b.right))
    if not b.left.rank:
        return writing.tex(linear([(c, b.expression)]))
    left, right = writing.tex(b.left), writing.tex(b.right)
    return rf"{_coefficient(c)}\left\langle {left},\, {right} \right\rangle"


def _by_entries(writing: Writing, c: Fraction, b: Bracket) -> str:
    """c Σ a b over all entries, sums on both sides in parentheses."""
    own = writing.indices(b.left.shape)
    factors = [e for e in (b.left, b.right) if not is_number(e, 1)]
    sides = [_side(writing, e, own, is_alone=len(factors) == 1) for e in factors]
    sign = rf"\sum_{{{','.join(own)}}} " if own else ""
    return f"{_coefficient(c)}{sign}{(chr(92) + ', ').join(sides)}"


def _side(writing: Writing, e: Expr, own: Sequence[str], *, is_alone: bool) -> str:
    row = writing.entry_row("", e, own)
    is_sum = len(row.terms) > 1 or row.right.startswith(("-", r"\sum"))
    return rf"\Bigl({row.right}\Bigr)" if is_sum and not is_alone else row.right
