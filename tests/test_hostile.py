"""Two hundred strings that try to act print as themselves, in every format of the table.

A format is judged by a real reader of it: the page with hostile strings has the structure of the same page with harmless
ones, and its text is the strings.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from html.parser import HTMLParser

import pytest
from hostile import STRINGS, shown
from test_pages import compiled_log, need

from symgrad.explain.document import Box, CodeSpan, Display, Document, Heading, Math, Paragraph, Plain, Row, Sentence, Table
from symgrad.explain.formats import TABLE, render
from symgrad.notation.names import typeset
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
    return re.sub(r"\s|-|\u2010|\u00ad", "", unicodedata.normalize("NFKC", text))


class Structure(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.events, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "bdi":
            # A paragraph of a document is one of ours; where a reason stands depends on how long it is.
            kept = [(k, re.sub(r"near|beside|below", "", v or "") if k == "class" else v) for k, v in attrs]
            self.events.append((tag, tuple(kept)))
        self.text.append(" " if tag in ("p", "td", "th", "h1", "h2", "h3", "div", "li", "title") else "")

    def handle_endtag(self, tag):
        if tag != "bdi":
            self.events.append(("/", tag))
        self.text.append(" " if tag in ("p", "td", "th", "h1", "h2", "h3", "div", "li", "title") else "")

    def handle_comment(self, data):
        self.events.append(("comment", data))

    handle_decl = handle_pi = unknown_decl = handle_comment

    def handle_data(self, data):
        self.text.append(data)


def html_read(page):
    structure = Structure()
    structure.feed(page)
    structure.close()
    return structure.events, "".join(structure.text)


def pandoc_read(page, dialect):
    """The names of pandoc's nodes in order, with all that is not text, and the text."""
    need("pandoc")
    run = subprocess.run(["pandoc", "-f", dialect, "-t", "json"], input=page, capture_output=True, check=True, encoding="utf-8")
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
            elif kind in ("Math", "CodeBlock", "RawInline", "RawBlock"):
                events.append((kind, re.sub(r"\\text\{.*\}", "", str(content))))
                text.append(" ")
            else:
                events.append(kind)
                walk(content)
        if isinstance(node, dict) and node.get("t") in ("Para", "Plain", "Header"):
            text.append(" ")

    walk(json.loads(run.stdout)["blocks"])
    return events, "".join(text)


def latex_read(page, folder):
    folder.mkdir()
    compiled_log(page, folder)
    subprocess.run(["pdftotext", "-raw", "page.pdf"], cwd=folder, check=True)
    printed = (folder / "page.txt").read_text()
    assert "root:" not in printed
    return [], printed
