"""Model files: which names intermediates get, and that every mistake is one line at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad.errors import DerivationError, InputError, ShapeError, SymgradError
from symgrad.problem import Problem

HEAD = "import symgrad as sg\nn, d = sg.dims('n d')\nX = sg.data('X', n, d)\ny = sg.data('y', n)\nw = sg.parameter('w', d)\n"


def problem_of(text: str, folder: Path) -> Problem:
    path = folder / "model.py"
    path.write_text(HEAD + text, encoding="utf-8")
    return Problem.from_file(str(path))


def names(problem: Problem) -> list[str]:
    return [eq.target.name for eq in problem.derive(prove=False).forward]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("z = X @ w\nloss = sg.sum(sg.tanh(z))", ["z", "L"]),
        ("r = X @ w - y\nloss = sg.sum(r**2)", ["r", "L"]),
        # Without a name the residual inside the square gets one; a short difference gets none.
        ("loss = sg.sum((X @ w - y)**2)", ["r", "L"]),
        ("p = sg.sigmoid(X @ w)\nloss = sg.sum((p - y)**2)", ["z", "p", "L"]),
        # A name assigned in a loop names its values in order.
        ("H = X @ w\nfor _ in range(2):\n    H = sg.tanh(H)\nloss = sg.sum(H)", ["H1", "H2", "H3", "L"]),
        # loss = loss + e in a loop is one sum.
        ("loss = 0\nfor k in range(3):\n    loss = loss + w @ sg.data(f'c{k}', d)", ["L"]),
        ("s = 0\nfor k in range(3):\n    s = s + sg.tanh(y + k)\nloss = sg.sum((X @ w - s)**2)", ["s", "r", "L"]),
        # A leaf keeps its own name, and a clash with a user's own H1 is renamed.
        ("H1 = sg.data('H1', n)\ns = H1\nH = X @ w\nH = sg.tanh(H)\nloss = sg.sum(H * s)", ["H_1", "H_2", "L"]),
        # The letter of the loss avoids the user's.
        ("L = sg.data('L', n)\nloss = L @ (X @ w)", ["J"]),
    ],
)
def test_names_of_intermediates(text, expected, tmp_path):
    assert names(problem_of(text, tmp_path)) == expected


def test_assignments_inside_functions_name_their_values(tmp_path):
    found = names(problem_of("def layer(a):\n    z = sg.tanh(a)\n    return z\nloss = sg.sum(layer(X @ w))", tmp_path))
    # The pre-activation inside tanh takes another letter: z is the user's.
    assert len(found) == 3
    assert found[0] != "z"
    assert found[1:] == ["z", "L"]


@pytest.mark.parametrize(
    ("text", "kind", "place", "says"),
    [
        ("loss = sg.sum((X.T @ w)**2)", ShapeError, ":6:", "(d, n) and (d,)"),
        ("z = X @ w\nif z > 0:\n    pass\nloss = sg.sum(z)", InputError, ":7:", "sg.where"),
        ("loss = sg.sum(X @ w) if w == y else 0", InputError, ":6:", "sg.equal"),
        ("loss = sg.sum(0 < X @ w < 1)", InputError, ":6:", "&"),
        ("import numpy as np\nloss = sg.sum(np.ones(3) * y)", InputError, ":7:", "ndarray"),
        ("loss = sg.sum(sg.where(True, y, 0))", InputError, ":6:", "truth value"),
        ("loss = sg.sum(sg.where(y, X @ w, 0))", InputError, ":6:", "binary=True"),
        ("loss = sg.sum(q)", InputError, ":6:", "NameError"),
        ("loss = sg.sum(y) +", InputError, ":6:", "invalid syntax"),
        ("loss = sg.softmax(y, axis=1)", SymgradError, ":6:", "axis 1"),
        # The last assignment of `loss` is meant, wherever it is executed.
        ("loss = X @ w", InputError, ":6:1:", "(n,)"),
        ("loss = sg.sum(y)\nfor k in range(2):\n    loss = loss + X @ w", InputError, ":8:5:", "(n,)"),
        ("def f():\n    loss = sg.sum(w)\n    return loss\nloss = y\nz = f()", InputError, ":9:1:", "(n,)"),
        ("model, loss = X @ w, y - X @ w", InputError, ":6:1:", "(n,)"),
        ("loss = 'sum(w)'", InputError, ":6:1:", "`loss` is a str"),
        ("def loss(w):\n    return sg.sum(w)", InputError, ":6:1:", "`loss` is a function"),
        ("loss = sg.sum(w)\nmodel = 'X @ w'", InputError, ":7:1:", "`model` is a str"),
        ("output = X @ w", InputError, ":6:1:", "`output` and no `loss`"),
        ("los = sg.sum(y)", InputError, ":1:1:", "no `loss`"),
        ("v = sg.data('v', n, one_hott=True)\nloss = sg.sum(v)", InputError, ":6:", "one_hott"),
        ("v = sg.data('v', n, d, symmetric=True)\nloss = sg.sum(v)", ShapeError, ":6:", "square"),
        ("v = sg.data('v', 0)\nloss = sg.sum(v)", InputError, ":6:", "not a size"),
        ("v = sg.data('in valid', n)\nloss = sg.sum(v)", InputError, ":6:", "'in valid'"),
        ("v = sg.data(n, d)\nloss = sg.sum(v)", InputError, ":6:", "the name comes first"),
        ("v = sg.data('v', 'n')\nloss = sg.sum(v)", InputError, ":6:", "'n' is not a size"),
        ("v = sg.data('v', (n, d))\nloss = sg.sum(v)", InputError, ":6:", "one by one, 'v', n, d"),
        # The habits of those who come from NumPy, MATLAB, or a misspelt word.
        ("loss = (X @ w).mean()", InputError, ":6:", "write sg.mean("),
        ("import numpy as np\nloss = np.sum(X @ w)", InputError, ":7:", "np.sum takes arrays and no expressions"),
        ("import numpy as np\nloss = sg.sum(np.exp(X @ w))", InputError, ":7:", "as in sg.exp("),
        ("loss = sg.sum((X @ w)^2)", InputError, ":6:", "write e**2"),
        ("loss = sg.summ(w)", InputError, ":6:", "did you mean sg.sum?"),
        ("raise SystemExit", InputError, "model.py", "ends the program"),
    ],
)
def test_a_mistake_is_one_line_at_its_place(text, kind, place, says, tmp_path):
    with pytest.raises(kind) as caught:
        problem_of(text, tmp_path)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "model.py"))
    assert place in message
    assert says in message
    assert "\n" not in message


SYMPY = "from sympy import symbols, floor, zeta, besselj\na, b, k = symbols('a b k')\n"


@pytest.mark.parametrize(
    ("text", "kind", "place", "says"),
    [
        (HEAD + "loss = sg.sum(y)", InputError, ":6:1:", "holds no parameter"),
        (HEAD + "v = sg.parameter('w', n)\nloss = sg.sum(w) + sg.sum(v)", InputError, ":6:1:", "two different arrays"),
        (HEAD + "q = sg.parameter('n')\nz = X @ w\nloss = sg.sum(z) * q", InputError, ":6:1:", "an array and a size"),
        (HEAD + "c = sg.labels('c', n, d)\nr = X @ w - c\nloss = sg.sum(r)", InputError, ":7:1:", "holds labels"),
        (HEAD + "loss = sg.sum(sg.assume(y**2, positive=True) * w[0])", InputError, ":6:1:", "has no name"),
        # Without the first of these the fit would not know b; it ended in a KeyError.
        (HEAD + "b = sg.parameter('b')\nmodel = X @ w + b\nloss = sg.sum(X @ w)", InputError, ":7:1:", "parameter b"),
        (SYMPY + "loss = (a - b)**2", InputError, ":3:1:", "`parameters = [w, b]`"),
        (SYMPY + "parameters = a\nloss = (a - b)**2", InputError, ":3:1:", "write a list"),
        (SYMPY + "parameters = [a]\nz = floor(a)\nloss = z - b", DerivationError, ":5:1:", "no derivative of floor"),
        (SYMPY + "parameters = [a]\nloss = zeta(a) - b", DerivationError, ":4:1:", "no derivative of zeta"),
        (SYMPY + "parameters = [a]\nloss = besselj(a, b)", DerivationError, ":4:1:", "no derivative of besselj"),
    ],
)
def test_what_only_deriving_finds_has_its_place_too(text, kind, place, says, tmp_path):
    path = tmp_path / "model.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(kind) as caught:
        Problem.from_file(str(path)).derive()
    message = str(caught.value)
    assert message.startswith(f"{path}{place} ")
    assert says in message
    assert "\n" not in message


def test_only_derivatives_that_are_used_need_be_known(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(SYMPY + "parameters = [k]\nloss = zeta(a) * k + besselj(b, k)", encoding="utf-8")
    gradient = str(Problem.from_file(str(path)).derive().gradients["k"])
    assert "besselj(u0 - 1, u1)" in gradient
    assert "besselj(u0 + 1, u1)" in gradient


def test_what_is_asked_for_by_name_must_be_of_the_loss(tmp_path):
    problem = problem_of("b = sg.parameter('b')\nmodel = X @ w + b\nloss = sg.sum(X @ w - y)", tmp_path)
    assert str(problem.derive(["w"]).gradients["w"]) == "sum(X, axis=0)"
    with pytest.raises(InputError, match="the loss holds no b; differentiate by one of X, y, w"):
        problem.derive(["b"])


def test_a_problem_without_a_file_takes_the_names_of_its_place(tmp_path):
    import symgrad as sg

    n, d = sg.dims("n d")
    X, y, w = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d)
    error = X @ w - y
    problem = sg.Problem(sg.sum(error**2), names={"error": error, "X": X})
    assert names(problem) == ["error", "L"]
    hidden = sg.Problem(sg.sum(sg.tanh(sg.named("u", X @ w)) * y))
    assert names(hidden) == ["u", "L"]


def test_a_loss_in_sympy_goes_through_the_same_engine(tmp_path):
    import sympy

    path = tmp_path / "scalar.py"
    path.write_text(
        "from sympy import symbols, exp, cos, besselj\n"
        "t, y, a, k = symbols('t y a k')\n"
        "loss = (a*exp(-k*t)*cos(t) + besselj(0, k) - y)**2 / 2\n"
        "parameters = [a, k]\n",
        encoding="utf-8",
    )
    problem = Problem.from_file(str(path))
    derivation = problem.derive()
    assert {p.name for p in derivation.parameters} == {"a", "k"}
    assert derivation.end_to_end is not None
    t, y, a, k = sympy.symbols("t y a k")
    f = a * sympy.exp(-k * t) * sympy.cos(t) + sympy.besselj(0, k) - y
    at = {t: 0.3, y: 0.2, a: 1.1, k: 0.7}
    expected = {p: float((f * sympy.diff(f, s)).subs(at)) for p, s in (("a", a), ("k", k))}
    from symgrad.derive.endtoend import gradients_at
    from symgrad.derive.samples import as_array
    from symgrad.evaluate import Assignment
    from symgrad.fields import Reals

    reals = Reals(30)
    values = {e: as_array([reals.context.mpf(str(at[sympy.Symbol(e.name)]))], ()) for e in derivation.leaves}
    found = gradients_at(derivation, values, Assignment({}), reals)
    for leaf, array in found.items():
        assert float(array[()]) == pytest.approx(expected[leaf.name], rel=1e-12)


def test_a_sympy_loss_needs_its_parameters(tmp_path):
    path = tmp_path / "scalar.py"
    path.write_text("from sympy import symbols\nw, x = symbols('w x')\nloss = (w*x - 1)**2\n", encoding="utf-8")
    with pytest.raises(InputError, match="parameters = "):
        Problem.from_file(str(path))
