"""Proofs that were once out of reach, and what they must not believe."""

from __future__ import annotations

import pytest
import sympy

import symgrad as sg
from symgrad.atoms import InverseEntry
from symgrad.derive.derivation import Verdict
from symgrad.derive.zero import are_equal
from symgrad.errors import CheckFailed

n, d, k = sg.dims("n d k")


def softmax_with_a_named_score():
    """Written with log_softmax, the softmax in the gradient has no name of its own: its sums stay in denominators."""
    X, Y, W = sg.data("X", n, d), sg.data("Y", n, k, one_hot=True), sg.parameter("W", d, k)
    Z = X @ W
    return sg.Problem(-sg.mean(sg.sum(Y * sg.log_softmax(Z), axis=1)), names={"Z": Z})


def a_system_solved():
    """X⁻ᵀ and X⁻¹ in one line."""
    X, b, t = sg.parameter("X", d, d), sg.parameter("b", d), sg.data("t", d)
    return sg.Problem(t @ sg.solve(X, b))


def sizes_that_are_numbers():
    """784 is proved at a small stand-in, also where a mean divides by it."""
    X, W = sg.data("X", n, 784), sg.parameter("W", 784, 10)
    return sg.Problem(sg.sum(sg.tanh(X @ W)) / n + sg.mean(W**2) / 10)


def a_gradient_that_is_zero():
    """A comparison has the derivative 0, and that is proved from the comparison itself."""
    X, w = sg.data("X", n, d), sg.parameter("w", d)
    return sg.Problem(sg.sum(X @ w > 0))


def a_difference_of_probabilities_and_labels():
    """The rows of D = P - Y sum to 0 since those of P and of Y sum to 1; the line holds no P and no Y."""
    Y, Z, b = sg.data("Y", n, k, one_hot=True), sg.parameter("Z", n, k), sg.parameter("b", n)
    P = sg.named("P", sg.softmax(Z))
    return sg.Problem(sg.sum(sg.named("D", P - Y) * sg.named("V", Z + b[:, None])))


def a_mask_with_a_name():
    """C = 1 - M and D = C ⊙ [X > 0] are masks as M is; of 2 M that is not so, and its line is refused."""
    M, X, W = sg.data("M", n, k, binary=True), sg.data("X", n, k), sg.parameter("W", n, k)
    C = sg.named("C", 1 - M)
    return sg.Problem(sg.sum(sg.where(sg.named("D", C * (X > 0)), W**2, 3 * W) + sg.where(C, W**3, X)))


@pytest.mark.parametrize(
    "problem",
    [
        a_mask_with_a_name,
        softmax_with_a_named_score,
        a_system_solved,
        sizes_that_are_numbers,
        a_gradient_that_is_zero,
        a_difference_of_probabilities_and_labels,
    ],
)
def test_every_line_is_proved(problem):
    derivation = problem().derive()
    assert {line.proof.verdict for eq in derivation.backward for line in eq.lines} == {Verdict.PROVED}
    assert derivation.end_to_end is not None


@pytest.mark.parametrize("mask", [lambda m: 2 * m, lambda m: m - 1, lambda m: 1 + m, lambda m: 1 - 2 * m])
def test_what_is_not_0_or_1_is_no_mask(mask):
    M, W = sg.data("M", n, k, binary=True), sg.parameter("W", n, k)
    with pytest.raises(CheckFailed, match="is not proved"):
        sg.Problem(sg.sum(sg.where(sg.named("C", mask(M)), W**2, 3 * W))).derive()


def test_a_line_says_by_which_facts_a_sum_is_zero():
    derivation = a_difference_of_probabilities_and_labels().derive()
    told = [[(f, e.name) for f, e in line.reason.facts] for eq in derivation.backward for line in eq.lines]
    assert [("softmax", "P"), ("one_hot", "Y"), ("rows_sum_to_zero", "D")] in told


def test_a_threshold_that_is_learnt_is_sampled_positive():
    """Huber's δ as a parameter: for δ ≤ 0 the function means nothing, and no check may look there."""
    X, y, w, delta = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d), sg.parameter("delta")
    derivation = sg.Problem(sg.sum(sg.huber(X @ w - y, delta))).derive()
    assert {eq.name for eq in derivation.backward} == {"r", "w", "delta"}
    assert all(eq.proof.verdict is not Verdict.UNCHECKED for eq in derivation.backward)


def test_reciprocals_of_sums_are_not_believed_to_be_independent():
    """With 1/(x + y) as a symbol two sides may differ that are equal; never the other way round."""
    x, y = sympy.symbols("x y", real=True)
    assert are_equal(x / (x + y) + y / (x + y), sympy.S.One)
    assert not are_equal(1 / (x + y), 1 / (x - y))
    assert not are_equal(x / (x + y), y / (x + y))


def test_the_inverse_of_a_transpose_is_the_transpose_of_the_inverse():
    a = sympy.symbols("a:9", real=True)
    turned = [a[3 * j + i] for i in range(3) for j in range(3)]
    for i in range(3):
        for j in range(3):
            assert InverseEntry(i, j, 3, *a) == InverseEntry(j, i, 3, *turned)
            assert i == j or InverseEntry(i, j, 3, *a) != InverseEntry(j, i, 3, *a)
