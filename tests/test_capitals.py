"""Names that differ in case only: of A and a = A W each keeps entries of its own, in every format and both languages."""

from __future__ import annotations

import re

import pytest

import symgrad as sg
from symgrad.notation.latex import latex
from symgrad.problem import Problem

LANGUAGES = ("en", "zh")
# The line a_ip = Σ_j A_ij w_jp, and Y_ij told from y_ij, as each format has them.
LATEX = (r"a_{ip} &= \sum_{j} A_{ij}\, w_{jp}", "Y_{ip}")
MATHML = r"<msub><mi>{}</mi><mrow><mi>i</mi><mi>{}</mi></mrow></msub>"
SHOWN = {
    "markdown": LATEX,
    "common": LATEX,
    "latex": LATEX,
    "html": (MATHML.format("A", "j"), MATHML.format("a", "p"), MATHML.format("Y", "p"), MATHML.format("y", "p")),
    "text": ("aᵢₚ = ∑ Aᵢⱼ wⱼₚ", "Y_ip"),
}


@pytest.fixture(scope="module")
def problem() -> Problem:
    n, d, k = sg.dims("n d k")
    A, Y, W = sg.data("A", n, d), sg.data("Y", n, k), sg.parameter("W", d, k)
    a = A @ W
    y = sg.tanh(a)
    return sg.Problem(sg.sum((y - Y) ** 2) / 2, names={"a": a, "y": y})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("format", SHOWN)
def test_entries_say_whose_they_are(problem, format, language):
    page = problem.explain(format=format, language=language)
    for part in SHOWN[format]:
        assert part in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_entry_stands_at_the_places_of_its_own_array(problem, language):
    """A is n × d and a is n × k: the letters of d are j and q, those of k are p and m."""
    page = problem.explain(format="latex", language=language, detail="full")
    places = {name: set(re.findall(rf"(?<![a-zA-Z\\]){name}_\{{([a-z]+)\}}", page)) for name in "AaYyWw"}
    assert places["A"] == {"ij", "iq"}
    assert {p[1] for p in places["a"] | places["y"] | places["Y"]} == {"p", "m"}
    assert r"y_{ip} - Y_{ip}" in page
    assert not places["W"]
    assert places["w"] >= {"jp"}


def test_both_kinds_are_introduced(problem):
    said = {language: problem.explain(language=language, format="common") for language in LANGUAGES}
    assert "$A_{ij}$ is an entry of $A$, $a_{ip}$ one of $a$" in said["en"]
    assert "$A_{ij}$ 是 $A$ 的元素，$a_{ip}$ 是 $a$ 的元素" in said["zh"]


def test_loss_and_hessian_agree():
    n, d = sg.dims("n d")
    X, x, w, W = sg.data("X", n, d), sg.data("x", n), sg.parameter("w", d), sg.data("W", d, d)
    problem = sg.Problem(sg.sum(sg.exp(X @ (W @ w)) * x))
    page = problem.hessian("w").explain(format="latex")
    assert r"\sum_{j,q} X_{ij}\, W_{jq}\, v_{q}\, x_{i}\, e^{z_{i}}" in page
    assert "x_{ij}" not in page


def test_a_formula_alone():
    n = sg.dims("n")
    A, a, b = sg.data("A", n, n), sg.data("a", n, n), sg.data("b", n, n)
    shown = latex(sg.einsum("ijk,ij,ik->ijk", sg.einsum("ij,jk->ijk", A, a), b, A))
    assert "A_{" in shown
    assert "a_{" in shown
