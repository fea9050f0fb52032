"""A derivation as a NumPy module that stands alone: the loss, its gradients, and what the model predicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import field

from symgrad.compile.arguments import Argument, arguments_of, leaves_of, sizes_in
from symgrad.compile.dissolve import Program, dissolve
from symgrad.compile.kernels import kernel_names, kernel_source
from symgrad.compile.layout import WIDTH, Reading, definition, header, prologue, read_of, reading
from symgrad.compile.names import Names
from symgrad.compile.numpy_text import Context
from symgrad.compile.operations import Op, Type
from symgrad.compile.pairs import paired
from symgrad.compile.plan import Plan, loss_and_whole, make_plan
from symgrad.compile.scalars import lambda_source
from symgrad.compile.statements import Writer
from symgrad.derive.derivation import Derivation
from symgrad.graph.expression import Expr, Leaf
from symgrad.graph.show import ATOM, enclosed
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

MAYBE_ARRAYS = ("argument", "primitive", "function", "item")
RESERVED = {"np", "value", "value_and_gradients", "predict", "float", "int", *kernel_names()}


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the module: its arguments, the name of its switch for checks of facts, its source."""

    arguments: tuple[Argument, ...]
    switch: str
    source: str


@dataclass(frozen=True, slots=True)
class Module:
    """The source, and what its functions take."""

    source: str
    functions: Mapping[str, Function]


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of a function, those of its arguments inside it, that of its switch, and what texts need besides."""

    names: Names
    local: dict[str, str]
    switch: str
    context: Context


@dataclass(frozen=True, slots=True)
class _Job:
    """What becomes a function: its plan, the nodes of what it computes, the leaves that it takes."""

    name: str
    plan: Plan
    nodes: Sequence[Expr]
    leaves: Sequence[Leaf]
    summary: str


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the functions of a module have in common: kernels, lambdas, readers of arrays, the arguments of some leaves."""

    kernels: dict[str, None] = field(default_factory=dict)
    lambdas: dict[object, str] = field(default_factory=dict)
    readers: dict[Reading, str] = field(default_factory=dict)
    arguments: dict[tuple[tuple[Leaf, ...], tuple[str, ...]], tuple[Argument, ...]] = field(default_factory=dict)


def module_of(derivation: Derivation, title: str) -> Module:
    """The module for a derivation; its docstring begins with the title."""
    program = dissolve(derivation)
    jobs = _jobs(derivation, program)
    shared = _Shared()
    functions = {job.name: _function(job, shared) for job in jobs}
    every = list(dict.fromkeys(leaf for job in jobs for leaf in job.leaves))
    sources = [header(title, functions["value_and_gradients"].arguments, list(functions)), *prologue(every)]
    sources += ["\n".join(read.function(name)) + "\n" for read, name in shared.readers.items()]
    sources += [*definitions(shared.kernels, shared.lambdas), *(f.source for f in functions.values())]
    return Module(joined(sources), functions)


def _jobs(derivation: Derivation, program: Program) -> list[_Job]:
    """The functions of the module, in order."""
    loss, whole = loss_and_whole(program)
    nodes = postorder([program.loss, *program.gradients.values(), *derivation.parameters])
    of_loss = nodes[: next(k for k, e in enumerate(nodes) if e is program.loss) + 1]
    # What is derived is a function of all parameters; a model has what it needs.
    leaves = leaves_of(nodes, derivation)
    jobs = [
        _Job("value", loss, of_loss, leaves, "The loss."),
        _Job("value_and_gradients", whole, nodes, leaves, "The loss, and its gradient by each parameter."),
    ]
    if program.model is not None:
        model = make_plan(program, {"": program.model})
        nodes = postorder([program.model])
        jobs.append(_Job("predict", model, nodes, leaves_of(nodes, derivation), "What the model predicts."))
    return jobs


def definitions(kernels: Iterable[str], lambdas: Mapping[object, str]) -> list[str]:
    """The functions that others call, each once."""
    written = dict.fromkeys(source for name in kernels if (source := kernel_source(name)))
    sources = [source.strip() + "\n" for source in written]
    return sources + [lambda_source(function, name).strip() + "\n" for function, name in lambdas.items()]


def joined(sources: Sequence[str]) -> str:
    """The parts of a module, functions with two lines in between."""
    return "".join([sources[0], *("\n\n" + s if s.startswith(("def ", "@")) else "\n" + s for s in sources[1:])])


def _function(job: _Job, shared: _Shared) -> Function:
    plan, leaves, readers = paired(job.plan), job.leaves, shared.readers
    size_names = sizes_in([*job.nodes, *leaves])
    key = tuple(leaves), tuple(size_names)
    arguments = shared.arguments.get(key) or shared.arguments.setdefault(key, arguments_of(*key))
    scope = scope_of(arguments, size_names, shared.kernels, shared.lambdas)
    local, switch = scope.local, scope.switch
    writer = Writer(plan, scope.context, scope.names, local, switch, is_in_place=True)
    writer.write()
    returned = returned_lines(plan, writer, is_pair=job.name == "value_and_gradients")
    read = read_of(arguments, leaves, local, scope.context)
    reader = readers.setdefault(read, f"_arrays_of_{job.name}" if readers else "_arrays") if read.names else ""
    body = [*reading(arguments, leaves, local, scope.context, read.called(reader)), *writer.lines, *returned]
    shown = switch if plan.checks else ""
    return Function(arguments, shown, definition(job.name, job.summary, arguments, local, shown, body))


def scope_of(
    arguments: Sequence[Argument],
    size_names: Sequence[str],
    kernels: dict[str, None],
    lambdas: dict[object, str],
    reserved: Set[str] = frozenset(RESERVED),
) -> Scope:
    """What the texts of a function are written with."""
    names = Names({*reserved, *(a.name for a in arguments)})
    # An argument keeps its name for callers; inside, one that would hide a function has another.
    local = {a.name: names.fresh(a.name) if a.name in reserved else a.name for a in arguments}
    switch = names.fresh("check")
    sizes = {n: local[n] if n in local and _is_size(n, arguments) else names.fresh(n) for n in size_names}
    array = next((local[a.name] for a in arguments if a.is_array and a.role != "labels"), "")
    context = Context(sizes, f"{array}.dtype" if array else "np.dtype(float)", kernels, lambdas)
    return Scope(names, local, switch, context)


def _is_size(name: str, arguments: Sequence[Argument]) -> bool:
    return any(a.name == name and a.role == "size" for a in arguments)


def returned_lines(plan: Plan, writer: Writer, *, is_pair: bool) -> list[str]:
    """The return statement: fresh arrays only, and no array twice."""
    taken: set[Op] = set()
    texts = {name: _fresh(op, writer, taken, is_value=not name) for name, op in plan.outputs.items()}
    if not is_pair:
        return [f"    return {texts['']}"]
    items = [f"{name!a}: {text}" for name, text in texts.items() if name]
    line = f"    return {texts['']}, {{{', '.join(items)}}}".replace("'", '"') if _is_plain(items) else ""
    if line and len(line) <= WIDTH:
        return [line]
    return [f"    return {texts['']}, {{", *(f"        {item}," for item in items), "    }"]


def _is_plain(items: Sequence[str]) -> bool:
    return not any('"' in item or "\\" in item for item in items)


def _fresh(op: Op, writer: Writer, taken: set[Op], *, is_value: bool) -> str:
    """The text of a result that shares its memory with nothing else."""
    text = writer.texts[op][0]
    dtype = writer.context.dtype
    if not op.shape and is_value:
        if op.type is not Type.FLOATING:
            return f"{dtype}.type({text})"
        return f"{text}[()]" if op.kind in MAYBE_ARRAYS else text
    if not op.shape:
        return f"np.array({text}{f', {dtype}' if op.type is not Type.FLOATING else ''})"
    base, is_shared = op, False
    while base.kind in ("permute", "expand", "squeeze", "broadcast", "diagonal"):
        is_shared |= base.kind == "diagonal" or (base.kind == "broadcast" and base.args[0].type is not Type.SCALAR)
        base = base.args[0]
    is_shared |= base.kind == "argument" or base in taken
    is_shared |= base.kind == "function" and base.data[0] == "scalar"
    is_shared &= not (op.kind == "broadcast" and base.type is Type.SCALAR)
    taken.add(base)
    return f"{enclosed(writer.texts[op], ATOM)}.copy()" if is_shared else text
