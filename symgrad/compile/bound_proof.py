"""The proof of a form with bound data: what is printed, every name put in, is the derivation's own loss and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symgrad.compile.dissolve import Program
from symgrad.compile.laws import Rewritten
from symgrad.compile.rotate import prove_rotation
from symgrad.compile.spectrum import prove_spectrum
from symgrad.compile.tailor import prove_tailored
from symgrad.derive.bound_form import BoundForm, Law
from symgrad.derive.derivation import Derivation, Proof
from symgrad.derive.reverse import cotangent_of
from symgrad.graph.expression import Expr, Leaf
from symgrad.rewrite.convert import substitute, substitute_in


def put_in(form: BoundForm) -> list[Expr]:
    """The loss and the gradients that a form prints, over the data and what stands for them, every name put in."""
    known: dict[Expr, Expr] = {}
    own = [eq for law in form.laws if law.law is not Law.EIGENVECTORS for eq in law.definitions]
    roots: list[Expr] = []
    for eq in (*own, *form.equations):
        e = substitute(eq.expression, known)
        if eq.target is form.loss or eq.variable is not None:
            roots.append(e)
        else:
            known[eq.target] = e
    return roots


def prove(derivation: Derivation, form: BoundForm, found: Rewritten) -> tuple[Proof, ...]:
    """That the loss and the gradients that are printed are those of the derivation; CheckFailed where they are not."""
    program = found.start
    leaves: dict[Expr, Expr] = {}
    if found.rotated is not None:
        known: dict[Expr, Leaf] = {}
        known.update(found.rotated.leaves.items())
        leaves = {new: known.get(old, found.rotated.ones) for old, new in _instead(form)}
    if found.spectral is not None:
        leaves = {new: found.spectral.rotated.get(old, found.spectral.eigenvalues) for old, new in _instead(form)}
    loss, *gradients = substitute_in(put_in(form), leaves)
    printed = replace(program, loss=loss, gradients=dict(zip(program.gradients, gradients, strict=True)))
    plain = _plain(derivation, program)
    if found.rotated is not None:
        return (prove_rotation(plain, replace(found.rotated, program=printed)),)
    if found.spectral is not None:
        turned = prove_spectrum(program, replace(found.spectral, program=printed))
        return (*prove_tailored(plain, program), turned)
    return prove_tailored(plain, printed)


def _instead(form: BoundForm) -> Iterator[tuple[Expr, Leaf]]:
    """What stands for which data in another basis, and the eigenvalues for their matrix."""
    for law in form.laws:
        yield from zip(law.given, law.instead, strict=law.basis is not None)
        yield from ((form.turned[eq.target], eq.target) for eq in law.definitions if eq.target in form.turned)


def _plain(derivation: Derivation, program: Program) -> Program:
    """The derivation's own equations, its names put in."""
    known: dict[Expr, Expr] = {}
    for eq in (*derivation.forward, *derivation.backward):
        known[eq.target] = substitute(eq.expression, known)
    gradients = {p.name: known.get(cotangent_of(p), program.gradients[p.name]) for p in derivation.parameters}
    return replace(program, loss=known[derivation.loss], gradients=gradients)
