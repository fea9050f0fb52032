"""How two arrays differ at points: by a factor that is a product of sizes and hyperparameters, or in one term of a sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from symgrad.derive.samples import entries_of
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import Expr, Leaf
from symgrad.primitives.entry import Array
from symgrad.records import dataclass
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.expand import expand
from symgrad.rewrite.form import Form
from symgrad.rewrite.matrix import to_expression

AGREEMENT = 30
# A factor is c·Π bᵉ with |e| up to 2, three in all, and a c that is written with few digits.
HIGHEST = 2
MOST_IN_ALL = 3
MOST_BASES = 6
LARGEST_PART = 1000
MOST_TERMS = 12


@dataclass(frozen=True, slots=True)
class Bases:
    """What a factor may be made of: names of sizes, and scalar leaves."""

    names: tuple[str, ...]
    scalars: tuple[Leaf, ...]

    @property
    def written(self) -> list[str]:
        """The names of all."""
        return [*self.names, *(e.name for e in self.scalars)][:MOST_BASES]


@dataclass(frozen=True, slots=True)
class Point:
    """The entries of the right array and of the claimed one at one point; `known` are the values of all names there."""

    s: Reals
    sizes: Assignment
    known: Mapping[Leaf, Array]
    right: list[Any]
    claimed: list[Any]

    @property
    def difference(self) -> list[Any]:
        """Claimed minus right."""
        return [x - y for x, y in zip(self.claimed, self.right, strict=True)]

    @property
    def is_equal(self) -> bool:
        """Whether all entries agree to 30 digits, measured by the largest."""
        return _is_zero(self.s, self.difference, self.right)

    @property
    def worst(self) -> tuple[int, Any, Any]:
        """The place of the entry that differs most, claimed and right."""
        place = max(range(len(self.right)), key=lambda k: abs(self.difference[k]))
        return place, self.claimed[place], self.right[place]

    @property
    def sizes_written(self) -> str:
        """The sizes as words."""
        return ", ".join(f"{name}={value}" for name, value in self.sizes.names.items()) or "no sizes"

    def written(self, x: Any) -> str:
        """A value in five digits."""
        return str(self.s.context.nstr(x, 5))

    def at(self, e: Expr) -> list[Any]:
        """The entries of an expression here."""
        return list(entries_of(evaluate([e], self.known, self.sizes, self.s)[0]))

    def value_of(self, bases: Bases) -> list[Any]:
        """The values of the bases here."""
        sizes = [self.s.number(Fraction(self.sizes.names.get(name, 1))) for name in bases.names]
        return [*sizes, *(self.known[e][()] for e in bases.scalars)][:MOST_BASES]


def _is_zero(s: Reals, entries: Sequence[Any], measure: Sequence[Any]) -> bool:
    largest = max((abs(x) for x in measure), default=0) or 1
    return all(abs(x) <= largest * s.context.mpf(10) ** (20 - s.context.dps) for x in entries)


def terms_of(e: Expr) -> list[Expr]:
    """The terms of an expression as it stands and multiplied out, each with its sign; none of a sum of very many.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> X, p, y = data("X", n, n), data("p", n), data("y", n)
    >>> [str(term) for term in terms_of(X.T @ (p - y) / n)]
    ['X.T @ p / n', '-X.T @ y / n']
    """
    found: dict[Form, Expr] = {}
    for form in (to_form(e), expand(to_form(e))):
        if form is not None and 1 < len(form.terms) <= MOST_TERMS:
            single = [Form(form.shape, (term,)) for term in form.terms]
            found |= {f: to_expression(f) for f in single if f not in found}
    return list(found.values())


def constant_factor(
    points: Sequence[Point], a: Sequence[list[Any]], b: Sequence[list[Any]], bases: Bases
) -> str | None:
    """The c·Π bᵉ with a = c·Π bᵉ·b at every point, as a formula; None where there is none that is short."""
    ratios = [_ratio(p.s, x, y) for p, x, y in zip(points, a, b, strict=True)]
    if not ratios or any(r is None for r in ratios):
        return None
    values = [p.value_of(bases) for p in points]
    s = points[0].s
    for exponents in _exponents(len(bases.written)):
        rest = [
            r / s.context.fprod(v**e for v, e in zip(own, exponents, strict=True))
            for r, own in zip(ratios, values, strict=True)
        ]
        c = _rational(s, rest[0])
        if c is not None and all(abs(x - rest[0]) <= abs(rest[0]) * s.context.mpf(10) ** -AGREEMENT for x in rest):
            return _written(c, dict(zip(bases.written, exponents, strict=True)))
    return None


def _ratio(s: Reals, a: list[Any], b: list[Any]) -> Any:
    """r where a = r·b entry by entry; None where there is none."""
    place = max(range(len(b)), key=lambda k: abs(b[k]))
    if not b[place]:
        return None
    r = a[place] / b[place]
    return r if _is_zero(s, [x - r * y for x, y in zip(a, b, strict=True)], b) else None


def _exponents(count: int) -> Iterator[tuple[int, ...]]:
    """The exponents to try, the simplest first."""
    every = [e for e in product(range(-HIGHEST, HIGHEST + 1), repeat=count) if sum(map(abs, e)) <= MOST_IN_ALL]
    return iter(sorted(every, key=lambda e: (sum(map(abs, e)), [-x for x in e])))


def _rational(s: Reals, x: Any) -> Fraction | None:
    """The fraction with few digits that a number is, or None."""
    near = Fraction(str(s.context.nstr(x, AGREEMENT + 5, min_fixed=1, max_fixed=0))).limit_denominator(LARGEST_PART)
    is_short = abs(near.numerator) <= LARGEST_PART**2
    return near if is_short and abs(s.number(near) - x) <= (1 + abs(x)) * s.context.mpf(10) ** -AGREEMENT else None


def _written(c: Fraction, exponents: Mapping[str, int]) -> str:
    """c·Π bᵉ as the language writes it: 2 / n, n * d / 3."""
    if not c:
        return "0"
    top = [_power(name, e) for name, e in exponents.items() if e > 0]
    bottom = [_power(name, -e) for name, e in exponents.items() if e < 0]
    if abs(c.numerator) != 1 or not top:
        top.insert(0, str(abs(c.numerator)))
    if c.denominator != 1:
        bottom.insert(0, str(c.denominator))
    below = f" / ({' * '.join(bottom)})" if len(bottom) > 1 else f" / {bottom[0]}" if bottom else ""
    return ("-" if c < 0 else "") + " * ".join(top) + below


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}**{exponent}"
