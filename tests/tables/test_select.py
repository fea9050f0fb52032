"""Choosing columns by name, list and range."""

import io

import numpy as np
import pytest

from symgrad.errors import InputError
from symgrad.tables import read_table

TABLE = read_table(io.StringIO('CRIM,ZN,RM,"a,b",x:y,MEDV\n1,2,3,4,5,6\n'), name="t.csv")


@pytest.mark.parametrize(
    ("choice", "values"),
    [
        ("RM", [3]),
        ("RM,CRIM", [3, 1]),
        (" RM , CRIM ", [3, 1]),
        (["RM", "CRIM"], [3, 1]),
        ("CRIM:RM", [1, 2, 3]),
        ("MEDV,CRIM:ZN", [6, 1, 2]),
        ("RM:", [3, 4, 5, 6]),
        (":ZN", [1, 2]),
        (":", [1, 2, 3, 4, 5, 6]),
        ("RM:RM", [3]),
        ('"a,b",MEDV', [4, 6]),
        ("a,b", [4]),
        (["a,b", "ZN"], [4, 2]),
        ("x:y", [5]),
        ("x:y:MEDV", [5, 6]),
        ("RM:x:y", [3, 4, 5]),
    ],
)
def test_a_choice_keeps_its_order(choice, values):
    np.testing.assert_array_equal(TABLE.numbers(choice), [values])


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("RMM", "t.csv: there is no column 'RMM'; did you mean RM?"),
        ("medv", "t.csv: there is no column 'medv'; did you mean MEDV?"),
        ("CRIM:RMM", "t.csv: there is no column 'RMM'; did you mean RM?"),
        ("quux", "t.csv: there is no column 'quux'; did you mean one of CRIM, ZN, RM, a,b, x:y, MEDV?"),
        ("RM:CRIM", "t.csv: the range 'RM:CRIM' runs backwards; write CRIM:RM, in the order of the file"),
        ("RM,CRIM:", "t.csv: column RM is chosen twice; name it once"),
        ([], "t.csv: no columns are chosen; name at least one"),
        ("RM,", "t.csv: there is no column ''; did you mean one of CRIM, ZN, RM, a,b, x:y, MEDV?"),
    ],
)
def test_a_wrong_choice_is_told_what_to_write(choice, message):
    with pytest.raises(InputError) as caught:
        TABLE.numbers(choice)
    assert str(caught.value) == message


def test_one_column_is_still_a_matrix():
    assert TABLE.numbers("RM").shape == (1, 1)
    assert TABLE.column("RM").shape == (1,)
