"""A sentence in both languages of the product; a missing one is an error when the module is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


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
