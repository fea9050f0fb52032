"""A derivation in numbers: every line at given or made-up arrays, each gradient beside difference quotients, one descent step.

The lines evaluated are those that the page prints; the differences are taken of the loss as the user wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np

from symgrad.derive.derivation import Derivation, Equation
from symgrad.derive.samples import Draw, as_array, assignments, entries_of, positive_leaves, sizes_in
from symgrad.errors import InputError
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Contraction, Expr, Leaf, Role
from symgrad.graph.show import show_shape
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array
from symgrad.records import dataclass

DIGITS = 40
NOISE = Fraction(1, 10**35)
# Of an axis longer than this the first few entries are shown, and the last.
MOST_SHOWN, FIRST_SHOWN = 6, 3
# The h of (L(θ + h) - L(θ - h)) / 2h: it errs by h² times the third derivative.
H = Fraction(1, 10**6)
# Numbers that a reader can calculate with.
FOR_DATA = (Fraction(1, 2), Fraction(1), Fraction(2), Fraction(3))
FOR_PARAMETERS = (Fraction(1, 4), Fraction(1, 2), Fraction(1))
SIZES = (3, 2)
# Made-up numbers are drawn until none of the results is larger, and no gradient is all 0; at last until all have values.
LARGEST, MOST_DRAWN, MOST_PARTICULAR = 100, 60, 40
# At a kink the two sides of a difference disagree by more.
SMOOTH = Fraction(1, 10**8)
RATES = tuple(Fraction(1, 10**k) for k in range(1, 9))
# So many products of numbers are a second or two.
MOST_WORK, MOST_WORK_IN_DIFFERENCES = 400_000, 3_000_000


def _is_symmetric(a: Array) -> bool:
    return bool((a == a.T).all())


def _is_positive_definite(a: Array) -> bool:
    """Whether elimination meets positive pivots only, in exact numbers."""
    if not _is_symmetric(a):
        return False
    rest = a
    while len(rest):
        if rest[0, 0] <= 0:
            return False
        rest = rest[1:, 1:] - np.multiply.outer(rest[1:, 0], rest[0, 1:]) / rest[0, 0]
    return True


# Whether an array of fractions has a fact.
HOLDS: Mapping[str, Callable[[Array], bool]] = {
    "one_hot": lambda a: bool(np.all((a == 0) | (a == 1)) and np.all(a.sum(axis=-1) == 1)),
    "symmetric": _is_symmetric,
    "positive_definite": _is_positive_definite,
    "positive": lambda a: bool(np.all(a > 0)),
    "nonnegative": lambda a: bool(np.all(a >= 0)),
    "sign": lambda a: bool(np.all(abs(a) == 1)),
    "binary": lambda a: bool(np.all((a == 0) | (a == 1))),
}


@dataclass(frozen=True, slots=True)
class Descent:
    """One step against the gradient: its rate, and the loss before and after it."""

    rate: Fraction
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Numbers:
    """Arrays of decimals: what is given, what each equation computes, and difference quotients of each parameter.

    `differences` hold None where no difference was taken; `errors` are the largest ones, relative to the largest entry
    of the gradient. `is_made_up` holds of numbers that nobody gave.
    """

    sizes: Mapping[str, int]
    given: Mapping[Leaf, Array]
    values: Mapping[Leaf, Array]
    differences: Mapping[Leaf, Array]
    errors: Mapping[Leaf, Decimal]
    descent: Descent | None
    is_made_up: bool

    @property
    def is_smooth(self) -> bool:
        """Whether all differences agree with the gradients, as they do off the kinks."""
        return all(error <= Decimal(SMOOTH.numerator) / SMOOTH.denominator for error in self.errors.values())


class _NoValue(Exception):
    """An equation has no value; its argument is the equation."""


def shown_places(length: int) -> list[int]:
    """Which entries of an axis are shown: all of a short one, the first few and the last of a long one.

    >>> shown_places(3), shown_places(100)
    ([0, 1, 2], [0, 1, 2, 99])
    """
    return list(range(length)) if length <= MOST_SHOWN else [*range(FIRST_SHOWN), length - 1]


def in_numbers(derivation: Derivation, loss: Expr, given: Mapping[str, Any] | None = None) -> Numbers:
    """The derivation at the given arrays (exact numbers by name), or at small friendly ones.

    InputError where arrays are missing, do not fit, or an equation has no value at them.
    """
    work = _Work(derivation, loss)
    if given is not None:
        point = work.point_of(given)
        try:
            return work.at(*point, is_made_up=False)
        except _NoValue as e:
            (eq,) = e.args
            raise InputError(
                f"equation ({eq.label}), {eq.name}: an entry has no value at these numbers (the logarithm of what is not"
                " positive, a division by 0, …); give other values"
            ) from None
    for seed in range(MOST_DRAWN):
        try:
            found = work.at(*work.point_made_up(seed), is_made_up=True)
        except _NoValue:
            continue
        if found.is_smooth and (seed >= MOST_PARTICULAR or _is_friendly(found, derivation)):
            return found
    raise InputError("no small numbers were found at which the loss has a value; give your own with --values FILE")


def _is_friendly(found: Numbers, derivation: Derivation) -> bool:
    """Whether no number is large, and something arrives at every parameter."""
    wanted = {eq.target for eq in derivation.backward if eq.variable in set(derivation.parameters)}
    return found.descent is not None and all(
        all(abs(x) < LARGEST for x in entries_of(a)) and (e not in wanted or any(map(bool, entries_of(a))))
        for e, a in found.values.items()
    )


class _Work:
    """The derivation with what is needed to evaluate it."""

    def __init__(self, derivation: Derivation, loss: Expr) -> None:
        self.derivation, self.loss, self.s = derivation, loss, Reals(DIGITS)
        held = {e for e in postorder([loss]) if isinstance(e, Leaf)} | set(derivation.parameters)
        self.leaves = [e for e in derivation.leaves if e in held and e.role not in CONSTANT_ROLES]
        self.roots = [loss, *(eq.expression for eq in (*derivation.forward, *derivation.backward)), *self.leaves]

    # ---- where

    def point_made_up(self, seed: int) -> tuple[dict[Leaf, Array], Assignment]:
        """Small sizes, and numbers that have few digits and the facts."""
        every = sizes_in(self.roots)
        names = list(dict.fromkeys(name for size in every for name in size.names))
        sizes = Assignment({name: SIZES[k % len(SIZES)] for k, name in enumerate(names)})
        if not all(sizes.at(size) >= 1 for size in every):
            sizes = Assignment(assignments(every, 1)[0].names)
        self._refuse_long(sizes)
        positive = positive_leaves([self.loss])
        values: dict[Leaf, Array] = {}
        for e in self.leaves:
            if e.role is Role.HYPERPARAMETER and isinstance(e.value, Fraction):
                values[e] = as_array([self.s.number(e.value)], ())
                continue
            among = FOR_PARAMETERS if e in set(self.derivation.parameters) else FOR_DATA
            draw = Draw(f"{e.name} {seed}", self.s, among=among)
            drawn = draw.array(e, sizes, is_positive=seed % 2 == 1 or e in positive)
            values[e] = self._numbers(
                [Fraction(x) if isinstance(x, int) else x for x in entries_of(drawn)], drawn.shape
            )
        return values, sizes

    def point_of(self, given: Mapping[str, Any]) -> tuple[dict[Leaf, Array], Assignment]:
        """The given arrays, each with the shape that its declaration has at the sizes that all of them tell."""
        arrays = {e: given[e.name] for e in self.leaves if e.name in given}
        sizes = _sizes_told(arrays, given, sizes_in(self.roots))
        self._refuse_unfit(given, sizes)
        self._refuse_long(sizes)
        values = {e: self._numbers(entries_of(a), np.shape(a)) for e, a in arrays.items()}
        for e in self.leaves:
            if e not in values and isinstance(e.value, Fraction):
                values[e] = as_array([self.s.number(e.value)], ())
        return {e: values[e] for e in self.leaves}, sizes

    def _numbers(self, entries: Any, shape: Sequence[int]) -> Array:
        return as_array([self.s.number(x) if isinstance(x, Fraction) else x for x in entries], shape)

    def _refuse_unfit(self, given: Mapping[str, Any], sizes: Assignment) -> None:
        names = [e.name for e in self.derivation.leaves]
        unknown = [name for name in given if name not in {*names, *sizes.names}]
        if unknown:
            raise InputError(f"the loss holds no {unknown[0]}; give numbers for {', '.join(names)}")
        for e in self.leaves:
            if e.name not in given and not isinstance(e.value, Fraction):
                what = f"an array of shape {show_shape(e.shape)}" if e.rank else "a number"
                raise InputError(f"{e.name} is missing, {what}; give it by its name")
            if e.name in given and np.shape(given[e.name]) != sizes.shape(e.shape):
                told = ", ".join(f"{name} = {number}" for name, number in sizes.names.items())
                wanted = (
                    f"{show_shape(e.shape)}, which is {sizes.shape(e.shape)} where {told}"
                    if told
                    else f"{sizes.shape(e.shape)}"
                )
                raise InputError(
                    f"{e.name} has the shape {np.shape(given[e.name])} and is declared as {wanted}; give it that shape"
                )
            for fact in sorted(e.facts) if e.name in given else ():
                if not HOLDS[fact](given[e.name]):
                    raise InputError(
                        f"{e.name} is declared {fact} but is not; give other values, or declare it without"
                    )
            if e.role is Role.LABELS and e.name in given:
                count = sizes.at(e.value)  # type: ignore[arg-type]  # the value of labels is their size
                if not all(x.denominator == 1 and 0 <= x < count for x in entries_of(given[e.name])):
                    raise InputError(f"{e.name} holds labels, whole numbers from 0 to {count - 1}; give such numbers")

    def _refuse_long(self, sizes: Assignment) -> None:
        if _products_in(self.roots, sizes) > MOST_WORK:
            raise InputError(
                f"at these sizes one pass takes more than {MOST_WORK} products of numbers with {DIGITS} digits, too many for"
                " a page; give fewer or smaller arrays"
            )

    # ---- what

    def at(self, values: dict[Leaf, Array], sizes: Assignment, *, is_made_up: bool) -> Numbers:
        """All lines at a point."""
        known = dict(values)
        for eq in (*self.derivation.forward, *self.derivation.backward):
            known[eq.target] = self._value(eq, known, sizes)
        largest = max((abs(x) for a in known.values() for x in entries_of(a)), default=0)
        noise = largest * self.s.number(NOISE)
        # What rounding leaves of 0 is 0.
        known = {
            e: as_array([x if abs(x) > noise else x * 0 for x in entries_of(a)], np.shape(a)) for e, a in known.items()
        }
        gradients = {p: known[t] for p, t in self._targets()}
        differences = self._differences(values, gradients, sizes)
        errors = {p: _error(gradients[p], differences[p]) for p in gradients}
        return Numbers(
            dict(sizes.names),
            {e: self._decimals(a) for e, a in values.items()},
            {e: self._decimals(a) for e, a in known.items() if e not in values},
            {p: self._decimals(a) for p, a in differences.items()},
            {p: self._decimal(error) for p, error in errors.items()},
            self._descent(values, gradients, sizes),
            is_made_up,
        )

    def _targets(self) -> Iterator[tuple[Leaf, Leaf]]:
        wanted = {eq.variable: eq.target for eq in self.derivation.backward if eq.variable is not None}
        yield from ((p, wanted[p]) for p in self.derivation.parameters)

    def _value(self, eq: Equation, known: Mapping[Leaf, Array], sizes: Assignment) -> Array:
        try:
            (found,) = evaluate([eq.expression], known, sizes, self.s)
        except (ZeroDivisionError, OverflowError):  # mpmath's words for a pole, and for what has too many digits
            raise _NoValue(eq) from None
        if not all(self.s.context.isfinite(x) for x in entries_of(found)):
            raise _NoValue(eq)
        return found

    def _loss_at(self, values: Mapping[Leaf, Array], sizes: Assignment) -> Any:
        """The loss; not a number where it has no value."""
        try:
            return evaluate([self.loss], values, sizes, self.s)[0][()]
        except (ZeroDivisionError, OverflowError):
            return self.s.context.nan

    def _differences(
        self, values: dict[Leaf, Array], gradients: Mapping[Leaf, Array], sizes: Assignment
    ) -> dict[Leaf, Array]:
        """Difference quotients at the entries that are shown; where that is too much, at the largest of these."""
        evaluations = max(1, MOST_WORK_IN_DIFFERENCES // (2 * _products_in([self.loss], sizes)))
        each = max(1, evaluations // len(gradients))
        found = {}
        for p, gradient in gradients.items():
            quotients = np.full(np.shape(gradient), None, dtype=object)
            places = sorted(product(*map(shown_places, np.shape(gradient))), key=lambda at: -abs(gradient[at]))
            for place in places[:each]:
                up, down = (self._loss_at(self._moved(values, p, place, sign), sizes) for sign in (1, -1))
                quotients[place] = (up - down) / (2 * self.s.number(H))
            found[p] = quotients
        return found

    def _moved(self, values: dict[Leaf, Array], p: Leaf, place: tuple[int, ...], sign: int) -> dict[Leaf, Array]:
        moved = np.array(values[p], dtype=object)
        moved[place] = moved[place] + sign * self.s.number(H)
        return {**values, p: moved}

    def _descent(self, values: dict[Leaf, Array], gradients: Mapping[Leaf, Array], sizes: Assignment) -> Descent | None:
        """The longest of some steps that makes the loss smaller; None at a stationary point."""
        before = self._loss_at(values, sizes)
        for rate in RATES:
            moved = {p: values[p] - gradient * self.s.number(rate) for p, gradient in gradients.items()}
            after = self._loss_at({**values, **moved}, sizes)
            if after < before:
                return Descent(rate, self._decimal(before), self._decimal(after))
        return None

    def _decimals(self, a: Array) -> Array:
        return as_array([None if x is None else self._decimal(x) for x in entries_of(a)], np.shape(a))

    def _decimal(self, x: Any) -> Decimal:
        return Decimal(self.s.context.nstr(self.s.context.mpf(x), DIGITS - 10))


def _error(gradient: Array, quotients: Array) -> Any:
    """The largest difference over the largest entry; not a number where the loss has no value beside the point."""
    pairs = [(g, q) for g, q in zip(entries_of(gradient), entries_of(quotients), strict=True) if q is not None]
    largest = max((abs(g) for g in entries_of(gradient)), default=0) or 1
    return max((abs(g - q) / largest for g, q in pairs), default=0)


def _sizes_told(arrays: Mapping[Leaf, Array], given: Mapping[str, Any], every: Sequence[Any]) -> Assignment:
    """The sizes by the shapes of arrays, and by number where no array has them."""
    told: dict[str, tuple[int, str]] = {}
    for e, a in arrays.items():
        if np.ndim(a) != e.rank:
            raise InputError(
                f"{e.name} has {np.ndim(a)} axes and is declared with the shape {show_shape(e.shape)}; give it {e.rank}"
            )
        for size, number in zip(e.shape, np.shape(a), strict=True):
            if not size.is_name:
                continue
            known, by = told.setdefault(size.names[0], (number, e.name))
            if known != number:
                raise InputError(f"{size} is {known} in {by} and {number} in {e.name}; make the two arrays fit")
    sizes = {name: number for name, (number, _) in told.items()}
    for name in dict.fromkeys(name for size in every for name in size.names):
        if name in sizes:
            continue
        number = None if np.ndim(given.get(name, 0)) else given.get(name)
        value = Fraction(number[()]) if number is not None else None
        if value is None or value.denominator != 1 or value < 1:
            raise InputError(f"the size {name} is told by no array; give it by name, as a whole number from 1 on")
        sizes[name] = int(value)
    return Assignment(sizes)


def _products_in(roots: Sequence[Expr], sizes: Assignment) -> int:
    """About how many products of numbers all nodes are."""
    count = 0
    for node in postorder(roots):
        extents = dict(enumerate(node.shape))
        if isinstance(node, Contraction):
            for e, own in zip(node.operands, node.indices, strict=True):
                extents.update(zip(own, e.shape, strict=True))
        count += prod(map(sizes.at, extents.values()))
    return count
