"""A formula's characters and words, looked over before Python's parser sees them: what they may be, and how deep they nest."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterator, Mapping

from symgrad.errors import InputError, located
from symgrad.records import dataclass

LONGEST_TEXT = 64 * 1024
MOST_WORDS = 20_000
DEEPEST = 100
LONGEST_NUMBER = 100
# 1e-400 is beyond what any check can see; without a bound 1e999999999 would be written out.
LARGEST_EXPONENT = 400

TOKEN = re.compile(
    r"""(?P<space>[ \t]+)|(?P<newline>\n)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<string>"[^"\\\x00-\x1f]*"|'[^'\\\x00-\x1f]*')|(?P<operator>\*\*|//|<=|>=|==|!=|<<|>>|:=|[-+*/@()\[\],:.=<>&])""",
)
OPENING: Mapping[str, str] = {"(": ")", "[": "]"}
CLOSING = frozenset(OPENING.values())
# What ends a chain of `**` and signs: behind it, an operand stands no deeper than before.
LEVEL = frozenset({"+", "-", "*", "/", "@", "&", "<", ">", "<=", ">=", ",", "=", ":"})
# What is written otherwise here: a word or sign, and what to write.
INSTEAD: Mapping[str, str] = {
    "^": "** for a power",
    "==": "equal(a, b) for [a = b]",
    "!=": "1 - equal(a, b)",
    "//": "/",
    "%": "the division out",
    "|": "maximum(a, b) for conditions a, b",
    "~": "1 - condition",
    "<<": "<",
    ">>": ">",
    ":=": "the expression itself",
    ";": "each assignment on a line of its own",
    "and": "& between comparisons",
    "or": "maximum(a, b) for conditions a, b",
    "not": "1 - condition",
    "if": "where(condition, a, b)",
    "else": "where(condition, a, b)",
    "×": "* entry by entry, or @ for the matrix product",
    "·": "* entry by entry, or @ for the matrix product",
    "⋅": "* entry by entry, or @ for the matrix product",
    "∙": "* entry by entry, or @ for the matrix product",
    "•": "* entry by entry, or @ for the matrix product",
    "⊙": "*",
    "⊘": "/",
    "÷": "/",
    "−": "-",
    "–": "-",
    "—": "-",
    "√": "sqrt(…)",
    "∑": "sum(…)",
    "ᵀ": ".T",
    "²": "**2",
    "³": "**3",
    "…": "out what it stands for",
    "‘": '"',
    "’": '"',
    "“": '"',
    "”": '"',
    "≤": "<=",
    "≥": ">=",
    "≠": "1 - equal(a, b)",
    "。": "nothing there",
    "、": ",",
    "#": "the formula without a comment",
    "{": "(",
    "}": ")",
}


class Misread(InputError):
    """A formula's error that already tells its place."""


@dataclass(frozen=True, slots=True)
class Word:
    """A token with its place: line and column count from 1, in characters."""

    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """A text that may be parsed: its lines, and the place before each of its columns (`first` shifts the first line)."""

    shown: str
    lines: tuple[str, ...]
    words: tuple[Word, ...]
    first: int

    @property
    def text(self) -> str:
        """What Python's parser is given."""
        return "\n".join(self.lines)

    def column(self, line: int, byte: int) -> int:
        """The column, from 1 and in characters, of Python's offset in UTF-8 bytes."""
        return len(self.lines[line - 1].encode()[:byte].decode(errors="ignore")) + 1

    def error(self, what: str | InputError, line: int, column: int) -> InputError:
        """What is wrong, at its place, in one line."""
        error = Misread(_one_line(what)) if isinstance(what, str) else type(what)(_one_line(str(what)))
        shift = self.first if line == 1 else 0
        found = located(error, f"{self.shown}:{line}:{column + shift}")
        assert isinstance(found, InputError)
        return found


LONGEST_MESSAGE = 400


def _one_line(message: str) -> str:
    """A message without line breaks; the middle of a very long one is left out."""
    line = " ".join(message.split())
    half = LONGEST_MESSAGE // 2
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:half]} … {line[-half:]}"


def scan(text: str, shown: str, first: int = 0) -> Scanned:
    """The words of a formula; InputError where one cannot stand in it, or where it is too long or nests too deep.

    >>> [word.text for word in scan("X.T @ r / n", "formula").words]
    ['X', '.', 'T', '@', 'r', '/', 'n']
    """
    clean = text.replace("\r\n", "\n")
    start = len(clean) - len(clean.lstrip(" \t\n"))
    body = clean.strip(" \t\n")
    first += start if "\n" not in clean[:start] else 0
    bare = Scanned(shown, tuple(body.split("\n")), (), first)
    if len(clean.encode("utf-8", "replace")) > LONGEST_TEXT:
        raise bare.error(f"the formula is longer than {LONGEST_TEXT} bytes; break it up", 1, 1)
    if not body:
        raise bare.error("the formula is empty; write an expression", 1, 1)
    words = tuple(_words(bare, body))
    if len(words) > MOST_WORDS:
        raise bare.error(f"the formula has more than {MOST_WORDS} words and signs; break it up", 1, 1)
    _refuse_depth(bare, words)
    return Scanned(shown, bare.lines, words, first)


def _words(bare: Scanned, body: str) -> Iterator[Word]:
    at, line, begin, last = 0, 1, 0, ""
    while at < len(body):
        found = TOKEN.match(body, at)
        column = at - begin + 1
        if found is None:
            raise bare.error(_strange(body[at]), line, column)
        kind, text = str(found.lastgroup), found.group()
        if kind == "newline":
            line, begin = line + 1, found.end()
        elif kind != "space":
            problem = _problem(kind, text, last)
            if problem:
                raise bare.error(problem, line, column)
            yield Word(kind, text, line, column)
        at, last = found.end(), kind


def _strange(c: str) -> str:
    """What to write for a character that no formula holds."""
    name = unicodedata.name(c, f"the character U+{ord(c):04X}").lower()
    plain = unicodedata.normalize("NFKC", c)
    if c in INSTEAD:
        return f"{c} ({name}) is not understood; write {INSTEAD[c]}"
    if plain != c and plain.isascii() and plain.isprintable() and plain.strip():
        return f"{c} is a {name}; write {plain}"
    shown = c if c.isprintable() and not c.isspace() else f"U+{ord(c):04X}"
    return f"{shown} ({name}) cannot stand in a formula; leave it out"


def _problem(kind: str, text: str, last: str) -> str:
    """Why a word cannot stand in a formula; "" where it can."""
    if kind == "name" and last == "number":
        return f"a number and {text[:40]} are written together; write * between them"
    if kind == "string" and last == "name":
        return "a letter before a string has no meaning here; leave it out"
    if kind == "number" and last in {"number", "name"}:
        return f"{text[:40]} follows directly; write an operator between"
    if kind == "number":
        return _number_problem(text)
    foreign = next((c for c in text if c in INSTEAD), None) if kind == "name" and text not in INSTEAD else None
    if foreign is not None:
        return _strange(foreign)
    if kind == "name" and (plain := unicodedata.normalize("NFKC", text)) != text:
        return f"{text[:40]} is written in look-alike letters; write {plain[:40]}"
    is_refused = keyword.iskeyword(text) and text not in {"None", "True", "False"}
    if kind in {"name", "operator"} and text in INSTEAD:
        return f"{text} is not understood; write {INSTEAD[text]}"
    if is_refused:
        return f"{text} is Python, but not the language of formulas; write one expression"
    return ""


def _number_problem(text: str) -> str:
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > LONGEST_NUMBER:
        return f"the number {text[:20]}… is too long; write at most {LONGEST_NUMBER} digits"
    if exponent and (len(exponent) > 6 or abs(int(exponent)) > LARGEST_EXPONENT):
        return f"the number {text[:20]} is beyond 1e{LARGEST_EXPONENT}; write a smaller exponent"
    return ""


def _refuse_depth(bare: Scanned, words: tuple[Word, ...]) -> None:
    """Match the brackets, and count how deep they, signs and powers nest, before a parser recurses into them.

    (Python's own parser opens files to say where a bracket is missing.)
    """
    open_, levels, is_operand = list[Word](), [0], False
    for word in words:
        if word.text in OPENING:
            levels.append(0)
            open_.append(word)
        elif word.text in CLOSING:
            _close(bare, open_, word)
            levels.pop()
        elif word.text == "**" or (word.text in {"+", "-"} and not is_operand):
            levels[-1] += 1
        elif word.text in LEVEL:
            levels[-1] = 0
        if len(levels) + sum(levels) > DEEPEST:
            raise bare.error(f"the formula nests deeper than {DEEPEST}; give its parts names", word.line, word.column)
        is_operand = word.kind in {"number", "name", "string"} or word.text in CLOSING
    if open_:
        last = open_[-1]
        raise bare.error(f"{last.text} is never closed; write {OPENING[last.text]}", last.line, last.column)


def _close(bare: Scanned, open_: list[Word], word: Word) -> None:
    """Take away the bracket that a word closes."""
    if not open_:
        raise bare.error(f"{word.text} closes nothing; leave it out", word.line, word.column)
    last = open_.pop()
    if OPENING[last.text] != word.text:
        what = f"{word.text} closes {last.text} of column {last.column}; write {OPENING[last.text]}"
        raise bare.error(what, word.line, word.column)
