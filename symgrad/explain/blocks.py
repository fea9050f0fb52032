"""What the pages of Hessians and Jacobians share: the table of arrays, an array of derivatives in lines, its checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from symgrad.derive.derivation import Derivation, Line, Verdict
from symgrad.derive.pairing import Block, product_of
from symgrad.explain import product_sentences as tell
from symgrad.explain import sentences as say
from symgrad.explain.checks import digits, how, ranges
from symgrad.explain.document import Block as Shown
from symgrad.explain.document import Display, Inline, Math, Plain, Row, Sentence, Table
from symgrad.explain.page import ROLES, meaning_of
from symgrad.explain.steps import Detail, brief_rows, step_blocks
from symgrad.explain.why import line_reason
from symgrad.explain.writing import Writing, listed, row, shape_inline, shape_tex
from symgrad.graph.expression import Contraction, Expr, Leaf
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.walk import postorder
from symgrad.records import dataclass
from symgrad.rewrite.cost import cost

# A result of more symbols than this keeps the names of the derivatives in it.
LONGEST_PRODUCT = 26


@dataclass(frozen=True, slots=True)
class Naming:
    """The writing of φ's derivation, and letters for what has no name in it."""

    writing: Writing

    def symbol(self, letter: str, otherwise: str) -> str:
        """The letter, where nothing on the page is called so."""
        derivation = self.writing.derivation
        names = {*(e.name for e in derivation.leaves), *(eq.name for eq in derivation.forward)}
        sizes = {name for e in derivation.leaves for s in e.shape for name in s.names}
        return letter if letter not in names | sizes else otherwise


def leaf_table(writing: Writing, texts: Mapping[Leaf, Inline], others: Sequence[Leaf] = ()) -> Table:
    """Every array with its meaning, shape and role; those in `texts` are free, and said to be what stands there."""
    leaves = [*others, *(e for e in writing.derivation.leaves if e not in set(others))]
    order = list(ROLES)
    leaves = sorted(leaves, key=lambda e: (e in texts, order.index(e.role)))
    rows = tuple(
        (
            Math(writing.name(e)),
            texts[e] if e in texts else meaning_of(writing, e),
            shape_inline(e.shape),
            Sentence(tell.FREE if e in texts else ROLES[e.role]),
        )
        for e in leaves
    )
    return Table(tuple(Sentence(text) for text in (say.SYMBOL, say.MEANS, say.SHAPE, say.ROLE)), rows, wide=1)


def is_in_matrices(e: Expr) -> bool:
    """Whether an expression can be written without indices."""
    return all(
        node.rank <= 2
        and not (isinstance(node, Contraction) and read(node.indices, node.rank).pattern is Pattern.GENERAL)
        for node in postorder([e])
    )


def block_rows(naming: Naming, block: Block, left: str, reason: Inline | None, *, brief: bool) -> tuple[Row, ...]:
    """The lines of an array of derivatives; entry by entry where one of them has no matrix form."""
    writing = naming.writing
    lines = block.lines[-1:] if brief else block.lines
    if is_in_matrices(block.expression):
        # What v leaves behind before it is multiplied out may need indices, where the end needs none.
        lines = tuple(line for line in lines if is_in_matrices(line.expression))
    rows = []
    for k, line in enumerate(lines):
        why = (reason if not k else line_reason(writing, line.reason)) if not brief else None
        shape = block_shape(line.expression) if k == len(lines) - 1 else ""
        start = left if not k else ""
        if is_in_matrices(block.expression):
            rows.append(row(writing, start, line.expression, reason=why, shape=shape))
        else:
            own = writing.indices(line.expression.shape)
            rows.append(Row(start, writing.entry_form(line.expression, own), reason=why))
    # Entry by entry a line may read like the one before it.
    return tuple(r for k, r in enumerate(rows) if not k or r.right != rows[k - 1].right)


def shown_product(derivation: Derivation, x: Leaf) -> Expr:
    """∂φ/∂x with all cotangents put in where that is short, else as its step ends."""
    whole = product_of(derivation, x)
    return whole if cost(whole) <= LONGEST_PRODUCT else derivation.gradients[x.name]


def block_shape(e: Expr) -> str:
    """The shape beside the last line."""
    return shape_tex(e.shape)


def steps_shown(writing: Writing, detail: Detail) -> Iterator[Shown]:
    """The backward steps; of a brief page one line each."""
    if detail == "brief":
        yield Display(tuple(r for eq in writing.derivation.backward for r in brief_rows(writing, eq)))
        return
    for number, eq in enumerate(writing.derivation.backward, 1):
        yield from step_blocks(writing, eq, number, detail)


def steps_checked(writing: Writing) -> Iterator[tuple[Inline, ...]]:
    """A row for the steps of a derivation, and one for its comparison with differences."""
    derivation = writing.derivation
    for verdict in Verdict:
        members = [eq for eq in derivation.backward if eq.proof.verdict is verdict]
        if members:
            yield (Math(ranges(members)), Sentence(say.EACH_STEP), how(members[0].proof, members))
    if derivation.end_to_end is not None:
        names = listed([Math(writing.derivative(p, is_inline=True)) for p in derivation.parameters])
        values: dict[str, Inline] = {
            "points": Plain(str(derivation.end_to_end.points)),
            "error": Math(digits(float(derivation.end_to_end.largest_error))),
        }
        yield (names, Sentence(say.WHOLE_GRADIENT), Sentence(say.DIFFERENCES, values))


def block_checked(naming: Naming, block: Block, symbol: str) -> tuple[Inline, ...]:
    """How the lines of an array of derivatives were proved."""
    label = next(eq.label for eq in naming.writing.derivation.backward if eq.variable is block.rows)
    proved = how(_weakest(block.lines).proof, block.lines)
    values: dict[str, Inline] = {
        "direction": Math(naming.writing.name(block.direction)),
        "label": Plain(str(label)),
        "how": proved,
    }
    return (Math(symbol), Sentence(tell.BLOCK_LINES, {"block": Math(symbol)}), Sentence(tell.SUMMED_BACK, values))


def _weakest(lines: Sequence[Line]) -> Line:
    return next((line for line in lines if line.proof.verdict is not Verdict.PROVED), lines[0])
