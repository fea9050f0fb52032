"""In a notebook: IPython's own formatter is asked, names cannot break out of the formula, and what is huge stays plain text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chosen import EXAMPLES, problem_at
from effort import calls
from notation.test_names import HOSTILE

import symgrad as sg
from symgrad.graph.expression import Role, leaf
from symgrad.notation.latex import latex, symbols_used

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted([*EXAMPLES, *(ROOT / "tests" / "models").glob("*.py")])
# GitHub refuses the first; the second is not in KaTeX; the others need packages that MathJax does not load by itself.
REFUSED = r"\\operatorname|\\substack|\\tag|\\usepackage|\\newcommand|\\begin\{align\*?\}|\\needspace"
CHAIN = 3000


def data_of(value):
    """What IPython would send to the notebook, by MIME type."""
    core = pytest.importorskip("IPython.core.formatters", reason="IPython asks for what is shown")
    formatter = core.DisplayFormatter()
    formatter.active_types = ["text/plain", "text/markdown", "text/latex"]
    data, _ = formatter.format(value)
    return data


def chain():
    e = x = sg.parameter("x")
    for _ in range(CHAIN):
        e = sg.tanh(e) + x
    return e


def displays(text):
    return re.findall(r"\$\$\n(.*?)\n\$\$", text, re.S)


def assert_closed(formula):
    """Nothing in a formula ends it, and its braces are paired."""
    assert re.search(r"(?<!\\)\$", formula) is None
    bare = re.sub(r"\\.", "", formula)
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"\n\s*\n", formula), "an empty line would end the formula"
    assert not re.search(REFUSED, formula)


def test_an_expression_is_latex():
    n, d = sg.dims("n d")
    e = sg.data("X", n, d).T @ sg.data("r", n)
    assert data_of(e)["text/latex"] == r"$\displaystyle X^{\top} r$"
    assert set(data_of(e)) == {"text/plain", "text/latex"}


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_everything_of_a_model_is_shown(path):
    problem = problem_at(path)
    derivation = problem.derive(prove=False)
    for e in derivation.gradients.values():
        shown = data_of(e)["text/latex"]
        assert shown == rf"$\displaystyle {latex(e)}$"
        assert_closed(shown[1:-1])
    text = data_of(derivation)["text/markdown"]
    forward, backward, box = displays(text)
    assert [int(k) for k in re.findall(r"\((\d+)\)(?: \\\\\[4pt\])?$", forward, re.M)] == [
        eq.label for eq in derivation.forward
    ]
    assert [int(k) for k in re.findall(r"\((\d+)\)(?: \\\\\[4pt\])?$", backward, re.M)] == [
        eq.label for eq in derivation.backward
    ]
    assert box.startswith(r"\boxed")
    in_matrices = [e for e in derivation.gradients.values() if "entries" not in symbols_used(e) and e.rank <= 2]
    assert all(latex(e) in box for e in in_matrices if len(latex(e)) < 60)
    for formula in displays(text):
        assert_closed(formula)


def test_a_problem_is_its_title_its_loss_and_its_model_and_nothing_is_derived():
    problem = sg.load(str(ROOT / "examples" / "softmax_regression.py"))
    text = data_of(problem)["text/markdown"]
    assert text.startswith("**Softmax regression**\n\nWhich of k classes")
    forward, model = displays(text)
    assert r"L &= -\frac{1}{n}\,\langle Y, \log P\rangle" in forward
    assert r"\mathrm{model} &= P" in model
    assert problem._derivations == {}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_cannot_break_out(name):
    e = leaf(name, (), Role.PARAMETER)
    shown = (e * e + 1)._repr_latex_()
    assert shown.startswith(r"$\displaystyle ")
    assert_closed(shown[1:-1])
    assert "<" not in shown
    derivation = sg.Problem(e * sg.exp(e)).derive(prove=False)
    for formula in displays(derivation._repr_markdown_()):
        assert_closed(formula)


def test_text_of_the_users_prints_as_itself():
    x = sg.parameter("x")
    problem = sg.Problem(x**2, docstring="A $x$ <b>title</b>: with **stars**\n\nand $$ \\end{aligned} $$ `code`")
    text = problem._repr_markdown_()
    prose = re.sub(r"^\$\$\n.*?\n\$\$$", "", text, flags=re.S | re.M)
    assert re.search(r"(?<!\\)[$<`]", prose) is None
    assert len(displays(text)) == 1


def test_a_huge_graph_is_plain_text_at_once():
    e = chain()
    assert set(data_of(e)) == {"text/plain"}
    problem = sg.Problem(e)
    assert set(data_of(problem)) == {"text/plain"}
    # A thousand calls for a step of the chain: linear.
    assert calls(lambda: (data_of(e), data_of(problem))) < 2000 * CHAIN


def test_a_long_derivation_is_plain_text_and_says_what_it_is():
    H = sg.data("H", *sg.dims("n d"))
    for k in range(60):
        H = sg.tanh(H @ sg.parameter(f"W{k}", H.shape[1], H.shape[1]))
    derivation = sg.Problem(sg.sum(H**2)).derive(prove=False)
    data = data_of(derivation)
    assert set(data) == {"text/plain"}
    assert data["text/plain"].startswith("<Derivation of L by W0, W1")
    assert len(data["text/plain"]) < 400
