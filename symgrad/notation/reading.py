r"""The reader of formulas: the closed notation that `notation/` and `explain/` print → the tree of formula.py.

Strict: a command, a character, a bracket without its partner that is not of the notation is an error, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Collection
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
)
from symgrad.notation.signs import ACCENTS, DELIMITERS, PAIRS, SIGNS, SIZES, TEXT_SIGNS, WORD_SIGNS

FRACTIONS = (r"\frac", r"\tfrac", r"\dfrac")
WORDS = (r"\mathrm", r"\mathbf", r"\mathcal", r"\mathbb", r"\mathit", r"\operatorname")
WRAPPERS = (r"\mathop", r"\mathinner", r"\phantom")
MATRICES = ("pmatrix", "bmatrix", "matrix")
# TeX itself holds no more than 255 levels.
DEEPEST = 120

_TOKEN = re.compile(r"\s+|(\\begin\{[a-z]+\}|\\end\{[a-z]+\}|\\[A-Za-z]+|\\.|.)", re.S)
_WORD = re.compile(r"\s+|(\\[a-z]+|\\.|[^\\{}$&#%^~`<>|*\s])", re.S)
_TEXT = re.compile(r"(\\[a-zA-Z]+\{\}|\\.|--|\$[^$]*\$|[^\\{}$&#%^~<>|\"`])", re.S)
_PLAIN = {command: char for char, command in TEXT_SIGNS.items()} | {r"\ ": " "}


@lru_cache(maxsize=16384)
def read(tex: str) -> Row:
    r"""The tree of a formula.

    >>> from symgrad.notation.formula import write
    >>> write(read(r"\frac{1}{n}\,X^{\top} (P - Y)"))
    '\\frac{1}{n}\\,X^{\\top}(P-Y)'
    >>> read(r"\input{x}")
    Traceback (most recent call last):
    symgrad.errors.InputError: \input is not of the notation of formulas, in \input{x}; choose markdown or latex for this page
    """
    reader = _Reader(tex)
    row = reader.row(())
    if reader.token:
        raise reader.error(f"{reader.token} closes nothing")
    return row


class _Reader:
    """A recursive descent; `token` is the token at hand, "" at the end."""

    def __init__(self, tex: str) -> None:
        self.tex = tex
        self.at = 0
        self.depth = 0
        self.token = ""
        self.next()

    def next(self) -> str:
        """Go on to the next token; the one that was at hand is returned."""
        taken = self.token
        while True:
            found = _TOKEN.match(self.tex, self.at)
            if found is None:
                self.token = ""
                return taken
            self.at = found.end()
            if found[1]:
                self.token = found[1]
                return taken

    def error(self, what: str) -> InputError:
        return InputError(f"{what}, in {self.tex}; choose markdown or latex for this page")

    def expect(self, token: str) -> str:
        if self.token != token:
            raise self.error(f"{self.token or 'the end'} stands where {token} should")
        return self.next()

    # ---- rows

    def row(self, ends: Collection[str]) -> Row:
        """Items up to one of the ends, which stays at hand."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error("the formula is nested too deeply")
        items: list[Node] = []
        while self.token and self.token not in ends and not self.is_end():
            items.append(self.scripted())
        self.depth -= 1
        return Row(tuple(items))

    def is_end(self) -> bool:
        """Whether this token can only close something: whoever opened it sees whether it fits."""
        token = self.token
        return token in ("}", ")", "]", "&", r"\\", r"\}") or token.startswith(r"\end{") or token in _CLOSERS

    def scripted(self) -> Node:
        base = Row() if self.token in ("_", "^", "'") else self.atom()
        order, scripts = "", dict[str, Node]()
        while self.token and self.token in "_^'":
            sign = self.next()
            if sign != "'":
                if sign in scripts:
                    raise self.error(f"a second {sign}")
                scripts[sign] = self.argument()
            order += sign
        return Script(base, scripts.get("_"), scripts.get("^"), order) if order else base

    def atom(self) -> Node:
        token = self.token
        if token == "{":
            return self.group()
        if token.isdecimal():
            return self.number()
        if token in SIZES or token in PAIRS:
            return self.fence()
        if token.startswith(r"\begin{"):
            return self.table()
        if token == r"\text":
            return Text(self.text())
        if token in WORDS:
            return Word(token, self.word())
        return self.command()

    def command(self) -> Node:
        token = self.next()
        if token in SIGNS or (token.isascii() and token.isalpha()):
            return Symbol(token)
        if token in FRACTIONS:
            return Fraction(token, self.argument(), self.argument())
        if token == r"\sqrt":
            return self.root()
        if token in ACCENTS:
            return Accent(token, self.argument())
        if token in WRAPPERS:
            return Wrapped(token, self.argument())
        raise self.error(f"{token} is not of the notation of formulas")

    def argument(self) -> Node:
        """What a command or a script takes: a group, or a single sign."""
        if self.token == "{":
            return self.group()
        if self.token.isdecimal():
            return Number(self.next())
        if not self.token or self.is_end() or self.token in "_^'":
            raise self.error(f"{self.token or 'the end'} stands where an argument should")
        return self.atom()

    def group(self) -> Group:
        self.expect("{")
        inner = self.row(("}",))
        self.expect("}")
        return Group(inner)

    def number(self) -> Number:
        digits = self.next()
        while self.token.isdecimal():
            digits += self.next()
        if self.token == "." and self.tex[self.at : self.at + 1].isdecimal():
            digits += self.next()
            while self.token.isdecimal():
                digits += self.next()
        return Number(digits)

    def root(self) -> Root:
        index = None
        if self.token == "[":
            self.next()
            index = self.row(("]",))
            self.expect("]")
        return Root(self.argument(), index)

    def fence(self) -> Fence:
        size = self.next() if self.token in SIZES else ""
        opening = self.next()
        if opening not in DELIMITERS:
            raise self.error(f"{opening or 'the end'} is no delimiter")
        ends = (SIZES[size],) if size else PAIRS[opening]
        inner = self.row(ends)
        if self.token not in ends:
            raise self.error(f"{self.token or 'the end'} stands where {size}{opening} should be closed")
        closing = self.next()
        if size:
            closing = self.next()
        if closing not in DELIMITERS:
            raise self.error(f"{closing or 'the end'} is no delimiter")
        return Fence(opening, closing, inner, size)

    def table(self) -> Matrix | Cases:
        environment = self.next()[len(r"\begin{") : -1]
        if environment not in (*MATRICES, "cases"):
            raise self.error(f"{environment} is not of the notation of formulas")
        ends = ("&", r"\\", rf"\end{{{environment}}}")
        rows: list[tuple[Row, ...]] = []
        cells = [self.row(ends)]
        while self.token in ends[:2]:
            if self.next() == "&":
                cells.append(self.row(ends))
            else:
                rows.append(tuple(cells))
                cells = [self.row(ends)]
        self.expect(ends[2])
        rows.append(tuple(cells))
        return Cases(tuple(rows)) if environment == "cases" else Matrix(environment, tuple(rows))

    # ---- words and running text, in braces

    def braced(self) -> str:
        """The characters between braces as they stand; the token behind them is at hand then."""
        start = self.tex.find("{", self.at)
        if start < 0 or self.tex[self.at : start].strip():
            raise self.error(f"{self.token} has no text")
        at, level = start, 0
        while at < len(self.tex):
            char = self.tex[at]
            level += (char == "{") - (char == "}")
            at += 2 if char == "\\" else 1
            if not level:
                break
        if level:
            raise self.error("a brace is not closed")
        self.at = at
        self.next()
        return self.tex[start + 1 : at - 1]

    def word(self) -> str:
        out, content = "", self.braced()
        for part in _whole(_WORD, content, self):
            if part.startswith("\\"):
                if part not in WORD_SIGNS:
                    raise self.error(f"{part} is not of a word")
                part = WORD_SIGNS[part]
            out += part
        return out

    def text(self) -> tuple[str | Row, ...]:
        parts: list[str | Row] = []
        for part in _whole(_TEXT, self.braced(), self):
            if part.startswith("$"):
                parts.append(read(part[1:-1]))
                continue
            if part.startswith("\\") and part not in _PLAIN:
                raise self.error(f"{part} is not of text")
            plain = _PLAIN.get(part, part)
            if parts and isinstance(parts[-1], str):
                parts[-1] += plain
            else:
                parts.append(plain)
        return tuple(parts)


_CLOSERS = {*SIZES.values(), *(closing for closings in PAIRS.values() for closing in closings)}


def _whole(pattern: re.Pattern[str], text: str, reader: _Reader) -> list[str]:
    """The pieces of a text, all of which must be of the pattern."""
    pieces, at = [], 0
    while at < len(text):
        found = pattern.match(text, at)
        if found is None:
            raise reader.error(f"{text[at]} is not of text")
        if found[1]:
            pieces.append(found[1])
        at = found.end()
    return pieces
