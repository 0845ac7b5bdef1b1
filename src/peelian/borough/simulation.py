"""``simulate``: the borough in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.borough.parameters import BoroughParameters

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.borough.ground import Ground


@dataclass(frozen=True, eq=False)
class Borough:
    """A simulated borough, with everything that is hidden in reality.

    ``parameters``      what it was made from;
    ``areas``           GeoDataFrame: LSOA11CD, LSOA11NM, MSOA11CD, MSOA11NM, WD14CD, WD14NM, households,
                        imd_decile, in_borough, geometry (EPSG:27700); ``wards``: WD14CD, WD14NM, geometry;
    ``streets``         lines with ``street``; ``homes``: easting, northing, area (position), segment,
                        street, snap, risk, area_factor, field, and one true/false column a planted factor;
    ``snaps``           snap points: easting, northing, street, addresses;
    ``features``        category, subcategory, name, easting, northing, as_of, licence, source, geometry;
    ``incidents``       recorded burglaries in order of time: ref, time (true), date_from, date_to,
                        recorded_on, place (code), home, snap, easting, northing (exact), street, premises,
                        offence, type, kind, parent (ref), fate (``happened`` or ``displaced``),
                        place_without (where it would have been);
    ``other_crimes``    ref, time, type, place, home, snap, easting, northing, street;
    ``counterfactual``  every burglary without the programme: time, home, kind, parent, ..., chance,
                        fate, home_after;
    ``deliveries``      place, month, kits, street, dwellings;
    ``programme``       phase A's file (phase B excluded); ``programme_phase_b``: phase B's file;
    ``ledger``, ``recovered``   costs, and items found;
    ``truth``           what ``truth.json`` says.
    """

    parameters: BoroughParameters
    areas: gpd.GeoDataFrame
    wards: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    homes: pd.DataFrame
    snaps: pd.DataFrame
    features: gpd.GeoDataFrame
    incidents: pd.DataFrame
    other_crimes: pd.DataFrame
    counterfactual: pd.DataFrame
    deliveries: pd.DataFrame
    programme: pd.DataFrame
    programme_phase_b: pd.DataFrame
    ledger: pd.DataFrame
    recovered: pd.DataFrame
    truth: dict[str, Any]


def simulate(parameters: BoroughParameters | None = None) -> Borough:
    """The borough that these parameters describe; the same parameters give the same borough.

    Raises ``DesignError`` when the borough is too small for its programme. About two seconds on one core
    with the default parameters. See ``BoroughParameters`` for what everything is.
    """
    from peelian.borough import crime, ground, programme, records, truth
    from peelian.borough.features import home_risk, place_features

    parameters = parameters or BoroughParameters()
    land = ground.lay_ground(parameters)
    features = place_features(parameters, land)
    homes = home_risk(parameters, land, features)
    risk = homes["risk"].to_numpy()
    events = crime.describe(parameters, crime.counterfactual(parameters, land, risk))
    treatment = programme.treat(parameters, land, events)
    events = programme.prevent(parameters, land, risk, events, treatment)
    delivered = records.deliveries(land, treatment)
    return Borough(
        parameters=parameters,
        areas=_with_deprivation(parameters, land, homes),
        wards=land.wards,
        streets=land.streets,
        homes=land.homes.join(homes),
        snaps=land.snaps,
        features=features,
        incidents=_recorded(land, events),
        other_crimes=_placed(land, crime.other_crimes(parameters, land, features)),
        counterfactual=events,
        deliveries=delivered,
        programme=records.programme_table(parameters, land, treatment, phase="A"),
        programme_phase_b=records.programme_table(parameters, land, treatment, phase="B"),
        ledger=records.ledger(parameters, delivered.groupby("month")["kits"].sum()),
        recovered=records.recovered(parameters, land, treatment),
        truth=truth.truth(parameters, land, homes, events, treatment),
    )


def _with_deprivation(parameters: BoroughParameters, land: Ground, homes: pd.DataFrame) -> gpd.GeoDataFrame:
    """Areas with ``imd_decile`` (1 = most deprived; goes with burglary, loosely) and ``in_borough``."""
    import numpy as np

    rng = np.random.default_rng([parameters.seed, 11])
    area = land.homes["area"].to_numpy()
    households = np.maximum(np.bincount(area, minlength=len(land.areas)), 1)
    lasting = np.log(
        np.bincount(area, homes["area_factor"] * homes["field"], minlength=len(land.areas)) / households
        + 1e-9
    )
    score = lasting / max(lasting.std(), 1e-9) + rng.normal(0, 1.2, len(land.areas))
    decile = 10 - np.argsort(np.argsort(score)) * 10 // len(score)
    areas = land.areas.assign(imd_decile=decile.astype("int32"), in_borough=True)
    areas["households"] = areas["households"].astype("int32")
    return areas[[name for name in areas.columns if name != "geometry"] + ["geometry"]]


def _placed(land: Ground, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with the place, point, street and snap point of their home."""
    home = frame["home"].to_numpy().astype(int)
    homes = land.homes.iloc[home]
    return frame.assign(
        place=land.areas["LSOA11CD"].to_numpy()[homes["area"]],
        snap=homes["snap"].to_numpy(),
        easting=homes["easting"].to_numpy(),
        northing=homes["northing"].to_numpy(),
        street=homes["street"].to_numpy(),
    )


def _recorded(land: Ground, events: pd.DataFrame) -> pd.DataFrame:
    """What the police came to record: everything that was not prevented, where it happened in the end."""
    import numpy as np

    codes = land.areas["LSOA11CD"].to_numpy()
    parent = events["parent"].to_numpy()
    frame = events.assign(
        place_without=codes[land.homes["area"].to_numpy()[events["home"].to_numpy()]],
        parent=np.where(parent >= 0, events["ref"].to_numpy()[parent], ""),
        home=events["home_after"],
        type="Burglary",
    )
    frame = frame[frame["home"] >= 0].drop(columns=["home_after", "chance"]).reset_index(drop=True)
    return _placed(land, frame)
