"""Typst's mathematics says what the formula says: the rows of a matrix, the extent of scripts, and no code of a name's."""

from __future__ import annotations

import re

import pytest

from symgrad.errors import InputError
from symgrad.notation.names import typeset
from symgrad.notation.typst import typst, typst_string

PRINTED = [
    (r"\frac{1}{n}\,X^{\top}", "frac(1, n)#h(0.12em);#h(0.167em);attach(X, t: ⊤)"),
    # What leaves room at the end of a row does not end the row.
    (r"\begin{pmatrix} 0\phantom{.5} & 1 \\ -2 & 3 \end{pmatrix}", 'mat(delim: "(", 0#h(0.778em);, 1; −2, 3)'),
    (
        r"\begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}",
        'cases(x & #h(0.8em);x>0, 0 & #h(0.8em);"otherwise")',
    ),
    (r"w_{1,pj} + \dots", r"attach(w, b: 1\,p j)+…"),
    (r"\alpha\beta xy 12 a", "α β x y 12 a"),
    (r"(A B)^{\top}", r"\(A B attach(\), t: ⊤)"),
    (r"\left(\frac{a}{b}\right)^{2}", r"attach(lr(\(frac(a, b)\)), t: 2)"),
    (r"{\textstyle \sum_{i}}\, x", "inline(attach(∑, b: i))#h(0.167em);x"),
    (r"f''_{a}^{2}", "attach(f, t: ′′2, b: a)"),
    (r"\partial L/\partial W", '∂L"/"∂W'),
]


@pytest.mark.parametrize(("tex", "expected"), PRINTED)
def test_a_formula_in_typst(tex, expected):
    assert typst(tex) == expected


@pytest.mark.parametrize(
    "name", ['a"#panic()', "#x", "$", "a\\", "x_#y", "質_量", "a;b,c", "//", "*/", "\\u{41}", "@a", "<b>"]
)
def test_a_name_is_a_string(name):
    """Outside strings there is nothing but our own functions, letters and signs."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", typst(typeset(name)))
    assert re.fullmatch(r"(?:attach|[a-zA-Z0-9]|[(): ,]|\\[,;])*", bare)


def test_a_string_holds_what_it_is_given():
    assert typst_string('a "b" \\ #c\n\x00') == r'"a \"b\" \\ #c "'


def test_room_for_what_has_no_known_width_is_refused():
    with pytest.raises(InputError, match="no width is known of x"):
        typst(r"\phantom{x}")
