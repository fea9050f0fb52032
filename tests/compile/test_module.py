"""The emitted module: it stands alone, is the same every time, holds no text that could run, reads like a hand's."""

from __future__ import annotations

import ast
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest
import sympy

import symgrad.primitives.language as sg
from symgrad.compile import numpy_source
from symgrad.compile.function import compile_derivation
from symgrad.compile.plan import make_plan
from symgrad.errors import DerivationError, InputError
from symgrad.graph.expression import coerce, contraction, elementwise, linear

from compile.by_hand import Hand, derivation, product  # isort: skip
from compile.models import MODELS, arrays_for, derived, swept  # isort: skip

n, d, k = sg.dims("n d k")
X, Y, w = sg.data("X", n, d), sg.data("Y", n, k, one_hot=True), sg.parameter("w", n)
W, b = sg.parameter("W", d, k), sg.parameter("b", k)
A, B = sg.data("A", n, n), sg.data("B", n, n)


def softmax_regression():
    hand = Hand()
    Z = hand("Z", X @ W + b)
    P = hand("P", sg.softmax(Z))
    hand("L", -sg.mean(sg.sum(Y * sg.log(P), axis=1)))
    gradients = {"P": -Y / P / n, "Z": (P - Y) / n, "W": X.T @ (P - Y) / n, "b": sg.sum(P - Y, axis=0) / n}
    return derivation(hand, gradients, P, facts=[("one_hot", Y)])


def body(f, name="value_and_gradients"):
    tree = ast.parse(f.source)
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    lines = f.source.splitlines()[function.lineno - 1 : function.end_lineno]
    return "\n".join(line.strip() for line in lines)


def test_the_page_to_aim_at():
    code = body(compile_derivation(softmax_regression()))
    assert code.splitlines()[3:] == [
        "n = X.shape[0]",
        "if check and not (((Y == 0) | (Y == 1)).all() and (Y.sum(axis=-1) == 1).all()):",
        'raise ValueError("Y is declared one_hot but is not; pass other values, or declare it without")',
        "Z = X @ W + b                                           # (1)",
        "P, log_P = softmax_and_log(Z, axis=1)                   # (2)",
        "L = -np.vdot(Y, log_P) / n                              # (3)",
        "P_minus_Y = P - Y",
        "W_bar = X.T @ P_minus_Y / n                             # (6)",
        "b_bar = P_minus_Y.sum(axis=0) / n                       # (7)",
        'return L, {"W": W_bar, "b": b_bar}',
    ]


@pytest.mark.parametrize(
    ("loss", "has", "has_not"),
    [
        (w @ (A @ B @ w), ["A @ (B @ w)"], ["(A @ B", "= A @ B", "+ A @ B"]),
        (sg.trace(A @ (w[:, None] * B)), [], ["A @ "]),
        (sg.sum(sg.diag(w) @ A), [], ["np.diag", "np.eye", "@ A\n"]),
        (sg.sum(A * sg.outer(w, w)), [], ["np.outer"]),
        (w @ sg.inv(A) @ w, ["np.linalg.solve(A, w)", "np.linalg.solve(A.T, w)"], ["linalg.inv"]),
        (w @ sg.solve(A, w), ["np.linalg.solve(A, w)"], ["linalg.inv"]),
        (w @ sg.inv(A) @ B @ sg.inv(A) @ w, ["np.linalg.solve(A"], ["linalg.inv"]),
        (sg.sum((A @ w) ** 2), [], ["einsum", "**2"]),
        (sg.sum(w) * sg.sum(A), ["np.broadcast_to("], []),
    ],
)  # fmt: skip
def test_the_cheap_order(loss, has, has_not):
    code = body(compile_derivation(swept(loss)))
    assert all(text in code for text in has), code
    assert not any(text in code for text in has_not), code


def test_a_bare_inverse_is_computed_once_and_only_where_it_is_wanted():
    m, a = sg.parameter("M", n, n), sg.data("a", n)
    code = body(compile_derivation(swept(sg.logdet(m) + a @ sg.inv(m) @ a)))
    assert code.count("np.linalg.inv(M)") == 1
    # A⁻¹b costs another factoring of A, where there is no inverse yet: of the loss alone.
    assert "solve" not in code
    assert body(compile_derivation(swept(sg.logdet(m) + a @ sg.inv(m) @ a)), "value").count("np.linalg.solve(") == 1


def test_what_no_gradient_needs_is_not_computed():
    code = body(compile_derivation(softmax_regression()))
    assert "P_bar" not in code
    assert "Z_bar" not in code
    assert "softmax" not in body(compile_derivation(swept(w @ w, model=sg.softmax(w))))


def test_it_runs_where_symgrad_is_not(tmp_path):
    f = compile_derivation(derived(MODELS["net"][0]()), title="Net")
    path = tmp_path / "grads.py"
    f.save(path)
    assert list(tmp_path.iterdir()) == [path]
    program = (
        # An import of None fails, also where symgrad is installed.
        "import sys\nsys.modules.update(symgrad=None, sympy=None)\n"
        "import numpy as np, grads\n"
        "arrays = dict(X=np.ones((7, 3)), Y=np.eye(4)[[0] * 7], W1=np.ones((3, 5)), b1=np.ones(5),\n"
        "              W2=np.ones((5, 4)), b2=np.ones(4))\n"
        "value, gradients = grads.value_and_gradients(**arrays)\n"
        "assert grads.value(**arrays) == value\n"
        "print(repr(float(value)))\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    arrays = {"X": np.ones((7, 3)), "Y": np.eye(4)[[0] * 7], "b1": np.ones(5)}
    arrays |= {"W1": np.ones((3, 5)), "W2": np.ones((5, 4))}
    assert float(result.stdout) == f.value(**arrays, b2=np.ones(4))


def test_the_source_is_the_same_in_every_process():
    program = (
        "from compile.models import MODELS, derived\nfrom symgrad.compile.function import compile_derivation\n"
        "import hashlib, sys\n"
        "for name in ('net', 'attention', 'sandwich', 'mixed', 'batch norm'):\n"
        "    text = compile_derivation(derived(MODELS[name][0]()), title=name).source\n"
        "    print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    outputs = []
    for seed in ("0", "1", "17"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        run = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
        outputs.append(run.stdout)
    assert len(set(outputs)) == 1


@pytest.mark.parametrize("name", list(MODELS))
def test_it_pickles_and_imports_numpy_alone(name):
    built = derived(MODELS[name][0]())
    f = compile_derivation(built, title=name)
    again = pickle.loads(pickle.dumps(f))
    arrays = arrays_for(built.leaves)
    assert again.source == f.source
    assert again(**arrays)[0] == f(**arrays)[0]
    imports = [node for node in ast.walk(ast.parse(f.source)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [ast.unparse(node) for node in imports] == ["import numpy as np"]
    assert max(map(len, f.source.splitlines())) <= 110


@pytest.mark.parametrize(
    "title",
    [
        '"""\nimport os\n"""',
        "\\",
        '"',
        'a\\"""',
        "\x00\x1b[31m",
        "\ud800",
        "\\N{BULLET}",
        "{% x %}",
        "\\u0022" * 3,
        "中文",
    ],
)
def test_a_title_is_only_a_title(title):
    x = sg.parameter("x", n, about=title)
    f = compile_derivation(swept(x @ x), title=title)
    tree = ast.parse(f.source)
    assert [type(node).__name__ for node in tree.body[:2]] == ["Expr", "Import"]
    shown = ast.get_docstring(tree, clean=False)
    assert shown is not None
    assert shown.startswith(" ".join(title.split()) + "\n")
    f.source.encode()
    assert f(x=[2.0])[0] == 4


def test_save_is_atomic(tmp_path):
    path = tmp_path / "grads.py"
    path.write_text("before")
    f = compile_derivation(swept(w @ w))
    f.save(path)
    assert path.read_text() == f.source
    with pytest.raises(InputError, match="missing"):
        f.save(tmp_path / "missing" / "grads.py")
    assert [p.name for p in tmp_path.iterdir()] == ["grads.py"]


def test_functions_given_to_sympy():
    t, s = sympy.Symbol("t; import os"), sympy.Symbol("s")
    f1 = sympy.Lambda((t,), sympy.sqrt(2) * sympy.sin(t) ** 2 + sympy.pi / 3)
    f2 = sympy.Lambda((t, s), sympy.Piecewise((t**2, t > 0), (0, True)) * 2)
    v = sg.parameter("v", n)
    hand = Hand()
    hand("L", sg.sum(elementwise("scalar", w, parameter=f1)) + sg.sum(elementwise("scalar", w, v, parameter=f2)))
    ones = contraction([coerce(0)], [()], w.shape)
    f = compile_derivation(derivation(hand, {"w": ones, "v": ones}))
    x = np.array([-1.0, 2.0])
    expected = (np.sqrt(2) * np.sin(x) ** 2 + np.pi / 3).sum() + 8
    assert np.isclose(f(w=x, v=x)[0], expected, rtol=1e-14)
    assert f(w=x.astype(np.float32), v=x.astype(np.float32))[0].dtype == np.float32
    for body_ in (sympy.gamma(t), sympy.erf(t), sympy.Function("open")(t)):
        hand = Hand()
        hand("L", sg.sum(elementwise("scalar", w, parameter=sympy.Lambda((t,), body_))))
        with pytest.raises(DerivationError, match=type(body_).__name__):
            compile_derivation(derivation(hand, {"w": ones}))


def deep_net(depth):
    h = sg.dims("h")
    hand, a = Hand(), sg.data("X", n, h)
    for layer in range(1, depth + 1):
        z = hand(f"Z{layer}", a @ sg.parameter(f"W{layer}", h, h) + sg.parameter(f"b{layer}", h))
        a = hand(f"H{layer}", sg.tanh(z))
    hand("L", sg.sum((a - sg.data("Y", n, h)) ** 2) / (2 * n))
    return derivation(hand)


def test_what_is_planned_once_is_what_each_alone_would_have_planned(monkeypatch):
    def apart(program):
        loss = {"": program.loss}
        return make_plan(program, loss), make_plan(program, {**loss, **program.gradients}, stated=True)

    # By the symmetry of K the gradients need no transposes; the loss does not rest on it.
    K = sg.data("K", n, n, symmetric=True)
    losses = [*(build() for build, *_ in MODELS.values()), sg.sum(sg.exp(sg.sin(K * sg.parameter("s")) @ w))]
    derivations = [derived(loss) for loss in losses]
    together = [compile_derivation(d).source for d in derivations]
    monkeypatch.setattr(numpy_source, "loss_and_whole", apart)
    assert together == [compile_derivation(d).source for d in derivations]


def test_cost_grows_linearly():
    seconds = {}
    for depth in (25, 200):
        built = deep_net(depth)
        seconds[depth] = min(timed(built) for _ in range(3))
    assert seconds[200] < 8 * 2 * seconds[25]


def timed(built):
    start = time.process_time()
    compile_derivation(built)
    return time.process_time() - start


@pytest.mark.parametrize(
    "step",
    [
        lambda x: elementwise("sin", x),
        lambda x: linear([(1, x), (1, w)]),
        lambda x: linear([(-1, x)]),
        lambda x: product(x, elementwise("tanh", w)),
        lambda x: contraction([contraction([x], [(1,)], (*w.shape, *w.shape))], [(2, 0)], w.shape),
    ],
)
def test_a_chain_of_5000_nodes(step):
    x = w
    for _ in range(5000 if step(w).kind != "contraction" else 1500):
        x = step(x)
    hand = Hand()
    hand("L", sg.sum(x))
    zero = contraction([coerce(0)], [()], w.shape)
    f = compile_derivation(derivation(hand, {"w": zero}))
    assert f.value(w=np.zeros(1)) == 0
