"""The page of the package: every public name in its place, under the name that a user writes."""

import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from bs4 import BeautifulSoup, Tag

import shattered_lite as sl
from shattered_lite.lab.records import FOLDER
from tools.site import ROOT


@pytest.fixture(scope="module")
def page(html) -> Tag:
    return BeautifulSoup((html / "package.html").read_text(), "html.parser").find("article")


def names(room: ModuleType, path: str = "shattered_lite") -> Iterator[tuple[str, object]]:
    """Every public name, with the path by which a user reaches it, and what it stands for; those on the door first."""
    for name in room.__all__:
        thing = getattr(room, name)
        yield f"{path}.{name}", thing
        if inspect.ismodule(thing):
            yield from names(thing, f"{path}.{name}")


def places() -> list[str]:
    """Where each is described: what stands on the door is described there, and not again in its room."""
    first = {}
    for path, thing in names(sl):
        kind = "module-" if inspect.ismodule(thing) else ""
        key = id(thing) if inspect.isroutine(thing) or inspect.isclass(thing) else path
        first.setdefault(key, kind + path)
    return ["module-shattered_lite", *first.values()]


def test_every_public_name_has_its_place(page):
    described = [place["id"] for place in page.find_all(id=re.compile("^(module-)?shattered_lite"))]
    assert len(described) == len(set(described))
    missing = set(places()) - set(described)
    assert not missing
    parts = {each for each in described if each.rpartition(".")[0] in places()}  # properties and methods of a class
    assert set(described) == {*places(), *parts}


def test_places_follow_the_doors():
    assert {"module-shattered_lite.lab", "shattered_lite.lab.records.FOLDER", "shattered_lite.he_"} <= set(places())
    assert "shattered_lite.initializers.he_" not in places()
    assert "shattered_lite.lab.grids.digits" in places()  # another function than that of the data
    assert "shattered_lite.lab.data.digits" in places()


def test_every_function_is_described_with_an_example(page):
    for path, thing in names(sl):
        if path in places() and (inspect.isfunction(thing) or inspect.isclass(thing)):
            assert ">>>" in page.find(id=path).find_parent("dl").get_text(), path


def left_over(text: str) -> list[str]:
    """What a reader must not see: private files, markup that nobody has turned into anything, Python's own words."""
    files, markup = r"[\w.]+\._[a-z]\w*", r"\$|``|:(?:[a-z]+:)?(?:func|class|mod|data|math):"
    return re.findall(f"{files}|{markup}|Alias for field|<factory>| at 0x", text)


@pytest.mark.parametrize(
    "text",
    [
        "shattered_lite.theory._plain.plain",
        "$C(i)$",
        ":func:`plain`",
        ":math:`x`",
        ":py:class:`X`",
        "``depth``",
        "Alias for field number 0",
        "Start(machine=<factory>)",
        "<function f at 0x7f>",
    ],
)
def test_what_is_left_over_is_seen(text):
    assert left_over(f"Before {text} after.")


def test_nothing_is_left_over(page):
    assert not left_over(page.get_text())
    assert page.find(class_="math")
    assert not page.find(class_="problematic")


@pytest.mark.parametrize(
    ("constant", "known"),
    [
        ("theory.ACTIVATIONS", sl.theory.ACTIVATIONS),
        ("lab.grids.GRIDS", sl.lab.grids.GRIDS),
        ("lab.grids.NETWORKS", sl.lab.grids.NETWORKS),
        ("plots.NETWORKS", sl.plots.NETWORKS),
        ("lab.records.FOLDER", [table.name for table in FOLDER.glob("*.jsonl")]),
    ],
)
def test_constants_are_spelt_out(page, constant, known):
    described = page.find(id=f"shattered_lite.{constant}").find_parent("dl")
    said = {code.get_text().strip('"') for code in described.find_all("code")}
    assert set(known) <= said


def test_what_the_examples_take_for_granted_is_there():
    source = (ROOT / "book" / "package.md").read_text()
    given: dict[str, object] = {}
    exec(re.search(r"```python\n(.+?)```", source, re.DOTALL)[1], given)
    assert {"sl", "torch", "np", "nn", "Path", "generator"} <= set(given)
