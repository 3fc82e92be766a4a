"""Whatever is killed, a sweep ends complete, with the records of an undisturbed one and no step taken twice."""

from __future__ import annotations

import errno
import json
import math
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from counted_work import count, is_count, tasks

from shattered_lite.lab import sweep

TESTS = Path(__file__).parent
run = partial(sweep.run, is_record=is_count)
DISTURBED = "import sys, counted_work; counted_work.main(*sys.argv[1:])"


def expected(every: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The records, by the plainest loop."""
    texts = {}
    for name, task in every.items():
        total = task["seed"]
        for step in range(task["steps"]):
            total = (6364136223846793005 * total + step) % 2**64
        texts[name] = json.dumps({"name": name, "total": total}) + "\n"
    return texts


def recorded(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text() for file in folder.iterdir() if file.name.endswith(".json")}


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def assert_complete(folder: Path, every: dict[str, dict[str, Any]]) -> None:
    """All records right, nothing else left, and no step taken twice.

    A step is saved before it is noted, so that a step noted twice was taken again after it had been saved.
    """
    assert recorded(folder) == expected(every)
    assert len(list(folder.iterdir())) == len(every)
    steps = Counter(line for line in lines(folder.parent / "log") if " step " in line)
    assert [step for step, times in steps.items() if times > 1] == []


def until(condition: Callable[[], Any], seconds: float = 90) -> None:
    """Wait until it holds; far longer than needed, so that only a hang fails."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.02)


def alone(folder: Path, when_imported: str = "") -> dict[str, str]:
    """For other processes: a package with the sweep alone, which knows no other room and is imported in no time."""
    package = folder / "shattered_lite"
    (package / "lab").mkdir(parents=True)
    (package / "__init__.py").write_text(when_imported)
    (package / "lab" / "__init__.py").touch()
    for name in ("lab/sweep", "_files.py"):
        (package / name).symlink_to(Path(sweep.__file__).parents[2] / name)
    return os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{TESTS}", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return alone(tmp_path_factory.mktemp("alone"))


class Processes:
    """Processes that a test starts, each the head of a group that ends with the test."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment, self.folder, self.started = environment, folder, []

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen:
        command = [sys.executable, *map(str, arguments)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
        process = subprocess.Popen(command, env=self.environment, cwd=self.folder, start_new_session=True, **quiet)
        self.started.append(process)
        return process

    def workers(self, *of: subprocess.Popen) -> list[psutil.Process]:
        """Those that carry out tasks."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            with suppress(ProcessLookupError):
                group, command = os.getpgid(process.pid), " ".join(process.info["cmdline"] or [])
                if group in [head.pid for head in of or self.started] and "spawn_main" in command:
                    found.append(process)
        return found

    def kill(self, *heads: subprocess.Popen) -> None:
        for head in heads or self.started:
            with suppress(ProcessLookupError):
                os.killpg(head.pid, signal.SIGKILL)
            head.wait()


class Cluster(Processes):
    """A Dask cluster of processes."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        super().__init__(environment, folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.open = partial(sweep.dask_cluster, self.address)
        self.schedulers: list[subprocess.Popen] = []

    def start_scheduler(self) -> None:
        place = ["--host", "127.0.0.1", "--port", self.port, "--no-dashboard"]
        self.schedulers.append(self.start("-m", "distributed.cli.dask_scheduler", *place))

    def start_workers(self) -> None:
        four = ["--nanny", "--nworkers", 4, "--nthreads", 1, "--memory-limit", 0]
        quiet = ["--no-dashboard", "--local-directory", self.folder]
        self.start("-m", "distributed.cli.dask_worker", self.address, *four, *quiet)


@pytest.fixture
def processes(environment: dict[str, str], tmp_path: Path) -> Iterator[Processes]:
    started = Processes(environment, tmp_path)
    yield started
    started.kill()


@pytest.fixture(scope="module")
def cluster(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(environment, tmp_path_factory.mktemp("cluster"))
    started.start_scheduler()
    started.start_workers()
    yield started
    started.kill()


def test_four_workers_do_a_hundred_tasks_once_each(cluster: Cluster, tmp_path: Path) -> None:
    every = tasks(tmp_path / "log", 100, steps=3)
    run(every, count, tmp_path / "records", cluster.open)
    assert_complete(tmp_path / "records", every)
    for word in ("start", "end"):
        assert sorted(line for line in lines(tmp_path / "log") if word in line) == [f"{name} {word} " for name in every]


def test_killed_workers_lose_nothing(cluster: Cluster, tmp_path: Path) -> None:
    every, log, killed = tasks(tmp_path / "log", 100, steps=20), tmp_path / "log", []
    choice = random.Random(0)

    def kill_now_and_then() -> None:
        for moment in sorted(choice.sample(range(1700), 6)):
            until(lambda moment=moment: len(lines(log)) > moment and cluster.workers())
            victim = choice.choice(cluster.workers())
            victim.kill()
            killed.append(victim.pid)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    run(every, count, tmp_path / "records", cluster.open)
    killer.join()
    assert len(killed) == 6
    assert_complete(tmp_path / "records", every)


def test_a_lost_scheduler_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    every, log = tasks(tmp_path / "log", 100, steps=10), tmp_path / "log"
    scheduler = cluster.schedulers[-1]

    def replace_scheduler() -> None:
        until(lambda: len(lines(log)) > 300)
        cluster.kill(scheduler)  # the workers go on with what they have begun
        cluster.start_scheduler()
        cluster.start_workers()

    disturbance = threading.Thread(target=replace_scheduler)
    disturbance.start()
    run(every, count, tmp_path / "records", cluster.open)
    disturbance.join()
    assert_complete(tmp_path / "records", every)


def test_a_killed_sweep_on_a_cluster_resumes(cluster: Cluster, tmp_path: Path) -> None:
    folder, log = tmp_path / "records", tmp_path / "log"
    every = tasks(log, 60, steps=20)
    first = cluster.start("-c", DISTURBED, folder, log, 60, 20, cluster.address)
    until(lambda: folder.exists() and len(recorded(folder)) >= 10)
    cluster.kill(first)
    done = set(recorded(folder))
    before = len(lines(log))
    run(every, count, folder, cluster.open)
    assert_complete(folder, every)
    assert len(done) < 60
    assert done & {line.split()[0] for line in lines(log)[before:] if " start" in line} == set()


def test_a_lost_process_loses_nothing(processes: Processes, tmp_path: Path) -> None:
    folder, log = tmp_path / "records", tmp_path / "log"
    every = tasks(log, 40, steps=10)
    running = processes.start("-c", DISTURBED, folder, log, 40, 10, 2)
    for moment in (50, 200):
        until(lambda moment=moment: len(lines(log)) > moment and processes.workers())
        processes.workers()[0].kill()
    assert running.wait(60) == 0
    assert_complete(folder, every)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_sweep_leaves_no_process_and_resumes(how: int, processes: Processes, tmp_path: Path) -> None:
    """Stopped with one process at work, and one that waits; the work is long, so that a busy machine is in time."""
    folder, log = tmp_path / "records", tmp_path / "log"
    every = tasks(log, 3, steps=600)
    running = processes.start("-c", DISTURBED, folder, log, 3, 600, 2, stderr=subprocess.PIPE, text=True)
    until(lambda: folder.exists() and len(recorded(folder)) == 2)
    if how == signal.SIGKILL:
        running.kill()
    else:
        os.killpg(running.pid, how)  # as Ctrl-C in a terminal does
    _, message = running.communicate(timeout=60)
    assert message.count("Traceback") == (how == signal.SIGINT), message
    until(lambda: not processes.workers(running))
    assert len(recorded(folder)) == 2
    run(every, count, folder, partial(ThreadPoolExecutor, 2))
    assert_complete(folder, every)


def test_ctrl_c_is_heard_by_the_sweep_alone(processes: Processes, tmp_path: Path) -> None:
    """A process that is still starting, which takes seconds where PyTorch is imported, hears it no more than later."""
    starting = tmp_path / "starting"
    slow = f"import os, pathlib, time; pathlib.Path('{starting}', str(os.getpid())).touch(); time.sleep(1)"
    processes.environment = alone(tmp_path, when_imported=slow)
    starting.mkdir()
    every, folder = tasks(tmp_path / "log", 3, steps=2), tmp_path / "records"
    piped = {"stderr": subprocess.PIPE, "text": True}
    running = processes.start("-c", DISTURBED, folder, tmp_path / "log", 3, 2, 2, **piped)
    until(lambda: len(list(starting.iterdir())) == 3)  # the sweep itself, and both of its processes
    for process in processes.workers(running):
        process.send_signal(signal.SIGINT)
    _, message = running.communicate(timeout=60)
    assert "Traceback" not in message
    assert_complete(folder, every)


def test_a_sweep_ends_with_its_time(processes: Processes, tmp_path: Path) -> None:
    """Six seconds of work for two processes, in two seconds."""
    folder, log = tmp_path / "records", tmp_path / "log"
    every = tasks(log, 12, steps=100)
    running = processes.start("-c", DISTURBED, folder, log, 12, 100, 2, 2 / 60, stderr=subprocess.PIPE, text=True)
    _, message = running.communicate(timeout=60)
    left = 12 - len(recorded(folder))
    assert left > 0
    assert f"{left} of 12 tasks are left: the time is over. Records" in message
    until(lambda: not processes.workers(running))
    run(every, count, folder, partial(ThreadPoolExecutor, 12))
    assert_complete(folder, every)


def test_a_task_that_fails_stops_no_other(tmp_path: Path) -> None:
    every = tasks(tmp_path / "log", 12, steps=3)
    for name in ("task003", "task007"):
        every[name]["fails_at"] = 2
    message = r"^2 of 12 tasks failed, the first with task003: ArithmeticError: step 2 of task003 failed; task007: "
    with pytest.raises(sweep.Unfinished, match=message):
        run(every, count, tmp_path / "records", partial(ThreadPoolExecutor, 1))
    assert recorded(tmp_path / "records").keys() == every.keys() - {"task003", "task007"}
    for task in every.values():
        task.pop("fails_at", None)
    run(every, count, tmp_path / "records", partial(ThreadPoolExecutor, 1))
    assert_complete(tmp_path / "records", every)


def test_tasks_start_in_their_order(tmp_path: Path) -> None:
    every = dict(reversed(tasks(tmp_path / "log", 10, steps=0).items()))
    run(every, count, tmp_path / "records", partial(ThreadPoolExecutor, 1))
    assert [line.split()[0] for line in lines(tmp_path / "log") if "start" in line] == list(every)


def test_two_sweeps_at_once_share_the_work(tmp_path: Path) -> None:
    every = tasks(tmp_path / "log", 20, steps=10)
    one = partial(run, every, count, tmp_path / "records", partial(ThreadPoolExecutor, 3))
    with ThreadPoolExecutor(2) as both:
        for future in [both.submit(one), both.submit(one)]:
            future.result()
    assert_complete(tmp_path / "records", every)


def test_what_a_killed_worker_left_is_no_record(tmp_path: Path) -> None:
    """Killed while it wrote its record, and another just before it removed its checkpoint."""
    every, folder = tasks(tmp_path / "log", 2, steps=2), tmp_path / "records"
    for name in every:
        (folder / f"{name}.unfinished").mkdir(parents=True)
    (folder / "task000.unfinished" / "task000.json").write_text('{"tot')
    (folder / "task001.unfinished" / "checkpoint.pt").touch()
    (folder / "task001.json").write_text(expected(every)["task001"])
    run(every, count, folder, partial(ThreadPoolExecutor, 2))
    assert_complete(folder, every)


DAMAGED = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "no text": lambda content: b"\xff" + content,
    "of another task": lambda content: content.replace(b"task001", b"task002"),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_file_that_is_not_the_record_of_its_task_is_set_aside(how: str, tmp_path: Path) -> None:
    every, folder = tasks(tmp_path / "log", 3, steps=2, pause=0), tmp_path / "records"
    run(every, count, folder, partial(ThreadPoolExecutor, 1))
    damaged = DAMAGED[how]((folder / "task001.json").read_bytes())
    for number in (1, 2):
        (folder / "task001.json").write_bytes(damaged)
        aside = f"task001.json.damaged{number}"
        with pytest.warns(UserWarning, match=rf"task001\.json: not the record of this task; .* set aside as {aside}"):
            run(every, count, folder, partial(ThreadPoolExecutor, 1))
        assert recorded(folder) == expected(every)
        assert (folder / aside).read_bytes() == damaged
    done = [line.split()[0] for line in lines(tmp_path / "log") if " end" in line]
    assert sorted(done) == ["task000", "task001", "task001", "task001", "task002"]


def test_work_that_returns_no_record_fails(tmp_path: Path) -> None:
    """Once, and is not tried for ever."""
    message = r"^2 of 2 tasks failed, .*task000\.json: what the work returned is not the record of its task"
    with pytest.raises(sweep.Unfinished, match=message):
        run(tasks(tmp_path / "log", 2, 1), lambda *_: '{"name": "x"}\n', tmp_path, partial(ThreadPoolExecutor, 1))
    assert recorded(tmp_path) == {}


class Breaking(Executor):
    """Does some tasks, then breaks, as an executor does whose worker has died."""

    def __init__(self, good: int) -> None:
        self.good = good

    def submit(self, function: Callable, /, *arguments: Any, **options: Any) -> Future:
        future: Future = Future()
        self.good -= 1
        if self.good >= 0:
            future.set_result(function(*arguments, **options))
        else:
            future.set_exception(BrokenExecutor("a worker died"))
        return future


def test_it_goes_on_while_there_is_progress(tmp_path: Path) -> None:
    every = tasks(tmp_path / "log", 20, steps=1, pause=0)
    run(every, count, tmp_path / "records", partial(Breaking, good=1))
    assert_complete(tmp_path / "records", every)


def test_it_gives_up_where_there_is_none(tmp_path: Path) -> None:
    every, opened = tasks(tmp_path / "log", 3, steps=1), []
    with pytest.raises(sweep.Unfinished, match=r"^3 of 3 tasks are left: .*a worker died.*the same call continues\.$"):
        run(every, count, tmp_path / "records", lambda: opened.append(1) or Breaking(good=0))
    assert len(opened) == sweep._run.PATIENCE


def test_a_scheduler_may_come_late(tmp_path: Path) -> None:
    every, refused = tasks(tmp_path / "log", 3, steps=1), [OSError("no scheduler there")] * 3

    def open_executor() -> Executor:
        if refused:
            raise refused.pop()
        return ThreadPoolExecutor(1)

    run(every, count, tmp_path / "records", open_executor)
    assert_complete(tmp_path / "records", every)


def test_a_folder_that_workers_do_not_share_is_named(tmp_path: Path) -> None:
    class Elsewhere(Breaking):
        def submit(self, *_: Any, **__: Any) -> Future:
            return super().submit(str)

    with pytest.raises(sweep.Unfinished, match="must see the same folder"):
        run(tasks(tmp_path / "log", 3, steps=1), count, tmp_path / "records", partial(Elsewhere, 99))


def test_a_missing_dask_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # what a missing package looks like to an import
    with pytest.raises(ImportError, match=re.escape('pip install "shattered_lite[cluster]"')):
        run(tasks(tmp_path / "log", 1, 1), count, tmp_path, partial(sweep.dask_cluster, "tcp://127.0.0.1:1"))


@pytest.mark.parametrize("minutes", [-1, math.nan])
def test_a_time_that_cannot_be_is_refused(minutes: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"minutes={minutes}: a number, 0 or more"):
        run(tasks(tmp_path / "log", 1, 1), count, tmp_path, partial(ThreadPoolExecutor, 1), minutes=minutes)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    every, folder = tasks(tmp_path / "log", 2, steps=1), tmp_path / "records"
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        message = r"2 of 2 tasks failed, .*not written: No space left on device: '.*task000\.json'"
        with pytest.raises(sweep.Unfinished, match=message):
            run(every, count, folder, partial(ThreadPoolExecutor, 1))
    assert recorded(folder) == {}
    run(every, count, folder, partial(ThreadPoolExecutor, 1))
    assert_complete(folder, every)


def test_a_number_of_workers_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workers=0: a whole number, 1 or more"):
        run(tasks(tmp_path / "log", 1, 1), count, tmp_path, partial(sweep.local_processes, 0))
