"""What real London burglary says about standard errors, choice of areas and power.

Numbers: ../shared/reference/evaluate/power_london.json and the two panels beside it (data.police.uk, Open
Government Licence v3.0). Tolerance 0.1 points for selection figures (rounding of the reference), 1 point for
planted effects (random thinning), the reference's own bands for error rates (random draws).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.arithmetic import comparison as c
from peelian.arithmetic.randomisation import draw_sums, p_value, redraw
from peelian.evaluate import assess, share_break, wdd
from peelian.evaluate.leftout import left_out
from peelian.figures import recording_changes
from peelian.panel import Panel
from peelian.places import Places
from peelian.programme import Programme

Sample = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def power(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "evaluate" / "power_london.json").read_text())


@pytest.fixture(scope="module")
def monthly(shared: Path) -> pd.DataFrame:
    folder = shared / "reference" / "evaluate"
    return pd.read_csv(folder / "london_msoa11_burglary_monthly_2011_2019.csv.gz", index_col=0).sort_index()


@pytest.fixture(scope="module")
def yearly(shared: Path, monthly: pd.DataFrame) -> Sample:
    folder = shared / "reference" / "evaluate"
    lsoa = pd.read_csv(folder / "london_lsoa11_burglary_yearly_2011_2019.csv.gz", index_col=0).sort_index()
    lsoa.columns = lsoa.columns.astype(int)
    msoa = monthly.T.groupby(monthly.columns.str[:4].astype(int)).sum().T
    return {"lsoa": lsoa.astype(float), "msoa": msoa.astype(float)}


def rule(
    y: pd.DataFrame, year: int, share: float, *, after: np.ndarray | None = None
) -> tuple[c.LogRatio, c.LogRatio, c.Calibrated, c.Calibrated]:
    """Guard G2 on yearly counts: chosen on ``year``, after = the next one."""
    take = int(share * len(y))
    arms = {s: c.top_units(y[s].to_numpy(), take) for s in range(2012, year + 1)}
    t, u = arms[year], y[year + 1].to_numpy() if after is None else after
    clean, naive = (
        c.log_ratio(b[t], u[t], b[~t], u[~t]) for b in (y[year - 1].to_numpy(), y[year].to_numpy())
    )
    placebo = [
        [c.plain_log_ratio(y[s - lag], y[s + 1], arms[s]) for s in range(2012, year)] for lag in (1, 0)
    ]
    return clean, naive, c.selection_placebo(clean, placebo[0]), c.selection_placebo(naive, placebo[1])


def survives(naive: c.LogRatio, clean: c.Calibrated, again: c.Calibrated) -> bool:
    low, high = clean.interval()
    return (
        clean.k >= 3 and len({np.sign(x.theta) for x in (naive, clean, again)}) == 1 and (high < 0 or low > 0)
    )


def percent(log: float) -> float:
    return 100 * (math.exp(log) - 1)


@pytest.mark.parametrize("panel", ["msoa", "lsoa"])
def test_overdispersion_in_every_pair_of_years(power: dict[str, Any], yearly: Sample, panel: str) -> None:
    y, digits = yearly[panel], {"msoa": 5e-4, "lsoa": 5e-3}[panel]
    for pair, wanted in power["phi"][f"{panel}_by_pair"].items():
        first, second = map(int, pair.split("-"))
        assert c.overdispersion(y[first], y[second]) == pytest.approx(wanted, abs=digits + 1e-9)


@pytest.mark.parametrize("panel", ["msoa", "lsoa"])
@pytest.mark.parametrize("top", ["top_1pct", "top_5pct", "top_10pct", "top_20pct"])
def test_hot_areas_fall_with_nothing_done(
    power: dict[str, Any], yearly: Sample, panel: str, top: str
) -> None:
    share = int(top[4:-3]) / 100
    rows = [rule(yearly[panel], year, share) for year in range(2012, 2019)]
    wanted = power["selection"]["did_pct"][panel][top]
    assert [percent(r[1].theta) for r in rows] == pytest.approx(wanted["naive"], abs=0.1)
    assert [percent(r[0].theta) for r in rows] == pytest.approx(wanted["year_before"], abs=0.1)


def test_pseudo_programmes_are_all_called_selection(power: dict[str, Any], yearly: Sample) -> None:
    calls = []
    for panel in ("lsoa", "msoa"):
        for share in (0.05, 0.10, 0.20):
            for year in range(2012, 2019):
                _, naive, clean, again = rule(yearly[panel], year, share)
                calls.append(not survives(naive, clean, again))
    assert (sum(calls), len(calls)) == (
        power["g2_rule_measured"]["SELECTION"],
        power["g2_rule_measured"]["of"],
    )


@pytest.mark.parametrize("panel", ["lsoa", "msoa"])
def test_a_planted_fifth_is_found_by_the_calibrated_interval(
    power: dict[str, Any], yearly: Sample, panel: str
) -> None:
    y, rng = yearly[panel], np.random.default_rng(0)
    planted = power["g2_rule_measured"]["planted_minus_20pct_top_decile"]
    for year, wanted in zip(range(2015, 2019), planted[f"{panel}_pct_low_high"], strict=True):
        after = y[year + 1].to_numpy().copy()
        top = c.top_units(y[year].to_numpy(), int(0.1 * len(y)))
        after[top] = rng.binomial(after[top].astype(int), 0.8)
        _, naive, clean, again = rule(y, year, 0.1, after=after)
        found = [percent(x) for x in (clean.theta, *clean.interval())]
        assert found == pytest.approx(wanted, abs=planted["accept"])
        assert survives(naive, clean, again)
        assert found[2] < 0


@pytest.fixture(scope="module")
def draws(yearly: Sample) -> pd.DataFrame:
    """150 random tenths of London called treated, nothing done: who cries wolf."""
    v, u = (yearly["msoa"][year].to_numpy() for year in (2018, 2019))
    rng, n, rows = np.random.default_rng(7), len(yearly["msoa"]), []
    for _ in range(150):
        t = np.zeros(n, bool)
        t[rng.choice(n, 98, replace=False)] = True
        ours = c.log_ratio(v[t], u[t], v[~t], u[~t])
        weight = v[~t].sum() / v[t].sum()
        plain = wdd((v[t].sum(), u[t].sum()), (v[~t].sum(), u[~t].sum()), areas=(1, weight, 1, 1))
        rows.append((ours.p < 0.05, plain.p < 0.05))
    return pd.DataFrame(rows, columns=["jackknife", "wdd"])


def test_the_jackknife_holds_its_error_rate(draws: pd.DataFrame) -> None:
    assert 0.01 <= draws["jackknife"].mean() <= 0.10  # 5 % in 150 draws, three standard errors either side


def test_the_textbook_wdd_does_not(draws: pd.DataFrame) -> None:
    assert draws["wdd"].mean() > 0.15


@pytest.mark.parametrize("n_treated", [3, 5, 8])
def test_the_jackknife_holds_with_few_treated_areas(yearly: Sample, n_treated: int) -> None:
    v, u = (yearly["msoa"][year].to_numpy() for year in (2018, 2019))
    rng, wrong = np.random.default_rng(11), 0
    for _ in range(300):
        t = np.zeros(len(v), bool)
        t[rng.choice(len(v), n_treated, replace=False)] = True
        wrong += c.log_ratio(v[t], u[t], v[~t], u[~t]).p < 0.05
    assert 0.01 <= wrong / 300 <= 0.09


def test_the_permutation_holds_its_error_rate(yearly: Sample) -> None:
    v, u = (yearly["msoa"][year].to_numpy() for year in (2018, 2019))
    rng, wrong, n = np.random.default_rng(5), 0, len(v)
    for i in range(120):
        label = np.full(n, -1)
        label[rng.choice(n, 98, replace=False)] = 0
        sums = draw_sums(redraw(label, np.zeros(n), draws=99, seed=i), np.column_stack([v, u]))[:, 0]
        rest = np.array([v.sum(), u.sum()]) - sums
        drawn = np.log(sums[:, 1] / sums[:, 0]) - np.log(rest[:, 1] / rest[:, 0])
        wrong += p_value(drawn, c.plain_log_ratio(v, u, label == 0), exact=False) < 0.05
    assert wrong / 120 <= 0.11


def test_smallest_detectable_effects(power: dict[str, Any], yearly: Sample) -> None:
    v, u = (yearly["msoa"][year].to_numpy() for year in (2018, 2019))
    rng = np.random.default_rng(3)
    for size, row in power["mde_msoa_12_v_12_months"]["rows"].items():
        ses = []
        for _ in range(100):
            t = np.zeros(len(v), bool)
            t[rng.choice(len(v), int(size), replace=False)] = True
            parts = [np.where(who, x, 0.0)[:, None] for who, x in ((t, v), (t, u), (~t, v), (~t, u))]
            ses.append(c.clustered_se(c.influence(*parts), t))
        room = 3.0 if size == "5" else 1.5
        assert 100 * c.smallest_detectable(float(np.mean(ses))) == pytest.approx(row["mde_pct"], abs=room)


def test_the_recording_break_is_dated_by_the_share_of_residential(power: dict[str, Any]) -> None:
    series, wanted = power["its_april_2017"], power["recording_break"]["data_test"]
    part, whole = (
        np.array(series["domestic"], float),
        np.array(series["domestic"], float) + np.array(series["business"]),
    )
    found = share_break(part, whole, series["month"])
    assert found is not None
    assert found.month == wanted["peak_month"]
    assert found.points == pytest.approx(wanted["peak_points"], abs=0.1)


@pytest.fixture(scope="module")
def top_decile(monthly: pd.DataFrame) -> tuple[Panel, Programme, Places]:
    """A pseudo-programme: the top tenth of MSOAs of 2018, 'treated' in 2019, nothing done; far apart."""
    n, year = len(monthly), monthly.loc[:, "2018-01":"2018-12"].sum(axis=1).to_numpy()
    shapes = [
        box(9_000.0 * (i % 32), 9_000.0 * (i // 32), 9_000.0 * (i % 32) + 1_000, 9_000.0 * (i // 32) + 1_000)
        for i in range(n)
    ]
    places = Places.of(gpd.GeoDataFrame(index=monthly.index, geometry=shapes, crs="EPSG:27700"))
    ids = monthly.index[c.top_units(year, int(0.1 * n))]
    areas = pd.DataFrame(index=pd.Index(ids, name="place"))
    areas["arm"], areas["note"], areas["assigned_by"], areas["block"] = "treated", "", "", ""
    for name, month in (
        ("start", "2019-01"),
        ("end", None),
        ("selected_from", "2018-01"),
        ("selected_to", "2018-12"),
    ):
        areas[name] = pd.PeriodIndex([month] * len(ids), freq="M")
    programme = Programme("pseudo", areas=areas.sort_index())
    long = monthly.copy()
    long.columns = pd.PeriodIndex(long.columns, freq="M", name="month")
    counts = long.rename_axis("place").stack()
    return Panel.build(counts, programme, places, outcome="burglary"), programme, places


def test_the_whole_assessment_calls_it_selection(
    power: dict[str, Any], top_decile: tuple[Panel, Programme, Places]
) -> None:
    panel, programme, _ = top_decile
    found = assess(panel, programme, seed=1, permutations=199)
    naive = next(e for e in found.effects if e.name.startswith("baseline: the months of choice"))
    wanted = power["rtm_msoa_select_year_baseline_same_year"]["top_10pct"]["2018"]
    assert found.verdict.code == "SELECTION"
    assert 100 * (naive.estimate - 1) == pytest.approx(wanted["did"], abs=0.1)
    assert found.check("G6").fired
    assert found.selection is not None
    assert found.selection.k == 6


@pytest.mark.parametrize(("share", "seen"), [(0.05, 0.5), (0.10, 1.2)])
def test_leaving_out_the_worst_areas_makes_the_others_rise_and_is_allowed_for(
    monthly: pd.DataFrame, share: float, seen: float
) -> None:
    """MSOAs left out for the count of 2016, 2017 or 2018 and the rest compared with the year after.

    Nothing was done, so the rest should change as all did; ``seen`` per cent more is what they do change by,
    at least. Allowing for it takes away more than half, though each year keeps its own share of chance.
    """
    counts = monthly.to_numpy(float)
    errors = []
    for start in (72, 84, 96):  # months since January 2011
        before, after = (start - 12, start), (start, start + 12)
        worst = c.top_units(counts[:, slice(*before)].sum(axis=1), int(share * len(counts)))
        held = left_out(counts, counts, ~worst, worst, before, before=before, after=after, until=start)
        assert held is not None
        sums = [counts[who][:, slice(*w)].sum() for who in (~worst, worst | ~worst) for w in (after, before)]
        plain = 100 * float(np.log(sums) @ [1, -1, -1, 1])
        errors.append((plain, plain - 100 * held.lift(before, after)[0]))
    plain, allowed = np.mean(errors, axis=0)
    assert plain > seen
    assert abs(allowed) < plain / 2


@pytest.fixture(scope="module")
def split(power: dict[str, Any]) -> tuple[Panel, Programme]:
    """London's two monthly series dealt to 200 areas; 30 of them "treated" from January 2017, nothing done."""
    series, rng = power["its_april_2017"], np.random.default_rng(1)
    domestic, business = (np.array(series[k], float) for k in ("domestic", "business"))
    months = pd.PeriodIndex(series["month"], freq="M", name="month")
    ids = pd.Index([f"a{i:03d}" for i in range(200)], name="place")
    share = rng.dirichlet(np.full(200, 6.0))
    index = pd.MultiIndex.from_product([ids, months])
    home, other = (pd.Series(rng.poisson(np.outer(share, x)).ravel(), index) for x in (domestic, business))
    areas = pd.DataFrame(index=ids[:30])
    areas["arm"], areas["note"], areas["assigned_by"], areas["block"] = "treated", "", "", ""
    chosen = ("start", "2017-01"), ("end", None), ("selected_from", "2015-01"), ("selected_to", "2015-12")
    for name, month in chosen:
        areas[name] = pd.PeriodIndex([month] * 30, freq="M")
    plan = Programme("pseudo", areas=areas)
    others = {"all burglary": home + other}
    return Panel.build(home, plan, None, others=others, outcome="residential burglary"), plan


def test_the_break_of_april_2017_is_caught_by_an_assessment_that_is_not_told(
    split: tuple[Panel, Programme],
) -> None:
    found = assess(*split, seed=1, permutations=99, wider="all burglary", negative=())
    check = found.check("G8")
    assert check.fired
    assert "moves +" in check.sentence
    assert "at April 2017" in check.sentence
    assert found.verdict.code == "CANNOT_TELL"  # on all burglary the interval includes no change


def test_without_the_wider_class_a_dated_change_cannot_be_assessed(split: tuple[Panel, Programme]) -> None:
    told = assess(
        *split,
        seed=1,
        permutations=99,
        crime="burglary residential",
        changes=recording_changes(),
        negative=(),
    )
    assert told.check("G8").fired
    assert told.verdict.code == "NOT_ASSESSABLE"
    assert told.verdict.words == "The data cannot answer this"
