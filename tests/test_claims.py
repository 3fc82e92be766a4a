"""Every statement of the book that has a check: green as printed, red when broken on purpose, honest over fresh seeds.

The checks are the chapters' own cells. ``book/claims.yml`` says which mutations must turn which check red.
"""

from __future__ import annotations

import pytest
import yaml
from chapters import BOOK, claims, run_claim
from mutations import MUTATIONS
from scipy import stats

import shattered_lite as sl
from shattered_lite.checks import Disagreement

Patch = pytest.MonkeyPatch
ENTRIES = yaml.safe_load((BOOK / "claims.yml").read_text()) or []
CHECKED = [entry["label"] for entry in ENTRIES if "check" in entry]
FRESH_SEEDS = range(1_000, 1_020)
IDENTITY_SEEDS = 4


def test_there_are_claims() -> None:
    assert len(CHECKED) >= 5
    assert set(CHECKED) == set(claims())


@pytest.mark.parametrize("label", CHECKED)
def test_claim_holds_as_printed(label: str) -> None:
    assert run_claim(label).strip()


@pytest.mark.parametrize(
    ("label", "mutation"), [(entry["label"], name) for entry in ENTRIES for name in entry.get("mutations", [])]
)
def test_mutation_turns_the_check_red(label: str, mutation: str, monkeypatch: Patch) -> None:
    MUTATIONS[mutation](monkeypatch)
    with pytest.raises(Disagreement):
        run_claim(label)


def test_every_mutation_is_used() -> None:
    used = {name for entry in ENTRIES for name in entry.get("mutations", [])}
    assert used == set(MUTATIONS)


@pytest.mark.parametrize("chapter", sorted(set(claims().values())))
def test_fresh_seeds_raise_no_more_alarms_than_stated(chapter: str, monkeypatch: Patch) -> None:
    """Twenty seeds for each check of an estimate: alarms are binomial at the stated rate, tested at 1 in 10,000."""
    rates: list[float] = []
    zs: list[float] = []
    alarms = 0
    original = sl.checks.agrees

    def counting(*args, **kwargs):
        nonlocal alarms
        rates.append(kwargs.get("false_alarm_rate", 1e-3))
        try:
            zs.append(original(*args, **kwargs).z)
        except Disagreement:
            alarms += 1

    monkeypatch.setattr(sl.checks, "agrees", counting)
    for label in (label for label, home in claims().items() if home == chapter):
        outcomes = []
        for seed in FRESH_SEEDS:
            zs.clear()
            run_claim(label, seed)
            outcomes.append(tuple(zs))
            if outcomes == [()] * IDENTITY_SEEDS:
                break  # no estimate in it: an identity, which raises no false alarms
        else:
            assert len(set(outcomes)) == len(FRESH_SEEDS), f"{label}: a seed that changes nothing tests nothing"
    assert alarms <= stats.binom.isf(1e-4, len(rates), max(rates, default=0))
