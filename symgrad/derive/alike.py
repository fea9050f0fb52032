"""What stays of expressions without the numbers in their names, and the numbers: two layers of a net are alike.

H2 @ W3 + b3 and H3 @ W4 + b4 have the same form, with the numbers (2, 3, 3) and (3, 4, 4). Sizes count as names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    Shape,
    apply,
    contraction,
    elementwise,
    identity,
    leaf,
    linear,
    parameter_key,
    size,
)
from symgrad.graph.numbered import Place, split_number, symbolic
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

# The state before the first step is given, the others are computed: what is said of them is the same.
ARRAYS = frozenset({Role.DATA, Role.PARAMETER, Role.INTERMEDIATE})

Name = Leaf | str  # a size is a name too, without a shape


@dataclass(frozen=True, slots=True)
class Form:
    """Expressions but for the numbers in their names: equal keys, equal form; the numbered names in order, with numbers."""

    key: tuple[object, ...]
    names: tuple[Name, ...]
    numbers: tuple[int, ...]


@dataclass(slots=True)
class _Reader:
    """Names get the number of their first occurrence: the same name is the same place in every form."""

    is_numbered: bool
    places: dict[Name, int] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)

    def name(self, own: Name) -> object:
        """The name as the form has it: without its number."""
        text = own if isinstance(own, str) else own.name
        found = split_number(text) if self.is_numbered else ("", 0)
        if found is None:
            return text
        if own not in self.places:
            self.places[own] = len(self.names)
            self.names.append(own)
            self.numbers.append(found[1])
        return found[0], self.places[own]

    def size(self, s: Size) -> object:
        return tuple((c, tuple((self.name(name), power) for name, power in monomial)) for monomial, c in s.terms)

    def node(self, e: Expr, order: Mapping[Expr, int]) -> object:
        if isinstance(e, Leaf):
            # The name comes before the sizes: the first number of an equation is that of what it defines.
            name = self.name(e) if e.role not in CONSTANT_ROLES else ""
            own = self.size(e.value) if isinstance(e.value, Size) else e.value
            role = "array" if e.role in ARRAYS and self.is_numbered else e.role
            return role, name, own, tuple(sorted(e.facts)), tuple(map(self.size, e.shape))
        shape = tuple(map(self.size, e.shape))
        below = tuple(order[child] for child in e.children)
        if isinstance(e, Linear):
            return e.kind, tuple(c for c, _ in e.terms), below, shape
        if isinstance(e, Contraction):
            return e.kind, e.indices, below, shape
        if isinstance(e, Elementwise):
            return e.kind, e.function, parameter_key(e.parameter), below, shape
        assert isinstance(e, Apply)
        options = tuple((key, _over_sizes(value, self.size)) for key, value in e.options)
        return e.kind, e.primitive, options, below, shape


def _over_sizes(option: object, f: Callable[[Size], object]) -> object:
    """An option with f of the sizes in it."""
    if isinstance(option, tuple):
        return tuple(_over_sizes(item, f) for item in option)
    return f(option) if isinstance(option, Size) else option


def form_of(roots: Sequence[Expr], more: object = (), *, is_numbered: bool = True) -> Form:
    """The form of several expressions together; `more` is anything else that must be equal.

    Without `is_numbered` no name counts at all: the form is that of all expressions that differ in names only.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> a, b = (form_of([data(f"x{k}", n) * data("y", n)]) for k in (1, 2))
    >>> a.key == b.key, a.numbers, b.numbers
    (True, (1,), (2,))
    """
    reader, order = _Reader(is_numbered), dict[Expr, int]()
    rows = []
    for node in postorder(roots):
        rows.append(reader.node(node, order))
        order[node] = len(order)
    key = (tuple(rows), tuple(order[root] for root in roots), more)
    return Form(key, tuple(reader.names), tuple(reader.numbers))


@dataclass(frozen=True, slots=True)
class Renaming:
    """What number each numbered name gets; the others stay."""

    places: Mapping[Name, Place]

    def text(self, own: Name) -> str:
        """The new name."""
        text = own if isinstance(own, str) else own.name
        found = split_number(text)
        return symbolic(found[0], self.places[own]) if found is not None and own in self.places else text

    def size(self, s: Size) -> Size:
        """The size over the new names."""
        total = Size.constant(0)
        for monomial, c in s.terms:
            product = Size.constant(c)
            for name, power in monomial:
                for _ in range(power):
                    product = product * Size.symbol(self.text(name))
            total = total + product
        return total

    def shape(self, shape: Shape) -> Shape:
        """The shape over the new names."""
        return tuple(map(self.size, shape))

    def leaf(self, e: Leaf) -> Leaf:
        """The leaf under its new name."""
        if e.role is Role.NUMBER:
            return e
        if isinstance(e.value, Size) and e.role is Role.SIZE:
            renamed = size(self.size(e.value))
            return renamed
        if e.role is Role.IDENTITY:
            kept = identity(self.size(e.shape[0]))
            return kept
        value = self.size(e.value) if isinstance(e.value, Size) else e.value
        return leaf(self.text(e), self.shape(e.shape), e.role, facts=e.facts, about=e.about, value=value)

    def expression(self, root: Expr) -> Expr:
        """The expression over the new names, otherwise as it was."""
        new: dict[Expr, Expr] = {}
        for node in postorder([root]):
            new[node] = self._node(node, [new[child] for child in node.children])
        return new[root]

    def _node(self, e: Expr, children: Sequence[Expr]) -> Expr:
        shape = self.shape(e.shape)
        if isinstance(e, Leaf):
            return self.leaf(e)
        if isinstance(e, Linear):
            return linear([(c, child) for (c, _), child in zip(e.terms, children, strict=True)])
        if isinstance(e, Contraction):
            return contraction(children, e.indices, shape)
        if isinstance(e, Elementwise):
            return elementwise(e.function, *children, parameter=e.parameter)
        assert isinstance(e, Apply)
        options = tuple((key, _over_sizes(value, self.size)) for key, value in e.options)
        return apply(e.primitive, children, options, shape)
