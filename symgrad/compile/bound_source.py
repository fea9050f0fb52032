"""A derivation with its data bound, as a NumPy module: `bind(data)` gives the loss and its gradients as functions of the rest.

What depends on data alone is computed in `bind`. Where the loss is a sum over examples, these are cut into blocks; the function
`some` inside gives what a block adds to each sum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.compile.arguments import Argument, arguments_of, leaves_of, sizes_in
from symgrad.compile.bound_body import Body, indented
from symgrad.compile.dissolve import dissolve
from symgrad.compile.kernels import ADDED_UP, BLOCKS, kernel_names
from symgrad.compile.layout import definition, header, prologue, reading
from symgrad.compile.numpy_source import RESERVED, definitions, joined, scope_of
from symgrad.compile.plan import make_plan
from symgrad.derive.derivation import Derivation
from symgrad.errors import InputError
from symgrad.graph.expression import Leaf

OWN_NAMES = frozenset({"_blocks", "_added_up", "bind", "some", "block", "blocks", "dtype", "rows"})


@dataclass(frozen=True, slots=True)
class BoundModule:
    """The source; what `bind` takes and what the functions that it returns take; the size that is cut, or ""."""

    source: str
    data: tuple[Argument, ...]
    rest: tuple[Argument, ...]
    switch: str
    axis: str


class Binder:
    """The modules of a derivation by what is bound; each is made when it is first needed."""

    def __init__(self, derivation: Derivation | None, title: str) -> None:
        self._derivation = derivation
        self._title = title
        self._modules: dict[tuple[str, ...], BoundModule] = {}

    def module(self, bound: Sequence[str]) -> BoundModule:
        """The module in which these arguments are bound."""
        key = tuple(sorted(bound))
        if key not in self._modules:
            if self._derivation is None:
                raise InputError("bind: this function was unpickled; compile the problem again, or pickle what bind gives")
            self._modules[key] = bound_module(self._derivation, key, self._title)
        return self._modules[key]

    def __reduce__(self) -> tuple[Any, ...]:
        # A derivation is a graph, deeper than pickle reaches. What is usually bound, all data, is made before.
        if self._derivation is not None:
            self.module(tuple(leaf.name for leaf in self._derivation.leaves if leaf.role.value in ("data", "labels")))
        return _unpickled, (self._title, self._modules)


def _unpickled(title: str, modules: dict[tuple[str, ...], BoundModule]) -> Binder:
    binder = Binder(None, title)
    binder._modules = modules
    return binder


def bound_module(derivation: Derivation, bound: Collection[str], title: str) -> BoundModule:
    """The module in which these arguments are bound."""
    program = dissolve(derivation)
    outputs = {"": program.loss, **program.gradients}
    leaves = leaves_of([*outputs.values(), *derivation.parameters], derivation)
    sizes = sizes_in([*outputs.values(), *leaves])
    arguments = arguments_of(leaves, sizes)
    for name in bound:
        if all(a.name != name for a in arguments):
            known = ", ".join(a.name for a in arguments)
            raise InputError(f"bind: there is no argument {name!r}; the arguments are {known}")
    data = tuple(a for a in arguments if a.name in bound)
    rest = tuple(a for a in arguments if a.name not in bound)
    plan = make_plan(program, outputs, stated=True)
    kernels: dict[str, None] = {}
    lambdas: dict[object, str] = {}
    scope = scope_of(arguments, sizes, kernels, lambdas, frozenset({*RESERVED, *OWN_NAMES, *kernel_names()}))
    told = [n for leaf in _named(leaves, data) for size in leaf.shape if size.is_name for n in size.names]
    first = next((scope.local[a.name] for a in data if a.is_array and a.role != "labels"), "")
    scope.context.dtype = f"{first}.dtype" if first else "np.dtype(float)"
    body = Body(plan, scope, rest, _named(leaves, rest), tuple(dict.fromkeys(told)))
    functions = [*body.function("value_and_gradients"), "", *body.function("value")]
    lines = [*body.once_lines(), f"    dtype = {scope.context.dtype}", "", *indented(functions), ""]
    lines = [*reading(data, _named(leaves, data), scope.local, scope.context), *lines]
    lines.append("    return value_and_gradients, value")
    shown = scope.switch if plan.checks else ""
    what = ", ".join(a.name for a in rest) or "nothing"
    summary = f"Two functions of {what}: the loss with its gradients, and the loss. The data are worked on here, once."
    sources = [header(title, arguments, ["bind"]), *prologue(leaves)]
    if body.axis:
        sources += [BLOCKS.strip() + "\n", ADDED_UP.strip() + "\n"]
    sources += [*definitions(kernels, lambdas), definition("bind", summary, data, scope.local, shown, lines)]
    return BoundModule(joined(sources), data, rest, shown, body.axis)


def _named(leaves: Iterable[Leaf], arguments: Sequence[Argument]) -> list[Leaf]:
    names = {a.name for a in arguments}
    return [leaf for leaf in leaves if leaf.name in names]
