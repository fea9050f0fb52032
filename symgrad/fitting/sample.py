"""Small random arrays with the declared shapes and facts, at which a loss has a value: for checks and examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from symgrad.compile.function import Compiled
from symgrad.derive.samples import Draw, assignments, positive_leaves, sizes_in
from symgrad.errors import InputError
from symgrad.evaluate import Assignment
from symgrad.fields import Reals
from symgrad.fitting.binding import examples_of
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf, Role
from symgrad.graph.walk import postorder

Array = Any
EXAMPLES = 30
MOST_ENTRIES = 100_000
MOST_DRAWN = 40
DIGITS = 20


def sample_of(roots: Sequence[Expr], f: Compiled, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
    """An array for each leaf, numbers for hyperparameters without a default; the loss f is finite there.

    They come in the order of f's arguments. Sizes that are not given are small and distinct, the number of examples is 30
    where that fits.
    """
    leaves = [e for e in postorder(roots) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    chosen = _sizes(roots, leaves, sizes)
    positive = positive_leaves(roots)
    wanted = {a.name: a for a in f.arguments if a.default is None}
    free = [e for e in leaves if e.name in wanted]
    untold = {name: chosen.names[name] for name, a in wanted.items() if a.role == "size"}
    for k in range(MOST_DRAWN):
        drawn = {e.name: _drawn(e, chosen, f"{e.name} {seed} {k}", is_positive=e in positive) for e in free}
        arrays = {**drawn, **untold}
        if _is_finite(f, arrays):
            return {name: arrays[name] for name in wanted}
    raise InputError("no random arrays were found at which the loss is finite; give arrays of your own")


def _sizes(roots: Sequence[Expr], leaves: Sequence[Leaf], given: Mapping[str, int]) -> Assignment:
    every = sizes_in(roots)
    small = assignments(every, 1)[0].names
    unknown = [name for name in given if name not in small]
    if unknown:
        raise InputError(f"there is no size {unknown[0]}; the sizes are {', '.join(small) or 'none'}")
    names = {**small, **given}
    examples = examples_of(leaves)
    if examples is not None and examples not in given:
        larger = Assignment({**names, examples: EXAMPLES})
        fits = all(larger.at(s) >= 1 for s in every)
        if fits and max(prod(larger.shape(e.shape)) for e in leaves) <= MOST_ENTRIES:
            names = dict(larger.names)
    found = Assignment(names)
    wrong = [s for s in every if found.at(s) < 1]
    if wrong:
        raise InputError(f"at these sizes {wrong[0]} is {found.at(wrong[0])}; give sizes that make it at least 1")
    return found


def _drawn(e: Leaf, sizes: Assignment, seed: str, *, is_positive: bool) -> Array:
    drawn = Draw(seed, Reals(DIGITS)).array(e, sizes, is_positive=is_positive)
    kind = int if e.role is Role.LABELS else float
    return np.array([kind(x) for x in np.ravel(drawn)], dtype=kind).reshape(np.shape(drawn))


def _is_finite(f: Compiled, arrays: Mapping[str, Array]) -> bool:
    with np.errstate(all="ignore"):
        try:
            value, gradients = f(**arrays)
        except InputError as e:
            if isinstance(e.__cause__, np.linalg.LinAlgError):
                return False
            raise
    return bool(np.isfinite(value) and all(np.isfinite(g).all() for g in gradients.values()))
