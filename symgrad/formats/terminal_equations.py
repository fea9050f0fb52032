"""Displays as lines of text: boxes aligned at their relations, numbers at the right end, reasons beside them or beneath."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from symgrad.explain.document import Row
from symgrad.formats.wrapping import wrapped
from symgrad.notation.boxes import Box, beside, text_box
from symgrad.notation.linear import columns, linear
from symgrad.notation.unicode import box, broken
from symgrad.records import dataclass

# Between right sides and reasons; how far what goes on is set in; the least room for right sides.
GAP, INDENT, LEAST = 3, 2, 10
# A left side wider than this share of the line has a line of its own.
WIDEST_LEFT = 0.4


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line, in a style or in none."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The room of a display: in all, for left sides with their relations, for right sides; whether numbers fit beside."""

    room: int
    head: int
    right: int
    has_tags_beside: bool


def equation_lines(rows: Sequence[Row], room: int, aside: Callable[[Row], str]) -> Iterator[Line]:
    """The lines of a display, none wider than the room; `aside` writes the reason and the shape of a row."""
    tags = ["" if r.label is None else f"({r.label})" for r in rows]
    lefts = [box(r.left) for r in rows]
    relations = [f" {linear(r.relation)} " if r.relation and r.left + r.right else "" for r in rows]
    own = _columns(lefts, relations, tags, room)
    rights = [_pieces(r, own.right) for r in rows]
    widest = max(piece.width for pieces in rights for piece in pieces)
    heights = [max(len(b.lines) for b in (lefts[k], *rights[k])) for k in range(len(rows))]
    for k, r in enumerate(rows):
        if k and max(heights[k], heights[k - 1]) > 1:
            yield ()
        beside_it = own.head + widest + GAP
        text = aside(r)
        has_room = bool(text) and beside_it + columns(text) + (columns(tags[k]) + 2 if tags[k] else 0) <= room
        head, above = _head(lefts[k], relations[k], own.head)
        yield from ((Span(line.rstrip()),) for line in above)
        tag = tags[k] if own.has_tags_beside else ""
        for place, piece in enumerate(rights[k]):
            is_last = place == len(rights[k]) - 1
            start = text_box(" " * (own.head + INDENT)) if place else head
            notes = (beside_it, text if has_room and is_last else "", tag if is_last else "")
            yield from _placed(beside([start, piece]), room, notes)
        if tags[k] and not tag:
            yield (Span(" " * max(0, room - columns(tags[k])) + tags[k], "quiet"),)
        if text and not has_room:
            indent = " " * min(own.head + INDENT, room // 4)
            yield from ((Span(indent + line, "quiet"),) for line in wrapped(text, room - columns(indent)))


def _columns(lefts: Sequence[Box], relations: Sequence[str], tags: Sequence[str], room: int) -> _Columns:
    widths = [b.width + columns(relation) for b, relation in zip(lefts, relations, strict=True)]
    head = max((w for w in widths if w <= WIDEST_LEFT * room), default=max(map(columns, relations)) + INDENT)
    tag = max(map(columns, tags))
    has_tags_beside = room - head - tag - 2 >= LEAST
    right = room - head - (tag + 2 if tag and has_tags_beside else 0)
    return _Columns(room, head, right, has_tags_beside)


def _head(left: Box, relation: str, width: int) -> tuple[Box, tuple[str, ...]]:
    """The left side with its relation, to the right; one that is too wide stands above, the relation alone remains."""
    own = beside([left, text_box(relation)])
    if own.width <= width:
        return beside([text_box(" " * (width - own.width)), own]), ()
    rest = text_box(" " * (width - columns(relation)) + relation)
    return rest, left.lines


def _pieces(r: Row, room: int) -> list[Box]:
    """The right side in pieces that fit, broken between its terms where it has terms."""
    if box(r.right).width <= room:
        return [box(r.right)]
    pieces: list[str] = []
    for k, term in enumerate(r.terms or (r.right,)):
        signed = term if not k or term.startswith("-") else "+ " + term
        joined = f"{pieces[-1]} {signed}" if pieces else signed
        if pieces and box(joined).width <= room - INDENT:
            pieces[-1] = joined
        else:
            pieces.append(signed)
    return [part for k, piece in enumerate(pieces) for part in broken(piece, room - INDENT, is_further=k > 0)]


def _placed(own: Box, room: int, notes: tuple[int, str, str]) -> Iterator[Line]:
    """The lines of a box, with the reason and the number beside its baseline."""
    column, aside, tag = notes
    for k, line in enumerate(own.lines):
        if k != own.baseline or not (aside or tag):
            yield (Span(line.rstrip()),)
            continue
        spans = [Span(line)]
        at = columns(line)
        if aside:
            spans += [Span(" " * (column - at)), Span(aside, "quiet")]
            at = column + columns(aside)
        if tag:
            spans += [Span(" " * (room - at - columns(tag))), Span(tag, "quiet")]
        yield tuple(spans)
