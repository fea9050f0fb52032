"""Reads the LaTeX of matrices back as a value, and values expressions, both in NumPy.

All sizes are 3, a vector is a column, a scalar is 1 × 1. The reader binds as a reader of a textbook does:
powers, then juxtaposition, then ⊙ and ⊘, then sums.
"""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np

from symgrad.graph.expression import Contraction, Elementwise, Leaf, Linear, Role

N = 3
TOKEN = re.compile(
    r"\s+|\\[,;]|(?P<t>\\left|\\right|\\bigl|\\bigr|\\mathop\{\\mathrm\{tr\}\}|\\math(?:rm|bf)\{[^}]*\}|\\[a-zA-Z]+"
    r"|[0-9.]+|[A-Za-z](?:_\{[^}]*\})?|.)"
)
SIZES = {r"\left", r"\right", r"\bigl", r"\bigr", r"\displaystyle"}
FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "absolute": np.abs,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "greater": lambda a, b: (a > b) * 1.0,
    "maximum": np.maximum,
}
CALLS = {
    r"\sigma": FUNCTIONS["sigmoid"],
    r"\mathrm{relu}": FUNCTIONS["relu"],
    r"\exp": np.exp,
    r"\max": np.maximum,
    r"\mathrm{diag}": lambda v: np.diag(v[:, 0]) if v.shape[1] == 1 else np.diagonal(v)[:, None],
    r"\mathop{\mathrm{tr}}": lambda a: np.trace(a)[None, None],
    r"\mathrm{softmax}": lambda z: np.exp(z) / np.exp(z).sum(axis=0 if z.shape[1] == 1 else 1, keepdims=True),
}
PREFIXES = {r"\log": np.log, r"\tanh": np.tanh}


class Reader:
    """A recursive descent over tokens."""

    def __init__(self, text, values):
        self.tokens = [m["t"] for m in TOKEN.finditer(text) if m["t"] and m["t"] not in SIZES]
        self.at = 0
        self.values = values

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected=None):
        token = self.peek()
        assert expected is None or token == expected, (expected, token, "".join(self.tokens))
        self.at += 1
        return token

    def sum(self):
        sign = -1 if self.peek() == "-" and self.take() else 1
        total = sign * self.hadamard()
        while self.peek() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            total = total + sign * self.hadamard()
        return total

    def hadamard(self):
        product = self.juxtaposed()
        while self.peek() in (r"\odot", r"\oslash"):
            operate = np.multiply if self.take() == r"\odot" else np.divide
            product = operate(product, self.juxtaposed())
        return product

    def juxtaposed(self):
        product = self.postfixed()
        while self.peek() not in (
            None,
            "+",
            "-",
            ")",
            "]",
            "}",
            ",",
            ">",
            r"\odot",
            r"\oslash",
            r"\rVert",
            r"\rvert",
            r"\rangle",
        ):
            if self.peek() == r"\cdot":
                self.take()
            factor = self.postfixed()
            is_scalar = product.size == 1 or factor.size == 1
            product = product * factor if is_scalar else product @ factor
        return product

    def postfixed(self):
        if self.peek() in PREFIXES:
            return PREFIXES[self.take()](self.postfixed())
        base = self.base()
        if self.peek() == "^":
            self.take()
            base = self.raised(base)
            assert self.peek() != "^", "two superscripts"
        return base

    def raised(self, base):
        self.take("{")
        if self.peek() == r"\top":
            self.take()
            self.take("}")
            return base.T
        is_hadamard = self.peek() == r"\odot" and self.take() is not None
        text = ""
        while self.peek() != "}":
            text += self.take()
        self.take("}")
        if text.startswith("-"):
            assert base.shape == (N, N)
            # The 0 on a diagonal is a division by 0, which the caller passes over.
            is_singular = abs(np.linalg.det(base)) < 1e-12
            return np.full_like(base, np.nan) if is_singular else np.linalg.inv(base.T if text == r"-\top" else base)
        assert is_hadamard == (base.shape == (N, N))
        return base ** float(Fraction(text))

    def enclosed(self, opening, closing):
        self.take(opening)
        value = self.sum()
        self.take(closing)
        return value

    def base(self):
        token = self.peek()
        if token in ("(", "{"):
            return self.enclosed(token, {"(": ")", "{": "}"}[token])
        if token == "[":
            self.take()
            left = self.sum()
            self.take(">")
            right = self.sum()
            self.take("]")
            return (left > right) * 1.0
        self.take()
        if token in (r"\frac", r"\tfrac"):
            return self.enclosed("{", "}") / self.enclosed("{", "}")
        if token == r"\sqrt":
            return np.sqrt(self.enclosed("{", "}"))
        if token == "e":
            self.take("^")
            return np.exp(self.enclosed("{", "}"))
        if token == r"\lvert":
            self.at -= 1
            return np.abs(self.enclosed(r"\lvert", r"\rvert"))
        if token == r"\lVert":
            return self.norm()
        if token == r"\langle":
            left = self.sum()
            self.take(",")
            right = self.sum()
            self.take(r"\rangle")
            return np.sum(left * right)[None, None]
        if token in CALLS:
            return self.call(token)
        if token == r"\mathbf{1}":
            return np.ones((N, 1))
        return np.array([[float(token)]]) if token[0].isdigit() else self.values[token]

    def norm(self):
        value = np.sqrt(np.sum(self.sum() ** 2))[None, None]
        self.take(r"\rVert")
        if self.peek() == "_":
            for t in "_{F}":
                self.take(t)
        return value

    def call(self, token):
        self.take("(")
        arguments = [self.sum()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.sum())
        self.take(")")
        return CALLS[token](*arguments)


def read(text, values):
    """The value that the LaTeX says; `values` maps LaTeX names to matrices."""
    reader = Reader(text, values)
    value = reader.sum()
    assert reader.peek() is None, (reader.peek(), text)
    return value


def value_of(root, values):
    """The value of an expression; `values` maps names to arrays of its own rank."""
    if isinstance(root, Leaf):
        return _leaf(root, values)
    operands = [value_of(e, values) for e in root.children]
    if isinstance(root, Linear):
        return sum(float(c) * a for (c, _), a in zip(root.terms, operands, strict=True))
    if isinstance(root, Contraction):
        return _contraction(root, operands)
    if isinstance(root, Elementwise):
        if root.function == "power":
            return operands[0] ** float(root.parameter)
        return FUNCTIONS[root.function](*operands)
    return _primitive(root, operands)


def _leaf(leaf, values):
    if leaf.role is Role.IDENTITY:
        return np.eye(N)
    if leaf.role is Role.SIZE:
        return float(leaf.value.at(dict.fromkeys(leaf.value.names, N)))
    return float(leaf.value) if leaf.role is Role.NUMBER else values[leaf.name]


def _contraction(node, operands):
    shape = [1 if s.value == 1 else N for s in node.shape]
    covered = {i for own in node.indices for i in own}
    missing = [k for k in range(node.rank) if k not in covered]
    arguments = [x for a, own in zip(operands, node.indices, strict=True) for x in (a, list(own))]
    arguments += [x for k in missing for x in (np.ones(shape[k]), [k])]
    return np.einsum(*arguments, list(range(node.rank)))


def _primitive(node, operands):
    x = operands[0]
    if node.primitive == "inv":
        return np.linalg.inv(x)
    if node.primitive == "solve":
        return np.linalg.solve(x, operands[1])
    axis = node.option("axis")
    if node.primitive == "softmax":
        return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)
    keepdims = node.option("keepdims")
    if node.primitive == "norm":
        return np.sqrt((x**2).sum(axis=axis, keepdims=keepdims))
    assert node.primitive == "logsumexp"
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


def as_matrix(a):
    """A scalar as 1 × 1, a vector as a column."""
    a = np.asarray(a, dtype=float)
    return a.reshape(a.shape if a.ndim == 2 else (a.size, 1))
