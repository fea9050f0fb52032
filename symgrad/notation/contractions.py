"""Contractions in matrices: transposes, sums with ones, broadcasts, products; scalars stand in front."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.graph.expression import Contraction, Elementwise, Expr, Linear
from symgrad.graph.sizes import ONE
from symgrad.notation.context import Context
from symgrad.notation.pieces import ONES, ONES_ROW, Fence, Level, Product, Tex, chain, tex, transpose
from symgrad.notation.products import Factor, entries, inner, norm, path, scaling, spread, trace
from symgrad.notation.scalars import merged, product_of, scaled


def contraction(node: Contraction, context: Context) -> Tex:
    """The contraction in LaTeX; an axis of size 1 that nothing runs along makes a column or a row."""
    factors = _factors(node, context)
    covered = {i for f in factors for i in f.own}
    thin = [a for a in range(node.rank) if node.shape[a] == ONE and a not in covered]
    place = {a: k for k, a in enumerate(a for a in range(node.rank) if a not in thin)}
    rank = len(place)
    # Result axes come first again; what is summed is only renumbered.
    own = [tuple(place.get(i, i) if i < node.rank else i for i in f.own) for f in factors]
    factors = [replace(f, own=indices) for f, indices in zip(factors, own, strict=True)]
    piece = _network(factors, rank, context)
    return transpose(piece) if node.rank == 2 and thin == [0] else piece


def plain(e: Expr, context: Context) -> Tex | None:
    """A broadcast constant without its ones, as sums and functions of arrays hold it: 1 - P, [Z > 0]."""
    if not isinstance(e, Contraction) or len(e.operands) != 1 or _factors(e, context)[0].own:
        return None
    piece = context.of(e.operands[0])
    return piece if piece.is_constant else None


def is_sum_of_axis(e: Expr) -> bool:
    """Whether `e` is the plain sum over one axis of a matrix, kept with size 1 or not."""
    while isinstance(e, Contraction) and len(e.operands) == 1 and (e.rank < 2 or ONE in e.shape):
        (own,) = e.indices
        operand = e.operands[0]
        if operand.rank == 2 and sum(i >= e.rank for i in own) == 1 and ONE not in operand.shape:
            return True
        e = operand
    return False


def _factors(node: Contraction, context: Context) -> list[Factor]:
    uses = Counter(i for own in node.indices for i in own)
    found = []
    for e, own in zip(node.operands, node.indices, strict=True):
        kept = [k for k, i in enumerate(own) if not (e.shape[k] == ONE and i >= node.rank and uses[i] == 1)]
        piece = context.of(e)
        if e.rank == 2 and kept == [1]:
            piece = _turned(piece)
        base = e.operands[0] if isinstance(e, Elementwise) and piece.inverse is not None else e
        found.append(Factor(e, piece, tuple(own[k] for k in kept), is_sum_of_axis(base)))
    return found


def _turned(piece: Tex) -> Tex:
    turned = transpose(piece)
    return replace(turned, inverse=transpose(piece.inverse)) if piece.inverse is not None else turned


def _network(factors: Sequence[Factor], rank: int, context: Context) -> Tex:
    sign, factors = _without_signs(factors)
    parts = [_part(component, rank) for component in _components(factors, rank)]
    found = [part for part in parts if part is not None]
    scalars = [product_of(f.piece, is_scalar=True) for f in found if not f.own]
    arrays = [f for f in found if f.own]
    if len(found) < len(parts):
        core = _last_resort(factors, rank, context)
        scalars = [product_of(f.piece, is_scalar=True) for f in factors if not f.own]
    elif not arrays:
        return spread(_in_front(sign, scalars, None), (), rank)
    else:
        single = _turned_or_spread(arrays[0], rank) if len(arrays) == 1 else scaling(arrays, rank)
        core = single if single is not None else _last_resort(factors, rank, context)
    return _in_front(sign, scalars, replace(core, rank=rank))


def _in_front(sign: int, scalars: Sequence[Product], core: Tex | None) -> Tex:
    if core is None:
        return scaled(merged([Product(Fraction(sign)), *scalars]))
    if not scalars and sign == 1:
        return core
    last = product_of(core, is_scalar=not core.rank)
    return scaled(merged([Product(Fraction(sign)), *scalars, last], last.core))


def _last_resort(factors: Sequence[Factor], rank: int, context: Context) -> Tex:
    spliced = [g for f in factors if f.own for g in _spliced(f, factors, context)]
    return entries(spliced, rank, context)


def _spliced(f: Factor, beside: Sequence[Factor], context: Context) -> list[Factor]:
    """A factor that is a product of arrays itself, as its operands."""
    e = f.node
    if not isinstance(e, Contraction) or len(f.own) != e.rank:
        return [f]
    names = dict(enumerate(f.own))
    # Summed indices of one operand keep apart from those of the others.
    fresh = 100 * (1 + next(k for k, g in enumerate(beside) if g is f)) + max(i for g in beside for i in g.own)
    found = []
    for operand, own in zip(e.operands, e.indices, strict=True):
        if not own:
            return [f]
        for i in own:
            names.setdefault(i, fresh + len(names))
        piece = context.of(operand)
        if piece.product is not None and piece.product.coefficient < 0:
            return [f]
        found.append(Factor(operand, piece, tuple(names[i] for i in own)))
    return [h for g in found for h in _spliced(g, [*found, *beside], context)]


def _without_signs(factors: Sequence[Factor]) -> tuple[int, list[Factor]]:
    """The sign of a product stands in front of it: -Y ⊘ P, not (-Y) ⊘ P."""
    sign, kept = 1, list[Factor]()
    for f in factors:
        p = f.piece.product
        if p is not None and p.coefficient < 0:
            sign = -sign
            f = replace(f, piece=scaled(replace(p, coefficient=-p.coefficient)))
        kept.append(f)
    return sign, kept


def _components(factors: Sequence[Factor], rank: int) -> list[list[Factor]]:
    """Factors that share summed indices belong together."""
    groups: list[list[Factor]] = []
    for f in factors:
        bound = {i for i in f.own if i >= rank}
        linked = [g for g in groups if any(bound & set(other.own) for other in g)]
        joined = [*(other for g in linked for other in g), f]
        place = groups.index(linked[0]) if linked else len(groups)
        groups = [g for g in groups if g not in linked]
        groups.insert(place, joined)
    return groups


def _part(component: Sequence[Factor], rank: int) -> Factor | None:
    """A component with its sums carried out: what is left are axes of the result."""
    first = component[0]
    if len(component) == 1 and len(set(first.own)) < len(first.own):
        return _repeated(first, rank)
    axes = sorted({i for f in component for i in f.own if i < rank})
    if len(component) == 1 and len(axes) == len(first.own):
        return first
    place = {axis: k for k, axis in enumerate(axes)}
    local = [replace(f, own=tuple(place.get(i, i + rank) for i in f.own)) for f in component]
    piece = _summed_alone(local[0], len(axes)) if len(local) == 1 else path(local, len(axes))
    if piece is None:
        return None
    is_sum = len(component) == 1 and len(axes) == 1
    return Factor(None, replace(piece, rank=len(axes)), tuple(axes), is_sum)


def _summed_alone(f: Factor, rank: int) -> Tex | None:
    """A vector or matrix summed over an axis or over all: 1ᵀv, 1ᵀA1, A1, Aᵀ1."""
    if len(f.own) > 2:
        return None
    if not rank:
        return chain([ONES_ROW, f.piece] if len(f.own) == 1 else [ONES_ROW, f.piece, ONES])
    if f.own[0] < rank:
        return chain([f.piece, ONES])
    return replace(chain([transpose(f.piece), ONES]), transposed=chain([ONES_ROW, f.piece]))


def _turned_or_spread(f: Factor, rank: int) -> Tex | None:
    if f.own == tuple(range(rank)):
        return f.piece
    if f.own == (1, 0):
        return transpose(f.piece)
    return spread(f.piece, f.own, rank) if rank == 2 else None


def _repeated(f: Factor, rank: int) -> Factor | None:
    """A matrix with one index twice: its diagonal, or its trace."""
    if len(f.own) != 2:
        return None
    if f.own[0] >= rank:
        return Factor(None, trace(f.piece), ())
    diagonal = tex(r"\mathrm{diag}", Fence(f.piece, "(", ")"), level=Level.CALL, marks=("diagonal",))
    return Factor(None, replace(diagonal, rank=1, is_word=True), f.own[:1])


def total(node: Contraction, context: Context) -> Tex | None:
    """Σ over all entries of a square or a product: ‖r‖², ⟨A, B⟩; None where it is neither."""
    e, coefficient = _summed(node)
    if e is node:
        return None
    found: Tex | None = None
    front = []
    if isinstance(e, Elementwise) and e.function == "power" and e.parameter == 2 and e.rank:
        found = norm(context.of(e.operands[0]), e.rank, is_squared=True)
    elif isinstance(e, Contraction):
        arrays = [x for x, own in zip(e.operands, e.indices, strict=True) if own]
        full = all(own in ((), tuple(range(e.rank))) for own in e.indices)
        shaped = all(x.shape == e.shape and context.of(x).inverse is None for x in arrays)
        if full and shaped and len(arrays) > 1:
            factors = [Factor(x, context.of(x), tuple(range(e.rank))) for x in arrays]
            sign, factors = _without_signs(factors)
            coefficient *= sign
            found = inner([(f.node, f.piece) for f in factors], e.rank)
            front = [context.of(x) for x, own in zip(e.operands, e.indices, strict=True) if not own]
    if found is None:
        return None
    scalars = [product_of(piece, is_scalar=True) for piece in (*front, found)]
    whole = merged(scalars)
    whole = replace(whole, coefficient=whole.coefficient * coefficient)
    return found if not front and coefficient == 1 else scaled(whole)


def _summed(node: Contraction) -> tuple[Expr, Fraction]:
    """What is summed over all its entries in the end, through sums of sums, and the number before it."""
    e: Expr = node
    coefficient = Fraction(1)
    while not node.rank:
        if isinstance(e, Contraction) and len(e.operands) == 1:
            (own,) = e.indices
            is_whole = len(set(own)) == len(own) and all(a in own or e.shape[a] == ONE for a in range(e.rank))
            if not is_whole or not own:
                break
            e = e.operands[0]
        elif isinstance(e, Linear) and len(e.terms) == 1 and e.rank:
            coefficient *= e.terms[0][0]
            e = e.terms[0][1]
        else:
            break
    return e, coefficient
