"""Forward mode: the tangent of every value, in the order of computation. ẏ = Σ_u (∂y/∂u) u̇, line by line.

No second table of rules is needed. An equation's pullback v ↦ (∂y/∂u)ᵀ v is linear in v and written in the model language;
its transpose is the pushforward: (∂y/∂u) u̇ = ∂/∂v ⟨pullback(v), u̇⟩. Each line is proved entry by entry against SymPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import sympy

from symgrad.canonical import added, multiplied
from symgrad.derive.derivation import Contribution, EndToEnd, Equation, Line, Proof, Verdict
from symgrad.derive.endtoend import STEP, Point, compared, relative_error, values_at
from symgrad.derive.engine import straight_line
from symgrad.derive.equality import Differs, Sheet, named, prove_equal, undecided, verify, worst
from symgrad.derive.pairing import free_name, names_in
from symgrad.derive.partials import Differentiator
from symgrad.derive.reverse import accumulate, cotangent_of, pull_back
from symgrad.derive.samples import as_array, assignments, entries_of, sizes_in
from symgrad.derive.steps import Writer, without_names
from symgrad.errors import CheckFailed
from symgrad.evaluate import evaluate
from symgrad.graph.expression import Expr, Leaf, Role, broadcast_to, leaf, number, total
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.display import Reason, Why

OUTPUTS = ("y", "f", "g", "o")


@dataclass(frozen=True, slots=True)
class Pushforward:
    """`forward` ends in the output; `tangents` hold ẏ for every value that x changes; a tangent's `variable` is its value."""

    output: Leaf
    forward: tuple[Equation, ...]
    tangents: tuple[Equation, ...]
    variable: Leaf
    direction: Leaf
    end_to_end: EndToEnd | None = None

    @property
    def product(self) -> Expr:
        """J ẋ over the values' names, the tangents of intermediates put in."""
        e = self.tangents[-1].expression
        for eq in reversed(self.tangents[:-1]):
            e = substitute(e, {eq.target: eq.expression})
        return e


def push_forward(
    y: Expr, x: Leaf, direction: Leaf, names: Mapping[Expr, str], order: Sequence[str] = ()
) -> Pushforward:
    """ẏ = J ẋ, every line of it proved and the whole compared with differences of y.

    >>> from symgrad.primitives.language import data, dims, parameter, tanh
    >>> n, d = dims("n d")
    >>> X, w = data("X", n, d), parameter("w", d)
    >>> pushed = push_forward(tanh(X @ w), w, data("w_dot", d), {})
    >>> [f"{eq.target} = {eq.expression}" for eq in pushed.tangents]
    ['z_dot = X @ w_dot', 'y_dot = z_dot * (1 - y**2)']
    """
    others = {node: name for node, name in names.items() if node is not y}
    program = straight_line(y, None, others, order)
    taken = {*names_in([y, direction]), *names.values(), *(t.name for t, _ in program.definitions[:-1])}
    output = leaf(names.get(y) or free_name(OUTPUTS, taken, is_matrix=y.rank > 1), y.shape, Role.INTERMEDIATE)
    defined = [*program.definitions[:-1], (output, program.definitions[-1][1])]
    forward = tuple(Equation(k + 1, target, e) for k, (target, e) in enumerate(defined))
    steps = _tangents(forward, x, direction, taken | {output.name})
    tangents = proved_tangents(steps, {eq.target: eq.expression for eq in forward})
    return _checked(Pushforward(output, forward, tangents, x, direction), y)


def tangent_name(name: str) -> str:
    """The name of a value with a dot: Z1 is Ż₁.

    >>> tangent_name("z"), tangent_name("Z1"), tangent_name("hidden_layer")
    ('z_dot', 'Z_dot_1', 'hidden_layer_dot')
    """
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :]
    return f"{stem.rstrip('_')}_dot_{digits}" if digits and stem.strip("_") else f"{name}_dot"


def _tangents(forward: Sequence[Equation], x: Leaf, direction: Leaf, taken: set[str]) -> list[TangentStep]:
    """The equation of each tangent: what every operand that moves adds."""
    writer = Writer({eq.target: eq.expression for eq in forward})
    moving: dict[Leaf, Leaf] = {x: direction}
    result: list[TangentStep] = []
    for eq in forward:
        names = [e for e in postorder([eq.expression]) if isinstance(e, Leaf) and e in moving]
        if not names and eq is not forward[-1]:
            continue
        shares = []
        for u, pulled in pull_back(cotangent_of(eq.target), eq.expression, eq.target, names).items():
            # A tangent weighs what a derivative weighs while its line is written, not what a short name does.
            pushed = transposed(pulled.cotangent, cotangent_of(eq.target), cotangent_of(u))
            if pushed is not None:
                shares.append(Contribution(eq.label, pulled.rule, pulled.subject, pushed, pulled.others))
        label = len(forward) + len(result) + 1
        name = free_name([tangent_name(eq.name)], taken)
        taken.add(name)
        dot = leaf(name, eq.shape, Role.INTERMEDIATE)
        dots: dict[Expr, Expr] = {cotangent_of(u): moving[u] for u in names}
        if shares:
            written = writer.lines(accumulate([c.expression for c in shares]), {}, is_result=False)
        else:
            written = [(broadcast_to(number(0), eq.shape), Reason(Why.RULE))]
        lines = tuple(Line(substitute(e, dots), reason) for e, reason in written)
        shares = [replace(c, expression=substitute(c.expression, dots)) for c in shares]
        equation = Equation(label, dot, lines[-1].expression, eq.target, tuple(shares), lines)
        result.append(TangentStep(equation, eq.expression, {u: moving[u] for u in names}))
        moving[eq.target] = dot
    return result


def transposed(pullback: Expr, v: Leaf, dot: Expr) -> Expr | None:
    """∂/∂v ⟨pullback(v), u̇⟩; None where the pullback does not hold v, which is 0."""
    found = pull_back(number(1), total(pullback * dot), None, [v])
    return found[v].cotangent if v in found else None


# ---- proofs


@dataclass(frozen=True, slots=True)
class TangentStep:
    """One tangent's equation, the definition of its value, and the tangents of what that is made of."""

    equation: Equation
    definition: Expr
    dots: Mapping[Leaf, Leaf]

    @property
    def roots(self) -> list[Expr]:
        """Everything that the proof reads, in a fixed order."""
        pairs = [e for pair in self.dots.items() for e in pair]
        assert self.equation.variable is not None
        return [self.definition, self.equation.variable, *pairs, *(line.expression for line in self.equation.lines)]


def proved_tangents(steps: Sequence[TangentStep], definitions: Mapping[Leaf, Expr]) -> tuple[Equation, ...]:
    """The equations with a proof on every line, steps of one shape proved once; CheckFailed where a line is wrong."""
    known: dict[tuple[bytes, ...], tuple[Proof, ...]] = {}
    result = []
    for step in steps:
        key = tuple(e.digest for e in without_names(step.roots).roots)
        if key not in known:
            known[key] = _proofs(step, definitions)
        proofs = known[key]
        lines = tuple(replace(line, proof=p) for line, p in zip(step.equation.lines, proofs, strict=True))
        weakest = next((p for p in proofs if p.verdict is not Verdict.PROVED), proofs[0])
        result.append(replace(step.equation, lines=lines, proof=weakest))
    return tuple(result)


def _proofs(step: TangentStep, definitions: Mapping[Leaf, Expr]) -> tuple[Proof, ...]:
    eq = step.equation
    assert eq.variable is not None
    what = f"the tangent ({eq.label}) of {eq.name}"
    chosen = assignments(sizes_in(step.roots))
    verdicts = set()
    for sizes in chosen:
        sheet = Sheet(step.roots, sizes, {eq.variable: step.definition})
        try:
            verdicts.add(_first_line(step, sheet))
        except Differs as e:
            raise CheckFailed(
                f"{what} is not proved: {eq.lines[0].expression} differs from SymPy's derivative ({e});"
                " this is a defect of symgrad, please report the model"
            ) from None
    stated = {e for line in eq.lines for e in (*(x for _, x in line.reason.facts), *line.reason.by)}
    needed = {e: d for e, d in definitions.items() if e in stated}
    first = eq.lines[0].expression
    others = prove_equal((first, first), eq.lines, needed, what)
    return (Proof(worst(verdicts), named(chosen)), *(line.proof for line in others[1:]))


def _first_line(step: TangentStep, sheet: Sheet) -> Verdict:
    """ẏ_o = Σ_u Σ_i ∂y_o/∂u_i u̇_i, every derivative SymPy's, off the kinks."""
    line = sheet.at(step.equation.lines[0].expression, is_opaque=False)
    exact = _derivative(step, sheet)
    kinks = {symbol for u in step.dots for symbol in entries_of(sheet.opaque[u])}
    open_ = list(undecided(exact, line, sheet.symbols, kinks))
    for x, y in open_:
        verify(x, y, sheet.symbols)
    return Verdict.VERIFIED if open_ else Verdict.PROVED


def _derivative(step: TangentStep, sheet: Sheet) -> Array:
    values = sheet.at(step.definition, is_opaque=True)
    rates = {
        symbol: rate
        for u, dot in step.dots.items()
        for symbol, rate in zip(entries_of(sheet.opaque[u]), entries_of(sheet.opaque[dot]), strict=True)
    }
    by = Differentiator()
    entries = [
        added([multiplied((rates[symbol], slope)) for symbol, slope in by.partials(sympy.S(entry), rates.keys())])
        for entry in entries_of(values)
    ]
    return as_array(entries, np.shape(values))


def _checked(pushed: Pushforward, y: Expr) -> Pushforward:
    """The whole tangent against 50-digit differences of y along ẋ at three points; CheckFailed where they differ."""
    roots = [y, *(eq.expression for eq in pushed.forward), *(eq.target for eq in pushed.tangents)]
    of = [y, pushed.direction]
    found = compared(of, roots, lambda point: _error_at(pushed, y, point), "the tangent differs from its value's")
    return replace(pushed, end_to_end=found)


def _error_at(pushed: Pushforward, y: Expr, point: Point) -> Fraction | None:
    """The largest |tangent - difference| over its size; None outside the domain."""
    values, sizes, s = point.values, point.sizes, point.s
    x, h = pushed.variable, s.number(STEP)
    if x not in values:
        return Fraction(0)
    dot = values[pushed.direction]
    up, down = (evaluate([y], {**values, x: values[x] + dot * h * k}, sizes, s)[0] for k in (1, -1))
    tangent = values_at((*pushed.forward, *pushed.tangents), values, sizes, s)[pushed.tangents[-1].target]
    largest = Fraction(0)
    for a, b, t in zip(*map(entries_of, (up, down, tangent)), strict=True):
        if not all(map(s.context.isfinite, (a, b, t))):
            return None
        largest = max(largest, relative_error(t, a, b, s))
    return largest
