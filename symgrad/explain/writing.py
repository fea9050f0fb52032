"""What all parts of a page need: names, entries and formulas of one derivation in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.derive.derivation import Derivation, Equation
from symgrad.explain.document import Inline, Join, Listing, Math, Plain, Row, Sentence
from symgrad.explain.sentences import EQUATION, SCALAR
from symgrad.graph.expression import Expr, Leaf, Role, Shape
from symgrad.graph.walk import postorder
from symgrad.notation.index import Letters, entry_of, index_form, letters_for
from symgrad.notation.latex import latex, latex_terms, symbols_used
from symgrad.notation.names import typeset
from symgrad.notation.pieces import render
from symgrad.notation.scalars import size
from symgrad.prose import Language, Text

OTHERWISE = Text(en="otherwise", zh="否则")


@dataclass(frozen=True, slots=True)
class Writing:
    """The derivation that is written about, in which language, with which index letters."""

    derivation: Derivation
    language: Language
    letters: Letters

    @property
    def loss(self) -> str:
        """The loss's letter in LaTeX."""
        return typeset(self.derivation.loss.name)

    def tex(self, e: Expr) -> str:
        """An expression in matrix form."""
        return latex(e, loss=self.derivation.loss.name, otherwise=OTHERWISE.to(self.language))

    def terms(self, e: Expr) -> tuple[str, ...]:
        """The terms of a sum, each with its sign: where a line may break."""
        return tuple(latex_terms(e, loss=self.derivation.loss.name, otherwise=OTHERWISE.to(self.language)))

    def signs(self, e: Expr) -> frozenset[str]:
        """The notation that an expression uses."""
        return symbols_used(e, loss=self.derivation.loss.name)

    def signs_printed(self, e: Expr) -> frozenset[str]:
        """The notation that the page shows of an expression, in matrices or entry by entry."""
        return self.signs(e) & {"outside"} if self.is_by_entries(e) else self.signs(e)

    def name(self, leaf: Leaf) -> str:
        """A name in LaTeX."""
        return typeset(leaf.name)

    def derivative(self, leaf: Leaf, *, is_inline: bool = False) -> str:
        """∂L/∂(leaf), as a fraction, or with a slash inside a sentence."""
        if is_inline:
            return rf"\partial {self.loss}/\partial {self.name(leaf)}"
        return rf"\frac{{\partial {self.loss}}}{{\partial {self.name(leaf)}}}"

    def entry(self, leaf: Leaf, indices: Sequence[str]) -> str:
        """One entry of a named array."""
        return entry_of(leaf, indices, self.loss)

    def entry_form(self, e: Expr, indices: Sequence[str]) -> str:
        """One entry of an expression, sums written out."""
        return index_form(e, indices, self.letters)

    def is_by_entries(self, e: Expr) -> bool:
        """Whether an expression has no form in matrices: more than two axes, or an index shared by three arrays."""
        return e.rank > 2 or "entries" in self.signs(e)

    def indices(self, shape: Shape, beside: Sequence[str] = ()) -> list[str]:
        """Index letters for the axes of a shape."""
        return self.letters.take(shape, beside)


def writing_of(derivation: Derivation, language: Language) -> Writing:
    """The writing of a derivation: index letters avoid every name on the page."""
    equations = derivation.forward
    sizes = [s for eq in equations for e in (*_leaves(eq, derivation), eq.target) for s in e.shape]
    names = [e.name for e in (*derivation.leaves, *(eq.target for eq in equations))]
    names += [name for s in sizes for name in s.names]
    return Writing(derivation, language, letters_for(names, sizes, typeset(derivation.loss.name)))


def _leaves(eq: Equation, derivation: Derivation) -> list[Leaf]:
    held = set(postorder([eq.expression]))
    return [e for e in derivation.leaves if e in held]


def shape_tex(shape: Shape) -> str:
    """A shape as n × d; a scalar has none."""
    several = len(shape) > 1
    return r" \times ".join(f"({render(size(s))})" if several and len(s.terms) > 1 else render(size(s)) for s in shape)


def shape_inline(shape: Shape) -> Inline:
    """A shape for a table's cell."""
    return Math(shape_tex(shape)) if shape else Sentence(SCALAR)


def equation_number(label: int) -> Sentence:
    """(3)"""
    return Sentence(EQUATION, {"number": Plain(str(label))})


def listed(items: Sequence[Inline], join: Join = "and") -> Inline:
    """a, b and c."""
    return items[0] if len(items) == 1 else Listing(tuple(items), join)


def equation_rows(writing: Writing, leaf: Leaf, lines: Sequence[Expr]) -> list[Row]:
    """leaf = … = …, a row for each line; entry by entry where one of them has no form in matrices.

    For a cotangent the left side is ∂L/∂(its variable).
    """
    if any(writing.is_by_entries(e) for e in lines):
        own = writing.indices(leaf.shape)
        left = writing.entry(leaf, own)
        return [Row("" if k else left, writing.entry_form(e, own)) for k, e in enumerate(lines)]
    left = writing.derivative(leaf) if leaf.role is Role.COTANGENT else writing.name(leaf)
    return [row(writing, "" if k else left, e) for k, e in enumerate(lines)]


def row(writing: Writing, left: str, e: Expr, **more: object) -> Row:
    """A line of an equation whose right side is an expression."""
    return Row(left, writing.tex(e), terms=writing.terms(e), **more)  # type: ignore[arg-type]  # the fields of Row
