"""Many pieces of work on any ``concurrent.futures.Executor``: killed anywhere, it resumes and repeats nothing.

A piece of work is done when its record lies in the folder. Whatever dies (a worker, the scheduler, the sweep itself),
the same call continues: it starts what has no record, and a checkpoint carries on what was running.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock
from tqdm import tqdm

Work = Callable[[Any, Path], str]
RESULT_SECONDS = 60  # after which a finished task whose result does not come counts as lost
PATIENCE = 5  # attempts in a row that may end without a new record


class Unfinished(RuntimeError):
    """Some tasks of a sweep have no record yet; its text says how many, and why."""


@contextmanager
def local_processes(workers: int | None = None) -> Iterator[Executor]:
    """Processes of this machine, killed when the sweep stops, and ending by themselves when it is killed.

    Parameters
    ----------
    workers : int, optional
        Their number; one a core by default.

    Returns
    -------
    context manager of Executor
        Open it with ``with``.

    References
    ----------
    Used in the chapter *Training very deep networks*.
    """
    others = multiprocessing.active_children()
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _follow_parent)
    with pool:
        try:
            yield pool
        except BaseException:
            for process in multiprocessing.active_children():
                if process not in others:
                    process.kill()
            raise


@contextmanager
def dask_cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster, which need one thread each and a folder that they share with this machine.

    Parameters
    ----------
    address : str
        Of the scheduler: ``"tcp://host:8786"``.

    Returns
    -------
    context manager of Executor
        Open it with ``with``.

    Raises
    ------
    ImportError
        If Dask is not installed.

    References
    ----------
    Rocklin (2015). Used in the chapter *Training very deep networks*.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError('a cluster needs Dask: pip install "shattered_lite[cluster]"') from error
    with Client(address, set_as_default=False) as client:
        yield _DaskExecutor(client)


class _DaskExecutor(Executor):
    """Dask's own executor, but with an end to every future.

    A result that is on its way when the scheduler dies leaves a future of ``Client.get_executor()`` pending for ever.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future:
        outcome: Future = Future()

        def settle(task: Any) -> None:
            if outcome.set_running_or_notify_cancel():
                try:
                    outcome.set_result(task.result(timeout=RESULT_SECONDS))
                except BaseException as error:
                    outcome.set_exception(error)

        self.client.submit(function, *arguments, pure=False, **options).add_done_callback(settle)
        return outcome


def run(
    tasks: Mapping[str, Any],
    work: Work,
    folder: Path,
    open_executor: Callable[[], AbstractContextManager[Executor]] = local_processes,
    *,
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
        continue from; returns the text of the record. It and the configurations must be picklable.
    folder : Path
        Gets a record ``<name>.json`` a task. All workers must see it.
    open_executor : callable
        Gives a context manager of an executor, which any executor is; :func:`local_processes`, :func:`dask_cluster`.
    minutes : float, optional
        Nothing new is started after so many, and local work is stopped.

    Raises
    ------
    Unfinished
        If a task failed, the time is over, or workers are lost again and again.

    References
    ----------
    Used in the chapter *Training very deep networks*.
    """
    places = {name: folder.resolve() / f"{name}.json" for name in tasks}
    ends = math.inf if minutes is None else time.monotonic() + 60 * minutes
    failed: dict[str, str] = {}
    lost: BaseException | None = None
    fruitless = 0
    left = [name for name in tasks if not places[name].exists()]
    with tqdm(total=len(tasks), initial=len(tasks) - len(left), desc="sweep", disable=None) as bar:
        while left and fruitless < PATIENCE and time.monotonic() < ends:
            orders = {name: (work, tasks[name], places[name]) for name in left}
            lost = _attempt(orders, open_executor, ends, failed, bar)
            left = [name for name in left if name not in failed and not places[name].exists()]
            fruitless = fruitless + 1 if len(left) == len(orders) else 0
            bar.n = len(tasks) - len(left)
            bar.refresh()
    for record in filter(Path.exists, places.values()):
        _tidy(record)  # after a worker that was killed just before it did this
    _report(len(tasks), left, failed, "the time is over" if time.monotonic() >= ends else repr(lost))


def complete(work: Work, configuration: Any, record: Path) -> None:
    """Do one task, unless its record is there: what a worker does, and what :func:`run` does many times.

    The record appears whole or not at all. Of several workers with the same task, one works and the others wait.

    Parameters
    ----------
    work, configuration
        As in :func:`run`.
    record : Path
        File to write, last of all. A lock and a folder ``<name>.unfinished``, with the checkpoint, lie beside it
        until then.

    References
    ----------
    Used in the chapter *Training very deep networks*.
    """
    place = record.with_suffix(".unfinished")
    record.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(record.with_suffix(".lock")):  # the operating system opens it when its holder dies
        if not record.exists():
            place.mkdir(exist_ok=True)
            text = work(configuration, place / "checkpoint.pt")
            with (place / record.name).open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            (place / record.name).replace(record)
        _tidy(record)


def _tidy(record: Path) -> None:
    """Remove what lies beside a record; the lock too, for whoever takes a new one finds the record."""
    shutil.rmtree(record.with_suffix(".unfinished"), ignore_errors=True)
    record.with_suffix(".lock").unlink(missing_ok=True)


def _attempt(
    orders: Mapping[str, tuple[Work, Any, Path]],
    open_executor: Callable[[], AbstractContextManager[Executor]],
    ends: float,
    failed: dict[str, str],
    bar: tqdm,
) -> BaseException | None:
    """Start each task once; enter those that fail, and return what befell the last of those that were lost."""
    names: dict[Future[str], str] = {}
    lost: BaseException | None = None
    try:
        with open_executor() as executor:
            try:
                for name, order in orders.items():
                    names[executor.submit(_carry_out, *order)] = name
                for future in as_completed(names, None if ends == math.inf else max(0, ends - time.monotonic())):
                    loss = CancelledError("the task was cancelled") if future.cancelled() else future.exception()
                    if loss is None and (reason := future.result()):
                        failed[names[future]] = reason
                    elif loss is None and not orders[names[future]][2].exists():
                        loss = FileNotFoundError("a worker wrote its record elsewhere: it must see the same folder")
                    lost = loss or lost
                    bar.update(loss is None)
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise
    except (ImportError, ValueError):  # no executor, and there never will be
        raise
    except Exception as error:  # it broke, or the time is over
        lost = error
    return lost


def _carry_out(work: Work, configuration: Any, record: Path) -> str:
    """Why a task failed, as a value, for an exception means that its worker was lost; empty if it did not fail."""
    try:
        complete(work, configuration, record)
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


def _follow_parent() -> None:
    """Leave Ctrl-C to the parent process, and end when it does, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
