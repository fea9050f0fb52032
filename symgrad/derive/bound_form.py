"""What a loss and its gradients are written as where data are bound: the laws, the equations that they lead to, the proof.

    BoundForm ─ laws       which law, of which arrays, with the equations that it defines: C = [X, 1, y], s = 1 - 2y
              ├ equations  the loss and the gradients over these names, in order, each a numbered `Equation`
              └ checks     how sure the prover is that they are the loss and the gradients of the page

The compiler fills it from the program that `bind` runs, a handout prints it, and whoever doubts it evaluates the same
expressions. What is not proved is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from symgrad.derive.derivation import Equation, Proof
from symgrad.graph.expression import Expr, Leaf
from symgrad.graph.sizes import Size
from symgrad.records import dataclass


class Law(Enum):
    """What is done to a program; the names are those of the compiler's modules."""

    ROTATION = "rotation"  # [X, 1] = Q R: the columns of R stand for those of the data
    EIGENVECTORS = "eigenvectors"  # E = V diag(λ) Vᵀ: what is made of E is diagonal
    SIGNS = "signs"  # t ∈ {0, 1} becomes s = 1 - 2t
    INNER_PRODUCTS = "inner products"  # Σᵢ (aᵢ - bᵢ cᵢ) = Σᵢ aᵢ - bᵀc
    COLUMNS = "columns"  # Xw + b - y = [X, 1, y] c
    LOW_RANK = "low rank"  # ‖M - ABᵀ‖² multiplied out


@dataclass(frozen=True, slots=True)
class Applied:
    """A law: what it was applied to, and the equations that it defines.

    A rotation has a basis, Q, and under `label` [given] = Q [instead]; for eigenvectors it is given = V diag(instead) Vᵀ.
    A product of low rank has the sizes that its gate compares: rows, columns, rank.
    """

    law: Law
    given: tuple[Expr, ...] = ()
    instead: tuple[Leaf, ...] = ()
    basis: Leaf | None = None
    label: int = 0
    definitions: tuple[Equation, ...] = ()
    sizes: tuple[Size, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundForm:
    """The loss and its gradients with `bound` data; without a law there are no equations.

    `turned` has names of the page, X̃ and r̃, by what they stand for in the other basis; `blocks` is the size along which
    examples are cut into blocks, or "".
    """

    bound: tuple[Leaf, ...]
    loss: Leaf
    laws: tuple[Applied, ...] = ()
    equations: tuple[Equation, ...] = ()
    turned: Mapping[Leaf, Leaf] = field(default_factory=dict)
    checks: tuple[Proof, ...] = ()
    blocks: str = ""

    @property
    def labels(self) -> tuple[int, ...]:
        """The numbers of all equations, in order."""
        own = [n for law in self.laws for n in (law.label, *(eq.label for eq in law.definitions)) if n]
        return (*own, *(eq.label for eq in self.equations))
