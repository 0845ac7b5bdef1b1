"""What is held of a project, and how a chapter says that something is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, some
from peelian.project import line_of
from peelian.report import Outcome, Section, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.chapters.context import Context
    from peelian.layers import Layers
    from peelian.project import Project

DAYS, WEEKS_OF_A_YEAR, SQUARE_METRES = 28, 364, 10_000  # 364 days keep the weekdays
QUESTIONS = {
    "explain": "Which features of places go with this crime, how far do they reach, how sure are we?",
    "plan": "Which areas get kits or patrol under this budget, with what power to learn from it?",
    "deliver": "Who has a kit, how saturated is each street, whose item is this?",
    "evaluate": "Did it work, did crime move next door, could it be chance or selection?",
}


def not_held(stage: str, why: str) -> Outcome:
    """A chapter that says what is not held, why, and what would change that."""
    section = Section(stage, stage.capitalize(), QUESTIONS[stage], (Text(f"Not held: {why}", "note"),))
    return Outcome(section, not_held=why)


def deliveries_of(context: Context) -> pd.DataFrame | None:
    """Kits, kits so far, households and saturation by place and month, as ``deliver`` left them, or None."""
    import pandas as pd

    path = context.made("deliver", "saturation.csv")
    if path is None:
        return None
    frame = pd.read_csv(path, dtype={"place": str, "month": str})
    return frame.assign(month=pd.PeriodIndex(frame["month"], freq="M"))


def saturation_of(context: Context) -> pd.Series | None:
    """Share of homes with a kit by place and month, or None."""
    frame = deliveries_of(context)
    return None if frame is None else frame.set_index(["place", "month"])["saturation"]


def kinds_of(context: Context) -> pd.DataFrame:
    """Monthly counts of the crime, and of all crime where the extract holds other types too."""
    counts = context.monthly(context.places).rename(context.project.outcome).to_frame()
    if len(context.every_incident) > len(context.incidents):
        every = context.monthly(context.places, context.every_incident)
        counts["all crime"] = every.reindex(counts.index, fill_value=0)
    return counts


def recent_days(context: Context) -> pd.DataFrame | None:
    """Counts by place of the last 28 days, of the 28 before and of the same a year ago; None without days."""
    import pandas as pd

    incidents = context.incidents
    if incidents.precision == "month" or not len(incidents):
        return None
    end = pd.Timestamp(incidents.frame["start"].max()).normalize() + pd.Timedelta(days=1)
    ago = {"now": 0, "before": DAYS, "a year ago": WEEKS_OF_A_YEAR}
    counts = {}
    for name, back in ago.items():
        last = end - pd.Timedelta(days=back)
        part = incidents.between(last - pd.Timedelta(days=DAYS), last)
        counts[name] = part.place_of(context.places, by=context.by).value_counts()
    return pd.DataFrame(counts).reindex(context.places.index).fillna(0).astype("int64")


def card_areas(context: Context, column: str, name: str, similar: Sequence[str] = ()) -> pd.DataFrame | None:
    """Area, its name, households and what makes areas alike, by place of the study area; None where no column
    is asked for.
    """
    import pandas as pd

    if not column:
        return None
    places = context.study
    for key, wanted in (("cards", column), ("cards_name", name), *(("similar", s) for s in similar)):
        if wanted and wanted not in places.frame:
            file = context.project.file
            raise DataError(
                f"{file}: {line_of(file, 'account', key)}[account] {key} names {wanted!r}, but the places "
                f"have no such column; they have {some(places.frame.columns, 20)}."
            )
    frame = places.frame
    inside, homes = frame[column].astype(str), pd.Series(places.households, places.index, dtype=float)
    hectares = frame.geometry.area / SQUARE_METRES
    dense = homes.groupby(inside).sum() / hectares.groupby(inside).sum()
    import geopandas as gpd

    return gpd.GeoDataFrame(
        {"area": inside, "name": frame[name or column].astype(str), "households": homes,
         "homes per hectare": inside.map(dense),
         **{feature: frame[feature].astype(float) for feature in similar}},
        geometry=frame.geometry, crs=frame.crs,
    )  # fmt: skip


def people_of(context: Context, equality: Mapping[str, Any]) -> pd.DataFrame | None:
    """The columns of the study area that count groups of people, or None where none are named."""
    if not equality:
        return None
    frame, file = context.study.frame, context.project.file
    for name, groups in equality.items():
        lacking = [column for column in (*groups.columns, groups.of) if column not in frame]
        if lacking:
            raise DataError(
                f"{file}: {line_of(file, 'account', name)}[account.equality] {name} names {some(lacking)}, "
                f"but the places have no such column; they have {some(frame.columns, 20)}."
            )
    named = {column for groups in equality.values() for column in (*groups.columns, groups.of)}
    return frame[sorted(named)]


def publisher_of(project: Project) -> str:
    """Who published the counts, for the foot of what is shared; empty where they are the force's own.

    A project that names its planted truth is simulated, and says so wherever a card may travel.
    """
    if project.project.truth:
        return "a simulation; no real place, no real crime"
    readers = {str(table.get("reader", "police_uk")) for table in project.lists("incidents")}
    return "data.police.uk, Open Government Licence v3.0" if readers <= {"police_uk", "store"} else ""


def attribution_of(layers: Layers) -> str:
    """What the licences of the features ask to be printed, in a sentence."""
    from peelian.read.licences import attributions

    told = attributions(layers)
    words = dict.fromkeys(text if text.endswith(".") else f"{text}." for text in told["attribution"])
    alike = told.loc[told["share_alike"], "layers"]
    apart = f" Share-alike, to be kept apart: {'; '.join(alike)}." if len(alike) else ""
    return f"{' '.join(words)}{apart}"


def month_of(value: object) -> pd.Period:
    """The month of a date or of text that says one."""
    import pandas as pd

    return pd.Period(value, "M")
