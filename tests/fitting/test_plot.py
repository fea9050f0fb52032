"""Pictures of a descent: the way that was taken, the same file every time, in the reader's language, in plain black too."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import InputError, MissingTool
from symgrad.fitting import plot
from symgrad.problem import Problem

RNG = np.random.default_rng(3)
XS = RNG.normal(size=(40, 2))
YS = XS @ np.array([1.0, -2.0]) + 0.1 * RNG.normal(size=40)


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    """Fewer points of the loss than in a picture that is looked at."""
    monkeypatch.setattr(plot, "GRID", 15)


@pytest.fixture(scope="module")
def of_two():
    n = sg.dims("n")
    X, y, v = sg.data("X", n, 2), sg.data("y", n), sg.parameter("v", 2)
    problem = Problem(sg.mean((X @ v - y) ** 2), names={"X": X, "y": y, "v": v})
    return problem.fit({"X": XS, "y": YS}, start={"v": np.array([3.0, 3.0])})


@pytest.fixture(scope="module")
def of_three():
    n = sg.dims("n")
    X, y, v, b = sg.data("X", n, 2), sg.data("y", n), sg.parameter("v", 2), sg.parameter("b")
    problem = Problem(sg.mean((X @ v + b - y) ** 2), names={"X": X, "y": y, "v": v, "b": b})
    return problem.fit({"X": XS, "y": YS})


def words(path):
    """What the picture says: matplotlib notes each text beside its outlines."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))


def test_the_way_of_two_numbers_is_kept_and_that_of_more_is_not(of_two, of_three):
    assert len(of_two.path) == len(of_two.history)
    assert of_two.path[0].tolist() == [3.0, 3.0]
    assert of_two.path[-1].tolist() == of_two.parameters["v"].tolist()
    # The losses along it are those of the history.
    along = [of_two.surface(v=theta)[0] for theta in of_two.path]
    assert along == pytest.approx([entry.loss for entry in of_two.history], rel=1e-12)
    assert of_three.path == ()
    assert of_three.surface is None


def test_the_same_descent_gives_the_same_file(of_two, of_three, tmp_path):
    for result, suffix in ((of_two, "svg"), (of_three, "png"), (of_three, "pdf")):
        first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
        result.plot(str(first))
        result.plot(str(second))
        assert first.read_bytes() == second.read_bytes()
        assert not re.search(rb"dc:date|CreationDate", first.read_bytes())


@pytest.mark.parametrize(
    ("language", "always", "of_contours"),
    [
        ("en", {"loss", "iteration", "gradient norm"}, "Contours of the loss"),
        ("zh", {"损失", "迭代次数"}, "损失的等高线"),
    ],
)
def test_a_picture_is_in_the_language(of_two, of_three, tmp_path, language, always, of_contours):
    for result, has_contours in ((of_two, True), (of_three, False)):
        path = tmp_path / "fit.svg"
        result.plot(str(path), language)
        found = words(path)
        assert always <= set(found)
        assert (of_contours in found) == has_contours
        assert ("v₁" in found) == has_contours


def test_lines_are_told_apart_without_colour(of_three, tmp_path):
    path = tmp_path / "fit.svg"
    of_three.plot(str(path))
    text = path.read_text(encoding="utf-8")
    blue, red = (
        re.findall(rf'style="fill: none; (?:stroke-dasharray: [^;"]*; [^"]*)?stroke: {c}[^"]*"', text)
        for c in ("#0072b2", "#d55e00")
    )
    assert blue
    assert red
    assert not any("dasharray" in style for style in blue)
    assert any("dasharray" in style for style in red)


def test_a_loss_over_one_parameter(tmp_path):
    n = sg.dims("n")
    x, y, w = sg.data("x", n), sg.data("y", n), sg.parameter("w")
    problem = Problem(sg.mean((x * w - y) ** 2), names={"x": x, "y": y, "w": w})
    result = problem.fit({"x": XS[:, 0], "y": YS})
    result.plot(str(tmp_path / "fit.svg"))
    assert "Loss over w" in words(tmp_path / "fit.svg")


def test_chinese_is_written_without_a_font_of_the_system(of_three, tmp_path, monkeypatch):
    manager = plot._matplotlib().font_manager.fontManager
    own = [font for font in manager.ttflist if font.name == plot.FONT]
    monkeypatch.setattr(manager, "ttflist", own)
    of_three.plot(str(tmp_path / "fit.svg"), "zh")
    assert "损失" in words(tmp_path / "fit.svg")
    assert {font.name for font in manager.ttflist} & set(plot.CHINESE)


def test_what_cannot_be_drawn_is_refused_in_one_line(of_two, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"\.svg, \.png, \.pdf"):
        of_two.plot(str(tmp_path / "fit.gif"))
    monkeypatch.setattr(plot, "CHINESE", ("No Such Font",))
    with pytest.raises(MissingTool, match="no Chinese font"):
        of_two.plot(str(tmp_path / "fit.svg"), "zh")
    of_two.plot(str(tmp_path / "fit.svg"), "en")

    def nothing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(plot, "import_module", nothing)
    with pytest.raises(MissingTool, match=r"pip install 'symgrad\[plot\]'"):
        of_two.plot(str(tmp_path / "fit.svg"))


def test_a_long_history_keeps_its_ends():
    for count in (1, 400, 401, 10_001):
        chosen = plot._chosen(count)
        assert chosen[0] == 0
        assert chosen[-1] == count - 1
        assert len(chosen) <= plot.MOST_POINTS * 1.5 + 1
        assert chosen == sorted(set(chosen))
