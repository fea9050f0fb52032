"""Document → text, by a Jinja template and a style. A template only places what is handed to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from symgrad.errors import MissingTool
from symgrad.explain.document import (
    Box,
    Code,
    CodeSpan,
    Display,
    Document,
    Figure,
    Inline,
    Join,
    Listing,
    Math,
    Plain,
    Sentence,
    Table,
)
from symgrad.formats.escape import (
    CJK,
    before_formulas,
    common_opening,
    common_text,
    github_text,
    latex_code,
    latex_paragraph,
    latex_text,
    markdown_code,
    markdown_opening,
    markdown_text,
)
from symgrad.formats.layout import Line, lines
from symgrad.formats.mermaid import mermaid
from symgrad.formats.tikz import tikz
from symgrad.notation.linear import columns, linear
from symgrad.notation.spoken import spoken
from symgrad.prose import Language, Text
from symgrad.records import dataclass

PLACEHOLDER = re.compile(r"\{(\w+)\}")
AND = Text(en=" and ", zh=" 和 ")
OR = Text(en=" or ", zh=" 或 ")
COMMA = Text(en=", ", zh="、")
CLAUSES, CLAUSES_END = Text(en=", ", zh="，"), Text(en=" and ", zh="，")
NAMES_END = Text(en=" and ", zh="、")
SEMICOLON = Text(en="; ", zh="；")
# Around text in formulas until neighbours are joined; no text holds them, control characters are dropped.
TEXT_BEGIN, TEXT_END = "\x02", "\x03"
# The parts of a page that the columns of a table take, at least and at most.
LEAST_COLUMN, MOST_COLUMN = 12, 60
# How many characters the columns beside the wide one may take together before each breaks at a part of the line, and the
# characters of that part.
MOST_BESIDE, NARROW, NARROW_PART = 50, 24, 0.28
# Where a cell of a notebook ends.
CELL_END = "\x04"


Write = Callable[[Inline], str]


@dataclass(frozen=True, slots=True)
class Style:
    """How a template writes plain text, formulas and code inside a line, and how wide its equations may be.

    `figure` draws a picture, or tells it, with the writer of what stands inside a line and one of plain text.
    """

    template: str
    text: Callable[[str], str]
    math: Callable[[str], str]
    code: Callable[[str], str]
    limit: float
    delimiters: Mapping[str, str]
    autoescape: bool = False
    # Around the formulas of a display.
    fences: tuple[str, str] = ("", "")
    # What a reader of the format asks of a formula.
    formula: Callable[[str], str] = str
    # What a finished line needs where text and formulas meet, and a paragraph where it begins.
    line: Callable[[str], str] = str
    paragraph: Callable[[str], str] = str
    figure: Callable[[Figure, Write, Write], str] = lambda figure, inline, plain: ""


RAGGED = r">{\raggedright\arraybackslash}"
TEX_COLUMNS = {"wide": f"{RAGGED}X", "narrow": rf"{RAGGED}p{{{NARROW_PART}\textwidth}}", "own": "l"}

# For formats in which braces are markup.
ANGLES = {
    "block_start_string": "<%",
    "block_end_string": "%>",
    "variable_start_string": "<<",
    "variable_end_string": ">>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
}


def drawn_by_mermaid(figure: Figure, inline: Write, plain: Write) -> str:
    """The graph as a program that GitHub and Jupyter draw: they show an SVG file by reference only, and a page is one file."""
    return f"```mermaid\n{mermaid(figure.graph, plain)}\n```\n\n{inline(figure.caption)}"


GITHUB = Style(
    template="markdown/page.md.j2",
    text=github_text,
    math=lambda tex: f"$`{tex}`$",
    code=markdown_code,
    limit=92,
    delimiters={},
    fences=("```math", "```"),
    line=before_formulas,
    paragraph=markdown_opening,
    figure=drawn_by_mermaid,
)
# Formulas between dollar signs, as pandoc, VS Code, Jupyter, CSDN and 知乎 read them.
COMMON = Style(
    template="markdown/page.md.j2",
    text=common_text,
    math=lambda tex: f"${tex.strip()}$",
    code=markdown_code,
    limit=92,
    delimiters={},
    fences=("$$", "$$"),
    # pandoc up to 2.17 knows \bigl and \Big, and prints a formula with \Bigl as its source.
    formula=lambda tex: tex.replace(r"\Bigl", r"\Big").replace(r"\Bigr", r"\Big"),
    line=str.strip,
    paragraph=common_opening,
    figure=lambda figure, inline, plain: " ".join(map(inline, figure.words)),
)
LATEX = Style(
    template="latex/page.tex.j2",
    text=latex_paragraph,
    math=lambda tex: f"${tex}$",
    code=latex_code,
    limit=66,
    delimiters=ANGLES,
    figure=lambda figure, inline, plain: tikz(figure.drawing, inline),
)
# A cell's output: Markdown as Jupyter reads it, with formulas between dollar signs.
NOTEBOOK = Style(
    template="notebook/cell.md.j2",
    text=markdown_text,
    math=lambda tex: f"${tex}$",
    code=markdown_code,
    limit=92,
    delimiters={},
    line=str.strip,
    paragraph=markdown_opening,
    figure=lambda figure, inline, plain: " ".join(map(inline, figure.words)),
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
    return Writer(style, language).inline(item)


def render_as(document: Document, style: Style) -> str:
    """The document by a style's template."""
    writer = Writer(style, document.language)
    context: dict[str, Any] = {
        "document": document,
        "inline": writer.finished,
        "run_in": writer.run_in,
        "paragraph": writer.paragraph,
        "lines": writer.lines,
        "fences": style.fences,
        "figure": lambda figure: style.figure(figure, writer.inline, lambda item: plain(item, document.language)),
        "widths": lambda table: _widths(table, document.language),
        "columns": lambda table: [TEX_COLUMNS[place] for place in places(table, document.language)],
        "cell_end": CELL_END,
        "leads_to_program": [isinstance(b, Code) and b.is_whole for b in (*document.blocks[1:], None)],
    }
    template = environment(style).get_template(style.template)
    text = template.render(context, is_cjk=document.language == "zh")
    if document.language != "zh" and CJK.search(text):
        text = template.render(context, is_cjk=True)
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    # In TeX an empty line before a display would be a paragraph's end, with its space and its page break.
    return re.sub(r"\n\n(?=\\begin\{alignat\*\})", "\n", text)


def environment(style: Style) -> Environment:
    """Jinja, strict: what a template names must be there."""
    return Environment(
        loader=FileSystemLoader(_templates()),
        undefined=StrictUndefined,
        autoescape=style.autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **style.delimiters,  # type: ignore[arg-type]  # Jinja's names of its delimiters
    )


def template_file(name: str) -> Path:
    """A file that a template is handed: a style, a font."""
    return _templates() / name


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
class Writer:
    """Writes inline parts and lines of equations in a style."""

    style: Style
    language: Language

    def finished(self, item: Inline) -> str:
        """What stands on a line of its own, in a cell or in a heading."""
        return self.style.line(self.inline(item))

    def run_in(self, item: Inline) -> str:
        """A heading that text follows on the same line: only there it ends in a full stop."""
        text = self.inline(item)
        stop = "" if text.endswith((".", "。", ":", "：")) else "." if self.language == "en" else "。"
        return self.style.line(text + stop)

    def paragraph(self, sentences: Sequence[Inline]) -> str:
        """Sentences in a row; Chinese ones need no space between them."""
        joined = (" " if self.language == "en" else "").join(map(self.inline, sentences))
        return self.style.paragraph(self.style.line(joined))

    def inline(self, item: Inline) -> str:
        """A sentence, formula, name or list in the format, escaped."""
        if isinstance(item, Math):
            return self.style.math(self.style.formula(item.tex))
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
        spelled = self.style.formula
        return [
            replace(line, left=spelled(line.left), right=spelled(line.right), aside=spelled(line.aside))
            for line in lines(display.rows, self.style.limit, self._finished_reason)
        ]

    def _finished_reason(self, item: Inline) -> str:
        joined = self.reason(item).replace(TEXT_END + TEXT_BEGIN, "")
        # Between Chinese and a formula TeX would swallow the space.
        joined = re.sub(rf"({CJK.pattern}) {TEXT_END}", rf"\1{TEXT_END}\\ ", joined)
        return joined.replace(TEXT_BEGIN, r"\text{").replace(TEXT_END, "}")


def plain(
    item: Inline,
    language: Language,
    *,
    text: Callable[[str], str] = str,
    math: Callable[[str], str] = linear,
) -> str:
    """A sentence, formula, name or list as plain text, formulas in Unicode; or as the two writers spell them."""
    return Writer(Style("", text=text, math=math, code=text, limit=0, delimiters={}), language).inline(item)


def in_words(figure: Figure, language: Language) -> list[str]:
    """A picture for who does not see it, sentence by sentence, formulas as they are spoken."""
    return [plain(sentence, language, math=lambda tex: spoken(tex, language)) for sentence in figure.words]


def _widths(table: Table, language: Language) -> list[int]:
    """How many hyphens stand below each header: pandoc shares the width of a page by them, others do not read them.

    A number counts as one digit, so that a table looks the same for any number of layers.
    """
    columns = zip(table.header, *table.rows, strict=True)
    return [min(max(LEAST_COLUMN, *(_length(cell, language) for cell in column)), MOST_COLUMN) for column in columns]


def places(table: Table, language: Language) -> list[str]:
    """How wide each column is on paper: "wide" fills the line, "narrow" breaks at a part of it, "own" never breaks."""
    cells = list(zip(table.header, *table.rows, strict=True))
    lengths = [max(columns(plain(cell, language)) for cell in column) for column in cells]
    is_full = sum(lengths) - lengths[table.wide] > MOST_BESIDE
    narrow = ["narrow" if is_full and length > NARROW else "own" for length in lengths]
    return ["wide" if k == table.wide else place for k, place in enumerate(narrow)]


def _length(cell: Inline, language: Language) -> int:
    return len(re.sub(r"[0-9₀-₉⁰¹²³⁴-⁹]+", "1", plain(cell, language)))


def _text_in_math(text: str) -> str:
    return f"{TEXT_BEGIN}{latex_text(text)}{TEXT_END}" if text else ""
