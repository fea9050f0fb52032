"""Document → text, by a Jinja template and a style. A template only places what is handed to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from symgrad.errors import MissingTool
from symgrad.explain.document import (
    Box,
    CodeSpan,
    Display,
    Document,
    Inline,
    Join,
    Listing,
    Math,
    Plain,
    Sentence,
)
from symgrad.explain.escape import latex_code, latex_text, markdown_code, markdown_text
from symgrad.explain.layout import Line, lines
from symgrad.prose import Language, Text

PLACEHOLDER = re.compile(r"\{(\w+)\}")
AND = Text(en=" and ", zh=" 和 ")
OR = Text(en=" or ", zh=" 或 ")
COMMA = Text(en=", ", zh="、")
CLAUSES, CLAUSES_END = Text(en=", ", zh="，"), Text(en=" and ", zh="，")
NAMES_END = Text(en=" and ", zh="、")
SEMICOLON = Text(en="; ", zh="；")
# Around text in formulas until neighbours are joined; no text holds them, control characters are dropped.
TEXT_BEGIN, TEXT_END = "\x02", "\x03"
# Where a cell of a notebook ends.
CELL_END = "\x04"
CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True)
class Style:
    """How a template writes plain text, formulas and code inside a line, and how wide its equations may be."""

    template: str
    text: Callable[[str], str]
    math: Callable[[str], str]
    code: Callable[[str], str]
    limit: float
    delimiters: Mapping[str, str]


MARKDOWN = Style(
    template="markdown/page.md.j2",
    text=markdown_text,
    math=lambda tex: f"$`{tex}`$",
    code=markdown_code,
    limit=92,
    delimiters={},
)
LATEX = Style(
    template="latex/page.tex.j2",
    text=latex_text,
    math=lambda tex: f"${tex}$",
    code=latex_code,
    limit=66,
    delimiters={
        "block_start_string": "<%",
        "block_end_string": "%>",
        "variable_start_string": "<<",
        "variable_end_string": ">>",
        "comment_start_string": "<#",
        "comment_end_string": "#>",
    },
)
# A cell's output: Markdown as Jupyter reads it, with formulas between dollar signs.
NOTEBOOK = Style(
    template="notebook/cell.md.j2",
    text=markdown_text,
    math=lambda tex: f"${tex}$",
    code=markdown_code,
    limit=92,
    delimiters={},
)

# A sentence alone, for programs: formulas between dollar signs, nothing escaped.
PLAIN = Style(
    template="",
    text=str,
    math=lambda tex: f"${tex}$",
    code=str,
    limit=92,
    delimiters={},
)


def written(item: Inline, style: Style, language: Language) -> str:
    """A sentence, formula, name or list in a style, by itself."""
    return _Writer(style, language).inline(item)


def render_as(document: Document, style: Style) -> str:
    """The document by a style's template."""
    environment = Environment(
        loader=FileSystemLoader(_templates()),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **style.delimiters,  # type: ignore[arg-type]  # Jinja's names of its delimiters
    )
    writer = _Writer(style, document.language)
    context: dict[str, Any] = {
        "document": document,
        "inline": writer.inline,
        "lines": writer.lines,
        "cell_end": CELL_END,
    }
    template = environment.get_template(style.template)
    text = template.render(context, is_cjk=document.language == "zh")
    if document.language != "zh" and CJK.search(text):
        text = template.render(context, is_cjk=True)
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    # In TeX an empty line before a display would be a paragraph's end, with its space and its page break.
    return re.sub(r"\n\n(?=\\begin\{align\*\})", "\n", text)


def _templates() -> Path:
    """The templates of the wheel, or those beside the package in a checkout."""
    inside = Path(str(files("symgrad"))) / "templates"
    for folder in (inside, inside.parent.parent / "templates"):
        if (folder / "markdown").is_dir():
            return folder
    raise MissingTool(
        "the templates of symgrad are not installed; install it again: pip install --force-reinstall symgrad"
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    style: Style
    language: Language

    def inline(self, item: Inline) -> str:
        """A sentence, formula, name or list in the format, escaped."""
        if isinstance(item, Math):
            return self.style.math(item.tex)
        if isinstance(item, Plain):
            return self.style.text(item.text)
        if isinstance(item, CodeSpan):
            return self.style.code(item.text)
        if isinstance(item, Listing):
            return self._joined([self.inline(x) for x in item.items], item.join, self.style.text)
        return self._sentence(item, self.style.text, self.inline)

    def _joined(self, parts: list[str], join: Join, text: Callable[[str], str]) -> str:
        if join == "semicolon" or len(parts) < 2:
            return text(SEMICOLON.to(self.language)).join(parts)
        comma = CLAUSES if join == "clause" else COMMA
        last = {"and": AND, "or": OR, "clause": CLAUSES_END, "names": NAMES_END}[join]
        head = text(comma.to(self.language)).join(parts[:-1])
        return head + text(last.to(self.language)) + parts[-1]

    def _sentence(self, item: Sentence, text: Callable[[str], str], inner: Callable[[Inline], str]) -> str:
        pieces = PLACEHOLDER.split(item.text.to(self.language))
        missing = set(pieces[1::2]) - item.values.keys()
        if item.values and missing:
            raise KeyError(f"the sentence {item.text.en!r} has no value for {sorted(missing)[0]}")
        # Every second piece is a placeholder's name; one without a value is a word in braces.
        return "".join(
            text(piece) if k % 2 == 0 else inner(item.values[piece]) if piece in item.values else text(f"{{{piece}}}")
            for k, piece in enumerate(pieces)
        )

    def reason(self, item: Inline) -> str:
        """A sentence inside a display: text between formulas."""
        if isinstance(item, Math):
            return item.tex
        if isinstance(item, Listing):
            return self._joined([self.reason(x) for x in item.items], item.join, _text_in_math)
        if isinstance(item, Sentence):
            return self._sentence(item, _text_in_math, self.reason).replace(TEXT_END + TEXT_BEGIN, "")
        return _text_in_math(item.text)

    def lines(self, display: Display | Box) -> list[Line]:
        """The printed lines of a display."""
        return list(lines(display.rows, self.style.limit, self._finished_reason))

    def _finished_reason(self, item: Inline) -> str:
        joined = self.reason(item).replace(TEXT_END + TEXT_BEGIN, "")
        # Between Chinese and a formula TeX would swallow the space.
        joined = re.sub(rf"({CJK.pattern}) {TEXT_END}", rf"\1{TEXT_END}\\ ", joined)
        return joined.replace(TEXT_BEGIN, r"\text{").replace(TEXT_END, "}")


def _text_in_math(text: str) -> str:
    return f"{TEXT_BEGIN}{latex_text(text)}{TEXT_END}" if text else ""
