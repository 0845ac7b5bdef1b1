"""``write``: the borough on disk, in exactly the formats of real sources; same borough, same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from peelian.errors import DesignError

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from peelian.borough.simulation import Borough

Variant = Literal["all", "police_uk", "dated", "dated_snapped", "dirty"]
VARIANTS: tuple[Variant, ...] = ("all", "police_uk", "dated", "dated_snapped", "dirty")
FORCE = "peelborough"
NAME = "Peelborough Police"
STAMP = (2019, 1, 31, 12, 0, 0)  # of every member of every zip, so that equal contents are equal bytes
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
OUTCOMES = (
    ("Investigation complete; no suspect identified", 0.62),
    ("Status update unavailable", 0.20),
    ("Under investigation", 0.08),
    ("Court result unavailable", 0.025),
    ("Unable to prosecute suspect", 0.025),
    ("Offender sent to prison", 0.02),
    ("Awaiting court outcome", 0.015),
    ("Offender given a caution", 0.015),
)
LANDMARKS = ("Parking Area", "Supermarket", "Sports/Recreation Area", "Petrol Station", "Shopping Area")


def write(borough: Borough, folder: str | Path, *, variant: Variant = "all") -> dict[str, Path]:
    """Write the borough's files into a folder (made if absent) and return their paths by name.

    ``variant``  which forms of the same recorded burglaries are written:

    - ``police_uk``      ``street.zip``: month only, points moved to snap points, the layout of
      data.police.uk, with some crimes that marking cannot affect;
    - ``dated``          ``dated.csv``: a force's own extract, with date windows and exact points;
    - ``dated_snapped``  ``dated_snapped.csv``: the same with points moved to snap points;
    - ``dirty``          ``dirty.zip`` and ``dirty_truth.json``: the last year, with all faults of real ones;
    - ``all``            all four.

    Areas, wards, streets, features, programmes, deliveries, ledger, recovered items, truth: always written.
    Files of the same name are replaced. Equal parameters give equal bytes on equal versions of numpy, GDAL
    and zlib.

    Raises ``DesignError`` for an unknown variant.
    """
    if variant not in VARIANTS:
        raise DesignError(
            f"There is no variant {variant!r} of the borough. Use one of {', '.join(VARIANTS)}."
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = _always(borough, folder)
    wanted = {variant} if variant != "all" else set(VARIANTS)
    if wanted & {"police_uk", "dirty"}:
        archive = police_uk(borough)
    if "police_uk" in wanted:
        paths["street"] = _zip(folder / "street.zip", {name: _lines(rows) for name, rows in archive.items()})
    if "dated" in wanted:
        paths["dated"] = _csv(dated(borough, snapped=False), folder / "dated.csv")
    if "dated_snapped" in wanted:
        paths["dated_snapped"] = _csv(dated(borough, snapped=True), folder / "dated_snapped.csv")
    if "dirty" in wanted:
        from peelian.borough.dirty import spoil

        files, truth = spoil(archive, borough.parameters.seed)
        paths["dirty"] = _zip(folder / "dirty.zip", files)
        paths["dirty_truth"] = _json(truth, folder / "dirty_truth.json")
    return paths


def _always(borough: Borough, folder: Path) -> dict[str, Path]:
    return {
        "areas": _gpkg(borough.areas, folder / "areas.gpkg"),
        "wards": _gpkg(borough.wards, folder / "wards.gpkg"),
        "streets": _gpkg(borough.streets, folder / "streets.gpkg"),
        "features": _csv(features(borough), folder / "features.csv"),
        "programme": _csv(borough.programme, folder / "programme.csv"),
        "programme_phase_b": _csv(borough.programme_phase_b, folder / "programme_phase_b.csv"),
        "deliveries": _csv(borough.deliveries, folder / "deliveries.csv"),
        "ledger": _csv(borough.ledger, folder / "ledger.csv"),
        "recovered": _csv(borough.recovered, folder / "recovered.csv"),
        "truth": _json(borough.truth, folder / "truth.json"),
    }


def features(borough: Borough) -> pd.DataFrame:
    """Points: category, subcategory, name, easting, northing, lon, lat, as_of, licence, source."""
    frame = borough.features
    lon, lat = degrees(frame["easting"].to_numpy(), frame["northing"].to_numpy())
    frame = frame.assign(lon=lon, lat=lat)
    return frame[
        ["category", "subcategory", "name", "easting", "northing", "lon", "lat", "as_of", "licence", "source"]
    ]


def dated(borough: Borough, *, snapped: bool) -> pd.DataFrame:
    """A force's own extract: crime_ref, date_from, date_to, easting, northing, offence, recorded_on, lsoa."""
    import pandas as pd

    crimes = borough.incidents.sort_values(["recorded_on", "ref"])
    where = borough.snaps.iloc[crimes["snap"]] if snapped else crimes
    return pd.DataFrame(
        {
            "crime_ref": crimes["ref"].to_numpy(),
            "date_from": crimes["date_from"].dt.strftime("%Y-%m-%d %H:%M").to_numpy(),
            "date_to": crimes["date_to"].dt.strftime("%Y-%m-%d %H:%M").to_numpy(),
            "easting": where["easting"].to_numpy(),
            "northing": where["northing"].to_numpy(),
            "offence": crimes["offence"].to_numpy(),
            "recorded_on": crimes["recorded_on"].dt.strftime("%Y-%m-%d").to_numpy(),
            "lsoa": crimes["place"].to_numpy(),
        }
    )


def police_uk(borough: Borough) -> dict[str, list[str]]:
    """The monthly files of a data.police.uk archive: name -> its rows as text, without the header.

    Every recorded crime is one row; the month is that of the true time; the LSOA is that of the address,
    while the point is its snap point, which may lie in the next area.
    """
    import numpy as np
    import pandas as pd

    from peelian.borough.crime import months_of

    crimes = pd.concat([borough.incidents, borough.other_crimes])[["ref", "time", "type", "place", "snap"]]
    crimes["month"] = crimes["time"].dt.strftime("%Y-%m")
    crimes = crimes.sort_values(["month", "place", "snap", "type", "ref"], ignore_index=True)
    rows = _street_rows(borough, crimes)
    text = rows.to_csv(index=False, header=False, lineterminator="\n").splitlines()
    months = [str(month) for month in months_of(borough.parameters)]
    edge = np.searchsorted(crimes["month"].to_numpy(dtype=str), [*months, "9999-12"])
    return {
        f"{month}/{month}-{FORCE}-street.csv": text[first:last]
        for month, first, last in zip(months, edge[:-1], edge[1:], strict=True)
    }


def _street_rows(borough: Borough, crimes: pd.DataFrame) -> pd.DataFrame:
    """The twelve columns of data.police.uk for crimes in the order of the archive."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng([borough.parameters.seed, 12])
    lon, lat = degrees(borough.snaps["easting"].to_numpy(), borough.snaps["northing"].to_numpy())
    names = borough.areas.set_index("LSOA11CD")["LSOA11NM"]
    snap = crimes["snap"].to_numpy()
    frame = pd.DataFrame(
        {
            "Crime ID": _crime_ids(borough, crimes, rng),
            "Month": crimes["month"],
            "Reported by": NAME,
            "Falls within": NAME,
            "Longitude": np.array([f"{x:.6f}" for x in lon], dtype=object)[snap],
            "Latitude": np.array([f"{y:.6f}" for y in lat], dtype=object)[snap],
            "Location": _locations(borough, rng)[snap],
            "LSOA code": crimes["place"],
            "LSOA name": crimes["place"].map(names),
            "Crime type": crimes["type"],
            "Last outcome category": _outcomes(crimes, rng),
            "Context": "",
        }
    )
    nowhere = rng.random(len(frame)) < borough.parameters.no_location
    frame.loc[nowhere, ["Longitude", "Latitude", "LSOA code", "LSOA name"]] = ""
    frame.loc[nowhere, "Location"] = "No Location"
    return frame


def _crime_ids(borough: Borough, crimes: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Hashes, blank for anti-social behaviour; some are those of the row before, at the same point."""
    from hashlib import sha256

    import numpy as np

    seed = borough.parameters.seed
    ids = np.array([sha256(f"{seed}/{ref}".encode()).hexdigest() for ref in crimes["ref"]], dtype=object)
    same = np.zeros(len(crimes), dtype=bool)
    key = crimes[["month", "snap", "type"]]
    same[1:] = (key.to_numpy()[1:] == key.to_numpy()[:-1]).all(axis=1)
    quiet = (crimes["type"] == "Anti-social behaviour").to_numpy()
    able = np.flatnonzero(same & ~quiet)
    wanted = min(len(able), round(borough.parameters.repeated_ids * len(crimes)))
    for row in np.sort(rng.choice(able, wanted, replace=False)) if wanted else ():
        ids[row] = ids[row - 1]
    ids[quiet] = ""
    return ids


def _locations(borough: Borough, rng: np.random.Generator) -> np.ndarray:
    """ "On or near" a street for most snap points, or a landmark."""
    import numpy as np

    street = borough.snaps["street"].to_numpy().astype(object)
    landmark = np.array(LANDMARKS, dtype=object)[rng.integers(0, len(LANDMARKS), len(street))]
    return "On or near " + np.where(rng.random(len(street)) < 0.08, landmark, street)


def _outcomes(crimes: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    import numpy as np

    names, share = (np.array(part) for part in zip(*OUTCOMES, strict=True))
    drawn = names[
        np.searchsorted(np.cumsum(share), rng.random(len(crimes)) * share.sum(), side="right").clip(
            max=len(names) - 1
        )
    ]
    return np.where(crimes["type"] == "Anti-social behaviour", "", drawn)


def degrees(easting: np.ndarray, northing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude (WGS84) of points on the British National Grid, to six decimals."""
    import geopandas as gpd
    import numpy as np

    points = gpd.GeoSeries(gpd.points_from_xy(easting, northing), crs="EPSG:27700").to_crs("EPSG:4326")
    return np.round(points.x.to_numpy(), 6), np.round(points.y.to_numpy(), 6)


def _lines(rows: list[str]) -> bytes:
    return ("\n".join([HEADER, *rows]) + "\n").encode()


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    import zipfile

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, date_time=STAMP)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, content, compresslevel=6)
    return path


def _csv(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return path


def _json(content: object, path: Path) -> Path:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _gpkg(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """A GeoPackage whose inner date of change is fixed, so that the same areas give the same bytes."""
    import pyogrio

    path.unlink(missing_ok=True)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2019-01-31T12:00:00.000Z"})
    try:
        frame.to_file(path, driver="GPKG", engine="pyogrio", promote_to_multi=True)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    return path
