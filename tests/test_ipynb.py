"""Notebooks run from top to bottom, in any folder, and hold the derivation as Jupyter reads it."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from chosen import EVERY
from nbclient import NotebookClient

import symgrad as sg
from symgrad.formats import ipynb
from symgrad.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
# A file whose text is the cell, one whose loop names its values (the cell builds them again), one in SymPy.
THREE = ("poisson_regression", "deep_net", "sympy_neuron")
RUN = [path.stem for path in EVERY] if os.environ.get("SYMGRAD_ALL") else THREE


@cache
def problem_of(stem: str) -> Problem:
    return sg.load(str(ROOT / "examples" / f"{stem}.py"))


@cache
def notebook_of(stem: str, language: str = "en") -> Any:
    text = problem_of(stem).explain("ipynb", language)
    found = nbformat.reads(text, as_version=4)
    nbformat.validate(found)
    return found


def code_of(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: Any) -> str:
    return "".join(out.get("text", "") for out in cell.outputs)


@pytest.mark.parametrize("stem", RUN)
def test_a_notebook_runs_from_top_to_bottom(stem, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.from_dict(notebook_of(stem))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    source, sample, check, fit, plot = (printed(cell) for cell in cells[-5:])
    assert "def value_and_gradients(" in source
    assert source.startswith(f'"""{problem_of(stem).title.en}\n')
    parameters = [p.name for p in problem_of(stem).derive().parameters]
    assert [line.split()[0] for line in sample.splitlines()] == [
        a.name for a in problem_of(stem).compile(prove=False).arguments if a.default is None
    ]
    # What the cell itself asserts, seen from outside.
    for name in parameters:
        found = re.search(rf"^{name}: (\S+) by differences, (\S+) by the gradient$", check, re.M)
        assert found is not None
        assert float(found[1]) == pytest.approx(float(found[2]), rel=1e-4, abs=1e-5)
    start = float(re.match(r"L = (\S+)", check)[1])
    assert float(re.match(r"L = (\S+)", fit)[1]) < start
    assert re.search(r"after \d+ steps: \w+", fit)
    assert plot == ""
    assert any("image/png" in out.get("data", {}) for out in cells[-1].outputs)
    assert list(tmp_path.iterdir()) == []


def equations(problem: Problem) -> list[str]:
    found = problem.derive(prove=False)
    return [f"{eq.target} = {eq.expression}" for eq in (*found.forward, *found.backward)]


@pytest.mark.parametrize("stem", RUN)
def test_the_cells_make_the_problem_that_was_explained(stem):
    variables: dict[str, Any] = {}
    for code in code_of(notebook_of(stem)):
        if "problem.compile" in code:
            break
        exec(code, variables)  # our own cells, and the example's own text
    assert equations(variables["problem"]) == equations(problem_of(stem))


def test_a_problem_that_no_file_holds_is_built_again():
    n, d, k = sg.dims("n d k")
    X, c = sg.data("X", n, 2 * d + 1, about='rows of "X" {{ 7*7 }} $x$\\input{y}\n</script>'), sg.labels("c", n, k)
    s = sg.data("s", n, sign=True, about=sg.Text(en="signs", zh="符号"))
    W, a = sg.parameter("W", 2 * d + 1, k), sg.hyperparameter("a", 0.1)
    third, free = sg.hyperparameter("third", 1), sg.hyperparameter("free")
    P = sg.softmax(X @ W)
    loss = -sg.mean(s * sg.log(P[sg.arange(n), c])) + a * third * free * sg.sum(W**2)
    problem = Problem(loss, model=P, names={"X": X, "P": P})
    source = code_of(nbformat.reads(problem.explain("ipynb"), as_version=4))[0]
    variables: dict[str, Any] = {}
    exec(source, variables)
    again = variables["problem"]
    assert equations(again) == equations(problem)
    told = {e.name: (e.role, e.shape, e.facts, e.about, e.value) for e in problem.leaves}
    assert {e.name: (e.role, e.shape, e.facts, e.about, e.value) for e in again.leaves} == told
    assert str(again.model) == str(problem.model)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_derivation_cells_are_markdown_as_jupyter_reads_it(language):
    cells = [cell.source for cell in notebook_of("poisson_regression", language).cells if cell.cell_type == "markdown"]
    headings = [cell.split("\n")[0] for cell in cells]
    assert [h for h in headings if h.startswith("# ")] == ["# Poisson regression" if language == "en" else "# 泊松回归"]
    assert sum(h.startswith("### ") for h in headings) == 4
    text = "\n".join(cells)
    assert "$`" not in text
    assert "```math" not in text
    assert text.count("$$") % 2 == 0
    assert "|:--|:--|:--|:--|" in text
    # MathJax, unlike TeX on our pages, sets rows of fractions edge to edge.
    assert set(re.findall(r"\\\\(?:\[.*?\])?(?=\n)", text)) == {r"\\[4pt]"}
    # η is the user's: the learning rate is called otherwise.
    assert r"w - \alpha\,\frac{\partial L}{\partial w}" in text
    prose = re.sub(r"""<img alt="|" src="[^"]*">|```.*?```|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`""", "", text, flags=re.S)
    assert language == "en" or not re.search(r"\b[a-z]{3,}\b", prose.replace("symgrad", "").replace("matplotlib", ""))


def test_cells_are_numbered_and_none_has_been_run():
    held = json.loads(nbformat.writes(notebook_of("poisson_regression")))
    assert [cell["id"] for cell in held["cells"]] == [f"cell-{k + 1}" for k in range(len(held["cells"]))]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in held["cells"] if "outputs" in cell)


def test_pages_of_another_kind_are_notebooks_without_cells_that_run():
    n = sg.dims("n")
    x = sg.parameter("x", n)
    text = Problem(sg.sum(x**2)).extrema().explain("ipynb")
    assert {cell.cell_type for cell in nbformat.reads(text, as_version=4).cells} == {"markdown"}


def test_without_nbformat_the_line_that_installs_it_is_given(monkeypatch):
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(ipynb, "import_module", missing)
    with pytest.raises(sg.MissingTool, match=re.escape("pip install 'symgrad[notebook]'")):
        problem_of("poisson_regression").explain("ipynb")


@pytest.mark.parametrize(
    "fact", ["one_hot", "sign", "binary", "positive", "nonnegative", "symmetric", "positive_definite"]
)
def test_samples_have_the_declared_facts(fact):
    n, k = sg.dims("n k")
    shape = (n, n) if fact in ("symmetric", "positive_definite") else (n, k)
    A, x = sg.data("A", *shape, **{fact: True}), sg.parameter("x", *shape)
    problem = Problem(sg.sum(A * x**2))
    arrays = problem.sample(seed=3, n=4)
    assert arrays["A"].shape[0] == 4
    value, _ = problem.compile(prove=False)(**arrays)  # checks the fact
    assert value == pytest.approx((arrays["A"] * arrays["x"] ** 2).sum())
    assert (problem.sample(seed=3, n=4)["x"] == arrays["x"]).all()
    with pytest.raises(sg.InputError, match="there is no size q; the sizes are n"):
        problem.sample(q=3)


def test_samples_stay_where_the_loss_has_a_value():
    n = sg.dims("n")
    p = sg.parameter("p", n)
    arrays = Problem(-sg.sum(sg.log(p))).sample(n=2)
    assert (arrays["p"] > 0).all()


def test_a_chinese_notebook_says_in_chinese_why_a_fit_ended(capsys):
    variables: dict[str, Any] = {}
    *cells, plot = code_of(notebook_of("poisson_regression", "zh"))
    assert "plt.show()" in plot
    for code in cells:
        exec(code, variables)  # our own cells, and the example's own text
    assert re.search(r"停止原因：[\u4e00-\u9fff]+$", capsys.readouterr().out.strip())
