"""The fixed parts of a generated module: docstring, checks of arrays, the first lines of functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from symgrad.compile.arguments import Argument
from symgrad.compile.kernels import CHECK_POLYNOMIALS, CHECK_SHAPES, CHECKED, LABELS, WRITTEN
from symgrad.compile.names import quoted
from symgrad.compile.numpy_text import Context
from symgrad.graph.expression import Leaf, Role
from symgrad.graph.sizes import Size
from symgrad.records import dataclass

WIDTH = 100
CLOSING = "The numbers (1), (2), ... are the equations of the derivation. Written by symgrad, needs NumPy alone."
DEFAULT_TITLE = "A loss and its gradients"


def header(title: str, arguments: Sequence[Argument], functions: Sequence[str]) -> str:
    """The module's docstring: its title, and what each argument is."""
    rows = [(a.name, f"({', '.join(a.shape)}{',' if len(a.shape) == 1 else ''})", a.role, a.about) for a in arguments]
    widths = [max((len(row[k]) for row in rows), default=0) for k in range(3)]
    lines = [" ".join(title.split()) or DEFAULT_TITLE, ""]
    for name, shape, role, about in rows:
        cells = f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {role:<{widths[2]}}"
        lines.append(f"{cells}  {' '.join(about.split())}".rstrip())
    lines += ["", CLOSING]
    return f'"""{quoted(chr(10).join(lines))}\n"""\n\nimport numpy as np\n\n__all__ = {_listed(functions)}\n'


def _listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def prologue(leaves: Sequence[Leaf]) -> list[str]:
    """The declared shapes, and the functions that check arrays against them."""
    arrays = [leaf for leaf in leaves if leaf.role is not Role.HYPERPARAMETER]
    shapes = [f'    "{leaf.name}": {_tuple([str(s) for s in leaf.shape])},' for leaf in arrays]
    table = "\n".join(["_SHAPES = {", *shapes, "}\n"])
    polynomials = {str(s): s for leaf in arrays for s in leaf.shape if not s.is_name and s.value is None}
    check = CHECK_SHAPES.strip() + "\n"
    if polynomials:
        table += "_POLYNOMIALS = {\n"
        table += "".join(f'    "{text}": {_polynomial(size)},\n' for text, size in polynomials.items()) + "}\n"
        check += CHECK_POLYNOMIALS
    parts = [table, CHECKED.strip() + "\n", check, WRITTEN.strip() + "\n"]
    if any(leaf.role is Role.LABELS for leaf in leaves):
        parts.append(LABELS.strip() + "\n")
    return parts


def _tuple(texts: Sequence[str]) -> str:
    """A tuple of strings."""
    quoted_texts = ", ".join(f'"{text}"' for text in texts)
    return f"({quoted_texts}{',' if len(texts) == 1 else ''})"


def _polynomial(size: Size) -> str:
    """The names of a polynomial, and itself as a function of them."""
    context = Context({name: f"s{k + 1}" for k, name in enumerate(size.names)}, "", {}, {})
    return f"({_tuple(size.names)}, lambda {', '.join(context.sizes.values())}: {context.size(size)[0]})"


def definition(
    name: str,
    summary: str,
    arguments: Sequence[Argument],
    local: Mapping[str, str],
    switch: str,
    body: Sequence[str],
) -> str:
    """A function; where an argument has another name inside, a second one under it."""
    header_ = signature(name, arguments, {a.name: a.name for a in arguments}, switch)
    docstring = f'    """{summary}"""'
    if all(local[a.name] == a.name for a in arguments):
        return "\n".join([*header_, docstring, *body]) + "\n"
    passed = [a.name if a.is_array else f"{local[a.name]}={a.name}" for a in arguments]
    passed += [f"{switch}={switch}"] if switch else []
    inner = signature(f"_{name}", arguments, local, switch)
    outer = [*header_, docstring, *_wrapped(f"    return _{name}(", ", ".join(passed), ")")]
    return "\n".join([*outer, "", "", *inner, *body]) + "\n"


def signature(name: str, arguments: Sequence[Argument], local: Mapping[str, str], switch: str = "") -> list[str]:
    """The first lines of a function: arrays by place or by name, numbers by name."""
    positional = [local[a.name] for a in arguments if a.is_array]
    by_keyword = [local[a.name] + _default(a) for a in arguments if not a.is_array]
    by_keyword += [f"{switch}=True"] if switch else []
    return _wrapped(f"def {name}(", ", ".join([*positional, *(["*", *by_keyword] if by_keyword else [])]), "):")


def _default(a: Argument) -> str:
    return "" if a.default is None else f"={a.default!r}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a function reads its arrays: their names, what they are called inside, the sizes that are known, what they meet.

    Of the sizes, `given` are arguments of the function; the others stand around it.
    """

    names: tuple[str, ...]
    inside: tuple[str, ...]
    sizes: tuple[tuple[str, str], ...]
    given: tuple[str, ...] = ()
    dtype: str = ""

    @property
    def checked(self) -> str:
        """The expression that checks them, and brings them to one type."""
        arrays = ", ".join(f'"{name}": {own}' for name, own in zip(self.names, self.inside, strict=True))
        sizes = ", ".join(f'"{name}": {own}' for name, own in self.sizes)
        return f"_checked({{{arrays}}}, {{{sizes}}}{', ' + self.dtype if self.dtype else ''})"

    def called(self, name: str) -> str:
        """The expression that calls the function `name` which does so."""
        return f"{name}({', '.join((*self.inside, *self.given))})"

    def function(self, name: str) -> list[str]:
        """The function: what fitted before needs nothing but a look at its type and its shapes."""
        plain = " is ".join([*(f"type({x})" for x in self.inside), "np.ndarray"])
        typed = " is ".join([*(f"{x}.dtype" for x in self.inside), self.dtype or "_FLOAT"])
        shapes = [
            *(f'"{name}"' for name in self.names),
            *(own for _, own in self.sizes),
            *(f"{x}.shape" for x in self.inside),
        ]
        returned = ", ".join(self.inside) if len(self.inside) > 1 else f"({self.inside[0]},)"
        return [
            f"def {self.called(name)}:",
            '    """The arrays in one floating type, if their shapes fit."""',
            *_in_lines("    is_plain = ", f"{plain} and {typed}"),
            *_wrapped("    if is_plain and (", ", ".join(shapes), ") in _FITTING:"),
            f"        return {returned}",
            *_in_lines("    return ", self.checked),
        ]


def read_of(
    arguments: Sequence[Argument],
    leaves: Sequence[Leaf],
    local: Mapping[str, str],
    context: Context,
    known: Sequence[str] = (),
    dtype: str = "",
) -> Reading:
    """How arrays are read; `known` are the sizes that are told already, `dtype` the type of arrays that these meet."""
    arrays = tuple(a.name for a in arguments if a.is_array)
    met = [n for n in known if any(n in size.names for leaf in leaves for size in leaf.shape)]
    context.used_sizes.update(met if arrays else ())
    given = {a.name: local[a.name] for a in arguments if a.role == "size"}
    sizes = given | {n: context.sizes[n] for n in met}
    return Reading(arrays, tuple(local[name] for name in arrays), tuple(sizes.items()), tuple(given.values()), dtype)


def reading(
    arguments: Sequence[Argument],
    leaves: Sequence[Leaf],
    local: Mapping[str, str],
    context: Context,
    read: str,
    *,
    known: Sequence[str] = (),
    unbounded: Collection[str] = (),
) -> list[str]:
    """The first lines of a function: arrays in one type by `read`, hyperparameters as numbers, sizes from shapes.

    `known` are the sizes that are told already, `unbounded` the labels whose number of classes is not known yet.
    """
    inside = [local[a.name] for a in arguments if a.is_array]
    labels = [leaf for leaf in leaves if leaf.role is Role.LABELS]
    bounded = [leaf for leaf in labels if leaf.name not in unbounded]
    classes = {leaf.name: context.size(leaf.value)[0] for leaf in bounded if isinstance(leaf.value, Size)}
    classes |= {name: f"{local[name]}.max(initial=0) + 1" for name in unbounded}
    lines = []
    if inside:
        target = f"({inside[0]},)" if len(inside) == 1 else ", ".join(inside)
        line = f"    {target} = {read}"
        function, _, taken = read.partition("(")
        lines += [line] if len(line) <= WIDTH else [
            *_wrapped("    (", target, f") = {function}("), *_indented(taken[:-1]), "    )",
        ]  # fmt: skip
    lines += [f"    {local[a.name]} = float({local[a.name]})" for a in arguments if a.role == "hyperparameter"]
    lines += [f"    {local[a.name]} = int({local[a.name]})" for a in arguments if a.role == "size"]
    lines += _size_lines(leaves, local, context, known)
    lines += [f'    {local[name]} = _labels("{name}", {local[name]}, {text})' for name, text in classes.items()]
    return lines


def _size_lines(leaves: Sequence[Leaf], local: Mapping[str, str], context: Context, known: Sequence[str]) -> list[str]:
    """n = X.shape[0] for each size that is used, from the first array that tells it."""
    lines = []
    told: dict[Size, tuple[Leaf, int]] = {}
    for leaf in leaves:
        for axis, size in enumerate(leaf.shape):
            told.setdefault(size, (leaf, axis))
    for size, (leaf, axis) in told.items():
        name = str(size)
        if size.is_name and name in context.used_sizes and name not in known:
            lines.append(f"    {context.sizes[name]} = {local[leaf.name]}.shape[{axis}]")
    return lines


def wrapped_call(line: str) -> list[str]:
    """An assignment of a call in lines that are not too long."""
    if len(line) <= WIDTH - 4:
        return [line]
    target, _, call = line.partition(" = ")
    name, _, taken = call.partition("(")
    pieces = pieces_of(taken[:-1], WIDTH - 12)
    return [f"{target} = {name}(", *(f"        {piece}" for piece in pieces), "    )"]


def _wrapped(before: str, text: str, after: str) -> list[str]:
    line = before + text + after
    if len(line) <= WIDTH:
        return [line]
    indent = before[: len(before) - len(before.lstrip())]
    return [before, *_indented(text, indent + "    "), indent + after]


def _in_lines(before: str, text: str) -> list[str]:
    return [before + text] if len(before + text) <= WIDTH else _wrapped(f"{before}(", text, ")")


def _indented(text: str, indent: str = "        ") -> list[str]:
    return [indent + piece for piece in pieces_of(text, WIDTH - len(indent))]


def pieces_of(text: str, width: int) -> list[str]:
    """The text cut at spaces into pieces of at most `width` characters; a word that is longer stays whole.

    `textwrap`, which knows of tabs and hyphens too, takes eight times as long.

    >>> pieces_of("a_long_name + b * c", 7)
    ['a_long_name', '+ b * c']
    """
    first, *words = text.split(" ")
    pieces = [first]
    for word in words:
        if len(pieces[-1]) + 1 + len(word) <= width:
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    return pieces
