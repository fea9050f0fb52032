"""How wide a formula prints, estimated from what LaTeX prints, not from how its source is spelled."""

from __future__ import annotations

import re

COMMANDS_WITHOUT_WIDTH = re.compile(
    r"\\(?:left|right|bigl|bigr|Bigl|Bigr|displaystyle|mathbf|mathrm|mathop|mathinner|text|begin\{\w+\}|end\{\w+\}|,|!|;|:)"
)
# Of a matrix the widest row counts, with a space before each entry.
MATRIX = re.compile(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}")
# The space on both sides of a sign for a product or a quotient, which has one character of its own.
BINARY = re.compile(r"\\(?:odot|oslash|otimes)(?![a-zA-Z])")
AROUND = 0.7
PHANTOM = re.compile(r"\\phantom\{[^{}]*\}")
# Upright letters of a long name are narrower than the letters of a formula.
NAME = re.compile(r"\\mathrm\{((?:\\_|\w){4,})\}")
NARROWER = 0.1


def width(tex: str) -> float:
    r"""About how many characters wide a formula prints.

    >>> width(r"X^{\top} r") < width(r"X^{\top} (Y - P)"), width(r"\frac{1}{n}") < 3
    (True, True)
    """
    text = MATRIX.sub(_widest_line, PHANTOM.sub("", tex))
    while True:
        shorter = re.sub(r"\\t?frac\{([^{}]*)\}\{([^{}]*)\}", _wider_half, text)
        if shorter == text:
            break
        text = shorter
    text = re.sub(r"\\t?frac", "", text)
    letters = sum(len(name.replace(r"\_", "")) for name in NAME.findall(text))
    text = COMMANDS_WITHOUT_WIDTH.sub("", text)
    scripts = sum(len(m) for m in re.findall(r"[_^]\{?([\w+\- ,]*)\}?", text))
    products = len(BINARY.findall(text))
    text = re.sub(r"\\[a-zA-Z]+", "M", text)
    signs = len(re.findall(r"(?<=[\w)}\]]) ?[-+=<>] ", text))
    bare = re.sub(r"[{}^_\\\s&]", "", text)
    wide = sum(1 for c in bare if ord(c) > 0x2E7F)
    return len(bare) + wide - 0.3 * scripts + 1.2 * signs + AROUND * products - NARROWER * letters


def _widest_line(match: re.Match[str]) -> str:
    line = max(match.group(1).split(r"\\"), key=len)
    return "(" + line.replace("&", "MM") + ")"


def _wider_half(match: re.Match[str]) -> str:
    top, bottom = match.groups()
    return str(top if width(top) >= width(bottom) else bottom)
