"""The one object that a user holds: a loss, the model that it trains, and what can be made of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from symgrad import notebook
from symgrad.compile.listing import listing
from symgrad.compile.numpy_source import module_of
from symgrad.derive.claim import Judgement, judge, names_known, read_claim
from symgrad.derive.derivation import Derivation
from symgrad.derive.differential import with_differentials
from symgrad.derive.endtoend import check
from symgrad.derive.engine import derive, straight_line
from symgrad.derive.layout import Layout, prove_in_rows
from symgrad.derive.names import take_marks
from symgrad.derive.nudge import nudge
from symgrad.derive.numbers import in_numbers
from symgrad.derive.proof import prove as prove_steps
from symgrad.errors import InputError
from symgrad.explain.choices import Method, check_choice, check_together
from symgrad.explain.numbers import Source as NumbersShown
from symgrad.explain.page import Subject, page
from symgrad.explain.steps import Detail
from symgrad.formats.derivation_json import as_json
from symgrad.formats.ipynb import notebook as notebook_of
from symgrad.formats.runnable import cells, from_file, rebuilt
from symgrad.formats.table import NOTEBOOKS, Page, render
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf, Role
from symgrad.graph.show import show_shape
from symgrad.graph.walk import postorder
from symgrad.modelfile import Places, expression_of, names_of, read_model, title_and_text
from symgrad.products import Hessian, HessianProduct, Output, Source
from symgrad.prose import Language, Text
from symgrad.text.parse import parse

if TYPE_CHECKING:
    from symgrad.compile.function import Compiled
    from symgrad.fitting import FitResult, LineSearch, OnIteration
    from symgrad.stationary import Extrema
    from symgrad.tables import Table


class Problem:
    """A scalar loss L(θ), to be derived, explained, compiled and fitted.

    >>> import symgrad as sg
    >>> n, d = sg.dims("n d")
    >>> X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
    >>> r = X @ w - y
    >>> problem = Problem(sg.sum(r**2) / (2 * n), names=locals())
    >>> print(problem.derive().gradients["w"])
    X.T @ r / n
    """

    def __init__(
        self,
        loss: Any,
        *,
        model: Any = None,
        parameters: Collection[Any] = (),
        names: Mapping[str, Any] | None = None,
        docstring: str = "",
        source: str = "",
    ) -> None:
        self.loss = expression_of(loss, parameters, "loss")
        if self.loss.rank:
            shape = show_shape(self.loss.shape)
            raise InputError(
                f"the loss has shape {shape}; sum or average it to a scalar: sg.sum(…) or sg.mean(…)", about="loss"
            )
        self.model = None if model is None else expression_of(model, parameters, "model")
        self.docstring = docstring
        self.source = source
        self._cells: list[str] | None = None
        self._places = Places(source, {}, ())
        self._derivations: dict[tuple[tuple[str, ...] | None, bool], Derivation] = {}
        self._set_names(list((names or {}).items()))

    def _set_names(self, assignments: list[tuple[str, Any]]) -> None:
        """Take the names that assignments and `sg.named` give; the latter come first."""
        values = [(name, value) for name, value in assignments if isinstance(value, Expr)]
        roots = [self.loss, *([self.model] if self.model is not None else []), *(value for _, value in values)]
        bare, marks = take_marks(roots)
        own = bare[len(bare) - len(values) :]
        self.loss, self.model = bare[0], bare[1] if self.model is not None else None
        # Arrays stand in the order in which they were declared, on pages and as arguments.
        self.order = list(dict.fromkeys(value.name for value in own if isinstance(value, Leaf)))
        leaves = [e for e in postorder([self.loss]) if isinstance(e, Leaf)]
        sizes = {name for e in leaves for s in e.shape for name in s.names}
        assigned = [(name, value) for (name, _), value in zip(values, own, strict=True)]
        explicit = [(name, node) for node, name in marks.names.items()]
        names = names_of([*explicit, *assigned], {e.name for e in leaves if e.name} | sizes)
        place = {value: k for k, (_, value) in reversed(list(enumerate(assigned)))}
        self.names = dict(sorted(names.items(), key=lambda item: place.get(item[0], len(place))))
        self.names.pop(self.loss, None)
        self.facts = marks.facts

    @classmethod
    def from_file(cls, path: str) -> Problem:
        """The problem of a model file; what is wrong in it is an error at its line."""
        file = read_model(path)
        if "loss" not in file.variables and "output" in file.variables:
            raise InputError(
                f"{file.places.of('output')}: the file assigns an `output` and no `loss`; explain it with --vjp or"
                " --jacobian, or add loss = …, a scalar"
            )
        if "loss" not in file.variables:
            raise InputError(f"{file.path}:1:1: the file assigns no `loss`; end it with loss = …, a scalar")
        with file.places.named():
            problem = cls(
                file.variables["loss"],
                model=file.variables.get("model"),
                parameters=file.variables.get("parameters", ()),
                docstring=file.docstring,
                source=file.path,
            )
        problem._places = file.places
        problem._set_names(list(file.assignments))
        problem._cells = from_file(file.text, file.variables, problem.title) if file.stands_alone else None
        return problem

    @property
    def title(self) -> Text:
        """The first line of the docstring, up to its colon, in both languages; the file's name where there is none."""
        return title_and_text(self.docstring, self.source)[0]

    @property
    def text(self) -> Text:
        """What the docstring says after the title, in both languages."""
        return title_and_text(self.docstring, self.source)[1]

    def _repr_markdown_(self) -> str | None:
        """Title, intermediates, loss and model in a notebook; nothing is derived for it."""
        program = straight_line(self.loss, self.model, self.names, self.order)
        return notebook.problem(program, self.title.en, self.text.en)

    @property
    def leaves(self) -> list[Leaf]:
        """The declared arrays of loss and model, as they first occur."""
        roots = [self.loss] + ([self.model] if self.model is not None else [])
        return [e for e in postorder(roots) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]

    @property
    def unused(self) -> list[str]:
        """A note of each parameter that the file declares and neither loss nor model holds: it has no gradient here."""
        held = set(self.leaves)
        declared = dict.fromkeys(e for e, _ in self._places.expressions if isinstance(e, Leaf) and e not in held)
        alone = [e for e in declared if e.role is Role.PARAMETER]
        return [f"{self._places.of(e)}: note: the loss does not hold {e.name}; it gets no gradient" for e in alone]

    def derive(self, wrt: Collection[str] | None = None, *, prove: bool = True) -> Derivation:
        """∂L/∂θ for all parameters or those named, every step proved and the whole checked unless `prove=False`."""
        key = (None if wrt is None else tuple(wrt), prove)
        if key not in self._derivations:
            with self._places.named():
                derivation = derive(
                    self.loss, model=self.model, names=self.names, wrt=wrt, order=self.order, facts=self.facts
                )
            if prove:
                derivation = check(prove_steps(derivation), self.loss)
            self._derivations[key] = derivation
        return self._derivations[key]

    def parse(self, text: str) -> Expr:
        """The expression that a formula writes over the problem's arrays, sizes, intermediates and cotangents (`Z_bar`)."""
        return parse(text, names_known(self.derive(prove=False)))

    def check_claim(self, text: str, wrt: Collection[str] | None = None) -> Judgement:
        """Whether `W = X.T @ (P - Y) / n` is ∂L/∂W: equal, not equal and why, or undecided.

        >>> import symgrad as sg
        >>> n, d = sg.dims("n d")
        >>> X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
        >>> problem = Problem(sg.sum((X @ w - y) ** 2) / (2 * n))
        >>> print(problem.check_claim("w = X.T @ (X @ w - y) / n"))
        w = X.T @ (X @ w - y) / n: equal, both sides have one normal form
        >>> print(problem.check_claim("w = X.T @ (X @ w - y)"))
        w = X.T @ (X @ w - y): not equal; your answer is n times the gradient
        """
        derivation = self.derive(wrt)
        return judge(derivation, read_claim(derivation, text))

    def explain(
        self,
        format: str = "markdown",
        language: Language = "en",
        detail: Detail = "normal",
        wrt: Collection[str] | None = None,
        *,
        fold: bool = True,
        graph: bool = True,
        layout: Layout = "denominator",
        proof: Method = "index",
        numbers: bool = False,
        values: Mapping[str, Any] | str | None = None,
        bound: Collection[str] = (),
    ) -> Page:
        """The derivation as a handout, every line of it proved.

        What is the same but for a number in its names (layers, time steps) is stated once, unless `fold=False`; the
        computation graph is drawn, unless `graph=False`. In the `layout` "numerator" derivatives stand transposed: ∂L/∂w
        is a row; a derivative with three axes is refused there. With `proof="differential"` each step
        goes from dL = ⟨∂L/∂Y, dY⟩ to ⟨∂L/∂X, dX⟩, and the gradient is read off. `numbers` adds every equation in numbers,
        with small data made up; `values` are arrays by name, or a .json or .npz file of them, to be taken instead.
        `bound` names data, or is "all": how loss and gradients are written with these bound, as `compile().bind` does.
        """
        check_choice(language, detail, layout)
        check_together(format, layout, proof, numbers=numbers or values is not None, is_bound=bool(bound))
        derivation = self.derive(wrt)
        if proof == "differential" and detail != "brief":
            derivation = with_differentials(derivation)
        rows = prove_in_rows(derivation) if layout == "numerator" else None
        if format == "json":
            return as_json(derivation, self.title, self.text, language)
        form = None
        if bound:
            from symgrad.compile.bound_form import bound_form

            form = bound_form(derivation, bound)
        code = "" if detail == "brief" else listing(module_of(derivation, self.title.en).source)
        shown = self._numbers(derivation, values) if numbers or values is not None else None
        subject = Subject(self.title, self.text, nudge(derivation, self.loss), code, rows, shown, form)
        document = page(derivation, subject, language, detail, fold=fold, graph=graph)
        if format in NOTEBOOKS:
            sources = self._cells or rebuilt(self.derive(), self.title)
            return notebook_of(document, cells(self.derive(), sources, language))
        return render(document, format)

    def _numbers(self, derivation: Derivation, values: Mapping[str, Any] | str | None) -> NumbersShown:
        """The derivation in numbers: made up, given, or of a file."""
        if values is None:
            return NumbersShown(in_numbers(derivation, self.loss))
        from symgrad.tables.arrays import exact_arrays, read_arrays

        file = values if isinstance(values, str) else ""
        given = read_arrays(values) if isinstance(values, str) else exact_arrays(values)
        try:
            found = in_numbers(derivation, self.loss, given)
        except InputError as e:
            raise InputError(f"{file or 'values'}: {e}") from None
        return NumbersShown(found, file.rsplit("/", 1)[-1])

    def hvp(self, *names: str) -> HessianProduct:
        """H v for the parameters named, or for all at once: how their gradients change along the v, line by line.

        >>> import symgrad as sg
        >>> n, d = sg.dims("n d")
        >>> X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
        >>> print(Problem(sg.sum((X @ w - y) ** 2)).hvp("w"))
        2 * X.T @ X @ v
        """
        return self._source().product(names)

    def hessian(self, first: str, second: str | None = None) -> Hessian:
        """∂²L/∂θ₁∂θ₂ of shape θ₁.shape + θ₂.shape; of one parameter where one is named.

        >>> import symgrad as sg
        >>> d = sg.dims("d")
        >>> A, x = sg.data("A", d, d), sg.parameter("x", d)
        >>> print(Problem(x @ A @ x).hessian("x"))
        A + A.T
        """
        return self._source().hessian(first, second or first)

    def extrema(self, wrt: Collection[str] | None = None) -> Extrema:
        """Where all gradients are 0, in closed form where a law or SymPy gives one, and which of these points are minima.

        >>> import symgrad as sg
        >>> n, d = sg.dims("n d")
        >>> X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
        >>> print(Problem(sg.sum((X @ w - y) ** 2)).extrema())
        w = solve(X.T @ X, X.T @ y): global minimum
        """
        from symgrad.explain.extrema import ExtremaPage
        from symgrad.extrema.search import find_extrema
        from symgrad.stationary import Extrema

        found = find_extrema(self.derive(wrt), self.order)
        return Extrema(found, ExtremaPage(self.title, self.text, found))

    def _source(self) -> Source:
        return Source(self.derive(), self.order, self.title, self.text)

    def compile(self, wrt: Collection[str] | None = None, *, prove: bool = True) -> Compiled:
        """f(**arrays) → (value, {parameter: gradient}), NumPy source whose lines name the derivation's equations."""
        from symgrad.compile.function import compile_derivation

        return compile_derivation(self.derive(wrt, prove=prove), title=self.title.en, prove=prove)

    @property
    def separable_axis(self) -> str | None:
        """The size of the axis of examples over which the loss and its gradients are sums; None where there is none.

        >>> import symgrad as sg
        >>> n, d = sg.dims("n d")
        >>> X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
        >>> r = X @ w - y
        >>> Problem(sg.mean(r**2) + w @ w).separable_axis, Problem(sg.norm(r)).separable_axis
        ('n', None)
        """
        return self.compile(prove=False).separable_axis

    def sample(self, seed: int = 0, **sizes: int) -> dict[str, Any]:
        """Random arrays for every argument of the loss, with their facts, at which it is finite: `f(**problem.sample())`.

        >>> import symgrad as sg
        >>> n, k = sg.dims("n k")
        >>> Y, z = sg.data("Y", n, k, one_hot=True), sg.parameter("z", k)
        >>> arrays = Problem(-sg.mean(sg.sum(Y * sg.log_softmax(z), axis=1))).sample(n=2, k=3)
        >>> arrays["Y"].sum(axis=1), arrays["z"].shape
        (array([1., 1.]), (3,))
        """
        from symgrad.fitting import sample_of

        # Which of two derivations is compiled makes no difference: a proved one is there already, or takes long.
        function = self.compile(prove=(None, True) in self._derivations)
        return sample_of([self.loss], function, sizes, seed)

    def fit(
        self,
        data: Mapping[str, Any] | Table | str | None = None,
        *,
        bind: Mapping[str, str | Sequence[str]] | None = None,
        method: str = "gd",
        learning_rate: float | None = None,
        line_search: LineSearch | None = None,
        max_iterations: int = 10_000,
        tolerance: float = 1e-6,
        start: Mapping[str, Any] | None = None,
        seed: int = 0,
        sizes: Mapping[str, int] | None = None,
        hyperparameters: Mapping[str, float] | None = None,
        standardize: bool | Sequence[str] = False,
        test_fraction: float = 0.0,
        backend: str = "numpy",
        on_iteration: OnIteration | None = None,
        **arrays: Any,
    ) -> FitResult:
        """θ ← θ − α∇L(θ) on real data: bound, split, standardised, descended, evaluated.

        `data` holds arrays by name (or pass them as keywords), or is a CSV file or `Table` whose columns `bind` chooses.
        A `learning_rate` is a fixed step; without one each step is found by backtracking, unless `line_search` says
        otherwise. `sizes` are those that no data tell; `standardize` means every matrix that the model reads, or those named.
        `backend="numba"` compiles loops for the sums over examples, as `bind` does.

        >>> import symgrad as sg
        >>> n, d = sg.dims("n d")
        >>> X, y, w, b = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d), sg.parameter("b")
        >>> problem = Problem(sg.mean((X @ w + b - y) ** 2), model=X @ w + b)
        >>> result = problem.fit(X=[[0.0], [1.0], [2.0]], y=[1.0, 3.0, 5.0])
        >>> result.parameters["w"].round(4), float(result.parameters["b"].round(4)), round(result.train["r2"], 6)
        (array([2.]), 1.0, 1.0)
        """
        from symgrad.fitting import Descent, Options, Task, fit, from_source, sizes_of, table_of

        table = table_of(data)
        named = from_source(self.leaves, data if table is None and not isinstance(data, str) else table, bind, arrays)
        task = Task(self.compile(), self.loss, self.model, self.leaves)
        descent = Descent(method, learning_rate, line_search, max_iterations, tolerance, on_iteration)
        known = {**sizes_of(start or {}, self.leaves), **(sizes or {})}
        more = known, hyperparameters or {}, standardize, test_fraction, backend
        options = Options(descent, start or {}, seed, *more)
        return fit(task, named, options, table)


def load(path: str) -> Problem:
    """The problem of a model file."""
    return Problem.from_file(path)


def load_output(path: str) -> Output:
    """The array that a model file assigns to `output`, with the numbers of `example` and `gradient` where it has them."""
    file = read_model(path)
    value = file.variables.get("output")
    if not isinstance(value, Expr):
        raise InputError(f"{file.places.of('output')}: the file assigns no `output`; end it with output = …, an array")
    names = {name: value for name, value in file.assignments if name != "output"}
    title, text = title_and_text(file.docstring, file.path)
    example = file.variables.get("example")
    if example is not None and not isinstance(example, Mapping):
        place = file.places.of("example")
        raise InputError(f"{place}: `example` is a {type(example).__name__}; write a dict of numbers by name")
    return Output(value, names, example, file.variables.get("gradient"), title, text)
