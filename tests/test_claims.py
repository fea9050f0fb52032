"""Claimed gradients: four hundred of them, half wrong and half right, and what is said of each.

The wrong ones are made by one slip of the pen (`mutations.py`) and really differ in float64 (`floats.py`); the right ones
are the derived lines written otherwise.
"""

from __future__ import annotations

import tracemalloc
from functools import cache
from pathlib import Path
from random import Random

import pytest
from chosen import problem_at
from floats import differ, program_values
from mutations import slips
from rearrangements import rearranged

from symgrad.derive.claim import Answer
from symgrad.errors import InputError, ShapeError

FOLDER = Path(__file__).parent / "models"
FILES = {path.stem: path for path in sorted(FOLDER.glob("p[0-9]*.py"))}
SHARE = 10  # of each kind, for each model


def problem(name):
    return problem_at(FILES[name])


@cache
def derivation(name):
    return problem(name).derive()


@cache
def points(name):
    return [program_values(derivation(name), seed) for seed in (1, 2)]


@cache
def wrong_claims(name):
    """(text, kind): gradients and cotangents with one slip, and with a transpose lost in the text."""
    d, random = derivation(name), Random(f"wrong claims of {name}")
    others = [*d.leaves, *(eq.target for eq in d.forward[:-1])]
    found = [(eq, kind, wrong) for eq in d.backward for kind, wrong in slips(eq.expression, others)]
    random.shuffle(found)
    turned = [(eq.name, str(eq.expression)) for eq in d.backward if ".T" in str(eq.expression)]
    claims = [(f"{left} = {right.replace('.T', '', 1)}", "a transpose lost") for left, right in turned]
    for eq, kind, wrong in found:
        verdicts = [differ(eq.expression, wrong, *point) for point in points(name)]
        if None not in verdicts and True in verdicts:
            claims.append((f"{eq.name} = {wrong}", kind))
        if len(claims) == SHARE:
            break
    return claims[:SHARE]


@cache
def right_claims(name):
    """(text, kind): gradients and cotangents written otherwise."""
    d, random = derivation(name), Random(f"right claims of {name}")
    claims = [(f"{eq.name} = {text}", kind) for eq in d.backward for kind, text in rearranged(d, eq)]
    kinds = sorted({kind for _, kind in claims})
    random.shuffle(claims)
    # One of each kind first, then as they come.
    first = [next(claim for claim in claims if claim[1] == kind) for kind in kinds]
    return list(dict.fromkeys([*first, *claims]))[: SHARE + 4]


def does_not_fit(name, text):
    """Whether the right side of a claim is refused for its shapes already."""
    try:
        problem(name).parse(text.partition(" = ")[2])
    except ShapeError:
        return True
    return False


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_claim_is_refused(name):
    for text, kind in wrong_claims(name):
        if does_not_fit(name, text):
            assert kind == "a transpose lost", text
            with pytest.raises(ShapeError, match=r"^claim:1:"):
                problem(name).check_claim(text)
            continue
        judgement = problem(name).check_claim(text)
        assert judgement.answer is Answer.NOT_EQUAL, f"{kind}: {judgement}"
        assert "\n" not in str(judgement)


@pytest.mark.parametrize("name", FILES)
def test_a_right_claim_is_accepted(name):
    for text, kind in right_claims(name):
        left, _, right = text.partition(" = ")
        eq = next(eq for eq in derivation(name).backward if eq.name == left)
        claimed = problem(name).parse(right)
        assert [differ(eq.expression, claimed, *point) for point in points(name)] == [False, False], f"{kind}: {text}"
        judgement = problem(name).check_claim(text)
        assert judgement.answer is Answer.EQUAL, f"{kind}: {judgement}"


def test_there_are_two_hundred_of_each():
    wrong = [claim for name in FILES for claim in wrong_claims(name)]
    right = [claim for name in FILES for claim in right_claims(name)]
    assert len(wrong) >= 200
    assert len({kind for _, kind in wrong}) >= 12
    assert len(right) >= 200
    assert len({kind for _, kind in right}) >= 9
    unfit = [text for name in FILES for text, _ in wrong_claims(name) if does_not_fit(name, text)]
    assert len(unfit) < 30, "the others are judged by their values"


# ---- what is said


WRONG = [
    # What people write on the board, and what helps them.
    ("p01_least_squares", "w = X.T @ r", "your answer is n times the gradient"),
    ("p01_least_squares", "w = 2 * X.T @ r / n", "your answer is 2 times the gradient"),
    ("p01_least_squares", "w = X.T @ (y - X @ w - b) / n", "your answer is -1 times the gradient"),
    ("p01_least_squares", "w = X.T @ r / d", "your answer is n / d times the gradient"),
    ("p01_least_squares", "w = X.T @ r / 3", "your answer is n / 3 times the gradient"),
    ("p01_least_squares", "w = X.T @ r / 12", "your answer is n / 12 times the gradient"),
    ("p01_least_squares", "w = X.T @ r * d / 12", "your answer is n * d / 12 times the gradient"),
    ("p01_least_squares", "w = X.T @ r / (7 - d)", "at random numbers with"),
    ("p01_least_squares", "w = r @ X / n**2", "your answer is 1 / n times the gradient"),
    ("p01_least_squares", "b = r / n", "its shape is (n,), the gradient's is ()"),
    ("p01_least_squares", "w = 0 * w", "your answer is 0 everywhere, the gradient is not"),
    ("p01_least_squares", "w = X.T @ r / n + w", "the term w is too many"),
    ("p03_quadratic_form", "x = A @ x", "the term A.T @ x is missing"),
    ("p03_quadratic_form", "x = 2 * A @ x", "at random numbers with n="),
    ("p07_ridge", "w = 2 * X.T @ r", "the term 2 * lam * w is missing"),
    ("p07_ridge", "w = 2 * X.T @ r + lam * w", "the term 2 * lam * w is only half there"),
    ("p07_ridge", "w = 2 * X.T @ r - 2 * lam * w", "the term 2 * lam * w has the wrong sign"),
    ("p09_logistic_signs", "w = c * (w - c * X.T @ (y * sigmoid(z)))", "your answer is c times the gradient"),
    ("p11_softmax_regression", "Z = S_bar * S * (1 - S)", "at random numbers with"),
    ("p11_softmax_regression", "W = (S - T).T @ X / n", "the gradient's is (d, k); the transpose has the right shape, but"),
    ("p11_softmax_regression", "W = (X.T @ (S - T) / n + lam * W).T", "the gradient's is (d, k); the transpose is equal"),
    ("p11_softmax_regression", "b = sum(S - T, axis=1) / n", "its shape is (n,), the gradient's is (k,)"),
    ("p11_softmax_regression", "W = X.T @ S / n + lam * W", "the term -X.T @ T / n is missing"),
    ("p19_logdet", "X = inv(X)", "your answer is the transpose of the gradient"),
    ("p29_hidden_layer", "z = W2.T @ (o - y) * (1 - h)", "at random numbers with"),
    ("p29_hidden_layer", "W2 = outer(h, o - y)", "its shape is (m, k), the gradient's is (k, m); the transpose has the right"),
    ("p04_circuit", "x = 1 / D", "the term"),
    ("p04_circuit", "x = x", "at random numbers it is"),
]  # fmt: skip
RIGHT = [
    ("p09_logistic_signs", "w = w - c * X.T @ (y * (1 - sigmoid(y * (X @ w))))"),
    ("p10_binary_cross_entropy", "w = -X.T @ (y * (1 - p) - (1 - y) * p) / n"),
    ("p11_softmax_regression", "W = X.T @ (S * sum(T, axis=1, keepdims=True) - T) / n + lam * W"),
    ("p11_softmax_regression", "W = X.T @ Z_bar + W * lam"),
    ("p11_softmax_regression", "dL/dW = X.T @ (exp(X @ W + b) / sum(exp(X @ W + b), axis=1, keepdims=True) - T) / n + lam * W"),
    ("p11_softmax_regression", "∂L/∂Z = S * (S_bar - sum(S_bar * S, axis=1, keepdims=True))"),
    ("p11_softmax_regression", "b_bar = ones(n) @ Z_bar"),
    ("p14_poisson", "w = sum(X * (exp(X @ w) - y)[:, None], axis=0)"),
    ("p15_huber", "w = X.T @ where(r > delta, delta, where(r < -delta, -delta, r))"),
    ("p19_logdet", "X = inv(X.T)"),
    ("p21_inverse_sandwich", "X = -outer(solve(X.T, a), solve(X, b))"),
    ("p30_relu_net", "Z = H_bar * where(Z > 0, 1, 0)"),
    ("p31_tanh_net", "Z1 = H1_bar * (1 - tanh(X @ W1 + b1)**2)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "words"), WRONG)
def test_a_wrong_answer_gets_the_hint_that_helps(name, text, words):
    judgement = problem(name).check_claim(text)
    assert judgement.answer is Answer.NOT_EQUAL
    assert words in judgement.reason.en
    assert str(judgement).startswith(f"{text}: not equal; ")


@pytest.mark.parametrize(("name", "text"), RIGHT)
def test_a_right_answer_that_looks_different_is_equal(name, text):
    assert problem(name).check_claim(text).answer is Answer.EQUAL


def test_how_it_was_found_is_said():
    by_form = problem("p11_softmax_regression").check_claim("W = lam * W - X.T @ (T - S) / n")
    assert (by_form.points, by_form.reason.en) == (0, "both sides have one normal form")
    by_fact = problem("p11_softmax_regression").check_claim("Z = (S * sum(T, axis=1, keepdims=True) - T) / n")
    assert by_fact.reason.en == "both sides have one normal form"
    by_numbers = problem("p15_huber").check_claim(RIGHT[8][1])
    assert by_numbers.points == 20
    assert by_numbers.reason.en == "both sides agree to 30 digits at 20 random points (verified numerically)"
    assert "数值验证" in by_numbers.reason.zh


def test_a_fact_that_is_not_stated_is_not_used():
    loss = "p12_cross_entropy"
    assert problem(loss).check_claim("z = softmax(z) - t").answer is Answer.NOT_EQUAL
    assert problem(loss + "_one_hot").check_claim("z = softmax(z) - t").answer is Answer.EQUAL


def test_no_point_in_the_domain_is_no_answer():
    judgement = problem("p01_least_squares").check_claim("w = X.T @ r / n + 0 * log(-w**2)")
    assert judgement.answer is Answer.UNDECIDED
    assert "too few points" in str(judgement)


def test_a_difference_in_the_thirtieth_digit_is_seen():
    for tiny in ("1e-28", "1e-60", "1e-200"):
        judgement = problem("p01_least_squares").check_claim(f"b = sum(r) / n + {tiny}")
        assert judgement.answer is Answer.NOT_EQUAL, tiny


def test_what_would_fill_the_memory_is_no_number():
    tracemalloc.start()
    for text in ("b = exp(exp(exp(exp(b**2 + 100))))", "b = sin(exp(exp(b + 20)))", "b = " + "sum(r) * " * 40 + "1"):
        assert problem("p01_least_squares").check_claim(text).answer is not Answer.EQUAL
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("X.T @ r", "claim:1:8: no `=`; write a parameter's name, =, and its gradient: W = …"),
        ("W = X.T @ r", "claim:1:1: no gradient is called W; did you mean w?"),
        ("X = X.T @ r", "claim:1:1: no gradient is called X; write one of r, w, b"),
        (" = r", "claim:1:2: no gradient is called nothing; write one of r, w, b"),
        ("w == X.T @ r", "claim:1:3: == is not understood; write ="),
        ("w = X.T @ q", "claim:1:11: q is not known; did you mean "),
        ("w = X @ r", "claim:1:5: (X) @ (r): shapes (n, d) and (n,) do not fit, d is not n"),
        ("w = ", "claim:1:"),
        ("dQ/dw = r", "claim:1:1: no gradient is called dQ/dw"),
        ("w = X.T（r", "claim:1:8: （ is a fullwidth left parenthesis; write ("),
    ],
)
def test_a_claim_that_cannot_be_read_is_one_line(text, line):
    with pytest.raises(InputError) as e:
        problem("p01_least_squares").check_claim(text)
    assert str(e.value).startswith(line.removesuffix("did you mean "))
    assert "\n" not in str(e.value)
