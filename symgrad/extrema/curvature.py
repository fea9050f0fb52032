"""Is the loss convex or concave? By how it is composed, else by its Hessian; and what makes a matrix definite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.derive.convexity import curve_of
from symgrad.derive.engine import derive
from symgrad.derive.proof import prove
from symgrad.derive.ranges import NONNEGATIVE
from symgrad.extrema.affine import holds
from symgrad.extrema.definite import Definite, Known, definite
from symgrad.extrema.found import Condition, Curvature, Need
from symgrad.extrema.hessians import block_of
from symgrad.extrema.inverse import in_inverse, inverse_leaf
from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, Role, leaf, transpose
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.form import Factor, Form, Term
from symgrad.rewrite.matrix import to_expression

# Functions that are not defined everywhere.
PARTIAL = frozenset({"log", "power_of", "scalar"})


def hyperparameters(roots: Sequence[Expr]) -> list[Leaf]:
    """Those that may be supposed to be positive: whose default, if they have one, is not negative."""
    leaves = [e for e in postorder(roots) if isinstance(e, Leaf) and e.role is Role.HYPERPARAMETER]
    return [e for e in leaves if not isinstance(e.value, Fraction) or e.value >= 0]


def suppositions(roots: Sequence[Expr]) -> Iterator[tuple[Known, tuple[Condition, ...]]]:
    """Nothing supposed; then hyperparameters that are positive."""
    yield Known(), ()
    own = hyperparameters(roots)
    if own:
        bounds = {e.name: NONNEGATIVE for e in own}
        yield Known(bounds, frozenset(bounds)), tuple(Condition(Need.POSITIVE, e) for e in own)


def sign_of(e: Expr, rank: int, *, is_strict: bool = False) -> tuple[Definite, tuple[Condition, ...]] | None:
    """The sign of a symmetric array and what it supposes; None where it is not seen (or not seen to be strict)."""
    found: tuple[Definite, tuple[Condition, ...]] | None = None
    for known, conditions in suppositions([e]):
        sign = definite(e, rank, known)
        if sign is not None and sign.strict == ():
            return sign, conditions
        if sign is not None and found is None and (sign.strict is not None or not is_strict):
            found = sign, conditions
    return found


def definite_by_parts(e: Expr) -> tuple[Definite, tuple[Condition, ...]] | None:
    """The strict sign of a scalar or a matrix; that of an inverse or a transpose is that of what is inverted.

    >>> from symgrad.primitives.language import data, dims, inv
    >>> C = data("C", *dims("n d"))
    >>> [str(c.of) for c in definite_by_parts(inv(C.T @ C).T)[0].strict]
    ['C']
    """
    while e.rank == 2:
        if (isinstance(e, Apply) and e.primitive == "inv") or (isinstance(e, Contraction) and e.indices == ((1, 0),)):
            e = e.children[0]
        else:
            break
    return sign_of(e, e.rank // 2, is_strict=True) if e.rank in {0, 2, 4} else None


def by_composition(loss: Expr) -> Curvature | None:
    """What the calculus of convex functions says of the loss in all parameters together.

    >>> from symgrad.primitives.language import data, dims, hyperparameter, parameter
    >>> n, d = dims("n d")
    >>> X, y, w, c = data("X", n, d), data("y", n), parameter("w", d), hyperparameter("c")
    >>> found = by_composition((X @ w - y) @ (X @ w - y) + c * (w @ w))
    >>> found.is_convex, [str(c.of) for c in found.conditions]
    (True, ['c'])
    """
    for known, conditions in suppositions([loss]):
        curve = curve_of(loss, known.bounds)
        if curve.convex or curve.concave:
            needs = tuple(replace(c, need=Need.NONNEGATIVE) for c in conditions)
            return Curvature(curve.convex, curve.concave, needs)
    return None


def by_added_ridge(loss: Expr, matrix: Expr, factor: Expr) -> tuple[Definite, tuple[Condition, ...]] | None:
    """That A(λ) = A(0) + λB is positive definite for λ > 0: the loss is convex at λ = 0 too, and λB is definite.

    A is `factor` > 0 times a Hessian of the loss after other parameters had their minimum: that too is convex.
    """
    own = {e.name for e in hyperparameters([matrix])}
    form = to_form(matrix)
    with_own = tuple(t for t in form.terms if any(_named(f) in own for f in t.factors))
    found = by_composition(loss)
    if not with_own or found is None or not found.is_convex or not Known(positive=frozenset(own)).is_positive(factor):
        return None
    if any(not _is_monomial(t) for t in with_own):
        return None
    ridge = sign_of(to_expression(Form(form.shape, with_own)), 1, is_strict=True)
    return ridge if ridge is not None and ridge[0].sign > 0 else None


def _named(f: Factor) -> str:
    return f.atom.name if isinstance(f.atom, Leaf) else ""


def _is_monomial(t: Term) -> bool:
    """Whether a term vanishes with its hyperparameters."""
    return all(f.power > 0 for f in t.factors if isinstance(f.atom, Leaf) and f.atom.role is Role.HYPERPARAMETER)


def by_hessian(loss: Expr, hessian: Expr, theta: Leaf) -> Curvature | None:
    """What the sign of the Hessian of the only parameter says, wherever the loss is defined on a convex set."""
    if is_defined_everywhere(loss, theta):
        found = sign_of(hessian, theta.rank)
        if found is not None:
            sign, conditions = found
            is_strict = sign.strict is not None
            return Curvature(sign.sign > 0, sign.sign < 0, conditions, is_strict, sign.strict or (), by_hessian=True)
    return _among_symmetric(hessian, theta)


def in_coordinates(loss: Expr, theta: Leaf) -> Curvature | None:
    """The sign in Q = θ⁻¹, for symmetric positive definite Q: there is one Q for each θ, so a minimum is a minimum."""
    other = inverse_leaf(theta)
    written = in_inverse(loss, theta, other) if theta.rank == 2 and theta.shape[0] == theta.shape[1] else None
    if written is None:
        return None
    derivation = prove(derive(written, wrt=[other.name]))
    made = block_of(derivation, other, other)
    if made is None:
        return None
    hessian = made.expression
    for eq in reversed(derivation.forward[:-1]):
        hessian = substitute(hessian, {eq.target: eq.expression})
    found = _among_symmetric(hessian, other)
    return None if found is None else replace(found, in_inverse=True)


def positive_in_domain(loss: Expr, parameters: Sequence[Leaf]) -> dict[Expr, Expr]:
    """The parameters that the loss's domain bounds, as leaves with that fact: v in log v, Σ in log det Σ (symmetric ones)."""
    new: dict[Expr, Expr] = {}
    for node in postorder([loss]):
        for p in parameters:
            if isinstance(node, Elementwise) and node.function == "log" and node.children[0] is p:
                new[p] = leaf(p.name, p.shape, Role.DATA, facts=["positive"])
            if isinstance(node, Apply) and node.primitive == "logdet" and node.children[0] is p:
                new[p] = leaf(p.name, p.shape, Role.DATA, facts=["positive_definite"])
    return new


def _among_symmetric(hessian: Expr, theta: Leaf) -> Curvature | None:
    """The sign for symmetric changes of a symmetric positive definite matrix: these matrices are a convex set."""
    if theta.rank != 2 or theta.shape[0] != theta.shape[1] or not holds(hessian, [theta]):
        return None
    # A symmetric change Δ may be read as Δᵀ; a symmetric parameter may be written as one that is declared to be.
    same = leaf(theta.name, theta.shape, Role.DATA, facts=["positive_definite"])
    from_symmetric = substitute(hessian, {theta: same})
    turned = transpose(from_symmetric, (0, 1, 3, 2))
    known = Known(definite=frozenset({same, PRIMITIVES["inv"](same)}))
    for e in (from_symmetric, turned):
        found = definite(e, 2, known)
        if found is not None and found.strict == ():
            return Curvature(found.sign > 0, found.sign < 0, (), True, (), by_hessian=True, symmetric_only=True)
    return None


def is_defined_everywhere(loss: Expr, theta: Leaf) -> bool:
    """Whether no logarithm, root, quotient or inverse holds the parameter.

    >>> from symgrad.primitives.language import log, parameter
    >>> x = parameter("x")
    >>> is_defined_everywhere(x**2, x), is_defined_everywhere(x**-2, x), is_defined_everywhere(log(x), x)
    (True, False, False)
    """
    return not any(is_partial(node) and holds(node.children[0], [theta]) for node in postorder([loss]))


def is_partial(node: Expr) -> bool:
    """Whether a node is a function that is not defined for every operand."""
    if isinstance(node, Apply):
        return node.primitive in {"inv", "solve", "det", "logdet"}
    if not isinstance(node, Elementwise):
        return False
    p = node.parameter
    is_whole = isinstance(p, Fraction) and p.denominator == 1 and p > 0
    return node.function in PARTIAL or (node.function == "power" and not is_whole)
