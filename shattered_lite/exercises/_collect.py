"""Inside the process of a submission: keep its answers as they come, and let it do no harm by mistake.

This is no prison. It stops a submission from writing outside its own folder, from starting programs and from using the
network as Python does these things; whoever wants to break out can.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ._assignments import ASSIGNMENTS
from ._check import EXERCISES
from ._verdict import values

NO_NETWORK = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
NO_PROGRAMS = {"os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}
CHANGES = {  # with the arguments that name what is changed
    "os.chmod": (0,), "os.chown": (0,), "os.link": (1,), "os.mkdir": (0,), "os.remove": (0,), "os.rename": (0, 1),
    "os.rmdir": (0,), "os.symlink": (1,), "os.truncate": (0,), "shutil.move": (0, 1), "shutil.rmtree": (0,),
}  # fmt: skip
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
MOST_MEMORY, MOST_IN_A_FILE = 8 * 2**30, 2**28


class Answers:
    """Answers by name: of those that a submission gave, the last; what is reset or emptied later is not lost."""

    def __init__(self, assignment: str) -> None:
        self.tasks = {task.answer: EXERCISES[task.exercise] for task in ASSIGNMENTS[assignment].tasks}
        self.kept: dict[str, Any] = {}

    def look(self, namespace: dict[str, Any]) -> None:
        """Keep what is there now."""
        self.kept |= {name: namespace[name] for name in self.tasks if namespace.get(name) is not None}

    def write(self, name: str, file: str) -> None:
        """Write the values of one answer, or why it has none."""
        found: dict[str, Any] = {}
        if name in self.kept:
            try:
                found["values"] = values(self.tasks[name], self.kept[name])
            except Exception as error:  # whatever a student's function raises
                found["fault"] = f"{type(error).__name__}: {error}"
        Path(file).write_text(json.dumps(found))


def begin(assignment: str) -> None:
    """Watch this notebook from here on. Its answers are found again at ``get_ipython().answers``."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    shell.answers = Answers(assignment)
    shell.events.register("post_run_cell", lambda _: shell.answers.look(shell.user_ns))
    limit()
    sys.addaudithook(guard(Path.cwd().resolve()))


def limit() -> None:
    """No submission fills the memory or the disk, where the system can prevent it."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_IN_A_FILE, MOST_IN_A_FILE))
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


def guard(home: Path) -> Callable[[str, tuple[Any, ...]], None]:
    """What Python asks before each of these things; an error is a no."""

    def outside(paths: Iterable[Any]) -> bool:
        names = [os.fsdecode(path) for path in paths if isinstance(path, str | bytes | os.PathLike)]
        return any(name != os.devnull and not Path(os.path.realpath(name)).is_relative_to(home) for name in names)

    def ask(event: str, arguments: tuple[Any, ...]) -> None:
        if event in NO_NETWORK or event in NO_PROGRAMS:
            raise PermissionError(f"{event}: a submission has no network and starts no programs")
        writes = event == "open" and arguments[2] & WRITES and outside(arguments[:1])
        if writes or (event in CHANGES and outside(arguments[place] for place in CHANGES[event])):
            raise PermissionError(f"{arguments[0]}: a submission changes nothing outside its own folder")

    return ask
