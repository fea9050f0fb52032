"""Values and gradients of compiled code against PyTorch in float64, in the simplest and in the rawest form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import symgrad as sg

from compile.models import MODELS, arrays_for, derived, oracle, swept  # isort: skip
from symgrad.compile.function import compile_derivation

BUILDERS = {"derived": derived, "swept": swept}


def close(ours, theirs, tolerance):
    scale = max(np.abs(theirs).max(), 1e-3)
    return np.shape(ours) == np.shape(theirs) and np.abs(ours - theirs).max() <= tolerance * scale


@pytest.fixture(scope="module")
def compiled():
    known = {}

    def get(name, builder):
        if (name, builder) not in known:
            derivation = BUILDERS[builder](MODELS[name][0]())
            known[name, builder] = derivation, compile_derivation(derivation, title=name)
        return known[name, builder]

    return get


@pytest.mark.parametrize("builder", list(BUILDERS))
@pytest.mark.parametrize("name", list(MODELS))
def test_value_and_gradients_are_right(compiled, name, builder):
    derivation, f = compiled(name, builder)
    parameters = [p.name for p in derivation.parameters]
    for seed in range(3):
        arrays = arrays_for(derivation.leaves, seed)
        value, gradients = f(**arrays)
        expected, theirs = oracle(MODELS[name][1], arrays, parameters)
        assert close(value, expected, 1e-12), f.source
        assert close(f.value(**arrays), expected, 1e-12)
        assert list(gradients) == parameters
        for parameter in parameters:
            assert close(gradients[parameter], theirs[parameter], 1e-12), (parameter, f.source)


@pytest.mark.parametrize("name", list(MODELS))
def test_float32_stays_float32(compiled, name):
    derivation, f = compiled(name, "derived")
    arrays = arrays_for(derivation.leaves, 0)
    value, gradients = f(**{key: a.astype(np.float32) for key, a in arrays.items()})
    expected, theirs = f(**arrays)
    assert value.dtype == np.float32
    assert np.ndim(value) == 0
    assert close(value, expected, 1e-4)
    for key, g in gradients.items():
        assert g.dtype == np.float32
        assert close(g, theirs[key], 1e-3)


@pytest.mark.parametrize("name", list(MODELS))
def test_inputs_are_left_alone_and_gradients_are_fresh(compiled, name):
    derivation, f = compiled(name, "derived")
    arrays = arrays_for(derivation.leaves, 0)
    before = {key: a.copy() for key, a in arrays.items()}
    for a in arrays.values():
        a.flags.writeable = False
    value, gradients = f(**arrays)
    results = list(gradients.values())
    for k, g in enumerate(results):
        assert isinstance(g, np.ndarray)
        assert g.flags.writeable
        assert all(not np.shares_memory(g, other) for other in [*arrays.values(), *results[:k]])
        assert not np.shares_memory(g, np.asarray(value))
        g += 1
    assert all(np.array_equal(arrays[key], a) for key, a in before.items())


def test_a_root_that_is_looked_at_twice_is_taken_once():
    """√u is written over u, and broadcast to the rows in two places: written in both, the root was that of the root."""
    n, d = sg.dims("n d")
    w = sg.parameter("W", n, d)
    e = w**3
    u = sg.sum(e**2, axis=1) / d + 0.1
    v = e / sg.sqrt(u)[:, None]
    f = sg.Problem(sg.sum(v * v) / 2, names={"E": e, "u": u, "V": v}).compile(prove=False)
    at = np.random.default_rng(0).normal(size=(3, 4))
    theirs = torch.tensor(at, requires_grad=True)
    squares = (theirs**3) ** 2
    loss = (squares / (squares.sum(1) / 4 + 0.1)[:, None]).sum() / 2
    loss.backward()
    value, gradients = f(W=at)
    assert close(value, loss.item(), 1e-12)
    assert close(gradients["W"], theirs.grad.numpy(), 1e-12)
