"""Data by name → the arrays that a loss takes: columns bound, labels encoded, sizes found, examples told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import Leaf, Role
from symgrad.graph.show import show_shape
from symgrad.graph.sizes import Size
from symgrad.records import dataclass
from symgrad.tables import Table, encode, read_table
from symgrad.tables.encode import Label

Array = Any
Columns = str | Sequence[str]

CODED = {"sign": (-1, 1), "binary": (0, 1)}


@dataclass(frozen=True, slots=True)
class Bound:
    """The arrays of all data, the classes of those that were labels, every size that they tell.

    `axes` has, for the data that hold examples, the axis along which these lie; `examples` is the size of that axis.
    """

    arrays: Mapping[str, Array]
    classes: Mapping[str, tuple[Label, ...]]
    sizes: Mapping[str, int]
    examples: str | None
    axes: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many examples there are."""
        return self.sizes[self.examples] if self.examples else 0

    def rows(self, chosen: Array) -> dict[str, Array]:
        """The arrays with the chosen examples only."""
        taken = {name: np.take(self.arrays[name], chosen, axis=k) for name, k in self.axes.items()}
        return {**self.arrays, **taken}


def class_fact(leaf: Leaf) -> str | None:
    """How classes are written in these data, or None where they hold no classes."""
    if leaf.role is Role.LABELS:
        return "labels"
    return next((fact for fact in ("one_hot", "sign", "binary") if fact in leaf.facts), None)


def bind(leaves: Sequence[Leaf], values: Mapping[str, Any], sizes: Mapping[str, int]) -> Bound:
    """The arrays for the data among `leaves`; `sizes` gives those that no array tells.

    >>> from symgrad.primitives.language import data, dims
    >>> n, k = dims("n k")
    >>> bound = bind([data("Y", n, k, one_hot=True)], {"Y": ["b", "a", "b"]}, {})
    >>> bound.arrays["Y"][0], bound.classes, bound.sizes
    (array([0., 1.]), {'Y': ('a', 'b')}, {'n': 3, 'k': 2})
    """
    wanted = data_of(leaves)
    _check_names(values, wanted, leaves)
    missing = [e.name for e in wanted if e.name not in values]
    if missing:
        raise InputError(f"nothing is given for {', '.join(missing)}; the data are {', '.join(e.name for e in wanted)}")
    arrays: dict[str, Array] = {}
    classes: dict[str, tuple[Label, ...]] = {}
    for leaf in wanted:
        arrays[leaf.name], found = _array(leaf, values[leaf.name])
        if found:
            classes[leaf.name] = found
    examples = examples_of(leaves)
    axes = {e.name: k for e in wanted if (k := axis_of(e, examples)) is not None}
    return Bound(arrays, classes, _sizes(wanted, arrays, classes, sizes), examples, axes)


def data_of(leaves: Sequence[Leaf]) -> list[Leaf]:
    """The data and labels."""
    return [leaf for leaf in leaves if leaf.role in (Role.DATA, Role.LABELS)]


def examples_of(leaves: Sequence[Leaf]) -> str | None:
    """The size that counts the examples: of the sizes in no parameter's shape, that of most data (axis 0 before others).

    >>> from symgrad.primitives.language import data, dims, parameter
    >>> n, d = dims("n d")
    >>> examples_of([data("X", d, n), data("y", n), parameter("w", d)])
    'n'
    """
    fixed = {name for e in leaves if e.role is Role.PARAMETER for size in e.shape for name in size.names}
    uses: Counter[str] = Counter()
    for leaf in data_of(leaves):
        for axis, size in enumerate(leaf.shape):
            if size.is_name and size.names[0] not in fixed:
                uses[size.names[0]] += 1000 if axis == 0 else 999
    return uses.most_common(1)[0][0] if uses else None


def axis_of(leaf: Leaf, examples: str | None) -> int | None:
    """The axis along which a leaf holds examples, or None where it holds none (or holds pairs of them)."""
    names = [size.names[0] if size.is_name else "" for size in leaf.shape]
    return names.index(examples) if examples and names.count(examples) == 1 else None


def table_of(source: Mapping[str, Any] | Table | str | None) -> Table | None:
    """The table that data come from: of a path the file's, None for arrays."""
    if isinstance(source, str | PathLike):
        return read_table(source)
    return source if isinstance(source, Table) else None


def from_source(
    leaves: Sequence[Leaf],
    source: Mapping[str, Any] | Table | None,
    columns: Mapping[str, Columns] | None,
    arrays: Mapping[str, Any],
) -> dict[str, Any]:
    """The values of all data by name: from a mapping, from keywords, or from the columns of a table or CSV file.

    Arrays may stand beside a table, for the data that are no columns.
    """
    if not isinstance(source, Table):
        if columns:
            raise InputError("columns are bound but there is no table; give the path of a CSV file as the data")
        return {**(source or {}), **arrays}
    rest = [leaf for leaf in leaves if leaf.name not in arrays]
    return {**from_table(rest, source, columns or {}), **arrays}


def from_table(leaves: Sequence[Leaf], table: Table, columns: Mapping[str, Columns]) -> dict[str, Any]:
    """The columns bound to each name, a vector by its own name where a column has it; labels stay as they are written.

    Raises `InputError` for data to which nothing is bound, with the words to write.
    """
    wanted = data_of(leaves)
    _check_names(columns, wanted, leaves)
    chosen = columns_of(leaves, table, columns)
    missing = [e for e in wanted if e.name not in chosen and e.rank > 0]
    if missing:
        raise InputError(_unbound(missing, table))
    examples = examples_of(leaves) or _first_axis(wanted)
    return {e.name: _from_columns(e, table, chosen[e.name], examples) for e in wanted if e.name in chosen}


def columns_of(leaves: Sequence[Leaf], table: Table, columns: Mapping[str, Columns]) -> dict[str, tuple[str, ...]]:
    """The names of the columns for each of the data: those bound to it, else the one of its own name."""
    own = {e.name: [e.name] for e in data_of(leaves) if e.name in table.names and (e.rank == 1 or class_fact(e))}
    return {name: table.select(chosen) for name, chosen in {**own, **columns}.items()}


def _first_axis(wanted: Sequence[Leaf]) -> str | None:
    return next((e.shape[0].names[0] for e in wanted if e.rank and e.shape[0].is_name), None)


def _from_columns(leaf: Leaf, table: Table, names: Sequence[str], examples: str | None) -> Array:
    axis = axis_of(leaf, examples)
    if axis is None or leaf.rank > 2:
        rows = f"with the examples ({examples}) along one axis" if examples else "with an axis of examples"
        raise InputError(f"{leaf.name} has shape {show_shape(leaf.shape)}; columns fill a vector or a matrix {rows}")
    if len(names) == 1 and class_fact(leaf):
        return table.column(names[0])
    if leaf.rank == 1:
        if len(names) > 1:
            raise InputError(f"{leaf.name} is a vector, {len(names)} columns are bound to it; bind one")
        # `numbers` says where a cell is no number; `column` would hand out its text.
        return table.numbers(names)[:, 0]
    matrix = table.numbers(names)
    declared = leaf.shape[1 - axis].value
    if declared is not None and declared != len(names):
        raise ShapeError(f"{leaf.name} has {declared} columns, {len(names)} are bound to it; bind {declared}")
    return matrix if axis == 0 else matrix.T


def _unbound(missing: Sequence[Leaf], table: Table) -> str:
    """What to write, as an example with columns of this table."""
    names = table.names
    first, last = _quoted(names[0]), _quoted(names[-1])
    before = f"{first}:{_quoted(names[-2])}" if len(names) > 2 else first
    shown = [f"{e.name}={last if e.rank == 1 or class_fact(e) else before}" for e in missing]
    what = " and ".join(e.name for e in missing)
    columns = ", ".join(map(_quoted, names[:20])) + (", …" if len(names) > 20 else "")
    options = " ".join(f"--bind {text}" for text in shown)
    return f"no columns are bound to {what}; write for example {options} (the columns of {table.source}: {columns})"


def _quoted(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _check_names(values: Mapping[str, Any], wanted: Sequence[Leaf], leaves: Sequence[Leaf]) -> None:
    known = {e.name for e in wanted}
    roles = {e.name: e.role.value for e in leaves}
    for name in values:
        if name not in known:
            what = f"{name} is a {roles[name]}, not data" if name in roles else f"the model has no data {name!r}"
            raise InputError(f"{what}; its data are {', '.join(sorted(known)) or 'none'}")


def _array(leaf: Leaf, value: Any) -> tuple[Array, tuple[Label, ...]]:
    """The array of a leaf, and its classes where it holds labels."""
    fact = class_fact(leaf)
    array = np.asarray(value)
    if fact in ("one_hot", "labels") and array.ndim == leaf.rank - (fact == "one_hot") and leaf.rank <= 2:
        return _encoded(leaf, value, fact)
    if fact in CODED and array.ndim == leaf.rank == 1:
        if array.dtype.kind in "fiub" and np.isin(array, CODED[fact]).all():
            return _floating(array), CODED[fact]
        return _encoded(leaf, value, fact)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{leaf.name} holds {array.dtype.name} values; give it numbers")
    if array.ndim != leaf.rank:
        raise ShapeError(
            f"{leaf.name} has shape {array.shape}, declared {show_shape(leaf.shape)}; give it {leaf.rank} axes"
        )
    if not np.isfinite(array).all():
        place = ", ".join(str(int(i)) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{leaf.name}[{place}] is not finite; fill it in, or leave its row out")
    if fact == "one_hot" and leaf.rank == 2:
        codes, classes = _encoded(leaf, array, fact)
        return codes.astype(_floating(array).dtype), classes
    return _floating(array), ()


def _encoded(leaf: Leaf, value: Any, fact: str) -> tuple[Array, tuple[Label, ...]]:
    try:
        found = encode(value, fact)
    except InputError as e:
        raise type(e)(f"{leaf.name}: {e}") from None
    return found.array, found.classes


def _floating(array: Array) -> Array:
    """Floats as they are, so that float32 stays float32; whole numbers and truth values as float64."""
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _sizes(
    wanted: Sequence[Leaf],
    arrays: Mapping[str, Array],
    classes: Mapping[str, tuple[Label, ...]],
    given: Mapping[str, int],
) -> dict[str, int]:
    """Every size that an array or the user tells; two that disagree are an error that names both."""
    found: dict[str, int] = {}
    origin: dict[str, str] = {}

    def tell(size: Size, length: int, who: str) -> None:
        if size.is_name:
            name = size.names[0]
            if found.setdefault(name, length) != length:
                known = f"{origin[name]} says {name} = {found[name]}"
                raise ShapeError(f"{who} says {name} = {length}, but {known}; give both the same size")
            origin.setdefault(name, who)
        elif size.value is not None and size.value != length:
            raise ShapeError(f"{who} has {length} entries along an axis declared {size}; give it {size}")

    for leaf in wanted:
        for size, length in zip(leaf.shape, arrays[leaf.name].shape, strict=True):
            tell(size, length, leaf.name)
        if leaf.role is Role.LABELS and isinstance(leaf.value, Size):
            tell(leaf.value, len(classes[leaf.name]), leaf.name)
    for name, length in given.items():
        if length < 1:
            raise InputError(f"the size {name} is {length}; give a whole number from 1")
        tell(Size.symbol(name), length, "the given size")
    return found
