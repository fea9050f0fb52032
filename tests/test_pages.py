"""Pages: both languages whole, formulas compile, the code names the page's equations, the user's text prints as itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from chosen import EXAMPLES, pages_of, problem_at

from symgrad.derive.nudge import nudge
from symgrad.modelfile import run_model
from symgrad.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
MODELS = sorted((ROOT / "tests" / "models").glob("*.py"))
GOLDEN = ROOT / "tests" / "golden"
LANGUAGES = ("en", "zh")
SECTIONS = 7

HOSTILE = (
    r"\input{/etc/passwd} {% raw %} {{ 7*7 }} <script>alert(1)</script> $x^2$ `rm` **b** | # & % ~ ^ _ "
    r"\end{document} <<7*7>> <%if%>"
)


def tex_program(text: str) -> str:
    return "pdflatex" if "pdflatex" in text.splitlines()[0] else "xelatex"


def need(program: str) -> None:
    """Without the program a test is skipped, but in CI it fails."""
    if shutil.which(program) is None:
        assert not os.environ.get("CI"), f"{program} is missing; .ci/run installs it"
        pytest.skip(f"{program} is not installed")


def compiled_log(text: str, folder: Path, program: str = "") -> str:
    """The log of a page that TeX has taken without an error."""
    program = program or tex_program(text)
    need(program)
    (folder / "page.tex").write_text(text, encoding="utf-8")
    command = [program, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    for _ in range(4):
        run = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
        assert run.returncode == 0, run.stdout.decode(errors="replace")[-2000:]
        log = (folder / "page.log").read_text(errors="replace")
        # Only a table that may break over pages is set anew, with the widths that the first run wrote down.
        if "Rerun" not in log:
            break
    return log


def flaws(log: str) -> list[str]:
    """Characters that no font had, and lines more than 2 pt too wide."""
    missing = re.findall(r"Missing character.*", log)
    wide = [line for line in re.findall(r"Overfull \\hbox.*", log) if float(re.search(r"\(([\d.]+)pt", line)[1]) > 2]
    return missing + wide


# A page's margins, in points, and how far a full stop of Chinese, half of it empty, hangs into them.
MARGIN, HANGING = 25 / 25.4 * 72, 10


def beyond(pdf: Path) -> list[str]:
    """Words that stand in a margin: TeX reports no number that is pushed over the edge."""
    need("pdftotext")
    run = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, check=True, encoding="utf-8")
    width = float(re.search(r'<page width="([\d.]+)"', run.stdout)[1])
    words = re.findall(r'<word xMin="(-?[\d.]+)" .*xMax="([\d.]+)" .*>(.*)</word>', run.stdout)
    assert words
    room = (MARGIN - HANGING, width - MARGIN + HANGING)
    return [word for left, right, word in words if float(left) < room[0] or float(right) > room[1]]


@pytest.mark.parametrize(("path", "language"), pages_of([*EXAMPLES, *MODELS]), ids=lambda x: getattr(x, "stem", x))
def test_every_page_compiles(path, language, tmp_path):
    page = problem_at(path).explain("latex", language)
    assert flaws(compiled_log(page, tmp_path)) == []
    assert beyond(tmp_path / "page.pdf") == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_page_is_whole(path, language):
    page = problem_at(path).explain("markdown", language)
    assert len(re.findall(r"^## \d+ ", page, re.M)) == SECTIONS
    assert r"\operatorname" not in page
    prose = re.sub(r"```.*?```|\$`.*?`\$|`.*?`", "", page, flags=re.S)
    assert "{" not in prose.replace(r"\{", "")
    if language == "zh":
        headings = re.findall(r"^## \d+ (.*)$", page, re.M)
        assert all(re.search(r"[\u4e00-\u9fff]", h) for h in headings)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_code_names_the_equations_of_the_page(path):
    page = problem_at(path).explain("markdown", "en")
    shown = {int(n) for n in re.findall(r"&& \((\d+)\)", page)}
    code = page.split("```python")[1]
    named = {int(n) for n in re.findall(r"\((\d+)\)", "".join(re.findall(r"#.*", code)))}
    assert named
    assert named <= shown
    derivation = problem_at(path).derive()
    results = {eq.label for eq in derivation.backward if eq.variable in set(derivation.parameters)}
    assert results <= named


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_softmax_regression_is_the_one_that_was_read(language):
    """A golden page: rewrite it with SYMGRAD_UPDATE=1 and read the difference."""
    page = problem_at(ROOT / "examples" / "softmax_regression.py").explain("markdown", language)
    path = GOLDEN / f"softmax_regression.{language}.md"
    if os.environ.get("SYMGRAD_UPDATE"):
        path.write_text(page, encoding="utf-8")
    assert page == path.read_text(encoding="utf-8")


def hostile_problem() -> Problem:
    text = (
        f"{HOSTILE!r}\n"
        "import symgrad as sg\n"
        'n, d = sg.dims("n d")\n'
        f'X = sg.data("X", n, d, about={HOSTILE!r})\n'
        f'w = sg.parameter("w", d, about={HOSTILE!r})\n'
        "loss = sg.sum((X @ w)**2)\n"
    )
    file = run_model(text, "hostile.py", ROOT)
    return Problem(
        file.variables["loss"], names=dict(file.assignments), docstring=HOSTILE + "\n\n" + HOSTILE, source="hostile.py"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_prints_as_itself_in_latex(language, tmp_path):
    page = hostile_problem().explain("latex", language)
    assert r"\input{" not in page
    assert page.count(r"\end{document}") == 1
    assert flaws(compiled_log(page, tmp_path)) == []
    if shutil.which("pdftotext"):
        subprocess.run(["pdftotext", "-layout", "page.pdf"], cwd=tmp_path, check=True)
        printed = (tmp_path / "page.txt").read_text()
        for piece in ("<script>", "{% raw %}", "{{ 7*7 }}", "<<7*7>>", r"\input{/etc/passwd}"):
            assert piece in printed
        assert "root:" not in printed
        assert "49" not in re.sub(r"\d*\.\d+", "", printed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_prints_as_itself_in_markdown(language):
    page = hostile_problem().explain("markdown", language)
    prose = re.sub(r"```.*?```|\$`.*?`\$", "", page, flags=re.S)
    # Every sign that could be markup stands behind a backslash, wherever the text of the user's stands.
    assert re.search(r"(?<!\\)<script", prose) is None
    assert re.search(r"(?<!\\)\$x", prose) is None
    assert prose.count(r"\{\{ 7\*7 \}\}") >= 3
    assert "49" not in prose
    assert all(line.count("|") - line.count(r"\|") == 5 for line in prose.splitlines() if line.startswith("| $"))


def test_a_page_needs_a_known_language_and_format():
    problem = problem_at(EXAMPLES[0])
    with pytest.raises(Exception, match="choose en or zh"):
        problem.explain(language="fr")
    with pytest.raises(Exception, match="write github, common"):
        problem.explain("docx")


def test_the_numbers_show_a_slope():
    """With all rectifiers off nothing would change: such a point is no example."""
    problem = problem_at(ROOT / "tests" / "models" / "p02_relu_neuron.py")
    found = nudge(problem.derive(), problem.loss)
    assert found is not None
    assert found.slope != 0


def test_a_square_matrix_does_not_hide_the_sum():
    """In z = W s with a square W every z_j holds s_i: its index is not that of z, though both have the same size."""
    text = (
        "import symgrad as sg\nh = sg.dims('h')\nW = sg.parameter('W', h, h)\ns = sg.parameter('s', h)\n"
        "z = W @ s\nloss = sg.sum(sg.tanh(z))\n"
    )
    file = run_model(text, "square.py", ROOT)
    page = Problem(file.variables["loss"], names=dict(file.assignments)).explain("markdown", "en")
    assert "$`s_{i}`$ takes part in $`z_{j}`$ for every $`j`$" in page
    assert "$`w_{ij}`$ takes part in $`z_{i}`$ only" in page
