"""Train one network, make every run of a grid, report what is recorded; what each other command takes."""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ..._files import set_aside
from .. import grids, records, sweep, training
from . import _grade, _network, _report

EXAMPLES = """examples:
  python -m shattered_lite train --kind plain --depth 6
  python -m shattered_lite train --kind crelu --depth 50 --initializer looks_linear --record deep.json
  python -m shattered_lite sweep digits --folder runs
  python -m shattered_lite report runs --grid digits --plot digits.png
  python -m shattered_lite sweep figure_6 --folder runs --device cuda --workers 8 --minutes 25
  python -m shattered_lite sweep figure_6 --folder runs --scheduler tcp://host:8786
  python -m shattered_lite fold runs figure_6.jsonl
  python -m shattered_lite diagnose models:resnet --input 3,32,32
  python -m shattered_lite grade theory submissions --table marks.csv

Whatever is interrupted continues when the same command is given again."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0; 1 if a sweep is unfinished, or something is wrong with a network; 2 if something asked for cannot be; 130
        after Ctrl-C.

    References
    ----------
    Used in the chapter *Training very deep networks*.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.carry_out(options) or 0
    except (ImportError, OSError, ValueError) as error:
        status, message = 2, str(error)
    except sweep.Unfinished as error:
        status, message = 1, str(error)
    except KeyboardInterrupt:
        status, message = 130, "Stopped. The same command continues."
    print(f"{parser.prog}: {message}", file=sys.stderr)
    return status


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults, and the examples as they are."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m shattered_lite", None, __doc__, EXAMPLES, formatter_class=_Help)
    parser.add_argument("--version", action="version", version=f"shattered_lite {version('shattered_lite')}")
    commands = parser.add_subparsers(required=True, metavar="train | sweep | report | fold | diagnose | grade")
    train, grid, report, fold, network, submissions = (
        commands.add_parser(name, help=text, description=text, epilog=EXAMPLES, formatter_class=_Help)
        for name, text in (
            ("train", "Train one network, and record the run."),
            ("sweep", "Make every run of a grid that has no record yet."),
            ("report", "Print what is recorded, as a table in Markdown."),
            ("fold", "Put the records of a folder into one file, a line each; what it holds already stays."),
            ("diagnose", "Say whether a network can train as it starts, and what to change if not."),
            ("grade", "Run the submissions of an assignment, and write what their answers are worth into a table."),
        )
    )
    _add_configuration(train)
    train.add_argument("--record", metavar="FILE.json", help="where to; None prints it")
    train.set_defaults(carry_out=_train)

    grid.add_argument("grid", choices=sorted(grids.GRIDS), help="name of the grid")
    grid.add_argument("--folder", required=True, default=argparse.SUPPRESS, help="of the records")
    grid.add_argument("--minutes", type=float, help="stop after so many; None goes on to the end")
    where = grid.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="processes on this machine; None is one a core")
    where.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="of a Dask cluster, to work there")
    grid.set_defaults(carry_out=_sweep)
    for command in (train, grid):
        command.add_argument("--device", default="cpu", help="to train on, as PyTorch names it")

    report.add_argument("records", help="folder of records, or file that `fold` made of one")
    report.add_argument("--grid", choices=sorted(grids.GRIDS), help="say what is missing of this grid")
    report.add_argument("--plot", metavar="FILE", help="draw accuracy against depth into a .png, .svg or .pdf file too")
    report.set_defaults(carry_out=_describe)

    fold.add_argument("folder", help="of the records; it is left as it is")
    fold.add_argument("table", metavar="TABLE.jsonl", help="file to put them into, made if there is none")
    fold.set_defaults(carry_out=_fold)

    _network.add_options(network)
    network.set_defaults(carry_out=_network.diagnose)

    _grade.add_options(submissions)
    submissions.set_defaults(carry_out=_grade.grade)
    return parser


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    """An option for each field of a configuration, described as beside the field."""
    hints = get_type_hints(training.Run, include_extras=True)
    for field in dataclasses.fields(training.Run):
        (hint, text), required = get_args(hints[field.name]), field.default is dataclasses.MISSING
        settings: dict[str, Any] = {"help": text, "required": required}
        settings["default"] = argparse.SUPPRESS if required else field.default
        options = [option for option in get_args(hint) if option is not NoneType]
        if hint is bool:
            settings["action"] = argparse.BooleanOptionalAction
        elif get_origin(hint) is Literal:
            settings["choices"] = options
        else:
            settings["type"] = options[0] if options else hint
        parser.add_argument(f"--{field.name.replace('_', '-')}", **settings)


def _work(run: training.Run, checkpoint: Path | None, device: str) -> str:
    training.prepare_worker()
    return records.dumps(training.train(run, checkpoint=checkpoint, device=device))


def _is_record(run: training.Run, text: str) -> bool:
    try:
        return records.loads(text).run == run
    except ValueError:
        return False


def _train(options: argparse.Namespace) -> None:
    run = training.Run(**{field.name: getattr(options, field.name) for field in dataclasses.fields(training.Run)})
    training.find_device(options.device)
    if options.record is None:
        print(_work(run, None, options.device), end="")
        return
    record = Path(options.record)
    if record.suffix != ".json":
        raise ValueError(f"record={options.record!r}: a name that ends in .json is needed")
    if record.exists() and not _is_record(run, record.read_text(encoding="utf-8", errors="replace")):
        raise ValueError(f"record={options.record!r}: holds no record of this run; choose another name, or remove it")
    sweep.complete(partial(_work, device=options.device), _is_record, run, record)


def _sweep(options: argparse.Namespace) -> None:
    """Stage by stage: records may decide which runs a grid names next."""
    started = time.monotonic()
    if options.workers is not None and options.workers < 1:
        raise ValueError(f"workers={options.workers}: a whole number, 1 or more, is needed")
    if options.minutes is not None and not options.minutes >= 0:
        raise ValueError(f"minutes={options.minutes}: a number, 0 or more, is needed")
    executor: Any = partial(sweep.local_processes, options.workers)
    if options.scheduler:
        executor = partial(sweep.dask_cluster, options.scheduler)
    else:  # the machines of a cluster may have another
        training.find_device(options.device)
    folder = _folder(options)
    folder.mkdir(parents=True, exist_ok=True)
    work, done = partial(_work, device=options.device), set[str]()
    while not (tasks := {records.name(run): run for run in _planned(options.grid, folder)}).keys() <= done:
        left = None if options.minutes is None else max(0, options.minutes - (time.monotonic() - started) / 60)
        sweep.run(tasks, work, folder, executor, is_record=_is_record, minutes=left)
        done |= tasks.keys()


def _planned(grid: str, folder: Path) -> list[training.Run]:
    """The runs that a grid names, once what only looks like a record is out of its way."""
    for file in folder.glob("*.json"):
        with suppress(FileNotFoundError):  # another sweep was faster
            if re.fullmatch("[0-9a-f]{16}", file.stem) and (fault := _fault(file)):
                aside = set_aside(file).name
                warnings.warn(f"{file}: no record ({fault}); it is set aside as {aside}", stacklevel=2)
    return grids.GRIDS[grid](records.read(folder))


def _fault(file: Path) -> str | None:
    """Why a file is no record, whatever its name."""
    try:
        records.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        return str(error)
    return None


def _folder(options: argparse.Namespace) -> Path:
    if not options.folder:
        raise ValueError("folder='': a folder is needed; the current one is .")
    folder = Path(options.folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"folder={options.folder!r}: a folder is needed, and this is a file")
    return folder


def _describe(options: argparse.Namespace) -> None:
    if not options.records:
        raise ValueError("records='': a folder or a file is needed; the current folder is .")
    path = Path(options.records)
    if not path.exists():
        command = f"python -m shattered_lite sweep {options.grid or 'digits'} --folder {options.records}"
        raise ValueError(f"records={options.records!r}: it does not exist; {command} makes it")
    found = records.read(path)
    if options.plot is not None:
        _report.draw(found, Path(options.plot))
    print(_report.table(found, grids.GRIDS[options.grid](found) if options.grid else ()))


def _fold(options: argparse.Namespace) -> None:
    held = records.fold(_folder(options), Path(options.table))
    print(f"{options.table} holds {len(held)} records.")
