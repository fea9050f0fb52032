"""Functions of entries and primitives of arrays, by the LaTeX of their entries in the tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from string import Formatter
from typing import Any

import sympy

from symgrad.graph.expression import Elementwise
from symgrad.graph.sizes import ONE
from symgrad.notation.context import Context
from symgrad.notation.contractions import plain
from symgrad.notation.pieces import (
    Fence,
    Height,
    Level,
    Product,
    Quotient,
    Script,
    Tex,
    chain,
    enclosed,
    fenced,
    inverse,
    render,
    superscript,
    tex,
)
from symgrad.notation.products import hadamard
from symgrad.notation.scalars import scaled
from symgrad.primitives.functions import FUNCTIONS

# TeX spaces these as operators, so that tanh Z can do without parentheses; σ Z would be a product.
OPERATORS = frozenset({r"\log", r"\ln", r"\sin", r"\cos", r"\tan", r"\sinh", r"\cosh", r"\tanh", r"\arctan", r"\det"})
# e^Z would be the exponential of a matrix.
OF_ARRAYS = {"exp": r"\exp"}
FENCES = (
    (r"\lVert ", r" \rVert", r"\lVert", r"\rVert"),
    (r"\lvert ", r" \rvert", r"\lvert", r"\rvert"),
    (r"\bigl(", r"\bigr)", "(", ")"),
    ("(", ")", "(", ")"),
)
OTHERWISE = r"\text{otherwise}"
OPENING = re.compile(r"[(\[{]|\\l[vV]ert|\\begin")
CLOSING = re.compile(r"[)\]}]|\\r[vV]ert|\\end")


def elementwise(node: Elementwise, context: Context) -> Tex:
    """f(e₁, …) in LaTeX."""
    pieces = operands(node, context)
    if node.function == "power":
        return _power(pieces[0], Fraction(str(node.parameter)), node)
    if node.function == "scalar":
        return scalar_body(node.parameter, pieces)
    template = FUNCTIONS[node.function].latex
    if node.rank:
        template = OF_ARRAYS.get(node.function, template)
    if template.startswith(r"\begin{{cases}}"):
        return _cases(template, node, pieces, context)
    if template.startswith("["):
        relation = _filled(template[1:-1], pieces, depth=1)
        return tex(Fence(relation, "[", "]"), level=Level.ATOM, marks=("indicator",))
    return replace(printed(template, pieces), product=None)


def operands(node: Elementwise, context: Context) -> list[Tex]:
    """The operands' pieces; constants that are broadcast stand without ones beside an array."""
    bare = [plain(e, context) for e in node.operands]
    if all(piece is not None for piece in bare):
        return [context.of(e) for e in node.operands]
    return [context.of(e) if piece is None else piece for e, piece in zip(node.operands, bare, strict=True)]


def printed(template: str, pieces: Sequence[Tex]) -> Tex:
    """An entry's LaTeX with its operands: behind its prefix, or in the places {0}, {1} of its template."""
    if "{0}" not in template:
        return _prefixed(template, pieces)
    call = re.fullmatch(r"((?:\\[a-z]+|[{}a-z])*[a-z}])\((\{0\}.*)\)", template)
    if call is None:
        filled = _filled(template, pieces)
        return replace(filled, height=Height.TALL) if r"\begin{" in template else filled
    head, arguments = call[1].replace("{{", "{").replace("}}", "}"), _filled(call[2], pieces, depth=1)
    return replace(tex(head, Fence(arguments, "(", ")"), level=Level.CALL), is_word=r"\mathrm" in head)


def _prefixed(prefix: str, pieces: Sequence[Tex]) -> Tex:
    commands = re.findall(r"\\[a-zA-Z]+", prefix)
    is_operator = bool(commands) and prefix.endswith(commands[-1]) and commands[-1] in OPERATORS
    is_plain = len(pieces) == 1 and (pieces[0].level >= Level.CALL or _is_fraction(pieces[0]))
    if is_operator and is_plain:
        return tex(prefix, " ", pieces[0], level=Level.OPERATOR)
    parts: list[Tex | str] = []
    for k, piece in enumerate(pieces):
        parts += [*([r",\, "] if k else []), piece]
    level = Level.POSTFIX if commands and commands[0] in OPERATORS else Level.CALL
    call = tex(prefix, Fence(tex(*parts, level=Level.SUM), "(", ")"), level=level)
    return replace(call, is_word=r"\mathrm" in prefix and level is Level.CALL)


def _is_fraction(piece: Tex) -> bool:
    while len(piece.parts) == 1 and isinstance(piece.parts[0], Tex):
        piece = piece.parts[0]
    return len(piece.parts) == 1 and isinstance(piece.parts[0], Quotient)


@lru_cache(maxsize=256)
def _slots(template: str) -> tuple[tuple[str, int | None, str], ...]:
    """What stands before each place, the place, what stands behind it."""
    items: list[tuple[str, str | None]] = []
    text = ""
    # An escaped brace ends a literal for the parser; it does not for us.
    for literal, field, _, _ in Formatter().parse(template):
        text += literal
        if field is not None:
            items.append((text, field))
            text = ""
    items.append((text, None))
    behind = [literal for literal, _ in items[1:]] + [""]
    return tuple((lit, None if f is None else int(f), b) for (lit, f), b in zip(items, behind, strict=True))


def _filled(template: str, pieces: Sequence[Tex], depth: int = 0) -> Tex:
    parts: list[Tex | str | Script | Fence] = []
    cut, level = 0, Level.CALL
    for literal, place, behind in _slots(template):
        depth += len(OPENING.findall(literal)) - len(CLOSING.findall(literal))
        literal, cut = literal[cut:], 0
        if place is None:
            parts.append(literal)
            continue
        piece = pieces[place]
        fence = next((f for f in FENCES if literal.endswith(f[0]) and behind.startswith(f[1])), None)
        if fence is not None:
            parts += [literal.removesuffix(fence[0]), Fence(piece, fence[2], fence[3])]
            cut = len(fence[1])
        elif literal.endswith(("^{", "_{")):
            parts += [literal, Script(piece)]
            level = min(level, Level.POSTFIX if behind == "}" and literal.endswith("^{") else Level.CALL)
        elif behind.startswith("^{-1}"):
            parts += [literal, inverse(piece)]
            level, cut = Level.POSTFIX, len("^{-1}")
        elif behind.startswith("_{"):
            # A subscript of its own would be doubled.
            is_bare = piece.level is Level.ATOM and "_" not in render(piece)
            parts += [literal, piece if is_bare else fenced(piece)]
        elif behind.startswith("^"):
            parts += [literal, enclosed(piece, Level.CALL)]
        elif depth == 0:
            parts += [literal, chain([piece]) if piece.level >= Level.CHAIN else enclosed(piece, Level.ATOM)]
            level = Level.CHAIN
        else:
            parts += [literal, piece]
    kept = [part for part in parts if part != ""]
    # A template that is a lone inverse keeps what an inverse knows of its transpose.
    if len(kept) == 1 and isinstance(kept[0], Tex):
        return kept[0]
    if level is Level.CALL and template.startswith(tuple(OPERATORS)):
        level = Level.POSTFIX
    if r"\otimes" in template:
        level = Level.SUM
    marks = ("norm",) if r"\lVert" in template else ()
    is_word = level is Level.CALL and r"\mathrm" in template
    return replace(tex(*kept, level=level, marks=marks), is_word=is_word)


def _cases(template: str, node: Elementwise, pieces: list[Tex], context: Context) -> Tex:
    condition = node.operands[0]
    relation = FUNCTIONS[condition.function].latex if isinstance(condition, Elementwise) else ""
    if isinstance(condition, Elementwise) and relation.startswith("["):
        pieces[0] = _filled(relation[1:-1], operands(condition, context), depth=1)
    else:
        pieces[0] = tex(pieces[0], r" \ne 0", level=Level.SUM)
    filled = _filled(template.replace(OTHERWISE.replace("{", "{{").replace("}", "}}"), "\0"), pieces)
    parts = tuple(p.replace("\0", context.otherwise) if isinstance(p, str) else p for p in filled.parts)
    marks = filled.marks | {"cases"}
    return replace(filled, parts=parts, level=Level.SUM, height=Height.TALL, marks=marks)


# ---- powers


def _power(base: Tex, exponent: Fraction, node: Elementwise) -> Tex:
    if exponent < 0:
        below = _power(base, -exponent, node)
        below = replace(below, is_constant=base.is_constant)
        return hadamard([replace(below, inverse=below)]) if node.rank else scaled(Product(below=(below,)))
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return tex(r"\sqrt{", base, "}", level=Level.ATOM)
    # H² of a matrix would be H H.
    is_matrix = node.rank > 1 and ONE not in node.shape
    sign = r"\odot " if is_matrix else ""
    return superscript(base, f"{sign}{exponent}", ("hadamard_power",) if is_matrix else ())


# ---- bodies that SymPy prints


def scalar_body(function: Any, pieces: Sequence[Tex]) -> Tex:
    """A SymPy Lambda: its own letters are replaced by the operands, whatever they are called."""
    stand_ins = {symbol: f"ARG{k}ARG" for k, symbol in enumerate(function.variables)}
    text = sympy.latex(function.expr, symbol_names=stand_ins, ln_notation=False)
    text = _without_braces(text)
    level, has_minus = _level_of(function.expr), text.startswith("-")
    words = re.split(r"ARG(\d+)ARG", text)
    parts: list[Tex | str] = []
    for k, word in enumerate(words):
        is_alone = (
            k % 2 and re.search(r"[(\[{,]\s*$", words[k - 1]) and re.match(r"\s*(\\right)?\s*[)\]},]", words[k + 1])
        )
        if k % 2:
            piece = pieces[int(word)]
            parts.append(piece if is_alone or text == f"ARG{word}ARG" else enclosed(piece, Level.CALL))
        elif word:
            parts.append(word)
    return replace(tex(*parts, level=level), has_minus=has_minus, has_digit=text[:1].isdigit())


def _without_braces(text: str) -> str:
    r"""\tanh{\left(x \right)} as \tanh(x)."""
    opened: list[int] = []
    calls: list[tuple[int, int]] = []
    for found in re.finditer(r"\\left\(|\\right\)", text):
        if found[0] == r"\left(":
            opened.append(found.start())
            continue
        start = opened.pop()
        is_call = re.search(r"\\(?!frac|sqrt)[a-z]+\{$", text[:start]) and text[found.end() : found.end() + 1] == "}"
        if is_call:
            calls += [(start - 1, len(r"{\left(")), (found.start(), len(r"\right)}"))]
    for at, length in sorted(calls, reverse=True):
        text = text[:at].rstrip() + ("(" if text[at] == "{" else ")") + text[at + length :]
    return text


def _level_of(body: Any) -> Level:
    if body.is_Symbol or body.is_Function:
        return Level.POSTFIX
    if body.is_Pow:
        return Level.POSTFIX
    if body.is_Mul and not body.could_extract_minus_sign():
        return Level.SCALED
    return Level.ATOM if body.is_Number and body >= 0 else Level.SUM
