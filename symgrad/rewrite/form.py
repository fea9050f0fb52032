"""The normal form: Σ terms, each a rational × a product of atoms[indices]^power, summed over the indices that are not axes.

Ones, transposes, broadcasts, diagonals and elementwise products are only indices here. An atom is a leaf, a nonlinear
node, or a sum in parentheses (a `Form` again). Bound indices are relabelled canonically, so that equal sums of products
have equal keys; terms keep the order in which they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from operator import is_

from symgrad.graph.expression import Elementwise, Expr, Leaf, Role, Shape, size
from symgrad.graph.sizes import ONE, Size

Indices = tuple[int, ...]
# The index of an axis of size 1: it has one value, and is neither an axis of a result nor summed.
ONLY = -1
WHOLE = Fraction(1)
# Functions whose values are 0 and 1.
INDICATORS = frozenset({"greater", "greater_equal", "equal"})


# Forms, terms and factors are never changed once made. They are made by the thousand: `frozen` would double the cost of each.


@dataclass(eq=False, slots=True)
class Form:
    """Σ terms over the axes of `shape`; equal where the digests are."""

    shape: Shape
    terms: tuple[Term, ...]
    _digest: bytes = field(default=b"", init=False)
    _exact: tuple[object, ...] = field(default=(), init=False)
    _factors: tuple[Factor, ...] | None = field(default=None, init=False)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors of all terms, each sum in parentheses followed by its own: every move of a search looks through them."""
        if self._factors is None:
            found: list[Factor] = []
            for term in self.terms:
                for f in term.factors:
                    found.append(f)
                    if isinstance(f.atom, Form):
                        found += f.atom.factors
            self._factors = tuple(found)
        return self._factors

    @property
    def digest(self) -> bytes:
        """The content, in the same bytes in every process, whatever the order of the terms."""
        if not self._digest:
            parts = sorted([term.key + str(term.coefficient).encode() for term in self.terms])
            self._digest = blake2b(str(self.shape).encode() + b"|".join(parts), digest_size=16).digest()
        return self._digest

    @property
    def exact(self) -> tuple[object, ...]:
        """The content with the order of terms and factors: what is equal here is written alike."""
        if not self._exact:
            self._exact = (self.shape, *(term.exact for term in self.terms))
        return self._exact

    def holds(self, is_so: Callable[[Atom], bool]) -> bool:
        """Whether a factor is such an atom, in parentheses or not."""
        return any(map(is_so, [f.atom for f in self.factors if not isinstance(f.atom, Form)]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and (self is other or self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)


Atom = Expr | Form


@dataclass(eq=False, slots=True)
class Factor:
    """atom[indices]^power."""

    atom: Atom
    indices: Indices
    power: Fraction
    # That of the atom: factors are compared by it all the time.
    digest: bytes = field(init=False)
    _exact: tuple[object, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self.digest = self.atom.digest

    @property
    def exact(self) -> tuple[object, ...]:
        """The content."""
        if not self._exact:
            atom = self.atom
            own = atom.exact if isinstance(atom, Form) else self.digest
            self._exact = (own, self.indices, *_ratio(self.power))
        return self._exact


@dataclass(eq=False, slots=True)
class Term:
    """coefficient × Π factors, summed over the bound indices; factors in the order written, bound indices canonical.

    Equal where the factors are the same in the same order.
    """

    coefficient: Fraction
    factors: tuple[Factor, ...]
    key: bytes
    _exact: tuple[object, ...] = field(default=(), init=False)

    @property
    def exact(self) -> tuple[object, ...]:
        """The content with the order of the factors."""
        if not self._exact:
            self._exact = (*_ratio(self.coefficient), *[f.exact for f in self.factors])
        return self._exact

    def scaled(self, c: Fraction) -> Term:
        """c × the term."""
        if c is WHOLE or c == 1:
            return self
        return Term(c if self.coefficient is WHOLE else self.coefficient * c, self.factors, self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.exact == other.exact

    def __hash__(self) -> int:
        return hash(self.exact)


def _ratio(c: Fraction) -> tuple[int, int]:
    """Numerator and denominator, which are hashed faster than a fraction; most are that of 1."""
    return (1, 1) if c is WHOLE else c.as_integer_ratio()


IsSymmetric = Callable[[Atom], bool]


def never(_: Atom) -> bool:
    """No atom is symmetric."""
    return False


def extents(factors: Iterable[Factor], rank: int = ONLY) -> dict[int, Size]:
    """The size of every index that occurs, from `rank` on: of those that are summed."""
    found: dict[int, Size] = {}
    for f in factors:
        if f.indices and max(f.indices) >= rank:
            for i, extent in zip(f.indices, f.atom.shape, strict=True):
                if i >= rank:
                    found[i] = extent
    return found


def bound_indices(factors: Iterable[Factor], rank: int) -> list[int]:
    """The summed indices, as they occur."""
    found: list[int] = []
    for f in factors:
        for i in f.indices:
            if i >= rank and i not in found:
                found.append(i)
    return found


def relabel(factors: Iterable[Factor], names: Mapping[int, int]) -> list[Factor]:
    """The factors with other index names."""
    own = {**names, ONLY: ONLY} if ONLY in names else names
    found = []
    for f in factors:
        if f.indices:
            indices = tuple(map(own.get, f.indices, f.indices))
            f = f if indices == f.indices else Factor(f.atom, indices, f.power)
        found.append(f)
    return found


def size_factor(value: Size, power: Fraction) -> tuple[Fraction, list[Factor]]:
    """A size to a power as a coefficient and atoms: a monomial falls into its names, a sum stays one atom."""
    if len(value.terms) != 1 or (value.value is not None and value.value > 1):
        return WHOLE, [Factor(size(value), (), power)]
    ((monomial, c),) = value.terms
    if c != 1 and power.denominator != 1:
        return WHOLE, [Factor(size(value), (), power)]
    return Fraction(c) ** int(power) if c != 1 else WHOLE, [
        Factor(size(Size.symbol(name)), (), power * exponent) for name, exponent in monomial
    ]


def make_term(
    coefficient: Fraction,
    factors: Iterable[Factor],
    rank: int,
    sizes: Mapping[int, Size] | None = None,
    is_symmetric: IsSymmetric = never,
) -> Term:
    """The term of a product: identities contracted, equal factors merged, sums over nothing replaced by their size.

    `sizes` gives the extent of every bound index where there is one that no factor holds any more.
    """
    product = tuple(factors)
    if sizes is None:
        if len(product) == 1 and is_symmetric is never and _is_normal(product[0], rank):
            return Term(coefficient, product, _key(product))
        bound = extents(product, rank)
    else:
        bound = {i: extent for i, extent in sizes.items() if i >= rank}
    c, labelled, key = _normalised(product, rank, bound, is_symmetric)
    return Term(coefficient * c if c is not WHOLE else coefficient, labelled, key)


def _is_normal(f: Factor, rank: int) -> bool:
    """Whether nothing is to be done about a factor that stands alone: its axes are the result's, and nothing is summed."""
    atom = f.atom
    if ONE in atom.shape or (f.indices and max(f.indices) >= rank):
        return False
    if isinstance(atom, Leaf):
        return atom.role is not Role.IDENTITY and (f.power is WHOLE or bool(f.power))
    return f.power is WHOLE


def _normalised(
    factors: tuple[Factor, ...], rank: int, sizes: dict[int, Size], is_symmetric: IsSymmetric
) -> tuple[Fraction, tuple[Factor, ...], bytes]:
    """A coefficient, the factors in normal form, and the key of their product; `sizes` of the bound indices."""
    merged: Sequence[Factor] = factors
    for f in factors:
        atom = f.atom
        if ONE in atom.shape or (isinstance(atom, Leaf) and atom.role is Role.IDENTITY):
            placed = [f if ONE not in f.atom.shape else _settled(f) for f in factors]
            merged, sizes = _contract_identities(placed, rank, sizes)
            break
    merged = merge(merged)
    coefficient, bound = WHOLE, bound_indices(merged, rank)
    for i, extent in sizes.items():
        if i not in bound:
            c, more = size_factor(extent, WHOLE)
            coefficient = coefficient * c if c != 1 else coefficient
            merged = merge([*merged, *more])
    labelled, key = canonical(merged, rank, bound, is_symmetric)
    return coefficient, tuple(labelled), key


def _settled(f: Factor) -> Factor:
    """The factor with every axis of size 1 at its only place."""
    return Factor(f.atom, tuple(ONLY if s == ONE else i for i, s in zip(f.indices, f.atom.shape, strict=True)), f.power)


def merge(factors: Iterable[Factor]) -> list[Factor]:
    """Equal atoms at equal indices become one power; a power 0 is gone, and [c]² is [c]."""
    total: dict[tuple[bytes, Indices], Factor] = {}
    for f in factors:
        atom = f.atom
        where = f.digest, f.indices
        old = total.get(where)
        if old is not None:
            f = Factor(atom, f.indices, old.power + f.power)
        if isinstance(atom, Elementwise) and atom.function in INDICATORS and f.power > 1:
            f = Factor(atom, f.indices, WHOLE)
        total[where] = f
    return [f for f in total.values() if f.power is WHOLE or f.power]


def _is_identity(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.IDENTITY


def _contract_identities(
    factors: list[Factor], rank: int, sizes: dict[int, Size]
) -> tuple[list[Factor], dict[int, Size]]:
    # The 1 × 1 identity is 1.
    factors = [f for f in factors if not (_is_identity(f) and ONLY in f.indices)]
    while True:
        found = next((f for f in factors if _is_identity(f) and max(f.indices) >= rank), None)
        if found is None:
            factors = [_sorted(f) if _is_identity(f) else f for f in factors]
            once = {f.indices: f for f in factors if _is_identity(f)}
            kept = [f for f in factors if not _is_identity(f) or once[f.indices] is f]
            return _on_diagonals(kept, [ij for ij in once if ij[0] != ij[1]]), sizes
        i, j = sorted(found.indices)
        rest = [f for f in factors if f is not found]
        if i != j:
            factors = relabel(rest, {j: i})
            sizes = {k: s for k, s in sizes.items() if k != j}
        else:
            factors = rest


def _on_diagonals(factors: list[Factor], pairs: list[Indices]) -> list[Factor]:
    """What an identity leaves on its diagonal only is written there: I_ij v_j is I_ij v_i."""
    first = {j: i for i, j in sorted(pairs, reverse=True)}
    return [f if _is_identity(f) else relabel([f], first)[0] for f in factors] if first else factors


def canonical(
    factors: list[Factor], rank: int, bound: list[int], is_symmetric: IsSymmetric = never
) -> tuple[list[Factor], bytes]:
    """The factors with their bound indices numbered by structure alone, and the key of the product."""
    best = dict.fromkeys(bound, rank)
    if len(bound) > 1:
        colours = {i: i for f in factors for i in f.indices if i < rank} | best
        best = _best_labelling(factors, rank, bound, colours, is_symmetric)
    renamed = relabel(factors, best) if bound else factors
    if is_symmetric is never:
        # What was merged before is so under other names.
        return renamed, _key(renamed)
    renamed = [_sorted(f) if is_symmetric(f.atom) else f for f in renamed]
    return merge(renamed), _key(renamed)


def _sorted(f: Factor) -> Factor:
    return Factor(f.atom, tuple(sorted(f.indices)), f.power)


def _key(factors: Sequence[Factor]) -> bytes:
    parts = []
    for f in factors:
        at = _at_power(f.indices, 1, 1) if f.power is WHOLE else _at_power(f.indices, *f.power.as_integer_ratio())
        parts.append(f.digest + at)
    return blake2b(b"".join(sorted(parts)), digest_size=16).digest()


@lru_cache(maxsize=1024)
def _at_power(indices: Indices, numerator: int, denominator: int) -> bytes:
    return f"{indices}^{Fraction(numerator, denominator)}".encode()


def _best_labelling(
    factors: list[Factor], rank: int, bound: list[int], colours: dict[int, int], is_symmetric: IsSymmetric
) -> dict[int, int]:
    if len(bound) <= 1:
        return dict.fromkeys(bound, rank)
    colours = _refine(factors, rank, bound, colours, is_symmetric)
    classes: dict[int, list[int]] = {}
    for i in bound:
        classes.setdefault(colours[i], []).append(i)
    tied = next((classes[c] for c in sorted(classes) if len(classes[c]) > 1), None)
    if tied is None:
        return {i: rank + k for k, i in enumerate(sorted(bound, key=lambda i: colours[i]))}
    best: tuple[bytes, dict[int, int]] | None = None
    for chosen in tied:
        split = {i: 2 * c + (i != chosen) for i, c in colours.items()}
        names = _best_labelling(factors, rank, bound, split, is_symmetric)
        renamed = relabel(factors, names)
        key = _key([_sorted(f) if is_symmetric(f.atom) else f for f in renamed])
        if best is None or key < best[0]:
            best = key, names
    assert best is not None
    return best[1]


def _refine(
    factors: list[Factor], rank: int, bound: list[int], colours: dict[int, int], is_symmetric: IsSymmetric
) -> dict[int, int]:
    """Split the bound indices by where they occur until nothing splits any more (colour refinement)."""
    colours = dict(colours)
    while True:
        signatures: dict[int, list[object]] = {i: [] for i in bound}
        for f in factors:
            around = tuple(colours[i] for i in f.indices)
            around = tuple(sorted(around)) if is_symmetric(f.atom) else around
            for place, i in enumerate(f.indices):
                if i in signatures:
                    spot = 0 if is_symmetric(f.atom) else place
                    signatures[i].append((f.digest, f.power, spot, around))
        marks = {i: (colours[i], sorted(map(repr, signatures[i]))) for i in bound}
        order = {mark: k for k, mark in enumerate(sorted({(c, tuple(s)) for c, s in marks.values()}))}
        refined = {i: rank + order[c, tuple(s)] for i, (c, s) in marks.items()}
        # Where each has a colour of its own nothing is left to split.
        is_done = len(order) in (len(bound), len({colours[i] for i in bound}))
        colours |= refined
        if is_done:
            return colours


def with_terms(form: Form, terms: list[Term]) -> Form:
    """The sum of these terms, over the same axes; the form itself where they are its own."""
    if len(terms) == len(form.terms) and all(map(is_, terms, form.terms)):
        return form
    return collect(form.shape, terms)


def collect(shape: Shape, terms: Iterable[Term]) -> Form:
    """The sum, equal products added up."""
    found = list(terms)
    if len(found) > 1:
        total: dict[bytes, Term] = {}
        for term in found:
            old = total.get(term.key)
            total[term.key] = term if old is None else Term(old.coefficient + term.coefficient, old.factors, old.key)
        found = list(total.values())
    return Form(shape, tuple([t for t in found if t.coefficient is WHOLE or t.coefficient]))
