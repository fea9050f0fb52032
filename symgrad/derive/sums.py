"""Σ in a formula: terms of a sum that are the same but for a number in their names, written as one under the sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from symgrad.derive.alike import Form, Name, Renaming, form_of
from symgrad.derive.runs import runs
from symgrad.graph.expression import Expr, Leaf, Linear, Role, leaf, linear
from symgrad.graph.numbered import Place
from symgrad.graph.walk import postorder
from symgrad.records import dataclass
from symgrad.rewrite.convert import rebuild

Term = tuple[Fraction, Expr]


@dataclass(frozen=True, slots=True)
class Summed:
    """Σ of `term` for every one of `values` in place of its letter; `terms` are those that it stands for."""

    term: Expr
    letter: str
    values: tuple[int, ...]
    terms: tuple[Expr, ...]


Sums = Mapping[Expr, Summed]


def terms_of(e: Expr) -> list[Term]:
    """The terms of a sum, those of the sums in it among them: a loop that adds to its total builds one in another.

    >>> from symgrad.primitives.language import data
    >>> a, b, c = (data(name) for name in "abc")
    >>> [(str(k), str(term)) for k, term in terms_of((a + b) - c)]
    [('1', 'a'), ('1', 'b'), ('-1', 'c')]
    """
    found: list[Term] = []
    stack: list[Term] = [(Fraction(1), e)]
    while stack:
        c, node = stack.pop()
        if isinstance(node, Linear) and c == 1:
            stack += reversed(node.terms)
        else:
            found.append((c, node))
    return found


def with_sums(e: Expr, letter: str) -> tuple[Expr, dict[Expr, Summed]]:
    """The expression with leaves for sums over the letter, and what they stand for.

    >>> from symgrad.primitives.language import data
    >>> e = sum(data(f"x{k}") * data("y") for k in range(1, 5))
    >>> written, sums = with_sums(e, "l")
    >>> [(str(s.term), s.values) for s in sums.values()], written in set(sums)
    ([('x[l] * y', (1, 2, 3, 4))], True)
    """
    order = postorder([e])
    inner = {child for node in order if isinstance(node, Linear) for c, child in node.terms if c == 1}
    found: dict[Expr, Summed] = {}
    new: dict[Expr, Expr] = {}
    for node in order:
        new[node] = rebuild(node, [new[child] for child in node.children])
        if isinstance(node, Linear) and (node not in inner or node is e):
            terms = _folded(terms_of(node), letter, found)
            if terms is not None:
                new[node] = linear([(c, new.get(term, term)) for c, term in terms])
    return new[e], found


def _folded(terms: Sequence[Term], letter: str, found: dict[Expr, Summed]) -> list[Term] | None:
    """The terms of a sum with leaves for those that differ in a number only; None where there are none such."""
    forms = [form_of([term], c) for c, term in terms]
    groups: dict[object, list[int]] = {}
    for k, form in enumerate(forms):
        groups.setdefault(form.key, []).append(k)
    stands: dict[int, Term | None] = {}
    for places in groups.values():
        # Terms may come in any order; under the sign they stand in that of their numbers.
        ordered = sorted(places, key=lambda k: forms[k].numbers)
        for run in runs([forms[k] for k in ordered]):
            members = [ordered[k] for k in range(run.start, run.end)]
            if run.period > 1:
                continue
            stand = _stand_in([terms[k] for k in members], [forms[k] for k in members], letter, found)
            if stand is not None:
                stands |= dict.fromkeys(members, None) | {min(members): stand}
    if not stands:
        return None
    kept = [stands.get(k, term) for k, term in enumerate(terms)]
    return [term for term in kept if term is not None]


def _stand_in(terms: Sequence[Term], forms: Sequence[Form], letter: str, found: dict[Expr, Summed]) -> Term | None:
    """A leaf for Σ, in which the letter is the number of a name that goes up; None where there is none."""
    steps = [b - a for a, b in zip(forms[0].numbers, forms[1].numbers, strict=True)]
    base = _base(forms[0].names, steps)
    if base is None:
        return None
    first = -(-forms[0].numbers[base] // steps[base])
    places: dict[Name, Place] = {
        name: Place(letter, step, number - step * first)
        for name, number, step in zip(forms[0].names, forms[0].numbers, steps, strict=True)
        if step
    }
    c, term = terms[0]
    stated = Renaming(places).expression(term)
    members = tuple(e for _, e in terms)
    stand = leaf(f"sum {stated.digest.hex()} {first} {len(terms)}", term.shape, Role.INTERMEDIATE)
    found[stand] = Summed(stated, letter, tuple(range(first, first + len(terms))), members)
    return c, stand


def _base(names: Sequence[Name], steps: Sequence[int]) -> int | None:
    """The name whose number the letter is: what arrives in each step, rather than what is read from the one before."""
    rising = sorted((k for k, step in enumerate(steps) if step > 0), key=lambda k: steps[k])
    arriving = [k for k in rising if isinstance(own := names[k], Leaf) and own.role is Role.COTANGENT]
    return next(iter((*arriving, *rising)), None)
