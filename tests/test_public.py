"""The public names: each can be had, none is hidden by a module, and a model file's vocabulary is all of them."""

from __future__ import annotations

import pkgutil

import pytest

import symgrad
from symgrad.primitives import language


@pytest.mark.parametrize("name", symgrad.__all__)
def test_every_public_name_can_be_had(name):
    assert getattr(symgrad, name) is not None


def test_no_module_is_named_like_a_public_name():
    """Importing symgrad.data would bind the attribute `data` and hide the function of that name."""
    modules = {module.name for module in pkgutil.iter_modules(symgrad.__path__)}
    assert modules & set(symgrad.__all__) == set()


def test_the_vocabulary_is_public():
    assert set(language.__all__) <= set(symgrad.__all__)


def test_an_unknown_name_says_where_to_look():
    with pytest.raises(AttributeError, match="no 'softmx'"):
        symgrad.softmx  # noqa: B018  # looking the name up is the point
