"""The house rules that a syntax tree can show: imports point one way, no text is run, nothing grows too long.

Each rule is a function from parsed modules to a list of findings. It is asserted empty on symgrad/, and below
that shown to find what it is for on small made-up modules.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the top down. A layer is the first path component under symgrad/, and imports from lower rungs only.
RUNGS = (
    ("__init__", "__main__"),
    ("cli",),
    ("problem", "products", "stationary", "modelfile", "fitting"),
    ("notebook",),
    ("formats",),
    ("explain", "compile", "optimize", "tables"),
    ("extrema",),
    ("derive", "notation"),
    ("rewrite",),
    ("evaluate",),
    ("fields",),
    ("atoms", "canonical"),
    ("text",),
    ("primitives",),
    ("graph",),
    ("files",),
    ("errors", "prose"),
    ("records",),
)
# Together the one object that a user holds: these may import each other, without a cycle.
OPEN_RUNG = ("problem", "products", "stationary", "modelfile", "fitting")
# These know no symbols: of symgrad they see the errors, and never SymPy.
BLIND = ("optimize", "tables")
# Start-up: the command line imports what a command needs when it runs, the package exports lazily (PEP 562).
LATE_IMPORTERS = ("cli", "__init__")

# Calls that turn text into behaviour, and imports that make such a call possible under another name.
TEXT_RUNNERS = frozenset({"eval", "exec", "sympify", "parse_expr", "parse_latex", "lambdify", "__import__"})
PICKLE_READERS = frozenset({"load", "loads", "Unpickler"})

# (file, finding) → the reason. An entry whose finding is gone is itself a finding.
ALLOWED: Mapping[tuple[str, str], str] = {
    ("symgrad/modelfile.py", "exec"): "the user's own model file, run because the user asked for it",
    ("symgrad/modelfile.py", "except Exception"): "whatever a model file raises is reported at its line",
    ("symgrad/compile/loading.py", "exec"): "our own generated source, whose names are ours",
}
# (file, late import) → the reason: it points up, or is slow and seldom needed.
# IPython asks the object itself how it shows; see docs/decisions/0005.
ALLOWED_LATE: Mapping[tuple[str, str], str] = {
    ("symgrad/graph/expression.py", "symgrad.notebook"): "an expression is typeset in a notebook, and knows no LaTeX",
    ("symgrad/graph/expression.py", "symgrad.derive.indexed"): "an expression is written for SymPy, and knows no SymPy",
    ("symgrad/derive/derivation.py", "symgrad.notebook"): "a derivation is typeset in a notebook, and knows no page",
    ("symgrad/formats/pdf.py", "typst"): "an extra, and only a PDF needs it",
    ("symgrad/formats/pdf.py", "pylopdf_fonts_zh_cn"): "an extra, and only a PDF in Chinese needs it",
    ("symgrad/fitting/plot.py", "matplotlib.figure"): "an extra, and slow: only who asks for a picture needs it",
    ("symgrad/fitting/plot.py", "pylopdf_fonts_zh_cn"): "an extra, and only a picture in Chinese needs it",
    ("symgrad/fitting/plot.py", "matplotlib"): "an extra, and slow: only who asks for a picture needs it",
    ("symgrad/formats/html.py", "math_core"): "an extra, and only HTML needs it",
    ("symgrad/formats/ipynb.py", "nbformat"): "an extra, and only a notebook needs it",
    # Every command would start more slowly.
    ("symgrad/problem.py", "symgrad.compile.function"): "only who computes needs it; a page shows the source alone",
    ("symgrad/products.py", "symgrad.compile.function"): "only who computes needs it",
    ("symgrad/problem.py", "symgrad.compile.bound_form"): "only a page with bound data needs it",
    ("symgrad/problem.py", "symgrad.fitting"): "only a fit and a sample need it",
    ("symgrad/problem.py", "symgrad.tables.arrays"): "only the numbers of a page need it",
    ("symgrad/problem.py", "symgrad.explain.extrema"): "only extrema need it",
    ("symgrad/problem.py", "symgrad.extrema.search"): "only extrema need it",
    ("symgrad/problem.py", "symgrad.stationary"): "only extrema need it",
}
# "file:qualified name" → the reason why the function is better long.
LONG_FUNCTIONS: Mapping[str, str] = {}
# file → the reason why the module is better long.
LONG_MODULES: Mapping[str, str] = {
    "symgrad/graph/expression.py": "operators build nodes and nodes carry operators: in two modules they would be a circle",
}

MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 45


# ---- modules and their imports


@dataclass(frozen=True)
class Module:
    """One parsed file of the package."""

    name: str  # symgrad.graph.nodes; a package's __init__.py goes by the package's name
    path: str  # symgrad/graph/nodes.py
    source: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        """First path component under symgrad/: `graph`, `cli`, or `__init__` for the package itself."""
        return layer_of(self.name)

    @property
    def package(self) -> str:
        """What a relative import starts from."""
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Import:
    """One imported module, as an absolute name, with where and how it is imported."""

    target: str
    line: int
    is_late: bool


def layer_of(name: str) -> str:
    """symgrad.graph.nodes → graph, symgrad → __init__."""
    return [*name.split("."), "__init__"][1]


def module_of(path: str, source: str) -> Module:
    """Parse one file; `path` is relative to the folder that holds symgrad/."""
    parts = path.removesuffix(".py").split("/")
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, path, source, ast.parse(source, path))


def read_package(root: Path) -> list[Module]:
    """Every module under root/symgrad."""
    files = sorted((root / "symgrad").rglob("*.py"))
    return [module_of(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")) for file in files]


def made_up(sources: Mapping[str, str]) -> list[Module]:
    """Modules from strings: {"graph/nodes": "..."} is symgrad/graph/nodes.py."""
    return [module_of(f"symgrad/{key}.py", source) for key, source in sources.items()]


def walk_with_lateness(node: ast.AST, is_late: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node below, and whether it runs only when some function is called."""
    for child in ast.iter_child_nodes(node):
        inside = is_late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield child, inside
        yield from walk_with_lateness(child, inside)


def imports_of(module: Module, known: set[str]) -> Iterator[Import]:
    """What a module imports, under `if TYPE_CHECKING` too: a type is a dependency like any other.

    `from symgrad.graph import nodes` is the module symgrad.graph.nodes if there is one, else symgrad.graph.
    """
    for node, is_late in walk_with_lateness(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, is_late)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.package.split(".")
                kept = parents[: len(parents) - node.level + 1]
                base = ".".join([*kept, node.module] if node.module else kept)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield Import(inner if inner in known else base, node.lineno, is_late)
        elif isinstance(node, ast.Call) and name_of(node.func) == "import_module":
            argument = node.args[0] if node.args else None
            # A computed name says nothing of where it points; only lazy exports have a use for one.
            target = argument.value if isinstance(argument, ast.Constant) else "<computed>"
            yield Import(str(target), node.lineno, True)


def is_own(name: str) -> bool:
    """Is it a module of symgrad?"""
    return name == "symgrad" or name.startswith("symgrad.")


def name_of(node: ast.AST) -> str:
    """The last name of `f` or `a.b.f`."""
    return getattr(node, "id", getattr(node, "attr", ""))


# ---- the rules


def is_allowed_late(module: Module, imported: Import, allowed: Mapping[tuple[str, str], str]) -> bool:
    """Whether the table lets this one import hide inside a function."""
    return imported.is_late and (module.path, imported.target) in allowed


def wrong_arrows(modules: list[Module], allowed: Mapping[tuple[str, str], str] | None = None) -> list[str]:
    """An import may only go down the rungs, within one layer, or within the open rung."""
    rung = {layer: height for height, layers in enumerate(RUNGS) for layer in layers}
    known = {module.name for module in modules}
    found = [f"{m.path}: layer {m.layer} is not in RUNGS" for m in modules if m.layer not in rung]
    for module in modules:
        for imported in imports_of(module, known):
            here, there = module.layer, layer_of(imported.target)
            if not is_own(imported.target) or here == there or here not in rung or there not in rung:
                continue
            if is_allowed_late(module, imported, allowed or {}):
                continue
            is_open = here in OPEN_RUNG and there in OPEN_RUNG
            if rung[here] >= rung[there] and not is_open:
                found.append(f"{module.path}:{imported.line} {here} imports {there}")
    return found


def broken_blindness(modules: list[Module]) -> list[str]:
    """`optimize` and `tables` import nothing of symgrad but errors, and never SymPy."""
    known = {module.name for module in modules}
    found = []
    for module in modules:
        if module.layer not in BLIND:
            continue
        for imported in imports_of(module, known):
            is_allowed_own = layer_of(imported.target) in {module.layer, "errors"}
            if (is_own(imported.target) and not is_allowed_own) or imported.target.split(".")[0] == "sympy":
                found.append(f"{module.path}:{imported.line} {module.layer} imports {imported.target}")
    return found


def late_imports(modules: list[Module], allowed: Mapping[tuple[str, str], str] | None = None) -> list[str]:
    """An import inside a function hides a cycle: only the command line and the lazy exports may have one."""
    known = {module.name for module in modules}
    return [
        f"{module.path}:{imported.line} imports {imported.target} inside a function"
        for module in modules
        if module.layer not in LATE_IMPORTERS
        for imported in imports_of(module, known)
        if imported.is_late and not is_allowed_late(module, imported, allowed or {})
    ]


def import_cycles(modules: list[Module], allowed: Mapping[tuple[str, str], str] | None = None) -> list[str]:
    """Modules that reach themselves by imports, type-only ones included, one line a cycle."""
    known = {module.name for module in modules}
    waiting = {
        m.name: {
            i.target for i in imports_of(m, known) if i.target in known and not is_allowed_late(m, i, allowed or {})
        }
        for m in modules
    }
    for name, targets in waiting.items():
        if name in targets:
            return [f"{name} imports itself"]
    # Peel off, from both ends, what cannot be on a cycle; cycles and the paths between them are left over.
    while True:
        imported = set().union(*waiting.values())
        free = {name for name, targets in waiting.items() if not targets or name not in imported}
        if not free:
            break
        waiting = {name: targets - free for name, targets in waiting.items() if name not in free}
    return [f"{name} is on a cycle with {', '.join(sorted(targets))}" for name, targets in waiting.items()]


def imported_with(modules: list[Module], name: str) -> set[str]:
    """The modules that are imported together with one, by it or by what it imports; what types alone need is not."""
    by_name = {m.name: m for m in modules}
    seen: set[str] = set()
    stack = [name]
    while stack:
        module = by_name.get(stack.pop())
        if module is None or module.name in seen:
            continue
        seen.add(module.name)
        for_types = {
            line
            for node in ast.walk(module.tree)
            if isinstance(node, ast.If) and name_of(node.test) == "TYPE_CHECKING"
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        for imported in imports_of(module, set(by_name)):
            if not imported.is_late and imported.line not in for_types:
                parts = imported.target.split(".")
                stack += [".".join(parts[: k + 1]) for k in range(len(parts))]
    return seen


def text_runs(modules: list[Module]) -> list[tuple[str, str, int]]:
    """(file, what, line) of each way in which text could be run: a call, a mention, an import."""
    found = []
    for module in modules:
        for node in ast.walk(module.tree):
            found += [(module.path, what, node.lineno) for what in text_run_of(node)]
    return found


def text_run_of(node: ast.AST) -> Iterator[str]:
    """What of TEXT_RUNNERS or of pickle's readers one node calls, imports or passes on."""
    if isinstance(node, ast.Name) and node.id in TEXT_RUNNERS:
        yield node.id
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name, owner = node.func.attr, ast.unparse(node.func.value)
        if name in TEXT_RUNNERS:
            yield name
        elif name in PICKLE_READERS and owner.endswith("pickle"):
            yield f"pickle.{name}"
    elif isinstance(node, ast.ImportFrom):
        from_pickle = (node.module or "").endswith("pickle")
        for alias in node.names:
            if alias.name in TEXT_RUNNERS:
                yield alias.name
            elif from_pickle and alias.name in PICKLE_READERS:
                yield f"pickle.{alias.name}"
    elif isinstance(node, ast.Import):
        # `import pickle as p` would hide p.loads from the look at the owner's name.
        for alias in node.names:
            if alias.name.endswith("pickle") and alias.asname:
                yield f"{alias.name} as {alias.asname}"
    elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
        yield "allow_pickle"


def broad_excepts(modules: list[Module]) -> list[tuple[str, str, int]]:
    """(file, what, line) of each `except:`, `except Exception` and `except BaseException`, in a tuple too."""
    found = []
    for module in modules:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            if node.type is None:
                found.append((module.path, "bare except", node.lineno))
                continue
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = [name_of(kind) for kind in caught]
            found += [(module.path, f"except {n}", node.lineno) for n in names if n in {"Exception", "BaseException"}]
    return found


def not_allowed(found: list[tuple[str, str, int]], allowed: Mapping[tuple[str, str], str]) -> list[str]:
    """The findings that no entry of the table allows."""
    return [f"{path}:{line} {what}" for path, what, line in found if (path, what) not in allowed]


def long_modules(modules: list[Module]) -> list[str]:
    """Modules over the limit."""
    lengths = {module.path: len(module.source.splitlines()) for module in modules}
    return [f"{path} has {n} lines" for path, n in lengths.items() if n > MOST_LINES_OF_A_MODULE]


def long_functions(modules: list[Module]) -> dict[str, int]:
    """Lines from `def` to the end, by "file:qualified name", of functions and methods over the limit."""
    found = {}
    for module in modules:
        stack: list[tuple[ast.AST, str]] = [(module.tree, "")]
        while stack:
            node, prefix = stack.pop()
            for child in ast.iter_child_nodes(node):
                name = prefix
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    name = f"{prefix}.{child.name}".lstrip(".")
                    lines = (child.end_lineno or child.lineno) - child.lineno + 1
                    if not isinstance(child, ast.ClassDef) and lines > MOST_LINES_OF_A_FUNCTION:
                        found[f"{module.path}:{name}"] = lines
                stack.append((child, name))
    return found


# ---- symgrad keeps them


@pytest.fixture(scope="module")
def package() -> list[Module]:
    """Every module of symgrad."""
    return read_package(ROOT)


def test_the_package_is_found(package):
    assert {"symgrad", "symgrad.errors", "symgrad.cli", "symgrad.problem"} <= {m.name for m in package}


def test_imports_point_one_way(package):
    assert wrong_arrows(package, ALLOWED_LATE) == []


def test_optimize_and_tables_know_no_symbols(package):
    assert broken_blindness(package) == []


def test_no_import_is_late(package):
    assert late_imports(package, ALLOWED_LATE) == []


def test_no_import_cycle(package):
    assert import_cycles(package, ALLOWED_LATE) == []


def test_a_page_imports_only_what_pages_need(package):
    found = imported_with(package, "symgrad.problem")
    assert {"symgrad.explain.page", "symgrad.compile.numpy_source"} <= found
    other = (
        "symgrad.fitting",
        "symgrad.optimize",
        "symgrad.tables",
        "symgrad.extrema",
        "symgrad.compile.bound",
        "symgrad.cli",
    )
    assert [name for name in found if name.startswith(other) or name == "symgrad.compile.function"] == []


def test_no_text_is_run(package):
    assert not_allowed(text_runs(package), ALLOWED) == []


def test_no_except_is_broad(package):
    assert not_allowed(broad_excepts(package), ALLOWED) == []


def test_modules_are_short(package):
    assert [found for found in long_modules(package) if found.split()[0] not in LONG_MODULES] == []


def test_functions_are_short(package):
    assert {key: n for key, n in long_functions(package).items() if key not in LONG_FUNCTIONS} == {}


def test_the_exceptions_are_still_needed(package):
    seen = {(path, what) for path, what, _ in [*text_runs(package), *broad_excepts(package)]}
    assert set(ALLOWED) - seen == set()
    known = {m.name for m in package}
    late = {(m.path, i.target) for m in package for i in imports_of(m, known) if i.is_late}
    assert set(ALLOWED_LATE) - late == set()
    assert set(LONG_FUNCTIONS) - set(long_functions(package)) == set()
    assert set(LONG_MODULES) - {found.split()[0] for found in long_modules(package)} == set()


# ---- each rule finds what it is for


@pytest.mark.parametrize(
    ("sources", "finding"),
    [
        ({"graph": "from symgrad.text import parse"}, "graph imports text"),
        ({"graph/nodes": "import symgrad.primitives.softmax"}, "graph imports primitives"),
        ({"graph/nodes": "from ..primitives import softmax"}, "graph imports primitives"),
        ({"rewrite": "from . import derive", "derive": ""}, "rewrite imports derive"),
        ({"rewrite": "from symgrad import derive", "derive": ""}, "rewrite imports derive"),
        ({"explain/page": "from symgrad.compile import plan"}, "explain imports compile"),
        ({"derive": "from symgrad.notation import latex"}, "derive imports notation"),
        ({"errors": "from symgrad import load"}, "errors imports __init__"),
        ({"text": "import symgrad"}, "text imports __init__"),
        ({"problem": "from symgrad.cli import app"}, "problem imports cli"),
        ({"text": "def f():\n    from symgrad.cli import app"}, "text imports cli"),
        ({"text": "if TYPE_CHECKING:\n    from symgrad.evaluate import run"}, "text imports evaluate"),
        ({"text": "import_module('symgrad.evaluate')"}, "text imports evaluate"),
        ({"fancy": ""}, "layer fancy is not in RUNGS"),
    ],
)
def test_a_wrong_arrow_is_found(sources, finding):
    (found,) = wrong_arrows(made_up(sources))
    assert finding in found


def test_what_is_imported_together_is_found():
    modules = made_up(
        {
            "problem": "if TYPE_CHECKING:\n    from symgrad.text import a\nfrom symgrad.graph.nodes import Expr\n",
            "text": "",
            "graph/__init__": "",
            "graph/nodes": "from symgrad.errors import E\ndef f():\n    import symgrad.prose",
            "errors": "",
            "prose": "",
        }
    )
    assert imported_with(modules, "symgrad.problem") == {
        f"symgrad.{m}" for m in ("problem", "graph", "graph.nodes", "errors")
    }


def test_right_arrows_are_let_be():
    modules = made_up(
        {
            "cli": "from symgrad.problem import Problem\nfrom symgrad.errors import InputError",
            "problem": "from symgrad import explain, modelfile\nimport sympy",
            "modelfile": "from symgrad.graph.nodes import Expr",
            "explain/page": "from .document import Document\nfrom symgrad.derive import Derivation",
            "explain/document": "from symgrad.notation import latex",
            "explain/__init__": "from symgrad.explain.page import page\nfrom .document import Document",
            "__init__": "def __getattr__(name):\n    return import_module(TABLE[name])",
        }
    )
    assert wrong_arrows(modules) == []
    assert late_imports(modules) == []
    assert import_cycles(modules) == []


@pytest.mark.parametrize("layer", ["optimize", "tables"])
@pytest.mark.parametrize(
    "source",
    ["from symgrad.graph import Expr", "import symgrad.text", "import sympy", "from sympy import Symbol"],
)
def test_a_glimpse_of_symbols_is_found(layer, source):
    assert broken_blindness(made_up({f"{layer}/solver": source})) != []
    fine = "import numpy\nfrom symgrad.errors import InputError\nfrom .lines import search"
    assert broken_blindness(made_up({f"{layer}/solver": fine})) == []


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import numpy",
        "def f():\n    from symgrad.errors import InputError",
        "class A:\n    async def f(self):\n        if self:\n            import json",
        "module = importlib.import_module(name)",
    ],
)
def test_a_late_import_is_found(source):
    assert len(late_imports(made_up({"text": source}))) == 1
    assert late_imports(made_up({"cli": source})) == []
    assert late_imports(made_up({"__init__": source})) == []


def test_a_late_import_of_a_package_of_commands_is_let_be():
    assert late_imports(made_up({"cli/explain": "def f():\n    import numpy"})) == []


@pytest.mark.parametrize(
    ("sources", "members"),
    [
        ({"graph/a": "from symgrad.graph import b", "graph/b": "from .a import x"}, {"a", "b"}),
        (
            {
                "graph/a": "from .b import x",
                "graph/b": "from .c import x",
                "graph/c": "def f():\n    from .a import x",
                "graph/d": "from .a import x",
                "graph/e": "",
            },
            {"a", "b", "c"},
        ),
        ({"graph/__init__": "from .a import x", "graph/a": "from symgrad.graph import x"}, {"graph", "a"}),
    ],
)
def test_a_cycle_is_found(sources, members):
    found = import_cycles(made_up(sources))
    assert {line.split()[0].rpartition(".")[2] for line in found} == members


def test_a_module_that_imports_itself_is_found():
    assert import_cycles(made_up({"graph/a": "import symgrad.graph.a"})) == ["symgrad.graph.a imports itself"]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("eval(text)", "eval"),
        ("builtins.exec(text)", "exec"),
        ("run = exec", "exec"),
        ("sympy.sympify(text)", "sympify"),
        ("from sympy import sympify as s", "sympify"),
        ("from sympy.parsing.sympy_parser import parse_expr", "parse_expr"),
        ("sp.lambdify(x, e)", "lambdify"),
        ("parse_latex(text)", "parse_latex"),
        ("__import__(text)", "__import__"),
        ("pickle.load(file)", "pickle.load"),
        ("cloudpickle.loads(data)", "pickle.loads"),
        ("pickle.Unpickler(file).load()", "pickle.Unpickler"),
        ("from pickle import loads", "pickle.loads"),
        ("import pickle as p", "pickle as p"),
        ("np.load(file, allow_pickle=True)", "allow_pickle"),
    ],
)
def test_a_run_of_text_is_found(source, what):
    found = text_runs(made_up({"modelfile": source}))
    assert [w for _, w, _ in found] == [what]
    assert not_allowed(found, {}) == [f"symgrad/modelfile.py:1 {what}"]
    assert not_allowed(found, {("symgrad/modelfile.py", what): "the user's own file"}) == []
    assert not_allowed(found, {("symgrad/text/parse.py", what): "another file's exception"}) != []


def test_harmless_loads_are_let_be():
    assert text_runs(made_up({"data": "json.loads(s)\nnp.load(f)\npickle.dumps(x)\nx.evalf()\nre.compile(s)"})) == []


@pytest.mark.parametrize(
    ("clause", "what"),
    [
        ("except:", "bare except"),
        ("except Exception:", "except Exception"),
        ("except BaseException as e:", "except BaseException"),
        ("except (ValueError, builtins.Exception):", "except Exception"),
    ],
)
def test_a_broad_except_is_found(clause, what):
    found = broad_excepts(made_up({"text": f"try:\n    f()\n{clause}\n    pass"}))
    assert found == [("symgrad/text.py", what, 3)]
    assert not_allowed(found, {}) != []


def test_a_narrow_except_is_let_be():
    source = "try:\n    f()\nexcept (ValueError, OSError):\n    pass\nexcept KeyError:\n    pass"
    assert broad_excepts(made_up({"text": source})) == []


def test_a_long_module_is_found():
    assert long_modules(made_up({"text": "x = 1\n" * MOST_LINES_OF_A_MODULE})) == []
    assert long_modules(made_up({"text": "x = 1\n" * (MOST_LINES_OF_A_MODULE + 1)})) == [
        "symgrad/text.py has 401 lines"
    ]


def test_a_long_function_is_found():
    def source(lines: int) -> str:
        return "class A:\n    @property\n    def f(self):\n" + "        x = 1\n" * (lines - 1)

    assert long_functions(made_up({"text": source(MOST_LINES_OF_A_FUNCTION)})) == {}
    assert long_functions(made_up({"text": source(MOST_LINES_OF_A_FUNCTION + 1)})) == {"symgrad/text.py:A.f": 46}
    nested = "def outer():\n    async def inner():\n" + "        x = 1\n" * 50
    assert long_functions(made_up({"text": nested})) == {
        "symgrad/text.py:outer": 52,
        "symgrad/text.py:outer.inner": 51,
    }


def test_only_the_late_imports_of_the_table_are_let_be():
    allowed = {("symgrad/graph/nodes.py", "symgrad.notebook"): "a reason"}
    source = "def f():\n    import_module('symgrad.notebook')\n"
    known = {"notebook": "", "text/other": source, "graph/nodes": source}
    found = wrong_arrows(made_up(known), allowed)
    assert len(found) == 1
    assert "text imports notebook" in found[0]
    assert len(late_imports(made_up(known), allowed)) == 1
    at_the_top = made_up({"notebook": "", "graph/nodes": "from symgrad import notebook\n"})
    assert len(wrong_arrows(at_the_top, allowed)) == 1
    elsewhere = made_up({"explain": "", "graph/nodes": "def f():\n    import_module('symgrad.explain')\n"})
    assert len(wrong_arrows(elsewhere, allowed)) == 1
