"""Five hundred wrong steps, planted into derivations that are right: the prover refuses every one.

Each is made by one slip of the pen in one line of one backward equation (`mutations.py`), and is really wrong: NumPy in
float64 (`floats.py`, an interpreter of its own) finds another value at data that have the facts and at generic sizes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest
from chosen import problem_at
from floats import differ, program_values
from mutations import slips
from random_programs import random_program

import symgrad as sg
from symgrad.derive.proof import prove_equation
from symgrad.errors import CheckFailed

FOLDER = Path(__file__).parent / "models"
FILES = {path.stem: path for path in sorted(FOLDER.glob("p[0-9]*.py"))}
# Most models get their share; products of four matrices, or of arrays with three axes, take seconds for each wrong line.
SHARE, SLOW_SHARE = 24, 6
SLOW = {"p22_trace", "p23_general_least_squares", "p40_tensor", "p41_convolution"}
PROGRAMS = range(8)
SHARE_OF_A_PROGRAM = 6


@cache
def derivation(name):
    if isinstance(name, str):
        return problem_at(FILES[name]).derive(prove=False)
    program = random_program(name, most=4)
    return sg.Problem(program.loss, names={e.name: e for e in program.leaves} | program.names).derive(prove=False)


@cache
def planted(name, share):
    """(equation with a wrong line, place of the line, kind of the slip), `share` of them, from a seed."""
    d, random = derivation(name), Random(f"wrong steps of {name}")
    points = [program_values(d, seed) for seed in (1, 2)]
    others = [*d.leaves, *(eq.target for eq in d.forward[:-1])]
    found = [
        (eq, k, kind, wrong)
        for eq in d.backward
        for k, line in enumerate(eq.lines)
        for kind, wrong in slips(line.expression, others)
    ]
    random.shuffle(found)
    chosen = []
    for eq, k, kind, wrong in found:
        verdicts = [differ(eq.lines[k].expression, wrong, *point) for point in points]
        if None in verdicts or True not in verdicts:
            continue
        lines = tuple(replace(x, expression=wrong) if j == k else x for j, x in enumerate(eq.lines))
        chosen.append((replace(eq, lines=lines, expression=lines[-1].expression), k, kind))
        if len(chosen) == share:
            break
    return chosen


def share_of(name):
    return SHARE_OF_A_PROGRAM if isinstance(name, int) else SLOW_SHARE if name in SLOW else SHARE


NAMES = [*FILES, *PROGRAMS]


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_a_wrong_step_is_refused(name):
    believed = []
    for eq, k, kind in planted(name, share_of(name)):
        try:
            prove_equation(derivation(name), eq)
        except CheckFailed:
            continue
        believed.append(f"{eq.name}, line {k + 1}, {kind}: {eq.lines[k].expression}")
    assert believed == []


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_nothing_is_refused_where_nothing_is_planted(name):
    for eq in {eq.name: eq for eq in derivation(name).backward}.values():
        assert prove_equation(derivation(name), eq).lines


def test_there_are_five_hundred_of_many_kinds():
    found = [item for name in NAMES for item in planted(name, share_of(name))]
    assert len(found) >= 500
    assert len({kind for _, _, kind in found}) >= 14
    places = Counter("first" if k == 0 else "later" for _, k, _ in found)
    assert min(places.values()) > 100


def test_an_equation_that_does_not_end_in_its_last_line_is_refused():
    d = derivation("p01_least_squares")
    eq = d.backward[-1]
    with pytest.raises(CheckFailed, match="last line"):
        prove_equation(d, replace(eq, expression=2 * eq.expression))


def test_a_step_that_is_wrong_on_one_side_of_a_condition_only_is_refused():
    # Found by planting: three points, the same for every entry, all lay where clip(r, -δ, δ/2) is clip(r, -δ, δ).
    d = derivation("p15_huber")
    eq = next(eq for eq in d.backward if eq.name == "r")
    r, delta = eq.variable, next(e for e in d.leaves if e.name == "delta")
    assert eq.expression is sg.clip(r, -delta, delta)
    for low, high in [(-delta, delta / 2), (-delta, 2 * delta), (-delta / 2, delta), (-3 * delta, delta)]:
        wrong = sg.clip(r, low, high)
        lines = (replace(eq.lines[0], expression=wrong),)
        with pytest.raises(CheckFailed):
            prove_equation(d, replace(eq, lines=lines, expression=wrong))


def test_the_slips_keep_the_shape():
    for name in FILES:
        for eq in derivation(name).backward:
            assert {wrong.shape for _, wrong in slips(eq.expression)} <= {eq.shape}


@pytest.mark.parametrize("wrong", [lambda X, r, d: X.T @ r / (7 - d), lambda X, r, d: X.T @ r * d / 12])
def test_a_step_that_is_right_at_permuted_sizes_only_is_refused(wrong):
    # At n, d = 3, 4 and at 4, 3, n is 7 - d and n·d is 12: the second assignment is no permutation of the first.
    derived = derivation("p01_least_squares")
    eq = next(eq for eq in derived.backward if eq.name == "w")
    X, r = next(e for e in derived.leaves if e.name == "X"), derived.forward[0].target
    slipped = wrong(X, r, sg.dims("d"))
    assert slipped.shape == eq.shape
    lines = (*eq.lines[:-1], replace(eq.lines[-1], expression=slipped))
    with pytest.raises(CheckFailed):
        prove_equation(derived, replace(eq, lines=lines, expression=slipped))
