"""What deriving and emitting cost, and what a call costs besides its arithmetic: `python benchmarks/emission.py NAME`.

Each workload is derived in a process of its own, in which SymPy is warm and one other model has been derived, compiled and
bound: nothing of the workload is known yet. CPU seconds: `derive` from the loss to the derivation, proofs apart, `compile`
from there to the source, `bind` from there to the source with the data bound, where data are no cost. Of a call on a toy
problem what is not the arithmetic is measured: the call of the same function with nothing in its body but the line that looks
at its arguments, beside that body called alone. Both are called behind the whole body, which leaves the caches as a call finds
them. The difference of two whole calls would be 2 µs in 30 µs of LAPACK, and lost in its noise.

Prints one line of JSON; `gradients.py --write` runs it for every workload.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402
from workloads import WORKLOADS, Workload  # noqa: E402

import symgrad as sg  # noqa: E402

# One process alone may be a third off where the machine has other work.
RUNS = 9
GOAL_MS, GOAL_US = 20, 3
# Of so many calls the hundredth part takes less: what the machine does besides only ever adds.
CALLS = 4000


@dataclass(frozen=True)
class Emission:
    """CPU seconds to the derivation, from there to the source, and to that with data bound; of a call besides its body.

    Medians, and of what derivation and source take together also the least: the processor's own speed moves by a half.
    """

    derive: float
    compile: float
    least: float
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
    source = f.source
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
    whole = _functions(source)["value_and_gradients"]
    nothing = _functions(_emptied(source, looks=False))["value_and_gradients"]
    # As they are pickled, with another source.
    make, (_, *rest) = f.__reduce__()
    call = _besides((make(_emptied(source, looks=True), *rest), nothing, whole), arrays)
    whole = _functions(g.source)["bind"](**data)[0]
    nothing = _functions(_emptied(g.source, looks=False))["bind"](**data)[0]
    make, (unbound, module, *rest) = g.__reduce__()
    looking = make(unbound, replace(module, source=_emptied(g.source, looks=True)), *rest)
    bound_call = _besides((looking, nothing, whole), parameters)
    both, bind = compiled - start, (bound - begin) - (again - bound)
    return Emission(derived - start, compiled - derived, both, bind, call, bound_call)


def _functions(source: str) -> Mapping[str, Callable]:
    """The functions of a module."""
    namespace: dict[str, Callable] = {"__name__": "emitted"}
    exec(compile(source, "<emitted>", "exec"), namespace)
    return namespace


def _emptied(source: str, *, looks: bool) -> str:
    """The module with a function for loss and gradients that computes nothing; it still looks at its arguments, or does not."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "value_and_gradients":
            seen = [line for line in node.body if " = _arrays(" in ast.unparse(line)]
            assert len(seen) == 1, source
            node.body = [*(seen if looks else []), ast.Return(ast.parse("1.0, {}", mode="eval").body)]
    return ast.unparse(ast.fix_missing_locations(tree))


def _besides(functions: tuple[Callable, Callable, Callable], arrays: Mapping[str, object]) -> float:
    """The seconds of the call of a function that computes nothing, less those of the bare function."""
    *both, whole = functions
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(CALLS):
        for function, times in zip(both, took, strict=True):
            whole(**arrays)
            start = time.perf_counter()
            function(**arrays)
            times.append(time.perf_counter() - start)
    looking, nothing = (quantiles(times, n=100)[0] for times in took)
    return looking - nothing


def emission(workload: Workload, runs: int = RUNS) -> Emission:
    """Medians over processes of their own, and the least."""
    command = [sys.executable, str(Path(__file__)), workload.name]
    lines = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(runs)]
    found = [json.loads(line) for line in lines]
    return Emission(**{key: (min if key == "least" else median)([one[key] for one in found]) for key in found[0]})


def table(rows: Mapping[str, Emission]) -> str:
    """The rows as Markdown."""
    head = "| workload | derive | compile | both | the least | bind | call | bound call |"
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    lines.append(f"| *goal* | | | {GOAL_MS} ms | | | {GOAL_US} µs | {GOAL_US} µs |")
    for name, e in rows.items():
        cells = [f"{1e3 * t:.1f} ms" for t in (e.derive, e.compile, e.derive + e.compile, e.least, e.bind)]
        cells += [f"{1e6 * t:.1f} µs" for t in (e.call, e.bound_call)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    (chosen,) = [w for w in WORKLOADS if w.name == sys.argv[1]]
    print(json.dumps(vars(measure(chosen))))
