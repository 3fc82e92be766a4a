"""Chapters are executed again when anything that decides their result has changed, and never when nothing has."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyter_cache import get_cache
from nbformat.v4 import new_output

from tools import execute
from tools.headers import HEADER

PROSE = "A first word."
CODE = "print(1 + 1)"


def write(root: Path, page: str, prose: str = PROSE, code: str = CODE, options: str = "") -> None:
    cell = f"```{{code-cell}} python3\n{options}{code}\n```\n"
    (root / "book" / f"{page}.md").write_text(f"{HEADER}\n# Title\n\n{prose}\n\n{cell}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A book of two chapters, its package and its lock."""
    for folder in ("book", "shattered_lite"):
        (tmp_path / folder).mkdir()
    (tmp_path / "_toc.yml").write_text("root: a\nparts: [{chapters: [{file: b}]}]\n")
    (tmp_path / "requirements.lock").write_text("torch==1\n")
    (tmp_path / "shattered_lite" / "__init__.py").write_text("answer = 2\n")
    for page in ("a", "b"):
        write(tmp_path, page)
    return tmp_path


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The chapters that were executed, by a kernel that only says so."""
    chapters: list[str] = []

    def pretend(notebook, home):
        chapters.append(home.name)
        for cell in execute.code_cells(notebook):
            cell.outputs = [new_output("stream", text=f"run {len(chapters)}\n")]
        return execute.Result(notebook, 1.0, 2.0)

    monkeypatch.setattr(execute, "execute", pretend)
    return chapters


def printed(root: Path, page: str) -> str:
    """What the build finds for a page, in the cache of the build, matched as MyST-NB matches it."""
    cache = get_cache(str(root / "_build" / ".jupyter_cache"))
    _, notebook = cache.merge_match_into_notebook(execute.read_chapter(root / "book" / f"{page}.md"))
    return "".join(output["text"] for cell in execute.code_cells(notebook) for output in cell.outputs)


def run_times(root: Path) -> dict[str, dict[str, float]]:
    return json.loads((root / "_build" / "run-times.json").read_text())


def run(root: Path, *pages: str) -> None:
    shutil.rmtree(root / "_build", ignore_errors=True)
    execute.main([*pages], root)


def test_nothing_is_executed_twice(root, executed):
    run(root)
    assert sorted(executed) == ["a", "b"]
    first, times = printed(root, "a"), run_times(root)
    run(root)
    assert len(executed) == 2
    assert printed(root, "a") == first
    assert run_times(root) == times
    assert times["a"] == {"seconds": 1.0, "processor_seconds": 2.0}


@pytest.mark.parametrize(
    "change", [{"prose": "Another word."}, {"options": ":tags: [hide-input]\n\n"}, {"options": ":name: x\n\n"}]
)
def test_prose_and_captions_execute_nothing(root, executed, change):
    run(root)
    first = printed(root, "b")
    write(root, "b", **change)
    run(root)
    assert len(executed) == 2
    assert printed(root, "b") == first


@pytest.mark.parametrize("change", [{"code": "print(1 + 2)"}, {"options": ":tags: [raises-exception]\n\n"}])
def test_a_changed_cell_executes_its_chapter(root, executed, change):
    run(root)
    write(root, "b", **change)
    run(root)
    assert executed[2:] == ["b"]
    assert printed(root, "b") == "run 3\n"


@pytest.mark.parametrize(
    "file", ["shattered_lite/__init__.py", "shattered_lite/lab/records/new.jsonl", "requirements.lock"]
)
def test_a_change_of_package_or_lock_executes_all(root, executed, file):
    run(root)
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text("another = 3\n")
    run(root)
    assert sorted(executed[2:]) == ["a", "b"]


def test_a_file_that_moves_within_the_package_executes_all(root, executed):
    run(root)
    (root / "shattered_lite" / "__init__.py").rename(root / "shattered_lite" / "other.py")
    run(root)
    assert sorted(executed[2:]) == ["a", "b"]


@pytest.mark.parametrize(
    ("where", "what", "value"),
    [
        (execute.sys, "version", "3.99"),
        (execute.platform, "platform", lambda: "another machine"),
        (execute, "FIXED", {"OMP_NUM_THREADS": "2"}),
        (execute, "SECONDS_PER_CELL", 1),
        (execute.importlib.metadata, "distributions", lambda: []),
    ],
)
def test_another_python_machine_or_setting_executes_all(root, executed, monkeypatch, where, what, value):
    run(root)
    monkeypatch.setattr(where, what, value)
    run(root)
    assert sorted(executed[2:]) == ["a", "b"]


def test_another_version_of_what_is_installed_executes_all(root, executed, monkeypatch):
    for version in ("1", "2"):
        installed = [SimpleNamespace(name="torch", version=version)]
        monkeypatch.setattr(execute.importlib.metadata, "distributions", lambda installed=installed: installed)
        run(root)
    assert sorted(executed) == ["a", "a", "b", "b"]


def test_one_chapter_alone(root, executed):
    run(root, "b")
    assert executed == ["b"]
    assert list(run_times(root)) == ["b"]


def test_a_page_without_code_executes_nothing(root, executed):
    (root / "book" / "b.md").write_text("# Title\n\nWords.\n")
    run(root, "b")
    assert executed == []
    assert run_times(root) == {}


def test_an_unknown_page_is_refused(root, capsys):
    with pytest.raises(SystemExit):
        run(root, "c")
    assert "page: c; choose among a, b" in capsys.readouterr().err


def test_the_results_used_longest_ago_are_dropped(root, executed):
    def state(number: int) -> None:
        write(root, "b", code=f"print({number})")
        run(root, "b")
        for file in (root / ".executed").glob("*.ipynb"):  # a second older, for clocks are coarse
            os.utime(file, ns=(0, file.stat().st_mtime_ns - 10**9))

    run(root, "a")
    for number in [*range(execute.KEPT), 0, execute.KEPT]:  # 0 is used again, so 1 is the oldest
        state(number)
    assert len(list((root / ".executed").glob("b.*.ipynb"))) == execute.KEPT
    assert len(list((root / ".executed").glob("a.*.ipynb"))) == 1
    for number in (0, execute.KEPT, 2):
        state(number)
    assert len(executed) == 1 + execute.KEPT + 1
    state(1)
    assert len(executed) == 1 + execute.KEPT + 2


# With a real kernel


def test_outputs_and_times_are_those_of_the_run(root):
    write(root, "a", code="print(sum(range(10**6)))")
    run(root, "a")
    assert printed(root, "a") == "499999500000\n"
    times = run_times(root)["a"]
    assert times["processor_seconds"] > 0
    assert times["seconds"] > 0


def test_a_failing_chapter_fails_each_time(root):
    write(root, "b", code="print('before')\nassert False, 'the claim is wrong'")
    for _ in range(2):
        with pytest.raises(SystemExit, match=r"(?s)b cannot be executed.*the claim is wrong"):
            run(root)
    assert not list((root / ".executed").glob("b.*.ipynb"))
    assert not (root / "_build" / ".jupyter_cache").exists()


def test_a_changed_package_is_noticed(root):
    """The trap: a cache that knows the notebook alone prints the old answer, and its check stays green."""
    code = f"import sys\nsys.path.insert(0, {str(root)!r})\nimport shattered_lite\nassert shattered_lite.answer == 2"
    write(root, "a", code=code)
    run(root, "a")
    changed = root / "shattered_lite" / "__init__.py"
    changed.write_text("answer = 3\n")
    seconds = changed.stat().st_mtime + 2  # Python tells sources apart by size and second; a fast machine needs less
    os.utime(changed, (seconds, seconds))
    with pytest.raises(SystemExit, match="AssertionError"):
        run(root, "a")


def test_a_kernel_finds_nothing_of_an_earlier_run(root):
    for number in range(2):
        code = f"import os\nprint({number}, os.path.exists('left'))\nopen('left', 'w').close()"
        write(root, "a", code=code)
        run(root, "a")
        assert printed(root, "a") == f"{number} False\n"


def test_a_kernel_sees_nothing_that_no_key_holds(root, monkeypatch):
    monkeypatch.setenv("SHATTERED_DATA", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    code = "import json, os\nprint(json.dumps([dict(os.environ), os.listdir('.'), os.listdir(os.environ['HOME'])]))"
    write(root, "a", code=code)
    run(root, "a")
    environment, here, home = json.loads(printed(root, "a"))
    assert "/elsewhere" not in environment.values()
    of_jupyter = {"PYDEVD_USE_FRAME_EVAL", "JPY_PARENT_PID", "JPY_SESSION_NAME", "CLICOLOR", "CLICOLOR_FORCE"}
    of_jupyter |= {"FORCE_COLOR", "TERM", "PAGER", "GIT_PAGER", "MPLBACKEND", "IPY_INTERRUPT_EVENT", "LC_CTYPE"}
    assert environment.keys() - of_jupyter == execute.FIXED.keys() | {"PATH", "HOME"}
    assert [name for name in here + home if not name.startswith(".")] == []
