"""Every formula of the tests on one page of TeX: no error, nothing too wide, no character missing."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from notation.test_latex import CASES
from notation.test_names import HOSTILE, NAMES

from symgrad.notation.latex import latex, latex_terms
from symgrad.notation.names import entry, typeset

PAGE = r"""\documentclass[10pt]{%s}
\usepackage[a4paper,margin=2cm]{geometry}
\usepackage{amsmath,amssymb}
\parindent=0pt \pagestyle{empty} \jot=5pt
\begin{document}
%s
\end{document}
"""
BAD = ("! ", "Overfull", "Missing character", "undefined")


def compile_page(tool, document_class, lines, folder):
    path = folder / "page.tex"
    path.write_text(PAGE % (document_class, "\n\n".join(lines)), encoding="utf-8")
    command = [tool, "-no-shell-escape", "-interaction=nonstopmode", path.name]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    log = (folder / "page.log").read_text(encoding="utf-8", errors="replace")
    assert (folder / "page.pdf").exists(), log[-2000:]
    return [line for line in log.splitlines() if any(bad in line for bad in BAD)]


def formulas():
    whole = [rf"\[{latex(e)}\]" for e, _ in CASES]
    inline = [rf"${latex(e)}$" for e, _ in CASES]
    terms = [r"\[\begin{aligned} &" + r"\\ &".join(latex_terms(e)) + r"\end{aligned}\]" for e, _ in CASES]
    return [*whole, *inline, *terms]


def names(wanted):
    return [f"${typeset(n)}^{{2}} {entry(n, 'ij')}$" for n in wanted]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_takes_every_formula(tmp_path):
    ascii_names = names(n for n in [*(n for n, _ in NAMES), *HOSTILE] if typeset(n).isascii())
    assert compile_page("pdflatex", "article", [*formulas(), *ascii_names], tmp_path) == []


def has_chinese():
    found = shutil.which("kpsewhich")
    return found and subprocess.run([found, "ctexart.cls"], capture_output=True).returncode == 0


@pytest.mark.skipif(shutil.which("xelatex") is None or not has_chinese(), reason="no xelatex with ctexart")
def test_xelatex_takes_every_name(tmp_path):
    chinese = [rf"\[{latex(e, otherwise='否则')}\]" for e, _ in CASES]
    lines = [*chinese, *names(n for n in [*(n for n, _ in NAMES), *HOSTILE])]
    assert compile_page("xelatex", "ctexart", lines, tmp_path) == []
