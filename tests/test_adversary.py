"""What an adversary tried: false lines that agree almost everywhere, and true models in awkward places.

Each planted line is false only where a careless sample never looks: beyond a saturation, where data are 0, at sizes that
happen to be equal, in entries that are tiny.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy

import symgrad as sg
from symgrad.derive.claim import Answer
from symgrad.derive.derivation import Verdict
from symgrad.derive.proof import prove
from symgrad.errors import CheckFailed, InputError

n, d, k, t, s = sg.dims("n d k t s")
x, y = sg.parameter("x", n), sg.data("y", n)
B = sg.data("B", n, binary=True)
O, W = sg.data("O", n, k, one_hot=True), sg.parameter("W", n, k)  # noqa: E741
X, z = sg.parameter("X", n, d), sg.parameter("z")

FALSE_LINES = {
    "a saturation forgotten": (sg.sum(sg.huber(x - y, 5)), x - y),
    "a bound forgotten": (sg.sum(sg.clip(x, -3, 3) * y), y),
    "a constant branch forgotten": (sg.sum(sg.maximum(x, -4)), sg.broadcast_to(1, n)),
    "a far bracket dropped": (sg.sum(sg.sigmoid(x) * (x < 50)), sg.sigmoid(x) * (1 - sg.sigmoid(x))),
    "a bracket that holds wherever data are 0": (
        sg.sum(sg.maximum(B * x, 0) * y),
        y * (B * x > 0) * B + 3 * y * sg.equal(B * x, 0),
    ),
    "tiny entries": (sg.sum(x**2) * Fraction(1, 10**40), -6 * x * Fraction(1, 10**40)),
}


def planted(loss, line):
    """The proof of the last step with another line in its place."""
    derivation = sg.Problem(loss).derive(prove=False)
    eq = derivation.backward[-1]
    wrong = replace(eq, expression=line, lines=(replace(eq.lines[0], expression=line),))
    return prove(replace(derivation, backward=(*derivation.backward[:-1], wrong)))


@pytest.mark.parametrize("name", FALSE_LINES)
def test_a_false_line_is_refused(name):
    with pytest.raises(CheckFailed):
        planted(*FALSE_LINES[name])


@pytest.mark.parametrize("count", [8, 9])
def test_a_wrong_size_is_refused_among_many(count):
    sizes = [sg.dims(f"{c}{c}") for c in "abcdefghi"[:count]]
    arrays = [sg.data(f"X{c}", size) for c, size in zip("ABCDEFGHI", sizes, strict=False)]
    first, *rest = (sg.mean(a * z) for a in arrays)
    loss = sum(rest, first)
    right = sg.Problem(loss).derive(prove=False).backward[-1].expression
    for wrong in (3, sizes[-1]):
        with pytest.raises(CheckFailed):
            planted(loss, right - sg.sum(arrays[0]) / sizes[0] + sg.sum(arrays[0]) / wrong)


@pytest.mark.parametrize(
    ("loss", "claim"),
    [
        (sg.sum(sg.huber(x - y, 5)), "x = x - y"),
        (sg.sum(sg.huber(x - y, 5)), "x = clip(x - y, -4, 4)"),
        (sg.sum(sg.minimum(sg.relu(x), 6) * y), "x = y * (x > 0)"),
    ],
)
def test_a_claim_that_forgets_a_saturation_is_not_equal(loss, claim):
    assert sg.Problem(loss).check_claim(claim).answer is Answer.NOT_EQUAL


def convolutions(count):
    """A signal convolved again and again with one kernel."""
    e = sg.parameter("signal", t)
    for _ in range(count):
        e = sg.unfold(e, s) @ sg.data("kernel", s)
    return e


TRUE_MODELS = {
    "one-hot data squared": sg.sum((O * W) ** 2),
    "one-hot rows picked": sg.sum(sg.sum(O * (O * W), axis=1) ** 2),
    "the inverse of a Gram matrix": sg.trace(sg.inv(X.T @ X)),
    "the determinant of a Gram matrix": sg.logdet(X.T @ X),
    "a projection": y @ X @ sg.inv(X.T @ X) @ X.T @ y,
    "three convolutions": sg.sum(convolutions(3) ** 2),
    "a domain away from 0": sg.sum(sg.log(x - 5)),
    "the same of a root": sg.sum(x * sg.sqrt(x - 2)),
}


@pytest.mark.parametrize("name", TRUE_MODELS)
def test_a_true_model_is_proved(name):
    derivation = sg.Problem(TRUE_MODELS[name]).derive()
    assert {line.proof.verdict for eq in derivation.backward for line in eq.lines} == {Verdict.PROVED}


def test_functions_that_print_alike_are_told_apart():
    a, b = sympy.Dummy("x", real=True), sympy.Dummy("x", real=True)
    forward, backward = sympy.Lambda((a, b), a - b**2), sympy.Lambda((b, a), a - b**2)
    sg.scalar(forward, x, y)
    f = sg.Problem(sg.sum(sg.scalar(backward, x, y) ** 2)).compile(prove=False)
    value, _ = f(x=[1.0, 2.0], y=[3.0, 5.0])
    assert value == (3 - 1) ** 2 + (5 - 4) ** 2


def test_a_function_has_no_symbols_but_its_arguments():
    a, q = sympy.symbols("a q", real=True)
    with pytest.raises(InputError, match="q is no variable"):
        sg.scalar(sympy.Lambda((a,), a * q), x)


@pytest.mark.parametrize("shape", [(n, 1), (1, 1)])
def test_axes_of_size_1_are_explained_in_full(shape):
    page = sg.Problem(sg.sum(sg.parameter("A", *shape) ** 2)).explain(detail="full")
    assert "2" in page


def test_a_block_of_zeros_is_a_block():
    found = sg.Problem(sg.sum(sg.exp(x)) + z).hessian("x", "z")
    assert found.shape == x.shape
    assert "0" in str(found)


def test_names_in_formulas_are_passed_through():
    assert sg.latex(sg.named("q", x)) == "x"
    assert sg.latex(sg.norm(z)) == r"\lVert z\rVert"


@pytest.mark.parametrize(("output", "by"), [(sg.log(x - 5), x), (sg.inv(X.T @ X), X)])
def test_forward_mode_finds_its_points_too(output, by):
    pushed = sg.jvp(output, by, sg.data("U", *by.shape))
    assert str(pushed)
