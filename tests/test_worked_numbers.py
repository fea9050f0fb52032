"""Worked numbers: recomputed by PyTorch and by difference quotients, the same in every run, or an error in one line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from test_problems import FILES, TORCH
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.derive.numbers import HOLDS, in_numbers
from symgrad.errors import InputError
from symgrad.explain.figures import array_tex, figures_for
from symgrad.graph.expression import Role
from symgrad.primitives.facts import FACTS
from symgrad.tables.arrays import exact_arrays, read_arrays

ROOT = Path(__file__).resolve().parent.parent
LINEAR, SOFTMAX = ROOT / "examples" / "linear_regression.py", ROOT / "examples" / "softmax_regression.py"


@cache
def problem(path):
    return sg.load(str(path))


@cache
def worked(path):
    own = problem(path)
    return in_numbers(own.derive(prove=False), own.loss)


def floats(a):
    return np.asarray(a, dtype=object).astype(float)


# ---- the numbers are right


class Tensors:
    """Arrays by name as tensors of PyTorch."""

    def __init__(self, torch, arrays, wanted):
        for name, a in arrays.items():
            setattr(self, name, torch.tensor(a, dtype=torch.float64, requires_grad=name in wanted))


@pytest.mark.parametrize("name", FILES)
def test_pytorch_computes_the_same_numbers(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    found, derivation = worked(FILES[name]), problem(FILES[name]).derive(prove=False)
    arrays = {e.name: floats(a) for e, a in found.given.items()}
    tensors = Tensors(torch, arrays, {p.name for p in derivation.parameters})
    loss = TORCH[name](torch, tensors)
    loss.backward()
    value = floats(found.values[derivation.loss])
    # PyTorch's Poisson loss, as ours, leaves out what is constant; others may differ in nothing.
    np.testing.assert_allclose(value, loss.item(), rtol=1e-9, atol=1e-12)
    for eq in derivation.backward:
        if eq.variable in set(derivation.parameters):
            expected = getattr(tensors, eq.name).grad.numpy()
            np.testing.assert_allclose(floats(found.values[eq.target]), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", FILES)
def test_every_gradient_agrees_with_its_differences(name):
    found, derivation = worked(FILES[name]), problem(FILES[name]).derive(prove=False)
    assert found.is_smooth
    targets = {eq.variable: eq.target for eq in derivation.backward}
    for p in derivation.parameters:
        gradient, quotients = found.values[targets[p]], found.differences[p]
        assert np.shape(gradient) == np.shape(quotients)
        compared = [(g, q) for g, q in zip(np.ravel(gradient), np.ravel(quotients), strict=True) if q is not None]
        assert compared
        assert any(g for g in np.ravel(gradient)), "where a gradient vanishes, agreement says nothing"
        scale = max(abs(g) for g in np.ravel(gradient))
        assert all(abs(g - q) <= Decimal("1e-8") * scale for g, q in compared)
    assert found.descent is not None
    assert found.descent.after < found.descent.before == found.values[derivation.loss][()]


def test_the_step_is_the_one_that_is_said():
    found, own = worked(SOFTMAX), problem(SOFTMAX)
    derivation = own.derive(prove=False)
    arrays = {e.name: floats(a) for e, a in found.given.items()}
    f = own.compile(prove=False)
    value, gradients = f(**arrays)
    moved = {k: arrays[k] - float(found.descent.rate) * g for k, g in gradients.items()}
    np.testing.assert_allclose(f.value(**{**arrays, **moved}), float(found.descent.after), rtol=1e-12)
    np.testing.assert_allclose(value, float(found.values[derivation.loss][()]), rtol=1e-12)


def test_a_wrong_gradient_would_be_seen():
    """The differences are taken of the loss as it was written: they do not follow a wrong line."""
    own = problem(LINEAR)
    derivation = own.derive(prove=False)
    (last,) = [eq for eq in derivation.backward if eq.name == "w"]
    lines = [eq if eq is not last else replace(eq, expression=2 * eq.expression) for eq in derivation.backward]
    wrong = replace(derivation, backward=tuple(lines))
    with pytest.raises(InputError, match="no small numbers"):
        in_numbers(wrong, own.loss)
    given = {e.name: np.vectorize(Fraction)(a.astype(str)) for e, a in worked(LINEAR).given.items()}
    found = in_numbers(wrong, own.loss, given)
    assert found.errors[last.variable] > Decimal("0.4")


# ---- made-up numbers


def test_made_up_numbers_are_small_and_have_the_facts():
    seen = set()
    for path in FILES.values():
        found = worked(path)
        # A model may need a size of 6, where a convolution runs along it.
        assert all(1 <= n <= 9 for n in found.sizes.values())
        for e, a in found.given.items():
            entries = [Fraction(str(x)) for x in np.ravel(a)]
            exact = np.empty(len(entries), dtype=object)
            exact[:] = entries
            for fact in e.facts:
                assert HOLDS[fact](exact.reshape(np.shape(a))), f"{path.stem}: {e.name} is not {fact}"
                seen.add(fact)
            if e.role is Role.LABELS:
                assert all(x.denominator == 1 for x in entries)
            # Quarters of small numbers, products of halves where a matrix is positive definite.
            if e.role is not Role.HYPERPARAMETER:
                assert all(x.denominator <= 4 and abs(x) <= 40 for x in entries), f"{path.stem}: {e.name}"
    assert len(seen) >= 4


def test_made_up_numbers_lie_inside_the_domain_and_off_the_kinks():
    n = sg.dims("n")
    x, w = sg.data("x", n), sg.parameter("w", n)
    for loss in (sg.sum(sg.log(w * x)), sg.sum(sg.sqrt(w - x)), sg.sum(abs(w - x)), sg.sum(sg.relu(w * x) ** 2)):
        own = sg.Problem(loss)
        found = in_numbers(own.derive(prove=False), own.loss)
        assert found.is_smooth
        assert all(x.is_finite() for a in found.values.values() for x in np.ravel(a))


def test_the_page_is_the_same_in_every_process():
    def section(seed):
        code = f"import symgrad as sg; print(sg.load({str(SOFTMAX)!r}).explain(numbers=True))"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
        return done.stdout

    assert section("1") == section("2")


def test_labels_are_whole_numbers():
    n, k = sg.dims("n k")
    c, z = sg.labels("c", n, k), sg.parameter("z", k)
    own = sg.Problem(sg.sum(z[c] ** 2) + sg.sum(z))
    derivation = own.derive(prove=False)
    found = in_numbers(derivation, own.loss)
    (labels,) = [a for e, a in found.given.items() if e.name == "c"]
    assert set(map(int, np.ravel(labels))) <= set(range(found.sizes["k"]))
    with pytest.raises(InputError, match="c holds labels, whole numbers from 0 to 1; give such numbers"):
        in_numbers(derivation, own.loss, exact({"c": [0, 2], "z": [1, 1], "k": 2}))


def exact(values):
    return exact_arrays(values)


def test_every_fact_can_be_checked():
    assert HOLDS.keys() == FACTS.keys()


@pytest.mark.parametrize(
    ("fact", "wrong", "right"),
    [
        ("one_hot", [[0.5, 0.5]], [[0, 1]]),
        ("one_hot", [[1, 1]], [[1, 0]]),
        ("symmetric", [[1, 2], [3, 4]], [[1, 2], [2, 4]]),
        ("positive_definite", [[1, 2], [2, 1]], [[2, 1], [1, 2]]),
        ("positive_definite", [[2, 0], [1, 2]], [[1, 0], [0, 1]]),
        ("positive", [0, 1], [0.5, 1]),
        ("nonnegative", [-1, 1], [0, 1]),
        ("sign", [0, 1], [-1, 1]),
        ("binary", [0.5, 1], [0, 1]),
    ],
)
def test_facts_tell_right_from_wrong(fact, wrong, right):
    there = exact({"w": wrong, "r": right})
    assert not HOLDS[fact](there["w"])
    assert HOLDS[fact](there["r"])


# ---- the page

VALUES = {"X": [[1, 2], [3, -1], [0.5, 1]], "Y": [[1, 0], [0, 1], [1, 0]], "W": [[0.5, -0.25], [0, 1]], "b": [0.1, 0]}


def by_numpy():
    X, Y, W, b = (np.array(VALUES[name], dtype=float) for name in "XYWb")
    Z = X @ W + b
    P = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    return {"Z": Z, "P": P, "L": -(Y * np.log(P)).sum() / 3, "dW": X.T @ (P - Y) / 3, "db": (P - Y).sum(0) / 3}


def matrix_behind(text, left):
    """The first array that a page prints behind a left side."""
    found = re.search(re.escape(left) + r" &= (?:10\^\{(-?\d+)\} )?\\begin\{pmatrix\} (.*?) \\end\{pmatrix\}", text)
    assert found is not None, left
    body = re.sub(r"\\phantom\{[^}]*\}", "", found.group(2))
    a = np.array([[float(x) for x in line.split("&")] for line in body.split(r"\\")])
    return a * 10.0 ** int(found.group(1) or 0)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("layout", ["denominator", "numerator"])
def test_the_page_prints_numpys_numbers(language, layout):
    text = problem(SOFTMAX).explain(values=VALUES, language=language, layout=layout)
    heading = "In numbers" if language == "en" else "用数字走一遍"
    (section,) = re.findall(rf"## 6 {heading}\n(.*?)\n## 7 ", text, re.DOTALL)
    expected = by_numpy()
    for name in "ZP":
        np.testing.assert_allclose(matrix_behind(section, name), expected[name], atol=5.1e-5)
    dw, db = (matrix_behind(section, rf"\frac{{\partial L}}{{\partial {x}}}") for x in "Wb")
    np.testing.assert_allclose(dw if layout == "denominator" else dw.T, expected["dW"], atol=5.1e-5)
    np.testing.assert_allclose(db[0], expected["db"], atol=5.1e-6)
    assert f"L &= {expected['L']:.5g}" in section
    # A vector is a column, its derivative a row in numerator layout: written as a row without ᵀ.
    row = re.search(r"\\partial b\} &= \\begin\{pmatrix\}.*?\\end\{pmatrix\}(\S*)", section)
    assert row is not None
    assert row.group(1) == (r"^{\top}" if layout == "denominator" else "")
    # The labels are the derivation's: what is computed by (6) is what (6) says.
    by = "by" if language == "en" else "由"
    assert [int(k) for k in re.findall(rf"\\text\{{{by} \((\d+)\)", section)] == [1, 2, 3, 4, 5, 6, 7, 6, 7]


def test_numbers_come_on_request_only():
    text = problem(SOFTMAX).explain()
    assert "In numbers" not in text
    assert text.replace("## 6", "") != problem(SOFTMAX).explain(numbers=True).replace("## 6", "")


@pytest.mark.parametrize("format", ["markdown", "latex"])
def test_long_arrays_are_shortened(format):
    random = np.random.default_rng(0)
    values = {
        "X": random.normal(size=(60, 12)).round(3),
        "y": random.normal(size=60).round(3),
        "w": random.normal(size=12).round(3),
        "b": 0.25,
    }
    text = problem(LINEAR).explain(format=format, values=values)
    assert r"\vdots" in text
    assert r"\ddots" in text
    assert r"\cdots" in text
    # Four rows of four entries, not sixty of twelve.
    assert max(line.count("&") for line in text.splitlines() if "pmatrix" in line) <= 8 * 5
    assert f"{values['X'][30, 5]:.3f}" not in text.split("In numbers")[1].split("NumPy")[0]
    expected = values["X"].T @ (values["X"] @ values["w"] + 0.25 - values["y"]) / 60
    shown = re.search(r"\\partial w\} &= \\begin\{pmatrix\} (.*?) \\end", text)
    assert shown is not None
    first = re.sub(r"\\phantom\{[^}]*\}", "", shown.group(1)).split("&")
    np.testing.assert_allclose([float(first[0]), float(first[-1])], expected[[0, -1]], atol=5.1e-5)


def test_a_deep_net_prints_its_ends(tmp_path):
    model = tmp_path / "deep.py"
    model.write_text(
        "import symgrad as sg\nn, d = sg.dims('n d')\nH = sg.data('X', n, d)\n"
        "for k in range(1, 13):\n    W = sg.parameter(f'W{k}', d, d)\n    Z = H @ W\n    H = sg.tanh(Z)\n"
        "loss = sg.sum(H**2)\n"
    )
    text = sg.load(str(model)).explain(numbers=True).split("In numbers")[1]
    assert "Z_{1} &=" in text
    assert "H_{12} &=" in text
    assert "Z_{6} &=" not in text
    assert r"\partial W_{12}}" in text
    assert r"\vdots" in text


def test_entries_are_rounded_alike_and_stand_below_each_other():
    a = np.array([[Decimal("-12.34567"), Decimal("0.5")], [Decimal("3"), Decimal("0")]], dtype=object)
    assert array_tex(a, figures_for([a])) == (
        r"\begin{pmatrix} -12.346 & 0.500 \\ \phantom{-0}3.000 & 0\phantom{.500} \end{pmatrix}"
    )
    small = np.array([Decimal("0.000012345678"), Decimal("0.00002")], dtype=object)
    assert array_tex(small, figures_for([small])) == r"10^{-5} \begin{pmatrix} 1.2346 & 2.0000 \end{pmatrix}^{\top}"
    whole = np.array([Decimal(3), Decimal(-1)], dtype=object)
    assert array_tex(whole, figures_for([whole])) == r"\begin{pmatrix} 3 & -1 \end{pmatrix}^{\top}"


@pytest.mark.parametrize("value", ["123456789", "-0.00000123", "99999.6", "0.1", "1e300", "-1e-300"])
def test_a_number_keeps_five_digits(value):
    text = array_tex(Decimal(value), figures_for([Decimal(value)]))
    number = text.replace(r" \times 10^{", "e").replace("}", "")
    assert abs(Decimal(number) - Decimal(value)) <= abs(Decimal(value)) * Decimal("0.00005001")
    assert len(re.sub(r"e.*|[-.]", "", number).lstrip("0")) <= 9


def test_at_a_kink_the_page_says_so():
    values = {"X": [[1, 2], [3, -1]], "w": [0, 0], "y": [1, 1], "b": 0}
    n, d = sg.dims("n d")
    X, y, w, b = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d), sg.parameter("b")
    own = sg.Problem(sg.sum(abs(X @ w + b) + sg.relu(X @ w + b) * y))
    text = own.explain(values=values)
    assert "do not settle on one value: the loss has a kink there" in text
    assert "do not settle" not in own.explain(numbers=True)


# ---- files

GOOD = '{"X": [[1,2],[3,4],[0.5,1]], "y": [1,0,1], "w": [0.5,-0.5], "b": 0.1}'


def complaint(tmp_path, content, name="values.json", model=LINEAR):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = CliRunner().invoke(app, ["explain", str(model), "--values", str(path)])
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit | type(None))
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 400
    assert result.stderr.startswith(str(path))
    return result.stderr[len(str(path)) :]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD.replace("[0.5,1]", "[0.5]"), "X: its rows are not equally long"),
        (GOOD.replace("[3,4]", "3"), "X: its rows are not equally long"),
        (GOOD.replace("4", '"4"'), "X: it holds a str where a number should stand"),
        (GOOD.replace("4", "null"), "X: it holds a NoneType"),
        (GOOD.replace("4", "true"), "X: it holds a bool"),
        (GOOD.replace("4", '{"a": 1}'), "X: it holds a dict"),
        (GOOD.replace("4", "NaN"), "NaN is no finite number"),
        (GOOD.replace("4", "-Infinity"), "-Infinity is no finite number"),
        (GOOD.replace("4", "1e999999999"), "a number of 10^999999999"),
        (GOOD.replace("4", "1" * 20_000), "a number of 20000 digits"),
        (GOOD.replace("[1,0,1]", "[]"), "y: it holds an empty list"),
        (GOOD.replace(', "b": 0.1', ""), "b is missing, a number; give it by its name"),
        (GOOD.replace('"y": [1,0,1], ', ""), "y is missing, an array of shape (n,)"),
        (GOOD.replace('"b"', '"Q"'), "the loss holds no Q; give numbers for X, y, w, b"),
        (GOOD.replace('"b"', '"w"'), "'w' stands there twice"),
        (GOOD.replace("[1,0,1]", "[1,0,1,2]"), "n is 3 in X and 4 in y; make the two arrays fit"),
        (GOOD.replace("[1,0,1]", "[[1,0,1]]"), "y has 2 axes and is declared with the shape (n,)"),
        (GOOD.replace("0.1", "[1]"), "b has 1 axes and is declared with the shape ()"),
        (GOOD[:20], "this is not JSON"),
        ("[1, 2]", "the file holds no names"),
        ("3", "the file holds no names"),
        ("", "this is not JSON"),
        ("[" * 300_000, "lists stand in lists too deep"),
        ('{"X": ' + "[" * 40 + "1" + "]" * 40 + "}", "X: it has more than 32 axes"),
        (b"\xff\xfe\x00\x01", "the text is not UTF-8"),
        (b"\x00" * 10, "this is not JSON"),
    ],
)
def test_a_file_that_is_wrong_is_one_line(content, message, tmp_path):
    assert message in complaint(tmp_path, content)


def test_a_file_that_is_wrong_in_another_way_is_one_line(tmp_path):
    assert "arrays are read from .json or .npz" in complaint(tmp_path, "x,y\n1,2\n", name="values.csv")
    assert "this is no .npz file of numbers" in complaint(tmp_path, b"PK\x03\x04nonsense", name="values.npz")
    np.savez(tmp_path / "objects.npz", X=np.array([{}], dtype=object))
    content = (tmp_path / "objects.npz").read_bytes()
    assert "this is no .npz file of numbers" in complaint(tmp_path, content, name="objects.npz")
    np.savez(tmp_path / "nan.npz", X=np.array([[np.nan]]))
    assert "X: it holds NaN" in complaint(tmp_path, (tmp_path / "nan.npz").read_bytes(), name="nan.npz")
    np.savez(tmp_path / "text.npz", X=np.array(["a"]))
    assert "X does not hold real numbers" in complaint(tmp_path, (tmp_path / "text.npz").read_bytes(), name="text.npz")
    result = CliRunner().invoke(app, ["explain", str(LINEAR), "--values", str(tmp_path / "none.json")])
    assert "no such file" in result.stderr


def test_a_fact_that_does_not_hold_names_the_leaf(tmp_path):
    values = json.dumps({**VALUES, "Y": [[1, 0], [0.5, 0.5], [1, 0]]})
    assert "Y is declared one_hot but is not" in complaint(tmp_path, values, model=SOFTMAX)


def test_what_has_no_value_names_its_equation(tmp_path):
    n = sg.dims("n")
    x, w = sg.data("x", n), sg.parameter("w", n)
    own = sg.Problem(sg.sum(sg.log(w * x)))
    with pytest.raises(InputError, match=r"values: equation \(\d\), \w+: an entry has no value at these numbers"):
        own.explain(values={"x": [1, 2], "w": [1, -1]})
    own = sg.Problem(sg.sum(x / w))
    with pytest.raises(InputError, match="an entry has no value"):
        own.explain(values={"x": [1, 2], "w": [1, 0]})


def test_too_much_data_is_refused_before_it_is_computed():
    values = {"X": np.ones((3000, 200)), "y": np.ones(3000), "w": np.ones(200), "b": 1}
    with pytest.raises(InputError, match="too many for a page; give fewer or smaller arrays"):
        problem(LINEAR).explain(values=values)


def test_a_size_that_no_array_tells_is_given_by_name():
    n = sg.dims("n")
    w = sg.parameter("w")
    own = sg.Problem(w**2 / n)
    with pytest.raises(InputError, match="the size n is told by no array"):
        own.explain(values={"w": 3})
    for wrong in (0, 1.5, [2], -1):
        with pytest.raises(InputError, match="the size n is told by no array"):
            own.explain(values={"w": 3, "n": wrong})
    assert r"\frac{\partial L}{\partial w} &= 1.5" in own.explain(values={"w": 3, "n": 4})


def test_both_kinds_of_files_hold_the_same_numbers(tmp_path):
    arrays = {name: np.array(a, dtype=np.float32) for name, a in VALUES.items()}
    np.savez(tmp_path / "values.npz", **arrays)
    (tmp_path / "values.json").write_text(json.dumps(VALUES))
    a, b = read_arrays(tmp_path / "values.npz"), read_arrays(str(tmp_path / "values.json"))
    assert a.keys() == b.keys()
    # 0.1 is 1/10, in single precision too.
    assert all((a[name] == b[name]).all() for name in a)
    assert b["b"].tolist() == [Fraction(1, 10), Fraction(0)]


def test_other_pages_refuse_numbers_and_layouts():
    for more in (["--numbers"], ["--layout", "numerator"]):
        result = CliRunner().invoke(app, ["explain", str(LINEAR), "--hessian", "w", *more])
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1


def test_hyperparameters_keep_their_defaults_unless_given():
    path = ROOT / "examples" / "ridge_regression.py"
    own = problem(path)
    (lam,) = [e for e in own.leaves if e.role is Role.HYPERPARAMETER]
    found = worked(path)
    assert Fraction(str(found.given[lam][()])) == lam.value
    given = {e.name: np.vectorize(Fraction)(a.astype(str)) for e, a in found.given.items()}
    del given[lam.name]
    again = in_numbers(own.derive(prove=False), own.loss, given).values
    assert all(np.array_equal(again[e], a) for e, a in found.values.items())
    other = in_numbers(own.derive(prove=False), own.loss, {**given, lam.name: np.array(Fraction(7), dtype=object)})
    assert other.given[lam][()] == 7
