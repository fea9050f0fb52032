"""The one object that a user holds: a loss, the model that it trains, and what can be made of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from symgrad.derive.derivation import Derivation
from symgrad.derive.endtoend import check
from symgrad.derive.engine import derive
from symgrad.derive.proof import prove as prove_steps
from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Leaf, Role, coerce
from symgrad.graph.walk import postorder
from symgrad.modelfile import names_of, read_model
from symgrad.text.from_sympy import from_sympy

if TYPE_CHECKING:
    from symgrad.compile.function import Compiled


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
        assignments = list((names or {}).items())
        self.loss = _expression(loss, parameters, "loss")
        self.model = None if model is None else _expression(model, parameters, "model")
        self._set_names(assignments)
        self.docstring = docstring
        self.source = source
        self._derivations: dict[tuple[tuple[str, ...] | None, bool], Derivation] = {}

    def _set_names(self, assignments: list[tuple[str, Any]]) -> None:
        leaves = [e for e in postorder([self.loss]) if isinstance(e, Leaf)]
        sizes = {name for e in leaves for s in e.shape for name in s.names}
        self.names = names_of(assignments, {e.name for e in leaves if e.name} | sizes)
        self.names.pop(self.loss, None)

    @classmethod
    def from_file(cls, path: str) -> Problem:
        """The problem of a model file; what is wrong in it is an error at its line."""
        file = read_model(path)
        if "loss" not in file.variables:
            raise InputError(f"{file.path}:1:1: the file assigns no `loss`; end it with loss = …, a scalar")
        try:
            problem = cls(
                file.variables["loss"],
                model=file.variables.get("model"),
                parameters=file.variables.get("parameters", ()),
                docstring=file.docstring,
                source=file.path,
            )
        except InputError as e:
            raise InputError(f"{file.path}:1:1: {e}") from None
        problem._set_names(list(file.assignments))
        return problem

    @property
    def title(self) -> str:
        """The first line of the docstring, up to its colon; the file's name where there is none."""
        return self._split_docstring()[0]

    @property
    def text(self) -> str:
        """What the docstring says after the title."""
        return self._split_docstring()[1]

    def _split_docstring(self) -> tuple[str, str]:
        first, _, rest = self.docstring.strip().partition("\n")
        title, colon, tail = first.partition(":")
        if not colon:
            title, tail = first.rstrip("."), ""
        text = "\n".join(part for part in (tail.strip(), rest.strip()) if part)
        return title.strip() or _file_title(self.source), text

    @property
    def leaves(self) -> list[Leaf]:
        """The declared arrays of loss and model, as they first occur."""
        roots = [self.loss] + ([self.model] if self.model is not None else [])
        constants = {Role.NUMBER, Role.SIZE, Role.IDENTITY}
        return [e for e in postorder(roots) if isinstance(e, Leaf) and e.role not in constants]

    def derive(self, wrt: Collection[str] | None = None, *, prove: bool = True) -> Derivation:
        """∂L/∂θ for all parameters or those named, every step proved and the whole checked unless `prove=False`."""
        key = (None if wrt is None else tuple(wrt), prove)
        if key not in self._derivations:
            derivation = derive(self.loss, model=self.model, names=self.names, wrt=wrt)
            if prove:
                derivation = check(prove_steps(derivation), self.loss)
            self._derivations[key] = derivation
        return self._derivations[key]

    def compile(self, wrt: Collection[str] | None = None, *, prove: bool = True) -> Compiled:
        """f(**arrays) → (value, {parameter: gradient}), NumPy source whose lines name the derivation's equations."""
        from symgrad.compile.function import compile_derivation

        return compile_derivation(self.derive(wrt, prove=prove), title=self.title)


def _expression(value: Any, parameters: Collection[Any], what: str) -> Expr:
    if isinstance(value, Expr):
        return value
    if type(value).__module__.startswith("sympy."):
        if not parameters:
            raise InputError(f"a {what} in SymPy's symbols needs `parameters = [w, b]`: the symbols to differentiate by")
        return from_sympy(value, list(parameters))
    try:
        return coerce(value)
    except InputError:
        raise InputError(f"`{what}` is a {type(value).__name__}; assign an expression to it") from None


def _file_title(source: str) -> str:
    stem = source.rsplit("/", 1)[-1].removesuffix(".py").replace("_", " ").strip("<>")
    return stem[:1].upper() + stem[1:] or "Model"


def load(path: str) -> Problem:
    """The problem of a model file."""
    return Problem.from_file(path)
