"""The table of checks: which steps are proved or verified, at which sizes, and the whole gradient against differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from symgrad.derive.derivation import DifferentialLine, Equation, Line, Proof, Verdict
from symgrad.explain import differential_sentences as tell
from symgrad.explain import sentences as say
from symgrad.explain.document import Block, Heading, Inline, Join, Mark, Math, Plain, Sentence, Table
from symgrad.explain.writing import Writing, listed, shortened
from symgrad.notation.names import typeset
from symgrad.rewrite.display import Reason, Why

# The least sure first.
MARKS: tuple[tuple[Verdict, Mark], ...] = (
    (Verdict.UNCHECKED, "unchecked"),
    (Verdict.VERIFIED, "verified"),
    (Verdict.PROVED, "proved"),
)
DOTS: Inline = Math(r"\ldots")


def mark_of(eq: Equation) -> Mark:
    """How sure a step is: as sure as the least sure of its lines."""
    own = {eq.proof.verdict, *(line.proof.verdict for line in eq.lines)}
    verdicts = own | {line.proof.verdict for line in eq.differential}
    return next(mark for verdict, mark in MARKS if verdict in verdicts)


def parameters_named(writing: Writing, join: Join) -> Inline:
    """The parameters, a long list of them shortened."""
    parameters = writing.derivation.parameters
    return listed(shortened([Math(writing.name(p)) for p in parameters], parameters, DOTS), join)


def assigned(sizes: Mapping[str, int]) -> str:
    """n = 3, d = 4."""
    return r",\ ".join(f"{typeset(name)} = {value}" for name, value in sizes.items())


def digits(value: float) -> str:
    """Five significant digits, with a power of ten where the number is very small or large."""
    text = f"{value:.5g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}"
    return text


def checks(writing: Writing, in_rows: Proof | None = None, more: Sequence[tuple[Inline, ...]] = ()) -> Iterator[Block]:
    """The section of the checks; `more` are rows of other sections."""
    derivation = writing.derivation
    yield Heading(1, Sentence(say.CHECKS))
    header = tuple(Sentence(text) for text in (say.WHAT, say.STATEMENT, say.HOW))
    rows: list[tuple[Inline, ...]] = []
    for verdict in Verdict:
        members = [eq for eq in derivation.backward if eq.proof.verdict is verdict]
        if members:
            rows.append((Math(ranges(members)), Sentence(say.EACH_STEP), how(members[0].proof, members)))
    if in_rows is not None:
        every = Math(ranges(derivation.backward))
        rows.append(
            (
                every,
                Sentence(say.TRANSPOSES),
                how(in_rows, [Line(derivation.backward[0].expression, Reason(Why.RULE), in_rows)]),
            )
        )
    for verdict in Verdict:
        chains = [
            eq for eq in derivation.backward if eq.differential and _weakest(eq.differential).proof.verdict is verdict
        ]
        if chains:
            checked = [line for eq in chains for line in eq.differential]
            rows.append((Math(ranges(chains)), Sentence(tell.EACH_LINE), how(_weakest(checked).proof, checked)))
    if derivation.end_to_end is not None:
        parameters = parameters_named(writing, "and")
        error = Math(digits(float(derivation.end_to_end.largest_error)))
        values: dict[str, Inline] = {"points": Plain(str(derivation.end_to_end.points)), "error": error}
        rows.append((parameters, Sentence(say.WHOLE_GRADIENT), Sentence(say.DIFFERENCES, values)))
    yield Table(header, (*rows, *more), wide=2)


def _weakest(lines: Sequence[DifferentialLine]) -> DifferentialLine:
    return next((line for line in lines if line.proof.verdict is not Verdict.PROVED), lines[0])


def ranges(members: Sequence[Equation]) -> str:
    """(4)–(7), or several such runs."""
    runs: list[list[int]] = []
    for eq in members:
        if runs and eq.label == runs[-1][-1] + 1:
            runs[-1].append(eq.label)
        else:
            runs.append([eq.label])
    return r",\ ".join(f"({run[0]})" if len(run) == 1 else rf"({run[0]})\text{{–}}({run[-1]})" for run in runs)


class Proved(Protocol):
    """What has a proof."""

    @property
    def proof(self) -> Proof:
        """How sure it is."""


def how(proof: Proof, members: Sequence[Proved]) -> Inline:
    """How sure, and at which sizes."""
    if proof.verdict is Verdict.UNCHECKED:
        return Sentence(say.UNCHECKED_STEP)
    widest = max((eq.proof for eq in members), key=lambda p: max((len(s) for s in p.sizes), default=0))
    is_proved = proof.verdict is Verdict.PROVED
    if not any(widest.sizes):
        return Sentence(say.PROVED if is_proved else say.VERIFIED)
    if any(not _is_within(eq.proof.sizes, widest.sizes) for eq in members):
        numbers = [n for eq in members for sizes in eq.proof.sizes for n in sizes.values()]
        ends = {"least": Math(str(min(numbers))), "most": Math(str(max(numbers)))}
        return Sentence(say.PROVED_BETWEEN if is_proved else say.VERIFIED_BETWEEN, ends)
    text = say.PROVED_AT if is_proved else say.VERIFIED_AT
    return Sentence(text, {"sizes": listed([Math(assigned(s)) for s in widest.sizes])})


def _is_within(sizes: Sequence[Mapping[str, int]], others: Sequence[Mapping[str, int]]) -> bool:
    """Whether sizes are among those of another proof."""
    return all(any(a.items() <= b.items() for b in others) for a in sizes)
