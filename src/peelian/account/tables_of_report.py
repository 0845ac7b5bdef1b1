"""The tables and charts of the chapter, with their titles in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.account.cases import GROSS, PROMISED, Case, weakest
from peelian.account.results import Results, promise_frame, spend_frame, switching_frame
from peelian.account.valuing import WHOSE, by_bearer
from peelian.figures import figures_frame
from peelian.report import Block, Chart, Table
from peelian.words import day

if TYPE_CHECKING:
    import pandas as pd

    from peelian.figures import Figure

POUNDS, RATIO = "£,.0f", ",.3f"
HERE = "10 % of it moves an answer by"
MOVES = {HERE: ".1%"}


def tables(results: Results) -> list[Block]:
    """Every table that has something to say, in the order of the chapter."""
    made = [
        _answers(results), _weakest(results), _ratios(results), *_cases(results),
        _tornado(results),
        _switching(results), _bearers(results),
        _promise(results), _spend(results), _foi(results),
        _claims(results),
        _figures(results),
    ]  # fmt: skip
    return [table for table in made if table is not None]


def _answers(results: Results) -> Table:
    import pandas as pd

    rows = [(a.what, str(a), a.method, a.source if a.held else a.holder) for a in results.amounts.values()]
    frame = pd.DataFrame(
        rows, columns=["asked", "answer", "how it is computed", "source, or who would hold it"]
    )
    held = sum(amount.held for amount in results.amounts.values())
    return Table(
        "account_answers",
        f"{held} of {len(rows)} numbers asked for are held",
        frame,
        source="Records as listed",
    )


def _cases(results: Results) -> list[Table]:
    return [_case(results, case, case.table) for case in results.cases if case.table is not None]


def _case(results: Results, case: Case, table: pd.DataFrame) -> Table:
    frame = table.reset_index().rename(columns=_HEADS)
    frame = frame[[head for head in _HEADS.values() if head in frame]]
    promised = case.basis == PROMISED
    paying = ", ".join(str(line) for line, row in table.iterrows() if row["bcr_low"] >= 1) or "nobody"
    verdict = "benefits exceed costs for" if promised else "the whole interval lies above 1 for"
    basis = "As promised" if promised else f"On {case.basis}"
    explained = "; ".join(f"{line}: {whose}" for line, whose in WHOSE.items())
    return Table(
        f"account_case_{case.basis.split()[0]}{'_gross' if case.basis.endswith(GROSS) else ''}",
        f"{basis}, {verdict} {paying}",
        frame,
        {_HEADS[name]: _FORMATS.get(name, POUNDS) for name in table if name in _HEADS},
        source=f"One crime in prices of {results.values.price_base}; figures as listed",
        note=f"Present value of the cost £{case.pv_cost:,.0f}, years: {case.years}. {explained[0].upper()}"
        f"{explained[1:]}. Lines are never added up: each holds the one before it.{_nothing(results, case)}",
    )


def _nothing(results: Results, case: Case) -> str:
    """Whether crime that moved next door is taken off, and that an interval net of it includes none."""
    found = results.held.assessment
    if found is None or found.gross is None or case.basis == PROMISED:
        return ""
    if case.basis.endswith(GROSS):
        return " Crime that moved next door is not taken off: this is what leaving it out would have said."
    said = " Crime that moved next door is taken off."
    return said + (" The interval of what is left includes none." if found.prevented.low <= 0 else "")


def _ratios(results: Results) -> Chart | None:
    """The ratios of the case told first, with their intervals, beside 1."""
    from peelian import charts

    case = results.case
    if case is None or case.table is None:
        return None
    frame = case.table.reset_index()[["line", "bcr", "bcr_low", "bcr_high"]]
    frame.columns = ["perspective", "ratio", "low", "high"]
    spec = charts.intervals(
        frame, "perspective", "ratio", "low", "high", x_title="benefits over costs", reference=1
    )
    rows = list(frame.itertuples())
    said = "; ".join(f"{r.perspective} {r.ratio:.2f} ({r.low:.2f} to {r.high:.2f})" for r in rows)
    sure = ", ".join(r.perspective for r in rows if r.low >= 1)
    title = f"The whole interval lies above 1 for {sure}" if sure else "No interval lies wholly above 1"
    return Chart(
        "account_ratios", title, spec,
        f"Benefits over costs by perspective, on {case.basis}, with 95 % intervals of the effect: {said}.",
        frame, dict.fromkeys(("ratio", "low", "high"), ",.2f"), "Evaluation, costs and figures as listed",
    )  # fmt: skip


_HEADS = {
    "line": "perspective",
    "unit_value": "value of one crime",
    "pv_benefit": "benefit",
    "npsv": "benefit less cost",
    "bcr": "ratio",
    "bcr_low": "ratio, low",
    "bcr_high": "ratio, high",
    "bcr_biased": "ratio with optimism bias",
    "p_above_1": "chance above 1",
    "p_effect_alone": "chance above 1, effect alone uncertain",
    "break_even": "crimes to break even",
}
_FORMATS = {
    "bcr": RATIO,
    "bcr_low": RATIO,
    "bcr_high": RATIO,
    "bcr_biased": RATIO,
    "p_above_1": ".1%",
    "p_effect_alone": ".1%",
    "break_even": ",.0f",
}


def _tornado(results: Results) -> Table | None:
    frame = results.tornado
    if frame is None or frame.empty:
        return None
    return Table(
        "account_tornado",
        f"The social ratio moves most with {frame['moved'].iloc[0]}: {frame['at low'].iloc[0]:,.2f} to "
        f"{frame['at high'].iloc[0]:,.2f}",
        frame, dict.fromkeys(("at low", "at high", "swing"), RATIO), "Figures and evaluation as listed",
        note="One at a time, the others as they are. A ratio that passes 1 would turn the conclusion.",
    )  # fmt: skip


def _switching(results: Results) -> Table | None:
    frame = switching_frame(results)
    if frame is None:
        return None
    heads = {
        "basis": "basis of cost", "line": "perspective", "crimes": f"{results.held.crimes} to prevent",
        "ratio": "rate ratio needed", "unit_value": "value of one crime needed",
        "kit_price": "highest price of a kit",
        "hours": "police hours for one crime needed",
    }  # fmt: skip
    kinds = {"crimes": ",.0f", "ratio": RATIO, "unit_value": "£,.0f", "kit_price": "£,.2f", "hours": ",.1f"}
    return Table(
        "account_switching",
        "What each number would have to be for benefits to equal costs",
        frame.rename(columns=heads),
        {heads[name]: form for name, form in kinds.items() if name in frame},
        source="HM Treasury Green Book: switching values",
    )


def _bearers(results: Results) -> Table | None:
    if results.values.why_not:
        return None
    frame = by_bearer(results.values, results.parameters.fiscal, results.parameters.economic)
    return Table(
        "account_bearers",
        f"Who bears the cost of one {results.held.crime.lower()}",
        frame.rename(columns={"perspective": "counted from this perspective on"}),
        {"pounds per crime": POUNDS},
        source=f"Figures as listed, prices of {results.values.price_base}",
    )


def _promise(results: Results) -> Table | None:
    frame = promise_frame(results)
    if frame is None:
        return None
    names = ("promised", "due by now", "measured", "low", "high")
    return Table(
        "account_promise", "The promise, what was due by now, and what was measured", frame,
        dict.fromkeys(names, ",.0f"), source=_decision(results),
    )  # fmt: skip


def _decision(results: Results) -> str:
    programme = results.held.programme
    return (programme.source or programme.decision or "The programme's decision") if programme else ""


def _spend(results: Results) -> Table | None:
    frame = spend_frame(results)
    if frame is None:
        return None
    total = frame.iloc[-1]
    title = (
        f"£{total['actual']:,.0f} was spent"
        if total["actual"] == total["actual"]
        else "Nothing spent is recorded"
    )
    money = ("planned", "committed", "actual", "variance")
    return Table(
        "account_spend", f"{title}, by financial year and line", frame, dict.fromkeys(money, POUNDS), "Ledger"
    )


def _foi(results: Results) -> Table:
    import pandas as pd

    rows = [
        (f"{reply.number}. {part.what}", part.decision,
         part.reply.sentence if part.reply
         else f"refused under {part.refused}" if part.refused else f"not held, because {part.because}",
         part.reply.uncertainty if part.reply else f"would be held by {part.holder}" if part.holder else "")
        for reply in results.replies for part in reply.parts
    ]  # fmt: skip
    held = sum(row[1] == "disclosed" for row in rows)
    return Table(
        "account_foi",
        f"The public's questions: {held} of {len(rows)} parts are answered from what is held",
        pd.DataFrame(rows, columns=["question", "decision", "answer", "uncertainty, or who would hold it"]),
        source=results.questions,
    )


def _claims(results: Results) -> Table | None:
    frame = results.claims
    if frame is None:
        return None
    forms = {
        "ratio": RATIO, "baseline": ",.0f", "fewer": ",.0f", "net_prevented": ",.0f",
        "money_per_crime": POUNDS,
        "hours_per_crime": ",.1f", "money_per_hour": "£,.2f", "kits_per_crime": ",.1f",
    }  # fmt: skip
    heads = {name: name.replace("_", " ") for name in forms}
    shown = frame[["source", "date", *forms, "missing"]].rename(columns=heads)
    return Table(
        "account_claims", "What each public claim implies", shown, {heads[k]: v for k, v in forms.items()},
        source="Claims as published; ratios derived",
    )  # fmt: skip


def _weakest(results: Results) -> Table | None:
    weak = weakest(results.figures_used)
    if not weak:
        return None
    return Table(
        "account_weakest", f"Weakest numbers: {len(weak)} figures are doubtful and move the answer",
        _as_printed(figures_frame(weak), weak, results.impacts), MOVES, source="Policy figures",
    )  # fmt: skip


def _figures(results: Results) -> Table:
    used = results.figures_used
    return Table(
        "account_figures", f"The {len(used)} policy figures used, with their sources",
        _as_printed(figures_frame(used), used, results.impacts), MOVES, source="Policy figures",
    )  # fmt: skip


def _as_printed(frame: pd.DataFrame, rows: list[Figure], impacts: dict[str, float]) -> pd.DataFrame:
    """The figures with value and unit in one column, and what a reader needs to doubt them."""
    since = [day(row.since.isoformat()) for row in rows]
    told = frame.assign(**{"value": [row.words for row in rows], "from": since})
    told[HERE] = [impacts.get(row.name, 0.0) for row in rows]
    return told[["name", "value", "source", "from", "quality", "impact", HERE, "whose"]]
