"""A formula on one line of Unicode: ∂L/∂W = (1/n) Xᵀ(P − Y). For running text in a terminal, and for titles of pictures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from symgrad.notation.formula import (
    Accent,
    Cases,
    Fence,
    Fraction,
    Group,
    Matrix,
    Node,
    Number,
    Root,
    Row,
    Script,
    Symbol,
    Text,
    Word,
    Wrapped,
    every,
)
from symgrad.notation.reading import read
from symgrad.notation.signs import ACCENTS, DELIMITERS, Kind

RAISED: Mapping[str, str] = dict(
    zip(
        "0123456789+−=()⊤nij′∗abcdefghklmoprstuvwxyz",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵀⁿⁱʲ′*ᵃᵇᶜᵈᵉᶠᵍʰᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻ",
        strict=True,
    )
)
LOWERED: Mapping[str, str] = dict(
    zip("0123456789+−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)
)
PLAIN = {small: c for c, small in LOWERED.items()}
LOWERED_LETTERS = re.compile(
    f"[{''.join(PLAIN)}]*[{''.join(s for s, c in PLAIN.items() if c.isalpha())}][{''.join(PLAIN)}]*"
)
ONES = "𝟏"  # the vector of ones
LOOSE = frozenset({Kind.BINARY, Kind.RELATION, Kind.PUNCTUATION, Kind.SPACE, Kind.STYLE})


def linear(tex: str) -> str:
    r"""A formula of the notation on one line.

    >>> linear(r"\frac{\partial L}{\partial W} = \frac{1}{n}\,X^{\top} (P - Y)"), linear(r"p_{iq}"), linear(r"H_{l-1}")
    ('∂L/∂W = (1/n) Xᵀ(P − Y)', 'p_iq', 'Hₗ₋₁')
    """
    return line_of(read(tex))


def has_plain_index(tex: str) -> bool:
    r"""Whether an index is written behind a low line, because a character of it cannot be lowered.

    >>> has_plain_index(r"p_{iq}"), has_plain_index(r"p_{im}"), has_plain_index(r"\mathrm{a\_b}")
    (True, False, False)
    """
    scripts = (n.below for n in every(read(tex)) if isinstance(n, Script) and n.below is not None)
    return any(not lowered(line_of(below).replace(" ", "")) for below in scripts)


def with_plain_indices(text: str) -> str:
    """A line of formulas with letters of indices behind low lines, as beside an index that cannot be lowered.

    >>> with_plain_indices("pᵢₘ + Hₗ₋₁ w₄₄")
    'p_im + H_(l−1) w₄₄'
    """
    return LOWERED_LETTERS.sub(lambda run: _plain_index("".join(PLAIN[c] for c in run[0])), text)


def _plain_index(text: str) -> str:
    return f"_{text}" if text.isalnum() else f"_({text})"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: two for a Chinese character, none for an accent.

    >>> columns("xyz"), columns("梯度"), columns("x̂")
    (3, 4, 1)
    """
    return len(text) if text.isascii() else sum(map(_columns_of, text))


@lru_cache(maxsize=4096)
def _columns_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def line_of(node: Node) -> str:
    """A tree on one line."""
    if isinstance(node, Symbol):
        return node.text
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Word):
        return word(node)
    if isinstance(node, Text):
        return "".join(part if isinstance(part, str) else line_of(part) for part in node.parts)
    if isinstance(node, Row):
        return _row(node)
    if isinstance(node, Group):
        return line_of(node.inner)
    if isinstance(node, Fraction):
        return f"{_tight(node.top)}/{_tight(node.bottom, is_below=True)}"
    if isinstance(node, Script):
        return _script(node)
    if isinstance(node, Fence):
        return DELIMITERS[node.opening] + line_of(node.inner) + DELIMITERS[node.closing]
    if isinstance(node, Root):
        inner = line_of(node.inner)
        index = "" if node.index is None else raised(line_of(node.index)) or f"{line_of(node.index)}"
        return f"{index}√{inner}" if len(inner) == 1 else f"{index}√({inner})"
    if isinstance(node, Accent):
        return accented(line_of(node.inner), node.command)
    if isinstance(node, Wrapped):
        inner = line_of(node.inner)
        return " " * columns(inner) if node.command == r"\phantom" else inner
    if isinstance(node, Matrix):
        return "(" + "; ".join("  ".join(map(line_of, row)) for row in node.rows) + ")"
    assert isinstance(node, Cases)
    return "{ " + "; ".join(" ".join(map(line_of, row)) for row in node.rows)


def word(node: Word) -> str:
    """Letters set upright; a bold 1 is a sign of its own."""
    return ONES if (node.command, node.text) == (r"\mathbf", "1") else node.text


def accented(text: str, command: str) -> str:
    """The accent behind the first letter, where terminals and browsers put it over that letter."""
    return text[:1] + ACCENTS[command] + text[1:]


def raised(text: str) -> str:
    """The text in raised characters, "" where one of them is missing."""
    return "".join(RAISED.get(c, "") for c in text) if all(c in RAISED for c in text) else ""


def lowered(text: str) -> str:
    """The text in lowered characters, "" where one of them is missing."""
    return "".join(LOWERED.get(c, "") for c in text) if all(c in LOWERED for c in text) else ""


def _row(row: Row) -> str:
    parts = []
    for k, (node, gap) in enumerate(zip(row.items, gaps(row.items), strict=True)):
        text = line_of(node)
        if isinstance(node, Fraction) and _has_factor_beside(row.items, k):
            text = f"({text})"
        parts.append(gap + text)
    return "".join(parts)


def gaps(items: Sequence[Node]) -> list[str]:
    """What stands before each of several things in a row: a space, or nothing.

    Signs of relation and operation have a space on both sides, a sign in front of its operand has none; words and
    fractions are set apart; letters stand side by side, as on paper.
    """
    found = [""] * len(items)
    for k in range(1, len(items)):
        before, after = items[k - 1], items[k]
        found[k] = " " if _is_apart(before, after, items, k) else ""
    return found


def _is_apart(before: Node, after: Node, items: Sequence[Node], k: int) -> bool:
    a, b = kind_of(before), kind_of(after)
    if Kind.STYLE in (a, b) or Kind.SPACE in (a, b):
        # A space says itself that there is one.
        return False
    if Kind.RELATION in (a, b):
        return True
    if b is Kind.PUNCTUATION:
        return False
    if a is Kind.PUNCTUATION:
        return True
    if b is Kind.BINARY:
        return not _is_slash(after) and a is not Kind.BINARY
    if a is Kind.BINARY:
        is_prefix = k < 2 or kind_of(items[k - 2]) in LOOSE
        return not _is_slash(before) and not is_prefix
    if Kind.DOTS in (a, b):
        return True
    return (_is_wide(before) and not _is_fenced(after)) or _is_wide(after)


def _is_fenced(node: Node) -> bool:
    """Whether brackets begin here: those of an argument stand at its function."""
    return isinstance(node.base if isinstance(node, Script) else node, Fence)


def _is_wide(node: Node) -> bool:
    """A word, a function's name, a large sign, a fraction: what would run into a letter beside it."""
    if isinstance(node, Script):
        return _is_wide(node.base)
    if isinstance(node, Group | Wrapped):
        inner = node.inner
        return node.__class__ is Wrapped or (isinstance(inner, Row) and len(inner.items) > 1)
    if isinstance(node, Word):
        return len(node.text) > 1
    if isinstance(node, Text):
        # A text has its own spaces.
        return False
    return isinstance(node, Fraction | Matrix | Cases) or kind_of(node) in (Kind.FUNCTION, Kind.LARGE)


def _is_slash(node: Node) -> bool:
    return isinstance(node, Symbol) and node.tex == "/"


def kind_of(node: Node) -> Kind | None:
    """The kind of a sign."""
    return node.kind if isinstance(node, Symbol) else None


def _has_factor_beside(items: Sequence[Node], k: int) -> bool:
    def is_factor(node: Node | None) -> bool:
        return node is not None and kind_of(node) not in LOOSE

    skipped = [x for x in items[:k] if kind_of(x) not in (Kind.SPACE, Kind.STYLE)]
    later = [x for x in items[k + 1 :] if kind_of(x) not in (Kind.SPACE, Kind.STYLE)]
    around = (skipped[-1] if skipped else None, later[0] if later else None)
    is_power = any(isinstance(x, Symbol) and x.kind is Kind.BINARY and x.tex not in "+-" for x in around if x)
    return is_power or any(map(is_factor, around))


def _tight(node: Node, *, is_below: bool = False) -> str:
    """A numerator or denominator: in brackets where it is a sum, and below the line where it is a product too."""
    inner = node.inner if isinstance(node, Group) else node
    text = line_of(node)
    items = inner.items if isinstance(inner, Row) else (inner,)
    if len(items) == 1 and not isinstance(items[0], Fraction):
        return text
    is_sum = any(kind_of(x) in (Kind.BINARY, Kind.RELATION) for x in items)
    is_derivative = isinstance(items[0], Symbol) and items[0].tex == r"\partial" and len(items) == 2
    is_product = is_below and not is_derivative
    return f"({text})" if is_sum or is_product or isinstance(items[0], Fraction) else text


def _script(node: Script) -> str:
    base = line_of(node.base)
    if isinstance(node.base, Fraction) or (isinstance(node.base, Group) and len(node.base.inner.items) > 1):
        base = f"({base})"
    below = "" if node.below is None else _lower(line_of(node.below))
    above = "" if node.above is None else _raise(line_of(node.above))
    return base + "′" * node.primes + below + above


def _raise(text: str) -> str:
    text = text.replace(" ", "")
    return raised(text) or (f"^{text}" if text.isalnum() or len(text) == 1 else f"^({text})")


def _lower(text: str) -> str:
    text = text.replace(" ", "")
    return lowered(text) or _plain_index(text)
