"""Splitting: disjoint, complete, repeatable, and scikit-learn's for the same seed."""

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from symgrad.errors import InputError, ShapeError
from symgrad.tables import split


@pytest.mark.parametrize("n", [2, 5, 101, 506, 1797])
@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.25, 1 / 3])
@pytest.mark.parametrize("seed", [0, 7])
def test_scikit_learn_splits_the_same_rows(n, fraction, seed):
    train, test = split(n, test_fraction=fraction, seed=seed)
    their_train, their_test = train_test_split(np.arange(n), test_size=fraction, random_state=seed)
    np.testing.assert_array_equal(train, their_train)
    np.testing.assert_array_equal(test, their_test)


def test_the_rows_of_a_seed_never_change():
    # Written down: a new NumPy must not move a published test error.
    assert split(8, test_fraction=0.25, seed=0)[1].tolist() == [6, 2]
    labels = list("aabbbbbb")
    assert split(8, test_fraction=0.5, seed=0, labels=labels)[1].tolist() == [6, 2, 1, 7]


@pytest.mark.parametrize("seed", range(10))
def test_classes_keep_their_share(seed):
    labels = np.repeat(["a", "b", "c"], [60, 30, 11])
    train, test = split(101, test_fraction=0.3, seed=seed, labels=labels)
    assert sorted([*train, *test]) == list(range(101))
    assert len(test) == 31
    for label, size in zip("abc", (60, 30, 11), strict=True):
        assert abs((labels[test] == label).sum() - size * 31 / 101) < 1


def test_stratified_rows_depend_on_the_seed_alone():
    labels = np.arange(100) % 3
    first, again, other = (split(100, test_fraction=0.2, seed=s, labels=labels)[1] for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.tolist() != other.tolist()


def test_every_class_stays_in_the_training_part():
    labels = [0] * 6 + [1, 1, 2]
    for seed in range(20):
        train, test = split(9, test_fraction=0.5, seed=seed, labels=labels)
        assert {labels[i] for i in train} == {0, 1, 2}
        assert len(test) == 5
    with pytest.raises(InputError, match="leave a class without training rows"):
        split(9, test_fraction=0.75, seed=0, labels=labels)


def test_a_fraction_of_zero_tests_nothing():
    train, test = split(4, test_fraction=0.0, seed=0)
    assert (sorted(train), len(test)) == ([0, 1, 2, 3], 0)


@pytest.mark.parametrize(
    ("n", "fraction", "seed", "message"),
    [
        (10, 1.0, 0, "test fraction is 1.0"),
        (10, -0.1, 0, "test fraction is -0.1"),
        (10, float("nan"), 0, "test fraction is nan"),
        (1, 0.2, 0, "leaves none to train on"),
        (0, 0.2, 0, "leaves none to train on"),
        (10, 0.2, -1, "seed is -1"),
        (10, 0.2, 2**32, "seed is 4294967296"),
    ],
)
def test_arguments_out_of_range_are_refused(n, fraction, seed, message):
    with pytest.raises(InputError, match=message):
        split(n, test_fraction=fraction, seed=seed)


def test_labels_of_another_length_are_refused():
    with pytest.raises(ShapeError, match=r"labels have shape \(3,\) for 4 rows"):
        split(4, test_fraction=0.5, seed=0, labels=[1, 2, 3])
