"""The reason beside a line: why it follows from the one before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.explain import sentences as say
from symgrad.explain.document import Inline, Math, Sentence
from symgrad.explain.writing import Writing, equation_number, listed
from symgrad.graph.expression import Expr, Leaf
from symgrad.prose import Text
from symgrad.rewrite.display import Reason, Why

FACTS: Mapping[str, Text] = {
    "symmetric": say.IS_SYMMETRIC,
    "sign": say.SQUARES_TO_ONE,
    "binary": say.SQUARES_TO_ITSELF,
    "one_hot_squares": say.SQUARES_TO_ITSELF,
    "rows_sum_to_zero": say.ROWS_SUM_TO_ZERO,
    "columns_sum_to_zero": say.COLUMNS_SUM_TO_ZERO,
    "entries_sum_to_zero": say.ENTRIES_SUM_TO_ZERO,
    "picks": say.PICKS,
}


def line_reason(writing: Writing, reason: Reason) -> Inline | None:
    """Why a line follows from the one before it."""
    if reason.kind is Why.PUT_IN:
        numbers = [
            equation_number(eq.label) for c in reason.put_in for eq in writing.derivation.backward if eq.target is c
        ]
        return Sentence(say.PUT_IN, {"equations": listed(numbers)})
    if reason.kind is Why.CANCEL:
        return Sentence(say.CANCEL)
    if reason.kind is Why.MULTIPLY_OUT:
        return Sentence(say.MULTIPLY_OUT)
    if reason.kind is Why.COMPARE:
        return Sentence(say.COMPARE)
    if reason.kind is Why.ONE_OF_THREE:
        return Sentence(say.ONE_OF_THREE)
    if reason.kind is Why.FACT:
        return listed([_fact(writing, fact, array, reason.by) for fact, array in reason.facts])
    if reason.kind is Why.INVERT and not reason.by:
        return Sentence(say.INVERT)
    if reason.kind in (Why.UNFOLD, Why.REFOLD, Why.INVERT):
        labels = [f.label for f in writing.derivation.forward if f.target in set(reason.by)]
        text = say.INVERT_BY if reason.kind is Why.INVERT else say.BY_DEFINITION
        return Sentence(text, {"equations": listed([equation_number(label) for label in labels])})
    return None


def _fact(writing: Writing, fact: str, array: Expr, names: Sequence[Leaf]) -> Inline:
    by = [f.label for f in writing.derivation.forward if f.target is array]
    labels = [f.label for f in writing.derivation.forward if f.target in set(names)]
    values: dict[str, Inline] = {
        "array": Math(writing.tex(array)),
        **({"equation": equation_number(by[0])} if by else {}),
        **({"equations": listed([*map(equation_number, labels)])} if fact == "picks" else {}),
    }
    text = fact_text(fact, array, is_computed=bool(by))
    return Sentence(text, {name: value for name, value in values.items() if f"{{{name}}}" in text.en})


def fact_text(fact: str, array: Expr, *, is_computed: bool) -> Text:
    """What a fact says of its {array}; of one that is computed by which {equation}, of one that is picked from which."""
    is_assumed = isinstance(array, Leaf) and bool(array.facts)
    if fact == "symmetric" and is_computed and not is_assumed:
        return say.IS_SYMMETRIC_BY
    if fact in ("one_hot", "softmax"):
        return say.ROWS_SUM_TO_ONE if array.rank > 1 else say.ENTRIES_SUM_TO_ONE
    return FACTS[fact]
