"""How the loss reaches one entry: a using equation z = f(v) written out, ∂z/∂v, the chain rule over all entries of z.

An array ∂z/∂v has the axes of z, then those of v. Every way of writing it here is a `Form`: what pages print of it and
what tests evaluate is the same value.
"""

from __future__ import annotations

from symgrad.derive.derivation import Contribution, Derivation, Equation
from symgrad.derive.reverse import cotangent_of, local_derivatives
from symgrad.graph.expression import (
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    broadcast_to,
    contraction,
    identity,
    is_number,
    linear,
    number,
)
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass
from symgrad.rewrite.convert import rebuild, to_form
from symgrad.rewrite.form import Form
from symgrad.rewrite.written import as_written, product

# A variable that stands in more places than these is differentiated in groups of them.
MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Share:
    """What one using equation adds to ∂L/∂v, in the order in which it is found entry by entry.

    `held` are the terms of the equation that hold v (all of it where `is_whole`). `local` is ∂z/∂v, first with a product
    for every place where v stands and an identity for its indices, then with the identities contracted (of a primitive by
    its definition, then in terms of its value). `followed` is
    Σ ∂L/∂z ∂z/∂v, the local derivative put in, then contracted, then as the step writes it. `target` is None in the loss's
    own equation, where the chain rule has nothing to sum over and `followed` is empty but for the last.
    """

    contribution: Contribution
    target: Leaf | None
    held: Form
    is_whole: bool
    local: tuple[Form, ...]
    followed: tuple[Form, ...]


def shares_of(derivation: Derivation, eq: Equation) -> tuple[Share, ...]:
    """The shares of a step entry by entry; none where a primitive on the way has no form by entries that is short."""
    assert eq.variable is not None
    definitions = {f.label: f for f in derivation.forward}
    # A single share is written in the order of the step's first line.
    written = [eq.lines[0].expression] if len(eq.contributions) == 1 else [c.expression for c in eq.contributions]
    found = [
        _share(derivation, definitions[c.label], eq.variable, c, e)
        for c, e in zip(eq.contributions, written, strict=True)
    ]
    return tuple(s for s in found if s is not None) if all(s is not None for s in found) else ()


def _share(
    derivation: Derivation, definition: Equation, variable: Leaf, c: Contribution, written: Expr
) -> Share | None:
    is_loss = definition.target is derivation.loss
    local = local_derivative(definition.expression, None if is_loss else definition.target, variable)
    whole, step = spelled(definition.expression), spelled(written)
    if local is None or _has_whole_arrays([whole, step]):
        return None
    held = _held(whole, variable)
    contracted = to_form(local)
    if is_loss:
        return Share(c, None, to_form(held), held is whole, (as_written(local), contracted), (to_form(step),))
    by_definition = local_derivative(whole, definition.target, variable)
    if whole is not definition.expression and by_definition is not None:
        # What the definition gives; then the same in terms of the value, as the primitive's entry knows it.
        lines = (to_form(by_definition), *((as_written(local),) if local is not by_definition else ()))
    else:
        lines = (as_written(local), contracted)
    cotangent = cotangent_of(definition.target)
    axes = tuple(range(variable.rank, variable.rank + cotangent.rank))
    indices = [axes, (*axes, *range(variable.rank))]
    put_in = product([to_form(cotangent), contracted], indices, variable.shape)
    collected = to_form(contraction([cotangent, local], indices, variable.shape))
    chain = (put_in, collected, to_form(step))
    return Share(c, definition.target, to_form(held), held is whole, lines, chain)


def _has_whole_arrays(roots: list[Expr]) -> bool:
    """Whether a primitive is left in the expressions, whose entries no short formula gives."""
    return any(isinstance(node, Apply) for node in postorder(roots))


def spelled(e: Expr) -> Expr:
    """The expression with every primitive replaced by its definition, where it has one."""
    new: dict[Expr, Expr] = {}
    for node in postorder([e]):
        rebuilt = rebuild(node, [new[child] for child in node.children])
        definition = PRIMITIVES[rebuilt.primitive].definition if isinstance(rebuilt, Apply) else None
        if isinstance(rebuilt, Apply) and definition is not None:
            rebuilt = spelled(definition(rebuilt.operands, dict(rebuilt.options)))
        new[node] = rebuilt
    return new[e]


def _held(e: Expr, variable: Leaf) -> Expr:
    """The expression without the terms that do not hold the variable, reached through sums and products alone."""
    if isinstance(e, Linear):
        kept = [(c, _held(term, variable)) for c, term in e.terms if _holds(term, variable)]
        is_same = len(kept) == len(e.terms) and all(a is b for (_, a), b in zip(kept, e.children, strict=True))
        return e if is_same else linear(kept)
    if isinstance(e, Contraction):
        places = [k for k, operand in enumerate(e.operands) if _holds(operand, variable)]
        if len(places) == 1:
            inner = [_held(x, variable) if k in set(places) else x for k, x in enumerate(e.operands)]
            return rebuild(e, inner)
    return e


def _holds(e: Expr, variable: Leaf) -> bool:
    return any(node is variable for node in postorder([e]))


def local_derivative(expression: Expr, value: Leaf | None, variable: Leaf) -> Expr | None:
    """∂z/∂v of z = expression, an array with the axes of z, then those of v; `value` is the name of z, where it has one.

    None where a primitive on the way gives no local derivative by entries.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> str(local_derivative(data("X", n, d) @ data("w", d), None, data("w", d)))
    'X @ eye(d)'
    """
    own = _local_of(expression, value)
    root = expression if own is not None else spelled(expression)
    found: dict[Expr, list[Expr]] = {variable: [_unit(variable)]}
    for node in postorder([root]):
        inner = [found.get(e, []) for e in node.children]
        if node is variable or not any(inner):
            continue
        if isinstance(node, Apply):
            if node is not expression or own is None:
                return None
            found[node] = [_through_local(node, own, _summed(inner[0]), variable)]
        else:
            found[node] = _parts(node, value if node is root and value is not None else node, inner, variable)
            if len(found[node]) > MOST_PLACES:
                found[node] = [_summed(found[node])]
    places = found.get(root, [])
    return _summed(places) if places else None


def _summed(parts: list[Expr]) -> Expr:
    return parts[0] if len(parts) == 1 else linear([(1, d) for d in parts])


def _local_of(expression: Expr, value: Leaf | None) -> Expr | None:
    """A named primitive's own local derivative, which may hold its value."""
    if not isinstance(expression, Apply) or value is None:
        return None
    entry = PRIMITIVES[expression.primitive]
    local = entry.local(value, dict(expression.options)) if entry.local is not None else None
    return None if local is None else local[0]


def _unit(variable: Leaf) -> Expr:
    """∂v/∂v: an identity for every axis."""
    rank = variable.rank
    if not rank:
        return number(1)
    units = [identity(s) for s in variable.shape]
    return contraction(units, [(k, rank + k) for k in range(rank)], (*variable.shape, *variable.shape))


def _parts(node: Expr, value: Expr, inner: list[list[Expr]], variable: Leaf) -> list[Expr]:
    """What each operand gives, place by place: its derivatives through the node, all other operands held."""
    rank, shape = node.rank, (*node.shape, *variable.shape)
    own, axes = tuple(range(rank)), tuple(range(rank, rank + variable.rank))
    if isinstance(node, Linear):
        return [linear([(c, d)]) for (c, _), parts in zip(node.terms, inner, strict=True) for d in parts]
    if isinstance(node, Contraction):
        indices = [tuple(i if i < rank else i + variable.rank for i in places) for places in node.indices]
        return [
            contraction(
                [*node.operands[:k], d, *node.operands[k + 1 :]],
                [*indices[:k], (*indices[k], *axes), *indices[k + 1 :]],
                shape,
            )
            for k, parts in enumerate(inner)
            for d in parts
        ]
    assert isinstance(node, Elementwise)
    found = []
    for f, parts in zip(local_derivatives(node, value), inner, strict=True):
        if f is not None and parts:
            d = _summed(parts)
            factors = [broadcast_to(f, node.shape), d]
            found.append(d if is_number(f, 1) else contraction(factors, [own, (*own, *axes)], shape))
    return found


def _through_local(node: Apply, local: Expr, inner: Expr, variable: Leaf) -> Expr:
    """∂y_m/∂x_q, the axes before the last one by one; where x is not v itself, times ∂x_q/∂v, summed over q."""
    lead, last = tuple(range(node.rank - 1)), node.rank - 1
    axes, shape = tuple(range(node.rank, 2 * node.rank)), (*node.shape, *variable.shape)
    if node.operands[0] is variable:
        units = [identity(s) for s in variable.shape[:-1]]
        places = [(k, axes[k]) for k in lead]
        return contraction([local, *units], [(*lead, last, axes[-1]), *places], shape)
    own = tuple(range(node.rank, node.rank + variable.rank))
    bound = len(shape)
    return contraction([local, inner], [(*lead, last, bound), (*lead, bound, *own)], shape)
