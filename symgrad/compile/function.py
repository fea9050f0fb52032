"""The compiled function: `f(**arrays) → (value, gradients)`, with its source, which stands alone."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from inspect import Parameter, Signature
from math import isfinite
from typing import Any

import numpy as np

from symgrad.compile.arguments import Argument
from symgrad.compile.attentive import Attentive
from symgrad.compile.bound import Bound
from symgrad.compile.bound_source import BACKENDS, NUMPY, Backend, Binder
from symgrad.compile.calling import class_of_its_own
from symgrad.compile.domain import Breakdown, Tracer, breakdown
from symgrad.compile.loading import loaded
from symgrad.compile.numpy_source import Function, module_of
from symgrad.compile.partial import Kind, Partial, Separable
from symgrad.compile.vector import Flat
from symgrad.derive.derivation import Derivation
from symgrad.errors import InputError, NotFiniteWarning, ShapeError
from symgrad.files import write_text

Array = Any
# What loops are compiled with, besides NumPy: SciPy's BLAS is called in them.
LOOPS_NEED = ("numba", "scipy", "threadpoolctl")


class Compiled:
    """value(θ) and its gradients by θ as NumPy code; called with the arrays by name.

    What is not finite comes back with one `NotFiniteWarning` that names the formula, the equation and the entry. As with
    NumPy's own warnings `np.errstate` decides: all="ignore" is silent, all="raise" raises a FloatingPointError. A matrix
    without an inverse is an `InputError`. Pickles by its source.
    """

    def __init__(
        self, source: str, functions: Mapping[str, Function], tracer: Tracer | None = None, binder: Binder | None = None
    ) -> None:
        self.source = source
        self._binder = binder
        self._functions = dict(functions)
        self._run = _Loaded(source, tuple(functions))
        self._tracer = tracer
        self._traces: dict[str, Callable[..., Any]] = {}
        self._attentive = Attentive()

    def __call__(self, **arrays: Any) -> tuple[Any, dict[str, Array]]:
        """The loss, and its gradient by each parameter."""
        result: tuple[Any, dict[str, Array]] = self.called("value_and_gradients", arrays)
        # From now on calls are those of a class that is written for the arguments.
        run, f = self._run["value_and_gradients"], self._functions["value_and_gradients"]
        self.__class__ = class_of_its_own(Compiled, run, f.arguments, self._attentive, switch=f.switch)
        return result

    def told(self, arrays: dict[str, Any], result: Any) -> Any:
        """The result of a call in which something was not finite."""
        self.report("value_and_gradients", arrays, result)
        return result

    def value(self, **arrays: Any) -> Any:
        """The loss alone."""
        return self.called("value", arrays)

    def predict(self, **arrays: Any) -> Array:
        """What the model predicts, from the arrays that it needs."""
        if "predict" not in self._functions:
            raise InputError("predict: there is no model; assign what predicts to `model`")
        return self.called("predict", arrays)

    def bind(self, *, check: bool = True, backend: str = "numpy", threads: int = 1, **arrays: Any) -> Bound:
        """g(**parameters) → (value, gradients), with these arrays, numbers and sizes bound: what depends on them is done once.

        They are copied, and checked against the facts that are used unless `check=False`. With `backend="numba"` sums over
        examples are loops that are compiled at the first call, for float64. Without such sums NumPy computes, with compiled
        exponentials where there are any; `g.backend` tells whether anything is compiled.
        Several `threads` share the examples of such loops; the sums of theirs are added in the same order at every call.

        >>> import symgrad as sg
        >>> n, d = sg.dims("n d")
        >>> X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
        >>> g = sg.Problem(sg.sum((X @ w - y) ** 2)).compile().bind(X=[[1.0], [2.0]], y=[1.0, 1.0])
        >>> value, gradients = g(w=[0.0])
        >>> round(float(value), 12), gradients["w"].round(12).tolist()
        (2.0, [-6.0])
        """
        if self._binder is None:
            raise InputError("bind: this function was made without its derivation; compile the problem again")
        module = self._binder.module(tuple(arrays), _backend(backend, threads, arrays))
        return Bound(self, module, arrays, check)

    def flat(self, *, check: bool = True, backend: str = "numpy", threads: int = 1, **arrays: Any) -> Flat:
        """g(θ) → (value, gradient) of one vector of all parameters, the rest bound; sizes that no data tell are passed too.

        >>> import symgrad as sg
        >>> n, d = sg.dims("n d")
        >>> X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
        >>> g = sg.Problem(sg.sum((X @ w - y) ** 2)).compile().flat(X=[[1.0], [2.0]], y=[1.0, 1.0])
        >>> value, gradient = g(np.zeros(1))
        >>> round(value, 12), gradient.round(12)
        (2.0, array([-6.]))
        """
        parameters = [a for a in self.arguments if a.role == "parameter"]
        own = {a.name for a in self.arguments}
        bound = self.bind(
            check=check, backend=backend, threads=threads, **{name: a for name, a in arrays.items() if name in own}
        )
        return Flat(
            bound, bound.shapes([a.name for a in parameters], {k: a for k, a in arrays.items() if k not in own})
        )

    @property
    def separable_axis(self) -> str | None:
        """The size of the axis of examples over which loss and gradients are sums, as is proved; None where there is none."""
        found = self._binder.separable() if self._binder is not None else None
        return None if found is None else found.axis

    def partial(self, **arrays: Any) -> Partial:
        """(Σ ℓᵢ, Σ ∂ℓᵢ/∂θ, count) over the examples passed, where the loss is their mean or their sum, or that and a rest.

        Parts of the examples, from a file or another machine, are added, and `whole` makes the loss of them.

        >>> import symgrad as sg
        >>> n, d = sg.dims("n d")
        >>> X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
        >>> f = sg.Problem(sg.mean((X @ w - y) ** 2)).compile()
        >>> first = f.partial(X=[[1.0], [2.0]], y=[1.0, 1.0], w=[0.0])
        >>> loss, gradients, count = first + f.partial(X=[[3.0]], y=[2.0], w=[0.0])
        >>> float(loss), gradients["w"].tolist(), count
        (6.0, [-18.0], 3)
        """
        found = self._separable()
        value, gradients = self(**arrays)
        name, axis = next((name, axis) for name, axis in found.axes.items() if name in arrays)
        count = np.shape(arrays[name])[axis]
        if found.kind is Kind.MEAN:
            return Partial(value * count, {key: g * count for key, g in gradients.items()}, count)
        if found.kind is Kind.SUM_AND_REST:
            rest, theirs = self(**self._without_examples(arrays))
            return Partial(value - rest, {key: g - theirs[key] for key, g in gradients.items()}, count)
        return Partial(value, gradients, count)

    def whole(self, part: Partial, **arrays: Any) -> tuple[Any, dict[str, Array]]:
        """The loss and its gradients, from the sums over all examples; `arrays` are what `partial` took, of any examples."""
        found = self._separable()
        gradients = dict(part.gradients)
        if found.kind is Kind.MEAN:
            return part.loss / part.count, {key: g / part.count for key, g in gradients.items()}
        if found.kind is Kind.SUM_AND_REST:
            rest, theirs = self(**self._without_examples(arrays))
            return part.loss + rest, {key: g + theirs[key] for key, g in gradients.items()}
        return part.loss, gradients

    def _separable(self) -> Separable:
        found = self._binder.separable() if self._binder is not None else None
        if found is None:
            raise InputError("partial: the loss is no sum over examples; all of them have to be passed at once")
        return found

    def _without_examples(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """The same arguments with no example."""
        axes = self._separable().axes
        return {k: np.asarray(a).take([], axis=axes[k]) if k in axes else a for k, a in arrays.items()}

    def diagnose(self, **arrays: Any) -> Breakdown | None:
        """Why the loss or a gradient is not finite for these arrays, or does not exist; None where all are finite.

        >>> import symgrad as sg
        >>> p = sg.parameter("p", sg.dims("n"))
        >>> f = sg.Problem(-sg.sum(sg.log(p))).compile()
        >>> print(f.diagnose(p=[0.5, -0.03]))
        log(p) in (1) is not a number: p[1] = -0.03; the logarithm needs a positive argument
        >>> f.diagnose(p=[0.5, 0.03]) is None
        True
        """
        return self._diagnosed("value_and_gradients", self._passed("value_and_gradients", arrays))

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
        return Compiled, (self.source, self._functions, self._tracer, self._binder)

    def called(self, name: str, arrays: dict[str, Any]) -> Any:
        """The result of one of the functions; errors are worded here."""
        try:
            result, has_flags = self._attentive.run(self._run[name], arrays)
        except (TypeError, ValueError) as e:
            arrays = self._mended(name, arrays, e)
            result, has_flags = self._attentive.run(self._run[name], arrays)
        # A number that was not one from the start raises no flag, but it reaches the loss.
        if has_flags or (name != "predict" and not isfinite(result[0] if type(result) is tuple else result)):
            self.report(name, arrays, result)
        return result

    def _mended(self, name: str, arrays: dict[str, Any], error: TypeError | ValueError) -> dict[str, Any]:
        """The arguments without `check` where the function has no use for it; an error where something else is wrong.

        Names are looked at when Python has refused them: else each call would pay for it.
        """
        if isinstance(error, ValueError):
            raise self.refusal(name, arrays, error) from error
        passed = self._passed(name, arrays)
        if passed.keys() == arrays.keys():
            raise error
        return passed

    def _passed(self, name: str, arrays: dict[str, Any]) -> dict[str, Any]:
        """The arrays that a function takes, if they are those that it needs."""
        f = self._functions[name]
        known = {a.name for a in f.arguments}
        unknown = [key for key in arrays if key not in known and key != f.switch and key != self._switch]
        missing = [a.name for a in f.arguments if a.name not in arrays and a.default is None]
        if unknown or missing:
            what = f"there is no argument {unknown[0]!r}" if unknown else f"{missing[0]} is missing"
            raise InputError(f"{name}: {what}; the arguments are {', '.join(a.name for a in f.arguments)}")
        return {key: a for key, a in arrays.items() if key in known or key == f.switch}

    def refusal(self, name: str, passed: Mapping[str, Any], error: ValueError) -> InputError:
        """What is said of arrays that do not fit, or of a matrix without an inverse."""
        if not isinstance(error, np.linalg.LinAlgError):
            return _refused(error)
        # A solver that meets the edge of the domain asks for silence, and would pay for a diagnosis at every step.
        found = None if set(np.geterr().values()) == {"ignore"} else self._diagnosed(name, passed)
        return InputError(f"{name}: {error}; a matrix has to be invertible here" if found is None else str(found))

    def report(self, name: str, passed: Mapping[str, Any], result: Any) -> None:
        """Warn of a result that is not finite, or raise, or be silent: as `np.errstate` says."""
        modes = np.geterr()
        policy = {modes[kind] for kind in ("divide", "over", "invalid")}
        value, gradients = result if isinstance(result, tuple) else (result, {})
        if policy == {"ignore"} or all(np.isfinite(a).all() for a in (value, *gradients.values())):
            return
        found = self._diagnosed(name, passed)
        message = f"{name} is not finite" if found is None else str(found)
        if "raise" in policy:
            raise FloatingPointError(message)
        warnings.warn(message, NotFiniteWarning, stacklevel=4)

    def _diagnosed(self, name: str, passed: Mapping[str, Any]) -> Breakdown | None:
        if self._tracer is None:
            return None
        trace = self._tracer.trace(name)
        if name not in self._traces:
            self._traces[name] = loaded(trace.source, ("trace",))["trace"]
        known = {a.name for a in trace.arguments}
        try:
            return breakdown(trace, self._traces[name], {key: a for key, a in passed.items() if key in known})
        except ValueError as e:
            raise _refused(e) from e

    @property
    def _switch(self) -> str:
        return self._functions["value_and_gradients"].switch or "check"


class _Loaded(dict[str, Callable[..., Any]]):
    """The functions of a generated module, which is run when the first of them is asked for."""

    def __init__(self, source: str, names: tuple[str, ...]) -> None:
        super().__init__()
        self._source, self._names = source, names

    def __missing__(self, name: str) -> Callable[..., Any]:
        self.update(loaded(self._source, self._names))
        return self[name]


def _backend(name: str, threads: int, arrays: Mapping[str, Any]) -> Backend:
    """What runs the sums over examples, by its name; loops compute in float64, what is in another type is NumPy's."""
    if name not in BACKENDS:
        raise InputError(f"there is no backend {name!r}; take {' or '.join(BACKENDS)}")
    if not isinstance(threads, int) or threads < 1 or (threads > 1 and name == NUMPY.name):
        raise InputError(f"bind: threads={threads!r}; a whole number from 1 on, and more than 1 with backend='numba'")
    if name == NUMPY.name:
        return NUMPY
    if missing := [package for package in LOOPS_NEED if find_spec(package) is None]:
        raise InputError(f"backend numba needs {missing[0]}; pip install 'symgrad[numba]'")
    is_double = all(a.dtype == float or a.dtype.kind not in "fc" for a in map(np.asarray, arrays.values()))
    return Backend(name, threads) if is_double else NUMPY


def _refused(error: ValueError) -> InputError:
    """What the generated code says of arrays that do not fit."""
    return (ShapeError if " has shape " in str(error) else InputError)(str(error))


def compile_derivation(derivation: Derivation, *, title: str = "", prove: bool = True) -> Compiled:
    """The derivation as a NumPy function f(**arrays) → (value, {"θ": ∂L/∂θ}).

    What `bind` rewrites is proved where it is first bound, unless `prove=False`.

    >>> from symgrad.derive.engine import derive
    >>> from symgrad.primitives.language import data, dims, parameter, sum
    >>> n, d = dims("n d")
    >>> f = compile_derivation(derive(sum((data("X", n, d) @ parameter("w", d) - data("y", n)) ** 2)))
    >>> value, gradients = f(X=[[1.0], [2.0]], y=[1.0, 1.0], w=[0.0])
    >>> float(value), gradients["w"].tolist()
    (2.0, [-6.0])
    """
    module = module_of(derivation, title)
    return Compiled(module.source, module.functions, Tracer(derivation), Binder(derivation, title, is_proved=prove))
