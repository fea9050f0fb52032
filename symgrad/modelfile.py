"""A model file → its loss, its model, and the names that the file gives to intermediates.

The file is executed like any script of the user's own. Its syntax tree is instrumented first: every executed assignment
is noted, so that a name assigned in a loop names its values in order.
"""

from __future__ import annotations

import ast
import keyword
import re
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symgrad.errors import InputError, SymgradError, located
from symgrad.files import check_model
from symgrad.graph.expression import Expr, Leaf, Linear, coerce
from symgrad.graph.walk import postorder
from symgrad.primitives.language import VOCABULARY
from symgrad.prose import LANGUAGES, Text, docstring_text
from symgrad.records import dataclass
from symgrad.text.from_sympy import from_sympy

RECORDER = "__symgrad_record__"
# What a model file's own variables mean to symgrad; they are not names of intermediates.
RESERVED = frozenset({"loss", "model", "parameters"})
# What is there wherever symgrad is.
KNOWN = frozenset({"symgrad", "sympy", "numpy", *sys.stdlib_module_names})


@dataclass(frozen=True, slots=True)
class Places:
    """Where a model file gives its variables their values, as `file:line:column`."""

    path: str
    variables: Mapping[str, str]
    expressions: Sequence[tuple[Expr, str]]

    def of(self, about: object) -> str:
        """Where a variable got its last value, or an expression is first used; else where the loss stands."""
        if isinstance(about, Expr):
            for value, place in self.expressions:
                if about in set(postorder([value])):
                    return place
            about = "loss"
        return self.variables.get(str(about), f"{self.path}:1:1")

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors that say what they are about get its place, if there is a file."""
        try:
            yield
        except SymgradError as e:
            if e.about is None or not self.path:
                raise
            raise located(e, self.of(e.about)) from None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What a model file says: its variables at the end, its assignments in order, its docstring, its path, its text."""

    variables: Mapping[str, Any]
    assignments: Sequence[tuple[str, Any]]
    docstring: str
    path: str
    text: str
    places: Places

    @property
    def stands_alone(self) -> bool:
        """Whether the text, run in a cell of a notebook anywhere, leaves its names to the same values.

        It does not where a name is given to several intermediates in turn, or where it needs other files.
        """
        values: dict[str, set[Any]] = {}
        for name, value in self.assignments:
            if isinstance(value, Expr) and not isinstance(value, Leaf) and name not in RESERVED:
                values.setdefault(name, set()).add(value)
        left = {
            name for name, value in self.variables.items() if isinstance(value, Expr) and not isinstance(value, Leaf)
        }
        is_plain = all(len(own) == 1 for own in values.values()) and left <= {*values, *RESERVED}
        return is_plain and not (_needed(ast.parse(self.text)) - KNOWN)


def read_model(path: str) -> ModelFile:
    """Execute a model file; `-` reads it from standard input. What is wrong in it is an error at its line."""
    shown = "<stdin>" if path == "-" else path
    check_model(path)
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except PermissionError:
        raise InputError(f"{path}: may not be read; change its permissions or give another file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    return run_model(text, shown, Path(path).parent if path != "-" else Path())


def run_model(text: str, shown: str, folder: Path) -> ModelFile:
    """Execute the text of a model file, errors located by the name `shown`."""
    try:
        tree = ast.parse(text, filename=shown)
    except SyntaxError as e:
        raise InputError(f"{shown}:{e.lineno or 1}:{e.offset or 1}: {e.msg}; mend the Python") from None
    except ValueError as e:
        raise InputError(f"{shown}:1:1: {e}; mend the Python") from None
    docstring = ast.get_docstring(tree) or ""
    noted: list[tuple[str, Any, str]] = []
    variables: dict[str, Any] = {
        "__name__": "__symgrad_model__",
        "__file__": shown,
        RECORDER: lambda name, value, place: noted.append((name, value, f"{shown}:{place}")),
    }
    code = compile(ast.fix_missing_locations(_Recording().visit(tree)), shown, "exec")
    sys.path.insert(0, str(folder))
    try:
        exec(code, variables)  # the user's own model file, run because the user asked for it
    except SymgradError as e:
        raise located(e, _place(e, shown)) from None
    except RecursionError:
        raise InputError(f"{shown}: the file calls itself without end; mend the recursion") from None
    except SystemExit:
        raise InputError(f"{shown}: the file ends the program; remove the call of exit") from None
    except Exception as e:  # whatever the user's own code raises is reported at the user's line
        raise InputError(f"{_place(e, shown)}: {_told(e)}") from None
    finally:
        sys.path.remove(str(folder))
    last = {name: place for name, value, place in noted if value is variables.get(name)}
    places = Places(shown, last, [(value, place) for _, value, place in noted if isinstance(value, Expr)])
    return ModelFile(variables, [(name, value) for name, value, _ in noted], docstring, shown, text, places)


def _needed(tree: ast.Module) -> set[str]:
    """The packages that a file imports, and `__file__` where it asks for its place or opens a file."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." if node.level else str(node.module).split(".")[0])
        elif isinstance(node, ast.Name) and node.id in ("__file__", "__name__", "open"):
            found.add("__file__")
    return found


def _told(error: Exception) -> str:
    """What is wrong and what to do, of an exception of the user's own code; habits of NumPy's users have their own words."""
    what = " ".join(str(error).split()) or "no message"
    if isinstance(error, AttributeError) and isinstance(error.obj, Expr) and error.name in VOCABULARY:
        return f"an expression has no .{error.name}; write sg.{error.name}(…)"
    if isinstance(error, TypeError) and "__array_ufunc__" in what:
        return "NumPy's functions take arrays and no expressions; write the function of symgrad, as in sg.exp(…)"
    return f"{type(error).__name__}: {what}" + ("" if "; " in what else "; mend this line")


def _place(error: BaseException, shown: str) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == shown]
    if not frames:
        return f"{shown}:1:1"
    return f"{shown}:{frames[-1].lineno}:{(frames[-1].colno or 0) + 1}"


class _Recording(ast.NodeTransformer):
    """Behind every assignment to a plain name, a call that notes the name, its value and the place."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> list[ast.stmt]:
        self.generic_visit(node)
        return [node, _note(node.name, node)]

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        names = [name for target in node.targets for name in _plain_names(target)]
        return [node, *(_note(name, node) for name in names)]

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        return [node, *(_note(name, node) for name in _plain_names(node.target))]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> list[ast.stmt]:
        names = _plain_names(node.target) if node.value is not None else []
        return [node, *(_note(name, node) for name in names)]


def _plain_names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Tuple | ast.List):
        return [name for item in target.elts for name in _plain_names(item)]
    return []


def _note(name: str, node: ast.stmt) -> ast.stmt:
    call = ast.Call(
        func=ast.Name(id=RECORDER, ctx=ast.Load()),
        args=[
            ast.Constant(value=name),
            ast.Name(id=name, ctx=ast.Load()),
            ast.Constant(value=f"{node.lineno}:{node.col_offset + 1}"),
        ],
        keywords=[],
    )
    statement = ast.copy_location(ast.Expr(value=call), node)
    return ast.fix_missing_locations(statement)


def expression_of(value: Any, parameters: Collection[Any], what: str) -> Expr:
    """What the variable `what` holds as an expression; SymPy's are differentiated by `parameters`."""
    if isinstance(value, Expr):
        return value
    if type(value).__module__.startswith("sympy."):
        if not isinstance(parameters, Collection):
            kind = type(parameters).__name__
            raise InputError(f"`parameters` is a {kind}; write a list, parameters = [w, b]", about="parameters")
        if not parameters:
            raise InputError(
                f"a {what} in SymPy's symbols needs `parameters = [w, b]`: the symbols to differentiate by", about=what
            )
        try:
            return from_sympy(value, list(parameters))
        except SymgradError as e:
            e.about = what
            raise
    try:
        return coerce(value)
    except InputError:
        raise InputError(f"`{what}` is a {type(value).__name__}; assign an expression to it", about=what) from None


def names_of(assignments: Iterable[tuple[str, Any]], taken: Iterable[str]) -> dict[Expr, str]:
    """The name of each intermediate: the variable's own, numbered where it was assigned several values.

    A value that only adds to the variable's last one (`loss = loss + e`) takes its place; a leaf keeps its own name; a
    node that has a name keeps it; a numbered name that is taken gets an underscore.

    >>> from symgrad.primitives.language import data, dims, exp
    >>> x = data("x", dims("n"))
    >>> values = [("H", exp(x)), ("H", exp(exp(x)))]
    >>> list(names_of(values, ["x", "H1"]).values())
    ['H_1', 'H_2']
    """
    values: dict[str, list[Expr]] = {}
    named: set[Expr] = set()
    for name, value in assignments:
        is_plain = isinstance(value, Expr) and not isinstance(value, Leaf)
        if not is_plain or name in RESERVED or name.startswith("_") or keyword.iskeyword(name) or value in named:
            continue
        own = values.setdefault(name, [])
        if own and _adds_to(value, own[-1]):
            named.discard(own.pop())
        own.append(value)
        named.add(value)
    used = {*taken, *(name for name, own in values.items() if len(own) == 1)}
    result: dict[Expr, str] = {}
    for name, own in values.items():
        numbered = [name] if len(own) == 1 else [f"{name}{k}" for k in range(1, len(own) + 1)]
        while (len(own) > 1 and used & set(numbered)) or (len(own) == 1 and name in set(taken) and numbered == [name]):
            name += "_"
            numbered = [name] if len(own) == 1 else [f"{name}{k}" for k in range(1, len(own) + 1)]
        used.update(numbered)
        result.update(zip(own, numbered, strict=True))
    return result


def _adds_to(value: Expr, old: Expr) -> bool:
    """Whether a value is old + something, to any depth of sums."""
    stack = [value]
    while stack:
        node = stack.pop()
        if node is old:
            return True
        if isinstance(node, Linear):
            stack += [e for c, e in node.terms if c == 1]
    return False


def title_and_text(docstring: str, source: str) -> tuple[Text, Text]:
    """The title of a page and what follows it, from the docstring of a model file, in both languages."""
    told = docstring_text(docstring)
    (title, text), (title_zh, text_zh) = (_parts(told.to(language), source) for language in LANGUAGES)
    return Text(en=title, zh=title_zh), Text(en=text, zh=text_zh)


def _parts(docstring: str, source: str) -> tuple[str, str]:
    """What stands before the colon of the first line, and all that follows."""
    first, _, rest = docstring.partition("\n")
    title, _, tail = (
        re.split("([:：])", first, maxsplit=1) if re.search("[:：]", first) else (first.rstrip(".。"), "", "")
    )
    tail = tail.strip()
    text = "\n\n".join(part for part in (_capitalised(tail), rest.strip()) if part)
    return title.strip() or _file_title(source), text


def _capitalised(text: str) -> str:
    """The text with a capital first letter, unless its first word is a symbol."""
    word = text.split(maxsplit=1)[0] if text else ""
    return text[:1].upper() + text[1:] if word.isalpha() and (len(word) > 1 or word == "a") else text


def _file_title(source: str) -> str:
    stem = source.rsplit("/", 1)[-1].removesuffix(".py").replace("_", " ").strip("<>")
    return stem[:1].upper() + stem[1:] or "Model"
