"""Products of arrays: elementwise, by a diagonal, as a chain of matrices, as ⟨A, B⟩, else entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgrad.graph.expression import Expr, Leaf, Role
from symgrad.notation.context import Context
from symgrad.notation.names import differential, entry, joined
from symgrad.notation.pieces import (
    ONE,
    ONES,
    ONES_ROW,
    Cotangent,
    Fence,
    Level,
    SumSign,
    Tex,
    chain,
    enclosed,
    fenced,
    juxtaposed,
    tex,
    transpose,
)
from symgrad.notation.scalars import merged, product_of, scaled
from symgrad.notation.windows import from_one, spelled
from symgrad.records import dataclass

Indices = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """An operand at its indices, without axes of size 1 that are only stretched; a vector is a column.

    `is_sum` holds of plain sums over an axis of a matrix: beside a matrix they read M11ᵀ, not diag(M1).
    """

    node: Expr | None
    piece: Tex
    own: Indices
    is_sum: bool = False


def hadamard(pieces: Sequence[Tex]) -> Tex:
    """A ⊙ B ⊘ C: the factors of the form 1 ⊘ C last."""
    above = [p for p in pieces if p.inverse is None]
    below = [p.inverse for p in pieces if p.inverse is not None]
    if not below:
        return _joined(above, r" \odot ", "odot")
    top = _joined(above, r" \odot ", "odot") if above else ONE
    bottom = _joined(below, r" \odot ", "odot")
    left = top if top.level is Level.HADAMARD else _operand(top, is_last=False)
    right = enclosed(bottom, Level.POSTFIX)
    divided = tex(left, r" \oslash ", right, level=Level.HADAMARD, marks=("oslash",))
    return divided if above else replace(divided, inverse=bottom)


def _joined(pieces: Sequence[Tex], sign: str, mark: str) -> Tex:
    if len(pieces) == 1:
        return pieces[0]
    parts: list[Tex | str] = []
    for k, piece in enumerate(pieces):
        parts += [*([sign] if k else []), _operand(piece, is_last=k == len(pieces) - 1)]
    return tex(*parts, level=Level.HADAMARD, marks=(mark,))


def _operand(piece: Tex, *, is_last: bool) -> Tex:
    if piece.level is Level.OPERATOR and not is_last:
        return fenced(piece)
    if piece.marks == {"odot"}:
        return piece
    return enclosed(piece, Level.SCALED)


def diag(vector: Tex) -> Tex:
    """The matrix with the vector on its diagonal; diag(v)⁻¹ of 1 ⊘ v."""
    inner = vector if vector.inverse is None else vector.inverse
    call = tex(r"\mathrm{diag}", Fence(inner, "(", ")"), level=Level.CALL, marks=("diag",))
    if vector.inverse is not None:
        call = tex(call, "^{-1}", level=Level.POSTFIX, marks=("inverse",))
    return replace(call, is_word=True, transposed=call)


def spread(piece: Tex, kept: Indices, rank: int) -> Tex:
    """A scalar or vector repeated over the axes of a vector or matrix that are not in `kept`."""
    if kept == tuple(range(rank)):
        return piece
    if kept and piece.product is not None and piece.product.core is not None:
        return scaled(replace(piece.product, core=spread(piece.product.core, kept, rank)))
    if not kept:
        ones = ONES if rank != 2 else chain([ONES, ONES_ROW])
        return scaled(merged([product_of(piece, is_scalar=True)], ones))
    return chain([piece, ONES_ROW]) if kept == (0,) else chain([ONES, transpose(piece)])


def scaling(factors: Sequence[Factor], rank: int) -> Tex | None:
    """A product without sums, of a vector or matrix result: diag(v) M, M diag(v), u vᵀ, A ⊙ B."""
    full, rows, columns = list[Tex](), list[Tex](), list[Tex]()
    for f in factors:
        place = {(0,): rows, (1,): columns, (1, 0): full, tuple(range(rank)): full}.get(f.own)
        if place is None or (rank > 2 and place is not full):
            return None
        place.append(transpose(f.piece) if f.own == (1, 0) else f.piece)
    if rank < 2 or not (rows or columns):
        return hadamard(full)
    if not full:
        u, v = (hadamard(side) if side else None for side in (rows, columns))
        if u is not None and v is not None:
            return chain([u, transpose(v)])
        return spread(u, (0,), 2) if u is not None else spread(v, (1,), 2) if v is not None else None
    return _scaled_matrix(factors, full)


def _scaled_matrix(factors: Sequence[Factor], full: list[Tex]) -> Tex:
    # On a diagonal a sum is a vector like any other: diag(M1).
    is_diagonal = all(isinstance(f.node, Leaf) and f.node.role is Role.IDENTITY for f in factors if len(f.own) == 2)
    vectors = [replace(f, is_sum=f.is_sum and not is_diagonal) for f in factors if len(f.own) == 1]
    for f in vectors:
        if f.is_sum:
            full = [*full, _spread_below(f.piece, f.own)]
    left = [f.piece for f in vectors if not f.is_sum and f.own == (0,)]
    right = [f.piece for f in vectors if not f.is_sum and f.own == (1,)]
    identities = {id(f.piece) for f in factors if isinstance(f.node, Leaf) and f.node.role is Role.IDENTITY}
    others = [piece for piece in full if id(piece) not in identities]
    if len(others) < len(full) and not others and (left or right):
        return diag(hadamard([*left, *right]))
    middle = hadamard(full)
    sides = [[diag(hadamard(side))] if side else [] for side in (left, right)]
    return chain([*sides[0], middle, *sides[1]])


def _spread_below(piece: Tex, own: Indices) -> Tex:
    if piece.inverse is None:
        return spread(piece, own, 2)
    bottom = spread(piece.inverse, own, 2)
    return replace(piece, inverse=bottom)


# ---- sums of products


def norm(piece: Tex, rank: int, *, is_squared: bool) -> Tex:
    """‖v‖ of a vector, ‖A‖_F of a matrix, squared or not."""
    suffix = ("_{F}" if rank > 1 else "") + ("^{2}" if is_squared else "")
    fence = Fence(piece, r"\lVert", r"\rVert")
    marks = ("frobenius",) if rank > 1 else ("norm",)
    level = Level.POSTFIX if is_squared else Level.ATOM
    return tex(fence, *([suffix] if suffix else []), level=level, marks=marks)


def inner(factors: Sequence[tuple[Expr | None, Tex]], rank: int) -> Tex:
    """Σ of a product over all axes: ‖A‖², uᵀv, ⟨A, B⟩."""
    (first, a), *rest = factors
    if first is not None and len(rest) == 1 and rest[0][0] is first:
        return norm(a, rank, is_squared=True)
    b = hadamard([piece for _, piece in rest])
    if rank == 1:
        return chain([transpose(a), b])
    both = tex(a, ", ", b, level=Level.SUM)
    return tex(Fence(both, r"\langle", r"\rangle"), level=Level.ATOM, marks=("bracket",))


def trace(piece: Tex) -> Tex:
    """tr(A)."""
    return tex(r"\mathop{\mathrm{tr}}", Fence(piece, "(", ")"), level=Level.CALL, marks=("trace",))


@dataclass(slots=True)
class _Link:
    """Factors at the same indices, as one vector or matrix; used once in a path."""

    piece: Tex
    own: Indices
    is_used: bool = False


def path(factors: Sequence[Factor], rank: int) -> Tex | None:
    """A sum over indices that each lead from one matrix to the next: A B, xᵀA x, A diag(v) B, tr(A B)."""
    if rank > 2 or any(len(f.own) > 2 or len(set(f.own)) < len(f.own) for f in factors):
        return None
    links = _links(factors)
    if len(links) == 1 and min(links[0].own) >= rank:
        return _whole(factors)
    start = _start(links, rank)
    if start is None:
        return _cycle(links)
    pieces, at = start
    if not _follow(links, pieces, at, rank) or not all(link.is_used for link in links):
        return None
    # The row of Aᵀx is xᵀA, but that of A x stays (A x)ᵀ.
    if rank == 1 and len(pieces) > 1 and pieces[0].is_turned:
        return replace(chain(pieces), transposed=chain([transpose(p) for p in reversed(pieces)]))
    return chain(pieces)


def _whole(factors: Sequence[Factor]) -> Tex:
    """Σ_ij a_ij b_ij is ⟨A, B⟩, Σ_ij a_ij b_ji is tr(A B)."""
    first = factors[0]
    if len(factors) == 2 and first.own != factors[1].own:
        return trace(chain([f.piece for f in factors]))
    if all(f.own == first.own for f in factors):
        return inner([(f.node, f.piece) for f in factors], len(first.own))
    return inner([(None, f.piece if f.own == first.own else transpose(f.piece)) for f in factors], 2)


def _links(factors: Sequence[Factor]) -> list[_Link]:
    groups: dict[frozenset[int], list[Factor]] = {}
    for f in factors:
        groups.setdefault(frozenset(f.own), []).append(f)
    merged_ = []
    for same in groups.values():
        own = same[0].own
        merged_.append(_Link(hadamard([f.piece if f.own == own else transpose(f.piece) for f in same]), own))
    return merged_


def _start(links: Sequence[_Link], rank: int) -> tuple[list[Tex], int] | None:
    """The left end: axis 0, or a vector, or an index that one matrix alone holds."""
    if rank:
        return [], 0
    for link in links:
        if len(link.own) == 1 and sum(link.own[0] in other.own for other in links) == 2:
            link.is_used = True
            return [transpose(link.piece)], link.own[0]
    held = [i for link in links for i in link.own]
    alone = [i for i in held if held.count(i) == 1]
    return ([ONES_ROW], alone[0]) if alone else None


def _follow(links: Sequence[_Link], pieces: list[Tex], at: int, rank: int) -> bool:
    """Walk from matrix to matrix, appending; False where the way forks or ends at the wrong axis."""
    while True:
        here = [link for link in links if not link.is_used and at in link.own]
        vectors = [link for link in here if len(link.own) == 1]
        matrices = [link for link in here if len(link.own) == 2]
        is_end = not matrices
        if len(matrices) > 1 or len(vectors) > 1:
            return False
        for v in vectors:
            v.is_used = True
            pieces.append(v.piece if is_end and rank < 2 else diag(v.piece))
        if is_end:
            if rank < 2 and not vectors and (at or not rank):
                pieces.append(ONES)
            return bool(pieces) and (at == 1 if rank == 2 else rank == 0 or at != 0)
        (m,) = matrices
        m.is_used = True
        pieces.append(m.piece if m.own[0] == at else transpose(m.piece))
        at = m.own[1] if m.own[0] == at else m.own[0]


def _cycle(links: Sequence[_Link]) -> Tex | None:
    if any(len(link.own) != 2 for link in links):
        return None
    first = links[0]
    first.is_used = True
    pieces, at = [first.piece], first.own[1]
    while at != first.own[0]:
        here = [link for link in links if not link.is_used and at in link.own]
        if len(here) != 1:
            return None
        here[0].is_used = True
        own = here[0].own
        pieces.append(here[0].piece if own[0] == at else transpose(here[0].piece))
        at = own[1] if own[0] == at else own[0]
    return trace(chain(pieces)) if all(link.is_used for link in links) else None


# ---- entry by entry


def entries(factors: Sequence[Factor], rank: int, context: Context) -> Tex:
    """[Σ a_ij b_jk]_ik, where no form in matrices is known."""
    everything = {i for f in factors for i in f.own}
    said, left = spelled([f.own for f in factors if _is_window(f)], {i for i in everything if i >= rank})
    factors = [f for f in factors if not _is_window(f) or f.own in set(left)]
    used = sorted((everything | set(range(rank))) - said.keys())
    letter = dict(zip(used, context.letters, strict=False))
    letter |= {i: f"i_{{{i}}}" for i in used[len(context.letters) :]}
    bound = [letter[i] for i in used if i >= rank]
    letter |= {i: from_one(letter[a], sign, letter[b]) for i, (a, sign, b) in said.items()}
    body = juxtaposed([_entry(f, [letter[i] for i in f.own], context) for f in factors], Level.CHAIN)
    if bound:
        body = tex(SumSign(",".join(bound)), " ", body, level=Level.CHAIN, marks=("sum",))
    if not rank:
        return body
    axes = "".join(letter[i] for i in range(rank))
    marks = ("entries", *(("outside",) if any(sign == "-" for _, sign, _ in said.values()) else ()))
    return tex(Fence(body, "[", "]"), f"_{{{axes}}}", level=Level.ATOM, marks=marks)


def _is_window(f: Factor) -> bool:
    return isinstance(f.node, Leaf) and f.node.role is Role.WINDOW


def _entry(factor: Factor, indices: Sequence[str], context: Context) -> Tex:
    node = factor.node
    if not isinstance(node, Leaf) or node.value is not None:
        below = f"_{{{joined(indices)}}}" if indices else ""
        return tex(enclosed(factor.piece, Level.ATOM), below, level=Level.ATOM) if below else factor.piece
    if node.role is Role.WINDOW:
        return tex(f"[{indices[0]} = {from_one(indices[1], '+', indices[2])}]", level=Level.ATOM, marks=("indicator",))
    if node.role is Role.IDENTITY:
        return tex(rf"\delta_{{{''.join(indices)}}}", level=Level.ATOM, marks=("delta",))
    own = entry(node.name, indices, context.capitals)
    if node.role is Role.COTANGENT:
        return tex(Cotangent(context.loss, own), level=Level.POSTFIX)
    return tex(differential(own) if node.role is Role.DIFFERENTIAL else own, level=Level.ATOM)
