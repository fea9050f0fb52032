"""Facts at work on the normal form: axes that sum to 1 or to 0, signs that square to 1, indicators, symmetry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from operator import is_

from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, Linear, Role, total
from symgrad.graph.sizes import ONE
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute, to_form, transposed
from symgrad.rewrite.expand import expand, holds_sum, map_groups
from symgrad.rewrite.form import WHOLE, Atom, Factor, Form, Term, extents, make_term, never, with_terms
from symgrad.rewrite.matrix import to_expression

SYMMETRIC_FACTS = frozenset({"symmetric", "positive_definite"})
# How many definitions deep a sum is searched for a 0: Z = C/√v, C = X - μ, μ = Σ X/n.
DEEPEST = 3
Used = tuple[str, Expr]
# The names by whose definitions a sum is 0, and the facts that it takes besides.
Zero = tuple[tuple[Leaf, ...], tuple[Used, ...]]


@dataclass(slots=True)
class Facts:
    """What is known of the names in a derivation.

    `definitions` are the equations of names, `symmetric` the names and nodes that are symmetric by construction. `used`
    collects the (fact, array) pairs that changed a form, `by` the names whose definitions were needed.
    """

    definitions: Mapping[Leaf, Expr]
    symmetric: frozenset[Expr] = frozenset()
    used: dict[Used, None] = field(default_factory=dict)
    by: dict[Leaf, None] = field(default_factory=dict)
    finds_zeros: bool = True
    _zeros: dict[tuple[bytes, int], Zero | None] = field(default_factory=dict)
    _upright: dict[Expr, bool] = field(default_factory=dict)

    def is_symmetric(self, atom: Atom) -> bool:
        """Whether a matrix equals its transpose."""
        if isinstance(atom, Form):
            return False
        if atom in self.symmetric or (isinstance(atom, Leaf) and bool(atom.facts & SYMMETRIC_FACTS)):
            return True
        if not keeps_symmetry(atom):
            return False
        if atom not in self._upright:
            self._upright[atom] = equals_its_transpose(atom, self)
        return self._upright[atom]

    def grounds(self, e: Expr) -> list[Expr]:
        """The symmetric matrices that a symmetric matrix is made of; itself where it is made of none, as XᵀX is."""
        return [x for x in postorder([e]) if isinstance(x, Leaf) and self.is_symmetric(x)] or [e]

    def sums_to_one(self, atom: Atom, axis: int) -> Used | None:
        """The fact by which an array sums to 1 along an axis, if there is one."""
        if isinstance(atom, Expr) and is_one_hot(atom) and axis == atom.rank - 1:
            return ("one_hot", atom)
        definition = self.definitions.get(atom) if isinstance(atom, Leaf) else atom
        if isinstance(definition, Apply) and definition.primitive == "softmax" and definition.option("axis") == axis:
            assert isinstance(atom, Expr)
            return ("softmax", atom)
        return None

    def sums_to_zero(self, atom: Atom, axis: int) -> Zero | None:
        """The names and the facts by which a difference sums to 0 along an axis; None where it does not.

        The columns of X - μ, where μ is their mean; the rows of P - Y, where both sum to 1.
        """
        key = (atom.digest, axis)
        if key not in self._zeros:
            self._zeros[key] = self._zero_sum(atom, axis)
        return self._zeros[key]

    def _zero_sum(self, atom: Atom, axis: int) -> Zero | None:
        if isinstance(atom, Expr) and not (isinstance(atom, Leaf) and atom in self.definitions):
            return None
        summed = total(to_expression(atom) if isinstance(atom, Form) else atom, axis)
        by: dict[Leaf, None] = {}
        for _ in range(DEEPEST):
            # Whether the parts of the sum are 0 one by one is not asked again.
            inner = Facts(self.definitions, self.symmetric, finds_zeros=False)
            form = expand(to_form(summed))
            if form is None:
                return None
            if not inner.apply(form).terms:
                return tuple({**by, **inner.by}), tuple(inner.used)
            held = {e for e in postorder([summed]) if isinstance(e, Leaf) and is_algebraic(self.definitions.get(e))}
            if not held:
                return None
            by |= dict.fromkeys(sorted(held, key=lambda e: e.name))
            summed = substitute(summed, {e: self.definitions[e] for e in held})
        return None

    def apply(self, form: Form) -> Form:
        """The form with every known fact used."""
        if not holds_sum(form) and not form.holds(self._is_telling):
            return form
        inner = map_groups(form, self.apply)
        rank = len(inner.shape)
        terms = [self._term(t, rank) for t in inner.terms]
        return with_terms(inner, [t for t in terms if t is not None])

    def _is_telling(self, atom: Atom) -> bool:
        """Whether there may be a fact of an atom; of most there is none."""
        if isinstance(atom, Leaf):
            return bool(atom.facts) or atom in self.definitions or atom in self.symmetric
        return isinstance(atom, Apply) or atom in self.symmetric

    def _term(self, term: Term, rank: int) -> Term | None:
        sizes = extents(term.factors)
        factors = [f if f.power is WHOLE else self._power(f) for f in term.factors]
        factors = [f for f in factors if f.power is WHOLE or f.power]
        if self.finds_zeros and self._vanishes(factors, rank):
            return None
        picked = self._picked(factors)
        if picked is not factors:
            factors = list(make_term(WHOLE, picked, rank, sizes, self.is_symmetric).factors)
        factors, summed = self._sums(factors, rank)
        is_symmetric = self.is_symmetric if any(self.is_symmetric(f.atom) for f in factors) else never
        if is_symmetric is never and len(factors) == len(term.factors) and all(map(is_, factors, term.factors)):
            return term
        sizes = {i: s for i, s in sizes.items() if i not in summed}
        changed = make_term(term.coefficient, factors, rank, sizes, is_symmetric)
        changed = term if changed == term else changed
        if changed.key != term.key:
            for f in term.factors:
                if self.is_symmetric(f.atom) and isinstance(f.atom, Expr):
                    self.used |= dict.fromkeys(("symmetric", s) for s in self.grounds(f.atom))
        return changed

    def _power(self, f: Factor) -> Factor:
        """s² = 1 for signs, b² = b for what is 0 or 1."""
        if f.power.denominator != 1:
            return f
        if isinstance(f.atom, Leaf) and "sign" in f.atom.facts and f.power not in (0, 1):
            self.used["sign", f.atom] = None
            return Factor(f.atom, f.indices, Fraction(int(f.power) % 2))
        is_binary = isinstance(f.atom, Leaf) and "binary" in f.atom.facts
        if f.power > 1 and isinstance(f.atom, Expr) and (is_binary or is_one_hot(f.atom)):
            self.used["binary" if is_binary else "one_hot_squares", f.atom] = None
            return Factor(f.atom, f.indices, WHOLE)
        return f

    def _picked(self, factors: list[Factor]) -> list[Factor]:
        """yᵢⱼ uᵢ = yᵢⱼ mᵢⱼ, where uᵢ = Σⱼ yᵢⱼ mᵢⱼ by definition and y is one-hot: u is the entry that y picks."""
        for f in factors:
            if not (isinstance(f.atom, Expr) and is_one_hot(f.atom) and f.power == 1):
                continue
            for k, g in enumerate(factors):
                entry = self._entry_picked(g.atom, f.atom) if g.indices == f.indices[:-1] else None
                if entry is not None:
                    assert isinstance(g.atom, Leaf)
                    self.used["picks", f.atom] = None
                    self.by[g.atom] = None
                    return [*factors[:k], Factor(entry, f.indices, g.power), *factors[k + 1 :]]
        return factors

    def _entry_picked(self, name: Atom, y: Expr) -> Atom | None:
        """m, where the name stands for Σⱼ y…ⱼ m…ⱼ."""
        definition = self.definitions.get(name) if isinstance(name, Leaf) else None
        if definition is None:
            return None
        terms = to_form(definition).terms
        if len(terms) != 1 or terms[0].coefficient != 1 or len(terms[0].factors) != 2:
            return None
        every = tuple(range(y.rank))
        rest = [g for g in terms[0].factors if g.atom is not y]
        is_plain = all(g.indices == every and g.power == 1 for g in terms[0].factors)
        return rest[0].atom if len(rest) == 1 and is_plain else None

    def _vanishes(self, factors: list[Factor], rank: int) -> bool:
        """Whether a factor that sums to 0 is summed along an index which no other factor holds."""
        alone = _alone(factors, rank)
        for f in factors if alone else ():
            for axis, i in enumerate(f.indices):
                if i not in alone or f.power != 1:
                    continue
                zero = self.sums_to_zero(f.atom, axis)
                if zero is not None:
                    by, facts = zero
                    self.used |= dict.fromkeys(facts)
                    array = to_expression(f.atom) if isinstance(f.atom, Form) else f.atom
                    what = "entries" if array.rank == 1 else "columns" if axis == 0 else "rows"
                    self.used[f"{what}_sum_to_zero", array] = None
                    self.by |= dict.fromkeys(by)
                    if isinstance(f.atom, Leaf):
                        self.by[f.atom] = None
                    return True
        return False

    def _sums(self, factors: list[Factor], rank: int) -> tuple[list[Factor], list[int]]:
        """Drop the factors that are summed to 1 along an index which no other factor holds; name these indices."""
        alone = _alone(factors, rank)
        for f in factors if alone else ():
            for axis, i in enumerate(f.indices):
                known = self.sums_to_one(f.atom, axis) if i in alone and f.power == 1 else None
                if known is not None:
                    self.used[known] = None
                    rest, summed = self._sums([g for g in factors if g is not f], rank)
                    return rest, [*summed, i]
        return factors, []


def keeps_symmetry(e: Expr) -> bool:
    """Whether a matrix is symmetric where all that it is made of is: a function entry by entry, an inverse."""
    is_square = e.rank == 2 and e.shape[0] == e.shape[1]
    return is_square and (isinstance(e, Elementwise) or (isinstance(e, Apply) and e.primitive == "inv"))


def symmetric_nodes(root: Expr, facts: Facts) -> set[Expr]:
    """The matrices in an expression that equal their transposes: entries (i, j) and (j, i) are one form.

    A function of symmetric matrices entry by entry is symmetric, and so is an inverse.
    """
    return _symmetric_among(postorder([root]), facts)


def equals_its_transpose(root: Expr, facts: Facts) -> bool:
    """Whether an expression is one of its `symmetric_nodes`; sums and products inside it are compared where that decides."""
    order = postorder([root])
    deciding = {x for e in order if keeps_symmetry(e) for x in e.children}
    return root in _symmetric_among(
        [e for e in order if e is root or e in deciding or not isinstance(e, Linear | Contraction)], facts
    )


def _symmetric_among(order: Iterable[Expr], facts: Facts) -> set[Expr]:
    found: set[Expr] = set()
    for node in order:
        if len(node.shape) != 2 or node.shape[0] != node.shape[1]:
            continue
        if isinstance(node, Elementwise | Apply):
            is_so = keeps_symmetry(node) and all(e in found or not e.rank for e in node.children)
        elif isinstance(node, Leaf) and node.shape[0] != ONE:
            is_so = node.role is Role.IDENTITY or facts.is_symmetric(node)
        else:
            here, form = Facts({}, frozenset({*facts.symmetric, *found}), finds_zeros=False), to_form(node)
            is_so = here.apply(form) == here.apply(transposed(form))
        if is_so:
            found.add(node)
    return found


def is_one_hot(e: Expr) -> bool:
    """Whether each row has one 1 and zeros: by a fact, or made of labels."""
    return (isinstance(e, Leaf) and "one_hot" in e.facts) or (isinstance(e, Apply) and e.primitive == "one_hot")


def _alone(factors: list[Factor], rank: int) -> set[int]:
    """The summed indices that stand once, in one factor."""
    found: dict[int, bool] = {}
    for f in factors:
        for i in f.indices:
            if i >= rank:
                found[i] = i not in found
    return {i for i, is_alone in found.items() if is_alone}


def is_algebraic(definition: Expr | None) -> bool:
    """Whether a definition is made of sums, products and powers only."""
    return definition is not None and all(
        not isinstance(e, Apply) and not (isinstance(e, Elementwise) and e.function != "power")
        for e in postorder([definition])
    )
