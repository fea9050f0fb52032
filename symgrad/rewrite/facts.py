"""Facts at work on the normal form: axes that sum to 1, signs that square to 1, indicators, symmetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.graph.expression import Apply, Expr, Leaf
from symgrad.rewrite.expand import map_groups
from symgrad.rewrite.form import Atom, Factor, Form, Term, collect, extents, make_term

SYMMETRIC_FACTS = frozenset({"symmetric", "positive_definite"})
Used = tuple[str, Expr]


@dataclass(slots=True)
class Facts:
    """What is known of the names in a derivation; `used` collects the (fact, array) pairs that changed a form."""

    definitions: Mapping[Leaf, Expr]
    used: dict[Used, None] = field(default_factory=dict)

    def is_symmetric(self, atom: Atom) -> bool:
        """Whether a matrix equals its transpose."""
        if isinstance(atom, Apply) and atom.primitive == "inv":
            return self.is_symmetric(atom.operands[0])
        return isinstance(atom, Leaf) and bool(atom.facts & SYMMETRIC_FACTS)

    def sums_to_one(self, atom: Atom, axis: int) -> Used | None:
        """The fact by which an array sums to 1 along an axis, if there is one."""
        if isinstance(atom, Leaf) and "one_hot" in atom.facts and axis == atom.rank - 1:
            return ("one_hot", atom)
        definition = self.definitions.get(atom) if isinstance(atom, Leaf) else atom
        if isinstance(definition, Apply) and definition.primitive == "softmax" and definition.option("axis") == axis:
            assert isinstance(atom, Expr)
            return ("softmax", atom)
        return None

    def apply(self, form: Form) -> Form:
        """The form with every known fact used."""
        inner = map_groups(form, self.apply)
        rank = len(inner.shape)
        return collect(inner.shape, [self._term(t, rank) for t in inner.terms])

    def _term(self, term: Term, rank: int) -> Term:
        sizes = extents(term.factors)
        factors = [self._power(f) for f in term.factors]
        factors = [f for f in factors if f.power]
        factors, summed = self._sums(factors, rank)
        sizes = {i: s for i, s in sizes.items() if i not in summed}
        changed = make_term(term.coefficient, factors, rank, sizes, self.is_symmetric)
        if changed.key != term.key:
            for f in term.factors:
                if self.is_symmetric(f.atom) and isinstance(f.atom, Expr):
                    self.used["symmetric", f.atom] = None
        return changed

    def _power(self, f: Factor) -> Factor:
        """s² = 1 for signs, b² = b for what is 0 or 1."""
        if f.power.denominator != 1:
            return f
        if isinstance(f.atom, Leaf) and "sign" in f.atom.facts and f.power not in (0, 1):
            self.used["sign", f.atom] = None
            return Factor(f.atom, f.indices, Fraction(int(f.power) % 2))
        is_binary = isinstance(f.atom, Leaf) and bool(f.atom.facts & {"binary", "one_hot"})
        if f.power > 1 and is_binary:
            assert isinstance(f.atom, Leaf)
            self.used[("binary" if "binary" in f.atom.facts else "one_hot"), f.atom] = None
            return Factor(f.atom, f.indices, Fraction(1))
        return f

    def _sums(self, factors: list[Factor], rank: int) -> tuple[list[Factor], list[int]]:
        """Drop the factors that are summed to 1 along an index which no other factor holds; name these indices."""
        for f in factors:
            for axis, i in enumerate(f.indices):
                alone = i >= rank and f.power == 1 and sum(j == i for g in factors for j in g.indices) == 1
                known = self.sums_to_one(f.atom, axis) if alone else None
                if known is not None:
                    self.used[known] = None
                    rest, summed = self._sums([g for g in factors if g is not f], rank)
                    return rest, [*summed, i]
        return factors, []
