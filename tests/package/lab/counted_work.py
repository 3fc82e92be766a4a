"""A slow task that writes down every step it takes, for sweeps that are disturbed while they run."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from shattered_lite.lab import sweep


def count(task: dict[str, Any], checkpoint: Path) -> str:
    """Mix ``task["steps"]`` numbers, each step saved; the text depends on the task alone."""
    note(task, "start")
    done, total = json.loads(checkpoint.read_text()) if checkpoint.exists() else (0, task["seed"])
    while done < task["steps"]:
        time.sleep(task["pause"])
        if done == task.get("fails_at"):
            raise ArithmeticError(f"step {done} of {task['name']} failed")
        done, total = done + 1, (6364136223846793005 * total + done) % 2**64
        beside = checkpoint.with_name(f"{checkpoint.name}.{os.getpid()}")
        beside.write_text(json.dumps([done, total]))
        beside.replace(checkpoint)
        note(task, "step", done)
    note(task, "end")
    return json.dumps({"name": task["name"], "total": total}) + "\n"


def is_count(task: dict[str, Any], text: str) -> bool:
    """Whether a text is the record of a task, which says whose it is."""
    return text.endswith("}\n") and json.loads(text)["name"] == task["name"]


def note(task: dict[str, Any], *words: object) -> None:
    """Append a line at once, whoever else does."""
    with Path(task["log"]).open("ab", buffering=0) as log:
        log.write(" ".join(map(str, [task["name"], *words, "\n"])).encode())


def tasks(log: Path, count: int, steps: int, pause: float = 0.01) -> dict[str, dict[str, Any]]:
    return {
        f"task{seed:03}": {"name": f"task{seed:03}", "log": str(log), "seed": seed, "steps": steps, "pause": pause}
        for seed in range(count)
    }


def main(folder: str, log: str, number: str, steps: str, where: str, minutes: str = "inf") -> None:
    """A sweep as a process of its own, which a test can kill."""

    def open_executor():
        return sweep.dask_cluster(where) if "://" in where else sweep.local_processes(int(where))

    every = tasks(Path(log), int(number), int(steps))
    sweep.run(every, count, Path(folder), open_executor, is_record=is_count, minutes=float(minutes))
