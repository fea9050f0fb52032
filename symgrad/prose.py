"""A sentence in both languages of the product; a missing one is an error when the module is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

# White space that is no space: breaks of lines and pages, tabs, separators of fields.
BREAKS = "\n\r\t\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One sentence or word, English and Chinese, with `{placeholders}` that a page fills with formulas and numbers.

    >>> Text(en="gradient", zh="梯度").to("zh")
    '梯度'
    """

    en: str
    zh: str

    def to(self, language: Language) -> str:
        """The sentence in a language, its placeholders still in it."""
        return self.en if language == "en" else self.zh


def one_line(text: str) -> str:
    r"""A text without line breaks, and without what no reader sees and a terminal would obey; outer spaces are kept.

    >>> one_line("a\nb\x1b[31m\u202e")
    'a b[31m'
    """
    return "".join(" " if c in BREAKS else c for c in text if c.isprintable() or c.isspace())
