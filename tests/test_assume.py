"""Facts assumed of a value that is computed: used by lines, said on the page, checked in code, refused where they are false."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import symgrad as sg
from symgrad.derive.derivation import Verdict
from symgrad.errors import CheckFailed, InputError, ShapeError
from symgrad.primitives.facts import FACTS

n, d = sg.dims("n d")
A, x, y = sg.parameter("A", n, n), sg.parameter("x", n), sg.data("y", n)
D = sg.data("D", n, n, symmetric=True)
s = sg.parameter("s")


def kernel(**facts):
    K = sg.assume(sg.exp(D * s) + sg.eye(n), **facts)
    return sg.Problem(y @ sg.solve(K, y) / 2 + sg.logdet(K) / 2, names={"K": K})


def test_every_fact_of_the_table_can_be_assumed():
    parameters = inspect.signature(sg.assume).parameters.values()
    assert {p.name for p in parameters if p.kind is p.KEYWORD_ONLY} == FACTS.keys()


def test_a_positive_definite_kernel_ends_in_the_line_of_the_textbook():
    derivation = kernel(positive_definite=True).derive()
    (step,) = [eq for eq in derivation.backward if eq.variable.name == "K"]
    assert str(step.expression) == "(inv(K) - outer(solve(K, y), solve(K, y))) / 2"
    assert [line.proof.verdict for line in step.lines] == [Verdict.PROVED] * 2
    (forward,) = [eq for eq in derivation.forward if eq.name == "K"]
    assert forward.target.facts == {"positive_definite"}


@pytest.mark.parametrize(
    ("language", "words"), [("en", "$`K`$ is symmetric and positive definite"), ("zh", "$`K`$ 对称正定")]
)
def test_the_page_says_what_is_assumed(language, words):
    assert words in kernel(positive_definite=True).explain(language=language)
    plain = sg.Problem(sg.logdet(sg.exp(D * s) + sg.eye(n)))
    assert words not in plain.explain(language=language)


@pytest.mark.parametrize("fact", ["symmetric", "positive_definite"])
def test_what_is_false_is_refused(fact):
    K = sg.assume(A @ A, **{fact: True})
    with pytest.raises(CheckFailed, match="what is assumed of K does not hold"):
        sg.Problem(x @ K @ x, names={"K": K}).derive()


@pytest.mark.parametrize("fact", ["symmetric", "positive_definite"])
def test_compiled_code_checks_what_its_gradients_rest_on(fact):
    K = sg.assume(A + A, **{fact: True})
    f = sg.Problem(x @ K @ x, names={"K": K}).compile(prove=False)
    with pytest.raises(InputError, match=r"K is declared .*symmetric"):
        f(A=np.array([[1.0, 2.0], [3.0, 4.0]]), x=np.ones(2))
    symmetric = np.array([[2.0, 1.0], [1.0, 2.0]])
    _, gradients = f(A=symmetric, x=np.ones(2))
    assert np.allclose(gradients["x"], 4 * symmetric @ np.ones(2))


def test_positive_definite_data_are_checked_for_the_symmetry_that_is_used():
    M = sg.data("M", n, n, positive_definite=True)
    f = sg.Problem(x @ M @ x).compile()
    with pytest.raises(InputError, match=r"^M is declared positive_definite but is not symmetric"):
        f(M=np.array([[2.0, 1.0], [0.0, 2.0]]), x=np.ones(2))


def test_signs_of_a_computed_value_square_to_one():
    u = sg.assume(sg.where(y > 0, 1, -1) * sg.where(x > 0, 1, -1), sign=True)
    problem = sg.Problem(sg.sum((u * x) ** 2), names={"u": u})
    assert str(problem.derive().gradients["x"]) == "2 * x"


def test_an_assumption_is_read_back():
    e = sg.assume(D * s, symmetric=True)
    assert sg.parse(str(e), {"D": D, "s": s}) is e


@pytest.mark.parametrize(
    ("wrong", "error", "what"),
    [
        (lambda: sg.assume(D, positive=True), InputError, "declared"),
        (lambda: sg.assume(2 * x), InputError, "no fact is given"),
        (lambda: sg.assume(2 * x, symmetric=True), ShapeError, "square"),
        (lambda: sg.Problem(sg.logdet(sg.assume(2 * D * s, symmetric=True))).derive(), InputError, "has no name"),
    ],
)
def test_what_cannot_be_assumed_is_one_line(wrong, error, what):
    with pytest.raises(error, match=what) as refused:
        wrong()
    assert "\n" not in str(refused.value)
