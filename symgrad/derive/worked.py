"""Worked numbers of a product Jᵀv: small inputs, the output, what each call of backward computes and leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from symgrad.derive.endtoend import values_at
from symgrad.derive.pairing import Pairing
from symgrad.derive.samples import Draw, as_array, assignments, entries_of, positive_leaves, sizes_in
from symgrad.errors import InputError
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf, Role
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array
from symgrad.records import dataclass

DIGITS = 30
MOST_DRAWN = 40
# The weights of a last call, in turn: each output is seen in what it gives.
WEIGHTS = (Fraction(1), Fraction(1, 10), Fraction(1, 100))
# Small sizes that print: rows of three, columns of two.
SIZES = (3, 2)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of backward: its v, what it computes, and what `.grad` holds afterwards; `is_fresh` zeroes it first."""

    v: Array
    computed: Array
    after: Array
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Worked:
    """Inputs by name, the output, the sum's gradient, and three calls in order."""

    inputs: Mapping[str, Array]
    output: Array
    calls: tuple[Call, ...]


def work(
    pairing: Pairing, y: Expr, x: Leaf, example: Mapping[str, Any] | None = None, weights: Any = None
) -> Worked | None:
    """The numbers at the given example, or at small random ones; None where no point has a value."""
    s = Reals(DIGITS)
    roots = [y, *(eq.expression for eq in pairing.derivation.forward)]
    leaves = [e for e in postorder([y]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    given = {name: _exact(name, value) for name, value in (example or {}).items()}
    unknown = sorted(given.keys() - {e.name for e in leaves})
    if unknown:
        raise InputError(
            f"example: the output holds no {unknown[0]}; give numbers for {', '.join(e.name for e in leaves)}"
        )
    sizes = _sizes(leaves, given, roots)
    for seed in range(MOST_DRAWN):
        values = {e: _array(e, given, sizes, s, seed, is_positive=e in positive_leaves(roots)) for e in leaves}
        output = evaluate([y], values, sizes, s)[0]
        if not all(s.context.isfinite(v) for v in entries_of(output)):
            if given.keys() == {e.name for e in leaves}:
                break
            continue
        calls = _calls(pairing, x, values, output, sizes, s, weights)
        return Worked({e.name: _floats(values[e]) for e in leaves}, _floats(output), calls)
    return None


def _calls(
    pairing: Pairing, x: Leaf, values: dict[Leaf, Array], output: Array, sizes: Assignment, s: Reals, weights: Any
) -> tuple[Call, ...]:
    """The first output alone; then the weights, added; then, from zero, the sum."""
    (v,), equations = pairing.directions, (*pairing.derivation.forward, *pairing.derivation.backward)
    target = next(eq.target for eq in pairing.derivation.backward if eq.variable is x)
    shape, count = np.shape(output), int(np.prod(np.shape(output), dtype=int))
    unit = as_array([Fraction(int(k == 0)) for k in range(count)], shape)
    mixed = _exact("gradient", weights) if weights is not None else None
    if mixed is not None and np.shape(mixed) != shape:
        raise InputError(f"gradient: its shape is {np.shape(mixed)}, that of the output {shape}; give it the same")
    if mixed is None:
        mixed = as_array([WEIGHTS[k % len(WEIGHTS)] for k in range(count)], shape)
    ones = as_array([Fraction(1)] * count, shape)
    calls, held = [], None
    for weights_, is_fresh in ((unit, True), (mixed, False), (ones, True)):
        seeded = as_array([s.number(c) for c in entries_of(weights_)], shape)
        computed = np.asarray(values_at(equations, {**values, v: seeded}, sizes, s)[target], dtype=object)
        held = computed if is_fresh or held is None else held + computed
        calls.append(Call(_floats(weights_), _floats(computed), _floats(held), is_fresh))
    return tuple(calls)


def _exact(name: str, value: Any) -> Array:
    """Numbers as exact rationals: 0.1 is 1/10."""
    try:
        array = np.asarray(value, dtype=object)
        return as_array([Fraction(str(c)) for c in entries_of(array)], np.shape(array))
    except (ValueError, TypeError):
        raise InputError(f"{name}: an example is a number or a list of numbers; write for example [1.0, 2.0]") from None


def _sizes(leaves: Sequence[Leaf], given: Mapping[str, Array], roots: Sequence[Expr]) -> Assignment:
    """The sizes of the given arrays; small ones for the others."""
    told: dict[str, int] = {}
    for e in leaves:
        shape = np.shape(given[e.name]) if e.name in given else None
        if shape is not None and len(shape) != e.rank:
            raise InputError(
                f"example: {e.name} has {len(shape)} axes, and is declared with {e.rank}; give it as declared"
            )
        for size, number in zip(e.shape, shape or (), strict=False):
            if size.is_name and told.setdefault(size.names[0], number) != number:
                raise InputError(f"example: {size} is both {told[size.names[0]]} and {number}; make the arrays fit")
    every = sizes_in(roots)
    names = list(dict.fromkeys(name for s in every for name in s.names))
    chosen = Assignment({name: told.get(name, SIZES[k % len(SIZES)]) for k, name in enumerate(names)})
    if not all(chosen.at(s) >= 1 for s in every):
        chosen = assignments(every, 1)[0]
    for e in leaves:
        if e.name in given and chosen.shape(e.shape) != np.shape(given[e.name]):
            raise InputError(
                f"example: {e.name} has the shape {np.shape(given[e.name])}; it is declared otherwise, mend one"
            )
    return chosen


def _array(e: Leaf, given: Mapping[str, Array], sizes: Assignment, s: Reals, seed: int, *, is_positive: bool) -> Array:
    if e.name in given:
        return as_array([s.number(c) for c in entries_of(given[e.name])], sizes.shape(e.shape))
    if e.facts or e.role is Role.LABELS:
        return Draw(seed, s).array(e, sizes, is_positive=is_positive)
    shape = sizes.shape(e.shape)
    random = Random(f"{e.name}{seed}")
    low = 1 if is_positive or seed % 2 else -9
    count = int(np.prod(shape, dtype=int))
    return as_array([s.number(Fraction(random.randrange(low, 20), 10)) for _ in range(count)], shape)


def _floats(a: Array) -> Array:
    return np.array([float(c) for c in entries_of(a)]).reshape(np.shape(a))
