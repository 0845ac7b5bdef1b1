"""Totals beside the headline: further phases of the programme, and larger areas counted two ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peelian.evaluate import words
from peelian.evaluate.blocks import RATIO_FORMATS
from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    import pandas as pd


def phase_table(phases: Mapping[str, Mapping[str, Any]] | None, *, crime: str) -> list[Block]:
    """Further phases of the programme, evaluated in the same way."""
    import pandas as pd

    if not phases:
        return []
    rows = []
    for name, told in phases.items():
        if "verdict" not in told:
            rows.append((name, "Not held: " + str(told.get("not_held", "")), None, None, None, ""))
            continue
        h, fired = told["headline"], [c["id"] for c in told["checks"] if c["fired"]]
        rows.append((name, told["verdict"]["words"], h["estimate"], h["low"], h["high"], ", ".join(fired)))
    frame = pd.DataFrame(rows, columns=["Phase", "Verdict", "ratio", "low", "high", "Guards that fired"])
    frame[["ratio", "low", "high"]] = frame[["ratio", "low", "high"]].astype(float)
    title = f"Further phases: {'; '.join(f'{r[0]}: {r[1]}' for r in rows)}"
    blocks: list[Block] = [
        Table(
            "evaluate_phases",
            title,
            frame,
            RATIO_FORMATS,
            note="Each phase by the same rule, with its own windows.",
        )
    ]
    for name, told in phases.items():
        shown = [c for c in told.get("checks", []) if c["fired"] and c["id"] in ("G1", "G2")]
        blocks += [Text(f"{name}: {told['headline']['sentence']}", "plain")] if "headline" in told else []
        blocks += [Text(f"{name}, {c['id']}: {c['sentence']}", "warning") for c in shown]
    return blocks


def phase_sentences(phases: Mapping[str, Mapping[str, Any]] | None) -> list[str]:
    """One sentence a further phase: the verdict, and what its treated areas alone would have claimed."""
    out = []
    for name, told in (phases or {}).items():
        if "verdict" not in told:
            continue
        sentence = told["headline"]["sentence"]
        if told["verdict"]["code"] in ("SELECTION", "CANNOT_TELL", "NO_DIFFERENCE"):
            alone = told["placebo"]["rows"][0]["estimate"] - 1
            sentence = (
                "A before-and-after figure of its treated areas alone would have said "
                f"{words.percent(1 + alone)}, and would have misled."
            )
        out.append(f"{name}: {told['verdict']['words'].lower()}. {sentence}")
    return out


def group_table(
    counts: pd.DataFrame | None, *, groups: str | None, by: str, crime: str, published: bool
) -> list[Block]:
    """Totals of larger areas, counted by the point and by the published code."""
    if counts is None or not len(counts):
        return []
    keys = ["group", "arm"] if "arm" in counts else ["group"]
    wide = counts.pivot_table(
        index=keys, columns="by", values=["before", "after"], aggfunc="sum", observed=True
    )
    ways = [w for w in ("point", "code") if w in set(counts["by"])]
    wide = wide[[(when, way) for way in ways for when in ("before", "after")]]
    names = {"point": "by point", "code": "by code"}
    wide.columns = [f"{when.capitalize()}, {names[way]}" for when, way in wide.columns]
    frame = wide.reset_index().rename(columns={"group": "Group", "arm": "Arm"})
    columns = [c for c in frame.columns if c not in ("Group", "Arm")]
    if "Arm" in frame:
        frame = _with_totals(frame, columns)
    title = (
        "Totals by ward group, counted by the point and by the published LSOA code"
        if len(ways) > 1
        else "Totals by ward group"
    )
    note = f"Grouped by {groups}. " if groups else ""
    note += f"The headline uses the {by}." if by else ""
    return [
        Table("evaluate_groups", title, frame, dict.fromkeys(columns, ",.0f"), counts=tuple(columns),
            published=published, note=note.strip())
    ]  # fmt: skip


def _with_totals(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One total a line for each arm, above the single groups."""
    import pandas as pd

    total = frame.groupby("Arm", sort=False)[columns].sum().reset_index()
    many = frame["Arm"].value_counts()
    total.insert(0, "Group", [f"All {many[a]} {a}" for a in total["Arm"]])
    order = {"treated": 0, "excluded": 1, "control": 2}
    by_arm = lambda part: part.sort_values("Arm", key=lambda a: a.map(order), kind="stable")  # noqa: E731
    return pd.concat([by_arm(total), by_arm(frame)], ignore_index=True)
