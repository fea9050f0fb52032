"""The command line: parse, call, print. What a command needs is imported when the command runs."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from symgrad.cli.choices import PAGES, Detail, Engine, Format, Lang, Layout, Listing, Method
from symgrad.cli.words import Command, keep_words
from symgrad.errors import InputError, SymgradError
from symgrad.prose import one_line

if TYPE_CHECKING:
    from symgrad.problem import Problem

INTERRUPTED = 130  # 128 + SIGINT
CLOSED_PIPE = 141  # 128 + SIGPIPE
# Of each of SymPy's functions so many results are kept, not 1000: the proofs of one model ask for the same ones again.
SYMPY_CACHE_SIZE = "20000"
# How many new objects start a search for cycles among them, not 700: a tenth of what the imports cost, and none is found.
GARBAGE_THRESHOLD = 500_000


class Group(TyperGroup):
    """Turns whatever the user did wrong into one line on standard error and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments before the command's name."""
        keep_words(self, ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except SymgradError as e:
            raise _ended(str(e), e.exit_code) from None
        except KeyboardInterrupt:
            raise _ended("interrupted", INTERRUPTED) from None
        except BrokenPipeError:
            # Python flushes once more when it ends, and would complain about it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(CLOSED_PIPE) from None
        except OSError as e:
            place = f"{e.filename}: " if e.filename else ""
            raise _ended(f"{place}{(e.strerror or str(e)).lower()}", InputError.exit_code) from None


def _ended(line: str, code: int) -> typer.Exit:
    typer.echo(one_line(line), err=True)
    return typer.Exit(code)


# Without markup help needs no rich: that halves the time that `symgrad --help` takes.
app = typer.Typer(
    name="symgrad",
    cls=Group,
    help="Derive the gradients of a model step by step, prove them, explain them, compile them to NumPy, fit them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A model file; - reads it from standard input.")]
Models = Annotated[
    list[str], typer.Argument(metavar="MODEL…", help="A model file, or several; - reads it from standard input.")
]
Pages = Annotated[
    str,
    typer.Option(
        "-o", "--output", metavar="FILE", help="Where to write; - is standard output, FOLDER/ for several models."
    ),
]
Wrt = Annotated[list[str] | None, typer.Option("--wrt", metavar="NAME", help="Only this parameter; may be repeated.")]
Width = Annotated[int | None, typer.Option(min=20, help="The columns of text; else the window's, or 80.")]
Output = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")]


def _version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"symgrad {version('symgrad')}")
        except PackageNotFoundError:
            raise _ended("symgrad is not installed; pip install -e . in its checkout", 4) from None
        raise typer.Exit


@app.callback()
def symgrad(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Derive the gradients of a model step by step, prove them, explain them, compile them to NumPy, fit them."""


Hessian = Annotated[
    str, typer.Option("--hessian", metavar="W[,B]", help="The second derivatives by a parameter, or by two.")
]
Hvp = Annotated[str, typer.Option("--hvp", metavar="W[,B…]", help="The Hessian times a vector, over these parameters.")]
Vjp = Annotated[bool, typer.Option("--vjp", help="What backward(gradient=v) computes, for the file's `output`.")]
Jacobian = Annotated[bool, typer.Option("--jacobian", help="The same, and the Jacobian of the file's `output`.")]
Numbers = Annotated[bool, typer.Option("--numbers", help="Every equation also in numbers, with small data made up.")]
Values = Annotated[
    str, typer.Option("--values", metavar="FILE", help="The same with arrays by name of a .json or .npz file.")
]
Bound = Annotated[
    str,
    typer.Option(metavar="[X,Y]", help="Also how a call is computed with these data bound; alone: with all of them."),
]


class Explain(Command):
    """Takes `--bound` without names as well: all data."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        from symgrad.cli.pages import with_names

        return super().parse_args(ctx, with_names(args))


@app.command(cls=Explain)
def explain(
    models: Models,
    form: Annotated[
        Format | None, typer.Option("-f", "--format", help="The page's format; else by the output's suffix.")
    ] = None,
    output: Pages = "-",
    lang: Annotated[Lang, typer.Option(help="The page's language.")] = Lang.en,
    detail: Annotated[Detail, typer.Option(help="How much is shown.")] = Detail.normal,
    wrt: Wrt = None,
    proof: Annotated[
        Method, typer.Option(help="Entry by entry, or by differentials: dL = ⟨∂L/∂Y, dY⟩.")
    ] = Method.INDEX,
    fold: Annotated[
        bool, typer.Option("--fold/--no-fold", help="State layers and time steps that are alike once.")
    ] = True,
    graph: Annotated[bool, typer.Option("--graph/--no-graph", help="Draw which value is used by which.")] = True,
    layout: Annotated[
        Layout, typer.Option(help="numerator: derivatives stand transposed, that of a vector is a row.")
    ] = Layout.denominator,
    width: Width = None,
    numbers: Numbers = False,
    values: Values = "",
    bound: Bound = "",
    hessian: Hessian = "",
    hvp: Hvp = "",
    vjp: Vjp = False,
    jacobian: Jacobian = False,
    engine: Annotated[Engine, typer.Option(help="What sets a PDF.")] = Engine.typst,
) -> None:
    """Write the derivation as a handout, every step proved: drawn in a terminal, as Markdown into a pipe."""
    from symgrad.cli.pages import Asked, folder_of, names_of, set_by, write_pages

    folder = folder_of(models, output)
    chosen = _page_format(form or (None if folder is None else Format.md), output, width)
    only = {"--hessian": hessian, "--hvp": hvp, "--vjp": vjp, "--jacobian": jacobian}
    how: dict[str, Any] = {"format": set_by(engine.value, chosen), "language": lang.value, "detail": detail.value}
    more: dict[str, Any] = {"fold": fold, "graph": graph, "layout": layout.value, "proof": proof.value}
    more |= {"numbers": numbers, "values": values or None, "bound": names_of(bound)}
    asked = Asked(only, _names(wrt), how, more)
    if folder is None:
        _write(output, asked.page_of(models[0]), chosen)
    elif code := write_pages(models, folder, _suffix_of(chosen.partition(":")[0]), asked.page_of):
        raise typer.Exit(code)


@app.command(cls=Command)
def extrema(
    model: Model,
    form: Annotated[
        Format | None, typer.Option("-f", "--format", help="The page's format; else by the output's suffix.")
    ] = None,
    output: Output = "-",
    lang: Annotated[Lang, typer.Option(help="The page's language.")] = Lang.en,
    wrt: Wrt = None,
    width: Width = None,
) -> None:
    """Write where all gradients are 0, and which of these points are minima, maxima and saddle points."""
    chosen = _page_format(form, output, width)
    _write(output, _load(model, output).extrema(_names(wrt)).explain(format=chosen, language=lang.value), chosen)


@app.command(cls=Command)
def check(
    model: Model,
    wrt: Wrt = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMULA", help='A gradient of your own, as "w = X.T @ r / n"; may be repeated.'),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="The language of the table and the answers.")] = Lang.en,
) -> None:
    """Prove every step, and print how sure each is; or say of your own gradients whether they are equal."""
    problem = _load(model)
    from symgrad.cli.checks import print_checks, print_claims

    derivation = problem.derive(_names(wrt))
    if not (print_claims(derivation, claim, lang.value) if claim else print_checks(derivation, lang.value)):
        raise typer.Exit(1)


@app.command("compile", cls=Command)
def compile_(model: Model, output: Output = "-", wrt: Wrt = None) -> None:
    """Write the gradients as a NumPy module that runs without symgrad."""
    if output != "-" and _suffix(output) != ".py":
        raise InputError(f"{output}: a NumPy module ends in .py; write for example {_stem(output)}.py")
    _write(output, _load(model, output).compile(_names(wrt)).source)


Backend = Annotated[str, typer.Option(help="numpy, or numba: compiled loops, for long fits.")]
Plot = Annotated[
    str | None, typer.Option(metavar="FILE", help="Draw the loss over the iterations, as .svg, .png or .pdf.")
]


@app.command(cls=Command)
def fit(
    model: Model,
    data: Annotated[str, typer.Option(metavar="CSV", help="A table with a header; - is standard input.")],
    bind: Annotated[
        list[str] | None,
        typer.Option(metavar="X=COLUMNS", help="Columns for data of the model, as X=RM,LSTAT or X=CRIM:LSTAT."),
    ] = None,
    size: Annotated[
        list[str] | None, typer.Option(metavar="H=NUMBER", help="A size that no data tells, as h=64.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="LAM=NUMBER", help="A hyperparameter's value.")
    ] = None,
    standardize: Annotated[bool, typer.Option("--standardize", help="Use (X - m)/s for what the model reads.")] = False,
    method: Annotated[str, typer.Option(help="gd: gradient descent.")] = "gd",
    learning_rate: Annotated[
        float | None, typer.Option(help="A fixed step; without it each step is found by backtracking.")
    ] = None,
    iterations: Annotated[int, typer.Option(help="The most steps to take.")] = 10_000,
    tolerance: Annotated[float, typer.Option(help="The gradient norm to stop at.")] = 1e-6,
    test: Annotated[float, typer.Option(help="The share of the rows to test on.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Fixes the split and the initial values.")] = 0,
    backend: Backend = "numpy",
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Parameters and scores as .json or .npz.")
    ] = None,
    plot: Plot = None,
    lang: Annotated[Lang, typer.Option(help="The language of the report and the picture.")] = Lang.en,
) -> None:
    """Fit the parameters to a table by gradient descent, and say how good the model is."""
    if model == "-" and data == "-":
        raise InputError("the model and the data are both to come from standard input; give one of them as a file")
    from symgrad.files import check_model

    check_model(model)
    from symgrad.cli.fits import run_fit

    options = {
        "method": method, "learning_rate": learning_rate, "max_iterations": iterations, "tolerance": tolerance,
        "test_fraction": test, "seed": seed, "standardize": standardize, "backend": backend,
    }  # fmt: skip
    chosen = bind or [], size or [], set_ or []
    if not run_fit(lambda: _load(model), data, *chosen, options, output, plot, lang.value):
        raise typer.Exit(1)


@app.command(cls=Command)
def new(
    output: Annotated[
        str, typer.Argument(metavar="[FILE]", help="The model file to write; - is standard output.")
    ] = "",
    like: Annotated[str, typer.Option(metavar="NAME", help="The model to start from, as logistic.")] = "linear",
    list_: Annotated[bool, typer.Option("--list", help="The models to start from.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    lang: Annotated[Lang, typer.Option(help="The language of the list.")] = Lang.en,
) -> None:
    """Write a model file to start from."""
    from symgrad.cli.starts import listed, start_from

    if list_:
        typer.echo(listed(lang.value), nl=False)
        return
    if not output:
        raise InputError("the file to write is missing; for example symgrad new model.py --like logistic, or --list")
    start_from(like, output, is_forced=force)


@app.command(cls=Command)
def rules(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One function, primitive, fact or definition.")] = "",
    form: Annotated[
        Listing | None, typer.Option("-f", "--format", help="A list, or a page; else by the output's suffix.")
    ] = None,
    output: Output = "-",
    lang: Annotated[Lang, typer.Option(help="The language.")] = Lang.en,
) -> None:
    """List the laws, functions, primitives and facts that derivations use."""
    from symgrad.cli.rules import TEXT, rules_text

    page = Format(form.value) if form is not None and form is not Listing.text else None
    is_list = form is Listing.text or (form is None and output == "-")
    _write(output, rules_text(name, TEXT if is_list else _page_format(page, output), lang.value))


def _load(model: str, output: str = "-") -> Problem:
    from symgrad.files import check_folder, check_model

    check_model(model)  # before SymPy is imported, which takes longer than to see that there is no such file
    check_folder(output)
    from symgrad.cli.loading import loaded

    return loaded(model)


def _names(wrt: list[str] | None) -> list[str] | None:
    return wrt or None


def _page_format(form: Format | None, output: str, width: int | None = None) -> str:
    """The format asked for, else that of the output's suffix; else text for a terminal, and Markdown for a pipe."""
    from symgrad.cli.terminal import in_columns, shown

    if form is not None:
        return in_columns("markdown" if form is Format.md else form.value, width)
    if output == "-":
        return shown(width)
    suffix = _suffix(output)
    if suffix not in PAGES:
        *most, last = PAGES
        known = f"{', '.join(most)} or {last}"
        raise InputError(f"{output}: {suffix or 'a file without a suffix'} cannot be written; use {known}, or -f")
    return in_columns(PAGES[suffix], width)


def _suffix_of(form: str) -> str:
    """The suffix of a file in a format."""
    name = form.partition(":")[0]
    return next((suffix for suffix, own in PAGES.items() if own == name), f".{name}")


def _suffix(output: str) -> str:
    return os.path.splitext(output)[1].lower()


def _stem(output: str) -> str:
    return os.path.splitext(os.path.basename(output))[0] or "grads"


def _write(output: str, page: str | bytes, form: str = "") -> None:
    if form.startswith("terminal"):
        from symgrad.cli.terminal import show

        assert isinstance(page, str)
        show(page)
        return
    if output == "-":
        if isinstance(page, bytes) and sys.stdout.isatty():
            raise InputError("this format is no text for a terminal; write it to a file with -o")
        typer.echo(page, nl=isinstance(page, str) and not page.endswith("\n"))
        return
    from symgrad.files import write_bytes

    write_bytes(output, page.encode() if isinstance(page, str) else page)


def main() -> None:
    """The entry point."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    atexit.register(gc.freeze)  # else Python looks for cycles in all that ends with it anyway: a fifth of a page's time
    os.environ.setdefault("SYMPY_CACHE_SIZE", SYMPY_CACHE_SIZE)  # read when a command imports SymPy
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no Greek shows escapes, not a traceback.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # both are TextIOWrapper
    try:
        app(prog_name="symgrad")
    except KeyboardInterrupt:
        # Before a command runs, while modules are imported.
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
