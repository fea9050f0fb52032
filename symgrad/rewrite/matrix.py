"""Normal form → matrix language: each product of indexed atoms becomes transposes, products, sums and diagonals.

The order: scalars in front; matrix chains; elementwise products; a vector at a free axis scales rows or columns; sums are
products with ones. What has no matrix form (three axes, an index shared by three matrices) stays one contraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from symgrad.graph.expression import (
    Contraction,
    Expr,
    Leaf,
    Role,
    Shape,
    broadcast_to,
    contraction,
    linear,
    number,
    power,
    scale,
    size,
    total,
)
from symgrad.graph.expression import transpose as _transpose
from symgrad.graph.sizes import Size
from symgrad.records import dataclass
from symgrad.rewrite.blocks import side_by_side
from symgrad.rewrite.form import ONLY, WHOLE, Atom, Factor, Form, Term

Indices = tuple[int, ...]
# The indices of x @ y by the ranks of x and y.
PRODUCTS: Mapping[tuple[int, int], tuple[Indices, Indices]] = {
    (1, 1): ((0,), (0,)),
    (1, 2): ((1,), (1, 0)),
    (2, 1): ((0, 1), (1,)),
    (2, 2): ((0, 2), (2, 1)),
}


# Never changed once made, and made by the thousand: `frozen` would double the cost of each.
@dataclass(eq=False, slots=True)
class Tensor:
    """An expression at indices."""

    expr: Expr
    indices: Indices


def transpose(e: Expr) -> Expr:
    """eᵀ; (eᵀ)ᵀ is e."""
    if e.rank != 2:
        return _transpose(e)
    if isinstance(e, Contraction) and e.indices == ((1, 0),):
        return e.operands[0]
    return contraction((e,), ((1, 0),), e.shape[::-1])


def to_expression(form: Form) -> Expr:
    """The form in the matrix language, positive terms first.

    >>> from symgrad.primitives.language import data, dims, sum
    >>> from symgrad.rewrite.convert import to_form
    >>> n, d = dims("n d")
    >>> X, y = data("X", n, d), data("y", n)
    >>> str(to_expression(to_form(sum(X * y[:, None], axis=0))))
    'X.T @ y'
    """
    if not form.terms:
        return broadcast_to(number(0), form.shape)
    if len(form.terms) == 1:
        c, e = _term(form.terms[0], form.shape)
        return broadcast_to(scale(c, e), form.shape)
    ordered = sorted(form.terms, key=lambda t: t.coefficient.numerator < 0)
    raised = [_term(t, form.shape) for t in ordered]
    joined = side_by_side(raised)
    return linear([(c, broadcast_to(e, form.shape)) for c, e in raised]) if joined is None else joined


@lru_cache(maxsize=4096)
def _term(term: Term, shape: Shape) -> tuple[Fraction, Expr]:
    """The coefficient that is left, and the product; a product that is a scalar is left to the caller to broadcast."""
    rank = len(shape)
    c, scalars = scalars_of(term)
    tensors = [Tensor(e := _power(f), _indices(f)[: len(e.shape)]) for f in term.factors if f.indices]
    if any(len(t.indices) == 2 and t.indices[0] == t.indices[1] for t in tensors):
        tensors = [_off_diagonal(t, tensors, rank) for t in tensors]
    scalars += [t.expr for t in tensors if not t.indices]
    body, more = _network([t for t in tensors if t.indices], rank, shape)
    scalars += more
    if body is None:
        return (c, _scalar_product(scalars)) if scalars else (Fraction(1 if c > 0 else -1), number(abs(c)))
    if not scalars:
        return c, body
    axes = tuple(range(body.rank))
    return c, contraction([*scalars, body], [*([()] * len(scalars)), axes], body.shape)


def scalars_of(term: Term) -> tuple[Fraction, list[Expr]]:
    """The scalar factors; sizes in the denominator take the coefficient's denominator along: 1/(2n)."""
    c = term.coefficient
    sizes, others = list[Leaf](), list[Expr]()
    for f in term.factors:
        if f.indices:
            continue
        if f.power == -1 and _is_symbolic_size(f.atom):
            assert isinstance(f.atom, Leaf)
            sizes.append(f.atom)
        else:
            others.append(_power(f))
    if not sizes:
        return c, others
    bottom = Size.constant(c.denominator)
    for leaf in sizes:
        assert isinstance(leaf.value, Size)
        bottom = bottom * leaf.value
    return Fraction(c.numerator), [power(size(bottom), -1), *others]


def _is_symbolic_size(atom: Atom) -> bool:
    """A size with a name in it. A number that is a size (784) is not multiplied into other numbers: it would no longer
    be that size.
    """
    return (
        isinstance(atom, Leaf) and isinstance(atom.value, Size) and atom.role is Role.SIZE and atom.value.value is None
    )


def _scalar_product(scalars: list[Expr]) -> Expr:
    if not scalars:
        return number(1)
    return scalars[0] if len(scalars) == 1 else contraction(scalars, [()] * len(scalars), ())


def _indices(f: Factor) -> Indices:
    """The indices of a factor but for axes of size 1."""
    return tuple([i for i in f.indices if i != ONLY])


def _power(f: Factor) -> Expr:
    """atom^p without axes of size 1; a negative power as the reciprocal of a positive one, which prints as a quotient."""
    base = to_expression(f.atom) if isinstance(f.atom, Form) else f.atom
    is_whole = f.power is WHOLE or f.power == 1
    if is_whole and ONLY not in f.indices:
        return base
    if len(set(f.indices)) < len(f.indices) == 2 and ONLY not in f.indices and not is_whole:
        # The powers of the diagonal, not the diagonal of the powers: there may be zeros off it.
        base = contraction([base], [(0, 0)], base.shape[:1])
    if ONLY in f.indices:
        base = total(base, tuple(k for k, i in enumerate(f.indices) if i == ONLY))
    return power(base, f.power) if f.power.numerator > 0 else power(power(base, -f.power), -1)


def _off_diagonal(t: Tensor, tensors: list[Tensor], rank: int) -> Tensor:
    """A matrix with the same index twice: its trace where nothing else holds the index, else its diagonal."""
    if len(t.indices) != 2 or t.indices[0] != t.indices[1]:
        return t
    if t.indices[0] >= rank and len(_degree(tensors, t.indices[0])) == 1:
        return Tensor(contraction([t.expr], [(0, 0)], ()), ())
    return Tensor(contraction([t.expr], [(0, 0)], t.expr.shape[:1]), t.indices[:1])


def _network(tensors: list[Tensor], rank: int, shape: Shape) -> tuple[Expr | None, list[Expr]]:
    """The product of tensors as one matrix-language expression over the axes, and scalars that split off."""
    scalars: list[Expr] = []
    while True:
        tensors = _merged(tensors, rank)
        if not any(i >= rank for t in tensors for i in t.indices):
            break  # nothing is summed
        step = _sum_alone(tensors, rank) or _chain(tensors, rank) or _scaled(tensors, rank)
        if step is None:
            break
        scalars += [t.expr for t in step if not t.indices]
        tensors = [t for t in step if t.indices]
    if not tensors:
        return None, scalars
    if any(len(t.indices) > 2 or max(t.indices) >= rank for t in tensors):
        return _general(tensors, shape), scalars
    return _assembled(tensors, shape), scalars


def _merged(tensors: list[Tensor], rank: int) -> list[Tensor]:
    """Elementwise products of what stands at the same indices; A_ij B_ji with both summed is left to the trace."""
    if len(tensors) < 2:
        return tensors
    groups: dict[tuple[object, ...], list[Tensor]] = {}
    for t in tensors:
        is_matrix = len(set(t.indices)) == len(t.indices) == 2
        if len(t.indices) == 1 or (is_matrix and min(t.indices) < rank):
            groups.setdefault((frozenset(t.indices),), []).append(t)
        elif is_matrix:
            groups.setdefault(t.indices, []).append(t)
        else:
            groups.setdefault((frozenset(t.indices), len(groups)), []).append(t)
    return [_hadamard(same) if len(same) > 1 else same[0] for same in groups.values()]


def _hadamard(same: list[Tensor]) -> Tensor:
    # The orientation that needs the fewest transposes.
    own = max((t.indices for t in same), key=lambda own: sum(t.indices == own for t in same))
    operands = [t.expr if t.indices == own else transpose(t.expr) for t in same]
    axes = tuple(range(len(own)))
    return Tensor(contraction(operands, [axes] * len(operands), operands[0].shape), own)


def _degree(tensors: list[Tensor], i: int) -> list[Tensor]:
    return [t for t in tensors if i in t.indices]


def _sum_alone(tensors: list[Tensor], rank: int) -> list[Tensor] | None:
    """An index that stands in one vector or matrix only: sum it there."""
    for t in tensors:
        alone = [k for k, i in enumerate(t.indices) if i >= rank and len(_degree(tensors, i)) == 1]
        if not alone or len(t.indices) > 2:
            continue
        kept = tuple(i for k, i in enumerate(t.indices) if k not in alone)
        summed = Tensor(total(t.expr, tuple(alone)), kept)
        return [summed if u is t else u for u in tensors]
    return None


def _chain(tensors: list[Tensor], rank: int) -> list[Tensor] | None:
    """A run of matrices linked by indices that nothing else holds becomes a matrix product."""
    for i in sorted({i for t in tensors for i in t.indices if i >= rank}):
        if not _is_link(tensors, i):
            continue
        run = _run(tensors, i, rank)
        if run is None:
            continue
        gone = {id(t) for t in run[0]}
        start = run[1][0]
        joined = _product(*run, is_trace=start >= rank and _is_link(tensors, start))
        place = min(k for k, t in enumerate(tensors) if id(t) in gone)
        return [joined if k == place else t for k, t in enumerate(tensors) if k == place or id(t) not in gone]
    return None


def _is_link(tensors: list[Tensor], i: int) -> bool:
    holders = _degree(tensors, i)
    return len(holders) == 2 and all(len(t.indices) <= 2 for t in holders)


def _run(tensors: list[Tensor], i: int, rank: int) -> tuple[list[Tensor], Indices] | None:
    """The longest run through the link i: its tensors in order, and the indices between and around them."""
    a, b = _degree(tensors, i)
    left, left_path = _walk(tensors, a, i, rank, b)
    if left is None:  # the walk came back: a closed run, a trace
        return _cycle(tensors, a, i)
    right, right_path = _walk(tensors, b, i, rank, a)
    assert right is not None
    run = [*reversed(left), *right]
    path = (*reversed(left_path), i, *right_path)
    if _is_turned(run, path):
        run, path = run[::-1], path[::-1]
    return run, path


def _walk(
    tensors: list[Tensor], start: Tensor, i: int, rank: int, stop: Tensor
) -> tuple[list[Tensor] | None, list[int]]:
    found, path, at = [start], list[int](), i
    while True:
        here = found[-1]
        others = [j for j in here.indices if j != at]
        if not others:
            return found, path
        at = others[0]
        path.append(at)
        if at < rank or not _is_link(tensors, at):
            return found, path
        following = next(t for t in _degree(tensors, at) if t is not here)
        if following is stop or following is start:
            return None, []
        found.append(following)


def _cycle(tensors: list[Tensor], start: Tensor, i: int) -> tuple[list[Tensor], Indices]:
    run, path, at = [start], [i], i
    while True:
        at = next(j for j in run[-1].indices if j != at)
        path.append(at)
        if at == i:
            return _least_turned_cycle(run, path)
        run.append(next(t for t in _degree(tensors, at) if t is not run[-1]))


def _least_turned_cycle(run: list[Tensor], path: list[int]) -> tuple[list[Tensor], Indices]:
    forwards, backwards = (run, tuple(path)), (run[::-1], tuple(path[::-1]))
    return min(forwards, backwards, key=lambda way: _turns(*way))


def _turns(run: list[Tensor], path: Indices) -> int:
    """How many matrices stand transposed in a run whose tensor k leads from path[k] to path[k+1]."""
    return sum(len(t.indices) == 2 and t.indices != (path[k], path[k + 1]) for k, t in enumerate(run))


def _is_turned(run: list[Tensor], path: Indices) -> bool:
    """Whether the run should be read from its other end: axis 0 on the left, else a vector last, else fewer turns."""
    first, last = (len(t.indices) == 1 for t in (run[0], run[-1]))
    if first != last:
        return first
    if first:
        forward = _turns(run[1:-1], path)
        return forward > len(run) - 2 - forward
    return path[0] > path[-1]


def _product(run: list[Tensor], path: Indices, *, is_trace: bool) -> Tensor:
    """The matrix product along a path; a closed path is a trace, or a diagonal where something else holds its index."""
    around = (
        *([None] if len(run[0].indices) == 1 else []),
        *path,
        *([None] if len(run[-1].indices) == 1 else []),
    )
    owns = []
    for k, t in enumerate(run):
        turned = len(t.indices) == 2 and t.indices != (around[k], around[k + 1])
        owns.append(transpose(t.expr) if turned else t.expr)
    if owns[-1].rank == 2 and len(around) == len(run) + 1 and around[0] == around[-1]:
        if not is_trace:
            # The diagonal of A B, entry by entry: the rows of A ⊙ Bᵀ summed.
            return Tensor(total(_chained(owns[:-1]) * transpose(owns[-1]), 1), path[:1])
        return Tensor(contraction([_chained(owns)], [(0, 0)], ()), ())
    return Tensor(_chained(owns), tuple(i for i in (around[0], around[-1]) if i is not None))


def _chained(matrices: list[Expr]) -> Expr:
    expr = matrices[0]
    for m in matrices[1:]:
        expr = contraction((expr, m), PRODUCTS[expr.rank, m.rank], (*expr.shape[:-1], *m.shape[1:]))
    return expr


def _scaled(tensors: list[Tensor], rank: int) -> list[Tensor] | None:
    """A vector at an index that links two matrices scales the rows or columns of one of them."""
    for v in tensors:
        if len(v.indices) != 1 or v.indices[0] < rank:
            continue
        matrices = [t for t in _degree(tensors, v.indices[0]) if len(t.indices) == 2]
        if len(matrices) != 2 or len(_degree(tensors, v.indices[0])) != 3:
            continue
        # The later matrix takes it: Aᵀ diag(v) B.
        m = matrices[1]
        return [_row_scaled(v, t) if t is m else t for t in tensors if t is not v]
    return None


def _row_scaled(v: Tensor, m: Tensor) -> Tensor:
    i = v.indices[0]
    turned = m.indices[0] != i
    own = transpose(m.expr) if turned else m.expr
    indices = (i, m.indices[0] if turned else m.indices[1])
    return Tensor(contraction([v.expr, own], [(0,), (0, 1)], own.shape), indices)


def _assembled(tensors: list[Tensor], axes: Shape) -> Expr:
    """Tensors at axes only: one elementwise product, rows and columns scaled by vectors."""
    rank = len(axes)
    operands, places = [], []
    for t in sorted(tensors, key=lambda t: (t.indices != (0,), len(t.indices) == 1)):
        ordered = t.indices == tuple(sorted(t.indices))
        operands.append(t.expr if ordered else transpose(t.expr))
        places.append(tuple(sorted(t.indices)))
    covered = {i for own in places for i in own}
    if places == [(0,), (1,)]:
        return _outer(*operands)
    if len(operands) == 1:
        return contraction(operands, places, axes)
    shape = tuple(axes[i] for i in sorted(covered))
    names = {i: k for k, i in enumerate(sorted(covered))}
    body = contraction(operands, [[names[i] for i in own] for own in places], shape)
    return contraction([body], [sorted(covered)], axes) if len(covered) < rank else body


def _outer(u: Expr, v: Expr) -> Expr:
    """u vᵀ; a vector that is a matrix times a vector takes its matrix outside: M a (N b)ᵀ is M a bᵀ Nᵀ."""
    left, right = list[Expr](), list[Expr]()
    while _is_matrix_times_vector(u):
        left.append(u.children[0])
        u = u.children[1]
    while _is_matrix_times_vector(v):
        right.append(transpose(v.children[0]))
        v = v.children[1]
    result = contraction((u, v), ((0,), (1,)), (*u.shape, *v.shape))
    if left:
        result = _chained([_chained(left), result])
    return _chained([result, *reversed(right)])


def _is_matrix_times_vector(e: Expr) -> bool:
    return isinstance(e, Contraction) and e.indices == ((0, 1), (1,))


def _general(tensors: list[Tensor], axes: Shape) -> Expr:
    """One contraction over everything: for what matrices cannot say."""
    return contraction([t.expr for t in tensors], [t.indices for t in tensors], axes)
