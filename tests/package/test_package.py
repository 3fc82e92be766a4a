"""The house rules: who may import whom, no state, documented, small, and usable without the book's tools."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import types
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch

import shattered_lite as sl

PACKAGE = Path(sl.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(path.read_text()) for path in FILES}
# A room may use those before it, never those after it.
ORDER = [
    "theory", "structure", "checks", "plots", "networks", "initializers", "sampling", "_measuring", "_judging",
    "diagnosis",
    "lab/data", "lab/training", "lab/sweep", "lab/records", "lab/grids", "exercises", "lab/cli",
]  # fmt: skip
ALONE = {"theory", "structure", "checks", "plots"}  # know none of each other
GROUND = {"_arguments", "_autograd", "_files", "_modules"}  # what knows no room, and serves several


def room(name: str) -> str:
    """The room that a file or a name in it belongs to; the wing ``lab`` has rooms of its own."""
    return "/".join(name.split("/")[: 2 if name.startswith("lab/") else 1])


# Of a folder, every file by its own; the doors of the package and of its wing lead everywhere.
RULES = [name for name in TREES if (room(name) in ORDER or name[0] != "_") and name != "lab/__init__"]
HIDDEN = {"_measuring", "_judging", "lab/cli"}  # two back rooms, and a command
MODULES = [name for name in ORDER if name in {room(rule) for rule in RULES} - HIDDEN]


def module(name: str) -> types.ModuleType:
    return importlib.import_module(f"shattered_lite.{name.replace('/', '.')}")


def rooms_imported(name: str, tree: ast.AST) -> set[str]:
    """Rooms of the package that a file imports, by any of the ways to write it; not its own."""
    found: set[str] = set()
    for node in ast.walk(tree):
        targets = []
        if isinstance(node, ast.ImportFrom):
            above = ["shattered_lite", *name.split("/")][: -node.level] if node.level else []
            source = [*above, *(node.module or "").split(".")] if node.module else above
            targets = [[*source, alias.name] for alias in node.names]
        elif isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        found |= {room("/".join(target[1:])) for target in targets if target[0] == "shattered_lite"}
    return found - {room(name)}


def own_imports(name: str) -> set[str]:
    return rooms_imported(name, TREES[name])


@pytest.mark.parametrize(
    ("line", "rooms"),
    [
        ("from ... import checks, theory", {"checks", "theory"}),
        ("from ...theory._skips import residual", {"theory"}),
        ("from .. import grids", {"lab/grids"}),
        ("from ..data import Split", {"lab/data"}),
        ("from ._loop import Training", set()),
        ("from . import _loop", set()),
        ("import shattered_lite.lab.sweep", {"lab/sweep"}),
        ("import shattered_lite as sl", {""}),
        ("from shattered_lite.lab import cli", {"lab/cli"}),
        ("from shattered_lite import plots", {"plots"}),
        ("import torch", set()),
    ],
)
def test_every_way_to_import_a_room_is_seen(line: str, rooms: set[str]) -> None:
    assert rooms_imported("lab/training/_train", ast.parse(line)) == rooms


def foreign_imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("name", RULES)
def test_imports_run_one_way(name: str) -> None:
    assert room(name) in ORDER, f"{name} has no place in the order of the rooms"
    allowed = set() if room(name) in ALONE else set(ORDER[: ORDER.index(room(name))])
    assert own_imports(name) <= allowed | GROUND


@pytest.mark.parametrize("name", [name for name in TREES if room(name) in GROUND])
def test_the_ground_knows_no_room(name: str) -> None:
    assert own_imports(name) == set()


def test_theory_needs_no_simulation() -> None:
    for name in RULES:
        foreign = foreign_imports(TREES[name])
        assert room(name) != "theory" or foreign <= {
            "__future__",
            "collections",
            "functools",
            "typing",
            "math",
            "numpy",
            "scipy",
        }
        assert room(name) == "plots" or not foreign & {"matplotlib", "seaborn"}, name


def assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [name.id for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)]


REMEMBERED = {"AGREED"}  # what the checks of this process found: a notebook's last cell compares all of them


@pytest.mark.parametrize("name", TREES)
def test_no_module_level_state(name: str) -> None:
    """At module level only constants, types and __all__; and no function writes to them, but for what is remembered."""
    stores = ast.Assign | ast.AnnAssign | ast.AugAssign
    names = {each for node in TREES[name].body if isinstance(node, stores) for each in assigned(node)}
    for each in names:
        is_type = each[0].isupper() and not each.isupper()
        assert each.isupper() or is_type or each in ("__all__", "__version__"), each
    for function in ast.walk(TREES[name]):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            assert not isinstance(node, ast.Global), f"{function.name} declares a global"
            if isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
                targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
                roots = [inner for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
                assert not (names - REMEMBERED) & {root.id for root in roots}, f"{function.name} writes to a constant"


@pytest.mark.parametrize("name", TREES)
def test_seeds_are_set_only_where_a_configuration_states_one(name: str) -> None:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Attribute) and node.attr in ("manual_seed", "seed_all", "default_rng"):
            # the samplers seed each chunk's generator with what the caller's generator draws
            assert room(name) in ("lab/training", "lab/cli", "sampling"), f"{name}, line {node.lineno}"


def public_functions(room: types.ModuleType) -> list:
    return [
        thing
        for name, thing in vars(room).items()
        if inspect.isfunction(thing) and not name.startswith("_") and thing.__module__.startswith(room.__name__)
    ]


def public_classes(room: types.ModuleType) -> list:
    return [
        thing
        for name, thing in vars(room).items()
        if inspect.isclass(thing) and not name.startswith("_") and thing.__module__.startswith(room.__name__)
    ]


FUNCTIONS = [function for name in MODULES for function in public_functions(module(name))] + [sl.glue]
MATHEMATICS = {"theory", "initializers", "sampling", "structure", "checks"}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: f"{function.__module__}.{function.__name__}")
def test_public_functions_say_what_they_take_give_and_refuse(function) -> None:
    text, signature = inspect.getdoc(function) or "", inspect.signature(function)
    assert text.split("\n")[0].strip()
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)))
    titles = ("Parameters", "Returns", "Raises", "References")
    sections = {title: f"{title}\n{'-' * len(title)}" in text for title in titles}
    if signature.parameters:
        assert sections["Parameters"]
        described = text.split("Parameters\n")[1].split("\n\n")[0]
        for parameter in signature.parameters:
            assert parameter in described, f"{parameter} is not described"
    if signature.return_annotation not in ("None", None):
        assert sections["Returns"]
    if any(isinstance(node, ast.Raise) and node.exc for node in ast.walk(tree)):  # not what is only passed on
        assert sections["Raises"]
    if function.__module__.split(".")[1] in MATHEMATICS:
        assert sections["References"]
    assert inspect.Signature.empty not in {each.annotation for each in signature.parameters.values()}
    assert signature.return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", MODULES)
def test_modules_and_classes_are_described(name: str) -> None:
    described = module(name)
    assert described.__doc__
    for thing in public_classes(described):
        assert thing.__doc__
        assert not thing.__doc__.startswith(f"{thing.__name__}(")


def private_words(text: str) -> list[str]:
    """Private names in prose: neither in a formula nor marked as code."""
    return re.findall(r"(?<!\w)_[a-z]\w*", re.sub(r"\$[^$]+\$|`+[^`]+`+", "", text))


def test_private_words_are_seen() -> None:
    assert private_words("The _arguments, not ``_these``, `_those`, $x_i$, $_a$, he_ or _.") == ["_arguments"]


@pytest.mark.parametrize("name", TREES)
def test_docstrings_speak_of_nothing_private(name: str) -> None:
    """As a renaming that goes by words alone would have them do."""
    described = (ast.Module, ast.ClassDef, ast.FunctionDef)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(TREES[name]) if isinstance(node, described)]
    assert private_words("\n".join(texts)) == []


DOOR = [
    "sample_gradients", "sample_activations", "input_gradients", "CReLU", "looks_linear_", "orthogonal_", "he_",
    "diagnose",
]  # fmt: skip


def test_what_a_user_calls_first_stands_on_the_door() -> None:
    rooms = {name.split("/")[0] for name in RULES if name[0] != "_"}
    assert sl.__all__[: len(DOOR)] == DOOR
    assert set(sl.__all__) == {*DOOR, *rooms, "glue", "__version__"}
    assert dir(sl) == sorted(sl.__all__)
    for name in DOOR:
        [here] = {getattr(sl, room) for room in rooms if hasattr(getattr(sl, room), name)}
        assert getattr(sl, name) is getattr(here, name)


@pytest.mark.parametrize("name", ["lab", *MODULES])
def test_a_room_shows_its_public_names_and_nothing_else(name: str) -> None:
    opened = module(name)
    written = {thing.__name__ for thing in [*public_functions(opened), *public_classes(opened)]}
    assert dir(opened) == sorted(opened.__all__)
    assert written <= {*opened.__all__, "__dir__"}
    assert all(hasattr(opened, each) for each in opened.__all__)


@pytest.mark.parametrize("name", sorted({path.parent.relative_to(PACKAGE).as_posix() for path in FILES} - {"."}))
def test_a_folder_is_a_face_before_underscored_files(name: str) -> None:
    """Its ``__init__`` imports, and says what it shows; whatever computes stands in a file of its own."""
    face, *files = sorted((PACKAGE / name).glob("*.py"))
    assert all(path.name.startswith("_") for path in files)
    docstring, *body, shown = ast.parse(face.read_text()).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(shown, ast.FunctionDef)
    assert shown.name == "__dir__"
    assert all(isinstance(node, ast.ImportFrom) or assigned(node) == ["__all__"] for node in body)


def test_a_name_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'shattered_lite' has no attribute 'modles'"):
        getattr(sl, "mod" + "les")


def output(code: str, *arguments: str) -> str:
    """What a fresh Python prints."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


HEAVY = ("sklearn", "scipy.stats", "matplotlib.pyplot", "seaborn", "pandas")


LOADED = f"print(*(name for name in {HEAVY} if name in sys.modules))"


def test_importing_it_loads_nothing_heavy_until_a_room_needs_it() -> None:
    at_once, later = output(
        f"import sys, shattered_lite as sl; {LOADED}; sl.plots, sl.exercises; {LOADED}"
    ).splitlines()
    assert at_once == ""
    assert {"scipy.stats", "matplotlib.pyplot", "seaborn"} <= set(later.split())


EACH_ROOM_FIRST = """
import sys
for name in sys.argv[1:]:
    for way in (f"import shattered_lite as sl; room = sl.{name}", f"from shattered_lite import {name} as room"):
        for loaded in [each for each in sys.modules if each.split(".")[0] == "shattered_lite"]:
            del sys.modules[loaded]
        found = {}
        exec(way, found)
        print(found["room"].__name__)
"""


def test_each_room_is_there_when_nobody_has_asked_before() -> None:
    """By attribute and by name, each time as if Python had just started."""
    rooms = [name for name in sl.__all__ if isinstance(getattr(sl, name), types.ModuleType)]
    assert output(EACH_ROOM_FIRST, *rooms).split() == [f"shattered_lite.{name}" for name in rooms for _ in range(2)]


def test_it_knows_its_version_installed_or_not() -> None:
    assert sl.__version__ == metadata.version("shattered-lite")
    code = (
        "from importlib import metadata\n"
        "def missing(name): raise metadata.PackageNotFoundError(name)\n"
        "metadata.version = missing\n"
        "import shattered_lite; print(shattered_lite.__version__)"
    )
    assert output(code) == "0+source\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_holds_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def lines(paths: Iterable[Path]) -> int:
    """Lines that are neither blank nor a comment: docstrings count, since somebody must read them."""
    written = [line.strip() for path in paths for line in path.read_text().splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in written)


def test_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text('"""Says\n\nmuch."""\n\n# a comment\nx = [\n    1,\n]\n')
    assert lines([tmp_path / "x.py"]) == 5


GRADING = [
    "__init__",
    "_assignments",
    "_check",
    "_collect",
    "_exercise",
    "_grade",
    "_silent",
    "_submission",
    "_verdict",
]


def test_the_package_stays_small() -> None:
    """Each wing by itself; to raise a number is a decision. Answers to exercises grow with the chapters of the book."""
    wings: dict[str, list[Path]] = {}
    for path in FILES:
        folder = path.relative_to(PACKAGE).parts[0]
        apart = folder in ("lab", "exercises", "_measuring", "_judging", "diagnosis")
        wings.setdefault(folder if apart else "helper", []).append(path)
    assert lines(wings["helper"]) <= 5_370
    assert lines(wings["_measuring"]) <= 960
    assert lines(wings["_judging"]) <= 550
    assert lines(wings["diagnosis"]) <= 400
    assert lines(wings["lab"]) <= 3_100
    assert max(lines([path]) for path in wings["exercises"]) <= 120
    assert lines(PACKAGE / "exercises" / f"{name}.py" for name in GRADING) <= 600


ALONE_IN_COLAB = """
import sys
blocked = ("myst_nb", "jupyter", "jupytext", "nbformat", "nbclient", "sphinx", "IPython", "ipykernel", "distributed")
class Missing:
    def find_spec(self, name, *_):
        if name.split(".")[0].startswith(blocked):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
import shattered_lite as sl
sl.glue("answer", 42)
"""


def test_it_works_without_the_books_tools() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE_IN_COLAB], capture_output=True, text=True, cwd=PACKAGE.parent, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "answer = 42\n"


def test_importing_it_changes_nothing_global() -> None:
    code = (
        "import torch, numpy as np, matplotlib; torch.set_num_threads(3); "
        "before = torch.get_rng_state(), str(np.random.get_state()), "
        "dict(matplotlib.rcParams), torch.get_default_dtype(), torch.get_num_threads(); import shattered_lite; "
        "after = torch.get_rng_state(), str(np.random.get_state()), dict(matplotlib.rcParams), "
        "torch.get_default_dtype(), torch.get_num_threads(); "
        "print(torch.equal(before[0], after[0]) and before[1:] == after[1:])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    assert done.stdout == "True\n"


def test_glue_prints_outside_the_book(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, "myst_nb", None)  # what a missing package looks like to an import
    sl.glue("correlation", 0.25)
    assert capsys.readouterr().out == "correlation = 0.25\n"


def test_glue_hands_over_inside_the_book(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    pasted = []
    book = types.ModuleType("myst_nb")
    book.glue = lambda name, value, display: pasted.append((name, value, display))
    monkeypatch.setitem(sys.modules, "myst_nb", book)
    sl.glue("correlation", 0.25)
    assert pasted == [("correlation", 0.25, False)]
    assert capsys.readouterr().out == ""


def test_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert isinstance(sl.theory.plain(1).correlation, np.ndarray | np.float64)
    assert isinstance(sl.structure.correlation(torch.ones(2, 2, 1)), torch.Tensor)
