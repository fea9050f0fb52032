"""What was found of the stationary points of a loss: plain data, which a page reads and nothing here prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Any

from symgrad.derive.derivation import Derivation, Proof
from symgrad.derive.pairing import Block
from symgrad.graph.expression import Expr, Leaf
from symgrad.records import dataclass


class Side(Enum):
    """How the parameter stands in its equation."""

    SCALE = "s θ = B"
    ENTRIES = "a ⊙ θ = B"
    LEFT = "A θ = B"
    RIGHT = "θ A = B"
    TRANSPOSED = "s θᵀ = B"
    INVERSE = "θ⁻¹ = B"
    SYMPY = "solved by SymPy"
    ZERO = "θ = 0 solves its equation"


class Kind(Enum):
    """What a stationary point is."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    SADDLE = "saddle point"
    NEITHER = "neither a minimum nor a maximum"
    UNDECIDED = "undecided"


class Basis(Enum):
    """Why it is that."""

    CONVEX = "the loss is convex"
    CONCAVE = "the loss is concave"
    NESTED = "each parameter in turn has its minimum, the others given"
    DEFINITE = "the Hessian there is definite"
    EIGENVALUES = "the eigenvalues of the Hessian there"
    DERIVATIVES = "the first derivative that is not 0"
    FLAT_BLOCK = "a block of the Hessian is 0 and one beside it is not"
    SINGULAR = "the Hessian is singular"
    UNKNOWN = "the sign of the Hessian is not known"


class Need(Enum):
    """What a statement supposes of an array."""

    INVERTIBLE = "invertible"
    NOT_ZERO = "not 0"
    NO_ZERO = "no entry is 0"
    FULL_RANK = "its columns are linearly independent"
    POSITIVE = "positive"
    NONNEGATIVE = "not negative"
    REAL = "a real number"
    DEFINITE = "symmetric and positive definite"


@dataclass(frozen=True, slots=True)
class Condition:
    """A need, and what it is of."""

    need: Need
    of: Expr


@dataclass(frozen=True, slots=True)
class Step:
    """One parameter found from its own equation, those in `put_in` (found before it) put in.

    `left` and `right` are the two sides of the equation, the gradient times `factor` being left - right; `solution` may
    hold parameters that are found after it. `uses_inverse` says that the equation is in X = θ⁻¹.
    """

    parameter: Leaf
    side: Side
    left: Expr
    right: Expr
    factor: Expr
    matrix: Expr
    solution: Expr
    conditions: tuple[Condition, ...]
    put_in: tuple[Leaf, ...]
    proof: Proof
    # A⁻¹ b without A: it stands in b too.
    is_cancelled: bool = False
    # The equation is of the derivative by θ⁻¹.
    in_coordinates: bool = False
    # Names that hold no θ and stand for these values in the equation.
    names: Mapping[Leaf, Expr] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Curvature:
    """What is proved of the sign of the second derivatives for all parameters, and under which conditions.

    `is_strict` says that no direction is flat, under the conditions in `strict`.
    """

    is_convex: bool
    is_concave: bool
    conditions: tuple[Condition, ...] = ()
    is_strict: bool = False
    strict: tuple[Condition, ...] = ()
    # Proved from how the loss is composed, or from the Hessian; among symmetric matrices only.
    by_hessian: bool = False
    symmetric_only: bool = False
    # Not in the parameter, but in its inverse.
    in_inverse: bool = False


@dataclass(frozen=True, slots=True)
class Root:
    """A point that SymPy found: SymPy numbers by parameter; `integer` runs over ℤ in a family of points."""

    values: Mapping[Leaf, Any]
    integer: Any
    value: Any  # the loss there
    hessian: Any  # a SymPy matrix
    eigenvalues: tuple[Any, ...]
    order: int = 2  # of the first derivative that is not 0
    derivative: Any = None
    has_data: bool = False
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """A stationary point: each parameter's value over data alone, substituted into every gradient and found to give 0."""

    values: Mapping[Leaf, Expr]
    kind: Kind
    basis: Basis
    proof: Proof
    is_global: bool = False
    conditions: tuple[Condition, ...] = ()
    root: Root | None = None
    # The block that is 0 and the one that is not, of a saddle.
    witness: tuple[Leaf, Leaf] | None = None
    symmetric_only: bool = False
    # The values as they were found: over parameters that were found in other steps.
    shown: Mapping[Leaf, Expr] = field(default_factory=dict)

    @property
    def is_single_minimum(self) -> bool:
        """Whether the second derivative by the only unknown that SymPy solved for is positive here."""
        return self.root is not None and len(self.root.values) == 1 and self.kind is Kind.MINIMUM


class Answer(Enum):
    """How the search for closed forms ended."""

    SOLVED = "solved"
    ROOTS = "by SymPy"
    NONE_EXISTS = "SymPy proved that no real number solves the equation"
    CONSTANT = "no gradient holds a parameter"
    NOT_FOUND = "no closed form was found"


@dataclass(frozen=True, slots=True)
class Found:
    """Everything a page says of the stationary points of one loss."""

    derivation: Derivation
    gradients: Mapping[Leaf, Expr]
    definitions: Mapping[Leaf, Expr]
    answer: Answer
    steps: tuple[Step, ...]
    points: tuple[Point, ...]
    curvature: Curvature
    blocks: tuple[tuple[Leaf, Leaf, Block], ...]
    # Where nothing was solved: what each parameter is, the others given.
    partial: tuple[Step, ...] = ()
    is_complete: bool = False
    # A subgradient stands for the derivative somewhere: second derivatives say nothing of kinds.
    has_kinks: bool = False
