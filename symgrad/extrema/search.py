"""The search for stationary points: parameter after parameter by a law, scalars by SymPy, each answer put in and verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgrad.derive.derivation import Derivation
from symgrad.errors import CheckFailed
from symgrad.extrema.affine import holds
from symgrad.extrema.curvature import (
    by_composition,
    by_hessian,
    definite_by_parts,
    in_coordinates,
    positive_in_domain,
)
from symgrad.extrema.found import (
    Answer,
    Basis,
    Condition,
    Curvature,
    Found,
    Kind,
    Need,
    Point,
    Side,
    Step,
)
from symgrad.extrema.hessians import Blocks, blocks_of
from symgrad.extrema.kinds import classified, joined, kind_at_zero
from symgrad.extrema.kinks import has_kinks, without_kinks
from symgrad.extrema.laws import Task, by_laws, is_sure, leaves_of, solve_one, task_of, weakest
from symgrad.extrema.nested import is_nested_minimum
from symgrad.extrema.roots import solved_by_sympy
from symgrad.extrema.verify import NoPoint, is_identically_zero, resolved, verify_zero
from symgrad.graph.expression import Expr, Leaf, broadcast_to, number
from symgrad.rewrite.convert import substitute

# The order in which equations are solved: those that only need a division first.
EASIEST = (Side.SCALE, Side.TRANSPOSED, Side.ENTRIES, Side.LEFT, Side.RIGHT, Side.INVERSE)
NOTHING = Curvature(False, False)
# A Hessian is formed for up to this many parameters.
MOST_PARAMETERS = 3


def find_extrema(derivation: Derivation, order: Sequence[str] = ()) -> Found:
    """The stationary points of the loss of a proved derivation, and what they are.

    >>> from symgrad.derive.engine import derive
    >>> from symgrad.primitives.language import data, dims, parameter
    >>> n, d = dims("n d")
    >>> X, y, w = data("X", n, d), data("y", n), parameter("w", d)
    >>> found = find_extrema(derive((X @ w - y) @ (X @ w - y)))
    >>> print(found.points[0].values[w], "|", found.points[0].kind.value)
    solve(X.T @ X, X.T @ y) | minimum
    """
    task = task_of(derivation, order)
    curvature, blocks = _curvature(task)
    steps, left = by_laws(task, list(derivation.parameters))
    found = _closed(task, steps, left, curvature, blocks)
    if found is None:
        found = _not_found(task, curvature)
    shown = tuple((a, b, block) for (a, b), block in blocks.items())
    return replace(without_kinks(task.whole, found), blocks=shown)


def _curvature(task: Task) -> tuple[Curvature, Blocks]:
    """By composition, else by the Hessian; the Hessian of one parameter is shown in any case."""
    parameters = list(task.gradients)
    found = by_composition(task.whole)
    is_wanted = len(parameters) == 1 or (found is None and all(p.rank < 2 for p in parameters))
    blocks = blocks_of(task.derivation, task.order) if is_wanted and len(parameters) <= MOST_PARAMETERS else {}
    if found is None and len(parameters) == 1:
        (theta,) = parameters
        if blocks:
            found = by_hessian(task.whole, dissolved(task, blocks[theta, theta].expression), theta)
        found = found or in_coordinates(task.whole, theta)
    return found or NOTHING, blocks


def dissolved(task: Task, e: Expr) -> Expr:
    """An expression of the page with the names put in that hold parameters."""
    for eq in reversed(task.derivation.forward[:-1]):
        e = substitute(e, {eq.target: eq.expression})
    return e


# ---- what was found


def _closed(
    task: Task, steps: Sequence[Step], left: Sequence[Leaf], curvature: Curvature, blocks: Blocks
) -> Found | None:
    """Points in closed form; None where there are none."""
    is_plain = all(x in task.gradients for x in leaves_of(task.whole))
    is_decided = not left and (curvature.is_convex or curvature.is_concave)
    if (is_plain and not is_decided) or (left and (len(left) == 1 or all(not p.rank for p in left))):
        own = () if is_plain else tuple(steps)
        wanted = list(task.gradients) if is_plain else list(left)
        answered = solved_by_sympy(task.loss, task.gradients, wanted, own, task.definitions, curvature)
        if answered is not None:
            points = answered.points
            if not is_plain:
                points = tuple(
                    _in_all(task, p, points, own, wanted, curvature, blocks, is_complete=answered.is_complete)
                    for p in points
                )
            answer = Answer.ROOTS if points else Answer.NONE_EXISTS
            return task.found(answer, own, points, curvature, is_complete=answered.is_complete)
    if left or not steps:
        return None
    values = resolved({s.parameter: s.solution for s in steps})
    try:
        proof = verify_zero(
            list(task.gradients.values()), values, task.definitions, "the stationary point", [task.loss]
        )
    except NoPoint:
        return None
    shown = {s.parameter: s.solution for s in steps}
    point = Point(values, Kind.UNDECIDED, Basis.UNKNOWN, proof, conditions=_conditions(steps), shown=shown)
    point = _classified(task, point, curvature, blocks)
    if not point.is_global and is_nested_minimum(task.whole, steps, None, [point]):
        symmetric = any(p.rank == 2 for p in positive_in_domain(task.whole, list(task.gradients)))
        point = replace(point, kind=Kind.MINIMUM, basis=Basis.NESTED, is_global=True, symmetric_only=symmetric)
    return task.found(Answer.SOLVED, steps, (_symmetric(task, point, steps),), curvature, is_complete=True)


def _classified(task: Task, point: Point, curvature: Curvature, blocks: Blocks) -> Point:
    domain = positive_in_domain(task.whole, list(task.gradients))
    return classified(point, curvature, blocks, lambda e: dissolved(task, e), task.definitions, domain)


def _in_all(
    task: Task,
    point: Point,
    points: Sequence[Point],
    steps: Sequence[Step],
    wanted: Sequence[Leaf],
    curvature: Curvature,
    blocks: Blocks,
    *,
    is_complete: bool,
) -> Point:
    """The kind in all parameters of a point that SymPy found in some of them."""
    point = replace(point, conditions=joined(_conditions(steps), point.conditions))
    if point.is_global:
        return point
    if len(wanted) == 1 and is_nested_minimum(task.whole, steps, wanted[0], points if is_complete else ()):
        is_symmetric = any(x.rank == 2 for x in positive_in_domain(task.whole, list(task.gradients)))
        point = replace(point, kind=Kind.MINIMUM, basis=Basis.NESTED, is_global=True, symmetric_only=is_symmetric)
        return _symmetric(task, point, steps)
    return _classified(task, replace(point, kind=Kind.UNDECIDED, basis=Basis.UNKNOWN), curvature, blocks)


def _symmetric(task: Task, point: Point, steps: Sequence[Step]) -> Point:
    """A claim about symmetric positive definite matrices supposes that the point is one."""
    if not point.symmetric_only:
        return point
    domain = positive_in_domain(task.whole, list(task.gradients))
    conditions = tuple(c for c in point.conditions if not is_sure(c, domain))
    for p in domain:
        value = next((s.solution for s in steps if s.parameter is p and p.rank == 2), None)
        if value is None:
            continue
        whole = substitute(value, dict(task.definitions.items()))
        found = definite_by_parts(whole)
        supposed = found[0].strict if found is not None else None
        conditions = joined(conditions, supposed if supposed is not None else (Condition(Need.DEFINITE, value),))
    return replace(point, conditions=conditions)


def _conditions(steps: Sequence[Step]) -> tuple[Condition, ...]:
    return tuple({(c.need, c.of): c for s in steps for c in s.conditions}.values())


def _not_found(task: Task, curvature: Curvature) -> Found:
    """What can be said where there is no closed form: each parameter with the others given, and a point at zero."""
    parameters = list(task.gradients)
    if not any(holds(g, parameters) for g in task.gradients.values()):
        return task.found(Answer.CONSTANT, (), (), curvature)
    found = [solve_one(task, theta, {}) for theta in task.gradients]
    partial = [replace(step, conditions=weakest(step, task)) for step in found if step is not None]
    is_smooth = not (curvature.is_convex or curvature.is_concave or has_kinks(task.whole))
    points = _at_zero(task) if is_smooth else ()
    return replace(task.found(Answer.NOT_FOUND, (), points, curvature), partial=tuple(partial))


def _at_zero(task: Task) -> tuple[Point, ...]:
    """The point where as many parameters as may be are 0, whatever the data are, and the others solve their equations."""
    zeros = {p: broadcast_to(number(0), p.shape) for p in task.gradients}
    while zeros:
        kept = {p: z for p, z in zeros.items() if is_identically_zero(task.gradients[p], zeros, task.definitions)}
        if len(kept) == len(zeros):
            break
        zeros = kept
    if not zeros:
        return ()
    others = [p for p in task.gradients if p not in zeros]
    at = {p: substitute(g, dict(zeros.items())) for p, g in task.gradients.items()}
    steps, left = by_laws(replace(task, gradients=at), others) if others else ([], [])
    if left:
        return ()
    values = {**zeros, **resolved({s.parameter: s.solution for s in steps})}
    try:
        proof = verify_zero(list(task.gradients.values()), values, task.definitions, "the point at zero", [task.loss])
    except CheckFailed:
        return ()
    shown = {p: values[p] for p in task.gradients}
    point = Point(values, Kind.UNDECIDED, Basis.UNKNOWN, proof, conditions=_conditions(steps), shown=shown)
    return (
        kind_at_zero(point, task.derivation, task.order, list(zeros), lambda e: dissolved(task, e), task.definitions),
    )
