"""How long symgrad takes to start, beside what cannot be avoided: `python benchmarks/startup.py`.

| measured | beside | goal |
|---|---|---|
| `symgrad --help` | `--help` of a typer program with one command | ratio ≤ 1.3 |
| `symgrad explain examples/linear_regression.py` | `python -c "import sympy"` | at most 3 × that + 1 s |
| `symgrad explain examples/lstm_cell.py -o page.pdf`, six pages | the same | at most 3 s |

The five commands take turns, so that a busy machine slows all alike. Figures are medians of wall time.
Run it with the Python that symgrad is installed for.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "examples" / "linear_regression.py"
SIX_PAGES = ROOT / "examples" / "lstm_cell.py"

HELP, BARE_HELP = "symgrad --help", "one-command typer program --help"
EXPLAIN, BARE_SYMPY = "symgrad explain linear_regression.py", 'python -c "import sympy"'
PDF, MOST_OF_PDF = "symgrad explain lstm_cell.py -o page.pdf", 3.0

ONE_COMMAND = '''\
import typer

app = typer.Typer()


@app.command()
def greet(name: str, times: int = 1) -> None:
    """Say hello."""
    for _ in range(times):
        print("hello", name)


if __name__ == "__main__":
    app()
'''


def commands(folder: Path) -> dict[str, list[str]]:
    """The five commands by name; `folder` takes the one-command program."""
    program = folder / "one_command.py"
    program.write_text(ONE_COMMAND, encoding="utf-8")
    symgrad = Path(sysconfig.get_path("scripts")) / "symgrad"
    if not symgrad.exists():
        sys.exit(f"startup.py: symgrad is not installed for {sys.executable}; pip install -e .")
    return {
        BARE_HELP: [sys.executable, str(program), "--help"],
        HELP: [str(symgrad), "--help"],
        BARE_SYMPY: [sys.executable, "-c", "import sympy"],
        EXPLAIN: [str(symgrad), "explain", str(MODEL)],
        PDF: [str(symgrad), "explain", str(SIX_PAGES), "-o", str(folder / "page.pdf")],
    }


def seconds(command: list[str], folder: Path) -> float:
    """Wall time of one run that must succeed, away from the checkout."""
    start = time.perf_counter()
    # Where byte code is not kept every run would compile the sources, which an installed program does not.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    passed = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"startup.py: {' '.join(command)}: exit {done.returncode}\n{done.stderr.decode()}")
    return passed


def measure(rounds: int) -> dict[str, list[float]]:
    """Times by name, the commands taking turns; a first round, which writes byte code, is thrown away."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs = commands(folder)
        times: dict[str, list[float]] = {command: [] for command in runs}
        for turn in range(rounds + 1):
            for command, words in runs.items():
                passed = seconds(words, folder)
                if turn:
                    times[command].append(passed)
    return times


def report(times: dict[str, list[float]]) -> str:
    """The figures, and each goal with what was reached."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("symgrad", "sympy", "numpy", "typer"))
    middle = {name: median(values) for name, values in times.items()}
    lines = [
        f"Python {platform.python_version()}, {packages}; {os.cpu_count()} CPUs; "
        f"{len(times[HELP])} rounds, medians (least – most) in seconds",
        "",
    ]
    for name, values in times.items():
        lines.append(f"{middle[name]:8.3f}  ({min(values):.3f} – {max(values):.3f})  {name}")
    ratio = middle[HELP] / middle[BARE_HELP]
    bound = 3 * middle[BARE_SYMPY] + 1
    lines += [
        "",
        f"help:    {ratio:.2f} × the one-command program; goal ≤ 1.3: {verdict(ratio <= 1.3)}",
        f"explain: {middle[EXPLAIN]:.2f} s; goal ≤ 3 × import sympy + 1 s = {bound:.2f} s: "
        f"{verdict(middle[EXPLAIN] <= bound)}",
        f"PDF:     {middle[PDF]:.2f} s = {middle[PDF] / middle[BARE_SYMPY]:.1f} × import sympy; goal ≤ {MOST_OF_PDF} s: "
        f"{verdict(middle[PDF] <= MOST_OF_PDF)}",
    ]
    return "\n".join(lines)


def verdict(is_reached: bool) -> str:
    """In a word."""
    return "reached" if is_reached else "NOT reached"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="runs of each command (default: 11)")
    print(report(measure(max(1, parser.parse_args().rounds))))


if __name__ == "__main__":
    main()
