"""The claim ledger: every labelled statement of the book, with the check that could prove it wrong.

Written to ``book/claim-ledger.md`` from ``book/claims.yml`` and the chapters by ``python -m tools.ledger``; with
``--check`` nothing is written, and a page that is not fresh is an error. A statement with neither check nor reason,
and a name that leads nowhere, is an error in both.
"""

import argparse
import ast
import pkgutil
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import yaml

from tools.site import ROOT, pages

CLAIMS = ("theorem", "lemma", "proposition", "corollary", "observation")
OTHERS = ("definition", "assumption", "remark")
STATUSES = ("proved here", "checked", "holds only under ", "fails outside ", "recorded run")
PAGE = "claim-ledger"
FIELDS = {"label", "paper", "function", "check", "mutations", "status", "reason"}
STATEMENT = re.compile(
    rf"^\s*(?:`{{3,}}|:{{3,}}){{prf:(?P<kind>{'|'.join(CLAIMS + OTHERS)})(?:-start)?}}[ ]*(?P<title>.*)\n"
    r"(?P<options>(?:\s*:\w+:.*\n)*)",
    re.MULTILINE,
)
LABEL = re.compile(r":label: +(\S+)")

INTRODUCTION = """\
% Made by `make book` from claims.yml and the chapters. Edit those.

# Claim ledger

Every statement that this book makes and numbers: what the paper calls it, its standing, the function that computes it,
and the check that would stop the build if a prediction of it were far from the truth, or the reason why it has none.
*Proved here* means that its chapter has a proof; what is derived and not proved says so. A check that cannot fail shows
nothing: the tests make mistakes on purpose, and each mistake named here must turn the check red.
"""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A ``prf`` box of a chapter."""

    label: str | None
    kind: str
    title: str
    chapter: str


@dataclass(frozen=True)
class Book:
    """What a ledger is about: the statements, the cells that check them, and the mutations of the tests."""

    titles: dict[str, str]  # of the chapters, in reading order
    statements: list[Statement]
    checks: dict[str, list[str]]  # tag -> sources of the code cells that carry it
    mutations: set[str]


def read_claims(root: Path) -> list[dict[str, Any]]:
    """The entries of ``root/book/claims.yml``."""
    return yaml.safe_load((root / "book" / "claims.yml").read_text()) or []


def read_book(root: Path) -> Book:
    """Read the chapters in ``root/book`` and the mutations in ``root/tests/book/mutations``."""
    titles: dict[str, str] = {}
    statements: list[Statement] = []
    checks: dict[str, list[str]] = {}
    for chapter in [root / "book" / f"{name}.md" for name in pages(root) if name != PAGE]:
        titles[chapter.name], *_ = re.findall(r"^# (.+)", chapter.read_text(), re.MULTILINE)
        for cell in jupytext.read(chapter, fmt="md:myst").cells:
            if cell.cell_type == "code":
                for tag in cell.metadata.get("tags", []):
                    checks.setdefault(tag, []).append(cell.source)
                continue
            for box in STATEMENT.finditer(cell.source):
                label = LABEL.search(box["options"])
                statements.append(
                    Statement(
                        label=label and label[1], kind=box["kind"], title=box["title"].strip(), chapter=chapter.name
                    )
                )
    mistakes = [ast.parse(file.read_text()) for file in (root / "tests" / "book" / "mutations").glob("*.py")]
    return Book(
        titles,
        statements,
        checks,
        {node.name for tree in mistakes for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)},
    )


def calls_that_can_fail(sources: list[str]) -> list[str]:
    """The functions of ``sl.checks`` that code cells call; each raises when prediction and measurement disagree."""
    trees = [node for source in sources for node in ast.walk(ast.parse(source))]
    names = {ast.unparse(node.func) for node in trees if isinstance(node, ast.Call)}
    return sorted(names & {"sl.checks.agrees", "sl.checks.holds"})


def exists(function: str) -> bool:
    """Whether a dotted name leads to something that can be imported."""
    try:
        pkgutil.resolve_name(function)
    except (AttributeError, ImportError, ValueError):
        return False
    return True


def faults_of_claim(claim: dict[str, Any], book: Book) -> list[str]:
    """What is wrong with one entry of ``claims.yml``."""
    faults = [f"unknown field {field!r}" for field in sorted(claim.keys() - FIELDS)]
    faults += [f"no {field!r}" for field in ("paper", "status") if not claim.get(field)]
    if claim.get("label") not in {statement.label for statement in book.statements}:
        faults.append("no chapter has a statement with this label")
    if claim.get("status") and not claim["status"].startswith(STATUSES):
        faults.append(f"status {claim['status']!r} must begin with one of {', '.join(STATUSES)}")
    if claim.get("function") and not exists(claim["function"]):
        faults.append(f"function {claim['function']} does not exist")
    faults += [
        f"tests/book/mutations has no mutation {name}"
        for name in claim.get("mutations") or []
        if name not in book.mutations
    ]
    check = claim.get("check")
    if not check and not claim.get("reason"):
        faults.append("neither check nor reason")
    if check and check not in book.checks:
        faults.append(f"no code cell has the tag {check}")
    elif check and not calls_that_can_fail(book.checks[check]):
        faults.append(f"the cell with the tag {check} calls nothing of sl.checks, so it cannot fail")
    if check and not claim.get("mutations"):
        faults.append("a check without a mutation that turns it red")
    return [f"claims.yml, {claim.get('label')}: {fault}" for fault in faults]


def faults(claims: list[dict[str, Any]], book: Book) -> list[str]:
    """Everything that is wrong with the ledger; nothing if it is complete."""
    listed = Counter(claim["label"] for claim in claims if claim.get("label"))
    found = [fault for claim in claims for fault in faults_of_claim(claim, book)]
    found += [f"claims.yml, {label}: listed twice" for label, count in sorted(listed.items()) if count > 1]
    for statement in book.statements:
        if statement.label is None:
            found.append(f"{statement.chapter}: a {statement.kind} without a label ({statement.title or 'no title'})")
        elif statement.kind in CLAIMS and statement.label not in listed:
            found.append(f"{statement.chapter}, {statement.label}: a {statement.kind} that claims.yml does not list")
    return found


def reference(statement: Statement) -> str:
    """A link to a statement, in the words of MyST."""
    return f"{{prf:ref}}`{statement.label}`" + (f" ({statement.title})" if statement.title else "")


def entry(claim: dict[str, Any], statement: Statement, book: Book) -> str:
    """One statement of the ledger, as an item of a list."""
    paper = f"In the paper: {claim['paper']}. " if claim["paper"] != "—" else "Not in the paper. "
    parts = [f"{reference(statement)}. {paper}Status: {claim['status']}."]
    if claim.get("function"):
        parts.append(f"Computed by `{claim['function'].removeprefix('shattered_lite.')}`.")
    if claim.get("check"):
        calls = ", ".join(f"`{name}`" for name in calls_that_can_fail(book.checks[claim["check"]]))
        mistakes = ", ".join(name.replace("_", " ") for name in claim["mutations"])
        parts.append(f"Checked by {calls}; red under: {mistakes}.")
    else:
        parts.append(f"No check: {claim['reason'].rstrip('.')}.")
    return "- " + "\n  ".join(parts)


def groups(claims: list[dict[str, Any]], book: Book) -> dict[str, dict[str, list[Statement]]]:
    """The statements by their standing, and by what the paper calls them: a tab of groups each."""
    by_label = {claim["label"]: claim for claim in claims}
    boxes = [box for box in book.statements if box.label in by_label]
    of_status = {
        (start + "…" if start.endswith(" ") else start): [
            box for box in boxes if by_label[box.label]["status"].startswith(start)
        ]
        for start in STATUSES
    }
    of_paper: dict[str, list[Statement]] = {}
    parts = {box.label: by_label[box.label]["paper"].split(" (")[0] for box in boxes}
    for name in sorted(set(parts.values()), key=lambda paper: (paper == "—", paper)):
        title = "not in the paper" if name == "—" else name
        of_paper[title] = [box for box in boxes if parts[box.label] == name]
    return {"By status": of_status, "By what the paper calls it": of_paper}


def tabs(claims: list[dict[str, Any]], book: Book) -> str:
    """A way to find a statement: a tab for each order, a fold for each group."""
    lines = ["## Find a statement", "", "The list below has the order of the chapters.", "", "::::::{tab-set}"]
    for tab, found in groups(claims, book).items():
        lines += [f":::::{{tab-item}} {tab}"]
        for title, boxes in found.items():
            if boxes:
                lines += [f"::::{{dropdown}} {title} ({len(boxes)})"]
                lines += [f"- {reference(box)}, {{doc}}`{box.chapter.removesuffix('.md')}`" for box in boxes]
                lines += ["::::"]
        lines += [":::::"]
    return "\n".join([*lines, "::::::", ""])


def page(claims: list[dict[str, Any]], book: Book) -> str:
    """The ledger as a page of the book. Sphinx puts in the numbers and the links."""
    by_label = {claim["label"]: claim for claim in claims}
    blocks = [INTRODUCTION, tabs(claims, book)]
    for chapter, title in book.titles.items():
        boxes = [box for box in book.statements if box.chapter == chapter and box.label in by_label]
        if boxes:
            blocks += [
                f"## {{doc}}`{title} <{chapter.removesuffix('.md')}>`\n",
                *(entry(by_label[box.label], box, book) for box in boxes),
                "",
            ]
    rest = [f"- {reference(box)}" for box in book.statements if box.label not in by_label]
    if rest:
        heading = "## Definitions, assumptions and remarks\n\nThese have no checks of their own.\n"
        blocks += [heading, *rest, ""]
    return "\n".join(blocks)


def main() -> None:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the page is not fresh")
    only_check = parser.parse_args().check
    ledger = ROOT / "book" / f"{PAGE}.md"
    claims, book = read_claims(ROOT), read_book(ROOT)
    if found := faults(claims, book):
        sys.exit("\n".join(found))
    fresh = page(claims, book)
    if not only_check:
        ledger.write_text(fresh)
    elif not ledger.exists() or ledger.read_text() != fresh:
        sys.exit("book/claim-ledger.md is not fresh: run `make notebooks`, then commit it.")


if __name__ == "__main__":
    main()
