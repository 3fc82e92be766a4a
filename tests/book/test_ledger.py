"""The claim ledger: complete and fresh, and every way to leave a statement unchecked is seen."""

import pytest

from tools import ledger
from tools.site import ROOT

GOOD_CLAIM = {
    "label": "thm-x",
    "paper": "Theorem 1",
    "function": "shattered_lite.theory",
    "check": "claim-thm-x",
    "mutations": ["wrong_sign"],
    "status": "checked",
}


@pytest.fixture
def small_book(tmp_path):
    """A book of one chapter with one theorem and its check."""
    (tmp_path / "book").mkdir()
    (tmp_path / "tests" / "book" / "mutations").mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text("root: index\nparts: []\n")
    (tmp_path / "tests" / "book" / "mutations" / "plain.py").write_text("def wrong_sign(): ...\n")

    def write(box="```{prf:theorem} Title\n:label: thm-x\n\nText.\n```", code="sl.checks.agrees(x, 1)"):
        header = "---\njupytext: {text_representation: {extension: .md, format_name: myst}}\n"
        header += "kernelspec: {name: python3, display_name: Python 3}\n---\n\n"
        cell = f"```{{code-cell}} python3\n:tags: [claim-thm-x]\n\n{code}\n```\n"
        (tmp_path / "book" / "index.md").write_text(f"{header}# Title\n\n{box}\n\n{cell}")
        return ledger.read_book(tmp_path)

    return write


def test_complete_ledger_is_green(small_book):
    assert ledger.faults([GOOD_CLAIM], small_book()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"check": None}, "neither check nor reason"),
        ({"check": "claim-other"}, "no code cell has the tag claim-other"),
        ({"function": "shattered_lite.theory.no_such"}, "does not exist"),
        ({"mutations": ["no_such"]}, "no mutation no_such"),
        ({"mutations": []}, "without a mutation"),
        ({"label": "thm-other"}, "no chapter has a statement"),
        ({"status": "surely"}, "must begin with one of"),
        ({"paper": None}, "no 'paper'"),
        ({"verdict": "true"}, "unknown field 'verdict'"),
    ],
)
def test_wrong_claim_is_seen(small_book, change, message):
    found = ledger.faults([GOOD_CLAIM | change], small_book())
    assert any(message in fault and "thm-" in fault for fault in found), found


def test_statement_outside_the_ledger_is_seen(small_book):
    assert ledger.faults([], small_book()) == ["index.md, thm-x: a theorem that claims.yml does not list"]


def test_statement_without_label_is_seen(small_book):
    found = ledger.faults([], small_book(box=":::{prf:lemma} Title\nText.\n:::"))
    assert found == ["index.md: a lemma without a label (Title)"]


def test_claims_without_label_or_listed_twice_are_seen(small_book):
    nameless = {field: value for field, value in GOOD_CLAIM.items() if field != "label"}
    assert ledger.faults([GOOD_CLAIM, nameless, GOOD_CLAIM, nameless], small_book()) == [
        "claims.yml, None: no chapter has a statement with this label",
        "claims.yml, None: no chapter has a statement with this label",
        "claims.yml, thm-x: listed twice",
    ]


@pytest.mark.parametrize("code", ["print(1)", "# sl.checks.agrees(x, 1)", "sl.checks.agrees"])
def test_check_that_cannot_fail_is_seen(small_book, code):
    assert any("cannot fail" in fault for fault in ledger.faults([GOOD_CLAIM], small_book(code=code)))


def test_ledger_is_complete_and_fresh():
    claims, book = ledger.read_claims(ROOT), ledger.read_book(ROOT)
    assert ledger.faults(claims, book) == []
    assert (ROOT / "book" / "claim-ledger.md").read_text() == ledger.page(claims, book)
