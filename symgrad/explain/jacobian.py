"""The pages of arrays' derivatives: what `backward(gradient=v)` computes, the Jacobian, and forward mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from symgrad.derive.derivation import Derivation
from symgrad.derive.fold import unfolded
from symgrad.derive.forward import Pushforward
from symgrad.derive.pairing import Block as Derivatives
from symgrad.derive.pairing import Pairing
from symgrad.derive.worked import Worked
from symgrad.explain import product_sentences as tell
from symgrad.explain import sentences as say
from symgrad.explain.blocks import (
    Naming,
    block_checked,
    block_rows,
    is_in_matrices,
    leaf_table,
    shown_product,
    steps_checked,
    steps_shown,
)
from symgrad.explain.checks import digits, how, ranges
from symgrad.explain.document import (
    Block,
    Box,
    CodeSpan,
    Display,
    Document,
    Heading,
    Inline,
    Listing,
    Math,
    Paragraph,
    Plain,
    Row,
    Sentence,
    Table,
)
from symgrad.explain.kinks import kinks
from symgrad.explain.page import ROLES, notes, opening, stand_ins
from symgrad.explain.passes import spelled, wants_entries
from symgrad.explain.steps import Detail
from symgrad.explain.why import line_reason
from symgrad.explain.writing import Writing, row, shape_inline, shape_tex, writing_of
from symgrad.graph.expression import Expr, Leaf
from symgrad.graph.walk import postorder
from symgrad.notation.names import entry, typeset
from symgrad.prose import Language, Text
from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class JacobianPage:
    """What a page of Jᵀv is about: φ = ⟨v, y⟩, y by its name, and the Jacobian and numbers where they were asked for."""

    title: Text
    text: Text
    name: str
    y: Expr
    x: Leaf
    pairing: Pairing
    block: Derivatives | None
    worked: Worked | None = None


@dataclass(frozen=True, slots=True)
class TangentPage:
    """What a page of forward mode is about."""

    title: Text
    text: Text
    pushed: Pushforward


@dataclass(frozen=True, slots=True)
class _Page:
    content: JacobianPage
    naming: Naming

    @property
    def writing(self) -> Writing:
        return self.naming.writing

    @property
    def symbol(self) -> str:
        return self.naming.symbol("J", r"\mathcal{J}")

    @property
    def output(self) -> str:
        return typeset(self.content.name or "y")


def jacobian_page(content: JacobianPage, language: Language, detail: Detail) -> Document:
    """The document of Jᵀv, and of J where it is asked for."""
    page = _Page(content, Naming(writing_of(unfolded(content.pairing.derivation), language)))
    blocks: list[Block] = opening(content.text, page.writing)
    blocks += [*_given(page), *_why(page), *_forward(page, detail), *_backward(page, detail)]
    if content.block is not None:
        blocks += _units(page, content.block, detail)
    if detail != "brief":
        blocks += _choices(page)
        if content.worked is not None:
            blocks += _numbers(page, content.worked)
    blocks += _checks(page)
    return Document(_title(content.title.to(language), tell.JACOBIAN_TITLE), tuple(blocks), language)


def _title(title: str, text: object) -> Sentence:
    named: Inline = Plain(title) if title else Sentence(tell.DEFAULT_TITLE)
    return Sentence(text, {"title": named})  # type: ignore[arg-type]  # a Text


def _values(page: _Page) -> dict[str, Inline]:
    content, writing = page.content, page.writing
    (v,) = content.pairing.directions
    own = writing.indices(content.y.shape)
    name = content.name or "y"
    return {
        "output": Math(page.output),
        "shape": shape_inline(content.y.shape),
        "symbol": Math(page.symbol),
        "row": Math(",".join(own)),
        "entry": Math(entry(name, own, writing.letters.capitals)),
        "direction": Math(writing.name(v)),
        "scalar": Math(writing.loss),
        "variable": Math(writing.name(content.x)),
        "product": Math(rf"{page.symbol}^{{\top}} {writing.name(v)}"),
        "bare": CodeSpan(f"{name}.backward()"),
        "call": CodeSpan(f"{name}.backward(gradient={v.name})"),
    }


def _given(page: _Page) -> Iterator[Block]:
    content, writing = page.content, page.writing
    yield Heading(1, Sentence(say.GIVEN))
    (v,) = content.pairing.directions
    texts: dict[Leaf, Inline] = {v: Sentence(tell.OUTPUT_WEIGHTS, {"variable": Math(page.output)})}
    yield leaf_table(writing, texts if v not in set(_own_leaves(content)) else {})
    yield Paragraph((Sentence(say.CONVENTION),))
    signs = notes(writing, more=[x.expression for x in content.block.lines] if content.block is not None else [])
    if signs is not None:
        yield Paragraph((signs,))
    conventions = kinks(content.pairing.derivation.forward, content.pairing.derivation.parameters)
    if conventions:
        yield Paragraph((Sentence(say.KINKS), *conventions))


def _own_leaves(content: JacobianPage) -> list[Leaf]:
    """The declared leaves that have something of their own to say."""
    return [v for v in content.pairing.directions if v.about or v.facts]


def _why(page: _Page) -> Iterator[Block]:
    """A non-scalar output has a Jacobian, not a gradient; v makes a scalar of it."""
    content, values = page.content, _values(page)
    writing, (v,) = page.writing, content.pairing.directions
    if not content.y.rank:
        return
    yield Heading(1, Sentence(tell.WHY_V))
    yield Paragraph((Sentence(tell.MANY_OUTPUTS, values),))
    own = writing.indices((*content.y.shape, *content.x.shape))
    rows, columns = own[: content.y.rank], own[content.y.rank :]
    y_entry = entry(content.name or "y", rows, writing.letters.capitals)
    top = rf"\partial {y_entry}"
    rate = rf"\frac{{{top}}}{{\partial {writing.entry(content.x, columns)}}}"
    shape = shape_tex((*content.y.shape, *content.x.shape))
    yield Display((Row(rf"{page.symbol}_{{{','.join(own)}}}", rate, shape=shape),))
    yield Paragraph((Sentence(tell.REFUSES, values),))
    weighted = rf"\sum_{{{','.join(rows)}}} {writing.entry(v, rows)}\, {y_entry}"
    yield Display((Row(writing.loss, rf"\langle {writing.name(v)},\, {page.output} \rangle = {weighted}"),))
    yield Paragraph((Sentence(tell.IS_JTV, values),))


def _forward(page: _Page, detail: Detail) -> Iterator[Block]:
    writing = page.writing
    yield Heading(1, Sentence(tell.OUTPUT_FORWARD, _values(page)))
    yield Display(tuple(_forward_rows(writing, writing.derivation, detail)))


def _forward_rows(writing: Writing, derivation: Derivation | Pushforward, detail: Detail) -> Iterator[Row]:
    for eq in derivation.forward:
        yield row(writing, writing.name(eq.target), eq.expression, shape=shape_tex(eq.shape), label=eq.label)
        if detail != "brief" and wants_entries(eq):
            own = writing.indices(eq.shape)
            yield Row(writing.entry(eq.target, own), writing.entry_form(spelled(eq.expression), own))


def _backward(page: _Page, detail: Detail) -> Iterator[Block]:
    writing, content = page.writing, page.content
    yield Heading(1, Sentence(tell.OUTPUT_BACKWARD, _values(page)))
    yield from steps_shown(writing, detail)
    yield Heading(1, Sentence(tell.VJP_BOX))
    expression = shown_product(writing.derivation, content.x)
    values = _values(page)
    left = writing.derivative(content.x)
    product = values["product"]
    assert isinstance(product, Math)
    yield Box((row(writing, f"{product.tex} = {left}", expression),))
    yield from stand_ins(writing, [expression])


def _units(page: _Page, block: Derivatives, detail: Detail) -> Iterator[Block]:
    writing, values = page.writing, _values(page)
    yield Heading(1, Sentence(tell.JACOBIAN_HEADING))
    sentences: list[Inline] = [Sentence(tell.JACOBIAN_UNITS, values)] if page.content.y.rank else []
    if not is_in_matrices(block.expression):
        sentences.append(Sentence(tell.IN_ENTRIES, values))
    if detail != "brief" and sentences:
        yield Paragraph(tuple(sentences))
    own = writing.indices(block.expression.shape)
    left = page.symbol if is_in_matrices(block.expression) else rf"{page.symbol}_{{{','.join(own)}}}"
    reason = Sentence(tell.UNITS_REASON, values)
    rows = block_rows(page.naming, block, left, reason, brief=detail == "brief")
    if len(rows) > 1:
        yield Display(rows)
    yield Box((replace(rows[-1], left=left, reason=None, shape="", label=None),))


def _choices(page: _Page) -> Iterator[Block]:
    content, values = page.content, _values(page)
    if not content.y.rank:
        return
    name = content.name or "y"
    (v,) = content.pairing.directions
    direction = page.writing.name(v)
    own = page.writing.indices(content.y.shape)
    yield Heading(1, Sentence(tell.CHOICES))
    ones = r"\mathbf{1}" if content.y.rank == 1 else r"\mathbf{1}\mathbf{1}^{\top}"
    summed: dict[str, Inline] = {
        **values,
        "choice": Math(f"{direction} = {ones}"),
        "call": CodeSpan(f"{name}.sum().backward()"),
    }
    unit = rf"{direction} = e_{{{','.join(own)}}}"
    yield Paragraph((Sentence(tell.CHOICE_ONES, summed),))
    yield Paragraph((Sentence(tell.CHOICE_UNIT, {**values, "choice": Math(unit)}),))
    yield Paragraph((Sentence(tell.CHOICE_ANY, values),))


def _numbers(page: _Page, worked: Worked) -> Iterator[Block]:
    content, (v,) = page.content, page.content.pairing.directions
    name, x = content.name or "y", content.x.name
    yield Heading(1, Sentence(tell.IN_NUMBERS))
    inputs = [Math(f"{typeset(key)} = {_array(a)}") for key, a in worked.inputs.items()]
    yield Paragraph((Sentence(tell.AT, {"values": Listing(tuple(inputs))}),))
    yield Display((Row(page.output, _array(worked.output)),))
    zero = CodeSpan(f"{x}.grad = None")
    grad = CodeSpan(f"{x}.grad")
    yield Paragraph((Sentence(tell.ACCUMULATES, {"grad": grad, "zero": zero}),))
    call = CodeSpan(f"{name}.backward(gradient={v.name})")
    header = (
        Sentence(tell.CALL),
        Math(page.writing.name(v)),
        Sentence(tell.COMPUTES),
        Sentence(tell.AFTER, {"grad": grad}),
    )
    rows = []
    for k, c in enumerate(worked.calls):
        first: Inline = Sentence(tell.ZEROED, {"zero": zero, "call": call}) if c.is_fresh and k else call
        rows.append((first, *(Math(_array(a)) for a in (c.v, c.computed, c.after))))
    yield Table(header, tuple(rows), wide=0)
    yield Paragraph((Sentence(tell.RETAINS, {"option": CodeSpan("retain_graph=True")}),))


def _array(a: np.ndarray) -> str:
    """Numbers in parentheses, six digits each; a matrix by rows."""
    if a.ndim == 0:
        return digits6(float(a))
    if a.ndim == 1:
        return "(" + ",\\, ".join(digits6(float(c)) for c in a) + ")"
    if a.ndim == 2:
        body = r" \\ ".join(" & ".join(digits6(float(c)) for c in line) for line in a)
        return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
    return "(" + ",\\, ".join(_array(part) for part in a) + ")"


def digits6(value: float) -> str:
    """Six significant digits, with a power of ten where the number is very small or large."""
    text = f"{value + 0.0:.6g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}"
    return text


def _checks(page: _Page) -> Iterator[Block]:
    yield Heading(1, Sentence(say.CHECKS))
    header = tuple(Sentence(text) for text in (say.WHAT, say.STATEMENT, say.HOW))
    rows: list[tuple[Inline, ...]] = list(steps_checked(page.writing))
    if page.content.block is not None:
        rows.append(block_checked(page.naming, page.content.block, page.symbol))
    yield Table(header, tuple(rows), wide=2)


# ---- forward mode


def tangent_page(content: TangentPage, language: Language, detail: Detail) -> Document:
    """The document of a forward derivation."""
    pushed = content.pushed
    # The writing wants a derivation: its names, its sizes, and how its scalar is called, which occurs nowhere here.
    found = postorder([eq.expression for eq in pushed.forward])
    leaves = tuple(e for e in found if isinstance(e, Leaf) and e.role in ROLES)
    extra = (pushed.direction,) if pushed.direction not in set(leaves) else ()
    shown = (*pushed.forward, *pushed.tangents)
    writing = writing_of(unfolded(Derivation(pushed.output, shown, (), (), (*leaves, *extra))), language)
    naming = Naming(writing)
    values: dict[str, Inline] = {
        "output": Math(typeset(pushed.output.name)),
        "variable": Math(typeset(pushed.variable.name)),
        "direction": Math(typeset(pushed.direction.name)),
        "product": Math(rf"{naming.symbol('J', chr(92) + 'mathcal{J}')}\, {typeset(pushed.direction.name)}"),
    }
    direction = Sentence(tell.DIRECTION, values)
    blocks: list[Block] = [Heading(1, Sentence(say.GIVEN)), leaf_table(writing, dict.fromkeys(extra, direction))]
    blocks.append(Paragraph((Sentence(tell.TANGENT_WANTED, values), Sentence(say.CONVENTION))))
    signs = notes(writing)
    blocks += [Paragraph((signs,))] if signs is not None else []
    conventions = kinks(pushed.forward, [pushed.variable])
    blocks += [Paragraph((Sentence(say.KINKS), *conventions))] if conventions else []
    blocks += [Heading(1, Sentence(tell.VALUES_FIRST)), Display(tuple(_forward_rows(writing, pushed, detail)))]
    blocks += [Heading(1, Sentence(tell.TANGENTS)), Paragraph((Sentence(tell.TANGENTS_TEXT),))]
    blocks += [Display(tuple(_tangent_rows(writing, pushed, detail)))]
    blocks += [Box((row(writing, typeset(pushed.tangents[-1].name), pushed.tangents[-1].expression),))]
    blocks += _tangent_checks(pushed, values)
    return Document(_title(content.title.to(language), tell.TANGENT_TITLE), tuple(blocks), language)


def _tangent_rows(writing: Writing, pushed: Pushforward, detail: Detail) -> Iterator[Row]:
    for eq in pushed.tangents:
        lines = eq.lines if detail != "brief" else eq.lines[-1:]
        for k, line in enumerate(lines):
            is_last = k == len(lines) - 1
            yield row(
                writing,
                writing.name(eq.target) if not k else "",
                line.expression,
                reason=line_reason(writing, line.reason) if k else None,
                shape=shape_tex(eq.shape) if is_last else "",
                label=eq.label if is_last else None,
            )


def _tangent_checks(pushed: Pushforward, values: dict[str, Inline]) -> Iterator[Block]:
    yield Heading(1, Sentence(say.CHECKS))
    header = tuple(Sentence(text) for text in (say.WHAT, say.STATEMENT, say.HOW))
    members = pushed.tangents
    rows: list[tuple[Inline, ...]] = [
        (Math(ranges(members)), Sentence(tell.EACH_TANGENT), how(members[0].proof, members))
    ]
    if pushed.end_to_end is not None:
        found: dict[str, Inline] = {
            **values,
            "points": Plain(str(pushed.end_to_end.points)),
            "error": Math(digits(float(pushed.end_to_end.largest_error))),
        }
        name = Math(typeset(members[-1].name))
        rows.append((name, Sentence(tell.WHOLE_TANGENT), Sentence(tell.DIFFERENCES_ALONG, found)))
    yield Table(header, tuple(rows), wide=2)
