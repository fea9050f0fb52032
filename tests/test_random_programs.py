"""Random programs: the compiled gradients and Hessians against JAX's, which reads the same graph in its own way.

The ordinary run takes the first 200 of the 2,000 seeds; `SYMGRAD_SEEDS=2000 pytest tests/test_random_programs.py` all.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter

import numpy as np
import pytest
import sympy
from random_programs import SIZES, Jax, arrays_of, random_program

import symgrad as sg
from symgrad.compile.function import compile_derivation
from symgrad.derive.derivation import Verdict
from symgrad.derive.pairing import gradients_of, pair
from symgrad.errors import InputError
from symgrad.graph.expression import elementwise
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

# Each program is run once: XLA need not spend its time on making it fast.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")
EVERY = 2000
SEEDS = range(int(os.environ.get("SYMGRAD_SEEDS", "200")))
PROVED = range(20)
TOLERANCE = 1e-9
# Programs below this many nodes have their Hessian compared.
MOST_NODES = 30
_t = sympy.Symbol("t", real=True)


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax", reason="JAX is the outside oracle; install symgrad[oracle]")
    jax.config.update("jax_enable_x64", True)
    return Jax()


def problem_of(program):
    return sg.Problem(program.loss, names={**{e.name: e for e in program.leaves}, **program.names})


def assert_close(ours, theirs, scale, what):
    assert np.shape(ours) == np.shape(theirs), what
    assert np.all(np.isfinite(theirs)), f"{what}: the point is outside the domain, mend the generator"
    error = np.abs(np.asarray(ours) - theirs).max(initial=0)
    assert error <= TOLERANCE * max(scale, np.abs(theirs).max(initial=0)), f"{what}: {ours} is not {theirs}"


def called(f, arrays):
    """A compiled function at arrays by name; an overflow or a NaN on the way is a defect, too."""
    sizes = {a.name: SIZES[a.name] for a in f.arguments if a.role == "size"}  # those that no array tells
    known = {a.name for a in f.arguments}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return f(**{name: a for name, a in arrays.items() if name in known}, **sizes)


def check_gradients(f, parameters, arrays, expected, theirs):
    value, gradients = called(f, arrays)
    assert_close(value, np.asarray(expected), 1, "the value")
    assert list(gradients) == parameters
    found = {name: np.asarray(theirs[name]) for name in parameters}
    # What cancels to nothing is compared with the largest gradient.
    scale = max(np.abs(g).max(initial=0) for g in found.values())
    for name, g in gradients.items():
        assert_close(g, found[name], scale * 1e-3, f"∂L/∂{name}")


def random_directions(arrays, names, seed):
    """A direction for each parameter: another Hessian would give another vector H v, but by chance 0."""
    random = np.random.default_rng(seed)
    return {name: random.normal(size=np.shape(arrays[name])) for name in names}


def check_hessian(derivation, arrays, moved, theirs):
    """The Hessian times the directions."""
    parameters = derivation.parameters
    values = gradients_of(derivation, parameters)
    pairing = pair(values.arrays, values.names, parameters, is_proved=False)
    directions = {v.name: moved[p.name] for p, v in zip(parameters, pairing.directions, strict=True)}
    _, product = called(compile_derivation(pairing.derivation), {**arrays, **directions})
    # Of a Hessian that is 0 rounding may leave a little.
    scale = max(1, *(np.abs(np.asarray(block)).max(initial=0) for block in theirs.values()))
    for p in parameters:
        assert_close(product[p.name], np.asarray(theirs[p.name]), scale * 1e-3, f"H v of {p.name}")


def check_bound(f, arrays):
    """With its data bound the function is the same."""
    data = {a.name: arrays[a.name] for a in f.arguments if a.role in ("data", "labels")}
    expected, gradients = called(f, arrays)
    value, found = called(f.bind(**data), {name: a for name, a in arrays.items() if name not in data})
    assert_close(value, expected, 1, "the bound value")
    scale = max(np.abs(g).max(initial=0) for g in gradients.values())
    for name, g in gradients.items():
        assert_close(found[name], g, scale * 1e-3, f"the bound ∂L/∂{name}")


@pytest.mark.parametrize("seed", SEEDS)
def test_compiled_derivatives_agree_with_jax(jax, seed):
    program = random_program(seed)
    problem = problem_of(program)
    derivation = problem.derive(prove=False)
    arrays = arrays_of(program.leaves, seed)
    names = [p.name for p in derivation.parameters]
    f = problem.compile(prove=False)
    if len(postorder([program.loss])) < MOST_NODES:
        moved = random_directions(arrays, names, seed)
        value, gradients, products = jax.gradients_and_products(program.loss, names)(arrays, moved)
        check_hessian(derivation, arrays, moved, products)
    else:
        value, gradients = jax.gradients(program.loss, names)(arrays)
    check_gradients(f, names, arrays, value, gradients)
    check_bound(f, arrays)


@pytest.mark.parametrize("seed", PROVED)
def test_random_programs_are_proved(seed):
    derivation = problem_of(random_program(seed, most=5)).derive()
    assert derivation.end_to_end.largest_error < 1e-20
    for eq in derivation.backward:
        assert eq.proof.verdict in (Verdict.PROVED, Verdict.VERIFIED)


def test_the_programs_hold_the_whole_language():
    programs = [random_program(seed) for seed in SEEDS]
    nodes = [e for p in programs for e in postorder([p.loss])]
    functions = Counter(e.function for e in nodes if e.kind == "elementwise")
    primitives = Counter(e.primitive for e in nodes if e.kind == "apply")
    assert {name: count for name, count in functions.items() if count < 5} == {}
    assert set(functions) == set(FUNCTIONS)
    assert {name: count for name, count in primitives.items() if count < 3} == {}
    assert set(primitives) == set(PRIMITIVES)
    shared = [
        p for p in programs if any(c > 1 for c in Counter(x for e in postorder([p.loss]) for x in e.children).values())
    ]
    assert len(shared) > 150
    assert sum(bool(p.names) for p in programs) > 150
    assert len({p.loss.digest for p in programs}) == len(programs), "every seed is a program of its own"


# Found by longer runs of the generator, each the smallest program of its kind.


def test_a_named_condition_may_choose_between_branches():
    # The proof once took the condition's name for any number; it is 0 or 1, as its definition says.
    x, u = sg.parameter("x", sg.dims("n")), sg.parameter("u", sg.dims("n"))
    mask = x > u
    problem = sg.Problem(sg.sum(sg.where(mask, x * u, x**2)), names={"mask": mask})
    assert [eq.proof.verdict for eq in problem.derive().backward] == [Verdict.PROVED] * 4


def test_a_condition_that_is_data_is_proved_by_its_fact_and_refused_without():
    n = sg.dims("n")
    x = sg.parameter("x", n)

    def loss(**facts):
        return sg.Problem(sg.sum(sg.where(sg.data("m", n, **facts), x**2, x)))

    assert {eq.proof.verdict for eq in loss(binary=True).derive().backward} == {Verdict.PROVED}
    # The derivative m by the first branch is wrong where m is 2: without the fact the condition is refused at its line.
    with pytest.raises(InputError, match="binary=True"):
        loss()


def test_a_minus_sign_stands_before_no_truth_value():
    # `-v / u` with a boolean array v is an error in NumPy.
    x, s = sg.parameter("x", sg.dims("n")), sg.parameter("s")
    v = x > s
    problem = sg.Problem(sg.sum(x * (-v / (2 + sg.sin(x)))), names={"v": v})
    value, _ = problem.compile(prove=False)(x=np.array([1.0, -1.0]), s=0.0)
    np.testing.assert_allclose(value, -1 / (2 + np.sin(1.0)))


@pytest.mark.parametrize("body", [_t / (1 + _t**2), sympy.Integer(3)])
def test_a_function_given_in_sympy_takes_a_plain_number(body):
    # A hyperparameter is a Python float in compiled code, and has neither dtype nor shape.
    lam, s = sg.hyperparameter("lam", 0.5), sg.parameter("s", sg.dims("n"))
    e = elementwise("scalar", lam, parameter=sympy.Lambda((_t,), body))
    f = sg.Problem(sg.sum(s * e)).compile(prove=False)
    expected = float(body.subs(_t, sympy.Rational(1, 2)))
    value, gradients = f(s=np.array([2.0], dtype=np.float32), lam=0.5)
    assert value.dtype == gradients["s"].dtype == np.float32
    np.testing.assert_allclose(gradients["s"], [expected], rtol=1e-6)


def test_powers_of_e_with_fractions_are_proved():
    # e^(3/10) and e^(3/5) once were two unrelated numbers to the proof.
    z = sg.parameter("z", sg.dims("n"))
    problem = sg.Problem(sg.sum(sg.data("t", sg.dims("n")) * sg.softmax(z / 2 + 0.3)))
    assert {eq.proof.verdict for eq in problem.derive().backward} == {Verdict.PROVED}


def test_a_steep_loss_is_not_refused_for_the_error_of_differences():
    # The third derivative is some 10¹⁶: a coarser step than 10⁻²⁰ took the truncation for a wrong gradient.
    x = sg.parameter("x", sg.dims("n"))
    derivation = sg.Problem(sg.sum(sg.sin(250000 * x**2))).derive()
    assert derivation.end_to_end.largest_error < 1e-20
