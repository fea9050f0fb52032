"""The tree of a formula: every formula of every page is read, and written back token for token; nothing else is read."""

from __future__ import annotations

import re

import pytest
from documents import MODELS, formulas_of, other_pages, pages_of

from symgrad.errors import InputError
from symgrad.notation.formula import Row, Script, every, write
from symgrad.notation.names import ACTIVE, GREEK_LETTERS, typeset
from symgrad.notation.reading import read

TOKEN = re.compile(r"\\text\{(?:[^{}]|\\[{}]|\{\})*\}|\\[A-Za-z]+|\\.|\S", re.S)


def tokens(tex):
    """What TeX would see; two hyphens and a dash are one sign in text."""
    return TOKEN.findall(tex.replace("--", "–"))


def is_whole(tex):
    return tokens(write(read(tex))) == tokens(tex)


@pytest.mark.parametrize("name", MODELS)
def test_every_formula_of_a_page_comes_back(name):
    formulas = {tex for document in pages_of(name) for tex in formulas_of(document)}
    assert len(formulas) > 40
    assert [tex for tex in formulas if not is_whole(tex)] == []


def test_every_formula_of_the_other_pages_comes_back():
    formulas = {tex for document in other_pages() for tex in formulas_of(document)}
    assert len(formulas) > 400
    assert [tex for tex in formulas if not is_whole(tex)] == []


@pytest.mark.parametrize(
    "name", [*ACTIVE, *GREEK_LETTERS, *"aA1é质😀–", r"\input{x}", "x_hat_2", "a_prime", "W_star", "H[l-1]"]
)
def test_every_name_comes_back(name):
    assert is_whole(typeset(name))
    assert is_whole(typeset("a" + name))


@pytest.mark.parametrize(
    "tex",
    [
        r"\input{x}", "é", "$", "%", "#", "~", r"\frac{1}", r"\frac{1}{", "{a", "a}", "(a", "a)", r"\left(a", r"\left(a)",
        r"\bigl(a\right)", r"\lVert a", r"\lVert a)", "a_", "a_b_c", "a^b^c", r"\begin{aligned}a\end{aligned}",
        r"\begin{pmatrix}a", r"\begin{pmatrix}a\end{cases}", r"\text{\input{x}}", r"\text{$a", r"\mathrm{\frac{a}{b}}",
        r"\mathrm{{a}}", "a & b", r"a \\ b", r"\left+a\right)", "{" * 200 + "}" * 200, r"\operatorname", r"\sqrt[2", "&",
    ],
)  # fmt: skip
def test_what_is_not_of_the_notation_is_refused(tex):
    with pytest.raises(InputError):
        read(tex)


def test_a_sum_has_its_limits_and_a_prime_is_counted():
    (total, *_) = read(r"\sum_{i=1}^{n} x").items
    assert isinstance(total, Script)
    assert total.is_limits
    assert write(total.below) == "{i=1}"
    assert read("f''_{a}").items[0].primes == 2
    assert isinstance(read("^{2}").items[0].base, Row)


def test_every_part_is_walked():
    tex = r"\left\langle \frac{a}{\hat{b}},\, \sqrt[c]{d} \right\rangle_{e}^{f} \text{x$g$}"
    tex += r"\begin{pmatrix} h & i \\ j & k \end{pmatrix}"
    found = "".join(getattr(node, "tex", "") for node in every(read(tex)))
    assert "".join(c for c in found if c.isalpha()) == "abcdefghijk"
