"""φ = ⟨y, v⟩: an array y and a free array v of its shape make a scalar, to which the one engine applies.

∂φ/∂x = Jᵀv, J the Jacobian of y by x. With the gradient ∂L/∂θ as y this is the Hessian times v. Letting v run over the
unit vectors then gives J itself: row o of J is the gradient of y_o.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count

from symgrad.derive.derivation import Derivation, Equation, Line
from symgrad.derive.endtoend import check
from symgrad.derive.engine import derive
from symgrad.derive.equality import prove_equal
from symgrad.derive.proof import prove
from symgrad.derive.reverse import cotangent_of
from symgrad.errors import DerivationError
from symgrad.graph.expression import (
    Apply,
    Contraction,
    Expr,
    Leaf,
    Role,
    broadcast_to,
    contraction,
    leaf,
    linear,
    number,
    total,
    transpose,
)
from symgrad.graph.walk import fold, postorder
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.display import Reason, Why, display
from symgrad.rewrite.facts import Facts
from symgrad.rewrite.matrix import to_expression
from symgrad.rewrite.units import over_units

SCALAR_NAMES = ("phi", "psi", "chi", "phi_")
DIRECTIONS = ("v", "u", "q", "s")
COTANGENTS = ("delta", "gamma", "beta", "d")
# A block beyond this many nodes, written as a tree, is no formula that anyone reads: its product with v is.
MOST_NODES = 1500


@dataclass(frozen=True, slots=True)
class Pairing:
    """φ = Σ ⟨y_k, v_k⟩ with its derivation; `names` are the values that have a name in it."""

    derivation: Derivation
    directions: tuple[Leaf, ...]
    scalar: Expr
    names: Mapping[Expr, str]


@dataclass(frozen=True, slots=True)
class Block:
    """An array of derivatives: the lines that lead to it, the last one the shortest; `product` is what it makes of v."""

    lines: tuple[Line, ...]
    product: Expr
    rows: Leaf
    direction: Leaf

    @property
    def expression(self) -> Expr:
        """The last line."""
        return self.lines[-1].expression


@dataclass(frozen=True, slots=True)
class Values:
    """Arrays over the user's own leaves, with the nodes that have names; `cotangents` are ∂L/∂z by their new names."""

    arrays: tuple[Expr, ...]
    names: Mapping[Expr, str]
    cotangents: Mapping[str, Leaf]


def free_name(candidates: Sequence[str], taken: Collection[str], *, is_matrix: bool = False) -> str:
    """The first of the letters that is not in use; a matrix gets a capital.

    >>> free_name(["v", "u"], {"v"}), free_name(["v"], {"v"}), free_name(["v"], {"v"}, is_matrix=True)
    ('u', 'v_1', 'V')
    """
    letters = [c.capitalize() if is_matrix else c for c in candidates]
    numbered = (f"{letters[0]}_{k}" for k in count(1))
    return next(c for c in chain(letters, numbered) if c not in taken)


def pair(
    arrays: Sequence[Expr],
    names: Mapping[Expr, str],
    wrt: Sequence[Leaf],
    order: Sequence[str] = (),
    seeds: Sequence[Leaf] | None = None,
    *,
    is_proved: bool = True,
) -> Pairing:
    """The derivation of φ = Σ ⟨y, v⟩ by `wrt`, every step proved; the v are fresh, or the seeds given.

    >>> from symgrad.primitives.language import data, dims, parameter, tanh
    >>> x = parameter("x", dims("n"))
    >>> pairing = pair([tanh(x)], {}, [x])
    >>> str(pairing.scalar), str(pairing.derivation.gradients["x"])
    ('sum(tanh(x) * v)', 'v * (1 - tanh(x)**2)')
    """
    taken = {*names.values(), *names_in([*arrays, *wrt])}
    directions = list(seeds or ())
    if seeds is None:
        for y in arrays:
            name = free_name(DIRECTIONS, taken, is_matrix=y.rank > 1)
            directions.append(leaf(name, y.shape, Role.DATA))
            taken.add(name)
    taken |= {v.name for v in directions}
    # While lines are written, v weighs what a derivative weighs and not what a letter does: v(1 - h²), not v - v h².
    weighty = {v: leaf(v.name, v.shape, Role.COTANGENT) for v in directions if v not in set(postorder(arrays))}
    scalar = _sum_of_pairs(arrays, [weighty.get(v, v) for v in directions])
    held = set(postorder([scalar]))
    known = [x.name for x in wrt if x in held]
    first = derive(scalar, names=names, wrt=known, order=[*order, *(v.name for v in directions)])
    first = _in_place(first, {heavy: v for v, heavy in weighty.items()})
    renamed = _called(first, free_name(SCALAR_NAMES, taken | {eq.name for eq in first.forward}))
    derivation, scalar = _with_zeros(renamed, wrt), _sum_of_pairs(arrays, directions)
    if is_proved:
        derivation = check(prove(derivation), scalar)
    return Pairing(derivation, tuple(directions), scalar, names)


def _sum_of_pairs(arrays: Sequence[Expr], directions: Sequence[Leaf]) -> Expr:
    shares = [total(y * v) for y, v in zip(arrays, directions, strict=True)]
    return shares[0] if len(shares) == 1 else linear([(1, share) for share in shares])


def _in_place(derivation: Derivation, new: Mapping[Leaf, Leaf]) -> Derivation:
    """The derivation with other leaves in the places of some."""
    swapped: dict[Expr, Expr] = dict(new.items())

    def moved(eq: Equation) -> Equation:
        lines = tuple(replace(line, expression=substitute(line.expression, swapped)) for line in eq.lines)
        uses = tuple(
            replace(
                c,
                subject=substitute(c.subject, swapped),
                expression=substitute(c.expression, swapped),
                others=tuple((rule, substitute(e, swapped)) for rule, e in c.others),
            )
            for c in eq.contributions
        )
        return replace(eq, expression=substitute(eq.expression, swapped), lines=lines, contributions=uses)

    return replace(
        derivation,
        forward=tuple(map(moved, derivation.forward)),
        backward=tuple(map(moved, derivation.backward)),
        leaves=tuple(new.get(e, e) for e in derivation.leaves),
    )


def names_in(roots: Sequence[Expr]) -> set[str]:
    """The names of the leaves and sizes that occur."""
    leaves = [e for e in postorder(roots) if isinstance(e, Leaf)]
    return {e.name for e in leaves} | {name for e in leaves for s in e.shape for name in s.names}


def _called(derivation: Derivation, name: str) -> Derivation:
    """The derivation with another letter for its scalar, which occurs in no expression."""
    target = leaf(name, (), Role.INTERMEDIATE)
    last = replace(derivation.forward[-1], target=target)
    return replace(derivation, loss=target, forward=(*derivation.forward[:-1], last))


def _with_zeros(derivation: Derivation, wrt: Sequence[Leaf]) -> Derivation:
    """A derivative by each of `wrt`: 0 by those that the scalar does not hold."""
    found, backward = {p.name for p in derivation.parameters}, list(derivation.backward)
    for x in wrt:
        if x.name not in found:
            zero = broadcast_to(number(0), x.shape)
            label = len(derivation.forward) + len(backward) + 1
            backward.append(Equation(label, cotangent_of(x), zero, x, (), (Line(zero, Reason(Why.RULE)),)))
    return replace(derivation, backward=tuple(backward), parameters=tuple(wrt))


# ---- the gradient as an array


def gradients_of(derivation: Derivation, parameters: Sequence[Leaf]) -> Values:
    """∂L/∂θ over the user's leaves; a cotangent that a line of the page keeps by name is a value δ from here on."""
    definitions = {eq.target: eq.expression for eq in derivation.forward[:-1]}
    upstream = {eq.target: eq.expression for eq in derivation.backward}
    shown = {p: derivation.gradients[p.name] for p in parameters}
    kept = _cotangents_in(list(shown.values()), upstream)
    new: dict[Expr, Expr] = {}
    names: dict[Expr, str] = {}
    for target, expression in definitions.items():
        new[target] = substitute(expression, new)
        names[new[target]] = target.name
    taken = {*names_in(list(derivation.leaves)), *names.values(), derivation.loss.name}
    called: dict[str, Leaf] = {}
    for c, name in zip(kept, _cotangent_names(kept, taken), strict=True):
        new[c] = substitute(upstream[c], new)
        if new[c].kind != "leaf":
            names.setdefault(new[c], name)
            called[names[new[c]]] = c
    return Values(tuple(substitute(e, new) for e in shown.values()), names, called)


def _cotangents_in(roots: Sequence[Expr], upstream: Mapping[Leaf, Expr]) -> list[Leaf]:
    """The cotangents that stand in these expressions, or in theirs; those that others stand on come first."""
    needed: set[Leaf] = set()
    pending = list(roots)
    while pending:
        for e in postorder([pending.pop()]):
            if isinstance(e, Leaf) and e.role is Role.COTANGENT and e not in needed:
                needed.add(e)
                pending.append(upstream[e])
    return [c for c in upstream if c in needed]


def _cotangent_names(cotangents: Sequence[Leaf], taken: Collection[str]) -> list[str]:
    """δ, Δ, or Δ₂ for ∂L/∂Z₂ where that is one name for each; else numbered in the order of the sweep."""
    used, result = set(taken), list[str]()
    for c in cotangents:
        same = [other for other in cotangents if (other.rank > 1) == (c.rank > 1)]
        letter = free_name(COTANGENTS, taken, is_matrix=c.rank > 1)
        digits = [_digits(other.name) for other in same]
        is_told = len(set(digits)) == len(digits) and all(digits)
        place = sum((other.rank > 1) == (c.rank > 1) for other in cotangents[: len(result)]) + 1
        own = "" if len(same) == 1 else _digits(c.name) if is_told else str(place)
        name = free_name([letter + own], used)
        used.add(name)
        result.append(name)
    return result


def _digits(name: str) -> str:
    return name[len(name.rstrip("0123456789")) :]


# ---- v over the unit vectors


def block(pairing: Pairing, rows: Leaf, direction: Leaf, *, is_transposed: bool = False) -> Block:
    """The array M with ∂φ/∂(rows) = M v, entry (i, j) the derivative of entry i at the unit vector j.

    With `is_transposed` the indices of v come first: the Jacobian, whose row o is the gradient of y_o.
    """
    derivation = pairing.derivation
    product = _dissolved(pairing, product_of(derivation, rows))
    size = fold([product], lambda e, below: 1 + sum(below))[product]
    if size > MOST_NODES:
        raise DerivationError(
            f"the derivatives by {rows.name} make no formula that could be read ({size} symbols);"
            " ask for their product with a vector"
        )
    turned = _turned if is_transposed else _as_it_is
    matrix = turned(to_expression(over_units(product, direction)), rows.rank)
    definitions = {eq.target: eq.expression for eq in derivation.forward}
    softmaxes = {name: e for name, e in definitions.items() if isinstance(e, Apply) and e.primitive == "softmax"}
    lines = [Line(e, reason) for e, reason in display(matrix, {}, Facts(softmaxes), is_result=True)]
    applied = _applied(lines[0].expression, direction, rows.rank, is_transposed=is_transposed)
    what = f"the block of {rows.name} and {direction.name}"
    proved = prove_equal((product, applied), lines, softmaxes, what)
    return Block(proved, product, rows, direction)


def product_of(derivation: Derivation, x: Leaf) -> Expr:
    """∂φ/∂x with every cotangent in it put in."""
    e = derivation.gradients[x.name]
    for eq in reversed(derivation.backward):
        e = substitute(e, {eq.target: eq.expression})
    return e


def rewritten(e: Expr, softmaxes: Mapping[Leaf, Expr]) -> Expr:
    """The shortest way of writing an expression, proved equal to it."""
    shown = [Line(x, reason) for x, reason in display(e, {}, Facts(softmaxes), is_result=True)]
    return prove_equal((e, shown[0].expression), shown, softmaxes, "a product")[-1].expression


def _dissolved(pairing: Pairing, e: Expr) -> Expr:
    """A line of φ's derivation without the names that hold v or that only φ has given."""
    derivation = pairing.derivation
    directions, given = set(pairing.directions), set(pairing.names.values())
    holds: set[Expr] = set(directions)
    gone = []
    for eq in derivation.forward[:-1]:
        if any(node in holds for node in postorder([eq.expression])):
            holds.add(eq.target)
            gone.append(eq)
        elif eq.name not in given and _prints_in_place(eq.expression):
            gone.append(eq)
    for eq in reversed(gone):
        e = substitute(e, {eq.target: eq.expression})
    return e


def _prints_in_place(e: Expr) -> bool:
    """Whether a value reads as well without a name: ‖x - a‖, X⁻¹."""
    while isinstance(e, Contraction) and len(e.operands) == 1:
        e = e.operands[0]
    return isinstance(e, Apply) and e.primitive != "softmax"


def _as_it_is(e: Expr, _: int) -> Expr:
    return e


def _turned(e: Expr, rank: int) -> Expr:
    """The last axes first."""
    order = [*range(rank, e.rank), *range(rank)]
    return transpose(e, order)


def _applied(e: Expr, v: Leaf, rank: int, *, is_transposed: bool) -> Expr:
    """M v, summed over the indices of v."""
    bound = tuple(range(rank, rank + v.rank))
    free = tuple(range(rank))
    axes = (*bound, *free) if is_transposed else (*free, *bound)
    shape = e.shape[v.rank :] if is_transposed else e.shape[:rank]
    return contraction([e, v], [axes, bound], shape)


def parameters_named(derivation: Derivation, names: Collection[str]) -> Iterator[Leaf]:
    """The parameters of these names, in the order asked for."""
    known = {p.name: p for p in derivation.parameters}
    yield from (known[name] for name in names)
