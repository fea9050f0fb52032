"""Why a result is not finite: the first value on the way to it that is not although its operands are, and where in it.

The compiled function itself checks nothing on the way. Only when its result is not finite, or a matrix has no inverse, is
the program run once more, value by value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symgrad.compile import domain_sentences as say
from symgrad.compile.trace import Trace, Value, trace_of
from symgrad.derive.derivation import Derivation
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.prose import LANGUAGES, Text, as_text
from symgrad.records import dataclass

Array = Any
Place = tuple[int, ...]
Run = Callable[..., None]
MATRIX = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an array: what the page calls the array, the place, the sizes along its axes, the number there."""

    name: str | Text
    place: Place
    axes: tuple[str, ...]
    value: float

    @property
    def where(self) -> Text:
        """The entry as Python indexes it, from 0.

        >>> Entry("p", (17, 2), ("n", "k"), -0.03).where.en, Entry("1 - p", (3,), ("n",), 0.0).where.en
        ('p[17, 2]', '(1 - p)[3]')
        """
        name = as_text(self.name)
        if not self.place:
            return name
        place = ", ".join(map(str, self.place))
        is_bare = isinstance(self.name, str) and self.name.isidentifier()
        return as_text("{name}[{place}]" if is_bare else "({name})[{place}]").filled(name=name, place=place)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Where a result leaves the real numbers: a formula and its equation, the entries it is made of, what it would need.

    `label` is the equation's number on the page, None for an array that was passed and for what only the model computes.
    `count` entries of the formula's value are like the one shown; `source` is the line of a file that they come from.
    """

    formula: str | Text
    label: int | None
    what: Text
    entries: tuple[Entry, ...] = ()
    count: int = 1
    needs: Text = say.NOTHING
    source: Text = say.NOTHING

    @property
    def where(self) -> Text:
        """The formula with the number of its equation.

        >>> Breakdown("log(p)", 4, say.IS.filled(number="-inf")).where.en
        'log(p) in (4)'
        """
        if self.label is None:
            return as_text(self.formula)
        if isinstance(self.formula, Text):
            return say.PART_IN_EQUATION.filled(part=self.formula, label=self.label)
        return say.IN_EQUATION.filled(formula=self.formula, label=self.label)

    def row(self, size: str) -> int | None:
        """The place along the axis of this size, from 0; None where no entry has such an axis.

        >>> Breakdown("log(p)", 4, say.NOT_A_NUMBER, (Entry("p", (17, 2), ("n", "k"), 0.0),)).row("n")
        17
        """
        found = (e.place[e.axes.index(size)] for e in self.entries if size in e.axes)
        return next(found, None)

    @property
    def text(self) -> Text:
        """One line: what is not finite; what it needs.

        >>> entry = Entry("p", (17, 2), ("n", "k"), 0.0)
        >>> Breakdown("log(p)", 4, say.IS.filled(number="-inf"), (entry,), 3).text.zh
        '式 (4) 中的 log(p) 为 -inf：p[17, 2] = 0（另有 2 处）'
        """
        is_part = isinstance(self.formula, Text)
        found = as_text("{where}{what}").filled(where=_before_words(self.where, is_formula=not is_part), what=self.what)
        shown = [e for e in self.entries if e.where != as_text(self.formula)]
        entries = Text(
            **{to: say.COMMA.to(to).join(f"{e.where.to(to)} = {e.value:.6g}" for e in shown) for to in LANGUAGES}
        )
        if shown:
            found = say.ENTRIES.filled(found=found, entries=entries)
        if self.source.en:
            found = say.FROM.filled(found=found, source=self.source)
        if self.count > 1:
            found = say.MORE.filled(found=found, count=self.count - 1)
        return say.NEEDS.filled(found=found, needs=self.needs) if self.needs.en else found

    def __str__(self) -> str:
        """The line in English."""
        return self.text.en


def _before_words(name: Text, *, is_formula: bool) -> Text:
    """With a space between it and the words: in Chinese only behind a formula."""
    return Text(en=f"{name.en} ", zh=f"{name.zh} " if is_formula else name.zh)


class Tracer:
    """The traces of a derivation's functions; each is made when it is first needed, or pickled."""

    def __init__(self, derivation: Derivation | None, traces: Mapping[str, Trace] | None = None) -> None:
        self._derivation = derivation
        self._traces = dict(traces or {})

    def trace(self, function: str) -> Trace:
        """The trace of one of the functions."""
        if function not in self._traces:
            assert self._derivation is not None
            self._traces[function] = trace_of(self._derivation, function)
        return self._traces[function]

    def __reduce__(self) -> tuple[Any, ...]:
        # A derivation is a graph, deeper than pickle reaches; traces are texts.
        if self._derivation is not None:
            names = ["value", "value_and_gradients", *(["predict"] if self._derivation.model is not None else [])]
            return Tracer, (None, {name: self.trace(name) for name in names})
        return Tracer, (None, self._traces)


def breakdown(trace: Trace, run: Run, arrays: Mapping[str, Any]) -> Breakdown | None:
    """Why the outputs are not finite; None where all of them are."""
    seen: dict[int, Array] = {}
    with np.errstate(all="ignore"):
        try:
            run(seen, **arrays)
        except np.linalg.LinAlgError as error:
            return _of_matrix(trace, seen, next(k for k in trace.order if k not in seen), str(error))
        for k in trace.outputs:
            place = _first(seen[k])
            if place is not None:
                return _described(trace, seen, *_origin(trace, seen, k, place))
    return None


def _first(a: Array, index: tuple[Any, ...] = ()) -> Place | None:
    """The first entry of a[index] that is not finite, as a place of a; None where there is none."""
    array = np.asarray(a)
    is_wanted = np.zeros(array.shape, bool)
    is_wanted[index] = True
    found = np.flatnonzero(is_wanted & ~np.isfinite(array))
    return tuple(map(int, np.unravel_index(found[0], array.shape))) if found.size else None


def _origin(trace: Trace, seen: Mapping[int, Array], k: int, place: Place) -> tuple[int, Place]:
    """From an entry that is not finite down to one that is made of finite ones."""
    while True:
        parts = ((x.index, _first(seen[x.index], _reached(x.axes, place))) for x in trace.values[k].operands)
        below = next(((index, found) for index, found in parts if found is not None), None)
        if below is None:
            return k, place
        k, place = below


def _reached(axes: tuple[int | None, ...], place: Place) -> tuple[Any, ...]:
    """The entries of an operand that an entry of the result is made of."""
    return tuple(slice(None) if axis is None else place[axis] for axis in axes)


def _described(trace: Trace, seen: Mapping[int, Array], k: int, place: Place) -> Breakdown:
    """What is to be said of entry `place` of value k, the operands of which are finite."""
    value, result = trace.values[k], np.asarray(seen[k])
    if value.is_given:
        given = Entry(value.called, place, value.shape, float(result[place]))
        is_data = next(a for a in trace.arguments if a.name == value.called).role == "data"
        needs = say.FILL_IN if is_data else say.PASS_FINITE
        count = int(np.sum(~np.isfinite(result)))
        return Breakdown(given.where.en, None, _not_finite(given.value), (given,), count, needs)
    if value.entry in PRIMITIVES and np.ndim(seen[value.operands[0].index]) >= MATRIX:
        return _of_matrix(trace, seen, k, "")
    entries = tuple(_made_of(trace, seen, value, place))
    is_bad = ~np.isfinite(result)
    for x in value.operands:
        if None not in x.axes and len(x.axes) == result.ndim:
            is_bad &= np.isfinite(seen[x.index])
    what = _not_finite(float(result[place]))
    needs = _needs(value, float(result[place]), entries, result.dtype)
    return Breakdown(_formula(value), value.label or None, what, entries, int(np.sum(is_bad)), needs)


def _made_of(trace: Trace, seen: Mapping[int, Array], value: Value, place: Place) -> Iterator[Entry]:
    """The entries that one is made of; of those that are summed the largest."""
    largest: list[Entry] = []
    for x in value.operands:
        part = trace.values[x.index]
        array = np.asarray(seen[x.index])
        is_reached = np.zeros(array.shape, bool)
        is_reached[_reached(x.axes, place)] = True
        at = np.unravel_index(int(np.argmax(np.where(is_reached, np.abs(array.astype(float)), -1.0))), array.shape)
        # As the formula writes it: L is not seen to be the root in W / sqrt(u).
        is_seen = part.text in value.text and part.called not in value.text
        called = (part.text if is_seen else part.called) or say.OPERAND
        found = Entry(called, tuple(map(int, at)), part.shape, float(array[at]))
        largest += [found] if found not in largest else []
    yield from largest if value.entry else sorted(largest, key=lambda e: -abs(e.value))[:1]


def _formula(value: Value) -> str | Text:
    return value.text or (say.PART.filled(name=value.called) if value.called else say.SOME_PART)


def _not_finite(number: float) -> Text:
    return say.NOT_A_NUMBER if np.isnan(number) else say.IS.filled(number=number)


def _needs(value: Value, number: float, entries: tuple[Entry, ...], dtype: np.dtype[Any]) -> Text:
    """The condition that the table states, where the entry breaks it; else that the numbers are too large."""
    entry = FUNCTIONS.get(value.entry) or PRIMITIVES.get(value.entry)
    is_outside = np.isnan(number) or any(e.value == 0 for e in entries)
    if entry is not None and entry.domain is not None and is_outside:
        return _clause(entry.domain)
    if np.isnan(number):
        return say.NOTHING
    largest = np.finfo(np.float32 if dtype == np.float32 else np.float64).max
    return say.TOO_LARGE.filled(dtype=dtype.name if dtype.kind == "f" else "float64", largest=f"{largest:.2g}")


def _clause(sentence: Text) -> Text:
    """A sentence as the second half of a message."""
    return Text(en=sentence.en[0].lower() + sentence.en[1:].rstrip("."), zh=sentence.zh.rstrip("。"))


def _of_matrix(trace: Trace, seen: Mapping[int, Array], k: int, error: str) -> Breakdown:
    """What is to be said of a primitive of a matrix that is outside its domain."""
    value = trace.values[k]
    entry = PRIMITIVES.get(value.entry)
    matrix = value.operands[0].index
    called = trace.values[matrix].called
    name = _before_words(as_text(called or say.MATRIX), is_formula=bool(called))
    spectrum = _spectrum(np.asarray(seen[matrix]))
    said = say.ERRORS.get(error.lower(), as_text(error.lower()))
    sentence = say.NO_MATRIX_BECAUSE if error else say.NO_MATRIX
    needs = _clause(entry.domain) if entry is not None and entry.domain is not None else say.NOTHING
    what = sentence.filled(error=said, name=name, spectrum=spectrum)
    return Breakdown(_formula(value), value.label or None, what, needs=needs)


def _spectrum(a: Array) -> Text:
    """The determinant of a square matrix and where its eigenvalues lie, its singular values if it is not symmetric."""
    if a.ndim != MATRIX or a.shape[0] != a.shape[1] or not np.isfinite(a).all():
        return say.NOT_REGULAR
    is_symmetric = np.array_equal(a, a.T)
    sentence = say.EIGENVALUES if is_symmetric else say.SINGULAR_VALUES
    found = np.linalg.eigvalsh(a) if is_symmetric else np.linalg.svd(a, compute_uv=False)
    numbers = {"determinant": np.linalg.det(a), "least": found.min(), "largest": found.max()}
    return sentence.filled(**{name: f"{number:.6g}" for name, number in numbers.items()})
