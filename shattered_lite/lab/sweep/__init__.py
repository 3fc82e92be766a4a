"""Many pieces of work on any ``concurrent.futures.Executor``: killed anywhere, it resumes and repeats nothing.

A piece of work is done when its record, read and found to be its own, lies in the folder. Whatever dies (a worker, the
scheduler, the sweep itself), the same call continues: it starts what has no record, and a checkpoint carries on what
was running.
"""

from ._executors import dask_cluster, local_processes
from ._run import Unfinished, complete, run

__all__ = ["Unfinished", "complete", "dask_cluster", "local_processes", "run"]


def __dir__() -> list[str]:
    return sorted(__all__)
