"""Document → one HTML page that holds all it needs: MathML, a font, a style; no script, nothing from a network.

A formula breaks where its row says: each term is a <math> of its own, and the browser wraps them like words.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import field
from functools import cache
from importlib import import_module
from unicodedata import bidirectional, east_asian_width

from markupsafe import Markup, escape

from symgrad.errors import MissingTool
from symgrad.explain.document import Block, Box, Display, Document, Heading, Inline, Mark, Row
from symgrad.formats import html_sentences as say
from symgrad.formats.breaks import breadth, pieces
from symgrad.formats.layout import holds
from symgrad.formats.svg import svgs
from symgrad.formats.template import Style, Writer, environment, plain, template_file
from symgrad.notation.spoken import spoken
from symgrad.notation.width import width
from symgrad.prose import Language, Text, one_line
from symgrad.records import dataclass

# About how many characters a line of a display holds on a wide screen, and how wide a left side stands beside its lines
# on a phone, what stands beside a formula there, and
# from which width on formulas break there, in a line and in a cell of a table.
LIMIT = 78
PHONE_LIMIT = 32
PHONE_ROOM = 22
CELL_ROOM = 9
SHORT_LEFT = 9
# A cell of a table that breaks nowhere.
SHORT_CELL = 12
SIDE_GAP = 3
LANGUAGE_TAGS = {"en": "en", "zh": "zh-Hans"}
BESIDE_FORMULA = re.compile(r"([(（「]*)(<math(?:(?!</math>).)*</math>)([,.;:!?)\]，。；：、！？）」]*)", re.S)
MARK_SIGNS: dict[Mark, str] = {"proved": "✓", "verified": "≈", "unchecked": "?"}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One line of a display: the cells of its row. `place` says where reason and shape stand.

    They are "near" on every screen, "beside" the formula on a wide one only, "below" it on all. On paper a row that `holds`
    stays with the next one.
    """

    left: Markup
    right: tuple[tuple[Markup, ...], ...]
    reason: Markup
    shape: Markup
    number: str
    mark: Mark | None
    place: str
    holds: bool


@dataclass(slots=True)
class Part:
    """A section, or a step of one: its heading, its blocks, its steps."""

    id: str
    number: int
    heading: Heading
    blocks: list[Block] = field(default_factory=list)
    steps: list[Part] = field(default_factory=list)


def html_page(document: Document) -> str:
    """The document as a page that stands alone."""
    convert = _converter()
    style = _style(convert, PHONE_ROOM)
    writer, cells = (Writer(own, document.language) for own in (style, _style(convert, CELL_ROOM)))

    def inline(item: Inline) -> Markup:
        return Markup(writer.finished(item))  # each function of a style escapes what it is handed

    def rows(display: Display | Box) -> list[ShownRow]:
        return list(_shown(display.rows, inline, convert))

    opening, parts = _parts(document)
    return (
        environment(style)
        .get_template(style.template)
        .render(
            document=document,
            language=LANGUAGE_TAGS[document.language],
            title=inline(document.title).striptags(),
            opening=opening,
            parts=parts,
            inline=inline,
            named=lambda item: _named(item, document.language),
            paragraph=lambda sentences: Markup(writer.paragraph(sentences)),
            cell=lambda item: Markup(cells.finished(item)),
            of_cell=_class_of_cell,
            rows=rows,
            say=lambda name: _word(name).to(document.language),
            figure=lambda block: Markup(svgs(block, document.language)),
            signs=MARK_SIGNS,
            is_long_left=lambda display: any(width(r.left) > SHORT_LEFT for r in display.rows),
            style=Markup(template_file("html/page.css").read_text(encoding="utf-8")),
            font=b64encode(template_file("html/math.woff2").read_bytes()).decode(),
        )
    )


def _style(convert: Callable[..., str], room: float) -> Style:
    return Style(
        template="html/page.html.j2",
        text=html_text,
        math=lambda tex: "<wbr>".join(convert(piece, displaystyle=False) for piece in pieces(tex, room)),
        code=lambda text: str(Markup("<code>{}</code>").format(one_line(text))),
        limit=LIMIT,
        delimiters={},
        autoescape=True,
        line=lambda line: BESIDE_FORMULA.sub(_held, line),
    )


def _held(match: re.Match[str]) -> str:
    """A formula with the bracket and the comma beside it; of itself a browser would break a line between them."""
    return f'<span class="held">{match[0]}</span>' if match[1] or match[3] else match[0]


def _named(item: Inline, language: Language) -> Markup:
    """The attribute of a heading or a link that holds a formula: browsers leave MathML out of their names."""
    name = plain(item, language, math=lambda tex: spoken(tex, language))
    return Markup(' aria-label="{}"').format(one_line(name)) if name != plain(item, language, math=str) else Markup()


def _class_of_cell(cell: Markup, *, is_wide: bool) -> Markup:
    """The attribute of a cell of a table, which is one line where it is no longer than a name or a shape."""
    names = [name for name, holds in (("wide", is_wide), ("held", 0 < _length(cell) <= SHORT_CELL)) if holds]
    return Markup(' class="{}"').format(" ".join(names)) if names else Markup()


def html_text(text: str) -> str:
    """Text in HTML; what is written from right to left does not turn its neighbours around.

    >>> html_text("a < b & <script>")
    'a &lt; b &amp; &lt;script&gt;'
    """
    line = one_line(text)
    is_mixed = any(bidirectional(c) in ("R", "AL", "AN") for c in line)
    return str(Markup("<bdi>{}</bdi>").format(line) if is_mixed else escape(line))


def _word(name: str) -> Text:
    return say.WORDS[name]


@cache
def _library() -> Callable[..., str]:
    try:
        library = import_module("math_core")
    except ImportError:
        raise MissingTool("HTML needs math-core; pip install 'symgrad[html]'") from None
    convert: Callable[..., str] = library.LatexToMathML().convert_with_local_state
    return convert


def _converter() -> Callable[..., str]:
    """TeX → MathML; formulas stand on a page many times."""
    convert = _library()

    @cache
    def converted(tex: str, *, displaystyle: bool) -> str:
        text = convert(_with_primes(tex), displaystyle=displaystyle)
        # A formula of its own line is one of our grid, not of the browser's.
        return text.replace('<math display="block">', '<math displaystyle="true">')

    return converted


def _with_primes(tex: str) -> str:
    """Primes as signs of the line: they are raised in the font, and a browser would raise and shrink them once more."""
    return tex if r"\text" in tex else re.sub(r"(?<=[\w)\]}])'+", lambda run: r"\prime " * len(run[0]), tex)


def _shown(
    rows: tuple[Row, ...], inline: Callable[[Inline], Markup], convert: Callable[..., str]
) -> Iterator[ShownRow]:
    def math(tex: str) -> Markup:
        return Markup(convert(tex, displaystyle=True))  # MathML of our own notation

    left = max((width(r.left) for r in rows), default=0) + SIDE_GAP
    right = max((min(breadth(r.right), LIMIT - left) for r in rows), default=0)
    for k, r in enumerate(rows):
        shape = rf"({r.shape})" if r.shape else ""
        reason = inline(r.reason) if r.reason is not None else Markup()
        beside = sum(SIDE_GAP + length for length in (_length(reason), breadth(shape)) if length)
        is_near = left + breadth(r.right) + beside + (SIDE_GAP if r.label is not None else 0) <= PHONE_LIMIT
        yield ShownRow(
            left=math(r.left) if r.left else Markup(),
            right=tuple(tuple(map(math, term)) for term in _broken(r)),
            reason=reason,
            shape=Markup(convert(shape, displaystyle=False)) if shape else Markup(),
            number="" if r.label is None else f"({r.label})",
            mark=r.mark,
            place="below" if left + right + beside > LIMIT else "near" if is_near else "beside",
            holds=holds(rows, k),
        )


def _broken(r: Row) -> Iterator[tuple[str, ...]]:
    """The relation with the first term, then the other terms, each with its sign, and each in its pieces."""
    first, *more = r.terms if len(r.terms) > 1 else (r.right,)
    beginning, *rest = pieces(first, PHONE_ROOM)
    yield rf"{{}} {r.relation} {beginning}", *rest
    for term in more:
        own, *rest = pieces(term.lstrip("+"), PHONE_ROOM)
        yield "{} " + (own if term.startswith("-") else f"+ {own}"), *rest


def _length(reason: Markup) -> int:
    """About how many characters wide a reason prints."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in reason.striptags())


def _parts(document: Document) -> tuple[list[Block], list[Part]]:
    """What stands before the first section, and the sections with their steps."""
    opening: list[Block] = []
    parts: list[Part] = []
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            parts.append(Part(f"s{len(parts) + 1}", len(parts) + 1, block))
        elif isinstance(block, Heading) and parts:
            steps = parts[-1].steps
            steps.append(Part(f"{parts[-1].id}-{len(steps) + 1}", len(steps) + 1, block))
        elif not parts:
            opening.append(block)
        else:
            (parts[-1].steps or parts)[-1].blocks.append(block)
    return opening, parts
