"""The tables that ship with the examples are the published ones."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from symgrad.tables import encode, read_table

DATA = Path(__file__).parents[2] / "examples" / "data"


@pytest.mark.parametrize("name", ["boston.csv", "breast_cancer.csv", "digits.csv"])
def test_the_note_gives_the_checksum(name):
    note = (DATA / "README.md").read_text()
    section = note.split(f"# {name}\n")[1].split("\n# ")[0]
    digest = hashlib.sha256((DATA / name).read_bytes()).hexdigest()
    assert re.search(r"sha256 ([0-9a-f]{64})", section).group(1) == digest
    assert "Known flaws" in section


def test_boston():
    table = read_table(DATA / "boston.csv")
    assert (len(table), len(table.names), table.names[-1]) == (506, 14, "MEDV")
    assert table.numbers(":").shape == (506, 14)
    assert table.column("MEDV").max() == 50


def test_breast_cancer():
    published = load_breast_cancer()
    table = read_table(DATA / "breast_cancer.csv")
    assert table.names[:-1] == tuple(name.replace(" ", "_") for name in published.feature_names)
    np.testing.assert_array_equal(table.numbers("mean_radius:worst_fractal_dimension"), published.data)
    diagnosis = encode(table.column("diagnosis"), "binary", classes=published.target_names.tolist())
    np.testing.assert_array_equal(diagnosis.array, published.target)


def test_digits():
    published = load_digits()
    table = read_table(DATA / "digits.csv")
    assert list(table.names[:-1]) == published.feature_names
    np.testing.assert_array_equal(table.numbers("pixel_0_0:pixel_7_7"), published.data)
    np.testing.assert_array_equal(encode(table.column("digit"), "labels").array, published.target)
