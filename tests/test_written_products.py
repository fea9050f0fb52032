"""Products in matrix form are the products: random contractions, as they are written, against `np.einsum` of what was meant."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from floats import run

import symgrad.primitives.language as sg
from symgrad.graph.expression import contraction
from symgrad.rewrite.display import written

SIZES = sg.dims("n m k")
LENGTHS = {"n": 2, "m": 3, "k": 4}
MOST_FACTORS, MOST_INDICES = 5, 6


def random_contraction(random):
    """Two to five arrays of one to three axes, indices shared by any number of them; up to two axes are left."""
    sizes = [random.choice(SIZES) for _ in range(MOST_INDICES)]
    own = [
        tuple(random.choices(range(MOST_INDICES), k=random.choice((1, 2, 2, 2, 3))))
        for _ in range(random.randint(2, MOST_FACTORS))
    ]
    used = sorted({i for indices in own for i in indices})
    kept = random.sample(used, min(len(used), random.randint(0, 2)))
    order = {i: k for k, i in enumerate([*kept, *(i for i in used if i not in kept)])}
    operands = [sg.data(f"A{k}", *(sizes[i] for i in indices)) for k, indices in enumerate(own)]
    size_of = {i: s for x, indices in zip(operands, own, strict=True) for i, s in zip(indices, x.shape, strict=True)}
    return contraction(operands, [[order[i] for i in indices] for indices in own], tuple(size_of[i] for i in kept))


@pytest.mark.parametrize("seed", range(20))
def test_a_product_as_it_is_written_is_the_product(seed):
    random, numbers = Random(seed), np.random.default_rng(seed)
    for _ in range(60):
        e = random_contraction(random)
        arrays = {x: numbers.normal(size=[s.at(LENGTHS) for s in x.shape]) for x in e.operands}
        letters = [["abcdefgh"[i] for i in own] for own in e.indices]
        spelled = ",".join("".join(own) for own in letters) + "->" + "abcdefgh"[: e.rank]
        meant = np.einsum(spelled, *(arrays[x] for x in e.operands))
        np.testing.assert_allclose(run(written(e), arrays, LENGTHS), meant, rtol=1e-9, atol=1e-9, err_msg=f"{e}")
