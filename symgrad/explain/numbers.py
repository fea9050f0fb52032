"""The section with worked numbers: what is given, every value there and back, differences, one step down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np

from symgrad.derive.derivation import Equation
from symgrad.derive.numbers import Numbers
from symgrad.explain import number_sentences as tell
from symgrad.explain.document import Block, Display, Heading, Inline, Listing, Math, Paragraph, Plain, Row, Sentence
from symgrad.explain.figures import array_tex, figures_for, scalar_tex
from symgrad.explain.writing import Writing, equation_number, listed, shortened
from symgrad.graph.expression import Leaf, Role
from symgrad.notation.names import typeset
from symgrad.records import dataclass

# How the digits of a difference are told from the gradient's is said where they differ by more than this.
AGREES = Decimal("1e-6")


@dataclass(frozen=True, slots=True)
class Source:
    """The numbers, and the file that they come from; none where they were made up."""

    numbers: Numbers
    file: str = ""


def in_numbers(writing: Writing, source: Source) -> Iterator[Block]:
    """The section."""
    numbers, derivation = source.numbers, writing.derivation
    yield Heading(1, Sentence(tell.HEADING))
    yield Paragraph(tuple(_opening(source)))
    order = (Role.DATA, Role.LABELS, Role.PARAMETER, Role.HYPERPARAMETER)
    leaves = sorted(numbers.given, key=lambda e: order.index(e.role))
    yield Display(tuple(_shortened([_given(writing, numbers, e) for e in leaves], leaves)))
    yield Paragraph((Sentence(tell.FORWARD),))
    yield from _values(writing, numbers, derivation.forward)
    yield Paragraph((Sentence(tell.BACKWARD_ROWS if writing.is_turned else tell.BACKWARD),))
    yield from _values(writing, numbers, derivation.backward)
    yield from _differences(writing, numbers)
    yield Paragraph(tuple(_descent(writing, numbers)))


def _opening(source: Source) -> Iterator[Inline]:
    numbers = source.numbers
    if numbers.is_made_up:
        yield Sentence(tell.MADE_UP)
    else:
        yield Sentence(tell.GIVEN, {"file": Plain(source.file)}) if source.file else Sentence(tell.GIVEN_BARE)
    if numbers.sizes:
        sizes = [Math(f"{typeset(name)} = {number}") for name, number in numbers.sizes.items()]
        yield Sentence(tell.SIZES, {"sizes": listed(sizes)})
    arrays = [*numbers.given.values(), *numbers.values.values()]
    yield Sentence(tell.ROUNDED)
    if any(length > 6 for a in arrays for length in np.shape(a)):
        yield Sentence(tell.LONG)


def _shortened(rows: Sequence[Row], names: Sequence[Leaf]) -> list[Row]:
    """The rows, those in the middle of a family left out: the layers of a deep net."""
    return shortened(rows, names, Row(r"\vdots", "", relation=""))


def _given(writing: Writing, numbers: Numbers, e: Leaf) -> Row:
    a = numbers.given[e]
    return Row(writing.name(e), array_tex(a, figures_for([a])))


def _values(writing: Writing, numbers: Numbers, equations: Sequence[Equation]) -> Iterator[Block]:
    rows = [_value(writing, numbers, eq) for eq in equations]
    yield Display(tuple(_shortened(rows, [eq.target for eq in equations])))


def _value(writing: Writing, numbers: Numbers, eq: Equation) -> Row:
    left = writing.derivative(eq.target) if eq.variable is not None else writing.name(eq.target)
    by = Sentence(tell.BY, {"equation": equation_number(eq.label)})
    return Row(left, _tex(writing, numbers.values[eq.target], eq), reason=by)


def _tex(writing: Writing, a: np.ndarray, eq: Equation, beside: np.ndarray | None = None) -> str:
    """An array as the page's layout has it; rounded like the one beside it."""
    is_turned = writing.is_turned and eq.variable is not None
    figures = figures_for([a if beside is None else beside])
    return array_tex(a.T if is_turned and a.ndim == 2 else a, figures, is_row=is_turned)


def _differences(writing: Writing, numbers: Numbers) -> Iterator[Block]:
    derivation = writing.derivation
    wanted = set(derivation.parameters)
    equations = [eq for eq in derivation.backward if eq.variable in wanted]
    loss, any_, h = writing.loss, writing.any_parameter, writing.change
    quotient = rf"\frac{{{loss}({any_} + {h}) - {loss}({any_} - {h})}}{{2{h}}}"
    yield Paragraph(
        (Sentence(tell.DIFFERENCES, {"quotient": Math(quotient), "h": Math(f"{h} = 10^{{-6}}"), "any": Math(any_)}),)
    )
    rows: list[list[Row]] = []
    for eq in equations:
        assert eq.variable is not None
        gradient, difference = numbers.values[eq.target], numbers.differences[eq.variable]
        left = writing.derivative(eq.target)
        error: Inline = Sentence(tell.ERROR, {"error": Math(_error(numbers.errors[eq.variable]))})
        rows.append(
            [
                Row(
                    left, _tex(writing, gradient, eq), reason=Sentence(tell.BY, {"equation": equation_number(eq.label)})
                ),
                Row("", _tex(writing, difference, eq, gradient), reason=error, relation=r"\approx"),
            ]
        )
    kept = shortened(rows, [eq.target for eq in equations], [Row(r"\vdots", "", relation="")])
    yield Display(tuple(row for own in kept for row in own))
    said: list[Inline] = []
    if any(x is None for a in numbers.differences.values() for x in np.ravel(np.asarray(a, dtype=object))):
        said.append(Sentence(tell.NOT_TAKEN))
    far = [eq.variable for eq in equations if eq.variable is not None and not numbers.errors[eq.variable] <= AGREES]
    if far:
        said.append(Sentence(tell.KINK, {"parameters": Listing(tuple(Math(writing.name(p)) for p in far))}))
    if said:
        yield Paragraph(tuple(said))


def _error(error: Decimal) -> str:
    """The size of a relative difference: its power of ten."""
    if not error.is_finite():
        return r"\text{–}"
    if error < Decimal("1e-25"):
        return r"< 10^{-25}"
    mantissa = error.scaleb(-error.adjusted())
    return rf"{mantissa:.1f} \times 10^{{{error.adjusted()}}}"


def _descent(writing: Writing, numbers: Numbers) -> Iterator[Inline]:
    if numbers.descent is None:
        yield Sentence(tell.STATIONARY, {"loss": Math(writing.loss)})
        return
    d = numbers.descent
    any_, rate = writing.any_parameter, writing.rate
    slope = rf"\partial {writing.loss}/\partial {any_}"
    slope = rf"({slope})^{{\top}}" if writing.is_turned else slope
    values: dict[str, Inline] = {
        "step": Math(rf"{any_} \leftarrow {any_} - {rate}\, {slope}"),
        "rate": Math(rf"{rate} = {float(d.rate):g}"),
        "loss": Math(writing.loss),
        "before": Math(scalar_tex(d.before)),
        "after": Math(scalar_tex(d.after)),
    }
    yield Sentence(tell.DESCENT, values)
