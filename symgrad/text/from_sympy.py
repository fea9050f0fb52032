"""A SymPy expression → the same scalar in the expression graph.

Symbols are scalars, `IndexedBase` entries under `Sum` are arrays with sizes named by the limits, a `MatrixSymbol` is a
matrix. Every node is read by its type; nothing is evaluated, and no text becomes SymPy here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanFalse, BooleanTrue
from sympy.matrices.expressions.matexpr import MatrixElement

from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Leaf, add, coerce, elementwise, multiply, number, power, size
from symgrad.graph.sizes import Size
from symgrad.primitives.language import eye
from symgrad.primitives.matrices import DET
from symgrad.text.axes import Index, Product, added, at, easiest, product_of, summed, whole
from symgrad.text.sympy_arrays import Arrays, name_of, shown, size_of
from symgrad.text.sympy_matrices import Matrix, is_matrix, joined, matrix, square

# SymPy's name of a function, and ours.
FUNCTIONS: Mapping[Any, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.Abs: "absolute",
    sympy.sign: "sign",
}
# a < b is b > a.
RELATIONS: Mapping[Any, tuple[str, bool]] = {
    sympy.StrictGreaterThan: ("greater", False),
    sympy.GreaterThan: ("greater_equal", False),
    sympy.StrictLessThan: ("greater", True),
    sympy.LessThan: ("greater_equal", True),
    sympy.Equality: ("equal", False),
}
# Their derivatives are no functions; a Piecewise says which value a step has where.
REFUSED = (sympy.Heaviside, sympy.DiracDelta)
Scope = Mapping[Any, Index]
Value = Product | Matrix


def from_sympy(expression: Any, parameters: Sequence[Any]) -> Expr:
    """The scalar expression; what is among `parameters` is differentiated by, everything else is data.

    >>> x, w = sympy.symbols("x w")
    >>> str(from_sympy((w * x - 1) ** 2 / 2, [w]))
    '(w * x - 1)**2 / 2'
    >>> X, y, w = map(sympy.IndexedBase, "Xyw")
    >>> i, j, n, d = sympy.symbols("i j n d", integer=True)
    >>> r = sympy.Sum(X[i, j] * w[j], (j, 1, d)) - y[i]
    >>> str(from_sympy(sympy.Sum(r**2, (i, 1, n)) / n, [w]))
    'sum((X @ w - y)**2) / n'
    """
    if not isinstance(expression, sympy.Expr):
        raise InputError(f"the loss is a {type(expression).__name__}; assign an expression to it")
    reader = _Reader(Arrays({name_of(p, "parameter") for p in parameters}, expression))
    value = reader.read(expression)
    product = value.product if isinstance(value, Matrix) else value
    if product.indices:
        names = " and ".join(i.name for i in product.indices)
        raise InputError(f"the loss is not a scalar, {names} is not summed over; put it inside sympy.Sum(…)")
    return whole(product).expr


def children_of(node: Any, scope: Scope) -> list[tuple[Any, Scope]]:
    """What a node is made of, each part with the indices that it may hold."""
    if isinstance(node, sympy.Indexed | MatrixElement | sympy.KroneckerDelta) and not _is_matrix_entry(node):
        return []
    if isinstance(node, MatrixElement):
        return [(node.parent, scope)]
    if isinstance(node, sympy.Sum):
        return [(node.function, _scope_of(node, scope))]
    if isinstance(node, sympy.Piecewise):
        return [(part, scope) for pair in node.args for part in (pair.expr, pair.cond)]
    if isinstance(node, sympy.MatPow):
        return [(node.base, scope)]
    if isinstance(node, sympy.MatrixSymbol | sympy.Identity | sympy.ZeroMatrix | sympy.matrices.OneMatrix):
        return []
    if isinstance(node, sympy.Add | sympy.Mul):
        return [(a, scope) for a in _written(node)]
    if any(isinstance(a, sympy.Tuple) for a in node.args) or isinstance(node, REFUSED):
        raise _not_understood(node)
    return [(a, scope) for a in node.args]


def _not_understood(node: Any) -> InputError:
    what = f"{shown(node)} ({type(node).__name__})"
    return InputError(f"{what} is not understood in a SymPy loss; use symbols and functions of them, Sum and Piecewise")


def _real(symbol: Any) -> Any:
    """A symbol that stands for a real number: products of what does not commute are others, and so are complex derivatives."""
    if not symbol.is_commutative or symbol.is_real is False:
        what = "imaginary" if symbol.is_commutative else "not to commute"
        raise InputError(f"{shown(symbol)} is declared {what}; a symbol is a real number here, declare it without")
    return symbol


def _is_matrix_entry(node: Any) -> bool:
    return isinstance(node, MatrixElement) and not isinstance(node.parent, sympy.MatrixSymbol)


def _scope_of(node: Any, scope: Scope) -> Scope:
    inner = dict(scope)
    for limits in node.limits:
        inner[limits[0]] = _index(node, limits)
    return inner


def _index(node: Any, limits: Any) -> Index:
    i, low, high = limits
    if low not in (0, 1):
        raise InputError(f"the sum over {shown(i)} begins at {shown(low)}; let it begin at 0 or 1")
    return Index(str(i), size_of(high - low + 1, f"the range of {shown(i)}, {low} … {shown(high)},"), int(low))


class _Reader:
    """One reading: what every node has become, each under the indices that are in reach of it."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.known: dict[Any, Value] = {}

    def read(self, root: Any) -> Value:
        """The value of an expression, its parts first."""
        stack: list[tuple[Any, Scope, list[tuple[Any, Scope]] | None]] = [(root, {}, None)]
        while stack:
            node, scope, parts = stack.pop()
            key = _key(node, scope)
            if key in self.known:
                continue
            if parts is None:
                parts = children_of(node, scope)
                stack.append((node, scope, parts))
                stack += [(child, inner, None) for child, inner in reversed(parts)]
            else:
                inner = parts[0][1] if isinstance(node, sympy.Sum) else scope
                self.known[key] = self._value(node, inner, [self.known[_key(c, s)] for c, s in parts])
        return self.known[_key(root, {})]

    def _value(self, node: Any, scope: Scope, parts: list[Value]) -> Value:
        if isinstance(node, MatrixElement) and parts:
            return self._entry(node, scope, parts[0])
        if is_matrix(node):
            return matrix(node, parts, self.arrays)
        if isinstance(node, sympy.Trace | sympy.Determinant):
            return _of_matrix(node, parts[0])
        scalars = [_scalar(p, node) for p in parts]
        if isinstance(node, sympy.Sum):
            return _sum(node, scope, scalars[0])
        if isinstance(node, sympy.Indexed | MatrixElement):
            return self.arrays.entry(node, scope)
        if isinstance(node, sympy.KroneckerDelta):
            return _delta(node, scope)
        return self._of_numbers(node, scope, scalars)

    def _of_numbers(self, node: Any, scope: Scope, parts: list[Product]) -> Product:
        if isinstance(node, sympy.Symbol | sympy.Idx):
            if node in scope:
                raise InputError(
                    f"the index {shown(node)} stands outside brackets; put the numbers that it stands for into an array"
                )
            return product_of(self.arrays.scalar(_real(node)))
        if isinstance(node, sympy.Rational):
            return product_of(number(Fraction(int(node.p), int(node.q))))
        if isinstance(node, sympy.Float):
            return product_of(number(Fraction(str(node))))
        if isinstance(node, sympy.Add):
            return added(parts)
        if isinstance(node, sympy.Mul):
            return _times(node, parts)
        if isinstance(node, sympy.Piecewise):
            return _cases(node, parts)
        return _function(node, parts)

    def _entry(self, node: Any, scope: Scope, value: Value) -> Product:
        """An entry of a matrix expression: the number that a 1 × 1 matrix is, or the entry at indices of sums."""
        assert isinstance(value, Matrix)
        names: dict[Index, Index] = {}
        for own, there in ((value.row, node.i), (value.column, node.j)):
            if own is None and there == 0:
                continue
            names |= self.arrays.matched(own, there, scope, node)
        return value.product.renamed(names)


def _key(node: Any, scope: Scope) -> Any:
    held = tuple((s, i) for s, i in scope.items() if node.has(s)) if scope else ()
    return node, held


def _scalar(value: Value, node: Any) -> Product:
    if isinstance(value, Product):
        return value
    if value.row is None and value.column is None:
        return value.product
    raise InputError(f"{shown(node)} takes the number of a matrix; use Trace, Determinant or an entry of it")


def _written(node: Any) -> Sequence[Any]:
    """The arguments in the order in which SymPy prints them, so that pages do not depend on hashes."""
    if isinstance(node, sympy.MatAdd):
        # P u - z, not -z + P u.
        return tuple(
            sorted(node.args, key=lambda a: isinstance(a, sympy.MatMul) and a.as_coeff_matrices()[0].is_negative)
        )
    if isinstance(node, sympy.MatMul):
        return tuple(node.args)
    if isinstance(node, sympy.Mul):
        return tuple(node.as_ordered_factors())
    ordered = list(node.as_ordered_terms())
    if not any(term.is_number for term in ordered):
        # X w + b - y: sums are what models begin with.
        ordered.sort(key=lambda term: not term.has(sympy.Sum))
    # 1 - m, not -m + 1.
    first = next((k for k, term in enumerate(ordered) if not term.could_extract_minus_sign()), 0)
    return (ordered[first], *ordered[:first], *ordered[first + 1 :])


def _sum(node: Any, scope: Scope, body: Product) -> Product:
    pending = [scope[limits[0]] for limits in node.limits]
    while pending:
        i = easiest(body, pending)
        pending.remove(i)
        body = summed(body, i)
    return body


def _times(node: Any, parts: list[Product]) -> Product:
    """Numbers first, what is divided by last: Σ/n."""
    pairs = list(zip(_written(node), parts, strict=True))
    pairs = _with_denominators(pairs)
    below = [p for a, p in pairs if a.is_Pow and a.exp.is_number and a.exp.is_negative]
    above = [p for _, p in pairs if not any(p is q for q in below)]
    return Product(tuple(f for p in (*above, *below) for f in p.factors))


def _with_denominators(pairs: list[tuple[Any, Product]]) -> list[tuple[Any, Product]]:
    """(1/2)(1/n) as 1/(2 n), which is how it is written: a number's denominator goes to a size's."""
    rational = next((a for a, _ in pairs if isinstance(a, sympy.Rational) and a.q != 1), None)
    below = next((a for a, p in pairs if a.is_Pow and a.exp == -1 and _size(p) is not None), None)
    if rational is None or below is None:
        return pairs
    changed = {rational: product_of(number(int(rational.p)))}
    for a, p in pairs:
        if a is below and (n := _size(p)) is not None:
            changed[a] = product_of(power(size(n * int(rational.q)), -1))
    return [(a, changed.get(a, p)) for a, p in pairs]


def _size(product: Product) -> Size | None:
    """n, where a product is 1/n for a size n."""
    e = product.factors[0].expr
    inside = e.children[0] if e.kind == "elementwise" else None
    return inside.value if isinstance(inside, Leaf) and isinstance(inside.value, Size) else None


def _delta(node: Any, scope: Scope) -> Product:
    i, j = node.args[:2]
    if i not in scope or j not in scope or scope[i].size != scope[j].size or scope[i].start != scope[j].start:
        raise InputError(
            f"{shown(node)} is read only between two indices that are summed over the same range; write it so"
        )
    return product_of(eye(size(scope[i].size)), (scope[i], scope[j]))


def _of_matrix(node: Any, value: Value) -> Product:
    e = square(value, node)
    return product_of(DET(e) if isinstance(node, sympy.Determinant) else joined(e))


def _broadcast(parts: Sequence[Product]) -> tuple[list[Expr], tuple[Index, ...]]:
    """The operands of a function, their axes aligned, and the indices of its result."""
    wholes = [whole(p) for p in parts]
    order = Product(tuple(wholes)).indices
    return [at(f, order) for f in wholes], order


def _function(node: Any, parts: list[Product]) -> Product:
    operands, order = _broadcast(parts)
    if isinstance(node, sympy.Pow):
        return product_of(power(*operands), order)
    if isinstance(node, sympy.exp):
        return product_of(elementwise("exp", *operands), order)
    if node.func in FUNCTIONS and len(operands) == 1:
        return product_of(elementwise(FUNCTIONS[node.func], *operands), order)
    if node.func in RELATIONS:
        name, is_turned = RELATIONS[node.func]
        return product_of(elementwise(name, *(operands[::-1] if is_turned else operands)), order)
    if isinstance(node, BooleanTrue | BooleanFalse):
        return product_of(number(int(bool(node))))
    if isinstance(node, sympy.And | sympy.Or | sympy.Not):
        return product_of(_logic(node, operands), order)
    if isinstance(node, sympy.Max | sympy.Min):
        return product_of(_extremum(node, operands), order)
    if isinstance(node, sympy.NumberSymbol) or (
        isinstance(node, sympy.Function) and not isinstance(node, AppliedUndef)
    ):
        return product_of(_as_whole(node, operands), order)
    raise _not_understood(node)


def _logic(node: Any, operands: Sequence[Expr]) -> Expr:
    """Conditions as numbers: `and` is their product, `not` is 1 - c, and `or` is not (not a and not b)."""
    is_or = isinstance(node, sympy.Or)
    result: Expr = number(1)
    for e in operands:
        result = multiply(result, add(1, e, -1) if is_or or isinstance(node, sympy.Not) else e)
    return add(1, result, -1) if is_or else result


def _extremum(node: Any, operands: Sequence[Expr]) -> Expr:
    name = "maximum" if isinstance(node, sympy.Max) else "minimum"
    given = dict(zip(node.args, operands, strict=True))
    first, *others = sorted(node.args, key=sympy.default_sort_key)
    result: Expr = given[first]
    for a in others:
        result = elementwise(name, result, given[a])
    return result


def _cases(node: Any, parts: list[Product]) -> Product:
    if not isinstance(node.args[-1].cond, BooleanTrue):
        raise InputError(f"{shown(node)} has no value where none of its conditions holds; end it with (…, True)")
    operands, order = _broadcast(parts)
    result = operands[-2]
    for value, condition in reversed(list(zip(operands[:-2:2], operands[1:-2:2], strict=True))):
        result = elementwise("where", condition, value, result)
    return product_of(result, order)


def _as_whole(node: Any, operands: Sequence[Expr]) -> Expr:
    """A function without an entry of its own, kept as SymPy's: its derivative is SymPy's too."""
    varying = [k for k, a in enumerate(node.args) if a.free_symbols]
    symbols = {k: sympy.Symbol(f"u{place}", real=True) for place, k in enumerate(varying)}
    if not symbols:
        raise InputError(
            f"the constant {shown(node)} has no exact rational value; pass it as data or as a hyperparameter"
        )
    body = node.func(*(symbols.get(k, a) for k, a in enumerate(node.args)))
    function = sympy.Lambda(tuple(symbols.values()), body)
    return elementwise("scalar", *(coerce(operands[k]) for k in varying), parameter=function)
