"""Formulas in two dimensions of Unicode: aligned, as wide as a terminal shows them, broken without a loss."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from documents import IS_WIDE, MODELS, formulas_of, page
from wcwidth import wcswidth, wcwidth

from symgrad.notation.boxes import TALL, WAIST, hard_wrapped
from symgrad.notation.linear import LOWERED, ONES, RAISED, columns, linear
from symgrad.notation.signs import ACCENTS, DELIMITERS, SIGNS
from symgrad.notation.unicode import BAR, OVER, box, broken

NAMES = MODELS if IS_WIDE else ("softmax_regression", "m02_mixture", "n05_causal_heads")


def text(*lines):
    return "\n".join(lines)


EXAMPLES = {
    r"-\frac{1}{n}\,\langle Y, \log P\rangle": text("  1", "− ─ ⟨Y, log P⟩", "  n"),
    r"\left(\frac{\partial L}{\partial Z}\right)^{\top} \mathbf{1}": text("⎛∂L⎞ᵀ", "⎜──⎟ 𝟏", "⎝∂Z⎠"),
    r"\sum_{i} x_{ij}\, w_{jk}": text("∑ xᵢⱼ wⱼₖ", "i"),
    r"\sum_{i} x_{ij}\, w_{jq}": text("∑ x   w", "i  ij  jq"),
    r"\frac{e^{z_{i}}}{\sum_{j} e^{z_{j}}}": text("  z", "   i", " e", "─────", "   z", "    j", "∑ e", "j"),
    r"X^{\top} (P - Y)": "Xᵀ(P − Y)",
    r"\begin{pmatrix} 1 & -2 \\ 0.5 & 3 \end{pmatrix}": text("⎛ 1   −2⎞", "⎝0.5  3 ⎠"),
    r"\lVert W\rVert_{F}^{2}": text("‖W‖²", "   F"),
}


@pytest.mark.parametrize(("tex", "shown"), EXAMPLES.items())
def test_a_formula_looks_as_on_paper(tex, shown):
    assert str(box(tex)) == shown


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"\frac{\partial L}{\partial W}", "∂L/∂W"),
        (r"\frac{1}{n}\,X^{\top} r", "(1/n) Xᵀr"),
        (r"\frac{1}{2n}", "1/(2n)"),
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"p_{iq}", "p_iq"),
        (r"w_{7,15}", "w_(7,15)"),
        (r"\sqrt{d}", "√d"),
        (r"\mathrm{softmax}(Z)", "softmax(Z)"),
        (r"\hat{y}", "y\u0302"),
    ],
)
def test_a_formula_on_one_line(tex, shown):
    assert linear(tex) == shown


# ---- the laws


def all_formulas():
    found = {tex for name in NAMES for language in ("en", "zh") for tex in formulas_of(page(name, language, "full"))}
    return sorted(tex for tex in found if tex)


def letters(lines):
    """What is read, whatever stands raised, lowered or on a line of its own."""
    flat = unicodedata.normalize("NFKD", "".join(lines)).replace("⊤", "T")
    return Counter(c for c in flat if c.isalnum())


def test_every_box_is_a_rectangle_of_the_width_that_a_terminal_shows():
    for tex in all_formulas():
        own = box(tex)
        assert {wcswidth(line) for line in own.lines} == {own.width}, tex
        assert 0 <= own.baseline < len(own.lines)


@pytest.mark.parametrize("room", [16, 34])
def test_what_is_broken_fits_and_is_whole(room):
    wide = [tex for tex in all_formulas() if box(tex).width > room]
    assert len(wide) > 20
    for tex in wide:
        pieces = broken(tex, room)
        assert all(piece.width <= room for piece in pieces), tex
        assert letters(line for piece in pieces for line in piece.lines) == letters(box(tex).lines), tex


def test_what_nothing_breaks_goes_on_behind_a_mark():
    assert hard_wrapped("x" * 12, 6) == ["xxxxxx", "↪ xxxx", "↪ xx"]
    assert [str(b) for b in broken(r"\mathrm{averylongname}", 8)] == ["averylon", "↪ gname"]


# ---- the glyphs


def test_every_sign_has_a_glyph_of_a_column():
    signs = {s.text for s in SIGNS.values() if len(s.text) == 1} | {d for d in DELIMITERS.values() if d}
    signs |= set(RAISED.values()) | set(LOWERED.values()) | {BAR, ONES} | set(OVER.values()) | set(WAIST.values())
    signs |= {c for ends in TALL.values() for c in ends}
    for sign in signs:
        assert wcwidth(sign) == columns(sign) == 1, sign
        assert sign == " " or (sign.isprintable() and not sign.isspace()), sign
    assert {wcwidth(c) for c in ACCENTS.values()} == {columns(c) for c in ACCENTS.values()} == {0}


def test_every_delimiter_can_be_tall_and_every_accent_stand_over_a_word():
    assert set(DELIMITERS.values()) - {""} <= set(TALL)
    assert set(ACCENTS) <= set(OVER)


def test_columns_are_those_of_a_terminal():
    for sample in ("梯度 ∂L/∂W", "x\u0302", "𝟏ᵀ", "（缩并）", "a\u200bb"):
        assert columns(sample) == wcswidth(sample)
