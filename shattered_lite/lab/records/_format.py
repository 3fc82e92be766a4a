"""One record as JSON, read as strictly as it is written."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable
from functools import cache
from numbers import Real
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..training import Record, Run

PROVENANCE = ("commit", "date", "device", "python", "shattered_lite", "torch")  # what ``machine`` must say
UNBOUNDED = ("nan", "inf", "-inf")  # JSON has no such numbers: they are written as strings


def name(run: Run) -> str:
    """Name of a configuration: the first 16 hexadecimal digits of the SHA-256 of its canonical JSON.

    The keys are sorted, defaults are included, and a number is written as its field's type asks: equal configurations
    have equal names.

    Parameters
    ----------
    run : Run
        Configuration.

    Returns
    -------
    str
        Two of a million configurations share a name with a probability of about 3e-8.

    Raises
    ------
    ValueError
        If a value is not of its field's type.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> Run = sl.lab.training.Run
    >>> sl.lab.records.name(Run("plain", 2)) == sl.lab.records.name(Run("plain", 2, beta=1.0))
    True
    """
    return hashlib.sha256(json.dumps(_canonical(run), sort_keys=True).encode()).hexdigest()[:16]


def dumps(record: Record, *, lines: bool = True) -> str:
    """A record as JSON.

    Parameters
    ----------
    record : Record
        What a run made.
    lines : bool
        One field a line, as in a file of its own, or all in one line, as in a table.

    Returns
    -------
    str
        Ends with a newline. Numbers come back from it exactly, ``nan`` and infinities too.

    Raises
    ------
    ValueError
        If :func:`loads` would refuse it.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> import json
    >>> record = sl.lab.training.train(sl.lab.training.Run("plain", 2, epochs=1, images=100))
    >>> json.loads(sl.lab.records.dumps(record))["run"]["kind"]
    'plain'
    """
    _check(record)
    entries = {"name": name(record.run)} | _plain(record) | {"run": _canonical(record.run)}
    if not lines:
        return json.dumps(entries, separators=(",", ":")) + "\n"
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(entry)}" for key, entry in entries.items()) + "\n}\n"


def loads(text: str) -> Record:
    """The record that :func:`dumps` wrote.

    Parameters
    ----------
    text : str
        JSON.

    Returns
    -------
    Record
        Equal to the one written.

    Raises
    ------
    ValueError
        If a field is missing, unknown or of the wrong type; if the name is not that of the configuration; if there is
        not one loss and one accuracy in [0, 1] for each epoch (or, with a target, for each test, the last of which
        alone may reach it); or if the provenance is incomplete.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> record = sl.lab.training.train(sl.lab.training.Run("plain", 2, epochs=1, images=100))
    >>> sl.lab.records.loads(sl.lab.records.dumps(record)) == record
    True
    """
    try:
        entries = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply for a record") from error
    if not isinstance(entries, dict):
        raise ValueError("a JSON object is needed")
    named = entries.pop("name", None)
    record: Record = _typed(entries, Record, "record")
    _check(record)
    if named != name(record.run):
        raise ValueError(f"name={named!r}: the name of this configuration is {name(record.run)!r}")
    return record


def _check(record: Record) -> None:
    """What the types do not say."""
    _check_curves(record)
    _check_within([record.seconds], "seconds", math.inf)
    _check_provenance(record.machine, "machine", PROVENANCE)
    if record.start.cosines and not record.run.cosines:
        raise ValueError(f"start.cosines has {len(record.start.cosines)} entries, but run.cosines=False keeps none")
    if record.start.correlation:
        _check_provenance(record.start.machine, "start.machine", (*PROVENANCE, "precision"))


def _check_curves(record: Record) -> None:
    tests, what = record.run.epochs, "epochs"
    if record.run.target is not None:
        tests, what = len(record.losses), "tests"
        if any(accuracy >= record.run.target for accuracy in record.accuracies[:-1]):
            raise ValueError(f"accuracies: the run went on where it had reached target={record.run.target}")
    for field in ("losses", "accuracies", "train_accuracies", "batch_accuracies"):
        found = getattr(record, field)
        if len(found) != tests and (found or field in ("losses", "accuracies")):  # the others may not be measured
            raise ValueError(f"{field} has {len(found)} entries, the run {tests} {what}")
        if field != "losses":
            _check_within(found, field, 1)
    if record.batch_accuracies and not record.run.batch_norm:
        raise ValueError(f"batch_accuracies has {len(record.batch_accuracies)} entries, but run.batch_norm=False")


def _check_provenance(machine: dict[str, str], field: str, keys: Iterable[str]) -> None:
    missing = [key for key in keys if not machine.get(key)]
    if missing:
        raise ValueError(f"{field} says nothing of {', '.join(missing)}")


def _check_within(numbers: Iterable[float], field: str, most: float) -> None:
    for number in numbers:
        if not (0 <= number <= most and math.isfinite(number)):
            raise ValueError(f"{field}: {number} is not between 0 and {most}")


def _canonical(run: Run) -> dict[str, Any]:
    """A configuration as JSON holds it, each number written the one way that its field's type asks."""
    written = {}
    for field, hint in _hints(type(run)).items():
        value = getattr(run, field)
        kind: Any = next((kind for kind in (int, float) if kind in (hint, *get_args(hint))), None)
        if kind and isinstance(value, Real) and math.isfinite(value) and kind(value) == value:
            value = kind(value) + 0  # -0.0 becomes 0.0
        written[field] = _plain(_typed(value, hint, f"run.{field}"))
    return written


def _hints(kind: type) -> dict[str, Any]:
    """Types of the fields of a dataclass."""
    hints = _annotations(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@cache
def _annotations(kind: type) -> dict[str, Any]:
    """The same for each of thousands of records."""
    return get_type_hints(kind)


def _plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _typed(value: Any, hint: Any, field: str) -> Any:
    """The value of type ``hint`` that :func:`_plain` wrote; the type decides how it is read."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and isinstance(value, dict):
        hints = _hints(hint)
        if value.keys() != hints.keys():
            raise ValueError(f"{field}: missing or unknown: {', '.join(sorted(value.keys() ^ hints.keys()))}")
        return hint(**{key: _typed(each, hints[key], f"{field}.{key}") for key, each in value.items()})
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(each, arguments[0], field) for each in value)
    if origin is dict and isinstance(value, dict):
        return {key: _typed(each, arguments[1], f"{field}.{key}") for key, each in value.items()}
    if origin in (Union, UnionType) and (value is not None or type(None) in arguments):
        return None if value is None else _typed(value, arguments[0], field)
    if hint is float and (value in UNBOUNDED or type(value) in (int, float)):
        return float(value)
    if (origin is Literal and value in arguments) or type(value) is hint:  # True is an int, but no number of layers
        return value
    raise ValueError(f"{field}={value!r}: {hint.__name__ if isinstance(hint, type) else hint} is needed")


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON: write it as a string")
