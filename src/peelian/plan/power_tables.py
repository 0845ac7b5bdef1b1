"""The tables of what an evaluation of the plan could see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.report import Block, Table
from peelian.words import percent

if TYPE_CHECKING:
    from peelian.plan.report import Findings


def _rehearsal(found: Findings) -> list[Block]:
    table = found.rehearsal
    if table is None or table.empty:
        return []
    formats = {"areas": ",.0f", "mde": ".1%", "marked": ".1%", "false_positives": ".1%"}
    note = (
        "months: before and after alike. mde: smallest fall of an area seen four times in five, falls "
        "planted in earlier months; marked: the fall that marked homes must see for it. Areas are drawn from "
        "those of most risk, and the rest of these is the comparison."
    )
    title = "The evaluation rehearsed: more areas and more months see smaller falls"
    return [Table("plan_rehearsal", title, table, formats, source="recorded counts", note=note)]


def power_tables(found: Findings) -> list[Block]:
    """The evaluation rehearsed, and the smallest visible fall by how many areas are treated."""
    if found.visible is None or found.visible.by_number.empty:
        return []
    title = f"Fewer areas see less: the plan's own areas see {percent(found.visible.mde)}"
    note = "mde: smallest fall seen four times in five, 12 months against 12, were only these treated."
    note += _needed(found)
    formats = {"areas": ",.0f", "incidents": ",.0f", "mde": ".1%"}
    return [
        *_rehearsal(found),
        Table("plan_power", title, found.visible.by_number, formats, source="formula", note=note),
    ]


def _needed(found: Findings) -> str:
    """How many areas would have to be treated to see the assumed fall."""
    from peelian.plan.rehearsal import equivalent

    assert found.visible is not None
    table, fall = found.visible.by_number, found.first_year_fall
    needed = equivalent(table, fall)
    if needed is not None:
        return f" About {needed:.0f} areas see the assumed fall of {percent(fall)}."
    if 0 < fall < table["mde"].min():
        return f" Even {table['areas'].max():.0f} areas do not see the assumed fall of {percent(fall)}."
    return ""
