"""What the printers of all kinds of nodes share: how the loss is called, and the pieces of the operands."""

from __future__ import annotations

from dataclasses import dataclass, field

from symgrad.graph.expression import Expr
from symgrad.notation.pieces import Tex

LETTERS = "ijklpqrstuvabcefgh"


@dataclass(frozen=True, slots=True)
class Context:
    """`loss` and `otherwise` are LaTeX; `letters` are the index letters that no name uses."""

    loss: str
    otherwise: str
    letters: str
    pieces: dict[Expr, Tex] = field(default_factory=dict)

    def of(self, e: Expr) -> Tex:
        """The piece of an operand."""
        return self.pieces[e]
