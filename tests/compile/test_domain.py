"""Outside a domain: the formula, its equation, the entry and its value are named; inside it nothing is said."""

from __future__ import annotations

import pickle
import warnings
from fractions import Fraction

import numpy as np
import pytest
from random_programs import SIZES, arrays_of, random_program

import symgrad as sg
from symgrad.compile.function import compile_derivation
from symgrad.derive.engine import derive
from symgrad.errors import InputError, NotFiniteWarning, ShapeError, SymgradError
from symgrad.graph.expression import elementwise
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

n, d, k = sg.dims("n d k")
X, y, A = sg.data("X", n, d), sg.data("y", n), sg.parameter("A", n, d)
w, x, t, K = sg.parameter("w", d), sg.parameter("x", n), sg.parameter("t"), sg.parameter("K", n, n)
Z = np.array([1.0, -2.0, 0.5])


def compiled(loss, **names):
    return compile_derivation(derive(loss, names={e: name for name, e in names.items()}))


def warned(f, **arrays):
    """The value, the gradients and the one warning."""
    with pytest.warns(NotFiniteWarning) as found:
        value, gradients = f(**arrays)
    assert len(found) == 1
    assert found[0].filename == __file__
    text = str(found[0].message)
    assert text == str(f.diagnose(**arrays))
    assert "\n" not in text
    return value, gradients, text


# ---- every entry that states a domain

# For each family of entries an operand outside the domain at one known entry, and the operand that messages show.
OUTSIDE = {
    "log": ((2.0, -0.25), (2.0, 0.0)),
    "power": ((2.0, -0.25), (2.0, 0.0)),
    "power_of": ((2.0, -0.25),),
}
# The entries that take square matrices; along an axis the domain is the derivative's.
MATRICES = [name for name, entry in PRIMITIVES.items() if entry.domain is not None and "axis" not in entry.options]
BAD_MATRICES = {
    "logdet": np.array([[0.0, 1.0], [1.0, 0.0]]),
    None: np.array([[1.0, 2.0], [2.0, 4.0]]),
}


@pytest.mark.parametrize("name", [name for name, entry in FUNCTIONS.items() if entry.domain is not None])
def test_each_function_with_a_domain(name):
    entry = FUNCTIONS[name]
    assert name in OUTSIDE, f"{name} states a domain; add an operand outside it"
    for good, bad in OUTSIDE[name]:
        exponents = [Fraction(-1, 2)] if entry.is_family else [None]
        p = X @ w
        rest = [sg.data(f"r{j}", n) for j in range(entry.arity - 1)]
        for exponent in exponents:
            q = elementwise(name, p, *rest, parameter=exponent)
            f = compiled(sg.mean(sg.tanh(q) ** 2) + sg.sum(q), p=p, q=q)
            arrays = {"X": np.eye(4)[:, :2] + [[0, 1]], "w": np.array([good - 2 * bad, bad])}
            arrays["X"] = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0], [1.0, 2.0]])
            arrays |= {e.name: np.full(4, 0.5) for e in rest}
            value, gradients, text = warned(f, **arrays)
            assert not np.isfinite([value, *gradients["w"]]).all()
            found = f.diagnose(**arrays)
            assert f" in ({found.label})" in text
            # q is (2): p = X @ w is (1). Sums of powers may be written as quotients, by what is under the root.
            assert found.label == 2
            assert found.row("n") == 2
            assert text.split("; ")[1] == entry.domain.en[0].lower() + entry.domain.en[1:].rstrip(".")
            shown = found.entries[0]
            assert shown.place == (2,)
            assert shown.value == (bad if shown.name == "p" else bad**0.5)


@pytest.mark.parametrize("name", MATRICES)
def test_each_primitive_with_a_domain(name):
    entry = PRIMITIVES[name]
    B = sg.data("B", n, n)
    M = K + B
    q = entry(M, *[sg.data(f"r{j}", n) for j in range(entry.arity - 1)])
    f = compiled(sg.sum(q), M=M, q=q)
    bad = BAD_MATRICES.get(name, BAD_MATRICES[None])
    arrays = {"K": bad - 1, "B": np.ones((2, 2))} | {f"r{j}": np.ones(2) for j in range(entry.arity - 1)}
    text = str(f.diagnose(**arrays))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            f(**arrays)
        except InputError as error:
            said.append(error)
    assert [str(getattr(one, "message", one)) for one in said] == [text]
    assert "(2)" in text or "(3)" in text
    assert "(M" in text
    assert f"M has determinant {np.linalg.det(bad):.6g} and eigenvalues from" in text
    assert text.endswith(entry.domain.en[0].lower() + entry.domain.en[1:].rstrip(".")) or "invertible" in text
    good = arrays | {"K": np.eye(2)}
    assert f.diagnose(**good) is None


# ---- what the message says


def test_the_first_of_several_rows_and_how_many():
    p = X @ w
    f = compiled(-sg.mean(y * sg.log(p)), p=p)
    design = np.array([[1.0, 0], [0, 1], [1, 0], [0, 2]])
    *_, text = warned(f, X=design, y=np.ones(4), w=np.array([1.0, -0.03]))
    expected = "log(p) in (2) is not a number: p[1] = -0.03 (and 1 more); the logarithm needs a positive argument"
    assert text == expected


def test_a_matrix_entry_has_row_and_column():
    f = compiled(sg.sum(sg.log(A)))
    a = np.ones((20, 3))
    a[17, 2] = 0
    *_, text = warned(f, A=a)
    assert text == "log(A) in (1) is -inf: A[17, 2] = 0; the logarithm needs a positive argument"
    assert (f.diagnose(A=a).row("n"), f.diagnose(A=a).row("d"), f.diagnose(A=a).row("k")) == (17, 2, None)


def test_a_division_is_quoted_whole():
    for loss in (sg.sum(y / x), sg.sum(y / (x * x)), sg.sum(y / x**3)):
        *_, text = warned(compiled(loss), x=np.array([1.0, 0.0, 2.0]), y=Z)
        assert text.startswith("y / ")
        assert "a divisor must not be 0" in text


def test_a_gradient_alone_that_is_infinite():
    # sqrt is 0 at 0, its slope is not finite there: the loss is fine, the gradient's line is named.
    f = compiled(sg.sum(sg.sqrt(x)))
    value, gradients, text = warned(f, x=np.array([4.0, 0.0]))
    assert (value, gradients["x"].tolist()) == (2.0, [0.25, np.inf])
    assert text.startswith("1 / sqrt(x) in (2) is inf: ")


def test_a_root_at_0_and_the_norm_that_has_a_convention():
    *_, text = warned(compiled(sg.sqrt(sg.sum(x**4))), x=np.zeros(2))
    assert text.startswith("x**3 / sqrt(u) in (3) is inf: sqrt(u) = 0; a divisor must not be 0")
    for norm in (sg.norm(x), sg.sqrt(sg.sum(x**2))):
        _, gradients = compiled(norm)(x=np.zeros(2))
        assert gradients["x"].tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_overflow(dtype):
    f = compiled(sg.sum(sg.exp(x) * y))
    big = np.array([1, 1000, 2], dtype)
    *_, text = warned(f, x=big, y=np.ones(3, dtype))
    largest = f"{np.finfo(dtype).max:.2g}"
    assert text == f"exp(x) in (1) is inf: x[1] = 1000; {dtype.__name__} holds no number beyond {largest}"
    *_, text = warned(compiled(sg.sum((X @ w) ** 2)), X=np.full((2, 2), 1e200), w=np.ones(2))
    assert "float64 holds no number beyond" in text


def test_not_a_number_among_the_arguments():
    f = compiled(sg.mean(sg.tanh(X @ w) ** 2))
    bad = np.ones((5, 3))
    bad[3, 1] = np.nan
    *_, text = warned(f, X=bad, w=np.ones(3))
    assert text == "X[3, 1] is not a number; fill it in, or leave its row out"
    bad[0, 2] = -np.inf
    assert str(f.diagnose(X=bad, w=np.zeros(3))) == "X[0, 2] is -inf (and 1 more); fill it in, or leave its row out"
    assert str(f.diagnose(X=np.ones((5, 3)), w=np.array([1, np.nan, 1]))) == "w[1] is not a number; pass finite numbers"


def test_what_is_stable_is_not_blamed():
    # As it is written softmax underflows and log 0 is -inf; what is compiled is log_softmax. The culprit is the other.
    W = sg.parameter("W", n, d)
    P = sg.softmax(W)
    f = compiled(-sg.sum(sg.log(P)) + sg.sum(sg.log(x)), P=P)
    *_, text = warned(f, W=np.array([[0.0, 1e4], [1e4, 0.0]]), x=np.array([1.0, -1.0]))
    assert text.startswith("log(x) in (2) is not a number: x[1] = -1")


def test_what_only_the_code_computes_is_told_in_the_pages_words():
    f = compiled(sg.sum(sg.log(sg.broadcast_to(t, n)) * y))
    *_, text = warned(f, t=-1.0, y=Z)
    assert text == "log(t) in (1) is not a number: t = -1; the logarithm needs a positive argument"
    # In the code the argument of the logarithm is where(x > 0, x - 1, 1).
    *_, text = warned(compiled(sg.sum(sg.where(x > 0, sg.log(x - 1), 0))), x=np.array([-3.0, 2.0, 0.5]))
    assert text == "log(x - 1) in (1) is not a number: (x - 1)[2] = -0.5; the logarithm needs a positive argument"
    *_, text = warned(compiled(sg.sum(sg.where(y > 0, y / x, 0))), x=np.array([0.0, 0.0]), y=np.array([0.0, 1.0]))
    assert text.startswith("y / x in (1) is inf: x[1] = 0; a divisor must not be 0")
    # log(1 + e^u) with its weight: products are made by rules, and stand in the smallest formula that holds them.
    found = compiled(sg.sum(sg.where(x > 0, y * sg.exp(x) * x, 0))).diagnose(x=np.array([1.0, 900.0]), y=np.ones(2))
    assert (found.formula, found.label, found.row("n")) == ("exp(x)", 1, 1)


def test_a_branch_that_is_not_taken_is_not_blamed():
    loss = sg.sum(sg.where(x > 0, x * sg.log(x), 0))
    value, gradients = compiled(loss)(x=np.array([1.0, 0.0, -1.0]))
    assert value == 0
    assert gradients["x"].tolist() == [1, 0, 0]
    # log w is not finite at 0, where it is not taken; what is blamed is the other place of the same array.
    masked = sg.where(y > 0, sg.cos(sg.log(sg.abs(x))), 0) + sg.log(x + 1)
    found = compiled(sg.sum(masked)).diagnose(x=np.array([0.0, -2.0]), y=np.array([0.0, 1.0]))
    assert found.formula == "log(1 + x)" or found.formula == "log(x + 1)"
    assert found.entries[0].place == (1,)


def test_predict_is_watched_too():
    f = compile_derivation(derive(sg.mean((sg.log(X @ w) - y) ** 2), model=sg.log(X @ w)))
    with pytest.warns(NotFiniteWarning, match=r"log\(.*\).* is not a number: .*\[1\] = -1; the logarithm needs"):
        result = f.predict(X=np.array([[1.0], [-1.0]]), w=np.ones(1))
    assert np.isnan(result[1])
    with pytest.warns(NotFiniteWarning, match="is not a number"):
        assert np.isnan(f.value(X=np.array([[1.0], [-1.0]]), w=np.ones(1), y=np.ones(2)))


# ---- manners


def test_numpys_error_state_decides():
    f = compiled(sg.sum(sg.log(x)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="ignore"):
            value, _ = f(x=Z)
        assert np.isnan(value)
        with np.errstate(all="raise"), pytest.raises(FloatingPointError, match=r"x\[1\] = -2"):
            f(x=Z)
        assert issubclass(NotFiniteWarning, RuntimeWarning)


def test_a_singular_matrix_inside_a_solver_is_found_without_a_diagnosis():
    f = compiled(sg.sum(sg.inv(K)))
    with np.errstate(all="ignore"), pytest.raises(InputError, match="has to be invertible") as error:
        f(K=np.zeros((2, 2)))
    assert isinstance(error.value.__cause__, np.linalg.LinAlgError)


def test_shapes_and_missing_arguments_come_first():
    f = compiled(sg.sum(sg.log(X @ w)))
    with pytest.raises(ShapeError, match=r"w has shape \(2,\), declared \(d,\) with d = 3 \(from X\)"):
        f.diagnose(X=-np.ones((2, 3)), w=np.ones(2))
    with pytest.raises(InputError, match="w is missing"):
        f.diagnose(X=-np.ones((2, 3)))


def test_a_pickled_function_still_knows():
    p = X @ w
    f = compile_derivation(derive(sg.sum(sg.log(p)), names={p: "p"}, model=p))
    arrays = {"X": np.array([[1.0], [-1.0]]), "w": np.ones(1)}
    g = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(f))))
    assert str(g.diagnose(**arrays)) == str(f.diagnose(**arrays))
    assert warned(g, **arrays)[2].startswith("log(p) in (2) is not a number: p[1] = -1")


def test_a_deep_program_pickles():
    e = x
    for _ in range(400):
        e = sg.sin(e) + x
    f = pickle.loads(pickle.dumps(compiled(sg.sum(sg.log(e)))))
    assert f.diagnose(x=np.array([-3.0])).what.en == "is not a number"


def test_names_that_the_trace_uses_itself():
    seen, trace = sg.parameter("seen", n), sg.data("trace", n)
    f = compiled(sg.sum(sg.log(seen * trace)))
    found = f.diagnose(seen=np.ones(2), trace=np.array([1.0, -1.0]))
    assert str(found).startswith("log(")
    assert found.row("n") == 1


# ---- inside the domain

SEEDS = range(100)


def test_no_false_alarm_on_random_programs():
    """A finite result warns of nothing, and the trace finds every value finite; one array with a NaN is found."""
    told = 0
    for seed in SEEDS:
        program = random_program(seed)
        try:
            f = compile_derivation(derive(program.loss, names={e: name for name, e in program.names.items()}))
        except SymgradError:
            continue
        known = {**SIZES, **arrays_of(program.leaves, seed)}
        arrays = {a.name: known[a.name] for a in f.arguments}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value, gradients = f(**arrays)
        assert np.isfinite(value)
        assert all(np.isfinite(g).all() for g in gradients.values())
        assert f.diagnose(**arrays) is None
        name = next((a.name for a in f.arguments if a.role == "parameter" and a.shape), None)
        if name is None or "check" in f.signature.parameters:
            continue
        bad = arrays | {
            name: np.where(np.arange(arrays[name].size).reshape(arrays[name].shape) == 1, np.nan, arrays[name])
        }
        with np.errstate(all="ignore"):
            value, _ = f(**bad)
        if np.isnan(value):
            told += 1
            assert str(f.diagnose(**bad)).startswith(f"{name}[")
    assert told > 60
