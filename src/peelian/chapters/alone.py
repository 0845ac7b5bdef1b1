"""An evaluation without a project folder: a panel of counts and a programme, as two files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from peelian.errors import DataError, some
from peelian.programme import Programme, read_programme
from peelian.report import Outcome

if TYPE_CHECKING:
    import pandas as pd

    from peelian.panel import Panel
    from peelian.places import Places

NAMES = ("place", "area", "LSOA11CD", "LSOA21CD", "MSOA11CD", "MSOA21CD")


def evaluate_files(
    panel: Path | str, programme: Path | str, *, places: Path | str | None = None,
    protocol: Path | str | None = None, seed: int = 1829, crime: str = "crime", randomised: bool = False,
    gaps_are_zero: bool = False,
) -> Outcome:  # fmt: skip
    """The default analysis of a table of counts: what ``peelian evaluate --panel`` runs.

    ``panel``          CSV with ``place`` (or ``area``), ``month`` (2016-03), ``count``; optional
                       ``households``, ``saturation``; every further column of numbers is another outcome.
    ``programme``      the CSV of a project's programme: place, arm, start, selected_on, ...
    ``places``         shapes of the areas; without them there are no rings, and guard G9 says so.
    ``protocol``       the frozen evaluation plan. ``randomised``: areas were drawn by lot.
    ``gaps_are_zero``  area-months that the file lacks are none, because the force says so.

    Raises ``DataError`` for a file that is absent or wrong.
    """
    from peelian.evaluate import run as stage

    for file in (panel, programme, places, protocol):
        if file is not None and not Path(file).is_file():
            raise DataError(f"{file}: there is no such file. Give the path of one that is there.")
    frame, note = _counts(Path(panel), gaps_are_zero=gaps_are_zero)
    shapes = None if places is None else _shapes(Path(places), frame.index.unique("place"))
    plan = Programme(Path(programme).stem, areas=read_programme(Path(programme)), randomised=randomised)
    built = _built(frame, plan, shapes, crime, f"{Path(panel).name}{note}")
    parameters = stage.Parameters(protocol="" if protocol is None else str(Path(protocol).resolve()))
    return stage.run(built, shapes, parameters, programme=plan, seed=seed, crime=crime)


def _counts(path: Path, *, gaps_are_zero: bool) -> tuple[pd.DataFrame, str]:
    """The table on (place, month), and what was filled in, in words."""
    import pandas as pd

    frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    place = next((name for name in NAMES if name in frame), None)
    lacking = [name for name in ("month", "count") if name not in frame]
    if place is None or lacking:
        needed = some([*([] if place else ["place"]), *lacking])
        raise DataError(f"{path}: has no column {needed}; it has {some(frame.columns, 20)}. Rename one.")
    months = _months(frame["month"], path)
    index = pd.MultiIndex.from_arrays([frame.pop(place), months], names=["place", "month"])
    out = pd.DataFrame(
        {name: _numbers(frame[name], path, index) for name in frame if name != "month"}
    ).set_axis(index)
    twice = index.duplicated()
    if twice.any():
        first = some([f"{p} {m}" for p, m in index[twice][:3]])
        raise DataError(
            f"{path}: {int(twice.sum()):,} area-months stand twice, first {first}. Leave one row of each."
        )
    whole = pd.MultiIndex.from_product(
        [sorted(index.unique("place")), pd.period_range(months.min(), months.max(), freq="M")],
        names=["place", "month"],
    )
    gaps = whole.difference(index)
    if len(gaps) and not gaps_are_zero:
        first = f"{gaps[0][0]} {gaps[0][1]}"
        raise DataError(
            f"{path}: lacks {len(gaps):,} area-months (first {first}). A missing month is a gap, not zero "
            "crime. Pass --gaps-are-zero only if the force says that no record means no crime."
        )
    note = f"; {len(gaps):,} area-months that it lacks taken as none, as told" if len(gaps) else ""
    fill = dict.fromkeys((c for c in out if c not in ("households", "saturation")), 0.0)
    return out.reindex(whole).fillna(fill), note


def _months(texts: pd.Series, path: Path) -> pd.PeriodIndex:
    import pandas as pd

    good = texts.str.fullmatch(r"\d{4}-(0[1-9]|1[0-2])(-\d\d)?")
    if not good.all():
        raise DataError(
            f"{path}: {int((~good).sum()):,} months are not written like 2016-03; first "
            f"{some([repr(t) for t in texts[~good]], 3)}. Write year and month so."
        )
    return pd.PeriodIndex(texts.str[:7], freq="M")


def _numbers(texts: pd.Series, path: Path, index: pd.MultiIndex) -> pd.Series:
    import pandas as pd

    values = pd.to_numeric(texts.replace("", None), errors="coerce").to_numpy(float)
    optional = texts.name in ("households", "saturation")
    wrong = ~(values >= 0) & ~((texts == "").to_numpy() & optional)
    if wrong.any():
        first = some([f"{p} {m}: {t!r}" for (p, m), t in zip(index[wrong][:3], texts[wrong], strict=False)])
        raise DataError(
            f"{path}: {int(wrong.sum()):,} values of {texts.name} are no number of 0 or above "
            f"(first {first}). Mend them in the file."
        )
    return pd.Series(values)


def _shapes(path: Path, ids: pd.Index) -> Places:
    """The file's areas by the column that holds the panel's ids."""
    from peelian.read.areas import areas, spatial

    held = spatial(path)
    match = [c for c in held.columns if c != held.geometry.name and ids.isin(held[c].astype(str)).all()]
    if not match:
        names = some([c for c in held.columns if c != held.geometry.name], 20)
        raise DataError(
            f"{path}: no column holds all ids of the panel, such as {ids[0]}; it has {names}. "
            "Give shapes with these ids."
        )
    homes = next((c for c in ("households", "HHOLDS") if c in held), None)
    found = areas(path, id=match[0], households=homes)
    return found.select(ids)


def _built(frame: pd.DataFrame, plan: Programme, places: Places | None, crime: str, source: str) -> Panel:
    from peelian.panel import Panel

    known = {"count", "households", "saturation"}
    homes = frame["households"].groupby(level="place").first() if "households" in frame else None
    return Panel.build(
        frame["count"], plan, places, outcome=crime, source=source, by="code", households=homes,
        saturation=frame.get("saturation"),
        others={name: frame[name] for name in frame if name not in known},
    )  # fmt: skip
