"""Pages in a terminal: nothing is wider than the window, nothing is cut, nothing of the user's acts."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import IS_WIDE, MODELS, other_pages, page
from wcwidth import wcswidth

from symgrad.cli.terminal import show
from symgrad.explain.document import Code as Program
from symgrad.explain.document import CodeSpan, Document, Heading, Math, Paragraph, Plain, Row, Table
from symgrad.formats.terminal import terminal_page, text_page
from symgrad.formats.terminal_equations import equation_lines
from symgrad.formats.wrapping import CLOSING, OPENING, wrapped
from symgrad.problem import load

ROOT = Path(__file__).resolve().parent.parent
SOFTMAX = ROOT / "examples" / "softmax_regression.py"
NAMES = MODELS if IS_WIDE else ("softmax_regression", "m02_mixture")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_wider_than_the_window(name, language, width):
    text = text_page(page(name, language, "full"), width)
    assert [line for line in text.splitlines() if not 0 <= wcswidth(line) <= width] == []


def test_pages_with_tables_of_numbers_and_differentials_fit():
    # The first of them; each takes seconds.
    for document in other_pages() if IS_WIDE else [next(other_pages())]:
        for width in (40, 80):
            lines = text_page(document, width).splitlines()
            assert [line for line in lines if not 0 <= wcswidth(line) <= width] == []


def test_numbers_reasons_and_formulas_are_all_there():
    document = page("softmax_regression", "en", "full")
    for width in (40, 80):
        text = text_page(document, width)
        labels = {str(r.label) for b in document.blocks if b.kind == "display" for r in b.rows if r.label is not None}
        assert labels
        assert all(re.search(rf"\({label}\)$", text, re.M) for label in labels)
        flat = re.sub(r"\s+", " ", text)
        assert "each row of Y sums to 1" in flat
        assert "Wanted: ∂L/∂W and ∂L/∂b" in flat


def test_indices_of_a_paragraph_are_all_written_alike():
    """There is no lowered q: beside z_iq stands p_im, and where each index has its lowered characters they are used."""
    beside = text_page(Document(Plain("Title"), (Paragraph((Math("z_{iq}"), Math("p_{im} + w_{44}"))),), "en"))
    alone = text_page(Document(Plain("Title"), (Paragraph((Math("p_{im}"), Math(r"\mathrm{a\_b}"))),), "en"))
    assert "z_iq p_im + w₄₄\n" in beside.replace("\N{NO-BREAK SPACE}", " ")
    assert "pᵢₘ a_b\n" in alone


def test_the_terminal_shows_the_text_with_styles():
    document = page("softmax_regression", "zh")
    styled = terminal_page(document, 60)
    assert "\x1b[1" in styled
    plain = "\n".join(line.rstrip() for line in ESCAPES.sub("", styled).splitlines())
    assert plain == text_page(document, 60).rstrip("\n")


def test_text_of_the_users_does_not_act():
    hostile = "\x1b[2J\x1b]0;title\x07 \r\x9b31m \u202etext"
    blocks = (
        Heading(1, Plain(hostile)),
        Paragraph((Plain(hostile), CodeSpan(hostile))),
        Table((Plain(hostile), Plain("b")), ((Plain(hostile), Plain("c")),)),
        Program("python", hostile),
    )
    document = Document(Plain(hostile), blocks, "en")
    text = text_page(document, 40)
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "[2J" in text
    assert all(c.isprintable() or c == "\n" for c in ESCAPES.sub("", terminal_page(document, 40)))


# ---- displays


def shown(rows, room, aside=""):
    return ["".join(span.text for span in line).rstrip() for line in equation_lines(rows, room, lambda row: aside)]


def test_a_sum_breaks_between_its_terms():
    row = Row("y", "a + b + c", terms=("a", "+ b", "+ c"), label=1)
    assert shown([row], 30) == ["y = a + b + c              (1)"]
    long = Row(
        "y", "a^{2} b c d e f + b c d e f g - c d e f g h", terms=("a^{2} b c d e f", "b c d e f g", "- c d e f g h")
    )
    assert shown([long], 20) == ["y = a²bcdef", "      + bcdefg", "      − cdefgh"]


def test_a_reason_stands_beneath_where_it_does_not_fit_beside():
    row = Row("y", "a", label=7)
    assert shown([row], 30, "by (1)") == ["y = a   by (1)             (7)"]
    assert shown([row], 20, "by the chain rule") == ["y = a            (7)", "     by the chain", "     rule"]


def test_a_left_side_that_is_too_wide_stands_above():
    lines = shown([Row(r"\mathrm{averylongname}", "x")], 24)
    assert lines[0] == "averylongname"
    assert lines[1].endswith("= x")


# ---- running text


def test_no_chinese_line_begins_or_ends_with_the_wrong_sign():
    text = "梯度（分母布局）与其参数形状相同，向量均为列向量；「损失」关于各元素的变化率。" * 3
    for width in range(8, 40):
        lines = wrapped(text, width)
        assert "".join(lines) == text
        assert not any(line[0] in CLOSING for line in lines[1:])
        assert not any(line[-1] in OPENING for line in lines[:-1])


def test_words_too_long_for_a_line_go_on_behind_a_mark():
    assert wrapped("a " + "x" * 10 + " b", 6) == ["a", "xxxxxx", "↪ xxxx", "b"]


# ---- the command line


def in_a_terminal(*words, **environment):
    """What the command writes to a terminal of 60 columns."""
    main, side = pty.openpty()
    own = {**os.environ, "COLUMNS": "60", "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **environment}
    own = {key: value for key, value in own.items() if value}
    command = [sys.executable, "-m", "symgrad", *map(str, words)]
    with subprocess.Popen(command, stdout=side, stdin=side, stderr=subprocess.DEVNULL, env=own, cwd=ROOT) as run:
        os.close(side)
        pieces = []
        # Linux says EIO where the other side is closed.
        while True:
            try:
                piece = os.read(main, 65536)
            except OSError:
                break
            if not piece:
                break
            pieces.append(piece)
    os.close(main)
    assert run.returncode == 0
    return b"".join(pieces).decode().replace("\r\n", "\n")


def test_a_terminal_shows_the_page_in_its_width():
    linear = ROOT / "examples" / "linear_regression.py"
    styled = in_a_terminal("explain", linear, "--detail", "brief", NO_COLOR="", CI="")
    assert "```" not in styled
    assert "╭─" in styled
    assert re.search(r"\x1b\[[0-9;]*36m", styled)
    assert max(wcswidth(line) for line in ESCAPES.sub("", styled).splitlines()) <= 60


def test_no_color_is_respected(monkeypatch, capsys):
    styled = terminal_page(page("softmax_regression"), 60)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    show(styled)
    assert re.search(r"\x1b\[[0-9;]*36m", capsys.readouterr().out)
    monkeypatch.setenv("NO_COLOR", "1")
    show(styled)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", capsys.readouterr().out)


def test_text_has_the_width_that_is_asked_for():
    problem = load(str(SOFTMAX))
    assert max(map(wcswidth, problem.explain("text:50", detail="brief").splitlines())) <= 50
    assert problem.explain("text", detail="brief") == problem.explain("text:80", detail="brief")
    with pytest.raises(Exception, match="no format is called markdown"):
        problem.explain("markdown:50")
