"""Is a SymPy expression zero? Exact, by polynomial arithmetic over what cannot be taken apart.

Each expression is brought to numerator/denominator over generators: symbols, e^x for each x up to whole multiples, roots,
and every other function as a whole. A case distinction is the sum of its cases, each times the bracket of its condition:
[u > 0] and [u = 0] are generators that square to themselves and exclude each other. Two such fractions are equal if their
cross products are equal polynomials, roots reduced by their defining equation. «Yes» is a proof; «no» means only that
this did not decide it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import gcd, lcm, prod
from typing import Any

import sympy
from sympy.polys.rings import PolyElement, ring

from symgrad.records import dataclass

# p, q and a whole number c for p/(c q), both polynomials over the integers: whole numbers cost a tenth of what fractions
# do, and with c apart terms over one q are still seen to be.
Quotient = tuple[Any, Any, int]
ARITHMETIC = (sympy.Add, sympy.Mul, sympy.Pow)
# The most products of terms in one multiplication of polynomials: about a tenth of a second.
MOST_PRODUCTS = 60_000
# The most terms of a common denominator that is as soon multiplied out as its sums are named: of three sigmoids, 1 + e^-x each.
SHORT_DENOMINATOR = 8


def are_equal(
    a: Any,
    b: Any,
    *,
    signs: Collection[Any] = (),
    binaries: Collection[Any] = (),
    kinks: Collection[Any] = (),
    exclusive: Collection[tuple[Any, ...]] = (),
    vanishing: Collection[Any] = (),
) -> bool:
    """Whether two SymPy expressions are equal as quotients of polynomials in their generators.

    The symbols in `signs` square to 1, those in `binaries` to themselves; the product of two in a tuple of `exclusive`
    is 0. With symbols in `kinks`, the points are left out at which a condition on them changes: there a derivative by
    them is a convention, not a value; but not where symbols in `vanishing` make it hold for whole ranges.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> are_equal((x**2 - y**2) / (x - y), x + y), are_equal(sympy.exp(-x) * sympy.exp(2 * x), sympy.exp(x))
    (True, True)
    >>> are_equal(sympy.sqrt(x**2 + 1) ** 2, x**2 + 1), are_equal(x, y)
    (True, False)
    >>> are_equal(sympy.exp(x + sympy.Rational(3, 10)) ** 2, sympy.exp(2 * x + sympy.Rational(3, 5)))
    True
    >>> rising, falling = sympy.Piecewise((0, x < 0), (1, True)), sympy.Piecewise((1, x > 0), (0, True))
    >>> are_equal(rising, falling), are_equal(rising, falling, kinks=[x])
    (False, True)
    """
    if a == b:
        return True
    known = _Known(frozenset(signs), frozenset(binaries), frozenset(kinks), tuple(exclusive), frozenset(vanishing))
    return any(_agree(x, y, known) for x, y in _as_written_or_named(a, b))


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of symbols."""

    signs: frozenset[Any]
    binaries: frozenset[Any]
    kinks: frozenset[Any]
    exclusive: tuple[tuple[Any, ...], ...]
    vanishing: frozenset[Any]


def _agree(a: Any, b: Any, known: _Known) -> bool:
    fractions = _Fractions([a, b], known)
    try:
        (p, q, c), (r, s, d) = fractions.of(a), fractions.of(b)
        return bool(fractions.reduced(product_of(p, s) * d - product_of(r, q) * c) == 0)
    except TooLong:
        return False


def _as_written_or_named(a: Any, b: Any) -> Iterator[tuple[Any, Any]]:
    """Both expressions as they are, and with a symbol for the reciprocal of each sum, if there is any.

    What holds whatever the sums in denominators are holds of these. Many lines need no more, and no common denominator:
    where that would be long, it is tried last.
    """
    reciprocals = _reciprocals(a, b)
    bases = {p.base for p in reciprocals}
    is_short = prod(len(base.args) for base in bases) <= SHORT_DENOMINATOR
    if is_short:
        yield a, b
    if reciprocals:
        symbols = {base: sympy.Dummy(real=True) for base in bases}
        named = {p: symbols[p.base] ** -p.exp for p in reciprocals}
        yield a.xreplace(named), b.xreplace(named)
    if not is_short:
        yield a, b


def _reciprocals(a: Any, b: Any) -> set[Any]:
    """The powers of sums that stand in denominators."""
    found, seen, stack = set(), set(), [a, b]
    # Each node once: SymPy's own walk (`atoms`) meets what is shared once for each of its uses.
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        stack += node.args
        if isinstance(node, sympy.Pow) and node.base.is_Add and node.exp.is_Integer and node.exp < 0:
            found.add(node)
    return found


class TooLong(Exception):
    """A product with more terms than can be multiplied out in reasonable time: the comparison is left undecided."""


def product_of(p: PolyElement, q: PolyElement) -> PolyElement:
    """p·q, unless it would be too long."""
    if p.is_one or q.is_one:
        return q if p.is_one else p
    if len(p) * len(q) > MOST_PRODUCTS:
        raise TooLong
    return p * q


class Positive(sympy.Function):  # type: ignore[misc]  # SymPy ships no types
    """[u > 0]: 1 where it holds, else 0. Of a condition that is no comparison, [u]."""


class Zero(sympy.Function):  # type: ignore[misc]  # SymPy ships no types
    """[u = 0]: 1 where it holds, else 0."""


def _oriented(condition: Any) -> tuple[Any, bool]:
    """u, where a comparison says something of u and 0 (or of -u and 0, then the second is True); 9x/10 > 0 says it of x."""
    _, u = sympy.expand(condition.lhs - condition.rhs).as_content_primitive()
    return (-u, True) if u.could_extract_minus_sign() else (u, False)


@lru_cache(maxsize=1024)
def _ring_in(count: int) -> tuple[Any, ...]:
    """The polynomials in so many generators over the integers, and the generators."""
    return tuple(ring([f"g{k}" for k in range(count)], sympy.ZZ))


def _lowered(p: PolyElement, q: PolyElement, c: int) -> Quotient:
    """p/(c q) with the smallest c, so that equal fractions of numbers are written alike."""
    shared = c
    for coefficient in p.values():
        if shared == 1:
            return p, q, c
        shared = gcd(shared, int(coefficient))
    return p.quo_ground(shared), q, c // shared


class _Fractions:
    """Numerators and denominators in one polynomial ring, whose generators are collected from all expressions first."""

    def __init__(self, expressions: list[Any], known: _Known) -> None:
        self._generators: dict[Any, int] = {}
        self._roots: dict[Any, tuple[Any, int]] = {}
        self._binaries, self._kinks, self._vanishing = known.binaries, known.kinks, known.vanishing
        # e^(x/2) and e^(x/3) are whole powers of e^(x/6): the finest part of each x that occurs.
        self._finest: dict[Any, int] = {}
        nodes = [node for e in expressions for node in _walk(e)]
        for node in nodes:
            for c, x in _exponent_parts(node.args[0]) if isinstance(node, sympy.exp) else ():
                self._finest[x] = lcm(self._finest.get(x, 1), int(c.q))
        for node in nodes:
            self._note(node)
        self._ring, *elements = _ring_in(len(self._generators) or 1)
        self._elements = {g: elements[k] for g, k in self._generators.items()}
        self._known: dict[Any, Quotient] = {}
        self._roots |= {s: (sympy.S.One, 2) for s in known.signs if s in self._generators}
        groups = [[self._generators[s] for s in row if s in self._generators] for row in known.exclusive]
        self._exclusive = [pair for group in groups for pair in combinations(group, 2)]

    def _note(self, node: Any) -> None:
        if isinstance(node, sympy.exp):
            for _, base in self._powers(node):
                self._generators.setdefault(base, len(self._generators))
        elif isinstance(node, sympy.Pow) and not node.exp.is_Integer and node.exp.is_Rational:
            root = sympy.Pow(node.base, sympy.Rational(1, node.exp.q))
            self._roots[root] = (node.base, int(node.exp.q))
            self._generators.setdefault(root, len(self._generators))
        elif isinstance(node, sympy.Piecewise):
            for _, condition in node.args:
                self._note_condition(condition)
        elif not isinstance(node, (*ARITHMETIC, sympy.Rational)):
            self._generators.setdefault(node, len(self._generators))

    def _powers(self, e: Any) -> list[tuple[int, Any]]:
        """e^x as whole powers of generators."""
        parts = ((c * self._finest[x], sympy.exp(x / self._finest[x])) for c, x in _exponent_parts(e.args[0]))
        return [(int(times), base) for times, base in parts]

    def _note_condition(self, condition: Any) -> None:
        if isinstance(condition, sympy.And | sympy.Or | sympy.Not):
            for part in condition.args:
                self._note_condition(part)
        elif isinstance(condition, sympy.core.relational.Relational):
            u, _ = _oriented(condition)
            for bracket in (Positive(u), Zero(u), *([u] if u in self._binaries else [])):
                self._generators.setdefault(bracket, len(self._generators))
        elif condition not in (sympy.true, sympy.false):
            self._generators.setdefault(Positive(condition), len(self._generators))

    def of(self, e: Any) -> Quotient:
        """Numerator and denominator of an expression."""
        if e not in self._known:
            self._known[e] = self._convert(e)
        return self._known[e]

    def _convert(self, e: Any) -> Quotient:
        one = self._ring.one
        if isinstance(e, sympy.Rational):
            return self._ring(int(e.p)), one, int(e.q)
        if isinstance(e, sympy.Add):
            return self._sum([self.of(x) for x in e.args])
        if isinstance(e, sympy.Mul):
            top, number, rest = self._monomial(e)
            bottom = one
            for p, q, c in map(self.of, rest):
                top, bottom, number = product_of(top, p), product_of(bottom, q), number * c
            return _lowered(top, bottom, number)
        if isinstance(e, sympy.exp):
            top, bottom = one, one
            for times, base in self._powers(e):
                generator = self._elements[base] ** abs(times)
                top, bottom = (top * generator, bottom) if times > 0 else (top, bottom * generator)
            return top, bottom, 1
        if isinstance(e, sympy.Pow) and e.exp.is_Rational:
            return self._power(e)
        if isinstance(e, sympy.Piecewise):
            return self._cases(e)
        return self._elements[e], one, 1

    def _monomial(self, e: Any) -> tuple[PolyElement, int, list[Any]]:
        """The part of a product that is one monomial, the number below it, and the other factors: most have none."""
        c, powers, rest = sympy.S.One, [0] * self._ring.ngens, []
        for a in e.args:
            base, exponent = (a.base, a.exp) if isinstance(a, sympy.Pow) else (a, sympy.S.One)
            place = self._generators.get(base) if isinstance(base, sympy.Symbol) else None
            if isinstance(a, sympy.Rational):
                c *= a
            elif place is not None and exponent.is_Integer and exponent > 0:
                powers[place] += int(exponent)
            else:
                rest.append(a)
        return self._ring.term_new(tuple(powers), sympy.ZZ(int(c.p))), int(c.q), rest

    def _cases(self, e: Any) -> Quotient:
        """Σ valueₖ·[conditionₖ]·Π_{j<k} (1 - [conditionⱼ])."""
        left, parts = self._ring.one, []
        for value, condition in e.args:
            holds = self._truth(condition)
            p, q, c = self.of(value)
            parts.append((product_of(self._idempotent(left * holds), p), q, c))
            left = self._idempotent(left * (1 - holds))
        return self._sum(parts)

    def _truth(self, condition: Any) -> Any:
        """[condition] as a polynomial in brackets."""
        one = self._ring.one
        if condition in (sympy.true, sympy.false):
            return one if condition == sympy.true else self._ring.zero
        if isinstance(condition, sympy.Not):
            return one - self._truth(condition.args[0])
        if isinstance(condition, sympy.And | sympy.Or):
            is_and, product = isinstance(condition, sympy.And), one
            for t in map(self._truth, condition.args):
                product = self._idempotent(product * (t if is_and else one - t))
            return product if is_and else one - product
        if not isinstance(condition, sympy.core.relational.Relational):
            return self._elements[Positive(condition)]
        u, is_turned = _oriented(condition)
        positive, zero = self._elements[Positive(u)], self._elements[Zero(u)]
        if u in self._binaries:
            positive, zero = self._elements[u], one - self._elements[u]
        elif u.free_symbols & self._kinks and not u.free_symbols & self._vanishing:
            zero = self._ring.zero
        if is_turned:
            positive = one - positive - zero
        return {
            ">": positive,
            ">=": positive + zero,
            "<": one - positive - zero,
            "<=": one - positive,
            "==": zero,
            "!=": one - zero,
        }[condition.rel_op]

    def _power(self, e: Any) -> Quotient:
        exponent = Fraction(int(e.exp.p), int(e.exp.q))
        if exponent.denominator == 1:
            p, q, c = self.of(e.base)
        else:
            root = sympy.Pow(e.base, sympy.Rational(1, exponent.denominator))
            p, q, c = self._elements[root], self._ring.one, 1
        top, bottom, times = self._ring.one, self._ring.one, abs(exponent.numerator)
        for _ in range(times):
            top, bottom = product_of(top, p), product_of(bottom, q)
        return _lowered(top, bottom, c**times) if exponent > 0 else (bottom * c**times, top, 1)

    def _sum(self, parts: list[Quotient]) -> Quotient:
        """Terms of one denominator are added first, so that the common denominator stays small."""
        number = lcm(*(c for _, _, c in parts))
        tops: dict[PolyElement, PolyElement] = {}
        for p, q, c in parts:
            if q in tops:
                _add_to(tops[q], p, number // c)
            else:
                tops[q] = p * (number // c)
        (bottom, top), *rest = tops.items()
        for q, p in rest:
            top, bottom = product_of(top, q) + product_of(p, bottom), product_of(bottom, q)
        return _lowered(top, bottom, number)

    def reduced(self, p: PolyElement) -> PolyElement:
        """The numerator with every root's powers replaced by its base: (√u)² = u."""
        p = self._idempotent(p)
        for root, (base, degree) in self._roots.items():
            if p == 0:
                return p
            g = self._elements[root]
            top, bottom, c = self.of(base)
            p = self._reduced_by(p, g, degree, top, bottom * c)
        return p

    def _idempotent(self, p: PolyElement) -> PolyElement:
        brackets = {g: k for g, k in self._generators.items() if isinstance(g, Positive | Zero)}
        places = {k for g, k in self._generators.items() if g in self._binaries} | set(brackets.values())
        if not places:
            return p
        exclusive = self._exclusive + [
            (k, brackets[Zero(*g.args)])
            for g, k in brackets.items()
            if Zero(*g.args) in brackets and isinstance(g, Positive)
        ]
        total: dict[tuple[int, ...], Any] = {}
        for monomial, c in p.terms():
            if any(monomial[j] and monomial[k] for j, k in exclusive):
                continue
            lowered = tuple(min(m, 1) if k in places else m for k, m in enumerate(monomial))
            total[lowered] = total.get(lowered, 0) + c
        return self._ring.from_dict({m: c for m, c in total.items() if c})

    def _reduced_by(self, p: PolyElement, g: PolyElement, degree: int, top: PolyElement, bottom: PolyElement) -> Any:
        place = self._ring.gens.index(g)
        parts: dict[int, PolyElement] = {}
        for monomial, c in p.terms():
            whole, left = divmod(monomial[place], degree)
            lowered = tuple(left if k == place else m for k, m in enumerate(monomial))
            parts[whole] = parts.get(whole, self._ring.zero) + self._ring({lowered: c})
        most = max(parts, default=0)
        return sum((part * top**k * bottom ** (most - k) for k, part in parts.items()), self._ring.zero)


def _add_to(total: PolyElement, p: PolyElement, times: int) -> None:
    """total += times p in place: a sum of thousands of terms is built in time linear in their number."""
    for monomial, c in p.items():
        added = total.get(monomial, 0) + c * times
        if added:
            total[monomial] = added
        else:
            total.pop(monomial, None)


def _walk(e: Any) -> Any:
    """The nodes that arithmetic is made of, each once; functions are not entered, nor are the conditions of cases."""
    stack, seen = [e], set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        if isinstance(node, sympy.Piecewise):
            stack += [value for value, _ in node.args]
        elif isinstance(node, sympy.Pow):
            stack.append(node.base)
        elif isinstance(node, ARITHMETIC):
            stack += node.args


def _exponent_parts(exponent: Any) -> list[tuple[Any, Any]]:
    """e^(2x - y/3) as rational powers of e^x and e^y: (2, x), (-1/3, y)."""
    terms = sympy.Add.make_args(sympy.expand(exponent))
    return [(sympy.Rational(c), x) for c, x in (term.as_coeff_Mul() for term in terms)]
