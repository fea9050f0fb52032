"""PDF: both engines hold the same words, every character is there, every formula has its words, and no text acts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import unicodedata
from io import BytesIO

import pypdf
import pytest
from documents import ALL, IS_WIDE, MODELS, formulas_of, other_pages, page, problem

from symgrad.errors import MissingTool
from symgrad.explain.document import (
    Code,
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
from symgrad.formats import pdf as by_typst
from symgrad.formats.latexmk import latex_pdf
from symgrad.formats.pdf import pdf
from symgrad.formats.typst_page import Faces, typst_page
from symgrad.notation.names import typeset
from symgrad.notation.spoken import spoken
from symgrad.prose import Text

LANGUAGES = ("en", "zh")
HOSTILE = (
    '#import "/etc/passwd"', "#panic()", "$x^2$", "#(1+1)", "*b* _i_ `c` = h", "<label> @ref", r"\u{41} \#", '"; #eval("1")',
    "[x](y) {z} // no /* no */", "#sys.version", "- item", "+ item", "/ term: x", "~ -- --- ...", "https://a.b", "it's 'so'",
)  # fmt: skip


def read(content):
    return pypdf.PdfReader(BytesIO(content))


def words_of(content, folder):
    """The words of a file, and its numbers, as poppler reads them; what formulas hold stands elsewhere."""
    if shutil.which("pdftotext") is None:
        assert not os.environ.get("CI"), "pdftotext is missing; .ci/run installs it"
        pytest.skip("pdftotext is not installed")
    (folder / "page.pdf").write_bytes(content)
    text = subprocess.run(["pdftotext", "page.pdf", "-"], cwd=folder, capture_output=True, check=True).stdout.decode()
    # Mathematical letters are no words; a ligature is its letters, a hyphen at a line's end none.
    text = "".join(" " if "\U0001d400" <= c <= "\U0001d7ff" else c for c in text)
    text = re.sub(r"(?<=[a-z])[-‐\xad]\n(?=[a-z])", "", unicodedata.normalize("NFKC", text))
    return set(re.findall(r"[A-Za-z]{4,}", text)) | set("".join(re.findall(r"[\u4e00-\u9fff]+", text)))


def elements(reader):
    """The elements of the structure tree, in reading order."""
    stack = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while stack:
        node = stack.pop().get_object()
        if isinstance(node, pypdf.generic.ArrayObject):
            stack += reversed(node)
        elif isinstance(node, pypdf.generic.DictionaryObject):
            if "/S" in node:
                yield node
            if "/K" in node:
                stack.append(node["/K"])


# ---- every page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MODELS)
def test_every_page_is_set_with_all_its_characters(name, language):
    # PDF/UA-1 is refused where a glyph is missing or a formula has no words.
    assert pdf(page(name, language, "full")).startswith(b"%PDF-1.7")


@pytest.mark.skipif(
    not IS_WIDE, reason="a long page; their formulas are those of other pages; SYMGRAD_WIDE=1 sets them"
)
def test_pages_of_other_things_are_set():
    assert all(pdf(document).startswith(b"%PDF") for document in other_pages())


def test_the_file_is_the_same_every_time():
    assert pdf(page("p38_attention", "zh")) == pdf(page("p38_attention", "zh"))


# ---- what a screen reader finds


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_formula_has_its_words(language):
    document = page("softmax_regression", language)
    reader = read(pdf(document))
    said = [str(e["/Alt"]) for e in elements(reader) if e["/S"] == "/Formula"]
    assert len(said) > 60
    assert all(said)
    assert spoken(r"\partial L/\partial W", language) in said
    whole = spoken(r"\frac{\partial L}{\partial W} = X^{\top}\,\frac{\partial L}{\partial Z}", language)
    assert whole in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_says_what_it_is(language):
    document = page("two_layer_net", language)
    reader = read(pdf(document))
    root = reader.trailer["/Root"]
    assert reader.metadata.title == {"en": "Two-layer network", "zh": "两层神经网络"}[language]
    assert root["/Lang"] == {"en": "en", "zh": "zh-CN"}[language]
    assert root["/MarkInfo"]["/Marked"]
    headings = [e["/S"] for e in elements(reader) if re.fullmatch(r"/H\d", e["/S"])]
    assert headings.count("/H1") == 7
    assert headings.count("/H2") >= 4
    assert len(reader.outline) >= 7
    assert {"/Table", "/TH", "/TD", "/P", "/Code"} <= {str(e["/S"]) for e in elements(reader)}


# ---- text of a user's


def hostile_document(language="en"):
    cells = tuple((Plain(text), CodeSpan(text)) for text in HOSTILE)
    reason = Sentence(Text(en="by {x}", zh="由 {x}"), {"x": Plain(HOSTILE[0])})
    blocks = (
        Heading(2, Plain(HOSTILE[1])),
        Paragraph(tuple(Plain(text) for text in HOSTILE)),
        Table((Plain(HOSTILE[2]), Plain(HOSTILE[3])), cells),
        Display((Row(typeset(HOSTILE[4]), typeset(HOSTILE[5]), reason=reason, shape=typeset("#x"), label=1),)),
        Paragraph((Math(typeset('a"#panic()')),)),
        Code("python", "\n".join(HOSTILE)),
    )
    return Document(Plain(HOSTILE[3]), blocks, language)


def test_hostile_text_prints_as_itself():
    printed = read(pdf(hostile_document()))
    text = re.sub(r"\s+", "", "".join(p.extract_text() for p in printed.pages))
    for piece in HOSTILE:
        shown = re.sub(r"\s+", "", piece)
        # In a paragraph, as a cell's text (both with a curly apostrophe), as its program and in the listing.
        assert text.count(shown) + text.count(shown.replace("'", "’")) >= 4, piece
    assert printed.metadata.title == HOSTILE[3]
    assert "root:" not in text


@pytest.mark.parametrize("text", ["质量", "λ θ", "é ñ ü ß", "x ≤ y → z", "∂ Σ √ ∞", "αβγ", "²³ᵀ₁ᵢ", "“q” – — …"])
def test_letters_of_many_alphabets_are_there(text, monkeypatch):
    monkeypatch.setattr(by_typst, "SEARCHES", (False,))
    document = Document(
        Plain(text), (Paragraph((Plain(text), Math(typeset("x_" + text.split()[0])))), Code("python", text)), "en"
    )
    assert pdf(document).startswith(b"%PDF")


# ---- what is missing


def test_without_typst_the_install_line_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingTool, match=r"pip install 'symgrad\[pdf\]'"):
        pdf(page("softmax_regression"))


def test_without_a_font_for_chinese_the_install_line_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylopdf_fonts_zh_cn", None)
    monkeypatch.setattr(by_typst, "CHINESE", (("No Such Serif", "No Such Sans"),))
    with pytest.raises(MissingTool, match=r"no font for Chinese was found; pip install 'symgrad\[pdf\]'"):
        pdf(page("softmax_regression", "zh"))


def test_a_character_that_no_font_has_is_named(monkeypatch):
    monkeypatch.setattr(by_typst, "SEARCHES", (False,))
    document = Document(Plain("x"), (Paragraph((Plain("a 😀 b"),)),), "en")
    with pytest.raises(MissingTool, match=r"no font has 😀 \(U\+1F600\); install one"):
        pdf(document)


def test_fonts_are_named():
    source = typst_page(page("softmax_regression", "zh"), Faces("Noto Serif SC", "Noto Sans SC"))
    assert 'font: ("New Computer Modern", "Noto Serif SC", "New Computer Modern Math", ' in source
    assert "fallback: false" in source


# ---- the other engine


def need_tex(language):
    program = {"en": "pdflatex", "zh": "xelatex"}[language]
    if shutil.which("latexmk") is None or shutil.which(program) is None:
        assert not os.environ.get("CI"), f"latexmk or {program} is missing; .ci/run installs both"
        pytest.skip(f"latexmk or {program} is not installed")


@pytest.mark.parametrize(("name", "language"), [("two_layer_net", "en"), ("p38_attention", "zh")])
def test_both_engines_hold_the_same_words(name, language, tmp_path):
    need_tex(language)
    document = page(name, language)
    one, other = words_of(pdf(document), tmp_path), words_of(latex_pdf(document), tmp_path)
    assert len(one) > 80
    assert one - other == set()
    # TeX sets formulas with letters that a reader of the file takes for text.
    formulas = [re.sub(r"\\[a-z]+|[^A-Za-z]", "", tex) for tex in formulas_of(document)]
    assert [word for word in other - one if not any(word in tex for tex in formulas)] == []


@pytest.mark.parametrize("language", LANGUAGES if IS_WIDE else ("zh",))
def test_the_file_of_tex_is_the_same_every_time(language, tmp_path, monkeypatch):
    """At another hour (a time zone is one) and in another folder."""
    need_tex(language)
    words = {"en": "Least squares", "zh": "最小二乘"}[language]
    document = Document(Plain(words), (Paragraph((Math("X w"),)),), language)
    first = latex_pdf(document)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    monkeypatch.chdir(tmp_path)
    assert latex_pdf(document) == first


def test_without_tex_the_install_line_is_given(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingTool, match=r"latexmk is not installed; apt install latexmk"):
        latex_pdf(page("softmax_regression"))


def test_the_page_of_a_problem_is_bytes():
    assert problem("softmax_regression").explain("pdf", "zh").startswith(b"%PDF")
    assert set(MODELS) <= set(ALL)
