"""Where a sweep works: processes of this machine that live and die with it, or the workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

RESULT_SECONDS = 60  # after which a finished task whose result does not come counts as lost


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

    Raises
    ------
    ValueError
        If there is to be no process.

    References
    ----------
    Used in the chapter *Training very deep networks*.

    Examples
    --------
    >>> with sl.lab.sweep.local_processes(1) as executor:
    ...     print(executor.submit(abs, -3).result())
    3
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers}: a whole number, 1 or more, is needed")
    others = multiprocessing.active_children()
    pool = _DeafProcesses(workers, multiprocessing.get_context("spawn"), _follow_parent)
    with pool:
        try:
            yield pool
        except BaseException:
            for process in multiprocessing.active_children():
                if process not in others:
                    process.kill()
            raise


class _DeafProcesses(ProcessPoolExecutor):
    """Processes that hear no Ctrl-C, which is their parent's affair, from their first moment on.

    They start where work is handed in, and inherit what is blocked there.
    """

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        if not hasattr(signal, "pthread_sigmask"):  # only POSIX has it
            return super().submit(function, *arguments, **options)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(function, *arguments, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


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

    Examples
    --------
    >>> with sl.lab.sweep.dask_cluster("tcp://host:8786") as executor:  # doctest: +SKIP
    ...     print(executor.submit(abs, -3).result())
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

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        outcome: Future[Any] = Future()

        def settle(task: Any) -> None:
            if outcome.set_running_or_notify_cancel():
                try:
                    outcome.set_result(task.result(timeout=RESULT_SECONDS))
                except BaseException as error:
                    outcome.set_exception(error)

        self.client.submit(function, *arguments, pure=False, **options).add_done_callback(settle)
        return outcome


def _follow_parent() -> None:
    """Leave Ctrl-C to the parent process, and end when it does, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
