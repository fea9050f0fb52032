"""A formula in a string → an expression: a whitelist over Python's syntax tree. Nothing is ever run.

The words are those of `primitives/language.py`, but for the declarations; what `str` writes of an expression is read back.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Leaf, Role, index, matmul, power
from symgrad.graph.expression import add as plus
from symgrad.graph.expression import divide as over
from symgrad.graph.expression import multiply as times
from symgrad.graph.expression import number as exactly
from symgrad.graph.sizes import Size
from symgrad.primitives.declarations import arange
from symgrad.text.body import read_body
from symgrad.text.options import MOST_AXES, read_option
from symgrad.text.scan import Misread, Scanned, Word, scan
from symgrad.text.words import (
    DECLARATIONS,
    LISTS,
    OPTIONS,
    SIZES,
    STRINGS,
    WORDS,
    nearest,
    options_of,
    parameter_of,
    required_of,
    shortened,
)

LARGEST_POWER = 100
MOST_BITS = 4096
MOST_TERMS_OF_A_SIZE = 100
LARGEST_DEGREE = 20

BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Expr]] = {
    ast.Add: plus,
    ast.Sub: lambda a, b: plus(a, b, -1),
    ast.Mult: times,
    ast.Div: over,
    ast.MatMult: matmul,
    ast.BitAnd: times,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
}


def parse(text: str, names: Mapping[str, Expr], shown: str = "formula", first: int = 0) -> Expr:
    """The expression that a formula in the model language writes, over the given names.

    Errors are an InputError, one line that begins with `shown:line:column`; `first` is added to the first line's columns.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> X, r = data("X", n, d), data("r", n)
    >>> parse("X.T @ r / n", {"X": X, "r": r, "n": n}) is X.T @ r / n
    True
    >>> parse("X.T @ q", {"X": X, "r": r})
    Traceback (most recent call last):
    symgrad.errors.InputError: formula:1:7: q is not known; write one of X, r
    """
    if not isinstance(text, str):
        raise InputError(f"{shown}: a {type(text).__name__} is not a formula; pass it as a string")
    try:
        return _read(text, names, shown, first)
    except Misread as e:
        raise InputError(str(e)) from None


def _read(text: str, names: Mapping[str, Expr], shown: str, first: int) -> Expr:
    scanned = scan(text, shown, first)
    try:
        tree = ast.parse(scanned.text, mode="exec")
    except SyntaxError as e:
        message = (e.msg or "invalid syntax").rstrip(".")
        raise scanned.error(f"{message}; mend the formula", e.lineno or 1, max(e.offset or 1, 1)) from None
    except (ValueError, MemoryError, RecursionError) as e:
        what = "is too long for one line" if not isinstance(e, ValueError) else "holds characters that are no text"
        raise scanned.error(f"the formula {what}; break it up", 1, 1) from None
    return _Reader(scanned, names).program(tree)


class _Reader:
    """Walks one formula's syntax tree with an explicit stack."""

    def __init__(self, scanned: Scanned, names: Mapping[str, Expr]) -> None:
        self.scanned = scanned
        self.names = dict(names)
        self.words: dict[tuple[int, int], Word] = {(w.line, w.column): w for w in scanned.words}

    def error(self, node: ast.AST, what: str | InputError) -> InputError:
        """What is wrong, at a node's place."""
        line = getattr(node, "lineno", 1)
        return self.scanned.error(what, line, self.scanned.column(line, getattr(node, "col_offset", 0)))

    def program(self, tree: ast.Module) -> Expr:
        """Assignments to `_1`, `_2`, …, then the expression."""
        *assignments, last = tree.body
        for statement in assignments:
            self.assign(statement)
        if not isinstance(last, ast.Expr):
            raise self.error(last, "the formula does not end in an expression; write the right side alone")
        return self.expression(last.value)

    def assign(self, statement: ast.stmt) -> None:
        """`_1 = …`, as `str` writes of shared parts."""
        target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
        if not isinstance(statement, ast.Assign) or not isinstance(target, ast.Name):
            raise self.error(statement, "only assignments such as _1 = … may stand before the expression; leave it out")
        if not (target.id.startswith("_") and target.id[1:].isdecimal()):
            raise self.error(target, f"{target.id} = …: a formula names its own parts _1, _2, …; write one expression")
        self.names[target.id] = self.expression(statement.value)

    def expression(self, root: ast.expr) -> Expr:
        """The value of an expression, operands first."""
        values: dict[ast.expr, Expr] = {}
        stack: list[tuple[ast.expr, bool]] = [(root, False)]
        while stack:
            node, is_ready = stack.pop()
            if not is_ready:
                stack.append((node, True))
                stack.extend((e, False) for e in reversed(self.operands(node)))
                continue
            try:
                values[node] = self.bounded(self.value(node, values))
            except Misread:
                raise
            except InputError as e:
                raise self.error(node, e) from None
        return values[root]

    def operands(self, node: ast.expr) -> list[ast.expr]:
        """The parts of a node that are expressions."""
        if isinstance(node, ast.BinOp):
            return [node.left, node.right]
        if isinstance(node, ast.UnaryOp):
            return [node.operand]
        if isinstance(node, ast.Compare):
            return [node.left, *node.comparators]
        if isinstance(node, ast.Subscript):
            return [node.value]
        if isinstance(node, ast.Attribute):
            return [] if node.attr != "T" else [node.value]
        if isinstance(node, ast.Call):
            return [e for e, kind in self.arguments(node) if kind == "operand"]
        return []

    def value(self, node: ast.expr, values: Mapping[ast.expr, Expr]) -> Expr:
        """A node's value from its parts' values; what is not on the list is refused."""
        if isinstance(node, ast.Name):
            return self.name(node)
        if isinstance(node, ast.Constant):
            return self.constant(node)
        if isinstance(node, ast.BinOp):
            return self.binary(node, values[node.left], values[node.right])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            return -values[node.operand] if isinstance(node.op, ast.USub) else values[node.operand]
        if isinstance(node, ast.Compare):
            return self.compare(node, values)
        if isinstance(node, ast.Subscript):
            return index(values[node.value], self.key(node.slice))
        if isinstance(node, ast.Attribute):
            return self.attribute(node, values)
        if isinstance(node, ast.Call):
            return self.call(node, values)
        what = {ast.Tuple: "a comma", ast.List: "a list", ast.Starred: "a star before an argument"}
        raise self.error(node, f"{what.get(type(node), 'this')} has no meaning here; write one expression")

    def name(self, node: ast.Name) -> Expr:
        """A name's expression."""
        if node.id in self.names:
            return self.names[node.id]
        if node.id in WORDS:
            raise self.error(node, f"{node.id} is a function; write {node.id}(…)")
        known = [name for name in self.names if not name.startswith("_")]
        raise self.error(node, f"{shortened(node.id)} is not known; {nearest(node.id, known)}")

    def constant(self, node: ast.Constant) -> Expr:
        """A number, exactly as written."""
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self.error(node, f"{shortened(repr(node.value))} is not an expression; write numbers and names")
        at = node.lineno, self.scanned.column(node.lineno, node.col_offset)
        return exactly(Fraction(self.words[at].text))

    def binary(self, node: ast.BinOp, a: Expr, b: Expr) -> Expr:
        """a + b, a - b, a * b, a / b, a @ b, a & b, a ** b."""
        if isinstance(node.op, ast.Pow):
            self.admit_power(node, a, b)
            return power(a, b)
        operation = BINARY.get(type(node.op))
        if operation is None:
            raise self.error(node, f"the operator {type(node.op).__name__} is not understood; write + - * / @ or **")
        return operation(a, b)

    def admit_power(self, node: ast.BinOp, a: Expr, b: Expr) -> None:
        """Refuse a power whose value, or whose expansion, would be too large to write."""
        exponent = b.value if isinstance(b, Leaf) and b.role is Role.NUMBER else None
        if not isinstance(exponent, Fraction):
            return
        if abs(exponent) > LARGEST_POWER or exponent.denominator > LARGEST_POWER:
            raise self.error(node.right, f"the exponent is beyond {LARGEST_POWER}; write a smaller one")
        base = a.value if isinstance(a, Leaf) and a.role is Role.NUMBER else None
        if isinstance(base, Fraction) and _bits(base) * abs(exponent) > MOST_BITS:
            raise self.error(node, "the power is too long a number; write a smaller exponent")
        if base == 0 and exponent < 0:
            raise self.error(node, f"0 ** {exponent} has no value; divide by something else")
        if isinstance(a, Leaf) and isinstance(a.value, Size) and len(a.value.terms) ** abs(exponent) > 10**6:
            raise self.error(node.right, "the power of a sum of sizes is too long; write a smaller exponent")

    def compare(self, node: ast.Compare, values: Mapping[ast.expr, Expr]) -> Expr:
        """a > b and the like, one at a time."""
        operation = COMPARISONS.get(type(node.ops[0]))
        if len(node.ops) > 1:
            raise self.error(node, "comparisons are not chained; write (a < b) & (b < c)")
        if operation is None:
            raise self.error(
                node, f"the comparison {type(node.ops[0]).__name__} is not understood; write <, >, <= or >="
            )
        result = operation(values[node.left], values[node.comparators[0]])
        assert isinstance(result, Expr)
        return result

    def attribute(self, node: ast.Attribute, values: Mapping[ast.expr, Expr]) -> Expr:
        """`.T`, and nothing else."""
        if node.attr == "T":
            return values[node.value].T
        if node.attr in WORDS:
            owner = shortened(node.value.id) if isinstance(node.value, ast.Name) else "…"
            inside = "…" if owner not in self.names else owner
            raise self.error(node, f"{owner}.{node.attr} is not understood; write {node.attr}({inside})")
        raise self.error(node, f".{shortened(node.attr)} is not understood; behind a dot only T may stand")

    def key(self, node: ast.expr) -> tuple[Any, ...]:
        """What stands between brackets: `:`, `None`, places, slices, labels, and arange(n) for rows."""
        return tuple(self.place(item) for item in (node.elts if isinstance(node, ast.Tuple) else [node]))

    def place(self, node: ast.expr) -> Any:
        """One of the items between brackets."""
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        if isinstance(node, ast.Slice):
            start, stop = (None if e is None else self.expression(e) for e in (node.lower, node.upper))
            return slice(start, stop, None if node.step is None else self.plain(node.step, "step"))
        is_rows = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "arange"
        if isinstance(node, ast.Call) and is_rows and len(node.args) == 1:
            return arange(self.expression(node.args[0]))
        return self.expression(node)

    def function(self, node: ast.Call) -> Any:
        """What is called: a word of the language."""
        if isinstance(node.func, ast.Attribute):
            self.attribute_called(node.func)
        if not isinstance(node.func, ast.Name):
            raise self.error(node.func, "only functions can be called; write * for a product")
        name = node.func.id
        if name in WORDS:
            return WORDS[name]
        if name in self.names:
            raise self.error(node.func, f"{name} is not a function; write {name} * (…) for a product")
        if name in DECLARATIONS:
            raise self.error(node.func, f"{name} declares an array, which a formula cannot; write the array's name")
        raise self.error(
            node.func, f"{shortened(name)} is not a function of the language; {nearest(name, list(WORDS))}"
        )

    def attribute_called(self, node: ast.Attribute) -> None:
        """Refuse `np.sum(…)` and `X.sum()`."""
        self.attribute(node, {node.value: exactly(0)})

    def arguments(self, node: ast.Call) -> list[tuple[ast.expr, str]]:
        """The positional arguments, a shape's own parts for themselves, each with the name of what it is."""
        function, found = self.function(node), list[tuple[ast.expr, str]]()
        for place, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred):
                raise self.error(argument, "a star before an argument has no meaning here; leave it out")
            name = parameter_of(function, place)
            if name is None:
                raise self.error(argument, f"{_called(node)} takes fewer arguments; leave this one out")
            if name == "shape" and isinstance(argument, ast.Tuple):
                found += [(e, "operand") for e in argument.elts]
            elif name in LISTS:
                if not isinstance(argument, ast.Tuple | ast.List):
                    raise self.error(argument, f"{_called(node)} takes a list; write its arrays between [ and ]")
                found.append((argument, name))
            else:
                found.append((argument, "operand" if name == "shape" else name))
        return found

    def call(self, node: ast.Call, values: Mapping[ast.expr, Expr]) -> Expr:
        """A word of the language applied."""
        function = self.function(node)
        given: list[Any] = []
        for argument, name in self.arguments(node):
            if name in STRINGS:
                given.append(self.string(node, argument, name))
            elif isinstance(argument, ast.Tuple | ast.List) and name in LISTS:
                given.append([self.expression(e) for e in argument.elts])
            else:
                given.append(self.plain(argument, name) if name in OPTIONS else values[argument])
        options: dict[str, Any] = {}
        for keyword in node.keywords:
            allowed = options_of(function)
            if keyword.arg is None or keyword.arg not in allowed:
                takes = f"its options are {', '.join(allowed)}" if allowed else "it has none"
                what = f"{_called(node)} has no option {shortened(keyword.arg or '**')}"
                raise self.error(keyword.value, f"{what}; {takes}")
            is_size = keyword.arg in SIZES
            options[keyword.arg] = self.expression(keyword.value) if is_size else self.plain(keyword.value, keyword.arg)
        missing = required_of(function) - len(given)
        if missing > 0:
            raise self.error(node, f"{_called(node)} lacks {missing} argument(s); write all of them")
        result = function(*given, **options)
        assert isinstance(result, Expr)
        return result

    def plain(self, node: ast.expr, name: str) -> Any:
        """The value of an option."""
        try:
            return read_option(node, name)
        except ValueError as e:
            raise self.error(node, str(e)) from None

    def string(self, call: ast.Call, node: ast.expr, name: str) -> Any:
        """A string where the language has one: the letters of einsum, the name of `named`, the body of `scalar`."""
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            raise self.error(node, f"{_called(call)} begins with a string; write it between quotes")
        try:
            return read_body(node.value) if name == "body" else node.value
        except Misread as e:
            raise self.error(node, str(e)) from None

    def bounded(self, e: Expr) -> Expr:
        """Refuse what would grow without end."""
        if e.rank > MOST_AXES:
            raise InputError(f"an array of {e.rank} axes is too large; use at most {MOST_AXES}")
        value = e.value if isinstance(e, Leaf) else None
        if (
            isinstance(value, Fraction)
            and max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS
        ):
            raise InputError("the number is too long; write a smaller one")
        if isinstance(value, Size) and e.rank == 0 and _is_long(value):
            raise InputError("the polynomial of sizes is too long; write a shorter one")
        return e


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _is_long(size: Size) -> bool:
    degree = max((sum(p for _, p in monomial) for monomial, _ in size.terms), default=0)
    longest = max((abs(c).bit_length() for _, c in size.terms), default=0)
    return len(size.terms) > MOST_TERMS_OF_A_SIZE or degree > LARGEST_DEGREE or longest > MOST_BITS


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else "the function"
