"""Inner products ⟨A, B⟩ with a differential dX in B, and the laws by which everything else leaves B for A."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from symgrad.derive.derivation import Move
from symgrad.derive.reverse import contraction_cotangent
from symgrad.graph.expression import Apply, Contraction, Expr, Leaf, Linear, Role, contraction, linear, scale
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass
from symgrad.rewrite.display import written

ONE = Fraction(1)
# A step is shown in at most this many lines between "dY put in" and "collected"; those in the middle become one.
MOST_MOVES = 3
# These are done together with what comes next: they only say where the entries stand.
LIGHT = frozenset({Move.SCALAR, Move.TRACE, Move.TRANSPOSE, Move.SUM, Move.SPREAD})
PRODUCTS = frozenset({Move.LEFT, Move.RIGHT})


@dataclass(frozen=True, slots=True)
class Bracket:
    """coefficient·⟨left, right⟩; of scalars their product."""

    coefficient: Fraction
    left: Expr
    right: Expr

    @property
    def expression(self) -> Expr:
        """The inner product as a scalar."""
        return paired(self.left, self.right)


def paired(left: Expr, right: Expr) -> Expr:
    """⟨left, right⟩."""
    axes = tuple(range(left.rank))
    return contraction((left, right), (axes, axes), ())


def summed(brackets: Iterable[Bracket]) -> Expr:
    """The sum of inner products as one scalar, from which `brackets_of` reads them again."""
    return linear([(b.coefficient, b.expression) for b in brackets])


def brackets_of(e: Expr) -> list[tuple[Fraction, Expr | Bracket]]:
    """The inner products of a line, each with its coefficient; a leaf that stands for a Σ of them as itself.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> a, b = data("a", n), data("b", n)
    >>> [(str(c), str(x.left), str(x.right)) for c, x in brackets_of(-paired(a, b))]
    [('-1', 'a', 'b')]
    """
    terms = e.terms if isinstance(e, Linear) else ((ONE, e),)
    return [(c, bracket_of(x) or x) for c, x in terms]


def bracket_of(e: Expr) -> Bracket | None:
    """An inner product, read from the scalar that it is."""
    if isinstance(e, Contraction) and len(e.operands) == 2:
        return Bracket(ONE, *e.operands)
    return None


# ---- off dX


@dataclass(frozen=True, slots=True)
class State:
    """What one use adds to dL, written in one of its ways."""

    brackets: tuple[Bracket, ...]
    moves: tuple[Move, ...]


def moved(start: Sequence[Bracket], dx: Leaf) -> list[State]:
    """The inner products in lines, until dX stands alone on the right of every one of them."""
    states = [State(tuple(start), ())]
    while any(b.right is not dx for b in states[-1].brackets):
        moves: dict[Move, None] = {}
        brackets = [b for old in states[-1].brackets for b in one_line(old, dx, moves)]
        states.append(State(tuple(brackets), tuple(moves)))
    if len(states) - 1 > MOST_MOVES:
        middle = states[2:-1]
        moves = dict.fromkeys(move for s in middle for move in s.moves)
        states = [*states[:2], State(middle[-1].brackets, tuple(moves)), states[-1]]
    return states


def one_line(b: Bracket, dx: Leaf, moves: dict[Move, None]) -> list[Bracket]:
    """One law applied, with all that only says where entries stand; a sum is opened where a line begins."""
    if isinstance(b.right, Linear) and len(b.right.terms) > 1:
        moves[Move.SPLIT] = None
        opened = [Bracket(b.coefficient * c, b.left, e) for c, e in b.right.terms]
        return [x for part in opened for x in one_line(part, dx, moves)]
    heavy: set[Move] = set()
    b = _without_coefficient(b)
    while b.right is not dx and not isinstance(b.right, Linear):
        assert isinstance(b.right, Contraction | Apply)
        places = [k for k, e in enumerate(b.right.operands) if _holds(e, dx)]
        place = places[0]
        move = _move(b.right, place) if isinstance(b.right, Contraction) else Move.ADJOINT
        if move not in LIGHT:
            if heavy and not (heavy | {move} <= PRODUCTS):
                break
            heavy.add(move)
        moves[move] = None
        parts = [_without_sign(b.coefficient, _adjoint(b.right, k, b.left), b.right.operands[k]) for k in places]
        parts = list(map(_without_coefficient, parts))
        if len(parts) > 1:  # [dX, 2 dX]: a join is linear in all of its operands together
            return parts
        (b,) = parts
    return [b]


def _without_coefficient(b: Bracket) -> Bracket:
    """The inner product with the coefficient of its right side in front of it."""
    while isinstance(b.right, Linear) and len(b.right.terms) == 1:
        ((c, e),) = b.right.terms
        b = Bracket(b.coefficient * c, b.left, e)
    return b


def _adjoint(node: Contraction | Apply, place: int, left: Expr) -> Expr:
    """What stands beside the operand in `place` when everything else has left it."""
    if isinstance(node, Contraction):
        return contraction_cotangent(node, place, left)
    return PRIMITIVES[node.primitive].pullback(left, node, node.operands, dict(node.options))[place]


def _without_sign(coefficient: Fraction, left: Expr, right: Expr) -> Bracket:
    """The inner product with the left side's own coefficient in front of it."""
    shortest = written(scale(coefficient, left))
    if isinstance(shortest, Linear) and len(shortest.terms) == 1:
        ((c, e),) = shortest.terms
        return Bracket(c, e, right)
    return Bracket(ONE, shortest, right)


def _holds(e: Expr, dx: Leaf) -> bool:
    return any(node is dx for node in postorder([e]))


def _move(node: Contraction, place: int) -> Move:
    """The law by which everything but the operand in `place` goes to the left."""
    own, rank = node.indices[place], node.rank
    others = [indices for k, indices in enumerate(node.indices) if k != place and indices]
    if len(node.operands) == 1:
        return _move_of_one(node)
    if not others:
        return Move.SCALAR
    if not own:
        return Move.OUT
    if any(e.role is Role.IDENTITY for e in node.operands if isinstance(e, Leaf)):
        return Move.DIAGONAL
    pattern = read(node.indices, rank).pattern
    if pattern is Pattern.MATMUL:
        # The inner product of two vectors moves nothing but the number in front of it.
        return Move.SCALAR if not rank else Move.LEFT if place else Move.RIGHT
    partial = {indices for indices in others if len(indices) < rank}
    if pattern is Pattern.PRODUCT and len(own) == rank and not partial:
        return Move.HADAMARD
    if pattern is not Pattern.PRODUCT or rank > 2:
        return Move.ENTRIES
    if len(own) == rank:
        return Move.LEFT if partial == {(0,)} else Move.RIGHT
    if len(others) == 1 and len(others[0]) == 1:
        return Move.RIGHT if own < others[0] else Move.LEFT
    return Move.SCALING


def _move_of_one(node: Contraction) -> Move:
    (own,) = node.indices
    if not own:
        return Move.OUT
    pattern = read(node.indices, node.rank).pattern
    return {
        Pattern.PERMUTE: Move.TRANSPOSE,
        Pattern.TRACE: Move.TRACE,
        Pattern.DIAGONAL: Move.DIAGONAL,
        Pattern.SUM: Move.SUM,
        Pattern.BROADCAST: Move.SPREAD,
        Pattern.EXPAND: Move.SPREAD,
    }.get(pattern, Move.ENTRIES)
