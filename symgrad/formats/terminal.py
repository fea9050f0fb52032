"""A document as lines of text of a given width, formulas as boxes: for terminals, with styles, and as plain text.

Nothing is cut: a formula breaks at its signs, and what cannot be broken goes on behind a mark on the next line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from symgrad.explain.document import (
    Block,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Inline,
    Paragraph,
    Row,
    Sentence,
    Table,
)
from symgrad.explain.document import Box as Framed
from symgrad.formats import terminal_sentences as say
from symgrad.formats.template import plain
from symgrad.formats.terminal_equations import Line, Span, equation_lines
from symgrad.formats.wrapping import GLUE, wrapped
from symgrad.notation.boxes import hard_wrapped
from symgrad.notation.linear import columns, has_plain_index, linear, with_plain_indices
from symgrad.prose import Language

WIDTH, NARROWEST = 80, 20
# How far a display is set in.
MARGIN = 2
# Between the columns of a table, and the narrowest column whose text wraps.
BETWEEN, NARROW = 3, 14
# Select Graphic Rendition of ECMA-48.
STYLES: Mapping[str, str] = {"title": "1;4", "heading": "1;36", "step": "1", "quiet": "2", "frame": "32", "code": "33"}


def text_page(document: Document, width: int = WIDTH) -> str:
    """The page as plain text."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in _page(document, width))


def terminal_page(document: Document, width: int = WIDTH) -> str:
    """The page with the escape sequences of a terminal around what is styled."""
    return "".join("".join(map(_styled, line)) + "\n" for line in _page(document, width))


def _styled(span: Span) -> str:
    return f"\x1b[{STYLES[span.style]}m{span.text}\x1b[0m" if span.style and span.text.strip() else span.text


def _page(document: Document, width: int) -> Iterator[Line]:
    sheet = _Sheet(document.language, max(width, NARROWEST))
    yield from sheet.text(sheet.inline(document.title), "title")
    section = 0
    before: Heading | None = None
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            section += 1
        if not (before is not None and (before.level == 1 or isinstance(block, Paragraph))):
            yield ()
        yield from sheet.block(block, section)
        before = block if isinstance(block, Heading) else None


def _safe(text: str) -> str:
    """What shows as itself: a terminal obeys control characters."""
    return "".join(c if c.isprintable() else " " for c in text)


class _Sheet:
    """Writes blocks in a language and a width."""

    def __init__(self, language: Language, width: int) -> None:
        self.language, self.width = language, width
        self.printers: Mapping[str, Callable[[Block, int], Iterator[Line]]] = {
            "heading": self.heading,
            "paragraph": self.paragraph,
            "display": self.display,
            "box": self.framed,
            "table": self.table,
            "code": self.code,
            "figure": self.figure,
        }

    def block(self, block: Block, section: int) -> Iterator[Line]:
        """The lines of one block."""
        return self.printers[block.kind](block, section)

    def inline(self, *items: Inline) -> str:
        """Sentences with formulas that do not break; where one index cannot be lowered, none is."""
        seen: list[str] = []

        def math(tex: str) -> str:
            seen.append(tex)
            return linear(tex).replace(" ", GLUE)

        def written(math: Callable[[str], str]) -> str:
            between = "" if self.language == "zh" else " "
            return between.join(plain(item, self.language, text=_safe, math=math) for item in items)

        text = written(math)
        if not any(map(has_plain_index, seen)):
            return text
        return written(lambda tex: with_plain_indices(linear(tex)).replace(" ", GLUE))

    def text(self, text: str, style: str = "", indent: str = "", room: int | None = None) -> Iterator[Line]:
        """A text, wrapped."""
        for line in wrapped(text, self.width if room is None else room, indent):
            yield (Span(line, style),)

    # ---- blocks

    def heading(self, block: Block, section: int) -> Iterator[Line]:
        assert isinstance(block, Heading)
        text = self.inline(block.content)
        if block.level > 1:
            yield from self.text(text, "step")
            return
        lines = wrapped(f"{section}  {text}", self.width, "   ")
        yield from ((Span(line, "heading"),) for line in lines)
        yield (Span("─" * max(map(columns, lines)), "heading"),)

    def paragraph(self, block: Block, section: int) -> Iterator[Line]:
        assert isinstance(block, Paragraph)
        yield from self.text(self.inline(*block.sentences))

    def figure(self, block: Block, section: int) -> Iterator[Line]:
        assert isinstance(block, Figure)
        yield from self.text(self.inline(Sentence(say.GRAPH)))
        for sentence in block.words:
            yield from self.text("• " + self.inline(sentence), indent="  ")

    def code(self, block: Block, section: int) -> Iterator[Line]:
        assert isinstance(block, Code)
        for line in block.text.splitlines():
            for part in hard_wrapped(_safe(line.expandtabs(4)), self.width):
                yield (Span(part, "code"),)

    # ---- tables

    def table(self, block: Block, section: int) -> Iterator[Line]:
        assert isinstance(block, Table)
        header = [self.inline(cell) for cell in block.header]
        rows = [[self.inline(cell) for cell in row] for row in block.rows]
        widths = [max(map(columns, column)) for column in zip(header, *rows, strict=True)]
        others = sum(widths) - widths[block.wide] + BETWEEN * (len(widths) - 1)
        if others + widths[block.wide] > self.width:
            widths[block.wide] = self.width - others
        if widths[block.wide] < min(NARROW, max(columns(row[block.wide]) for row in [header, *rows])):
            yield from self.listed(header, rows)
            return
        yield from self.table_row(header, widths, "step")
        yield (Span((" " * BETWEEN).join("─" * w for w in widths), "quiet"),)
        for row in rows:
            yield from self.table_row(row, widths)

    def table_row(self, row: Sequence[str], widths: Sequence[int], style: str = "") -> Iterator[Line]:
        cells = [wrapped(cell, w) for cell, w in zip(row, widths, strict=True)]
        for k in range(max(map(len, cells))):
            parts = [_filled(cell[k] if k < len(cell) else "", w) for cell, w in zip(cells, widths, strict=True)]
            yield (Span((" " * BETWEEN).join(parts).rstrip(), style),)

    def listed(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Line]:
        """A table whose columns do not fit beside each other: row after row, a line or more for each cell."""
        colon = "：" if self.language == "zh" else ": "
        for k, row in enumerate(rows):
            if k:
                yield ()
            for place, (name, cell) in enumerate(zip(header, row, strict=True)):
                if cell:
                    head = name + colon if name else ""
                    yield from self.text(head + cell, "" if place else "step", "  " if place else "    ")

    # ---- equations

    def display(self, block: Block, section: int) -> Iterator[Line]:
        assert isinstance(block, Display | Framed)
        for line in equation_lines(block.rows, self.width - MARGIN, self.aside):
            yield (Span(" " * MARGIN), *line) if line else ()

    def framed(self, block: Block, section: int) -> Iterator[Line]:
        assert isinstance(block, Framed)
        lines = list(equation_lines(block.rows, self.width - 4, self.aside))
        inner = max(columns("".join(s.text for s in line)) for line in lines)
        yield (Span(f"╭{'─' * (inner + 2)}╮", "frame"),)
        for line in lines:
            missing = inner - columns("".join(s.text for s in line))
            yield (Span("│ ", "frame"), *line, Span(" " * missing), Span(" │", "frame"))
        yield (Span(f"╰{'─' * (inner + 2)}╯", "frame"),)

    def aside(self, row: Row) -> str:
        """The reason and the shape that stand beside a line."""
        shape = linear(f"({row.shape})").replace(" ", GLUE) if row.shape else ""
        return "  ".join(filter(None, (self.inline(row.reason) if row.reason is not None else "", shape)))


def _filled(text: str, width: int) -> str:
    return text + " " * (width - columns(text))
