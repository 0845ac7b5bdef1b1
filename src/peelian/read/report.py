"""The chapter of read: what was recorded, where, and what is wrong with it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from peelian import charts, maps
from peelian.errors import some
from peelian.read.checks import by_year_alone, part, years_held
from peelian.read.checks_of_inputs import USED
from peelian.read.police_uk import LICENCE
from peelian.report import Chart, Section, Table, Text
from peelian.words import several

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.read.quality import Quality
    from peelian.read.run import Read
    from peelian.read.sources import IncidentSource, Sources

QUESTION = "What was recorded, where, and what is wrong with it?"
BY_CODE = 0.9  # share of rows whose code names an area, above which they are counted by code
MOST = 10  # areas in the table under the map
FEW = 50  # households below which a rate is not named the highest
POLICE_UK = "data.police.uk, street-level crime"


@dataclass(frozen=True, eq=False)
class Tallies:
    """The project's crime by area.

    ``frame``  GeoDataFrame on the areas: ``count``, ``a_year``, ``rate`` (a year and 1,000 households,
               where households are known), ``households``, ``name``; ``by`` how incidents were placed;
               ``years`` of months with rows; ``lost`` incidents in no area.
    """

    frame: gpd.GeoDataFrame
    by: Literal["code", "point"]
    years: float
    lost: int

    @property
    def value(self) -> str:
        """The column that is mapped."""
        return "rate" if "rate" in self.frame else "a_year"

    @property
    def unit(self) -> str:
        """The unit of the mapped column."""
        return "a year per 1,000 households" if self.value == "rate" else "a year"

    def layered(self, crime: tuple[str, ...]) -> maps.Layered:
        """The areas as a GeoPackage layer with its style."""
        style = maps.Style(self.value, legend=f"{_crime(crime)} {self.unit}")
        return maps.Layered({"areas": self.frame.reset_index()}, {"areas": style})


def tallies(chosen: Incidents, places: Places, months: pd.DataFrame) -> Tallies:
    """Counts and rates by area, by the extract's code where nearly all rows have one, else by point.

    ``months``  rows by month (see ``checks.by_month``): rates are over those with rows, stray ones aside.
    """
    import numpy as np

    coded = "place" in chosen.frame and chosen.frame["place"].isin(places.index).mean() >= BY_CODE
    by: Literal["code", "point"] = "code" if coded else "point"
    count = chosen.counts(places, by=by)
    years = years_held(chosen, months)
    frame = places.frame[[name for name in ("name", "households") if name in places.frame] + ["geometry"]]
    frame = frame.assign(count=count, a_year=count / years)
    if places.households is not None:
        homes = places.households.astype("float64")
        frame = frame.assign(rate=frame["a_year"] / homes.where(homes > 0, np.nan) * 1000)
    return Tallies(frame, by, years, len(chosen) - int(count.sum()))


def section(
    held: Read, chosen: Incidents, judged: Quality, counts: Tallies, *, crime: tuple[str, ...]
) -> Section:
    """The chapter: findings, what to look at first, tables, the months, the map, and the notes."""
    blocks: list[Any] = [
        Text(text, "finding") for text in findings(held, chosen, judged, counts, crime=crime)
    ]
    blocks += [Text(f"{row.sentence} {row.remedy}", "warning") for row in judged.warnings.itertuples()]
    blocks.append(_files_table(held))
    if len(judged.tables["reasons"]):
        blocks.append(_reasons_table(judged))
    blocks.append(_months_chart(chosen, judged, crime))
    blocks.append(_map(counts, crime, published=chosen.published))
    blocks.append(_quality_table(judged))
    if held.layers:
        blocks += [_layers_table(held), _licences_table(held)]
    blocks.append(Text(_method(counts), "note"))
    return Section("read", "Read", QUESTION, tuple(blocks))


# -------------------------------------------------------------------- sentences
def findings(
    held: Read, chosen: Incidents, judged: Quality, counts: Tallies, *, crime: tuple[str, ...]
) -> list[str]:
    """The sentences to read first."""
    import pandas as pd

    files = held.files[held.files["kind"].isin(USED)]
    refused = len(held.incidents.rejected)
    verb = "was" if refused == 1 else "were"
    said = f"{refused:,} {verb} refused and kept aside with the reason" if refused else "none was refused"
    plural = "file" if len(files) == 1 else "files"
    first, last = chosen.span
    if by_year_alone(chosen):
        last = (chosen.frame["end"].max() - pd.Timedelta(days=1)).to_period("M")
    span = _month(first) if first == last else f"{_month(first)} to {_month(last)}"
    if counts.years >= 1:  # a year is not told from months
        span += f": {len(chosen) / counts.years:,.0f} a year"
    spoken = [
        f"{held.incidents.rows_read:,} rows were read from {len(files):,} {plural}: {said}.",
        f"{len(chosen):,} of them are {_crime(crime).lower()}, {span}.",
        _placed(len(chosen), len(held.places), counts),
    ]
    checks = judged.checks.set_index("check")["sentence"]
    if held.incidents.precision != "minute":
        spoken.append(checks["precision"])
    warnings = judged.warnings
    if len(warnings):
        number = "One check asks" if len(warnings) == 1 else f"{len(warnings)} checks ask"
        spoken.append(f"{number} for attention before these rows are modelled; they are listed below.")
    else:
        spoken.append("No check asks for attention before these rows are modelled.")
    return spoken


def _placed(total: int, areas: int, counts: Tallies) -> str:
    inside = total - counts.lost
    if not inside:
        return f"None of them could be placed in the project's {several(areas, 'area')}."
    how = "by the area code in the extract" if counts.by == "code" else "by where the point lies"
    return (
        f"{inside:,} ({part(inside / total)}) are in the project's {several(areas, 'area')}, counted {how}."
    )


def _method(counts: Tallies) -> str:
    by = {
        "code": "Incidents are counted by the area code in the extract and drawn where their points lie.",
        "point": "Incidents are counted in the area that holds their point.",
    }[counts.by]
    return (
        f"{by} Rates are over {counts.years:.1f} years of months that hold rows. A month without a row is "
        "taken as missing and never as a month without crime. Refused rows are in rejected.csv (those of "
        "features in rejected_features.csv), each with its file, row number, reason and text; accepted and "
        "refused rows add up to the rows of the files."
    )


# -------------------------------------------------------------------- tables
def _files_table(held: Read) -> Table:
    frame = (
        held.files.groupby(["source", "kind"], sort=True)[["rows", "accepted", "refused"]]
        .agg("sum")
        .assign(files=held.files.groupby(["source", "kind"]).size())
        .reset_index()[["source", "kind", "files", "rows", "accepted", "refused"]]
    )
    rows, refused = int(frame["rows"].sum()), int(frame["refused"].sum())
    return Table(
        "read_files",
        f"{rows:,} rows in {several(int(frame['files'].sum()), 'file')}, {refused:,} refused",
        frame,
        dict.fromkeys(("files", "rows", "accepted", "refused"), ",.0f"),
        source="The project's own files; each stands in files.csv",
    )


def _reasons_table(judged: Quality) -> Table:
    frame = judged.tables["reasons"].reset_index()
    return Table(
        "read_refused",
        f"Why {int(frame['rows'].sum()):,} rows were refused",
        frame,
        {"rows": ",.0f"},
        source="rejected.csv",
    )


def _quality_table(judged: Quality) -> Table:
    order = judged.checks["level"].map({"warning": 0, "note": 1, "fine": 2}).argsort(kind="stable")
    frame = judged.checks[["check", "level", "sentence", "remedy"]].iloc[order].reset_index(drop=True)
    frame = frame.assign(check=frame["check"].str.replace("_", " "))
    frame["remedy"] = frame["remedy"].where(frame["level"] != "fine", "")
    warned = len(judged.warnings)
    fine = int((frame["level"] == "fine").sum())
    return Table(
        "read_quality",
        f"{len(frame)} checks of the extract: {fine} fine, {warned} with a warning",
        frame,
        source="quality.csv",
    )


def _layers_table(held: Read) -> Table:
    import pandas as pd

    frame = pd.DataFrame(
        [
            (
                name,
                len(layer),
                layer.kind,
                layer.source,
                layer.date,
                layer.licence,
            )
            for name, layer in held.layers.items()
        ],
        columns=["layer", "features", "kind", "source", "date", "licence"],
    )
    title = f"{int(frame['features'].sum()):,} features in {len(frame)} layers"
    return Table("read_layers", title, frame, {"features": ",.0f"}, source=some(sorted(set(frame["source"]))))


def _licences_table(held: Read) -> Table:
    from peelian.read.licences import attributions

    frame = attributions(held.layers)
    frame = frame.assign(share_alike=frame["share_alike"].map({True: "yes", False: "no"}))
    frame = frame.rename(columns={"attribution": "to print", "share_alike": "share-alike"})
    title = f"{several(len(frame), 'licence')} of the features, and what each asks to be printed"
    return Table("read_licences", title, frame, source="The layers' own statements")


# -------------------------------------------------------------------- pictures
def _months_chart(chosen: Incidents, judged: Quality, crime: tuple[str, ...]) -> Chart:
    table = judged.tables["months"]
    counts = table["chosen"].where(table["rows"] > 0).astype("float64")
    held = counts.dropna()
    frame = counts.rename("incidents").reset_index()
    frame["month"] = frame["month"].dt.to_timestamp()
    word, first, last = _crime(crime), counts.index[0], counts.index[-1]

    def said(month: pd.Period) -> str:
        return f"{_month(month)}: {held[month]:,.0f}"

    return Chart(
        "read_months",
        f"{word}: {held.mean():,.0f} a month on average, {_month(first)} to {_month(last)}",
        charts.lines(frame, "month", "incidents", x_title="Month", y_title=f"{word}, rows a month"),
        f"Line of {word.lower()} by month. First {said(held.index[0])}; last {said(held.index[-1])}; "
        f"highest {said(held.idxmax())}; lowest {said(held.idxmin())}. Missing months leave a gap.",
        frame,
        {"incidents": ",.0f"},
        source="The project's extract",
        counts=("incidents",),
        published=chosen.published,
    )


def _map(counts: Tallies, crime: tuple[str, ...], *, published: bool) -> Chart:
    word, value = _crime(crime), counts.value
    frame = counts.frame
    order = frame.drop(columns="geometry").sort_values([value, "count"], ascending=False, kind="stable")
    names = [name for name in ("name", "households", "count", value) if name in order]
    top = order.head(MOST).reset_index()[["place", *names]]
    enough = order if value != "rate" else order[order["households"] >= FEW]
    best = (enough if len(enough) else order).reset_index().iloc[0]
    named = str(best["name"] if "name" in order else best["place"])
    few = len(order) - len(enough)
    note = f"The table holds the {len(top)} highest; areas.csv holds all {len(frame):,}."
    if few:
        note += f" {several(few, 'area')} of fewer than {FEW} households {_is(few)} drawn, and not named: "
        note += "over so few homes a rate says little."
    return Chart(
        "read_map",
        f"{word} {counts.unit}: highest in {named} ({best[value]:,.1f})",
        maps.areas_map(frame, value, legend=f"{word} {counts.unit}"),
        f"Map of {len(frame):,} areas by {word.lower()} {counts.unit}: median {frame[value].median():,.1f}, "
        f"highest {best[value]:,.1f} in {named}, lowest {frame[value].min():,.1f}.",
        top,
        {"households": ",.0f", "count": ",.0f", value: ",.1f"},
        source="The project's extract and places file",
        note=note,
        counts=("count", value),
        published=published,
    )


# -------------------------------------------------------------------- sources
def source_rows(sources: Sources, held: Read) -> tuple[tuple[str, str, str, str], ...]:
    """Rows of (what, source, date, licence) of everything that was read."""
    places = sources.places
    found = [("Areas", places.source or _base(places.file), places.date, places.licence or "not stated")]
    found += [_incident_row(source, held) for source in sources.incidents]
    seen = sorted({(layer.source, layer.date, layer.licence) for layer in held.layers.values()})
    found += [
        ("Features", source or "not stated", date, licence or "not stated") for source, date, licence in seen
    ]
    if held.weather is not None and sources.weather is not None:
        read = held.weather.weather
        span = f"{read.frame.index[0]} to {read.frame.index[-1]}"
        where = read.source or _base(sources.weather.file)
        found.append(("Weather", where, span, read.licence or "not stated"))
    return tuple(found)


def _incident_row(source: IncidentSource, held: Read) -> tuple[str, str, str, str]:
    names = held.files.loc[held.files["source"] == source.file, "file"]
    own = held.incidents.frame["source"].isin(names)
    months = held.incidents.months[own]
    span = f"{months.min()} to {months.max()}" if len(months) else ""
    official = source.reader == "police_uk"
    where = source.source or (f"{POLICE_UK} ({_base(source.file)})" if official else _base(source.file))
    return ("Recorded crime", where, span, source.licence or (LICENCE if official else "not stated"))


def _base(file: str) -> str:
    return file.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _crime(crime: tuple[str, ...]) -> str:
    word = str(crime[0]) if len(crime) == 1 else f"{', '.join(crime[:-1])} and {crime[-1]}"
    return word[:1].upper() + word[1:]


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _month(month: pd.Period) -> str:
    return str(month.strftime("%B %Y"))
