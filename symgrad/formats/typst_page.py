"""Document → a page in Typst's markup. What a line of an equation says as a whole is handed to its reader in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symgrad.explain.document import Block, Box, Code, Display, Document, Heading, Paragraph
from symgrad.formats.escape import CJK, broken_words
from symgrad.formats.layout import INDENT, holds, parts_of
from symgrad.formats.template import ANGLES, NARROW_PART, Style, Writer, environment, in_words, places
from symgrad.formats.typst_drawing import typst_drawing
from symgrad.notation.spoken import spoken
from symgrad.notation.typst import typst, typst_string
from symgrad.notation.width import width
from symgrad.prose import Language
from symgrad.records import dataclass

LIMIT = 70
GAP = 3
# How wide a formula in a sentence is at most that stays on one line.
UNBROKEN = 12
COLUMNS = {"wide": "1fr", "narrow": f"{NARROW_PART:%}", "own": "auto"}
# What is compiled into Typst.
TYPST_FONTS = ("New Computer Modern", "New Computer Modern Math", "Libertinus Serif", "DejaVu Sans Mono")


@dataclass(frozen=True, slots=True)
class Faces:
    """The families of fonts of a page: for text, headings, formulas and programs, with those for Chinese behind them."""

    serif: str = ""
    sans: str = ""
    is_fallback: bool = False

    def families(self, own: str, chinese: str) -> str:
        """A list of families as Typst writes it: at its end those of Typst's own, for signs that the others lack."""
        names = dict.fromkeys([own, *([chinese] if chinese else []), *TYPST_FONTS])
        return "(" + ", ".join(map(typst_string, names)) + ")"


def typst_text(text: str) -> str:
    r"""Text as a string of Typst: it cannot be markup. A straight apostrophe is set as a curly one, a very long word breaks.

    >>> print(typst_text("#import $x$"), typst_text(""))
    #"#import $x$";
    """
    pieces = broken_words(text.replace("'", "’"))
    return "#sym.zws;".join(f"#{typst_string(piece)};" for piece in pieces) if text else ""


def _code(text: str) -> str:
    return f"#raw({typst_string(text)});"


def _style(language: Language) -> Style:
    return Style(
        template="typst/page.typ.j2",
        text=typst_text,
        math=lambda tex: _in_line(tex, language) if tex else "",
        code=_code,
        limit=LIMIT,
        delimiters=ANGLES,
    )


def _in_line(tex: str, language: Language) -> str:
    """A formula in a sentence; a short one does not break, as 2.3 × 10⁻⁴¹."""
    call = "whole" if width(tex) <= UNBROKEN else "m"
    return f"#{call}({typst_string(spoken(tex, language))}, ${typst(tex)}$);"


STYLES: Mapping[Language, Style] = {"en": _style("en"), "zh": _style("zh")}


def typst_page(document: Document, faces: Faces) -> str:
    """The page in Typst's markup, set in these fonts."""
    style = STYLES[document.language]
    writer = Writer(style, document.language)
    context: dict[str, Any] = {
        "document": document,
        "blocks": document.blocks,
        "inline": writer.inline,
        "string": typst_string,
        "code": _program,
        "title": _title(document),
        "lang": typst_string(document.language),
        "region": '"cn"' if document.language == "zh" else "none",
        "leading": "0.85em" if document.language == "zh" else "0.65em",
        "spacing": "1.3em" if document.language == "zh" else "1.05em",
        "fallback": "true" if faces.is_fallback else "false",
        "fonts": faces.families("New Computer Modern", faces.serif),
        "heading_fonts": faces.families("New Computer Modern", faces.sans or faces.serif),
        "math_fonts": faces.families("New Computer Modern Math", faces.serif),
        "code_fonts": faces.families("DejaVu Sans Mono", faces.sans or faces.serif),
        "levels": _levels(document.blocks),
        "leads": [_leads(a, b) for a, b in zip(document.blocks, (*document.blocks[1:], None), strict=True)],
        "rows": lambda block: list(_rows(block, writer)),
        "columns": lambda table: [COLUMNS[place] for place in places(table, document.language)],
        "figure": lambda block: typst_drawing(block.drawing, writer.inline),
        "words": lambda block: typst_string(" ".join(in_words(block, document.language))),
    }
    return environment(style).get_template(style.template).render(context)


def has_chinese(text: str) -> bool:
    """Whether a font for Chinese is needed."""
    return CJK.search(text) is not None


def _title(document: Document) -> str:
    """The title without markup, for the properties of the file."""
    title = document.title
    words = title.text if isinstance(title.text, str) else title.text.to(document.language)
    return typst_string(words)


def _program(text: str) -> str:
    """A program as a string: its line breaks are its own."""
    return '"' + r"\n".join(typst_string(line)[1:-1] for line in text.splitlines()) + '"'


def _levels(blocks: Sequence[Block]) -> list[int]:
    """The levels of headings, which begin with 1 whatever the page begins with; 0 for what is none."""
    found = [block.level if isinstance(block, Heading) else 0 for block in blocks]
    top = next((level for level in found if level), 1)
    return [max(1, level - top + 1) if level else 0 for level in found]


def _leads(block: Block, following: Block | None) -> bool:
    """Whether a paragraph leads to what follows, and is to stay on its page."""
    is_whole = isinstance(following, Display | Box) or (isinstance(following, Code) and following.is_whole)
    return isinstance(block, Paragraph) and is_whole


def _rows(block: Display | Box, writer: Writer) -> Iterator[dict[str, str]]:
    """The lines of an equation: the last of a row has its reason, shape and number."""
    left = max((width(r.left) for r in block.rows), default=0) + GAP
    for place, row in enumerate(block.rows):
        parts = parts_of(row, LIMIT - left)
        for k, part in enumerate(parts):
            is_first, is_last = k == 0, k == len(parts) - 1
            # A sign at the beginning would be that of a number.
            front = f"{row.left} {row.relation}" if is_first else f"{INDENT}{{}}"
            yield {
                "left": f"$display({typst(row.left)})$" if is_first and row.left else "none",
                "body": _equation(f"{front} {part}", writer.language),
                "reason": f"[{writer.inline(row.reason)}]" if is_last and row.reason is not None else "none",
                "shape": f"[{writer.style.math(f'({row.shape})')}]" if is_last and row.shape else "none",
                "holds": "false" if is_last and not holds(block.rows, place) else "true",
                "tag": f"[({typst_text(str(row.label))})]" if is_last and row.label is not None else "none",
            }


def _equation(tex: str, language: Language) -> str:
    return f"eq({typst_string(spoken(tex, language))}, ${typst(tex)}$)"
