"""Grade a folder of submissions."""

from __future__ import annotations

import argparse

from ... import exercises


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("assignment", choices=sorted(exercises.ASSIGNMENTS), help="which assignment it is")
    parser.add_argument("folder", help="of the submissions, at any depth; it is left as it is")
    parser.add_argument("--table", metavar="FILE.csv", default="grades.csv", help="to write; it must not exist")
    parser.add_argument("--seconds", type=float, default=60, help="what a cell may take; the whole, five times as long")


def grade(options: argparse.Namespace) -> None:
    """A line for each submission as soon as it is known; the rest stands in the table."""
    rows = exercises.grade(options.assignment, options.folder, options.table, seconds=options.seconds)
    for row in rows:
        print(f"{row['submission']}: {row['checked']} of {row['out of']}  {row['notes']}", flush=True)
    print(f"{options.table} holds the table. What is marked by hand has an empty place there.")
