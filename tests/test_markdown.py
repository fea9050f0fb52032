"""Both flavours of Markdown, read by real parsers: every formula arrives unchanged, every table and heading as one."""

from __future__ import annotations

import json
import re
import subprocess

import cmarkgfm
import pytest
from documents import MODELS, page
from hostile import shown
from test_pages import need

from symgrad.explain.document import Box, Code, Display, Figure, Heading, Listing, Math, Paragraph, Sentence, Table
from symgrad.formats.table import render
from symgrad.formats.template import COMMON, GITHUB, Writer

FEW = MODELS[:3] if len(MODELS) < 10 else MODELS
PAGES = [(name, language) for name in FEW for language in ("en", "zh")]


def inline_formulas(item):
    """The formulas of a sentence, in the order in which they are printed in any language."""
    if isinstance(item, Math):
        yield item.tex
    elif isinstance(item, Listing):
        for part in item.items:
            yield from inline_formulas(part)
    elif isinstance(item, Sentence):
        for name in re.findall(r"\{(\w+)\}", item.text.en):
            if name in item.values:
                yield from inline_formulas(item.values[name])


def formulas(document, style):
    """(inline, displayed) formulas that a page holds; those that a language leaves out or repeats count once."""
    inline, displayed = {*inline_formulas(document.title)}, []
    writer = Writer(style, document.language)
    for block in document.blocks:
        if isinstance(block, Heading):
            inline |= {*inline_formulas(block.content)}
        elif isinstance(block, Paragraph):
            inline |= {tex for sentence in block.sentences for tex in inline_formulas(sentence)}
        elif isinstance(block, Figure):
            # The caption speaks of frames and arrows: where the picture is told in words it has no place.
            told = block.words if style is COMMON else (block.caption,)
            inline |= {tex for sentence in told for tex in inline_formulas(sentence)}
        elif isinstance(block, Table):
            inline |= {tex for row in (block.header, *block.rows) for cell in row for tex in inline_formulas(cell)}
        elif isinstance(block, Display | Box):
            displayed.append([line.right for line in writer.lines(block)])
    return {style.formula(tex) for tex in inline}, displayed


def nodes(kind, tree):
    """The contents of all nodes of a kind in pandoc's tree, in order."""
    if isinstance(tree, list):
        for part in tree:
            yield from nodes(kind, part)
    elif isinstance(tree, dict):
        if tree.get("t") == kind:
            yield tree.get("c")
        yield from nodes(kind, tree.get("c"))


def pandoc(text, dialect):
    need("pandoc")
    command = ["pandoc", "-f", dialect, "-t", "json"]
    return json.loads(subprocess.run(command, input=text, capture_output=True, check=True, encoding="utf-8").stdout)[
        "blocks"
    ]


def assert_same(found, document, style):
    """Tables, headings and displays of a page, as a parser found them."""
    tables, titles, displays = found
    assert tables == sum(isinstance(block, Table) for block in document.blocks)
    assert titles == [1, *(2 for block in document.blocks if isinstance(block, Heading) and block.level == 1)]
    _, displayed = formulas(document, style)
    assert len(displays) == len(displayed)
    for text, lines in zip(displays, displayed, strict=True):
        assert [line for line in lines if line.strip() not in text] == []


@pytest.mark.parametrize(("name", "language"), PAGES)
def test_pandoc_reads_the_common_flavour(name, language):
    document = page(name, language)
    tree = pandoc(render(document, "common"), "markdown+tex_math_dollars")
    found = list(nodes("Math", tree))
    displays = [tex for kind, tex in found if kind["t"] == "DisplayMath"]
    assert {tex.strip() for tex in formulas(document, COMMON)[0]} == {
        tex for kind, tex in found if kind["t"] == "InlineMath"
    }
    headings = [content[0] for content in nodes("Header", tree)]
    assert_same((len(list(nodes("Table", tree))), headings, displays), document, COMMON)
    assert len(list(nodes("CodeBlock", tree))) == sum(isinstance(block, Code) for block in document.blocks)
    assert not any("$" in text for text in nodes("Str", tree))


def test_pandoc_converts_every_formula_of_the_common_flavour():
    """A formula that pandoc does not know stands as its source in HTML and Word, with a warning."""
    need("pandoc")
    text = "\n\n".join(render(page(name, "en"), "common") for name in FEW)
    command = ["pandoc", "-f", "markdown+tex_math_dollars", "-t", "html", "--mathml"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert r"\Big(" in text
    assert "Could not convert" not in done.stderr


@pytest.mark.parametrize(("name", "language"), PAGES)
def test_github_reads_its_flavour(name, language):
    """GitHub takes $`…`$ for mathematics after its parser has made code of it, unless a letter stands before it."""
    document = page(name, language)
    text = cmarkgfm.github_flavored_markdown_to_html(render(document, "github"))
    plain = re.sub(r"&(lt|gt|amp|quot);", lambda m: {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}[m[1]], text)
    assert {re.sub(r"\s+", " ", tex) for tex in formulas(document, GITHUB)[0]} == set(
        re.findall(r"\$<code>(.*?)</code>\$", plain, re.S)
    )
    assert not re.search(r"[^\x00-\x7f]\$<code>", plain)
    assert not re.search(r"\w\$<code>", plain)
    displays = re.findall(r"<pre[^>]*math[^>]*><code[^>]*>(.*?)</code></pre>", plain, re.S)
    headings = [int(level) for level in re.findall(r"<h(\d)>", text)]
    assert_same((text.count("<table>"), headings, displays), document, GITHUB)
    assert r"\operatorname" not in text


@pytest.mark.parametrize("flavour", ["github", "common"])
def test_a_paragraph_opens_nothing(flavour):
    from symgrad.explain.document import Document, Plain

    openings = (
        "1. a",
        "2) b",
        "- c",
        "+ d",
        "* e",
        "(iv) f",
        "c. g",
        "# h",
        "> i",
        "    j",
        "---",
        "===",
        ": k",
        "::: l",
        "| m",
    )
    document = Document(Plain("Title"), tuple(Paragraph((Plain(text),)) for text in openings), "en")
    tree = pandoc(render(document, flavour), "markdown-smart" if flavour == "common" else "gfm")
    assert [block["t"] for block in tree] == ["Header"] + ["Para"] * len(openings)
    printed = ["".join(x.get("c", " ") for x in block["c"]) for block in tree[1:]]
    assert printed == [shown(text) for text in openings]
