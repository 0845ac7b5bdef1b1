"""The ``[plan]`` table."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

Share = Annotated[float, Field(gt=0, le=1)]
METTRACE = (
    "MetTrace year 1 as published (treated areas -27.5 %, others -5.7 %), interval widened for London's "
    "overdispersion; not corrected for how its areas were chosen"
)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Parameters:
    """The ``[plan]`` table: the next programme, not the past one of ``[programme]``.

    ``kits``             kits that may be given.
    ``budget``           pounds that may be spent on kits; with both, the smaller limit holds.
    ``unit_cost``        pounds a kit; without it, what ``[programme]`` paid.
    ``start``            first month of delivery (``2016-01``); without it, the first month that leaves
                         ``gap_months`` clean.
    ``gap_months``       whole months between the last month the risk rests on and ``start``.
    ``saturation``       share of an area's homes to reach; without it, that of ``[programme]``.
    ``solver``           ``milp`` (the best choice, to within ``mip_gap``) or ``greedy``.
    ``mip_gap``          share by which the choice may fall short of the best.
    ``time_limit``       seconds the solver may take.
    ``must``             ids of areas that are taken whatever their risk.
    ``must_not``         ids of areas that are not taken.
    ``spare``            share of kits kept back for loss and damage.
    ``reserve``          share of kits kept for vulnerable and repeat victims outside the chosen areas; 0.05
                         is advised where the force's own share of repeats is not known.
    ``live_kits``, ``voids``  columns of the places file: kits that are out already, and empty homes.
    ``weight``           column: what an incident in the area counts (its harm, or 1 plus its share of repeat
                         victims); the choice goes by risk times weight, what is expected by risk.
    ``area_pounds``      pounds an area besides its kits (signs, visits, post), within ``budget``.
    ``officer_hours``, ``minutes_a_kit``  hours that may be spent, and minutes of one kit.
    ``refused``, ``never_in``  shares of homes that refuse and that are never found in, or columns with them:
                         areas that cannot reach the line are named.
    ``effect``           assumed ratio of crime with to crime without kits, at full strength; or the name of
                         a figure that has an interval (``aarhus``, ``mettrace_year_1``, ``none``), whose
                         interval and source are then taken too.
    ``effect_low``, ``effect_high``  its 95 % interval.
    ``effect_source``    where the effect comes from, in words.
    ``attained``, ``attained_sd``  share of homes that will in fact get a kit, and its standard deviation;
                         what is expected is in proportion to it. Without ``attained`` it is what
                         ``refused`` and ``never_in`` leave where a deviation is given, else ``saturation``.
    ``fade``             ``half at 6, zero at 12`` (months) or ``lasting``.
    ``years``            years over which prevented and promised incidents are counted.
    ``delivery_months``  months over which the kits go out; 0 counts all from the first day.
    ``team``             column of the places file that names the team of each area; areas of none are left.
    ``teams``            CSV file: ``area`` (a value of the column ``team``, such as a borough), ``team`` and
                         optional ``officers``; areas of no team are left where ``team_kits`` holds.
    ``team_kits``        kits that a team can bring out; needs ``team``.
    ``floor_by``         column of the places file whose groups (boroughs, thirds of deprivation) each get
                         ``floor_share`` times their share of households, in kits, at least.
    ``floor_share``      from 0 to 1; the closer to 1, the more it costs.
    ``compact``          ``none``, ``neighbour`` (each chosen area has a chosen neighbour), ``clusters``
                         (groups of ``min_areas`` or more) or ``boundary`` (``penalty`` incidents a year are
                         taken off for each border between a chosen area and one that is not).
    ``min_areas``, ``penalty``  of ``compact``. Of the rules, ``boundary`` takes longest: seconds on London.
    ``buffer``           metres round chosen areas within which no area is a control; the choice leaves as
                         many controls of like risk as it takes areas (10 at least), and treats at most 40 %
                         of expected incidents.
    ``patrol``           what a shift of patrol holds, in ``patrol_unit`` (``minutes``, ``kilometres``): gives
                         patrol.csv, with kits or instead of them. ``visit`` is what one visit costs, a number
                         or a column of the places; ``patrol_fall`` the shares by which crime is assumed to
                         fall at one, at two, ... visits a shift (``[0.10, 0.15]``).
    ``equity_by``        columns of the places file by whose groups the shares of kits are shown; or words for
                         each: ``{ borough = "LAD11NM" }``.
    ``frontier_by``      column for whose groups the cost of fairer shares is worked out in eleven steps:
                         about a minute on London.
    ``kits_a_month``     kits that a team (of ``team``, else one for all) brings out in a month: gives
                         schedule.csv and orders.csv.
    ``officers``         officers of each team (five prevention PCSOs to a command unit), where
                         ``kits_a_month`` is not given: with ``shifts_a_year`` and ``kits_a_shift`` (both of
                         the figures unless given) they make the kits of each month, by its working days.
    ``ward``             column of the places file with the ward of each area; its own officers bring out
                         ``ward_kits_a_month`` there and in no other ward, beside the team.
    ``lead_months``      months from the order of kits to their arrival.
    ``streets``          CSV file of streets: ``street``, ``place``, ``dwellings``, ``x``, ``y`` (metres),
                         optional ``usrn``: gives rounds in walking order. Never a person's name or address.
    ``roads``            spatial file of road lines with ``name``: where no ``streets`` are held, homes are
                         spread over them by length; they also show the ways in, for signs.
    ``sites``            CSV file of places for signs: ``site``, ``x``, ``y``, optional ``kind`` and
                         ``existing``.
    ``sign_layers``      layers of the project whose features can bear a sign (stations).
    ``homes_a_sign``     homes for one sign; that of the figures unless given.
    ``shop_layers``      layers of second-hand shops and pawnbrokers to visit.
    ``lists``            kinds of the lists of each team and ward: ``html`` (prints, and reads on a phone),
                         ``docx``.
    ``trial``            ``none``; or how areas are drawn from a pool that ``kits`` over ``trial_share`` would
                         saturate: ``complete``, ``blocked`` (by ``floor_by``), ``pairs``,
                         ``rerandomised``; or ``stepped_wedge``: all areas, in ``steps`` whose order is drawn,
                         ``step_months`` apart.
    ``trial_seed``       text chosen after the pool is frozen; ``trial_share`` of the pool to treat.
    ``apart``            metres that any two areas of the pool lie apart at least, so that none spoils
                         another.
    ``explore``          share of the kits for areas outside the list, drawn by hash from ``trial_seed``: they
                         keep estimates honest; 0.05 is advised.
    ``scenarios``        other plans to set beside this one: name -> keys of [plan] that differ.
    ``promise``          incidents to be prevented over ``years``; without it, the promise of
                         ``[programme]`` in proportion to the kits.
    ``risk_years``       years of incidents that an area's risk rests on: sets how far it may stray.
    ``draws``            random draws behind each interval.
    ``rehearsals``       draws of areas in which the evaluation is rehearsed on earlier months; 0 for none.
    ``deprivation``      column of deprivation, lowest the most deprived: what would change were a tenth, a
                         fifth or three tenths of crime in the lowest third never reported.
    ``residential``      true where only burglary of homes is counted; otherwise every page says that shops
                         and offices are counted too.
    ``evaluation``       a table of fields of the evaluation plan (``stopping``, ``access``, ``subgroups``,
                         ``definition``, ...) that replace the usual words of the draft protocol.toml.
    """

    kits: Annotated[int, Field(ge=0)] | None = None
    budget: Annotated[float, Field(ge=0)] | None = None
    unit_cost: Annotated[float, Field(gt=0)] | None = None
    start: str | None = None
    gap_months: Annotated[int, Field(ge=0)] = 12
    saturation: Share | None = None
    solver: Literal["milp", "greedy"] = "milp"
    mip_gap: Annotated[float, Field(ge=0, lt=1)] = 1e-3
    time_limit: Annotated[float, Field(gt=0)] = 60.0
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    spare: Annotated[float, Field(ge=0, lt=1)] = 0.0
    reserve: Annotated[float, Field(ge=0, lt=1)] = 0.0
    live_kits: str | None = None
    voids: str | None = None
    weight: str | None = None
    area_pounds: Annotated[float, Field(ge=0)] = 0.0
    officer_hours: Annotated[float, Field(gt=0)] | None = None
    minutes_a_kit: Annotated[float, Field(gt=0)] = 6.0
    refused: Annotated[float, Field(ge=0, lt=1)] | str | None = None
    never_in: Annotated[float, Field(ge=0, lt=1)] | str | None = None
    effect: Annotated[float, Field(gt=0)] | str = 0.769
    effect_low: Annotated[float, Field(gt=0)] = 0.705
    effect_high: Annotated[float, Field(gt=0)] = 0.838
    effect_source: str = METTRACE
    attained: Annotated[float, Field(gt=0, lt=1)] | None = None
    attained_sd: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    fade: Literal["lasting", "half at 6, zero at 12"] = "half at 6, zero at 12"
    years: Annotated[float, Field(gt=0)] = 1.0
    delivery_months: Annotated[float, Field(ge=0)] = 0.0
    patrol: Annotated[float, Field(gt=0)] | None = None
    patrol_unit: Literal["minutes", "kilometres"] = "minutes"
    visit: Annotated[float, Field(gt=0)] | str | None = None
    patrol_fall: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    team: str | None = None
    teams: str = ""
    team_kits: Annotated[int, Field(gt=0)] | None = None
    floor_by: str | None = None
    floor_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    compact: Literal["none", "neighbour", "clusters", "boundary"] = "none"
    min_areas: Annotated[int, Field(ge=2)] = 3
    penalty: Annotated[float, Field(gt=0)] = 1.0
    buffer: Annotated[float, Field(ge=0)] | None = None
    equity_by: dict[str, str] | tuple[str, ...] = ()
    frontier_by: str | None = None
    kits_a_month: Annotated[int, Field(gt=0)] | None = None
    officers: Annotated[int, Field(ge=0)] = 0
    shifts_a_year: Annotated[float, Field(gt=0)] | None = None
    kits_a_shift: Annotated[float, Field(gt=0)] | None = None
    ward: str | None = None
    ward_kits_a_month: Annotated[int, Field(ge=0)] = 0
    lead_months: Annotated[int, Field(ge=0)] = 2
    streets: str = ""
    roads: str = ""
    sites: str = ""
    sign_layers: tuple[str, ...] = ()
    homes_a_sign: Annotated[float, Field(gt=0)] | None = None
    shop_layers: tuple[str, ...] = ()
    lists: tuple[Literal["html", "docx"], ...] = ("html",)
    trial: Literal["none", "complete", "blocked", "pairs", "rerandomised", "stepped_wedge"] = "none"
    trial_seed: str = ""
    trial_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    steps: Annotated[int, Field(ge=2)] = 5
    step_months: Annotated[int, Field(ge=1)] = 3
    apart: Annotated[float, Field(ge=0)] | None = None
    explore: Annotated[float, Field(ge=0, lt=1)] = 0.0
    promise: Annotated[float, Field(gt=0)] | None = None
    risk_years: Annotated[float, Field(gt=0)] = 2.0
    draws: Annotated[int, Field(ge=100)] = 2000
    rehearsals: Annotated[int, Field(ge=0)] = 500
    deprivation: str | None = None
    residential: bool = False
    scenarios: dict[str, dict[str, Any]] = Field(default_factory=dict)
    evaluation: dict[str, Any] = Field(default_factory=dict)
