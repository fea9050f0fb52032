"""`sg.parse`: what `str` writes is read back, mistakes are one located line, and nothing hostile is run."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy
from chosen import problem_at
from effort import calls
from floats import draw, run
from random_programs import random_program

import symgrad as sg
from symgrad.errors import InputError
from symgrad.graph.expression import CONSTANT_ROLES, Leaf, Role
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.primitives import language
from symgrad.rewrite.convert import to_form
from symgrad.text.words import DECLARATIONS, WORDS

FOLDER = Path(__file__).parent / "models"
FILES = {path.stem: path for path in sorted(FOLDER.glob("p[0-9]*.py"))}
n, m, d, k = sg.dims("n m d k")
X, Y, A, y, w, s = (
    sg.data("X", n, d), sg.data("Y", n, k), sg.data("A", n, n), sg.data("y", n), sg.parameter("w", d), sg.parameter("s"),
)  # fmt: skip
NAMES = {"n": n, "m": m, "d": d, "k": k, "X": X, "Y": Y, "A": A, "y": y, "w": w, "s": s}


def names_in(e):
    """The names that occur in an expression, as a formula writes them."""
    nodes = postorder([e])
    sizes = {name for x in nodes for size in x.shape for name in size.names}
    sizes |= {name for x in nodes if isinstance(x, Leaf) and isinstance(x.value, Size) for name in x.value.names}
    found = {name: sg.dims(name) for name in sizes}
    leaves = [x for x in nodes if isinstance(x, Leaf) and x.role not in CONSTANT_ROLES]
    return found | {x.name + ("_bar" if x.role is Role.COTANGENT else ""): x for x in leaves}


def assert_read_back(e):
    """str → parse gives the expression again: itself, or one of the same normal form, or of the same values."""
    read = sg.parse(str(e), names_in(e))
    assert read.shape == e.shape, str(e)
    if read is e or to_form(read) == to_form(e):
        return
    compared = 0
    for seed in range(20):
        leaves = [x for x in postorder([e]) if isinstance(x, Leaf) and x.role not in CONSTANT_ROLES]
        values, sizes = draw(leaves, seed, smallest=3)
        sizes = {**dict.fromkeys(names_in(e), 3), **sizes}
        a, b = run(e, values, sizes), run(read, values, sizes)
        if np.isfinite(a).all():
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9 * np.abs(a).max(initial=1), err_msg=str(e))
            compared += 1
        if compared == 2:
            return
    raise AssertionError(f"no point in the domain of {e}")


@pytest.mark.parametrize("name", FILES)
def test_every_line_of_a_derivation_is_read_back(name):
    derivation = problem_at(FILES[name]).derive(prove=False)
    for eq in derivation.forward:
        assert_read_back(eq.expression)
    for eq in derivation.backward:
        for e in (*(line.expression for line in eq.lines), *(c.expression for c in eq.contributions)):
            assert_read_back(e)


@pytest.mark.parametrize("seed", range(120))
def test_random_expressions_are_read_back(seed):
    for e in postorder([random_program(seed).loss]):
        if not isinstance(e, Leaf):
            assert_read_back(e)


p, q = sympy.symbols("p q", real=True)
BODY = sympy.Lambda((p, q), p * sympy.exp(-q / 3) + sympy.sin(p * q) ** 2 - sympy.sqrt(q))


@pytest.mark.parametrize(
    "e",
    [
        sg.scalar(BODY, X, w),
        sg.scalar(sympy.Lambda((p,), sympy.diff(sympy.atan(p) * sympy.pi, p)), y),
        sg.named("H", sg.tanh(y)),
        w / -(y @ y),
        -(y @ y) * w,
        Fraction(-2, 3) * w,
        2 ** sg.exp(y),
        (y[:, None] * X)[None],
        sg.sum(X, axis=1, keepdims=True) * X - sg.sum(X, axis=0, keepdims=True),
        sg.softmax(X, axis=0) / sg.norm(X, axis=1, keepdims=True),
        sg.broadcast_to(w, k, n, d),
        sg.transpose(X[None], (1, 0, 2)),
        sg.einsum("ij,kj,k->ik", X, X, y),
        sg.einsum("ij,ik->jik", X, Y),
        y[:, None] * (1 / sg.sum(y**2, keepdims=True)),
        y * (1 / (2 + sg.sum(y**2, axis=0, keepdims=True))),
        sg.ones(n - m) * sg.data("z", n - m),
        sg.where((y > 0) & (y <= 1), y, 0) ** sg.sigmoid(s),
        y * 1e-5 + 0.1,
        sg.eye(n) - sg.diag(y) - sg.outer(y, y),
        sg.sqrt(n * m + 1) * y / (n * m) ** 2,
    ],
    ids=str,
)
def test_what_is_hard_to_write_is_read_back(e):
    assert_read_back(e)
    assert str(sg.parse(str(e), names_in(e))) == str(e)


def test_a_cotangent_is_written_with_a_bar():
    derivation = sg.Problem(sg.mean((X @ w - y) ** 2), names={"r": X @ w - y}).derive(prove=False)
    bar = derivation.backward[0].target
    assert str(bar) == "r_bar"
    assert sg.parse("r_bar", {"r_bar": bar}) is bar


def test_a_shared_graph_and_a_deep_one_are_read_back():
    shared = sg.exp(X @ w)
    for _ in range(40):
        shared = shared * shared
    assert sg.parse(str(shared), NAMES) is shared
    deep = s
    for _ in range(400):
        deep = sg.sin(deep) + 1
    assert sg.parse(str(deep), NAMES) is deep


def test_the_words_are_those_of_the_language():
    assert set(WORDS) == set(language.__all__) - DECLARATIONS
    assert {"einsum", "ones", "named", "scalar", "softmax", "sqrt"} <= set(WORDS)


@pytest.mark.parametrize(
    ("text", "e"),
    [
        ("X.T @ y / n", X.T @ y / n),
        ("2/3*X", Fraction(2, 3) * X),
        ("0.1 * y", y / 10),
        ("1e-5 * y", y * 1e-5),
        ("sum(X, axis=0)", sg.sum(X, axis=0)),
        ("sum(X, 0, keepdims=True)", sg.sum(X, axis=0, keepdims=True)),
        ("mean(X, axis=(0, 1))", sg.mean(X)),
        ("softmax(X, axis=-2)", sg.softmax(X, axis=0)),
        ('einsum("ij,jk->ik", X, X.T)', X @ X.T),
        ("einsum('ij->', X)", sg.sum(X)),
        ("y[:, None] * X", y[:, None] * X),
        ("(y > 0) & (y <= 1)", (y > 0) & (y <= 1)),
        ("y < 0", y < 0),
        ("-y**2", -(y**2)),
        ("y**-1", 1 / y),
        ("2**y", 2**y),
        ("+y", y),
        ("ones(n, 2)", sg.ones(n, 2)),
        ("ones((n, 2))", sg.ones(n, 2)),
        ("broadcast_to(w, (n, d))", sg.broadcast_to(w, n, d)),
        ("eye(n + m)", sg.eye(n + m)),
        ("_1 = X @ w\n_1 * _1", (X @ w) * (X @ w)),
        ("sum(\n  X,\n  axis=0\n)", sg.sum(X, axis=0)),
        ("X . T", X.T),
        ("where(y > 0, y, 0)", sg.where(y > 0, y, 0)),
    ],
)
def test_a_formula_means_what_a_model_file_says(text, e):
    assert sg.parse(text, NAMES) is e


def test_long_numbers_enter_exactly():
    (digits,) = sg.parse("0.12345678901234567890123 * y", NAMES).terms
    assert digits[0] == sympy.Rational("0.12345678901234567890123")


def test_a_problem_knows_its_names():
    problem = sg.load(str(FILES["p30_relu_net"]))
    derivation = problem.derive(prove=False)
    for name, e in derivation.gradients.items():
        assert problem.parse(str(e)) is e or to_form(problem.parse(str(e))) == to_form(e), name
    assert str(problem.parse("H.T @ (S - T) / n + lam * W2")) == str(derivation.gradients["W2"])


# ---- mistakes: where, what; what to do


PRODUCTS = "write * entry by entry, or @ for the matrix product"
TRANSPOSE = "transpose one of them, or declare the same size"
BOTH = "give both the same size, or transpose one"


def complaint(text):
    with pytest.raises(InputError) as e:
        sg.parse(text, NAMES)
    line = str(e.value)
    assert "\n" not in line
    assert len(line) < 600
    return line


BETWEEN = "is not understood; write `:`, `None`, whole numbers, sizes, slices of these, or labels"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("X （w）", "formula:1:3: （ is a fullwidth left parenthesis; write ("),
        ("sum(X， axis=0)", "formula:1:6: ， is a fullwidth comma; write ,"),
        ("sum(X, axis＝0)", "formula:1:12: ＝ is a fullwidth equals sign; write ="),
        ("y − 1", "formula:1:3: − (minus sign) is not understood; write -"),
        ("X × w", "formula:1:3: × (multiplication sign) is not understood; " + PRODUCTS),
        ("y ^ 2", "formula:1:3: ^ (circumflex accent) is not understood; write ** for a power"),
        ("Xᵀ @ y", "formula:1:1: ᵀ (modifier letter capital t) is not understood; write .T"),
        ("y² + 1", "formula:1:1: ² (superscript two) is not understood; write **2"),
        ("X @ v", "formula:1:5: v is not known; write one of n, m, d, k, X, Y, A, y, w, s"),
        ("x @ w", "formula:1:1: x is not known; did you mean X?"),
        ("X @ y", "formula:1:1: (X) @ (y): shapes (n, d) and (n,) do not fit, d is not n; " + TRANSPOSE),
        ("y + (X @ w + w)", "formula:1:6: (X @ w) + (w): shapes (n,) and (d,) do not fit, d is not n; " + BOTH),
        ("softmx(X)", "formula:1:1: softmx is not a function of the language; did you mean softmax?"),
        ("np.sum(X)", "formula:1:1: np.sum is not understood; write sum(…)"),
        ("sg.sum(X)", "formula:1:1: sg.sum is not understood; write sum(…)"),
        ("X.sum()", "formula:1:1: X.sum is not understood; write sum(X)"),
        ("X.shape", "formula:1:1: .shape is not understood; behind a dot only T may stand"),
        ("sum(X, axs=0)", "formula:1:12: sum has no option axs; its options are axis, keepdims"),
        ("exp(y, axis=0)", "formula:1:13: exp has no option axis; it has none"),
        ("y == 1", "formula:1:3: == is not understood; write equal(a, b) for [a = b]"),
        ("'y'", "formula:1:1: 'y' is not an expression; write numbers and names"),
        ("2y", "formula:1:2: a number and y are written together; write * between them"),
        ("X(y)", "formula:1:1: X is not a function; write X * (…) for a product"),
        ("0 < y < 1", "formula:1:1: comparisons are not chained; write (a < b) & (b < c)"),
        ("_1 = X @ w\n_1 + q", "formula:2:6: q is not known; write one of n, m, d, k, X, Y, A, y, w, s"),
        ("y[w]", f"formula:1:1: (y)[w] {BETWEEN}"),
        ("y[X.T]", f"formula:1:1: (y)[X.T] {BETWEEN}"),
        ("max(y, axis=w)", "formula:1:13: axis is not understood here; write an axis such as 0, or (0, 1)"),
        ("pad(y, before=w)", "formula:1:1: pad: w is not a size; use sg.dims or a whole number from 1"),
        ("concatenate(y)", "formula:1:13: concatenate takes a list; write its arrays between [ and ]"),
        ("(y", "formula:1:1: ( is never closed; write )"),
        ("y)", "formula:1:2: ) closes nothing; leave it out"),
        ("sum((y]", "formula:1:7: ] closes ( of column 5; write )"),
        ("", "formula:1:1: the formula is empty; write an expression"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_column(text, line):
    assert complaint(text) == line


def test_columns_count_characters_not_bytes():
    delta = sg.hyperparameter("δδδ")
    with pytest.raises(InputError, match=r"^formula:1:7: q "):
        sg.parse("δδδ * q", {"δδδ": delta})


# ---- hostile text

DEEP = 10_000
HOSTILE = [
    "X.__class__", "().__class__.__bases__[0].__subclasses__()", "X.__init__.__globals__", "''.__class__", "X.T.__class__",
    "__import__('os').system('touch hostile')", "__builtins__", "__builtins__['eval']", "eval('1')", "exec('1')",
    "open('hostile', 'w')", "compile('1', '', 'eval')", "getattr(X, 'T')", "globals()", "vars()", "breakpoint()", "print(y)",
    "lambda: y", "(lambda x: x)(y)", "[z for z in y]", "{z for z in y}", "{1: 2}", "(z for z in y)", "f'{X}'",
    "f'{__import__(\"os\")}'", "b'y'", "r'y'", "'y' 'z'", "(z := y)", "sum(*y)", "sum(**y)", "sum(y, **{'axis': 0})", "[*y]",
    "import os", "from os import system", "def f(): pass", "class C: pass", "del y", "y = 2", "y += 1", "global y", "assert y",
    "raise y", "yield y", "await y", "y; y", "_1 = y", "_1: int = 2\ny", "_a = y\n_a", "_1, _2 = y, y\n_1", "return y", "pass",
    "9**9**9", "9**9**9**9", "y**99999999", "y**(10**10)", "((9**100)**100)**100", "2**-1000000", "(((n+m)**10)**10)**10",
    "(n+m+d+k)**100", "(n*m)**100", "1e999999999", "1e-999999999", "1" * 5000, "0." + "1" * 5000, "y * 1" + "0" * 70000,
    "(" * DEEP, "(" * DEEP + "y" + ")" * DEEP, "[" * DEEP, "-" * DEEP + "y", "y" + "**y" * DEEP, "y" + "+y" * DEEP,
    "sum(" * 500,
    "y" + "[None]" * 5000, "y[" + "None," * 5000 + "]", "y" + ".T" * 15000, "not " * 5000 + "y", "y if y else " * 3000 + "y",
    "y\0", "\0", "'\0'", "y # comment", "y \\\n+ y", "y\f", "y\u200b", "y\u202e", "\ud800", "'\ud800'", "\ufeffy", "y\u2028+ y",
    "ｙ + 1", "у + 1", "Χ @ w", "𝐲", "y\u0301", "１ + y", "٣ * y",
    "data('q', n)", "parameter('q', n)", "hyperparameter('q')", "dims('q')", "labels('q', n, k)",
    "named('__class__', y)", "named(y, y)", "scalar('x: __import__(x)', y)", "scalar('x: x.__class__', y)",
    "scalar('x: 9**9**9**9', y)", "scalar('x: gamma(10**9)', y)", "scalar('x: (9**100)**100', y)", "scalar('x: 1/0', y)",
    "scalar('x: (lambda: x)()', y)", "scalar('__class__: 1', y, y)", "scalar('x: " + "(" * 5000 + "', y)", "scalar(y, y)",
    "einsum('" + "i" * 5000 + "->', X)", "einsum('ij,jk->ik', X)", "einsum(y, y)", "sum(y, axis=10**10)", "sum(y, axis=y)",
    "sum(y, axis='0')", "sum(y, axis=True)", "sum(X, axis=(0, (1,)))", "transpose(X, (0, 0))", "transpose(X, 1)",
    "ones(10**100, n",
    "ones(y)", "ones(-1)", "eye(0)", "1j", "...", "None", "True", "1_000", "0x10", "1.2.3", "y,", "()", "y()", "1 / 0", "0**-1",
    "sqrt", "a" * 70000, " " * 70000,
]  # fmt: skip


def test_there_are_enough_hostile_strings():
    assert len(set(HOSTILE)) >= 140


WATCHED = ("open", "exec", "import", "os.", "subprocess.", "socket.", "ctypes.", "shutil.")


class Audit:
    """What Python's own audit tells while `events` is a list: files opened, code run, modules imported."""

    events = None

    def __call__(self, event, args):
        if self.events is not None and event.startswith(WATCHED):
            self.events.append((event, args))


AUDIT = Audit()
sys.addaudithook(AUDIT)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_refused_in_one_line_at_once_and_nothing_happens(text):
    AUDIT.events = []
    try:
        line = complaint(text)
    finally:
        events, AUDIT.events = AUDIT.events, None
    assert line.startswith("formula:")
    assert events == []
    # 8 calls a character, 4,000 for a short formula: what is linear stays below, what is quadratic does not.
    assert calls(lambda: complaint(text)) < 10_000 + 20 * len(text)


def test_the_audit_sees_what_is_run():
    AUDIT.events = []
    exec("1 + 1")
    events, AUDIT.events = AUDIT.events, None
    assert [event for event, _ in events] == ["exec"]


def test_reading_changes_nothing_of_the_readers():
    before = frozenset(NAMES)
    sg.parse("_1 = X @ w\n_1", NAMES)
    assert frozenset(NAMES) == before
