"""Every statement of the book that has a check: green as printed, red when broken on purpose, honest over fresh seeds.

The checks are the chapters' own cells. ``book/claims.yml`` says which mutations must turn which check red.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
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
LIVE = {entry["label"] for entry in ENTRIES if entry["status"].startswith("checked, live")}
FRESH_SEEDS = range(1_000, 1_012)
EXACT_SEEDS = 4
BIAS = 1.25  # standard errors of one run; the mean of 12 is 4.3 of its own from 0 once in 60,000 times


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


def true_rate(differences: np.ndarray, replicates: int, stated: float) -> float:
    """How often Student's test of so many replicates refuses a true prediction, if they come from this population.

    Edgeworth's expansion of the studentised mean, to order 1/n (Hall 1992, Section 2.6). Skewness raises the rate.
    """
    x = stats.norm.isf(stated / 2)
    skewness, kurtosis = stats.skew(differences), stats.kurtosis(differences)
    excess = skewness**2 * (x**4 + 2 * x**2 - 3) / 18 - kurtosis * (x**2 - 3) / 12
    return stated + 2 * x * stats.norm.pdf(x) * excess / replicates


@pytest.mark.parametrize("law", [stats.norm(), stats.gamma(4), stats.expon(), stats.laplace()])
def test_the_true_rate_is_that_of_a_simulation(law) -> None:
    """Four standard errors of 40,000 trials at one in a hundred, and the terms of order 1/n^2, are a fifth of it."""
    trials, replicates, stated = 40_000, 150, 0.01
    z = stats.ttest_1samp(law.rvs((trials, replicates), random_state=0), law.mean(), axis=1).statistic
    alarms = np.mean(np.abs(z) > stats.t.isf(stated / 2, replicates - 1))
    assert true_rate(law.rvs(10**6, random_state=1), replicates, stated) == pytest.approx(alarms, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("chapter", sorted(set(claims().values())))
def test_fresh_seeds_raise_no_more_alarms_than_stated(chapter: str, monkeypatch: Patch) -> None:
    """Twelve seeds for each check of an estimate: alarms are binomial at the stated rate, tested at 1 in 10,000.

    Four for a statement without an estimate: an identity, or an experiment that a single network refutes.

    Twelve seeds do not show a rate of one in a hundred. Their replicates, taken together, show whether tails are too
    heavy for Student's law: no check may refuse a true prediction more than twice as often as it states. And their mean
    shows a bias that one run hides, such as that of a finite width.
    """
    outcome: list[float] = []
    differences: dict[tuple[str, int, float], list[np.ndarray]] = defaultdict(list)
    original = sl.checks.agrees

    def recording(estimates, prediction, name, *, false_alarm_rate=1e-3):
        values = np.asarray(estimates, dtype=float)
        difference = values - prediction if values.ndim == 1 else values @ [1, -prediction]
        differences[f"{label}, {name}", len(outcome), false_alarm_rate].append(difference)
        try:
            outcome.append(original(estimates, prediction, name, false_alarm_rate=false_alarm_rate).z)
        except Disagreement:
            outcome.append(np.inf)

    monkeypatch.setattr(sl.checks, "agrees", recording)
    zs: list[float] = []
    for label in (label for label, home in claims().items() if home == chapter):
        outcomes, printed = [], []
        for seed in FRESH_SEEDS:
            outcome.clear()
            printed.append(run_claim(label, seed))
            outcomes.append(tuple(outcome))
            if outcomes == [()] * EXACT_SEEDS:
                break
        if outcomes[0] or label in LIVE:
            compared = outcomes if outcomes[0] else printed
            assert len(set(compared)) == len(compared), f"{label}: a seed that changes nothing tests nothing"
        zs += [z for outcome_of_seed in outcomes for z in outcome_of_seed]
    highest = max((stated for *_, stated in differences), default=0)
    assert np.isinf(zs).sum() <= stats.binom.isf(1e-4, len(zs), highest)
    rates = {
        name: true_rate(np.concatenate(samples), len(samples[0]), stated) / stated
        for (name, _, stated), samples in differences.items()
    }
    assert {name: rate for name, rate in rates.items() if rate > 2} == {}
    means = {
        name: float(np.mean([len(each) ** 0.5 * each.mean() / each.std(ddof=1) for each in samples]))
        for (name, *_), samples in differences.items()
    }
    assert {name: mean for name, mean in means.items() if abs(mean) > BIAS} == {}
