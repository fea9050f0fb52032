"""Random programs over the whole language, from a seed; and the same graph run by JAX, an interpreter of its own.

The tables of functions and primitives are walked, so that a new entry occurs in programs without a word here. Operands are
brought into the domain of what is applied to them: 2 + sin(u) under a logarithm, 4I + sin(U) under an inverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from random import Random

import numpy as np
import sympy

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    elementwise,
)
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

SIZES = {"n": 3, "d": 4, "k": 2, "h": 5, "m": 6, "t": 4, "v": 7}
n, d, k = sg.dims("n d k")
EXPONENTS = [Fraction(e) for e in ("2", "3", "-1", "-2", "1/2", "-1/2", "3/2")]
_p, _q = sympy.symbols("p q", real=True)
BODIES = [sympy.Lambda((_p, _q), _p * sympy.exp(-_q) + sympy.sin(_p * _q)), sympy.Lambda((_p,), _p / (1 + _p**2))]
FEWEST, MOST = 3, 12


@dataclass(frozen=True)
class Program:
    """A loss, and the names that a user gave to some of its nodes."""

    loss: Expr
    names: dict[str, Expr]

    @property
    def leaves(self):
        """The declared arrays, as they occur."""
        return [e for e in postorder([self.loss]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]


def random_program(seed, most=MOST):
    """The program of a seed, the same in every process."""
    return _Writer(Random(seed), most).program()


class _Writer:
    def __init__(self, random, most):
        self.random = random
        self.steps = random.randint(FEWEST, most)
        self.parameters = [
            sg.parameter("x", n), sg.parameter("W", n, d), sg.parameter("V", d, k), sg.parameter("M", n, n), sg.parameter("s"),
        ]  # fmt: skip
        self.pool = [
            *self.parameters, sg.data("X", n, d), sg.data("y", n), sg.data("A", n, n), sg.data("S", n, n, symmetric=True),
            sg.data("Y", n, k, one_hot=True), sg.data("g", n, sign=True), sg.data("b", n, binary=True),
            sg.data("K", n, n, positive_definite=True), sg.data("u", d, positive=True), sg.hyperparameter("lam", 0.7),
        ]  # fmt: skip
        self.made = []
        self.names = {}

    def pick(self, fits=lambda e: True):
        """An operand; what was made last is taken most often, so that values are shared and chains grow."""
        recent = [e for e in self.made[-4:] if fits(e)]
        if recent and self.random.random() < 0.65:
            return self.random.choice(recent)
        return self.random.choice([e for e in (*self.pool, *self.made) if fits(e)] or [self.pool[0]])

    def program(self):
        kinds = [
            self.function,
            self.function,
            self.arithmetic,
            self.arithmetic,
            self.product,
            self.view,
            self.primitive,
        ]
        while len(self.made) < self.steps:
            e = self.random.choice(kinds)()
            if e is not None and e.kind != "leaf" and e.rank <= 2:
                self.made.append(e)
                if self.random.random() < 0.3:
                    self.names[f"v{len(self.names)}"] = e
        terms = [self.closed(e) for e in self.made[-3:]] + [self.closed(self.random.choice(self.parameters))]
        loss = terms[0]
        for e in terms[1:]:
            loss = loss + e if self.random.random() < 0.7 else loss - e
        return Program(loss, {name: e for name, e in self.names.items() if e is not loss})

    def closed(self, e):
        """A scalar: a sum, a mean, a sum of squares or a product with data of the same shape."""
        partner = self.pick(lambda other: other.shape == e.shape)
        reduced = [sg.sum(e), sg.mean(e), sg.mean(e**2), sg.mean(sg.sin(e))]
        if partner.shape == e.shape:
            reduced.append(sg.sum(e * partner))
        return self.random.choice(reduced)

    def within(self, e, low, high):
        """A smooth image of e in the middle of an interval."""
        middle, half = (Fraction(str(low)) + Fraction(str(high))) / 2, (Fraction(str(high)) - Fraction(str(low))) / 2
        return middle + half * Fraction(9, 10) * sg.sin(e)

    def function(self):
        name = self.random.choice(list(FUNCTIONS))
        entry = FUNCTIONS[name]
        parameter, arity = None, entry.arity
        if name == "power":
            parameter = self.random.choice(EXPONENTS)
        elif entry.is_family or name == "scalar":
            parameter = self.random.choice(BODIES)
            arity = len(parameter.variables)
        first = self.pick()
        operands = [first, *(self.pick(lambda e: e.shape in (first.shape, ())) for _ in range(arity - 1))]
        if name in ("leaky_relu", "elu"):
            return elementwise(name, first, Fraction(1, 4) if self.random.random() < 0.5 else sg.sigmoid(operands[1]))
        if name == "where":
            return sg.where(operands[0] > operands[1], operands[1], operands[2])
        # Bounds in order and a positive threshold, none of them by a parameter.
        known = self.random.choice([sg.hyperparameter("lam", 0.7), sg.data("t")])
        if name == "clip":
            return sg.clip(first, -(Fraction(1, 3) + known**2), Fraction(1, 5) + sg.exp(sg.sin(known)))
        if name == "huber":
            return sg.huber(first, Fraction(1, 2) + sg.sigmoid(known))
        is_wide = entry.sample == (-2.0, 2.0) and name != "exp" and self.random.random() < 0.6
        mapped = [e if is_wide else self.within(e, *entry.sample) for e in operands]
        return elementwise(name, *mapped, parameter=parameter)

    def arithmetic(self):
        a = self.pick()
        b = self.pick(lambda e: e.shape in (a.shape, ()) or e.shape == a.shape[-1:])
        number = self.random.choice([2, Fraction(1, 3), -3, 0.5])
        ways = [
            lambda: a + b, lambda: a - b, lambda: a * b, lambda: a / (2 + sg.sin(b)), lambda: number - a, lambda: a * number,
            lambda: a / self.random.choice([n, d, 3]), lambda: sg.sqrt(d) * a, lambda: -a, lambda: a * a, lambda: a * b * a,
        ]  # fmt: skip
        return self.random.choice(ways)()

    def product(self):
        a = self.pick(lambda e: e.rank > 0)
        b = self.pick(lambda e: e.rank > 0 and e.shape[0] == a.shape[-1])
        if b.rank and a.rank and b.shape[0] == a.shape[-1]:
            return self.random.choice([a @ b, a @ b, sg.dot(a, b) / 2])
        return a.T @ a

    def view(self):
        e = self.pick(lambda e: e.rank > 0)
        ways = [lambda: e.T, lambda: sg.sum(e, axis=-1), lambda: sg.mean(e, axis=0), lambda: e - sg.mean(e, axis=0)]
        ways += [lambda: e / (2 + sg.sum(e**2, axis=-1, keepdims=True)), lambda: sg.diag(e), lambda: sg.var(e, axis=-1)]
        ways += [lambda: sg.norm(e, self.random.choice([1, float("inf")]), axis=-1)]
        if e.rank == 2:
            ways += [lambda: sg.silu(e) + sg.gelu(e)]
            if e.shape[1].at(SIZES) > 1:
                ways += [lambda: sg.unfold(e, 2, axis=1)[:, 0], lambda: sg.max_pool1d(e, 2, 1)]
            ways += [lambda: sg.squared_distances(e, e[:1] + 1), lambda: sg.layer_norm(e, 1, 0)]
        if e.rank == 1:
            other = self.pick(lambda e: e.rank == 1)
            ways += [
                lambda: sg.outer(e, other),
                lambda: e[:, None] - other[None, :],
                lambda: sg.broadcast_to(e, k, e.shape[0]),
            ]
        elif e.shape[0] == e.shape[1]:
            ways += [lambda: sg.trace(e), lambda: sg.diagonal(e), lambda: sg.eye(n) - e if e.shape[0] == n.value else e]
        try:
            return self.random.choice(ways)()
        except SymgradError:
            return None

    def primitive(self):
        name = self.random.choice(list(PRIMITIVES))
        made = getattr(self, f"primitive_{name}", None)
        try:
            return made() if made is not None else self.by_its_options(PRIMITIVES[name])
        except SymgradError:  # not square, or a right side of another length: this entry does not take it
            return None

    def by_its_options(self, entry):
        """An entry that acts along an axis, or on square matrices where it has none."""
        wants_square = "axis" not in entry.options
        first = self.pick(lambda e: e.rank == 2 and e.shape[0] == e.shape[1] if wants_square else e.rank > 0)
        others = [self.pick(lambda e: e.rank > 0 and e.shape[0] == first.shape[0]) for _ in range(entry.arity - 1)]
        operands = [self.regular(first), *others]
        options = {}
        if "axis" in entry.options and self.random.random() < 0.7:
            options["axis"] = self.random.choice([0, -1, *([None] if "keepdims" in entry.options else [])])
        for key in ("keepdims", "reverse"):
            if key in entry.options and self.random.random() < 0.3:
                options[key] = True
        return entry(*operands, **options)

    def primitive_cholesky(self):
        return sg.cholesky(6 * sg.eye(n) + sg.sin(self.pick(lambda e: e.shape == (n.value, n.value))))

    def primitive_slice(self):
        e = self.pick(lambda e: e.rank > 0)
        keys = [slice(1, None), slice(None, -1), slice(0, 2), -1, 0]
        key = self.random.choice(keys)
        return e[key] if e.rank == 1 or self.random.random() < 0.5 else e[:, key]

    def primitive_pad(self):
        e = self.pick(lambda e: e.rank > 0)
        return sg.pad(
            e,
            axis=self.random.choice([0, -1]),
            before=self.random.choice([0, 1, k]),
            after=1,
            step=self.random.choice([1, 1, 2]),
        )

    def primitive_concatenate(self):
        e = self.pick(lambda e: e.rank > 0)
        axis = self.random.choice(range(e.rank))
        rest = e.shape[:axis] + e.shape[axis + 1 :]
        other = self.pick(lambda x: x.rank == e.rank and x.shape[:axis] + x.shape[axis + 1 :] == rest)
        return sg.concatenate([e, other, e], axis=axis) if self.random.random() < 0.7 else sg.stack([e, e * e])

    def primitive_reshape(self):
        e = self.pick(lambda e: e.rank == 2)
        return sg.reshape(e, e.shape[::-1] if self.random.random() < 0.5 else (e.shape[0] * e.shape[1],))

    def primitive_kron(self):
        return sg.kron(self.pick(lambda e: e.rank == 2), self.pick(lambda e: e.rank == 2))

    def primitive_one_hot(self):
        e, c = self.pick(lambda e: e.shape == (n.value, k.value)), sg.labels("c", n, k)
        if e.shape == (n.value, k.value) and self.random.random() < 0.5:
            return e[sg.arange(n), c]
        return self.pick(lambda e: e.rank == 2 and e.shape[0] == k.value)[c]

    def primitive_prod(self):
        e = self.pick(lambda e: e.rank > 0)
        return sg.prod(
            sg.sin(e) + Fraction(3, 2), axis=self.random.choice([None, 0, -1]), keepdims=self.random.random() < 0.3
        )

    def regular(self, e):
        """4I + sin(e) for a square matrix, else sin(e) away from 0."""
        if e.rank == 2 and e.shape[0] == e.shape[1]:
            return 4 * sg.eye(e.shape[0]) + sg.sin(e)
        return self.random.choice([e + Fraction(37, 100), sg.sin(e) + Fraction(1, 2)])


# JAX's side: numbers for the leaves, and an interpreter of the five kinds of node.


def arrays_of(leaves, seed):
    """A float64 array for each leaf, with its facts; whole numbers for labels."""
    random = np.random.default_rng(seed)
    return {e.name: _array(e, tuple(s.at(SIZES) for s in e.shape), random) for e in leaves}


def _array(e, shape, random):
    a = random.normal(size=shape)
    if e.role is Role.HYPERPARAMETER:
        return np.float64(0.7)
    if e.role is Role.LABELS:
        return random.integers(e.value.at(SIZES), size=shape)
    for fact, made in {
        "one_hot": lambda: np.eye(shape[-1])[random.integers(shape[-1], size=shape[:-1])],
        "symmetric": lambda: a + a.T,
        "positive_definite": lambda: a @ a.T + np.eye(len(a)),
        "positive": lambda: abs(a) + 0.1,
        "nonnegative": lambda: abs(a),
        "sign": lambda: np.where(a > 0, 1.0, -1.0),
        "binary": lambda: np.where(a > 0, 1.0, 0.0),
    }.items():
        if fact in e.facts:
            return made()
    return a


@cache
def _options(jax):
    """What spares XLA the fusing of loops, where its release has the option: programs here are run once."""
    wanted = {"xla_cpu_use_fusion_emitters": False}
    try:
        jax.jit(lambda x: x, compiler_options=wanted).lower(0.0).compile()
    except (TypeError, RuntimeError):
        return {}
    return {"compiler_options": wanted}


def compiled(jax, f):
    """A function of arrays, compiled as a whole: called operation by operation, XLA would compile some forty, one by one."""
    return jax.jit(f, **_options(jax))


def _parted(arrays, wanted):
    return {name: arrays[name] for name in wanted}, {name: a for name, a in arrays.items() if name not in wanted}


class Jax:
    """An expression's value in JAX, by the kind of each node; every entry of the tables has its line, in JAX's own words."""

    def __init__(self):
        import jax
        import jax.numpy as jnp

        self.jax, self.jnp = jax, jnp
        nn = jax.nn

        def is_equal(x, extreme):
            # XLA may compute x twice, in two loops that round otherwise: then not even the largest entry equals the largest.
            y = extreme(x)
            return jnp.abs(x - y) <= 1e-13 * (1 + jnp.abs(y))

        self.functions = {
            "exp": jnp.exp, "log": jnp.log, "tanh": jnp.tanh, "sigmoid": nn.sigmoid, "softplus": nn.softplus,
            "relu": nn.relu, "absolute": jnp.abs, "sign": jnp.sign, "sin": jnp.sin, "cos": jnp.cos,
            "sinh": jnp.sinh, "cosh": jnp.cosh, "logcosh": lambda x: jnp.logaddexp(x, -x) - jnp.log(2.0),
            "erf": jax.scipy.special.erf, "normal_cdf": jax.scipy.stats.norm.cdf, "normal_pdf": jax.scipy.stats.norm.pdf,
            "leaky_relu": lambda x, a: jnp.where(x > 0, x, a * x),
            "elu": lambda x, a: jnp.where(x > 0, x, a * jnp.expm1(jnp.where(x > 0, 0.0, x))),
            "greater": lambda a, b: (a > b) * 1.0, "greater_equal": lambda a, b: (a >= b) * 1.0,
            "equal": lambda a, b: (a == b) * 1.0, "maximum": jnp.maximum, "minimum": jnp.minimum,
            "clip": lambda x, low, high: jnp.minimum(jnp.maximum(x, low), high),
            "huber": lambda r, c: jnp.where(jnp.abs(r) <= c, r**2 / 2, c * (jnp.abs(r) - c / 2)),
            "where": lambda c, a, b: jnp.where(c != 0, a, b), "power_of": jnp.power,
        }  # fmt: skip
        self.primitives = {
            "softmax": lambda x, axis: nn.softmax(x, axis), "log_softmax": lambda x, axis: nn.log_softmax(x, axis),
            "logsumexp": lambda x, axis, keepdims: jax.scipy.special.logsumexp(x, axis, keepdims=keepdims),
            "norm": lambda x, axis, keepdims: jnp.sqrt(jnp.sum(x**2, axis, keepdims=keepdims)), "inv": jnp.linalg.inv,
            "solve": lambda a, b: jnp.linalg.solve(a, b[:, None])[:, 0] if b.ndim == 1 else jnp.linalg.solve(a, b),
            "det": jnp.linalg.det, "logdet": lambda x: jnp.linalg.slogdet(x)[1],
            "cholesky": lambda x: jnp.linalg.cholesky(jnp.tril(x) + jnp.tril(x, -1).T, symmetrize_input=False),
            "max": lambda x, axis, keepdims: jnp.max(x, axis, keepdims=keepdims),
            "min": lambda x, axis, keepdims: jnp.min(x, axis, keepdims=keepdims),
            "is_max": lambda x, axis: self.shared(is_equal(x, lambda z: jnp.max(z, axis, keepdims=True)), axis),
            "is_min": lambda x, axis: self.shared(is_equal(x, lambda z: jnp.min(z, axis, keepdims=True)), axis),
            "one_hot": lambda c, classes: nn.one_hot(c, classes, dtype=jnp.float64),
            "prod": lambda x, axis, keepdims: jnp.prod(x, axis, keepdims=keepdims),
            "prod_others": self.others,
            "cumsum": lambda x, axis, reverse: jax.lax.cumsum(x, axis, reverse=reverse),
            "slice": lambda x, axis, start, stop, step: jax.lax.slice_in_dim(x, start, stop, step, axis),
            "pad": lambda x, axis, before, after, step: jax.lax.pad(
                x, 0.0, [(before, after, step - 1) if k == axis else (0, 0, 0) for k in range(x.ndim)]
            ),
            "concatenate": lambda *arrays, axis: jnp.concatenate(arrays, axis), "flip": jnp.flip,
            "reshape": lambda x, shape: x.reshape(shape), "tril": jnp.tril,
            "half_tril": lambda x: jnp.tril(x, -1) + jnp.diag(jnp.diag(x) / 2), "triu": jnp.triu, "kron": jnp.kron,
        }  # fmt: skip

    def gradients(self, root, wanted):
        """A function of the arrays: the value, and the gradients by the wanted ones, by name."""
        gradient = compiled(self.jax, self._gradient(root))
        return lambda arrays: gradient(*_parted(arrays, wanted))

    def gradients_and_products(self, root, wanted):
        """A function of the arrays and of directions for the wanted ones: value, gradients, and H v by name."""
        gradient = self._gradient(root)

        def both(at, rest, moved):
            return self.jax.jvp(lambda x: gradient(x, rest), (at,), (moved,))

        found = compiled(self.jax, both)

        def f(arrays, moved):
            (value, gradients), (_, products) = found(*_parted(arrays, wanted), moved)
            return value, gradients, products

        return f

    def _gradient(self, root):
        return self.jax.value_and_grad(lambda at, rest: self.run(root, {**rest, **at}))

    def shared(self, found, axis):
        """Ones, shared among equal entries; jumps have no derivative."""
        return self.jax.lax.stop_gradient(found / found.sum(axis, keepdims=True))

    def others(self, x, axis):
        """Products without one factor each, by a factor of 1 in its place."""
        axes = (axis,) if isinstance(axis, int) else axis
        last = tuple(range(-len(axes), 0))
        moved = self.jnp.moveaxis(x, axes, last)
        rows = moved.reshape((*moved.shape[: x.ndim - len(axes)], -1))
        without = self.jnp.where(np.eye(rows.shape[-1], dtype=bool), 1.0, rows[..., None, :])
        return self.jnp.moveaxis(self.jnp.prod(without, -1).reshape(moved.shape), last, axes)

    def run(self, root, arrays):
        """The value of the graph where the leaves have the given arrays, by name."""
        values = {}
        for node in postorder([root]):
            values[node] = self.node(node, [values[e] for e in node.children], arrays)
        return values[root]

    def node(self, node, operands, arrays):
        if isinstance(node, Leaf):
            return self.leaf(node, arrays)
        if isinstance(node, Linear):
            return sum(float(c) * e for (c, _), e in zip(node.terms, operands, strict=True))
        if isinstance(node, Contraction):
            return self.contraction(node, operands)
        if isinstance(node, Elementwise):
            return self.elementwise(node, operands)
        assert isinstance(node, Apply)
        return self.primitives[node.primitive](*operands, **{key: at(value) for key, value in node.options})

    def leaf(self, node, arrays):
        if node.role is Role.NUMBER:
            return self.jnp.float64(float(node.value))
        if node.role is Role.SIZE:
            return self.jnp.float64(float(at(node.value)))
        if node.role is Role.IDENTITY:
            return self.jnp.eye(at(node.shape[0]))
        if node.role is Role.WINDOW:
            length, windows, width = map(at, node.shape)
            places = np.add.outer(np.arange(windows), np.arange(width))
            return self.jnp.asarray((np.arange(length)[:, None, None] == places) * 1.0)
        return arrays[node.name]

    def contraction(self, node, operands):
        letters = "abcdefghijklmnopqrstuvwxyz"
        names = ["".join(letters[i] for i in own) for own in node.indices]
        extra = set(range(node.rank)) - {i for own in node.indices for i in own}
        ones = [self.jnp.ones(at(node.shape[axis])) for axis in sorted(extra)]
        names += [letters[axis] for axis in sorted(extra)]
        operands = [e * 1.0 for e in operands]
        return self.jnp.einsum(f"{','.join(names)}->{letters[: node.rank]}", *operands, *ones)

    def elementwise(self, node, operands):
        if node.function == "power":
            exponent = node.parameter
            # A whole exponent as one: a float's power of a negative number has no derivative by the exponent.
            return operands[0] ** (int(exponent) if exponent.denominator == 1 else float(exponent))
        if isinstance(node.parameter, sympy.Lambda):
            modules = [{"sin": self.jnp.sin, "exp": self.jnp.exp}]
            return sympy.lambdify(node.parameter.variables, node.parameter.expr, modules)(*operands)
        return self.functions[node.function](*operands)


def at(value):
    """A size, or a tuple of them, in numbers."""
    if isinstance(value, tuple):
        return tuple(map(at, value))
    return value.at(SIZES) if isinstance(value, Size) else value
