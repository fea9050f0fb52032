"""The signs of formulas: for each command what it shows as a character, and how it stands beside others."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from symgrad.notation.names import ACTIVE, GREEK, GREEK_LETTERS
from symgrad.records import dataclass


class Kind(Enum):
    """How a sign stands in a row."""

    LETTER = "letter"
    SIGN = "sign"  # stands for itself like a letter: ∞, ∂
    BINARY = "binary"
    RELATION = "relation"
    PUNCTUATION = "punctuation"
    FUNCTION = "function"  # log: an upright word
    LARGE = "large"  # Σ, with limits
    DOTS = "dots"
    SPACE = "space"
    STYLE = "style"  # changes what follows, and shows nothing


@dataclass(frozen=True, slots=True)
class Sign:
    """What a command shows, as characters."""

    text: str
    kind: Kind


_LETTERS = {command: char for char, command in GREEK_LETTERS.items() if char != "ο"}
_BY_KIND: Mapping[Kind, Mapping[str, str]] = {
    Kind.LETTER: {
        **{command: char for command, char in _LETTERS.items() if command in {*GREEK.values(), r"\varsigma"}},
        r"\ell": "ℓ", r"\epsilon": "ϵ", r"\phi": "ϕ", r"\vartheta": "ϑ", r"\varpi": "ϖ", r"\varrho": "ϱ",
    },
    Kind.SIGN: {
        r"\partial": "∂", r"\nabla": "∇", r"\infty": "∞", r"\top": "⊤", r"\prime": "′", r"\surd": "√", r"\emptyset": "∅",
        "!": "!", r"\_": "_", r"\%": "%", r"\#": "#", r"\$": "$", r"\&": "&", r"\Vert": "‖", r"\vert": "|",
    },
    Kind.BINARY: {
        "+": "+", "-": "−", "/": "/", "*": "∗", r"\cdot": "⋅", r"\times": "×", r"\odot": "⊙", r"\oslash": "⊘",
        r"\otimes": "⊗", r"\oplus": "⊕", r"\pm": "±", r"\mp": "∓", r"\ast": "∗", r"\circ": "∘", r"\wedge": "∧",
        r"\vee": "∨", r"\cup": "∪", r"\cap": "∩", r"\setminus": "∖",
    },
    Kind.RELATION: {
        "=": "=", "<": "<", ">": ">", ":": ":", r"\le": "≤", r"\ge": "≥", r"\leq": "≤", r"\geq": "≥", r"\ne": "≠",
        r"\neq": "≠", r"\lt": "<", r"\gt": ">", r"\approx": "≈", r"\sim": "∼", r"\equiv": "≡", r"\in": "∈",
        r"\to": "→", r"\leftarrow": "←", r"\rightarrow": "→", r"\mapsto": "↦", r"\Rightarrow": "⇒",
        r"\Longrightarrow": "⟹", r"\Leftrightarrow": "⇔", r"\succeq": "⪰", r"\preceq": "⪯", r"\succ": "≻",
        r"\prec": "≺", r"\mid": "∣", r"\ll": "≪", r"\gg": "≫", r"\propto": "∝", r"\perp": "⟂",
    },
    Kind.PUNCTUATION: {",": ",", ";": ";", ".": "."},
    Kind.FUNCTION: {
        rf"\{word}": word
        for word in (
            "log", "ln", "exp", "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "arctan",
            "arcsin", "arccos", "det", "max", "min", "dim", "ker", "lim", "sup", "inf", "arg", "gcd",
        )
    },
    Kind.LARGE: {r"\sum": "∑", r"\prod": "∏", r"\int": "∫"},
    Kind.DOTS: {r"\dots": "…", r"\ldots": "…", r"\cdots": "⋯", r"\vdots": "⋮", r"\ddots": "⋱"},
    # For those who lay a formula out themselves: see WIDTHS.
    Kind.SPACE: dict.fromkeys((r"\,", r"\:", r"\;", r"\ ", r"\quad", r"\qquad", r"\!"), " "),
    Kind.STYLE: {r"\textstyle": "", r"\displaystyle": "", r"\scriptstyle": "", r"\limits": "", r"\nolimits": ""},
}  # fmt: skip
SIGNS: Mapping[str, Sign] = {tex: Sign(text, kind) for kind, own in _BY_KIND.items() for tex, text in own.items()}
# The widths of spaces in ems.
WIDTHS = {r"\!": -0.167, r"\,": 0.167, r"\:": 0.222, r"\;": 0.278, r"\ ": 0.25, r"\quad": 1.0, r"\qquad": 2.0}

# Delimiters: what opens and what may close it, as characters. A dot is a delimiter that shows nothing.
DELIMITERS: Mapping[str, str] = {
    "(": "(", ")": ")", "[": "[", "]": "]", r"\{": "{", r"\}": "}", r"\lbrace": "{", r"\rbrace": "}", r"\langle": "⟨",
    r"\rangle": "⟩", r"\lVert": "‖", r"\rVert": "‖", r"\lvert": "|", r"\rvert": "|", r"\lfloor": "⌊", r"\rfloor": "⌋",
    r"\lceil": "⌈", r"\rceil": "⌉", "|": "|", r"\|": "‖", ".": "",
}  # fmt: skip
PAIRS: Mapping[str, tuple[str, ...]] = {
    "(": (")", "]"), "[": ("]", ")"), r"\{": (r"\}",), r"\lbrace": (r"\rbrace",), r"\langle": (r"\rangle",),
    r"\lVert": (r"\rVert",), r"\lvert": (r"\rvert",), r"\lfloor": (r"\rfloor",), r"\lceil": (r"\rceil",),
}  # fmt: skip
SIZES: Mapping[str, str] = {
    r"\left": r"\right", r"\bigl": r"\bigr", r"\Bigl": r"\Bigr", r"\biggl": r"\biggr", r"\Biggl": r"\Biggr",
}  # fmt: skip

# What stands over a letter, as a combining character.
ACCENTS: Mapping[str, str] = {
    r"\hat": "\u0302", r"\bar": "\u0304", r"\tilde": "\u0303", r"\dot": "\u0307", r"\ddot": "\u0308",
    r"\vec": "\u20d7", r"\check": "\u030c", r"\overline": "\u0305",
}  # fmt: skip

# How a word of a formula spells the characters that are active in TeX: names.py writes them so.
WORD_SIGNS: Mapping[str, str] = {
    command.strip() or command: char for char, command in ACTIVE.items() if command != r"\ "
} | {r"\ ": " "}  # fmt: skip

# How running text spells them, inside a formula and outside.
TEXT_SIGNS: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "–": "--", "…": r"\dots{}", "§": r"\S{}",
}  # fmt: skip
