"""Random programs over the whole language, from a seed; and the same graph run by PyTorch, an interpreter of its own.

The tables of functions and primitives are walked, so that a new entry occurs in programs without a word here. Operands are
brought into the domain of what is applied to them: 2 + sin(u) under a logarithm, 4I + sin(U) under an inverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

import numpy as np
import sympy

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, Linear, Role, elementwise
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

SIZES = {"n": 3, "d": 4, "k": 2}
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
        constants = {Role.NUMBER, Role.SIZE, Role.IDENTITY}
        return [e for e in postorder([self.loss]) if isinstance(e, Leaf) and e.role not in constants]


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
        ways += [lambda: e / (2 + sg.sum(e**2, axis=-1, keepdims=True)), lambda: sg.diag(e)]
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
        entry = PRIMITIVES[self.random.choice(list(PRIMITIVES))]
        wants_square = "axis" not in entry.options
        first = self.pick(lambda e: e.rank == 2 and e.shape[0] == e.shape[1] if wants_square else e.rank > 0)
        others = [self.pick(lambda e: e.rank > 0 and e.shape[0] == first.shape[0]) for _ in range(entry.arity - 1)]
        operands = [self.regular(first), *others]
        options = {}
        if "axis" in entry.options and self.random.random() < 0.7:
            options["axis"] = self.random.choice([0, -1, *([None] if "keepdims" in entry.options else [])])
        if "keepdims" in entry.options and self.random.random() < 0.3:
            options["keepdims"] = True
        try:
            return entry(*operands, **options)
        except SymgradError:  # not square, or a right side of another length: this entry does not take it
            return None

    def regular(self, e):
        """4I + sin(e) for a square matrix, else sin(e) away from 0."""
        if e.rank == 2 and e.shape[0] == e.shape[1]:
            return 4 * sg.eye(e.shape[0]) + sg.sin(e)
        return self.random.choice([e + Fraction(37, 100), sg.sin(e) + Fraction(1, 2)])


# PyTorch's side: numbers for the leaves, and an interpreter of the five kinds of node.


def arrays_of(leaves, seed):
    """A float64 array for each leaf, with its facts."""
    random = np.random.default_rng(seed)
    return {e.name: _array(e, tuple(s.at(SIZES) for s in e.shape), random) for e in leaves}


def _array(e, shape, random):
    a = random.normal(size=shape)
    if e.role is Role.HYPERPARAMETER:
        return np.float64(0.7)
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


class Torch:
    """An expression's value in PyTorch, by the kind of each node."""

    def __init__(self, torch):
        self.torch = torch
        nn = torch.nn.functional
        self.functions = {
            "exp": torch.exp, "log": torch.log, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "softplus": nn.softplus,
            "relu": torch.relu, "absolute": torch.abs, "sign": torch.sign, "sin": torch.sin, "cos": torch.cos,
            "greater": lambda a, b: (a > b).double(), "greater_equal": lambda a, b: (a >= b).double(),
            "equal": lambda a, b: (a == b).double(), "maximum": torch.maximum, "minimum": torch.minimum,
            "clip": lambda x, low, high: torch.minimum(torch.maximum(x, low), high),
            "huber": lambda r, c: torch.where(r.abs() <= c, r**2 / 2, c * (r.abs() - c / 2)),
            "where": lambda c, a, b: torch.where(c != 0, a, b), "power_of": torch.pow,
        }  # fmt: skip
        self.primitives = {
            "softmax": lambda x, axis: torch.softmax(x, axis), "log_softmax": lambda x, axis: torch.log_softmax(x, axis),
            "logsumexp": lambda x, axis, keepdims: torch.logsumexp(x, axis, keepdims),
            "norm": lambda x, axis, keepdims: x.square().sum(axis, keepdims).sqrt(), "inv": torch.linalg.inv,
            "solve": torch.linalg.solve, "det": torch.linalg.det, "logdet": lambda x: torch.linalg.slogdet(x)[1],
        }  # fmt: skip

    def run(self, root, tensors):
        """The value of the graph where the leaves have the given tensors, by name."""
        values = {}
        for node in postorder([root]):
            values[node] = self.node(node, [values[e] for e in node.children], tensors)
        return values[root]

    def node(self, node, operands, tensors):
        if isinstance(node, Leaf):
            return self.leaf(node, tensors)
        if isinstance(node, Linear):
            return sum(float(c) * e for (c, _), e in zip(node.terms, operands, strict=True))
        if isinstance(node, Contraction):
            return self.contraction(node, operands)
        if isinstance(node, Elementwise):
            return self.elementwise(node, operands)
        assert isinstance(node, Apply)
        if node.primitive in self.primitives:
            return self.primitives[node.primitive](*operands, **dict(node.options))
        return PRIMITIVES[node.primitive].forward(self, operands, dict(node.options))

    def leaf(self, node, tensors):
        if node.role is Role.NUMBER:
            return self.torch.tensor(float(node.value), dtype=self.torch.float64)
        if node.role is Role.SIZE:
            return self.torch.tensor(float(node.value.at(SIZES)), dtype=self.torch.float64)
        if node.role is Role.IDENTITY:
            return self.torch.eye(node.shape[0].at(SIZES), dtype=self.torch.float64)
        return tensors[node.name]

    def contraction(self, node, operands):
        letters = "abcdefghijklmnopqrstuvwxyz"
        names = ["".join(letters[i] for i in own) for own in node.indices]
        extra = set(range(node.rank)) - {i for own in node.indices for i in own}
        ones = [self.torch.ones(node.shape[axis].at(SIZES), dtype=self.torch.float64) for axis in sorted(extra)]
        names += [letters[axis] for axis in sorted(extra)]
        return self.torch.einsum(f"{','.join(names)}->{letters[: node.rank]}", *operands, *ones)

    def elementwise(self, node, operands):
        if node.function == "power":
            return operands[0] ** float(node.parameter)
        if isinstance(node.parameter, sympy.Lambda):
            modules = [{"sin": self.torch.sin, "exp": self.torch.exp}]
            return sympy.lambdify(node.parameter.variables, node.parameter.expr, modules)(*operands)
        if node.function in self.functions:
            return self.functions[node.function](*operands)
        return FUNCTIONS[node.function].body(self, *operands)

    # An entry without a line above runs its own forward form on tensors: the field that it calculates in.

    def number(self, value):
        return self.torch.tensor(float(value), dtype=self.torch.float64)

    def power(self, x, exponent):
        return x ** float(exponent)

    def choose(self, *cases):
        *rest, (result, _) = cases
        for value, condition in reversed(rest):
            result = self.torch.where(condition, value, result)
        return result

    def each(self, f, a):
        return f(a)

    def sum(self, a, axis, *, keepdims=False):
        return a.sum(axis, keepdims)

    def __getattr__(self, name):
        torch = self.torch
        known = {"inverse": torch.linalg.inv, "determinant": torch.linalg.det, "equal": torch.eq}
        return known[name] if name in known else getattr(torch, name)
