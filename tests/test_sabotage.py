"""Every rule broken in turn (`scripts/sabotage`): the proofs refuse each time, and refuse nothing that is whole."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES

SCRIPT = Path(__file__).parents[1] / "scripts" / "sabotage"


def load_script():
    loader = importlib.machinery.SourceFileLoader("sabotage", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("sabotage", loader))
    sys.modules["sabotage"] = module  # its dataclasses look themselves up there
    loader.exec_module(module)
    return module


sabotage = load_script()
EVERY = sabotage.every()
MODELS = {name: build for s in EVERY for name, build in s.models}


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_refused_where_nothing_is_broken(name):
    assert sabotage.refusal(((name, MODELS[name]),)) is None


@pytest.mark.parametrize("s", EVERY, ids=[f"{s.name}: {s.how}" for s in EVERY])
def test_the_proofs_refuse_what_a_broken_rule_derives(s):
    with sabotage.applied(s):
        assert sabotage.refusal(s.models) is not None


def test_every_rule_of_the_tables_is_broken():
    names = " ".join(s.name for s in EVERY)
    assert all(f"primitive {name}" in names for name in PRIMITIVES.keys() - sabotage.WITHOUT_VARIABLES)
    assert all(f"function {name}[" in names for name, f in FUNCTIONS.items() if f.derivatives is not None)


def test_what_was_broken_is_whole_again():
    (s, *_) = EVERY
    before = s.place[s.key]
    with sabotage.applied(s):
        assert s.place[s.key] is not before
    assert s.place[s.key] is before
