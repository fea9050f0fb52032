"""The operations of a plan as assignments: short ones are written where they are used, shared ones named."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.compile.diagonal import Shift, identity_factor, shift_of
from symgrad.compile.dissolve import Stated
from symgrad.compile.layout import pieces_of
from symgrad.compile.names import Names
from symgrad.compile.numpy_text import Context, summands, text_of
from symgrad.compile.operations import TOGETHER, Op, Type
from symgrad.compile.plan import VIEWS, Labels, Plan
from symgrad.compile.reuse import call_of, is_fresh, reuse, written_over
from symgrad.graph.show import ATOM, Text, enclosed
from symgrad.graph.sizes import ONE, ZERO
from symgrad.graph.walk import postorder, use_counts
from symgrad.primitives.facts import FACTS

# Operations whose result is an array of its own.
FRESH = frozenset({"product", "total", "matmul", "function"})
WIDTH = 100
INDENT = "    "
LONGEST_INLINE = 44
COMMENT_COLUMN = 60
TERMS_A_LINE = 12
LONGEST_NAME = 24

# What a temporary is called after its operand, by what was done.
SUFFIXES = {
    "matmul": "product",
    "einsum": "product",
    "solve": "solution",
    "eye": "identity",
    "window": "selector",
    "windows": "windows",
    "shifted": "shifted",
    "cast": "values",
}

# Powers with a name of their own.
POWERS = {Fraction(2): "square", Fraction(1, 2): "root", Fraction(-1): "reciprocal"}
# What the values of operations that give several are called.
ITEMS = {
    "pair": ("softmax", "log_softmax"),
    "sigmoid_and_logs": ("sigmoid", "softplus", "softplus_minus"),
    "sigmoid_and_sum": ("sigmoid", "softplus_sum"),
    "softmax_and_inner": ("softmax", "log_softmax_sum"),
    "inverse_and_logdet": ("inverse", "logdet"),
    "both_products": ("product", "product"),
    "products_and_grams": ("product", "product", "gram", "gram"),
}


# Two values of the second operand and two of the third by turns.
FACTORED = frozenset({"both_products", "products_and_grams"})


@dataclass(slots=True)
class Writer:
    """Writes the assignments of one function."""

    plan: Plan
    context: Context
    names: Names
    arguments: Mapping[str, str]
    check: str
    # Values that are assigned in any case, by the name that they have been given.
    chosen: Mapping[Op, str] = field(default_factory=dict)
    # What the loss is made of: a product that overflows there leaves a loss that is not finite.
    forward: Collection[Op] = ()
    # Whether an array that nothing else needs may be written over.
    is_in_place: bool = False
    # Whether matrices are written over as well, in an order that allows it; arguments that begin so are data.
    given: str | None = None
    lines: list[str] = field(default_factory=list)
    texts: dict[Op, Text] = field(default_factory=dict)
    labels: dict[Op, Labels] = field(default_factory=dict)
    assigned: set[Op] = field(default_factory=set)
    items: dict[Op, list[Op]] = field(default_factory=dict)
    alone: set[Op] = field(default_factory=set)
    over: Mapping[Op, Op] = field(default_factory=dict)
    readers: dict[Op, list[Op]] = field(default_factory=dict)
    # The same with those that look at its memory through another.
    reading: Mapping[Op, Sequence[Op]] = field(default_factory=dict)
    heirs: dict[Op, Op] = field(default_factory=dict)
    inherited: dict[Op, str] = field(default_factory=dict)

    def write(self) -> None:
        """All assignments, the checks of facts behind what they check."""
        checked = {op: stated for stated, op in self.plan.checks}
        order = postorder([*checked, *self.plan.outputs.values()])
        uses = use_counts(order)
        for op in (*checked, *self.plan.outputs.values()):
            uses[op] += 1
        for op in reversed(order):
            # What is looked at twice is used twice: it has a name, and is not written over where it is written.
            if op.kind in VIEWS and op.args and op.kind != "item":
                uses[op.args[0]] += uses[op] - 1
        self.alone = {op for op in order if uses[op] == 1}
        for op in order:
            if op.kind == "item":
                self.items.setdefault(op.args[0], []).append(op)
        if self.given is not None:
            found = reuse(order, [*checked, *self.plan.outputs.values()], self.given)
            order, self.over, self.reading = list(found.order), found.over, found.readers
            self.heirs = {x: op for op, x in found.over.items()}
            for op in order:
                for x in dict.fromkeys(op.args):
                    self.readers.setdefault(x, []).append(op)
        for op in order:
            self._write(op, uses[op], op in checked)
            if op in checked:
                stated = checked[op]
                self._check(self.texts[op][0], stated)

    def _write(self, op: Op, uses: int, is_checked: bool) -> None:
        if op.kind in ("argument", "local"):
            self.texts[op] = self.arguments[op.data], ATOM
            return
        if op.kind in TOGETHER:
            self._assign_pair(op)
            return
        if op.kind == "item":
            return
        if op in self.over:
            self._write_over(op, self.over[op])
            return
        args = [self.texts[x] for x in op.args]
        text = text_of(op, args, self.context)
        if self.given is not None and op.kind == "function" and op.data[0] == "clip":
            # `np.clip` takes twice as long as both on a short array.
            x, low, high = (t for t, _ in args)
            text = f"np.minimum(np.maximum({x}, {low}), {high})", ATOM
        if op in self.forward and op.kind in ("matmul", "inner") and any(x.rank == 1 for x in op.args):
            # `@` looks for overflow, which takes as long as a short product.
            text = f"{enclosed(args[0], ATOM)}.dot({args[1][0]})", ATOM
        if op.kind == "function" and self._is_written_over(op, text[0]):
            text = f"{text[0][:-1]}, out={args[0][0]})", ATOM
        self.texts[op] = text
        self.labels[op] = self._collected(op)
        if op.kind in VIEWS:
            return
        is_shared = (uses > 1 and op.type is not Type.SCALAR) or _is_of_numbers(op)
        is_shared |= op in self.over.values()
        is_shared &= not self._is_on_diagonals(op)
        if is_shared or is_checked or op in self.chosen or op in self.plan.names or len(text[0]) > LONGEST_INLINE:
            self._assign(op, self.plan.names.get(op) or self._described(op))

    def _write_over(self, op: Op, x: Op) -> None:
        """`op` in the memory of `x`, when everything else that reads it has been computed."""
        self._settle_readers(op, x)
        self.labels[op] = self._collected(op)
        comment = self._comment(self.labels[op])
        out = self.texts[x][0]
        name = self._name(op, self.plan.names.get(op) or self._described(op))
        shift = shift_of(op, self.plan.ops)
        if shift is not None and shift.matrix is x and name == out:
            self._shift(name, shift, comment)
            steps = []
        else:
            steps = written_over(op, x, self.texts, self.plan.ops, self.context)
        if name != out:
            self._line(name, call_of(steps.pop(0), out), "" if steps else comment)
        for k, (sign, text) in enumerate(steps):
            self._line(name, text, comment if k == len(steps) - 1 else "", f" {sign}= " if sign else "")
        self.texts[op] = name, ATOM
        self.assigned.add(op)

    def _shift(self, name: str, shift: Shift, comment: str) -> None:
        """A multiple of the identity added to a matrix that is ours and has this name."""
        place, sign, text = shift.line(name, self.texts, self.context)
        self._line(place, text, comment, f" {sign}= ")

    def _is_on_diagonals(self, op: Op) -> bool:
        """Whether a multiple of the identity is only added to matrices that are written over: it is never written out then."""
        users = self.readers.get(op, ())
        is_added = all(u in self.over and self.over[u] is not op for u in users)
        return bool(users) and is_added and identity_factor(op, self.plan.ops) is not None

    def _name(self, op: Op, wanted: str) -> str:
        """The name of a value: what has none and is written over has that of what comes of it."""
        end = op
        while end in self.heirs and end not in self.plan.names and end not in self.chosen:
            end = self.heirs[end]
        if end in self.chosen:
            return self.chosen[end]
        if end not in self.inherited:
            self.inherited[end] = self.names.fresh(self.plan.names.get(end, wanted))
        return self.inherited[end]

    def _settle_readers(self, op: Op, x: Op) -> None:
        for reader in self.reading[x]:
            if reader is not op:
                self._settle(reader)

    def _settle(self, op: Op) -> None:
        """See to it that a value has been computed, wherever its text was put."""
        if op in self.assigned or op not in self.texts or op.type is Type.SCALAR:
            return
        for u in self.readers.get(op, ()):
            self._settle(u)
        if op.kind not in VIEWS and self._is_open(op):
            self._assign(op, self.plan.names.get(op) or self._described(op))
            self._look_again(op)

    def _is_open(self, op: Op) -> bool:
        """Whether the text of a value is still to be used."""
        users = self.readers.get(op, ())
        is_needed = op in self.plan.outputs.values() or any(u not in self.texts for u in users)
        return is_needed or any(u.kind in VIEWS and u.kind != "item" and self._is_open(u) for u in users)

    def _look_again(self, op: Op) -> None:
        """The texts of views of a value that has a name now."""
        for u in self.readers.get(op, ()):
            if u in self.texts and u.kind in VIEWS and u.kind != "item":
                self.texts[u] = text_of(u, [self.texts[x] for x in u.args], self.context)
                self._look_again(u)

    def _is_written_over(self, op: Op, text: str) -> bool:
        """Whether `op`, a function, is one of NumPy's of an array that has a name and no other use."""
        if not self.is_in_place or len(op.args) != 1 or op.type is not Type.FLOATING:
            return False
        (x,) = op.args
        is_ours = x in self.assigned and x in self.alone and x.kind in FRESH and is_fresh(x)
        is_ours &= x.shape == op.shape and bool(x.rank)
        return is_ours and re.fullmatch(r"np\.\w+\(\w+\)", text) is not None

    def _collected(self, op: Op) -> Labels:
        """The equations of an operation and of what is written inside it."""
        own = self.plan.labels.get(op, ())
        inside = [label for x in op.args if x not in self.assigned for label in self.labels.get(x, ())]
        return tuple(sorted({*own, *inside})) if inside else own

    def _assign(self, op: Op, wanted: str) -> None:
        name = self._name(op, wanted)
        comment = self._comment(self.labels[op])
        shift = shift_of(op, self.plan.ops)
        if _is_of_numbers(op):
            self._fill(name, op, comment)
        elif shift is not None and self.given is None and shift.matrix not in self.assigned and is_fresh(shift.matrix):
            self._line(name, self.texts[shift.matrix][0], "")
            self._shift(name, shift, comment)
        elif op.kind == "total" and len(op.args) > TERMS_A_LINE:
            terms = summands(op, [self.texts[x] for x in op.args])
            for k in range(0, len(terms), TERMS_A_LINE):
                text = "".join(terms[k : k + TERMS_A_LINE])
                self._line(name, f"{name}{text}" if k else text, "" if k else comment)
        else:
            self._line(name, self.texts[op][0], comment)
        self.texts[op] = name, ATOM
        self.assigned.add(op)

    def _fill(self, name: str, op: Op, comment: str) -> None:
        """A short vector of vectors and numbers, written place by place: joining arrays takes three times as long."""
        self._line(name, f"np.empty({self.context.size(op.shape[0])[0]}, {self.context.dtype})", comment)
        end = ZERO
        for x in op.args:
            start, end = end, end + x.shape[0]
            first, last = (self.context.size(s)[0] for s in (start, end))
            place = first if _is_number(x) else f"{'' if start == ZERO else first}:{last}"
            self._line(f"{name}[{place}]", self.texts[x.args[0] if _is_number(x) else x][0], "")

    def _assign_pair(self, op: Op) -> None:
        args = [self.texts[x] for x in op.args]
        text = text_of(op, args, self.context)[0]
        if op in self.over:
            self._settle_readers(op, self.over[op])
            text = f"{text[:-1]}, out={self.texts[self.over[op]][0]})"
        items = sorted(self.items[op], key=lambda x: int(x.data))
        wanted = [self.plan.names.get(x) or self._described(x) for x in items]
        names = [self._name(x, name) for x, name in zip(items, wanted, strict=True)]
        labels = {label for x in items for label in self.plan.labels.get(x, ())}
        inside = self._collected(op)
        if op.kind == "sigmoid_and_logs":
            # Of three values two may be all that is needed.
            by_place = dict(zip([int(x.data) for x in items], names, strict=True))
            self._line(
                ", ".join(by_place.get(k, "_") for k in range(3)),
                text,
                self._comment(tuple(sorted({*labels, *inside}))),
            )
        else:
            self._line(", ".join(names), text, self._comment(tuple(sorted({*labels, *inside}))))
        self.texts[op] = text, ATOM
        for x, name in zip(items, names, strict=True):
            self.texts[x] = name, ATOM
            self.assigned.add(x)

    def _described(self, op: Op) -> str:
        """A name for what the page does not name: what was done, and with what."""
        args = op.args[0].args if op.kind == "item" else op.args
        if op.kind == "item" and op.args[0].kind in FACTORED:
            # By the factor, since the matrix is the same.
            args = (args[1 + int(op.data) % 2],)
        known = [self.texts[x][0] for x in args]
        of = next((t for t in known if t.isidentifier()), "")
        if op.kind == "total" and len(known) == 2 and all(t.isidentifier() for t in known):
            what = f"{known[0]}_{'plus' if op.data[1] > 0 else 'minus'}_{known[1]}"
            return what if len(what) < LONGEST_NAME else "total"
        if op.kind == "item":
            return f"{ITEMS[op.args[0].kind][int(op.data)]}_{of}"
        is_named = op.kind in ("function", "primitive")
        what = op.data[0] if is_named else SUFFIXES.get(op.kind, op.kind)
        if op.kind == "function" and what == "power":
            what = POWERS.get(op.data[1], what)
        return f"{what}_{of}" if of and len(of) + len(what) < LONGEST_NAME else what

    def _comment(self, labels: Labels) -> str:
        return f"# {', '.join(f'({label})' for label in labels)}" if labels else ""

    def _line(self, name: str, text: str, comment: str, sign: str = " = ") -> None:
        """An assignment, or with an empty sign a call alone."""
        line = f"{INDENT}{name}{sign}{text}" if sign else f"{INDENT}{text}"
        if len(line) > WIDTH:
            self.lines += [f"{INDENT}{comment}"] if comment else []
            pieces = pieces_of(text, WIDTH - 2 * len(INDENT))
            self.lines += (
                [f"{INDENT}{name}{sign}(" if sign else f"{INDENT}("]
                + [2 * INDENT + piece for piece in pieces]
                + [f"{INDENT})"]
            )
            return
        padded = f"{line:<{COMMENT_COLUMN}}{comment}" if len(line) < COMMENT_COLUMN - 1 else f"{line}  {comment}"
        if len(padded) > WIDTH and comment:
            self.lines += [f"{INDENT}{comment}", line]
        else:
            self.lines.append(padded.rstrip())

    def _check(self, text: str, stated: Stated) -> None:
        # A positive definite matrix, where only that it is symmetric is used.
        what = "" if stated.fact == stated.declared else f" {stated.fact}"
        message = (
            f"{stated.name} is declared {stated.declared} but is not{what}; pass other values, or declare it without"
        )
        self.lines += [
            f"{INDENT}if {self.check} and not {FACTS[stated.fact].check.format(text)}:",
            f"{INDENT}{INDENT}raise ValueError({_quoted(message)})",
        ]


def _is_number(x: Op) -> bool:
    """Whether a vector is one number."""
    return x.kind in ("expand", "broadcast") and x.shape == (ONE,) and not x.args[0].rank


def _is_of_numbers(op: Op) -> bool:
    """Whether a vector is joined of parts of which some are one number."""
    is_joined = op.kind == "primitive" and op.data[0] == "concatenate" and op.rank == 1
    return is_joined and any(_is_number(x) for x in op.args)


def _quoted(text: str) -> str:
    """A string literal in ASCII."""
    return f'"{text}"' if text.isascii() and text.isprintable() and not set(text) & set('"\\') else ascii(text)
