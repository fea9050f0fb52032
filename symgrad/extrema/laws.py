"""Parameters found one after the other, each from its own equation, by the laws for matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symgrad.derive.derivation import Derivation
from symgrad.errors import CheckFailed, DerivationError
from symgrad.extrema.affine import holds, solve_affine
from symgrad.extrema.curvature import by_added_ridge, definite_by_parts, positive_in_domain
from symgrad.extrema.definite import Known
from symgrad.extrema.found import Answer, Condition, Curvature, Found, Need, Point, Side, Step
from symgrad.extrema.inverse import solve_by_inverse, solve_in_inverse
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf, Role, leaf
from symgrad.graph.walk import postorder
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.facts import Facts
from symgrad.rewrite.symmetry import symmetric_names

# The order in which equations are solved: those that only need a division first.
EASIEST = (Side.SCALE, Side.TRANSPOSED, Side.ENTRIES, Side.LEFT, Side.RIGHT, Side.INVERSE)


@dataclass(frozen=True, slots=True)
class Task:
    """A loss over the user's leaves, its gradients over parameters and names of what holds none, and these names."""

    derivation: Derivation
    loss: Expr
    order: Sequence[str]
    gradients: Mapping[Leaf, Expr]
    definitions: Mapping[Leaf, Expr]

    @property
    def whole(self) -> Expr:
        """The loss over arrays that were declared."""
        whole = substitute(self.loss, dict(self.definitions.items()))
        others = [e for e in leaves_of(whole) if e.role is Role.PARAMETER and e not in self.gradients]
        return substitute(whole, {e: leaf(e.name, e.shape, Role.DATA) for e in others})

    @property
    def facts(self) -> Facts:
        """What is known of the names."""
        return Facts(self.definitions, symmetric_names(self.definitions))

    def names_without(self, theta: Leaf) -> dict[Leaf, Expr]:
        """The names whose values hold parameters, but not θ, with these values."""
        gone: dict[Expr, Expr] = {}
        result: dict[Leaf, Expr] = {}
        for eq in self.derivation.forward[:-1]:
            gone[eq.target] = substitute(eq.expression, gone)
            if not holds(gone[eq.target], [theta]):
                result[eq.target] = gone[eq.target]
        return result

    def found(
        self,
        answer: Answer,
        steps: Sequence[Step],
        points: Sequence[Point],
        curvature: Curvature,
        *,
        is_complete: bool = False,
    ) -> Found:
        """What was found of this loss."""
        parts = (answer, tuple(steps), tuple(points), curvature, (), (), is_complete)
        return Found(self.derivation, self.gradients, self.definitions, *parts)


def task_of(derivation: Derivation, order: Sequence[str]) -> Task:
    """The gradients with every name put in that holds a parameter."""
    held: set[Expr] = set(derivation.parameters)
    definitions: dict[Leaf, Expr] = {}
    gone: dict[Expr, Expr] = {}
    for eq in derivation.forward:
        expression = substitute(eq.expression, gone)
        if any(node in held for node in postorder([expression])) or eq.target is derivation.loss:
            gone[eq.target] = expression
        else:
            definitions[eq.target] = expression
    upstream: dict[Expr, Expr] = {}
    found: dict[Leaf, Expr] = {}
    for eq in derivation.backward:
        upstream[eq.target] = substitute(substitute(eq.expression, upstream), gone)
        if eq.variable is not None and eq.variable in set(derivation.parameters):
            found[eq.variable] = upstream[eq.target]
    gradients = {p: found[p] for p in derivation.parameters}
    return Task(derivation, gone[derivation.loss], order, gradients, definitions)


# ---- by laws


def by_laws(task: Task, unknown: list[Leaf]) -> tuple[list[Step], list[Leaf]]:
    """Parameters found one after the other, each from its own equation; those left over."""
    steps: list[Step] = []
    while unknown:
        step = _next(task, unknown, steps)
        if step is None:
            break
        steps.append(replace(step, conditions=weakest(step, task)))
        unknown = [x for x in unknown if x is not step.parameter]
    return steps, unknown


def _next(task: Task, unknown: Sequence[Leaf], steps: Sequence[Step]) -> Step | None:
    """The easiest equation that gives its parameter, whose coefficients hold no other unknown.

    What was found in terms of those that are still unknown is put into their equations.
    """
    put_in = [s.parameter for s in steps if holds(s.solution, unknown)]
    solved: dict[Expr, Expr] = {s.parameter: s.solution for s in steps if s.parameter in set(put_in)}
    domain = positive_in_domain(task.whole, list(task.gradients))
    for law in (solve_one, _in_coordinates):
        found: list[Step] = []
        for theta in unknown:
            others = [x for x in unknown if x is not theta]
            step = law(task, theta, solved)
            if step is None:
                continue
            step = replace(without_names(step), put_in=tuple(put_in))
            if not holds(step.matrix, others) or _cancels_surely(step, others, domain):
                found.append(step)
        if found:
            return min(found, key=lambda s: (EASIEST.index(s.side), not holds(s.solution, unknown)))
    return None


def _cancels_surely(step: Step, others: Sequence[Leaf], domain: Mapping[Expr, Expr]) -> bool:
    """Whether a matrix that holds other unknowns cancels, and is invertible whatever these are."""
    held = [c for c in step.conditions if holds(c.of, others)]
    return not holds(step.solution, others) and all(is_sure(c, domain) for c in held)


def is_sure(condition: Condition, domain: Mapping[Expr, Expr]) -> bool:
    """Whether a matrix is invertible wherever the loss is defined among symmetric matrices."""
    e = substitute(condition.of, dict(domain.items()))
    if condition.need is Need.NO_ZERO:
        return Known().is_positive(e)
    if condition.need not in {Need.INVERTIBLE, Need.NOT_ZERO}:
        return False
    found = definite_by_parts(e)
    return found is not None and found[0].strict == ()


def solve_one(task: Task, theta: Leaf, solved: Mapping[Expr, Expr]) -> Step | None:
    """The parameter from its own equation, the others held; names that do not hold it stay names, in `names`."""
    names = {name: _all_put_in(e, solved) for name, e in task.names_without(theta).items()}
    names = {name: e for name, e in names.items() if not holds(e, [theta])}
    known: dict[Expr, Expr] = {e: name for name, e in names.items()}
    g = substitute(_all_put_in(task.gradients[theta], solved), known)
    for law in (solve_affine, solve_by_inverse):
        step = law(g, theta, task.facts, (), task.definitions)
        if step is not None:
            return replace(step, names=names)
    return None


def _all_put_in(e: Expr, solved: Mapping[Expr, Expr]) -> Expr:
    """An expression with every solution put in, those found first being over those found later."""
    for x, solution in solved.items():
        e = substitute(e, {x: solution})
    return e


def without_names(step: Step) -> Step:
    """The step with the definitions of its names in their places."""
    new: dict[Expr, Expr] = dict(step.names.items())
    return replace(
        step,
        left=substitute(step.left, new),
        right=substitute(step.right, new),
        matrix=substitute(step.matrix, new),
        solution=substitute(step.solution, new),
        conditions=tuple(replace(c, of=substitute(c.of, new)) for c in step.conditions),
    )


def _in_coordinates(task: Task, theta: Leaf, solved: Mapping[Expr, Expr]) -> Step | None:
    loss = _all_put_in(task.loss, solved)
    try:
        return solve_in_inverse(loss, theta, task.facts, (), task.definitions)
    except (CheckFailed, DerivationError):
        return None


def weakest(step: Step, task: Task) -> tuple[Condition, ...]:
    """What makes the matrix invertible, where that can be said of its parts: X has full column rank, λ > 0."""
    result: list[Condition] = []
    positive = {p: e for p, e in positive_in_domain(task.whole, list(task.gradients)).items() if p.rank < 2}
    for condition in step.conditions:
        whole = substitute(condition.of, dict(task.definitions.items()))
        if condition.need is not Need.INVERTIBLE and is_sure(replace(condition, of=whole), positive):
            continue
        found = definite_by_parts(whole) if condition.of.rank != 1 else None
        if (found is None or found[0].strict is None) and condition.need is Need.INVERTIBLE:
            found = by_added_ridge(task.whole, whole, step.factor)
        if found is None or found[0].strict is None:
            result.append(condition)
        else:
            sign, supposed = found
            result += [*(sign.strict or ()), *(c for c in supposed if c.need is Need.POSITIVE)]
    return tuple({(c.need, c.of): c for c in result}.values())


def leaves_of(e: Expr) -> list[Leaf]:
    """The declared arrays of an expression."""
    return [x for x in postorder([e]) if isinstance(x, Leaf) and x.role not in CONSTANT_ROLES]
