"""What a notebook's cell shows of an expression, a derivation, a problem: typeset mathematics, or None for plain text.

The mathematics is what GitHub's MathJax takes too; names and texts of the user's are escaped as on any page.
"""

from __future__ import annotations

from symgrad.derive.derivation import Derivation, Equation
from symgrad.derive.engine import Program
from symgrad.explain.document import Block, Display, Document, Paragraph, Plain, Row
from symgrad.explain.page import equations
from symgrad.explain.template import NOTEBOOK, render_as
from symgrad.graph.expression import Expr, Role
from symgrad.notation.latex import latex, piece_of
from symgrad.notation.pieces import render
from symgrad.prose import Language

# What a browser sets at once: characters of one formula, and equations of one display.
LONGEST_FORMULA = 4000
MOST_EQUATIONS = 150


def expression(e: Expr) -> str | None:
    r"""$\displaystyle …$

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> expression(data("X", n, d) @ data("w", d))
    '$\\displaystyle X w$'
    """
    piece = piece_of(e)
    return None if piece.length > LONGEST_FORMULA else rf"$\displaystyle {render(piece)}$"


def derivation(d: Derivation, language: Language = "en") -> str | None:
    """The numbered equations, forward and backward, and the gradients in a frame."""
    shown = [*(eq.expression for eq in d.forward), *(line.expression for eq in d.backward for line in eq.lines)]
    if _is_too_long(shown, len(d.forward) + len(d.backward)):
        return None
    return render_as(Document(Plain(""), equations(d, language), language), NOTEBOOK)


def problem(program: Program, title: str, text: str, language: Language = "en") -> str | None:
    """Title and text, the intermediates, the loss, and what the model predicts."""
    definitions = [e for _, e in program.definitions]
    if _is_too_long([*definitions, *([program.model] if program.model is not None else [])], len(definitions)):
        return None
    forward = tuple(Equation(k + 1, target, e) for k, (target, e) in enumerate(program.definitions))
    parameters = tuple(e for e in program.leaves if e.role is Role.PARAMETER)
    held = Derivation(forward[-1].target, forward, (), parameters, program.leaves, program.model)
    blocks: list[Block] = [Paragraph((Plain(part),)) for part in text.split("\n\n") if part.strip()]
    blocks += equations(held, language)
    if program.model is not None:
        blocks.append(Display((Row(r"\mathrm{model}", latex(program.model)),)))
    return render_as(Document(Plain(title), tuple(blocks), language), NOTEBOOK)


def _is_too_long(shown: list[Expr], count: int) -> bool:
    return count > MOST_EQUATIONS or any(piece_of(e).length > LONGEST_FORMULA for e in shown)
