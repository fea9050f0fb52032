"""From a table to a fitted model in one call, against what NumPy computes by other ways."""

import json
import math
import pickle
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg
from symgrad.compile.domain_sentences import EXAMPLE
from symgrad.errors import InputError, ShapeError
from symgrad.fitting.endings import ending
from symgrad.fitting.export import as_json, as_npz, save
from symgrad.optimize import Cause, Curvature, Diagnosis, Remedy, Stop
from symgrad.problem import Problem, load
from symgrad.tables import read_table, split

EXAMPLES = Path(__file__).parents[2] / "examples"
BOSTON, CANCER, DIGITS = (EXAMPLES / "data" / f"{name}.csv" for name in ("boston", "breast_cancer", "digits"))

n, d, k = sg.dims("n d k")
X, y, w, b = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d), sg.parameter("b")


def linear(**options):
    """Least squares with a bias, as one problem for many tests."""
    model = X @ w + b
    return Problem(sg.sum((model - y) ** 2) / (2 * n), model=model, **options)


def houses():
    table = read_table(BOSTON)
    return table.numbers("CRIM:LSTAT"), table.column("MEDV")


def some(rows=30, columns=3, seed=0):
    draw = np.random.RandomState(seed)
    x = draw.standard_normal((rows, columns))
    return x, x @ [1.0, -2.0, 0.5] + 3 + 0.1 * draw.standard_normal(rows)


@pytest.fixture(scope="module")
def boston():
    return load(str(EXAMPLES / "linear_regression.py")).fit(
        str(BOSTON), bind={"X": "CRIM:LSTAT", "y": "MEDV"}, standardize=True, test_fraction=0.2
    )


@pytest.fixture(scope="module")
def ols():
    x, target = houses()
    train, test = split(len(x), test_fraction=0.2, seed=0)
    solution, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))])[train], target[train], rcond=None)
    residual = x[test] @ solution[:-1] + solution[-1] - target[test]
    return solution, residual, target[test]


def test_boston_reaches_least_squares(boston, ols):
    _, residual, target = ols
    assert boston.is_converged
    assert boston.test["mse"] == pytest.approx(np.mean(residual**2), rel=1e-5)  # asked for: 0.5 %
    assert boston.test["mae"] == pytest.approx(np.mean(abs(residual)), rel=1e-5)
    assert boston.test["r2"] == pytest.approx(1 - np.mean(residual**2) / np.var(target), rel=1e-5)
    assert (boston.train_rows, boston.test_rows) == (404, 102)


def test_boston_in_original_units_is_least_squares(boston, ols):
    both = np.append(boston.original_units["w"], boston.original_units["b"])
    # The smallest coefficient is 3e-4 of the largest, and descent stops where the gradient is small.
    np.testing.assert_allclose(both, ols[0], rtol=1e-4, atol=1e-6)


def test_predict_takes_data_in_their_own_units(boston):
    x, _ = houses()
    expected = x @ boston.original_units["w"] + boston.original_units["b"]
    np.testing.assert_allclose(boston.predict(X=x), expected, rtol=1e-9)
    with pytest.raises(InputError, match="predict takes X by name"):
        boston.predict(x=x)


def test_breast_cancer_is_classified():
    result = load(str(EXAMPLES / "logistic_regression.py")).fit(
        str(CANCER),
        bind={"X": "mean_radius:worst_fractal_dimension", "y": "diagnosis"},
        standardize=True,
        test_fraction=0.2,
        max_iterations=100,
    )
    assert result.classes == {"y": ("benign", "malignant")}
    assert result.test["accuracy"] > 0.95
    # The loss of this file is the mean log-loss itself.
    assert result.test["log_loss"] == pytest.approx(result.test["loss"], rel=1e-9)
    assert all(later.loss < earlier.loss for earlier, later in zip(result.history, result.history[1:], strict=False))


def test_digits_are_classified_by_the_two_layer_net():
    result = load(str(EXAMPLES / "two_layer_net.py")).fit(
        str(DIGITS),
        bind={"X": "pixel_0_0:pixel_7_7", "T": "digit"},
        sizes={"h": 32},
        standardize=True,
        test_fraction=0.2,
        max_iterations=60,
    )
    assert result.test["accuracy"] > 0.95
    assert result.classes["T"] == tuple(range(10))
    assert result.parameters["W1"].shape == (64, 32)
    assert str(result.start["W1"]) == "seeded normals"
    # Each class keeps its share in both parts.
    assert result.test_rows == 360


def test_ridge_is_its_closed_form():
    x, target = some()
    result = load(str(EXAMPLES / "ridge_regression.py")).fit(X=x, y=target, hyperparameters={"lam": 5})
    centred, mean = x - x.mean(axis=0), x.mean(axis=0)
    exact = np.linalg.solve(centred.T @ centred + 5 * np.eye(3), centred.T @ target)
    np.testing.assert_allclose(result.parameters["w"], exact, rtol=1e-5)
    assert result.parameters["b"] == pytest.approx(target.mean() - mean @ exact, rel=1e-5)
    assert result.hyperparameters == {"lam": 5.0}


def test_divergence_names_the_bound_of_the_hessian():
    x, target = houses()
    result = linear().fit(X=x, y=target, learning_rate=0.01)
    ones = np.column_stack([x, np.ones(len(x))])
    largest = np.linalg.eigvalsh(ones.T @ ones / len(x))[-1]
    assert result.diagnosis.bound == pytest.approx(2 / largest, rel=1e-8)
    assert "the loss is quadratic: use one below 2/λ_max" in str(result.diagnosis)
    assert not result.is_converged
    # What is handed back is the best point seen, not the exploded one.
    assert result.loss <= result.history[0].loss


def test_a_fixed_step_below_the_bound_converges():
    x, target = some()
    result = linear().fit(X=x, y=target, learning_rate=0.5)
    assert result.is_converged
    assert {entry.step for entry in result.history[1:]} == {0.5}


def test_an_overflow_is_diagnosed_not_raised():
    loss = sg.sum(sg.exp(X @ w)) - y @ X @ w
    x, target = some()
    result = Problem(loss).fit(X=100 * x, y=target, learning_rate=1.0)
    assert result.diagnosis is not None
    assert math.isfinite(result.loss)


def test_without_a_rate_the_search_backtracks():
    x, target = some()
    steps = {entry.step for entry in linear().fit(X=x, y=target).history[1:]}
    assert len(steps) > 1
    fixed = linear().fit(X=x, y=target, line_search="fixed")
    assert len({entry.step for entry in fixed.history[1:]}) == 1


def test_on_iteration_sees_the_history():
    seen = []
    x, target = some()
    result = linear().fit(X=x, y=target, on_iteration=seen.append)
    assert tuple(seen) == result.history


def test_the_statistics_are_those_of_the_training_part():
    x, target = some()
    result = linear().fit(X=x, y=target, standardize=["X"], test_fraction=0.3, seed=5)
    train, _ = split(30, test_fraction=0.3, seed=5)
    np.testing.assert_allclose(result.standardizer["X"].mean, x[train].mean(axis=0))
    np.testing.assert_allclose(result.standardizer["X"].scale, x[train].std(axis=0))


def test_a_constant_column_stays():
    x, target = some()
    result = linear().fit(X=np.column_stack([x, np.full(30, 7.0)]), y=target, standardize=True)
    assert result.standardizer["X"].scale[3] == 1.0
    assert np.isfinite(result.original_units["w"]).all()


def test_only_an_affine_reading_is_mapped_back():
    x, target = some()
    bent = X @ w + b
    result = Problem(sg.sum((bent - y) ** 2) + sg.sum(X @ w), model=bent).fit(
        X=x, y=target, standardize=True, max_iterations=3
    )
    assert result.original_units is not None  # what the model predicts is what counts
    for model in (X @ w, X**2 @ w + b, X @ w + 2 * b, X @ w - b, b - X @ w):
        result = Problem(sg.sum((model - y) ** 2), model=model).fit(X=x, y=target, standardize=True, max_iterations=3)
        assert result.original_units is None
        assert any("original units" in note for note in result.notes)


def test_a_softmax_is_mapped_back():
    x, target = some()
    result = load(str(EXAMPLES / "softmax_regression.py")).fit(
        X=5 * x + 2, Y=np.digitize(target, [2, 4]), standardize=True, max_iterations=20
    )
    scaled = (5 * x + 2) @ result.original_units["W"] + result.original_units["b"]
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    np.testing.assert_allclose(result.predict(X=5 * x + 2), raised / raised.sum(axis=1, keepdims=True), rtol=1e-9)


def test_examples_along_the_second_axis():
    across = sg.data("X", d, n)
    model = w @ across + b
    problem = Problem(sg.mean((model - y) ** 2), model=model)
    x, _ = houses()
    bound = {"bind": {"X": "CRIM:LSTAT", "y": "MEDV"}, "standardize": True, "test_fraction": 0.2}
    result = problem.fit(str(BOSTON), **bound)
    down = X @ w + b
    same = Problem(sg.mean((down - y) ** 2), model=down).fit(str(BOSTON), **bound)
    np.testing.assert_allclose(result.parameters["w"], same.parameters["w"], rtol=1e-4)
    np.testing.assert_allclose(result.predict(X=x.T), same.predict(X=x), rtol=1e-4)


# ---- labels


def classifier(leaf, loss_of):
    p = sg.sigmoid(X @ w + b)
    return Problem(loss_of(leaf, p, X @ w + b), model=p)


def test_binary_labels_are_encoded():
    t = sg.data("t", n, binary=True)
    problem = classifier(t, lambda t, p, z: -sg.mean(t * sg.log(p) + (1 - t) * sg.log(1 - p)))
    x, target = some()
    words = np.where(target > 3, "yes", "no")
    by_word = problem.fit(X=x, t=words, max_iterations=20)
    assert by_word.classes == {"t": ("no", "yes")}
    by_number = problem.fit(X=x, t=(target > 3).astype(int), max_iterations=20)
    assert by_word.train == by_number.train
    assert by_word.train["accuracy"] > 0.9


def test_each_class_keeps_its_share_in_both_parts():
    t = sg.data("t", n, binary=True)
    problem = classifier(t, lambda t, p, z: -sg.mean(t * sg.log(p) + (1 - t) * sg.log(1 - p)))
    rare = np.arange(30) < 5
    result = problem.fit(X=rare[:, None] * 1.0, t=rare, test_fraction=0.2, max_iterations=200)
    # One of the five rare rows among the six of the test part; the accuracy of always saying no is 5/6.
    always_no = problem.fit(X=np.zeros((30, 1)), t=rare, test_fraction=0.2, seed=3, max_iterations=200)
    assert always_no.test["accuracy"] == pytest.approx(5 / 6)
    assert result.test["accuracy"] == 1.0


def test_sign_labels_are_encoded_and_a_probability_is_cut_at_a_half():
    s = sg.data("s", n, sign=True)
    x, target = some()
    words = np.where(target > 3, "yes", "no")
    model = X @ w + b
    by_score = Problem(sg.mean(sg.softplus(-s * model)), model=model).fit(X=x, s=words, max_iterations=20)
    by_chance = Problem(sg.mean(sg.softplus(-s * model)), model=sg.sigmoid(model)).fit(X=x, s=words, max_iterations=20)
    expected = np.mean((by_score.predict(X=x) >= 0) == (words == "yes"))
    assert by_score.train["accuracy"] == by_chance.train["accuracy"] == pytest.approx(expected)
    assert "log_loss" in by_chance.train
    assert "log_loss" not in by_score.train


def test_a_binary_target_without_probabilities_has_no_accuracy():
    t = sg.data("t", n, binary=True)
    model = X @ w + b
    x, target = some()
    result = Problem(sg.mean(sg.softplus(model) - t * model), model=model).fit(X=x, t=target > 3, max_iterations=5)
    assert set(result.train) == {"loss"}
    assert "assign the probability to `model`" in result.notes[0]


def test_scores_of_classes_have_accuracy_but_no_log_loss():
    Y, W = sg.data("Y", n, k, one_hot=True), sg.parameter("W", d, k)
    logits = X @ W
    x, target = some()
    result = Problem(-sg.mean(sg.sum(Y * sg.log(sg.softmax(logits)), axis=1)), model=logits).fit(
        X=x, Y=list(np.where(target > 3, "yes", "no")), max_iterations=20
    )
    assert set(result.train) == {"loss", "accuracy"}


def test_smoothed_labels_are_refused():
    Y, W = sg.data("Y", n, k, one_hot=True), sg.parameter("W", d, k)
    problem = Problem(-sg.mean(sg.sum(Y * sg.log(sg.softmax(X @ W)), axis=1)), model=sg.softmax(X @ W))
    x, _ = some()
    with pytest.raises(InputError, match="row 1 is not one-hot"):
        problem.fit(X=x, Y=np.full((30, 2), 0.5))


def test_the_facts_of_the_data_are_checked():
    S = sg.data("S", n, d, sign=True)
    problem = Problem(sg.sum(S * S * sg.outer(y, w) ** 2))  # s² = 1 is used
    x, target = some()
    with pytest.raises(InputError, match="S is declared sign but is not"):
        problem.fit(S=x, y=target, on_iteration=pytest.fail)  # before the descent begins
    assert problem.fit(S=np.sign(x), y=target).parameters["w"].tolist() == [0, 0, 0]


# ---- sizes, names, shapes: errors that say what to do


def failure(problem, *given, **options):
    with pytest.raises(InputError) as caught:
        problem.fit(*given, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_size_that_no_data_tells_is_asked_for():
    problem = load(str(EXAMPLES / "two_layer_net.py"))
    x, target = some()
    line = failure(problem, X=x, T=target > 3)
    assert "the size h of W2 is in the shape of no data" in line
    assert "--size h=64" in line
    assert "no size 'hidden'" in failure(problem, X=x, T=target > 3, sizes={"h": 3, "hidden": 3})
    assert "the size h is 0" in failure(problem, X=x, T=target > 3, sizes={"h": 0})


def test_arrays_that_disagree_are_named():
    x, target = some()
    line = failure(linear(), X=x, y=target[:-1])
    assert line == "y says n = 29, but X says n = 30; give both the same size"
    assert "the given size says d = 5, but X says d = 3" in failure(linear(), X=x, y=target, sizes={"d": 5})


def test_wrong_arrays_are_named():
    x, target = some()
    assert "nothing is given for y" in failure(linear(), X=x)
    assert "the model has no data 'z'; its data are X, y" in failure(linear(), X=x, y=target, z=target)
    assert "w is a parameter, not data" in failure(linear(), X=x, y=target, w=target)
    assert "y has shape (30, 1), declared (n,)" in failure(linear(), X=x, y=target[:, None])
    assert "y holds str" in failure(linear(), X=x, y=["a"] * 30)
    x[4, 2] = math.nan
    assert "X[4, 2] is not finite" in failure(linear(), X=x, y=target)


def test_wrong_columns_are_named():
    line = failure(linear(), str(BOSTON), bind={"X": "CRIM:LSTAT"})
    assert "no columns are bound to y; write for example --bind y=MEDV" in line
    assert "CRIM, ZN, INDUS" in line
    line = failure(linear(), str(BOSTON))
    assert "--bind X=CRIM:LSTAT --bind y=MEDV" in line
    assert "no column 'PRICE'" in failure(linear(), str(BOSTON), bind={"X": "CRIM:LSTAT", "y": "PRICE"})
    assert "bind one" in failure(linear(), str(BOSTON), bind={"X": "CRIM", "y": "RM,MEDV"})
    assert "there is no table" in failure(linear(), {"X": [[1.0]], "y": [1.0]}, bind={"X": "a"})


def test_a_vector_is_bound_to_the_column_of_its_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n1,2,3\n4,5,6\n7,8,10\n")
    result = linear().fit(path, bind={"X": "a,b"}, max_iterations=5)
    assert result.sizes == {"n": 3, "d": 2}
    assert result.target == "y"


def test_an_array_may_stand_beside_a_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,3\n4,6\n7,10\n")
    prior = sg.data("m", d)
    problem = Problem(sg.sum((X @ w + b - y) ** 2) + sg.sum((w - prior) ** 2), model=X @ w + b)
    assert problem.fit(path, bind={"X": "a"}, m=[1.0], max_iterations=2).iterations == 2


def test_wrong_options_are_named():
    x, target = some()
    assert "no method 'newton'" in failure(linear(), X=x, y=target, method="newton")
    assert "no hyperparameter 'mu'" in failure(linear(), X=x, y=target, hyperparameters={"mu": 1})
    assert "no parameter 'v' to start" in failure(linear(), X=x, y=target, start={"v": 1})
    assert "y cannot be standardised" in failure(linear(), X=x, y=target, standardize=["y"])
    assert "learning rate is -1" in failure(linear(), X=x, y=target, learning_rate=-1)
    assert "test fraction" in failure(linear(), X=x, y=target, test_fraction=1.5)
    free = sg.hyperparameter("mu")
    needy = Problem(sg.sum((X @ w - y) ** 2) + free * sg.sum(w**2))
    assert "--set mu=0.1" in failure(needy, X=x, y=target)


def test_what_has_no_examples_is_not_split():
    U, V, R = sg.parameter("U", n, k), sg.parameter("V", d, k), sg.data("R", n, d)
    problem = Problem(sg.sum((R - U @ V.T) ** 2), model=U @ V.T)
    x, _ = some()
    assert "cannot be split" in failure(problem, R=x, sizes={"k": 2}, test_fraction=0.2)
    result = problem.fit(R=x, sizes={"k": 3})
    assert result.train["mse"] < 1e-6  # of rank 3


def test_float32_stays_float32():
    x, target = some()
    result = linear().fit(X=x.astype(np.float32), y=target.astype(np.float32), standardize=True, max_iterations=20)
    assert {a.dtype for a in result.parameters.values()} == {np.dtype(np.float32)}


def test_the_data_are_not_written():
    x, target = some()
    before = x.copy(), target.copy()
    linear().fit(X=x, y=target, standardize=True, test_fraction=0.2)
    assert np.array_equal(x, before[0])
    assert np.array_equal(target, before[1])


def test_a_singular_start_is_a_diagnosis():
    A = sg.parameter("A", 2, 2)
    result = Problem(sg.sum(sg.inv(A)) + sg.sum(A**2)).fit(start={"A": np.zeros((2, 2))})
    assert str(result.diagnosis.cause) == "not finite at start"
    assert result.diagnosis.origin.startswith("inv(A) in (1) does not exist (singular matrix): A has determinant 0")


def poisson():
    p = X @ w + b
    return Problem(sg.mean(p - y * sg.log(p)), model=p, names={"p": p})


COUNTS = "a,c,y\n1,2,3\n0.5,1,2\n\n1,0,4\n3,-4,2\n2,2,2\n"


def test_a_start_outside_the_domain_names_formula_and_line(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text(COUNTS)
    options = {"bind": {"X": ["a", "c"]}, "start": {"w": [1.0, 1.0], "b": 0.0}}
    result = poisson().fit(str(path), **options)
    wanted = f"log(p) in (2) is not a number: p[3] = -1 ({path}:6); the logarithm needs a positive argument"
    assert result.diagnosis.origin == wanted
    assert wanted in str(result.diagnosis)
    # In the training part the row has another number; the line of the file stays.
    for seed in range(6):
        result = poisson().fit(str(path), seed=seed, test_fraction=0.4, **options)
        if result.diagnosis is not None and result.diagnosis.origin is not None:
            assert f"= -1 ({path}:6)" in result.diagnosis.origin
            break
    else:
        pytest.fail("row 3 was never trained on")
    x, counts = read_table(path).numbers(["a", "c"]), read_table(path).column("y")
    result = poisson().fit(X=x, y=counts, seed=seed, test_fraction=0.4, start=options["start"])
    assert "= -1 (example 3 of 5)" in result.diagnosis.origin


def test_a_step_outside_the_domain_names_the_formula():
    model = sg.sum(sg.exp(w)) - sg.sum(w)
    result = Problem(model).fit(start={"w": np.array([3.0, 0.0])}, sizes={"d": 2}, learning_rate=1e4)
    assert str(result.diagnosis.cause) == "not finite"
    assert "after a step with learning rate 10000" in str(result.diagnosis)
    assert result.diagnosis.origin.startswith("exp(w) in (1) is inf: w[0] = ") or result.diagnosis.origin.startswith(
        "exp(w)"
    )


# ---- the same in Chinese: no sentence of it in English, and in English what the diagnosis says of itself


def in_chinese(result, *quoted):
    """What a failed fit says in Chinese, without what it quotes."""
    assert result.diagnosis is not None
    assert result.why_it_ended() == str(result.diagnosis)
    said = result.why_it_ended("zh")
    for formula in quoted:
        assert formula in said
        said = said.replace(formula, "")
    assert re.findall(r"[A-Za-z]{3,}", re.sub("λ_max|inf|nan", "", said)) == []
    return said


def test_every_ending_is_said_in_both_languages():
    curvatures = (None, Curvature(4.0, is_quadratic=True), Curvature(4.0, is_quadratic=False))
    for cause, remedy, curvature, name in product(Cause, Remedy, curvatures, (None, "w")):
        failed = Diagnosis(cause, remedy, 12, 9e9, 1.0, 0.5, 0.6, name, curvature)
        assert ending(Stop.DIVERGED, failed, None).en == str(failed)
        assert re.match("第 12 次迭代：.+。[\u4e00-\u9fff].+", ending(Stop.DIVERGED, failed, None).zh)
    assert {stop: ending(stop, None, None).en for stop in Stop} == {stop: str(stop) for stop in Stop}


def test_a_failed_fit_says_in_chinese_what_failed():
    A = sg.parameter("A", 2, 2)
    singular = Problem(sg.sum(sg.inv(A)) + sg.sum(A**2)).fit(start={"A": np.zeros((2, 2))})
    said = singular.why_it_ended("zh")
    assert (
        "因为式 (1) 中的 inv(A) 不存在（矩阵奇异）：A 的行列式为 0，特征值在 0 与 0 之间；矩阵须可逆。请更换初值"
        in said
    )
    in_chinese(singular, "inv(A)")
    table = np.array([[1.0, 2], [0.5, 1], [1, 0], [3, -4], [2, 2]])
    outside = poisson().fit(X=table, y=np.array([3.0, 2, 4, 1, 2]), start={"w": [1.0, 1.0], "b": 0.0})
    in_chinese(outside, "log(p)")
    assert "，因为式 (2) 中的 log(p) 不是数：p[3] = -1；对数的自变量须为正。" in outside.why_it_ended("zh")
    known = replace(outside.breakdown, source=EXAMPLE.filled(number=3, count=5))
    assert "p[3] = -1（样本 3，共 5 个）；" in known.text.zh
    far = Problem(sg.sum(sg.exp(w)) - sg.sum(w)).fit(
        start={"w": np.array([3.0, 0.0])}, sizes={"d": 2}, learning_rate=1e4
    )
    in_chinese(far, "exp(w)", "float64")
    steep = linear().fit(X=table, y=np.ones(5), learning_rate=10.0)
    assert "学习率应小于 2/λ_max = " in in_chinese(steep)


# ---- files


def test_a_fit_as_json_and_npz(boston, tmp_path):
    content = json.loads(as_json(boston))
    assert content["parameters"]["w"]["shape"] == [13]
    assert content["parameters"]["b"] == {"shape": [], "values": float(boston.parameters["b"])}
    assert content["test"]["mse"] == boston.test["mse"]
    save(boston, str(tmp_path / "fit.npz"))
    with np.load(tmp_path / "fit.npz") as arrays:
        assert np.array_equal(arrays["original.w"], boston.original_units["w"])
        assert np.array_equal(arrays["X.scale"], boston.standardizer["X"].scale)
    with pytest.raises(InputError, match=r"fit\.txt: a fit is written as \.json or \.npz"):
        save(boston, str(tmp_path / "fit.txt"))


def test_what_is_no_number_is_null_in_json():
    x, _ = some()
    result = linear().fit(X=x, y=np.ones(30), max_iterations=2)
    assert math.isnan(result.train["r2"])
    assert json.loads(as_json(result))["train"]["r2"] is None


def test_a_parameter_may_have_any_name():
    file = sg.parameter("file", d)
    x, target = some()
    result = Problem(sg.sum((X @ file - y) ** 2)).fit(X=x, y=target, max_iterations=2)
    assert as_npz(result)[:2] == b"PK"


def test_a_result_pickles(boston):
    again = pickle.loads(pickle.dumps(boston))
    x, _ = houses()
    assert np.array_equal(again.predict(X=x), boston.predict(X=x))


def test_shape_errors_are_shape_errors():
    with pytest.raises(ShapeError):
        linear().fit(X=[1.0], y=[1.0])


def test_a_fit_by_compiled_loops_finds_the_same():
    random = np.random.default_rng(0)
    X, w = random.normal(size=(200, 3)), np.array([1.0, -2.0, 0.5])
    t = (X @ w + random.logistic(size=200) > 0).astype(float)
    n, d = sg.dims("n d")
    A, y, v = sg.data("X", n, d), sg.data("y", n, binary=True), sg.parameter("w", d)
    p = sg.sigmoid(A @ v)
    problem = sg.Problem(-sg.mean(y * sg.log(p) + (1 - y) * sg.log(1 - p)), model=p)
    ours, theirs = (problem.fit(X=X, y=t, backend=backend) for backend in ("numba", "numpy"))
    np.testing.assert_allclose(ours.parameters["w"], theirs.parameters["w"], rtol=1e-5)
    with pytest.raises(InputError, match="there is no backend 'gpu'; take numpy or numba"):
        problem.fit(X=X, y=t, backend="gpu")
