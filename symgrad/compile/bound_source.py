"""A derivation with its data bound, as a NumPy module: `bind(data)` gives the loss and its gradients as functions of the rest.

What depends on data alone is computed in `bind`. Where the loss is a sum over examples, these are cut into blocks; the function
`some` inside gives what a block adds to each sum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symgrad.compile.arguments import Argument, arguments_of, leaves_of, sizes_in
from symgrad.compile.bound_body import ROWS, SQUARES, WHOLE, Body, Eigen, Instead
from symgrad.compile.bound_function import arrays_lines, function_lines, indented
from symgrad.compile.bound_once import once_lines
from symgrad.compile.compiled_text import IMPORT, compiled_calls, compiled_definitions, is_costly
from symgrad.compile.dissolve import Program, dissolve
from symgrad.compile.kernels import ADDED_UP, BLOCKS, EIGEN, kernel_names
from symgrad.compile.kernels import ROTATED as ROTATED_ROWS
from symgrad.compile.laws import rewritten
from symgrad.compile.layout import definition, header, prologue, read_of, reading
from symgrad.compile.lowrank import LowRank
from symgrad.compile.numpy_source import RESERVED, Scope, definitions, joined, scope_of
from symgrad.compile.pairs import beside, paired
from symgrad.compile.partial import Separable, separable
from symgrad.compile.plan import Plan, make_plan
from symgrad.compile.rotate import ROTATED, Rotation
from symgrad.compile.spectrum import Spectrum
from symgrad.derive.derivation import Derivation
from symgrad.errors import InputError
from symgrad.graph.expression import Leaf, Shape
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

LOOP_NAMES = {
    *(
        "tiles",
        "arrays",
        "team",
        "_sums_for_value",
        "_sums_for_value_and_gradients",
        "_compiled_value",
        "_compiled_value_and_gradients",
    ),
    *("tile", "count", "size", "by_rows", "first", "last", "finite", "t", "i", "j", "k"),
}
OWN_NAMES = frozenset({"_blocks", "_added_up", "bind", "some", "block", "blocks", "dtype", "rows", "_eigen"})


@dataclass(frozen=True, slots=True)
class Backend:
    """What runs the sums over examples: NumPy, a block at a time, or loops that numba compiles, in one or more threads."""

    name: str = "numpy"
    threads: int = 1

    @property
    def is_looped(self) -> bool:
        """Whether loops are compiled."""
        return self.name == "numba"


BACKENDS = ("numpy", "numba")
NUMPY = Backend()


@dataclass(frozen=True, slots=True)
class BoundModule:
    """The source; what `bind` takes and what the functions that it returns take; the size that is cut, or "".

    `inside` has the names of arguments that are called otherwise in those functions, `shapes` what is declared of arrays.
    """

    source: str
    data: tuple[Argument, ...]
    rest: tuple[Argument, ...]
    switch: str
    axis: str
    inside: Mapping[str, str]
    shapes: Mapping[str, Shape]
    backend: Backend = NUMPY


class Binder:
    """The modules of a derivation by what is bound; each is made when it is first needed."""

    def __init__(self, derivation: Derivation | None, title: str, *, is_proved: bool = True) -> None:
        self._derivation = derivation
        self._is_proved = is_proved
        self._title = title
        self._modules: dict[tuple[Backend, tuple[str, ...]], BoundModule] = {}
        self._separable: Separable | None = None
        self._is_analysed = False

    def module(self, bound: Sequence[str], backend: Backend = NUMPY) -> BoundModule:
        """The module in which these arguments are bound."""
        key = backend, tuple(sorted(bound))
        if key not in self._modules:
            if self._derivation is None:
                raise InputError(
                    "bind: this function was unpickled; compile the problem again, or pickle what bind gives"
                )
            self._modules[key] = bound_module(
                self._derivation, key[1], self._title, is_proved=self._is_proved, backend=backend
            )
        return self._modules[key]

    def separable(self) -> Separable | None:
        """How the loss is a sum over examples, if it is one."""
        if not self._is_analysed and self._derivation is not None:
            self._separable, self._is_analysed = separable(self._derivation), True
        return self._separable

    def __reduce__(self) -> tuple[Any, ...]:
        # A derivation is a graph, deeper than pickle reaches; what was made of it goes along.
        return _unpickled, (self._title, self._modules, self._separable)


def _unpickled(
    title: str, modules: dict[tuple[Backend, tuple[str, ...]], BoundModule], found: Separable | None
) -> Binder:
    binder = Binder(None, title)
    binder._modules, binder._separable = modules, found
    return binder


def bound_module(
    derivation: Derivation,
    bound: Collection[str],
    title: str,
    *,
    is_proved: bool = True,
    backend: Backend = NUMPY,
) -> BoundModule:
    """The module in which these arguments are bound."""
    program = dissolve(derivation)
    roots = [program.loss, *program.gradients.values()]
    nodes = postorder([*roots, *derivation.parameters])
    leaves = leaves_of(nodes, derivation)
    sizes = sizes_in([*nodes, *leaves])
    arguments = arguments_of(leaves, sizes)
    _check_known(bound, arguments)
    data = tuple(a for a in arguments if a.name in bound)
    rest = tuple(a for a in arguments if a.name not in bound)
    kernels: dict[str, None] = {}
    lambdas: dict[object, str] = {}
    scope = scope_of(arguments, sizes, kernels, lambdas, _reserved(backend))
    lawful = _laws(program, bound, scope, is_proved=is_proved)
    body = _body(lawful, scope, (data, rest), leaves, backend)
    lines = _lines(body, scope, data, _named(leaves, data))
    shown = scope.switch if lawful.plan.checks else ""
    summary = "The loss with its gradients, and the loss alone, as functions of what is not bound here."
    others = postorder(body.instead.plan.outputs.values()) if body.instead else []
    is_compiled = backend.is_looped and not body.is_looped and any(map(is_costly, [*body.varying, *others]))
    defined = definitions(kernels, lambdas)
    if is_compiled:
        lines, defined = list(map(compiled_calls, lines)), compiled_definitions(kernels, defined)
    sources = [_head(title, arguments, body, is_compiled=is_compiled), *prologue(leaves)]
    own = [
        *([BLOCKS, ADDED_UP] if body.axis and not body.is_looped else []),
        *([ROTATED_ROWS] if body.columns else []),
        *([EIGEN] if body.eigen else []),
    ]
    sources += [text.strip() + "\n" for text in own]
    sources += [*defined, definition("bind", summary, data, scope.local, shown, lines)]
    sources[-1:-1] = ["\n".join(lines) + "\n" for lines in body.looped]
    inside = {a.name: scope.local[a.name] for a in rest if scope.local[a.name] != a.name}
    shapes = {leaf.name: leaf.shape for leaf in leaves}
    axis, used = "" if body.made else body.axis, backend if body.is_looped or is_compiled else NUMPY
    return BoundModule(joined(sources), data, rest, shown, axis, inside, shapes, used)


def _head(title: str, arguments: Sequence[Argument], body: Body, *, is_compiled: bool) -> str:
    """The docstring and the imports."""
    head = header(title, arguments, ["bind"])
    if body.is_looped or is_compiled:
        own = IMPORT if is_compiled else "from symgrad.compile import tiles\n"
        head = head.replace("needs NumPy alone", "needs NumPy, numba and symgrad")
        head = head.replace("import numpy as np\n", f"import numpy as np\n\n{own}", 1)
    return head


def _reserved(backend: Backend) -> frozenset[str]:
    """The names that a generated module has for itself."""
    own = LOOP_NAMES if backend.is_looped else set[str]()
    return frozenset({*RESERVED, *OWN_NAMES, *kernel_names(), *own})


def _check_known(bound: Iterable[str], arguments: Sequence[Argument]) -> None:
    known = [a.name for a in arguments]
    for name in bound:
        if name not in known:
            raise InputError(f"bind: there is no argument {name!r}; the arguments are {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class _Lawful:
    """The plan of a program as it is best computed with data bound, and what that rests on."""

    plan: Plan
    rotated: Rotation | None = None
    spectral: Spectrum | None = None
    # The plan of the matrix whose eigenvalues are computed.
    matrix: Plan | None = None
    # What is computed instead where a rank is small and a gate lets it.
    multiplied_out: LowRank | None = None


def _laws(program: Program, bound: Collection[str], scope: Scope, *, is_proved: bool) -> _Lawful:
    """The plan of the program rewritten by laws; what is not proved is not done."""
    found = rewritten(program, bound, scope.names.fresh("ones"), is_proved=is_proved)
    new = found.program
    if found.rotated is not None:
        return _Lawful(_with_facts(new, program), found.rotated)
    if found.spectral is not None:
        matrix = make_plan(program, {"": found.spectral.matrix})
        stated = replace(program, stated=new.stated)
        return _Lawful(_with_facts(new, stated), spectral=found.spectral, matrix=matrix)
    plan = paired(make_plan(new, {"": new.loss, **new.gradients}, stated=True), bound)
    return _Lawful(plan, multiplied_out=found.multiplied_out)


def _with_facts(new: Program, program: Program) -> Plan:
    """The plan of a program on rotated data, with the facts that are checked of the data as they were passed."""
    plan = paired(make_plan(new, {"": new.loss, **new.gradients}))
    stated = make_plan(program, {"": program.loss, **program.gradients}, stated=True)
    return replace(plan, checks=stated.checks)


def _body(
    lawful: _Lawful,
    scope: Scope,
    arguments: tuple[Sequence[Argument], Sequence[Argument]],
    leaves: Sequence[Leaf],
    backend: Backend,
) -> Body:
    data, rest = arguments
    own = _named(leaves, data)
    told = [a.name for a in data if a.role == "size"]
    told += [n for leaf in own for size in leaf.shape if size.is_name for n in size.names]
    untold = [leaf for leaf in own if isinstance(leaf.value, Size) and not set(leaf.value.names) <= set(told)]
    first = next((scope.local[a.name] for a in data if a.is_array and a.role != "labels"), "")
    scope.context.dtype = f"{first}.dtype" if first else "np.dtype(float)"
    scope.context.sizes[str(ROWS)] = "rows"
    columns: list[str] = []
    rotated, spectral = lawful.rotated, lawful.spectral
    eigen = None
    if spectral is not None and lawful.matrix is not None:
        name = scope.local[spectral.eigenvalues.name] = scope.names.fresh(spectral.eigenvalues.name)
        eigen = Eigen(lawful.matrix, name, [scope.local[x.name] for x in spectral.rotated.values()])
    if rotated is not None:
        told.append(ROTATED)
        scope.context.sizes[ROTATED] = "rows"
        scope.local[rotated.ones.name] = rotated.ones.name
        columns = [*(scope.local[x.name] for x in rotated.leaves), rotated.ones.name]
    instead = (
        _instead(lawful.multiplied_out, [a.name for a in data], backend) if lawful.multiplied_out is not None else None
    )
    return Body(
        lawful.plan, scope, rest, _named(leaves, rest), tuple(dict.fromkeys(told)), untold, columns, eigen, instead,
        is_looped=backend.is_looped, threads=backend.threads, numbers=[scope.local[a.name] for a in data if not a.is_array],
    )  # fmt: skip


def _instead(found: LowRank, bound: Sequence[str], backend: Backend) -> Instead:
    """The plan of a program multiplied out, with what its gate compares."""
    program = found.program
    wanted = {"": program.loss, **program.gradients}
    plan = make_plan(program, {**wanted, SQUARES: found.squares, WHOLE: found.whole})
    # BLAS's own threads are faster than two of ours.
    is_beside = backend.is_looped and backend.threads == 1
    return Instead(beside(plan, bound) if is_beside else plan, found.sizes)


def _lines(body: Body, scope: Scope, data: Sequence[Argument], leaves: Sequence[Leaf]) -> list[str]:
    """The lines of `bind`."""
    functions = [
        *arrays_lines(body),
        *function_lines(body, "value_and_gradients"),
        "",
        *function_lines(body, "value"),
    ]
    once = once_lines(body)
    checked = read_of(data, leaves, scope.local, scope.context).checked
    read = reading(data, leaves, scope.local, scope.context, checked, unbounded=[x.name for x in body.untold])
    dtype = [f"    dtype = {scope.context.dtype}", ""]
    return [*read, *once, *dtype, *indented(functions), "", "    return value_and_gradients, value"]


def _named(leaves: Iterable[Leaf], arguments: Sequence[Argument]) -> list[Leaf]:
    names = {a.name for a in arguments}
    return [leaf for leaf in leaves if leaf.name in names]
