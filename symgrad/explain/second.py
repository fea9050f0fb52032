"""The page of a Hessian, or of a Hessian times a vector: the gradient, φ = ⟨∂L/∂θ, v⟩, the way back, the unit vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from symgrad.derive.derivation import Derivation
from symgrad.derive.fold import unfolded
from symgrad.derive.names import NOT_DIFFERENTIATED
from symgrad.derive.pairing import Block as Derivatives
from symgrad.derive.pairing import Pairing
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
from symgrad.explain.document import (
    Block,
    Box,
    CodeSpan,
    Display,
    Document,
    Heading,
    Inline,
    Math,
    Paragraph,
    Plain,
    Row,
    Sentence,
    Table,
)
from symgrad.explain.kinks import kinks, moving
from symgrad.explain.page import notes, opening, stand_ins
from symgrad.explain.steps import Detail
from symgrad.explain.writing import Writing, equation_number, listed, row, shape_inline, shape_tex, writing_of
from symgrad.graph.expression import Elementwise, Leaf, is_number
from symgrad.graph.walk import postorder
from symgrad.notation.names import typeset
from symgrad.primitives.functions import FUNCTIONS
from symgrad.prose import Language, Text
from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class SecondPage:
    """What a page of second derivatives is about: the gradient that was proved, φ, and the block where it was asked for.

    The gradients by the `moved` are paired with the directions; φ is differentiated by `wrt`.
    """

    title: Text
    text: Text
    gradient: Derivation
    pairing: Pairing
    cotangents: Mapping[str, Leaf]
    moved: tuple[Leaf, ...]
    wrt: tuple[Leaf, ...]
    block: Derivatives | None = None


@dataclass(frozen=True, slots=True)
class _Page:
    content: SecondPage
    naming: Naming  # of φ's derivation
    of_loss: Writing

    @property
    def writing(self) -> Writing:
        return self.naming.writing

    @property
    def symbol(self) -> str:
        """H, or ∇²L where H is the name of something else."""
        return self.naming.symbol("H", rf"\nabla^{{2}} {self.of_loss.loss}")


def second_page(content: SecondPage, language: Language, detail: Detail) -> Document:
    """The document of a Hessian, or of its product with a vector."""
    writing = writing_of(unfolded(content.pairing.derivation), language)
    loss = typeset(content.gradient.loss.name)
    of_loss = writing_of(unfolded(content.gradient), language)
    # One set of entries for both: what must be told apart in the loss must be in φ.
    letters = replace(writing.letters, capitals=writing.letters.capitals | of_loss.letters.capitals)
    writing, of_loss = replace(writing, letters=letters), replace(of_loss, letters=replace(letters, loss=loss))
    page = _Page(content, Naming(writing), of_loss)
    blocks: list[Block] = opening(content.text, writing)
    blocks += [*_given(page), *_gradient(page), *_paired(page, detail), *_backward(page, detail)]
    if content.block is not None:
        blocks += _units(page, content.block, detail)
        if detail != "brief":
            blocks += _meaning(page, content.block)
    blocks += _checks(page)
    title = tell.HESSIAN_TITLE if content.block is not None else tell.PRODUCT_TITLE
    return Document(Sentence(title, {"title": Plain(content.title.to(language))}), tuple(blocks), language)


def _given(page: _Page) -> Iterator[Block]:
    content, writing = page.content, page.writing
    yield Heading(1, Sentence(say.GIVEN))
    pairs = zip(content.pairing.directions, content.moved, strict=True)
    texts = {v: Sentence(tell.DIRECTION, {"variable": Math(writing.name(p))}) for v, p in pairs}
    yield leaf_table(writing, texts, content.gradient.leaves)
    yield Paragraph((_wanted(page), Sentence(say.CONVENTION)))
    shown = [line.expression for line in content.block.lines] if content.block is not None else []
    shown += [eq.expression for eq in content.gradient.forward]
    signs = notes(writing, more=shown)
    if signs is not None:
        yield Paragraph((signs,))
    second = content.pairing.derivation
    # Of the steps that the gradient holds a sentence of its own says what is made of them.
    conventions = [
        *kinks(content.gradient.forward, content.gradient.parameters),
        *kinks(second.forward, second.parameters, NOT_DIFFERENTIATED),
    ]
    if conventions:
        yield Paragraph((Sentence(say.KINKS), *{s.text: s for s in conventions}.values()))


def _wanted(page: _Page) -> Inline:
    content, writing = page.content, page.writing
    values: dict[str, Inline] = {
        "loss": Math(page.of_loss.loss),
        "rows": listed([Math(writing.name(p)) for p in content.wrt]),
        "columns": listed([Math(writing.name(p)) for p in content.moved]),
        "symbol": Math(page.symbol),
        "direction": listed([Math(writing.name(v)) for v in content.pairing.directions]),
    }
    if content.block is None:
        return Sentence(tell.WANTED_PRODUCT, values)
    values |= {"entry": Math(_entry(page)), "shape": shape_inline(content.block.expression.shape)}
    return Sentence(tell.WANTED_HESSIAN if content.block.expression.rank else tell.WANTED_SCALAR, values)


def _entry(page: _Page) -> str:
    """∂²L/∂w_i∂w_j, with a slash."""
    (a,), (b,) = page.content.wrt, page.content.moved
    own = page.writing.indices((*a.shape, *b.shape))
    first, second = page.writing.entry(a, own[: a.rank]), page.writing.entry(b, own[a.rank :])
    below = rf"\partial {first}^{{2}}" if a is b and not a.rank else rf"\partial {first}\, \partial {second}"
    return (
        rf"\partial^{{2}} {page.of_loss.loss}/{below}"
        if a is b and not a.rank
        else (rf"\partial^{{2}} {page.of_loss.loss}/({below})")
    )


def _gradient(page: _Page) -> Iterator[Block]:
    """The loss's own equations, those that φ holds with their numbers, and the gradients that are paired with the v."""
    content, writing = page.content, page.writing
    yield Heading(1, Sentence(tell.GRADIENT_AND_LOSS))
    yield Paragraph((Sentence(tell.LOSS_VALUES, {"command": CodeSpan("symgrad explain model.py")}),))
    labels = {eq.name: eq.label for eq in content.pairing.derivation.forward}
    rows: list[Row] = []
    for eq in content.gradient.forward:
        label = labels.get(eq.name) if eq.target is not content.gradient.loss else None
        rows.append(
            row(page.of_loss, page.of_loss.name(eq.target), eq.expression, shape=shape_tex(eq.shape), label=label)
        )
    for p in content.moved:
        rows.append(row(page.of_loss, page.of_loss.derivative(p), content.gradient.gradients[p.name]))
    known = {eq.name for eq in content.gradient.forward}
    later = [eq for eq in content.pairing.derivation.forward[:-1] if eq.name not in known]
    rows += [
        row(writing, writing.name(eq.target), eq.expression, shape=shape_tex(eq.shape), label=eq.label) for eq in later
    ]
    yield Display(tuple(rows))
    called = [
        Sentence(
            tell.IS_CALLED,
            {"name": Math(typeset(name)), "derivative": Math(page.of_loss.derivative(c, is_inline=True))},
        )
        for name, c in content.cotangents.items()
    ]
    if called:
        yield Paragraph((Sentence(tell.CALLED, {"items": listed(called)}),))


def _paired(page: _Page, detail: Detail) -> Iterator[Block]:
    content, writing = page.content, page.writing
    yield Heading(1, Sentence(tell.TO_A_NUMBER))
    values: dict[str, Inline] = {
        "direction": listed([Math(writing.name(v)) for v in content.pairing.directions]),
        "columns": listed([Math(writing.name(p)) for p in content.moved]),
        "rows": listed([Math(writing.name(p)) for p in content.wrt]),
        "scalar": Math(writing.loss),
    }
    yield Paragraph((Sentence(tell.PAIRED, values),))
    last = content.pairing.derivation.forward[-1]
    pairs = zip(content.pairing.directions, content.moved, strict=True)
    shares = [_share(page, v, p) for v, p in pairs]
    yield Display(
        (
            Row(writing.loss, " + ".join(shares), terms=tuple(shares)),
            row(writing, "", last.expression, label=last.label),
        )
    )
    if detail != "brief" and len(content.wrt) == len(content.moved) == 1:
        yield Paragraph((Sentence(tell.PAIRED_ENTRY, values),))
        yield Display((_entry_row(page),))


def _share(page: _Page, v: Leaf, p: Leaf) -> str:
    """⟨∂L/∂w, v⟩ for an array, the product for a scalar."""
    derivative, direction = page.of_loss.derivative(p), page.writing.name(v)
    return rf"{derivative}\, {direction}" if not p.rank else rf"\left\langle {derivative},\, {direction} \right\rangle"


def _entry_row(page: _Page) -> Row:
    """∂φ/∂w_i = Σ_j ∂²L/∂w_i∂w_j v_j."""
    (a,), (b,), (v,) = page.content.wrt, page.content.moved, page.content.pairing.directions
    own = page.writing.indices((*a.shape, *b.shape))
    first, second = page.writing.entry(a, own[: a.rank]), page.writing.entry(b, own[a.rank :])
    rate = rf"\frac{{\partial^{{2}} {page.of_loss.loss}}}{{\partial {first}\, \partial {second}}}"
    total = rf"\sum_{{{','.join(own[a.rank :])}}} " if b.rank else ""
    left = rf"\frac{{\partial {page.writing.loss}}}{{\partial {first}}}"
    return Row(left, rf"{total}{rate}\, {page.writing.entry(v, own[a.rank :])}")


def _backward(page: _Page, detail: Detail) -> Iterator[Block]:
    content, writing = page.content, page.writing
    yield Heading(1, Sentence(tell.BACK_TO, {"scalar": Math(writing.loss)}))
    yield from steps_shown(writing, detail)
    wanted = set(content.wrt)
    results = [eq for eq in writing.derivation.backward if eq.variable in wanted]
    values: dict[str, Inline] = {
        "direction": listed([Math(writing.name(v)) for v in content.pairing.directions]),
        "equation": listed([equation_number(eq.label) for eq in results]),
    }
    yield Paragraph((Sentence(tell.PRODUCT_RESULT, values),))
    if content.block is None:
        found = {p: shown_product(writing.derivation, p) for p in content.wrt}
        yield Box(tuple(row(writing, writing.derivative(p), e) for p, e in found.items()))
        yield from stand_ins(writing, list(found.values()))


def _units(page: _Page, block: Derivatives, detail: Detail) -> Iterator[Block]:
    writing, v = page.writing, block.direction
    yield Heading(1, Sentence(tell.UNIT_VECTORS))
    values: dict[str, Inline] = {
        "product": Math(writing.derivative(block.rows, is_inline=True)),
        "direction": Math(writing.name(v)),
        "symbol": Math(page.symbol),
    }
    scalar = not block.expression.rank
    sentences: list[Inline] = [Sentence(tell.UNITS_SCALAR if scalar else tell.UNITS, values)]
    if not is_in_matrices(block.expression):
        sentences.append(Sentence(tell.IN_ENTRIES, values))
    if detail != "brief":
        yield Paragraph(tuple(sentences))
    reason = Sentence(tell.UNITS_REASON, values) if not scalar else None
    rows = block_rows(page.naming, block, _left(page, block), reason, brief=detail == "brief")
    yield Display(rows)
    yield Box((replace(rows[-1], left=_left(page, block), reason=None, shape="", label=None),))


def _left(page: _Page, block: Derivatives) -> str:
    """∂²L/∂w∂wᵀ in matrices, ∂²L/∂w_i∂w_j entry by entry."""
    (a,), (b,) = page.content.wrt, page.content.moved
    writing, loss = page.writing, page.of_loss.loss
    above = rf"\partial^{{2}} {loss}"
    if not is_in_matrices(block.expression):
        own = writing.indices(block.expression.shape)
        first, second = writing.entry(a, own[: a.rank]), writing.entry(b, own[a.rank :])
        return rf"\frac{{{above}}}{{\partial {first}\, \partial {second}}}"
    if a is b and not a.rank:
        return rf"\frac{{{above}}}{{\partial {writing.name(a)}^{{2}}}}"
    turned = r"^{\top}" if b.rank == 1 else ""
    return rf"\frac{{{above}}}{{\partial {writing.name(a)}\, \partial {writing.name(b)}{turned}}}"


def _meaning(page: _Page, block: Derivatives) -> Iterator[Block]:
    (a,), (b,) = page.content.wrt, page.content.moved
    writing, loss = page.writing, page.of_loss.loss
    step = rf"\Delta {writing.name(b)}"
    values: dict[str, Inline] = {
        "loss": Math(loss),
        "rows": Math(writing.name(a)),
        "columns": Math(writing.name(b)),
        "direction": Math(writing.name(block.direction)),
        "step": Math(step),
    }
    yield Heading(1, Sentence(tell.SAYS))
    steps = _steps_in(page)
    if steps:
        yield Paragraph((Sentence(tell.KINKED, {"step": Math(steps)}),))
    if _is_zero(block):
        yield Paragraph((Sentence(tell.FLAT, values),))
        return
    if a is not b:
        change = _applied(page, block, step)
        yield Paragraph((Sentence(tell.MIXED, {**values, "change": Math(change)}),))
        return
    values["curvature"] = Math(_quadratic(page, block, writing.name(block.direction)))
    yield Paragraph((Sentence(tell.CURVATURE, values),))
    yield Paragraph((Sentence(tell.QUADRATIC, values),))
    slope = page.of_loss.derivative(a)
    first = (
        rf"{slope}\, {step}"
        if not a.rank
        else (
            rf"\left({slope}\right)^{{\top}} {step}"
            if a.rank == 1
            else rf"\left\langle {slope},\, {step} \right\rangle"
        )
    )
    terms = (f"{loss}({writing.name(a)})", first, rf"\tfrac12\, {_quadratic(page, block, step)}")
    yield Display((Row(rf"{loss}({writing.name(a)} + {step})", " + ".join(terms), terms=terms, relation=r"\approx"),))


def _quadratic(page: _Page, block: Derivatives, v: str) -> str:
    """vᵀHv."""
    own = rf"({v})" if v.startswith(r"\Delta ") else v
    if not block.direction.rank:
        return rf"{page.symbol}\, {own}^{{2}}"
    if block.direction.rank == 1:
        return rf"{own}^{{\top}} {page.symbol}\, {v}"
    return rf"\langle {v},\, {page.symbol}[{v}] \rangle"


def _applied(page: _Page, block: Derivatives, v: str) -> str:
    return rf"{page.symbol}\, {v}" if block.direction.rank < 2 else rf"{page.symbol}[{v}]"


def _is_zero(block: Derivatives) -> bool:
    return all(not isinstance(e, Leaf) or is_number(e, 0) for e in postorder([block.expression]))


def _steps_in(page: _Page) -> str:
    """One comparison that the gradient holds, as it is printed; none where the loss has no kink that is one."""
    second = page.content.pairing.derivation
    found = [node for node in moving(second.forward, second.parameters) if isinstance(node, Elementwise)]
    found = [node for node in found if FUNCTIONS[node.function].kink is not None]
    steps = [node for node in found if node.function in NOT_DIFFERENTIATED]
    return page.writing.tex((steps or found)[0]) if found else ""


def _checks(page: _Page) -> Iterator[Block]:
    content, writing = page.content, page.writing
    yield Heading(1, Sentence(say.CHECKS))
    header = tuple(Sentence(text) for text in (say.WHAT, say.STATEMENT, say.HOW))
    rows: list[tuple[Inline, ...]] = list(steps_checked(writing))
    if content.gradient.end_to_end is not None:
        names = listed([Math(page.of_loss.derivative(p, is_inline=True)) for p in content.moved])
        points = Plain(str(content.gradient.end_to_end.points))
        proved = Sentence(tell.GRADIENT_PROVED, {"points": points})
        rows.insert(0, (names, Sentence(tell.GRADIENT_ITSELF), proved))
    if content.block is not None:
        rows.append(block_checked(page.naming, content.block, page.symbol))
    yield Table(header, tuple(rows), wide=2)
