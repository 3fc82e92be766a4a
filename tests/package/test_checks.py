"""The checks themselves: exact quantiles, honest false-alarm rates, and teeth."""

from __future__ import annotations

import platform
from importlib.metadata import version

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from shattered_lite import checks
from shattered_lite.checks import Disagreement, agrees, compare, holds, interval

# Two-sided quantiles of Student's distribution, from printed tables: (replicates, rate) to t.
STUDENT = {(10, 0.05): 2.262157, (10, 1e-3): 4.780913, (31, 0.01): 2.749996, (121, 0.05): 1.979930}
TRIALS = 5_000


def with_mean_and_error(replicates: int, mean: float, error: float) -> np.ndarray:
    """Numbers whose sample mean and standard error are exactly these."""
    raw = np.arange(replicates, dtype=float)
    raw = (raw - raw.mean()) / (raw.std(ddof=1) / np.sqrt(replicates))
    return mean + error * raw


@pytest.mark.parametrize(("replicates", "rate"), STUDENT)
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_threshold_is_students_quantile(replicates: int, rate: float, sign: int) -> None:
    t = STUDENT[replicates, rate]
    inside = with_mean_and_error(replicates, 3 + sign * 0.2 * (t - 2e-6), 0.2)
    outcome = agrees(inside, 3, "mean", false_alarm_rate=rate)
    assert outcome.z == pytest.approx(sign * t, abs=1e-5)
    with pytest.raises(Disagreement):
        agrees(with_mean_and_error(replicates, 3 + sign * 0.2 * (t + 2e-6), 0.2), 3, "mean", false_alarm_rate=rate)


def test_a_ratio_is_tested_as_fieller_does(capsys: pytest.CaptureFixture) -> None:
    """Against the difference, formed by hand; the printed estimate is the ratio of the means."""
    rng = np.random.default_rng(0)
    numerator, denominator = rng.normal(1, 0.2, 50), rng.normal(2, 0.3, 50)
    outcome = agrees(np.stack([numerator, denominator], 1), 0.5, "ratio")
    by_hand = stats.ttest_1samp(numerator - 0.5 * denominator, 0)
    assert outcome.z == pytest.approx(by_hand.statistic)
    assert outcome.estimate == pytest.approx(numerator.mean() / denominator.mean())
    difference = numerator - 0.5 * denominator
    assert outcome.standard_error == pytest.approx(difference.std(ddof=1) / np.sqrt(50) / denominator.mean())
    assert capsys.readouterr().out == f"{outcome}: agrees\n"


def test_a_mean_and_a_ratio_to_one_are_the_same_check() -> None:
    values = np.random.default_rng(1).normal(0.3, 1, 40)
    assert agrees(values, 0.3, "x").z == pytest.approx(agrees(np.stack([values, np.ones(40)], 1), 0.3, "x").z)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.floats(0.01, 100), st.integers(10, 50), st.integers(0, 2**31))
def test_the_unit_does_not_matter(scale: float, replicates: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(1, 0.1, (replicates, 2))
    one = agrees(values[:, 0], 1.0, "x", false_alarm_rate=1e-9).z
    assert agrees(scale * values[:, 0], scale, "x", false_alarm_rate=1e-9).z == pytest.approx(one, rel=1e-6, abs=1e-6)
    ratio = agrees(values, 1.0, "x", false_alarm_rate=1e-9).z
    assert agrees(scale * values, 1.0, "x", false_alarm_rate=1e-9).z == pytest.approx(ratio, rel=1e-6, abs=1e-6)


def alarms(draw, prediction: float, rate: float, trials: int = TRIALS) -> int:
    count = 0
    for _ in range(trials):
        try:
            agrees(draw(), prediction, "x", false_alarm_rate=rate)
        except Disagreement:
            count += 1
    return count


@pytest.mark.parametrize("rate", [0.05, 0.005])
@pytest.mark.parametrize("columns", [1, 2])
def test_the_false_alarm_rate_is_honest(rate: float, columns: int) -> None:
    """5,000 true predictions: alarms are binomial at the stated rate; neither more nor fewer, at one in 10,000."""
    rng = np.random.default_rng(2)
    mix = np.array([[1.0, 0.8], [0.0, 0.6]])

    def draw() -> np.ndarray:
        noise = rng.normal(size=(12, 2)) @ mix
        return 0.3 + noise[:, 0] if columns == 1 else np.array([0.3 * 5, 5]) + noise

    count = alarms(draw, 0.3, rate)
    assert stats.binom.ppf(5e-5, TRIALS, rate) <= count <= stats.binom.isf(5e-5, TRIALS, rate)


def test_a_ratio_of_means_is_not_a_mean_of_ratios() -> None:
    """The naive way has a bias that raises alarms; the check has none of it."""
    rng = np.random.default_rng(3)

    def pair() -> np.ndarray:
        both = rng.normal([1, 2], [0.1, 0.7], (200, 2))
        return both

    naive = alarms(lambda: np.divide(*pair().T), 0.5, 0.01, 300)
    fieller = alarms(pair, 0.5, 0.01, 300)
    assert fieller <= stats.binom.isf(1e-4, 300, 0.01) < naive


@pytest.mark.parametrize("wrong", [0.5, 0.9, 1.1, 2, -1])
def test_a_wrong_prediction_is_caught(wrong: float) -> None:
    values = np.random.default_rng(4).normal(1, 0.2, (400, 2))  # a standard error of 0.01
    for estimates in (values[:, 0], values):
        agrees(estimates, 1, "right")
        with pytest.raises(Disagreement, match=rf"wrong: predicted {wrong:.4g}, measured .*: disagrees"):
            agrees(estimates, wrong, "wrong")


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_not_finite_disagrees(poison: float) -> None:
    values = np.random.default_rng(5).normal(size=(20, 2))
    for column in (0, 1):
        poisoned = values.copy()
        poisoned[3, column] = poison
        with pytest.raises(Disagreement):
            agrees(poisoned, 0, "x") if column else agrees(poisoned[:, 0], 0, "x")
    with pytest.raises(Disagreement):
        agrees(values[:, 0], np.nan, "x")


def test_the_printed_line(capsys: pytest.CaptureFixture) -> None:
    agrees(with_mean_and_error(4_000, 0.0011, 0.0004), 0.00098, "correlation at L = 10")
    assert capsys.readouterr().out == (
        "correlation at L = 10: predicted 0.00098, measured 0.0011 ± 0.0004 "
        "(n = 4000, z = 0.3, refuses errors above 0.0013, false-alarm rate 0.001): agrees\n"
    )


@pytest.mark.parametrize(
    ("prediction", "error", "rate", "printed"),
    [
        (2, 0.2, 1e-3, "48 %"),  # 4.780913 x 0.2 / 2
        (-2, 0.02, 1e-3, "4.8 %"),
        (2, 0.2, 0.05, "23 %"),
        (0.9563, 0.2, 1e-3, "100 %"),  # 4.780913 x 0.2 is 0.95618
        (0.9561, 0.2, 1e-3, "0.96"),
        (0, 0.2, 1e-3, "0.96"),
        (5e-98, 0.2, 1e-3, "0.96"),
    ],
)
def test_the_smallest_error_refused_is_printed(prediction, error, rate, printed, capsys) -> None:
    """A percentage of the prediction, or in its unit where the check could take the prediction for zero."""
    outcome = agrees(with_mean_and_error(10, prediction, error), prediction, "x", false_alarm_rate=rate)
    assert outcome.smallest_error == pytest.approx(STUDENT[10, rate] * error, rel=1e-6)
    assert f"refuses errors above {printed}, false-alarm rate {rate:g}): agrees" in capsys.readouterr().out


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("columns", [1, 2])
def test_estimates_further_off_than_the_smallest_error_are_refused(sign: int, columns: int) -> None:
    values = np.random.default_rng(7).normal([1, -2], [0.2, 0.3], (40, 2))
    denominator = values[:, 1] if columns == 2 else np.ones(40)

    def off_by(distance: float) -> np.ndarray:
        """Estimates whose mean, or ratio of means, is so far from 0.5; the standard error stays as it is."""
        noise = values[:, 0] - values[:, 0].mean()
        numerator = 0.5 * denominator + noise + distance * denominator.mean()
        return np.stack([numerator, denominator], 1) if columns == 2 else numerator

    smallest = agrees(off_by(0), 0.5, "x").smallest_error
    assert agrees(off_by(sign * 0.999 * smallest), 0.5, "x").estimate == pytest.approx(0.5 + sign * 0.999 * smallest)
    with pytest.raises(Disagreement):
        agrees(off_by(sign * 1.001 * smallest), 0.5, "x")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"estimates": np.ones((10, 3))}, r"estimates: shape \(10, 3\), but \(replicates,\) or \(replicates, 2\)"),
        ({"estimates": np.ones((10, 2, 1))}, r"estimates: shape \(10, 2, 1\)"),
        ({"estimates": 3.0}, r"estimates: shape \(\)"),
        ({"estimates": np.arange(9)}, r"estimates: 9 replicates, but .*10 or more"),
        ({"estimates": np.ones(10)}, r"estimates: they do not vary; for an identity use `holds`"),
        ({"false_alarm_rate": 0}, r"false_alarm_rate=0: .*between 0 and 1"),
        ({"false_alarm_rate": 1.0}, r"false_alarm_rate=1\.0: .*between 0 and 1"),
        ({"false_alarm_rate": np.nan}, r"false_alarm_rate=nan: .*between 0 and 1"),
        ({"false_alarm_rate": "0.1"}, r"false_alarm_rate='0\.1': .*between 0 and 1"),
    ],
)
def test_what_is_not_allowed_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        agrees(**{"estimates": np.arange(10.0), "prediction": 4.5, "name": "x"} | arguments)


def test_holds(capsys: pytest.CaptureFixture) -> None:
    holds(3e-7, 1e-6, "superposition")
    assert capsys.readouterr().out == "superposition: error 3.0e-07, allowed 1e-06: holds\n"
    holds(2.2e-5, 2.22e-5, "limit")
    assert capsys.readouterr().out == "limit: error 2.2e-05, allowed 2.2e-05: holds\n"
    holds(0, 0, "exact")
    for error in (1.1e-6, np.nan, np.inf, -1e-9):
        with pytest.raises(Disagreement, match=r"superposition: error .*: does not hold"):
            holds(error, 1e-6, "superposition")


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_intervals_cover_as_often_as_they_say(level: float) -> None:
    rng = np.random.default_rng(6)
    mean, low, high = interval(rng.normal(2, 3, (8, TRIALS)), level)
    assert mean.shape == low.shape == high.shape == (TRIALS,)
    covered = int(((low <= 2) & (high >= 2)).sum())
    assert stats.binom.ppf(5e-5, TRIALS, level) <= covered <= stats.binom.isf(5e-5, TRIALS, level)


def test_an_interval_by_hand() -> None:
    mean, low, high = interval(with_mean_and_error(10, 5, 1))
    np.testing.assert_allclose([mean, low, high], [5, 5 - 2.262157, 5 + 2.262157], rtol=1e-6)


@pytest.mark.parametrize("estimates", [3.0, [1.0], np.ones((1, 4))])
def test_an_interval_needs_two(estimates) -> None:
    with pytest.raises(ValueError, match=r"estimates: shape .*, but 2 replicates or more"):
        interval(estimates)


@pytest.mark.parametrize("level", [0, 1, -0.5, np.nan, "high"])
def test_wrong_levels_are_refused(level: object) -> None:
    with pytest.raises(ValueError, match=rf"level={level!r}: .*between 0 and 1"):
        interval([1.0, 2.0], level)


# A run beside the book's


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    """A run with one check, of estimate 0.5 and standard error 0.03."""
    monkeypatch.setattr(checks, "AGREED", {})
    agrees(with_mean_and_error(100, 0.5, 0.03), 0.5, "half")
    capsys.readouterr()


def said(capsys: pytest.CaptureFixture, book: dict[str, tuple[float, float]]) -> list[str]:
    compare(book, made_with="Python 3.11.7, seed 1", seed=2)
    return capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("run")
def test_a_run_is_put_beside_the_book(capsys: pytest.CaptureFixture) -> None:
    torch = version("torch").partition("+")[0]
    assert said(capsys, {"half": (0.52, 0.04), "other": (1.0, 0.1)}) == [
        "the book: Python 3.11.7, seed 1",
        f"yours: Python {platform.python_version()}, NumPy {np.__version__}, PyTorch {torch}, seed 2",
        "half: yours 0.5 ± 0.03, the book 0.52 ± 0.04: agrees",
        "other: not run here",
        "1 of 1 agree",
    ]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("sign", [-1, 1])
def test_two_runs_differ_beyond_the_normal_quantile(sign: int, capsys: pytest.CaptureFixture) -> None:
    """Of both errors together: 0.05."""
    just = stats.norm.isf(5e-4) * 0.05
    assert said(capsys, {"half": (0.5 + sign * just * 0.999, 0.04)})[-1] == "1 of 1 agree"
    *_, line, whole = said(capsys, {"half": (0.5 + sign * just * 1.001, 0.04)})
    assert line.endswith(": differs by more than chance explains")
    assert whole == "0 of 1 agree"


@pytest.mark.usefixtures("run")
def test_of_two_checks_with_one_name_the_last_counts(capsys: pytest.CaptureFixture) -> None:
    agrees(with_mean_and_error(100, 0.7, 0.03), 0.7, "half")
    assert "half: yours 0.7 ± 0.03, the book 0.7 ± 0.04: agrees" in said(capsys, {"half": (0.7, 0.04)})


@pytest.mark.usefixtures("run")
def test_a_check_that_fails_is_not_remembered() -> None:
    with pytest.raises(Disagreement):
        agrees(with_mean_and_error(100, 0.9, 0.03), 0.5, "wrong")
    assert list(checks.AGREED) == ["half"]
