"""A step by differentials: dL = ⟨∂L/∂Y, dY⟩, dY put in, everything moved off dX; what is left beside it is the gradient.

⟨A, B⟩ is the sum of the products of corresponding entries. dY comes from the definition of Y by the product rule, by the
derivatives of the scalar functions, and for a primitive from its pullback, whose transpose is the differential. Each dY is
proved against SymPy, and each line against the one before it: the sums are polynomials in the entries of dX, so that two
are equal where they are equal for every dX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import zip_longest

from symgrad.derive.alike import Form, form_of
from symgrad.derive.brackets import ONE, Bracket, State, moved, one_line, paired, summed
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
from symgrad.derive.reverse import accumulate, cotangent_of, local_derivatives
from symgrad.graph.expression import (
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    contraction,
    leaf,
    multiply,
    number,
    scale,
)
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass
from symgrad.rewrite.display import Reason, Why, written

# The differential of a loss Σ A ⊙ B is written ⟨A, dB⟩ at once.
WRITTEN_SO = frozenset({Move.SPLIT, Move.SCALAR, Move.SUM, Move.HADAMARD})


def with_differentials(derivation: Derivation) -> Derivation:
    """The derivation with a proved chain of inner products on every backward equation; CheckFailed where one is wrong.

    >>> from symgrad.derive.engine import derive
    >>> from symgrad.primitives.language import data, dims, parameter, sum, tanh
    >>> n, d = dims("n d")
    >>> X, w = data("X", n, d), parameter("w", d)
    >>> found = with_differentials(derive(sum(tanh(X @ w))))
    >>> [str(line.expression) for line in found.backward[-1].differential]
    ['z_bar @ dz', 'z_bar @ (X @ dw)', 'X.T @ z_bar @ dw']
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
    found = as_written(expression, value, variable)
    return None if found is None else written(found)


def as_written(expression: Expr, value: Leaf | None, variable: Leaf) -> Expr | None:
    """dY in the order of the definition: a sum is a sum, a product stays in its place."""
    moving: dict[Expr, Expr] = {variable: differential_of(variable)}
    for node in postorder([expression]):
        inner = [moving.get(e) for e in node.children]
        if node is variable or all(d is None for d in inner):
            continue
        parts = _parts(node, value if node is expression and value is not None else node, inner)
        if parts:
            d = accumulate(parts)
            moving[node] = d if isinstance(node, Linear | Contraction) else written(d)
    return moving.get(expression)


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


# ---- dL


def _of_the_loss(definition: Expr, variable: Leaf) -> list[Bracket]:
    """dL: of Σ f(X) at once ⟨f'(X), dX⟩; else term by term, that of Σ A ⊙ B as ⟨A, dB⟩, any other as it stands."""
    found = as_written(definition, None, variable)
    if found is None:
        return []
    dx = differential_of(variable)
    if (whole := _at_once(ONE, written(found), dx)) is not None and all(b.right is dx for b in whole):
        return whole
    if isinstance(definition, Linear):
        parts = [(c, _of_the_loss(e, variable)) for c, e in definition.terms]
        return [replace(b, coefficient=c * b.coefficient) for c, brackets in parts for b in brackets]
    start = []
    for c, e in _terms(found):
        opened = _at_once(c, e, dx)
        is_told = opened is not None and all(_names_arrays(b.left) for b in opened)
        start += opened if opened is not None and is_told else [Bracket(c, number(1), written(e))]
    return start


def _at_once(c: Fraction, e: Expr, dx: Leaf) -> list[Bracket] | None:
    """c·e as inner products, where no law is needed for that but those of sums of products."""
    moves: dict[Move, None] = {}
    brackets = one_line(Bracket(c, number(1), e), dx, moves)
    return brackets if set(moves) <= WRITTEN_SO else None


def _names_arrays(e: Expr) -> bool:
    return any(isinstance(node, Leaf) and node.rank for node in postorder([e]))


def _terms(e: Expr) -> list[tuple[Fraction, Expr]]:
    """The terms of a sum and of the sums in it."""
    if not isinstance(e, Linear):
        return [(ONE, e)]
    return [(c * k, x) for c, inner in e.terms for k, x in _terms(inner)]


# ---- the steps


@dataclass(frozen=True, slots=True)
class _Share:
    """What one use of the variable adds: Y's name and definition, ∂L/∂Y, dY, the lines."""

    variable: Leaf
    target: Leaf
    definition: Expr
    seed: Expr
    tangent: Expr
    states: tuple[State, ...]

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
        for k, row in enumerate(zip_longest(*columns)):
            cells = [cell if cell is not None else column[-1] for cell, column in zip(row, columns, strict=True)]
            moves = tuple(dict.fromkeys(m for cell in row if cell is not None for m in cell[0].moves))
            brackets = [b for state, _ in cells for b in state.brackets]
            lines.append(
                DifferentialLine(summed(brackets), moves if k else (Move.PUT_IN,), _weakest([p for _, p in cells]))
            )
        end = self._end(eq, shares, dx)
        if end is not None:
            lines.append(end)
        return replace(eq, differential=tuple(lines))

    def _share(self, c: Contribution, variable: Leaf) -> _Share | None:
        definition = self.definitions[c.label]
        is_loss = definition.target is self.loss
        tangent = differential(definition.expression, None if is_loss else definition.target, variable)
        if tangent is None:
            return None
        seed: Expr = number(1) if is_loss else cotangent_of(definition.target)
        start = _of_the_loss(definition.expression, variable) if is_loss else [Bracket(ONE, seed, tangent)]
        states = moved(start, differential_of(variable))
        return _Share(variable, definition.target, definition.expression, seed, tangent, tuple(states))

    def _proofs(self, share: _Share) -> tuple[Proof, ...]:
        """A proof for dY put in, and one for each further line of the use; uses of one form are proved once."""
        chain = [summed(s.brackets) for s in share.states]
        first = paired(share.seed, share.tangent)
        roots = [share.definition, share.target, share.variable, share.tangent, first, *chain]
        form = form_of(roots, is_numbered=False)
        if form.key not in self._known:
            proofs = prove_share(share.definition, share.target, share.variable, share.tangent, [first, *chain])
            self._known[form.key] = form, proofs
        return renamed(*self._known[form.key], form)

    def _end(self, eq: Equation, shares: Sequence[_Share], dx: Leaf) -> DifferentialLine | None:
        """⟨the step's first line, dX⟩, its left side compared entry by entry with what was collected; None where the line
        before it says the same.
        """
        collected = accumulate([s.coefficient for s in shares])
        proof = prove_read_off(eq, collected)
        last = [b for s in shares for b in s.states[-1].brackets]
        if len(last) == 1 and written(collected) is eq.lines[0].expression:
            return None
        return DifferentialLine(paired(eq.lines[0].expression, dx), (Move.COLLECT,), proof)


def prove_share(
    definition: Expr, target: Leaf, variable: Leaf, tangent: Expr, chain: Sequence[Expr]
) -> tuple[Proof, ...]:
    """dY against SymPy's derivatives of the definition, then each line of ⟨Ȳ, dY⟩ = … against the one before it.

    The verdict of dY and its way of being written comes first. CheckFailed where one is wrong.
    """
    dy = differential_of(target)
    equation = Equation(0, dy, tangent, target, lines=(Line(tangent, Reason(Why.RULE)),))
    dots = {variable: differential_of(variable)}
    (proved,) = proved_tangents([TangentStep(equation, definition, dots)], {})
    lines = [Line(e, Reason(Why.RULE)) for e in chain]
    what = f"the differential proof through {target.name} for {variable.name}"
    others = prove_equal((chain[0], chain[0]), lines, {}, what)
    written_out, *further = (line.proof for line in others[1:])
    return (_weakest([proved.proof, written_out]), *further)


def prove_read_off(eq: Equation, coefficient: Expr) -> Proof:
    """That what stands beside dX in the end is the step's first line, entry by entry; CheckFailed where it is not."""
    first = eq.lines[0].expression
    what = f"the differential proof of the step ({eq.label}) for {eq.name}"
    (line,) = prove_equal((coefficient, first), [Line(first, Reason(Why.RULE))], {}, what)
    return line.proof


def _weakest(proofs: Sequence[Proof]) -> Proof:
    return next((p for p in proofs if p.verdict is not Verdict.PROVED), proofs[0])
