"""The parameters of explain: the ``[explain]`` table of peelian.toml."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from peelian.explain.beside import (
    AoristicParameters,
    ConcentrationParameters,
    HotSpotParameters,
    NearRepeatParameters,
)
from peelian.explain.questions import Answers

PERIOD = re.compile(r"\s*(\d{4}-(?:0[1-9]|1[0-2]))\s*\.\.\s*(\d{4}-(?:0[1-9]|1[0-2]))\s*")


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Parameters:
    """The ``[explain]`` table of peelian.toml.

    ``mode``         ``rtmdx``: the model of the RTMDx Utility.
    ``block``        metres of a mean street block; 2 x the cell where it is not given.
    ``blocks``       distances go up to so many blocks (1 to 4).
    ``increment``    ``half`` or ``whole`` block steps.
    ``operations``   ``both``, ``proximity`` (within a distance) or ``density`` (where many lie).
    ``categories``   names of the layers to try; all where it is not given.
    ``min_features`` layers with fewer features in the study area are left out, and listed.
    ``period``       first and last month, ``2016-01..2018-12``; every incident where it is not given.
    ``offset``       ``households``: risk per home, homes of an area spread over its cells by the share of the
                     area that each covers; ``none``: risk per cell.
    ``family``       ``auto`` (Poisson or NB1, the lower BIC), ``poisson``, ``nb1`` or ``nb2``.
    ``replicates``   resamples of tiles; ``clusters`` side of a tile in metres.
    ``shift``        whether to move the maps of factors over the study area; ``refit``  ``halves``: the first
                     half of the period chooses, the second refits; ``none``.
    ``permutations`` of the residuals, for Moran's I.
    ``frequency``    least share of resamples that choose a factor that is reported; ``shift_p`` the largest p
                     of the shift test; ``weak`` how many of the four checks make a factor weak.
    ``share``        share of cells that make the priority places.
    ``workers``      processes for the resamples.
    ``force``        go on with fewer than 100 incidents, or with cells finer than the points can bear.
    ``allow_police_activity``  the reason for using a layer of stops, arrests or patrols; printed.
    ``allow_outcome_factor``   the reason for using a layer whose points are the incidents' own.
    ``hotspots``, ``concentration``, ``near_repeat``, ``aoristic``   tables of the parts beside the terrain,
                     each with ``on`` and keys of its own; a part that the data forbid is skipped, with why.
    ``questions``    answers to those of seven questions that a run cannot know.
    """

    mode: Literal["rtmdx"] = "rtmdx"
    block: Annotated[float, Field(gt=0)] | None = None
    blocks: Annotated[int, Field(ge=1, le=4)] = 3
    increment: Literal["half", "whole"] = "half"
    operations: Literal["both", "proximity", "density"] = "both"
    categories: tuple[str, ...] | None = None
    min_features: Annotated[int, Field(ge=1)] = 30
    period: str | None = None
    offset: Literal["none", "households"] = "none"
    family: Literal["auto", "poisson", "nb1", "nb2"] = "auto"
    replicates: Annotated[int, Field(ge=20)] = 100
    clusters: Annotated[float, Field(gt=0)] = 1500
    shift: bool = True
    refit: Literal["halves", "none"] = "halves"
    permutations: Annotated[int, Field(ge=99)] = 999
    frequency: Annotated[float, Field(ge=0, le=1)] = 0.8
    shift_p: Annotated[float, Field(gt=0, le=1)] = 0.05
    weak: Annotated[int, Field(ge=1, le=4)] = 2
    share: Annotated[float, Field(gt=0, lt=1)] = 0.05
    workers: Annotated[int, Field(ge=1)] = 2
    force: bool = False
    allow_police_activity: str | None = None
    allow_outcome_factor: str | None = None
    hotspots: HotSpotParameters = HotSpotParameters()
    concentration: ConcentrationParameters = ConcentrationParameters()
    near_repeat: NearRepeatParameters = NearRepeatParameters()
    aoristic: AoristicParameters = AoristicParameters()
    questions: Answers = Answers()

    @field_validator("period")
    @classmethod
    def _two_months(cls, value: str | None) -> str | None:
        if value is not None:
            found = PERIOD.fullmatch(value)
            if not found or found[1] > found[2]:
                raise ValueError("write first and last month as 2016-01..2018-12")
        return value

    @property
    def months(self) -> tuple[str, str] | None:
        """First and last month of ``period``."""
        found = PERIOD.fullmatch(self.period) if self.period else None
        return (found[1], found[2]) if found else None
