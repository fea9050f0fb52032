"""How much a page says: brief is a line a step, normal an index line where it is needed, full every step entry by entry."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import sympy
from chosen import EXAMPLES, problem_at
from test_pages import compiled_log, flaws

import symgrad as sg
from symgrad.explain import reasons, sentences
from symgrad.prose import Text

ROOT = Path(__file__).resolve().parent.parent
MODELS = sorted((ROOT / "tests" / "models").glob("*.py"))
LANGUAGES = ("en", "zh")


@cache
def plain_sympy():
    x, y, w, b = sympy.symbols("x y w b")
    loss = (w * sympy.tanh(w * x + b) / (1 + w**2) - y) ** 2 / 2 + sympy.atan(w * b) * sympy.exp(-(b**2))
    return sg.Problem(loss, parameters=[w, b], docstring="A plain loss")


@cache
def attention():
    n, d, k = sg.dims("n d k")
    Q, K, V, G = sg.parameter("Q", n, d), sg.parameter("K", n, d), sg.parameter("V", n, k), sg.data("G", n, k)
    P = sg.softmax(Q @ K.T / sg.sqrt(d))
    O = P @ V  # noqa: E741  # the letter of the literature
    return sg.Problem(sg.sum(G * O), names={"Q": Q, "K": K, "V": V, "G": G, "P": P, "O": O}, docstring="Attention")


def section(page, number):
    return re.split(r"^## \d+ .*$", page, flags=re.M)[number]


def loaded(stem):
    return problem_at(next(p for p in (*EXAMPLES, *MODELS) if p.stem == stem))


PROBLEMS = {
    "softmax_regression": lambda: loaded("softmax_regression"),
    "two_layer_net": lambda: loaded("p30_relu_net"),
    "circuit": lambda: loaded("p04_circuit"),
    "trace": lambda: loaded("p22_trace"),
    "attention": attention,
    "sympy": plain_sympy,
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("detail", ["brief", "full"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_pages_of_every_detail_compile(name, detail, language, tmp_path):
    assert flaws(compiled_log(PROBLEMS[name]().explain("latex", language, detail), tmp_path)) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", [*EXAMPLES, *MODELS], ids=lambda p: p.stem)
def test_brief_is_one_line_a_step(path, language):
    problem = problem_at(path)
    backward = section(problem.explain("markdown", language, "brief"), 3)
    (display,) = re.findall(r"```math\n(.*?)```", backward, re.S)
    assert not re.sub(r"```math\n.*?```", "", backward, flags=re.S).strip(), "no heading and no paragraph"
    steps = problem.derive().backward
    numbers = [int(k) for k in re.findall(r"\((\d+)\)(?: \\\\)?$", display, re.M)]
    assert numbers == [eq.label for eq in steps]
    assert display.count(" &= ") == len(steps)
    assert display.count(r"\text{") >= len(steps), "each has its reason"


def test_full_follows_the_loss_through_every_place():
    step = section(loaded("softmax_regression").explain("markdown", "en", "full"), 3).split("**Step ")[3]
    order = [
        r"z_{iq} &= \sum_{j} x_{ij}\, w_{jq}",
        "Only the terms with $`j = m`$ and $`q = r`$ hold $`w_{mr}`$",
        r"\frac{\partial z_{iq}}{\partial w_{mr}} &= \sum_{j} x_{ij}\, [j = m]\, [q = r]",
        r"&= x_{im}\, [q = r]",
        r"\sum_{i,q} \frac{\partial L}{\partial z_{iq}}\, \frac{\partial z_{iq}}{\partial w_{mr}}",
        r"\sum_{i,q} \frac{\partial L}{\partial z_{iq}}\, x_{im}\, [q = r]",
        r"\sum_{i} x_{im}\, \frac{\partial L}{\partial z_{ir}}",
        r"\left(X^{\top}\,\frac{\partial L}{\partial Z}\right)_{mr}",
        "$`X`$ comes transposed, and on the left",
        r"\frac{\partial L}{\partial W} &= X^{\top}\,\frac{\partial L}{\partial Z}",
    ]
    places = [step.index(line) for line in order]
    assert places == sorted(places)


def test_full_shows_every_share_and_adds_them():
    page = section(loaded("p30_relu_net").explain("markdown", "en", "full"), 3)
    step = next(s for s in page.split("**Step ") if r"\partial L/\partial W_{2}`$, contraction" in s)
    assert r"\frac{\partial}{\partial w_{2,ru}}\Bigl(\tfrac{1}{2}\, \lambda\, \sum_{p,q} w_{2,pq}^{2}\Bigr)" in step
    assert r"\sum_{i} h_{ir}\, \frac{\partial L}{\partial a_{iu}} + \lambda\, w_{2,ru}" in step
    # A part is never called the whole derivative.
    assert r"\frac{\partial L}{\partial w_{2,ru}} &= \lambda\, w_{2,ru}" not in step


def test_full_names_the_rules_of_one_variable():
    w, h = sympy.symbols("w h")
    page = sg.Problem(h * w / (1 + w) + w**3, parameters=[w]).explain("markdown", "en", "full")
    assert r"\text{quotient rule: }" in page
    assert r"\frac{\partial}{\partial w}\left(\frac{h w}{w + 1}\right) &= \frac{h\,(w + 1) - h w}{(w + 1)^{2}}" in page
    assert r"\frac{d}{d w}\bigl(w^{3}\bigr) &= 3 w^{2} && \text{power rule: }" in page
    normal = sg.Problem(w / (1 + w), parameters=[w]).explain("markdown", "en", "normal")
    assert "This is a case of the quotient rule." in normal
    assert "rule by rule" not in normal


def test_normal_says_no_more_than_it_did():
    page = loaded("p30_relu_net").explain("markdown", "en", "normal")
    assert "Entry by entry" not in page
    assert "read back" not in page


@pytest.mark.parametrize("module", [reasons, sentences])
def test_both_languages_have_the_same_places(module):
    texts = {name: value for name, value in vars(module).items() if isinstance(value, Text)}
    for name, text in texts.items():
        assert set(re.findall(r"\{(\w+)\}", text.en)) == set(re.findall(r"\{(\w+)\}", text.zh)), name
        # Chinese prose ends and pauses in full-width signs, and keeps a space before a formula.
        assert not re.search(r"[\u4e00-\u9fff][,.;:!?]", text.zh), name
        assert not re.search(r"[\u4e00-\u9fff]\{(?!rule\})", text.zh), name
