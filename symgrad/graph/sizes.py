"""Sizes of axes: polynomials with integer coefficients in named sizes (n, n+m, t-s+1), kept canonical.

Two sizes are equal when their polynomials are: `n*(m+1)` equals `n*m+n`, and `n` never equals `m`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from threading import Lock
from typing import NoReturn
from weakref import WeakValueDictionary

Monomial = tuple[tuple[str, int], ...]


_INTERNED: WeakValueDictionary[tuple[tuple[Monomial, int], ...], Size] = WeakValueDictionary()
_LOCK = Lock()


class Size:
    """A polynomial Σ c·n₁^a·n₂^b…, its monomials in order, none with the coefficient 0.

    >>> n, m = Size.symbol("n"), Size.symbol("m")
    >>> str((n + m) * n - n), (n + 1) == (1 + n), Size.constant(3) == Size.constant(4)
    ('m*n+n**2-n', True, False)
    """

    __slots__ = ("__weakref__", "_text", "terms")
    terms: tuple[tuple[Monomial, int], ...]
    _text: str

    def __new__(cls, terms: tuple[tuple[Monomial, int], ...]) -> Size:
        """The size of these terms: the same object for the same terms, so that sizes are equal where they are identical."""
        found = _INTERNED.get(terms)
        if found is None:
            with _LOCK:
                found = _INTERNED.get(terms)
                if found is None:
                    found = object.__new__(cls)
                    object.__setattr__(found, "terms", terms)
                    object.__setattr__(found, "_text", _written(terms))
                    _INTERNED[terms] = found
        return found

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a size does not change: {name}")

    def __reduce__(self) -> tuple[type[Size], tuple[object, ...]]:
        return Size, (self.terms,)

    @staticmethod
    def constant(value: int) -> Size:
        """The size that is a number."""
        return Size((((), value),) if value else ())

    @staticmethod
    def symbol(name: str) -> Size:
        """The size that is a name."""
        return Size(((((name, 1),), 1),))

    @property
    def value(self) -> int | None:
        """The number that this size is, or None where a name occurs in it."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and not self.terms[0][0]:
            return self.terms[0][1]
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that occur, in order."""
        return tuple(dict.fromkeys(name for monomial, _ in self.terms for name, _ in monomial))

    @property
    def is_name(self) -> bool:
        """Whether the size is one name alone."""
        return len(self.terms) == 1 and self.terms[0][1] == 1 and [p for _, p in self.terms[0][0]] == [1]

    @property
    def is_negative(self) -> bool:
        """Whether it is below 0 whatever the names are: no coefficient is positive."""
        return bool(self.terms) and all(c < 0 for _, c in self.terms)

    def at(self, values: Mapping[str, int]) -> int:
        """The number that this size is where the names have `values`."""
        return sum(c * prod(values[name] ** power for name, power in monomial) for monomial, c in self.terms)

    def __add__(self, other: Size | int) -> Size:
        return _collect((*self.terms, *_as_size(other).terms))

    def __sub__(self, other: Size | int) -> Size:
        return self + _as_size(other) * -1

    def __mul__(self, other: Size | int) -> Size:
        return _collect((_times(a, b), p * q) for a, p in self.terms for b, q in _as_size(other).terms)

    def __rsub__(self, other: int) -> Size:
        return _as_size(other) - self

    def over(self, step: int) -> Size | None:
        """⌈size/step⌉ where that is a polynomial for all sizes; None where it is not.

        >>> m = Size.symbol("m")
        >>> str((m * 2 + 1).over(2)), str(Size.constant(7).over(2)), m.over(2)
        ('m+1', '4', None)
        """
        if any(c % step for monomial, c in self.terms if monomial):
            return None
        return Size(tuple((m, q) for m, c in self.terms if (q := -(-c // step))))

    __radd__ = __add__
    __rmul__ = __mul__

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


def _written(terms: tuple[tuple[Monomial, int], ...]) -> str:
    if not terms:
        return "0"
    # What is added comes first: n-m is a size again when it is read, -m+n would be a number.
    ordered = sorted(terms, key=lambda term: term[1] < 0)
    text = "".join(_signed(monomial, c) for monomial, c in ordered)
    return text.removeprefix("+")


def _as_size(value: Size | int) -> Size:
    return value if isinstance(value, Size) else Size.constant(value)


def _times(a: Monomial, b: Monomial) -> Monomial:
    powers: dict[str, int] = {}
    for name, power in (*a, *b):
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))


def _collect(terms: Iterable[tuple[Monomial, int]]) -> Size:
    total: dict[Monomial, int] = {}
    for monomial, c in terms:
        total[monomial] = total.get(monomial, 0) + c
    kept = [(monomial, c) for monomial, c in total.items() if c]
    kept.sort(key=lambda term: (-sum(power for _, power in term[0]), [(n, -p) for n, p in term[0]]))
    return Size(tuple(kept))


def _signed(monomial: Monomial, c: int) -> str:
    factors = [name if power == 1 else f"{name}**{power}" for name, power in monomial]
    if abs(c) != 1 or not factors:
        factors.insert(0, str(abs(c)))
    return ("-" if c < 0 else "+") + "*".join(factors)


ZERO = Size.constant(0)
ONE = Size.constant(1)
