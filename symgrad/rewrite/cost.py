"""How many symbols a formula prints: the measure by which one way of writing it is preferred to another."""

from __future__ import annotations

from fractions import Fraction

from symgrad.graph.expression import Contraction, Elementwise, Expr, Leaf, Linear, Role
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.sizes import Size

COTANGENT_SYMBOLS = 4
# Index notation is the last resort: it costs more than any matrix form of the same product.
INDEX_FORM, INDEX_OPERAND = 12, 4
# What v printed twice costs in p v - v: as much as the parentheses of (p - 1) v, which textbooks write.
REPEATED = 2


def cost(root: Expr) -> int:
    """How many symbols an expression prints, as a formula of matrices.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> X, y = data("X", n, d), data("y", n)
    >>> cost(X.T @ y), cost(X.T @ (y - 1) / n)
    (3, 9)

    An array that stands twice in `p y - y` counts as the parentheses of (p - 1) y do:

    >>> p = data("p")
    >>> cost(p * y - y), cost((p - 1) * y)
    (6, 6)
    """
    return _counted(root) if root.symbols is None else root.symbols


def _counted(root: Expr) -> int:
    """Counts once for each node, and remembers it there."""
    pending = [root]
    while pending:
        node = pending[-1]
        missing = [e for e in node.children if e.symbols is None]
        if missing:
            pending += missing
            continue
        pending.pop()
        own = _own_cost(node)
        for e in node.children:
            own += cost(e) if e.symbols is None else e.symbols
        object.__setattr__(node, "symbols", own)
    return cost(root)


def _own_cost(node: Expr) -> int:
    if isinstance(node, Leaf):
        return _leaf_cost(node)
    if isinstance(node, Linear):
        coefficients = sum([_number_cost(c) for c, _ in node.terms if not _is_sign(c)])
        repeated = REPEATED * _repeats_a_term(node)
        return len(node.terms) - 1 + (node.terms[0][0].numerator < 0) + coefficients + repeated
    if isinstance(node, Contraction):
        return _contraction_cost(node)
    if isinstance(node, Elementwise):
        is_bracket = node.function in {"greater", "greater_equal", "equal"}
        parentheses = 2 if node.operands[0].kind != "leaf" and not is_bracket else 0
        return (3 if is_bracket else 1) + parentheses
    return 1 + 2 * any(e.kind != "leaf" for e in node.children)


def _leaf_cost(node: Leaf) -> int:
    if node.role is Role.COTANGENT:
        return COTANGENT_SYMBOLS
    if isinstance(node.value, Size) and node.role is Role.SIZE:
        return sum(len(monomial) + (abs(c) != 1) for monomial, c in node.value.terms) + len(node.value.terms) - 1
    if node.role is Role.NUMBER:
        assert isinstance(node.value, Fraction)
        return _number_cost(node.value)
    return 1


def _is_sign(c: Fraction) -> bool:
    """Whether a coefficient is 1 or -1."""
    return c.as_integer_ratio() in ((1, 1), (-1, 1))


def _number_cost(value: Fraction) -> int:
    return 1 if value.denominator == 1 else 2


def _contraction_cost(node: Contraction) -> int:
    parentheses = sum([2 for e in node.operands if isinstance(e, Linear) and len(e.terms) > 1])
    reading = read(node.indices, node.rank)
    if reading.pattern is Pattern.PRODUCT:
        vectors = [own for own in node.indices if own]
        if _is_diagonal(node):
            # diag(v) is v in one more word, which is what the identity has been counted as, and parentheses of its own.
            return parentheses if len(vectors) > 2 else 0
        scaled = sum(len(own) < node.rank for own in vectors)
        # diag(p)(I - A) is diag(p) - diag(p)A with a longer word for its first term.
        scaled += 2 * sum(_adds_identity(e) for e in node.operands) if scaled else 0
        return max(len(vectors) - 1, 0) + scaled + parentheses
    if reading.pattern is Pattern.BROADCAST:
        is_scalar = not node.operands[0].rank
        return 0 if is_scalar else 2
    if reading.pattern is Pattern.GENERAL:
        return INDEX_FORM + INDEX_OPERAND * len(node.operands) + parentheses
    return (reading.pattern is not Pattern.MATMUL) + parentheses


def _repeats_a_term(node: Linear) -> bool:
    """Whether a sum is ± an array ± the same array times something, entry by entry or by a scalar."""
    if len(node.terms) != 2 or not node.rank or not all(_is_sign(c) for c, _ in node.terms):
        return False
    a, b = node.children
    return any(
        isinstance(product, Contraction)
        and read(product.indices, product.rank).pattern is Pattern.PRODUCT
        and array in set(product.operands)
        for array, product in ((a, b), (b, a))
    )


def _adds_identity(e: Expr) -> bool:
    return isinstance(e, Linear) and any(isinstance(x, Leaf) and x.role is Role.IDENTITY for x in e.children)


def _is_diagonal(node: Contraction) -> bool:
    """Whether a product of vectors stands on the diagonal of a matrix: diag(v), and nothing else."""
    matrices = [e for e, own in zip(node.operands, node.indices, strict=True) if len(own) == 2]
    return node.rank == 2 and len(matrices) == 1 and isinstance(e := matrices[0], Leaf) and e.role is Role.IDENTITY
