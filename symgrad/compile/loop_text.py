"""The stages of a tile as the source of a function that numba compiles: the sums over all examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field

from symgrad.compile.layout import pieces_of
from symgrad.compile.loops import COMPARED, FUNCTIONS, Call, Loops, Nest, base_of, operands_of, summation
from symgrad.compile.names import Names
from symgrad.compile.numpy_text import Context, text_of
from symgrad.compile.operations import MATRIX, Op, Type
from symgrad.compile.plan import Labels
from symgrad.compile.statements import COMMENT_COLUMN, INDENT, ITEMS, LONGEST_INLINE, POWERS, SUFFIXES, WIDTH
from symgrad.graph.expression import Shape
from symgrad.graph.show import ATOM, PRODUCT, UNARY, Text, enclosed
from symgrad.graph.sizes import ONE, Size
from symgrad.records import dataclass

LETTERS = "ijklm"
EXAMPLE = "t"
# What σ(z), log(1 + eᶻ), log(1 + e⁻ᶻ) are as functions of z.
LOGS = ("tiles.sigmoid({})", "tiles.softplus({})", "tiles.softplus(-{})")


@dataclass(frozen=True, slots=True)
class Given:
    """What is given to the function: the texts of arguments inside it, those of them that are tiles."""

    local: Mapping[str, str]
    tiles: Mapping[Op, str]


@dataclass(slots=True)
class LoopWriter:
    """Writes one function. `totals` are the names of the sums, `called` those that the page has for operations."""

    loops: Loops
    totals: Mapping[Op, str]
    called: Mapping[Op, str]
    labels: Mapping[Op, Labels]
    given: Given
    context: Context
    names: Names
    examples: str
    rows: Size
    # Arguments in order of first use, by the text of what is passed.
    passed: dict[str, str] = field(default_factory=dict)
    arrays: dict[Op, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    tile_names: dict[Op, str] = field(default_factory=dict)
    row_matrices: dict[Op, str] = field(default_factory=dict)

    def function(self, name: str) -> list[str]:
        """The lines of the function."""
        for op, total in self.totals.items():
            zero = f"np.zeros({self._shape(self._stored_shape(op))})" if op.shape else "0.0"
            self.before.append(f"{total} = {zero}")
        for op in self.loops.stored:
            self.arrays[op] = self.names.fresh(self.called.get(op) or described(op))
            self.before.append(f"{self.arrays[op]} = np.empty({self._shape(op.shape)})")
        for stage in self.loops.stages:
            self.body += self._nest(stage) if isinstance(stage, Nest) else self._call(stage)
        texts = [self._returned(op, total) for op, total in self.totals.items()]
        finite = [
            f"0.0 * {total}" if not op.shape else f"tiles.all_finite({total})" for op, total in self.totals.items()
        ]
        tiles = [f"{tile} = {self.given.tiles[op]}[tile]" for op, tile in self.tile_names.items()]
        arguments = [*self.given.tiles.values(), *self.passed, self.examples, "size", "by_rows", "first", "last"]
        return [
            "@tiles.loop",
            f"def {name}({', '.join(dict.fromkeys(arguments))}):",
            '    """What the examples of some tiles add to each sum, and 0 where all of them are finite."""',
            *_indented(self.before, 1),
            "    for tile in range(first, last):",
            f"        count = min(size, {self.examples} - tile * size)",
            *_indented([*tiles, *self.body], 2),
            *_wrapped("    finite = ", " + ".join(finite)),
            f"    return finite, {', '.join(texts)}",
        ]

    @property
    def has_matrices(self) -> bool:
        """Whether matrices are multiplied by each other, which BLAS may do."""
        calls = [stage.op for stage in self.loops.stages if isinstance(stage, Call)]
        return any(op.kind == "matmul" and op.rank == MATRIX for op in calls)

    def call(self, name: str, *, is_shared: bool, is_inside: bool = False) -> str:
        """The text of a call for all tiles, in one thread or shared by a team, of Python or of what is compiled itself."""
        passed = {**{text: text for text in self.given.tiles.values()}, **self.passed}
        passed |= {self.examples: self.examples, "size": "size", "by_rows": "by_rows"}
        passed = {text: text for text in passed} if is_inside else passed
        count = f"len({next(iter(self.given.tiles.values()))})"
        texts = [name, count, *passed.values()] if is_shared else [*passed.values(), "0", count]
        return f"{'team.run' if is_shared else name}({', '.join(texts)})"

    # ---- arrays

    def _stored_shape(self, op: Op) -> Shape:
        """A product of two tiles is added up with its axes the other way round."""
        return op.shape[::-1] if op.kind == "matmul" else op.shape

    def _returned(self, op: Op, total: str) -> str:
        return f"{total}.T.copy()" if op.kind == "matmul" and op.rank > 1 else total

    def _shape(self, shape: Shape) -> str:
        texts = [self._size(s) for s in shape]
        return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"

    def _size(self, size: Size) -> str:
        if size == self.rows:
            return "size"
        text = self.context.size(size)[0]
        for name in size.names:
            self.passed.setdefault(self.context.sizes[name], self.context.sizes[name])
        return text

    def _argument(self, op: Op) -> str:
        """The name of an argument; arrays are passed in rows, what is one number as such."""
        text = self.given.local[op.data]
        if op in self.given.tiles:
            return self.tile_names.setdefault(op, f"{self.given.tiles[op]}_tile")
        is_array = op.type is not Type.SCALAR
        passed = f"np.ascontiguousarray({text})" if is_array and op.rank else f"float({text})" if is_array else text
        self.passed.setdefault(text, passed)
        return text

    def _array(self, op: Op) -> str:
        return self.arrays[op] if op in self.arrays else self._argument(op)

    def _matrix(self, op: Op) -> str:
        """A vector or matrix along the examples as a matrix."""
        text = self._array(op)
        return text if op.rank > 1 else f"{text}.reshape((1, -1))"

    # ---- entries

    def _entry(self, op: Op, index: Sequence[str], numbers: Mapping[Op, Text]) -> Text:
        """The text of an entry."""
        if op in numbers:
            return numbers[op]
        if (op.type is Type.SCALAR and not op.shape) or op.kind in ("number", "size"):
            return self._scalar(op)
        (x, *_) = op.args or (op,)
        if op.kind == "permute":
            return self._entry(x, [index[op.data.index(k)] for k in range(x.rank)], numbers)
        if op.kind in ("expand", "broadcast"):
            return self._entry(x, [index[k] for k in op.data], numbers)
        if op.kind == "squeeze":
            kept = iter(index)
            return self._entry(x, ["0" if k in op.data else next(kept) for k in range(x.rank)], numbers)
        text = self._array(op)
        return (f"{text}[{', '.join(index)}]" if op.rank else text), ATOM

    def _scalar(self, op: Op) -> Text:
        if op.kind == "argument":
            return self._argument(op), ATOM
        if op.kind == "size":
            self._size(op.data)
        return text_of(op, [self._scalar(x) for x in op.args], self.context)

    def _operands(self, op: Op, index: Sequence[str], numbers: Mapping[Op, Text]) -> list[Text]:
        """The entries that broadcasting puts at this place."""
        if op.kind == "outer":
            a, b = op.args
            return [self._entry(a, index[: a.rank], numbers), self._entry(b, index[a.rank :], numbers)]
        if op.kind in ("pick", "take") or op.kind == "primitive":
            return self._chosen(op, index, numbers)
        found = []
        for x in operands_of(op):
            own = index[len(index) - x.rank :]
            found.append(self._entry(x, ["0" if s == ONE else i for s, i in zip(x.shape, own, strict=True)], numbers))
        return found

    def _chosen(self, op: Op, index: Sequence[str], numbers: Mapping[Op, Text]) -> list[Text]:
        """The entry that the label of an example chooses, or whether it is that of this place."""
        label = self._entry(op.args[-1], [EXAMPLE], numbers)[0]
        if op.kind == "primitive":
            return [(f"(1.0 if {label} == {index[0]} else 0.0)", ATOM)]
        x = op.args[0]
        return [self._entry(x, [label, EXAMPLE] if op.kind == "pick" else [label, *index[:-1]], numbers)]

    def _made(self, op: Op, args: Sequence[Text]) -> Text:
        """The text of an entry from those of the operands."""
        if op.kind in ("pick", "take") or op.kind == "primitive":
            return args[0]
        if op.kind == "cast":
            return f"1.0 * {enclosed(args[0], UNARY)}", PRODUCT
        if op.kind == "outer":
            return f"{enclosed(args[0], PRODUCT)} * {enclosed(args[1], UNARY)}", PRODUCT
        if op.kind == "item":
            return LOGS[op.data].format(enclosed(args[0], ATOM)), ATOM
        name = op.data[0] if op.kind == "function" else ""
        if name == "where":
            condition, yes, no = (enclosed(t, ATOM) for t in args)
            return f"({yes} if {condition} else {no})", ATOM
        if name and name in FUNCTIONS and name not in COMPARED:
            return f"{FUNCTIONS[name]}({', '.join(t for t, _ in args)})", ATOM
        return text_of(op, args, self.context)

    # ---- stages

    def _nest(self, nest: Nest) -> list[str]:
        letters = iter(LETTERS)
        index = ["0" if s == ONE else next(letters) for s in nest.shape[:-1]] + [EXAMPLE]
        lines: list[str] = []
        numbers: dict[Op, Text] = {}
        uses = Counter(x for op in [*nest.made, *nest.sums] for x in operands_of(op))
        inside: dict[Op, Labels] = {}
        for op in nest.made:
            text = self._made(op, self._operands(op, index, numbers))
            labels = self._collected(op, inside)
            if op in self.arrays and not uses[op]:
                lines += self._line(f"{self.arrays[op]}[{', '.join(index)}]", " = ", text[0], labels)
                continue
            if op in self.arrays or uses[op] > 1 or op in self.called or len(text[0]) > LONGEST_INLINE:
                letters_ = "".join(i for i in index if i != "0")
                name = f"{self.arrays[op]}_{letters_}" if op in self.arrays else self.called.get(op) or described(op)
                name = self.names.fresh(name)
                lines += self._line(name, " = ", text[0], labels)
                if op in self.arrays:
                    lines.append(f"{self.arrays[op]}[{', '.join(index)}] = {name}")
                text, labels = (name, ATOM), ()
            numbers[op], inside[op] = text, labels
        return self._looped(nest, index, lines, numbers, inside)

    def _looped(
        self, nest: Nest, index: Sequence[str], lines: list[str], numbers: dict[Op, Text], inside: dict[Op, Labels]
    ) -> list[str]:
        """The loops around the lines of a nest, with its sums."""
        first, last, zeros = list[str](), list[str](), list[str]()
        for op in nest.sums:
            found = summation(op, self.rows)
            args = [
                self._entry(x, [index[k] for k in own], numbers)
                for x, own in zip(operands_of(op), found.factors, strict=True)
            ]
            labels = self._collected(op, inside)
            text = " * ".join(enclosed(t, UNARY) for t in args) if len(args) > 1 else args[0][0]
            kept = [index[k] for k in found.kept]
            if op.kind == "added":
                kept = [self._entry(op.args[1], [EXAMPLE], numbers)[0], *index[:-1]]
            if EXAMPLE in kept:
                zeros.append(f"{self.arrays[op]}[...] = 0.0")
                lines += self._line(f"{self.arrays[op]}[{', '.join(kept)}]", " += ", text, labels)
            elif kept and kept == list(index[:-1]):
                name = self.names.fresh("total")
                first.append(f"{name} = 0.0")
                lines += self._line(name, " += ", text, labels)
                last.append(f"{self.totals[op]}[{', '.join(kept)}] += {name}")
            else:
                place = f"[{', '.join(kept)}]" if kept else ""
                lines += self._line(f"{self.totals[op]}{place}", " += ", text, labels)
        looped = [*first, f"for {EXAMPLE} in range(count):", *_indented(lines, 1), *last]
        for i, s in reversed([(i, s) for i, s in zip(index[:-1], nest.shape, strict=False) if i != "0"]):
            looped = [f"for {i} in range({self._size(s)}):", *_indented(looped, 1)]
        return [*zeros, *looped]

    def _call(self, call: Call) -> list[str]:
        op = call.op
        if op.kind == "matmul":
            return self._product(op)
        z = self._array(op.args[0])
        labels = self._collected(op, {})
        name = op.data[0] if op.kind == "primitive" else {"pair": "softmax_and_log"}.get(op.kind, op.kind)
        items = {int(x.data): x for x in call.items}
        if op.kind in ("sigmoid_and_sum", "softmax_and_inner"):
            labels = tuple(sorted({*labels, *(k for x in call.items for k in self.labels.get(x, ()))}))
            others = [self._array(base_of(x)) for x in op.args[1:]]
            text = f"tiles.{name}({', '.join([z, *others, self.arrays[items[0]], 'count'])})"
            return self._line(self.totals[items[1]], " += ", text, labels)
        results = [self.arrays[items[k]] for k in (0, 1)] if op.kind == "pair" else [self.arrays[op]]
        return self._line("", "", f"tiles.{name}({', '.join([z, *results, 'count'])})", labels)

    def _product(self, op: Op) -> list[str]:
        labels = self._collected(op, {})
        a, b = op.args
        if op in self.totals:
            x, g = a, base_of(b)
            total = self.totals[op] if op.rank > 1 else f"{self.totals[op]}.reshape((1, -1))"
            of_columns = [self._matrix(g), self._array(x), total, "count"]
            return self._by_layout("add_products", x, of_columns, [*of_columns, self._is_far(x)], labels)
        args = [self._rows_of(a), self._array(b), self._matrix(op), "count", self._is_far(b)]
        return self._by_layout("products", b, args, args, labels)

    def _is_far(self, x: Op) -> str:
        """Whether the next tile is worth fetching from memory: what a tile makes is made over and over in one place."""
        return f"{self.given.tiles[x]}.size > tiles.FAR" if x in self.given.tiles else "False"

    def _by_layout(
        self, kernel: str, x: Op, of_columns: Sequence[str], of_rows: Sequence[str], labels: Labels
    ) -> list[str]:
        """The kernel for a tile with its examples last, or in rows where it may have them so."""
        call = f"tiles.{kernel}({', '.join(of_columns)})"
        if x not in self.loops.by_rows:
            return self._line("", "", call, labels)
        place = list(self.given.tiles).index(x)
        return [
            f"if by_rows & {1 << place}:",
            *_indented(self._line("", "", f"tiles.{kernel}_of_rows({', '.join(of_rows)})", labels), 1),
            "else:",
            f"    {call}",
        ]

    def _rows_of(self, a: Op) -> str:
        """A matrix of parameters in rows."""
        text = self._argument(base_of(a))
        if a.rank == 1:
            return f"{text}.reshape((1, -1))"
        if a.kind != "permute":
            return text
        if a not in self.row_matrices:
            self.row_matrices[a] = self.names.fresh(f"{text}_T")
            self.before.append(f"{self.row_matrices[a]} = np.ascontiguousarray({text}.T)")
        return self.row_matrices[a]

    def _collected(self, op: Op, inside: Mapping[Op, Labels]) -> Labels:
        own = self.labels.get(op, ())
        return tuple(sorted({*own, *(k for x in operands_of(op) for k in inside.get(x, ()))}))

    def _line(self, target: str, sign: str, text: str, labels: Labels) -> list[str]:
        comment = f"# {', '.join(f'({k})' for k in labels)}" if labels else ""
        line = f"{target}{sign}{text}"
        if len(line) > WIDTH - 5 * len(INDENT):
            return [*([comment] if comment else []), *_wrapped(f"{target}{sign}", text)]
        return [f"{line:<{COMMENT_COLUMN - 4 * len(INDENT)}}  {comment}".rstrip() if comment else line]


def described(op: Op) -> str:
    """A name for what the page does not name: what was done."""
    if op.kind == "item":
        return ITEMS[op.args[0].kind][int(op.data)]
    if op.kind in ("function", "primitive"):
        return POWERS.get(op.data[1], "power") if op.data[0] == "power" else str(op.data[0])
    return SUFFIXES.get(op.kind, op.kind)


def _indented(lines: Sequence[str], depth: int) -> list[str]:
    return [f"{INDENT * depth}{line}" for line in lines]


def _wrapped(before: str, text: str) -> list[str]:
    if len(before) + len(text) <= WIDTH:
        return [before + text]
    pieces = pieces_of(text, WIDTH - 6 * len(INDENT))
    indent = before[: len(before) - len(before.lstrip())]
    return [f"{before}(", *(f"{indent}    {piece}" for piece in pieces), f"{indent})"]
