"""symgrad: gradients derived step by step, proved, explained, and compiled to NumPy.

The public names are loaded when they are first used, so that importing symgrad stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LANGUAGE = (
    "abs", "broadcast_to", "clip", "cos", "data", "det", "diag", "diagonal", "dims", "dot", "einsum", "equal", "exp",
    "eye", "huber", "hyperparameter", "inv", "labels", "log", "log_softmax", "logdet", "logsumexp", "maximum", "mean",
    "minimum", "named", "norm", "ones", "outer", "parameter", "relu", "scalar", "sigmoid", "sign", "sin", "softmax",
    "softplus", "solve", "sqrt", "sum", "tanh", "trace", "transpose", "unfold", "where", "window",
)  # fmt: skip
_PLACES = {
    **dict.fromkeys(_LANGUAGE, "symgrad.primitives.language"),
    **dict.fromkeys(("Problem", "load", "load_output"), "symgrad.problem"),
    **dict.fromkeys(("jacobian", "jvp", "vjp"), "symgrad.products"),
    "latex": "symgrad.notation.latex",
    "parse": "symgrad.text.parse",
    "to_sympy": "symgrad.derive.indexed",
    **dict.fromkeys(
        ("SymgradError", "InputError", "ShapeError", "CheckFailed", "DerivationError", "MissingTool"),
        "symgrad.errors",
    ),
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"symgrad has no {name!r}; see `symgrad rules` for what it has")
    return getattr(import_module(place), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
