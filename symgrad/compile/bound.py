"""A compiled function with its data bound: `g(**parameters) → (value, gradients)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Protocol

import numpy as np

from symgrad.compile.arguments import Argument
from symgrad.compile.attentive import Attentive
from symgrad.compile.bound_source import BoundModule
from symgrad.compile.calling import class_of_its_own
from symgrad.compile.loading import loaded
from symgrad.errors import InputError

Array = Any


class Unbound(Protocol):
    """What a bound function asks of the function that it was made from."""

    def refusal(self, name: str, passed: Mapping[str, Any], error: ValueError) -> InputError:
        """What is said of arrays that do not fit."""

    def report(self, name: str, passed: Mapping[str, Any], result: Any) -> None:
        """Say why a result is not finite."""


class Bound:
    """value(θ) and its gradients as functions of what was not bound; the data were copied, and worked on once.

    What is not finite and what does not fit is told as by the function that it was made from. Pickles with its data.
    """

    def __init__(self, unbound: Unbound, module: BoundModule, data: Mapping[str, Any], check: bool) -> None:
        self._unbound = unbound
        self._module = module
        self._check = check
        self._data = {name: np.array(a) if np.ndim(a) else a for name, a in data.items()}
        self._attentive = Attentive()
        self._names = tuple(a.name for a in module.rest)
        self._run = self._made()

    def _made(self) -> dict[str, Callable[..., Any]]:
        bind = loaded(self._module.source, ("bind",))["bind"]
        options = {self._module.switch: self._check} if self._module.switch else {}
        try:
            (pair, value), _ = self._attentive.run(bind, {**self._data, **options})
        except ValueError as e:
            raise self._unbound.refusal("bind", self._data, e) from e
        return {"value_and_gradients": pair, "value": value}

    def __call__(self, **arrays: Any) -> tuple[Any, dict[str, Array]]:
        """The loss, and its gradient by each parameter."""
        result: tuple[Any, dict[str, Array]] = self.called("value_and_gradients", arrays)
        # From now on calls are those of a class that is written for the arguments.
        self.__class__ = class_of_its_own(
            Bound, self._run["value_and_gradients"], self.arguments, self._attentive, inside=self._module.inside
        )
        return result

    def told(self, arrays: dict[str, Any], result: Any) -> Any:
        """The result of a call in which something was not finite."""
        self._unbound.report("value_and_gradients", {**self._data, **arrays}, result)
        return result

    def value(self, **arrays: Any) -> Any:
        """The loss alone."""
        return self.called("value", arrays)

    @property
    def source(self) -> str:
        """The NumPy source: `bind`, and in it the functions that calls run."""
        return self._module.source

    @property
    def backend(self) -> str:
        """What computes: "numba" where it was asked for and loops or exponentials are compiled, else "numpy"."""
        return self._module.backend.name

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """What is not bound, in order."""
        return self._module.rest

    @property
    def axis(self) -> str:
        """The size of the axis of examples, which is cut into blocks; "" where the loss is not computed so."""
        return self._module.axis

    def shapes(self, names: Sequence[str], sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """The shapes of these arrays: by the bound data, and by `sizes` that these do not tell."""
        declared = self._module.shapes
        told = dict(sizes)
        for name, a in self._data.items():
            found = zip(declared.get(name, ()), np.shape(a), strict=False)
            told |= {size.names[0]: length for size, length in found if size.is_name}
            told |= {name: int(a)} if name not in declared else {}
        missing = sorted({n for name in names for size in declared[name] for n in size.names} - told.keys())
        if missing:
            raise InputError(f"flat: the size {missing[0]} is in the shape of no data; pass {missing[0]}=…")
        return {name: tuple(size.at(told) for size in declared[name]) for name in names}

    def __reduce__(self) -> tuple[Any, ...]:
        return Bound, (self._unbound, self._module, self._data, self._check)

    def called(self, name: str, arrays: dict[str, Any]) -> Any:
        """The result of one of the functions; errors are worded here."""
        inside = self._module.inside
        passed = arrays
        if inside:
            self._check_names(name, arrays)
            passed = {inside.get(key, key): a for key, a in arrays.items()}
        try:
            result, has_flags = self._attentive.run(self._run[name], passed)
        except ValueError as e:
            raise self._unbound.refusal(name, {**self._data, **arrays}, e) from e
        except TypeError:
            # Names are looked at when Python has refused them: else each call would pay for it.
            self._check_names(name, arrays)
            raise
        if has_flags or not isfinite(result[0] if type(result) is tuple else result):
            self._unbound.report(name, {**self._data, **arrays}, result)
        return result

    def _check_names(self, name: str, arrays: Mapping[str, Any]) -> None:
        unknown = [key for key in arrays if key not in self._names]
        missing = [a.name for a in self._module.rest if a.default is None and a.name not in arrays]
        if unknown or missing:
            is_bound = unknown and unknown[0] in self._data
            what = f"{unknown[0]} is bound" if is_bound else f"there is no argument {unknown[0]!r}" if unknown else ""
            raise InputError(
                f"{name}: {what or f'{missing[0]} is missing'}; the arguments are {', '.join(self._names)}"
            )
