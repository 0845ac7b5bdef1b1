"""Arranges the stage: reads the records, computes each answer from what it rests on, and hands them back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from peelian.account.equality import Characteristic, Groups

if TYPE_CHECKING:
    import pandas as pd

    from peelian.account.releases import Release
    from peelian.account.results import Results
    from peelian.programme import Programme
    from peelian.report import Outcome

Names = tuple[str, ...]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Parameters:
    """The ``[account]`` table.

    ``ledger``      CSV of what was planned, committed and spent (columns of ``ledger.read_ledger``).
    ``recoveries``  CSV of recovered items by month: month, examined, marked, traced, returned.
    ``documents``   CSV of decisions and documents: date, title, kind.
    ``claims``      CSV of claims made in public (columns of ``claims.read_claims``).
    ``benefits``    CSV of the benefits register (columns of ``benefits.read_benefits``).
    ``governance``  TOML file of what people typed into the records of governance, and confirmed.
    ``figures``     folder of TOML files whose figures replace those shipped.
    ``questions``   TOML file with a bank of public questions, or ``risk_model``; the six on MetTrace
                    unless given. ``request`` TOML file with the request's reference, day of receipt and the
                    exemptions that an officer applies.
    ``as_of``       day the records stand at, ISO; the last day of the last month of data unless given.
    ``audience``    ``internal``, ``partner``, ``public``, ``foi`` or ``research``: which threshold holds.
    ``threshold``   smallest count shown; the audience's figure unless given.
    ``horizon``     months of effect counted, at most those measured; all of them unless given.
    ``years``       years over which the promise is spent and kept, evenly; one year in the table of the
                    promise, and nothing said of what was due by now, unless given.
    ``first_year``  0: the first year is not discounted; 1: it is, by one year.
    ``fiscal``, ``economic``, ``social``  names of the figures for one crime: fiscal ones are summed,
                    economic ones added to them, social ones stand by themselves; ``police`` is shown alone.
    ``hours``       figure for police hours per crime; ``money_per_hour`` its equivalent in pounds, for
                    switching.
    ``minutes``     figure for staff minutes per kit; ``staff`` for pounds an hour of those who deliver.
    ``discount``    figure with the discount rate by year; ``costs_plus``, ``benefits_minus`` optimism bias.
    ``prices``      financial year (``2025-26``) to whose prices the figures for one crime are brought, with
                    the ``gdp_deflator.csv`` in the folder of figures; their own year unless given.
    ``cards``       column of the places that names a ward or a larger area: each gets a share card, a post
                    and a row of open data; ``cards_name`` the column with its name.
    ``similar``     columns of the places (numbers) by which the areas of ``cards`` are alike, beside homes
                    per hectare and the earlier rate: each is set beside the 15 most similar.
    ``equality``    characteristic -> the columns of the places that count its groups (``equality.Groups``):
                    fills the exposure of the equality impact assessment.
    ``draws``       draws of the simulation. ``seed`` of this stage, the project's unless given.
    """

    ledger: str | None = None
    recoveries: str | None = None
    documents: str | None = None
    claims: str | None = None
    benefits: str | None = None
    governance: str | None = None
    figures: str | None = None
    questions: str | None = None
    request: str | None = None
    as_of: date | None = None
    audience: Literal["internal", "partner", "public", "foi", "research"] = "public"
    threshold: Annotated[int, Field(ge=1)] | None = None
    horizon: Annotated[int, Field(ge=1)] | None = None
    years: Annotated[int, Field(ge=1)] | None = None
    first_year: Literal[0, 1] = 0
    fiscal: Names = (
        "burglary_police",
        "burglary_other_justice",
        "burglary_health",
        "burglary_victim_services",
    )
    police: str = "burglary_police"
    economic: Names = ("burglary_lost_output",)
    social: Names = ("burglary_cost",)
    hours: str = "hours_per_burglary"
    money_per_hour: str = "money_per_hour"
    minutes: str = "minutes_per_kit"
    staff: str = "pcso_hour"
    discount: str = "discount_rate"
    costs_plus: str = "optimism_costs_plus"
    benefits_minus: str = "optimism_benefits_minus"
    prices: Annotated[str, Field(pattern=r"^\d{4}-\d\d$")] | None = None
    similar: Names = ()
    cards: str = ""
    cards_name: str = ""
    equality: dict[Characteristic, Groups] = Field(default_factory=dict)
    draws: Annotated[int, Field(ge=100)] = 10_000
    seed: int | None = None


def run(
    assessment: dict[str, Any] | None,
    programme: Programme | None,
    parameters: Parameters,
    *,
    plan: dict[str, Any] | None = None,
    saturation: pd.DataFrame | None = None,
    counts: pd.Series | pd.DataFrame | None = None,
    ledger: str | Path | None = None,
    recoveries: str | Path | None = None,
    documents: str | Path | None = None,
    claims: str | Path | None = None,
    benefits: str | Path | None = None,
    governance: str | Path | None = None,
    questions: str | Path | None = None,
    request: str | Path | None = None,
    figures: str | Path | None = None,
    areas: pd.DataFrame | None = None,
    people: pd.DataFrame | None = None,
    days: pd.DataFrame | None = None,
    released: Sequence[Release] = (),
    source: str = "",
    version: str = "",
    months: tuple[Any, Any] | None = None,
    seed: int,
    crime: str = "crime",
    published: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """What it cost, what it was worth to whom, and the public's questions answered, or not held and why.

    ``assessment``   the evaluation's ``assessment.json``; ``programme`` the decision; None for what is not
                     held.
    ``plan``         the next programme's ``plan.json``: its business case is made, before anything is bought.
    ``saturation``   frame of place, month, kits, delivered (so far), households; ``counts`` monthly counts on
                     (place, month): a Series of ``crime``, or a frame with one column a kind (``all crime``).
    ``ledger``, ``recoveries``, ``documents``, ``claims``, ``benefits``, ``questions``,
    ``governance``, ``figures``  paths, before those of
                     ``parameters``.
    ``areas``        on place ids: ``area``, ``name`` and ``households`` of the ward or larger area of
                     each, for share cards, with their ``geometry`` where a map of them is wanted; ``source``
                     of the counts, for their foot; ``version`` of this software, for the letter.
    ``people``       columns of the places that ``equality`` names, on place ids of the study area.
    ``days``         counts by place of the last 28 days (``now``), of those ``before`` and ``a year ago``.
    ``released``     tables published before: those of this run that go to the public are set beside them.
    ``months``       first and last month of the data; ``published`` True where the counts are public already.

    Files: ``costs.csv`` (every answer), ``spend.csv``, ``promise.csv``, ``benefits.csv``, ``switching.csv``,
    ``figures.csv``, ``claims.csv``, ``foi.json``, ``foi.md``, ``case.md`` with its three tables, and
    ``records/``: each record of governance as ``.json`` and ``.md``, the ATRS as ``.csv`` too; those
    without content are left out.
    ``cards/`` has pictures, posts, an Atom feed and open data by area; ``leaving.json`` the tables of counts
    that go to the public.
    Raises ``DataError`` for a wrong figure, ledger, record or assessment, and ``PrivacyError`` where a table
    that goes to the public would give a small count away, by itself or with one published before.
    """
    from peelian.account import inputs, report
    from peelian.account.answers import answers
    from peelian.account.business import business_case, proposal_of
    from peelian.account.cases import cases
    from peelian.account.foi import question_bank
    from peelian.account.headline import basis_of, values_of
    from peelian.account.results import Results
    from peelian.figures import recording_changes

    p = parameters
    own = figures or p.figures
    held = inputs.held_of(
        assessment, programme, p, inputs.figures_of(own, p), saturation, counts, crime, published
    )
    held = replace(inputs.with_records(held, p, ledger, recoveries, documents), days=days)
    held = inputs.with_register(inputs.as_of(held, p, months), benefits or p.benefits)
    values = values_of(held, p)
    amounts = answers(basis_of(held, p, values))
    done = cases(held, values, p, seed=seed if p.seed is None else p.seed)
    bank = question_bank(questions or p.questions)
    if progress is not None:
        progress(1, 1)
    before = None if plan is None else business_case(proposal_of(plan), held.figures, values, p, on=held.day)
    results = Results(
        held,
        p,
        values,
        amounts,
        done,
        (),
        bank["title"],
        inputs.claims_of(claims or p.claims),
        business=before,
        changes=recording_changes(own),
    )
    results = _with_public(results, areas, recording_changes(own), released, source)
    results = _with_exposure(results, people)
    results = _with_similar(results, areas)
    results = _with_records_of(_with_impacts(results), governance or p.governance)
    results = _replied(results, bank, request or p.request, recording_changes(own))
    return report.outcome(replace(results, version=version))


def _replied(
    results: Results, bank: dict[str, Any], path: str | Path | None, changes: pd.DataFrame
) -> Results:
    """The public's questions answered from what is held, less what an officer's exemptions withhold."""
    from peelian.account.facts import facts_of
    from peelian.account.files import in_words
    from peelian.account.foi import foi_answers
    from peelian.account.foi_parts import Given
    from peelian.account.request import Request, exempted, read_request

    told = {record.name: record for record in results.governance}
    held, day = results.held, in_words(results.held.day)
    given = Given(held, results.amounts, results.cases, day, changes, facts_of(results), told)
    asked = read_request(path) if path else Request()
    return replace(results, replies=exempted(foi_answers(bank, given), asked), request=asked)


def _with_public(
    results: Results,
    areas: pd.DataFrame | None,
    changes: pd.DataFrame,
    released: Sequence[Release],
    source: str,
) -> Results:
    """The share cards, and the tables of counts that go to the public, set beside those published before."""
    from peelian.account.leaving import audited, by_area, by_arm, cards_of

    held = results.held
    made = () if areas is None else cards_of(results, areas, changes, source)
    out = [] if results.parameters.audience == "internal" else by_arm(held)
    out += by_area(held, made, areas) if areas is not None and made else []
    audited(out, released, held)
    shapes: Any = None
    if made and areas is not None and "geometry" in areas:
        shaped: Any = areas[["area", "geometry"]]
        shapes = shaped.dissolve("area")
    return replace(results, cards=tuple(made), shapes=shapes, leaving=tuple(out), released=len(released))


def _with_similar(results: Results, areas: pd.DataFrame | None) -> Results:
    """Every area beside those most like it, where areas and what makes them alike are named."""
    from peelian.account.similar import beside_similar

    held, p = results.held, results.parameters
    if areas is None or held.counts is None or held.crime not in held.counts:
        return results
    named = [name for name in ("homes per hectare", *p.similar) if name in areas]
    number = int(held.figures.at("similar_areas", held.day).number)
    frame = beside_similar(
        held.counts[held.crime],
        areas,
        named,
        number=number,
        threshold=1 if held.published else held.threshold,
    )
    return replace(results, similar=None if frame.empty else frame)


def _with_exposure(results: Results, people: pd.DataFrame | None) -> Results:
    """Who lives in the places with the programme, by the columns named."""
    from peelian.account.equality import exposure

    programme, asked = results.held.programme, results.parameters.equality
    if people is None or programme is None or not asked or not len(programme.treated):
        return results
    left_out = programme.areas.index[programme.areas["arm"] == "excluded"]
    eligible = people.index.difference(left_out)
    return replace(results, exposure=exposure(people, asked, programme.treated.index, eligible))


def _with_records_of(results: Results, path: str | Path | None) -> Results:
    """The records of governance, filled from what the run knows and from what people typed."""
    from peelian.account.facts import facts_of
    from peelian.account.governance import RECORDS, filled, production_gaps, read_governance

    typed = None if path is None else read_governance(path)
    facts = facts_of(results)
    records = {name: filled(name, facts, typed) for name in RECORDS}
    found = results.held.assessment
    frozen = bool(found is not None and found.raw.get("protocol"))
    gaps = production_gaps(records, frozen=frozen, on=results.held.day)
    if gaps:
        said = f"The phase is production, and it lacks {'; '.join(gaps)}."
        records["gates"] = replace(records["gates"], barred=(said,))
    return replace(results, governance=tuple(records.values()))


def _with_impacts(results: Results) -> Results:
    """How far each figure used moves the answers, and the error where one of the user's says less."""
    from functools import cache, partial

    from peelian.account.cases import PROMISED
    from peelian.account.headline import headline
    from peelian.account.sensitivity import check_declared, impacts, tornado
    from peelian.account.valuing import SOCIAL

    held, used = results.held, results.figures_used
    basis = results.case.basis if results.case else PROMISED
    answer = cache(partial(headline, held, results.parameters, basis))
    found = impacts(held.figures, used, answer)
    check_declared(used, found)
    table = results.case.table if results.case else None
    if table is None:
        return replace(results, impacts=found)
    ends = float(table.at[SOCIAL, "bcr_low"]), float(table.at[SOCIAL, "bcr_high"])
    moved = tornado(held.figures, used, answer, number=f"ratio, {SOCIAL}", effect=ends)
    return replace(results, impacts=found, tornado=moved)
