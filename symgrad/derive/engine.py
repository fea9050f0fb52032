"""Loss → derivation: name the intermediates, sweep back through them, and write each step in its shortest form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from symgrad.derive.derivation import Contribution, Derivation, Equation, Line
from symgrad.derive.names import choose_names, loss_name
from symgrad.derive.reverse import accumulate, cotangent_of, pull_back
from symgrad.derive.steps import Writer, without_names
from symgrad.errors import InputError
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf, Role, leaf, linear, number
from symgrad.graph.walk import postorder
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.recognise import recognise

# A name that is used in more equations than this (the weights of a recurrent net, at every time step) is written as the
# sum of its shares, each by the name of what arrives; its step comes at the end of the sweep, behind all of them.
MOST_SHARES = 2
NO_FACTS: Mapping[Expr, frozenset[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Program:
    """The forward half: definitions in order, the loss last; `model` over the same names."""

    definitions: tuple[tuple[Leaf, Expr], ...]
    model: Expr | None
    leaves: tuple[Leaf, ...]


def derive(
    loss: Expr,
    *,
    model: Expr | None = None,
    names: Mapping[Expr, str] | None = None,
    wrt: Collection[str] | None = None,
    order: Sequence[str] = (),
    facts: Mapping[Expr, frozenset[str]] = NO_FACTS,
) -> Derivation:
    """∂L/∂θ for every parameter of a scalar loss (or for those named), step by step; nothing is proved yet.

    >>> from symgrad.primitives.language import data, dims, mean, parameter
    >>> n, d = dims("n d")
    >>> X, y, w = data("X", n, d), data("y", n), parameter("w", d)
    >>> str(derive(mean((X @ w - y) ** 2)).gradients["w"])
    '2 * X.T @ r / n'
    """
    if loss.rank:
        raise InputError(f"the loss has shape {loss.shape}; sum or average it to a scalar")
    program = straight_line(loss, model, names or {}, order, facts)
    parameters = _wanted(program, wrt)
    forward = tuple(Equation(k + 1, target, e) for k, (target, e) in enumerate(program.definitions))
    backward = _backward(forward, parameters)
    target = program.definitions[-1][0]
    return Derivation(target, forward, backward, parameters, program.leaves, program.model)


def straight_line(
    loss: Expr,
    model: Expr | None,
    users: Mapping[Expr, str],
    order: Sequence[str] = (),
    facts: Mapping[Expr, frozenset[str]] = NO_FACTS,
) -> Program:
    """The loss as definitions of named intermediates, each over leaves and earlier names; leaves in the given order."""
    roots = [loss] + ([model] if model is not None else [])
    known = recognise(roots, list(users))
    loss, model = known[loss], known[model] if model is not None else None
    renamed = {known[node]: name for node, name in users.items() if node in known}
    assumed = {known[node]: sorted(own) for node, own in facts.items() if node in known}
    _refuse_without_name(assumed, renamed)
    found = postorder([e for e in (loss, model) if e is not None])
    leaves = [e for e in found if isinstance(e, Leaf) and _is_declared(e)]
    _refuse_clashes(leaves)
    _refuse_labels_as_numbers(found)
    taken = {e.name for e in leaves} | _size_names(leaves) | set(users.values())
    chosen = choose_names(loss, model, {node: name for node, name in renamed.items() if node is not loss}, taken)
    own: dict[Expr, Expr] = {}
    definitions: list[tuple[Leaf, Expr]] = []
    for named in chosen:
        expression = substitute(named.node, own)
        target = leaf(named.name, named.node.shape, Role.INTERMEDIATE, facts=assumed.get(named.node, ()))
        own[named.node] = target
        definitions.append((target, expression))
    taken |= {named.name for named in chosen}
    end = leaf(loss_name(taken), (), Role.INTERMEDIATE)
    last = (end, substitute(loss, own))
    below = set(postorder([loss]))
    needed = [d for d, named in zip(definitions, chosen, strict=True) if named.node in below]
    prediction = substitute(model, own) if model is not None else None
    only_model = [d for d, named in zip(definitions, chosen, strict=True) if named.node not in below]
    if prediction is not None and only_model:
        prediction = _dissolved(prediction, only_model)
    program = (*needed, last)
    return Program(program, prediction, _in_order(leaves, [e for _, e in program], order))


def _in_order(leaves: Sequence[Leaf], expressions: Sequence[Expr], order: Sequence[str]) -> tuple[Leaf, ...]:
    """The leaves as they were declared; as the equations read, where some of them were never assigned to a name."""
    place = {name: k for k, name in enumerate(order)}
    if not {e.name for e in leaves} <= place.keys():
        read = [e.name for expression in expressions for e in _leaves_of(expression)]
        place = {name: k for k, name in reversed(list(enumerate(read)))}
    return tuple(sorted(leaves, key=lambda e: place.get(e.name, len(place))))


def _dissolved(e: Expr, definitions: Sequence[tuple[Leaf, Expr]]) -> Expr:
    """An expression with names put back that no equation of the loss defines."""
    for target, definition in reversed(definitions):
        e = substitute(e, {target: definition})
    return e


def _is_declared(e: Leaf) -> bool:
    return e.role not in CONSTANT_ROLES


def _size_names(leaves: Sequence[Expr]) -> set[str]:
    return {name for e in leaves for s in e.shape for name in s.names}


def _refuse_clashes(leaves: Sequence[Expr]) -> None:
    seen: dict[str, Expr] = {}
    sizes = _size_names(leaves)
    for e in leaves:
        assert isinstance(e, Leaf)
        if seen.setdefault(e.name, e) is not e:
            raise InputError(f"two different arrays are called {e.name}; give each its own name", about=e)
        if e.name in sizes:
            raise InputError(f"{e.name} is both an array and a size; rename one of them", about=e)


def _refuse_without_name(assumed: Collection[Expr], names: Collection[Expr]) -> None:
    for e in assumed:
        if e not in names:
            raise InputError(f"assume({e}) has no name; write K = sg.assume(…), and K where it is used", about=e)


def _refuse_labels_as_numbers(nodes: Sequence[Expr]) -> None:
    for node in nodes:
        for e in node.children:
            if isinstance(e, Leaf) and e.role is Role.LABELS and getattr(node, "primitive", "") != "one_hot":
                raise InputError(
                    f"{e.name} holds labels, which are names of classes and no numbers; index by it (E[{e.name}]), write"
                    f" sg.one_hot({e.name}), or declare it with sg.data",
                    about=node,
                )


def _wanted(program: Program, wrt: Collection[str] | None) -> tuple[Leaf, ...]:
    held = {e for _, expression in program.definitions for e in _leaves_of(expression)}
    parameters = [e for e in program.leaves if e.role is Role.PARAMETER]
    if wrt is None:
        alone = [e.name for e in parameters if e not in held]
        if alone:
            raise InputError(
                f"the model holds the parameter {alone[0]} and the loss does not, which is to find it; use it in the loss,"
                " or declare it with sg.hyperparameter or sg.data",
                about="model",
            )
        if not parameters:
            raise InputError(
                "the loss holds no parameter; declare what to differentiate by with sg.parameter", about="loss"
            )
        return tuple(parameters)
    known = {e.name: e for e in program.leaves if e.role is not Role.LABELS and e in held}
    for name in wrt:
        if name not in known:
            raise InputError(f"the loss holds no {name}; differentiate by one of {', '.join(known)}")
    return tuple(known[name] for name in wrt)


def _backward(forward: Sequence[Equation], parameters: Sequence[Leaf]) -> tuple[Equation, ...]:
    """The sweep: each name, in reverse order, once all its uses are done; a parameter as soon as it can be."""
    leaves = {eq.target: _leaves_of(eq.expression) for eq in forward}
    active = _active(leaves, parameters)
    # Without the loss: its letter does not occur in its own gradient.
    writer = Writer({eq.target: eq.expression for eq in forward[:-1]})
    first_use = {p: k for k, eq in reversed(list(enumerate(forward))) for p in leaves[eq.target] if p in active}
    uses = Counter(p for own in leaves.values() for p in own if p in active)
    first_use = {p: 0 if uses[p] > MOST_SHARES else k for p, k in first_use.items()}
    pulled: dict[Leaf, list[Contribution]] = {}
    upstream: dict[Expr, Expr] = {}
    result: list[Equation] = []
    for k in range(len(forward) - 1, -1, -1):
        eq = forward[k]
        seed: Expr = number(1) if k == len(forward) - 1 else cotangent_of(eq.target)
        if eq.target in active or k == len(forward) - 1:
            # The letter of the loss does not occur in its own gradient: (x - a)/‖x - a‖, not (x - a)/L.
            target = eq.target if k < len(forward) - 1 else None
            names = [e for e in leaves[eq.target] if e in active]
            for name, p in pull_back(seed, eq.expression, target, names).items():
                pulled.setdefault(name, []).append(Contribution(eq.label, p.rule, p.subject, p.cotangent, p.others))
        due = [p for p in parameters if first_use.get(p) == k]
        before = [forward[k - 1].target] if k and forward[k - 1].target in active else []
        for variable in [*due, *before]:
            step = _step(
                len(forward) + len(result) + 1,
                variable,
                pulled.get(variable, []),
                upstream,
                writer,
                parameters,
            )
            upstream[step.target] = step.expression
            result.append(step)
    return tuple(result)


def _active(leaves: Mapping[Leaf, Sequence[Leaf]], parameters: Sequence[Leaf]) -> set[Leaf]:
    active = set(parameters)
    for target, own in leaves.items():
        if any(e in active for e in own):
            active.add(target)
    return active


def _leaves_of(e: Expr) -> list[Leaf]:
    return [node for node in postorder([e]) if isinstance(node, Leaf)]


def _is_repeated(contributions: Sequence[Contribution]) -> bool:
    """Whether a name is used the same way time after time: then each share keeps the name of what arrives."""
    if len(contributions) <= MOST_SHARES:
        return False
    kinds = Counter(without_names([c.expression]).roots[0] for c in contributions)
    return len(contributions) > 2 * MOST_SHARES or max(kinds.values(), default=0) > MOST_SHARES


def _step(
    label: int,
    variable: Leaf,
    contributions: Sequence[Contribution],
    upstream: Mapping[Expr, Expr],
    writer: Writer,
    parameters: Collection[Leaf],
) -> Equation:
    """The equation of one cotangent: what all uses add, written in its shortest form."""
    ordered = sorted(contributions, key=lambda c: c.label)
    raw = accumulate([c.expression for c in ordered]) if ordered else linear([(0, variable)])
    known = {} if _is_repeated(ordered) else {e: upstream[e] for e in _leaves_of(raw) if e in upstream}
    lines = writer.lines(raw, known, is_result=variable in set(parameters))
    written = tuple(Line(e, reason) for e, reason in lines)
    return Equation(label, cotangent_of(variable), lines[-1][0], variable, tuple(ordered), written)
