"""Tables, charts and the map of the plan's chapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.plan.power_tables import power_tables
from peelian.report import Block, Chart, Table
from peelian.words import percent, whole

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.plan.report import Findings
    from peelian.programme import Plan

SHOWN = 25  # areas printed; the file holds all


def area_list(plan: Plan, areas: Places, found: Findings) -> pd.DataFrame:
    """The chosen areas in order of risk by kit: kits and pounds added up, and how sure each is."""
    frame = plan.chosen
    label = name_column(areas)
    unit_cost = plan.summary["unit_cost"]
    table = frame[["rank", "households", "kits"]].copy()
    if label is not None:
        table.insert(1, "name", areas.frame[label].reindex(frame.index))
    table["cumulative_kits"] = frame["kits"].cumsum()
    if unit_cost is not None:
        table["cumulative_pounds"] = table["cumulative_kits"] * unit_cost
    if found.work is not None and found.work.months is not None:
        months = found.work.months.groupby("place")["month"].agg(["min", "max"]).astype(str)
        table["from"], table["line_reached"] = months["min"], months["max"]
    table["risk"] = frame["risk"]
    belief = found.belief
    table["prevented"] = frame["risk"] * belief.effect_years * (1 - belief.effect) * belief.reach
    table["chosen_in"] = found.steadiness["share"].reindex(frame.index)
    table["class"] = found.steadiness["class"].reindex(frame.index)
    return table.reset_index()


def name_column(areas: Places) -> str | None:
    """The column that names the areas, where the file has one: ``name``, or the finest of ``...NM``."""
    columns = [c for c in areas.frame.columns if str(c).lower() == "name" or str(c).upper().endswith("NM")]
    return max(columns, key=lambda c: areas.frame[c].nunique(), default=None)


def tables(plan: Plan, areas: Places, found: Findings) -> list[Block]:
    """The tables in the order in which they are read."""
    listed = area_list(plan, areas, found)
    shown = listed.head(SHOWN).drop(columns=["from", "line_reached", "prevented"], errors="ignore")
    first = f"The first {len(shown)} of {len(listed)}" if len(listed) > len(shown) else f"The {len(listed)}"
    formats = {
        "households": ",.0f", "kits": ",.0f", "cumulative_kits": ",.0f", "cumulative_pounds": "£,.2f",
        "risk": ",.1f", "chosen_in": ".0%",
    }  # fmt: skip
    blocks: list[Block] = [
        Table(
            "plan_areas", f"{first} areas in order of expected {found.crime} by kit",
            shown, {k: v for k, v in formats.items() if k in shown}, source=_source(plan),
            note="chosen_in: share of draws of the risk in which the area is chosen; risk: incidents a year. "
            "All areas are in areas.csv.",
        ),
        _edge(plan),
        _comparison(found),
    ]  # fmt: skip
    blocks += _promise(found) + _years(found) + _sources(found) + _placebo(found) + power_tables(found)
    if found.balance is not None:
        blocks.append(
            Table("plan_balance", "How alike the drawn areas and the rest of the pool are", found.balance,
                  dict.fromkeys(("treated", "control"), ",.1f") | {"difference": "+.2f"},
                  source=_source(plan), note="difference: in standard deviations; no p, for arms were drawn.")
        )  # fmt: skip
    if found.prices is not None:
        formats = {"without": ",.1f", "cost": ",.1f", "share": ".1%"}
        note = "without: incidents a year covered were this condition dropped and all others kept."
        title = "What each condition costs"
        blocks.append(Table("plan_prices", title, found.prices, formats, source=_source(plan), note=note))
    if found.drawn is not None:
        blocks.append(_flow(plan, found))
    return blocks + _scenarios(plan, areas, found) + _equity(plan, found) + _work(plan, found)


def _work(plan: Plan, found: Findings) -> list[Block]:
    """Kits by team and month, and when to order them."""
    done = found.work
    if done is None or done.months is None or done.orders is None:
        return []
    work = done.months.assign(month=done.months["month"].astype(str))
    by_month = work.groupby("month", as_index=False).agg(
        areas=("place", "nunique"), done=("done", "sum"), kits=("kits", "sum")
    )
    by_team = work.groupby("team", as_index=False).agg(
        areas=("place", "nunique"), kits=("kits", "sum"), first=("month", "min"), last=("month", "max")
    )
    orders = done.orders.astype({"order": str, "arrive": str})
    formats = dict.fromkeys(("areas", "done", "kits"), ",.0f")
    teams = [Table("plan_teams", "What each team brings out", by_team, {"areas": ",.0f", "kits": ",.0f"},
                   source=_source(plan), note="Area by area in schedule.csv.")]  # fmt: skip
    return [
        *(teams if len(by_team) > 1 else []),
        Table("plan_work", "Kits by month", by_month, formats, source=_source(plan),
              note="done: areas that reach the line in the month. Area by area in schedule.csv."),
        Table("plan_orders", "Kits to order", orders, {"kits": ",.0f"}, source=_source(plan),
              note="At most 3 months of work in the store; 3 % more for loss and damage."),
    ]  # fmt: skip


def _flow(plan: Plan, found: Findings) -> Table:
    """Who was assessed, eligible, left out and why, drawn: the boxes of a trial's flow chart."""
    import pandas as pd

    drawn = found.drawn
    assert drawn is not None
    frame, pool, out = plan.frame, len(drawn.units), len(drawn.left_out)
    nobody = int((frame["need"] == 0).sum())
    rows = [
        ("assessed", len(frame), "all areas of the study area"),
        ("left out: no homes or at the line already", nobody, "they need no kit"),
        (
            "left out: not in the pool",
            len(frame) - nobody - pool - out,
            "less risk by kit, or too near another",
        ),
        ("left out: the odd one of the pairs", out, ", ".join(drawn.left_out)),
        ("drawn", pool, f"design {drawn.kind}, list {drawn.hash[:12]}"),
        ("treated", int(drawn.treated.sum()), ""),
        ("the comparison", pool - int(drawn.treated.sum()), ""),
    ]
    frame = pd.DataFrame(rows, columns=["step", "areas", "remark"])
    return Table(
        "plan_flow", "From all areas to the two arms", frame, {"areas": ",.0f"}, source=_source(plan)
    )


def _scenarios(plan: Plan, areas: Places, found: Findings) -> list[Block]:
    """Other plans side by side: a table, and a map of where they differ."""
    from peelian import maps

    if found.scenarios is None:
        return []
    frame = found.scenarios
    if frame["start"].nunique() == 1:
        frame = frame.drop(columns="start")
    formats = {
        "areas": ",.0f", "kits": ",.0f", "risk_share": ".1%", "prevented": ",.0f", "low": ",.0f",
        "high": ",.0f", "less": ",.0f", "less_low": ",.0f", "less_high": ",.0f", "only_here": ",.0f",
        "pounds": "£,.0f", "worst": ".2f", "mde": ".1%",
    }  # fmt: skip
    note = (
        "less: fewer prevented than by this plan, on the same draws. only_here: areas that this plan does "
        "not treat. worst: the lowest share of kits over share of homes of any group. mde: smallest fall "
        "seen four times in five."
    )
    blocks: list[Block] = [
        Table("plan_scenarios", "Plans side by side", frame, {k: v for k, v in formats.items() if k in frame},
              source="the same draws for every plan", note=note),
    ]  # fmt: skip
    for at, (name, chosen) in enumerate(list(found.others.items())[1:], start=1):
        here, there = areas.index.isin(plan.chosen.index), areas.index.isin(chosen)
        words = _of_two(here, there, name)
        table = areas.frame[["geometry"]].assign(choice=words)
        spec = maps.areas_map(table, "choice", legend="chosen by", kind="categories",
                              order=["none", "both", "this plan alone", f"{name} alone"])  # fmt: skip
        both = int((here & there).sum())
        title = f"This plan and {name} share {whole(both)} areas"
        alt = (
            f"Map of {len(areas):,} areas: {both:,} are chosen by both, the others by one plan or by neither."
        )
        blocks.append(Chart(f"plan_scenario_{at}", title, spec, alt, source=_source(plan)))
    return blocks


def _of_two(here: Any, there: Any, name: str) -> Any:
    """Which of two plans chooses each area, in words."""
    import numpy as np

    return np.select([here & there, here, there], ["both", "this plan alone", f"{name} alone"], "none")


def _equity(plan: Plan, found: Findings) -> list[Block]:
    """Shares of kits by group, and what fairer ones cost."""
    formats = {
        "areas": ",.0f", "chosen": ",.0f", "households": ",.0f", "covered": ",.0f", "kits": ",.0f",
        "kits_share": ".1%", "household_share": ".1%", "risk_share": ".1%",
        "kits_per_1000_households": ",.1f", "kits_per_100_incidents": ",.0f", "ratio": ".2f", "low": ".2f",
        "high": ".2f",
    }  # fmt: skip
    note = (
        "ratio: share of kits over share of homes, 1 is parity, with the 95 % interval when areas are drawn "
        "again. risk_share: of expected incidents, as recorded; where fewer are reported, less is expected."
    )
    blocks: list[Block] = [
        Table(
            f"plan_equity_{at}", f"Kits by {name}: {whole((table['kits'] > 0).sum())} of {len(table)} groups",
            table, formats, source=_source(plan), note=note,
        )
        for at, (name, table) in enumerate(found.equity.items(), start=1)
    ]  # fmt: skip
    if found.unreported is not None:
        table = found.unreported.assign(
            entering=found.unreported["entering"].str.split(", ").str[:10].str.join(", ")
        )
        blocks.append(Table("plan_unreported", "Were crime in deprived areas not reported", table,
                            {"missing": ".0%", "enter": ",.0f", "leave": ",.0f"}, source=_source(plan),
                            note="missing: share of crime in the most deprived third that is in no record; "
                            "entering: the first ten. By the greedy rule, without conditions."))  # fmt: skip
    if found.frontier is not None:
        formats = {"norm": ".0%", "areas": ",.0f", "kits": ",.0f", "risk": ",.1f", "lost": ".1%",
                   "worst": ".2f", "gap": ".2%"}  # fmt: skip
        note = (
            "norm: every group gets at least this share of its share of homes, in kits; lost: of what the "
            "free choice covers; worst: the lowest ratio of any group. What cannot be kept is left out."
        )
        title = f"What fairer shares by {found.frontier_by} cost"
        blocks.append(Table("plan_frontier", title, found.frontier, formats, source=_source(plan), note=note))
    return blocks


def _source(plan: Plan) -> str:
    return f"risk fitted on {plan.fitted_on[0]} to {plan.fitted_on[1]}; households of the places file"


def _edge(plan: Plan) -> Table:
    import pandas as pd

    numbers = plan.summary
    rows = []
    for what, key in (("last that fits", "last_in"), ("first that does not", "first_out")):
        area = numbers[key]
        if area is not None:
            rows.append(
                {"area": what, "place": area["place"], "needs": area["need"], "risk": area["risk"],
                 "kits_short": area.get("kits_short", 0)}
            )  # fmt: skip
    frame = pd.DataFrame(rows, columns=["area", "place", "needs", "risk", "kits_short"])
    title = f"{whole(numbers['kits_left'])} of {whole(numbers['kits_limit'])} kits are left"
    formats = {"needs": ",.0f", "risk": ",.1f", "kits_short": ",.0f"}
    return Table("plan_edge", title, frame, formats, source=_source(plan))


def _comparison(found: Findings) -> Table:
    frame = found.comparison
    formats = {
        "areas": ",.0f", "kits": ",.0f", "pounds_each": "£,.0f", "risk_share": ".1%",
        "prevented": ",.0f", "low": ",.0f", "high": ",.0f", "less": ",.0f", "less_low": ",.0f",
        "less_high": ",.0f", "mde": ".1%",
    }  # fmt: skip
    formats = {name: words for name, words in formats.items() if name in frame}
    return Table(
        "plan_comparison",
        f"This plan covers {percent(frame['risk_share'].iloc[0])} of expected {found.crime}",
        frame, formats, source="the same draws for every plan",
        note="areas: those that reach the line. less: how many fewer are prevented than by this plan, with "
        "the 95 % interval of the difference. Kits spread over all homes bring no area to the line; they "
        "count here by the share of its need that each area gets. pounds_each: for one prevented, the "
        "middle. mde: smallest fall seen four times in five, by the formula; blank where nobody is left to "
        "compare with.",
    )  # fmt: skip


def _promise(found: Findings) -> list[Block]:
    if found.needed is None or found.promise is None:
        return []
    title = f"What {whole(found.promise)} fewer incidents would need"
    note = (
        "needed: share by which crime in the chosen areas must fall at first. Above 100 %: it cannot be met."
    )
    return [
        Table("plan_promise", title, found.needed, {"needed": ".1%"}, source=found.promise_words, note=note)
    ]


def _sources(found: Findings) -> list[Block]:
    frame = found.expected.by_source[["source", "median", "low", "high"]]
    formats = dict.fromkeys(("median", "low", "high"), ",.0f")
    widest = (
        frame.iloc[1:].assign(width=lambda f: f["high"] - f["low"]).sort_values("width")["source"].iloc[-1]
    )
    return [
        Table(
            "plan_uncertainty", f"Most of the uncertainty comes from {widest}", frame, formats,
            source=found.effect_source, note="Incidents prevented were only that one thing uncertain.",
        )
    ]  # fmt: skip


def _years(found: Findings) -> list[Block]:
    """What is expected in each year, where more than one is counted."""
    from peelian.plan.expect import by_year

    if found.belief.years <= 1:
        return []
    formats = {"share": ".1%", "prevented": ",.0f", "low": ",.0f", "high": ",.0f"}
    note = "A year's part of all that is prevented: kits not yet out and effects that are gone give nothing."
    frame = by_year(found.belief, found.expected)
    title = "What may be expected in each year"
    return [Table("plan_years", title, frame, formats, source=found.effect_source, note=note)]


def _placebo(found: Findings) -> list[Block]:
    if found.placebo is None:
        return []
    frame = found.placebo.frame.assign(chosen_to=found.placebo.frame["chosen_to"].astype(str))
    note = (
        "Change of the chosen areas against all others, less one; nothing was done to them. same_year: the "
        f"year chosen on is the baseline. clean_year: {found.placebo.gap_months} months lie between. Chosen "
        "on the year's count by kit, greedy, with this plan's kits."
    )
    title = "What areas chosen like this did in earlier years with no programme"
    formats = {"areas": ",.0f", "same_year": "+.1%", "clean_year": "+.1%"}
    return [Table("plan_placebo", title, frame, formats, source="recorded counts", note=note)]


# -------------------------------------------------------------------- drawn
def charts(plan: Plan, areas: Places, found: Findings) -> list[Block]:
    """The map of the chosen areas, and how much crime each further kit covers."""
    return [_map(plan, areas, found), _curve(plan, found)]


def map_frame(plan: Plan, areas: Places) -> pd.DataFrame:
    """The areas' shapes with arm, kits, risk and rank; ``choice`` in words for the legend."""
    frame = areas.frame[["geometry"]].join(plan.frame[["arm", "kits", "households", "risk", "rank", "need"]])
    words = {"treated": "chosen", "control": "not chosen"}
    frame["choice"] = frame["arm"].map(words)
    return frame[["choice", "arm", "kits", "need", "households", "risk", "rank", "geometry"]]


def _map(plan: Plan, areas: Places, found: Findings) -> Chart:
    from peelian import maps

    frame = map_frame(plan, areas).assign(chosen=lambda f: f["arm"] == "treated")
    share = percent(plan.summary["risk_share"])
    title = f"The {whole(len(plan.chosen))} chosen areas hold {share} of expected {found.crime}"
    spec = maps.areas_map(frame, "risk", legend=f"expected {found.crime} a year", outline="chosen")
    top = plan.chosen.index[0]
    alt = (
        f"Map of {len(frame):,} areas by what is expected in them, {len(plan.chosen):,} of them chosen. The "
        f"first in order is {top}, the last {plan.chosen.index[-1]}."
    )
    return Chart("plan_map", title, spec, alt, source=_source(plan), note="Thick border: chosen.")


def _curve(plan: Plan, found: Findings) -> Chart:
    import numpy as np
    import pandas as pd

    from peelian import charts

    ordered = plan.frame[plan.frame["risk"] > 0]
    ordered = ordered.loc[
        (ordered["risk"] / ordered["need"]).sort_values(ascending=False, kind="stable").index
    ]
    at = np.unique(np.linspace(0, len(ordered) - 1, 60).astype(int))
    frame = pd.DataFrame(
        {
            "kits": ordered["need"].cumsum().to_numpy()[at],
            "share": 100 * ordered["risk"].cumsum().to_numpy()[at] / plan.summary["risk_total"],
        }
    )
    frame = pd.concat([pd.DataFrame({"kits": [0], "share": [0.0]}), frame], ignore_index=True)
    limit = plan.summary["kits_limit"]
    half = frame.loc[(frame["share"] >= 50).idxmax(), "kits"]
    title = f"Half of expected {found.crime} would need about {whole(half)} kits; the plan has {whole(limit)}"
    spec = charts.lines(
        frame, "kits", "share", x_title="kits, areas in order of risk by kit",
        y_title=f"share of expected {found.crime} covered, %", rules=[(limit, "this plan")],
    )  # fmt: skip
    covered = percent(plan.summary["risk_share"])
    alt = f"A curve that rises from 0 and flattens: {whole(limit)} kits cover {covered}."
    formats = {"kits": ",.0f", "share": ".1f"}
    return Chart("plan_curve", title, spec, alt, frame, formats, source=_source(plan))
