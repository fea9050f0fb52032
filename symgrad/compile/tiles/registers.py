"""Blocks of a matrix product that stay in the processor's registers while the sums run: what LLVM does not find by itself.

numba's loops are vectorised one at a time, so that a product of matrices reads and writes its sums in memory at every step.
Here up to twelve vectors of sums are held at once, as BLAS holds them; but nothing is copied first, which takes BLAS longer
than the product itself where one matrix has few rows. Written in LLVM's language, for vectors as long as the processor's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _lanes() -> int:
    """How many doubles a vector of this processor holds; four where it does not tell, which run on any."""
    try:
        return 8 if get_host_cpu_features().get("avx512f") else 4
    except RuntimeError:
        return 4


LANES = _lanes()
# Bytes that come from memory together.
CACHE_LINE = 64
REAL_BYTES = 8
# The axis whose entries are neighbours, by numba's name of a layout.
LAST = {"C": 1, "F": 0}
INT, REAL = ir.IntType(64), ir.DoubleType()
VECTOR = ir.VectorType(REAL, LANES)
ZERO = ir.Constant(VECTOR, [0.0] * LANES)
# Of a sum, so many steps are a turn, in which one line is fetched.
STEPS = 3
# Where a fetched line goes: into the second cache, since the first is small.
SECOND_CACHE = 2
# The rows of one matrix that a block of sums belongs to; with three vectors or rows of the other it takes twelve registers.
MOST_ROWS = 4

Value = Any
Builder = Any
Pair = tuple[Value, Value]


class _Matrix:
    """A matrix of doubles as LLVM sees it."""

    def __init__(self, context: Any, builder: Builder, kind: Any, value: Value) -> None:
        array = context.make_array(kind)(context, builder, value)
        self._builder, self.start = builder, array.data
        self.shape = cgutils.unpack_tuple(builder, array.shape, 2)
        self._strides = cgutils.unpack_tuple(builder, array.strides, 2)
        # A constant step needs no register.
        if kind.layout in LAST:
            self._strides[LAST[kind.layout]] = INT(REAL_BYTES)

    def at(self, i: Value, j: Value) -> Value:
        """Where the entry (i, j) lies."""
        place = self._builder.add(self._builder.mul(i, self._strides[0]), self._builder.mul(j, self._strides[1]))
        return cgutils.pointer_add(self._builder, self.start, place)

    def below(self, place: Value, k: int) -> Value:
        """The same k rows below."""
        return cgutils.pointer_add(self._builder, place, self._builder.mul(INT(k), self._strides[0])) if k else place

    def row(self, i: Value) -> Value:
        """Where a row of neighbours starts."""
        return self.at(i, INT(0))


def _load(builder: Builder, row: Value, j: Value) -> Value:
    """The vector from the entry j of a row on."""
    found = builder.load(builder.bitcast(builder.gep(row, [j]), VECTOR.as_pointer()))
    found.align = 8
    return found


def _store(builder: Builder, vector: Value, row: Value, j: Value) -> None:
    builder.store(vector, builder.bitcast(builder.gep(row, [j]), VECTOR.as_pointer())).align = 8


def _call(builder: Builder, name: str, result: Any, arguments: Sequence[Value], **flags: Any) -> Value:
    kind = ir.FunctionType(result, [x.type for x in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments, **flags)


def _multiply_add(builder: Builder, x: Value, y: Value, total: Value) -> Value:
    """x y + total, in one instruction where there is one."""
    return _call(builder, f"llvm.fmuladd.v{LANES}f64", VECTOR, [x, y, total])


def _repeated(builder: Builder, x: Value) -> Value:
    """A vector of equal numbers."""
    undefined, lane = ir.Constant(VECTOR, ir.Undefined), ir.IntType(32)
    vector = builder.insert_element(undefined, x, lane(0))
    return builder.shuffle_vector(vector, undefined, ir.Constant(ir.VectorType(lane, LANES), [0] * LANES))


def _added_up(builder: Builder, vector: Value) -> Value:
    return _call(builder, f"llvm.vector.reduce.fadd.v{LANES}f64", REAL, [REAL(0.0), vector], fastmath=("reassoc",))


def _fetch(builder: Builder, place: Value) -> None:
    """Ask for what will be read later, from memory if need be; past the end of an array nothing happens."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    arguments = [builder.bitcast(place, byte), number(0), number(SECOND_CACHE), number(1)]
    _call(builder, "llvm.prefetch.p0", ir.VoidType(), arguments)


class _Ahead:
    """Memory fetched while sums run: `first` bytes behind a matrix's start, then `advance` bytes further at every turn."""

    def __init__(self, builder: Builder, matrix: _Matrix, first: Value, advance: Value) -> None:
        self._builder, self._advance = builder, advance
        start = builder.bitcast(matrix.start, ir.IntType(8).as_pointer())
        self._next = cgutils.alloca_once_value(builder, builder.gep(start, [first]))

    def fetch(self) -> None:
        place = self._builder.load(self._next)
        _fetch(self._builder, place)
        self._builder.store(self._builder.gep(place, [self._advance]), self._next)


def _summed(
    builder: Builder,
    starts: Sequence[Value],
    stop: Value,
    step: int,
    terms: Callable[[Value], Sequence[Pair]],
    ahead: _Ahead,
) -> list[Value]:
    """starts[k] + Σ_i x_k y_k for i = 0, step, ... before `stop`, where `terms(i)` gives the pairs (x_k, y_k)."""
    sums = [cgutils.alloca_once_value(builder, start) for start in starts]

    def add(i: Value) -> None:
        for total, (x, y) in zip(sums, terms(i), strict=True):
            builder.store(_multiply_add(builder, x, y, builder.load(total)), total)

    turn = INT(step * STEPS)
    whole = builder.sub(stop, builder.srem(stop, turn))
    with cgutils.for_range_slice(builder, INT(0), whole, turn, INT) as (i, _):
        ahead.fetch()
        for k in range(STEPS):
            add(builder.add(i, INT(k * step)))
    with cgutils.for_range_slice(builder, whole, stop, INT(step), INT) as (i, _):
        add(i)
    return [builder.load(total) for total in sums]


def _for_each(builder: Builder, n: Value, code: Callable[[int], None]) -> None:
    """The code for each number that n can be."""
    for k in range(1, MOST_ROWS + 1):
        with builder.if_then(builder.icmp_signed("==", n, INT(k))):
            code(k)


@intrinsic(prefer_literal=True)
def add_dots(_typing, C, A, B, a, n, b, m, columns, first, advance):
    """C[a:a+n, b:b+m] += A[a:a+n, :columns] B[b:b+m, :columns]ᵀ, m a constant, the columns so many vectors.

    At every turn of the sums a line of memory is fetched, `first` bytes behind B's start, then `advance` bytes further.
    """
    if not isinstance(m, types.IntegerLiteral):
        return None

    def code(context, builder, signature, values):
        c, x, y = (_Matrix(context, builder, signature.args[k], values[k]) for k in range(3))
        first_a, count, first_b = values[3:6]
        of_b = [builder.add(first_b, INT(k)) for k in range(m.literal_value)]
        of_y = [y.row(k) for k in of_b]

        def block(n: int) -> None:
            of_a = [builder.add(first_a, INT(k)) for k in range(n)]
            of_x = [x.row(k) for k in of_a]

            def terms(j: Value) -> Sequence[Pair]:
                ys = [_load(builder, row, j) for row in of_y]
                return [(u, v) for u in [_load(builder, row, j) for row in of_x] for v in ys]

            ahead = _Ahead(builder, y, *values[8:])
            sums = _summed(builder, [ZERO] * n * len(of_b), values[7], LANES, terms, ahead)
            for total, (i, k) in zip(sums, product(of_a, of_b), strict=True):
                place = c.at(i, k)
                builder.store(builder.fadd(builder.load(place), _added_up(builder, total)), place)

        _for_each(builder, count, block)
        return context.get_dummy_value()

    return types.void(C, A, B, *[types.intp] * 3, m, *[types.intp] * 3), code


@intrinsic(prefer_literal=True)
def add_outer(_typing, C, A, B, a, n, j, m, length, first, advance):
    """C[a:a+n, j:j+m·LANES] += A[a:a+n, :length] B[:length, j:j+m·LANES], m a constant; memory is fetched as above."""
    if not isinstance(m, types.IntegerLiteral):
        return None

    def code(context, builder, signature, values):
        c, x, y = (_Matrix(context, builder, signature.args[k], values[k]) for k in range(3))
        first_a, count, first_column = values[3:6]
        columns = [builder.add(first_column, INT(k * LANES)) for k in range(m.literal_value)]

        def block(n: int) -> None:
            of_a = [builder.add(first_a, INT(k)) for k in range(n)]

            def terms(i: Value) -> Sequence[Pair]:
                row = y.row(i)
                ys = [_load(builder, row, k) for k in columns]
                place = x.at(first_a, i)
                xs = [_repeated(builder, builder.load(x.below(place, k))) for k in range(n)]
                return [(u, v) for u in xs for v in ys]

            ahead = _Ahead(builder, y, *values[8:])
            places = [(c.row(i), k) for i, k in product(of_a, columns)]
            sums = _summed(builder, [_load(builder, *p) for p in places], values[7], 1, terms, ahead)
            for total, place in zip(sums, places, strict=True):
                _store(builder, total, *place)

        _for_each(builder, count, block)
        return context.get_dummy_value()

    return types.void(C, A, B, *[types.intp] * 3, m, *[types.intp] * 3), code
