"""A record says what was made, comes back exactly, and is refused when it is not what it says."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shattered_lite.lab import records
from shattered_lite.lab.training import Record, Run, Start

MACHINE = dict.fromkeys(("commit", "date", "device", "python", "shattered_lite", "torch"), "known")
RUN = Run("plain", depth=3, epochs=2)
MEASURED = MACHINE | {"precision": "float64"}
START = Start(correlation=(0.125,), machine=MEASURED)
RECORD = Record(
    run=RUN,
    losses=(2.5, 1.25),
    accuracies=(0.5, 0.75),
    seconds=3.5,
    probes=(1.0,),
    start=START,
    peak_memory=4096,
    machine=MACHINE,
)

RUNS = st.builds(
    Run,
    kind=st.sampled_from(["plain", "residual", "crelu", "linear"]),
    depth=st.integers(1, 500),
    batch_norm=st.booleans(),
    beta=st.floats(0, allow_infinity=False),
    epochs=st.integers(0, 3),
    learning_rate=st.floats(0, 1e9, exclude_min=True),
    images=st.none() | st.integers(5, 60_000),
)


@st.composite
def written(draw: st.DrawFn) -> Record:
    run = draw(RUNS)
    losses = draw(st.lists(st.floats(), min_size=run.epochs, max_size=run.epochs))
    accuracies = draw(st.lists(st.floats(0, 1), min_size=run.epochs, max_size=run.epochs))
    start = Start(correlation=tuple(draw(st.lists(st.floats(), max_size=3))), machine=MEASURED)
    seconds = draw(st.floats(0, allow_infinity=False))
    return Record(
        run=run, losses=tuple(losses), accuracies=tuple(accuracies), seconds=seconds, start=start, machine=MACHINE
    )


@given(written())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_a_record_comes_back_exactly(record: Record) -> None:
    text = records.dumps(record)
    again = records.loads(text)
    assert repr(again) == repr(dataclasses.replace(record, run=again.run))  # nan is not equal to itself
    assert again.run == record.run
    assert records.dumps(again) == text
    assert text.endswith("}\n")
    assert text.count("\n") == 3 + len(dataclasses.fields(Record))  # a line each, the name and the two braces
    json.loads(text, parse_constant=pytest.fail)  # nothing that other readers of JSON do not know
    line = records.dumps(record, lines=False)
    assert line.count("\n") == 1
    assert json.loads(line) == json.loads(text)
    assert " " not in line.replace("shattered_lite", "")


def test_the_name_is_the_documented_hash() -> None:
    every = dict(sorted(dataclasses.asdict(RUN).items()))
    every |= {name: float(every[name]) for name in ("turn", "backward", "beta", "learning_rate")}
    digest = hashlib.sha256(json.dumps(every).encode()).hexdigest()
    assert records.name(RUN) == digest[:16]


def test_equal_configurations_have_equal_names() -> None:
    same = [Run("plain", 2, beta=1), Run(beta=1.0, depth=2, kind="plain"), Run("plain", 2, epochs=8)]
    assert len({records.name(run) for run in same}) == 1
    assert records.name(Run("plain", 2, beta=0.0)) == records.name(Run("plain", 2, beta=-0.0))


@given(RUNS, RUNS)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_names_are_equal_only_where_configurations_are(one: Run, other: Run) -> None:
    assert (records.name(one) == records.name(other)) == (one == other)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Run)])
def test_every_field_counts(field: str) -> None:
    base = dataclasses.asdict(Run("plain", 2, convolutional=True, initializer="mirrored"))
    other = {"kind": "crelu", "initializer": "orthogonal", "data": "cifar10", "precision": "bfloat16", "images": 50}
    other |= {"optimizer": "sgd", "target": 0.5}
    changed = not base[field] if isinstance(base[field], bool) else other.get(field) or base[field] + 1
    assert records.name(Run(**base | {field: changed})) != records.name(Run(**base))


def changed(path: str, value: Any) -> str:
    """The text of a record with one entry changed, or without it; its name is renewed where that can be."""
    entries = json.loads(records.dumps(RECORD))
    *way, last = path.split(".")
    place = entries
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return json.dumps(entries)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("losses", None, "record: missing or unknown: losses"),
        ("colour", "red", "record: missing or unknown: colour"),
        ("run.width", None, "record.run: missing or unknown: width"),
        ("run.colour", 1, "record.run: missing or unknown: colour"),
        ("start.colour", [], "record.start: missing or unknown: colour"),
        ("run.depth", 3.0, "record.run.depth=3.0: int is needed"),
        ("run.depth", True, "record.run.depth=True: int is needed"),
        ("run.depth", "3", "record.run.depth='3': int is needed"),
        ("run.batch_norm", 0, "record.run.batch_norm=0: bool is needed"),
        ("run.beta", "1", "record.run.beta='1': float is needed"),
        ("run.images", "all", "record.run.images='all': int is needed"),
        ("run.kind", "resnet", "record.run.kind='resnet': .*'plain'"),
        ("run.batch_size", 0, "batch_size=0: a whole number from 1 to"),
        ("run", [], r"record.run=\[\]: Run is needed"),
        ("run.seed", 1, "name='.{16}': the name of this configuration is '.{16}'"),
        ("name", "deep", "name='deep': the name of this configuration is"),
        ("name", None, "name=None: the name of this configuration is"),
        ("losses", [1.0], "losses has 1 entries, the run 2 epochs"),
        ("accuracies", [0.5] * 3, "accuracies has 3 entries, the run 2 epochs"),
        ("train_accuracies", [0.5], "train_accuracies has 1 entries, the run 2 epochs"),
        ("train_accuracies", [0.5, 1.5], "train_accuracies: 1.5 is not between 0 and 1"),
        ("batch_accuracies", [0.5] * 3, "batch_accuracies has 3 entries, the run 2 epochs"),
        ("batch_accuracies", [0.5] * 2, "batch_accuracies has 2 entries, but run.batch_norm=False"),
        ("losses", 1.0, "record.losses=1.0: "),
        ("losses", [1.0, "many"], "record.losses='many': float is needed"),
        ("losses", [1.0, math.nan], "NaN is not JSON"),
        ("accuracies", [0.5, 1.5], "accuracies: 1.5 is not between 0 and 1"),
        ("accuracies", [0.5, -0.1], "accuracies: -0.1 is not between 0 and 1"),
        ("accuracies", [0.5, "nan"], "accuracies: nan is not between 0 and 1"),
        ("seconds", -1, "seconds: -1.0 is not between 0 and inf"),
        ("seconds", "inf", "seconds: inf is not between 0 and inf"),
        ("machine.commit", None, "machine says nothing of commit"),
        ("machine.torch", "", "machine says nothing of torch"),
        ("start.machine.date", None, "start.machine says nothing of date"),
        ("start.machine.precision", None, "start.machine says nothing of precision"),
        ("machine.torch", 2.4, "record.machine.torch=2.4: str is needed"),
        ("start.cosines", [0.5], "start.cosines has 1 entries, but run.cosines=False keeps none"),
    ],
)
def test_what_is_not_a_record_is_named(path: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        records.loads(changed(path, value))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "3", "[" * 100_000])
def test_what_is_not_even_an_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|object is needed|nested too deeply"):
        records.loads(text)


def test_nothing_is_written_that_would_not_be_read() -> None:
    for wrong, message in (
        ({"losses": ()}, "losses has 0 entries"),
        ({"accuracies": (0.5, 2.0)}, "accuracies: 2.0 is not between 0 and 1"),
        ({"machine": {}}, "machine says nothing of commit"),
    ):
        with pytest.raises(ValueError, match=message):
            records.dumps(dataclasses.replace(RECORD, **wrong))


def timed(accuracies: tuple[float, ...], **changes: Any) -> Record:
    """A record of a run on its way to nine of ten."""
    run = Run("plain", depth=3, epochs=99, target=0.9, batch_norm=True)
    losses = (1.0,) * len(accuracies)
    return Record(run=run, losses=losses, accuracies=accuracies, seconds=1.0, machine=MACHINE, **changes)


def test_of_a_run_with_a_target_any_number_of_tests_is_kept_but_only_the_last_reaches_it() -> None:
    for curve in ((0.1, 0.5, 0.9), (0.1,) * 40, (1.0,)):
        record = timed(curve, batch_accuracies=curve)
        assert records.loads(records.dumps(record)) == record
    for wrong, message in (
        (timed((0.1, 0.9, 0.5)), "accuracies: the run went on where it had reached target=0.9"),
        (dataclasses.replace(timed((0.1, 0.5)), losses=(1.0,)), "accuracies has 2 entries, the run 1 tests"),
        (timed((0.1, 0.5), batch_accuracies=(0.5,)), "batch_accuracies has 1 entries, the run 2 tests"),
    ):
        with pytest.raises(ValueError, match=message):
            records.dumps(wrong)


@pytest.mark.parametrize(
    ("curve", "accuracy", "missed", "reached"),
    [
        ((0.9,), None, 0, 1),
        ((0.1, 0.5, 0.95), None, 2, 3),
        ((0.1, 0.5, 0.95), 0.5, 1, 2),  # an easier one on the way
        ((0.1, 0.6, 0.4, 0.9), 0.6, 1, 2),  # the first time counts
        ((0.1,) * 32 + (0.9,), None, 32, 34),  # tests are apart there
        ((0.1,) * 48 + (0.9,), None, 64, 68),
        ((0.1,) * 40, None, 48, math.inf),  # censored, not dropped
        ((0.1, 0.8, math.nan), None, 3, math.inf),
        ((), None, 0, math.inf),
    ],
)
def test_the_time_to_an_accuracy_is_an_interval(curve, accuracy, missed: int, reached: float) -> None:
    assert records.steps_to(timed(curve), accuracy) == (missed, reached)


def test_the_time_is_read_with_either_statistics() -> None:
    record = timed((0.1, 0.5, 0.9), batch_accuracies=(0.2, 0.9, 0.9))
    assert records.steps_to(record, statistics="running") == (2, 3)
    assert records.steps_to(record, statistics="batch") == (1, 2)


@pytest.mark.parametrize(
    ("record", "options", "message"),
    [
        (RECORD, {}, "record: run.target=None, so the network was tested after epochs only"),
        (timed((0.1,)), {"accuracy": 0.95}, r"accuracy=0\.95: a share up to run.target=0\.9 is needed"),
        (timed((0.1,)), {"accuracy": 0}, r"accuracy=0: a share up to"),
        (timed((0.1,)), {"statistics": "batch"}, "statistics='batch': this record has none of these"),
        (timed((0.1,)), {"statistics": "frozen"}, "statistics='frozen': choose one of 'running', 'batch'"),
    ],
)
def test_a_time_that_a_record_does_not_tell_is_refused(record: Record, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        records.steps_to(record, **options)


MANY = [
    dataclasses.replace(RECORD, run=dataclasses.replace(RUN, kind=kind, depth=depth, images=images, seed=seed))
    for kind in ("crelu", "plain")
    for depth in (2, 10)
    for images in (None, 50)
    for seed in (0, 1, 10)
]  # as a reader would sort them


def put(folder: Path, made: list[Record]) -> None:
    """As a sweep does."""
    folder.mkdir(exist_ok=True)
    for record in made:
        (folder / f"{records.name(record.run)}.json").write_text(records.dumps(record))


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_and_a_table_are_read_in_one_order(tmp_path: Path) -> None:
    put(tmp_path, MANY)
    (tmp_path / "notes.txt").write_text("not a record")
    (tmp_path / "checkpoints").mkdir()
    assert records.read(tmp_path) == MANY
    table = tmp_path / "table.jsonl"
    records.write(MANY[::-1], table)
    assert records.read(table) == MANY
    lines = table.read_text().splitlines()
    assert [records.loads(line) for line in lines] == MANY


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(records.dumps(RECORD))
    (tmp_path / "half.json").write_text(records.dumps(RECORD)[:100])
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'half.json'}: ")):
        records.read(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [*lines[:-1], lines[-1][:100]], "line 3: "),
        (lambda lines: [lines[0], b"", *lines[1:]], "line 2: Expecting value"),
        (lambda lines: [lines[0], b"\xff", *lines[1:]], "line 2: 'utf-8' codec"),
        (lambda lines: [*lines, lines[0]], "holds 2 records of one run, '[0-9a-f]{16}': Run"),
    ],
)
def test_a_damaged_table_is_refused(damage, message: str, tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    records.write(MANY[:3], table)
    table.write_bytes(b"\n".join(damage(table.read_bytes().splitlines())))
    with pytest.raises(ValueError, match=rf"{re.escape(str(table))}.* ?{message}"):
        records.read(table)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path='.*nowhere': a folder or a table of records is needed, and it does no"):
        records.read(tmp_path / "nowhere")


def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    records.write(MANY[:3], table)
    before = content(tmp_path)
    for wrong, message in (
        ([*MANY, MANY[0]], "records hold 2 records of one run"),
        (
            [*MANY, dataclasses.replace(MANY[0], run=dataclasses.replace(RUN, seed=99), machine={})],
            "nothing of commit",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            records.write(wrong, table)
        assert content(tmp_path) == before
    with pytest.raises(ValueError, match=r"table='.*table\.json': a name that ends in \.jsonl is needed"):
        records.write(MANY, tmp_path / "table.json")
    assert content(tmp_path) == before
    records.write(MANY[3:5], table)
    assert records.read(table) == MANY[3:5]


def test_a_full_disk_leaves_the_table_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "table.jsonl"
    records.write(MANY[:3], table)
    before = content(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="full"):
        records.write(MANY[:5], table)
    assert content(tmp_path) == before


def test_folding_loses_nothing(tmp_path: Path) -> None:
    """What a table holds and the folder does not stays; what both hold equally, nan included, is no conflict."""
    folder, table = tmp_path / "runs", tmp_path / "table.jsonl"
    diverged = dataclasses.replace(MANY[0], losses=(1.0, math.nan))
    put(folder, [diverged, *MANY[1:5]])
    assert len(records.fold(folder, table)) == 5
    put(folder, MANY[5:9])
    for file in list(folder.iterdir()):
        if records.loads(file.read_text()).run in (MANY[1].run, MANY[2].run):
            file.unlink()
    before = content(folder)
    assert repr(records.fold(folder, table)) == repr(records.read(table)) == repr([diverged, *MANY[1:9]])
    assert content(folder) == before


def test_folding_decides_no_conflict(tmp_path: Path) -> None:
    folder, table = tmp_path / "runs", tmp_path / "table.jsonl"
    records.write(MANY[:3], table)
    put(folder, [dataclasses.replace(MANY[1], seconds=9.0), MANY[5]])
    before = content(tmp_path)
    with pytest.raises(ValueError, match=r"runs and .*table\.jsonl hold different records of Run.*remove one"):
        records.fold(folder, table)
    (folder / "again.json").write_text(records.dumps(MANY[5]))
    with pytest.raises(ValueError, match=r"runs holds 2 records of one run"):
        records.fold(folder, table)
    (folder / "again.json").unlink()
    with pytest.raises(ValueError, match=r"folder='.*nowhere': a folder is needed, and it does not exist"):
        records.fold(tmp_path / "nowhere", table)
    with pytest.raises(ValueError, match=r"folder='.*table\.jsonl': a folder is needed, and this is a file"):
        records.fold(table, table)
    assert content(tmp_path) == before


@pytest.mark.parametrize("table", sorted(records.FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_packages_own_records_are_good(table: Path) -> None:
    """And are as they would be written, so that a change of one run is a change of one line."""
    assert "".join(records.dumps(record, lines=False) for record in records.read(table)) == table.read_text()
