"""CSV as people have it: exact numbers, and one line of error that finds the cell."""

import io
import math
from decimal import Decimal

import numpy as np
import pytest

from symgrad.errors import InputError
from symgrad.tables import read_table


def table(text, name="t.csv"):
    return read_table(io.BytesIO(text.encode() if isinstance(text, str) else text), name=name)


def error(text, use=lambda table: None):
    with pytest.raises(InputError) as caught:
        use(table(text))
    message = str(caught.value)
    assert "\n" not in message
    assert message.count("; ") == 1, message
    return message


def test_columns_are_numbers_or_text():
    t = table("x,town,z\n1,Nahant,-2.5e3\n.5,Lynn,+7.\n")
    assert t.names == ("x", "town", "z")
    assert len(t) == 2
    np.testing.assert_array_equal(t.column("x"), [1.0, 0.5])
    np.testing.assert_array_equal(t.column("z"), [-2500.0, 7.0])
    assert t.column("town").tolist() == ["Nahant", "Lynn"]
    assert t.column("x").dtype == np.float64


@pytest.mark.parametrize(
    "text",
    [
        "0.1",
        "0.30000000000000004",
        "1e23",
        "8.5e-324",
        "2.2250738585072011e-308",
        "9007199254740993",
        "179769313486231580793e288",
        "0." + "1" * 60,
    ],
)
def test_a_number_is_the_nearest_float(text):
    value = table(f"x\n{text}\n").column("x")[0]
    exact = Decimal(text)
    distance = abs(Decimal(float(value)) - exact)
    for neighbour in (math.nextafter(value, -math.inf), math.nextafter(value, math.inf)):
        assert distance <= abs(Decimal(float(neighbour)) - exact)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_and_byte_order_mark(end, mark, last):
    t = table(mark + end.join(["a,b", "1,2", "3,4"]) + (end if last else ""))
    assert t.names == ("a", "b")
    assert t.lines == (2, 3)
    np.testing.assert_array_equal(t.numbers("a,b"), [[1, 2], [3, 4]])


def test_quotes_protect_delimiters_line_ends_and_quotes():
    t = table('name,"size, m²"\n"Smith, J.","1.5"\n"two\r\nlines","2"\n"say ""hi""", "3"\n')
    assert t.names == ("name", "size, m²")
    assert t.column("name").tolist() == ["Smith, J.", "two\r\nlines", 'say "hi"']
    np.testing.assert_array_equal(t.column("size, m²"), [1.5, 2, 3])
    assert t.lines == (2, 3, 5)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a;b\n1;2\n", ("a", "b")),
        ("a\tb c\n1\t2\n", ("a", "b c")),
        ("a;b\n1,5;x\n", ("a", "b")),
        ("a,b\n1;5,2\n", ("a", "b")),
        ("only\n1\n2\n", ("only",)),
        ('"a;b",c\n1,2\n', ("a;b", "c")),
        ("a,b;c\n1;2\n", ("a,b", "c")),
    ],
)
def test_the_delimiter_is_what_fits_every_row(text, names):
    assert table(text).names == names


def test_spaces_and_empty_lines_are_skipped_and_lines_still_counted():
    t = table("\na , b\n\n 1,2 \n   \n3,4\n\n")
    assert t.names == ("a", "b")
    assert t.lines == (4, 6)
    np.testing.assert_array_equal(t.numbers("a:b"), [[1, 2], [3, 4]])


def test_paths_text_streams_and_names(tmp_path):
    path = tmp_path / "houses.csv"
    path.write_text("RM\n6\nx\n")
    for source, label in ((path, str(path)), (str(path), str(path)), (io.StringIO("RM\n6\nx\n"), "<stream>")):
        with pytest.raises(InputError) as caught:
            read_table(source).numbers("RM")
        assert str(caught.value).startswith(f"{label}:3:RM: 'x' is not a number; ")
    with path.open() as stream:
        assert read_table(stream).source == str(path)


def test_what_is_not_a_number_stays_text():
    # All of these are numbers to Python's float, or would be something to an evaluator.
    cells = ["1_000", "inf", "nanx", "１２", "0x10", "1e", "__import__('os').abort()", "=1+1"]
    for cell in cells:
        t = table(f"x\n{cell}\n")
        assert t.column("x").tolist() == [cell]
        with pytest.raises(InputError, match="is not a number"):
            t.numbers("x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t.csv: the file is empty; "),
        ("\n\n", "t.csv: the file is empty; "),
        ("a,b\n", "t.csv:1: there are no rows below the header; "),
        ("a,b\n1,2\n3\n", "t.csv:3:b: the row ends before this column, with 1 cells under 2 names; "),
        ("a,b\n1,2\n3,4,5\n", "t.csv:3:b: the row goes on beyond this column, with 3 cells under 2 names; "),
        ("a;b\n1;2\n3\n", "t.csv:3:b: the row ends before this column, with 1 cells under 2 names; "),
        ("a,b,a\n1,2,3\n", "t.csv:1:a: columns 1 and 3 have the same name; "),
        ("a,,b\n1,2,3\n", "t.csv:1: column 2 has no name; "),
        ("1.5,2\n3,4\n", "t.csv:1: the first line holds numbers ('1.5', …), no names; "),
        ("0,0\n3,4\n", "t.csv:1: the first line holds numbers ('0', …), no names; "),
        ('a,b\n1,"2\n', "t.csv:2: this is not CSV (unexpected end of data); "),
        ('a,b\n1,2\n"x"y,2\n', "t.csv:3: this is not CSV ('"),
        (b"a,b\n1,2\n\xe9,4\n", "t.csv:3: byte 0xe9 is not UTF-8; "),
        (b"\xef\xbb\xbfa,b\n\xff,4\n", "t.csv:2: byte 0xff is not UTF-8; "),
        ("a,b\n1,2\n".encode("utf-16"), "t.csv:1: the file is UTF-16; "),
    ],
)
def test_broken_files_are_refused_at_their_line(text, expected):
    assert error(text).startswith(expected)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("abc", "'abc' is not a number; correct it, or choose other columns"),
        ('"1,5"', "'1,5' is not a number; write it with a decimal point, 1.5"),
        ("", "the value is missing; fill it in, or delete the row"),
        ("NA", "the value is missing ('NA'); fill it in, or delete the row"),
        ("?", "the value is missing ('?'); fill it in, or delete the row"),
        ("1e999", "'1e999' is too large for float64; change the unit of the column"),
        ("\x1b[31m", "'\\x1b[31m' is not a number; correct it, or choose other columns"),
        ("z" * 500, "'" + "z" * 39 + "…' is not a number; correct it, or choose other columns"),
    ],
)
def test_a_cell_that_is_no_number_is_named(cell, expected):
    text = f"a,b\n1,2\n\n3,4\n5,{cell}\n"
    assert error(text, lambda t: t.numbers("a:b")) == f"t.csv:5:b: {expected}"


def test_a_missing_value_matters_only_where_it_is_used():
    t = table("x,note,y\n1,,2\n3,ok,NA\n")
    np.testing.assert_array_equal(t.column("x"), [1, 3])
    for name, place in (("note", "t.csv:2:note"), ("y", "t.csv:3:y")):
        with pytest.raises(InputError, match=f"^{place}: the value is missing"):
            t.column(name)


def test_text_may_be_called_na():
    # Namibia's code is text in a column of text.
    assert table("country\nDE\nNA\n").column("country").tolist() == ["DE", "NA"]


def test_columns_may_be_called_by_number():
    assert table("0,1,2\n5,6,7\n").names == ("0", "1", "2")


def test_a_path_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: no such file or directory; give the path of a CSV file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r": is a directory; "):
        read_table(tmp_path)


def test_hostile_names_cannot_break_the_line():
    message = error('"a\nb",c\n1,x\n', lambda t: t.numbers(["a\nb", "c"]))
    assert message.startswith("t.csv:3:c: ")
    message = error('"a\nb",c\nx,1\n', lambda t: t.numbers(["a\nb"]))
    assert message.startswith("t.csv:3:'a\\nb': 'x' is not a number; ")
