"""Numerator layout: every printed line is the transpose of the proved one, with its shape, in the textbook's order."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from chosen import EXAMPLES, problem_at
from notation.reader import N, as_matrix, read
from notation.test_meaning import LEAVES, VALUES, grow
from test_problems import FILES

import symgrad as sg
from symgrad.derive import layout
from symgrad.derive.layout import in_rows, prove_in_rows, shape_in_rows
from symgrad.derive.reverse import cotangent_of
from symgrad.derive.samples import Draw, assignments, positive_leaves, sizes_in
from symgrad.errors import CheckFailed, InputError
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Leaf, Role
from symgrad.graph.walk import postorder
from symgrad.notation.latex import latex
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.display import Reason, Why
from symgrad.rewrite.turn import flipped, row_of, turned

S = Reals(40)
# A derivative with three axes has no numerator layout.
BEYOND = {"p40_tensor", "p41_convolution", "convolutional_net"}
MODELS = {name: path for name, path in (FILES | {path.stem: path for path in EXAMPLES}).items() if name not in BEYOND}


def derivation_of(path):
    return problem_at(path).derive(prove=False)


def is_transpose(a, b):
    """Whether b is aᵀ; a vector's transpose is a row."""
    expected = a[None, :] if a.ndim == 1 else a.T
    return expected.shape == b.shape and all(
        abs(x - y) <= 1e-25 * max(1, abs(x)) for x, y in zip(expected.ravel(), b.ravel(), strict=True)
    )


def point_of(derivation, sizes, seed):
    """Values of all names by their definitions, and cotangents at random, none of them a derivative of anything."""
    draw = Draw(seed, S)
    roots = [eq.expression for eq in derivation.forward]
    positive = positive_leaves(roots)
    values = {e: draw.array(e, sizes, is_positive=seed % 2 == 1 or e in positive) for e in derivation.leaves}
    for eq in derivation.forward:
        values[eq.target] = evaluate([eq.expression], values, sizes, S)[0]
    columns = {eq.target: draw.array(eq.target, sizes) for eq in derivation.backward}
    rows = {row_of(e): a[None, :] if a.ndim == 1 else a.T for e, a in columns.items()}
    return {**values, **columns}, {**values, **rows}


@pytest.mark.parametrize("name", MODELS)
def test_every_line_is_the_transpose_of_the_proved_one(name):
    derivation = derivation_of(MODELS[name])
    roots = [*(eq.expression for eq in (*derivation.forward, *derivation.backward)), *derivation.leaves]
    for seed, sizes in enumerate(assignments(sizes_in(roots), 2)):
        straight, across = point_of(derivation, sizes, 2 * seed + 1)
        for eq in derivation.backward:
            symmetric = set()
            for line in eq.lines:
                symmetric |= {e for fact, e in line.reason.facts if fact == "symmetric"}
                (a,) = evaluate([line.expression], straight, sizes, S)
                (b,) = evaluate([turned(line.expression, symmetric=symmetric)], across, sizes, S)
                assert is_transpose(a, b), f"{eq.name}: {line.expression}"


@pytest.mark.parametrize("name", MODELS)
def test_lines_have_the_transposed_shape_and_end_where_the_derivation_ends(name):
    for eq in derivation_of(MODELS[name]).backward:
        lines = in_rows(eq)
        assert 1 <= len(lines) <= len(eq.lines)
        for line in lines:
            assert line.expression.shape == shape_in_rows(eq.shape)
        assert lines[0].reason is eq.lines[0].reason


@pytest.mark.parametrize("name", MODELS)
def test_every_line_is_proved(name):
    assert prove_in_rows(derivation_of(MODELS[name])).verdict.value == "proved"


@pytest.mark.parametrize("name", sorted(BEYOND & FILES.keys()))
def test_three_axes_are_refused_by_name(name):
    problem = sg.load(str(FILES[name]))
    with pytest.raises(InputError, match=r"the derivative by \w+ has 3 axes.*--layout denominator"):
        problem.explain(layout="numerator")


# ---- what a textbook in numerator layout prints

PRINTED = {
    "linear_regression": {"w": r"\frac{1}{n}\,r^{\top} X", "b": r"\frac{1}{n}\,\mathbf{1}^{\top} r"},
    "logistic_regression": {
        "z": r"\frac{1}{n}\,(p - y)^{\top}",
        "w": r"\frac{1}{n}\,(p - y)^{\top} X",
    },
    "softmax_regression": {
        "Z": r"\frac{1}{n}\,(P - Y)^{\top}",
        "W": r"\frac{1}{n}\,(P - Y)^{\top} X",
        "b": r"\frac{1}{n}\,\mathbf{1}^{\top} (P - Y)",
    },
    "two_layer_net": {
        "W2": r"\frac{1}{n}\,(S - T)^{\top} H + \lambda W_{2}^{\top}",
        "H": r"W_{2}\,\frac{\partial L}{\partial A}",
        "Z": r"W_{2}\,\frac{\partial L}{\partial A} \odot [Z > 0]^{\top}",
        "W1": r"\frac{\partial L}{\partial Z}\,X + \lambda W_{1}^{\top}",
    },
    "p03_quadratic_form": {"x": r"x^{\top} (A + A^{\top})"},
    "p03_quadratic_form_symmetric": {"x": r"2 x^{\top} A"},
    "p19_logdet": {"X": r"X^{-1}"},
    "p21_inverse_sandwich": {"X": r"-X^{-1} b a^{\top} X^{-1}"},
    "p22_trace": {"X": r"B X^{\top} C A + B^{\top} X^{\top} A^{\top} C^{\top}"},
    "p27_gaussian_process": {
        "K": r"\tfrac{1}{2}\,(K^{-1} - \alpha \alpha^{\top})",
        "q": r"2 e^{2 q} \mathop{\mathrm{tr}}\left(\frac{\partial L}{\partial K}\right)",
    },
    "p29_hidden_layer": {
        "h": r"(o - y)^{\top} W_{2}",
        "z": r"\frac{\partial L}{\partial h} \odot (1 - h^{2})^{\top}",
        "W1": r"x\,\frac{\partial L}{\partial z} + \lambda W_{1}^{\top}",
    },
}


@pytest.mark.parametrize("name", PRINTED)
def test_results_read_as_in_a_textbook(name):
    derivation = derivation_of(MODELS[name])
    found = {eq.name: latex(in_rows(eq)[-1].expression) for eq in derivation.backward}
    expected = PRINTED[name]
    if name == "p22_trace":
        assert set(found["X"].split(" + ")) == set(expected["X"].split(" + "))
    else:
        assert {key: found[key] for key in expected} == expected


# ---- random expressions


def with_cotangents(seed, rank):
    """A random expression in which each parameter stands for a cotangent."""
    e = grow(random.Random(seed), rank, 4)
    leaves = [x for x in postorder([e]) if isinstance(x, Leaf) and x.role not in CONSTANT_ROLES]
    return e, leaves


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("seed", range(120))
def test_random_expressions_are_transposed(seed, rank):
    e, leaves = with_cotangents(seed, rank)
    swapped = {x: cotangent_of(x) for x in leaves if x.role is Role.PARAMETER}
    e = substitute(e, swapped)
    sizes = Assignment({"n": 3})
    draw = Draw(seed, S)
    held = [x for x in postorder([e]) if isinstance(x, Leaf) and x.role not in CONSTANT_ROLES]
    columns = {x: draw.array(x, sizes, is_positive=True) for x in held}
    rows = {row_of(x) if x.role is Role.COTANGENT else x: a for x, a in columns.items()}
    for x, a in columns.items():
        if x.role is Role.COTANGENT:
            rows[row_of(x)] = a[None, :] if a.ndim == 1 else a.T
    (a,), (b,) = evaluate([e], columns, sizes, S), evaluate([turned(e)], rows, sizes, S)
    if any(S.context.isnan(x) for x in a.ravel()):
        pytest.skip("a random expression divides by u - u")
    assert is_transpose(a, b), f"{e} → {turned(e)}"


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("seed", range(120))
def test_what_is_printed_reads_as_the_transpose(seed, rank):
    e = grow(random.Random(1000 + seed), rank, 3)
    matrices = {name: as_matrix(a) for name, a in VALUES.items()} | {"n": np.array([[float(N)]]), "I": np.eye(N)}
    there, back = latex(flipped(e)), latex(turned(e))
    if any(word in there + back for word in (r"\sum", "_{i", "cases")):
        return  # entry by entry: no form in matrices
    with np.errstate(all="ignore"):
        a, b = read(latex(e), matrices), read(back, matrices)
    if not np.isfinite(a).all():
        pytest.skip("a random expression divides by u - u")
    np.testing.assert_allclose(b, a.T, rtol=1e-9)


def test_leaves_of_the_tables_are_there():
    assert {x.role for leaves in LEAVES.values() for x in leaves} >= {Role.PARAMETER, Role.DATA}


# ---- a wrong transpose is seen


@pytest.mark.parametrize("name", ["softmax_regression", "two_layer_net", "p29_hidden_layer", "p03_quadratic_form"])
def test_a_line_that_is_not_the_transpose_is_an_error(name, monkeypatch):
    derivation = derivation_of(MODELS[name])

    def wrong(e, stand_ins=layout.NONE, symmetric=frozenset()):
        return turned(2 * e if e.rank else e)

    monkeypatch.setattr(layout, "turned", wrong)
    with pytest.raises(CheckFailed, match="in numerator layout is not proved"):
        prove_in_rows(derivation)


def test_a_claimed_symmetry_is_proved_not_believed():
    n = sg.dims("n")
    A, x = sg.data("A", n, n), sg.parameter("x", n)
    derivation = sg.Problem(x @ A @ x).derive(prove=False)
    (eq,) = derivation.backward
    line = replace(eq.lines[0], expression=2 * A @ x, reason=Reason(Why.FACT, facts=(("symmetric", A),)))
    with pytest.raises(CheckFailed):
        prove_in_rows(replace(derivation, backward=(replace(eq, lines=(line,)),)))


# ---- the page


def page(name, **options):
    return sg.load(str(MODELS[name])).explain(**options)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
def test_the_page_says_its_layout_and_shapes(language, detail):
    text = page("softmax_regression", layout="numerator", language=language, detail=detail)
    assert ("numerator layout" if language == "en" else "分子布局") in text
    assert ("denominator" if language == "en" else "分母布局") not in text
    assert r"(k \times d)" in text
    assert r"(1 \times k)" in text
    assert r"(d \times k)" not in text
    assert r"\frac{\partial L}{\partial W} &= \frac{1}{n}\,(P - Y)^{\top} X" in text
    assert "X^{\\top}" not in text
    # The words of the other layout: that X comes transposed, that both sides of an inverse do.
    assert "comes transposed" not in text
    assert "因此 $`X`$ 要转置" not in text


def test_entries_are_the_same_in_both_layouts():
    """∂L/∂w_ij is a number: only where it stands differs."""
    row = re.compile(r"^\\frac\{\\partial L\}\{\\partial [a-z]_\{[a-z]+\}\} &= .*$", re.MULTILINE)
    there, here = (row.findall(page("softmax_regression", layout=x)) for x in ("denominator", "numerator"))
    assert len(there) == 3
    assert there == here


def test_in_full_the_entry_that_is_read_back_is_the_transposed_one():
    text = page("softmax_regression", layout="numerator", detail="full")
    # ∂L/∂w_pq, p a feature and q a class, is the entry (q, p) of the k × d matrix.
    found = re.search(r"\\frac\{\\partial L\}\{\\partial w_\{(\w)(\w)\}\} &= [^\n]*(?:\n[^\n]*)*?read back", text)
    assert found is not None
    back = re.search(r"\(\\frac\{\\partial L\}\{\\partial Z\}\\,X\\right\)_\{(\w+)\}", text)
    assert back is not None
    assert back.group(1) == found.group(2) + found.group(1)


def test_the_update_and_the_program_keep_the_parameters_shape():
    text, other = page("softmax_regression", layout="numerator"), page("softmax_regression")
    assert r"W &\leftarrow W - \eta\,\left(\frac{\partial L}{\partial W}\right)^{\top}" in text
    assert text.split("```python")[1] == other.split("```python")[1]
    assert "It returns each gradient in the shape of its parameter" in text
    assert "It returns" not in other


def test_layers_are_folded_in_numerator_layout_too(tmp_path):
    model = tmp_path / "deep.py"
    model.write_text(
        "import symgrad as sg\nn, d = sg.dims('n d')\nH = sg.data('X', n, d)\n"
        "for k in range(1, 9):\n    W = sg.parameter(f'W{k}', d, d)\n    Z = H @ W\n    H = sg.tanh(Z)\n"
        "loss = sg.sum(H**2)\n"
    )
    text = sg.load(str(model)).explain(layout="numerator")
    assert r"\frac{\partial L}{\partial W_{l}} &= \frac{\partial L}{\partial Z_{l}}\,H_{l - 1}" in text.replace(
        "l-1", "l - 1"
    )
    recurrent = tmp_path / "recurrent.py"
    recurrent.write_text(
        "import symgrad as sg\nd = sg.dims('d')\nU, W = sg.parameter('U', d, d), sg.parameter('W', d, d)\n"
        "s = sg.data('s0', d)\n"
        "for k in range(1, 7):\n    x = sg.data(f'x{k}', d)\n    a = U @ s + W @ x\n    s = sg.tanh(a)\n"
        "loss = sg.sum(s**2)\n"
    )
    text = sg.load(str(recurrent)).explain(layout="numerator")
    # Σ of outer products, each with the row on the right.
    assert re.search(r"\\sum_\{\w=1\}\^\{6\} x_\{\w\}\\,\\frac\{\\partial L\}\{\\partial a_\{\w\}\}", text), text


def test_reasons_that_speak_of_sides_have_their_words_for_numerator_layout():
    for entry in PRIMITIVES.values():
        if re.search("transpos|side", entry.reason.en) or "转置" in entry.reason.zh or "侧" in entry.reason.zh:
            assert entry.reason_in_rows is not None, f"{entry.name}: its reason is true in denominator layout only"


def test_no_other_layout():
    with pytest.raises(InputError, match="choose denominator or numerator"):
        page("softmax_regression", layout="row-major")
