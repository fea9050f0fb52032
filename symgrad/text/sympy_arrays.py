"""The arrays of a SymPy expression: names, ranks and sizes, found from the entries that occur and the sums around them."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sympy

from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Leaf, Role, contraction, leaf, size
from symgrad.graph.sizes import ONE, Size
from symgrad.text.axes import Index, Product, product_of

# An expression in an error message is cut to this length.
LONGEST_SHOWN = 60


def shown(node: Any) -> str:
    """An expression as an error message quotes it: one line, not too long."""
    text = " ".join(str(node).split())
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def name_of(symbol: Any, what: str) -> str:
    """The name of a symbol, an array or an index; it has to be one that Python takes for a variable."""
    if isinstance(symbol, sympy.Idx | sympy.IndexedBase):
        symbol = symbol.label
    if not isinstance(symbol, sympy.Symbol | sympy.MatrixSymbol):
        raise InputError(
            f"the {what} {shown(symbol)} is a {type(symbol).__name__}; give a Symbol, IndexedBase or MatrixSymbol"
        )
    name: str = symbol.name
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise InputError(f"the symbol {shown(repr(name))} cannot be an argument; give it a name of letters and digits")
    return name


def size_of(value: Any, what: str) -> Size:
    """A SymPy polynomial with whole coefficients as a size."""
    polynomial = sympy.expand(value)
    result = Size.constant(0)
    for term in sympy.Add.make_args(polynomial):
        c, rest = term.as_coeff_Mul()
        part = Size.constant(int(c)) if c.is_Integer else None
        for base, exponent in () if rest == 1 else rest.as_powers_dict().items():
            is_name = isinstance(base, sympy.Symbol) and exponent.is_Integer and exponent > 0
            if part is None or not is_name:
                part = None
                break
            for _ in range(int(exponent)):
                part = part * Size.symbol(name_of(base, "size"))
        if part is None:
            raise InputError(
                f"{what} has {shown(value)} values, which is no size; use whole numbers and symbols such as n"
            )
        result = result + part
    if result.value is not None and result.value < 1:
        raise InputError(f"{what} is empty; give it at least one value")
    return result


class Arrays:
    """The leaves of one SymPy expression, each name with one shape and one meaning."""

    def __init__(self, parameters: Collection[str], root: Any) -> None:
        self._parameters = set(parameters)
        self._sizes = _size_names(root)
        self._seen: dict[str, tuple[Size, ...]] = {}
        self._ranges: dict[tuple[str, int], Index] = {}

    def scalar(self, symbol: Any) -> Leaf:
        """The leaf of a symbol: a size where a sum ends at it, else a number of the user's."""
        name = name_of(symbol, "symbol")
        if name in self._sizes:
            if name in self._parameters:
                raise InputError(f"{name} is a parameter and the end of a range; rename one of them")
            return size(Size.symbol(name))
        return self._leaf(name, ())

    def array(self, symbol: Any, shape: tuple[Size, ...]) -> Leaf:
        """The leaf of a matrix."""
        return self._leaf(name_of(symbol, "array"), shape)

    def entry(self, node: Any, scope: Mapping[Any, Index]) -> Product:
        """x[i, j] under the sums over i and j."""
        base, given = (node.base, node.indices) if isinstance(node, sympy.Indexed) else (node.parent, (node.i, node.j))
        name = name_of(base, "array")
        if isinstance(base, sympy.MatrixSymbol):
            # A matrix of one column is a vector, as everywhere in this language.
            given = tuple(g for g, extent in zip(given, base.shape, strict=True) if not (extent == 1 and g == 0))
        indices = tuple(self._bound(there, scope, node) for there in given)
        for axis, i in enumerate(indices):
            old = self._ranges.setdefault((name, axis), i)
            if (old.size, old.start) != (i.size, i.start):
                raise InputError(
                    f"{shown(node)} runs over {_range(i)} here and over {_range(old)} elsewhere; give both sums one range"
                )
        shape = tuple(i.size for i in indices)
        _check_declared(node, base, shape)
        found = self._leaf(name, shape)
        return _diagonal(found, indices)

    def matched(self, own: Index | None, there: Any, scope: Mapping[Any, Index], node: Any) -> dict[Index, Index]:
        """The index of a sum in place of a matrix's own."""
        i = self._bound(there, scope, node)
        if own is None or own.size != i.size or i.start != 0:
            raise InputError(
                f"{shown(node)} runs over {_range(i)}, which is not the size of the matrix; count it from 0"
            )
        return {own: i}

    def _bound(self, there: Any, scope: Mapping[Any, Index], node: Any) -> Index:
        if there in scope:
            return scope[there]
        moved = sorted((str(s) for s in there.free_symbols & scope.keys()), key=str)
        if moved:
            raise InputError(
                f"{shown(node)} is shifted; index with {moved[0]} alone, and shift with sg.unfold or an array of its own"
            )
        if there.free_symbols:
            raise InputError(
                f"the loss is not a scalar, {shown(there)} in {shown(node)} is not summed over; put it inside sympy.Sum(…)"
            )
        raise InputError(f"{shown(node)} is a single entry; give it a Symbol of its own, or sum over its index")

    def _leaf(self, name: str, shape: tuple[Size, ...]) -> Leaf:
        old = self._seen.setdefault(name, shape)
        if old != shape:
            sizes = " and ".join(f"({', '.join(map(str, s))})" if s else "a number" for s in (old, shape))
            raise InputError(f"{name} is {sizes}; give two different arrays two names")
        if name in self._sizes:
            raise InputError(f"{name} is an array and the end of a range; rename one of them")
        return leaf(name, shape, Role.PARAMETER if name in self._parameters else Role.DATA)


def _diagonal(e: Expr, indices: Sequence[Index]) -> Product:
    """The array at its indices; an index that stands twice takes the diagonal."""
    once = tuple(dict.fromkeys(indices))
    return product_of(contraction([e], [[once.index(i) for i in indices]], tuple(i.size for i in once)), once)


def _range(i: Index) -> str:
    return f"{i.start} … {i.size + (i.start - 1)}"


def _check_declared(node: Any, base: Any, shape: tuple[Size, ...]) -> None:
    """The shape that an IndexedBase or a matrix was declared with against the ranges of its indices."""
    if base.shape is None:
        return
    declared = tuple(size_of(s, f"the shape of {shown(base)}") for s in base.shape)
    if isinstance(base, sympy.MatrixSymbol):
        declared = tuple(s for s in declared if s != ONE)
    if declared != shape:
        sizes = ["(" + ", ".join(map(str, s)) + ")" for s in (declared, shape)]
        raise InputError(f"{shown(node)}: the shape is {sizes[0]}, the ranges are {sizes[1]}; make them agree")


def _size_names(root: Any) -> set[str]:
    """The names in limits of sums and in shapes."""
    found: set[Any] = set()
    for node in sympy.preorder_traversal(root):
        if isinstance(node, sympy.Sum):
            found |= {s for limits in node.limits for bound in limits[1:] for s in bound.free_symbols}
        elif isinstance(node, sympy.MatrixSymbol) or (isinstance(node, sympy.IndexedBase) and node.shape is not None):
            found |= {s for extent in node.shape for s in extent.free_symbols}
    indices = {limits[0] for node in root.atoms(sympy.Sum) for limits in node.limits}
    crossed = sorted(map(str, found & indices))
    if crossed:
        raise InputError(f"the end of a range is the index {crossed[0]} of another sum; let every range end at a size")
    return {name_of(s, "size") for s in found}
