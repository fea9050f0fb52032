"""Pictures of a descent: loss and gradient norm over the iterations, and the loss over one parameter or two with the way taken.

matplotlib is an extra, imported where a picture is drawn and nowhere else. The same descent gives the same file, to the
byte. Lines differ in colour (Okabe and Ito's, which the colour-blind tell apart), in style and in their marks.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import InputError, MissingTool
from symgrad.files import write_bytes
from symgrad.notation.linear import raised
from symgrad.optimize import Iteration
from symgrad.prose import Language, Text
from symgrad.records import dataclass

Array = Any

# What each kind of file says about itself: nothing of the day on which it was drawn.
METADATA: Mapping[str, Mapping[str, Any]] = {
    ".svg": {"Date": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None},
}
BLUE, RED, GREY = "#0072B2", "#D55E00", "#555555"
FONT = "DejaVu Sans"  # comes with matplotlib
CHINESE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB",
    "SimHei", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Noto Serif CJK SC", "Noto Serif SC", "Noto Sans CJK JP",
)  # fmt: skip
# From this ratio on a loss is drawn over logarithms, and so many points of a line are drawn.
RATIO, MOST_POINTS = 50.0, 400
# The loss over one parameter is computed at so many points, over two at the square of so many.
POINTS, GRID, MARGIN, LEVELS = 241, 61, 0.25, 12

LOSS = Text(en="loss", zh="损失")
ITERATION = Text(en="iteration", zh="迭代次数")
NORM = Text(en="gradient norm", zh="梯度范数")
HISTORY = Text(en="Loss and gradient norm", zh="损失与梯度范数")
CURVE = Text(en="Loss over {name}", zh="损失随 {name} 的变化")
CONTOURS = Text(en="Contours of the loss", zh="损失的等高线")
WAY = Text(en="descent", zh="下降路径")
START, END = Text(en="start", zh="起点"), Text(en="end", zh="终点")


@dataclass(frozen=True, slots=True)
class Landscape:
    """The loss over one parameter or two: their names, the way that was taken, the loss at any θ."""

    names: tuple[str, ...]
    path: Sequence[Array]
    loss: Callable[[Array], float]


def check_plot(path: str, language: Language) -> None:
    """Refuse what cannot be drawn, before anything long begins."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in METADATA:
        raise InputError(f"{path}: a picture is written as {', '.join(METADATA)}; choose one of these suffixes")
    _fonts(_matplotlib(), language, ())


def write_plot(path: str, history: Sequence[Iteration], landscape: Landscape | None, language: Language) -> None:
    """Draw a descent into a file, all of it or none."""
    check_plot(path, language)
    matplotlib = _matplotlib()
    names = () if landscape is None else landscape.names
    settings = {
        "svg.hashsalt": "symgrad",
        "font.family": _fonts(matplotlib, language, names),
        "text.parse_math": False,
        "axes.unicode_minus": True,
        "axes.grid": True,
        "grid.alpha": 0.3,
        "font.size": 9.5,
    }
    suffix = os.path.splitext(path)[1].lower()
    with matplotlib.rc_context(settings):
        figure = _drawn(history, landscape, language)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=suffix[1:], metadata=METADATA[suffix], dpi=160)
    write_bytes(path, buffer.getvalue())


def _matplotlib() -> Any:
    """matplotlib with the parts that are used here."""
    try:
        import_module("matplotlib.figure")
        return import_module("matplotlib")
    except ModuleNotFoundError:
        raise MissingTool("pictures are drawn by matplotlib; install it: pip install 'symgrad[plot]'") from None


def _fonts(matplotlib: Any, language: Language, names: Sequence[str]) -> list[str]:
    """The fonts in the order in which they are asked for a character, a Chinese one where Chinese is written."""
    manager = matplotlib.font_manager.fontManager
    found = _chinese(manager)
    if found is None:
        for path in _packaged():
            manager.addfont(path)
        found = _chinese(manager)
    if found is None and (language == "zh" or any(ord(c) > 0x2E7F for name in names for c in name)):
        raise MissingTool(
            "no Chinese font is found for the picture; pip install 'symgrad[pdf]' brings one, or install fonts-noto-cjk"
        )
    return [FONT] if found is None else [found, FONT] if language == "zh" else [FONT, found]


def _chinese(manager: Any) -> str | None:
    installed = {font.name for font in manager.ttflist}
    return next((name for name in CHINESE if name in installed), None)


def _packaged() -> list[str]:
    """The files of the package that brings Chinese fonts for PDF, if it is there."""
    try:
        package = import_module("pylopdf_fonts_zh_cn")
    except ModuleNotFoundError:
        return []
    return [str(path) for path in sorted(Path(str(package.__file__)).parent.glob("*.otf"))]


def _drawn(history: Sequence[Iteration], landscape: Landscape | None, language: Language) -> Any:
    figure = _matplotlib().figure.Figure(figsize=(5.6, 4.4) if landscape is None else (10.4, 4.4), layout="constrained")
    columns = 1 if landscape is None else 2
    grid = figure.add_gridspec(2, columns, height_ratios=(3, 2))
    upper = figure.add_subplot(grid[0, 0])
    lower = figure.add_subplot(grid[1, 0], sharex=upper)
    _history(upper, lower, history, language)
    if landscape is not None:
        axes = figure.add_subplot(grid[:, 1])
        with np.errstate(all="ignore"):
            (_curve if len(landscape.names) == 1 else _contours)(axes, landscape, language)
    return figure


# ---- the history


def _history(upper: Any, lower: Any, history: Sequence[Iteration], language: Language) -> None:
    shown = [history[k] for k in _chosen(len(history))]
    numbers = [entry.number for entry in shown]
    losses, norms = (
        np.array([x if math.isfinite(x) else math.nan for x in own], dtype=float)
        for own in ([entry.loss for entry in shown], [entry.gradient_norm for entry in shown])
    )
    marks = {"markersize": 3.5, "markevery": max(1, len(shown) // 12)}
    upper.plot(numbers, losses, color=BLUE, linestyle="-", marker="o", **marks)
    lower.plot(numbers, np.where(norms > 0, norms, math.nan), color=RED, linestyle="--", marker="s", **marks)
    for axes, values in ((upper, losses), (lower, norms[norms > 0])):
        finite = values[np.isfinite(values)]
        if finite.size and finite.min() > 0 and finite.max() > RATIO * finite.min():
            _powers_of_ten(axes)
    upper.set_title(HISTORY.to(language))
    upper.set_ylabel(LOSS.to(language))
    lower.set_ylabel(NORM.to(language))
    lower.set_xlabel(ITERATION.to(language))
    lower.xaxis.get_major_locator().set_params(integer=True)
    upper.tick_params(labelbottom=False)


def _powers_of_ten(axes: Any) -> None:
    ticker = _matplotlib().ticker
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(
        ticker.FuncFormatter(lambda y, _: f"10{raised(f'{math.log10(y):.0f}'.replace('-', '−'))}")
    )
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def _chosen(count: int) -> list[int]:
    """Which entries of a long history are drawn: all at the beginning, where most happens, then fewer."""
    if count <= MOST_POINTS:
        return list(range(count))
    dense = np.geomspace(1, count, MOST_POINTS).astype(int) - 1
    even = np.linspace(0, count - 1, MOST_POINTS // 2).astype(int)
    return sorted({*map(int, dense), *map(int, even), count - 1})


# ---- the loss over the parameters


def _curve(axes: Any, landscape: Landscape, language: Language) -> None:
    path = np.array([theta[0] for theta in landscape.path], dtype=float)
    xs = np.linspace(*_range(path), POINTS)
    axes.plot(xs, [_loss_at(landscape, [x]) for x in xs], color=GREY, linestyle="-", linewidth=1.2)
    _way(axes, path, np.array([_loss_at(landscape, [x]) for x in path]), language)
    axes.set_title(CURVE.to(language).format(name=landscape.names[0]))
    axes.set_xlabel(landscape.names[0])
    axes.set_ylabel(LOSS.to(language))


def _contours(axes: Any, landscape: Landscape, language: Language) -> None:
    first, second = (np.array([theta[k] for theta in landscape.path], dtype=float) for k in (0, 1))
    xs, ys = np.linspace(*_range(first), GRID), np.linspace(*_range(second), GRID)
    heights = np.array([[_loss_at(landscape, [x, y]) for x in xs] for y in ys])
    finite = heights[np.isfinite(heights)]
    if finite.size and finite.max() > finite.min():
        least, most = float(finite.min()), float(np.quantile(finite, 0.97))
        # Closer together near the minimum, where the loss is flat.
        levels = [least + (most - least) * ((k + 1) / LEVELS) ** 2 for k in range(LEVELS)]
        lines = axes.contour(xs, ys, heights, levels=levels, colors=GREY, linewidths=0.8)
        axes.clabel(lines, lines.levels[2::2], fmt=lambda x: f"{float(f'{x:.3g}'):.6g}", fontsize=7.5)
    _way(axes, first, second, language)
    axes.set_title(CONTOURS.to(language))
    axes.set_xlabel(landscape.names[0])
    axes.set_ylabel(landscape.names[1])


def _way(axes: Any, xs: Array, ys: Array, language: Language) -> None:
    kept = _chosen(len(xs))
    line = {"color": BLUE, "linestyle": "-", "linewidth": 1.4, "marker": ".", "markersize": 5}
    axes.plot(xs[kept], ys[kept], label=WAY.to(language), zorder=3, **line)
    ends = ((0, START, "o", "white"), (len(xs) - 1, END, "s", RED))
    for k, text, marker, face in ends:
        mark = {"marker": marker, "markersize": 8, "markerfacecolor": face, "markeredgecolor": "black"}
        axes.plot([xs[k]], [ys[k]], linestyle="none", label=text.to(language), zorder=4, **mark)
    axes.legend(loc="best", framealpha=0.9)


def _range(values: Array) -> tuple[float, float]:
    """The values with a margin, and with as much again around the last of them: a minimum has two sides."""
    finite = values[np.isfinite(values)]
    least, most = float(finite.min()), float(finite.max())
    reach = most - least or abs(most) or 1.0
    low, high = min(least, values[-1] - 0.5 * reach), max(most, values[-1] + 0.5 * reach)
    return low - MARGIN * reach, high + MARGIN * reach


def _loss_at(landscape: Landscape, theta: Sequence[float]) -> float:
    try:
        loss = landscape.loss(np.array(theta, dtype=float))
    except np.linalg.LinAlgError:
        return math.nan
    return loss if math.isfinite(loss) else math.nan
