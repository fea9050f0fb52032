"""Steps by differentials: every line is the line before it in numbers, the end is the gradient, a wrong line is refused.

The numbers come from NumPy in float64 (`floats.py`, an interpreter of its own), and dY from differences of Y itself.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from chosen import EXAMPLES, problem_at
from floats import differ, program_values, run
from mutations import slips
from test_pages import compiled_log, flaws
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.derive import brackets, differential
from symgrad.derive.brackets import Bracket, brackets_of, paired, summed
from symgrad.derive.derivation import Move, Verdict
from symgrad.derive.differential import differential_of, prove_read_off, prove_share, with_differentials
from symgrad.errors import CheckFailed, InputError
from symgrad.explain import differential_sentences
from symgrad.graph.expression import Leaf, Role
from symgrad.graph.walk import postorder
from symgrad.prose import Text

ROOT = Path(__file__).resolve().parent.parent
FILES = {path.stem: path for path in (*EXAMPLES, *sorted((ROOT / "tests" / "models").glob("*.py")))}
# A step of the loss, and whatever is exactly so: rounding in float64.
CLOSE, OF_DIFFERENCES = 1e-8, 2e-5
H = 1e-6
# The exact comparison does not decide x^(k - 1) x = x^k for an exponent that varies; there a line is verified in numbers.
UNDECIDED = {"n11_survival"}


@cache
def derivation(name):
    return with_differentials(problem_at(FILES[name]).derive(prove=False))


def differences(f, values, sizes, moved, dx):
    """dY by central differences of Y's definition: nothing here knows a rule."""
    up, down = (run(f, {**values, moved: values[moved] + k * H * dx}, sizes) for k in (1, -1))
    return (up - down) / (2 * H)


def points(d):
    """Three points with the values of every name; a size such as t - s + 1 may come out negative, and is drawn again."""
    found, seed = [], 0
    while len(found) < 3:
        seed += 1
        with contextlib.suppress(ValueError):
            found.append((seed, *program_values(d, seed)))
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_the_line_before_it_in_numbers(name):
    d = derivation(name)
    compared = 0
    for seed, values, sizes in points(d):
        random = np.random.default_rng(seed)
        for eq in d.backward:
            if not eq.differential:
                continue
            # Off the ties and zeros of what is before it (a pool of rectified values), where differences say nothing.
            noise = 1e-3 * random.normal(size=values[eq.variable].shape)
            x = np.where(values[eq.variable] == 0, noise, values[eq.variable] * (1 + noise))
            uses = [f for f in d.forward if any(e is eq.variable for e in postorder([f.expression]))]
            known = {**values, eq.variable: x}
            for f in uses:
                known[f.target] = run(f.expression, known, sizes)
            # Differences of a logarithm want a step that is small beside what it is taken of.
            dx = random.normal(size=x.shape) * (abs(x) if (x > 0).all() else 1)
            known[differential_of(eq.variable)] = dx
            whole = 0.0
            for f in uses:
                dy = differences(f.expression, known, sizes, eq.variable, dx)
                known[differential_of(f.target)] = dy
                (bar,) = [values[g.target] for g in d.backward if g.variable is f.target] or [1.0]
                whole += float((bar * dy).sum())
            lines = [float(run(line.expression, known, sizes)) for line in eq.differential]
            end = float((run(eq.lines[0].expression, known, sizes) * dx).sum())
            scale = max(map(abs, lines)) + 1e-9
            if not np.isfinite([scale, whole]).all():
                continue
            assert np.allclose(lines[1:] or lines, end, rtol=0, atol=CLOSE * scale), (eq.name, lines, end)
            assert abs(whole - end) < OF_DIFFERENCES * scale, (eq.name, whole, end)
            assert abs(lines[0] - end) < OF_DIFFERENCES * scale, (eq.name, lines, end)
            compared += 1
    assert compared >= len(d.backward)


@pytest.mark.parametrize("name", FILES)
def test_what_stands_beside_the_differential_is_the_step_of_the_index_proof(name):
    for eq in derivation(name).backward:
        if not eq.differential:
            assert not eq.contributions, "only what the loss does not depend on has no chain"
            continue
        last = brackets_of(eq.differential[-1].expression)
        assert all(isinstance(b, Bracket) and b.right is differential_of(eq.variable) for _, b in last)
        ((c, b),) = last
        assert b.left.shape == eq.variable.shape
        assert prove_read_off(eq, c * b.left).verdict is Verdict.PROVED
        assert 1 <= len(eq.differential) <= 6
        undecided = name in UNDECIDED
        assert all(line.proof.verdict is Verdict.PROVED or undecided for line in eq.differential)


def test_the_rules_that_a_step_uses_are_said():
    n = sg.dims("n")
    A, X, B = sg.data("A", n, n), sg.parameter("X", n, n), sg.data("B", n, n)
    expected = {
        "A X": (sg.sum(B * sg.named("Y", A @ X) ** 2), Move.LEFT),
        "X A": (sg.sum(B * sg.named("Y", X @ A) ** 2), Move.RIGHT),
        "A * X": (sg.sum(B * sg.named("Y", A * X) ** 2), Move.HADAMARD),
        "X.T": (sg.sum(B * sg.named("Y", X.T) ** 2), Move.TRANSPOSE),
        "tr": (sg.trace(A @ X), Move.TRACE),
        "rows": (sg.sum(sg.named("y", sg.sum(X, axis=1)) ** 2), Move.SUM),
        "diag": (sg.sum(B @ sg.named("y", sg.diagonal(X)) ** 2), Move.DIAGONAL),
    }
    for what, (loss, move) in expected.items():
        d = with_differentials(sg.Problem(loss).derive(prove=False))
        moves = {m for eq in d.backward if eq.variable.name == "X" for line in eq.differential for m in line.moves}
        assert move in moves, what


# ---- refused


@cache
def planted():
    """(eq, share, place, wrong line): chains with one slip of the pen, really wrong in float64."""
    found = []
    for name in sorted(FILES):
        d = problem_at(FILES[name]).derive(prove=False)
        prover = differential._Prover(d)
        random = Random(f"wrong differentials of {name}")
        chosen = []
        for eq in d.backward:
            for c in eq.contributions:
                share = prover._share(c, eq.variable)
                lines = [summed(s.brackets) for s in share.states] if share is not None else []
                chosen += [
                    (share, lines, k, kind, e) for k, x in enumerate(lines) for kind, e in slips(x) if len(lines) > 1
                ]
        random.shuffle(chosen)
        points = [program_values(d, seed) for seed in (1, 2)]
        kept = 0
        for share, lines, k, kind, wrong in chosen:
            leaves = [e for e in postorder([lines[k], wrong]) if isinstance(e, Leaf) and e.role is Role.DIFFERENTIAL]
            verdicts = []
            for values, sizes in points:
                drawn = {e: np.random.default_rng(3).normal(size=[s.at(sizes) for s in e.shape]) for e in leaves}
                verdicts.append(differ(lines[k], wrong, {**values, **drawn}, sizes))
            if None in verdicts or True not in verdicts:
                continue
            found.append((name, share, [wrong if j == k else x for j, x in enumerate(lines)], kind))
            kept += 1
            if kept == 3:
                break
    return found


def test_a_chain_with_a_wrong_line_is_refused():
    assert len(planted()) > 100
    passed = []
    for name, share, lines, kind in planted():
        first = paired(share.seed, share.tangent)
        try:
            prove_share(share.definition, share.target, share.variable, share.tangent, [first, *lines])
            passed.append((name, kind, [str(e) for e in lines]))
        except CheckFailed:
            pass
    assert passed == []


def test_a_wrong_differential_is_refused():
    n = sg.dims("n")
    X, Y = sg.parameter("X", n, n), sg.data("Y", n, n)
    for right, wrong in (
        (-(Y @ differential_of(X) @ Y), Y @ differential_of(X) @ Y),
        (-(Y @ differential_of(X) @ Y), -(Y @ differential_of(X).T @ Y)),
        (-(Y @ differential_of(X) @ Y), -(Y.T @ differential_of(X) @ Y.T)),
    ):
        prove_share(sg.inv(X), Y, X, right, [paired(Y, right)] * 2)
        with pytest.raises(CheckFailed, match="not proved"):
            prove_share(sg.inv(X), Y, X, wrong, [paired(Y, wrong)] * 2)


def test_a_gradient_that_is_not_what_is_left_is_refused():
    d = problem_at(FILES["p31_tanh_net"]).derive(prove=False)
    (eq,) = [eq for eq in d.backward if eq.name == "W2"]
    wrong = replace(eq, lines=(replace(eq.lines[0], expression=2 * eq.lines[0].expression), *eq.lines[1:]))
    with pytest.raises(CheckFailed, match=r"differential proof of the step \(\d+\) for W2 is not proved"):
        with_differentials(replace(d, backward=tuple(wrong if x is eq else x for x in d.backward)))


def test_a_wrong_law_is_refused(monkeypatch):
    """Break the adjoint of a product on purpose: a transpose forgotten, then a factor of two."""
    from symgrad.derive.reverse import contraction_cotangent as right

    n = sg.dims("n")
    A, X, G = sg.data("A", n, n), sg.parameter("X", n, n), sg.data("G", n, n)
    problem = sg.Problem(sg.sum(G * sg.exp(A @ X)))
    for wrong in (
        lambda node, place, seed: 2 * right(node, place, seed),
        lambda node, place, seed: right(node, place, seed).T,
    ):
        monkeypatch.setattr(brackets, "contraction_cotangent", wrong)
        with pytest.raises(CheckFailed, match="not proved"):
            problem.explain(proof="differential")


# ---- pages


def steps(problem, language="en", detail="normal"):
    page = problem.explain("markdown", language, detail, proof="differential")
    section = re.split(r"^## \d+ .*$", page, flags=re.M)[3]
    return re.split(r"^\*\*(?:Step|第)", section, flags=re.M)


def step(problem, name, language="en", detail="normal"):
    (found,) = [s for s in steps(problem, language, detail)[1:] if rf"\partial L/\partial {name}`$" in s]
    return found.replace(r"\mathinner{\mathrm{d}", "{d ")


def load(name):
    return problem_at(FILES[name])


def in_order(text, lines):
    places = [text.index(line) for line in lines]
    assert places == sorted(places)


def test_a_product_is_moved_as_a_textbook_moves_it():
    in_order(
        step(load("softmax_regression"), "W"),
        [
            r"\mathrm{d}L &= \left\langle \frac{\partial L}{\partial Z},\, {d Z} \right\rangle \\",
            r"&= \left\langle \frac{\partial L}{\partial Z},\, X {d W} \right\rangle && {d Z}\text{ by (1)}",
            r"&= \left\langle X^{\top}\,\frac{\partial L}{\partial Z},\, {d W} \right\rangle",
            r"\langle A,\, B C \rangle = \langle B^{\top} A,\, C \rangle",
            r"What stands beside $`{d W}`$ is the gradient:",
            r"\frac{\partial L}{\partial W} &= X^{\top}\,\frac{\partial L}{\partial Z}",
            r"&= \frac{1}{n}\,X^{\top} (P - Y) && \text{with (5) put in}",
        ],
    )


def test_softmax():
    in_order(
        step(load("softmax_regression"), "Z"),
        [
            r"\left\langle \frac{\partial L}{\partial P},\, {d P} \right\rangle",
            r"P \odot \bigl({d Z} - ({d Z} \odot P) \mathbf{1} \mathbf{1}^{\top}\bigr) \right\rangle",
            r"\left\langle \frac{\partial L}{\partial P} \odot P,\, {d Z} - ",
            r"\left\langle \frac{\partial L}{\partial P} \odot P,\, {d Z} \right\rangle - \left\langle P \odot",
            r"\text{collected}",
            r"\frac{\partial L}{\partial Z} &= P \odot",
        ],
    )


def test_an_inverse_and_a_determinant():
    n = sg.dims("n")
    X, G = sg.parameter("X", n, n), sg.data("G", n, n)
    text = step(sg.Problem(sg.sum(G * sg.inv(X)) + sg.logdet(X)), "X")
    in_order(
        text,
        [
            r"\mathrm{d}L &=",
            r"X^{-1} {d X} X^{-1}",
            r"{d X} X^{-1}",
            r"X^{-\top} G X^{-\top},\, {d X} \right\rangle",
            r"\text{collected}",
        ],
    )
    assert r"\left\langle X^{-\top},\, {d X} \right\rangle" in text
    assert "From $`X X^{-1} = I`$ follows" in text


def test_an_elementwise_function():
    in_order(
        step(load("p31_tanh_net"), "Z_{2}"),
        [
            r"\left\langle \frac{\partial L}{\partial H_{2}},\, {d H_{2}} \right\rangle",
            r"\left\langle \frac{\partial L}{\partial H_{2}},\, (1 - H_{2}^{\odot 2}) \odot {d Z_{2}} \right\rangle",
            r"(\tanh u)' = 1 - (\tanh u)^{2}",
            r"\left\langle \frac{\partial L}{\partial H_{2}} \odot (1 - H_{2}^{\odot 2}),\, {d Z_{2}} \right\rangle",
            r"\langle A,\, B \odot C \rangle = \langle A \odot B,\, C \rangle",
        ],
    )


def test_several_uses_are_collected():
    text = step(load("p11_softmax_regression"), "W")
    in_order(text, [r"X {d W} \right\rangle + \left\langle \lambda W,\, {d W}", r"X^{\top}\,\frac", "collected"])
    assert r"\left\langle X^{\top}\,\frac{\partial L}{\partial Z} + \lambda W,\, {d W} \right\rangle" in text


def test_three_axes_are_written_by_entries():
    text = step(load("p40_tensor"), "T")
    assert (
        r"\sum_{j,m,s} \Bigl(\sum_{i} \frac{\partial L}{\partial \hat{y}_{i}}\, a_{ij}\, b_{im}\, c_{is}\Bigr)\, {d t_{jms}}"
        in text
    )


def test_shares_over_time_are_one_sum():
    n, m = sg.dims("n m")
    W, h, loss = sg.parameter("W", m, m), sg.data("h0", n, m), 0
    names = {}
    for t in range(1, 6):
        h = sg.tanh(h @ W)
        names[f"h{t}"] = h
        loss = loss + sg.sum(h**2)
    text = step(sg.Problem(loss, names=names), "W")
    assert (
        r"\mathrm{d}L &= \sum_{t=1}^{5} \left\langle \frac{\partial L}{\partial Z_{t}},\, {d Z_{t}} \right\rangle"
        in text
    )
    assert (
        r"\left\langle \sum_{t=1}^{5} h_{t-1}^{\top}\,\frac{\partial L}{\partial Z_{t}},\, {d W} \right\rangle" in text
    )


def test_the_laws_that_are_used_are_listed_and_no_others():
    before = steps(load("p31_tanh_net"))[0]
    assert r"\langle A,\, B C \rangle &= \langle A C^{\top},\, B \rangle" in before
    assert r"\mathop{\mathrm{tr}}(B) &=" not in before


def test_letters_of_the_page_are_not_those_of_the_text():
    n = sg.dims("n")
    U = sg.parameter("U", n, n)
    before = steps(sg.Problem(sg.sum(sg.exp(U @ U))))[0]
    assert r"\mathrm{d}U" not in before
    assert r"\mathrm{d}V" in before


def test_checks_say_that_the_lines_are_proved():
    page = load("softmax_regression").explain(proof="differential")
    assert re.search(r"\(4\).*\(7\)`\$ \| each line of the steps by differentials \| proved, entry by entry", page)


def test_the_index_proof_stays_the_default():
    problem = load("softmax_regression")
    assert problem.explain() == problem.explain(proof="index")
    assert r"\mathrm{d}L" not in problem.explain(detail="full")
    assert problem.explain(detail="brief", proof="differential") == problem.explain(detail="brief")


def test_full_names_the_rules_of_one_variable():
    import sympy

    w, h = sympy.symbols("w h")
    problem = sg.Problem(h * w / (1 + w) + w**3, parameters=[w])
    text = step(problem, "w", detail="full")
    assert r"\text{quotient rule: }" in text
    assert r"\mathrm{d}L &=" in text


def test_another_proof_is_refused_by_name():
    with pytest.raises(InputError, match="choose index or differential"):
        load("softmax_regression").explain(proof="magic")
    with pytest.raises(InputError, match="denominator layout"):
        load("softmax_regression").explain(proof="differential", layout="numerator")


def test_the_command_line(tmp_path):
    runner = CliRunner()
    model = str(FILES["linear_regression"])
    found = runner.invoke(app, ["explain", model, "--proof", "differential", "--lang", "zh"])
    assert found.exit_code == 0
    assert "以下各步用微分法推导" in found.output
    refused = runner.invoke(app, ["explain", model, "--proof", "differential", "--hessian", "w"])
    assert refused.exit_code == 2


def test_every_sentence_has_both_languages_and_the_same_placeholders():
    for name, text in vars(differential_sentences).items():
        if isinstance(text, Text):
            assert set(re.findall(r"\{(\w+)\}", text.en)) == set(re.findall(r"\{(\w+)\}", text.zh)), name


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["p30_relu_net", "p27_gaussian_process", "softmax_regression"])
def test_pages_compile(name, language, tmp_path):
    assert flaws(compiled_log(load(name).explain("latex", language, "full", proof="differential"), tmp_path)) == []


def rearranged():
    """A loss for each kind of primitive that is linear in an array, or made of several."""
    n, d, k = sg.dims("n d k")
    X, W, A = sg.parameter("X", n, d), sg.parameter("W", d, k), sg.parameter("A", n, n)
    return {
        "join": sg.sum(sg.tanh(sg.concatenate([X, 2 * X], axis=0))),
        "slice": sg.sum(sg.named("S", X[1:]) ** 3),
        "cumsum": sg.sum(sg.named("C", sg.cumsum(X)) ** 3),
        "solve": sg.sum(sg.named("y", sg.solve(A, sg.data("b", n))) ** 3),
        "extremum": sg.sum(sg.named("m", sg.max(X @ W, axis=1)) ** 2),
        "triangle": sg.sum(sg.named("T", sg.tril(A)) ** 2),
        "cholesky": sg.sum(sg.named("F", sg.cholesky(A @ A.T + sg.eye(n))) ** 3),
        "labels": -sg.sum(sg.one_hot(sg.labels("c", n, k)) * sg.log_softmax(X @ W)),
    }


@pytest.mark.parametrize("name", rearranged())
def test_operations_on_whole_arrays_are_moved_by_their_adjoints(name):
    d = sg.Problem(rearranged()[name]).derive(prove=False)
    for eq in with_differentials(d).backward:
        ((c, b),) = brackets_of(eq.differential[-1].expression)
        assert b.right is differential_of(eq.variable)
        assert prove_read_off(eq, c * b.left).verdict is Verdict.PROVED
        assert sum(Move.PUT_IN in line.moves for line in eq.differential) == 1
