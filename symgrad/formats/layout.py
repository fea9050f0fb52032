"""Where lines of equations break: between terms, else inside one, and before a reason that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from symgrad.explain.document import Inline, Row
from symgrad.formats.breaks import SIZED, balanced, pieces
from symgrad.notation.width import width
from symgrad.records import dataclass

# A gap between the columns of an aligned display, in characters.
GAP = 3
# The gap before a reason, in characters: 22 pt in a handout.
ASIDE_GAP = 4
# How far a continued line is set in.
INDENT = r"\quad "


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: `left` and `relation` may be empty; `aside` is a reason or a shape in LaTeX; `tag` the number.

    What `holds` stays on the page of the line after it.
    """

    left: str
    relation: str
    right: str
    aside: str = ""
    tag: str = ""
    holds: bool = False


def holds(rows: Sequence[Row], k: int) -> bool:
    """Whether a row stays on the page of the next one, which says the same entry by entry and has no number."""
    following = rows[k + 1] if k + 1 < len(rows) else None
    return following is not None and rows[k].label is not None and following.label is None and bool(following.left)


def lines(rows: Sequence[Row], limit: float, reason: Callable[[Inline], str]) -> Iterator[Line]:
    """The printed lines of a display at most about `limit` characters wide.

    A sum that is too wide breaks between its terms, a term inside its brackets or between factors; a reason that does
    not fit beside its line stands beneath it.
    """
    left = max((width(r.left) for r in rows), default=0) + GAP
    asides = [reason(r.reason) if r.reason is not None else "" for r in rows]
    rights = [max(map(width, parts_of(r, limit - left))) for r in rows]
    widest = max(rights, default=0)
    fits = {k for k, a in enumerate(asides) if a and left + widest + ASIDE_GAP + width(a) <= limit}
    for k, (r, aside) in enumerate(zip(rows, asides, strict=True)):
        parts = parts_of(r, limit - left)
        tag = "" if r.label is None else str(r.label).replace("…", r"\ldots")
        shape = rf"({r.shape})" if r.shape else ""
        has_room = left + widest + ASIDE_GAP + width(aside) + width(shape) <= limit
        beside = rf"{aside}\quad {shape}" if aside and shape and has_room and k in fits else aside if k in fits else ""
        if not aside and shape and left + widest + ASIDE_GAP + width(shape) <= limit:
            beside = shape
        shown_shape = bool(shape) and shape in beside
        for place, part in enumerate(parts):
            is_first, is_last = place == 0, place == len(parts) - 1
            needs_more = is_last and ((aside and k not in fits) or (shape and not shown_shape))
            yield Line(
                r.left if is_first else "",
                r.relation if is_first else "",
                part if is_first else INDENT + part,
                beside if is_last else "",
                tag if is_last and not needs_more else "",
                not is_last or bool(needs_more) or holds(rows, k),
            )
        below = [t for t in (aside if aside and k not in fits else "", shape if shape and not shown_shape else "") if t]
        if below:
            yield Line("", "", INDENT + r"\quad ".join(below), "", tag, holds(rows, k))


def parts_of(r: Row, room: float) -> list[str]:
    """The right side in pieces that fit the room: of whole terms, and of parts of those that fit no line."""
    if width(r.right) <= room:
        return [r.right]
    parts, current = list[str](), ""
    for k, term in enumerate(r.terms or (r.right,)):
        signed = term if k == 0 or term.startswith(("-", "+")) else "+ " + term
        broken = pieces(signed, room, SIZED) if width(signed) > room else ()
        for piece in broken if len(broken) > 1 else (signed,):
            joined = f"{current} {piece}".strip()
            if current and width(joined) > room:
                parts.append(current)
                current = piece
            else:
                current = joined
    return list(balanced([*parts, current]))
