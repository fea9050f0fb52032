"""Folding: what is stated once is every equation of the derivation, put back number by number, and nothing else.

The round trip is the proof: each statement of a family, at each number of its range, must be the derivation's own equation,
to the last node (nodes are interned, so equality is identity).
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

import symgrad as sg
from symgrad.derive.alike import form_of
from symgrad.derive.fold import Family, Statement, fold
from symgrad.derive.runs import runs
from symgrad.derive.sums import terms_of
from symgrad.graph.expression import Apply, Contraction, Expr, Leaf, Role, apply, contraction, leaf, linear, size
from symgrad.graph.numbered import split_number, split_symbol
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.modelfile import run_model
from symgrad.problem import Problem
from symgrad.rewrite.convert import rebuild
from tests.fold_models import chain, gated, recurrent, residual, tanh_net
from tests.test_pages import compiled_log, flaws

# The largest has layers whose numbers take three digits; a hundred more would be stated by the same two lines.
NETS = {
    **{f"tanh{count}": tanh_net(count) for count in (3, 5, 20, 101)},
    **{f"square{count}": tanh_net(count, has_one_width=True) for count in (5, 20)},
    **{f"recurrent{count}": recurrent(count) for count in (4, 12)},
    **{f"every_step{count}": recurrent(count, is_every_step=True) for count in (4, 12)},
    "gated4": gated(4),
    "residual6": residual(6),
    "chain6": chain(6),
}


def problem_of(text: str) -> Problem:
    file = run_model(text, "net.py", Path())
    problem = Problem(file.variables["loss"], docstring=file.docstring, source="net.py")
    problem._set_names(list(file.assignments))
    return problem


@pytest.fixture(scope="module")
def problems() -> dict[str, Problem]:
    return {name: problem_of(text) for name, text in NETS.items()}


# ---- unfolding


def number_at(text: str, letter: str, value: int) -> int:
    """The number that 3t-2 or 7-t is at a value of t, read independently of the code that wrote it."""
    found = re.fullmatch(rf"(?:(\d*){letter})([+-]\d+)?|(\d+)-(\d*){letter}", text)
    if found[3] is not None:
        return int(found[3]) - int(found[4] or 1) * value
    return int(found[1] or 1) * value + int(found[2] or 0)


def name_at(name: str, letter: str, value: int) -> str:
    found = split_symbol(name)
    return name if found is None else f"{name[: name.index('[')]}{number_at(found[1], letter, value)}"


def size_at(s: Size, letter: str, value: int) -> Size:
    total = Size.constant(0)
    for monomial, c in s.terms:
        term = Size.constant(c)
        for name, power in monomial:
            for _ in range(power):
                term = term * Size.symbol(name_at(name, letter, value))
        total = total + term
    return total


class Unfolding:
    """Puts numbers in for the letter; the leaves of the derivation are looked up by name."""

    def __init__(self, derivation):
        self.known = {(e.name, e.role is Role.COTANGENT): e for e in derivation.leaves}
        for eq in (*derivation.forward, *derivation.backward):
            self.known[eq.target.name, eq.target.role is Role.COTANGENT] = eq.target

    def at(self, e: Expr, letter: str, value: int) -> Expr:
        new: dict[Expr, Expr] = {}
        for node in postorder([e]):
            if isinstance(node, Leaf):
                new[node] = self._leaf(node, letter, value)
            else:
                shape = tuple(size_at(s, letter, value) for s in node.shape)
                new[node] = rebuilt(node, [new[child] for child in node.children], shape)
        return new[e]

    def _leaf(self, e: Leaf, letter: str, value: int) -> Expr:
        if e.role is Role.NUMBER:
            return e
        if e.role is Role.SIZE:
            return size(size_at(e.value, letter, value))
        shape = tuple(size_at(s, letter, value) for s in e.shape)
        if e.role is Role.IDENTITY:
            return leaf(e.name, shape, e.role)
        own = self.known[name_at(e.name, letter, value), e.role is Role.COTANGENT]
        assert own.shape == shape
        return own


def rebuilt(node: Expr, children, shape) -> Expr:
    if isinstance(node, Contraction):
        return contraction(children, node.indices, shape)
    if isinstance(node, Apply):
        return apply(node.primitive, children, node.options, shape)
    return rebuild(node, children)


def without_sums(e: Expr, reading, unfolding) -> Expr:
    """The expression with every Σ written out."""
    new: dict[Expr, Expr] = {}
    for node in postorder([e]):
        if node in reading.sums:
            s = reading.sums[node]
            new[node] = linear([(1, unfolding.at(s.term, s.letter, value)) for value in s.values])
        else:
            new[node] = rebuild(node, [new[child] for child in node.children])
    return new[e]


def bag(e: Expr) -> Counter:
    """The terms of a sum, whatever their order and grouping; sums inside products are left as they are."""
    found: Counter = Counter()
    stack: list[tuple[Fraction, Expr]] = [(Fraction(1), e)]
    while stack:
        c, node = stack.pop()
        if node.kind == "linear":
            stack += [(c * k, child) for k, child in node.terms]
        else:
            found[c, node.digest] += 1
    return found


@pytest.mark.parametrize("name", NETS)
def test_unfolding_gives_the_derivation(name, problems):
    derivation = problems[name].derive(prove=False)
    reading = fold(derivation)
    unfolding = Unfolding(derivation)
    seen = []
    for part in (*reading.forward, *reading.backward):
        for s in part.statements if isinstance(part, Family) else [part]:
            seen += [eq.label for eq in s.instances]
            if isinstance(part, Statement):
                (eq,) = s.instances
                pairs = [(s.equation.expression, eq.expression)]
                pairs += [(x.expression, y.expression) for x, y in zip(s.equation.lines, eq.lines, strict=True)]
                for stated, own in pairs:
                    assert bag(without_sums(stated, reading, unfolding)) == bag(own)
                continue
            assert len(s.values) == len(s.instances) == len(s.equation.label.every)
            for value, eq in zip(s.values, s.instances, strict=True):
                put = lambda e, value=value: unfolding.at(e, reading.letter, value)  # noqa: E731
                assert put(s.equation.target) is eq.target
                assert put(s.equation.expression) is eq.expression
                for stated, own in zip(s.equation.lines, eq.lines, strict=True):
                    assert put(stated.expression) is own.expression
                    assert stated.reason.kind is own.reason.kind
                    assert [put(c) for c in stated.reason.put_in] == list(own.reason.put_in)
                for stated, own in zip(s.equation.contributions, eq.contributions, strict=True):
                    assert stated.rule == own.rule
                    assert put(stated.expression) is own.expression
                    assert put(stated.subject) is own.subject
    every = [eq.label for eq in (*derivation.forward, *derivation.backward)]
    assert sorted(seen) == every, "nothing is lost, nothing stands twice"


@pytest.mark.parametrize("name", NETS)
def test_references_of_a_family_are_those_of_its_members(name, problems):
    derivation = problems[name].derive(prove=False)
    for part in fold(derivation).backward:
        for s in part.statements if isinstance(part, Family) else []:
            for k, stated in enumerate(s.equation.contributions):
                own = [eq.contributions[k].label for eq in s.instances]
                shown = list(getattr(stated.label, "every", [stated.label] * len(own)))
                assert shown == own
                # The text looks a label up in the view: what it finds is the family's own equation.
                found = next(f for f in s.view.forward if f.label == stated.label)
                assert found.label is stated.label


def families(text: str):
    reading = fold(problem_of(text).derive(prove=False))
    return [p for p in reading.forward if isinstance(p, Family)], [p for p in reading.backward if isinstance(p, Family)]


# ---- what is folded


def test_problem_31_is_folded_to_its_recursion():
    (forward,), (backward,) = families(tanh_net(20))
    assert [(s.equation.name, str(s.equation.expression), s.values[:2], s.values[-1]) for s in forward.statements] == [
        ("Z[l]", "H[l-1] @ W[l] + b[l]", (2, 3), 19),
        ("H[l]", "tanh(Z[l])", (2, 3), 19),
    ]
    assert {s.equation.name: str(s.equation.expression) for s in backward.statements} == {
        "W[l]": "H[l-1].T @ Z[l]_bar",
        "b[l]": "sum(Z[l]_bar, axis=0)",
        "H[l-1]": "Z[l]_bar @ W[l].T",
        "Z[l-1]": "Z[l]_bar @ W[l].T * (1 - H[l-1]**2)",
    }
    assert backward.values == tuple(range(19, 1, -1))


def test_a_recurrent_net_shows_the_recursion_and_the_sum_over_time():
    reading = fold(problem_of(recurrent(12)).derive(prove=False))
    (recursion,) = [p for p in reading.backward if isinstance(p, Family)]
    assert [(s.equation.name, s.values) for s in recursion.statements] == [
        ("S[t]", tuple(range(11, 0, -1))),
        ("Z[t]", tuple(range(11, 0, -1))),
    ]
    sums = {str(s.term): s.values for s in reading.sums.values()}
    assert sums == dict.fromkeys(
        ("S[t-1].T @ Z[t]_bar", "X[t].T @ Z[t]_bar", "sum(Z[t]_bar, axis=0)"), tuple(range(1, 13))
    )


def test_names_that_go_in_threes_are_counted_by_the_step():
    text = gated(4)
    for k, inner in enumerate(("X @ P + S @ Q", "X @ F + S @ G", "X @ U + (R * S) @ V")):
        text = text.replace(inner, f'sg.named(f"A{{3 * t - {2 - k}}}", {inner})')
    (forward,), _ = families(text)
    names = ["A[3t-2]", "Z[t]", "A[3t-1]", "R[t]", "A[3t]", "C[t]", "S[t]"]
    assert [s.equation.name for s in forward.statements] == names


def test_each_gate_has_a_letter_of_its_own():
    (forward,), _ = families(gated(4))
    names = [s.equation.name for s in forward.statements]
    assert all(name.endswith("[t]") for name in names)
    assert len(set(names)) == len(names) == 7


# ---- what is not


@pytest.mark.parametrize(
    "change",
    [
        "H = sg.tanh(H @ W + (b if layer != 6 else 0))",
        "H = (sg.relu if layer == 6 else sg.tanh)(H @ W + b)",
        "H = sg.tanh(H @ W + (2 if layer == 6 else 3) * b)",
    ],
    ids=["no bias", "relu", "another factor"],
)
def test_a_layer_that_differs_is_stated_on_its_own(change):
    text = tanh_net(12, has_one_width=True).replace("H = sg.tanh(H @ W + b)", change)
    assert change in text
    for found in families(text):
        assert len(found) == 2
        for family in found:
            for s in family.statements:
                assert not {s.values[0], s.values[-1]} >= {5, 7}
    (before, after), _ = families(text)
    assert 6 not in {*before.statements[0].values, *after.statements[0].values}


def test_a_layer_of_another_size_is_stated_on_its_own():
    text = tanh_net(12, has_one_width=True).replace("m = width", 'm = sg.dims("q") if layer == 6 else width')
    (before, after), _ = families(text)
    assert {6, 7} & {*before.statements[0].values, *after.statements[0].values} <= {7}
    assert 6 not in {*before.statements[0].values, *after.statements[0].values}


@pytest.mark.parametrize("style", ["{0}", "_{0}"])
def test_numbers_are_read_whole(style):
    text = tanh_net(12).replace('f"W{layer}"', f'f"W{style.format("{layer}")}"')
    (forward,), _ = families(text)
    assert forward.values == tuple(range(2, 12))


def test_a_leading_zero_is_part_of_a_name():
    assert split_number("H01") is None
    assert split_number("H10") == ("H", 10)
    assert split_number("H_0") == ("H_", 0)
    n = sg.dims("n")
    forms = [form_of([sg.data(name, n)]) for name in ("H01", "H02", "H03", "H04")]
    assert list(runs(forms)) == []


def test_unrelated_names_with_digits_are_left_alone():
    text = (
        "import symgrad as sg\nn = sg.dims('n')\nx1, x2, w = sg.data('x1', n), sg.data('x2', n), sg.parameter('w', n)\n"
        "loss = sg.sum(sg.exp(x1 * w) + sg.tanh(x2 * w))\n"
    )
    reading = fold(problem_of(text).derive(prove=False))
    assert not reading.is_folded


def test_numbers_that_do_not_go_by_equal_steps_are_not_folded():
    n = sg.dims("n")
    total = sum(sg.exp(sg.data(f"x{k}", n)) for k in (1, 2, 4, 8))
    forms = [form_of([term]) for _, term in terms_of(total)]
    assert list(runs(forms)) == []


def test_a_skip_from_one_fixed_layer_stays_that_layer():
    """Every layer reads H1: at the second layer, where H1 is also the layer before, both are one array."""
    text = tanh_net(9, has_one_width=True).replace(
        "H = sg.tanh(H @ W + b)", "H = sg.tanh(H @ W + b + (F if layer > 2 else 0))\n    F = H if layer == 1 else F"
    )
    text = text.replace("H = X\n", "H = X\nF = X\n")
    forward, _ = families(text)
    shown = [str(s.equation.expression) for f in forward for s in f.statements]
    assert any("H1" in line and "H[l-1]" in line for line in shown), shown


# ---- pages


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("format_name", ["markdown", "latex"])
def test_a_page_is_as_long_for_any_number_of_layers(language, format_name, problems):
    pages = [problems[name].explain(format_name, language) for name in ("tanh5", "tanh20", "tanh101")]
    assert len({len(str.splitlines(page)) for page in pages}) == 1
    one_width = [problems[name].explain(format_name, language) for name in ("square5", "square20")]
    assert len({len(str.splitlines(page)) for page in one_width}) == 1
    numbers = [re.sub(r"\d+|[₀-₉]+", "#", page) for page in pages[1:]]
    assert sum(a != b for a, b in zip(*map(str.splitlines, numbers), strict=True)) <= 2


@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
def test_every_layer_is_there_for_who_wants_it(detail, problems):
    folded = problems["tanh20"].explain(detail=detail)
    whole = problems["tanh20"].explain(detail=detail, fold=False)
    assert len(str.splitlines(whole)) > 2 * len(str.splitlines(folded))
    assert {int(k) for k in re.findall(r"&& \((\d+)\)", whole)} == set(range(1, 120))


def shown_numbers(page: str) -> list[int]:
    """Every equation number that stands beside an equation, ranges spelled out."""
    found: list[int] = []
    for tag in re.findall(r"&& \(([\d, \\ldots]+)\)(?: \\\\)?$", page, re.M):
        parts = [p.strip() for p in tag.split(",")]
        if r"\ldots" in parts:
            a, b, _, z = parts
            found += range(int(a), int(z) + (1 if int(b) > int(a) else -1), int(b) - int(a))
        else:
            found += map(int, parts)
    return found


@pytest.mark.parametrize("name", ["tanh5", "tanh20", "recurrent12", "every_step4", "gated4", "residual6", "chain6"])
def test_every_equation_of_the_code_is_found_on_the_page(name, problems):
    problem = problems[name]
    shown = shown_numbers(problem.explain())
    derivation = problem.derive()
    assert sorted(shown) == [eq.label for eq in (*derivation.forward, *derivation.backward)]
    code = problem.compile().source
    named = {int(n) for line in code.splitlines() for n in re.findall(r"\((\d+)\)", line.partition("#")[2])}
    assert named <= set(shown)


def test_a_page_without_repetition_is_what_it_was():
    problem = problem_of(tanh_net(3))
    assert problem.explain(fold=True) == problem.explain(fold=False)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["tanh20", "every_step12", "gated4", "residual6"])
def test_folded_pages_compile(name, language, problems, tmp_path):
    page = problems[name].explain("latex", language)
    assert flaws(compiled_log(page, tmp_path)) == []
