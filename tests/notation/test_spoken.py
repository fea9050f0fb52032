"""Formulas in words: what a listener hears tells one formula from another, and where its parts end."""

from __future__ import annotations

import re

import pytest
from documents import MODELS, formulas_of, page

from symgrad.notation.spoken import spoken

SAID = [
    (r"\frac{\partial L}{\partial W}", "the partial derivative of L with respect to W", "L 对 W 的偏导数"),
    (r"\partial L/\partial W", "the partial derivative of L with respect to W", "L 对 W 的偏导数"),
    (r"\frac{1}{n}\,X", "1 over n, times X", "n 分之 1，乘 X"),
    (r"\frac{a + b}{c}", "the fraction a plus b over c, end of fraction", "分数，分子为 a 加 b，分母为 c，分数结束"),
    (r"a + \frac{b}{c}", "a plus b over c", "a 加 c 分之 b"),
    (r"x^{n} + 1", "x to the power n plus 1", "x 的 n 次方 加 1"),
    (r"x^{n + 1}", "x to the power n plus 1, end of power", "x 的幂，指数为 n 加 1，指数结束"),
    (r"H_{l-1}", "H sub l minus 1, end of subscript", "H 下标 l 减 1，下标结束"),
    (r"X^{-\top} y", "X inverse transpose times y", "X 的逆的转置 乘 y"),
    (r"\sum_{i=1}^{n} x_{i}", "the sum from i equals 1 to n of x sub i", "从 i 等于 1 到 n 求和，x 下标 i"),
    (r"\langle A,\, B \rangle", "the inner product of A and B, end of inner product", "内积，A 与 B，内积结束"),
    (r"\mathrm{softmax}(Z)", "softmax of Z", "softmax 作用于 Z"),
    (r"n \times d", "n by d", "n 乘 d"),
    (r"3 \times 10^{-4}", "3 times 10 to the power minus 4, end of power", "3 乘 10 的幂，指数为 负 4，指数结束"),
    (r"\begin{pmatrix} 1 & -2 \end{pmatrix}", "a matrix of size 1 by 2: row 1: 1, minus 2; end of matrix",
     "1 行 2 列的矩阵：第 1 行：1，负 2；矩阵结束"),
]  # fmt: skip


@pytest.mark.parametrize(("tex", "english", "chinese"), SAID)
def test_a_formula_is_said_as_it_is_read(tex, english, chinese):
    assert spoken(tex, "en") == english
    assert spoken(tex, "zh") == chinese


def same_to_the_ear(tex):
    """A formula without what only an eye sees: sizes, spaces, braces that group, how a derivative is stacked."""
    tex = re.sub(r"\\phantom\{[^}]*\}", "", tex)
    derivative = r"\\frac\{(\\partial [^{}]*)\}\{(\\partial (?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
    tex = re.sub(derivative, r"\1/\2", tex)
    tex = re.sub(r"\\(?:left|right|[bB]ig[lr]|textstyle|mathinner|mathop|qquad|quad|[,;:!])(?![A-Za-z])", "", tex)
    tex = re.sub(r"\\ (?=\S)|\s", "", tex.replace(r"\tfrac", r"\frac"))
    tex = re.sub(r"\\[lcvd]+dots", r"\\dots", tex)
    while (bare := re.sub(r"(?<![_^\w}])\{([^{}]*)\}", r"\1", tex)) != tex:
        tex = bare
    return tex


@pytest.mark.parametrize("language", ["en", "zh"])
def test_different_formulas_are_different_to_the_ear(language):
    heard = {}
    for name in MODELS:
        for tex in formulas_of(page(name, "en", "full")):
            if tex.strip() and r"\text" not in tex:
                heard.setdefault(spoken(tex, language), {})[same_to_the_ear(tex)] = tex
    assert len(heard) > 500
    assert [list(own.values()) for own in heard.values() if len(own) > 1] == []
