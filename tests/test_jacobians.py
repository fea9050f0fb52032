"""Jacobians, Jᵀv and J ẋ: against PyTorch, against each other, and every number of the handout on `backward(gradient=v)`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from test_second_order import exact
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.derive.derivation import Verdict
from symgrad.derive.forward import tangent_name
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Leaf
from symgrad.graph.walk import postorder

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SIZES = {"n": 3, "d": 4, "k": 5}

n, d, k = sg.dims("n d k")
X, w, a = sg.data("X", n, d), sg.parameter("w", d), sg.data("a", d)
W, b = sg.parameter("W", d, k), sg.parameter("b", k)
z, Z, A = sg.parameter("z", k), sg.parameter("Z", n, k), sg.parameter("A", d, d)
CENTRED = Z - sg.mean(Z, axis=0)

# y(x) in symgrad and in PyTorch, what it is differentiated by, and J as it is printed.
CASES = {
    "linear": (X @ w, "w", lambda torch, t: t["X"] @ t["w"], "X"),
    "square": (w**2, "w", lambda torch, t: t["w"] ** 2, "2 * diag(w)"),
    "tanh": (sg.tanh(w), "w", lambda torch, t: torch.tanh(t["w"]), "diag(1 - y**2)"),
    "sigmoid": (sg.sigmoid(w), "w", lambda torch, t: torch.sigmoid(t["w"]), None),
    "softmax": (sg.softmax(z), "z", lambda torch, t: torch.softmax(t["z"], 0), "diag(p) - outer(p, p)"),
    "log_softmax": (sg.log_softmax(z), "z", lambda torch, t: torch.log_softmax(t["z"], 0), None),
    "softmax of rows": (sg.softmax(Z), "Z", lambda torch, t: torch.softmax(t["Z"], 1), None),
    "softmax of columns": (sg.softmax(Z, axis=0), "Z", lambda torch, t: torch.softmax(t["Z"], 0), None),
    "logsumexp of rows": (sg.logsumexp(Z, axis=1), "Z", lambda torch, t: torch.logsumexp(t["Z"], 1), None),
    "direction": (
        w / sg.norm(w),
        "w",
        lambda torch, t: t["w"] / torch.linalg.vector_norm(t["w"]),
        None,
    ),
    "outer": (sg.outer(w, w), "w", lambda torch, t: torch.outer(t["w"], t["w"]), None),
    "layer": (sg.tanh(X @ W + b), "W", lambda torch, t: torch.tanh(t["X"] @ t["W"] + t["b"]), None),
    "bias": (sg.tanh(X @ W + b), "b", lambda torch, t: torch.tanh(t["X"] @ t["W"] + t["b"]), None),
    "relu": (sg.relu(X @ w), "w", lambda torch, t: torch.relu(t["X"] @ t["w"]), None),
    "inverse": (sg.inv(A), "A", lambda torch, t: torch.linalg.inv(t["A"]), None),
    "solve": (sg.solve(A, a), "A", lambda torch, t: torch.linalg.solve(t["A"], t["a"]), None),
    "transpose": (A.T, "A", lambda torch, t: t["A"].T, None),
    "square matrix": (A @ A, "A", lambda torch, t: t["A"] @ t["A"], None),
    "diagonal": (sg.diagonal(A), "A", lambda torch, t: torch.diagonal(t["A"]), None),
    "centred": (CENTRED, "Z", lambda torch, t: t["Z"] - t["Z"].mean(0), None),
    "standardised": (
        CENTRED / sg.sqrt(sg.mean(CENTRED**2, axis=0) + 1),
        "Z",
        lambda torch, t: (t["Z"] - t["Z"].mean(0)) / (t["Z"].var(0, unbiased=False) + 1).sqrt(),
        None,
    ),
    "by data": (sg.exp(X @ w), "X", lambda torch, t: torch.exp(t["X"] @ t["w"]), None),
    "scalar": (sg.logsumexp(z), "z", lambda torch, t: torch.logsumexp(t["z"], 0), None),
    "constant": (sg.exp(a) + 0 * w, "w", lambda torch, t: torch.exp(t["a"]) + 0 * t["w"], None),
}
# Blocks of four axes whose comparison with symbols takes longest are looked at in numbers only.
SYMBOLIC = [name for name in CASES if name not in ("standardised",)]


def arrays(seed=0):
    random = np.random.default_rng(seed)
    shapes = {"X": "nd", "w": "d", "a": "d", "W": "dk", "b": "k", "z": "k", "Z": "nk", "A": "dd"}
    found = {name: random.normal(size=[SIZES[s] for s in shape]) for name, shape in shapes.items()}
    found["A"] += 4 * np.eye(SIZES["d"])
    return found


def numbers(e, equations, values):
    """An expression at arrays of floats, names defined by equations first."""
    s = Reals(30)
    leaves = [x for x in postorder([e, *(eq.expression for eq in equations)]) if isinstance(x, Leaf)]
    known = {x: exact(values[x.name], s) for x in leaves if x.name in values and x.role not in CONSTANT_ROLES}
    for eq in equations:
        held = {x for x in postorder([eq.expression]) if isinstance(x, Leaf) and x.role not in CONSTANT_ROLES}
        if held <= known.keys():
            known[eq.target] = evaluate([eq.expression], known, Assignment(SIZES), s)[0]
    found = evaluate([e], known, Assignment(SIZES), s)[0]
    return np.array([float(x) for x in np.asarray(found, dtype=object).ravel()]).reshape(np.shape(found))


def in_torch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    _, variable, write, _ = CASES[name]
    t = {key: torch.tensor(value, dtype=torch.float64) for key, value in arrays().items()}
    return torch.autograd.functional.jacobian(lambda x: write(torch, {**t, variable: x}), t[variable]).numpy()


@pytest.mark.parametrize("name", CASES)
def test_jacobians_agree_with_torch_and_every_line_is_proved(name):
    y, variable, _, printed = CASES[name]
    found, expected = sg.jacobian(y, variable), in_torch(name)
    held = {e.name: e for e in postorder([y]) if isinstance(e, Leaf)}
    assert found.shape == (*y.shape, *held[variable].shape)
    np.testing.assert_allclose(numbers(found.expression, found.derivation.forward, arrays()), expected, atol=1e-10)
    if printed is not None:
        assert str(found) == printed
    verdicts = {line.proof.verdict for line in found.lines}
    assert verdicts == {Verdict.PROVED} or name not in SYMBOLIC
    assert Verdict.UNCHECKED not in verdicts
    for eq in found.derivation.backward:
        assert {line.proof.verdict for line in eq.lines} == {Verdict.PROVED}


@pytest.mark.parametrize("name", CASES)
def test_products_agree_with_torch_and_with_each_other(name):
    y, variable, _, _ = CASES[name]
    J, values, random = in_torch(name), arrays(), np.random.default_rng(1)
    v, dot = random.normal(size=J.shape[: y.rank]), random.normal(size=values[variable].shape)
    back, ahead = sg.vjp(y, variable), sg.jvp(y, variable)
    values |= {back.direction.name: v, tangent_name(variable): dot}
    jtv = numbers(back.expression, back.derivation.forward, values)
    jx = numbers(ahead.expression, ahead.derivation.forward, values)
    np.testing.assert_allclose(jtv, np.tensordot(v, J, axes=v.ndim), atol=1e-10)
    np.testing.assert_allclose(jx, np.tensordot(J, dot, axes=dot.ndim), atol=1e-10)
    # ⟨v, J ẋ⟩ = ⟨Jᵀ v, ẋ⟩
    np.testing.assert_allclose(np.sum(v * jx), np.sum(jtv * dot), atol=1e-10)
    for eq in ahead.derivation.tangents:
        assert {line.proof.verdict for line in eq.lines} == {Verdict.PROVED}, eq.name
    assert ahead.derivation.end_to_end.points == 3
    assert ahead.derivation.end_to_end.largest_error < 1e-20


def test_forward_mode_is_line_by_line():
    found = sg.jvp(sg.tanh(X @ w), w)
    assert [f"{eq.target} = {eq.expression}" for eq in found.derivation.tangents] == [
        "z_dot = X @ w_dot",
        "y_dot = z_dot * (1 - y**2)",
    ]


def test_a_wrong_pushforward_is_refused(monkeypatch):
    """Break the transposition on purpose: every tangent doubled."""
    from symgrad.derive import forward

    right = forward.transposed
    monkeypatch.setattr(forward, "transposed", lambda *args: None if (e := right(*args)) is None else 2 * e)
    with pytest.raises(sg.CheckFailed, match="differs from SymPy's derivative"):
        sg.jvp(sg.tanh(X @ w), w)


def test_a_wrong_block_is_refused(monkeypatch):
    """Break the unit vectors on purpose: the block transposed."""
    from symgrad.derive import pairing

    right = pairing.over_units
    monkeypatch.setattr(pairing, "to_expression", lambda form: pairing.transpose(_raised(form)))
    with pytest.raises(sg.CheckFailed, match="an entry differs"):
        sg.jacobian(A @ w, w)
    assert right is pairing.over_units


def _raised(form):
    from symgrad.rewrite.matrix import to_expression

    return to_expression(form)


def test_a_seed_is_put_in_and_held():
    assert str(sg.vjp(w**2, w, seed=1)) == "2 * w"
    assert str(sg.vjp(X @ w, "w", seed=X @ a)) == "X.T @ X @ a"
    # The seed may hold x itself: it is held constant, so ⟨w, w²⟩ has 2w² here, not 3w².
    assert str(sg.vjp(w**2, w, seed=w)) == "2 * w**2"
    assert str(sg.jvp(w**2, w, tangent=a)) == "2 * a * w"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: sg.vjp(X @ w, w, seed=w), "the seed has shape (d,); give one of shape (n,)"),
        (lambda: sg.jvp(X @ w, w, tangent=X @ w), "the tangent of w has shape (n,); give one of shape (d,)"),
        (lambda: sg.jacobian(X @ w, "q"), "the expression holds no q; differentiate by one of X, w"),
        (lambda: sg.jacobian(X @ w, z), "the expression holds no z; differentiate by one of X, w"),
        (lambda: sg.jacobian(X @ w, X @ w), "X @ w is not a declared array; differentiate by one of X, w"),
        (lambda: sg.vjp("X @ w", w), "a str is no expression; give what is to be differentiated"),
    ],
)
def test_errors_are_one_line(ask, message):
    with pytest.raises(sg.InputError) as e:
        ask()
    assert str(e.value) == message


# ---- the handout on backward(gradient=v)


def torch_calls(torch, y, x, worked, code):
    """The calls of a page's table, made: what `.grad` holds after each."""
    held = []
    t = {key: torch.tensor(a, dtype=torch.float64) for key, a in worked.inputs.items()}
    t[x].requires_grad_(True)
    out = code(torch, t)
    np.testing.assert_allclose(out.detach().numpy(), worked.output, rtol=0, atol=1e-10)
    for call in worked.calls:
        if call.is_fresh:
            t[x].grad = None
        out.backward(gradient=torch.tensor(call.v, dtype=torch.float64), retain_graph=True)
        held.append(t[x].grad.numpy().copy())
    return held


PAGES = {
    "vector_output.py": ("x", lambda torch, t: t["x"] ** 2),
    "layer_output.py": ("W", lambda torch, t: torch.tanh(t["X"] @ t["W"] + t["b"])),
}


@pytest.mark.parametrize("file", PAGES)
def test_every_number_of_the_page_is_torchs(file):
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    x, code = PAGES[file]
    output = sg.load_output(str(EXAMPLES / "outputs" / file))
    found = output.vjp()
    worked = found.page.worked
    held = torch_calls(torch, output.expression, x, worked, code)
    for call, after in zip(worked.calls, held, strict=True):
        np.testing.assert_allclose(call.after, after, rtol=0, atol=1e-10)
    # The second call was added to the first, the third began anew.
    np.testing.assert_allclose(held[1], held[0] + worked.calls[1].computed, atol=1e-10)
    np.testing.assert_allclose(held[2], worked.calls[2].computed, atol=1e-10)
    # Each printed number is one of these, to six digits.
    page = found.explain()
    table = page.split("In numbers")[1].split("Each call goes back")[0]
    every = np.concatenate([np.ravel(a) for c in worked.calls for a in (c.v, c.computed, c.after)])
    every = np.concatenate([every, worked.output.ravel(), *(np.ravel(a) for a in worked.inputs.values())])
    printed = [float(t) for t in re.findall(r"(?<![\w{^.])-?\d+(?:\.\d+)?(?![\w.])", table)]
    assert len(printed) >= 20
    for value in printed:
        assert np.abs(every - value).min() < 5e-6 * max(1, abs(value)), value


def test_pytorch_itself_refuses_a_bare_backward():
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x**2).backward()
    y = x**2
    y.sum().backward()
    summed, x.grad = x.grad, None
    y = x**2
    y.backward(gradient=torch.ones(3))
    np.testing.assert_allclose(x.grad.numpy(), summed.numpy())


def test_numbers_are_drawn_where_the_file_gives_none(tmp_path):
    file = tmp_path / "m.py"
    file.write_text(
        'import symgrad as sg\nn, d = sg.dims("n d")\nX, w = sg.data("X", n, d), sg.parameter("w", d)\n'
        "y = sg.log(X @ w)\noutput = y\n"
    )
    worked = sg.load_output(str(file)).vjp().page.worked
    np.testing.assert_allclose(worked.output, np.log(worked.inputs["X"] @ worked.inputs["w"]), atol=1e-12)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("option", ["--jacobian", "--vjp"])
def test_the_command_line_writes_the_handout(option, language, tmp_path):
    out = tmp_path / "page.md"
    done = CliRunner().invoke(
        app, ["explain", str(EXAMPLES / "outputs" / "vector_output.py"), option, "--lang", language, "-o", str(out)]
    )
    assert done.exit_code == 0, done.output
    page = out.read_text(encoding="utf-8")
    assert "y.backward(gradient=v)" in page
    assert "(0.2,\\, 4,\\, 0.0006)" in page
    assert "(2.2,\\, 4,\\, 0.0006)" in page
    assert ("2\\,\\mathrm{diag}(x)" in page) == (option == "--jacobian")
    assert "retain_graph=True" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["examples/outputs/vector_output.py"], "explain it with --vjp or --jacobian"),
        (
            ["examples/ridge_regression.py", "--jacobian"],
            "the file assigns no `output`; end it with output = …, an array",
        ),
        (["examples/ridge_regression.py", "--hessian", "w,b,c"], "a block has two parameters; write --hessian w,b"),
        (["examples/ridge_regression.py", "--hessian", "q"], "the loss has no parameter q; choose of w"),
        (["examples/ridge_regression.py", "--hessian", "w", "--vjp"], "ask for one at a time"),
        (
            ["examples/outputs/vector_output.py", "--vjp", "--wrt", "q"],
            "the expression holds no q; differentiate by one of x",
        ),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments, message):
    done = CliRunner().invoke(app, ["explain", str(EXAMPLES.parent / arguments[0]), *arguments[1:]])
    assert done.exit_code == 2
    assert message in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_the_command_line_writes_a_hessian():
    done = CliRunner().invoke(app, ["explain", str(EXAMPLES / "ridge_regression.py"), "--hessian", "w"])
    assert done.exit_code == 0
    assert r"\frac{\partial^{2} L}{\partial w\, \partial w^{\top}}" in done.output


def test_examples_that_do_not_fit_are_refused(tmp_path):
    text = 'import symgrad as sg\nn = sg.dims("n")\nx, a = sg.parameter("x", n), sg.data("a", n)\noutput = x * a\n'
    for example, message in {
        '{"q": [1.0]}': "example: the output holds no q; give numbers for x, a",
        '{"x": [1.0, 2.0], "a": [1.0]}': "example: n is both 2 and 1; make the arrays fit",
        '{"x": [[1.0]]}': "example: x has 2 axes, and is declared with 1; give it as declared",
        '{"x": "one"}': "example",
    }.items():
        file = tmp_path / "m.py"
        file.write_text(f"{text}example = {example}\n")
        with pytest.raises(sg.InputError, match=re.escape(message)):
            sg.load_output(str(file)).vjp()
