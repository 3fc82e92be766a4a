"""Do many tasks, each of them once."""

from __future__ import annotations

import math
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, as_completed
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock
from tqdm import tqdm

from ..._files import set_aside, write_atomically
from ._executors import local_processes

Work = Callable[[Any, Path], str]
IsRecord = Callable[[Any, str], bool]
Order = tuple[Work, IsRecord, Any, Path]  # how, what is its record, what, and where to
PATIENCE = 5  # attempts in a row that may end without a new record


class Unfinished(RuntimeError):
    """Some tasks of a sweep have no record yet; its text says how many, and why.

    Examples
    --------
    >>> try:
    ...     sl.lab.sweep.run({"two": 2}, print, Path("squares"), is_record=print, minutes=0)
    ... except sl.lab.sweep.Unfinished as reason:
    ...     print(str(reason).split(".")[0])
    1 of 1 tasks are left: the time is over
    """


def run(
    tasks: Mapping[str, Any],
    work: Work,
    folder: Path,
    open_executor: Callable[[], AbstractContextManager[Executor]] = local_processes,
    *,
    is_record: IsRecord,
    minutes: float | None = None,
) -> None:
    """Do every task that has no record in a folder yet.

    A task that raises an error is not tried again, and the others go on. A lost worker or scheduler costs only the
    steps since the last checkpoint: what was lost is started again, on a newly opened executor.

    Parameters
    ----------
    tasks : mapping from str to any
        Configurations by name, the most valuable first.
    work : callable
        Takes a configuration and the path of its checkpoint, which it may write (to another name, then renamed) and
        continue from; returns the text of the record. It, ``is_record`` and the configurations must be picklable.
    folder : Path
        Gets a record ``<name>.json`` a task. All workers must see it.
    open_executor : callable
        Gives a context manager of an executor, which any executor is; :func:`local_processes`, :func:`dask_cluster`.
    is_record : callable
        Takes a configuration and a text, and says whether the text is the whole record of that configuration. A file
        that is not is set aside as ``<name>.json.damaged<number>``, with a warning, and its task is done again.
    minutes : float, optional
        Nothing new is started after so many, and local work is stopped.

    Raises
    ------
    ValueError
        If ``minutes`` is negative or not a number.
    Unfinished
        If a task failed, the time is over, or workers are lost again and again.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> def square(number, checkpoint):
    ...     return str(number**2)
    >>> def is_square(number, text):
    ...     return text == str(number**2)
    >>> sl.lab.sweep.run({"two": 2, "three": 3}, square, Path("squares"), ThreadPoolExecutor, is_record=is_square)
    >>> Path("squares", "three.json").read_text()
    '9'
    """
    places = {name: folder.resolve() / f"{name}.json" for name in tasks}
    if minutes is not None and not minutes >= 0:
        raise ValueError(f"minutes={minutes}: a number, 0 or more, is needed")
    ends = math.inf if minutes is None else time.monotonic() + 60 * minutes
    failed: dict[str, str] = {}
    lost: BaseException | None = None
    fruitless = 0

    def is_done(name: str) -> bool:
        return _is_done(is_record, tasks[name], places[name])

    left = [name for name in tasks if not is_done(name)]
    with tqdm(total=len(tasks), initial=len(tasks) - len(left), desc="sweep", disable=None) as bar:
        while left and fruitless < PATIENCE and time.monotonic() < ends:
            orders = {name: (work, is_record, tasks[name], places[name]) for name in left}
            lost = _attempt(orders, open_executor, ends, failed, bar)
            left = [name for name in left if name not in failed and not is_done(name)]
            fruitless = fruitless + 1 if len(left) == len(orders) else 0
            bar.n = len(tasks) - len(left)
            bar.refresh()
    for name in filter(is_done, tasks):
        _tidy(places[name])  # after a worker that was killed just before it did this
    _report(len(tasks), left, failed, "the time is over" if time.monotonic() >= ends else repr(lost))


def complete(work: Work, is_record: IsRecord, configuration: Any, record: Path) -> None:
    """Do one task, unless its record is there: what a worker does, and what :func:`run` does many times.

    The record appears whole or not at all. Of several workers with the same task, one works and the others wait.

    Parameters
    ----------
    work, is_record, configuration
        As in :func:`run`.
    record : Path
        File to write, last of all. A lock and a folder ``<name>.unfinished``, with the checkpoint, lie beside it
        until then.

    Raises
    ------
    ValueError
        If the work returns what is no record of its configuration.
    OSError
        If there is no room for it.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> square, is_square = lambda n, checkpoint: str(n**2), lambda n, text: text == str(n**2)
    >>> sl.lab.sweep.complete(square, is_square, 3, Path("three.json"))
    >>> Path("three.json").read_text()
    '9'
    """
    place = record.with_suffix(".unfinished")
    record.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(record.with_suffix(".lock")):  # the operating system opens it when its holder dies
        if not _is_done(is_record, configuration, record):
            if record.exists():
                aside = set_aside(record).name
                warnings.warn(f"{record}: not the record of this task; it is set aside as {aside}", stacklevel=2)
            place.mkdir(exist_ok=True)
            text = work(configuration, place / "checkpoint.pt")
            if not is_record(configuration, text):
                raise ValueError(f"{record}: what the work returned is not the record of its task")
            write_atomically(record, text.encode())
        _tidy(record)


def _is_done(is_record: IsRecord, configuration: Any, record: Path) -> bool:
    try:
        return is_record(configuration, record.read_bytes().decode())
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def _tidy(record: Path) -> None:
    """Remove what lies beside a record; the lock too, for whoever takes a new one finds the record."""
    shutil.rmtree(record.with_suffix(".unfinished"), ignore_errors=True)
    record.with_suffix(".lock").unlink(missing_ok=True)


def _attempt(
    orders: Mapping[str, Order],
    open_executor: Callable[[], AbstractContextManager[Executor]],
    ends: float,
    failed: dict[str, str],
    bar: tqdm,
) -> BaseException | None:
    """Start each task once; enter those that fail, and return what befell the last of those that were lost."""
    lost: BaseException | None = None
    try:
        with open_executor() as executor, _ended_by_any_error(executor):
            names = {executor.submit(_carry_out, *order): name for name, order in orders.items()}
            for future in as_completed(names, None if ends == math.inf else max(0, ends - time.monotonic())):
                outcome = _outcome(future, orders[names[future]])
                if isinstance(outcome, BaseException):
                    lost = outcome
                    continue
                if outcome:
                    failed[names[future]] = outcome
                bar.update()
    except (ImportError, ValueError):  # no executor, and there never will be
        raise
    except Exception as error:  # it broke, or the time is over
        lost = error
    return lost


@contextmanager
def _ended_by_any_error(executor: Executor) -> Iterator[None]:
    """Wait for nothing that is still to come, where something went wrong."""
    try:
        yield
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise


def _outcome(future: Future[str], order: Order) -> str | BaseException:
    """Why a task failed, empty if it did not; or what befell it, if it was lost with its worker."""
    if future.cancelled():
        return CancelledError("the task was cancelled")
    if (error := future.exception()) is not None:
        return error
    if not (reason := future.result()) and not _is_done(*order[1:]):
        return FileNotFoundError("a worker wrote its record elsewhere: it must see the same folder")
    return reason


def _carry_out(work: Work, is_record: IsRecord, configuration: Any, record: Path) -> str:
    """Why a task failed, as a value, for an exception means that its worker was lost; empty if it did not fail."""
    try:
        complete(work, is_record, configuration, record)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _report(total: int, left: list[str], failed: Mapping[str, str], why: str) -> None:
    """Raise one error for all that has no record."""
    problems = []
    if left:
        problems.append(f"{len(left)} of {total} tasks are left: {why}.")
    if failed:
        first = "; ".join(f"{name}: {reason}" for name, reason in list(failed.items())[:3])
        problems.append(f"{len(failed)} of {total} tasks failed, the first with {first}.")
    if problems:
        raise Unfinished(" ".join([*problems, "Records and checkpoints are kept, and the same call continues."]))
