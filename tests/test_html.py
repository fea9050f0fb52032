"""HTML pages in a real browser: nothing clipped on a phone or a wide screen, formulas for screen readers, no network."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from browser import CLIPPED, OVERLAPS, SCROLLS, open_browser
from documents import ALL, IS_WIDE, page

import symgrad as sg
from symgrad.explain.document import Display, Document, Math, Plain, Row, Table
from symgrad.formats.breaks import pieces
from symgrad.formats.html import html_page
from symgrad.formats.table import render

WIDTHS = (360, 1280)
NAMES = tuple(ALL) if IS_WIDE else ("softmax_regression", "two_layer_net", "lstm_cell", "p38_attention")
# A root that cannot be broken is wider than a phone: it scrolls in its own box.
UNBREAKABLE = {"n09_residual_gelu"}
# Its graph is wide from top to bottom too: it scrolls in its box.
WIDE_GRAPHS = {"n05_causal_heads"}


# Labels of a drawing that reach beyond it: there they are cut.
CUT_LABELS = """
return [...document.querySelectorAll('figure svg')].flatMap(svg => {
  const room = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(e => {
    const own = e.getBoundingClientRect();
    return own.width && (own.left < room.left - 0.5 || own.right > room.right + 0.5 || own.bottom > room.bottom + 1);
  }).map(e => e.textContent);
});
"""


@cache
def html(name, language):
    return html_page(page(name, language))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_every_screen(browser, name, language):
    for width in WIDTHS:
        browser.show(html(name, language), width)
        assert browser.run(CLIPPED) == []
        assert browser.run(CUT_LABELS) == []
        # One drawing is shown, and it scrolls on a phone only where no other one is narrower.
        shown = "[...document.querySelectorAll('figure svg')].filter(e => e.getClientRects().length)"
        assert browser.run(f"return {shown}.length") == ("<figure" in html(name, language))
        rooms = browser.run("return [...document.querySelectorAll('.drawing')].map(e => e.scrollWidth - e.clientWidth)")
        assert max(rooms, default=0) <= 1 or name in WIDE_GRAPHS
        if name not in UNBREAKABLE:
            assert browser.run(SCROLLS) == []
            assert browser.run(OVERLAPS) == []
    assert browser.complaints() == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"}
    assert {url.split(":")[0] for url in urls} <= {"file", "data", "chrome"}  # the empty page of a new window
    assert browser.run("return [...document.fonts].map(f => f.status)") == ["loaded"]
    _test_screen_reader(browser, html(name, language))


def _test_screen_reader(browser, text):
    """Every formula is one of mathematics with something in it, headings and tables say what they are."""
    nodes = {node["nodeId"]: node for node in browser.accessible()}

    def words(node):
        name = node.get("name", {}).get("value", "") if node["role"]["value"] == "StaticText" else ""
        return name + "".join(words(nodes[k]) for k in node.get("childIds", ()) if k in nodes)

    formulas = [node for node in nodes.values() if node["role"]["value"] == "MathMLMath"]
    # Those of the list of contents of steps stand only on a wide screen.
    assert len(formulas) >= text.count("<math") - len(re.findall(r'<a href="#s\d+-\d+">[^\n]*<math', text))
    assert all(words(node).strip() for node in formulas)
    roles = [node["role"]["value"] for node in nodes.values()]
    assert "columnheader" in roles
    assert "rowheader" in roles
    # Where a reader lists headings and links, their formulas are in their names.
    names = [n.get("name", {}).get("value", "") for n in nodes.values() if n["role"]["value"] in ("heading", "link")]
    assert [name for name in names if re.search(r"[.：] ?[,，（]", name)] == []
    levels = [int(level) for level in re.findall(r"<h(\d)", text)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_a_page_stands_alone():
    class Links(HTMLParser):
        found = ()

        def handle_starttag(self, tag, attrs):
            self.found = (*self.found, tag, *(f"{k}={v}" for k, v in attrs if k in ("src", "href", "style", "srcset")))

    links = Links()
    links.feed(html("softmax_regression", "en"))
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(links.found)
    assert all(x.startswith("href=#") for x in links.found if x.startswith(("src", "href", "srcset")))
    assert "url(" not in re.sub(r"url\(\"data:", "", html("softmax_regression", "en"))
    assert 'lang="zh-Hans"' in html("softmax_regression", "zh")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_against_its_ground(browser, scheme):
    """The contrast of WCAG 2.2, 4.5 : 1, of every colour of text."""
    browser.show(html("softmax_regression", "en"), 1280)
    browser.scheme(scheme)
    contrasts = browser.run(CONTRASTS)
    browser.scheme("light")
    assert contrasts
    assert min(contrasts.values()) >= 4.5


CONTRASTS = """
const light = c => c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
  .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
  .reduce((s, x, i) => s + x * [0.2126, 0.7152, 0.0722][i], 0);
const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
  if (c !== 'rgba(0, 0, 0, 0)') return light(c); } return 1; };
const found = {};
for (const e of document.body.querySelectorAll('*')) {
  const [a, b] = [light(getComputedStyle(e).color), ground(e)];
  found[getComputedStyle(e).color] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
return found;
"""


def test_a_folded_step_is_printed(browser, tmp_path):
    browser.show(html("softmax_regression", "en"), 1280)
    browser.run("document.querySelectorAll('details').forEach(e => e.open = false)")
    assert "equal factors cancel" not in browser.run("return document.body.innerText")
    browser.printed(tmp_path / "page.pdf")
    subprocess.run(["pdftotext", "page.pdf"], cwd=tmp_path, check=True)
    assert "equal factors cancel" in (tmp_path / "page.txt").read_text()


def test_marks_say_in_words_how_sure_a_step_is():
    from symgrad.problem import load

    proved = load(str(ALL["softmax_regression"])).explain("html", "en")
    assert proved.count('class="mark proved"') == 4
    assert re.search(r'aria-hidden="true">✓</span> proved', proved)
    if not IS_WIDE:  # whose pages are proved
        assert 'class="mark proved"' not in html("softmax_regression", "en")
        assert html("softmax_regression", "zh").count("未验证") >= 4


def test_pieces_of_a_formula_are_all_of_it():
    inner = r"\frac{\partial L}{\partial P}"
    tex = rf"P \odot \left({inner} - \left({inner} \odot P\right) \mathbf{{1}}\right)^{{\top}}"
    broken = pieces(tex, 9)
    assert len(broken) == 4
    bare = re.compile(r"\{\} |\\left|\\right|\\Big[lr]|\s")
    assert bare.sub("", "".join(broken)) == bare.sub("", tex)


def test_an_extra_that_is_missing_is_named(monkeypatch):
    import sys

    from symgrad.errors import MissingTool
    from symgrad.formats import html as module

    module._library.cache_clear()
    monkeypatch.setitem(sys.modules, "math_core", None)
    with pytest.raises(MissingTool, match=r"pip install 'symgrad\[html\]'"):
        render(page("softmax_regression"), "html")
    module._library.cache_clear()


def test_long_names_lie_on_nothing_on_a_phone(browser):
    """Neither beside each other in the table of symbols, nor in the boxes of the graph."""
    stations, features = sg.dims("stations weather_features")
    seen = sg.data("Observed_Rentals", stations, about="bicycles hired at each station")
    weather = sg.data("Weather_Of_Stations", stations, features, about="rain and wind")
    effect = sg.parameter("weather_effect", features, about="what they do")
    log_intensity = weather @ effect
    rentals = sg.exp(log_intensity)
    loss = sg.mean(rentals - seen * log_intensity) + sg.sum(effect**2)
    found = sg.Problem(loss, names={"log_intensity": log_intensity, "Expected_Rentals": rentals})
    found.derive = lambda wrt=None, prove=False: sg.Problem.derive(found, wrt, prove=False)
    for width in WIDTHS:
        browser.show(found.explain("html"), width)
        assert browser.run(CLIPPED) == []
        assert browser.run(OVERLAPS) == []
        assert browser.run(CUT_LABELS) == []
        assert browser.run(OUT_OF_BOXES) == []


# Names that are wider than the box of the graph in whose middle they stand.
OUT_OF_BOXES = """
return [...document.querySelectorAll('figure svg')].flatMap(svg => {
  const boxes = [...svg.querySelectorAll('rect')].map(e => e.getBoundingClientRect());
  return [...svg.querySelectorAll('text')].filter(e => {
    const own = e.getBoundingClientRect(), x = (own.left + own.right) / 2, y = (own.top + own.bottom) / 2;
    const box = boxes.filter(b => b.left < x && x < b.right && b.top < y && y < b.bottom).sort((a, b) => a.width - b.width)[0];
    return box && own.width && (own.left < box.left - 0.5 || own.right > box.right + 0.5);
  }).map(e => e.textContent);
});
"""


def test_a_line_breaks_between_terms_where_it_can(browser):
    r"""Each term is longer than a phone, and two of them than a line: none breaks but where a new one begins."""
    terms = [
        rf"\mathrm{{name\_of\_term\_{k}}}\,\mathrm{{some\_long\_factor}}\,\mathrm{{another\_factor}}" for k in range(4)
    ]
    row = Row("x", " + ".join(terms), tuple(terms))
    browser.show(html_page(Document(Plain("Title"), (Display((row,)),), "en")), 1280)
    heights = browser.run("return [...document.querySelectorAll('.term')].map(e => e.offsetHeight)")
    assert len(heights) == 3
    assert max(heights) < 40  # each on one line
    # Where two stand on one line, none lies on the other.
    names = (r"\mathrm{one\_name}", r"\mathrm{another\_name}", r"\mathrm{third\_name}", r"\mathrm{last\_name}")
    short = (r"\mathrm{first}", r"\,".join(names))
    row = Row("x", " + ".join(short), short)
    browser.show(html_page(Document(Plain("Title"), (Display((row,)),), "en")), 1280)
    boxes = browser.run(
        "return [...document.querySelectorAll('.right math')].map(e => e.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) > 2
    assert all(a["right"] <= b["left"] + 0.5 for a, b in pairwise(boxes))


def test_a_short_cell_is_one_line_beside_a_long_one(browser):
    """A shape, the names of two parameters: a long meaning beside them has taken their room."""
    header = tuple(map(Plain, ("what", "meaning", "shape")))
    short = (Plain("W and b"), Plain("word " * 60), Math(r"n \times 1 \times 8 \times 8"))
    browser.show(html_page(Document(Plain("Title"), (Table(header, (short,), wide=1),), "en")), 1280)
    cells = "[...document.querySelectorAll('tbody tr > :not(.wide)')]"
    heights = browser.run(f"""return {cells}.map(e => {{
      const range = document.createRange(); range.selectNodeContents(e); return range.getBoundingClientRect().height; }})""")
    assert len(heights) == 2
    assert max(heights) < 40
