"""What a fit hands back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgrad.compile.domain import Breakdown
from symgrad.compile.function import Compiled
from symgrad.errors import InputError
from symgrad.fitting.endings import ending
from symgrad.fitting.plot import Landscape, write_plot
from symgrad.fitting.scores import Scores
from symgrad.fitting.start import Origin
from symgrad.fitting.units import standardized
from symgrad.notation.linear import linear
from symgrad.notation.names import entry, shared_capitals
from symgrad.optimize import Curvature, Diagnosis, Iteration, RateOrigin, Stop
from symgrad.prose import Language, Text
from symgrad.records import dataclass
from symgrad.tables import Standardizer
from symgrad.tables.encode import Label

Array = Any
Surface = Callable[..., tuple[float, Mapping[str, Array]]]


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """The fitted parameters, how the descent went, and how good the model is.

    `parameters` belong to the data as they were fitted, standardised where there is a `standardizer`; `original_units`
    holds the parameters that predict the same from the data in their own units, or None. `train` and `test` hold the loss
    and the scores on the two parts, `test` is None without a split. `start` says where each parameter began, and
    `notices` what was not computed and why, in both languages. Where θ is one number or two, `path` holds it after each step,
    and `surface` is the loss with its gradients as a function of the parameters. Where there is a `diagnosis` the run failed,
    and the parameters are the best seen, and `breakdown` is where the loss left the real numbers, if it did.
    """

    parameters: Mapping[str, Array]
    loss: float
    history: tuple[Iteration, ...]
    stop: Stop
    diagnosis: Diagnosis | None
    learning_rate: float
    rate_origin: RateOrigin
    curvature: Curvature | None
    train: Scores
    test: Scores | None
    train_rows: int
    test_rows: int
    target: str | None
    classes: Mapping[str, tuple[Label, ...]]
    standardizer: Mapping[str, Standardizer]
    original_units: Mapping[str, Array] | None
    start: Mapping[str, Origin]
    sizes: Mapping[str, int]
    hyperparameters: Mapping[str, float]
    notices: tuple[Text, ...]
    function: Compiled
    axes: Mapping[str, int]
    path: tuple[Array, ...] = ()
    surface: Surface | None = None
    breakdown: Breakdown | None = None

    @property
    def iterations(self) -> int:
        """The number of steps taken."""
        return self.history[-1].number

    @property
    def is_converged(self) -> bool:
        """True where the gradient is small enough, or as small as floating point allows."""
        return self.diagnosis is None and self.stop in (Stop.GRADIENT_NORM, Stop.NO_DECREASE)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not computed, and why."""
        return tuple(notice.en for notice in self.notices)

    def why_it_ended(self, language: Language = "en") -> str:
        """In words: the reason that the descent stopped, or what failed and what to do."""
        return ending(self.stop, self.diagnosis, self.breakdown).to(language)

    def plot(self, path: str, language: Language = "en") -> None:
        """Draw the loss and the gradient norm over the iterations, as .svg, .png or .pdf.

        Where θ is one number or two, the loss over θ stands beside them, with the way that the descent took. Raises
        `MissingTool` without matplotlib, or without a font for what is to be written.
        """
        write_plot(path, self.history, self._landscape(), language)

    def _landscape(self) -> Landscape | None:
        surface = self.surface
        if surface is None:
            return None
        shapes = {name: np.shape(a) for name, a in self.parameters.items()}
        capitals = shared_capitals(name for name, own in shapes.items() if own)
        places = [(name, [str(k + 1) for k in place]) for name, own in shapes.items() for place in np.ndindex(*own)]
        names = [entry(name, place, capitals) for name, place in places]

        def loss(theta: Array) -> float:
            arrays, at = {}, 0
            for name, shape in shapes.items():
                end = at + math.prod(shape)
                arrays[name] = np.reshape(theta[at:end], shape)
                at = end
            return float(surface(**arrays)[0])

        return Landscape(tuple(map(linear, names)), self.path, loss)

    def predict(self, **data: Any) -> Array:
        """The model's outputs for data in their own units, given by name: `result.predict(X=...)`."""
        arguments = self.function.model_arguments
        own = {a.name for a in arguments if a.role in ("data", "labels")}
        if not arguments:
            raise InputError("there is no model; assign what predicts to `model`")
        if set(data) != own:
            raise InputError(f"predict takes {', '.join(sorted(own))} by name; pass each of them and nothing else")
        arrays = standardized({k: np.asarray(a) for k, a in data.items()}, self.standardizer, self.axes)
        rest = {**self.parameters, **self.hyperparameters, **self.sizes}
        return self.function.predict(**arrays, **{a.name: rest[a.name] for a in arguments if a.name not in own})
