"""A sentence in both languages of the product; a missing one is an error when the module is imported."""

from __future__ import annotations

import re
from typing import Literal

from symgrad.records import dataclass

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

    def filled(self, **parts: object) -> Text:
        """The sentence with something in each placeholder: a text in the sentence's own language, else what it prints.

        >>> Text(en="the {what} is {n}", zh="{what}为 {n}").filled(what=Text(en="loss", zh="损失"), n=2).zh
        '损失为 2'
        """
        found = {
            language: self.to(language).format(
                **{name: part.to(language) if isinstance(part, Text) else part for name, part in parts.items()}
            )
            for language in LANGUAGES
        }
        return Text(en=found["en"], zh=found["zh"])


def one_line(text: str) -> str:
    r"""A text without line breaks, and without what no reader sees and a terminal would obey; outer spaces are kept.

    >>> one_line("a\nb\x1b[31m\u202e")
    'a b[31m'
    """
    return "".join(" " if c in BREAKS else c for c in text if c.isprintable() or c.isspace())


NO_TEXT = Text(en="", zh="")


def as_text(text: str | Text) -> Text:
    """A text of the user's: the same in both languages, unless it is given in each.

    >>> as_text("the bias").to("zh"), as_text(Text(en="the bias", zh="偏置")).to("zh")
    ('the bias', '偏置')
    """
    if isinstance(text, Text):
        return text
    return Text(en=text, zh=text) if text else NO_TEXT


# A paragraph of a docstring in one language begins with its name: "zh: 线性回归：……".
_SECTION = re.compile(r"^(en|zh):[ \t]*", re.MULTILINE)


def docstring_text(docstring: str) -> Text:
    r"""The docstring in both languages: from a line that begins with `zh:` or `en:` on it is in that language.

    What stands before the first such line is in the language that has no section, or in both.

    >>> docstring_text("Ridge: small weights.\n\nzh: 岭回归：限制权重的大小。").zh
    '岭回归：限制权重的大小。'
    """
    first, *rest = _SECTION.split(docstring.strip())
    found = {language: part.strip() for language, part in zip(rest[::2], rest[1::2], strict=True) if part.strip()}
    return Text(en=found.get("en", first.strip()), zh=found.get("zh", first.strip()))
