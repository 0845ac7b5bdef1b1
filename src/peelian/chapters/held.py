"""What is held of a project, and how a chapter says that something is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, some
from peelian.project import line_of
from peelian.report import Outcome, Section, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.chapters.context import Context
    from peelian.project import Project

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


def card_areas(context: Context, column: str, name: str) -> pd.DataFrame | None:
    """Area, its name and households by place of the study area, for share cards; None where none is asked."""
    import pandas as pd

    if not column:
        return None
    places = context.study
    for key, wanted in (("cards", column), ("cards_name", name)):
        if wanted and wanted not in places.frame:
            file = context.project.file
            raise DataError(
                f"{file}: {line_of(file, 'account', key)}[account] {key} names {wanted!r}, but the places "
                f"have no such column; they have {some(places.frame.columns, 20)}."
            )
    frame = places.frame
    return pd.DataFrame(
        {"area": frame[column].astype(str), "name": frame[name or column].astype(str),
         "households": places.households}
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
    """Who published the counts, for the foot of what is shared; empty where they are the force's own."""
    readers = {str(table.get("reader", "")) for table in project.lists("incidents")}
    return "data.police.uk, Open Government Licence v3.0" if readers == {"police_uk"} else ""


def month_of(value: object) -> pd.Period:
    """The month of a date or of text that says one."""
    import pandas as pd

    return pd.Period(value, "M")
