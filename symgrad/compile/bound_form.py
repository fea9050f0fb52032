"""The program that `bind` runs, as equations for a page: parts named, written short, and proved once more as they are printed.

    dissolve → rewritten → _Names: what is called how → _Numbered: C = …, c = …, r = C c, L = …, ∂L/∂w = … → proofs

The proofs compare the expressions that are printed, with every name put in, with the derivation's own equations.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from operator import is_

from symgrad.compile.bound_proof import prove
from symgrad.compile.bound_source import bound_module
from symgrad.compile.dissolve import Program, dissolve
from symgrad.compile.laws import Rewritten, rewritten
from symgrad.compile.rotate import ROTATED
from symgrad.compile.stable import is_function, is_primitive, rebuilt, unscaled
from symgrad.compile.tailor import signs_of, sum_of_products
from symgrad.derive.bound_form import Applied, BoundForm, Law
from symgrad.derive.derivation import Derivation, Equation
from symgrad.derive.reverse import cotangent_of
from symgrad.errors import InputError
from symgrad.graph.expression import (
    Apply,
    Contraction,
    Expr,
    Leaf,
    Linear,
    Role,
    contraction,
    leaf,
    linear,
    matmul,
    number,
    transpose,
)
from symgrad.graph.walk import postorder
from symgrad.notation.names import typeset
from symgrad.rewrite.convert import substitute_in
from symgrad.rewrite.display import simplify
from symgrad.rewrite.facts import Facts

ALL = "all"
# A column of ones that is rotated; typeset it is 1 with a tilde.
ONES = "1"
# Indices of C c and of Cᵀ s.
MAP, SUMS = ((0, 1), (1,)), ((1, 0), (1,))
# Letters, the first that is free.
COLUMNS, COEFFICIENTS, PRODUCTS, TOTALS = "CABH", "cahv", "uvzt", "ghvq"
SIGNS, SQUARES, GRAMS, BASIS, VECTORS = "sht", "qhS", "GHFN", "QPH", "VQP"
VALUES = ("lambda", "kappa", "mu")


def bound_form(derivation: Derivation, bound: Collection[str] = ALL) -> BoundForm:
    """The loss and its gradients as `bind` computes them, with these data bound; "all" means all of them.

    CheckFailed where what would be printed is not what the derivation says.
    """
    data = _bound(derivation, bound)
    names = [e.name for e in data]
    program = dissolve(derivation)
    found = rewritten(program, names, ONES)
    final = found.program if found.multiplied_out is None else found.multiplied_out.program
    blocks = bound_module(derivation, names, "", is_proved=False).axis
    if found.spectral is not None:
        final = _where_positive(final)
    before, after = ([e.loss, *e.gradients.values()] for e in (program, final))
    if all(map(is_, before, after)):
        return BoundForm(data, derivation.loss, blocks=blocks)
    return _Writer(derivation, found, final, data).form(blocks)


def _bound(derivation: Derivation, bound: Collection[str]) -> tuple[Leaf, ...]:
    """The leaves that are bound, in the page's order."""
    known = [e for e in derivation.leaves if e.role is not Role.PARAMETER]
    data = [e for e in known if e.role in {Role.DATA, Role.LABELS}]
    if bound == ALL:
        if not data:
            raise InputError("bound: the model has no data to bind; leave it out")
        return tuple(data)
    names = [bound] if isinstance(bound, str) else bound
    for name in names:
        if name not in [e.name for e in known]:
            those = ", ".join(e.name for e in known) or "none"
            raise InputError(f"bound: {name!r} is not among the data of the model; choose from {those}")
    return tuple(e for e in known if e.name in names)


@dataclass(slots=True)
class _Names:
    """What is called how, and the names that are taken."""

    taken: set[str]
    of: dict[Expr, Leaf] = field(default_factory=dict)
    # Names of the page by what they are called in another basis.
    turned: dict[Leaf, Leaf] = field(default_factory=dict)

    def fresh(self, letters: Sequence[str]) -> str:
        """The first letter that is free, with a number where none is."""
        numbered = (f"{letters[0]}{k}" for k in count(1))
        return next(name for group in (letters, numbered) for name in group if self._take(name))

    def _take(self, name: str) -> bool:
        """Take the name; whether it was free."""
        is_free = typeset(name) not in self.taken
        self.taken.add(typeset(name))
        return is_free

    def call(self, e: Expr, letters: Sequence[str]) -> Leaf:
        """A free letter for an array."""
        return self.of.setdefault(e, leaf(self.fresh(letters), e.shape, Role.INTERMEDIATE))

    def turn(self, old: Leaf, e: Expr) -> Leaf:
        """What a named array is in another basis: its name with a tilde."""
        new = leaf(self.fresh([_accented(old.name)]), e.shape, Role.INTERMEDIATE)
        self.turned[new] = old
        return self.of.setdefault(e, new)


def _accented(name: str) -> str:
    """x1 with a tilde is x_tilde_1."""
    found = re.fullmatch(r"(.*?)((?:_?\d+)*)", name, re.DOTALL)
    base, digits = (found[1], found[2]) if found and found[1] else (name, "")
    return f"{base}_tilde" + re.sub(r"_?(\d+)", r"_\1", digits)


@dataclass(slots=True)
class _Writer:
    derivation: Derivation
    found: Rewritten
    final: Program
    data: tuple[Leaf, ...]
    names: _Names = field(init=False)
    definitions: dict[Leaf, Expr] = field(default_factory=dict)
    # Which law defines a name.
    owners: dict[Leaf, Law] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = [*self.derivation.leaves, *(eq.target for eq in self.derivation.forward)]
        sizes = [name for e in own for s in e.shape for name in s.names]
        self.names = _Names({typeset(name) for name in (*(e.name for e in own), *sizes)})

    @property
    def roots(self) -> list[Expr]:
        """The loss and the gradients."""
        return [self.final.loss, *self.final.gradients.values()]

    def form(self, blocks: str) -> BoundForm:
        """The laws, the equations, the proofs."""
        laws = list(self._laws())
        if not laws:
            return BoundForm(self.data, self.derivation.loss, blocks=blocks)
        self._name_of_page()
        loss, *gradients = self._written()
        numbers = count(max(eq.label for eq in (*self.derivation.forward, *self.derivation.backward)) + 1)
        shown = []
        for law in laws:
            label = next(numbers) if law.basis is not None else 0
            own = [e for e, owner in self.owners.items() if owner is law.law and e in self.definitions]
            definitions = (Equation(next(numbers), e, self.definitions[e]) for e in own)
            shown.append(replace(law, label=label, definitions=tuple(definitions)))
        equations = tuple(self._numbered(loss, gradients, numbers))
        form = BoundForm(self.data, self.derivation.loss, tuple(shown), equations, self.names.turned, blocks=blocks)
        return replace(form, checks=prove(self.derivation, form, self.found))

    # ---- what is called how

    def _laws(self) -> Iterator[Applied]:
        """The laws that applied, each naming what it brings."""
        before = set(postorder([self.found.start.loss, *self.found.start.gradients.values()]))
        if self.found.rotated is not None:
            yield self._rotation()
        elif self.found.spectral is not None:
            yield self._eigenvectors()
        else:
            yield from self._tailored(before)
        joined = [e for e in postorder(self.roots) if _is_joined(e) and e not in before and self._is_new(e, "columns")]
        for e in joined:
            self._columns(e)
        if joined:
            yield Applied(Law.COLUMNS)
        if self.found.multiplied_out is not None:
            out = self.found.multiplied_out
            for e in postorder(self.roots):
                # Not λI.
                is_product = isinstance(e, Contraction) and all(x.rank == 2 for x in e.operands)
                if is_product and e.shape == (out.sizes[2],) * 2:
                    self._define(Law.LOW_RANK, e, GRAMS)
            self._define(Law.LOW_RANK, out.squares, SQUARES)
            own = self._residual(out.residual)
            whole = contraction([own, own], [(0, 1), (0, 1)], ())
            yield Applied(Law.LOW_RANK, (_short(whole), _short(out.whole)), sizes=out.sizes)

    def _is_new(self, e: Expr, name: str) -> bool:
        return self.final.names.get(e) == name

    def _define(self, law: Law, e: Expr, letters: Sequence[str]) -> Leaf:
        new = self.names.call(e, letters)
        self.owners[new] = law
        return new

    def _rotation(self) -> Applied:
        found = self.found.rotated
        assert found is not None
        held = set(postorder(self.roots))
        pairs = [(old, self.names.turn(old, new)) for old, new in found.leaves.items() if new in held]
        if found.ones in held:
            old = leaf(ONES, (found.size,), Role.INTERMEDIATE)
            pairs.append((old, self.names.turn(old, found.ones)))
        basis = leaf(self.names.fresh(BASIS), (found.size, found.rows), Role.INTERMEDIATE)
        return Applied(Law.ROTATION, tuple(a for a, _ in pairs), tuple(b for _, b in pairs), basis)

    def _eigenvectors(self) -> Applied:
        found = self.found.spectral
        assert found is not None
        n = found.size
        basis = leaf(self.names.fresh(VECTORS), (n, n), Role.INTERMEDIATE)
        values = self.names.call(found.eigenvalues, VALUES)
        for old, new in found.rotated.items():
            assert isinstance(old, Leaf)
            turned = self.names.turn(old, new)
            self.owners[turned] = Law.EIGENVECTORS
            self.definitions[turned] = matmul(transpose(basis), old)
        return Applied(Law.EIGENVECTORS, (found.matrix,), (values,), basis)

    def _tailored(self, before: Collection[Expr]) -> Iterator[Applied]:
        held = set(postorder(self.roots))
        labels = [e for e in self.data if "binary" in e.facts and signs_of(e) in held and signs_of(e) not in before]
        for e in labels:
            self._define(Law.SIGNS, signs_of(e), SIGNS)
        if labels:
            yield Applied(Law.SIGNS, tuple(labels), tuple(self.names.of[signs_of(e)] for e in labels))
        opened = any(sum_of_products(e) is not None for e in postorder([self.found.start.loss]))
        if not labels and opened and _has_inner_product(_short(self.final.loss)):
            yield Applied(Law.INNER_PRODUCTS)

    def _columns(self, joined: Expr) -> None:
        """Names for C and c; for C c, unless the page has one; for Cᵀ s."""
        self._define(Law.COLUMNS, joined, COLUMNS)
        for e in postorder(self.roots):
            if isinstance(e, Contraction) and len(e.operands) == 2 and e.operands[0] is joined:
                if e.indices == MAP:
                    self._define(Law.COLUMNS, e.operands[1], COEFFICIENTS)
                    if self._name_on_page(e) is None:
                        self.names.call(e, PRODUCTS)
                elif e.indices == SUMS:
                    self.names.call(e, TOTALS)

    def _residual(self, e: Expr) -> Expr:
        """The page's name of a residual that is no longer computed, or the residual."""
        name, own = self.found.program.names.get(e, ""), self.found.program.labels.get(e, ())
        return next((eq.target for eq in self.derivation.forward if eq.name == name and eq.label in own), e)

    def _name_on_page(self, e: Expr) -> Leaf | None:
        """What the page calls a value that is still computed."""
        name = self.final.names.get(e, "").removesuffix("_eigenvalues" if self.found.spectral else "")
        own = self.final.labels.get(e, ())
        return next((eq.target for eq in self.derivation.forward if eq.name == name and eq.label in own), None)

    def _name_of_page(self) -> None:
        """Values that are still computed keep their names; in another basis these have a tilde."""
        seen: set[Leaf] = set()
        roots = set(self.roots)
        for e in postorder(self.roots):
            old = None if isinstance(e, Leaf) or e in roots or e in self.names.of else self._name_on_page(e)
            if old is None or old in seen or old is self.derivation.loss:
                continue
            seen.add(old)
            if not self._is_turned(e, old):
                self.names.of[e] = old
            elif e.rank < old.rank:
                values = leaf(self.names.fresh([f"{VALUES[0]}_{old.name}"]), e.shape, Role.INTERMEDIATE)
                self.names.of[e] = values
                self.names.turned[values] = old
            else:
                self.names.turn(old, e)

    def _is_turned(self, e: Expr, old: Leaf) -> bool:
        """Whether a value is that of the page in another basis."""
        spectral = self.found.spectral
        if spectral is not None:
            return spectral.size in old.shape
        return any(ROTATED in size.names for size in e.shape)

    # ---- the equations

    def _written(self) -> list[Expr]:
        """The roots over names, and what these are."""
        values: dict[Expr, Expr] = {}
        for e in postorder(self.roots):
            new = rebuilt(e, [values[x] for x in e.children])
            name = self.names.of.get(e)
            if name is not None and not isinstance(e, Leaf):
                self.definitions[name] = self._short(new)
            values[e] = new if name is None else name
        return [self._short(values[e]) for e in self.roots]

    def _short(self, e: Expr) -> Expr:
        """The shortest way of writing it; of what was multiplied out that would be what it was."""
        return _short(e) if self.found.multiplied_out is None else _distributed(e)

    def _numbered(self, loss: Expr, gradients: Sequence[Expr], numbers: Iterator[int]) -> Iterator[Equation]:
        """What the loss needs, the loss, what the gradients need besides, the gradients."""
        done = set(self.owners)
        yield from self._values([loss], done, numbers)
        yield Equation(next(numbers), self.derivation.loss, loss)
        yield from self._values(gradients, done, numbers)
        for p, e in zip(self.derivation.parameters, gradients, strict=True):
            yield Equation(next(numbers), cotangent_of(p), e, variable=p)

    def _values(self, roots: Sequence[Expr], done: set[Leaf], numbers: Iterator[int]) -> Iterator[Equation]:
        for e in self._needed(roots):
            if e not in done:
                done.add(e)
                yield Equation(next(numbers), e, self.definitions[e])

    def _needed(self, roots: Sequence[Expr]) -> list[Leaf]:
        """The names that expressions need, each behind those that it needs itself."""
        found: dict[Leaf, None] = {}
        for e in postorder(roots):
            if isinstance(e, Leaf) and e in self.definitions and e not in found:
                found |= dict.fromkeys([*self._needed([self.definitions[e]]), e])
        return list(found)


def _where_positive(program: Program) -> Program:
    """log Π sign λ is 0 where the determinant is positive, and where it is not the loss has no value."""
    roots = [program.loss, *program.gradients.values()]
    loss, *gradients = substitute_in(roots, {e: number(0) for e in postorder(roots) if _is_log_of_sign(e)})
    return replace(program, loss=loss, gradients=dict(zip(program.gradients, gradients, strict=True)))


def _is_log_of_sign(e: Expr) -> bool:
    if not is_function(e, "log") or not is_primitive(e.children[0], "prod"):
        return False
    return is_function(e.children[0].children[0], "sign")


def _has_inner_product(e: Expr) -> bool:
    """Whether a number is a sum of which one term is aᵀb."""
    _, e = unscaled(e)
    if isinstance(e, Contraction):
        e = next((x for x in e.operands if isinstance(x, Linear)), e)
    terms = [x for _, x in e.terms] if isinstance(e, Linear) and not e.rank else []
    return any(isinstance(x, Contraction) and sum(y.rank > 0 for y in x.operands) > 1 for x in terms)


def _distributed(e: Expr) -> Expr:
    """c (A + B) as c A + c B."""
    if not isinstance(e, Linear):
        return e
    inner = [(c, *unscaled(x)) for c, x in e.terms]
    opened = [(c * p, x) for c, p, x in inner]
    return linear((c * p, y) for c, x in opened for p, y in (x.terms if isinstance(x, Linear) else [(1, x)]))


def _is_joined(e: Expr) -> bool:
    return isinstance(e, Apply) and e.primitive == "concatenate" and e.option("axis") == 1


def _short(e: Expr) -> Expr:
    """The shortest way of writing it."""
    return simplify(e, Facts({}))
