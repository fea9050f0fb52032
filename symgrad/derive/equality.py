"""Two arrays of SymPy entries compared: exactly where that decides, else to 50 digits at random rational points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import prod
from random import Random
from typing import Any

import numpy as np
import sympy
from sympy.core.relational import Relational

from symgrad.canonical import put_in
from symgrad.derive.derivation import Line, Proof, Verdict
from symgrad.derive.samples import SCALES, Draw, Symbols, assignments, entries_of, positive_leaves, sizes_in
from symgrad.derive.zero import are_equal
from symgrad.errors import CheckFailed
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals, Symbolic
from symgrad.graph.expression import CONSTANT_ROLES, Contraction, Elementwise, Expr, Leaf, Linear
from symgrad.graph.walk import fold, postorder
from symgrad.primitives.entry import Array

DIGITS = 50
POINTS = 3
MOST_POINTS = 60
# Enough to see on which side of a condition a point lies.
SIDE_DIGITS = 15
TOLERANCE = sympy.Rational(1, 10**30)
# What is left of 0 in numbers of 50 digits.
SMALLEST = sympy.Rational(1, 10**55)
# Lines with more products of symbols than this, over all entries, are compared in numbers: some ten seconds of algebra.
MOST_SYMBOLIC = 40_000


class Differs(Exception):
    """Two entries are not equal; the message says in what."""


def undecided(a: Array, b: Array, symbols: Symbols, kinks: Collection[Any] = ()) -> Iterator[tuple[Any, Any]]:
    """The pairs of entries that the exact comparison does not find equal."""
    for x, y in zip(entries_of(a), entries_of(b), strict=True):
        p, q = sympy.S(x), sympy.S(y)
        facts = {"signs": symbols.signs, "binaries": symbols.binaries, "exclusive": symbols.exclusive}
        if not are_equal(p, q, **facts, vanishing=symbols.vanishing, kinks=kinks):
            yield p, q


def verify(x: Any, y: Any, symbols: Symbols) -> None:
    """Compare two entries to 50 digits at random rational points; points outside the domain are passed over.

    Three points are compared, and with conditions three for every way in which they turn out: far out on one side both
    may be as good as 0.
    """
    names = sorted(x.free_symbols | y.free_symbols, key=str)
    borders = [c.lhs - c.rhs for c in sorted((x.atoms(Relational) | y.atoms(Relational)), key=str)]
    # Conditions such as u < 5 are met on both sides only by numbers of their size.
    known = {abs(n) for b in borders for n in b.atoms(sympy.Rational) if n}
    scales = sorted({sympy.S.One, sympy.Rational(1, 20), *(4 * n for n in known), *(n / 4 for n in known)})
    compared, seen = 0, Counter[tuple[bool, ...]]()
    for point in range(MOST_POINTS):
        # Every entry has points of its own: what the points of one miss, those of another find.
        random = Random(f"{point} {names}")
        scale = random.choice(scales)
        values = {symbol: _number(symbol, random, symbols) * scale_of(symbol, scale, symbols) for symbol in names}
        values |= _one_hot_values(names, random, symbols)
        sides = tuple(bool(sympy.N(put_in(b, values), SIDE_DIGITS).is_positive) for b in borders)
        if seen[sides] >= POINTS:
            continue
        p, q = (sympy.N(put_in(e, values), DIGITS) for e in (x, y))
        if not (p.is_real and q.is_real and p.is_finite and q.is_finite):
            continue
        if abs(p - q) > TOLERANCE * max(abs(p), abs(q)) + SMALLEST:
            raise Differs(f"{sympy.N(p, 8)} is not {sympy.N(q, 8)}")
        compared += 1
        seen[sides] += 1
        if compared == POINTS and not borders:
            return
    if compared < POINTS:
        raise Differs("no point was found at which both sides have a value")


def scale_of(symbol: Any, scale: Any, symbols: Symbols) -> Any:
    """How far from 0 a symbol is drawn: signs and what is 0 or 1 stay what they are."""
    return 1 if symbol in symbols.signs or symbol in symbols.binaries else scale


def _one_hot_values(names: Sequence[Any], random: Random, symbols: Symbols) -> dict[Any, Any]:
    """At most one 1 in each row of a one-hot array."""
    values: dict[Any, Any] = {}
    for row in symbols.exclusive:
        chosen = random.randrange(len(row) + 1)
        values |= {s: sympy.Integer(int(k == chosen)) for k, s in enumerate(row) if s in set(names)}
    return values


def _number(symbol: Any, random: Random, symbols: Symbols) -> Any:
    """A random rational; entries with a pattern (in equal steps, say) would make singular matrices."""
    if symbol in symbols.signs:
        return sympy.Integer(random.choice((-1, 1)))
    if symbol in symbols.binaries:
        return sympy.Integer(random.choice((0, 1)))
    return sympy.Rational(random.randrange(1 if symbol in symbols.positives else -29, 59), 29)


class Sheet:
    """Symbols for all leaves of some expressions at one assignment of sizes: names opaque, or by their definitions."""

    def __init__(self, roots: Sequence[Expr], sizes: Assignment, definitions: Mapping[Leaf, Expr]) -> None:
        self.sizes, self.symbols = sizes, Symbols(sizes)
        everything = [*roots, *(e for pair in definitions.items() for e in pair)]
        leaves = [e for e in postorder(everything) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
        self._has_definitions = bool(definitions)
        self.opaque: dict[Leaf, Array] = {e: self.symbols.array(e) for e in leaves}
        for e in positive_leaves(everything) & self.opaque.keys():
            self.symbols.positives.update(entries_of(self.opaque[e]))
        self.defined = dict(self.opaque)
        for name, definition in definitions.items():
            self.defined[name] = evaluate([definition], self.defined, sizes, Symbolic())[0]

    def at(self, e: Expr, *, is_opaque: bool) -> Array:
        """The entries of an expression."""
        return evaluate([e], self.opaque if is_opaque else self.defined, self.sizes, Symbolic())[0]

    def are_equal(self, left: Expr, right: Expr) -> bool:
        """Whether both are seen to be equal with the names opaque, or by definition; `Differs` where the shapes do."""
        for is_opaque in (True, False) if self._has_definitions else (True,):
            a, b = (self.at(e, is_opaque=is_opaque) for e in (left, right))
            if np.shape(a) != np.shape(b):
                raise Differs(f"the shapes are {np.shape(a)} and {np.shape(b)}")
            if next(undecided(a, b, self.symbols), None) is None:
                return True
        return False


def prove_equal(
    first: tuple[Expr, Expr], lines: Sequence[Line], definitions: Mapping[Leaf, Expr], what: str
) -> tuple[Line, ...]:
    """Lines with proofs, entry by entry at two assignments of sizes: the first by the two sides of `first`, each other
    one by the line before it. `definitions` are put in, in order, where equality with the names opaque does not hold.

    CheckFailed where a line is not equal.
    """
    pairs = [first, *pairwise([line.expression for line in lines])]
    roots = [e for pair in pairs for e in pair]
    chosen = assignments(sizes_in([*roots, *definitions.values()]))
    seen: list[set[Verdict]] = [set() for _ in lines]
    for sizes in chosen:
        sheet = Sheet(roots, sizes, definitions)
        for k, (a, b) in enumerate(pairs):
            is_long = max(products_in(a, sizes), products_in(b, sizes)) > MOST_SYMBOLIC
            try:
                is_proved = not is_long and sheet.are_equal(a, b)
                seen[k].add(Verdict.PROVED if is_proved else in_numbers(a, b, sizes, definitions))
            except Differs as e:
                raise CheckFailed(
                    f"{what} is not proved: in its line {k + 1}, {lines[k].expression}, an entry differs ({e});"
                    " this is a defect of symgrad, please report the model"
                ) from None
    return tuple(replace(line, proof=Proof(worst(s), named(chosen))) for line, s in zip(lines, seen, strict=True))


def products_in(root: Expr, sizes: Assignment) -> int:
    """About how many products of symbols all entries of an expression are, multiplied out."""

    def count(e: Expr, below: list[int]) -> int:
        if isinstance(e, Linear):
            return sum(below)
        if isinstance(e, Contraction):
            pairs = [
                pair for x, own in zip(e.children, e.indices, strict=True) for pair in zip(own, x.shape, strict=True)
            ]
            bound = {i: sizes.at(size) for i, size in pairs if i >= e.rank}
            return prod(below) * prod(bound.values())
        if isinstance(e, Elementwise) and e.function == "power" and str(e.parameter).isdigit():
            return int(below[0] ** int(str(e.parameter)))
        return 1

    entries = prod(sizes.shape(root.shape))
    return fold([root], count)[root] * entries


def in_numbers(a: Expr, b: Expr, sizes: Assignment, definitions: Mapping[Leaf, Expr]) -> Verdict:
    """VERIFIED where both agree to 50 digits at random points; `Differs` where they do not."""
    s = Reals(DIGITS + 10)
    leaves = [e for e in postorder([a, b, *definitions.values()]) if isinstance(e, Leaf)]
    positive, done = positive_leaves([a, b]), 0
    for seed in range(MOST_POINTS):
        draw = Draw(seed, s, SCALES[seed % len(SCALES)])
        values = {
            e: draw.array(e, sizes, is_positive=seed % 2 == 1 or e in positive)
            for e in leaves
            if e.role not in CONSTANT_ROLES
        }
        for name, definition in definitions.items():
            values[name] = evaluate([definition], values, sizes, s)[0]
        x, y = (list(entries_of(v)) for v in evaluate([a, b], values, sizes, s))
        if not all(map(s.context.isfinite, [*x, *y])):
            continue
        tolerance, floor = s.number(Fraction(1, 10**30)), s.number(Fraction(1, 10**50))
        pairs = zip(x, y, strict=True)
        far = [(p, q) for p, q in pairs if abs(p - q) > tolerance * max(abs(p), abs(q)) + floor]
        if far:
            raise Differs("{} is not {}".format(*(s.context.nstr(v, 8) for v in far[0])))
        done += 1
        if done == POINTS:
            return Verdict.VERIFIED
    raise Differs("no point was found at which both sides have a value")


def worst(verdicts: Collection[Verdict]) -> Verdict:
    """VERIFIED where one is only verified."""
    return Verdict.VERIFIED if Verdict.VERIFIED in verdicts else Verdict.PROVED


def named(chosen: Sequence[Assignment]) -> tuple[Mapping[str, int], ...]:
    """Assignments of sizes as a proof keeps them."""
    return tuple({**a.names, **{str(k): v for k, v in a.literals.items()}} for a in chosen)
