r"""A formula in Typst's mathematics: a walk over the tree, with functions for all that is more than a sign.

Letters and signs stand as characters, which Typst classifies as TeX does; words and whatever could be code stand in
strings, so that no name can act.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from symgrad.errors import InputError
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
    write,
)
from symgrad.notation.reading import read
from symgrad.notation.signs import DELIMITERS, WIDTHS, Kind

STYLES = {r"\textstyle": "inline", r"\displaystyle": "display", r"\scriptstyle": "script"}
ACCENTS = {
    r"\hat": "hat", r"\bar": "macron", r"\overline": "overline", r"\tilde": "tilde", r"\dot": "dot",
    r"\ddot": "dot.double", r"\vec": "arrow", r"\check": "caron",
}  # fmt: skip
ALPHABETS = {r"\mathbf": "bold", r"\mathcal": "cal", r"\mathbb": "bb", r"\mathit": "italic"}
# TeX's sizes of \bigl and the like.
SIZES = {"": "", r"\left": "", r"\bigl": "1.2em", r"\Bigl": "1.8em", r"\biggl": "2.4em", r"\Biggl": "3em"}
# Functions whose scripts are limits in a display.
WITH_LIMITS = frozenset({r"\max", r"\min", r"\lim", r"\sup", r"\inf", r"\gcd", r"\det"})
# The widths of what a column of numbers leaves room for.
PHANTOMS = {"-": 0.778, ".": 0.278, **dict.fromkeys("0123456789", 0.5)}
MATRICES = {"pmatrix": '"("', "bmatrix": '"["', "matrix": "#none"}
# What Typst reads as more than itself.
SPECIAL = {"/": '"/"', "*": "∗", "_": '"_"', "#": '"#"', "$": '"$"', "&": '"&"', ",": r"\,", ";": r"\;", "|": '"|"'}
# The semicolon ends the call: what follows would be its method, its argument or, in a matrix, swallowed.
THIN = "#h(0.167em);"
# TeX leaves 1.2 points beside a fraction.
NULL = "#h(0.12em);"


def typst_string(text: str) -> str:
    r"""Text as a string of Typst, without what shows nothing.

    >>> print(typst_string('a "b" #c\\'))
    "a \"b\" #c\\"
    """
    shown = "".join(c if c.isprintable() or c == "\N{NO-BREAK SPACE}" else " " if c.isspace() else "" for c in text)
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=16384)
def typst(tex: str) -> str:
    r"""The formula in Typst's mathematics, without the dollar signs around it.

    >>> print(typst(r"\frac{1}{n}\,X^{\top} (P - Y)"))
    frac(1, n)#h(0.12em);#h(0.167em);attach(X, t: ⊤)\(P−Y\)
    """
    return _row(read(tex).items)


def _row(items: Sequence[Node]) -> str:
    parts: list[str] = []
    for k, item in enumerate(items):
        if isinstance(item, Symbol) and item.tex in STYLES:
            parts.append(f"{STYLES[item.tex]}({_row(items[k + 1 :])})")
            break
        if _is_set_apart(item):
            # TeX sets it apart from what it is multiplied with.
            before = [THIN] * (k > 0 and (_is_factor(items[k - 1]) or _is_set_apart(items[k - 1])))
            behind = [THIN] * (k + 1 < len(items) and _is_factor(items[k + 1]))
            parts += [*before, _node(item), *behind]
        elif isinstance(item, Fraction):
            before = [NULL] * (k > 0 and not _has_space(items[k - 1]))
            behind = [NULL] * (k + 1 < len(items) and not _has_space(items[k + 1]))
            parts += [*before, _node(item), *behind]
        else:
            parts.append(_node(item))
    return _joined([part for part in parts if part])


def _joined(parts: Sequence[str]) -> str:
    """Parts side by side, with a space only where they would be read as one: beside a word it would be seen."""
    out = ""
    for part in parts:
        is_one = out[-1:].isalnum() and (part[:1].isalnum() or part[:1] == ".")
        out += " " + part if is_one else part
    return out


def _is_set_apart(node: Node) -> bool:
    while isinstance(node, Script):
        node = node.base
    return isinstance(node, Wrapped) and node.command == r"\mathinner"


def _has_space(node: Node) -> bool:
    """Whether Typst sets this apart from what is beside it; a space of ours in between would prevent that."""
    return isinstance(node, Symbol) and node.kind in (Kind.BINARY, Kind.RELATION, Kind.PUNCTUATION, Kind.FUNCTION)


def _is_factor(node: Node) -> bool:
    if isinstance(node, Symbol):
        return node.kind in (Kind.LETTER, Kind.SIGN)
    return not _is_set_apart(node) and not isinstance(node, Text)


def _node(node: Node) -> str:
    if isinstance(node, Symbol):
        return _symbol(node)
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Word):
        return _word(node)
    if isinstance(node, Text):
        return _joined([typst_string(part) if isinstance(part, str) else _row(part.items) for part in node.parts])
    if isinstance(node, Row):
        return _row(node.items)
    if isinstance(node, Group):
        return _row(node.inner.items) or '""'
    if isinstance(node, Fraction):
        fraction = f"frac({_argument(node.top)}, {_argument(node.bottom)})"
        return f"inline({fraction})" if node.is_small else fraction
    if isinstance(node, Script):
        return _script(node)
    if isinstance(node, Fence):
        return _fence(node)
    if isinstance(node, Root):
        inner = _argument(node.inner)
        return f"sqrt({inner})" if node.index is None else f"root({_argument(node.index)}, {inner})"
    if isinstance(node, Accent):
        return f"{ACCENTS[node.command]}({_argument(node.inner)})"
    if isinstance(node, Wrapped):
        return _wrapped(node)
    return _cases(node) if isinstance(node, Cases) else _matrix(node)


def _argument(node: Node) -> str:
    """A node as the argument of a function: an empty one is an empty string."""
    return _node(node) or '""'


def _symbol(node: Symbol) -> str:
    if node.kind is Kind.FUNCTION:
        limits = ", limits: #true" if node.tex in WITH_LIMITS else ""
        return f'op("{node.text}"{limits})'
    if node.kind is Kind.SPACE:
        return f"#h({WIDTHS[node.tex]}em);"
    if node.kind is Kind.STYLE:
        return ""
    return SPECIAL.get(node.text, node.text)


def _word(node: Word) -> str:
    if node.command in ALPHABETS:
        inner = node.text if re.fullmatch(r"[A-Za-z0-9]", node.text) else typst_string(node.text)
        return f"{ALPHABETS[node.command]}({inner})"
    if node.command == r"\operatorname":
        return f"op({typst_string(node.text)})"
    return typst_string(node.text)


def _script(node: Script) -> str:
    primes = "′" * node.primes
    above = (
        primes
        if node.above is None
        else _joined([primes, _argument(node.above)] if primes else [_argument(node.above)])
    )
    top = f", t: {above}" if above else ""
    bottom = f", b: {_argument(node.below)}" if node.below is not None else ""
    if isinstance(node.base, Fence) and not node.base.size:
        # As in TeX a script belongs to the closing parenthesis.
        opening, inner, closing = _fence_parts(node.base)
        return _joined([opening, inner, f"attach({closing}{top}{bottom})"])
    return f"attach({_argument(node.base)}{top}{bottom})"


def _fence(node: Fence) -> str:
    parts = _joined(_fence_parts(node))
    if not node.size:
        return parts
    return f"lr({parts}{', size: #' + SIZES[node.size] if SIZES[node.size] else ''})"


def _fence_parts(node: Fence) -> tuple[str, str, str]:
    return (
        _delimiter(node.opening, "opening"),
        _row(node.inner.items),
        _delimiter(node.closing, "closing"),
    )


def _delimiter(tex: str, side: str) -> str:
    """A bar is the same character on both sides; which it is decides the space beside it."""
    char = DELIMITERS[tex]
    if char and char in "|‖":
        return f'class("{side}", \\{char})'
    return "\\" + char if char and char in "()[]{}" else char


def _wrapped(node: Wrapped) -> str:
    if node.command == r"\mathop":
        return f"op({_argument(node.inner)})"
    if node.command == r"\mathinner":
        return _node(node.inner)
    text = write(node.inner).strip("{}")
    if any(c not in PHANTOMS for c in text):
        raise InputError(f"no width is known of {text} in Typst; choose markdown or latex for this page")
    return f"#h({sum(PHANTOMS[c] for c in text):.3f}em);"


def _matrix(node: Matrix) -> str:
    rows = "; ".join(", ".join(map(_argument, row)) for row in node.rows)
    return f"mat(delim: {MATRICES[node.environment]}, {rows})"


def _cases(node: Cases) -> str:
    return f"cases({', '.join(' & #h(0.8em);'.join(map(_argument, row)) for row in node.rows)})"
