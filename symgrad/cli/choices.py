"""What the command line lets one choose from: the words of its options."""

from __future__ import annotations

from enum import StrEnum

# The format of a page by the suffix of its file.
PAGES = {
    ".md": "markdown",
    ".tex": "latex",
    ".html": "html",
    ".pdf": "pdf",
    ".txt": "text",
    ".ipynb": "ipynb",
    ".json": "json",
}


class Format(StrEnum):
    """What a page can be written as."""

    md = "md"
    github = "github"
    common = "common"
    latex = "latex"
    html = "html"
    pdf = "pdf"
    text = "text"
    ipynb = "ipynb"
    json = "json"


class Engine(StrEnum):
    """What sets a PDF: Typst comes with pip, TeX is to be installed."""

    typst = "typst"
    latex = "latex"


class Listing(StrEnum):
    """What the catalogue can be written as."""

    text = "text"
    md = "md"
    latex = "latex"
    pdf = "pdf"


class Lang(StrEnum):
    """The languages of a page."""

    en = "en"
    zh = "zh"


class Method(StrEnum):
    """How a step is shown to hold."""

    INDEX = "index"
    DIFFERENTIAL = "differential"


class Detail(StrEnum):
    """How much of the derivation a page shows."""

    brief = "brief"
    normal = "normal"
    full = "full"


class Layout(StrEnum):
    """Whether a gradient has the shape of its parameter or of its transpose."""

    denominator = "denominator"
    numerator = "numerator"
