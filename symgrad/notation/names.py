"""How a name is typeset: `W1` is W₁, `x_hat` is x̂, `lam` is λ, `learning_rate` is one upright word.

A name is an identifier, but nothing here relies on it: what a string holds comes out as itself, never as TeX. The one
other form is a symbolic number in brackets (`H[l-1]`, graph/numbered.py), which stands below the letter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from symgrad.graph.numbered import split_symbol
from symgrad.records import dataclass

# Capitals that look like Latin ones have no command of their own.
GREEK = {
    "alpha": r"\alpha", "beta": r"\beta", "gamma": r"\gamma", "delta": r"\delta", "epsilon": r"\varepsilon",
    "eps": r"\varepsilon", "zeta": r"\zeta", "eta": r"\eta", "theta": r"\theta", "iota": r"\iota",
    "kappa": r"\kappa", "lambda": r"\lambda", "lamda": r"\lambda", "lam": r"\lambda", "mu": r"\mu",
    "nu": r"\nu", "xi": r"\xi", "omicron": "o", "pi": r"\pi", "rho": r"\rho", "sigma": r"\sigma",
    "tau": r"\tau", "upsilon": r"\upsilon", "phi": r"\varphi", "chi": r"\chi", "psi": r"\psi",
    "omega": r"\omega", "ell": r"\ell", "Gamma": r"\Gamma", "Delta": r"\Delta", "Theta": r"\Theta",
    "Lambda": r"\Lambda", "Xi": r"\Xi", "Pi": r"\Pi", "Sigma": r"\Sigma", "Upsilon": r"\Upsilon",
    "Phi": r"\Phi", "Psi": r"\Psi", "Omega": r"\Omega",
}  # fmt: skip
GREEK_LETTERS = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta",
    "η": r"\eta", "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu",
    "ξ": r"\xi", "ο": "o", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "ς": r"\varsigma", "τ": r"\tau",
    "υ": r"\upsilon", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma",
    "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi", "Σ": r"\Sigma",
    "Υ": r"\Upsilon", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega", "∇": r"\nabla",
}  # fmt: skip
ACCENTS = {
    "hat": r"\hat{%s}", "bar": r"\bar{%s}", "tilde": r"\tilde{%s}", "dot": r"\dot{%s}", "ddot": r"\ddot{%s}",
    "vec": r"\vec{%s}", "check": r"\check{%s}", "prime": "{%s'}", "star": r"{%s^{\ast}}",
}  # fmt: skip
# What is active in TeX, in Markdown or in HTML, as a command that shows it.
ACTIVE = {
    "\\": r"\backslash ", "{": r"\lbrace ", "}": r"\rbrace ", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\wedge ", "~": r"\sim ", "`": r"\prime ", "<": r"\langle ", ">": r"\rangle ",
    "|": r"\mid ", "*": r"\ast ", " ": r"\ ", "\n": r"\ ", "\t": r"\ ", "\r": r"\ ", "\f": r"\ ", "\v": r"\ ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """A name in parts: the letter or word, what stands over it, what stands below it (LaTeX already)."""

    base: str
    accents: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    @property
    def is_word(self) -> bool:
        """Whether the base is a word, set upright, and not one letter."""
        return len(self.base) > 1 and self.base not in GREEK

    @property
    def latex(self) -> str:
        """The whole name."""
        return self._with(letter(self.base), self.below)

    @property
    def small(self) -> str:
        """The base as entries have it: a single Latin letter turned small."""
        return self.base.lower() if len(self.base) == 1 and self.base.isascii() else self.base

    def entry(self, indices: Sequence[str], capitals: Collection[str] = ()) -> str:
        """One entry of the array: a letter not in `capitals` turns small, the indices stand below. A scalar is its own."""
        if not indices:
            return self.latex
        below = joined(indices)
        base = self.base if self.base in capitals else self.small
        return self._with(letter(base), (*self.below, below) if below else self.below)

    def _with(self, text: str, below: Sequence[str]) -> str:
        for accent in self.accents:
            text = ACCENTS[accent] % text
        return f"{text}_{{{','.join(below)}}}" if below else text


@lru_cache(maxsize=4096)
def parse_name(name: str) -> Name:
    """The parts of a name.

    >>> parse_name("x_hat_1")
    Name(base='x', accents=('hat',), below=('1',))
    >>> parse_name("H[l-1]").latex
    'H_{l-1}'
    """
    family = split_symbol(name)
    if family is not None:
        own = parse_name(family[0])
        return Name(own.base, own.accents, (*own.below, family[1]))
    head, *tokens = [token for token in name.split("_") if token] or ["_" * len(name)]
    base, digits = _split_digits(head)
    accents: list[str] = []
    below = [digits] if digits else []
    if len(base) > 1 and base not in GREEK and not digits:
        # A word takes the words after it along; accents and numbers at its end are still its own.
        while tokens and tokens[0] not in ACCENTS and not tokens[0].isdecimal():
            base += "_" + tokens.pop(0)
    while tokens and tokens[0] in ACCENTS and not below:
        accents.append(tokens.pop(0))
    return Name(base, tuple(accents), (*below, *(letter(token) for token in tokens)))


def typeset(name: str) -> str:
    r"""The name in LaTeX.

    >>> typeset("W1"), typeset("lambda_"), typeset("y_true"), typeset("learning_rate")
    ('W_{1}', '\\lambda', 'y_{\\mathrm{true}}', '\\mathrm{learning\\_rate}')
    """
    return parse_name(name).latex


def differential(text: str) -> str:
    """The differential of a name or of an entry of one, set apart from factors beside it by thin spaces."""
    return rf"\mathinner{{\mathrm{{d}}{text}}}"


def entry(name: str, indices: Sequence[str], capitals: Collection[str] = ()) -> str:
    r"""One entry of the array of that name; the letters in `capitals` keep their size.

    >>> entry("X", "ip"), entry("W1", "pj"), entry("x_hat", ["n", "t+s"]), entry("s", "")
    ('x_{ip}', 'w_{1,pj}', '\\hat{x}_{n,t+s}', 's')
    >>> entry("X", "ip", {"X"})
    'X_{ip}'
    """
    return parse_name(name).entry(indices, capitals)


def shared_capitals(arrays: Iterable[str]) -> frozenset[str]:
    r"""The capitals that must not turn small in entries, as two of the arrays would then share theirs.

    Beside an array a the entries of a matrix A are A_{ij}, as texts write them that number matrices and vectors of one
    letter; (A)_{ij} says the same with more signs. The small letter keeps its a_{ij}, and every other array its own: a
    capital goes as a letter, so that A_1 does not stay behind where A must be told from a.

    >>> sorted(shared_capitals(["A", "W", "a"])), sorted(shared_capitals(["A1", "a2", "X", "x_hat"]))
    (['A'], [])
    """
    found: dict[Name, set[str]] = {}
    for name in arrays:
        own = parse_name(name)
        found.setdefault(Name(own.small, own.accents, own.below), set()).add(own.base)
    return frozenset(base for small, bases in found.items() if len(bases) > 1 for base in bases - {small.base})


def joined(indices: Sequence[str]) -> str:
    """Indices side by side; with commas where one of them is more than a letter: n,t+s."""
    is_long = any(len(i) > 1 and not re.fullmatch(r"\\[a-zA-Z]+", i) for i in indices)
    return ("," if is_long else " " if "\\" in "".join(indices) else "").join(indices)


def letter(token: str) -> str:
    r"""A letter as it is, a Greek letter by its command, a word upright.

    >>> letter("x"), letter("Sigma"), letter("loss"), letter("质量"), letter("12")
    ('x', '\\Sigma', '\\mathrm{loss}', '\\text{质量}', '12')
    """
    if token in GREEK or token in GREEK_LETTERS:
        return GREEK.get(token) or GREEK_LETTERS[token]
    if token.isascii() and (token.isdecimal() or (len(token) == 1 and token.isalpha())):
        return token
    if token.isascii():
        return rf"\mathrm{{{_escaped(token)}}}"
    # Fonts of formulas lack these letters, fonts of text may have them; Greek and ASCII stay mathematics.
    runs = re.findall(r"[^\x00-\x7fΑ-Ωα-ω]+|[\x00-\x7f]+|[Α-Ωα-ω]", token)
    return "{" * (len(runs) > 1) + "".join(map(_run, runs)) + "}" * (len(runs) > 1)


def _run(run: str) -> str:
    if run in GREEK_LETTERS:
        return GREEK_LETTERS[run] + " "
    return rf"\mathrm{{{_escaped(run)}}}" if run.isascii() else rf"\text{{{_printable(run)}}}"


def _escaped(text: str) -> str:
    return "".join(ACTIVE.get(c, c) if c.isprintable() or c in ACTIVE else r"\ " for c in text)


def _printable(text: str) -> str:
    """The text without what shows nothing or turns the direction of writing around."""
    return "".join(c for c in text if c.isprintable())


def _split_digits(token: str) -> tuple[str, str]:
    found = re.fullmatch(r"([^\d\W]+?)([0-9]+)", token)
    return (found[1], found[2]) if found else (token, "")
