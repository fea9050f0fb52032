"""The display normal form: of all ways to write a step, normalised to the end, the one with the fewest printed symbols.

The candidates are {upstream kept | put in} × {as it stands | reciprocals cancelled | multiplied out} × {facts used}. The
lines shown are the path to the chosen one, each with the reason that leads to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from symgrad.graph.expression import Expr, Leaf
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.cost import cost
from symgrad.rewrite.expand import expand, opened
from symgrad.rewrite.factor import factored
from symgrad.rewrite.facts import Facts
from symgrad.rewrite.form import Form
from symgrad.rewrite.matrix import to_expression
from symgrad.rewrite.signs import oriented

# How many more symbols an upstream that is put in may cost than its name: little inside the chain, more in a result.
PUT_IN_STEP = 2
PUT_IN_RESULT = 4


class Why(Enum):
    """What leads from one line of a step to the next."""

    RULE = "rule"  # the law or primitive itself, upstream kept
    PUT_IN = "put in"  # the upstream's own equation is put in
    CANCEL = "cancel"  # sums of reciprocals distributed, equal factors cancelled
    MULTIPLY_OUT = "multiply out"  # all sums multiplied out, equal terms collected
    FACT = "fact"  # a fact of a leaf, or of a primitive's result, is used


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a line holds: the kind, the cotangents put in, and the (name of a fact, array) pairs used."""

    kind: Why
    put_in: tuple[Leaf, ...] = ()
    facts: tuple[tuple[str, Expr], ...] = ()


Written = tuple[Expr, Reason]


def display(raw: Expr, upstream: Mapping[Leaf, Expr], facts: Facts, *, is_result: bool) -> list[Written]:
    """The lines of a step: `raw` as the rule gives it, then the path to the shortest way of writing it.

    `upstream` gives the equations of the cotangents in `raw`; a result (a parameter's gradient) may be longer than an
    inner step and still have them put in.
    """
    kept = _path(to_form(raw), Reason(Why.RULE), facts)
    put_in = tuple(leaf for leaf in postorder([raw]) if isinstance(leaf, Leaf) and leaf in upstream)
    if not put_in:
        return kept
    replaced = substitute(raw, {leaf: upstream[leaf] for leaf in put_in})
    put = _path(to_form(replaced), Reason(Why.PUT_IN, put_in), facts)
    allowance = PUT_IN_RESULT if is_result else PUT_IN_STEP
    if cost(put[-1][0]) <= cost(kept[-1][0]) + allowance:
        return _without_repeats([kept[0], *put])
    return kept


def simplify(raw: Expr, facts: Facts) -> Expr:
    """The shortest way of writing an expression."""
    return _path(to_form(raw), Reason(Why.RULE), facts)[-1][0]


def _path(form: Form, first: Reason, facts: Facts) -> list[Written]:
    """The form as it stands, then what shortens it."""
    start = (_written(form), first)
    ways = [[start], *_expansions(form, start, facts), _with_facts([start], form, facts)]
    best = min(ways, key=lambda way: (cost(way[-1][0]), len(way)))
    return _without_repeats(best)


def _expansions(form: Form, start: Written, facts: Facts) -> list[list[Written]]:
    cancelled = expand(form, only_reciprocals=True)
    if cancelled is None:
        return []
    lines = [start]
    ways = []
    if cancelled != form:
        lines = [*lines, (_written(cancelled), Reason(Why.CANCEL))]
        ways += [lines, _with_facts(lines, cancelled, facts)]
    out = expand(cancelled)
    if out is not None and out != cancelled:
        lines = [*lines, (_written(out), Reason(Why.MULTIPLY_OUT))]
        ways += [lines, _with_facts(lines, out, facts)]
    return ways


def _with_facts(lines: list[Written], form: Form, facts: Facts) -> list[Written]:
    """The path continued by the facts that change the form, if any does."""
    facts.used.clear()
    changed = facts.apply(form)
    if changed == form or not facts.used:
        return lines
    return [*lines, (_written(changed), Reason(Why.FACT, facts=tuple(facts.used)))]


def _written(form: Form) -> Expr:
    return to_expression(oriented(opened(factored(opened(form)))))


def _without_repeats(lines: list[Written]) -> list[Written]:
    """Without a line that says the same as the one before it; a rule that only renames the upstream keeps its reason."""
    kept: list[Written] = []
    for line in lines:
        if not kept or line[0] is not kept[-1][0]:
            kept.append(line)
    return kept
