"""A step entry by entry: the using equation, the local derivative, the way of the loss through it, collected, read back.

Every formula here is a form of `derive.entries`, printed; a test evaluates the same forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgrad.derive.derivation import Equation
from symgrad.derive.entries import Share, shares_of, spelled
from symgrad.explain import reasons as say
from symgrad.explain.document import Block, Display, Inline, Math, Paragraph, Plain, Row, Sentence
from symgrad.explain.writing import Writing, equation_number, listed
from symgrad.graph.expression import Apply, Leaf
from symgrad.notation.index import equalities, form_entry, form_terms, summed
from symgrad.records import dataclass
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.form import Form, bound_indices


def index_proof(writing: Writing, eq: Equation) -> list[Block]:
    """The blocks of the proof, without the matrix lines that follow it; none where entries have no short formula."""
    assert eq.variable is not None
    shares = shares_of(writing.derivation, eq)
    is_scalar = not eq.variable.rank and all(s.target is None or not s.target.rank for s in shares)
    if not shares or is_scalar:
        return []
    own = _own_letters(writing, eq.variable, shares)
    blocks: list[Block] = []
    for share in shares:
        blocks += _Proof(writing, eq, share, own, is_alone=len(shares) == 1).blocks()
    if len(shares) > 1:
        whole = to_form(spelled(eq.lines[0].expression))
        rows = [_row(writing, writing.entry(eq.target, own), whole, own), *_read_back(writing, eq, own)]
        blocks += [Paragraph((Sentence(say.TOGETHER),)), Display(tuple(rows))]
    return blocks


def _own_letters(writing: Writing, variable: Leaf, shares: Sequence[Share]) -> list[str]:
    """Letters for the entry that is differentiated by: none that stands for a size, and none that a sum runs over."""
    used = set(writing.letters.by_size.values())
    for share in shares:
        at = writing.indices(share.target.shape) if share.target is not None else []
        used |= {*at, *summed(share.held, at, writing.letters)}
    return writing.letters.take(variable.shape, used)


@dataclass(frozen=True, slots=True)
class _Proof:
    """The proof of one share: `own` are the variable's index letters, `is_alone` where it is all of the derivative."""

    writing: Writing
    eq: Equation
    share: Share
    own: list[str]
    is_alone: bool

    def blocks(self) -> Iterator[Block]:
        """What the equation says, the local derivative, the chain rule."""
        yield Paragraph((self._opening(),))
        yield Display((self._equation(),))
        yield Paragraph((self._where(),))
        yield Display(tuple(self._local()))
        if self.share.target is not None:
            yield Paragraph((self._ways(),))
            yield Display(tuple(self._followed()))

    @property
    def variable(self) -> Leaf:
        """What is differentiated by."""
        assert self.eq.variable is not None
        return self.eq.variable

    @property
    def target(self) -> Leaf:
        """The left side of the using equation."""
        return self.writing.derivation.loss if self.share.target is None else self.share.target

    @property
    def at(self) -> list[str]:
        """Index letters of the target."""
        return self.writing.indices(self.target.shape)

    @property
    def entry(self) -> Math:
        """One entry of the variable."""
        return Math(self.writing.entry(self.variable, self.own))

    def _opening(self) -> Inline:
        text = say.ENTRIES if self.share.is_whole else say.ENTRIES_PART
        return Sentence(text, {"equation": self._number(), "variable": Math(self.writing.name(self.variable))})

    def _number(self) -> Inline:
        return equation_number(self.share.contribution.label)

    def _equation(self) -> Row:
        row = _row(self.writing, self.writing.entry(self.target, self.at), self.share.held, self.at)
        if self.share.is_whole:
            return row
        return Row(row.left, row.right + r" + \dots", terms=(*row.terms, r"\dots"))

    def _where(self) -> Inline:
        found = equalities(self.share.local[0], [*self.at, *self.own], self.writing.letters)
        values: dict[str, Inline] = {
            "entry": self.entry,
            "variable": Math(self.writing.name(self.variable)),
            "reached": Math(self.writing.entry(self.target, self.at)),
            "count": Plain(str(len(found))),
        }
        if isinstance(self.share.contribution.subject, Apply):
            return Sentence(say.BY_DEFINITION, values)
        if len(found) > 1:
            return Sentence(say.PLACES, values)
        pairs = found[0] if found else []
        if pairs == list(zip(self.at, self.own, strict=False)) and len(self.at) == len(self.own):
            return Sentence(say.ALONE, values)
        if not pairs:
            return Sentence(say.DIRECTLY, values)
        if {c for pair in pairs for c in pair} <= {*self.at, *self.own}:
            return Sentence(say.WHERE, {**values, "conditions": _conditions(pairs)})
        return Sentence(say.ONLY, {**values, "conditions": _conditions(pairs)})

    def _local(self) -> Iterator[Row]:
        """∂z/∂v: place by place, then what is left of the sums; of the loss, down to what the step says."""
        indices = [*self.at, *self.own]
        above, below = self.writing.entry(self.target, self.at), self.writing.entry(self.variable, self.own)
        left = rf"\frac{{\partial {above}}}{{\partial {below}}}"
        if self.share.target is None and not self.is_alone:
            # A part of ∂L/∂v: the derivative of these terms alone.
            left = rf"\frac{{\partial}}{{\partial {below}}}\Bigl({form_entry(self.share.held, [], self.writing.letters)}\Bigr)"
        lines: list[tuple[Form, Inline | None]] = [(form, None) for form in self.share.local]
        if self.share.target is None:
            lines = [*lines, *((form, None) for form in self.share.followed)]
        elif isinstance(self.share.contribution.subject, Apply):
            number = self._number()
            lines = [
                (form, Sentence(say.BY_AGAIN, {"equation": number}) if k else None) for k, (form, _) in enumerate(lines)
            ]
        yield from _chain(self.writing, left, lines, indices)
        if self.share.target is None and self.is_alone:
            yield from _read_back(self.writing, self.eq, self.own)

    def _ways(self) -> Inline:
        values: dict[str, Inline] = {
            "entry": self.entry,
            "loss": Math(self.writing.loss),
            "target": Math(self.writing.name(self.target)),
        }
        return Sentence(say.WAYS, values)

    def _followed(self) -> Iterator[Row]:
        """Σ ∂L/∂z ∂z/∂v, the local derivative put in, collected, read back."""
        z, v = self.writing.entry(self.target, self.at), self.writing.entry(self.variable, self.own)
        loss = self.writing.loss
        sum_sign = rf"\sum_{{{','.join(self.at)}}} " if self.at else ""
        product = rf"{sum_sign}\frac{{\partial {loss}}}{{\partial {z}}}\, \frac{{\partial {z}}}{{\partial {v}}}"
        put_in, *others = self.share.followed
        left = equalities(self.share.local[-1], [*self.at, *self.own], self.writing.letters)
        pairs = list(dict.fromkeys(p for own in left for p in own))
        collected: Inline = Sentence(say.LEFT, {"conditions": _conditions(pairs)}) if pairs else Sentence(say.COLLECTED)
        reasons = [collected, *[Sentence(say.COLLECTED)] * (len(others) - 1)]
        lines = [(put_in, Sentence(say.PUT_IN)), *zip(others, reasons, strict=True)]
        if self.is_alone:
            yield Row(rf"\frac{{\partial {loss}}}{{\partial {v}}}", product)
            yield from _chain(self.writing, "", lines, self.own)
            yield from _read_back(self.writing, self.eq, self.own)
        else:
            yield from _chain(self.writing, product, lines, self.own)


def _chain(
    writing: Writing, left: str, lines: Sequence[tuple[Form, Inline | None]], indices: Sequence[str]
) -> Iterator[Row]:
    """Lines that are equal, each with its reason; what prints as the line before it, or is the same sum, is not repeated."""
    shown: list[str] = []
    kept: Inline | None = None
    for k, (form, reason) in enumerate(lines):
        reason = kept if kept is not None else reason
        text = form_entry(form, indices, writing.letters)
        # Of two orders of the same factors the later one is what the step goes on with.
        is_last_order = k + 1 < len(lines) and k > 0 and form == lines[k + 1][0]
        kept = reason if is_last_order else None
        if text in shown or is_last_order:
            continue
        yield _row(writing, left if not shown else "", form, indices, reason if shown or not left else None)
        shown.append(text)


def _row(writing: Writing, left: str, form: Form, indices: Sequence[str], reason: Inline | None = None) -> Row:
    text = form_entry(form, indices, writing.letters)
    return Row(left, text, terms=tuple(form_terms(form, indices, writing.letters)), reason=reason)


def _read_back(writing: Writing, eq: Equation, own: Sequence[str]) -> Iterator[Row]:
    """The same entry of the matrix expression, where a sum has become a product."""
    first = writing.lines(eq)[0].expression
    if any(writing.is_by_entries(line.expression) for line in (*eq.lines, *writing.lines(eq))):
        return  # there is no form in matrices
    e = eq.lines[0].expression
    if not own or not any(bound_indices(term.factors, len(own)) for term in to_form(spelled(e)).terms):
        return
    whole = writing.tex(first)
    own = own[::-1] if writing.is_turned else own
    fence = (r"\left(", r"\right)") if r"\frac" in whole else (r"\bigl(", r"\bigr)")
    yield Row("", f"{fence[0]}{whole}{fence[1]}_{{{''.join(own)}}}", reason=Sentence(say.READ_BACK))


def _conditions(pairs: Sequence[tuple[str, str]]) -> Inline:
    return listed([Math(f"{a} = {b}") for a, b in pairs])
