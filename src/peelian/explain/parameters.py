"""The parameters of explain: the ``[explain]`` table of peelian.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass

from peelian.explain.beside import (
    AoristicParameters,
    ConcentrationParameters,
    HotSpotParameters,
    NearRepeatParameters,
    months_of,
)
from peelian.explain.questions import Answers


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class RasterParameters:
    """One raster in ``[explain.rasters]``: ``file`` beside the project; ``statistic`` of its cells in each
    place; ``cuts`` above which a place counts; ``sign``, which way it is expected to work."""

    file: str
    statistic: Literal["mean", "sum", "max", "min"] = "mean"
    cuts: tuple[float, ...] = ()
    sign: Literal["aggravating", "protective", "either"] = "aggravating"


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class WhatIfParameters:
    """One layer in ``[explain.what_if]``: ``remove`` ``all``, or a file of areas whose features are taken
    away; ``add`` a file of features, both beside the project."""

    remove: str = ""
    add: str = ""

    @model_validator(mode="after")
    def _something(self) -> WhatIfParameters:
        if not self.remove and not self.add:
            raise ValueError('say remove = "all" or a file of areas, add = a file of features, or both')
        return self


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Parameters:
    """The ``[explain]`` table of peelian.toml.

    ``mode``         ``modern``: bands whose effect may only fall with distance; ``rtmdx``: the model of the
                     RTMDx Utility.
    ``block``        metres of a mean street block; 2 x the cell where it is not given, or with
                     ``block_from`` ``streets`` the mean length between junctions of the layer ``streets``.
    ``blocks``       ``rtmdx``: distances go up to so many blocks (1 to 4).
    ``increment``    ``rtmdx``: ``half`` or ``whole`` block steps.
    ``reach_limit``  ``modern``: metres of the widest band; ``reach_ratio`` relative risk that counts as
                     reached.
    ``rule``         ``1se`` (unless given in ``modern``) or ``min`` (in ``rtmdx``): which penalty is taken;
                     ``l1_ratio`` of the elastic net (0.95 in ``modern``, the better of 0.8 and 0.95 in
                     ``rtmdx``); ``folds`` left out in turn.
    ``cull_repeats`` ``rtmdx``: culls with folds drawn anew, of which half must keep a candidate; ``swap``
                     whether the search may put another distance of a factor in the place of the chosen one.
    ``tile``         ``modern``: side in metres of the tiles left out; twice the reach, 3000 at least, unless
                     given. ``fold_blocks``  a column of the areas in the place of squares, or ``random``;
                     ``buffer`` metres around left-out tiles that fit nothing.
    ``neighbourhoods``  a column of the areas that names the neighbourhood (ward) of each, for aggregate
                     neighbourhood risk; the areas themselves where it is not given.
    ``adjust``       ``modern``: columns of the areas that are always in and never reported; ``prior_count``
                     is the incidents of the cell in the year before the period.
    ``operations``   ``both``, ``proximity`` (within a distance) or ``density`` (where many lie).
    ``density_rule`` from where features lie thick: ``mean+2sd``, or a quantile of places, ``quantile:.95``.
    ``edge``         ``divide``: near the boundary, densities of layers that stop there are divided by the
                     part of the circle that lies inside; ``none``.
    ``places``       what the terrain, hot spots and concentration are made of: ``cells`` of the grid; the
                     project's ``areas``; ``hexagons`` as wide as a cell; ``streets``, the segments of the
                     layer of that name from junction to junction.
    ``at``           ``centroid``: distances from the middle of a place; ``area``: the share of its ground
                     that is near; ``auto``: the ground of areas and streets wider than twice the smallest
                     distance, else the middle.
    ``distance``     ``euclidean``: straight lines; ``network``: along the lines of the layer ``streets``.
    ``streets``      the layer that holds the streets; it is no factor then.
    ``exclude``      layers of areas (water, airfields): cells half covered by them are left out.
    ``rasters``      tables of ``file``, ``statistic`` (``mean``, ``sum``, ``max``, ``min``), ``cuts`` and
                     ``sign``, by name of the factor: 1 where a place lies above a cut (the deciles where
                     none are given).
    ``what_if``      tables of ``remove`` and ``add`` by name of a layer: what the terrain would say with
                     other features of it.
    ``categories``   names of the layers to try; all where it is not given.
    ``min_features`` layers with fewer features in the study area are left out, and listed.
    ``period``       first and last month, ``2016-01..2018-12``; every incident where it is not given.
    ``offset``       ``households``: risk per home, homes of an area spread over its cells by the share of the
                     area that each covers; ``none``: risk per cell; ``ground``: per hectare, or length of
                     street, of places that are not alike; ``auto``: per home in ``modern`` where the crime
                     is burglary and the areas have households, else per cell, hectare or length.
    ``family``       ``auto`` (Poisson or NB1, the lower BIC), ``poisson``, ``nb1`` or ``nb2``.
    ``replicates``   resamples of tiles; ``clusters`` side of a tile in metres, or a column of the
                     areas (wards).
    ``shift``        whether to move the maps of factors over the study area; ``refit``  ``halves``: the first
                     half of the period chooses, the second refits; ``years``: the same, parted at the
                     January nearest to the middle; ``none``.
    ``permutations`` of the residuals, for Moran's I.
    ``frequency``    least share of resamples that choose a factor that is reported; ``shift_p`` the largest p
                     of the shift test; ``weak`` how many of the four checks make a factor weak; ``holm``
                     whether the shift p is adjusted for how many factors were tried (in ``modern``).
    ``sensitivity``  ``modern``: whether the model is fitted again under other choices.
    ``quick``        leaves out resamples and shifts; the pages say "not for decisions", and no plan is made.
    ``share``        share of cells that make the priority places.
    ``workers``      processes for the resamples.
    ``force``        go on with fewer than 100 incidents, or with cells finer than the points can bear.
    ``allow_police_activity``  the reason for using a layer of stops, arrests or patrols; printed.
    ``allow_outcome_factor``   the reason for using a layer whose points are the incidents' own.
    ``hotspots``, ``concentration``, ``near_repeat``, ``aoristic``   tables of the parts beside the terrain,
                     each with ``on`` and keys of its own; a part that the data forbid is skipped, with why.
    ``questions``    answers to those of seven questions that a run cannot know.
    """

    mode: Literal["modern", "rtmdx"] = "modern"
    places: Literal["cells", "areas", "hexagons", "streets"] = "cells"
    block: Annotated[float, Field(gt=0)] | None = None
    block_from: Literal["cell", "streets"] = "cell"
    blocks: Annotated[int, Field(ge=1, le=4)] = 3
    increment: Literal["half", "whole"] = "half"
    reach_limit: Annotated[float, Field(gt=0)] = 1500
    reach_ratio: Annotated[float, Field(gt=1)] = 1.1
    rule: Literal["1se", "min"] | None = None
    l1_ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    folds: Annotated[int, Field(ge=2, le=10)] = 5
    cull_repeats: Annotated[int, Field(ge=1)] = 1
    swap: bool = False
    tile: Annotated[float, Field(gt=0)] | None = None
    fold_blocks: str | None = None
    buffer: Annotated[float, Field(ge=0)] = 0
    neighbourhoods: str | None = None
    adjust: tuple[str, ...] = ()
    operations: Literal["both", "proximity", "density"] = "both"
    density_rule: str = "mean+2sd"
    edge: Literal["none", "divide"] = "none"
    at: Literal["auto", "centroid", "area"] = "auto"
    distance: Literal["euclidean", "network"] = "euclidean"
    streets: str | None = None
    exclude: tuple[str, ...] = ()
    rasters: dict[str, RasterParameters] = Field(default_factory=dict)
    what_if: dict[str, WhatIfParameters] = Field(default_factory=dict)
    categories: tuple[str, ...] | None = None
    min_features: Annotated[int, Field(ge=1)] = 30
    period: str | None = None
    offset: Literal["auto", "none", "households", "ground"] = "auto"
    family: Literal["auto", "poisson", "nb1", "nb2"] = "auto"
    replicates: Annotated[int, Field(ge=20)] = 200
    clusters: Annotated[float, Field(gt=0)] | str = 1500
    shift: bool = True
    refit: Literal["halves", "years", "none"] = "halves"
    permutations: Annotated[int, Field(ge=99)] = 999
    frequency: Annotated[float, Field(ge=0, le=1)] = 0.8
    shift_p: Annotated[float, Field(gt=0, le=1)] = 0.05
    weak: Annotated[int, Field(ge=1, le=4)] = 2
    holm: bool | None = None
    sensitivity: bool = True
    quick: bool = False
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
            months_of(value)
        return value

    @field_validator("density_rule")
    @classmethod
    def _a_rule(cls, value: str) -> str:
        from peelian.explain.measure import QUANTILE

        if value != "mean+2sd" and not QUANTILE.fullmatch(value):
            raise ValueError('write "mean+2sd" or for instance "quantile:.95"')
        return value

    @property
    def adjusted(self) -> bool:
        """Whether the verdict uses the shift p adjusted for how many factors were tried."""
        return self.mode == "modern" if self.holm is None else self.holm

    @property
    def months(self) -> tuple[str, str] | None:
        """First and last month of ``period``."""
        return months_of(self.period) if self.period else None
