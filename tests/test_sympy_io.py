"""SymPy both ways: a loss over `IndexedBase` entries or matrices in, and expressions out as entries or sums.

What comes in is compared with SymPy's own sums written out (`doit`), gradients with SymPy's `diff` of these.
"""

from __future__ import annotations

import inspect
from fractions import Fraction

import numpy as np
import pytest
import sympy
from sympy import (
    Abs,
    Determinant,
    Eq,
    HadamardProduct,
    Idx,
    Indexed,
    IndexedBase,
    KroneckerDelta,
    MatrixSymbol,
    Max,
    Min,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    Trace,
    exp,
    log,
    sqrt,
    tanh,
)
from test_problems import FILES, arrays_of, problem

import symgrad as sg
from symgrad.canonical import put_in
from symgrad.graph.expression import Role
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.expand import expand
from symgrad.text.from_sympy import from_sympy

A, B, X, Y, u, v, w, x, y = map(IndexedBase, "ABXYuvwxy")
a, b, lam = sympy.symbols("a b lam")
i, j, k, d, m, n = sympy.symbols("i j k d m n", integer=True)
NUMBERS = {"n": 3, "d": 2, "m": 2}

RESIDUAL = Sum(X[i, j] * w[j], (j, 1, d)) + b - y[i]
SQUARES = Sum(RESIDUAL**2, (i, 1, n))
MARGIN = y[i] * Sum(X[i, j] * w[j], (j, 0, d - 1))

# A loss in SymPy, its parameters, and how the same loss is written in the language.
SUMS = {
    "line": (Sum((a * x[i] + b - y[i]) ** 2, (i, 1, n)) / n, [a, b], "sum((a * x + b - y)**2) / n"),
    "least squares": (SQUARES / n, [w, b], "sum((X @ w + b - y)**2) / n"),
    "half of it": (SQUARES / (2 * n), [w, b], "sum((X @ w + b - y)**2) / (2*n)"),
    "ridge": (SQUARES + lam * Sum(w[j] ** 2, (j, 1, d)), [w], "lam * sum(w**2) + sum((X @ w + b - y)**2)"),
    "logistic": (Sum(log(1 + exp(-MARGIN)), (i, 0, n - 1)), [w], "sum(log(1 + exp(-y * (X @ w))))"),
    "absolute": (Sum(Abs(RESIDUAL), (i, 1, n)), [w], "sum(abs(X @ w + b - y))"),
    "hinge": (Sum(Max(0, 1 - MARGIN), (i, 0, n - 1)), [w], "sum(maximum(0, 1 - y * (X @ w)))"),
    "minimum": (Sum(Min(x[i], y[i]), (i, 1, n)), [x], "sum(minimum(x, y))"),
    "Huber": (
        Sum(Piecewise((u[i] ** 2 / 2, Abs(u[i]) <= 1), (Abs(u[i]) - Rational(1, 2), True)), (i, 1, n)),
        [u],
        "sum(where(1 >= abs(u), u**2 / 2, abs(u) - 1/2))",
    ),
    "cases": (
        Sum(Piecewise((u[i], (u[i] > 0) & (v[i] < 1)), (2 * u[i], Eq(v[i], 2) | (v[i] >= 3)), (0, True)), (i, 1, n)),
        [u],
        None,
    ),
    "quadratic form": (Sum(x[i] * A[i, j] * x[j], (i, 1, n), (j, 1, n)), [x], "x @ (A @ x)"),
    "nested": (Sum(Sum(x[i] * A[i, j] * x[j], (j, 1, n)), (i, 1, n)), [x], "x @ (A @ x)"),
    "chain": (Sum(u[i] * A[i, j] * B[j, k] * v[k], (i, 1, n), (j, 1, d), (k, 1, m)), [A], "u @ (A @ (B @ v))"),
    "columns": (Sum(X[i, j] * v[i] * w[j], (i, 1, n), (j, 1, d)), [w], "v @ (X @ w)"),
    "transposed": (Sum(Sum(X[i, j] * v[i], (i, 1, n)) ** 2, (j, 1, d)), [v], "sum((X.T @ v)**2)"),
    "both transposed": (Sum(tanh(Sum(X[j, i] * A[k, j], (j, 1, n))), (i, 1, d), (k, 1, n)), [A], "sum(tanh(A @ X))"),
    "right transposed": (Sum(tanh(Sum(X[i, j] * Y[k, j], (j, 1, d))), (i, 1, n), (k, 1, n)), [X], "sum(tanh(X @ Y.T))"),
    "weighted": (Sum(X[i, j] * u[i] * Y[i, k], (i, 1, n), (j, 1, d), (k, 1, m)), [X], None),
    "two sums": (Sum(tanh(u[i]), (i, 1, n)) * Sum(w[j], (j, 1, d)), [w, u], "sum(tanh(u)) * sum(w)"),
    "log-sum-exp": (Sum(log(Sum(exp(X[i, j]), (j, 1, d))), (i, 1, n)), [X], "sum(log(sum(exp(X), axis=1)))"),
    "three vectors": (Sum(u[i] * v[i] * x[i], (i, 1, n)), [u], "sum(u * v * x)"),
    "constant": (Sum(5 * b, (i, 1, n)), [b], "5 * b * n"),
    "outer sum": (Sum((u[i] + v[j]) ** 2, (i, 1, n), (j, 1, d)), [u], None),
    "outer product": (Sum(exp(u[i] * v[j]), (i, 1, n), (j, 1, d)), [u], "sum(exp(outer(u, v)))"),
    "trace": (Sum(A[i, i] * u[i], (i, 1, n)), [A], "u @ diagonal(A)"),
    "identity": (Sum(KroneckerDelta(i, j) * A[i, j] ** 2, (i, 1, n), (j, 1, n)), [A], None),
    "root": (sqrt(Sum(w[j] ** 2, (j, 1, d))), [w], "sqrt(sum(w**2))"),
    "same letter twice": (Sum(u[i], (i, 1, n)) * Sum(w[i], (i, 1, d)), [u], "sum(u) * sum(w)"),
    "fixed sizes": (Sum(u[i] ** 2, (i, 1, 4)), [u], "sum(u**2)"),
    "Idx": (Sum(u[Idx("p")] ** 2, (Idx("p"), 0, n - 1)), [u], "sum(u**2)"),
    "three axes": (Sum(IndexedBase("T")[i, j, k] * u[i] * w[j] * v[k], (i, 1, n), (j, 1, d), (k, 1, m)), [u], None),
    "scalars": (a**2 + exp(a * b), [a], "a**2 + exp(a * b)"),
}


def written_out(e):
    """SymPy's own sums at the numbers."""
    return e.subs({n: NUMBERS["n"], d: NUMBERS["d"], m: NUMBERS["m"]}).doit()


def is_zero(e):
    """Whether an expression in entries is 0: at random points to 40 digits, and off every kink."""
    random = np.random.default_rng(0)
    entries = sorted(e.atoms(Indexed) | {s for s in e.atoms(Symbol) if not isinstance(s, IndexedBase)}, key=str)
    labels = {base.label for base in e.atoms(IndexedBase)}
    for _ in range(3):
        values = {s: Rational(int(random.integers(-90, 90)) or 1, 37) for s in entries if s not in labels}
        at = sympy.N(put_in(e, values), 40)
        assert at.is_number, at
        if abs(at) > Rational(1, 10**25):
            return False
    return True


@pytest.mark.parametrize("name", SUMS)
def test_a_loss_in_sums_is_the_language_s_own(name):
    loss, parameters, expected = SUMS[name]
    e = from_sympy(loss, parameters)
    assert expected is None or str(e) == expected
    start = 0 if name in ("logistic", "hinge", "Idx") else 1
    assert is_zero(sg.to_sympy(e, NUMBERS, start=start) - written_out(loss))


@pytest.mark.parametrize("name", SUMS)
def test_its_gradient_is_sympys(name):
    loss, parameters, _ = SUMS[name]
    start = 0 if name in ("logistic", "hinge", "Idx") else 1
    derived = sg.Problem(loss, parameters=parameters).derive(prove=False)
    explicit = written_out(loss)
    for p in derived.parameters:
        got = derived.gradients[p.name].to_sympy(NUMBERS, derivation=derived, start=start)
        entries = sg.to_sympy(p, NUMBERS, start=start)
        pairs = zip(flat(got), flat(entries), strict=True)
        for found, entry in pairs:
            assert is_zero(found - real_diff(explicit, entry))


def flat(e):
    return (
        [e[place] for place in np.ndindex(*map(int, e.shape))]
        if isinstance(e, sympy.MatrixBase | sympy.NDimArray)
        else [e]
    )


def real_diff(e, entry):
    """∂e/∂entry, every entry and symbol real."""
    old = sorted(e.atoms(Indexed) | {s for s in e.free_symbols if not isinstance(s, Indexed)}, key=str)
    new = {s: sympy.Dummy(f"r{place}", real=True) for place, s in enumerate(old)}
    back = {r: s for s, r in new.items()}
    return sympy.diff(e.xreplace(new), new.get(entry, entry)).doit().xreplace(back)


def test_a_derivation_of_sums_reads_as_the_language_s():
    derived = sg.Problem(SQUARES / n, parameters=[w, b]).derive()
    assert {name: str(e) for name, e in derived.gradients.items()} == {"w": "2 * X.T @ r / n", "b": "2 * sum(r) / n"}
    assert derived.end_to_end.points == 3


def test_a_model_file_of_sums_is_explained_and_compiled(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(
        "from sympy import IndexedBase, Sum, symbols\n"
        "X, y, w = map(IndexedBase, 'Xyw')\n"
        "i, j, n, d = symbols('i j n d')\n"
        "loss = Sum((Sum(X[i, j] * w[j], (j, 1, d)) - y[i]) ** 2, (i, 1, n)) / n\n"
        "parameters = [w]\n"
    )
    f = sg.load(str(path)).compile()
    arrays = np.random.default_rng(0).normal(size=(5, 2)), np.arange(5.0), np.array([0.3, -0.2])
    value, gradients = f(X=arrays[0], y=arrays[1], w=arrays[2])
    residual = arrays[0] @ arrays[2] - arrays[1]
    assert value == pytest.approx((residual**2).mean())
    np.testing.assert_allclose(gradients["w"], 2 / 5 * arrays[0].T @ residual)
    assert r"X^{\top} r" in sg.load(str(path)).explain()


# ---- matrices

P, Q = MatrixSymbol("P", n, d), MatrixSymbol("Q", d, m)
S = MatrixSymbol("S", n, n)
c, z = MatrixSymbol("c", d, 1), MatrixSymbol("z", n, 1)
MATRICES = {
    "residual": ((P * c - z).T * (P * c - z), "(P @ c - z) @ (P @ c - z)"),
    "its entry": (((P * c - z).T * (P * c - z))[0, 0] / n, "(P @ c - z) @ (P @ c - z) / n"),
    "trace": (Trace(P * Q * Q.T * P.T), "trace(P @ Q @ Q.T @ P.T)"),
    "inverse": (z.T * S.I * z, None),
    "Gaussian": (log(Determinant(S)) + Trace(S.I * z * z.T), "log(det(S)) + trace(outer(inv(S) @ z, z))"),
    "elementwise": (Trace(HadamardProduct(P, P + 2 * P).T * P), None),
    "power": (Trace(S**3), "trace(S @ S @ S)"),
    "inverse power": (Trace(S**-2), "trace(inv(S) @ inv(S))"),
    "symmetric part": (z.T * (S + S.T) * z / 2, None),
    "constants": (Trace(sympy.Identity(n) * S) + (sympy.OneMatrix(1, n) * z)[0, 0], None),
    "entries": (Sum(P[i, j] ** 2, (i, 0, n - 1), (j, 0, d - 1)), "sum(P**2)"),
    "entries of products": (Sum((P * c)[i, 0] ** 2, (i, 0, n - 1)), "sum((P @ c)**2)"),
    "scalar times": (lam * z.T * z, None),
}


# The same without sums over entries, which SymPy does not write out.
PLAIN = {"its entry": (P * c - z).T * (P * c - z) / 3, "entries of products": (P * c).T * (P * c)}


def explicit_matrices(e):
    """A SymPy matrix expression at the numbers, in entries of the same names as ours."""
    numbers = {n: NUMBERS["n"], d: NUMBERS["d"], m: NUMBERS["m"]}
    found = e.subs(numbers).doit() if not isinstance(e, sympy.MatrixExpr) else e.subs(numbers)
    symbols = found.atoms(MatrixSymbol)
    new = {}
    for s in symbols:
        rows, columns = map(int, s.shape)
        base = IndexedBase(s.name)
        entries = [base[p] if columns == 1 else base[p, q] for p in range(rows) for q in range(columns)]
        new[s] = sympy.ImmutableMatrix(rows, columns, entries)
    value = found.subs(new).doit()
    return value[0, 0] if getattr(value, "is_Matrix", False) else value


@pytest.mark.parametrize("name", MATRICES)
def test_a_loss_in_matrices_is_the_language_s_own(name):
    loss, expected = MATRICES[name]
    e = from_sympy(loss, [P, S])
    assert expected is None or str(e) == expected
    assert is_zero(sg.to_sympy(e, NUMBERS) - explicit_matrices(PLAIN.get(name, loss)))


# ---- what is refused, in one line

REFUSED = {
    "shift": (Sum(u[i] * v[i + 1], (i, 1, n)), "v[i + 1] is shifted; index with i alone"),
    "single entry": (Sum(u[i], (i, 1, n)) * u[0], "u[0] is a single entry; give it a Symbol"),
    "a symbol that does not commute": (
        sympy.Symbol("A", commutative=False) + 1,
        "A is declared not to commute; a symbol is a real number here",
    ),
    "an imaginary symbol": (sympy.Symbol("A", imaginary=True) + 1, "A is declared imaginary"),
    "index as a number": (Sum(i * u[i], (i, 1, n)), "the index i stands outside brackets"),
    "free index": (u[i] ** 2, "i in u[i] is not summed over"),
    "two ranges": (Sum(u[i], (i, 1, n)) + Sum(u[i], (i, 1, d)), "give both sums one range"),
    "two beginnings": (Sum(u[i], (i, 1, n)) + Sum(u[i], (i, 0, n - 1)), "give both sums one range"),
    "begins at 2": (Sum(u[i], (i, 2, n)), "begins at 2; let it begin at 0 or 1"),
    "infinite": (Sum(u[i], (i, 1, sympy.oo)), "has oo values, which is no size"),
    "half a size": (Sum(u[i], (i, 1, n / 2)), "has n/2 values, which is no size"),
    "empty": (Sum(u[i], (i, 1, -2)), "is empty; give it at least one value"),
    "triangle": (Sum(A[i, j], (j, 1, i), (i, 1, n)), "the end of a range is the index i of another sum"),
    "two ranks": (Sum(u[i], (i, 1, n)) + Symbol("u"), "give two different arrays two names"),
    "array and size": (Sum(IndexedBase("n")[i], (i, 1, n)), "n is an array and the end of a range"),
    "declared shape": (
        Sum(IndexedBase("q", shape=(m,))[i], (i, 1, n)),
        "q[i]: the shape is (m), the ranges are (n); make them agree",
    ),
    "partial cases": (Sum(Piecewise((1, u[i] > 0)), (i, 1, n)), "end it with (…, True)"),
    "step": (Sum(sympy.Heaviside(u[i]), (i, 1, n)), "Heaviside(u[i]) (Heaviside) is not understood"),
    "unknown function": (Sum(sympy.Function("f")(u[i]), (i, 1, n)), "f(u[i]) (f) is not understood"),
    "integral": (sympy.Integral(a, (a, 0, 1)), "(Integral) is not understood"),
    "product": (sympy.Product(u[i], (i, 1, n)), "(Product) is not understood"),
    "irrational": (sympy.pi * a, "the constant pi has no exact rational value"),
    "matrix": (P * c, "the loss is not a scalar"),
    "adjoint": (Trace(sympy.Adjoint(S)), "Adjoint(S) (Adjoint) is not understood"),
    "code as a name": (Symbol("__import__('os').system('true')") ** 2, "cannot be an argument"),
    "code as an array": (Sum(IndexedBase("os.system('true')")[i], (i, 1, n)), "cannot be an argument"),
    "code as a size": (Sum(u[i], (i, 1, Symbol("exit()", integer=True))), "cannot be an argument"),
    "code as a matrix": (Trace(MatrixSymbol("exit()", 2, 2)), "cannot be an argument"),
    "dunder": (Symbol("__class__") ** 2, "cannot be an argument"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(name):
    loss, message = REFUSED[name]
    with pytest.raises(sg.InputError) as caught:
        from_sympy(loss, [u])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


def test_a_parameter_that_is_no_symbol_is_refused():
    for wrong in ("u", u[0], 3):
        with pytest.raises(sg.InputError, match="give a Symbol, IndexedBase or MatrixSymbol"):
            from_sympy(Sum(u[i], (i, 1, n)), [wrong])
    with pytest.raises(sg.InputError, match="n is a parameter and the end of a range"):
        from_sympy(n * Sum(u[i], (i, 1, n)), [n])


# ---- out: every model's gradient against SymPy's derivative of its loss


def small_sizes(leaves):
    names = sorted({name for e in leaves for s in e.shape for name in s.names})
    numbers = {name: 2 + place % 2 for place, name in enumerate(names)}
    return numbers | ({"t": 4, "s": 2} if {"t", "s"} <= set(names) else {})


@pytest.mark.parametrize("name", FILES)
def test_the_gradient_out_is_the_derivative_of_the_loss_out(name):
    derived, loss = problem(name).derive(prove=False), problem(name).loss
    sizes = small_sizes(derived.leaves)
    given = small_arrays(derived.leaves, sizes)
    values = {
        entry: sympy.Float(Rational(number), 50)
        for e in derived.leaves
        for entry, number in zip(flat(e.to_sympy(sizes, real=True)), np.ravel(given[e.name]).tolist(), strict=True)
        for number in [Fraction(number).limit_denominator(1000)]
    }
    explicit = sg.to_sympy(loss, sizes, real=True)
    for p in derived.parameters:
        gradient = sg.to_sympy(derived.gradients[p.name], sizes, derivation=derived, real=True)
        for entry, found in zip(flat(p.to_sympy(sizes, real=True)), flat(gradient), strict=True):
            # The other entries are numbers before SymPy differentiates by this one: written out, a net is a long formula.
            alone = put_in(explicit, {s: value for s, value in values.items() if s != entry})
            by_sympy = sympy.diff(alone, entry)
            got, expected = (sympy.N(put_in(e, values), 30) for e in (found, by_sympy))
            assert abs(got - expected) <= Rational(1, 10**20) * (1 + abs(expected)), (p.name, entry)


def small_arrays(leaves, sizes):
    """Arrays with their facts, cut to these sizes; square ones stay far from singular."""
    found = {}
    for e in leaves:
        shape = tuple(s.at(sizes) for s in e.shape)
        array = np.asarray(arrays_of(leaves, 0)[e.name])[tuple(slice(length) for length in shape)]
        if "one_hot" in e.facts:
            rows = np.arange(int(np.prod(shape[:-1], dtype=int))) % shape[-1]
            array = np.eye(shape[-1])[rows].reshape(shape)
        found[e.name] = array
    return found


# ---- out and in again

PROGRAMS = {
    "residuals": lambda X, w, y, n: sg.sum((X @ w - y) ** 2) / n,
    "softmax": lambda X, y: -(y @ sg.log(sg.softmax(X @ sg.sum(X, axis=0)))),
    "log-sum-exp": lambda X: sg.sum(sg.logsumexp(X, axis=1)),
    "norm": lambda y: sg.norm(y),
    "trace": lambda A: sg.trace(A @ A.T @ A),
    "diagonal": lambda A, y: sg.diagonal(A) @ y,
    "relu": lambda X, w: sg.sum(sg.relu(X @ w)),
    "three axes": lambda X, Y: sg.sum(X[:, None, :] * Y[None, :, :]),
    "hyperparameter": lambda X, lam: lam * sg.sum(X**2),
}


def leaves():
    n, d = sg.dims("n d")
    return {
        "X": sg.data("X", n, d),
        "Y": sg.data("Y", n, d),
        "A": sg.data("A", n, n),
        "w": sg.data("w", d),
        "y": sg.data("y", n),
        "lam": sg.data("lam"),
        "n": n,
    }


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("start", [0, 1])
def test_sums_out_are_read_in_again(name, start):
    write = PROGRAMS[name]
    e = write(*(leaves()[key] for key in inspect.signature(write).parameters))
    back = from_sympy(sg.to_sympy(e, start=start), [])
    assert is_zero(sg.to_sympy(back, NUMBERS) - sg.to_sympy(e, NUMBERS))
    if name in ("residuals", "trace", "hyperparameter"):
        assert expand(to_form(back)) == expand(to_form(e))


def test_shapes_out():
    known = leaves()
    X, y, A = known["X"], known["y"], known["A"]
    assert sg.to_sympy(y, NUMBERS).shape == (3, 1)
    assert sg.to_sympy(X, NUMBERS) == sympy.Matrix(3, 2, lambda p, q: IndexedBase("X")[p, q])
    assert sg.to_sympy(sg.einsum("ij,ij,k->ijk", X, X, y), NUMBERS).shape == (3, 2, 3)
    assert sg.to_sympy(sg.inv(A), {"n": 2}) == sympy.Matrix(2, 2, lambda p, q: IndexedBase("A")[p, q]).inv()
    assert sg.to_sympy(sg.data("lam") * 3, {}) == 3 * Symbol("lam")
    assert sg.to_sympy(0.5) == Rational(1, 2)
    p, q = sympy.symbols("i j", integer=True)
    assert sg.to_sympy(X.T) == sympy.Lambda((p, q), IndexedBase("X")[q, p])


def test_out_refuses_in_one_line():
    known = leaves()
    X, A = known["X"], known["A"]
    for call, message in (
        (lambda: sg.to_sympy(X, {"n": 3}), "the size d has no value; write sizes={'d': 3, …}"),
        (lambda: sg.to_sympy(X, {"n": 3, "d": 0}), "the size d is 0; give a whole number from 1"),
        (lambda: sg.to_sympy(X, {"n": 3, "d": 1.5}), "the size d is 1.5"),
        (lambda: sg.to_sympy(sg.trace(sg.inv(A))), "inv has no formula over symbolic sizes"),
        (lambda: sg.to_sympy(np.ones(3)), "cannot stand in an expression"),
    ):
        with pytest.raises(sg.InputError) as caught:
            call()
        assert message in str(caught.value)


def test_gradients_out_hold_the_names_of_the_page_or_the_leaves():
    known = leaves()
    w = sg.parameter("w", *known["w"].shape)
    derived = sg.Problem(sg.sum((known["X"] @ w - known["y"]) ** 2)).derive(prove=False)
    gradient = derived.gradients["w"]
    assert {base.name for base in sg.to_sympy(gradient, NUMBERS).atoms(IndexedBase)} == {"X", "r"}
    in_leaves = gradient.to_sympy(NUMBERS, derivation=derived)
    assert {base.name for base in in_leaves.atoms(IndexedBase)} == {"X", "w", "y"}
    assert all(e.role is not Role.INTERMEDIATE for e in derived.leaves)
