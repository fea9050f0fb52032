"""What a solver hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from symgrad.optimize.curvature import Curvature
from symgrad.optimize.diagnosis import Diagnosis
from symgrad.optimize.objective import Array


class Stop(StrEnum):
    """Why a run ended."""

    GRADIENT_NORM = "gradient norm reached"
    ITERATION_LIMIT = "iteration limit"
    NO_DECREASE = "no further decrease in floating point"
    DIVERGED = "diverged"
    NOT_FINITE = "not finite"


class RateOrigin(StrEnum):
    """Where the first step length came from."""

    GIVEN = "given"
    CURVATURE = "1/λ_max of the quadratic"
    LOCAL_CURVATURE = "1/λ_max at the start"
    UNIT_STEP = "a first step of length 1"


@dataclass(frozen=True, slots=True)
class Iteration:
    """L and ‖∇L‖ after `number` steps, and the step length α that led there (0 for the start)."""

    number: int
    loss: float
    gradient_norm: float
    step: float


@dataclass(frozen=True, slots=True)
class Result:
    """Where a run ended and how it went there.

    `parameters` are those of the last iteration, or, where there is a `diagnosis`, of the lowest finite loss
    seen; `loss` is theirs. `history` has one entry for the start and one for each iteration. `learning_rate`
    is the first step length, `rate_origin` where it came from, `curvature` λ_max where it was computed. `failed_at` are
    the parameters at which a run failed. `path` holds θ after each step, where θ is one number or two.
    """

    parameters: Mapping[str, Array]
    loss: float
    history: tuple[Iteration, ...]
    stop: Stop
    learning_rate: float
    rate_origin: RateOrigin
    curvature: Curvature | None
    evaluations: int
    diagnosis: Diagnosis | None = None
    failed_at: Mapping[str, Array] | None = None
    path: tuple[Array, ...] = ()

    @property
    def iterations(self) -> int:
        """The number of steps taken."""
        return self.history[-1].number

    @property
    def is_converged(self) -> bool:
        """True where the gradient is small enough, or as small as floating point allows."""
        return self.stop in (Stop.GRADIENT_NORM, Stop.NO_DECREASE)
