"""A formula in words: what a screen reader says where a sighted reader sees the formula.

Where something ends is said whenever it could be mistaken: a fraction, a power, a subscript of more than one sign has
its end spoken. Parentheses are spoken as they are printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from symgrad.notation import words as w
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
from symgrad.notation.names import GREEK
from symgrad.notation.reading import read
from symgrad.notation.signs import Kind
from symgrad.prose import Language
from symgrad.prose import Text as Prose
from symgrad.records import dataclass

# Letters that are functions where a parenthesis follows directly.
FUNCTION_LETTERS = frozenset({r"\sigma", r"\Phi", r"\varphi", r"\Gamma", r"\zeta", r"\psi"})
_GREEK_WORDS = {command: word for word, command in GREEK.items() if word not in ("eps", "lam", "lamda", "omicron")}


@lru_cache(maxsize=16384)
def spoken(tex: str, language: Language) -> str:
    r"""The words for a formula.

    >>> spoken(r"\frac{\partial L}{\partial W} = \frac{1}{n}\,X^{\top} (P - Y)", "en")
    'the partial derivative of L with respect to W equals 1 over n, times X transpose times open parenthesis P minus Y
    close parenthesis'
    >>> spoken(r"z_{i} = \sum_{p} x_{ip}\, w_{p}", "zh")
    'z 下标 i 等于 对 p 求和，x 下标 i p 乘 w 下标 p'
    """
    return _tidy(_Speaker(language).row(read(tex)), language)


def _tidy(words: str, language: Language) -> str:
    """One space between words, one comma in a row, none at the end."""
    words = re.sub(r"\s+", " ", words)
    words = re.sub(r"\s*([,;，；：。]|:(?= ))", r"\1", words)
    words = re.sub(r"[,，]+(?=[,;，；])", "", words).replace("，的", "的")
    if language == "zh":
        words = re.sub(r"(?<=[，；：。])\s+", "", words).replace("冒号：", "冒号")
    return words.strip(" ,，")


@dataclass(frozen=True, slots=True)
class _Speaker:
    language: Language

    def say(self, prose: Prose, *parts: object) -> str:
        return prose.to(self.language).format(*parts) if parts else prose.to(self.language)

    # ---- rows

    def row(self, row: Row) -> str:
        """Things side by side: what is a product is said to be one."""
        items = [item for item in row.items if not _is_unseen(item)]
        words: list[str] = []
        before: Node | None = None
        is_spaced, k = False, 0
        while k < len(items):
            item = items[k]
            derivative = _derivative(items[k : k + 5])
            if isinstance(item, Symbol) and item.kind is Kind.SPACE:
                is_spaced = True
                words += [","] * (item.tex in (r"\quad", r"\qquad"))
                k += 1
                continue
            words += self.between(before, item, is_spaced)
            if derivative is not None:
                words.append(self.derivative(*derivative))
                k += 4
            elif isinstance(item, Fence) and item.opening == "(" and _is_function(before) and _is_simple(item.inner):
                words.append(self.row(item.inner))
            else:
                words.append(
                    self.sign(item, before, items[k + 1 : k + 2]) if isinstance(item, Symbol) else self.node(item)
                )
            before, is_spaced, k = items[k], False, k + 1
        return " ".join(words)

    def between(self, before: Node | None, item: Node, is_spaced: bool) -> Iterator[str]:
        if before is None or not _is_operand(item):
            return
        is_call = _opens(item)
        if _is_function(before):
            if is_call and not is_spaced and not (isinstance(before, Symbol) and before.tex in (r"\det",)):
                yield self.say(w.OF)
        elif is_call and not is_spaced and _base(before) in FUNCTION_LETTERS:
            yield self.say(w.OF)
        elif _ends_operand(before) and not (is_call and not is_spaced and isinstance(before, Symbol)):
            yield self.say(w.TIMES)

    def sign(self, item: Symbol, before: Node | None, after: Sequence[Node]) -> str:
        if item.tex == r"\times" and not any(
            (isinstance(x, Number) and x.text == "10") or _base(x) == "10" for x in after
        ):
            return self.say(w.BY)
        if item.tex == r"\cdot" and before is None and not after:
            return self.say(w.DOT)
        if item.tex == "-" and self.language == "zh" and not _ends_operand(before):
            return "负"
        return self.node(item)

    def derivative(self, top: Sequence[Node], bottom: Sequence[Node]) -> str:
        return self.say(w.DERIVATIVE, self.row(Row(tuple(top))), self.row(Row(tuple(bottom))))

    # ---- nodes

    def node(self, node: Node) -> str:
        if isinstance(node, Symbol):
            return self.symbol(node)
        if isinstance(node, Number):
            return node.text
        if isinstance(node, Word):
            word = self.say(w.WORDS[node.text]) if node.text in w.WORDS else re.sub(r"[_ ]+", " ", node.text)
            return self.say(w.BOLD, word) if node.command == r"\mathbf" else word
        if isinstance(node, Text):
            return " ".join(part if isinstance(part, str) else self.row(part) for part in node.parts)
        if isinstance(node, Row):
            return self.row(node)
        if isinstance(node, Group | Wrapped):
            return self.node(node.inner)
        if isinstance(node, Fraction):
            return self.fraction(node)
        if isinstance(node, Script):
            return self.script(node)
        if isinstance(node, Fence):
            return self.fence(node)
        if isinstance(node, Root):
            return self.root(node)
        if isinstance(node, Accent):
            return self.say(w.ACCENTS[node.command], self.node(node.inner))
        return self.cases(node) if isinstance(node, Cases) else self.matrix(node)

    def symbol(self, node: Symbol) -> str:
        if node.tex in w.WORDS:
            return self.say(w.WORDS[node.tex])
        if node.kind is Kind.FUNCTION or node.tex not in _GREEK_WORDS:
            return node.text
        if self.language == "zh":
            return node.text
        word = _GREEK_WORDS[node.tex]
        return f"capital {word.lower()}" if word[0].isupper() else word

    def fraction(self, node: Fraction) -> str:
        top, bottom = _items(node.top), _items(node.bottom)
        if (
            _is_partial(top[:1])
            and _is_partial(bottom[:1])
            and len(top) > 1
            and not any(map(_is_partial, zip(bottom[1:])))
        ):
            return self.derivative(top[1:], bottom[1:])
        simple = _is_simple(node.top) and _is_simple(node.bottom)
        return self.say(w.SIMPLE_FRACTION if simple else w.FRACTION, self.node(node.top), self.node(node.bottom))

    def root(self, node: Root) -> str:
        inner = self.node(node.inner)
        if node.index is not None:
            return self.say(w.INDEXED_ROOT, inner, self.row(node.index))
        return self.say(w.SIMPLE_ROOT if _is_simple(node.inner) else w.ROOT, inner)

    def script(self, node: Script) -> str:
        if node.is_limits:
            assert isinstance(node.base, Symbol)
            bare, over, through = w.LARGE[node.base.tex]
            if node.below is None:
                return self.say(bare)
            below = self.listed(node.below)
            return self.say(over, below) if node.above is None else self.say(through, below, self.node(node.above))
        words = self.node(node.base)
        for _ in range(node.primes):
            words = self.say(w.PRIME, words)
        if node.below is not None:
            simple = all(_is_simple(x) for x in _items(node.below))
            words = self.say(w.SIMPLE_BELOW if simple else w.BELOW, words, self.listed(node.below))
        return words if node.above is None else self.power(words, node.above)

    def power(self, base: str, above: Node) -> str:
        items = _items(above)
        key = "".join(x.tex if isinstance(x, Symbol) else x.text if isinstance(x, Number) else "?" for x in items)
        if key in w.EXPONENTS:
            return self.say(w.EXPONENTS[key], base)
        if items and isinstance(items[0], Symbol) and items[0].tex == r"\odot":
            return self.say(w.ELEMENTWISE_POWER, base, self.row(Row(tuple(items[1:]))))
        return self.say(w.SIMPLE_POWER if _is_simple(above) else w.POWER, base, self.node(above))

    def listed(self, node: Node) -> str:
        """Indices: side by side they are no product."""
        items = _items(node)
        if all(_is_simple(x) or (isinstance(x, Symbol) and x.kind is Kind.PUNCTUATION) for x in items):
            return " ".join(self.node(x) for x in items)
        return self.node(node)

    def fence(self, node: Fence) -> str:
        parts = _split(node.inner.items)
        if node.opening == r"\langle" and len(parts) == 2:
            return self.say(w.INNER_PRODUCT, *(self.row(Row(part)) for part in parts))
        inner = self.row(node.inner)
        if node.opening in w.FENCES:
            return self.say(w.FENCES[node.opening][_is_simple(node.inner)], inner)
        closing = w.CLOSINGS.get(node.closing, w.OPENINGS["."])
        return f"{self.say(w.OPENINGS[node.opening])} {inner} {self.say(closing)}"

    def matrix(self, node: Matrix) -> str:
        comma, semicolon = (", ", "; ") if self.language == "en" else ("，", "；")
        rows = [comma.join(map(self.row, row)) for row in node.rows]
        lines = semicolon.join(self.say(w.MATRIX_ROW, k, row) for k, row in enumerate(rows, start=1))
        return self.say(w.MATRIX, len(rows), len(node.rows[0]), lines)

    def cases(self, node: Cases) -> str:
        lines = []
        for value, *conditions in node.rows:
            is_text = any(isinstance(x, Text) for c in conditions for x in c.items)
            words = self.row(value)
            for condition in conditions:
                words = f"{words} {self.row(condition)}" if is_text else self.say(w.CASE, words, self.row(condition))
            lines.append(words)
        return self.say(w.CASES, ("; " if self.language == "en" else "；").join(lines))


# ---- what things are


def _items(node: Node) -> list[Node]:
    """What stands inside braces, without what is not seen."""
    inner = node.inner if isinstance(node, Group) else node
    return [x for x in inner.items if not _is_unseen(x)] if isinstance(inner, Row) else [inner]


def _is_unseen(node: Node) -> bool:
    return (isinstance(node, Symbol) and node.kind is Kind.STYLE) or (
        isinstance(node, Wrapped) and node.command == r"\phantom"
    )


def _is_simple(node: Node) -> bool:
    """Whether this is one sign, so that its end needs no word."""
    items = _items(node)
    if len(items) != 1:
        return False
    (item,) = items
    if isinstance(item, Accent | Group):
        return _is_simple(item.inner)
    return isinstance(item, Number | Word) or (
        isinstance(item, Symbol) and item.kind in (Kind.LETTER, Kind.SIGN, Kind.DOTS)
    )


def _is_partial(items: Sequence[Node]) -> bool:
    return bool(items) and isinstance(items[0], Symbol) and items[0].tex == r"\partial"


def _derivative(items: Sequence[Node]) -> tuple[Sequence[Node], Sequence[Node]] | None:
    """∂a/∂b on one line."""
    is_one = len(items) == 5 and _is_partial(items[:1]) and _is_partial(items[3:4])
    if is_one and isinstance(items[2], Symbol) and items[2].tex == "/":
        return items[1:2], items[4:5]
    return None


def _opens(node: Node) -> bool:
    """Whether this begins with a parenthesis, as the arguments of a function do."""
    while isinstance(node, Script):
        node = node.base
    return isinstance(node, Fence) and node.opening == "("


def _base(node: Node | None) -> str:
    while isinstance(node, Script):
        node = node.base
    return node.tex if isinstance(node, Symbol) else node.text if isinstance(node, Number) else ""


def _is_function(node: Node | None) -> bool:
    while isinstance(node, Script):
        node = node.base
    if isinstance(node, Wrapped):
        return node.command == r"\mathop"
    if isinstance(node, Word):
        return node.command in (r"\mathrm", r"\operatorname")
    return isinstance(node, Symbol) and node.kind in (Kind.FUNCTION, Kind.LARGE)


def _is_operand(node: Node) -> bool:
    if isinstance(node, Text):
        return False
    return (
        not isinstance(node, Symbol)
        or node.kind in (Kind.LETTER, Kind.FUNCTION)
        or node.tex in (r"\nabla", r"\infty", r"\partial")
    )


def _ends_operand(node: Node | None) -> bool:
    if node is None or isinstance(node, Text):
        return False
    if isinstance(node, Symbol):
        return node.kind is Kind.LETTER or node.tex in (r"\infty", "!")
    if isinstance(node, Word):
        return node.text != "d"
    return not (isinstance(node, Script) and node.is_limits) and not (
        isinstance(node, Wrapped) and node.command == r"\mathop"
    )


def _split(items: Sequence[Node]) -> list[tuple[Node, ...]]:
    """The parts between commas."""
    parts: list[list[Node]] = [[]]
    for item in items:
        if isinstance(item, Symbol) and item.tex == ",":
            parts.append([])
        else:
            parts[-1].append(item)
    return [tuple(part) for part in parts]
