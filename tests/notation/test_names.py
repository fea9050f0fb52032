"""Names: letters, words, accents, indices; nothing that a name holds is TeX."""

from __future__ import annotations

import re

import pytest

from symgrad.notation.names import entry, typeset

NAMES = [
    ("x", "x"),
    ("W1", "W_{1}"),
    ("W12", "W_{12}"),
    ("W_1", "W_{1}"),
    ("W_1_in", r"W_{1,\mathrm{in}}"),
    ("W1_in", r"W_{1,\mathrm{in}}"),
    ("x_i", "x_{i}"),
    ("x_hat", r"\hat{x}"),
    ("x_hat_1", r"\hat{x}_{1}"),
    ("y_bar", r"\bar{y}"),
    ("w_star", r"{w^{\ast}}"),
    ("y_true", r"y_{\mathrm{true}}"),
    ("alpha", r"\alpha"),
    ("Sigma", r"\Sigma"),
    ("sigma2", r"\sigma_{2}"),
    ("theta_hat", r"\hat{\theta}"),
    ("lam", r"\lambda"),
    ("lambda_", r"\lambda"),
    ("x_lambda", r"x_{\lambda}"),
    ("eps", r"\varepsilon"),
    ("loss", r"\mathrm{loss}"),
    ("loss2", r"\mathrm{loss}_{2}"),
    ("loss_2", r"\mathrm{loss}_{2}"),
    ("loss_hat", r"\hat{\mathrm{loss}}"),
    ("learning_rate", r"\mathrm{learning\_rate}"),
    ("max_iter_3", r"\mathrm{max\_iter}_{3}"),
    ("dW", r"\mathrm{dW}"),
    ("alphabet", r"\mathrm{alphabet}"),
    ("λ", r"\lambda"),
    ("β1", r"\beta_{1}"),
    ("x_μ", r"x_{\mu}"),
    ("é", r"\text{é}"),
    ("质量", r"\text{质量}"),
    ("质量2", r"\text{质量}_{2}"),
    ("x_质量", r"x_{\text{质量}}"),
    ("质量_aβ", r"{\text{质量}\mathrm{\_a}\beta }"),
    ("_", r"\mathrm{\_}"),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_typeset(name, expected):
    assert typeset(name) == expected


@pytest.mark.parametrize(
    ("name", "indices", "expected"),
    [
        ("X", "ip", "x_{ip}"),
        ("x", "i", "x_{i}"),
        ("W1", "pj", "w_{1,pj}"),
        ("Sigma", "ij", r"\Sigma_{ij}"),
        ("X", ["n", "c", "t+s"], "x_{n,c,t+s}"),
        ("X", [r"\alpha", "j"], r"x_{\alpha j}"),
        ("X_hat", "ij", r"\hat{x}_{ij}"),
        ("loss", "i", r"\mathrm{loss}_{i}"),
        ("质", "i", r"\text{质}_{i}"),
        ("s", "", "s"),
    ],
)
def test_entry(name, indices, expected):
    assert entry(name, indices) == expected


HOSTILE = [
    r"\input{/etc/passwd}",
    r"x}\write18{rm}",
    "a$b",
    "a`b",
    "50%",
    "x^2",
    "a&b",
    "#1",
    "a~b",
    "<script>",
    "a|b",
    "*x*",
    "line\nbreak",
    "tab\there",
    "nul\0here",
    "质}\\input{x",
    "{% if %}",
    "é\u202eabc",
    "%",
    "\\",
    "_{",
    "'",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_prints_as_itself_or_not_at_all(name):
    text = typeset(name)
    commands = set(re.findall(r"\\[a-zA-Z]+", text))
    known = (
        *("backslash", "lbrace", "rbrace", "wedge", "sim", "prime", "langle", "rangle", "mid", "ast"),
        *("mathrm", "text", "hat", "bar"),
    )
    assert commands <= {rf"\{word}" for word in known}
    bare = re.sub(r"\\[a-zA-Z]+|\\[$&#%_ ]", "", text)
    assert not re.search(r"[\\$&#%~`<>|*\n\t\0\u202e]", bare)
    # Braces are ours alone: they balance, and never close more than was opened.
    depth = 0
    for char in bare:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
