"""What proofs and checks put in for names: small distinct sizes, symbols with the facts built in, and random rationals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import count, islice, permutations
from math import prod
from operator import eq
from random import Random
from typing import Any, TypeVar

import numpy as np
import sympy

from symgrad.derive.standins import Tie, stand_ins, ties_in
from symgrad.errors import DerivationError
from symgrad.evaluate import LARGEST_KEPT, Assignment
from symgrad.graph.expression import Contraction, Elementwise, Expr, Leaf, Role, Shape, sizes_of
from symgrad.graph.sizes import ONE, ZERO, Size
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array, Scalars
from symgrad.primitives.facts import FACTS
from symgrad.primitives.functions import FUNCTIONS

Numbers = tuple[int, ...]
T = TypeVar("T")

SMALLEST = 3
# How far from 0 points are drawn, in turn: conditions such as u < 2 are met on both sides.
SCALES = (Fraction(1), Fraction(1), Fraction(5), Fraction(1, 5))
# How far assignments of sizes are searched for one that makes every polynomial size positive.
MOST_TRIED = 1500
FIRST_TRIED = 500
# By how much the numbers may be larger than there are names.
MOST_SPARE = 9
# Of stand-ins for tied sizes, which take long to find, so many are compared.
MOST_TIED = 8
# Of more names than this (the layers of a deep net) some get the same number, neighbours never.
MOST_DISTINCT = 8
# Of so many names the numbers are compared with those chosen before.
MOST_COMPARED = 16
# With more sizes than this, an assignment that shares no number with the first would not be among those tried.
MOST_WITH_A_SPARE = 6


class Sizes(tuple[Size, ...]):
    """The sizes of some expressions, and how rearrangements tie them to each other."""

    ties: tuple[Tie, ...] = ()


def sizes_in(roots: Iterable[Expr]) -> Sizes:
    """Every size that occurs in shapes, in options or as a number, and one more than what slices and padding leave over."""
    order = postorder(roots)
    ties = tuple(dict.fromkeys(ties_in(order)))
    found = dict.fromkeys(s for node in order for s in sizes_of(node) if s != ZERO)
    found.update(dict.fromkeys(s + ONE for tie in ties for s in tie.rest if s.value is None))
    result = Sizes(found)
    result.ties = ties
    return result


def assignments(sizes: Sequence[Size], how_many: int = 2) -> Sequence[Assignment]:
    """Assignments of distinct numbers from 3 on, no name with the same number twice where that can be.

    At n = 2 the wrong factors 1 and 4/n² pass for 2/n; at two sizes from 3 on they fail. Of two sizes the
    sum, the difference and the product change as well, where that can be: at 3, 4 and 4, 3 the wrong 12 passes for n·d.

    >>> [dict(a.names) for a in assignments([Size.symbol("n"), Size.symbol("d")])]
    [{'n': 3, 'd': 4}, {'n': 5, 'd': 3}]
    """
    return _assignments(tuple(sizes), sizes.ties if isinstance(sizes, Sizes) else (), how_many)


@lru_cache(maxsize=512)
def _assignments(sizes: tuple[Size, ...], ties: tuple[Tie, ...], how_many: int) -> tuple[Assignment, ...]:
    names = list(dict.fromkeys(name for s in sizes for name in s.names))
    tied = {v for tie in ties for v in tie.literals}
    literals = sorted({v for s in sizes if (v := s.value) is not None and v > LARGEST_KEPT} - tied)
    wanted = len(names) + len(literals)
    spare = 2 if wanted < 2 or _has_sums(sizes) else int(wanted <= MOST_WITH_A_SPARE)
    # Sizes without a minus are positive wherever their names are.
    bounded = tuple(s for s in sizes if any(c < 0 for _, c in s.terms))
    if not tied and not bounded:
        return tuple(_assigned(names, literals, numbers) for numbers in _free_numbers(wanted, spare, how_many))
    tried: list[tuple[Numbers, Assignment]] = []
    for numbers in _candidates(wanted, spare):
        a = _assigned(names, literals, numbers)
        if tied and len(tried) == MOST_TIED:
            break
        if tied:
            # Without stand-ins the numbers stay what they are.
            a = Assignment(a.names, {**a.literals, **stand_ins(ties, a.names, len(tried))})
        if all(a.at(s) >= 1 for s in (sizes if tied else bounded)):
            tried.append((numbers[:MOST_COMPARED], a))
    if not tried:
        raise DerivationError(f"no small numbers make all of the sizes {', '.join(map(str, sizes))} positive")
    return tuple(a for _, a in _least_alike(tried, how_many))


def _assigned(names: Sequence[str], literals: Sequence[int], numbers: Numbers) -> Assignment:
    own = dict(zip(names, numbers, strict=False))
    return Assignment(own, dict(zip(literals, numbers[len(names) :], strict=True)))


@lru_cache(maxsize=64)
def _free_numbers(wanted: int, spare: int, how_many: int) -> tuple[Numbers, ...]:
    """Numbers for so many names, where no size asks for more."""
    tried = [(numbers[:MOST_COMPARED], numbers) for numbers in dict.fromkeys(_candidates(wanted, spare))]
    return tuple(numbers for _, numbers in _least_alike(tried, how_many))


def _least_alike(tried: Sequence[tuple[Numbers, T]], how_many: int) -> list[tuple[Numbers, T]]:
    """The first candidate, then those that have least in common with what is chosen; of these the smallest arrays."""
    chosen = list(tried[:1])
    while len(chosen) < min(how_many, len(tried)):
        rest = [candidate for candidate in tried if candidate not in chosen]
        if not rest:
            break
        # Pairs weigh less than one number that is the same: only where few are the same they are counted.
        same = [sum(sum(map(eq, c[0], old)) for old, _ in chosen) for c in rest]
        fewest = min(same)
        few = [c for c, k in zip(rest, same, strict=True) if 2 * (k - fewest) <= len(chosen)]
        chosen.append(min(few, key=lambda c: (sum(_in_common(c[0], old) for old, _ in chosen), prod(c[0]))))
    return chosen


@lru_cache(maxsize=64)
def _candidates(wanted: int, spare: int) -> tuple[Numbers, ...]:
    """Distinct numbers for names: the first permutations, then random ones, from a range that grows."""
    distinct = min(wanted, MOST_DISTINCT)
    first = islice(permutations(range(SMALLEST, SMALLEST + distinct + spare), distinct), FIRST_TRIED)
    drawn: list[tuple[tuple[int, ...], int]] = [(p, 0) for p in first]
    random = Random(0)
    for k in range(MOST_TRIED):
        width = distinct + spare + (k * MOST_SPARE) // MOST_TRIED
        drawn.append(
            (tuple(random.sample(range(SMALLEST, SMALLEST + width), distinct)), random.randrange(distinct or 1))
        )
    # Beyond MOST_DISTINCT names numbers repeat, in another order from one candidate to the next.
    return tuple(tuple(p[(k + turn * (k // distinct)) % distinct] for k in range(wanted)) for p, turn in drawn)


def _in_common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many names keep their number (these weigh most), and how many pairs their sum, difference or product."""
    same = sum(x == y for x, y in zip(a, b, strict=True))
    pairs = [((a[i], a[j]), (b[i], b[j])) for j in range(len(a)) for i in range(j)]
    alike = sum((x + y == p + q) + (x - y == p - q) + (x * y == p * q) for (x, y), (p, q) in pairs)
    return same * 3 * len(a) ** 2 + alike


def _has_sums(sizes: Sequence[Size]) -> bool:
    return any(len(s.terms) > 1 for s in sizes)


def positive_leaves(roots: Iterable[Expr]) -> set[Leaf]:
    """The leaves that stand where a function asks for something positive.

    >>> from symgrad.primitives.language import data, dims, huber, parameter
    >>> delta = parameter("delta")
    >>> positive_leaves([huber(data("r", dims("n")), delta)]) == {delta}
    True
    """
    found: set[Leaf] = set()
    for node in postorder(roots):
        for k in FUNCTIONS[node.function].positive if isinstance(node, Elementwise) else ():
            operand: Expr = node.children[k]
            while isinstance(operand, Contraction) and len(operand.children) == 1:
                operand = operand.children[0]
            if isinstance(operand, Leaf):
                found.add(operand)
    return found


class Symbols:
    """One factory of real symbols: entry by entry, with the facts of the leaves built into them."""

    def __init__(self, sizes: Assignment) -> None:
        self._sizes = sizes
        self._count = count()
        self.signs: set[Any] = set()  # s² = 1
        self.binaries: set[Any] = set()  # b² = b
        self.positives: set[Any] = set()  # sampled positive
        self.vanishing: set[Any] = set()  # 0 for whole ranges of data, not by chance
        self.exclusive: list[tuple[Any, ...]] = []  # of each row at most one is not 0

    def fresh(self) -> Any:
        """A new real symbol. SymPy orders by name: entries that differ in their symbols alone are written alike."""
        return sympy.Symbol(f"s{next(self._count):05}", real=True)

    def summing_to_one(self, shape: Shape, axis: int) -> Array:
        """The most general array of symbols that sums to 1 along an axis."""
        sizes = self._sizes.shape(shape)
        moved = (*sizes[:axis], *sizes[axis + 1 :], sizes[axis])
        entries = FACTS["one_hot"].entries
        assert entries is not None
        return np.moveaxis(as_array(entries(self.fresh, moved), moved), -1, axis)

    def array(self, leaf: Leaf, more: Collection[str] = ()) -> Array:
        """An array of symbols with the leaf's shape and facts, and with those that were found of it."""
        if leaf.role is Role.LABELS:
            return self._labels(leaf)
        shape = self._sizes.shape(leaf.shape)
        facts = sorted({*leaf.facts, *more})
        source = next((FACTS[f].entries for f in facts if FACTS[f].entries is not None), None)
        entries = source(self.fresh, shape) if source is not None else [self.fresh() for _ in range(_count(shape))]
        if "sign" in leaf.facts:
            self.signs.update(entries)
        if leaf.facts & {"binary"}:
            self.binaries.update(entries)
        if leaf.facts & {"binary", "nonnegative"}:
            self.vanishing.update(entries)
        if "one_hot" in leaf.facts:
            self._note_rows(entries, shape[-1])
        return as_array(entries, shape)

    def _labels(self, leaf: Leaf) -> Array:
        """Each label as the row of symbols, one-hot, that it stands for."""
        assert isinstance(leaf.value, Size)
        shape = self._sizes.shape((*leaf.shape, leaf.value))
        source = FACTS["one_hot"].entries
        assert source is not None
        entries = source(self.fresh, shape)
        self._note_rows(entries, shape[-1])
        rows = [tuple(entries[k : k + shape[-1]]) for k in range(0, len(entries), shape[-1])]
        return as_array(rows, shape[:-1])

    def _note_rows(self, entries: Sequence[Any], width: int) -> None:
        """The last entry of a row is 1 less the others, which are 0 or 1 and of which one at most is 1."""
        rows = [entries[k : k + width - 1] for k in range(0, len(entries), width)]
        self.exclusive += [tuple(row) for row in rows]
        self.binaries.update(e for row in rows for e in row)
        self.vanishing.update(e for row in rows for e in row)


class Draw:
    """Random rationals, from a seed: what facts and leaves are sampled with. With `among` they are ± these."""

    def __init__(
        self, seed: int | str, s: Scalars, scale: Fraction = Fraction(1), among: Sequence[Fraction] = ()
    ) -> None:
        self._random = Random(seed)
        self._s = s
        self._scale = scale
        self._among = among

    def number_of(self, k: int) -> int:
        """One of 0 … k-1."""
        return self._random.randrange(k)

    def real(self) -> Any:
        """Between -1 and 1, times the scale."""
        if self._among:
            return self._s.number(self._random.choice(self._among) * self._random.choice((-1, 1)))
        return self._s.number(Fraction(self._random.randrange(-999, 1000), 1000) * self._scale)

    def positive(self) -> Any:
        """Between 0.2 and 1.7, times the scale."""
        if self._among:
            return self._s.number(self._random.choice(self._among))
        return self._s.number(Fraction(self._random.randrange(200, 1700), 1000) * self._scale)

    def array(self, leaf: Leaf, sizes: Assignment, *, is_positive: bool = False) -> Array:
        """An array for a leaf: with its facts, whole numbers for labels, positive numbers where asked."""
        shape = sizes.shape(leaf.shape)
        if leaf.role is Role.LABELS:
            assert isinstance(leaf.value, Size)
            return as_array([self.number_of(sizes.at(leaf.value)) for _ in range(_count(shape))], shape)
        if leaf.facts:
            entries = FACTS[min(leaf.facts, key=_strength)].draw(self, shape)
            return as_array([self._s.number(Fraction(e)) if isinstance(e, int) else e for e in entries], shape)
        draw = self.positive if is_positive or leaf.role is Role.HYPERPARAMETER else self.real
        return as_array([draw() for _ in range(_count(shape))], shape)


def _strength(fact: str) -> int:
    """The fact that implies most comes first."""
    order = ["positive_definite", "one_hot", "sign", "binary", "symmetric", "positive", "nonnegative"]
    return order.index(fact)


def _count(shape: Sequence[int]) -> int:
    return int(np.prod(shape, dtype=int))


def as_array(entries: Iterable[Any], shape: Sequence[int]) -> Array:
    """Entries in C order as an object array."""
    a = np.empty(_count(shape), dtype=object)
    for k, e in enumerate(entries):
        a[k] = e
    return a.reshape(tuple(shape))


def entries_of(a: Array) -> Iterator[Any]:
    """The entries in C order."""
    yield from np.asarray(a, dtype=object).ravel()
