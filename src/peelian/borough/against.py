"""The planted truth beside the findings: what the demo prints last."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.words import percent

if TYPE_CHECKING:
    from peelian.report import Section

Row = dict[str, str]
CLAIMS = ("PREVENTED", "PROBABLY", "DISPLACED")


def against_truth(truth: dict[str, Any], folder: Path) -> list[Row]:
    """Rows of ``what``, ``truth``, ``found`` and ``agrees`` from a project's outputs.

    ``truth``   what ``truth.json`` holds; ``folder`` of a project that has run.

    A row agrees where the finding is what an honest analysis of this borough must find: the planted
    factors and no others, the true effect inside its interval, the displacement seen, and the figures that
    mislead shown as misleading. A stage that has nothing to say gives a row that says so.
    """
    rows: list[Row] = []
    terms = _table(folder / "explain" / "terms.csv")
    if terms is not None:
        rows += _factors(truth, terms)
    assessment = _json(folder / "evaluate" / "assessment.json")
    if assessment is not None:
        rows += _effect(truth, assessment) + _displacement(truth, assessment)
        rows += [_saturation(truth, folder)]
        rows += _phases(truth, assessment)
    return rows


def truth_section(path: Path, folder: Path) -> tuple[Section, list[Row]]:
    """The chapter that lays the truth of a simulated borough beside the findings, and its rows."""
    import pandas as pd

    from peelian.report import Section, Table, Text

    rows = against_truth(json.loads(path.read_text(encoding="utf-8")), folder)
    agreed = sum(row["agrees"] == "yes" for row in rows)
    frame = pd.DataFrame(rows).rename(columns=str.capitalize)
    blocks = (
        Text(f"This borough is simulated, so its truth is known: {agreed} of {len(rows)} findings agree."),
        Table("truth", "What was planted, and what was found", frame, source="truth.json of the simulation"),
        Text(
            "A 95 % interval misses the truth in about 1 of 20 boroughs, so another seed may not agree "
            "everywhere.",
            "note",
        ),
    )
    question = "Does the analysis find what was planted, and nothing else?"
    return Section("truth", "Against the truth", question, blocks), rows


def _row(what: str, truth: str, found: str, agrees: bool) -> Row:
    return {"what": what, "truth": truth, "found": found, "agrees": "yes" if agrees else "no"}


def _factors(truth: dict[str, Any], terms: list[dict[str, str]]) -> list[Row]:
    planted = {factor["category"]: factor for factor in truth["factors"]["planted"]}
    reported = {row["factor"]: row for row in terms if row["verdict"] == "report"}
    weak = [row["factor"] for row in terms if row["verdict"] == "weak"]
    told = "; ".join(
        f"{_words(name)} x {f['relative_risk']:g} within {f['reach']:.0f} m" for name, f in planted.items()
    )
    found = "; ".join(_times(reported[name]) for name in planted if name in reported)
    idle = truth["factors"]["idle"]
    false = [name for name in idle if name in reported]
    seen = f"reported: {', '.join(map(_words, false))}" if false else "none reported"
    if weak:
        seen += f" (called weak: {', '.join(map(_words, weak))})"
    return [
        _row("Planted risk factors are found", told, found or "none", planted.keys() <= reported.keys()),
        _row("Idle features are not reported", f"{len(idle)} go with nothing", seen, not false),
    ]


def _times(term: dict[str, str]) -> str:
    times, low, high = (float(term[name]) for name in ("times", "robust_low", "robust_high"))
    return f"{_words(term['factor'])} x {times:.2f} ({low:.2f} to {high:.2f})"


def _effect(truth: dict[str, Any], assessment: dict[str, Any]) -> list[Row]:
    year = truth["effect"]["months_1_12"]
    ratio, prevented = assessment["headline"], assessment["prevented"]
    inside = ratio["low"] <= year["ratio"] <= ratio["high"]
    counted = prevented["low"] <= year["prevented"] <= prevented["high"]
    rows = [
        _row(
            "The effect on burglary in treated areas, first 12 months", f"ratio {year['ratio']:.3f}",
            f"{ratio['estimate']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})", inside,
        ),
        _row(
            "Burglaries prevented there", f"{year['prevented']:,}",
            f"{prevented['estimate']:,.0f} ({prevented['low']:,.0f} to {prevented['high']:,.0f})", counted,
        ),
    ]  # fmt: skip
    return rows


def _displacement(truth: dict[str, Any], assessment: dict[str, Any]) -> list[Row]:
    ring = truth["displacement"]["ring_year_from_first_start"]
    first = next((row for row in assessment["rings"] if row["ring"].startswith("0-")), None)
    if first is None:
        return [
            _row(
                "Some of it moved next door",
                f"ratio {ring['ratio']:.3f} in the first ring",
                "not held",
                False,
            )
        ]
    inside = first["low"] <= ring["ratio"] <= first["high"]
    found = f"{first['estimate']:.3f} ({first['low']:.3f} to {first['high']:.3f})"
    true = f"ratio {ring['ratio']:.3f} in the first ring"
    return [_row("Some of it moved next door", true, found, inside and first["low"] > 1)]


def _saturation(truth: dict[str, Any], folder: Path) -> Row:
    """Homes with a kit in the well planned areas, at the end; the same counts, so all but equal."""
    true = truth["saturation"]["phase_a_by_month"]["12"]
    places = set(truth["phases"]["A"]["places"])
    last: dict[str, tuple[float, float]] = {}
    for row in _table(folder / "deliver" / "saturation.csv") or []:
        if row["place"] in places:
            last[row["place"]] = (float(row["delivered"]), float(row["households"]))
    homes = sum(held for _, held in last.values())
    share = sum(kits for kits, _ in last.values()) / homes if homes else float("nan")
    return _row("Homes with a kit in treated areas", percent(true), percent(share), abs(share - true) < 0.001)


def _phases(truth: dict[str, Any], assessment: dict[str, Any]) -> list[Row]:
    rows = []
    for name, phase in assessment.get("phases", {}).items():
        if "verdict" not in phase:
            rows.append(_row(f"{name}, badly planned", "no effect", phase["not_held"], False))
            continue
        true = truth["effect"]["phase_b_ratio"] - 1
        naive = phase["placebo"]["rows"][0]["estimate"] - 1
        rows.append(
            _row(
                f"{name}, badly planned: what a before and after figure says", percent(true),
                f"{percent(naive)}, and shown as misleading", naive < -0.08,
            )
        )  # fmt: skip
        verdict = phase["verdict"]
        rows.append(
            _row(
                f"{name}, badly planned: the verdict", "no effect, so no claim of one", verdict["words"],
                verdict["code"] not in CLAIMS,
            )
        )  # fmt: skip
    return rows


def _words(name: str) -> str:
    return name.replace("_", " ")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _table(path: Path) -> list[dict[str, str]] | None:
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
