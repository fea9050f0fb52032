"""Bind data → split → standardise → initial values → descend → evaluate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np

from symgrad.compile.arguments import Argument
from symgrad.compile.bound import Bound as BoundFunction
from symgrad.compile.domain import Breakdown
from symgrad.compile.domain_sentences import EXAMPLE, NOTHING
from symgrad.compile.function import Compiled
from symgrad.derive.convexity import is_convex
from symgrad.derive.ranges import Range
from symgrad.errors import InputError
from symgrad.fitting.binding import Bound, bind, data_of
from symgrad.fitting.result import FitResult
from symgrad.fitting.scores import Scores, Target, target_of
from symgrad.fitting.start import Start, slot_of, starting_values
from symgrad.fitting.units import original_units, standardized, standardizers
from symgrad.graph.expression import Expr, Leaf
from symgrad.optimize import Iteration, Result, gradient_descent
from symgrad.prose import Text, as_text
from symgrad.records import dataclass
from symgrad.tables import Standardizer, Table, split

Array = Any
LineSearch = Literal["fixed", "backtracking"]
OnIteration = Callable[[Iteration], object]
Function = Callable[..., tuple[float, Mapping[str, Array]]]
NO_MODEL = Text(
    en="there is no `model`, so nothing is predicted or scored; assign what predicts to `model`",
    zh="没有 `model`，因此不作预测，也不评分；请把预测值赋给 `model`",
)
NO_TARGET = Text(
    en="no data are seen to be what `model` should put out, so only the loss is computed",
    zh="看不出 `model` 应当输出哪个数据，因此只计算损失",
)
NOT_AFFINE = Text(
    en="the model does not read {names} as XW + b: no parameters in original units",
    zh="模型不是以 XW + b 的形式使用 {names}，因此不给出原始单位下的参数",
)


@dataclass(frozen=True, slots=True)
class Descent:
    """How the loss is descended: see `gradient_descent`; without a line search a given learning rate is a fixed step."""

    method: str = "gd"
    learning_rate: float | None = None
    line_search: LineSearch | None = None
    max_iterations: int = 10_000
    tolerance: float = 1e-6
    on_iteration: OnIteration | None = None

    def run(self, f: Function, start: Mapping[str, Array]) -> Result:
        """Descend from `start`."""
        by_default: LineSearch = "backtracking" if self.learning_rate is None else "fixed"
        return gradient_descent(
            f,
            start,
            learning_rate=self.learning_rate,
            line_search=self.line_search or by_default,
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
            on_iteration=self.on_iteration,
        )


@dataclass(frozen=True, slots=True)
class Options:
    """Everything about a fit but the problem and its data; see `Problem.fit`."""

    descent: Descent
    start: Mapping[str, Any]
    seed: int
    sizes: Mapping[str, int]
    hyperparameters: Mapping[str, float]
    standardize: bool | Sequence[str]
    test_fraction: float
    backend: str


@dataclass(frozen=True, slots=True)
class Task:
    """What is fitted: the compiled loss, the expressions that it came from, and their leaves."""

    function: Compiled
    loss: Expr
    model: Expr | None
    leaves: Sequence[Leaf]

    def leaf(self, name: str) -> Leaf:
        """The leaf of this name."""
        return next(e for e in self.leaves if e.name == name)

    def of_role(self, role: str) -> list[Argument]:
        """The arguments of the loss and then of the model with this role, each once."""
        both = (*self.function.arguments, *self.function.model_arguments)
        return list({a.name: a for a in both if a.role == role}.values())

    def is_input(self, name: str) -> bool:
        """Whether the model reads these data (all of them, where there is no model)."""
        return self.model is None or any(a.name == name for a in self.function.model_arguments)

    def read(self, arguments: Sequence[Argument], *values: Mapping[str, Any]) -> dict[str, Any]:
        """Of all values those that are arguments."""
        names = {a.name for a in arguments}
        return {name: value for given in values for name, value in given.items() if name in names}


@dataclass(frozen=True, slots=True)
class Parts:
    """The arrays to train on and to test on, standardised; `chosen` are the examples to train on, None for all."""

    train: Mapping[str, Array]
    test: Mapping[str, Array] | None
    rows: tuple[int, int]
    chosen: Array | None
    standardizer: Mapping[str, Standardizer]


def fit(task: Task, data: Mapping[str, Any], options: Options, table: Table | None = None) -> FitResult:
    """The fitted parameters of a task, its data given by name; `table` is where they stand, if anywhere."""
    if options.descent.method != "gd":
        raise InputError(f"there is no method {options.descent.method!r}; use 'gd', gradient descent")
    numbers = _numbers(task, options)
    bound = bind(task.leaves, data, options.sizes)
    _check_sizes(task, bound)
    target = _target(task)
    parts = _parts(task, bound, options, target)
    f = _objective(task, parts.train, bound, numbers, options.backend)
    start = _start(task, bound, parts.train, numbers, f, options)
    result = options.descent.run(f, start.values)
    found = _breakdown(result, task, {**bound.sizes, **parts.train, **numbers}, partial(_line, bound, parts, table))
    if result.diagnosis is not None and found is not None:
        result = replace(result, diagnosis=replace(result.diagnosis, origin=str(found)))
    made = _result(task, bound, parts, result, start, numbers, target)
    return replace(made, breakdown=found, surface=f if result.path else None)


def _numbers(task: Task, options: Options) -> dict[str, float]:
    """The value of every hyperparameter: the one given, else its default."""
    given = options.hyperparameters
    known = {a.name: a.default for a in task.of_role("hyperparameter")}
    for name in given:
        if name not in known:
            raise InputError(f"there is no hyperparameter {name!r}; the model has {', '.join(known) or 'none'}")
    found = {name: given.get(name, default) for name, default in known.items()}
    for name, value in found.items():
        if value is None:
            raise InputError(
                f"the hyperparameter {name} has no value; give one, {name}=0.1 (on the command line --set {name}=0.1)"
            )
    return {name: float(value) for name, value in found.items() if value is not None}


def _check_sizes(task: Task, bound: Bound) -> None:
    wanted = {name: e.name for e in task.leaves for size in e.shape for name in size.names}
    wanted |= {a.name: "a formula" for a in task.of_role("size")}
    for name, user in wanted.items():
        if name not in bound.sizes:
            what = f"the size {name} of {user} is in the shape of no data"
            raise InputError(f'{what}; give it, sizes={{"{name}": 64}} (on the command line --size {name}=64)')
    for name in bound.sizes:
        if name not in wanted:
            raise InputError(f"the model has no size {name!r}; its sizes are {', '.join(wanted) or 'none'}")


def _target(task: Task) -> Target | None:
    if task.model is None:
        return None
    data = {e.name: e for e in data_of(task.leaves)}
    return target_of(task.model, data, task.is_input)


def _parts(task: Task, bound: Bound, options: Options, target: Target | None) -> Parts:
    if options.standardize is True and task.model is None:
        raise InputError('without a `model` it is not known what to standardise; name it, standardize=["X"]')
    data = data_of(task.leaves)
    is_input = {e.name: task.is_input(e.name) for e in data}
    if options.test_fraction == 0.0:
        found = standardizers(data, options.standardize, is_input, bound, None)
        return Parts(standardized(bound.arrays, found, bound.axes), None, (bound.count, 0), None, found)
    pairs = [e.name for e in data if e.name not in bound.axes and any(bound.examples in s.names for s in e.shape)]
    if bound.examples is None or pairs:
        what = (
            f"{pairs[0]} has more than one axis of them" if pairs else "each axis of the data is one of a parameter's"
        )
        raise InputError(f"the examples cannot be split, {what}; leave the test fraction at 0")
    labels = None
    if target is not None and target.fact is not None:
        wanted = bound.arrays[target.name]
        labels = np.argmax(wanted, axis=1) if target.fact == "one_hot" else wanted
    train, test = split(bound.count, test_fraction=options.test_fraction, seed=options.seed, labels=labels)
    found = standardizers(data, options.standardize, is_input, bound, train)
    first, second = (standardized(bound.rows(chosen), found, bound.axes) for chosen in (train, test))
    return Parts(first, second, (len(train), len(test)), train, found)


@dataclass(frozen=True, slots=True)
class Objective:
    """(L, ∂L/∂θ) as a function of θ alone."""

    function: BoundFunction

    def __call__(self, **parameters: Array) -> tuple[float, Mapping[str, Array]]:
        """L and its gradients at θ."""
        try:
            return self.function(**parameters)
        except InputError as e:
            # A singular matrix is the edge of the loss's domain, which the solver knows how to meet.
            if isinstance(e.__cause__, np.linalg.LinAlgError):
                raise e.__cause__ from None
            raise


def _objective(
    task: Task, arrays: Mapping[str, Array], bound: Bound, numbers: Mapping[str, float], backend: str
) -> Objective:
    """The loss of θ alone: the data bound, and their facts checked, once."""
    data = task.read(task.function.arguments, bound.sizes, arrays, numbers)
    return Objective(task.function.bind(backend=backend, **data))


def _breakdown(
    result: Result, task: Task, values: Mapping[str, Any], line: Callable[[Breakdown], Text]
) -> Breakdown | None:
    """Of a failed run the formula and the entry that are not finite at the point where it failed."""
    if result.diagnosis is None or result.failed_at is None:
        return None
    found = task.function.diagnose(**task.read(task.function.arguments, values, result.failed_at))
    return None if found is None else replace(found, source=line(found))


def _line(bound: Bound, parts: Parts, table: Table | None, found: Breakdown) -> Text:
    """The line of the table in which the example stands; its number among all examples where only some are trained on."""
    row = found.row(bound.examples) if bound.examples else None
    if row is None or (table is None and parts.chosen is None):
        return NOTHING
    example = row if parts.chosen is None else int(parts.chosen[row])
    if table is None:
        return EXAMPLE.filled(number=example, count=bound.count)
    return as_text(f"{table.source}:{table.lines[example]}")


def _start(
    task: Task,
    bound: Bound,
    arrays: Mapping[str, Array],
    numbers: Mapping[str, float],
    f: Function,
    options: Options,
) -> Start:
    names = [a.name for a in task.function.arguments if a.role == "parameter"]
    left = [a.name for a in task.of_role("parameter") if a.name not in names]
    if left:
        raise InputError(f"the loss does not depend on {left[0]}, which the model uses; it cannot be fitted")
    given = options.start
    for name in given:
        if name not in names:
            raise InputError(f"there is no parameter {name!r} to start; the parameters are {', '.join(names)}")
    roots = [task.loss] + ([task.model] if task.model is not None else [])
    slots = [slot_of(task.leaf(name), roots, bound.sizes) for name in names]
    known = {name: Range(float(a.min()), float(a.max())) for name, a in arrays.items() if a.size}
    known |= {name: Range(v, v) for name, v in {**numbers, **bound.sizes}.items()}
    return starting_values(
        slots,
        f,
        is_convex=is_convex(task.loss, known),
        given=given,
        seed=options.seed,
        dtype=np.result_type(np.float32, *(a.dtype for a in arrays.values() if a.dtype.kind == "f"))
        if arrays
        else float,
    )


def _result(
    task: Task,
    bound: Bound,
    parts: Parts,
    result: Result,
    start: Start,
    numbers: Mapping[str, float],
    target: Target | None,
) -> FitResult:
    values = {**bound.sizes, **numbers, **result.parameters}
    mapped = original_units(task.model, result.parameters, parts.standardizer)
    return FitResult(
        parameters=result.parameters,
        loss=result.loss,
        history=result.history,
        stop=result.stop,
        diagnosis=result.diagnosis,
        learning_rate=result.learning_rate,
        rate_origin=result.rate_origin,
        curvature=result.curvature,
        train=_scores(task, parts.train, values, target),
        test=None if parts.test is None else _scores(task, parts.test, values, target),
        train_rows=parts.rows[0],
        test_rows=parts.rows[1],
        target=None if target is None else target.name,
        classes=bound.classes,
        standardizer=parts.standardizer,
        original_units=mapped,
        start=start.origins,
        sizes=bound.sizes,
        hyperparameters=numbers,
        notices=_notices(task, target, parts.standardizer, is_mapped=mapped is not None),
        function=task.function,
        axes=bound.axes,
        path=result.path,
    )


def _notices(
    task: Task, target: Target | None, standardizer: Mapping[str, Standardizer], *, is_mapped: bool
) -> tuple[Text, ...]:
    """What was not computed, why, and what to write to have it."""
    found = [target.note] if target is not None and target.note is not None else []
    if task.model is None:
        found.append(NO_MODEL)
    elif target is None:
        found.append(NO_TARGET)
    if standardizer and not is_mapped:
        found.append(NOT_AFFINE.filled(names=", ".join(standardizer)))
    return tuple(found)


def _scores(task: Task, arrays: Mapping[str, Array], values: Mapping[str, Any], target: Target | None) -> Scores:
    with np.errstate(all="ignore"):
        try:
            # Not `value`, which does not check the facts.
            loss, _ = task.function(**task.read(task.function.arguments, values, arrays))
            found = {"loss": float(loss)}
            if target is None:
                return found
            outputs = task.function.predict(**task.read(task.function.model_arguments, values, arrays))
        except InputError as e:
            if isinstance(e.__cause__, np.linalg.LinAlgError):
                return {}
            raise
    return {**found, **target.scores(arrays[target.name], outputs)}
