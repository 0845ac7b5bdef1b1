"""The tables below ``[predict]``: what missions, the audit and learned methods are asked for."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from peelian.predict.shifts import USUAL

Share = Annotated[float, Field(ge=0, lt=1)]
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STRICT)
class MissionTable:
    """``[predict.missions]``: patrol boxes for the forecast period; none are made without this table.

    ``boxes``, ``kilometres``, ``kits``  one: the limit of a mission, in places, in kilometres of street
                     (needs ``[predict] streets``) or in kits (needs households). With none of them missions
                     take the visits of the plan (``[plan] patrol``), and are made with it.
    ``patrol_area``  column of the places whose values divide missions (a ward, a beat); one for all without.
    ``shifts``       name -> hours, such as ``{ early = "06-14" }``; need records with times of day.
    ``days``         how many days from the start of the forecast period.
    ``minutes``      a visit takes; ``explore`` share of the limit that is drawn at random.
    ``saturation``   share of a place's homes that get a kit, for ``kits``.
    """

    boxes: Annotated[int, Field(ge=1)] | None = None
    kilometres: Annotated[float, Field(gt=0)] | None = None
    kits: Annotated[int, Field(ge=1)] | None = None
    patrol_area: str = ""
    shifts: dict[str, str] = Field(default_factory=lambda: dict(USUAL))
    days: Annotated[int, Field(ge=1, le=31)] = 7
    minutes: Annotated[float, Field(gt=0)] = 15
    explore: Share = 0.1
    saturation: Annotated[float, Field(gt=0, le=1)] = 0.85

    @property
    def limited(self) -> bool:
        """Whether the table sets a limit of its own; else missions take the visits of a plan."""
        return any(limit is not None for limit in (self.boxes, self.kilometres, self.kits))


@dataclass(frozen=True, config=STRICT)
class Decision:
    """Which point of the frontier was chosen, by whom and why."""

    gamma: Annotated[float, Field(ge=0, le=1)]
    by: Annotated[str, Field(min_length=2)]
    reason: Annotated[str, Field(min_length=10)]


@dataclass(frozen=True, config=STRICT)
class TriggeringTable:
    """``[predict.triggering]``: which marks of an incident go with more near by; only if it is there.

    ``marks``     columns of the incidents (``type``, ``outcome``) or of the places, text or numbers.
    ``days``      after an incident, and ``distance`` metres round it, within which others may be its own.
    ``most``      incidents used, the latest: the likelihood is meant for hundreds, not for a city's years.
    """

    marks: Annotated[tuple[str, ...], Field(min_length=1)]
    days: Annotated[int, Field(ge=2, le=180)] = 30
    distance: Annotated[float, Field(gt=50)] = 500
    most: Annotated[int, Field(ge=200, le=20_000)] = 2_000


@dataclass(frozen=True, config=STRICT)
class AuditTable:
    """``[predict.audit]``: run unless ``on`` is false; by group where columns of the places are named.

    ``share``        of the homes (and of the cells) that are chosen.
    ``deprivation``  column of deciles, 1 the most deprived.
    ``residents``    name -> column with a share of residents (ethnic groups, from 0 to 1 or in percent).
    ``tenure``       name -> column with a share of homes (private rented, ...).
    ``norm``         what the frontier compares with: each group's share of ``homes`` or of recorded
    ``crime``.
    ``decided``      which gamma of the frontier was chosen, ``by`` whom and for what ``reason``: printed.
    ``reporting``    column: share of incidents that are reported to police, as a survey says for such places.
    ``draws``        of thinned records.
    ``reported``, ``discovery``, ``deterrence``  of the feedback simulation: the share that victims report,
                     the chance that a patrol records what nobody reported, and the share it prevents.
    """

    on: bool = True
    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    deprivation: str = ""
    residents: dict[str, str] = Field(default_factory=dict)
    tenure: dict[str, str] = Field(default_factory=dict)
    norm: str = Field(default="homes", pattern="^(homes|crime)$")
    decided: Decision | None = None
    reporting: str = ""
    draws: Annotated[int, Field(ge=20)] = 200
    reported: Annotated[float, Field(ge=0, le=1)] = 0.5
    discovery: Annotated[float, Field(ge=0, le=1)] = 0.5
    deterrence: Annotated[float, Field(ge=0, le=1)] = 0.0


@dataclass(frozen=True, config=STRICT)
class FeatureTable:
    """``[predict.features]``: what learned methods (ridge, boosted) may learn from besides incidents.

    ``layers``     names of layers, or ``["all"]``: how far the nearest is, and how thick they lie.
    ``columns``    column of the places -> the month in which it was known (``"2019-09"``), ``""`` where
                   nobody says.
    ``calendar``   of ``month``, ``weekday``, ``bank_holidays`` (England and Wales), ``darkness``.
    ``weather``    ``usual`` (of the date in earlier years), ``forecast`` (with ``forecasts``), or, for
                   comparison alone, ``perfect weather (not available in practice)``; needs ``[weather]``.
    ``forecasts``  CSV of weather forecasts: ``issued``, ``date``, ``tmean``, ``rain``.
    ``exposure``   column of the places that the rate of the ridge is per (``households``).
    ``split``      published counts by larger area and month, for the share of homes among the incidents;
                   ``split_by`` the column of the places with its areas; ``split_homes``, ``split_all`` its
                   categories.
    """

    layers: tuple[str, ...] = ()
    columns: dict[str, str] = Field(default_factory=dict)
    calendar: tuple[str, ...] = ()
    weather: str = Field(
        default="", pattern=r"^(|usual|forecast|perfect weather \(not available in practice\))$"
    )
    forecasts: str = ""
    exposure: str = ""
    split: str = ""
    split_by: str = ""
    split_homes: str = "Domestic Burglary"
    split_all: str = "Burglary"

    @field_validator("columns")
    @classmethod
    def _months(cls, value: dict[str, str]) -> dict[str, str]:
        for name, month in value.items():
            if month and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
                raise ValueError(f"has {month!r} for {name}, which is no month; write it as 2019-09")
        return value
