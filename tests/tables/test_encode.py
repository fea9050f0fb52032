"""Class labels become what the fact declares, the same codes for the same classes."""

import numpy as np
import pytest
from sklearn.preprocessing import LabelBinarizer, LabelEncoder

from symgrad.errors import InputError, ShapeError
from symgrad.tables import decide, encode

TOWNS = ["Lynn", "Nahant", "Boston", "Lynn", "Boston"]


@pytest.mark.parametrize("labels", [TOWNS, [3, 1, 2, 2], np.array([10.0, 9.0, 100.0])])
def test_scikit_learn_agrees(labels):
    np.testing.assert_array_equal(encode(labels, "labels").array, LabelEncoder().fit_transform(labels))
    np.testing.assert_array_equal(encode(labels, "one_hot").array, LabelBinarizer().fit_transform(labels))


def test_two_classes():
    values = ["malignant", "benign", "malignant"]
    assert encode(values, "binary").array.tolist() == [1, 0, 1]
    assert encode(values, "sign").array.tolist() == [1, -1, 1]
    assert encode(values, "binary").classes == ("benign", "malignant")
    assert encode(values, "binary", classes=["malignant", "benign"]).array.tolist() == [0, 1, 0]
    # What is encoded already comes out as it went in.
    assert encode([1.0, -1.0], "sign").array.tolist() == [1, -1]
    assert encode([0, 1, 1], "binary").array.tolist() == [0, 1, 1]
    assert encode([True, False], "binary").array.tolist() == [1, 0]


def test_types():
    assert encode(TOWNS, "labels").array.dtype == np.int64
    for fact in ("one_hot", "sign", "binary"):
        assert encode(["a", "b"], fact).array.dtype == np.float64


def test_the_order_of_classes_does_not_depend_on_the_order_of_rows():
    for values in ([10.0, 9.0, 2.0], [2.0, 10.0, 9.0]):
        assert encode(values, "labels").classes == (2, 9, 10)
    assert encode(["10", "9", "2"], "labels").classes == ("2", "9", "10")
    assert encode(["b", "B", "a"], "labels").classes == ("B", "a", "b")


def test_classes_of_the_training_part_hold_for_the_test_part():
    encoded = encode(["b"], "one_hot", classes=["a", "b", "c"])
    assert encoded.array.tolist() == [[0, 1, 0]]
    assert encoded.classes == ("a", "b", "c")
    with pytest.raises(InputError, match=r"label 2 is 'd', which is none of 'a', 'b'; correct it"):
        encode(["a", "d"], "labels", classes=["a", "b"])


def test_a_one_hot_matrix_is_taken_as_it_is():
    matrix = np.array([[0, 1, 0], [1, 0, 0]])
    encoded = encode(matrix, "one_hot")
    np.testing.assert_array_equal(encoded.array, matrix)
    assert encoded.classes == (0, 1, 2)


@pytest.mark.parametrize("rows", [[[0.9, 0.1], [0, 1]], [[1, 1], [0, 1]], [[0, 0], [0, 1]], [["a", "b"]]])
def test_a_matrix_that_is_nearly_one_hot_is_refused(rows):
    # Under one_hot, smoothed labels would make (P − Y)/n silently wrong.
    with pytest.raises(InputError, match="row 1 is not one-hot"):
        encode(np.array(rows), "one_hot")


@pytest.mark.parametrize(
    ("values", "fact", "message"),
    [
        ([0.9, 0.1], "binary", r"label 1 is 0.9, which is no class: smoothed labels"),
        ([1.0, float("nan")], "binary", r"label 2 is nan; give class names or whole numbers"),
        ([1.0, None], "binary", r"label 2 is None; give class names or whole numbers"),
        (TOWNS, "binary", r"there are 3 classes \('Boston', 'Lynn', 'Nahant'\) where binary has two; "),
        ([1, 2, 3], "sign", r"there are 3 classes \(1, 2, 3\) where sign has two; "),
        (["a", "a"], "one_hot", r"the labels hold 1 class; a classifier needs at least two"),
        ([], "one_hot", r"the labels hold 0 class; "),
        (["a", 1], "labels", r"the labels mix text \('a'\) and numbers \(1\); use one kind"),
        (["a", "b"], "smoothed", r"'smoothed' is no encoding of classes; use one of one_hot, sign"),
    ],
)
def test_what_is_no_class_is_refused(values, fact, message):
    with pytest.raises(InputError, match=message):
        encode(values, fact)


def test_labels_come_one_a_row():
    with pytest.raises(ShapeError, match=r"labels have shape \(2, 1\)"):
        encode(np.ones((2, 1)), "labels")


@pytest.mark.parametrize("fact", ["one_hot", "sign", "binary", "labels"])
def test_deciding_undoes_encoding(fact):
    encoded = encode([3, 7, 7, 3], fact)
    outputs = np.eye(2)[encoded.array] if fact == "labels" else encoded.array
    assert decide(outputs, fact).tolist() == [0, 1, 1, 0]


def test_ties_go_to_the_second_of_two_classes_and_the_first_of_many():
    assert decide(np.array([0.5]), "binary").tolist() == [1]
    assert decide(np.array([0.0]), "sign").tolist() == [1]
    assert decide(np.array([[0.5, 0.5]]), "one_hot").tolist() == [0]


def test_deciding_refuses_outputs_of_another_kind():
    with pytest.raises(ShapeError):
        decide(np.ones((3, 1)), "binary")
    with pytest.raises(ShapeError):
        decide(np.ones(3), "one_hot")
