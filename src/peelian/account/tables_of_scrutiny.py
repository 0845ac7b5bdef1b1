"""The tables that a finance officer reads: where the money stands, the register, the four tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.account.answers import by_place
from peelian.account.cases import weakest
from peelian.account.disclosure import HIDDEN
from peelian.account.governance import publishable
from peelian.account.results import Results
from peelian.account.scrutiny import Earned, earned_value, four_tests
from peelian.account.trends import ALL, rolling_index, trend_block
from peelian.errors import DesignError
from peelian.report import Chart, Table
from peelian.words import day

if TYPE_CHECKING:
    import pandas as pd

POUNDS = "£,.0f"
LABELS = (
    ("budget", "approved budget"),
    ("earned", "earned value: kits delivered at the planned price"),
    ("spent", "spent so far, inside the budget"),
    ("at_actual_rate", "forecast at completion, if each kit goes on costing what it has"),
    ("at_plan_rate", "forecast at completion, if the rest costs what was planned"),
)


def scrutinised(results: Results) -> list[Table | Chart]:
    """Trends, forecast, register, four tests, state of the records; without what is not held."""
    made = [
        trends(results), _course(results), _similar(results), _forecast(results), _register(results),
        _tests(results), _records(results), _exposure(results), _cards(results), _leaving(results),
    ]  # fmt: skip
    return [table for table in made if table is not None]


def _forecast(results: Results) -> Table | None:
    import pandas as pd

    earned = _earned(results)
    if earned is None:
        return None
    over = earned.at_actual_rate - earned.budget
    word = "more" if over > 0 else "less"
    frame = pd.DataFrame(
        [(words, getattr(earned, name)) for name, words in LABELS], columns=["what", "pounds"]
    )
    return Table(
        "account_forecast",
        f"At the rate so far the programme costs £{abs(over):,.0f} {word} than approved",
        frame, {"pounds": POUNDS}, "Decision, deliveries and ledger",
        note="Earned value = budget x kits delivered / kits planned, without spending outside the budget.",
    )  # fmt: skip


def _earned(results: Results) -> Earned | None:
    held = results.held
    programme = held.programme
    if programme is None or held.ledger is None or held.saturation is None:
        return None
    if not programme.budget or not programme.kits:
        return None
    spent = held.ledger.loc[held.ledger["inside_budget"], "actual"].sum()
    delivered = by_place(held.saturation)["delivered"].sum()
    try:
        return earned_value(programme.budget, programme.kits, delivered=float(delivered), spent=float(spent))
    except DesignError:
        return None


def _register(results: Results) -> Table | None:
    register = results.held.register
    if register is None:
        return None
    names = ["id", "benefit", "kind", "class", "owner", "measure", "baseline", "target", "due", "actual",
             "status", "why", "claims"]  # fmt: skip
    ready = int((~register["status"].isin(["not claimable", "stale"])).sum())
    return Table(
        "account_register", f"{ready} of {len(register)} benefits may be claimed", register[names],
        {"claims": POUNDS}, "Benefits register",
        note="Without owner, measure or baseline a benefit is listed and claims nothing. Only cashable ones "
        "may enter a budget.",
    )  # fmt: skip


def trends(results: Results) -> Table | None:
    """Recorded crime now against a year before, where counts by place and month are held."""
    import pandas as pd

    held = results.held
    if held.counts is None or held.counts.empty:
        return None
    kind = held.crime if held.crime in held.counts else held.counts.columns[0]
    areas = held.programme.areas if held.programme is not None else None
    arms = areas["arm"] if areas is not None and len(areas) else pd.Series(dtype=object)
    least = held.figures.at("least_compared", held.day).number
    frame = trend_block(held.counts[kind], arms, least=least, days=held.days)
    if frame.empty:
        return None
    whole = frame[frame["places"] == ALL].iloc[0]
    counted = f"{whole['before']:,.0f} to {whole['after']:,.0f}, "
    shown = held.published or min(whole["before"], whole["after"]) >= held.threshold
    said = f"{counted if shown else ''}{whole['in words']}"
    return Table(
        "account_trends", f"{held.crimes.capitalize()} in all areas, {whole['period']}: {said}", frame,
        dict.fromkeys(("change", "low", "high"), ".1%"), "Recorded crime by place and month",
        counts=("before", "after"), published=held.published,
        note="Fell and rose: the whole 95 % interval lies on one side. Its width is that of places that "
        "differ from each other as these do. Areas left out of the comparison are in none of these. "
        + ("Dates are months, so the last 28 days are not told apart. " if held.days is None else "")
        + results.recording,
    )  # fmt: skip


def _records(results: Results) -> Table | None:
    import pandas as pd

    records = results.governance
    if not records:
        return None
    frame = pd.DataFrame({
        "record": [record.title for record in records],
        "state": ["may be published" if publishable(record) else "draft" for record in records],
        "filled from the run": [sum(e.origin == "system" for e in record.entries) for record in records],
        "typed": [sum(e.origin == "typed" for e in record.entries) for record in records],
        "required and blank": [len(record.blanks) for record in records],
    })  # fmt: skip
    ready = int((frame["state"] != "draft").sum())
    return Table(
        "account_records", f"{ready} of {len(frame)} records of governance may be published", frame,
        source="records/ beside this chapter; each lists what stands in the way",
    )  # fmt: skip


def _tests(results: Results) -> Table | None:
    held = results.held
    if held.ledger is None and held.register is None:
        return None
    found = held.assessment
    measured = f"measured: {found.words}" if found is not None and not found.gate else ""
    programme = held.programme
    decision = programme.decision if programme is not None else ""
    frame = four_tests(
        weak=[row.name for row in weakest(results.figures_used)], ledger=held.ledger,
        unexplained=results.unexplained, register=held.register, measured=measured, decision=decision,
    )  # fmt: skip
    met = int((frame["met"] == "met").sum())
    return Table(
        "account_four_tests", f"{met} of the four tests of PwC's review of the Met are met", frame,
        source="PwC, review of the technology programme of the Metropolitan Police",
    )  # fmt: skip


def _course(results: Results) -> Chart | None:
    """Totals of 12 months, month by month, with and without the programme, as an index."""
    import pandas as pd

    from peelian import charts

    held = results.held
    if held.counts is None or held.programme is None or not len(held.programme.treated):
        return None
    kind = held.crime if held.crime in held.counts else held.counts.columns[0]
    frame = rolling_index(held.counts[kind], held.programme.areas["arm"])
    if frame.empty:
        return None
    rules = _lines_across(results, frame["month"])
    dated = frame.assign(month=pd.to_datetime(frame["month"]))
    spec = charts.lines(
        dated, "month", "index", series="places", y_title="12 months, first = 100", zero=False,
        rules=[(f"{when}-01", word) for when, word in rules],
    )  # fmt: skip
    said = "; ".join(f"{name} {rows['index'].iloc[-1]:.0f}" for name, rows in frame.groupby("places"))
    first, last = _month(frame["month"].min()), _month(frame["month"].max())
    drawn = "; ".join(f"{word} in {_month(when)}" for when, word in rules)
    return Chart(
        "account_course", f"12 months to {last}, with those to {first} as 100: {said}", spec,
        f"Totals of 12 months, month by month from {first} to {last}, as an index: {said}."
        + (f" Lines across: {drawn}." if drawn else ""),
        frame, {"index": ",.1f", "12 months": ",d"}, "Recorded crime by place and month",
        counts=("12 months",), published=held.published,
    )  # fmt: skip


def _lines_across(results: Results, months: pd.Series) -> list[tuple[str, str]]:
    """Where kits began and where recording changed, as lines of a chart over months."""
    programme, rules = results.held.programme, []
    starts = programme.treated["start"].dropna() if programme is not None else []
    if len(starts):
        rules.append((str(min(starts)), "kits begin"))
    if results.changes is not None:
        changed = results.changes.loc[results.changes["force"] == "all", "from"].dt.strftime("%Y-%m")
        inside = changed.between(months.min(), months.max())
        rules += [(when, "recording changed") for when in changed[inside]]
    return rules


def _month(iso: str) -> str:
    return day(f"{iso}-01").partition(" ")[2]


def _similar(results: Results) -> Table | None:
    frame = results.similar
    if frame is None:
        return None
    top = frame.iloc[0]
    named = ", ".join((*results.parameters.similar, "homes per hectare", "the rate two years earlier"))
    return Table(
        "account_similar",
        f"{top['area']} has the highest rate; of the areas most like it, it is {_nth(top)}", frame,
        dict.fromkeys(("rate", "median", "lowest", "highest"), ",.1f"), "Recorded crime by place and month",
        counts=("count",), published=results.held.published,
        note=f"Rates per 1,000 homes over the last 12 months. Alike by {named}. Rank 1 is the highest rate. "
        "Areas with a count too small to publish are left out.",
    )  # fmt: skip


def _nth(row: pd.Series) -> str:
    return f"number {row['rank among similar']} of {row['of']}"


def _exposure(results: Results) -> Table | None:
    frame = results.exposure
    if frame is None or frame.empty:
        return None
    most = frame.loc[frame["ratio"].idxmax()]
    sources = dict.fromkeys(groups.source for groups in results.parameters.equality.values())
    return Table(
        "account_equality",
        f"Most of any group for its size live with the programme: {most['group']}, {most['ratio']:.2f} times",
        frame, dict.fromkeys(("with the programme", "of everybody"), ".1%") | {"ratio": ",.2f"},
        "; ".join(filter(None, sources)) or "Columns of the places file",
        note="Share of each group who live in places with the programme, beside that of everybody. Places "
        "are compared, not people.",
    )  # fmt: skip


def _cards(results: Results) -> Table | None:
    import pandas as pd

    if not results.cards:
        return None
    made = results.cards
    frame = pd.DataFrame({
        "area": [card.name for card in made],
        "12 months before": [HIDDEN if card.before is None else card.before for card in made],
        f"12 months to {made[0].until}": [HIDDEN if card.now is None else card.now for card in made],
        "change": [card.change.share for card in made],
        "in words": [card.change.words for card in made],
        "per 1,000 homes": [card.rate for card in made],
    })  # fmt: skip
    return Table(
        "account_cards", f"Share cards of {len(frame) - 1:,} areas and of all together", frame,
        {"change": ".1%", "per 1,000 homes": ",.1f"},
        source="cards/ beside this chapter: pictures, posts of two lengths, Atom feed, open data",
        note="After disclosure control, whatever the audience of this report; no area smaller than a ward.",
    )  # fmt: skip


def _leaving(results: Results) -> Table | None:
    import pandas as pd

    if not results.leaving:
        return None
    frame = pd.DataFrame({
        "table": [table.id for table in results.leaving],
        "from": [table.table["first"].min() for table in results.leaving],
        "to": [table.table["last"].max() for table in results.leaving],
        "counts": [len(table.table) for table in results.leaving],
        "withheld": [int((table.table["count"] == HIDDEN).sum()) for table in results.leaving],
    })  # fmt: skip
    return Table(
        "account_leaving",
        f"Tables of counts for the public, set beside {results.released:,} published before",
        frame, source="Disclosure control",
        note="Solved together: none gives a small count away, by itself or with another. "
        "peelian account --release NAME records them as published.",
    )  # fmt: skip
