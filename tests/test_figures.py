"""The computation graph: it is the derivation's own, nothing in it is hidden by anything else, and every format draws it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from documents import problem
from fold_models import recurrent, tanh_net

from symgrad.derive.fold import fold, unfolded
from symgrad.explain.document import Curve, Group, Label, Rectangle
from symgrad.explain.graph import MOST_NODES, computation_graph, graph_of
from symgrad.explain.layered import Block, place
from symgrad.explain.picture import LEGIBLE_ON_PHONE, PHONE_WIDTH, draw
from symgrad.explain.writing import writing_of
from symgrad.formats.mermaid import mermaid
from symgrad.formats.svg import svg
from symgrad.formats.template import in_words, plain
from symgrad.graph.expression import Leaf
from symgrad.graph.walk import postorder
from symgrad.problem import load

FLAT = ("softmax_regression", "two_layer_net", "p38_attention", "n03_lstm_cell", "p29_hidden_layer", "p36_batch_norm")
FOLDED = {"deep": tanh_net(8), "steps": recurrent(6, is_every_step=True), "last step": recurrent(9)}


@cache
def derivation_of(name):
    if name in FLAT:
        return problem(name).derive(prove=False)
    return load_text(FOLDED[name]).derive(prove=False)


def load_text(text):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.py"
        path.write_text(text)
        return load(str(path))


def writing(name, language="en", *, is_folded=True):
    derivation = derivation_of(name)
    return writing_of(fold(derivation) if is_folded else unfolded(derivation), language)


def figure_of(name, language="en"):
    (figure,) = computation_graph(writing(name, language))
    return figure


def uses(derivation):
    """Which array is used by which, as the equations say."""
    known = {*derivation.leaves, *(eq.target for eq in derivation.forward)}
    return {
        (e, eq.target)
        for eq in derivation.forward
        for e in postorder([eq.expression])
        if isinstance(e, Leaf) and e in known
    }


# ---- the graph


@pytest.mark.parametrize("name", FLAT)
def test_nodes_and_arrows_are_those_of_the_equations(name):
    derivation = derivation_of(name)
    graph = graph_of(writing(name))
    assert {(a.source, a.target) for a in graph.arrows} == {(e.name, t.name) for e, t in uses(derivation)}
    computed = {n.key: n.label for n in graph.nodes if n.label is not None}
    assert computed == {eq.name: eq.label for eq in derivation.forward}
    with_derivative = {eq.variable.name for eq in derivation.backward}
    assert {n.key for n in graph.nodes if n.derivative is not None} == with_derivative
    assert {a.source for a in graph.arrows if a.has_return} == with_derivative


@pytest.mark.parametrize("name", FOLDED)
def test_a_family_is_drawn_once_and_every_use_goes_along_an_arrow(name):
    derivation = derivation_of(name)
    graph = graph_of(writing(name))
    whole = graph_of(writing(name, is_folded=False))
    (group,) = [p for p in graph.parts if isinstance(p, Group)]
    assert len(graph.nodes) < len(whole.nodes)
    stems = {n.name.tex.split("_")[0] for n in group.nodes}
    arrows = {(a.source.split(".")[-1][0], a.target.split(".")[-1][0]) for a in graph.arrows}
    assert stems == ({"Z", "H", "W", "b"} if name == "deep" else stems)
    assert arrows >= {(e.name[0], t.name[0]) for e, t in uses(derivation)}
    (shown,) = [n for n in group.nodes if n.kind == "shown"]
    assert shown.name.tex in ("H_{l-1}", "S_{t-1}")
    assert [a.source for a in graph.arrows if a.target == shown.key] in (["H1"], ["S0"])


def test_data_that_differ_in_a_number_are_one_node_outside_a_family_too():
    names = [n.name.tex for n in graph_of(writing("steps")).nodes]
    assert names.count("Y_{t}") == 1
    assert "Y_{3}" not in names


def test_a_graph_that_is_too_large_is_left_out_with_a_sentence():
    derivation = load_text(tanh_net(14)).derive(prove=False)
    (block,) = computation_graph(writing_of(unfolded(derivation), "en"))
    count = len(graph_of(writing_of(unfolded(derivation), "en")).nodes)
    assert count > MOST_NODES
    assert str(count) in plain(block.sentences[0], "en")


def test_one_equation_has_no_graph_and_none_is_drawn_where_none_is_wanted():
    assert "mermaid" not in problem("p22_trace").explain()
    assert "mermaid" in problem("softmax_regression").explain()
    assert "mermaid" not in problem("softmax_regression").explain(graph=False)


def test_words_say_the_same():
    words = in_words(figure_of("softmax_regression"), "en")
    assert words[0].startswith("Z is computed from X, W and b")
    assert in_words(figure_of("softmax_regression", "zh"), "zh")[0].startswith("Z 由 X")


# ---- the drawing


@pytest.mark.parametrize("name", [*FLAT, *FOLDED])
def test_nothing_lies_over_anything_else(name):
    figure = figure_of(name)
    for drawing in (figure.drawing, figure.narrow or figure.drawing):
        nothing_lies_over_anything_else(drawing)


def test_what_stands_beside_a_frame_stands_behind_it_on_a_phone():
    """V and c, which only the output needs, made the graph of a deep net wider than a phone."""
    figure = figure_of("deep")
    assert figure.drawing.width * figure.drawing.scale > PHONE_WIDTH >= figure.narrow.width * figure.narrow.scale
    assert figure.narrow.scale >= LEGIBLE_ON_PHONE
    boxes = [s for s in figure.narrow.shapes if isinstance(s, Rectangle)]
    frame = max(boxes, key=lambda s: s.width * s.height)
    for box in boxes:
        is_beside = box.corner[1] < frame.corner[1] + frame.height and box.corner[1] + box.height > frame.corner[1]
        assert is_within(box, frame) or not is_beside


def nothing_lies_over_anything_else(drawing):
    boxes = frames_of_nodes(drawing)
    for k, a in enumerate(boxes):
        assert a.corner[0] >= 0
        assert a.corner[0] + a.width <= drawing.width
        assert a.corner[1] >= 0
        assert a.corner[1] + a.height <= drawing.height
        assert not any(overlap(a, b) for b in boxes[k + 1 :] if not is_within(b, a))
    curves = [s for s in drawing.shapes if isinstance(s, Curve)]
    assert not [(c, b) for c in curves for b in boxes for p in points_of(c) if lies_inside(p, b)]


def frames_of_nodes(drawing):
    """The boxes of values: no frame of a group, which has other boxes inside."""
    boxes = [s for s in drawing.shapes if isinstance(s, Rectangle)]
    return [a for a in boxes if sum(is_within(b, a) for b in boxes) < 3]


def is_within(b, a):
    return (
        a.corner[0] <= b.corner[0]
        and b.corner[0] + b.width <= a.corner[0] + a.width
        and a.corner[1] <= b.corner[1]
        and b.corner[1] + b.height <= a.corner[1] + a.height
    )


def overlap(a, b):
    across = min(a.corner[0] + a.width, b.corner[0] + b.width) - max(a.corner[0], b.corner[0])
    down = min(a.corner[1] + a.height, b.corner[1] + b.height) - max(a.corner[1], b.corner[1])
    return across > 0.01 and down > 0.01


def points_of(curve):
    for k in range(0, len(curve.points) - 1, 3):
        a, b, c, d = curve.points[k : k + 4]
        for t in (j / 16 for j in range(17)):
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield tuple(sum(w * p[i] for w, p in zip(weights, (a, b, c, d), strict=True)) for i in (0, 1))


def lies_inside(point, box, border=0.05):
    (x, y), (left, top) = point, box.corner
    return left + border < x < left + box.width - border and top + border < y < top + box.height - border


def test_a_long_edge_goes_around_the_boxes_between():
    found = place([Block(x, 2, 2) for x in "abcd"], [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    middles = {key: across for key, (_, across) in found.middles.items()}
    route = found.routes["a", "d"]
    assert len(route) == 5  # the end of a's room, and into and out of two layers
    assert all(abs(route[k][1] - middles[x]) > 1 for k, x in ((1, "b"), (3, "c")))


# ---- the formats


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["two_layer_net", "deep"])
def test_the_svg_is_well_formed_and_says_everything(name, language):
    figure = figure_of(name, language)
    root = ET.fromstring(svg(figure, language))
    spoken = "".join(root.find("{*}desc").itertext())
    assert spoken == " ".join(in_words(figure, language))
    labels = [s for s in figure.drawing.shapes if isinstance(s, Label)]
    assert len(root.findall(".//{*}text")) == len(labels)
    shown = {"".join(t.itertext()).replace("\u200b", "") for t in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"∂L/∂W1", "W1"} <= shown
    # No script, no reference to anything outside.
    assert not [e for e in root.iter() if e.tag.endswith(("script", "image", "use", "style"))]


def test_a_name_in_mermaid_is_always_between_quotation_marks():
    text = mermaid(figure_of("deep", "zh").graph, lambda item: plain(item, "zh"))
    assert '"Hₗ₋₁"' in text
    assert text.count('"') % 2 == 0
    for line in text.splitlines():
        outside = "".join(line.split('"')[::2])
        assert outside.isascii()


def test_a_drawing_fits_its_page():
    drawing = draw(graph_of(writing("deep")))
    assert drawing.width * drawing.scale <= 41.01
    assert drawing.height * drawing.scale <= 52.01
