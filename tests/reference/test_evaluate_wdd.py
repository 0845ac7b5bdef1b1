"""WDD family, e-test, scan, quotient and panel identity against the published digits.

Numbers: ../shared/reference/evaluate/wdd.json (sources and licences in it). Tolerances are the file's own:
1e-6 for differences and ratios, 1e-9 for the e-test, the scan and the quotient, 1e-8 for the identity.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peelian.arithmetic.comparison import clustered_se, influence, log_ratio, poisson_se
from peelian.errors import DesignError
from peelian.evaluate import cumulative_wdd, e_test, harm_wdd, scan, wdd, wdq


@pytest.fixture(scope="module")
def numbers(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "evaluate" / "wdd.json").read_text())


GROUPS = ("treated", "control", "displacement_treated", "displacement_control")


def of(
    row: dict[str, Any],
    *,
    areas: tuple[float, ...] = (1, 1, 1, 1),
    months: tuple[float, float] = (1, 1),
    level: float,
) -> Any:
    t, c, d, dc = (tuple(row.get(g, (0, 0))) for g in GROUPS)
    return wdd(t, c, displacement=d, displacement_control=dc, areas=areas, months=months, level=level)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("paper", 0.95), ("area_weights", 0.95), ("time_weights_2_1", 0.95), ("time_weights_60_12", 0.95),
        ("no_displacement_alpha_0.10", 0.90), ("displacement_alpha_0.10", 0.90), ("spreadsheet", 0.95),
    ],
)  # fmt: skip
def test_every_published_difference(numbers: dict[str, Any], name: str, level: float) -> None:
    row = numbers[name]
    result = row.get("result", row.get("result_alpha_0.05"))
    counts, areas = row, (1.0, 1.0, 1.0, 1.0)
    if name == "area_weights":
        counts = numbers["paper"]
        areas = tuple(row["weights"][g] for g in GROUPS)
    effect = of(counts, areas=areas, months=(row.get("before", 1), row.get("after", 1)), level=level)
    found = [
        effect.extra["local"], effect.extra["se_local"], effect.extra["displaced"],
        effect.extra["se_displaced"],
        effect.estimate, effect.extra["se"], effect.extra["z"], effect.low, effect.high,
        effect.extra["p_one_tailed"],
    ]  # fmt: skip
    keys = (
        "local",
        "se_local",
        "displaced",
        "se_displaced",
        "total",
        "se_total",
        "z",
        "low",
        "high",
        "p_one_tailed",
    )
    assert found == pytest.approx([result[k] for k in keys], abs=1e-6)


def test_simple_expectations(numbers: dict[str, Any]) -> None:
    rows = numbers["simple_expectations"]
    assert [of(r, level=0.95).estimate for r in rows] == [rows[0]["local"], rows[1]["total"]]


def test_harm_weighted(numbers: dict[str, Any]) -> None:
    crimes = numbers["harm"]["counts_treated_control"]
    effects = {name: of(row, level=0.95) for name, row in crimes.items()}
    total = harm_wdd(effects, {name: row["weight"] for name, row in crimes.items()})
    found = [
        total.estimate,
        total.extra["se"],
        total.extra["z"],
        total.low,
        total.high,
        effects["burglary"].extra["se"],
    ]
    keys = [numbers["harm"][k] for k in ("total", "se", "z", "low95", "high95")]
    assert found == pytest.approx([*keys, crimes["burglary"]["se"]], abs=1e-6)


def test_cumulative_week_by_week(numbers: dict[str, Any]) -> None:
    frame = cumulative_wdd(numbers["cumulative"]["treated"], numbers["cumulative"]["control"])
    for row in numbers["cumulative"]["rows"]:
        names = ("difference", "se", "low90", "high90", "irr", "irr_low90", "irr_high90")
        found = frame.loc[row["week"], [n.removesuffix("90") for n in names]].tolist()
        assert found == pytest.approx([row[n] for n in names], abs=1e-6)


def test_e_test(numbers: dict[str, Any]) -> None:
    for row in numbers["e_test"]:
        if row["p"] is None:
            with pytest.raises(DesignError):
                e_test(row["k1"], row["k2"])
        else:
            assert e_test(row["k1"], row["k2"], row["n1"], row["n2"], row["d"]) == pytest.approx(
                row["p"], abs=1e-9
            )


def test_scan(numbers: dict[str, Any]) -> None:
    for row in numbers["scan"]:
        assert scan(row["periods"], row["window"], row["mean_per_period"], row["count"]) == pytest.approx(
            row["p"], abs=1e-9
        )


def test_displacement_quotient(numbers: dict[str, Any]) -> None:
    paper, row = numbers["paper"], numbers["wdq_on_paper_counts"]
    found = wdq(tuple(paper["treated"]), tuple(paper["displacement_treated"]), tuple(paper["control"]))
    wanted = [row[k] for k in ("gross_effect", "net_effect", "success", "buffer", "wdq", "tne")]
    assert [found.gross, found.net, found.success, found.buffer, found.wdq, found.tne] == pytest.approx(
        wanted, abs=1e-9
    )


def test_two_by_two(numbers: dict[str, Any]) -> None:
    row = numbers["irr_2x2"]
    (t0, t1), (c0, c1) = row["treated"], row["control"]
    log = math.log(t1 / t0) - math.log(c1 / c0)
    se = poisson_se([t0], t1, [c0], [c1])
    plain = wdd((t0, t1), (c0, c1))
    found = [
        log,
        se,
        math.exp(log - 1.959963984540054 * se),
        math.exp(log + 1.959963984540054 * se),
        plain.estimate,
        plain.extra["se"],
    ]
    wanted = [row["log_irr"], row["se_poisson"], *row["ci95"], row["wdd"], row["wdd_se"]]
    assert found == pytest.approx(wanted, abs=1e-8)


def test_closed_form_is_poisson_with_area_and_month_effects(numbers: dict[str, Any]) -> None:
    row = numbers["panel_identity"]
    rng = np.random.default_rng(3)
    lam = rng.gamma(4, 1.25, 60)[:, None] * np.exp(rng.normal(0, 0.2, (60, 36)))
    y = rng.poisson(lam).astype(float)
    v, u = y[:, :24].sum(axis=1), y[:, 24:].sum(axis=1)
    treated = np.arange(60) < 15
    parts = [
        np.where(who, x, 0.0)[:, None]
        for who, x in ((treated, v), (treated, u), (~treated, v), (~treated, u))
    ]
    psi = influence(*parts)
    found = [
        log_ratio(v[:15], u[:15], v[15:], u[15:]).theta, clustered_se(psi, treated, correction="none"),
        clustered_se(psi, treated, correction="all"),
    ]  # fmt: skip
    wanted = [row["log_irr"], row["se_area_influence_no_correction"], row["se_n_over_n_minus_1"]]
    assert found == pytest.approx(wanted, abs=row["tolerance"])
