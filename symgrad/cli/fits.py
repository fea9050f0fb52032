"""What `symgrad fit` does: read the table, descend with a progress bar on a terminal, print what came out."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import typer

from symgrad.cli import fit_sentences as say
from symgrad.cli.tables import aligned
from symgrad.errors import InputError
from symgrad.files import check_folder
from symgrad.fitting import FitResult, OnIteration
from symgrad.fitting.binding import columns_of
from symgrad.fitting.export import as_json, check_suffix, save
from symgrad.fitting.plot import check_plot
from symgrad.problem import Problem
from symgrad.prose import Language, Text, one_line
from symgrad.tables import Table, read_table

SHORT = 16  # the most entries of a parameter that are printed
LONG_VECTOR = 64  # the most entries where each has a column's name


def run_fit(
    load: Callable[[], Problem],
    data: str,
    bind: Sequence[str],
    size: Sequence[str],
    numbers: Sequence[str],
    options: Mapping[str, Any],
    output: str | None,
    plot: str | None,
    language: Language,
) -> bool:
    """Fit, print, write, draw; whether the descent ended well."""
    if output is not None:
        check_suffix(output)
        check_folder(output)
    if plot is not None:
        check_folder(plot)
        check_plot(plot, language)
    columns = _pairs("--bind", bind, "X=RM,LSTAT")
    sizes = {name: _whole(name, text) for name, text in _pairs("--size", size, "h=64").items()}
    values = {name: _real(name, text) for name, text in _pairs("--set", numbers, "lam=0.1").items()}
    problem = load()
    table = read_table(sys.stdin, name="<stdin>") if data == "-" else read_table(data)
    with _progress(options["max_iterations"]) as on_iteration:
        result = problem.fit(
            table, bind=columns, sizes=sizes, hyperparameters=values, on_iteration=on_iteration, **options
        )
    if plot is not None:
        result.plot(plot, language)
    if result.diagnosis is not None:
        typer.echo(say.FAILED.filled(why=result.why_it_ended(language)).to(language), err=True)
        return False
    named = columns_of(problem.leaves, table, columns)
    lines = [one_line(line) for line in summary(result, table, named, options, language)]
    typer.echo("\n".join(lines), err=output == "-")
    if output == "-":
        typer.echo(as_json(result), nl=False)
    elif output is not None:
        save(result, output)
    return True


def _pairs(option: str, texts: Sequence[str], example: str) -> dict[str, str]:
    """NAME=VALUE of an option that may be repeated."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError(f"{option} {text}: it has no name and value; write for example {option} {example}")
        if name.strip() in found:
            raise InputError(f"{option} {text}: {name.strip()} is given twice; give it once")
        found[name.strip()] = value.strip()
    return found


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise InputError(f"--size {name}={text}: a size is a whole number; write for example --size {name}=64")
    return int(text)


def _real(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"--set {name}={text}: that is no number; write for example --set {name}=0.1")
    return value


@contextlib.contextmanager
def _progress(most: int) -> Iterator[OnIteration | None]:
    """A bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    shown = TextColumn("{task.completed}/{task.total}{task.fields[state]}")
    bar = Progress(BarColumn(), shown, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    with bar:
        # Until the first iteration the steps are proved and compiled: there is no loss to show.
        task = bar.add_task("", total=most, state="")
        yield lambda entry: bar.update(
            task, completed=entry.number, state=f"  loss {entry.loss:.6g}  ‖∇L‖ {entry.gradient_norm:.2e}"
        )


def summary(
    result: FitResult, table: Table, named: Mapping[str, Sequence[str]], options: Mapping[str, Any], language: Language
) -> Iterator[str]:
    """What is printed of a fit that ended well."""

    def told(text: Text, **parts: object) -> str:
        return text.filled(**parts).to(language)

    split = say.PARTS.filled(train=result.train_rows, test=result.test_rows)
    parts = split if result.test_rows else say.ALL_ROWS
    yield told(say.ROWS, table=table.source, rows=len(table), parts=parts)
    fixed = say.FIXED_STEP.filled(rate=f"{result.learning_rate:.6g}")
    step = fixed if options["learning_rate"] else say.BACKTRACKING
    start = told(say.AND).join(told(say.ORIGINS[origin]) for origin in dict.fromkeys(result.start.values()))
    why = result.why_it_ended(language)
    yield told(say.DESCENT, step=step, start=start, iterations=result.iterations, why=why)
    first, last, norm = result.history[0].loss, result.loss, result.history[-1].gradient_norm
    yield told(say.LOSS, first=f"{first:.6g}", last=f"{last:.6g}", norm=f"{norm:.3g}")
    if not result.is_converged:
        more = say.NOTHING if result.standardizer or options["standardize"] else say.OR_STANDARDIZE
        yield told(say.NOTE, note=say.NOT_YET.filled(more=more))
    yield from ("", *_scores(result, language), "")
    yield from _parameters(result, named, language)
    for name, classes in result.classes.items():
        yield told(say.CLASSES, name=name, classes=", ".join(map(str, classes)))
    for note in result.notices:
        yield told(say.NOTE, note=note)


def _scores(result: FitResult, language: Language) -> list[str]:
    test = result.test or {}
    header = ["", say.TRAIN.to(language), *([say.TEST.to(language)] if result.test is not None else [])]
    rows = [
        [
            say.SCORES[name].to(language),
            f"{value:.6g}",
            *([f"{test[name]:.6g}" if name in test else ""] if result.test is not None else []),
        ]
        for name, value in result.train.items()
    ]
    return aligned([header, *rows])


def _parameters(result: FitResult, named: Mapping[str, Sequence[str]], language: Language) -> Iterator[str]:
    """The short parameters, in original units where these are known; the others by shape."""
    values = result.original_units or result.parameters
    if result.standardizer:
        yield (say.ORIGINAL_UNITS if result.original_units else say.STANDARDISED).to(language)
    declared = {a.name: a.shape for a in result.function.arguments}
    by_size = {
        size: own for name, own in named.items() if len(own) > 1 for size in _across(declared[name], own, result)
    }
    for name, value in values.items():
        array = np.asarray(value)
        own = by_size.get(declared[name][0], ()) if array.ndim == 1 else ()
        if array.ndim == 0:
            yield f"{name} = {float(array):.6g}"
        elif own and array.size <= LONG_VECTOR:
            yield f"{name}:"
            yield from aligned([["", column, f"{v: .6g}"] for column, v in zip(own, array, strict=True)])
        elif array.size <= SHORT:
            yield f"{name} = " + " ".join(np.array2string(array, precision=6, max_line_width=10_000).split())
        else:
            yield say.MANY.filled(name=name, shape=" × ".join(map(str, array.shape))).to(language)


def _across(shape: Sequence[str], columns: Sequence[str], result: FitResult) -> list[str]:
    """The declared size that counts these columns."""
    return [size for size in shape if result.sizes.get(size, size) in (len(columns), str(len(columns)))]
