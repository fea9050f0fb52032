"""Document → PDF by TeX, where it is installed: the page of the latex format, run through latexmk in a folder of its own.

No program can be run from the page, and no file outside the folder be read or written by name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from symgrad.errors import MissingTool, SymgradError
from symgrad.explain.document import Document
from symgrad.formats.template import LATEX, render_as

INSTALL = {
    "pdflatex": "apt install latexmk texlive-latex-extra lmodern",
    "xelatex": "apt install latexmk texlive-latex-extra texlive-xetex texlive-lang-chinese texlive-fonts-recommended",
}
LONGEST_RUN = 120
# p: paranoid. Only files below the folder, and those of TeX itself.
GUARDED = {"openin_any": "p", "openout_any": "p", "shell_escape": "f"}
# Else the hour goes into the file, and into its names of fonts: the same page is the same bytes.
DATELESS = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
NO_PACKAGE = re.compile(r"File `([^']+)' not found")
NO_FONT = re.compile(r"Missing character: There is no (\S+)")


def latex_pdf(document: Document) -> bytes:
    """The page as a PDF file."""
    source = render_as(document, LATEX)
    program = "pdflatex" if "pdflatex" in source.partition("\n")[0] else "xelatex"
    for tool in ("latexmk", program):
        if shutil.which(tool) is None:
            raise MissingTool(
                f"{tool} is not installed; {INSTALL[program]}, or leave out --engine latex: the PDF of typst needs no TeX"
            )
    with tempfile.TemporaryDirectory(prefix="symgrad-") as name:
        folder = Path(name)
        (folder / "page.tex").write_text(source, encoding="utf-8")
        is_done = _run(folder, program)
        log = (folder / "page.log").read_text(errors="replace") if (folder / "page.log").is_file() else ""
        gap = NO_FONT.search(log)
        if gap is not None:
            raise MissingTool(f"no font of TeX's here has {gap[1]}; leave out --engine latex, or choose another format")
        if not is_done:
            raise _failure(log, program)
        return (folder / "page.pdf").read_bytes()


def _run(folder: Path, program: str) -> bool:
    """Whether latexmk made the file; settings of the user's are not read, so that it does the same everywhere."""
    switch = {"pdflatex": "-pdf", "xelatex": "-pdfxe"}[program]
    command = [
        "latexmk",
        "-norc",
        switch,
        "-latexoption=-no-shell-escape",
        "-interaction=nonstopmode",
        "-halt-on-error",
    ]
    try:
        run = subprocess.run(
            [*command, "page.tex"],
            cwd=folder,
            env={**os.environ, **GUARDED, **DATELESS},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=LONGEST_RUN,
        )
    except subprocess.TimeoutExpired:
        raise SymgradError(f"{program} took more than {LONGEST_RUN} seconds; leave out --engine latex") from None
    return run.returncode == 0


def _failure(log: str, program: str) -> SymgradError:
    package = NO_PACKAGE.search(log)
    if package is not None:
        return MissingTool(f"TeX has no {package[1]}; {INSTALL[program]}, or leave out --engine latex")
    first = next((line for line in log.splitlines() if line.startswith("!")), "! no log was written")
    return SymgradError(f"{program} failed: {first[2:]}; leave out --engine latex, and write to us")
