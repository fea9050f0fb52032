"""What a page shows of a compiled module: the lines that compute, without those that check and convert what is given."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

# What a module reads its arrays with; a page says that the module does.
READERS = ("_arrays", "_labels")
# What it makes a number of an argument with: lam = float(lam).
NUMBERS = ("float", "int")
# The argument that turns the checks off, with the star before it where it is the only one by keyword.
CHECK_ARGUMENT = re.compile(r"(?:,\s*\*)?,\s*check=True(?=,?\s*\))")


def listing(source: str) -> str:
    r"""The function `value_and_gradients` of a compiled module, without its docstring and the reading of its arguments.

    >>> print(listing('def value_and_gradients(x, *, check=True):\n    x, = _arrays({"x": x}, {})\n    return x @ x, {}'))
    def value_and_gradients(x):
        return x @ x, {}
    """
    (function,) = [
        f for f in ast.parse(source).body if isinstance(f, ast.FunctionDef) and f.name == "value_and_gradients"
    ]
    assert function.end_lineno is not None
    left_out = {
        number
        for statement in function.body
        if _only_reads(statement)
        for number in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    }
    lines = source.splitlines()
    kept = [lines[n - 1] for n in range(function.lineno, function.end_lineno + 1) if n not in left_out]
    return CHECK_ARGUMENT.sub("", "\n".join(kept), count=1)


def _only_reads(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        tests = statement.test.values if isinstance(statement.test, ast.BoolOp) else [statement.test]
        return isinstance(tests[0], ast.Name) and tests[0].id == "check"
    value = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in READERS:
        return True
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
        return _makes_a_number(statement.targets, statement.value)
    return isinstance(statement, ast.Expr) and isinstance(value, ast.Constant)


def _makes_a_number(targets: Sequence[ast.expr], call: ast.Call) -> bool:
    """Whether one name is assigned itself as a number; q = float(np.exp(lam)) computes."""
    is_number = isinstance(call.func, ast.Name) and call.func.id in NUMBERS
    return is_number and [ast.unparse(e) for e in targets] == [ast.unparse(e) for e in call.args]
