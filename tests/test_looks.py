"""What an editor found on printed pages, each as a law: headings, names in prose, programs, reasons, primes, tables."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import nbformat
import pypdf
import pytest
from documents import page, problem
from test_pages import beyond, compiled_log, flaws, need

import symgrad as sg
from symgrad.compile.listing import listing
from symgrad.explain.document import Code, Display, Document, Heading, Math, Paragraph, Plain, Row, Table
from symgrad.explain.notes import FUNCTION_SIGNS, note, operand_and_result, told
from symgrad.explain.wording import worded
from symgrad.formats.html import html_page
from symgrad.formats.ipynb import notebook
from symgrad.formats.layout import parts_of
from symgrad.formats.pdf import pdf
from symgrad.formats.template import COMMON, GITHUB, LATEX, places, plain, render_as
from symgrad.formats.typst_page import Faces, typst_page
from symgrad.notation.formula import write
from symgrad.notation.latex import latex
from symgrad.notation.reading import read
from symgrad.notation.width import width
from symgrad.primitives.table import PRIMITIVES

LANGUAGES = ("en", "zh")
NAMES = ("softmax_regression", "two_layer_net", "lstm_cell")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_heading_ends_in_a_full_stop_only_where_text_follows_it(name, language):
    document = page(name, language)
    titles = [plain(block.content, language) for block in document.blocks if isinstance(block, Heading)]
    assert not [title for title in titles if title.endswith((".", "。"))]
    steps = sum(isinstance(block, Heading) and block.level == 2 for block in document.blocks)
    run_in = re.findall(r"^\*\*.*\*\*$", render_as(document, GITHUB), re.M)
    assert len(run_in) == steps > 0
    assert all(line.endswith(".**" if language == "en" else "。**") for line in run_in)


@pytest.mark.parametrize("name", [*NAMES, "cox_regression", "word2vec"])
def test_a_listing_holds_all_that_computes_and_nothing_that_checks(name):
    source = problem(name).compile(prove=False).source
    shown = listing(source)
    (function,) = ast.parse(shown).body
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function) is None
    assert not [node for node in ast.walk(function) if isinstance(node, ast.Raise)]
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    assert not names & {"_arrays", "_labels", "check"}
    (whole,) = [f for f in ast.parse(source).body if getattr(f, "name", "") == "value_and_gradients"]
    lines = source.splitlines()[whole.lineno - 1 : whole.end_lineno]
    numbered = [line for line in lines if re.search(r"# \(\d", line)]
    assert numbered
    assert [line for line in shown.splitlines() if re.search(r"# \(\d", line)] == numbered


def test_a_listing_keeps_numbers_that_are_computed():
    """A number of the user's is read, lam = float(lam), and goes; q = float(np.exp(lam / 2)) is computed, and stays."""
    n, d = sg.dims("n d")
    X, w, lam = sg.data("X", n, d), sg.parameter("w", d), sg.hyperparameter("lam", 0.3)
    q, s = sg.exp(lam / 2), sg.log(n) + lam**2
    problem = sg.Problem(q * sg.sum((X @ w) ** 2) + s * w @ w, names={"q": q, "s": s})
    shown = listing(problem.compile(prove=False).source)
    assert "q = float(" in shown
    assert "lam = float(lam)" not in shown
    (function,) = ast.parse(shown).body
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    defined = {node.id for node in names if isinstance(node.ctx, ast.Store)} | {"np", "float"}
    defined |= {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
    assert {node.id for node in names} <= defined


@pytest.mark.parametrize("name", NAMES)
def test_the_page_says_what_bar_means_in_its_program(name):
    document = page(name, "en")
    (program,) = [block.text for block in document.blocks if isinstance(block, Code)]
    first = problem(name).derive().parameters[0].name
    text = render_as(document, GITHUB)
    said = re.search(r"`(\w+)` is \$`\\partial L/\\partial", text)
    assert said is not None
    assert said[1] == f"{first}_bar"
    assert f"    {said[1]} = " in program


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("which of k classes has X?", "which of $k$ classes has $X$?"),
        ("X的每一行属于k个类别", "$X$的每一行属于$k$个类别"),
        ("A word, a list; I see W, b.", "A word, a list; I see $W$, $b$."),
        ("k-means, X-ray, b's, f(X), X.csv, d/k, `W`, kX", "k-means, X-ray, b's, f($X$), X.csv, d/k, `W`, kX"),
        ("{X} and {}", "{$X$} and {}"),
        ("", ""),
    ],
)
def test_the_names_of_arrays_and_sizes_in_prose_are_set_as_formulas(text, shown):
    found = worded(text, problem("softmax_regression").derive())
    assert plain(found, "en", math=lambda tex: f"${tex}$") == shown


@pytest.mark.parametrize(
    ("language", "once", "rest"), [("en", "slice passes on", "The same holds for"), ("zh", "切片原样传递", "同理")]
)
def test_a_reason_is_said_once_for_all_results_of_a_kind(language, once, rest):
    text = render_as(page("lstm_cell", language), GITHUB)
    (step,) = [part for part in text.split("\n\n") if once in part]
    assert step.count(once) == 1
    assert re.search(r"V_\{2\}.*V_\{3\}.*V_\{4\}", step.split(once)[-1])
    assert rest in step


def test_the_prime_of_a_named_function_stands_behind_its_name():
    text = render_as(page("two_layer_net", "en"), GITHUB)
    assert r"\mathrm{relu}'(u) = [u > 0]" in text
    assert r"(\log u)' = \frac{1}{u}" in text
    # Where u is taken the argument is a Greek letter, whose name is not how it is printed.
    assert r"\mathrm{relu}'(\xi) = [\xi > 0]" in render_as(page("convolutional_net", "en"), GITHUB)


def test_a_prime_in_html_is_raised_by_the_font_alone():
    text = html_page(page("softmax_regression", "en"))
    assert "<mo>′</mo>" in text
    assert "<mo>′</mo></msup>" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notebook_shows_the_graph_without_a_program_that_draws_it(language):
    book = nbformat.reads(notebook(page("softmax_regression", language)), as_version=4)
    (cell,) = [c.source for c in book.cells if "<img" in c.source]
    assert "mermaid" not in cell
    found = re.search(r'<img alt="([^"]+)" src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)">\n\n', cell)
    assert found is not None
    drawn = ElementTree.fromstring(b64decode(found[2]))
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    # On a dark theme too it is dark on light.
    assert drawn.get("style") == "background:#fff;color:#000"
    (words,) = [e.text for e in drawn if e.tag.endswith("desc")]
    assert words == found[1]


def test_pandoc_gives_the_widest_column_of_a_table_the_most_room():
    document = page("softmax_regression", "en")
    rules = re.findall(r"^\|(?::-+\|)+$", render_as(document, COMMON), re.M)
    tables = [block for block in document.blocks if isinstance(block, Table)]
    assert len(rules) == len(tables) == 2
    for rule, table in zip(rules, tables, strict=True):
        widths = list(map(len, rule.strip("|").split("|")))
        assert len(widths) == len(table.header)
        texts = [
            max(len(re.sub(r"[0-9₀-₉]+", "1", plain(cell, "en"))) for cell in column)
            for column in zip(table.header, *table.rows, strict=True)
        ]
        assert widths.index(max(widths)) == texts.index(max(texts))
        assert max(widths) > 2 * min(widths)


def test_two_words_that_belong_together_are_on_one_line():
    assert "In\N{NO-BREAK SPACE}matrices:" in typst_page(page("softmax_regression", "en"), Faces())
    assert "In\N{NO-BREAK SPACE}matrices:" in render_as(page("softmax_regression", "en"), GITHUB)


def test_a_wide_number_of_an_equation_stays_on_the_page(tmp_path):
    """With fleqn, alignat takes it for a reason to push its columns apart, until the number is over the edge."""
    side = r"\frac{\partial L}{\partial Z_{t+1}}\,U^{\top} \odot (1 - H_{t}^{\odot 2})"
    reason = Plain("with the equations put in")
    wide = Row(r"\frac{\partial L}{\partial Z}", side, reason=reason, shape=r"n \times h", label="18, 20, …, 24")
    document = Document(Plain("Title"), (Paragraph((Plain("text"),)), Display((wide,))), "en")
    assert flaws(compiled_log(render_as(document, LATEX), tmp_path)) == []
    assert beyond(tmp_path / "page.pdf") == []


def is_known_to_tex(name):
    return shutil.which("kpsewhich") and subprocess.run(["kpsewhich", name], capture_output=True).returncode == 0


def printed_by(program, page, folder):
    """What stands on the page that the program makes: letters that a font lacks would be silently left out."""
    if program == "lualatex" and not all(map(is_known_to_tex, ("luaotfload.sty", "luatexja.sty"))):
        pytest.skip("lualatex is not installed, or not its fonts and Chinese")
    assert flaws(compiled_log(page, folder, program)) == []
    need("pdftotext")
    run = subprocess.run(["pdftotext", "-raw", folder / "page.pdf", "-"], capture_output=True, encoding="utf-8")
    return run.stdout


# pdfTeX reads bytes, XeTeX and LuaTeX letters, and LuaTeX makes a dash of two hyphens even with {} between them.
@pytest.mark.parametrize("program", ["pdflatex", "xelatex", "lualatex"])
def test_signs_of_text_print_as_themselves_by_each_program_of_tex(program, tmp_path):
    text = "10\N{NO-BREAK SPACE}000 pp. 35–44 — é ß -- ,, << “q” end"
    label = Row("Z", r"(4)\text{–}(7)", label="1")
    title = Plain("A \N{NO-BREAK SPACE}– é")
    page = render_as(Document(title, (Paragraph((Plain(text),)), Display((label,))), "en"), LATEX)
    assert page.startswith("% Compile with pdflatex, xelatex or lualatex.\n")
    printed = " ".join(printed_by(program, page, tmp_path).split())
    assert text.replace("\N{NO-BREAK SPACE}", " ") in printed
    assert "(4)–(7)" in printed
    assert "A – é" in printed


@pytest.mark.parametrize("program", ["xelatex", "lualatex"])
def test_a_chinese_page_is_for_each_program_that_reads_letters(program, tmp_path):
    page = render_as(Document(Plain("梯度"), (Paragraph((Plain("第 35–44 页——形状相同。"),)),), "zh"), LATEX)
    assert page.startswith("% Compile with xelatex or lualatex.\n")
    assert "第35–44页——形状相同。" in "".join(printed_by(program, page, tmp_path).split())


def test_no_line_of_a_paragraph_is_alone_on_a_page(tmp_path):
    """Of three lines neither the first nor the last can be: each page begins where a paragraph does."""
    text = "Begin " + "with enough words for a little more than two lines on a page, " * 3 + "end."
    document = Document(Plain("Title"), tuple(Paragraph((Plain(text),)) for _ in range(60)), "en")
    compiled_log(render_as(document, LATEX), tmp_path)
    for content in ((tmp_path / "page.pdf").read_bytes(), pdf(document)):
        _, *pages = [p.extract_text().split() for p in pypdf.PdfReader(BytesIO(content)).pages]
        assert len(pages) >= 2
        assert {words[0] for words in pages} == {"Begin"}


NAMES_INSIDE = r"\frac{\mathrm{first\_name}}{n} + \mathrm{second\_name} \odot \mathrm{third\_name}"
LONG = rf"\mathrm{{penalty}}\,\left({NAMES_INSIDE}\right)^{{\top}} \mathbf{{1}}"


@pytest.mark.parametrize("tex", [LONG, LONG.replace(r"\left", "").replace(r"\right", "")])
def test_a_term_that_fits_no_line_breaks_inside_its_brackets(tex):
    found = parts_of(Row("x", tex), 18)
    assert len(found) >= 3
    assert max(map(width, found)) <= 18
    # Each line is a formula of its own, and together they are the whole one: as large brackets end, others begin.
    assert all(write(read(line)) for line in found)
    empty = re.compile(r"\{\} |\\[bB]ig[lr]\.|\\left|\\right|\\[bB]ig[lr]|\s")
    assert empty.sub("", "".join(found)) == empty.sub("", tex)
    assert parts_of(Row("x", tex), 200) == [tex]


def test_a_sign_at_the_beginning_of_a_line_stands_between_two_things():
    """Else Typst sets + 2 a as the number +2 times a."""
    terms = (r"\mathrm{first\_long\_name}", r"2\,\mathrm{second\_long\_name}", r"-3\,\mathrm{third\_long\_name}")
    row = Row("x", " ".join((terms[0], "+", *terms[1:])) + " x" * 60, terms)
    text = typst_page(Document(Plain("Title"), (Display((row,)),), "en"), Faces())
    lines = re.findall(r"body: eq\(.*?, \$(.*?)\$\)", text)
    assert len(lines) == 1 or all(re.match(r'#h\([\d.]+em\);""[+−]', line) for line in lines[1:])
    narrow = replace(row, terms=tuple(term + " x" * 30 for term in terms))
    text = typst_page(Document(Plain("Title"), (Display((narrow,)),), "en"), Faces())
    lines = re.findall(r"body: eq\(.*?, \$(.*?)\$\)", text)
    assert len(lines) == 3
    assert all(re.match(r'#h\([\d.]+em\);""[+−]', line) for line in lines[1:])


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_names_leave_room_for_what_a_table_says(language):
    names = Plain("Station_Level, Hour_Profile and weather_effect")
    header = (Plain("what"), Plain("statement"), Plain("how"))
    long = Table(header, ((names, Plain("each step, every line of it"), Plain("proved " * 20)),), wide=2)
    assert places(long, language) == ["narrow", "narrow", "wide"]
    short = Table(header, ((Plain("(1)-(4)"), Plain("each step, every line of it"), Plain("proved " * 20)),), wide=2)
    assert places(short, language) == ["own", "own", "wide"]
    document = Document(Plain("Title"), (long,), language)
    assert "28.000000%, 28.000000%, 1fr" in typst_page(document, Faces())
    assert r"p{0.28\textwidth}" in render_as(document, LATEX)


@pytest.mark.parametrize("name", sorted(FUNCTION_SIGNS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_sign_means_is_said_with_formulas_set_as_formulas(name, language):
    said = plain(note(*FUNCTION_SIGNS[name]), language, math=lambda tex: "□" * bool(read(tex)))
    assert not re.search(r"[$=≤≥²|√Σᵀ^_]|\b[a-zA-Z]\b(?<!\ba)|\d−", said)


def test_a_sign_is_explained_only_where_it_is_printed():
    n = sg.dims("n")
    x = sg.parameter("x", n)
    jumps = sg.Problem(sg.sum((x[1:] - x[:-1]) ** 2), names={"x": x})
    assert r"\begin{bmatrix} 0 \\" in jumps.explain()
    assert "spread" not in jumps.explain()


def test_brackets_are_as_tall_as_the_matrices_in_them():
    n = sg.dims("n")
    x = sg.parameter("x", n)
    e = 3 * (sg.concatenate([x, x]) - sg.concatenate([x, 2 * x]))
    assert latex(e).startswith(r"3 \left(\begin{bmatrix}")


def test_an_equation_entry_by_entry_stays_on_the_page_of_the_equation(tmp_path):
    """Numbered lines, each with one without a number beneath it: no page begins with one of the latter."""
    rows = [
        row
        for k in range(1, 61)
        for row in (Row("Z", rf"\mathrm{{matrix}}_{{{k}}}", label=k), Row("z", rf"\mathrm{{entry}}_{{{k}}}"))
    ]
    document = Document(Plain("Title"), (Paragraph((Plain("line"),)), Display(tuple(rows))), "en")
    compiled_log(render_as(document, LATEX), tmp_path)
    for content in ((tmp_path / "page.pdf").read_bytes(), pdf(document)):
        _, *pages = [p.extract_text() for p in pypdf.PdfReader(BytesIO(content)).pages]
        assert len(pages) >= 2
        found = [re.search(r"matrix|entry", text) for text in pages]
        assert {match[0] for match in found if match} == {"matrix"}
    assert html_page(document).count('class="left holds"') == 60


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
def test_an_equation_in_a_reason_is_one_formula(name, language):
    """Not X Y = I of three formulas and a letter of the text, which no one sets as an equation."""
    entry = PRIMITIVES[name]
    for text in (entry.reason, entry.reason_in_rows):
        sentence = told(text, operand_and_result("K", "K^{-1}", "b"))
        said = plain(sentence, language, math=lambda tex: f"<{tex}>")
        assert "=" not in re.sub(r"<[^<>]*>", "", said)
        assert len(re.findall(r"<[^<>]*=[^<>]*>", said)) >= 2
        assert not re.search(r"[{}$]", re.sub(r"<[^<>]*>", "", said))


def test_a_reason_holds_for_an_operand_without_a_name():
    """(A + I)(A + I)⁻¹ = I, and not A + I (A + I)⁻¹ = I; of a system in its own letters: A and b may be others."""
    n, m = sg.dims("n m")
    a, b, c = sg.parameter("A", n, n), sg.parameter("b", n, m), sg.data("C", n, n)
    text = sg.Problem(sg.trace(sg.inv(a + sg.eye(n)) @ c) + sg.sum(sg.solve(a - c, b))).explain()
    assert r"From $`(A + I) (A + I)^{-1} = I`$ follows $`\mathrm{d}(A + I)\,(A + I)^{-1}" in text
    assert r"From $`(A - C) ((A - C)^{-1} b) = b`$ follows" in text
    assert r"+ (A - C)\,\mathrm{d}((A - C)^{-1} b) = \mathrm{d}b`$" in text


def test_letters_of_ours_are_none_of_the_users():
    """A step h = 10⁻⁶ beside a size h = 4 would be two things of one name; so would θ for each of θ, η and b."""
    n, h = sg.dims("n h")
    x, theta, eta, b = sg.data("X", n, h), sg.parameter("theta", h), sg.parameter("eta", h), sg.parameter("b")
    text = sg.Problem(sg.sum((x @ (theta * eta) + b) ** 2)).explain(numbers=True)
    assert r"\frac{L(\varphi + \varepsilon) - L(\varphi - \varepsilon)}{2\varepsilon}" in text
    assert r"$`\varepsilon = 10^{-6}`$ added" in text
    assert r"\varphi &\leftarrow \varphi - \alpha\,\frac{\partial L}{\partial \varphi}" in text
    assert r"$`\varphi \leftarrow \varphi - \alpha\, \partial L/\partial \varphi`$ for all parameters" in text


def test_a_sign_is_not_explained_with_the_letter_of_the_loss():
    """chol(A) is no L with L Lᵀ = A on a page whose loss is L."""
    texts = [told(text, {"sign": Math(sign)}) for sign, text in FUNCTION_SIGNS.values()]
    said = [plain(text, language, math=lambda tex: f"<{tex}>") for text in texts for language in LANGUAGES]
    letters = [
        re.findall(r"(?<![A-Za-z])L(?![A-Za-z])", part) for text in said for part in re.findall("<([^<>]*)>", text)
    ]
    assert not any(letters)
