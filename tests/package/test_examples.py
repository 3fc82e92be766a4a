"""The examples in the docstrings, as a reader of the reference page would type them."""

import doctest
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

import shattered_lite as sl

NOT_RUN = {
    "mnist": "fetches 12 MB",
    "cifar10": "fetches 170 MB",
    "dask_cluster": "needs the machines of a cluster",
}


def written(room: types.ModuleType) -> Iterator[object]:
    """Every public function and class of a room and of the rooms in it."""
    for name in room.__all__:
        thing = getattr(room, name)
        if inspect.ismodule(thing):
            yield from written(thing)
        elif inspect.isfunction(thing) or inspect.isclass(thing):
            yield thing


WRITTEN = list(dict.fromkeys(written(sl)))  # what stands on the door stands in a room too


def examples_of(thing: object) -> doctest.DocTest:
    """Those under the heading, with what the page says that they take for granted."""
    _, heading, text = inspect.getdoc(thing).partition("Examples\n--------\n")
    assert heading, f"{thing}: no section of examples"
    generator = torch.Generator().manual_seed(0)
    given = {"sl": sl, "torch": torch, "np": np, "nn": nn, "Path": Path, "generator": generator}
    return doctest.DocTestParser().get_doctest(text, given, thing.__name__, None, None)


def outcome(test: doctest.DocTest) -> tuple[doctest.TestResults, str]:
    """How many failed, of how many, and what is to be read about them."""
    said: list[str] = []
    return doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append), "".join(said)


@pytest.fixture
def as_for_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of one's own, none of the book's tools, and nothing left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "myst_nb", None)  # what a missing package looks like to an import
    with plt.rc_context(), torch.random.fork_rng():
        yield
    plt.close("all")
    torch.set_flush_denormal(False)


@pytest.mark.usefixtures("as_for_a_reader")
@pytest.mark.parametrize("thing", WRITTEN, ids=lambda thing: f"{thing.__module__}.{thing.__name__}")
def test_its_examples_print_what_they_say(thing: object) -> None:
    test = examples_of(thing)
    assert test.examples
    skipped = [each for each in test.examples if doctest.SKIP in each.options]
    assert len(skipped) == (len(test.examples) if thing.__name__ in NOT_RUN else 0)
    found, said = outcome(test)
    assert not found.failed, said


def test_nothing_is_left_out() -> None:
    names = {thing.__name__ for thing in WRITTEN}
    assert {*NOT_RUN, "sample_gradients", "plain", "Disagreement", "agrees", "local_processes", "fold"} <= names
    assert "ModuleKind" not in names  # a type


@pytest.mark.parametrize(
    ("text", "failed"),
    [(">>> bool(sl.theory.plain(0).correlation == 1)\nTrue", 0), (">>> 1 + 1\n3", 1), (">>> nothing", 1)],
)
def test_an_example_that_is_wrong_fails(text: str, failed: int) -> None:
    def thing() -> None:
        pass

    thing.__doc__ = f"Say.\n\nExamples\n--------\n{text}\n"
    assert outcome(examples_of(thing))[0].failed == failed


def test_a_function_without_examples_fails() -> None:
    def thing() -> None:
        """Do nothing."""

    with pytest.raises(AssertionError, match="no section of examples"):
        examples_of(thing)
