"""How good the model's outputs are, by what the data say that it should put out: numbers, or classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgrad.derive.convexity import is_probability
from symgrad.fitting.binding import class_fact
from symgrad.graph.expression import Expr, Leaf
from symgrad.prose import Text
from symgrad.records import dataclass
from symgrad.tables import accuracy, decide, log_loss, mae, mse, r2
from symgrad.tables.metrics import SUM_SLACK

Array = Any
Scores = dict[str, float]
NO_PROBABILITY = Text(
    en="`model` is not seen to lie between 0 and 1, so there is no accuracy; assign the probability to `model`",
    zh="看不出 `model` 的值在 0 与 1 之间，因此不计算准确率；请把概率赋给 `model`",
)


@dataclass(frozen=True, slots=True)
class Target:
    """The data that the model's outputs are compared with, and whether the outputs are probabilities.

    `note` says why some scores are not computed, and what to write to have them.
    """

    name: str
    fact: str | None
    is_probability: bool
    note: Text | None = None

    def scores(self, wanted: Array, outputs: Array) -> Scores:
        """MSE, MAE and R² of numbers; of classes the accuracy, and the log-loss where there are probabilities.

        >>> Target("y", "binary", True).scores(np.array([1.0, 0.0]), np.array([0.75, 0.75]))["accuracy"]
        0.5
        """
        wanted, outputs = np.asarray(wanted), np.asarray(outputs)
        if not np.isfinite(outputs).all():
            return {}
        if self.fact is None:
            return {"mse": mse(wanted, outputs), "mae": mae(wanted, outputs), "r2": r2(wanted, outputs)}
        codes = _codes(wanted, self.fact)
        if self.fact in ("one_hot", "labels"):
            found = {"accuracy": accuracy(codes, decide(outputs, self.fact))}
            has_rows = (outputs >= 0).all() and np.abs(outputs.sum(axis=1) - 1).max() <= SUM_SLACK
            return {**found, "log_loss": log_loss(codes, outputs)} if has_rows else found
        if self.is_probability:
            return {"accuracy": accuracy(codes, decide(outputs, "binary")), "log_loss": log_loss(codes, outputs)}
        return {"accuracy": accuracy(codes, decide(outputs, "sign"))} if self.fact == "sign" else {}


def target_of(model: Expr, data: Mapping[str, Leaf], used: Callable[[str], bool]) -> Target | None:
    """The data that the loss uses and the model does not: those with classes, or of the outputs' shape.

    None where there is no such array, or more than one.
    """
    unused = [e for e in data.values() if not used(e.name)]
    with_classes = [e for e in unused if class_fact(e) and _fits(e, model)]
    of_shape = [e for e in unused if e.shape == model.shape]
    found = with_classes or of_shape
    if len(found) != 1:
        return None
    fact = class_fact(found[0])
    known = is_probability(model)
    note = None
    if fact == "binary" and not known:
        # Of an unbounded output nobody can say whether it is cut at ½ or at 0.
        note = NO_PROBABILITY
    return Target(found[0].name, fact, known, note)


def _fits(leaf: Leaf, model: Expr) -> bool:
    return (
        model.rank == 2 and model.shape[:1] == leaf.shape if class_fact(leaf) == "labels" else model.shape == leaf.shape
    )


def _codes(wanted: Array, fact: str) -> Array:
    if fact == "one_hot":
        return np.argmax(wanted, axis=1)
    return (wanted > 0).astype(np.int64) if fact in ("sign", "binary") else wanted
