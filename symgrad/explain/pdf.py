"""Document → PDF by Typst, whose compiler and fonts come with a package of pip's.

The file is tagged (PDF/UA-1): every formula has its words, and a character that no font has is an error, never a gap.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symgrad.errors import MissingTool
from symgrad.explain.document import Document
from symgrad.explain.typst_page import Faces, has_chinese, typst_page

# Fonts for Chinese that systems have, in the order in which they are taken: for text, and for headings and programs.
CHINESE = (
    ("Noto Serif SC", "Noto Sans SC"),
    ("Noto Serif CJK SC", "Noto Sans CJK SC"),
    ("Source Han Serif SC", "Source Han Sans SC"),
    ("Songti SC", "PingFang SC"),
    ("SimSun", "SimHei"),
    ("FandolSong", "FandolHei"),
)
# To look through all fonts of a system takes time: only where those at hand do not do.
SEARCHES = (False, True)
NO_FONT = re.compile(r'the text `"(.*?)"` could not be displayed', re.S)


def pdf(document: Document) -> bytes:
    """The page as a PDF file."""
    typst = _typst()
    source = typst_page(document, Faces())
    is_chinese = has_chinese(source)
    folder = _folder_of_fonts() if is_chinese else None
    for is_system in SEARCHES:
        fonts = typst.Fonts(include_system_fonts=is_system, font_paths=[folder] if folder else [])
        faces = _faces(fonts.families(), is_chinese, is_system=is_system)
        if faces is None:
            continue
        try:
            return _compiled(typst, source if faces == Faces() else typst_page(document, faces), fonts)
        except typst.TypstError as e:
            gap = NO_FONT.search(e.message)
            if gap is None:
                raise
            missing = gap[1]
    if not is_chinese or faces is not None:
        raise MissingTool(_no_font(missing))
    raise MissingTool("no font for Chinese was found; pip install 'symgrad[pdf]' brings one, or install fonts-noto-cjk")


def _typst() -> Any:
    try:
        return importlib.import_module("typst")
    except ImportError:
        raise MissingTool("PDF needs the package typst; pip install 'symgrad[pdf]'") from None


def _folder_of_fonts() -> Path | None:
    try:
        found = importlib.import_module("pylopdf_fonts_zh_cn")
    except ImportError:
        return None
    return Path(str(found.__file__)).parent


def _faces(families: Sequence[str], is_chinese: bool, *, is_system: bool) -> Faces | None:
    """The fonts to name; none where Chinese has to be set and no font is known for it."""
    if not is_chinese:
        return Faces(is_fallback=is_system)
    for serif, sans in CHINESE:
        if serif in families or sans in families:
            names = [name for name in (serif, sans) if name in families]
            return Faces(names[0], names[-1], is_fallback=is_system)
    return None


def _compiled(typst: Any, source: str, fonts: Any) -> bytes:
    compiler = typst.Compiler(source.encode(), font_paths=fonts)
    return bytes(compiler.compile(format="pdf", pdf_standards="ua-1"))


def _no_font(missing: str) -> str:
    first = next(iter(missing), " ")
    return (
        f"no font has {missing} (U+{ord(first):04X}); install one that has it, as fonts-noto, or choose another format, as"
        " html"
    )
