"""A derivation with its data bound, as a NumPy module: `bind(data)` gives the loss and its gradients as functions of the rest.

What depends on data alone is computed in `bind`. Where the loss is a sum over examples, these are cut into blocks; the function
`some` inside gives what a block adds to each sum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symgrad.compile.arguments import Argument, arguments_of, leaves_of, sizes_in
from symgrad.compile.bound_body import Body, indented
from symgrad.compile.dissolve import Program, dissolve
from symgrad.compile.kernels import ADDED_UP, BLOCKS, kernel_names
from symgrad.compile.kernels import ROTATED as ROTATED_ROWS
from symgrad.compile.layout import definition, header, prologue, reading
from symgrad.compile.numpy_source import RESERVED, definitions, joined, scope_of
from symgrad.compile.pairs import paired
from symgrad.compile.plan import Plan, make_plan
from symgrad.compile.rotate import ROTATED, Rotation, prove_rotation, rotation
from symgrad.compile.tailor import prove_tailored, tailored
from symgrad.derive.derivation import Derivation
from symgrad.errors import InputError
from symgrad.graph.expression import Leaf
from symgrad.graph.sizes import Size

OWN_NAMES = frozenset({"_blocks", "_added_up", "bind", "some", "block", "blocks", "dtype", "rows"})


@dataclass(frozen=True, slots=True)
class BoundModule:
    """The source; what `bind` takes and what the functions that it returns take; the size that is cut, or "".

    `inside` has the names of arguments that are called otherwise in those functions.
    """

    source: str
    data: tuple[Argument, ...]
    rest: tuple[Argument, ...]
    switch: str
    axis: str
    inside: Mapping[str, str]


class Binder:
    """The modules of a derivation by what is bound; each is made when it is first needed."""

    def __init__(self, derivation: Derivation | None, title: str, *, is_proved: bool = True) -> None:
        self._derivation = derivation
        self._is_proved = is_proved
        self._title = title
        self._modules: dict[tuple[str, ...], BoundModule] = {}

    def module(self, bound: Sequence[str]) -> BoundModule:
        """The module in which these arguments are bound."""
        key = tuple(sorted(bound))
        if key not in self._modules:
            if self._derivation is None:
                raise InputError("bind: this function was unpickled; compile the problem again, or pickle what bind gives")
            self._modules[key] = bound_module(
                self._derivation, key, self._title, is_proved=self._is_proved
            )
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


def bound_module(
    derivation: Derivation, bound: Collection[str], title: str, *, is_proved: bool = True
) -> BoundModule:
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
    kernels: dict[str, None] = {}
    lambdas: dict[object, str] = {}
    scope = scope_of(arguments, sizes, kernels, lambdas, frozenset({*RESERVED, *OWN_NAMES, *kernel_names()}))
    ones = scope.names.fresh("ones")
    rotated = rotation(program, frozenset(bound), ones)
    if rotated is not None and is_proved:
        prove_rotation(program, rotated)
    if rotated is None:
        before, program = program, tailored(program, bound)
        if is_proved:
            prove_tailored(before, program)
    plan = paired(_plan(program, rotated))
    told = [a.name for a in data if a.role == "size"]
    told += [n for leaf in _named(leaves, data) for size in leaf.shape if size.is_name for n in size.names]
    first = next((scope.local[a.name] for a in data if a.is_array and a.role != "labels"), "")
    scope.context.dtype = f"{first}.dtype" if first else "np.dtype(float)"
    own = _named(leaves, data)
    untold = [leaf for leaf in own if isinstance(leaf.value, Size) and not set(leaf.value.names) <= set(told)]
    if rotated is not None:
        told += rotated.rows.names
        scope.context.sizes[ROTATED] = scope.names.fresh("rows")
        scope.local[ones] = ones
    columns = [] if rotated is None else [*(scope.local[x.name] for x in rotated.leaves), ones]
    body = Body(plan, scope, rest, _named(leaves, rest), tuple(dict.fromkeys(told)), untold, columns)
    functions = [*body.function("value_and_gradients"), "", *body.function("value")]
    lines = [*body.once_lines(), f"    dtype = {scope.context.dtype}", "", *indented(functions), ""]
    lines = [*reading(data, own, scope.local, scope.context, unbounded=[x.name for x in untold]), *lines]
    lines.append("    return value_and_gradients, value")
    shown = scope.switch if plan.checks else ""
    what = ", ".join(a.name for a in rest) or "nothing"
    summary = f"Two functions of {what}: the loss with its gradients, and the loss. The data are worked on here, once."
    sources = [header(title, arguments, ["bind"]), *prologue(leaves)]
    if body.axis:
        sources += [BLOCKS.strip() + "\n", ADDED_UP.strip() + "\n"]
    sources += [ROTATED_ROWS.strip() + "\n"] if columns else []
    sources += [*definitions(kernels, lambdas), definition("bind", summary, data, scope.local, shown, lines)]
    inside = {a.name: scope.local[a.name] for a in rest if scope.local[a.name] != a.name}
    return BoundModule(joined(sources), data, rest, shown, body.axis, inside)


def _plan(program: Program, rotated: Rotation | None) -> Plan:
    """The plan of what is computed; the facts are checked of the data as they were passed."""
    chosen = program if rotated is None else rotated.program
    plan = make_plan(chosen, {"": chosen.loss, **chosen.gradients}, stated=rotated is None)
    if rotated is None:
        return plan
    stated = make_plan(program, {"": program.loss, **program.gradients}, stated=True)
    return replace(plan, checks=stated.checks)


def _named(leaves: Iterable[Leaf], arguments: Sequence[Argument]) -> list[Leaf]:
    names = {a.name for a in arguments}
    return [leaf for leaf in leaves if leaf.name in names]
