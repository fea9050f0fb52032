"""A step by differentials: dL = ⟨∂L/∂Y, dY⟩, dY put in, everything moved off dX; what is left beside it is the gradient.

⟨A, B⟩ is the sum of the products of corresponding entries. dY comes from the definition of Y by the product rule, by the
derivatives of the scalar functions, and for a primitive from its pullback, whose transpose is the differential. Each dY is
proved against SymPy, and each line against the one before it: the sums are polynomials in the entries of dX, so that two
are equal where they are equal for every dX.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest

from symgrad.derive.alike import Form, form_of
from symgrad.derive.derivation import (
    Contribution,
    Derivation,
    DifferentialLine,
    Equation,
    Line,
    Move,
    Proof,
    Verdict,
)
from symgrad.derive.equality import prove_equal
from symgrad.derive.forward import TangentStep, proved_tangents, transposed
from symgrad.derive.proof import renamed
from symgrad.derive.reverse import accumulate, contraction_cotangent, cotangent_of, local_derivatives
from symgrad.graph.expression import (
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    contraction,
    is_number,
    leaf,
    linear,
    multiply,
    number,
    scale,
)
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.display import Reason, Why, written

ONE = Fraction(1)
# A step is shown in at most this many lines between "dY put in" and "collected"; those in the middle become one.
MOST_MOVES = 3
# These are done together with what comes next: they only say where the entries stand.
LIGHT = frozenset({Move.SCALAR, Move.TRACE, Move.TRANSPOSE, Move.SUM, Move.SPREAD})
# The differential of a loss Σ A ⊙ B is written ⟨A, dB⟩ at once.
WRITTEN_SO = frozenset({Move.SPLIT, Move.SCALAR, Move.SUM, Move.HADAMARD})
PRODUCTS = frozenset({Move.LEFT, Move.RIGHT})


def with_differentials(derivation: Derivation) -> Derivation:
    """The derivation with a proved chain of inner products on every backward equation; CheckFailed where one is wrong.

    >>> from symgrad.derive.engine import derive
    >>> from symgrad.primitives.language import data, dims, parameter, sum, tanh
    >>> n, d = dims("n d")
    >>> X, w = data("X", n, d), parameter("w", d)
    >>> found = with_differentials(derive(sum(tanh(X @ w))))
    >>> [str(line.expression) for line in found.backward[-1].differential]
    ['z_bar @ dz', 'z_bar @ (X @ dw)', '(X.T @ z_bar) @ dw']
    """
    prover = _Prover(derivation)
    return replace(derivation, backward=tuple(prover.equation(eq) for eq in derivation.backward))


def differential_of(variable: Leaf) -> Leaf:
    """The leaf that stands for d(variable)."""
    return leaf(variable.name, variable.shape, Role.DIFFERENTIAL)


# ---- dY


def differential(expression: Expr, value: Leaf | None, variable: Leaf) -> Expr | None:
    """dY of Y = expression when the variable moves by dX, every other name held; None where it is 0.

    `value` is the name of Y, where it has one: derivatives may be written in it.

    >>> from symgrad.primitives.language import data, dims, inv
    >>> n = dims("n")
    >>> str(differential(inv(data("X", n, n)), data("Y", n, n), data("X", n, n)))
    '-Y @ dX @ Y'
    """
    moving: dict[Expr, Expr] = {variable: differential_of(variable)}
    for node in postorder([expression]):
        inner = [moving.get(e) for e in node.children]
        if node is variable or all(d is None for d in inner):
            continue
        parts = _parts(node, value if node is expression and value is not None else node, inner)
        if parts:
            moving[node] = accumulate(parts)
    found = moving.get(expression)
    return None if found is None else written(found)


def _parts(node: Expr, value: Expr, inner: Sequence[Expr | None]) -> list[Expr]:
    """What each operand that moves adds: the sum rule, the product rule, f'(Z) ⊙ dZ, a primitive's own differential."""
    moved = [(k, d) for k, d in enumerate(inner) if d is not None]
    if isinstance(node, Linear):
        return [scale(node.terms[k][0], d) for k, d in moved]
    if isinstance(node, Contraction):
        operands = node.operands
        return [contraction([*operands[:k], d, *operands[k + 1 :]], node.indices, node.shape) for k, d in moved]
    if isinstance(node, Elementwise):
        slopes = local_derivatives(node, value)
        return [multiply(f, d) for k, d in moved if (f := slopes[k]) is not None]
    assert isinstance(node, Apply)
    seed = leaf("", node.shape, Role.COTANGENT)
    pulled = PRIMITIVES[node.primitive].pullback(seed, value, node.operands, dict(node.options))
    return [pushed for k, d in moved if (pushed := transposed(pulled[k], seed, d)) is not None]


# ---- inner products


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
class _State:
    """What one use adds to dL, written in one of its ways."""

    brackets: tuple[Bracket, ...]
    moves: tuple[Move, ...]


def _moved(start: Bracket, dx: Leaf) -> list[_State]:
    """⟨Ȳ, dY⟩ in lines, until dX stands alone on the right of every inner product."""
    states = [_State((start,), ())]
    while any(b.right is not dx for b in states[-1].brackets):
        moves: dict[Move, None] = {}
        brackets = [b for old in states[-1].brackets for b in _one_line(old, dx, moves)]
        states.append(_State(tuple(brackets), tuple(moves)))
    if len(states) - 1 > MOST_MOVES:
        middle = states[2:-1]
        moves = dict.fromkeys(move for s in middle for move in s.moves)
        states = [*states[:2], _State(middle[-1].brackets, tuple(moves)), states[-1]]
    return states


def _one_line(b: Bracket, dx: Leaf, moves: dict[Move, None]) -> list[Bracket]:
    """One law applied, with all that only says where entries stand; a sum is opened where a line begins."""
    if isinstance(b.right, Linear) and len(b.right.terms) > 1:
        moves[Move.SPLIT] = None
        opened = [Bracket(b.coefficient * c, b.left, e) for c, e in b.right.terms]
        return [x for part in opened for x in _one_line(part, dx, moves)]
    heavy: set[Move] = set()
    while b.right is not dx:
        if isinstance(b.right, Linear):
            if len(b.right.terms) > 1:
                break
            ((c, e),) = b.right.terms
            b = Bracket(b.coefficient * c, b.left, e)
            continue
        assert isinstance(b.right, Contraction)
        place = next(k for k, e in enumerate(b.right.operands) if _holds(e, dx))
        move = _move(b.right, place)
        if move not in LIGHT:
            if heavy and not (heavy | {move} <= PRODUCTS):
                break
            heavy.add(move)
        moves[move] = None
        b = _without_sign(b.coefficient, contraction_cotangent(b.right, place, b.left), b.right.operands[place])
    return [b]


def _without_sign(coefficient: Fraction, left: Expr, right: Expr) -> Bracket:
    """The inner product with the left side's own coefficient in front of it."""
    shortest = written(left)
    if isinstance(shortest, Linear) and len(shortest.terms) == 1:
        ((c, e),) = shortest.terms
        return Bracket(coefficient * c, e, right)
    return Bracket(coefficient, shortest, right)


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


# ---- the steps


@dataclass(frozen=True, slots=True)
class _Share:
    """What one use of the variable adds: Y's name and definition, ∂L/∂Y, dY, the lines."""

    variable: Leaf
    target: Leaf
    definition: Expr
    seed: Expr
    tangent: Expr
    states: tuple[_State, ...]

    @property
    def coefficient(self) -> Expr:
        """What stands beside dX in the end."""
        return accumulate([scale(b.coefficient, b.left) for b in self.states[-1].brackets])


class _Prover:
    """The definitions that steps are about, and the proofs of the uses seen so far, by their form."""

    def __init__(self, derivation: Derivation) -> None:
        self.loss = derivation.loss
        self.definitions = {eq.label: eq for eq in derivation.forward}
        self._known: dict[object, tuple[Form, tuple[Proof, ...]]] = {}

    def equation(self, eq: Equation) -> Equation:
        """The equation with its chain, every line proved; without one where the loss does not depend on the variable."""
        assert eq.variable is not None
        shares = [s for c in eq.contributions if (s := self._share(c, eq.variable)) is not None]
        if not shares:
            return eq
        dx = differential_of(eq.variable)
        columns = [list(zip(s.states, self._proofs(s), strict=True)) for s in shares]
        lines: list[DifferentialLine] = []
        if any(s.target is not self.loss for s in shares):
            first = [Bracket(ONE, s.seed, differential_of(s.target)) for s in shares if s.target is not self.loss]
            own = [b for s in shares if s.target is self.loss for b in s.states[0].brackets]
            proof = _weakest([column[0][1] for column in columns])
            lines.append(DifferentialLine(summed([*first, *own]), (Move.CHAIN,), proof))
        put_in: tuple[Move, ...] = (Move.PUT_IN,)
        for row in zip_longest(*columns):
            cells = [cell if cell is not None else column[-1] for cell, column in zip(row, columns, strict=True)]
            moves = tuple(dict.fromkeys(m for cell in row if cell is not None for m in cell[0].moves))
            brackets = [b for state, _ in cells for b in state.brackets]
            lines.append(DifferentialLine(summed(brackets), moves or put_in, _weakest([p for _, p in cells])))
        end = self._end(eq, shares, dx)
        if end.expression is not lines[-1].expression:
            lines.append(end)
        return replace(eq, differential=tuple(lines))

    def _share(self, c: Contribution, variable: Leaf) -> _Share | None:
        definition = self.definitions[c.label]
        is_loss = definition.target is self.loss
        tangent = differential(definition.expression, None if is_loss else definition.target, variable)
        if tangent is None:
            return None
        seed: Expr = number(1) if is_loss else cotangent_of(definition.target)
        states = _moved(Bracket(ONE, seed, tangent), differential_of(variable))
        if is_loss and len(states) > 1 and set(states[1].moves) <= WRITTEN_SO:
            states = [replace(states[1], moves=()), *states[2:]]
        return _Share(variable, definition.target, definition.expression, seed, tangent, tuple(states))

    def _proofs(self, share: _Share) -> tuple[Proof, ...]:
        """A proof for dY put in, and one for each further line of the use; uses of one form are proved once."""
        chain = [summed(s.brackets) for s in share.states]
        form = form_of([share.definition, share.target, share.variable, share.tangent, *chain], is_numbered=False)
        if form.key not in self._known:
            proofs = prove_share(share.definition, share.target, share.variable, share.tangent, chain)
            self._known[form.key] = form, proofs
        return renamed(*self._known[form.key], form)

    def _end(self, eq: Equation, shares: Sequence[_Share], dx: Leaf) -> DifferentialLine:
        """⟨the step's first line, dX⟩, its left side compared entry by entry with what was collected."""
        collected = accumulate([s.coefficient for s in shares])
        proof = prove_read_off(eq, collected)
        last = [b for s in shares for b in s.states[-1].brackets]
        if len(last) == 1 and written(collected) is eq.lines[0].expression:
            return DifferentialLine(summed(last), (), proof)
        return DifferentialLine(paired(eq.lines[0].expression, dx), (Move.COLLECT,), proof)


def prove_share(
    definition: Expr, target: Leaf, variable: Leaf, tangent: Expr, chain: Sequence[Expr]
) -> tuple[Proof, ...]:
    """dY against SymPy's derivatives of the definition, then each line of ⟨Ȳ, dY⟩ = … against the one before it.

    CheckFailed where one is wrong.
    """
    dy = differential_of(target)
    equation = Equation(0, dy, tangent, target, lines=(Line(tangent, Reason(Why.RULE)),))
    dots = {variable: differential_of(variable)}
    (proved,) = proved_tangents([TangentStep(equation, definition, dots)], {})
    lines = [Line(e, Reason(Why.RULE)) for e in chain]
    what = f"the differential proof through {target.name} for {variable.name}"
    others = prove_equal((chain[0], chain[0]), lines, {}, what)
    return (proved.proof, *(line.proof for line in others[1:]))


def prove_read_off(eq: Equation, coefficient: Expr) -> Proof:
    """That what stands beside dX in the end is the step's first line, entry by entry; CheckFailed where it is not."""
    first = eq.lines[0].expression
    what = f"the differential proof of the step ({eq.label}) for {eq.name}"
    (line,) = prove_equal((coefficient, first), [Line(first, Reason(Why.RULE))], {}, what)
    return line.proof


def _weakest(proofs: Sequence[Proof]) -> Proof:
    return next((p for p in proofs if p.verdict is not Verdict.PROVED), proofs[0])
