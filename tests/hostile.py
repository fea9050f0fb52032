"""Two hundred strings that try to act, made by a few laws, and what each of them shows when it prints as itself."""

from __future__ import annotations

import re
from itertools import cycle

COUNT = 200

TEX_COMMANDS = (
    "input{/etc/passwd}", "begin{input}{/etc/passwd}", "include{x}", "write18{id}", "immediate\\write18{id}", "openout5=x",
    "catcode`\\@=11", "def\\x{\\x}\\x", "let\\par\\relax", "csname end\\endcsname", "expandafter\\end\\empty",
    "directlua{os.execute('id')}", "special{ps: run}", "newcommand{\\a}{b}", "end{document}", "loop\\iftrue\\repeat",
    "verb|x|", "begin{verbatim}", "color{red}x", "href{javascript:alert(1)}{x}", "url{x}", "tag{9}", "\\", "(x\\)", "[x\\]",
)  # fmt: skip
TEX = (
    *(f"\\{command}" for command in TEX_COMMANDS),
    "^^5cinput{x}", "^^M^^5c", "%comment", "#1 ##", "a & b \\\\ c", "~x~", "x_1^2", "``quoted''", "{unbalanced", "unbalanced}",
)  # fmt: skip
HTML = (
    "<script>alert(1)</script>", "<ScRiPt src=//x.example/a.js>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'>", "</title><script>alert(1)</script>", "</style><b>x", "<style>*{display:none}</style>",
    "<!-- comment -->", "<![CDATA[x]]>", "<?php x ?>", "<base href='//x.example'>", "<meta http-equiv=refresh content=0>",
    "<a href='javascript:alert(1)'>x</a>", "<input autofocus onfocus=alert(1)>", "<details open ontoggle=alert(1)>",
    "<math><mtext></mtext><script>1</script></math>", "</math>", "</code></pre>", "</textarea>", "<b>bold</b>", "<",
    '" onmouseover="alert(1)', "' onfocus='alert(1)", '"><svg onload=alert(1)>', "x' style='color:red", "`onclick=alert(1)`",
    "&lt;b&gt;", "&#60;b&#62;", "&#x3c;b>", "&copy", "&nbsp;&amp;", "&NotAnEntity;",
)  # fmt: skip
TEMPLATES = (
    "{{ 7*7 }}", "{{ self.__init__.__globals__ }}", "{% raw %}", "{% endraw %}", "{%- for x in y %}", "{# note #}", "{{", "}}",
    "<<7*7>>", "<% if x %>", "<# note #>", "${7*7}", "#{7*7}", "%(x)s {0} {x!r}", "#if x", "@x@",
)  # fmt: skip
TYPST = (
    '#eval("1 + 1")', '#read("/etc/passwd")', '#include "/etc/passwd"', '#import "@preview/x:1.0.0": *', "#let x = 1",
    "#set page(width: 1cm)", "#show: none", "= Title", "== Title", "/ Term: text", "$ sum_x $", "_emphasis_", "*strong*",
    "`raw`", "```raw```", "// comment", "/* comment */", "@reference", "<label>", r"\u{1F600}", "x#[y]", "#",
)  # fmt: skip
MARKDOWN = (
    "# Heading", "###### Heading", "- item", "+ item", "* item", "1. item", "2) item", "(a) item", "iv. item", "- [ ] task",
    "> quote", "    code", "```python", "~~~", "| a | b |", "|--|--|", "[x](javascript:alert(1))", "![x](http://x.example/p.png)",
    "[x]: http://x.example", "[x][y]", "<http://x.example>", "http://x.example/a?b=c&d", "https://x.example", "www.x.example",
    "ftp://x.example", "mailto:a@x.example", "a.b@x.example",
    "**bold**", "__bold__", "*i*", "_i_", "~~gone~~", "==marked==",
    "H~2~O x^2^", "[^1]", "[^1]: note", "***", "---", "===", "- - -", ":::", "::: warning", ": definition", "@cite [@cite]",
    "$x^2$", "$`x`$", "$$x$$", "```math", r"\*x\*", r"\(x\)", r"\[x\]", '"q" \'q\' -- --- ...', ":smile:", "ends in \\",
    "ends in `", "{.class #id}", "x {=html}", "`x`{=html}", "#hash #1", "!(x)", "a\n\n# b", "a\n- b", "two  spaces  ",
)  # fmt: skip
UNICODE = (
    "\u202eevil\u202c", "\u2066isolate\u2069", "a\u200bb\u200cc\u200dd", "\ufeffmark", "so\u00adft", "nul\x00nul",
    "\x1b[31mred",
    "bell\x07", "\x7fdel", "\x85next", "line\u2028line", "paragraph\u2029", "tab\ttab", "form\ffeed", "lone \ud800 surrogate",
    "no\ufffecharacter\uffff", "\ue000 private", "שלום", "مرحبا بالعالم", "abc שלום 123",
    "😀", "👩‍👩‍👧‍👦 🇨🇳 👍🏽", "e\u0301\u0302\u0303",
    "w" * 400, "很" * 300, "https" + "x" * 200, "𠀀𠮷", "Привет", "नमस्ते", "½ № ™ ∑ √", "ｆｕｌｌ＜script＞",
)  # fmt: skip
FAMILIES = (TEX, HTML, TEMPLATES, TYPST, MARKDOWN, UNICODE)


def _strings() -> tuple[str, ...]:
    """All families, then their strings inside others, in front and behind, until there are enough."""
    found = list(dict.fromkeys(text for family in FAMILIES for text in family))
    for left, right in zip(cycle(HTML + TEX), cycle(MARKDOWN + TYPST + TEMPLATES), strict=False):
        if len(found) >= COUNT:
            return tuple(found)
        found.append(f"{left} {right}")
    raise AssertionError


STRINGS = _strings()


def shown(text: str) -> str:
    """What a reader sees of it: without what is not printable, white space as one space."""
    kept = (" " if c.isspace() else c for c in text if c.isprintable() or c.isspace())
    return re.sub(r"\s+", " ", "".join(kept)).strip()
