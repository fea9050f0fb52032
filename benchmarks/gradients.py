"""Gradients by symgrad beside careful hand-written NumPy and the frameworks: `python benchmarks/gradients.py`.

Everything takes turns in one process, with one thread for BLAS and for each framework; a figure is the median of the CPU
time of one evaluation of the loss and all gradients, and every ratio is to the hand of the same turn. Every gradient is
compared with the hand's. Peers that are not installed are left out: `pip install 'symgrad[benchmark]'`.

    python benchmarks/gradients.py                          the table, on the screen
    python benchmarks/gradients.py --write                  and to docs/benchmarks.md
    python benchmarks/gradients.py --only logistic          the workloads whose name has the word
    python benchmarks/gradients.py --toy                    small sizes, once: does everything agree?
    python benchmarks/gradients.py --emission               what deriving, emitting and calling cost, alone
    python benchmarks/gradients.py --threads                wall time of the large ones where each may take two threads
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

# Read when the libraries load. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE slow a current OpenBLAS down where a system sets them.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
THREADS = 2 if "--threads" in sys.argv else 1
os.environ.update({name: str(THREADS) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})
os.environ["JAX_PLATFORMS"] = "cpu"
if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np  # noqa: E402
from emission import emission  # noqa: E402
from emission import table as emission_table  # noqa: E402
from peers import PEERS  # noqa: E402
from threadpoolctl import threadpool_info, threadpool_limits  # noqa: E402
from workloads import WORKLOADS, Workload  # noqa: E402

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
CLOSE = 1e-9
# A workload is measured for about this long, in at least so many turns.
SECONDS = 3.0
TURNS = 5
# One sample is at least this long, so that the clock's grain does not show.
SAMPLE = 0.002
# A call that takes longer reads more than a cache holds: one is enough before the clock starts.
WARM = 0.02
HAND, PLAIN, BOUND, LOOPS = "hand", "symgrad", "bound", "loops"

clock = time.process_time if THREADS == 1 else time.perf_counter
# Smaller workloads have no use for a second thread.
LARGE = 100_000

Call = Callable[[], tuple[Any, Mapping[str, Any]]]


@dataclass(frozen=True)
class Row:
    """One workload at one size: the hand's seconds, and what every other's are as a ratio."""

    workload: Workload
    size: tuple[int, ...]
    seconds: float
    ratios: Mapping[str, float]
    errors: Mapping[str, float]
    binding: float


def measure(workload: Workload, size: tuple[int, ...], peers: bool, seconds: float, loops: bool = True) -> Row:
    """All contenders by turns on one set of arrays."""
    arrays = workload.draw(np.random.default_rng(7), *size)
    calls: dict[str, Call] = {HAND: lambda: workload.hand(**arrays)}
    f = workload.problem().compile(prove=False)
    calls[PLAIN] = lambda: f(**arrays)
    data = {name: a for name, a in arrays.items() if name not in workload.parameters}
    parameters = {name: arrays[name] for name in workload.parameters}
    start = clock()
    g = f.bind(**data)
    binding = clock() - start
    calls[BOUND] = lambda: g(**parameters)
    if loops and find_spec("numba"):
        compiled = f.bind(backend="numba", threads=THREADS, **data)
        if compiled.backend == "numba":
            calls[LOOPS] = lambda: compiled(**parameters)
    # Of the peers these have threads of their own.
    chosen = {name: PEERS[name] for name in ("jax", "torch")} if THREADS > 1 else PEERS
    for name, make in chosen.items() if peers else ():
        call = make(workload, arrays)
        if call is not None:
            calls[name] = call
    expected = calls[HAND]()
    errors = {name: _error(call(), expected) for name, call in calls.items() if name != HAND}
    times = _by_turns(calls, seconds)
    ratios = {
        name: median(t / h for t, h in zip(times[name], times[HAND], strict=True)) for name in calls if name != HAND
    }
    gc.collect()
    return Row(workload, size, median(times[HAND]), ratios, errors, binding)


def _by_turns(calls: Mapping[str, Call], seconds: float) -> dict[str, list[float]]:
    repeats, warm = {}, {}
    for name, call in calls.items():
        start, count = clock(), 0
        while clock() - start < SAMPLE:
            call()
            count += 1
        repeats[name] = count
        # Each finds its data in the cache, as a solver's next step would, whoever came before: some processors keep there
        # what has been read for the third time.
        warm[name] = max(count, 3) if clock() - start < WARM else 1
    times: dict[str, list[float]] = {name: [] for name in calls}
    begin = clock()
    while clock() - begin < seconds or len(times[HAND]) < (TURNS if seconds else 1):
        for name, call in calls.items():
            for _ in range(warm[name]):
                call()
            start = clock()
            for _ in range(repeats[name]):
                call()
            times[name].append((clock() - start) / repeats[name])
    return times


def _error(found: tuple[Any, Mapping[str, Any]], expected: tuple[Any, Mapping[str, Any]]) -> float:
    """The largest difference, relative to the largest entry of its array."""
    pairs = [(found[0], expected[0]), *((found[1][name], g) for name, g in expected[1].items())]
    errors = []
    for a, b in pairs:
        a, b = np.asarray(a, float), np.asarray(b, float)
        if a.shape != b.shape:
            sys.exit(f"gradients.py: shape {a.shape} where the hand has {b.shape}")
        errors.append(float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-300)))
    return max(errors)


def machine() -> list[str]:
    """Processor, kernel of BLAS, versions."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    found = [
        f"{i['internal_api']} {i['version']}, kernel {i.get('architecture')}"
        for i in threadpool_info()
        if i["user_api"] == "blas"
    ]
    simd = ", ".join(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))
    names = ("numpy", "numba", *PEERS)
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {version(name.split()[0])}")
        except ModuleNotFoundError:
            continue
    return [f"{model}; NumPy's vector extensions {simd}", found[0] if found else "no BLAS found", ", ".join(versions)]


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    columns = [PLAIN, BOUND, LOOPS, *(name for name in PEERS if any(name in row.ratios for row in rows))]
    # The goals are for one thread.
    goal = ["goal"] if THREADS == 1 else []
    head = ["workload", "size", "hand", *goal, *columns, "binding"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row.workload.name, "×".join(f"{s:,}" for s in row.size), _time(row.seconds)]
        asked = row.workload.goals.get(row.size)
        cells += [f"{asked:.2f}" if asked else ""] if goal else []
        cells += [f"{row.ratios[c]:.2f}" if c in row.ratios else "–" for c in columns]
        lines.append(f"| {' | '.join([*cells, _time(row.binding)])} |")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def _put(what: str, text: str) -> None:
    """Write a part of the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(f"<!-- {what} -->")
    after = rest.partition(f"<!-- end of {what} -->")[2]
    PAGE.write_text(f"{before}<!-- {what} -->\n\n{text}\n\n<!-- end of {what} -->{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a word of the workloads to measure")
    parser.add_argument("--largest", type=int, default=10**9, help="leave out more entries of data than this")
    parser.add_argument("--toy", action="store_true", help="small sizes, one turn")
    parser.add_argument("--no-peers", action="store_true", help="symgrad and the hand alone")
    parser.add_argument("--no-loops", action="store_true", help="without compiled loops, which take seconds to compile")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of CPU time for each row")
    parser.add_argument("--threads", action="store_true", help="two threads, wall time, large workloads alone")
    parser.add_argument("--emission", action="store_true", help="deriving, emitting and calling alone")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    print("\n".join(machine()), flush=True)
    chosen = [w for w in WORKLOADS if options.only in w.name]
    if options.emission or (options.write and not options.threads):
        emitted = emission_table({w.name: emission(w) for w in chosen})
        print("\n" + emitted, flush=True)
        if options.write:
            _put("emission", emitted)
        if options.emission:
            return
    rows = []
    with threadpool_limits(THREADS):
        for workload in chosen:
            for size in [workload.toy] if options.toy else workload.goals:
                is_large = np.prod(size) >= LARGE or options.toy
                if np.prod(size) <= options.largest and (is_large or not options.threads):
                    seconds = 0.0 if options.toy else options.seconds
                    rows.append(measure(workload, size, not options.no_peers, seconds, not options.no_loops))
                    print(
                        table(rows[-1:]).splitlines()[-1], "error", f"{max(rows[-1].errors.values()):.1e}", flush=True
                    )
    wrong = [f"{r.workload.name} {r.size}: {r.errors}" for r in rows if max(r.errors.values()) > CLOSE]
    print("\n" + table(rows))
    if options.write and options.threads:
        _put("threads", table(rows))
    elif options.write:
        shown = "\n".join(f"- {line}" for line in machine())
        _put("table", f"{table(rows)}\n\n{shown}")
    if wrong:
        sys.exit("gradients.py: not the hand's gradients: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
