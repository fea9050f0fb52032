r"""Where a formula may break on a narrow screen: before a relation or a binary sign, inside brackets too, else between factors.

The pieces of a formula show the same as the formula. Brackets that stretch become brackets of a fixed size where they are
taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from symgrad.notation.formula import Fence, Fraction, Matrix, Node, Number, Root, Row, Script, Symbol, every, write
from symgrad.notation.reading import read
from symgrad.notation.signs import Kind
from symgrad.notation.width import width

# A bracket of its own around fractions, and around what is no taller than a letter.
SIGNS_APART = re.compile(r"\\(?:odot|oslash|otimes|times|cdot|to|le|ge|ne|in|leftarrow|mid)(?![a-zA-Z])")
SET_APART = 1.2
# A pair of brackets that is no wider is not taken apart.
SHORT_BRACKET = 12
TALL, PLAIN, SIZED = (r"\Bigl", r"\Bigr"), ("", ""), (r"\bigl", r"\bigr")
SIZE = re.compile(r"(\\[bB]igg?)([lr])(?![a-zA-Z])")


def pieces(tex: str, room: float, plain: tuple[str, str] = PLAIN) -> tuple[str, ...]:
    r"""The formula, in pieces where it is wider than the room; what cannot be broken stays whole.

    `plain` are the sizes of a bracket that is taken apart around what is no taller than a letter.

    >>> pieces(r"X W + b", 20), pieces(r"X W + b", 3)
    (('X W + b',), ('XW', '{} +b'))
    >>> pieces(r"P \odot \left(\frac{a}{b} - \log (A B C D) E F\right)", 9)
    ('P', '{} \\odot\\Bigl(\\frac{a}{b}', '{} -\\log(ABCD)E', 'F\\Bigr)')

    A number is one piece, and a list breaks behind its commas, not between a name and its value.

    >>> pieces(r"1.3415 \times 10^{-41}", 9)
    ('1.3415\\times10^{-41}',)
    >>> pieces(r"m = 3,\ k = 4", 9)
    ('m=3,\\ ', 'k=4')
    """
    if breadth(tex) <= room:
        return (tex,)
    parts = list(_of_list(read(tex).items))
    if len(parts) > 1:
        return tuple(piece for part in parts for piece in pieces(write(Row(tuple(part))), room, plain))
    found: list[str] = []
    for piece in _at_signs(read(tex).items, plain):
        text = write(Row(tuple(piece)))
        small = [text] if breadth(text) <= room else list(_between_factors(piece, room))
        # What begins with a sign that stands between two things needs one before it.
        found += [f"{{}} {part}" if k == 0 and found and _is_sign(piece[0]) else part for k, part in enumerate(small)]
    return tuple(found)


def _of_list(items: Sequence[Node]) -> Iterator[list[Node]]:
    """The entries of a list, each with the comma and the space behind it."""
    current: list[Node] = []
    for item in items:
        is_space = isinstance(item, Symbol) and item.kind is Kind.SPACE
        if len(current) > 1 and not is_space and _ends_entry(current):
            yield current
            current = []
        current.append(item)
    yield current


def _ends_entry(items: Sequence[Node]) -> bool:
    comma, space = items[-2:]
    is_comma = isinstance(comma, Symbol) and comma.tex == ","
    return is_comma and isinstance(space, Symbol) and space.kind is Kind.SPACE


def breadth(tex: str) -> float:
    """About how many characters wide a formula is in a browser, which sets every sign between two things apart."""
    return width(tex) + SET_APART * len(SIGNS_APART.findall(tex))


def balanced(lines: Iterable[str]) -> Iterator[str]:
    r"""The lines of a formula, each a formula of its own: a bracket that goes on in the next line ends in an empty one.

    >>> list(balanced([r"\bigl(a", r"{} + b\bigr) c"]))
    ['\\bigl(a\\bigr.', '\\bigl.{} + b\\bigr) c']
    """
    held: list[str] = []
    for line in lines:
        before = "".join(f"{size}l." for size in held)
        for size, side in SIZE.findall(line):
            if side == "l":
                held.append(size)
            else:
                held.pop()
        yield before + line + "".join(f"{size}r." for size in reversed(held))


def _is_sign(node: Node) -> bool:
    return isinstance(node, Symbol) and node.kind in (Kind.BINARY, Kind.RELATION)


def _at_signs(items: Sequence[Node], plain: tuple[str, str]) -> list[list[Node]]:
    """Pieces that begin with a sign, brackets taken apart."""
    found: list[list[Node]] = [[]]
    opened = list(_opened(items, plain))
    for k, item in enumerate(opened):
        if _is_sign(item) and found[-1] and not _waits(found[-1][-1]) and not _is_in_number(opened, k):
            found.append([])
        found[-1].append(item)
    return [piece for piece in found if piece]


def _is_in_number(items: Sequence[Node], k: int) -> bool:
    """Whether a sign is that of a number with a power of ten."""
    behind = items[k + 1] if k + 1 < len(items) else None
    return isinstance(items[k - 1], Number) and isinstance(behind, Script) and behind.base == Number("10")


def _waits(node: Node) -> bool:
    """Whether a sign behind this one is that of a number: (-1), = -x."""
    return _is_sign(node) or (isinstance(node, Symbol) and node.tex.split("{")[0] in OPENINGS)


OPENINGS = ("(", "[", r"\langle", r"\Bigl(", r"\Bigl[", r"\bigl(", r"\bigl[", r"\lVert")


def _opened(items: Sequence[Node], plain: tuple[str, str]) -> Iterator[Node]:
    """The items, each pair of brackets as its two signs and what is between them."""
    for item in items:
        fence = item.base if isinstance(item, Script) else item
        if (
            not isinstance(fence, Fence)
            or not any(_is_sign(e) for e in fence.inner.items)
            or breadth(write(fence)) <= SHORT_BRACKET
        ):
            yield item
            continue
        opening, closing = _sizes(fence, plain)
        yield Symbol(opening + fence.opening)
        yield from _opened(fence.inner.items, plain)
        last = Symbol(closing + fence.closing)
        yield Script(last, item.below, item.above, item.order) if isinstance(item, Script) else last


def _sizes(fence: Fence, plain: tuple[str, str]) -> tuple[str, str]:
    if fence.size == r"\left":
        return TALL if any(isinstance(e, Fraction | Root | Matrix) for e in every(fence.inner)) else plain
    return (fence.size, fence.size[:-1] + "r") if fence.size else plain


def _between_factors(piece: Sequence[Node], room: float) -> Iterator[str]:
    """What fits the room, broken where two factors stand side by side."""
    current: list[Node] = []
    for item in piece:
        longer = [*current, item]
        if current and not _holds_on(current[-1], item) and breadth(write(Row(tuple(longer)))) > room:
            yield write(Row(tuple(current)))
            current = [item]
        else:
            current = longer
    if current:
        yield write(Row(tuple(current)))


def _holds_on(left: Node, right: Node) -> bool:
    """Whether two neighbours belong together: a sign with what it acts on, a bracket with what is in it."""
    base, behind = (node.base if isinstance(node, Script) else node for node in (left, right))
    if isinstance(behind, Symbol) and (behind.kind in (Kind.SPACE, Kind.PUNCTUATION) or _closes(behind)):
        return True
    if isinstance(base, Symbol) and base.kind is Kind.SPACE:
        return False
    joins = (Kind.BINARY, Kind.RELATION, Kind.FUNCTION, Kind.LARGE, Kind.STYLE)
    if isinstance(base, Symbol) and (base.kind in joins or base.tex in OPENINGS):
        return True
    return isinstance(behind, Fence) and not isinstance(base, Fence)


def _closes(sign: Symbol) -> bool:
    return sign.tex.startswith((")", "]", r"\rangle", r"\Bigr", r"\bigr", r"\rVert"))
