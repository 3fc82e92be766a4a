"""The notation page says the truth: its symbols are used, its names exist."""

import inspect
import re
from operator import attrgetter

import pytest
from chapters import BOOK

import shattered_lite as sl

ROWS = [
    [column.strip() for column in line.strip("|").split("|")]
    for line in (BOOK / "notation.md").read_text().splitlines()
    if line.startswith("| $")
]
PROSE = "".join(path.read_text() for path in BOOK.glob("*.md") if path.stem != "notation")
MATHEMATICS = re.sub(r"\s", "", " ".join(re.findall(r"\$\$.+?\$\$|\$[^$]+\$", PROSE, re.DOTALL)))


def resolve(name: str) -> None:
    """Find a name of the last column: an argument of sample_gradients, a dotted name, or a function's argument."""
    function, argument = re.fullmatch(r"([\w.]+)(?:\((\w+)\))?", name).groups()
    if function in inspect.signature(sl.sample_gradients).parameters:
        return
    found = attrgetter(function)(sl)
    if argument:
        assert argument in inspect.signature(found).parameters


def names(row: list[str]) -> list[str]:
    return re.findall(r"`([^`]+)`", row[-1])


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 12
    assert all(len(row) == 4 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_symbol_is_used_and_its_names_exist(row: list[str]) -> None:
    for symbol in re.findall(r"\$([^$]+)\$", row[0]):
        assert re.sub(r"\s|\\cdot\]$", "", symbol) in MATHEMATICS
    for name in names(row):
        resolve(name)


def test_a_name_that_does_not_exist_is_seen() -> None:
    with pytest.raises(AttributeError):
        resolve("theory.of_everything")
    with pytest.raises(AssertionError):
        resolve("theory.plain(nonsense)")
