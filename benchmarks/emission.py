"""What deriving and emitting cost, and what a call costs besides its arithmetic: `python benchmarks/emission.py NAME`.

Each workload is derived in a process of its own, in which SymPy is warm and one other model has been derived, compiled and
bound: nothing of the workload is known yet. CPU seconds: `derive` from the loss to the derivation, proofs apart, `compile`
from there to the source, `bind` from there to the source with the data bound, where data are no cost. A call is measured on
a toy problem, and beside it the body of the same function without the line that looks at its arguments.

Prints one line of JSON; `gradients.py --write` runs it for every workload.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402
from workloads import WORKLOADS, Workload  # noqa: E402

import symgrad as sg  # noqa: E402

# One process alone may be a third off where the machine has other work.
RUNS = 9
GOAL_MS, GOAL_US = 20, 3
# The least of so many samples of so many calls: what the machine does besides only ever adds.
SAMPLES, CALLS = 200, 20


@dataclass(frozen=True)
class Emission:
    """CPU seconds to the derivation, from there to the source, and to that with data bound; of a call besides its body."""

    derive: float
    compile: float
    bind: float
    call: float
    bound_call: float


def warm() -> None:
    """Derive, compile and bind a model that is none of the workloads, and call SymPy."""
    n, d = sg.dims("rows columns")
    A, v, u = sg.data("A", n, d), sg.parameter("v", d), sg.data("u", n)
    problem = sg.Problem(sg.sum(sg.gelu(A @ v) * u) + sg.sum(sg.sigmoid(v) ** 2))
    problem.compile(prove=False).bind(A=np.ones((3, 2)), u=np.ones(3))


def measure(workload: Workload) -> Emission:
    """The costs of one workload, in this process; it has to be the first that is derived."""
    warm()
    clock = time.process_time
    start = clock()
    problem = workload.problem()
    problem.derive(prove=False)
    derived = clock()
    f = problem.compile(prove=False)
    compiled = clock()
    arrays = workload.draw(np.random.default_rng(7), *workload.toy)
    data = {name: a for name, a in arrays.items() if name not in workload.parameters}
    parameters = {name: arrays[name] for name in workload.parameters}
    begin = clock()
    g = f.bind(**data)
    bound = clock()
    # Bound at toy size again: what is left is work on data, and running the module.
    f.bind(**data)
    again = clock()
    body = _without_a_look(f.source, "value_and_gradients")
    call = _besides(lambda: f(**arrays), lambda: body["value_and_gradients"](**arrays))
    bound_body = _without_a_look(g.source, "bind")
    inner = bound_body["bind"](**data)[0]
    bound_call = _besides(lambda: g(**parameters), lambda: inner(**parameters))
    return Emission(derived - start, compiled - derived, (bound - begin) - (again - bound), call, bound_call)


def _without_a_look(source: str, name: str) -> Mapping[str, Callable]:
    """The functions of a module whose arguments are taken as they are."""
    lines = [line for line in source.splitlines() if " = _arrays(" not in line]
    text = "\n".join(lines)
    namespace: dict[str, Callable] = {"__name__": name}
    exec(compile(text, f"<{name}>", "exec"), namespace)
    return namespace


def _besides(call: Callable[[], object], body: Callable[[], object]) -> float:
    """The seconds of a call that are not its body's."""
    least = [float("inf")] * 2
    for _ in range(SAMPLES):
        for k, function in enumerate((call, body)):
            start = time.perf_counter()
            for _ in range(CALLS):
                function()
            least[k] = min(least[k], (time.perf_counter() - start) / CALLS)
    return least[0] - least[1]


def emission(workload: Workload, runs: int = RUNS) -> Emission:
    """Medians over processes of their own."""
    command = [sys.executable, str(Path(__file__)), workload.name]
    lines = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(runs)]
    found = [json.loads(line) for line in lines]
    return Emission(**{key: median(one[key] for one in found) for key in found[0]})


def table(rows: Mapping[str, Emission]) -> str:
    """The rows as Markdown."""
    head = "| workload | derive | compile | both | bind | call | bound call |"
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    lines.append(f"| *goal* | | | {GOAL_MS} ms | | {GOAL_US} µs | {GOAL_US} µs |")
    for name, e in rows.items():
        cells = [f"{1e3 * t:.1f} ms" for t in (e.derive, e.compile, e.derive + e.compile, e.bind)]
        cells += [f"{1e6 * t:.1f} µs" for t in (e.call, e.bound_call)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    (chosen,) = [w for w in WORKLOADS if w.name == sys.argv[1]]
    print(json.dumps(vars(measure(chosen))))
