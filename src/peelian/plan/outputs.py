"""The files of a plan, for the next stages and for people; nothing in them depends on the clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from peelian.plan.scenarios import decision_paper
from peelian.plan.tables import area_list, map_frame
from peelian.plan.trial import assignment_list
from peelian.protocol import draft_text
from peelian.report import Table

if TYPE_CHECKING:
    import pandas as pd

    from peelian.arithmetic.drawing import Assignment
    from peelian.maps import Layered
    from peelian.places import Places
    from peelian.plan.report import Findings
    from peelian.programme import Plan
    from peelian.report import Section

PROGRAMME = (
    "place", "arm", "start", "end", "kits", "households", "selected_on", "assigned_by", "block",
    "probability",
)  # fmt: skip


def files(plan: Plan, areas: Places, found: Findings, *, marking: str = "OFFICIAL") -> dict[str, Any]:
    """File name -> content: plan.json, protocol.toml (a draft), decision.md, areas.csv, programme.csv, ..."""
    work = _work(plan, areas, found, marking)
    if found.drawn is not None:
        work["assignment.csv"] = assignment_list(found.drawn)
    return work | {
        "plan.json": plan_json(plan, found),
        "protocol.toml": draft_text(_with_hash(plan, found)),
        "decision.md": decision_paper(plan, areas, found),
        "areas.csv": area_list(plan, areas, found),
        "programme.csv": programme_csv(
            plan,
            found.drawn,
            None if found.work is None else found.work.months,
            step_months=found.parameters["step_months"],
        ),
        "plan.gpkg": _layers(plan, areas, found),
    }


def _layers(plan: Plan, areas: Places, found: Findings) -> Layered:
    """The areas; where asked for, areas to compare with, the buffer, streets and signs: all with styles."""
    import geopandas as gpd

    from peelian.maps import Layered, Style
    from peelian.plan.constraints import comparators

    layers = {"areas": map_frame(plan, areas)}
    styles = {"areas": Style("choice", "categories", "area")}
    metres = found.parameters.get("buffer")
    if metres:
        around = areas.select(plan.chosen.index).geometry.buffer(metres).union_all()
        inside = areas.select(plan.chosen.index).geometry.union_all()
        layers["buffer"] = gpd.GeoDataFrame({"metres": [metres]}, geometry=[around - inside], crs=areas.crs)
        far = comparators(plan.frame, areas, metres)
        layers["controls"] = layers["areas"].loc[far]
        styles["controls"] = Style("risk", "sequential", "expected a year")
    tables = {} if found.work is None else {"streets": found.work.streets, "signs": found.work.signs}
    for name, table in tables.items():
        if table is not None and len(table):
            points = gpd.points_from_xy(table["x"], table["y"], crs=areas.crs)
            layers[name] = gpd.GeoDataFrame(table.drop(columns=["x", "y"]), geometry=points)
    if "streets" in layers:
        styles["streets"] = Style("kits", "sequential", "kits")
    if "signs" in layers:
        styles["signs"] = Style("kind", "categories", "sign")
    return Layered(layers, styles)


def _work(plan: Plan, areas: Places, found: Findings, marking: str) -> dict[str, Any]:
    """The tables of the work, and the lists of every team and ward in the kinds asked for."""
    from peelian.plan.lists import page, sheets

    done = found.work
    if done is None:
        return {}
    tables = {
        "schedule.csv": done.months, "orders.csv": done.orders, "streets.csv": done.streets,
        "rounds.csv": done.rounds, "signs.csv": done.signs, "shops.csv": done.shops,
    }  # fmt: skip
    made: dict[str, Any] = {
        name: _months_as_text(table) for name, table in tables.items() if table is not None
    }
    kinds = found.parameters.get("lists", ())
    for sheet in sheets(plan, areas, found) if kinds else ():
        if "html" in kinds:
            made[f"lists/{sheet.name}.html"] = page(sheet, marking=marking)
        if "docx" in kinds:
            from peelian.plan.lists_word import document

            made[f"lists/{sheet.name}.docx"] = document(sheet, marking=marking)
    return made


def _months_as_text(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        **{name: table[name].astype(str) for name in ("month", "order", "arrive") if name in table.columns}
    )


def programme_csv(
    plan: Plan, drawn: Assignment | None = None, months: pd.DataFrame | None = None, *, step_months: int = 3
) -> pd.DataFrame:
    """The plan as ``read_programme`` reads it: every area, with the months its choice rests on.

    ``months`` of ``schedule``: an area starts in its first month there; without it in the plan's first.
    ``end``, ``assigned_by``, ``block`` and ``probability`` stay blank where areas were chosen. Of a
    draw, the pool's two arms stand with block and probability, and all other areas are excluded. Areas drawn
    outside the list (``explored``) carry their chance; those of a stepped wedge their step.
    """
    frame = plan.frame.reset_index()
    first = {} if months is None else months.groupby("place")["month"].min().astype(str).to_dict()
    frame["start"] = [
        first.get(place, str(plan.start)) if arm == "treated" else ""
        for place, arm in zip(frame["place"], frame["arm"], strict=True)
    ]
    frame["selected_on"] = f"{plan.fitted_on[0]}..{plan.fitted_on[1]}"
    for name in ("end", "assigned_by", "block", "probability"):
        frame[name] = ""
    if "explored" in plan.summary:
        outside = frame["place"].isin(plan.summary["explored"])
        chance = f"{plan.summary['explored_chance']:.6f}"
        frame["block"] = ["explored" if drawn_here else "" for drawn_here in outside]
        frame["probability"] = [chance if drawn_here else "" for drawn_here in outside]
    if drawn is not None and drawn.kind == "stepped_wedge":
        step = dict(zip(drawn.units, drawn.step, strict=True))
        frame["block"] = [f"step {step[p]}" if p in step else "" for p in frame["place"]]
        if months is None:
            frame["start"] = [str(plan.start + (int(step[p]) - 1) * step_months) if p in step else ""
                              for p in frame["place"]]  # fmt: skip
    elif drawn is not None:
        at = {unit: number for number, unit in enumerate(drawn.units)}
        inside = frame["place"].isin(at)
        frame["arm"] = frame["arm"].where(inside, "excluded")
        frame["block"] = [drawn.design.block[at[p]] if p in at else "" for p in frame["place"]]
        frame["probability"] = [str(drawn.probability[at[p]]) if p in at else "" for p in frame["place"]]
    return frame[list(PROGRAMME)]


def plan_json(plan: Plan, found: Findings) -> dict[str, Any]:
    """The decision as plain values, with the SHA-256 of its canonical form as ``hash``."""
    chosen = plan.chosen
    content: dict[str, Any] = {
        "areas": [
            {"place": place, "rank": int(row["rank"]), "kits": int(row["kits"]),
             "households": int(row["households"]), "risk": float(row["risk"])}
            for place, row in chosen.iterrows()
        ],
        "fitted_on": [str(plan.fitted_on[0]), str(plan.fitted_on[1])],
        "start": str(plan.start),
        "gap_months": plan.gap_months,
        "clean_months": plan.clean_months,
        "overlaps_baseline": plan.overlaps_baseline,
        "saturation": plan.saturation,
        "selection_rule": "most expected incidents a year under the limit of kits, areas whole or not at all",
        "parameters": found.parameters,
        "solver": {k: v for k, v in plan.summary.items() if k != "seconds"},
        "seed": plan.seed,
    } | _found(found)  # fmt: skip
    frozen = None if found.frozen is None else found.frozen.sha256
    return content | {"hash": canonical_hash(content), "protocol": frozen}


def hash_of(held: dict[str, Any]) -> str:
    """The hash that the content of a plan.json has, whatever it states."""
    return canonical_hash({k: v for k, v in held.items() if k not in ("hash", "protocol")})


def _with_hash(plan: Plan, found: Findings) -> dict[str, Any]:
    """The evaluation plan, which names the plan by its hash."""
    named = {"plan": plan_json(plan, found)["hash"], **found.protocol.get("hashes", {})}
    return found.protocol | {"hashes": named}


def canonical_hash(content: dict[str, Any]) -> str:
    """SHA-256 of the content as JSON with sorted keys, no spaces, UTF-8.

    >>> canonical_hash({"b": 1, "a": 2}) == canonical_hash({"a": 2, "b": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _found(found: Findings) -> dict[str, Any]:
    held = found.expected
    return {
        "expected": {
            "prevented": held.median, "low": held.low, "high": held.high, "years": found.belief.years,
            "pounds_each": None if held.pounds is None else list(held.pounds), "nothing": held.nothing,
            "effect": found.belief.effect, "effect_source": found.effect_source, "fade": found.belief.fade,
        },
        "promise": None if found.needed is None else {
            "prevented": found.promise, "from": found.promise_words, "needs": found.needed.to_dict("records"),
        },
        "trial": None if found.drawn is None else {
            "design": found.drawn.kind, "seed": found.drawn.seed, "attempt": found.drawn.attempt,
            "pool": list(found.drawn.units), "left_out": list(found.drawn.left_out), "hash": found.drawn.hash,
        },
        "placebo": _placebo(found),
        "can_see": found.can_see,
        "mde": None if found.visible is None else found.visible.mde,
        "phi": None if found.visible is None else found.visible.phi,
    }  # fmt: skip


def _placebo(found: Findings) -> dict[str, Any] | None:
    if found.placebo is None:
        return None
    names = ("same_year", "clean_year")
    means = {name: _number(found.placebo.mean(name)) for name in names}
    spreads = {f"{name}_sd": _number(found.placebo.sd(name)) for name in names}
    return {**means, **spreads, "years": len(found.placebo.frame)}


def _number(value: float) -> float | None:
    return value if value == value else None


# part of the plan -> how its tables' names begin, and those of its files
PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "allocate": (
        ("plan_areas", "plan_edge", "plan_comparison", "plan_prices"),
        ("areas.csv", "programme.csv", "plan."),
    ),
    "trial": (("plan_balance", "plan_flow"), ("assignment.csv",)),
    "expect": (
        ("plan_promise", "plan_uncertainty", "plan_comparison", "plan_scenarios", "plan_years"),
        ("decision.md",),
    ),
    "power": (("plan_power", "plan_placebo", "plan_rehearsal"), ()),
    "equity": (("plan_equity", "plan_frontier", "plan_unreported"), ()),
    "schedule": (("plan_teams", "plan_work", "plan_orders"), ("schedule.csv", "orders.csv")),
    "streets": ((), ("streets.csv", "rounds.csv", "lists/")),
    "signs": ((), ("signs.csv", "shops.csv")),
    "protocol": ((), ("protocol.toml",)),
}


def _tables(section: Section) -> list[str]:
    return [block.name for block in section.blocks if isinstance(block, Table)]


def summary(plan: Plan, found: Findings, section: Section, made: Iterable[str]) -> dict[str, Any]:
    """The headline numbers, seconds of the solver included; and of each part its sentences, tables, files."""
    from peelian.plan import report

    numbers = plan.summary
    keys = ("areas", "kits_used", "kits_left", "risk", "risk_share", "cost", "status", "gap", "seconds")
    return {
        "plan": str(plan),
        **{key: numbers[key] for key in keys},
        "start": str(plan.start),
        "fitted_on": [str(plan.fitted_on[0]), str(plan.fitted_on[1])],
        "prevented": found.expected.median,
        "prevented_low": found.expected.low,
        "prevented_high": found.expected.high,
        "mde": None if found.visible is None else found.visible.mde,
        "can_see": found.can_see,
        "hash": plan_json(plan, found)["hash"],
        "parts": {
            name: {
                "sentences": words,
                "tables": [table for table in _tables(section) if table.startswith(PARTS[name][0])],
                "files": [file for file in made if file.startswith(PARTS[name][1])],
            }
            for name, words in report.parts(plan, found).items()
        },
    }
