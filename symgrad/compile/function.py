"""The compiled function: `f(**arrays) → (value, gradients)`, with its source, which stands alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from symgrad.compile.arguments import Argument
from symgrad.compile.numpy_source import Function, module_of
from symgrad.derive.derivation import Derivation
from symgrad.errors import InputError, ShapeError
from symgrad.files import write_text

Array = Any


class Compiled:
    """value(θ) and its gradients by θ as NumPy code; called with the arrays by name.

    Pickles by its source.
    """

    def __init__(self, source: str, functions: Mapping[str, Function]) -> None:
        self.source = source
        self._functions = dict(functions)
        self._run = _loaded(source, tuple(functions))

    def __call__(self, **arrays: Any) -> tuple[Any, dict[str, Array]]:
        """The loss, and its gradient by each parameter."""
        result: tuple[Any, dict[str, Array]] = self._called("value_and_gradients", arrays)
        return result

    def value(self, **arrays: Any) -> Any:
        """The loss alone."""
        return self._called("value", arrays)

    def predict(self, **arrays: Any) -> Array:
        """What the model predicts, from the arrays that it needs."""
        if "predict" not in self._functions:
            raise InputError("predict: there is no model; assign what predicts to `model`")
        return self._called("predict", arrays)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The arguments of the loss, in order."""
        return self._functions["value_and_gradients"].arguments

    @property
    def model_arguments(self) -> tuple[Argument, ...]:
        """The arguments of `predict`, in order; none where there is no model."""
        return self._functions["predict"].arguments if "predict" in self._functions else ()

    @property
    def signature(self) -> Signature:
        """The arguments as Python's `inspect` has them, all by keyword."""
        f = self._functions["value_and_gradients"]
        parameters = [
            Parameter(a.name, Parameter.KEYWORD_ONLY, default=Parameter.empty if a.default is None else a.default)
            for a in f.arguments
        ]
        if f.switch:
            parameters.append(Parameter(f.switch, Parameter.KEYWORD_ONLY, default=True))
        return Signature(parameters)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the source, all of it or none."""
        write_text(path, self.source)

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self.source, self._functions)

    def _called(self, name: str, arrays: dict[str, Any]) -> Any:
        f = self._functions[name]
        known = {a.name for a in f.arguments}
        unknown = [key for key in arrays if key not in known and key != f.switch and key != self._switch]
        missing = [a.name for a in f.arguments if a.name not in arrays and a.default is None]
        if unknown or missing:
            what = f"there is no argument {unknown[0]!r}" if unknown else f"{missing[0]} is missing"
            raise InputError(f"{name}: {what}; the arguments are {', '.join(a.name for a in f.arguments)}")
        passed = {key: a for key, a in arrays.items() if key in known or key == f.switch}
        try:
            return self._run[name](**passed)
        except np.linalg.LinAlgError as e:
            raise InputError(f"{name}: {e}; a matrix has to be invertible here") from e
        except ValueError as e:
            raise (ShapeError if " has shape " in str(e) else InputError)(str(e)) from e

    @property
    def _switch(self) -> str:
        return self._functions["value_and_gradients"].switch or "check"


def _loaded(source: str, names: tuple[str, ...]) -> dict[str, Callable[..., Any]]:
    namespace: dict[str, Any] = {"__name__": "symgrad_generated"}
    # The one use of exec: the text is our own generated source; names and titles in it were made safe.
    exec(compile(source, "<symgrad: generated NumPy>", "exec"), namespace)
    return {name: namespace[name] for name in names}


def compile_derivation(derivation: Derivation, *, title: str = "") -> Compiled:
    """The derivation as a NumPy function f(**arrays) → (value, {"θ": ∂L/∂θ}).

    >>> from symgrad.derive.engine import derive
    >>> from symgrad.primitives.language import data, dims, parameter, sum
    >>> n, d = dims("n d")
    >>> f = compile_derivation(derive(sum((data("X", n, d) @ parameter("w", d) - data("y", n)) ** 2)))
    >>> value, gradients = f(X=[[1.0], [2.0]], y=[1.0, 1.0], w=[0.0])
    >>> float(value), gradients["w"].tolist()
    (2.0, [-6.0])
    """
    module = module_of(derivation, title)
    return Compiled(module.source, module.functions)
