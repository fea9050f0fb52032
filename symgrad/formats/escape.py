"""Text of the user's, and our own prose, so that it prints as itself in each format."""

from __future__ import annotations

import re
from itertools import pairwise
from unicodedata import normalize

from symgrad.notation.names import GREEK_LETTERS
from symgrad.notation.signs import TEXT_SIGNS
from symgrad.prose import one_line

# ASCII punctuation that Markdown or its mathematics could take for markup.
MARKDOWN_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|$~&^!@])")
# Addresses become links, and words between colons pictures.
ADDRESS = re.compile(r":(?=//)|(?<=www)\.|:(?=[\w+-]+:)", re.I)
SMART = re.compile(r"[\"']|(?<!\\)-(?=-)|(?<!\\)\.(?=\.)")
# What begins a list, a rule, an underlined heading; pandoc counts by letters and roman numbers too, and knows definitions.
OPENING = re.compile(r"^(\d+(?=[.)])|)([-+=.)])(?=\s|[-+=]|$)")
COMMON_OPENING = re.compile(r"^(\(?(?:\d+|[A-Za-z]|[ivxlcdmIVXLCDM]+)(?=[.)])|)([-+=:%.)])(?=\s|[-+=:]|$)")

# A dash by its name: two hyphens are two hyphens. The space that does not break is TeX's own, which stretches with the others.
LATEX = {**TEXT_SIGNS, "–": r"\textendash{}", "\xa0": "~"}
LONGEST_WORD = 40
# So short that a line can be filled with them: one that cannot, TeX leaves too wide.
PIECE_OF_WORD = 8
LONG_WORD = re.compile(rf"[^\s\u2e80-\U0003ffff]{{{LONGEST_WORD + 1},}}")
# What Latin Modern has, under XeTeX and as T1 and TS1; of Chinese, Fandol is only sure to have what GB 2312 has.
LATIN = re.compile(
    r"[\xa0-\xb7\xb9-\u0125\u0128-\u0131\u0134-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e‐‑–—‘’‚“”„†‡•‰‹›€№]"
)
CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
# Signs that occur in the tables' own prose, and which text fonts do not all have.
SIGNS = {
    "²": "$^{2}$", "³": "$^{3}$", "≤": r"$\le$", "≥": r"$\ge$", "±": r"$\pm$", "−": "$-$", "×": r"$\times$",
    "δ": r"$\delta$", "∂": r"$\partial$", "ᵀ": r"$^{\top}$", "Σ": r"$\sum$", "·": r"$\cdot$",
    "‖": r"$\Vert$", "√": r"$\surd$", "⊙": r"$\odot$", "∞": r"$\infty$", "→": r"$\to$", "θ": r"$\theta$",
    "∈": r"$\in$", "∏": r"$\prod$", "⊗": r"$\otimes$", "≈": r"$\approx$", "≠": r"$\ne$",
    "⁻": "$^{-}$", "⟨": r"$\langle$", "⟩": r"$\rangle$",
    **{c: f"${tex}$" for c, tex in GREEK_LETTERS.items()},
    **{c: f"$_{{{plain}}}$" for c, plain in zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙₜ", "0123456789ijkmnt", strict=True)},
    **{c: f"$^{{{plain}}}$" for c, plain in zip("⁰¹⁴⁵⁶⁷⁸⁹ⁿˣʸᶻᵗˢᵏ", "01456789nxyztsk", strict=True)},
}  # fmt: skip


def markdown_text(text: str) -> str:
    r"""Text in Markdown, on one line.

    >>> markdown_text("<script> $x$ {% if %}")
    '\\<script\\> \\$x\\$ \\{% if %\\}'
    """
    return ADDRESS.sub(r"\\\g<0>", MARKDOWN_ACTIVE.sub(r"\\\1", one_line(text)))


def github_text(text: str) -> str:
    r"""Text in GitHub's Markdown, which makes links of e-mail addresses, escaped or not.

    >>> github_text("a@b.example")
    'a\\@<!-- -->b.example'
    """
    return re.sub(r"\\@(?=\w)", r"\\@<!-- -->", markdown_text(text))


def common_text(text: str) -> str:
    r"""Text in the Markdown of pandoc and its like, which would also curl quotes and join dashes and dots.

    >>> common_text('"a" -- b... $c$')
    '\\"a\\" \\-- b\\... \\$c\\$'
    """
    return SMART.sub(r"\\\g<0>", markdown_text(text))


def markdown_opening(paragraph: str) -> str:
    r"""A paragraph of Markdown whose first characters open no list, rule, heading or program.

    >>> markdown_opening("1. Fit"), markdown_opening("- a"), markdown_opening("    b")
    ('1\\. Fit', '\\- a', 'b')
    """
    return OPENING.sub(r"\1\\\2", paragraph.strip(" "))


def common_opening(paragraph: str) -> str:
    r"""The same for pandoc and its like, which know more lists.

    >>> common_opening("c. d"), common_opening("(iv) e"), common_opening(": f")
    ('c\\. d', '(iv\\) e', '\\: f')
    """
    return COMMON_OPENING.sub(r"\1\\\2", paragraph.strip(" "))


def before_formulas(line: str) -> str:
    """A line for GitHub, which takes no formula for one that stands right behind a Chinese character or sign.

    >>> before_formulas("记号：$`x`$ 和 $`y`$")
    '记号： $`x`$ 和 $`y`$'
    """
    return re.sub(r"(?<=[^\x00-\x7f])(?=\$`)", " ", line.strip())


def markdown_code(text: str) -> str:
    """A piece of a program in Markdown."""
    line = one_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    room = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{room}{line}{room}{fence}"


# Two of these would be set as one other sign: a dash, a quotation mark. What parts them is a kern: LuaTeX looks past {}.
LIGATURE = re.compile(r"([-',]|\\text(?:less|greater)\{\})(?=\1)")


def latex_text(text: str) -> str:
    r"""Text in LaTeX; a character that the fonts of the page lack prints as its number.

    >>> latex_text(r"\input{/etc/passwd} & 5 %"), latex_text("ш"), latex_text("--wrt")
    ('\\textbackslash{}input\\{/etc/passwd\\} \\& 5 \\%', '[U+0448]', '-\\kern0pt{}-wrt')
    """
    shown = "".join(LATEX.get(c) or SIGNS.get(c) or _printed(c) for c in normalize("NFC", one_line(text)))
    return LIGATURE.sub(r"\1\\kern0pt{}", shown)


def latex_paragraph(text: str) -> str:
    """The same where lines break: a very long word too, and numbers of characters."""
    escaped = r"\allowbreak{}".join(map(latex_text, broken_words(text)))
    return re.sub(r"\[U\+[0-9A-F]{4,6}\]", r"\g<0>\\allowbreak{}", escaped)


def broken_words(text: str) -> list[str]:
    """The text, cut where a word is too long for a line and may break anywhere.

    >>> broken_words("a " + "w" * 41)[:3], broken_words("字" * 50 + "softmax") == ["字" * 50 + "softmax"]
    (['a wwwwwwww', 'wwwwwwww', 'wwwwwwww'], True)
    """
    cuts = [
        word.start() + k for word in LONG_WORD.finditer(text) for k in range(PIECE_OF_WORD, len(word[0]), PIECE_OF_WORD)
    ]
    return [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]


def _printed(char: str) -> str:
    if char.isascii() or LATIN.fullmatch(char):
        return char
    try:
        is_known = bool(CJK.fullmatch(char)) and len(char.encode("gb2312")) == 2
    except UnicodeEncodeError:
        is_known = False
    return char if is_known else f"[U+{ord(char):04X}]"


def latex_code(text: str) -> str:
    """A piece of a program in LaTeX."""
    # Two straight quotes would become one sign.
    straight = latex_text(text).replace("'", r"\textquotesingle{}")
    return rf"\texttt{{{straight}}}"
