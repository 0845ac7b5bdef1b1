"""Hot paths of the evaluation, and the long run ``no_effect(1000)`` (see also ``benchmarks.recovery``).

What it said when last run is in docs/explanation/evaluation.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import measure

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from peelian.evaluate.windows import Study

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def did(runs: int) -> dict[str, object]:
    """Difference in differences of 600,000 counts (5,000 areas x 120 months), jackknifed over areas."""
    laid = city(5_000, 120)
    return {"n": laid.counts.size, **measure.function(lambda: compared(laid), runs=runs)}


def compared(laid: Study) -> Any:
    """The log ratio of all months after to all months before, and its spread."""
    from peelian.evaluate.ratios import cells, ratios

    start, months = laid.stacks[0].start, len(laid.months)
    return ratios(laid, [cells(laid, [[(start, months)]], before=[(0, start)])])


def did_permutation(runs: int, size: int = 5_000) -> dict[str, object]:
    """999 permutations of treatment over 5,000 areas x 120 months, 12 outcomes at once."""
    from peelian.evaluate.did import quarter_windows
    from peelian.evaluate.ratios import permutation

    laid = city(size, 120)
    windows = [quarter_windows(laid, q) for q in range(-4, 8)]
    return {"n": size, **measure.function(lambda: permutation(laid, windows, draws=999, seed=1), runs=runs)}


def city(areas: int, months: int) -> Study:
    """A made-up city of squares without any effect, a tenth of it treated in month 85 of 120."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from shapely import box

    from peelian.evaluate.windows import study
    from peelian.panel import Panel
    from peelian.places import Places
    from peelian.programme import COLUMNS, Programme

    rng, side = np.random.default_rng(1), int(areas**0.5) + 1
    ids = [f"a{i:05d}" for i in range(areas)]
    shapes = [
        box(2 * x, 2 * y, 2 * x + 1, 2 * y + 1) for x, y in ((i % side, i // side) for i in range(areas))
    ]
    frame = gpd.GeoDataFrame({"households": [700.0] * areas}, index=ids, geometry=shapes, crs="EPSG:27700")
    places = Places.of(frame)
    span = pd.period_range("2010-01", periods=months, freq="M")
    index = pd.MultiIndex.from_product([places.index, span], names=["place", "month"])
    level = np.repeat(rng.gamma(4, 0.5, areas), months)
    picked = sorted(rng.choice(ids, areas // 10, replace=False))
    chosen = pd.DataFrame(index=pd.Index(picked, name="place"), columns=[*COLUMNS])
    chosen[["assigned_by", "block", "note"]] = ""
    for name, value in (
        ("start", span[7 * months // 10]),
        ("end", None),
        ("selected_from", None),
        ("selected_to", None),
    ):
        chosen[name] = pd.PeriodIndex([value] * len(picked), freq="M")
    chosen["arm"] = "treated"
    plan = Programme("city", areas=chosen)
    counts = pd.Series(rng.poisson(level).astype(float), index)
    return study(Panel.build(counts, plan, places, rings=(0.5,), outcome="burglary"), plan)


def its(runs: int) -> dict[str, object]:
    """An interrupted series of 120 months: Poisson regression, two harmonics, Newey-West errors."""
    from peelian.evaluate.its import its as interrupted

    counts, start = series()
    return {"n": len(counts), **measure.function(lambda: interrupted(counts, start), runs=runs)}


def series() -> tuple[pd.Series, str]:
    """Ten years of monthly counts with a trend and a season, a tenth fewer from the month given."""
    import numpy as np
    import pandas as pd

    months = pd.period_range("2010-01", periods=120, freq="M")
    t = np.arange(120)
    rate = 400 * np.exp(-0.002 * t + 0.1 * np.sin(2 * np.pi * t / 12) - 0.1 * (t >= 84))
    return pd.Series(np.random.default_rng(1829).poisson(rate), months), str(months[84])


def microsynth(runs: int) -> dict[str, object]:
    """The Seattle example with its data read: 9,642 blocks, 58 totals, four outcomes."""
    return {"n": 9_642, **measure.function(_seattle, runs=runs)}


def seattle() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """The Seattle blocks: what is matched (with an intercept), who is treated, counts by outcome after."""
    import numpy as np
    import pandas as pd

    path = SHARED / "data" / "world" / "eval_seattledmi" / "seattledmi.csv.gz"
    held = SHARED / "reference" / "evaluate" / "seattledmi.json"
    if not path.is_file() or not held.is_file():
        raise measure.CannotMeasure(f"Nothing to measure: {path.name} is not here.")
    settings = json.loads(held.read_text(encoding="utf-8"))
    frame = pd.read_csv(path).sort_values(["ID", "time"])
    wide = {name: frame[name].to_numpy(float).reshape(-1, 16) for name in frame.columns}
    treated = wide["Intervention"].max(axis=1) > 0
    matched = settings["example_1"]["match_out"]
    columns = [np.ones(len(treated)), *(wide[c][:, 0] for c in settings["covariates"])]
    columns += [wide[name][:, q] for name in matched for q in range(12)]
    return np.column_stack(columns), treated, {name: wide[name][:, 12:] for name in matched}


def _seattle() -> None:
    from peelian.evaluate.synthetic import balance_weights, linearised

    constraints, treated, after = seattle()
    fit = balance_weights(constraints, treated)
    for outcome in after.values():
        linearised(outcome, treated, fit.values)


def wdd(runs: int) -> dict[str, object]:
    """The weighted displacement difference of 5,000 areas, with its empirical interval."""
    import numpy as np

    from peelian.evaluate.wdd import wdd_of_units

    rng = np.random.default_rng(1)
    before, after = rng.poisson(20, (2, 5_000)).astype(float)
    t = np.arange(5_000) < 500
    pair = (before[t], after[t]), (before[~t], after[~t])
    return {"n": 5_000, **measure.function(lambda: wdd_of_units(*pair), runs=runs)}


# ------------------------------------------------------------------------------------ a long run
def no_effect(draws: int, areas: str = "msoa") -> dict[str, object]:
    """A random tenth of London's areas "treated", nothing done: how often an interval excludes no change.

    ``areas``  ``msoa`` or ``lsoa``; 2018 against 2019.
    """
    import numpy as np

    from peelian.arithmetic import comparison
    from peelian.evaluate.wdd import wdd_of_units

    v, u = _london(areas)
    rng, out = np.random.default_rng(1), {"jackknife": 0, "wdd_poisson": 0, "wdd_empirical": 0}
    for _ in range(draws):
        t = _some(rng, len(v))
        low, high = comparison.log_ratio(v[t], u[t], v[~t], u[~t]).interval()
        out["jackknife"] += low > 0 or high < 0
        found = wdd_of_units((v[t], u[t]), (v[~t], u[~t]))
        out["wdd_poisson"] += found.extra["poisson_low"] > 0 or found.extra["poisson_high"] < 0
        out["wdd_empirical"] += found.low > 0 or found.high < 0
    phi = comparison.overdispersion(v, u)
    rates = {k: round(n / draws, 4) for k, n in out.items()}
    return {"areas": areas, "draws": draws, **rates, "phi": round(phi, 2)}


def _london(areas: str) -> tuple[np.ndarray, np.ndarray]:
    """Burglaries of 2018 and of 2019 by area."""
    import pandas as pd

    every = {"msoa": "monthly", "lsoa": "yearly"}[areas]
    path = SHARED / "reference" / "evaluate" / f"london_{areas}11_burglary_{every}_2011_2019.csv.gz"
    if not path.is_file():
        raise measure.CannotMeasure(f"Nothing to measure: {path.name} is not here.")
    frame = pd.read_csv(path, index_col=0).sort_index()
    before, after = (frame[[c for c in frame if c.startswith(y)]].sum(axis=1) for y in ("2018", "2019"))
    return before.to_numpy(float), after.to_numpy(float)


def _some(rng: np.random.Generator, n: int) -> np.ndarray:
    import numpy as np

    chosen = np.zeros(n, bool)
    chosen[rng.choice(n, n // 10, replace=False)] = True
    return chosen
