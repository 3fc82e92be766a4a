"""The book's drawings are those of their code, and can be read on a phone and in dark mode."""

import io
import re
from itertools import chain, combinations

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from shattered_lite.plots import NETWORKS, use_style
from tools.drawings import DRAWINGS, FOLDER
from tools.site import numbered_parts
from tools.strokes import INK, PLAIN, disc, drawn, line, png, svg, word

COLUMN_OF_A_PHONE = 342  # pixels that margins leave of 390
KILOBYTES = 40
drawings = pytest.mark.parametrize("page", DRAWINGS)


def words(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_text()]


def small_words(figure: Figure) -> list[str]:
    """Words whose letters are less than ten pixels tall on a phone."""
    width = float(re.search(r'viewBox="0 0 (\S+) ', svg(figure))[1])
    return [text.get_text() for text in words(figure) if text.get_fontsize() * COLUMN_OF_A_PHONE / width < 10]


def misplaced_words(figure: Figure) -> list[str]:
    """Words that leave the paper, or touch others."""
    figure.canvas.draw()
    places = {text.get_text() + f" {number}": text.get_window_extent() for number, text in enumerate(words(figure))}
    paper = figure.bbox
    outside = [name for name, place in places.items() if not (paper.x0 <= place.x0 and place.x1 <= paper.x1)]
    outside += [name for name, place in places.items() if not (paper.y0 <= place.y0 and place.y1 <= paper.y1)]
    touching = [pair for pair in combinations(places, 2) if places[pair[0]].overlaps(places[pair[1]])]
    return outside + [" / ".join(pair) for pair in touching]


def foreign_colours(text: str) -> set[str]:
    """Colours of an SVG that are neither grey nor a network's; named ones as well."""
    used = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", text)) - {"none"}
    return {colour for colour in used if not is_grey(colour)} - {look.colour for look in NETWORKS.values()}


def is_grey(colour: str) -> bool:
    return re.fullmatch(r"#([0-9a-f]{2})\1\1", colour) is not None


def test_every_chapter_has_a_drawing() -> None:
    assert list(DRAWINGS) == list(chain.from_iterable(numbered_parts().values()))
    assert {file.name for file in FOLDER.iterdir()} == {
        f"{page}.{kind}" for page in DRAWINGS for kind in ("svg", "png")
    }


@drawings
def test_drawings_are_fresh(page: str) -> None:
    figure = drawn(DRAWINGS[page])
    assert (FOLDER / f"{page}.svg").read_text() == svg(figure), "run `make drawings`"
    np.testing.assert_array_equal(
        mpl.image.imread(FOLDER / f"{page}.png"), mpl.image.imread(io.BytesIO(png(figure))), "run `make drawings`"
    )


def test_drawings_do_not_depend_on_what_else_is_drawn() -> None:
    with mpl.rc_context():
        use_style()
        mpl.rcParams.update({"svg.fonttype": "none", "font.family": "serif"})
        assert svg(drawn(DRAWINGS["theorem-1"])) == (FOLDER / "theorem-1.svg").read_text()


@drawings
def test_words_are_legible_on_a_phone(page: str) -> None:
    figure = drawn(DRAWINGS[page])
    assert words(figure)
    assert small_words(figure) == []
    assert misplaced_words(figure) == []


@drawings
def test_colours_are_those_of_the_networks(page: str) -> None:
    assert foreign_colours((FOLDER / f"{page}.svg").read_text()) == set()


@drawings
def test_drawings_are_small_files(page: str) -> None:
    assert (FOLDER / f"{page}.svg").stat().st_size < KILOBYTES * 1000


# What the drawings say in words is what they show


def paths(strokes: list[np.ndarray]) -> int:
    """How many ways lead along strokes from the leftmost point to the rightmost."""
    x = [x for stroke in strokes for x in stroke[:, 0]]
    ways: dict[tuple[float, float], int] = {}
    for (x0, y0), (x1, y1) in sorted(map(np.ndarray.tolist, strokes)):
        ways[x1, y1] = ways.get((x1, y1), 0) + (1 if x0 == min(x) else ways.get((x0, y0), 0))
    return sum(count for (place, _), count in ways.items() if place == max(x))


def test_of_64_paths_8_are_open_at_one_input_and_1_at_both() -> None:
    lines = drawn(DRAWINGS["theorem-1"]).axes[0].lines
    edges = [edge for edge in lines if edge.get_color() != PLAIN]
    coloured = [edge for edge in lines if edge.get_color() == PLAIN]
    bold = [edge for edge in coloured if edge.get_linewidth() > 4]
    assert [paths([edge.get_xydata() for edge in kind]) for kind in (edges, coloured, bold)] == [64, 8, 1]


def test_units_in_the_wedge_are_those_that_are_open_at_both_inputs() -> None:
    """Against signs of scalar products, for two inputs at 45 and at 90 degrees."""
    for middle, degrees, counted in ((105, 45, 6), (300, 90, 4)):
        units = [dot for dot in drawn(DRAWINGS["who-is-active"]).axes[0].lines if abs(dot.get_xdata()[0] - middle) < 90]
        weights = np.array([dot.get_xydata()[0] - (middle, 142) for dot in units])
        half = np.deg2rad(degrees / 2)
        inputs = np.array([[-np.sin(half), np.cos(half)], [np.sin(half), np.cos(half)]])
        both = (weights @ inputs.T > 0).all(1)
        assert [dot.get_color() == PLAIN for dot in units] == both.tolist()
        assert (both.sum(), len(units)) == (counted, 16)
        assert counted / 16 == pytest.approx((180 - degrees) / 360)


# The checks above, on drawings that are wrong


def test_small_word_is_seen() -> None:
    assert small_words(drawn(lambda paper: word(paper, 200, 125, "small", size=11))) == ["small"]
    assert small_words(drawn(lambda paper: word(paper, 200, 125, "large", size=12))) == []


@pytest.mark.parametrize("place", [(2, 125), (398, 125), (200, 1), (200, 249), (215, 125)])
def test_misplaced_word_is_seen(place: tuple[float, float]) -> None:
    def draw(paper: Axes) -> None:
        word(paper, 200, 125, "first")
        word(paper, *place, "second")

    assert misplaced_words(drawn(draw)) != []


@pytest.mark.parametrize("colour", ["red", "#123456"])
def test_foreign_colour_is_seen(colour: str) -> None:
    assert foreign_colours(svg(drawn(lambda paper: disc(paper, 200, 125, 9, colour)))) != set()
    assert foreign_colours(svg(drawn(lambda paper: line(paper, [0, 9], [0, 9], colour)))) != set()
    assert foreign_colours(svg(drawn(lambda paper: line(paper, [0, 9], [0, 9], INK)))) == set()
