"""The page of all predictions and exercises holds those of the chapters, and is fresh."""

from __future__ import annotations

from pathlib import Path

import pytest
from chapters import BOOK

from tools import practice

CHAPTER = """---
kernelspec:
---
# A chapter

:::{admonition} Predict first
:class: hint
How many?
:::

```{exercise-start} Count (warm-up)
:label: ex-count
```

```{exercise-start} Show it (work: a proof)
:label: ex-show
```
"""


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("root: a\nparts: []\n")
    (tmp_path / "book" / "a.md").write_text(CHAPTER)
    return tmp_path


def test_a_chapter_has_its_predictions_and_its_exercises_by_grade(small_book: Path) -> None:
    assert practice.part("a", small_book) == (
        "## {doc}`A chapter <a>`\n\n::::{dropdown} Prediction in *A chapter*\nHow many?\n::::\n\n"
        "- *Warm-up*: {ref}`Count <ex-count>`.\n- *Work*: {ref}`Show it <ex-show>`.\n"
    )


def test_a_chapter_that_asks_nothing_is_left_out(small_book: Path) -> None:
    (small_book / "book" / "a.md").write_text("---\nkernelspec:\n---\n# A chapter\n")
    assert practice.page(small_book) == practice.INTRODUCTION


def test_an_exercise_without_a_grade_is_an_error(small_book: Path) -> None:
    (small_book / "book" / "a.md").write_text(CHAPTER.replace(" (warm-up)", ""))
    with pytest.raises(ValueError, match="2 exercises, but 1 with a grade"):
        practice.page(small_book)


def test_the_page_is_fresh() -> None:
    assert (BOOK / "practice.md").read_text() == practice.page()


@pytest.mark.parametrize(
    "name", [path.stem for path in sorted(BOOK.glob("*.md")) if "{exercise-start}" in path.read_text()]
)
def test_a_page_has_three_exercises_or_more_with_warm_up_and_work_among_them(name: str) -> None:
    found = practice.exercises((BOOK / f"{name}.md").read_text())
    assert {grade for _, grade, _ in found} >= {"warm-up", "work"}
    assert len(found) >= 3
