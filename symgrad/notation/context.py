"""What the printers of all kinds of nodes share: how the loss is called, and the pieces of the operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from symgrad.graph.expression import Expr
from symgrad.notation.pieces import Tex
from symgrad.records import dataclass

LETTERS = "ijklpqrstuvabcefgh"


@dataclass(frozen=True, slots=True)
class SumOver:
    """Σ of a term over a letter that stands in its names, from a first to a last number, both included."""

    term: Expr
    letter: str
    first: int
    last: int

    @property
    def latex(self) -> str:
        """The sign with its range."""
        return rf"\sum_{{{self.letter}={self.first}}}^{{{self.last}}}"


# Leaves that stand for a sum over a family of names.
Sums = Mapping[Expr, SumOver]


@dataclass(frozen=True, slots=True)
class Context:
    """`loss` and `otherwise` are LaTeX; `letters` are the index letters that no name uses.

    `capitals` are the letters that stay capital in entries.
    """

    loss: str
    otherwise: str
    letters: str
    sums: Sums = field(default_factory=dict)
    capitals: frozenset[str] = frozenset()
    pieces: dict[Expr, Tex] = field(default_factory=dict)

    def of(self, e: Expr) -> Tex:
        """The piece of an operand."""
        return self.pieces[e]
