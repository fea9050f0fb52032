"""What all parts of a page need: names, entries and formulas of one derivation in LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import TypeVar

from symgrad.derive.alike import Form
from symgrad.derive.derivation import Derivation, Equation, Labels, Line, series
from symgrad.derive.fold import Declared, Family, Reading, Statement
from symgrad.derive.layout import in_rows, shape_in_rows
from symgrad.derive.runs import FEWEST, runs
from symgrad.explain.document import Inline, Join, Listing, Math, Plain, Row, Sentence
from symgrad.explain.sentences import EQUATION, SCALAR
from symgrad.graph.expression import Expr, Leaf, Role, Shape, leaf
from symgrad.graph.numbered import split_number, split_symbol
from symgrad.graph.walk import postorder
from symgrad.notation.context import SumOver, Sums
from symgrad.notation.index import Letters, entry_of, index_form, index_terms, letters_for
from symgrad.notation.latex import latex_terms, piece_of
from symgrad.notation.names import shared_capitals, typeset
from symgrad.notation.pieces import Tex, marks_of, render
from symgrad.notation.scalars import size
from symgrad.prose import Language, Text
from symgrad.records import dataclass
from symgrad.rewrite.turn import row_of, turned

# Letters for the argument of a function of one variable.
ARGUMENTS = "utsx"
# Letters for the learning rate.
RATES = ("eta", "alpha", "epsilon", "rho")
ANY = ("theta", "phi", "psi", "omega")
CHANGES = ("h", "epsilon", "delta", "t")
OTHERWISE = Text(en="otherwise", zh="否则")


@dataclass(frozen=True, slots=True)
class Writing:
    """The derivation that is written about, in which language, with which index letters.

    In numerator layout `is_turned` holds, and `rows` says what stands for the sums over families that hold derivatives.
    """

    derivation: Derivation
    language: Language
    letters: Letters
    reading: Reading
    sums: Sums
    is_turned: bool = False
    rows: Mapping[Expr, Expr] = field(default_factory=dict)
    # Formulas set so far, by the loss's name and what they say: a page asks for a line, for its signs, for what they mean.
    pieces: dict[tuple[str, Expr], Tex] = field(default_factory=dict)

    @property
    def rate(self) -> str:
        """A letter for the learning rate, none that stands on the page."""
        return self._free(RATES)

    @property
    def any_parameter(self) -> str:
        """A letter for each of the parameters in turn, none that stands on the page."""
        return self._free(ANY)

    @property
    def change(self) -> str:
        """A letter for a small change of an entry, none that stands on the page."""
        return self._free(CHANGES)

    def _free(self, letters: Sequence[str]) -> str:
        """The first letter that is neither an array nor a size."""
        derivation = self.derivation
        names = {e.name for e in (*derivation.leaves, *(eq.target for eq in derivation.forward))}
        names |= {name for e in derivation.leaves for s in e.shape for name in s.names}
        return typeset(next((name for name in letters if name not in names), letters[0]))

    @property
    def argument(self) -> str:
        """A letter for the argument of a function, none that stands on the page."""
        derivation = self.derivation
        names = {e.name.lower() for e in (*derivation.leaves, *(eq.target for eq in derivation.forward))}
        sizes = {name for e in derivation.leaves for s in e.shape for name in s.names}
        used = names | sizes | {self.reading.letter}
        return next((c for c in ARGUMENTS if c not in used), "xi")

    @property
    def loss(self) -> str:
        """The loss's letter in LaTeX."""
        return typeset(self.derivation.loss.name)

    def tex(self, e: Expr) -> str:
        """An expression in matrix form."""
        return render(self._piece(e))

    def _piece(self, e: Expr) -> Tex:
        key = self.derivation.loss.name, e
        if key not in self.pieces:
            otherwise, capitals = OTHERWISE.to(self.language), self.letters.capitals
            self.pieces[key] = piece_of(e, loss=key[0], otherwise=otherwise, sums=self.sums, capitals=capitals)
        return self.pieces[key]

    def terms(self, e: Expr) -> tuple[str, ...]:
        """The terms of a sum, each with its sign: where a line may break."""
        loss, otherwise, capitals = self.derivation.loss.name, OTHERWISE.to(self.language), self.letters.capitals
        return tuple(latex_terms(e, loss=loss, otherwise=otherwise, sums=self.sums, capitals=capitals))

    def signs(self, e: Expr) -> frozenset[str]:
        """The notation that an expression uses."""
        return marks_of([self._piece(e)])

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

    def lines(self, eq: Equation) -> tuple[Line, ...]:
        """The lines of a step in the page's layout, in matrices."""
        return in_rows(eq, self.rows) if self.is_turned else eq.lines

    def shape(self, shape: Shape) -> Shape:
        """The shape of the derivative by an array of this shape, in the page's layout."""
        return shape_in_rows(shape) if self.is_turned else shape

    def update(self, leaf: Leaf) -> str:
        """The derivative in the shape of its parameter: transposed where the layout transposes it."""
        derivative = self.derivative(leaf)
        return rf"\left({derivative}\right)^{{\top}}" if self.is_turned and leaf.rank else derivative

    def entry(self, leaf: Leaf, indices: Sequence[str]) -> str:
        """One entry of a named array."""
        return entry_of(leaf, indices, self.letters)

    def entry_form(self, e: Expr, indices: Sequence[str]) -> str:
        """One entry of an expression, sums written out."""
        return index_form(e, indices, self.letters)

    def is_by_entries(self, e: Expr) -> bool:
        """Whether an expression has no form in matrices: more than two axes, or an index shared by three arrays."""
        return e.rank > 2 or "entries" in self.signs(e)

    def entry_row(self, left: str, e: Expr, indices: Sequence[str]) -> Row:
        """A line of an equation whose right side is one entry of an expression."""
        return Row(left, self.entry_form(e, indices), terms=tuple(index_terms(e, indices, self.letters)))

    def indices(self, shape: Shape, beside: Sequence[str] = ()) -> list[str]:
        """Index letters for the axes of a shape."""
        return self.letters.take(shape, beside)

    def of(self, statement: Statement) -> Writing:
        """The writing about what one statement refers to."""
        return replace(self, derivation=statement.view)

    def values(self, statement: Statement | Family | Declared) -> str:
        """The range of a family: l = 2, 3, …, 19."""
        return f"{self.reading.letter} = {series_tex(statement.values)}"


def writing_of(reading: Reading, language: Language, *, is_turned: bool = False) -> Writing:
    """The writing of a derivation: index letters avoid every name on the page."""
    derivation = reading.derivation
    parts = [s for part in reading.forward for s in (part.statements if isinstance(part, Family) else (part,))]
    equations = [s.equation for s in parts]
    sums = {e: SumOver(s.term, s.letter, s.values[0], s.values[-1]) for e, s in reading.sums.items()}
    sizes = [s for eq in equations for e in (*_leaves(eq, derivation), eq.target) for s in e.shape]
    names = [e.name for e in (*derivation.leaves, *(eq.target for eq in derivation.forward))]
    names += [name for s in sizes for name in s.names]
    if reading.is_folded:
        names += [name for e in derivation.leaves for s in e.shape for name in s.names] + [reading.letter]
    arrays = [e for e in (*derivation.leaves, *(eq.target for eq in (*derivation.forward, *equations))) if e.rank]
    capitals = shared_capitals(e.name for e in arrays)
    letters = replace(letters_for(names, sizes, typeset(derivation.loss.name)), sums=sums, capitals=capitals)
    if not is_turned:
        return Writing(derivation, language, letters, reading, sums)
    rows: dict[Expr, Expr] = {
        e: _row_of_sum(e) for e, s in sums.items() if isinstance(e, Leaf) and _holds_derivative(s.term)
    }
    in_matrices = sums | {rows[e]: replace(s, term=turned(s.term)) for e, s in sums.items() if e in rows}
    return Writing(derivation, language, letters, reading, in_matrices, is_turned=True, rows=rows)


def _holds_derivative(e: Expr) -> bool:
    return any(isinstance(x, Leaf) and x.role is Role.COTANGENT for x in postorder([e]))


def _row_of_sum(e: Leaf) -> Leaf:
    """A leaf of its own even where the shape is a square."""
    row = row_of(e)
    return leaf(f"{row.name} in rows", row.shape, row.role)


def _leaves(eq: Equation, derivation: Derivation) -> list[Leaf]:
    """The declared arrays of an equation in the order of their declaration, then those of a family."""
    held = [e for e in postorder([eq.expression]) if isinstance(e, Leaf)]
    known = set(held)
    return [e for e in derivation.leaves if e in known] + [e for e in held if split_symbol(e.name) is not None]


def shape_tex(shape: Shape) -> str:
    """A shape as n × d; a scalar has none."""
    several = len(shape) > 1
    return r" \times ".join(f"({render(size(s))})" if several and len(s.terms) > 1 else render(size(s)) for s in shape)


def shape_inline(shape: Shape) -> Inline:
    """A shape for a table's cell."""
    return Math(shape_tex(shape)) if shape else Sentence(SCALAR)


def equation_number(label: int) -> Sentence:
    """(3), or (3, 5, …, 37) for the equations of a family."""
    number = Math(dotted(str(label))) if isinstance(label, Labels) else Plain(str(label))
    return Sentence(EQUATION, {"number": number})


def dotted(text: str) -> str:
    """Numbers in a row as LaTeX."""
    return text.replace("…", r"\ldots")


def series_tex(numbers: Sequence[int]) -> str:
    """Numbers in a row: 2, 3, …, 19."""
    return dotted(series(numbers))


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
        return [writing.entry_row("" if k else left, e, own) for k, e in enumerate(lines)]
    left = writing.derivative(leaf) if leaf.role is Role.COTANGENT else writing.name(leaf)
    return [row(writing, "" if k else left, e) for k, e in enumerate(lines)]


def step_rows(writing: Writing, eq: Equation) -> list[tuple[Line, Row]]:
    """The lines of a step, each with its row; entry by entry they are the same in either layout."""
    lines = writing.lines(eq)
    if any(writing.is_by_entries(line.expression) for line in (*eq.lines, *lines)):
        lines, own = eq.lines, writing.indices(eq.shape)
        left = writing.entry(eq.target, own)
        rows = [writing.entry_row("" if k else left, line.expression, own) for k, line in enumerate(lines)]
    else:
        left = writing.derivative(eq.target)
        rows = [row(writing, "" if k else left, line.expression) for k, line in enumerate(lines)]
    return list(zip(lines, rows, strict=True))


def result_row(writing: Writing, eq: Equation) -> Row:
    """A derivative as its step ends."""
    rows = [own for _, own in step_rows(writing, eq)]
    return replace(rows[-1], left=rows[0].left)


def row(writing: Writing, left: str, e: Expr, **more: object) -> Row:
    """A line of an equation whose right side is an expression."""
    return Row(left, writing.tex(e), terms=writing.terms(e), **more)  # type: ignore[arg-type]  # the fields of Row


T = TypeVar("T")


def shortened(items: Sequence[T], names: Sequence[Leaf], dots: T) -> list[T]:
    """One item for each name, dots in place of the middle of a family of more than three."""
    forms = [_family_of(e.name) for e in names]
    kept: list[T] = []
    at = 0
    for run in runs(forms):
        kept += items[at : run.start]
        own = items[run.start : run.end]
        if run.count > FEWEST:
            own = [*own[: run.period], dots, *own[-run.period :]]
        kept += own
        at = run.end
    return [*kept, *items[at:]]


def _family_of(name: str) -> Form:
    found = split_number(name)
    return Form((name,), (), ()) if found is None else Form((found[0],), (name,), (found[1],))
