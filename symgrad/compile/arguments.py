"""The arguments of compiled functions: which leaves, in which order, and the sizes that have to be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from symgrad.compile.names import checked_argument
from symgrad.derive.derivation import Derivation
from symgrad.errors import InputError
from symgrad.graph.expression import CONSTANT_ROLES, Apply, Expr, Leaf, Role, sizes_of
from symgrad.graph.sizes import Size
from symgrad.records import dataclass

ORDER = (Role.DATA, Role.LABELS, Role.PARAMETER, Role.HYPERPARAMETER)


@dataclass(frozen=True, slots=True)
class Argument:
    """An array with its declared shape, a hyperparameter with its default, or a size (its role is "size")."""

    name: str
    role: str
    shape: tuple[str, ...] = ()
    default: float | None = None
    about: str = ""

    @property
    def is_array(self) -> bool:
        """Whether an array is passed, rather than a number by keyword."""
        return self.role not in ("hyperparameter", "size")


def leaves_of(nodes: Iterable[Expr], derivation: Derivation) -> list[Leaf]:
    """The leaves among the nodes of expressions: data, labels, parameters, hyperparameters, each in order."""
    found = [e for e in nodes if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    place = {leaf: k for k, leaf in enumerate([*derivation.leaves, *derivation.parameters, *found][::-1])}
    unknown = [leaf.name for leaf in found if leaf.role not in ORDER]
    if unknown:
        raise InputError(f"{unknown[0]} is used but never defined; define it in a forward equation")
    return sorted(dict.fromkeys(found), key=lambda leaf: (ORDER.index(leaf.role), -place[leaf]))


def sizes_in(nodes: Iterable[Expr]) -> list[str]:
    """The names of all sizes in the shapes and formulas of these nodes, in order of first use."""
    sizes: dict[Size, None] = {}
    for e in nodes:
        # All that most hold is in their shapes.
        has_others = isinstance(e, Apply) or (isinstance(e, Leaf) and e.value is not None)
        for size in sizes_of(e) if has_others else e.shape:
            sizes[size] = None
    return list(dict.fromkeys(name for size in sizes for name in size.names))


def arguments_of(leaves: Sequence[Leaf], sizes: Sequence[str]) -> tuple[Argument, ...]:
    """The arguments for these leaves, and for the sizes that no array tells.

    >>> from symgrad.primitives.language import data, dims
    >>> [a.name for a in arguments_of([data("X", dims("n"), 3)], ["n", "m"])]
    ['X', 'm']
    """
    told = {str(size) for size in {size for leaf in leaves for size in leaf.shape} if size.is_name}
    found = [_argument(leaf) for leaf in leaves]
    found += [Argument(checked_argument(name), "size") for name in sizes if name not in told]
    seen: set[str] = set()
    for a in found:
        if a.name in seen:
            raise InputError(f"two arguments are called {a.name}; rename one")
        seen.add(a.name)
    return tuple(found)


def _argument(leaf: Leaf) -> Argument:
    default = float(leaf.value) if leaf.role is Role.HYPERPARAMETER and isinstance(leaf.value, Fraction) else None
    shape = tuple(str(size) for size in leaf.shape)
    return Argument(checked_argument(leaf.name), leaf.role.value, shape, default, leaf.about.en)
