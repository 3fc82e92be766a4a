"""The recorded kernel regression is what the chapter's own code makes."""

from __future__ import annotations

import csv

import pytest

from tools import record_kernels


def test_a_part_of_the_record_comes_out_again() -> None:
    """Narrow networks come first, so a record without the wide ones begins in the same way."""
    kept = csv.DictReader(record_kernels.TABLE.read_text().splitlines()[1:])
    old = {(row["data"], int(row["split"]), float(row["width"]), int(row["depth"])): row for row in kept}
    assert len(old) == 2 * len(record_kernels.SPLITS) * (1 + len(record_kernels.WIDTHS)) * len(record_kernels.DEPTHS)
    for *place, accuracy, condition, apart in record_kernels.rows("digits", [0], record_kernels.WIDTHS[:1]):
        row = old[tuple(place)]
        assert accuracy == pytest.approx(float(row["accuracy"]), abs=0.011)  # two of 200 images may be a tie
        assert condition == pytest.approx(float(row["condition"]), rel=0.01)
        assert apart == pytest.approx(float(row["apart"]), rel=1e-3, abs=1e-7)
