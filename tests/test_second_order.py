"""Hessians and their products with vectors: the textbook's lines, every line proved, and the numbers of SymPy and PyTorch.

The textbook's Hessians and PyTorch's losses are written by hand: neither knows anything of how symgrad derives.
"""

from __future__ import annotations

import inspect
import random
from functools import cache

import numpy as np
import pytest
import sympy
from test_problems import FILES, LONGEST, TORCH, Tensors, arrays_of, problem

import symgrad as sg
from symgrad.derive.derivation import Verdict
from symgrad.derive.samples import Symbols, assignments, entries_of, sizes_in
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals, Symbolic
from symgrad.graph.expression import CONSTANT_ROLES, Apply, Leaf
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.cost import cost
from symgrad.rewrite.display import Why
from symgrad.rewrite.expand import expand
from symgrad.rewrite.facts import Facts

# The table's (H) lines, as functions of the derivation's own names.
HESSIANS = {
    "p03_quadratic_form": ("x", lambda A: A + A.T),
    "p03_quadratic_form_symmetric": ("x", lambda A: 2 * A),
    "p06_distance": ("x", lambda x, a, d: sg.eye(d) / sg.norm(x - a) - sg.outer(x - a, x - a) / sg.norm(x - a) ** 3),
    "p07_ridge": ("w", lambda X, lam, d: 2 * X.T @ X + 2 * lam * sg.eye(d)),
    "p09_logistic_signs": (
        "w",
        lambda X, z, c, d: sg.eye(d) + c * X.T @ sg.diag(sg.sigmoid(z) * (1 - sg.sigmoid(z))) @ X,
    ),
    "p12_cross_entropy": ("z", lambda t, p: sg.sum(t) * (sg.diag(p) - sg.outer(p, p))),
    "p12_cross_entropy_one_hot": ("z", lambda p: sg.diag(p) - sg.outer(p, p)),
    "p14_poisson": ("w", lambda X, eta: X.T @ sg.diag(sg.exp(eta)) @ X),
}
PRINTED = {
    "p03_quadratic_form": "A + A.T",
    "p03_quadratic_form_symmetric": "2 * A",
    "p06_distance": "eye(d) / norm(x - a) - outer(x - a, x - a) / norm(x - a)**3",
    "p07_ridge": "2 * X.T @ X + 2 * lam * eye(d)",
    "p09_logistic_signs": "eye(d) + c * (X.T @ ((sigmoid(z) * (1 - sigmoid(z)))[:, None] * X))",
    "p12_cross_entropy": "sum(t) * (diag(p) - outer(p, p))",
    "p12_cross_entropy_one_hot": "diag(p) - outer(p, p)",
    "p14_poisson": "X.T @ (exp(eta)[:, None] * X)",
}
# Blocks whose entries are millions of products are left to their products with vectors, which are tested for all.
LONG = {
    ("p31_tanh_net", "W1"),
    ("p30_relu_net", "W1"),
    ("p31_tanh_net", "W2"),
    ("p31_tanh_net", "b1"),
    ("p38_attention", "Q"),
    ("p37_softmax_layer", "W"),
    ("p40_tensor", "T"),
}
# Two sizes of the convolution depend on each other: its arrays cannot be cut one by one.
PARAMETERS = [
    (name, p.name) for name in FILES if name != "p41_convolution" for p in problem(name).derive(prove=False).parameters
]


@cache
def hessian(name, first, second=None):
    return problem(name).hessian(first, second)


@cache
def hvp(name, *names):
    return problem(name).hvp(*names)


def names_of(result):
    known = {e.name: e for e in [*result.derivation.leaves, *(eq.target for eq in result.derivation.forward)]}
    sizes = {size for e in known.values() for s in e.shape for size in s.names}
    return {**known, **{size: sg.dims(size) for size in sizes}}


def normal_form(result, e):
    """Over the leaves alone, multiplied out, with every fact used: equal for all ways of writing the same thing."""
    softmaxes = {}
    for eq in reversed(result.derivation.forward):
        if isinstance(eq.expression, Apply) and eq.expression.primitive == "softmax":
            softmaxes[eq.target] = eq.expression
        e = substitute(e, {eq.target: eq.expression})
    form = expand(to_form(e))
    assert form is not None
    return Facts(softmaxes).apply(form)


@pytest.mark.parametrize("name", HESSIANS)
def test_the_hessian_is_the_textbooks(name):
    parameter, write = HESSIANS[name]
    found, known = hessian(name, parameter), names_of(hessian(name, parameter))
    expected = write(*(known[argument] for argument in inspect.signature(write).parameters))
    assert found.shape == expected.shape
    assert normal_form(found, found.expression) == normal_form(found, expected)
    assert cost(found.expression) <= LONGEST * cost(expected)
    assert str(found) == PRINTED[name]


# Where S⁻¹ = P⁻¹P⁻ᵀ cancels with P, entries are quotients of polynomials too long for symbols: compared to 50 digits.
VERIFIED = {("m08_precision", "P")}


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_line_is_proved(name, parameter):
    product = hvp(name, parameter)
    for eq in product.derivation.backward:
        for line in eq.lines:
            by_inverses = (name, parameter) in VERIFIED and line.reason.kind is Why.INVERT
            assert line.proof.verdict is (Verdict.VERIFIED if by_inverses else Verdict.PROVED), eq.name
    assert product.derivation.end_to_end.points == 3
    assert product.derivation.end_to_end.largest_error < 1e-20
    if name.startswith("p") and (name, parameter) not in LONG:
        lines = hessian(name, parameter).lines
        assert [line.proof.verdict for line in lines] == [Verdict.PROVED] * len(lines)


def test_what_is_too_long_for_symbols_is_compared_in_numbers_and_says_so():
    lines = hessian("p30_relu_net", "W1").lines
    assert {line.proof.verdict for line in lines} == {Verdict.VERIFIED}


# ---- against SymPy: the second derivatives of the loss as the user wrote it, entry by entry


@pytest.mark.parametrize("name", HESSIANS)
def test_entries_are_sympys_second_derivatives(name):
    parameter, _ = HESSIANS[name]
    found = hessian(name, parameter)
    sizes = assignments(sizes_in([problem(name).loss]), 1)[0]
    symbols, s = Symbols(sizes), Symbolic()
    leaves = [e for e in postorder([problem(name).loss]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    values = {e: symbols.array(e) for e in leaves}
    (theta,) = [e for e in leaves if e.name == parameter]
    loss = evaluate([problem(name).loss], values, sizes, s)[0][()]
    for eq in found.derivation.forward[:-1]:
        values[eq.target] = evaluate([eq.expression], values, sizes, s)[0]
    block = evaluate([found.expression], values, sizes, s)[0]
    point = {x: sympy.Rational(random.Random(str(x)).randrange(1, 40), 29) for x in loss.free_symbols}
    point |= {x: sympy.Integer(-1) for x in symbols.signs}
    theta_entries = list(entries_of(values[theta]))
    for i, a in enumerate(theta_entries):
        for j, b in enumerate(theta_entries):
            expected = sympy.N(sympy.diff(loss, a, b).subs(point), 40)
            entry = sympy.N(sympy.S(block[i, j]).subs(point), 40)
            assert abs(entry - expected) < sympy.Rational(1, 10**30), (i, j)


# ---- against PyTorch


def torch_second(name, arrays, first, second):
    """∂²L/∂first∂second by automatic differentiation, of shape first.shape + second.shape."""
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    tensors = Tensors(torch, arrays)
    loss = TORCH[name](torch, tensors)
    a, b = getattr(tensors, first), getattr(tensors, second)
    (gradient,) = torch.autograd.grad(loss, a, create_graph=True)
    rows = []
    for entry in gradient.reshape(-1):
        (row,) = torch.autograd.grad(entry, b, retain_graph=True, allow_unused=True, materialize_grads=True)
        rows.append(row.numpy())
    return np.array(rows).reshape((*a.shape, *b.shape))


def numbers(result, expression, arrays):
    """An expression of a derivation at arrays of floats."""
    s = Reals(30)
    derivation = result.derivation
    leaves = {e.name: e for e in derivation.leaves}
    sizes = {}
    for name, array in arrays.items():
        for size, number in zip(leaves[name].shape, np.shape(array), strict=True) if name in leaves else ():
            if size.is_name:
                sizes[size.names[0]] = number
    values = {leaves[name]: exact(array, s) for name, array in arrays.items() if name in leaves}
    chosen = Assignment(sizes)
    for eq in derivation.forward:
        held = {e for e in postorder([eq.expression]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES}
        if held <= values.keys():
            values[eq.target] = evaluate([eq.expression], values, chosen, s)[0]
    found = evaluate([expression], values, chosen, s)[0]
    return np.array([float(x) for x in entries_of(found)]).reshape(np.shape(found))


def exact(array, s):
    flat = np.asarray(array, dtype=float)
    result = np.empty(flat.shape, dtype=object)
    for place in np.ndindex(flat.shape):
        result[place] = s.context.mpf(float(flat[place]))
    return result


def small_arrays(name, seed):
    """Arrays as the tests of gradients take them, cut to sizes that evaluate quickly."""
    leaves = problem(name).derive().leaves
    full = arrays_of(leaves, seed)
    sizes = {s: 3 + (k + seed) % 3 for k, s in enumerate(sorted({n for e in leaves for s in e.shape for n in s.names}))}
    cut = {}
    for e in leaves:
        a = full[e.name]
        if "one_hot" in e.facts:
            width = sizes[e.shape[-1].names[0]]
            rows = [sizes[s.names[0]] for s in e.shape[:-1]]
            a = np.eye(width)[np.random.default_rng(seed).integers(width, size=rows)]
        else:
            a = np.asarray(a)[tuple(slice(sizes[s.names[0]]) for s in e.shape)]
        cut[e.name] = a
    return cut


@pytest.mark.parametrize(("name", "parameter"), [p for p in PARAMETERS if p[0].startswith("p") and p not in LONG])
def test_hessians_agree_with_torch(name, parameter):
    arrays = small_arrays(name, 1)
    expected = torch_second(name, arrays, parameter, parameter)
    found = numbers(hessian(name, parameter), hessian(name, parameter).expression, arrays)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * max(np.abs(expected).max(), 1))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_products_agree_with_torch_and_compile(name, parameter, seed):
    arrays = small_arrays(name, seed)
    product = hvp(name, parameter)
    direction = product.directions[parameter].name
    v = np.random.default_rng(seed).normal(size=np.shape(arrays[parameter]))
    block = torch_second(name, arrays, parameter, parameter)
    expected = np.tensordot(block, v, axes=v.ndim)
    f = product.compile()
    held = {a.name for a in f.arguments}
    _, found = f(**{key: a for key, a in {**arrays, direction: v}.items() if key in held})
    np.testing.assert_allclose(found[parameter], expected, rtol=0, atol=1e-10 * max(np.abs(expected).max(), 1))


def test_a_mixed_block_has_the_shape_of_the_first_then_of_the_second():
    found = hessian("p10_binary_cross_entropy", "w", "b")
    arrays = small_arrays("p10_binary_cross_entropy", 0)
    expected = torch_second("p10_binary_cross_entropy", arrays, "w", "b")
    np.testing.assert_allclose(numbers(found, found.expression, arrays), expected, atol=1e-12)
    net = hessian("p29_hidden_layer", "W2", "W1")
    arrays = small_arrays("p29_hidden_layer", 0)
    expected = torch_second("p29_hidden_layer", arrays, "W2", "W1")
    assert net.shape == (*net.derivation.parameters[0].shape, *net.product.directions["W1"].shape)
    np.testing.assert_allclose(numbers(net, net.expression, arrays), expected, atol=1e-10)


def test_mixed_blocks_are_each_others_transposes():
    one, other = hessian("p29_hidden_layer", "W2", "W1"), hessian("p29_hidden_layer", "W1", "W2")
    arrays = small_arrays("p29_hidden_layer", 2)
    a, b = numbers(one, one.expression, arrays), numbers(other, other.expression, arrays)
    np.testing.assert_allclose(a, b.transpose(2, 3, 0, 1), atol=1e-10)


def test_a_product_over_all_parameters_is_that_of_the_whole_matrix():
    product, arrays = hvp("p10_binary_cross_entropy"), small_arrays("p10_binary_cross_entropy", 3)
    random_ = np.random.default_rng(0)
    v = {p: random_.normal(size=np.shape(arrays[p])) for p in product.directions}
    blocks = {(p, q): torch_second("p10_binary_cross_entropy", arrays, p, q) for p in v for q in v}
    _, found = product.compile()(**arrays, **{product.directions[p].name: a for p, a in v.items()})
    for p in v:
        expected = sum(np.tensordot(blocks[p, q], v[q], axes=np.ndim(v[q])) for q in v)
        np.testing.assert_allclose(found[p], expected, atol=1e-12)


# ---- what has no curvature, and what a user gets wrong


def test_a_linear_loss_has_the_hessian_zero():
    n = sg.dims("n")
    x, w, u = sg.data("x", n), sg.parameter("w", n), sg.parameter("u", n)
    linear = sg.Problem(x @ w + u @ u)
    assert str(linear.hessian("w")) == "broadcast_to(0, (n, n))"
    assert str(linear.hessian("w", "u")) == "broadcast_to(0, (n, n))"
    assert linear.hessian("w").derivation.end_to_end.points == 3
    assert "The Hessian is 0" in linear.hessian("w").explain()


def test_a_relu_net_says_what_a_kink_does_to_the_hessian():
    page = hessian("p02_relu_neuron", "w").explain()
    assert "has the derivative 0 wherever it has one" in page
    assert "Convention at kinks." in page
    chinese = hessian("p02_relu_neuron", "w").explain(language="zh")
    assert "阶跃在可导处导数为 0" in chinese


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda p: p.hessian("q"), "the loss has no parameter q; choose of w, b"),
        (lambda p: p.hessian("w", "q"), "the loss has no parameter q; choose of w, b"),
        (lambda p: p.hvp("X"), "the loss has no parameter X; choose of w, b"),
        (lambda p: p.hessian("w").explain(language="fr"), "no page is written in 'fr'; choose en or zh"),
    ],
)
def test_errors_are_one_line(ask, message):
    with pytest.raises(sg.InputError) as e:
        ask(problem("p01_least_squares"))
    assert str(e.value) == message


def test_names_of_the_users_are_avoided():
    n = sg.dims("n")
    v, phi, w = sg.data("v", n), sg.data("phi", n), sg.parameter("w", n)
    product = sg.Problem(sg.sum(sg.exp(v * w) * phi)).hvp("w")
    assert product.directions["w"].name == "u"
    assert product.derivation.loss.name == "psi"


def test_a_deep_net_derives_and_is_proved_whole():
    """Twenty layers, one weight."""
    n, d = sg.dims("n d")
    H, Y, names = sg.data("X", n, d), sg.data("Y", n, d), {}
    for k in range(1, 21):
        W, b = sg.parameter(f"W{k}", d, d), sg.parameter(f"b{k}", d)
        Z = H @ W + b
        H = sg.tanh(Z)
        names |= {f"Z{k}": Z, f"H{k}": H}
    deep = sg.Problem(sg.sum((H - Y) ** 2) / (2 * n), names=names)
    deep.derive()
    product = deep.hvp("W10")
    assert all(line.proof.verdict is Verdict.PROVED for eq in product.derivation.backward for line in eq.lines)
    with pytest.raises(sg.DerivationError, match="ask for their product with a vector"):
        deep.hessian("W1")


# ---- seeded random programs


def random_loss(seed):
    """A small smooth scalar loss of w with fewer than 12 nodes, and the same in PyTorch."""
    choose = random.Random(seed)
    d = sg.dims("d")
    A, a, w = sg.data("A", d, d), sg.data("a", d), sg.parameter("w", d)
    maps = [
        ("tanh", sg.tanh, lambda torch, x: torch.tanh(x)),
        ("sigmoid", sg.sigmoid, lambda torch, x: torch.sigmoid(x)),
        ("exp", sg.exp, lambda torch, x: torch.exp(x)),
        ("sin", sg.sin, lambda torch, x: torch.sin(x)),
        ("softplus", sg.softplus, lambda torch, x: torch.nn.functional.softplus(x)),
        ("softmax", sg.softmax, lambda torch, x: torch.softmax(x, 0)),
        ("log_softmax", sg.log_softmax, lambda torch, x: torch.log_softmax(x, 0)),
        ("square", lambda x: x**2, lambda torch, x: x**2),
        ("A @", lambda x: A @ x, lambda torch, x, t=None: t["A"] @ x),
        ("* w", lambda x: x * w, lambda torch, x, t=None: x * t["w"]),
        ("+ a", lambda x: x + a, lambda torch, x, t=None: x + t["a"]),
    ]
    picked = [choose.choice(maps) for _ in range(choose.randrange(2, 5))]
    e = w
    for _, f, _ in picked:
        e = f(e)
    end = choose.choice(["sum", "square", "logsumexp", "norm", "dot"])
    ends = {
        "sum": lambda x: sg.sum(x),
        "square": lambda x: sg.sum(x**2) / 2,
        "logsumexp": lambda x: sg.logsumexp(x),
        "norm": lambda x: sg.norm(x),
        "dot": lambda x: x @ A @ x,
    }

    def in_torch(torch, t):
        x = t["w"]
        for label, _, g in picked:
            x = g(torch, x, t) if label in ("A @", "* w", "+ a") else g(torch, x)
        last = {
            "sum": lambda: x.sum(),
            "square": lambda: (x**2).sum() / 2,
            "logsumexp": lambda: torch.logsumexp(x, 0),
            "norm": lambda: torch.linalg.vector_norm(x),
            "dot": lambda: x @ t["A"] @ x,
        }
        return last[end]()

    return sg.Problem(ends[end](e)), in_torch


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_agree_with_torch(seed):
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    loss, in_torch = random_loss(seed)
    generator = np.random.default_rng(seed)
    arrays = {"A": generator.normal(size=(4, 4)) / 2, "a": generator.normal(size=4), "w": generator.normal(size=4) / 2}
    tensors = {key: torch.tensor(a, dtype=torch.float64) for key, a in arrays.items()}
    expected = torch.autograd.functional.hessian(lambda w: in_torch(torch, {**tensors, "w": w}), tensors["w"]).numpy()
    found = loss.hessian("w")
    assert all(line.proof.verdict is not Verdict.UNCHECKED for line in found.lines)
    block = numbers(found, found.expression, arrays)
    np.testing.assert_allclose(
        block, expected, rtol=0, atol=1e-10 * max(np.abs(expected).max(), 1), err_msg=str(loss.loss)
    )
