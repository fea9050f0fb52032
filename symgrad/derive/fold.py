"""Equations that are the same but for a number in their names, stated once: the layers of a net, the steps of a recurrence.

A `Derivation` stays the straight-line program that it is; a `Reading` is a way to read it. Where blocks of consecutive
equations recur and the numbers in their names go up or down by the same steps from block to block,

    Z2 = H1 @ W2 + b2, H2 = tanh(Z2), Z3 = H2 @ W3 + b3, H3 = tanh(Z3), …,

the block is stated once, for every l of a range, in names with a symbolic number: Z[l] = H[l-1] @ W[l] + b[l]. What
differs in any way (the first layer, one without a bias) stays outside, in order. A sum of terms that differ in a number
becomes a leaf that stands for Σ. Nothing here is lost: a statement put at each number of its range is an equation of the
derivation, to the last node, and `tests/test_fold.py` unfolds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field, replace

from symgrad.derive.alike import Form, Name, Renaming, form_of
from symgrad.derive.derivation import Contribution, Derivation, Equation, Labels, Line
from symgrad.derive.runs import Run, runs
from symgrad.derive.sums import Summed, Sums, Term, terms_of, with_sums
from symgrad.graph.expression import Expr, Leaf, Linear, linear
from symgrad.graph.numbered import Place, split_number
from symgrad.graph.walk import postorder
from symgrad.prose import Language
from symgrad.records import dataclass
from symgrad.rewrite.display import Reason

# Letters for the number, in the order in which they are tried: layers are counted by l, time by t.
LAYERS, TIME = "ltkqrsmpuv", "tlkqrsmpuv"
_NUMBERS = re.compile(r"(?<![0-9])(?:0|[1-9][0-9]*)(?![0-9])")


@dataclass(frozen=True, slots=True)
class Statement:
    """An equation as it is, or one for every value of the letter: `instances` are the derivation's own, in order.

    `view` is what the step refers to, under the same names and labels, in front of the whole derivation.
    """

    equation: Equation
    instances: tuple[Equation, ...]
    values: tuple[int, ...]
    view: Derivation


@dataclass(frozen=True, slots=True)
class Family:
    """Statements that recur together, in this order, for one value after the other."""

    statements: tuple[Statement, ...]

    @property
    def values(self) -> tuple[int, ...]:
        """All values of the letter, in order."""
        return max((s.values for s in self.statements), key=len)

    @property
    def instances(self) -> list[Equation]:
        """Every equation that is stated here, in the derivation's order."""
        return sorted((eq for s in self.statements for eq in s.instances), key=lambda eq: eq.label)


Part = Statement | Family


@dataclass(frozen=True, slots=True)
class Reading:
    """The derivation in parts, forward and backward; `letter` is what families run over, `sums` what leaves stand for Σ."""

    derivation: Derivation
    letter: str
    forward: tuple[Part, ...]
    backward: tuple[Part, ...]
    sums: Sums = field(default_factory=dict)

    @property
    def is_folded(self) -> bool:
        """Whether anything is stated once for several."""
        return bool(self.sums) or any(isinstance(part, Family) for part in (*self.forward, *self.backward))


def unfolded(derivation: Derivation) -> Reading:
    """Every equation on its own."""

    def each(equations: Sequence[Equation]) -> tuple[Part, ...]:
        return tuple(Statement(eq, (eq,), (), derivation) for eq in equations)

    return Reading(derivation, "", each(derivation.forward), each(derivation.backward))


def fold(derivation: Derivation) -> Reading:
    """The derivation with what recurs stated once.

    >>> from symgrad.derive.engine import derive
    >>> from symgrad.primitives.language import data, dims, exp, parameter, sum
    >>> n = dims("n")
    >>> h, names = data("x", n), {}
    >>> for k in range(1, 6):
    ...     h = exp(h * parameter(f"w{k}", n))
    ...     names[h] = f"h{k}"
    >>> for part in fold(derive(sum(h), names=names)).forward:
    ...     for s in part.statements if isinstance(part, Family) else [part]:
    ...         print(s.equation.name, "=", s.equation.expression, s.values)
    h1 = exp(x * w1) ()
    h[l] = exp(h[l-1] * w[l]) (2, 3, 4, 5)
    L = sum(h5) ()
    """
    folding = _Folding(derivation, letter_of(derivation))
    return Reading(
        derivation,
        folding.letter,
        folding.parts(derivation.forward),
        folding.parts(derivation.backward),
        folding.sums,
    )


def letter_of(derivation: Derivation) -> str:
    """A letter that is no name: l where the parameters are numbered (layers), t where they are shared (time)."""
    names = [e.name for e in derivation.leaves] + [eq.name for eq in derivation.forward if eq.target.rank]
    names += [name for e in derivation.leaves for s in e.shape for name in s.names]
    used = {c for name in names for c in (name, name.lower(), *((split_number(name) or ("",))[0].lower(),))}
    has_layers = any(split_number(p.name) is not None for p in derivation.parameters)
    return next((c for c in (LAYERS if has_layers else TIME) if c not in used), "l")


class _Folding:
    """The derivation's equations as a fold needs them, and the sums found so far."""

    def __init__(self, derivation: Derivation, letter: str) -> None:
        self.derivation, self.letter = derivation, letter
        self.forward = {eq.label: eq for eq in derivation.forward}
        self.backward = {eq.target: eq for eq in derivation.backward}
        self.sums: dict[Expr, Summed] = {}
        self._terms: dict[int, dict[Expr, list[Term]]] = {}

    def parts(self, equations: Sequence[Equation]) -> tuple[Part, ...]:
        """Families and what stands between them."""
        forms = [self._form(eq) for eq in equations]
        found: list[Part] = []
        at = 0
        for run in runs(forms):
            found += map(self._alone, equations[at : run.start])
            found.append(self._family(equations, forms, run))
            at = run.end
        return (*found, *map(self._alone, equations[at:]))

    # ---- families

    def _form(self, eq: Equation) -> Form:
        """All that a statement says: both sides, every line and its reason, and what the reasons refer to."""
        roots: list[Expr] = [eq.target, eq.expression]
        for c in eq.contributions:
            roots += [*self._used(c, eq), *(subject for _, subject in c.ways), c.expression]
        for line in eq.lines:
            roots += [line.expression, *line.reason.put_in, *(e for _, e in line.reason.facts)]
        roots += [line.expression for line in eq.differential]
        rules = tuple((c.rule, c.label == self.derivation.forward[-1].label) for c in eq.contributions)
        reasons = tuple(
            (x.reason.kind, len(x.reason.put_in), tuple(f for f, _ in x.reason.facts), x.proof.verdict)
            for x in eq.lines
        )
        moves = tuple(line.moves for line in eq.differential)
        return form_of(roots, (eq.target.role, rules, reasons, moves, eq.proof.verdict))

    def _used(self, c: Contribution, eq: Equation) -> tuple[Leaf, Expr]:
        """The name that a contribution comes through, and the terms of its definition that hold the variable."""
        assert eq.variable is not None
        target, definition = self.forward[c.label].target, self.forward[c.label].expression
        if not isinstance(definition, Linear):
            return target, definition
        if c.label not in self._terms:
            holders: dict[Expr, list[Term]] = {}
            for term in terms_of(definition):
                for node in postorder([term[1]]):
                    if isinstance(node, Leaf):
                        holders.setdefault(node, []).append(term)
            self._terms[c.label] = holders
        return target, linear(self._terms[c.label][eq.variable])

    def _family(self, equations: Sequence[Equation], forms: Sequence[Form], run: Run) -> Family:
        first, step = _base(forms, run)
        statements = []
        for member in range(run.period):
            places = run.instances(member)
            values = tuple(first + step * k for k in range(len(places)))
            renaming = renaming_of([forms[k] for k in places[:2]], first, step, self.letter)
            statements.append(self._statement([equations[k] for k in places], values, renaming))
        return Family(tuple(statements))

    def _statement(self, instances: Sequence[Equation], values: tuple[int, ...], renaming: Renaming) -> Statement:
        eq = instances[0]
        uses = [
            self._renamed_use(eq, [i.contributions[k] for i in instances], renaming)
            for k in range(len(eq.contributions))
        ]
        put_in = {c: k for k, line in enumerate(eq.lines) for c in line.reason.put_in}
        upstream = []
        for c, k in put_in.items():
            place = eq.lines[k].reason.put_in.index(c)
            labels = [self.backward[i.lines[k].reason.put_in[place]].label for i in instances]
            upstream.append(replace(self.backward[c], label=_labels(labels), target=renaming.leaf(c)))
        stated = Equation(
            Labels([i.label for i in instances]),
            renaming.leaf(eq.target),
            renaming.expression(eq.expression),
            renaming.leaf(eq.variable) if eq.variable is not None else None,
            tuple(c for c, _ in uses),
            tuple(_renamed_line(line, renaming) for line in eq.lines),
            eq.proof,
            tuple(replace(x, expression=renaming.expression(x.expression)) for x in eq.differential),
        )
        return Statement(stated, tuple(instances), values, self._view([f for _, f in uses], upstream))

    def _renamed_use(
        self, eq: Equation, contributions: Sequence[Contribution], renaming: Renaming
    ) -> tuple[Contribution, Equation]:
        """A contribution under symbolic names, and the equation that it comes through."""
        c = contributions[0]
        label = _labels([own.label for own in contributions])
        target, definition = self._used(c, eq)
        used = Equation(label, renaming.leaf(target), renaming.expression(definition))
        subject, expression = renaming.expression(c.subject), renaming.expression(c.expression)
        others = tuple((rule, renaming.expression(e)) for rule, e in c.others)
        return Contribution(label, c.rule, subject, expression, others), used

    def _view(self, forward: Sequence[Equation], backward: Sequence[Equation]) -> Derivation:
        whole = self.derivation
        return replace(whole, forward=(*forward, *whole.forward), backward=(*backward, *whole.backward))

    # ---- equations on their own

    def _alone(self, eq: Equation) -> Statement:
        """An equation as it is, but for sums over a number."""
        lines = tuple(replace(line, expression=self._summed(line.expression)) for line in eq.lines)
        moved = tuple(replace(line, expression=self._summed(line.expression)) for line in eq.differential)
        stated = replace(eq, expression=self._summed(eq.expression), lines=lines, differential=moved)
        contributions, used = self._folded_uses(eq)
        stated = replace(stated, contributions=contributions)
        return Statement(stated, (eq,), (), self._view(used, ()) if used else self.derivation)

    def _summed(self, e: Expr) -> Expr:
        written, sums = with_sums(e, self.letter)
        self.sums.update(sums)
        return written

    def _folded_uses(self, eq: Equation) -> tuple[tuple[Contribution, ...], list[Equation]]:
        """The contributions, those that differ in a number once for all."""
        own = eq.contributions
        forms = [
            form_of([*self._used(c, eq), *(e for _, e in c.ways), c.expression], tuple(rule for rule, _ in c.ways))
            for c in own
        ]
        kept: list[Contribution] = []
        used: list[Equation] = []
        at = 0
        for run in runs(forms):
            kept += own[at : run.start]
            first, step = _base(forms, run)
            for member in range(run.period):
                places = run.instances(member)
                renaming = renaming_of([forms[k] for k in places[:2]], first, step, self.letter)
                contribution, through = self._renamed_use(eq, [own[k] for k in places], renaming)
                kept.append(contribution)
                used.append(through)
            at = run.end
        return (*kept, *own[at:]), used


def renaming_of(pair: Sequence[Form], first: int, step: int, letter: str) -> Renaming:
    """The number of every name as a·l + c, from the first two of a series in which the letter is `first`, `first + step`."""
    a, b = pair
    places: dict[Name, Place] = {}
    # Behind the numbers of names stand those of what is said about an array.
    for name, old, new in zip(a.names, a.numbers, b.numbers, strict=False):
        if new != old:
            slope = (new - old) * step
            places[name] = Place(letter, slope, old - slope * first)
    return Renaming(places)


def _base(forms: Sequence[Form], run: Run) -> tuple[int, int]:
    """The value of the letter in the first block, and by what it changes: the number of a name defined that goes by 1.

    Where names are defined in threes (A1, A2, A3 in the first step) they are A[3t-2], A[3t-1], A[3t].
    """
    pairs = [(forms[k].numbers, forms[k + run.period].numbers) for k in range(run.start, run.start + run.period)]
    targets = [(a[0], b[0]) for a, b in pairs if a and a[0] != b[0]]
    for old, new in targets:
        if abs(new - old) == 1:
            return old, new - old
    for old, new in targets:
        return -(-old // abs(new - old)), 1 if new > old else -1
    numbers = ((old, new) for a, b in pairs for old, new in zip(a, b, strict=True))
    return next(((old, new - old) for old, new in numbers if abs(new - old) == 1), (1, 1))


def _labels(labels: Sequence[int]) -> int:
    return labels[0] if len(set(labels)) == 1 else Labels(labels)


def _renamed_line(line: Line, renaming: Renaming) -> Line:
    put_in = tuple(renaming.leaf(c) for c in line.reason.put_in)
    facts = tuple((fact, renaming.expression(e)) for fact, e in line.reason.facts)
    return Line(renaming.expression(line.expression), Reason(line.reason.kind, put_in, facts), line.proof)


# ---- the declared arrays


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared array, or all of a family (`instances`); `about` is what was said of it, numbers that run along as places."""

    leaf: Leaf
    values: tuple[int, ...]
    about: tuple[str | Place, ...]
    instances: tuple[Leaf, ...]


def alone(e: Leaf, language: Language) -> Declared:
    """An array on its own."""
    return Declared(e, (), (e.about.to(language),), (e,))


def fold_leaves(leaves: Sequence[Leaf], letter: str, language: Language) -> list[Declared]:
    """The declared arrays, those that differ in a number once for all; what is said of them in one language."""
    forms = [_declaration(e, e.about.to(language)) for e in leaves]
    found: list[Declared] = []
    at = 0
    for run in runs(forms):
        found += [alone(e, language) for e in leaves[at : run.start]]
        first, step = _base(forms, run)
        for member in range(run.period):
            places = run.instances(member)
            a, b = (forms[k] for k in places[:2])
            renaming = renaming_of((a, b), first, step, letter)
            own = leaves[places[0]]
            about = _about(own.about.to(language), a, b, first, step, letter)
            values = tuple(first + step * k for k in range(len(places)))
            found.append(Declared(renaming.leaf(own), values, about, tuple(leaves[k] for k in places)))
        at = run.end
    return [*found, *(alone(e, language) for e in leaves[at:])]


def _declaration(e: Leaf, about: str) -> Form:
    """The form of a leaf; the numbers in what is said about it count."""
    form = form_of([e])
    numbers = tuple(int(k) for k in _NUMBERS.findall(about))
    return Form((form.key, e.role, _NUMBERS.sub("#", about)), form.names, (*form.numbers, *numbers))


def _about(about: str, a: Form, b: Form, first: int, step: int, letter: str) -> tuple[str | Place, ...]:
    texts = _NUMBERS.split(about)
    parts: list[str | Place] = []
    count = len(texts) - 1
    pairs = zip(a.numbers[len(a.numbers) - count :], b.numbers[len(b.numbers) - count :], strict=True)
    for text, (old, new) in zip(texts, pairs, strict=False):
        slope = (new - old) * step
        parts += [text, Place(letter, slope, old - slope * first) if slope else str(old)]
    return (*parts, texts[-1])
