"""The central value: a straight-line program of labelled equations, forward and backward, each step with its proof.

Handout, evaluator and compiler read a `Derivation` and nothing else. Nothing in it is text for a screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from fractions import Fraction
from importlib import import_module

from symgrad.graph.expression import Expr, Leaf, Shape
from symgrad.records import dataclass
from symgrad.rewrite.display import Reason


class Verdict(Enum):
    """How sure a statement is. Pages never mix the words."""

    PROVED = "proved"
    VERIFIED = "verified numerically"
    UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Proof:
    """A verdict, and the sizes (one mapping for each assignment) at which every entry was compared."""

    verdict: Verdict
    sizes: tuple[Mapping[str, int], ...] = ()


UNCHECKED = Proof(Verdict.UNCHECKED)


class Labels(int):
    """The labels of several equations that are stated once; as a number it is the first of them.

    >>> str(Labels([3, 5, 7, 9])), str(Labels([3, 5, 7])), Labels([3, 5, 7]) == 3
    ('3, 5, …, 9', '3, 5, 7', True)
    """

    every: tuple[int, ...]

    def __new__(cls, labels: Sequence[int]) -> Labels:
        """The labels, in order."""
        self = super().__new__(cls, labels[0])
        self.every = tuple(labels)
        return self

    def __str__(self) -> str:
        return series(self.every)


def series(numbers: Sequence[int]) -> str:
    """Numbers in a row, with dots in an arithmetic progression of more than three.

    >>> series([2, 3, 4]), series([9, 8, 7, 6]), series([1, 2, 3, 4, 5, 9])
    ('2, 3, 4', '9, 8, …, 6', '1, 2, …, 5, 9')
    """
    parts: list[list[int]] = []
    for k in numbers:
        if parts and (len(parts[-1]) == 1 or k - parts[-1][-1] == parts[-1][1] - parts[-1][0]):
            parts[-1].append(k)
        else:
            parts.append([k])
    shown = [map(str, part) if len(part) <= 3 else (str(part[0]), str(part[1]), "…", str(part[-1])) for part in parts]
    return ", ".join(text for part in shown for text in part)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a step: an expression equal to the line before, for a reason, with its proof."""

    expression: Expr
    reason: Reason
    proof: Proof = UNCHECKED


class Move(Enum):
    """What leads from one line of a differential proof to the next; the laws are those of ⟨A, B⟩ = Σ A ⊙ B."""

    CHAIN = "chain"  # dL = ⟨∂L/∂Y, dY⟩, added up over all Y that use the variable
    PUT_IN = "put in"  # dY by the definition of Y
    SPLIT = "split"  # ⟨A, B + C⟩ = ⟨A, B⟩ + ⟨A, C⟩
    SCALAR = "scalar"  # ⟨A, c B⟩ = ⟨c A, B⟩
    OUT = "out"  # ⟨A, B dc⟩ = ⟨A, B⟩ dc
    LEFT = "left"  # ⟨A, B C⟩ = ⟨Bᵀ A, C⟩
    RIGHT = "right"  # ⟨A, B C⟩ = ⟨A Cᵀ, B⟩
    HADAMARD = "hadamard"  # ⟨A, B ⊙ C⟩ = ⟨A ⊙ B, C⟩
    SCALING = "scaling"  # ⟨A, diag(v) B⟩ = ⟨(A ⊙ B) 1, v⟩
    TRANSPOSE = "transpose"  # ⟨A, Bᵀ⟩ = ⟨Aᵀ, B⟩
    TRACE = "trace"  # tr B = ⟨I, B⟩
    DIAGONAL = "diagonal"  # ⟨A, diag(v)⟩ = ⟨diag(A), v⟩, and the same read from the right
    SUM = "sum"  # ⟨a, B 1⟩ = ⟨a 1ᵀ, B⟩
    SPREAD = "spread"  # ⟨A, b 1ᵀ⟩ = ⟨A 1, b⟩
    ADJOINT = "adjoint"  # ⟨A, F(B)⟩ = ⟨F*(A), B⟩, F a primitive that is linear in B and F* its pullback
    ENTRIES = "entries"  # entry by entry: the sum over what B does not hold is done first
    COLLECT = "collect"  # ⟨A, C⟩ + ⟨B, C⟩ = ⟨A + B, C⟩


@dataclass(frozen=True, slots=True)
class DifferentialLine:
    """One line of dL = … = ⟨∂L/∂X, dX⟩: a sum of inner products, what led to it from the line before, its proof."""

    expression: Expr
    moves: tuple[Move, ...]
    proof: Proof = UNCHECKED


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one use adds to a cotangent: the using equation's label, the law or primitive, ȳ pulled back through it."""

    label: int
    rule: str  # "linearity", "contraction", "elementwise", or a primitive's name
    subject: Expr  # the node that uses the variable: f(…) of an elementwise step, the primitive's application
    expression: Expr
    # Where several ways lead from the equation to the variable, the others besides `rule`.
    others: tuple[tuple[str, Expr], ...] = ()

    @property
    def ways(self) -> tuple[tuple[str, Expr], ...]:
        """Every law or primitive, with the node to which it was applied."""
        return ((self.rule, self.subject), *self.others)


@dataclass(frozen=True, slots=True)
class Equation:
    """`target = expression`, numbered; a forward equation has no lines, a backward one ends in its last line.

    `variable` is what a backward equation differentiates by; its target is then the cotangent leaf of that name.
    """

    label: int
    target: Leaf
    expression: Expr
    variable: Leaf | None = None
    contributions: tuple[Contribution, ...] = ()
    lines: tuple[Line, ...] = ()
    proof: Proof = UNCHECKED
    # The step by differentials, from dL to ⟨the first line, dX⟩, where it was asked for.
    differential: tuple[DifferentialLine, ...] = ()

    @property
    def name(self) -> str:
        """The name that is defined (for a cotangent, the name of its variable)."""
        return self.target.name

    @property
    def shape(self) -> Shape:
        """The shape of both sides."""
        return self.target.shape


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """The whole gradient against 50-digit differences: at how many points, and the largest relative error."""

    points: int
    largest_error: Fraction


@dataclass(frozen=True, slots=True)
class Derivation:
    """The program: `forward` ends in the loss, `backward` holds every cotangent down to the parameters.

    `model` is the expression that predicts, over the same names, or None.
    """

    loss: Leaf
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    parameters: tuple[Leaf, ...]
    leaves: tuple[Leaf, ...]
    model: Expr | None = None
    end_to_end: EndToEnd | None = None

    def __repr__(self) -> str:
        """What it derives, and how long it is: the equations themselves may be thousands."""
        names = ", ".join(p.name for p in self.parameters)
        return f"<Derivation of {self.loss.name} by {names}: {len(self.forward)} + {len(self.backward)} equations>"

    def _repr_markdown_(self) -> str | None:
        """The equations in a notebook: IPython asks the object itself. None, plain text then, where they are too long."""
        shown: str | None = import_module("symgrad.notebook").derivation(self)
        return shown

    @property
    def gradients(self) -> dict[str, Expr]:
        """The last line for each parameter, in the names of the page."""
        wanted = {p: p.name for p in self.parameters}
        return {eq.name: eq.expression for eq in self.backward if eq.variable in wanted}

    @property
    def steps(self) -> tuple[Equation, ...]:
        """The backward equations."""
        return self.backward
