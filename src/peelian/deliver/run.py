"""Runs the deliver stage: from a file of deliveries to saturation by area and street."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from peelian.errors import DataError
from peelian.report import Outcome, Section, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.deliver.report import Delivered
    from peelian.deliver.tables import Deliveries
    from peelian.places import Places
    from peelian.programme import Programme


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Parameters:
    """The ``[deliver]`` table.

    ``deliveries``     file of counts: place, month, kits, optional street and dwellings.
    ``recoveries``     file of recovered items: month and what is recorded of examined, marked, traced,
                       returned and value.
    ``saturation``     share of homes that is the line; without it, that of ``[programme]``.
    ``recent_months``  months whose pace the forecast of the line rests on.
    """

    deliveries: str | None = None
    recoveries: str | None = None
    saturation: Annotated[float, Field(gt=0, le=1)] | None = None
    recent_months: Annotated[int, Field(gt=0)] = 3


QUESTION = "How saturated is each area and street, when is the line reached, and what came back?"


def run(
    deliveries: str | Path | None,
    areas: Places,
    programme: Programme,
    parameters: Parameters,
    *,
    months: Iterable[pd.Period] | None = None,
    recoveries: str | Path | None = None,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Saturation by area, street and month, in whole numbers of kits and homes.

    ``deliveries``  path of the CSV file; None gives an Outcome that says "not held".
    ``areas``       with ``households``, the denominator.
    ``programme``   its treated areas are reported whether they had a delivery or not.
    ``months``      of the project: saturation is carried on to the last of them.
    ``recoveries``  path of the CSV file of recovered items, or None.
    ``seed``        is not used: nothing here is drawn.

    Raises ``DataError`` for files and rows that cannot be read and ``PrivacyError`` for a person's data.
    """
    from peelian.deliver.report import section, summary
    from peelian.deliver.tables import read_deliveries

    if deliveries is None:
        why = "No deliveries are held: name a CSV file (place, month, kits) as deliveries under [deliver]."
        return Outcome(Section("deliver", "Deliver", QUESTION, (Text(why, "note"),)), not_held=why)
    read = read_deliveries(Path(deliveries), areas.index)
    found = _delivered(read, areas, programme, parameters, months, _recovered(recoveries, areas))
    if progress is not None:
        progress(1, 1)
    return Outcome(
        section(found, areas), files=_files(found, areas), summary=summary(found),
        sources=((f"deliveries, {read.rows:,} rows of counts", Path(deliveries).name, "", ""),),
    )  # fmt: skip


def _recovered(path: str | Path | None, areas: Places) -> pd.DataFrame | None:
    from peelian.deliver.recoveries import read_recoveries, recovered

    return None if path is None else recovered(read_recoveries(Path(path), areas.index))


def _delivered(
    read: Deliveries,
    areas: Places,
    programme: Programme,
    parameters: Parameters,
    months: Iterable[pd.Period] | None,
    recovered: pd.DataFrame | None,
) -> Delivered:
    from peelian.deliver import dose
    from peelian.deliver.report import Delivered

    line = parameters.saturation or programme.saturation
    treated = programme.treated.index.intersection(areas.index)
    span = _span(read, programme, months)
    homes = _households(areas, read, treated)
    table = dose.saturation(read.frame, homes, span)
    return Delivered(
        line=line,
        table=table,
        treated=treated if len(treated) else homes.index,
        named=bool(len(treated)),
        since=dose.treated_from(table, threshold=line),
        ahead=dose.forecast(table, span[-1], threshold=line, recent=parameters.recent_months),
        streets=dose.streets(read.frame, threshold=line),
        faults=dose.faults(table),
        rejected=read.rejected,
        rows=read.rows,
        recent=parameters.recent_months,
        recovered=recovered,
    )


def _span(read: Deliveries, programme: Programme, months: Iterable[pd.Period] | None) -> pd.PeriodIndex:
    """From the first delivery (or start of the programme) to the last delivery or the project's last "
    "month."""
    import pandas as pd

    held = list(read.frame["month"])
    if not held:
        held = list(programme.treated["start"].dropna())
    if not held:
        raise DataError(
            "The deliveries file holds no row, and no treated area has a start: there is no month."
        )
    last = max([max(held), *(months if months is not None else [])])
    return pd.period_range(min(held), last, freq="M", name="month")


def _households(areas: Places, read: Deliveries, treated: pd.Index) -> pd.Series:
    if areas.households is None:
        raise DataError(
            "The places file has no households, so saturation has no denominator. Name its column as "
            "households in [places]."
        )
    wanted = areas.index[areas.index.isin(treated) | areas.index.isin(read.frame["place"])]
    homes = areas.households.reindex(wanted)
    return homes.round().astype("int64").rename("households")


def _files(found: Delivered, areas: Places) -> dict[str, Any]:
    from peelian import maps
    from peelian.deliver.report import area_table, doses, map_frame

    frame = found.table.assign(month=found.table["month"].astype(str))
    files: dict[str, Any] = {
        "saturation.csv": frame,
        "areas.csv": area_table(found, areas),
        "rejected.csv": found.rejected,
        "doses.json": doses(found),
        "deliver.gpkg": maps.Layered(
            {"saturation": map_frame(found, areas)},
            {"saturation": maps.Style("saturation", "sequential", "share of homes with a kit")},
        ),
    }
    if len(found.streets):
        files["streets.csv"] = found.streets
    if found.recovered is not None:
        files["recoveries.csv"] = found.recovered.assign(month=found.recovered["month"].astype(str))
    return files
