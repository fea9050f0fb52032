"""The expression graph run by NumPy in float64: an interpreter of its own, for tests to compare with.

It shares nothing with `symgrad.evaluate`: contractions are `np.einsum`, functions and primitives are written here by hand.
"""

from __future__ import annotations

import math

import numpy as np
import sympy

from symgrad.graph.expression import Apply, Contraction, Elementwise, Leaf, Linear, Role
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder


def _softmax(x, axis):
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def _inverse(x):
    return np.linalg.inv(x) if np.linalg.matrix_rank(x) == len(x) else np.full(x.shape, np.nan)


def _shared(found, axis):
    return found / found.sum(axis=axis, keepdims=True)


def _pad(x, axis, before, after, step):
    spread = np.zeros([(m - 1) * step + 1 if k == axis else m for k, m in enumerate(x.shape)])
    spread[(slice(None),) * axis + (slice(None, None, step),)] = x
    return np.pad(spread, [(before, after) if k == axis else (0, 0) for k in range(x.ndim)])


FUNCTIONS = {
    "exp": np.exp, "log": np.log, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "sin": np.sin, "cos": np.cos,
    "softplus": lambda x: np.log1p(np.exp(x)), "relu": lambda x: np.where(x > 0, x, 0.0), "absolute": np.abs,
    "sign": np.sign, "greater": lambda a, b: (a > b) * 1.0, "greater_equal": lambda a, b: (a >= b) * 1.0,
    "equal": lambda a, b: (a == b) * 1.0, "maximum": np.maximum, "minimum": np.minimum,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "huber": lambda r, c: np.where(abs(r) <= c, r**2 / 2, c * (abs(r) - c / 2)),
    "where": lambda c, a, b: np.where(c != 0, a, b), "power_of": lambda a, b: a**b,
    "sinh": np.sinh, "cosh": np.cosh, "logcosh": lambda x: np.log(np.cosh(x)), "erf": np.vectorize(math.erf),
    "normal_cdf": lambda x: (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
    "normal_pdf": lambda x: np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi),
    "leaky_relu": lambda x, a: np.where(x > 0, x, a * x), "elu": lambda x, a: np.where(x > 0, x, a * (np.exp(x) - 1)),
}  # fmt: skip
PRIMITIVES = {
    "softmax": _softmax,
    "log_softmax": lambda x, axis: np.log(_softmax(x, axis)),
    "logsumexp": lambda x, axis, keepdims: np.log(np.exp(x).sum(axis=axis, keepdims=keepdims)),
    "norm": lambda x, axis, keepdims: np.sqrt((x**2).sum(axis=axis, keepdims=keepdims)),
    "inv": _inverse,
    "solve": np.linalg.solve,
    "det": np.linalg.det,
    "logdet": lambda x: np.log(np.linalg.det(x)),
    "named": lambda x, name: x,
    "cholesky": lambda x: np.linalg.cholesky(x),
    "max": lambda x, axis, keepdims: x.max(axis=axis, keepdims=keepdims),
    "min": lambda x, axis, keepdims: x.min(axis=axis, keepdims=keepdims),
    "is_max": lambda x, axis: _shared(x == x.max(axis=axis, keepdims=True), axis),
    "is_min": lambda x, axis: _shared(x == x.min(axis=axis, keepdims=True), axis),
    "prod": lambda x, axis, keepdims: x.prod(axis=axis, keepdims=keepdims),
    "prod_others": lambda x, axis: x.prod(axis=axis, keepdims=True) / x,
    "cumsum": lambda x, axis, reverse: (
        np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)
    ),
    "slice": lambda x, axis, start, stop, step: x[(slice(None),) * axis + (slice(start, stop, step),)],
    "pad": _pad,
    "concatenate": lambda *arrays, axis: np.concatenate(arrays, axis=axis),
    "flip": lambda x, axis: np.flip(x, axis),
    "reshape": lambda x, shape: x.reshape(shape),
    "tril": np.tril,
    "half_tril": lambda x: np.tril(x, -1) + np.diag(np.diag(x) / 2),
    "triu": np.triu,
    "kron": np.kron,
    "one_hot": lambda c, classes: np.eye(classes)[c],
}


def run(root, values, sizes):
    """The value of an expression; `values` are arrays by leaf, `sizes` numbers by name."""
    known = {}
    with np.errstate(all="ignore"):
        for node in postorder([root]):
            known[node] = _value(node, [known[e] for e in node.children], values, sizes)
    return np.asarray(known[root], dtype=float)


def _value(node, operands, values, sizes):
    if isinstance(node, Leaf):
        return _leaf(node, values, sizes)
    if isinstance(node, Linear):
        return sum(float(c) * e for (c, _), e in zip(node.terms, operands, strict=True))
    if isinstance(node, Contraction):
        return _contraction(node, operands, sizes)
    if isinstance(node, Elementwise) and node.function == "power":
        return np.asarray(operands[0], dtype=float) ** float(node.parameter)
    if isinstance(node, Elementwise) and node.function == "scalar":
        return sympy.lambdify(node.parameter.variables, node.parameter.expr, "numpy")(*operands)
    if isinstance(node, Elementwise):
        return FUNCTIONS[node.function](*operands)
    assert isinstance(node, Apply)
    return PRIMITIVES[node.primitive](*operands, **{key: _at(value, sizes) for key, value in node.options})


def _at(option, sizes):
    if isinstance(option, tuple):
        return tuple(_at(item, sizes) for item in option)
    return option.at(sizes) if isinstance(option, Size) else option


def _leaf(node, values, sizes):
    if node in values:
        return values[node]
    if node.role is Role.NUMBER:
        return np.float64(node.value)
    if node.role is Role.SIZE:
        return np.float64(node.value.at(sizes))
    if node.role is Role.WINDOW:
        length, windows, width = (s.at(sizes) for s in node.shape)
        return np.stack([np.eye(length, width, -t) for t in range(windows)], axis=1)
    assert node.role is Role.IDENTITY, node.name
    return np.eye(node.shape[0].at(sizes))


def _contraction(node, operands, sizes):
    letters = "abcdefghijklmnopqrstuvwxyz"
    covered = {i for own in node.indices for i in own}
    missing = [axis for axis in range(node.rank) if axis not in covered]
    words = ["".join(letters[i] for i in own) for own in node.indices] + [letters[axis] for axis in missing]
    ones = [np.ones(node.shape[axis].at(sizes)) for axis in missing]
    return np.einsum(f"{','.join(words)}->{letters[: node.rank]}", *operands, *ones)


def draw(leaves, seed, *, smallest=5):
    """Arrays for leaves, with their facts, and the sizes: every size a number of its own."""
    random = np.random.default_rng(seed)
    names = sorted({name for e in leaves for s in e.shape for name in s.names})
    order = random.permutation(len(names))
    sizes = {name: smallest + int(k) for name, k in zip(names, order, strict=True)}
    return {e: _array(e, tuple(s.at(sizes) for s in e.shape), random) for e in leaves}, sizes


def _array(e, shape, random):
    a = random.normal(size=shape)
    if e.role is Role.HYPERPARAMETER:
        return np.float64(random.uniform(0.2, 1.0))
    if e.role is Role.LABELS:
        return random.integers(e.value.at(dict.fromkeys(e.value.names, 3)), size=shape)
    if e.facts & {"one_hot"}:
        return np.eye(shape[-1])[random.integers(shape[-1], size=shape[:-1])]
    if e.facts & {"symmetric"}:
        return a + a.T
    if e.facts & {"positive_definite"}:
        return a @ a.T + np.eye(len(a))
    if e.facts & {"sign", "binary"}:
        return np.where(a > 0, 1.0, -1.0 if "sign" in e.facts else 0.0)
    if e.facts & {"positive", "nonnegative"}:
        return abs(a) + 0.1
    # A square matrix may be inverted: its determinant is positive, and it is not symmetric.
    return a + 6 * np.eye(shape[0]) if len(shape) == 2 and shape[0] == shape[1] else a


def program_values(derivation, seed):
    """The values of every name of a derivation, cotangents too, by its own lines; and the sizes."""
    values, sizes = draw(derivation.leaves, seed)
    sizes = {**dict.fromkeys(_size_names(derivation), 4), **sizes}
    for eq in (*derivation.forward, *derivation.backward):
        values[eq.target] = run(eq.expression, values, sizes)
    return values, sizes


def _size_names(derivation):
    roots = [eq.expression for eq in (*derivation.forward, *derivation.backward)]
    return {name for e in postorder(roots) for s in e.shape for name in s.names}


def differ(a, b, values, sizes):
    """Whether two expressions really differ; None where one of them has no value or the shapes differ by far."""
    p, q = run(a, values, sizes), run(b, values, sizes)
    if p.shape != q.shape:
        return True
    if not (np.isfinite(p).all() and np.isfinite(q).all()):
        return None
    scale = max(np.abs(p).max(initial=0), np.abs(q).max(initial=0))
    if scale == 0:
        return False
    error = np.abs(p - q).max(initial=0) / scale
    return True if error > 1e-6 else False if error < 1e-11 else None
