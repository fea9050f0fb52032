"""Two hundred strings that try to act print as themselves, in every format of the table.

A format is judged by a real reader of it: the page with hostile strings has the structure of the same page with harmless
ones, and its text is the strings.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import unicodedata
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from documents import IS_WIDE
from hostile import STRINGS, shown
from math_core import LatexToMathML
from test_pages import compiled_log, need
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.errors import InputError
from symgrad.explain.document import (
    CodeSpan,
    Display,
    Document,
    Heading,
    Math,
    Paragraph,
    Plain,
    Row,
    Sentence,
    Table,
)
from symgrad.formats.table import TABLE, render
from symgrad.notation.formula import Word, every
from symgrad.notation.names import typeset
from symgrad.notation.reading import read as read_formula
from symgrad.prose import Text

NOTE = Text(en="What {name} says of {array}: {about}.", zh="{name} 对 {array} 的说明：{about}。")
HARMLESS = tuple(f"harmless{k}" for k in range(len(STRINGS)))


def document(strings, language) -> Document:
    """Every place of a page in which a text of the user's can stand."""
    blocks: list = []
    for k, text in enumerate(strings):
        blocks += [
            Heading(1 if k % 10 == 0 else 2, Plain(text)),
            Paragraph((Plain(text),)),
            Paragraph((Sentence(NOTE, {"name": CodeSpan(text), "array": Math("X"), "about": Plain(text)}),)),
            Display((Row("X", "Y", reason=Plain(text), label=k + 1),)),
        ]
    cells = tuple((Plain(a), Plain(b)) for a, b in zip(strings[::2], strings[1::2], strict=True))
    header = (Plain(strings[0]), Plain(strings[1]))
    return Document(Plain(strings[2]), (*blocks, Table(header, cells, wide=1)), language)


# ---- readers: a page → its structure without text, and its text


def bare(text: str) -> str:
    """Without white space and what some fonts join: what a reader of a printed page can compare."""
    return re.sub(r"\s|-|\u2010|\u00ad|\u200b|↪", "", unicodedata.normalize("NFKC", text))


class Structure(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.events, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "bdi":
            # A paragraph of a document is one of ours; where a reason stands, and whether a cell may break, depends on
            # how long it is.
            kept = [
                (k, re.sub(r"near|beside|below|held", "", v or "").strip() if k == "class" else v) for k, v in attrs
            ]
            self.events.append((tag, tuple(pair for pair in kept if pair != ("class", ""))))
        self.text.append(" " if tag in ("p", "td", "th", "h1", "h2", "h3", "div", "li", "title") else "")

    def handle_endtag(self, tag):
        if tag != "bdi":
            self.events.append(("/", tag))
        self.text.append(" " if tag in ("p", "td", "th", "h1", "h2", "h3", "div", "li", "title") else "")

    def handle_comment(self, data):
        if data.strip():  # an empty one keeps GitHub from making a link of an address
            self.events.append(("comment", data))

    handle_decl = handle_pi = unknown_decl = handle_comment

    def handle_data(self, data):
        self.text.append(data)


def html_read(page):
    structure = Structure()
    structure.feed(page)
    structure.close()
    return structure.events, "".join(structure.text)


def github_read(page):
    """By GitHub's own parser, and by pandoc's idea of it."""
    events, text = html_read(cmarkgfm.github_flavored_markdown_to_html(page, options=Options.CMARK_OPT_UNSAFE))
    more, _ = pandoc_read(page, "gfm")
    return [*events, *more], text


def pandoc_read(page, dialect):
    """The names of pandoc's nodes in order, with all that is not text, and the text."""
    need("pandoc")
    run = subprocess.run(
        ["pandoc", "-f", dialect, "-t", "json"], input=page, capture_output=True, check=True, encoding="utf-8"
    )
    events, text = [], []

    def walk(node):
        if isinstance(node, list):
            for part in node:
                walk(part)
        elif isinstance(node, dict):
            kind, content = node.get("t"), node.get("c")
            if kind == "Str":
                text.append(content)
            elif kind in ("Space", "SoftBreak"):
                text.append(" ")
            elif kind == "Code":
                events.append(("Code", tuple(map(str, content[0]))))
                text.append(content[1])
            elif kind == "Header":
                events.append(("Header", content[0]))
                walk(content[2])
            elif kind in ("Math", "CodeBlock"):
                # Reasons stand in formulas, as TeX's text.
                is_ours = content[1].strip().startswith(r"\begin{aligned}") and content[1].count(r"\end") == 1
                events.append((kind, str(content[0]), is_ours or content[1]))
                text.append(" ")
            elif content == ["html", "<!-- -->"]:
                pass  # keeps GitHub from making a link of an address
            elif kind not in ("ColWidth", "ColWidthDefault"):  # how wide a cell's text is
                events.append(kind)
                walk(content)
        if isinstance(node, dict) and node.get("t") in ("Para", "Plain", "Header"):
            text.append(" ")

    walk(json.loads(run.stdout)["blocks"])
    return events, "".join(text)


def latex_read(page, folder):
    folder.mkdir()
    assert "Missing character" not in compiled_log(page, folder)
    subprocess.run(["pdftotext", "-raw", "page.pdf"], cwd=folder, check=True)
    printed = (folder / "page.txt").read_text()
    assert "root:" not in printed
    return [], printed


def pdf_read(page, folder):
    need("pdftotext")
    folder.mkdir()
    (folder / "page.pdf").write_bytes(page)
    subprocess.run(["pdftotext", "-raw", "page.pdf"], cwd=folder, check=True)
    return [], (folder / "page.txt").read_text()


def json_read(page):
    """The kinds and keys of a page for machines, and all its strings; of a notebook its cells as pandoc reads them."""
    read = json.loads(page)
    if "cells" in read:
        sources = ["".join(c["source"]) for c in read["cells"] if c["cell_type"] == "markdown"]
        return pandoc_read("\n\n".join(sources), "gfm+tex_math_dollars")
    events, text = [], []

    def walk(node):
        if isinstance(node, dict):
            events.append(tuple(node))
            for part in node.values():
                walk(part)
        elif isinstance(node, list):
            for part in node:
                walk(part)
        else:
            text.append(shown(str(node)))

    walk(read)
    return events, "\n".join(text)


def terminal_read(page):
    """What a terminal takes for a command, each kind once, and the text between."""
    commands = r"\x1b\[[\d;]*m|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
    return sorted(set(re.findall(commands, page))), re.sub(commands, "", page)


def read(name, page, folder):
    """Structure and text of a page, by a reader that is not ours; a new format is read as what it is."""
    if isinstance(page, bytes) and page.startswith(b"%PDF"):
        return pdf_read(page, folder)
    known = {
        "html": html_read,
        "github": github_read,
        "common": lambda text: pandoc_read(text, "markdown"),
        "latex": lambda text: latex_read(text, folder),
    }
    text = page if isinstance(page, str) else page.decode()
    return known.get(name, json_read if text.lstrip().startswith("{") else terminal_read)(text)


def written(strings, name):
    """The document of all places; where a format writes derivations only, one that holds the strings in its texts."""
    if name != "json":
        return render(document(strings, "en"), name)
    size = sg.dims("size")
    x = sg.parameter("x", size, about=strings[0])
    return sg.Problem(sg.sum(x**2), docstring="Title\n\n" + "\n\n".join(strings)).explain(name)


# For these a font may not be at hand: then Typst's PDF is refused, in a line that names the character.
UNUSUAL = re.compile("[^\x00-\u017f\u0300-\u036f\u2010-\u22ff\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")


# TeX sets the page of "latex": once is enough, and takes the time of all others.
NAMES = [own.name for own in TABLE if IS_WIDE or own.name != "pdf-latex"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_strings_print_as_themselves(name, tmp_path):
    usual = tuple("usual" if name == "pdf" and UNUSUAL.search(shown(text)) else text for text in STRINGS)
    assert sum(text == "usual" for text in usual) < 10
    structure, text = read(name, written(usual, name), tmp_path / "hostile")
    if structure:  # that of a printed page is not known
        assert structure == read(name, written(HARMLESS, name), tmp_path / "harmless")[0]
    printed = bare(text)
    assert [s for s in usual if not re.search(pattern(s), printed)] == []


def pattern(text):
    """A character that no font has may print as its number."""
    return "".join(
        re.escape(bare(c)) if c.isascii() else rf"(?:{re.escape(bare(c))}|\[U\+{ord(c):04X}\])"
        for c in unicodedata.normalize("NFC", shown(text))
    )


def test_hostile_names_are_no_commands_in_formulas():
    """A name is an identifier, and even one that is not comes out in the closed notation, and as itself."""
    with pytest.raises(InputError):
        sg.data("<script>", 3)
    convert = LatexToMathML().convert_with_local_state
    for text in STRINGS:
        tex = typeset(text)
        assert {n.command for n in every(read_formula(tex)) if isinstance(n, Word)} <= {r"\mathrm"}
        structure, _ = html_read(convert(tex, displaystyle=False))
        assert {event[0] for event in structure} <= MATHML | {"/"}


MATHML = {"math", "mi", "mn", "mo", "mtext", "mrow", "msub", "msup", "msubsup", "mspace", "mover", "mpadded"}


@pytest.mark.parametrize("text", ["\x1b[31mred", "<script>", r"\input", "a\u202eb"])
def test_hostile_headers_and_file_names_are_text_for_a_terminal(text, tmp_path):
    model = tmp_path / "model.py"
    model.write_text(
        "import symgrad as sg\nn, d = sg.dims('n d')\nX, y = sg.data('X', n, d), sg.data('y', n)\n"
        "w = sg.parameter('w', d)\nmodel = X @ w\nloss = sg.mean((model - y)**2)\n"
    )
    table = tmp_path / f"{text.replace('/', '')}.csv"
    table.write_text(f"{text},y\n1,2\n2,4\n3,6.5\n")
    for columns, code in ((text, 0), ("none", 2)):
        command = ["fit", str(model), "--data", str(table), "--bind", f"X={columns}", "--bind", "y=y"]
        run = CliRunner().invoke(app, command, color=True)
        assert run.exit_code == code
        assert terminal_read(run.output)[0] == []
        assert shown(text) in run.output or repr(text)[1:-1] in run.output


def model(strings, part, *, is_harmless=False) -> sg.Problem:
    """A problem whose docstring holds all of the strings, and the meanings of its arrays a part of them."""
    size = sg.dims("size_q")
    own = strings[part::PARTS]
    data = [sg.data(f"data_{k}", size, about=text) for k, text in enumerate(own)]
    q = sg.parameter("weight_q", size)
    name = "harmless" if is_harmless else re.sub(r"[/\0]", "", own[0])
    found = sg.Problem(
        sg.sum(q * sum(data[1:], start=data[0])),
        docstring="Title\n\n" + "\n\n".join(map(shown, strings)),
        source=f"folder/{name}.py",
    )
    found.derive = lambda wrt=None, prove=False: sg.Problem.derive(found, wrt, prove=False)
    return found


# So many problems hold all strings in the meanings of their arrays; the ordinary run takes one for each format.
PARTS = 8


@pytest.mark.parametrize(
    ("name", "part"), [(n, p) for k, n in enumerate(NAMES) for p in range(PARTS) if IS_WIDE or p == k % PARTS]
)
def test_hostile_docstrings_and_meanings_print_as_themselves(name, part, tmp_path):
    """From the model to the page, by what looks for names of arrays in a text, and what makes cells of a notebook."""
    usual = tuple("usual" if name == "pdf" and UNUSUAL.search(shown(text)) else text for text in STRINGS)
    page = model(usual, part).explain(name, fold=False)
    structure, text = read(name, page, tmp_path / "hostile")
    if structure:
        harmless = model(HARMLESS, part, is_harmless=True).explain(name, fold=False)
        assert structure == read(name, harmless, tmp_path / "harmless")[0]
    # In running text an apostrophe is a curly one.
    printed = bare(text).replace("’", "'")
    assert [s for s in usual if not re.search(pattern(s.replace("’", "'")), printed)] == []
    if name == "ipynb":
        # What its cells that run say of an array is a string of Python.
        cells = [c["source"] for c in json.loads(page)["cells"] if c["cell_type"] == "code"]
        constants = {n.value for c in cells for n in ast.walk(ast.parse("".join(c))) if isinstance(n, ast.Constant)}
        assert set(usual[part::PARTS]) <= constants
