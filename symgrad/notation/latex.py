"""Expression → LaTeX, in matrices: what a textbook prints, with parentheses only where they are needed.

A walk with a stack makes a piece of every node from its operands' pieces; the whole is written at the end.
The LaTeX is what GitHub, KaTeX and pdflatex with amsmath and amssymb all understand.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from symgrad.graph.expression import (
    MARKS,
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
)
from symgrad.graph.numbered import split_symbol
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.notation.context import LETTERS, Context, SumOver, Sums
from symgrad.notation.contractions import contraction, plain, total
from symgrad.notation.elementwise import elementwise, printed
from symgrad.notation.names import differential, parse_name, shared_capitals, typeset
from symgrad.notation.pieces import (
    Cotangent,
    Level,
    Product,
    Tex,
    enclosed,
    fenced,
    marks_of,
    render,
    tex,
    transpose,
)
from symgrad.notation.products import norm
from symgrad.notation.scalars import number, product_of, scaled, size
from symgrad.primitives.table import PRIMITIVES

CONSTANTS = frozenset({Role.NUMBER, Role.SIZE, Role.HYPERPARAMETER})
NO_SUMS: Sums = MappingProxyType({})
NO_CAPITALS = frozenset[str]()


def latex(
    e: Expr,
    *,
    loss: str = "L",
    otherwise: str = "otherwise",
    sums: Sums = NO_SUMS,
    capitals: frozenset[str] = NO_CAPITALS,
) -> str:
    r"""The LaTeX of an expression; `sums` says which leaves stand for a sum over a family of names.

    `capitals` are letters that stay capital in entries for the sake of formulas beside this one.

    >>> from symgrad.primitives.language import data, dims, mean, parameter
    >>> n, d = dims("n d")
    >>> X, w, y = data("X", n, d), parameter("w", d), data("y", n)
    >>> latex(X.T @ (X @ w - y) / n)
    '\\frac{1}{n}\\,X^{\\top} (X w - y)'
    >>> latex(mean((X @ w - y) ** 2))
    '\\frac{1}{n}\\,\\lVert X w - y\\rVert^{2}'
    """
    return render(piece_of(e, loss=loss, otherwise=otherwise, sums=sums, capitals=capitals))


def latex_terms(
    e: Expr,
    *,
    loss: str = "L",
    otherwise: str = "otherwise",
    sums: Sums = NO_SUMS,
    capitals: frozenset[str] = NO_CAPITALS,
) -> list[str]:
    """The terms of a sum, each with its sign, so that a page can break the line between them.

    >>> from symgrad.primitives.language import data
    >>> a, b = data("a"), data("b")
    >>> latex_terms(a * b - 2 * a), latex_terms(a * b)
    (['a b', '- 2 a'], ['a b'])
    """
    context = _context(e, loss, otherwise, sums, capitals)
    root = _piece(e, context)
    if not isinstance(e, Linear) or len(e.terms) == 1:
        return [render(root)]
    found: list[list[str | Tex]] = []
    stack: list[tuple[str, Expr, list[str | Tex]]] = [("", e, [root])]
    while stack:
        sign, node, parts = stack.pop()
        if isinstance(node, Linear) and len(node.terms) > 1 and parts[-1] is context.of(node):
            inner = _signed_terms(node, context)
            inner[0] = [sign, *inner[0]]
            for (_, term), own in [*zip(node.terms, inner, strict=True)][::-1]:
                stack.append((str(own[0]) if len(own) > 1 else "", term, own))
        else:
            found.append(parts)
    return [render(tex(*parts, level=Level.SUM)).strip() for parts in found]


def symbols_used(e: Expr, *, loss: str = "L", sums: Sums = NO_SUMS) -> frozenset[str]:
    """The notation that the LaTeX of `e` uses, for the page to explain.

    odot ⊙, oslash ⊘, hadamard_power H^⊙2, ones **1**, identity I, transpose Xᵀ, inverse X⁻¹,
    inverse_transpose X⁻ᵀ, diag (a matrix), diagonal (a vector), norm ‖v‖, frobenius ‖A‖_F, bracket ⟨A, B⟩,
    trace, indicator [c], cases, elementwise f(Z), sum Σ, entries […]_ij, delta δ_ij.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> sorted(symbols_used(data("u", n) * data("v", n)))
    ['odot']
    """
    return marks_of([piece_of(e, loss=loss, sums=sums)])


def piece_of(
    e: Expr,
    *,
    loss: str = "L",
    otherwise: str = "otherwise",
    sums: Sums = NO_SUMS,
    capitals: frozenset[str] = NO_CAPITALS,
) -> Tex:
    """The expression as a piece of a formula, to be put together with others."""
    return _piece(e, _context(e, loss, otherwise, sums, capitals))


def _context(e: Expr, loss: str, otherwise: str, sums: Sums, capitals: frozenset[str]) -> Context:
    order = postorder([e, *(s.term for s in sums.values())])
    names = {node.name for node in order if isinstance(node, Leaf)}
    sizes = {name for node in order for s in node.shape for name in s.names}
    families = {c for name in names | sizes if (found := split_symbol(name)) is not None for c in found[1]}
    free = "".join(c for c in LETTERS if c not in names | sizes | families)
    own = shared_capitals({node.name for node in order if isinstance(node, Leaf) and node.rank})
    return Context(typeset(loss), rf"\text{{{_without_active(otherwise)}}}", free, sums, capitals | own)


def _without_active(text: str) -> str:
    """Text without what is active in TeX."""
    return "".join(c for c in text if c not in "\\{}$&#%_^~`<>")


def _piece(root: Expr, context: Context) -> Tex:
    """The pieces of all nodes that have none yet, operands first; the root's."""
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        node, is_ready = stack.pop()
        if node in context.pieces:
            continue
        if not is_ready:
            stack.append((node, True))
            stack.extend((child, False) for child in node.children)
            if node in context.sums:
                stack.append((context.sums[node].term, False))
            continue
        piece = _node(node, context)
        is_constant = not node.rank and (
            node.role in CONSTANTS
            if isinstance(node, Leaf)
            else all(context.of(child).is_constant for child in node.children)
        )
        context.pieces[node] = replace(piece, is_constant=is_constant, rank=node.rank)
    return context.pieces[root]


def _node(node: Expr, context: Context) -> Tex:
    if isinstance(node, Leaf):
        return _leaf(node, context)
    if isinstance(node, Linear):
        return _linear(node, context)
    if isinstance(node, Contraction):
        return total(node, context) or contraction(node, context)
    if isinstance(node, Elementwise):
        piece = elementwise(node, context)
        return replace(piece, marks=piece.marks | {"elementwise"}) if node.rank else piece
    assert isinstance(node, Apply)
    return _apply(node, context)


def _leaf(node: Leaf, context: Context) -> Tex:
    if node in context.sums:
        return _sum_over(context.sums[node], context)
    if isinstance(node.value, Fraction) and node.role is Role.NUMBER:
        return replace(number(node.value), product=Product(node.value))
    if isinstance(node.value, Size) and node.role is Role.SIZE:
        return size(node.value)
    if node.role is Role.IDENTITY:
        identity = tex("I", level=Level.ATOM, marks=("identity",))
        return replace(identity, is_name=True, transposed=identity)
    if node.role is Role.COTANGENT:
        return tex(Cotangent(context.loss, typeset(node.name)), level=Level.POSTFIX)
    if node.role is Role.DIFFERENTIAL:
        return tex(differential(typeset(node.name)), level=Level.ATOM)
    return Tex((typeset(node.name),), Level.ATOM, is_name=True, is_word=parse_name(node.name).is_word)


# ---- sums


def _sum_over(s: SumOver, context: Context) -> Tex:
    """Σ and the term, in parentheses where it is a sum itself."""
    return tex(s.latex + " ", enclosed(context.of(s.term), Level.HADAMARD), level=Level.SUM)


def _linear(node: Linear, context: Context) -> Tex:
    if len(node.terms) == 1:
        ((c, e),) = node.terms
        return _multiple(c, e, context)
    parts = [part for term in _signed_terms(node, context) for part in term]
    first = parts[0]
    has_minus = first == "-" or (isinstance(first, Tex) and first.has_minus)
    return replace(tex(*parts, level=Level.SUM), has_minus=has_minus)


def _signed_terms(node: Linear, context: Context) -> list[list[str | Tex]]:
    """Sign and body of each term; the first has a sign only where it is -."""
    terms: list[list[str | Tex]] = []
    bare = [plain(e, context) for _, e in node.terms]
    keep_ones = all(piece is not None for piece in bare)
    for (c, e), short in zip(node.terms, bare, strict=True):
        body = _multiple(c, e, context) if short is None or keep_ones else _constant_multiple(c, short)
        if body.has_minus and body.product is not None and body.product.coefficient < 0:
            # The sign belongs to the coefficient: it is the sign of the term.
            p = body.product
            positive = scaled(replace(p, coefficient=-p.coefficient))
            terms.append([" - " if terms else "-", enclosed(positive, Level.HADAMARD)])
            continue
        # Cases have no end that a reader could see.
        if (terms and body.has_minus) or "cases" in body.marks:
            body = fenced(body)
        terms.append([" + ", body] if terms else [body])
    return terms


def _multiple(c: Fraction, e: Expr, context: Context) -> Tex:
    """c·e; the coefficient joins the scalars in front of a product."""
    piece = context.of(e)
    if c == 1:
        return piece
    return _constant_multiple(c, piece, is_scalar=not e.rank)


def _constant_multiple(c: Fraction, piece: Tex, *, is_scalar: bool = True) -> Tex:
    if c == 1:
        return piece
    p = product_of(piece, is_scalar=is_scalar)
    # A coefficient that the user wrote is not multiplied with another: ½ · 2 r, -(-r); a sign may move.
    if (p.coefficient < 0 and c < 0) or (abs(p.coefficient) != 1 and abs(c) != 1):
        kept = fenced(piece) if p.coefficient < 0 else piece
        p = Product(above=(kept,)) if is_scalar else Product(core=kept)
    return scaled(replace(p, coefficient=p.coefficient * c))


# ---- primitives


def _size_in_template(value: Size) -> str:
    """A size in a template, where the braces of m_{1} would be a place for an operand."""
    return render(size(value)).replace("{", "{{").replace("}", "}}")


def _apply(node: Apply, context: Context) -> Tex:
    """A primitive of whole arrays; over an axis that its notation does not say, by its definition."""
    if node.primitive in MARKS:
        return context.of(node.operands[0])
    entry = PRIMITIVES[node.primitive]
    pieces = [context.of(e) for e in node.operands]
    options = dict(node.options)
    operand = node.operands[0]
    if not isinstance(entry.latex, str):
        template = entry.latex([e.shape for e in node.operands], options, _size_in_template)
        return printed(template, pieces)
    if "axis" not in options or _is_usual_axis(node, options["axis"]):
        if r"\lVert" in entry.latex:
            return norm(pieces[0], operand.rank, is_squared=False)
        return printed(entry.latex, pieces)
    if node.shape == operand.shape and node.rank == 2 and options["axis"] == 0:
        return transpose(printed(entry.latex, [transpose(pieces[0])]))
    if node.shape != operand.shape and entry.definition is not None:
        return _piece(entry.definition(node.operands, options), context)
    return printed(rf"{entry.latex}_{{\mathrm{{axis}}={options['axis']}}}", pieces)


def _is_usual_axis(node: Apply, axis: Any) -> bool:
    """The last axis where the shape stays, all axes where they go; a scalar has none."""
    if not node.operands[0].rank:
        return True
    rank = node.operands[0].rank
    if node.shape == node.operands[0].shape and not isinstance(axis, tuple):
        return bool(axis == rank - 1)
    return (axis if isinstance(axis, tuple) else (axis,)) == tuple(range(rank))
