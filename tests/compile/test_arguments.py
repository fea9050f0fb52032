"""Arguments: shapes, sizes, facts and names are checked with errors of one line; types are kept."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest

import symgrad.primitives.language as sg
from symgrad.compile.function import compile_derivation
from symgrad.errors import InputError, NotFiniteWarning, ShapeError
from symgrad.graph.expression import Role, elementwise, leaf
from symgrad.graph.sizes import Size
from symgrad.problem import Problem

from effort import calls  # isort: skip
from compile.by_hand import Hand, derivation  # isort: skip
from compile.models import derived, swept  # isort: skip

n, d, k = sg.dims("n d k")
X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
lam = sg.hyperparameter("lam", Fraction(1, 4))


@pytest.fixture(scope="module")
def f():
    return compile_derivation(derived(sg.sum((y - X @ w) ** 2) / (2 * n) + lam * w @ w, model=X @ w))


GOOD = {"X": np.ones((4, 3)), "y": np.ones(4), "w": np.zeros(3)}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y": np.ones(5)}, "X has shape (4, 3), declared (n, d) with n = 5 (from y)"),
        ({"w": np.ones(2)}, "w has shape (2,), declared (d,) with d = 3 (from X)"),
        ({"w": np.ones((3, 1))}, "w has shape (3, 1), declared (d,)"),
        ({"X": 1.0}, "X has shape (), declared (n, d)"),
    ],
)
def test_a_shape_that_does_not_fit(f, changed, message):
    with pytest.raises(ShapeError) as caught:
        f(**{**GOOD, **changed})
    assert str(caught.value) == message
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"W": np.ones(3)}, "there is no argument 'W'"),
        ({"X": None}, "X holds values of type object"),
        ({"X": np.ones((4, 3)) * 1j}, "X holds values of type complex128"),
    ],
)
def test_what_is_no_argument(f, changed, message):
    with pytest.raises(InputError, match=message):
        f(**{**GOOD, **changed})
    with pytest.raises(InputError, match="X is missing; the arguments are"):
        f(y=np.ones(4), w=np.ones(3))


def test_defaults_and_what_predict_needs(f):
    assert np.isclose(f(**GOOD, lam=0.5)[0], f(**GOOD)[0])
    ones = {**GOOD, "w": np.ones(3)}
    assert np.isclose(f.value(**ones, lam=1) - f.value(**ones), 0.75 * 3)
    assert f.predict(X=GOOD["X"], w=np.ones(3)).tolist() == [3, 3, 3, 3]
    assert [a.name for a in f.arguments] == ["y", "X", "w", "lam"]
    assert [a.name for a in f.model_arguments] == ["X", "w"]
    assert str(f.signature) == "(*, y, X, w, lam=0.25)"
    with pytest.raises(InputError, match="no model"):
        compile_derivation(derived(w @ w)).predict(w=np.ones(2))


def test_whole_numbers_truth_values_and_mixed_types(f):
    value, gradients = f(X=[[1, 2, 3]] * 4, y=[True] * 4, w=[0, 0, 0])
    assert value.dtype == gradients["w"].dtype == np.float64
    single = {"X": np.ones((4, 3), np.int8), "y": np.ones(4, bool), "w": np.zeros(3, np.float32)}
    value, gradients = f(**single)
    assert value.dtype == gradients["w"].dtype == np.float32
    value, gradients = f(**{**single, "X": np.ones((4, 3))}, lam=np.float64(0.1))
    assert value.dtype == gradients["w"].dtype == np.float64
    assert f(**single, lam=np.float64(0.1))[1]["w"].dtype == np.float32


def test_what_fitted_before_is_looked_at_again(f):
    calls = [f, f.bind(X=GOOD["X"], y=GOOD["y"])]
    for call, given in zip(calls, (GOOD, {"w": GOOD["w"]}), strict=True):
        expected = call(**given)
        assert call(**{k: a.tolist() for k, a in given.items()})[0] == expected[0]
        single = call(**{k: a.astype(np.float32) for k, a in given.items()})
        assert single[1]["w"].dtype == (np.float32 if call is f else np.float64)
        assert np.array_equal(call(**{**given, "w": np.zeros(3).view(Kept)})[1]["w"], expected[1]["w"])
        assert type(call(**{**given, "w": np.zeros(3).view(Kept)})[1]["w"]) is np.ndarray
        assert call(**{**given, "w": np.zeros(3, ">f8")})[1]["w"].dtype == np.float64
        with pytest.raises(ShapeError, match="w has shape"):
            call(**{**given, "w": np.zeros(2)})
        with pytest.raises(ShapeError, match="w has shape"):
            call(**{**given, "w": np.zeros((3, 1))})
        with pytest.raises(InputError, match="w holds values of type"):
            call(**{**given, "w": np.zeros(3, complex)})
        assert call(**given)[0] == expected[0]


class Kept(np.ndarray):
    """An array that NumPy's functions give back as what it is."""


def test_shapes_that_fit_other_arguments_need_not_fit_these():
    t, v = sg.data("t", d), sg.parameter("v", n)
    f = compile_derivation(derived(sg.sum((v - y) ** 2), model=sg.outer(t, v)))
    assert f.predict(t=np.ones(3), v=np.ones(2)).shape == (3, 2)
    with pytest.raises(ShapeError, match="v has shape"):
        f(y=np.ones(3), v=np.ones(2))
    m = sg.dims("m")
    g = compile_derivation(swept(sg.sum(sg.data("u", m + 1)) * (w @ w) * m))
    assert g(u=np.ones(3), w=np.ones(2), m=2)[0] == 12
    with pytest.raises(ShapeError, match="u has shape"):
        g(u=np.ones(3), w=np.ones(2), m=3)


def test_a_call_does_little_besides_its_arithmetic(f):
    g = f.bind(X=GOOD["X"], y=GOOD["y"])
    for call, run, given in ((f, f._run, GOOD), (g, g._run, {"w": GOOD["w"], "lam": 0.25})):
        call(**given)
        body = run["value_and_gradients"]
        assert calls(lambda call=call, given=given: call(**given)) <= 9 + calls(
            lambda body=body, given=given: body(**given)
        )
        # The look at the arguments is one call, and a question for the type of each.
        looked = calls(lambda body=body, given=given: body(**given))
        listed = {k: a.tolist() if isinstance(a, np.ndarray) else a for k, a in given.items()}
        assert looked < calls(lambda body=body, listed=listed: body(**listed)) - 5


def test_names_are_refused_in_every_call(f):
    g = f.bind(X=GOOD["X"], y=GOOD["y"])
    for _ in range(2):
        assert f(**GOOD)[0] == g(w=GOOD["w"])[0]
        with pytest.raises(InputError, match="there is no argument 'v'"):
            f(**GOOD, v=1)
        with pytest.raises(InputError, match="w is missing"):
            f(X=GOOD["X"], y=GOOD["y"])
        with pytest.raises(InputError, match="X is bound"):
            g(w=GOOD["w"], X=GOOD["X"])
        with pytest.raises(InputError, match="w is missing"):
            g()
    # The name that an argument has inside a function is none of its own.
    np_ = sg.parameter("bind", d)
    inner = compile_derivation(swept(sg.sum((X @ np_ - y) ** 2))).bind(X=GOOD["X"], y=GOOD["y"])
    (inside,) = inner._module.inside.values()
    with pytest.raises(InputError, match="there is no argument"):
        inner(**{inside: GOOD["w"]})
    # An error in Python's own words is no wrong name.
    h = compile_derivation(swept(w @ w * sg.sqrt(sg.dims("m"))))
    with pytest.raises(TypeError, match="unhashable"):
        h(w=np.ones(2), m=[1])


def test_a_size_that_only_formulas_have_is_an_argument():
    m = sg.dims("m")
    g = compile_derivation(swept(w @ w * sg.sqrt(m) / m))
    assert np.isclose(g(w=np.ones(2), m=4)[0], 1)
    assert g(w=np.ones(2, np.float32), m=4)[1]["w"].dtype == np.float32
    with pytest.raises(InputError, match="m is missing"):
        g(w=np.ones(2))


def test_polynomial_and_literal_sizes_are_checked():
    u, v = sg.data("u", n + 1), sg.parameter("v", n)
    fixed = sg.data("t", 3)
    g = compile_derivation(swept(sg.sum(u) * (v @ v) + sg.sum(fixed)))
    assert g(u=np.ones(3), v=np.ones(2), t=np.ones(3))[0] == 9
    with pytest.raises(ShapeError, match=r"^u has shape \(4,\), declared \(n\+1,\) with n = 2 \(from v\)$"):
        g(u=np.ones(4), v=np.ones(2), t=np.ones(3))
    with pytest.raises(ShapeError, match=r"^t has shape \(2,\), declared \(3,\)$"):
        g(u=np.ones(3), v=np.ones(2), t=np.ones(2))


def test_facts_that_were_used_are_checked():
    one_hot = sg.data("Y", n, k, one_hot=True)
    logits = sg.parameter("Z", n, k)
    g = compile_derivation(derived(-sg.sum(one_hot * sg.log(sg.softmax(logits)))))
    smooth = np.full((2, 4), 0.25)
    assert g(Y=np.eye(4)[:2], Z=np.zeros((2, 4)))[0] > 0
    with pytest.raises(InputError, match=r"^Y is declared one_hot but is not"):
        g(Y=smooth, Z=np.zeros((2, 4)))
    assert g(Y=smooth, Z=np.zeros((2, 4)), check=False)[0] > 0
    assert g.value(Y=smooth, Z=np.zeros((2, 4)), check=False) > 0


@pytest.mark.parametrize(
    "loss",
    [
        lambda y, z, t: sg.sum(sg.named("R", y * z) ** 2),
        lambda y, z, t: sg.sum(sg.log(sg.named("v", sg.sum(y * sg.exp(z), axis=1)))),
        lambda y, z, t: sg.sum(sg.named("D", t - y) * sg.named("V", z + sg.sum(z, axis=1)[:, None])),
    ],
    ids=["its square", "the entry that it picks", "rows of a difference that sum to 0"],
)
def test_one_hot_data_are_checked_however_the_fact_is_used(loss):
    """For other numbers the gradient Y ⊙ Z of ½ Σ Y² Z² would be silently wrong."""
    y, t = (sg.data(name, n, k, one_hot=True) for name in "YT")
    problem = Problem(loss(y, sg.parameter("Z", n, k), t))
    g, true = problem.compile(), np.eye(4)[:2]
    numbers = {"Y": true, "T": true, "Z": np.arange(8.0).reshape(2, 4)}
    arrays = {e.name: numbers[e.name] for e in problem.leaves if e is not y}
    assert set(g(Y=true, **arrays)[1]) == {"Z"}
    with pytest.raises(InputError, match=r"^Y is declared one_hot but is not; pass"):
        g(Y=np.full((2, 4), 0.5), **arrays)


@pytest.mark.parametrize("mask", [lambda m: m, lambda m: sg.named("C", 1 - m)], ids=["itself", "its complement"])
def test_a_mask_is_checked_where_it_chooses_what_varies(mask):
    """np.where takes what is not 0 for true, and the derivative multiplies by it."""
    m, w = sg.data("M", n, k, binary=True), sg.parameter("W", n, k)
    numbers = {"W": np.ones((2, 4)), "M": np.full((2, 4), 0.5)}
    g = Problem(sg.sum(sg.where(mask(m), w**2, 3 * w))).compile()
    with pytest.raises(InputError, match=r"^M is declared binary but is not; pass"):
        g(**numbers)
    assert set(np.unique(g(W=numbers["W"], M=np.eye(2, 4))[1]["W"])) == {2, 3}


def test_a_mask_that_chooses_between_data_is_as_numpy_takes_it():
    m, w, x = sg.data("M", n, k, binary=True), sg.parameter("W", n, k), sg.data("X", n, k)
    g = Problem(sg.sum(sg.where(m, x, 0) * w)).compile()
    given = np.arange(8.0).reshape(2, 4)
    _, gradients = g(M=np.full((2, 4), 0.5), X=given, W=np.ones((2, 4)))
    np.testing.assert_array_equal(gradients["W"], given)


@pytest.mark.parametrize(
    ("made", "value"),
    [(lambda p: 2 * p + sg.eye(n), lambda p: 2 * p + np.eye(2)), (sg.exp, np.exp)],
    ids=["sum", "function"],
)
def test_a_matrix_that_makes_another_symmetric_is_checked(made, value):
    """S = f(P) is symmetric because P is: with another P the gradient S q would be wrong."""
    q = sg.parameter("q", n)
    s = sg.named("S", made(sg.data("P", n, n, symmetric=True)))
    g = Problem(q @ s @ q / 2 + sg.sum(s)).compile()
    p = np.array([[0.0, 1], [1, 3]])
    np.testing.assert_allclose(g(P=p, q=np.ones(2))[1]["q"], value(p) @ np.ones(2))
    with pytest.raises(InputError, match=r"^P is declared symmetric but is not"):
        g(P=np.triu(p), q=np.ones(2))


def test_a_fact_of_an_intermediate_is_checked_where_it_is_computed():
    a = sg.data("A", n, n)
    q = sg.parameter("q", n)
    hand = Hand()
    s = hand("S", a @ a.T + a, facts=["symmetric"])
    hand("L", q @ s @ q)
    g = compile_derivation(derivation(hand, {"q": 2 * s @ q}, facts=[("symmetric", s)]))
    assert g(A=np.eye(2), q=np.ones(2))[0] == 4
    with pytest.raises(InputError, match=r"^S is declared symmetric"):
        g(A=np.array([[0.0, 1], [0, 0]]), q=np.ones(2))


def test_labels_are_whole_numbers_in_range():
    c = sg.labels("c", n, k)
    p = sg.parameter("v", k)
    g = compile_derivation(swept(sg.sum(elementwise("equal", c[:, None], p[None, :]) * p[None, :])))
    value, gradients = g(c=[0, 1, 1], v=np.array([0.0, 1.0], np.float32))
    assert (value, gradients["v"].tolist()) == (2, [1, 2])
    assert value.dtype == np.float32
    for wrong in ([0, 1, 2], [0, 1, -1], [0, 1, 0.5], [0, 1, np.nan]):
        with pytest.raises(InputError, match=r"^c holds a value that is no label"):
            g(c=wrong, v=np.zeros(2))


def test_a_singular_matrix_is_the_users_error():
    m = sg.parameter("M", n, n)
    a = sg.data("a", n)
    with pytest.raises(InputError, match=r"inv\(M\) in \(1\) does not exist \(singular matrix\)"):
        compile_derivation(swept(a @ sg.inv(m) @ a))(M=np.zeros((2, 2)), a=np.ones(2))


HOSTILE = ["np", "float", "softmax", "value", "value_and_gradients", "check", "sizes", "arrays", "sigmoid", "n_2", "L"]


@pytest.mark.parametrize("name", HOSTILE)
def test_an_argument_may_have_any_name(name):
    z, t = sg.parameter(name, n, k), sg.data("t", n, k)
    loss = sg.sum(sg.log(sg.softmax(z)) * t) / n + sg.sum(sg.sigmoid(z)) * lam
    g = compile_derivation(swept(loss, model=sg.softmax(z) * n))
    expected = compile_derivation(swept(sg.sum(sg.log(sg.softmax(w2)) * t) / n + sg.sum(sg.sigmoid(w2)) * lam))
    array = np.arange(6.0).reshape(2, 3)
    value, gradients = g(**{name: array, "t": array, "lam": 2})
    other, theirs = expected(w2=array, t=array, lam=2)
    assert value == other
    assert np.array_equal(gradients[name], theirs["w2"])
    assert np.allclose(g.predict(**{name: array}).sum(), 4)


w2 = sg.parameter("w2", n, k)


@pytest.mark.parametrize(
    "name", ["1; import os", "x = open('/tmp/hostile', 'w')", "for", '"""', "é\n", "", "np", "_arrays", "ﬁ", "a'b", "X"]
)
def test_an_intermediate_may_have_any_name(name):
    hand = Hand()
    r = hand(name, X @ w - y)
    hand("L", r @ r)
    g = compile_derivation(derivation(hand))
    assert g(**GOOD)[0] == 4


@pytest.mark.parametrize("name", ["1; import os", "for", "_x", "a b", ""])
def test_an_argument_that_is_no_name_is_refused(name):
    bad = leaf(name, (Size.symbol("n"),), Role.PARAMETER)
    with pytest.raises(InputError, match="cannot name an argument"):
        compile_derivation(swept(bad @ bad))


def test_names_that_python_reads_as_one_are_refused():
    one, other = leaf("ﬁ", (), Role.PARAMETER), leaf("fi", (), Role.PARAMETER)
    with pytest.raises(InputError, match="two arguments are called fi"):
        compile_derivation(swept(one * other))


def test_calls_are_alike_from_the_first_on():
    # From the second on names are passed once: what is right and what is wrong stays the same.
    f = compile_derivation(derived(sg.sum(sg.log(w)) * sg.sum(y) / n + lam * w @ w + sg.sum(X)))
    g = f.bind(X=GOOD["X"], y=GOOD["y"])
    whole, rest = {**GOOD, "w": np.ones(3)}, {"w": np.ones(3)}
    for made, good in ((f, whole), (g, rest)):
        value, gradients = made(**good)
        for other in ({}, {"lam": 0.25}, {"w": [1, 1, 1]}, {"w": np.ones(3, np.float32)}):
            assert np.isclose(made(**{**good, **other})[0], value, rtol=1e-6)
        assert np.isclose(made(**good, lam=1.25)[0] - value, 3)
        assert made(**good)[1]["w"] is not gradients["w"]
        with pytest.raises(InputError, match="no argument 'v'"):
            made(**good, v=1)
        with pytest.raises(InputError, match="w is missing"):
            made(**{name: a for name, a in good.items() if name != "w"})
        with pytest.raises(ShapeError, match="w has shape") as caught:
            made(**{**good, "w": np.ones((3, 1))})
        assert caught.value.__context__ is caught.value.__cause__
        assert caught.value.__cause__.__context__ is None
        with pytest.raises(TypeError, match=rf"{type(made).__name__}.__call__\(\) takes 1 positional"):
            made(*good.values())
        copied = pickle.loads(pickle.dumps(made))
        assert copied(**good)[0] == copied(**good)[0] == value


def test_what_is_not_finite_is_told_at_the_line_of_the_call():
    for is_bound in (False, True):
        made = compile_derivation(derived(sg.sum(sg.log(w) * w) + sg.sum(y)))
        good = {"y": np.ones(4), "w": np.ones(3)}
        if is_bound:
            made = made.bind(y=good.pop("y"))
        bad = {**good, "w": np.array([1.0, -1, 1])}
        for _ in range(2):
            with pytest.warns(NotFiniteWarning, match="logarithm needs a positive") as caught:
                made(**bad)
            assert [w.filename for w in caught] == [__file__]
            with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="logarithm"):
                made(**bad)
            with np.errstate(all="ignore"):
                assert np.isnan(made(**bad)[0])
            assert np.isfinite(made(**good)[0])
