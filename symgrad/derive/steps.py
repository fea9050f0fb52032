"""Steps of the same shape: the same expressions but for the names in them. What was found for one serves all.

The layers of a deep net are one step repeated; it is written and proved once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgrad.graph.expression import CONSTANT_ROLES, Apply, Expr, Leaf, leaf
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.display import Reason, Written, display
from symgrad.rewrite.facts import Facts


@dataclass(frozen=True, slots=True)
class Renamed:
    """Expressions with placeholders for their leaves; `back` leads from a placeholder to the leaf it stands for."""

    roots: tuple[Expr, ...]
    back: Mapping[Expr, Expr]

    def restored(self, e: Expr) -> Expr:
        """An expression over the placeholders in the names of this step."""
        return substitute(e, self.back)


def without_names(roots: Sequence[Expr]) -> Renamed:
    """The expressions with their leaves numbered in the order in which they occur.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> a, b, c = (data(name, n) for name in "abc")
    >>> without_names([a * b]).roots[0] is without_names([b * c]).roots[0]
    True
    """
    found = [e for e in postorder(roots) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    there: dict[Expr, Expr] = {
        e: leaf(f"name{k}", e.shape, e.role, facts=e.facts, value=e.value) for k, e in enumerate(found)
    }
    renamed = tuple(substitute(root, there) for root in roots)
    return Renamed(renamed, {new: old for old, new in there.items()})


class Writer:
    """Writes steps by the display normal form, each shape of step once."""

    def __init__(self, definitions: Mapping[Leaf, Expr]) -> None:
        self._definitions = definitions
        self._written: dict[tuple[object, ...], list[Written]] = {}

    def lines(self, raw: Expr, upstream: Mapping[Leaf, Expr], *, is_result: bool) -> list[Written]:
        """The lines of a step; `upstream` holds the equations of the cotangents that occur in it."""
        cotangents = list(upstream)
        renamed = without_names([raw, *cotangents, *(upstream[c] for c in cotangents)])
        definitions = {
            new: definition
            for new, old in renamed.back.items()
            if isinstance(new, Leaf) and (definition := self._softmax(old)) is not None
        }
        axes = tuple(sorted((new.name, str(d.option("axis"))) for new, d in definitions.items()))
        key = (tuple(e.digest for e in renamed.roots), axes, is_result)
        if key not in self._written:
            head, rest = renamed.roots[0], renamed.roots[1:]
            above = dict(zip(rest[: len(cotangents)], rest[len(cotangents) :], strict=True))
            known = {c: e for c, e in above.items() if isinstance(c, Leaf)}
            self._written[key] = display(head, known, Facts(dict(definitions)), is_result=is_result)
        return [_restored(line, renamed) for line in self._written[key]]

    def _softmax(self, e: Expr) -> Apply | None:
        definition = self._definitions.get(e) if isinstance(e, Leaf) else None
        return definition if isinstance(definition, Apply) and definition.primitive == "softmax" else None


def _restored(line: Written, renamed: Renamed) -> Written:
    expression, reason = line
    put_in = tuple(e for c in reason.put_in if isinstance(e := renamed.restored(c), Leaf))
    facts = tuple((fact, renamed.restored(e)) for fact, e in reason.facts)
    return renamed.restored(expression), Reason(reason.kind, put_in, facts)
