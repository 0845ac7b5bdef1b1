"""Sources: the [places], [[incidents]], [[layers]] and [read] tables of peelian.toml, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass as model

from peelian.errors import DataError
from peelian.project import validated
from peelian.read.conditions import WeatherSource, weather_source
from peelian.read.dates import SINCE
from peelian.read.layers_by_reader import LayerSource

STRICT = ConfigDict(extra="forbid")
Share = Annotated[float, Field(ge=0, le=1)]
CRS = int | str | None
OF_TABLE = (
    "mapping",
    "profile",
    "type",
    "period",
    "dates",
    "timezone",
    "sheet",
    "columns",
    "crs",
    "precision",
)
OF_STORE = ("forces", "first", "last", "areas", "types")
OWN = {"table": OF_TABLE, "store": OF_STORE}
SHARED = {"counts": ("type", "types")}  # keys that a reader has in common with the one they belong to
MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
File = Annotated[str, Field(min_length=1)]


@model(frozen=True, config=STRICT)
class PlacesSource:
    """The ``[places]`` table: the areas of the project.

    ``file``        any spatial file that GDAL reads, relative to peelian.toml.
    ``id``          the column with the area code; ``households`` the one with households; ``name`` the one
                    with what people call the area.
    ``where``       a true/false column: the study area of the grid; all areas without it.
    ``cell``        side of a grid cell in metres, for explain and predict.
    ``crs``         move the shapes into this CRS in metres, for files in degrees; 27700 in Great Britain.
    ``layer``       of the file, where it has several.
    ``lookup``      a lookup between two editions of the area codes, for extracts that use the other one or
                    both: a table of codes, or the shapes of the other edition, which are laid over these;
                    ``lookup_codes`` its two columns, old and new, where they cannot be seen (of shapes, the
                    column with their id first); ``lookup_size`` the one with people or homes, for shares.
    ``edition``     ``own``: every code is brought to these areas, each row to one of them; ``common``: these
                    areas are put together into those that both editions are made of, so that one series
                    crosses the change and nothing is assumed.
    ``rasters``     our name of a column -> a raster, whose cells are added up in each area (averaged with
                    ``raster_statistic = "mean"``); ``households`` may be one of them.
    ``profile``     a table of households, tenure, deprivation, ... by area, whose columns the areas take;
                    ``profile_id`` its column with the code; ``profile_shares`` themes of it (tenure,
                    dwellings, ethnicity, age) of which each count stands as a share too (``..._share``).
                    ``households`` may then be one of its columns.
    ``source``, ``date``, ``licence``  printed in the report.
    """

    file: File
    id: str
    households: str | None = None
    name: str | None = None
    where: str | None = None
    cell: Annotated[float, Field(gt=0)] = 100.0
    crs: CRS = None
    layer: str | None = None
    lookup: str | None = None
    lookup_codes: tuple[str, str] | None = None
    lookup_size: str | None = None
    edition: Literal["own", "common"] = "own"
    rasters: dict[str, str] = Field(default_factory=dict)
    raster_statistic: Literal["sum", "mean", "max", "min"] = "sum"
    profile: str | None = None
    profile_id: str | None = None
    profile_shares: tuple[str, ...] = ()
    source: str = ""
    date: str = ""
    licence: str = ""

    @model_validator(mode="after")
    def _has_lookup(self) -> PlacesSource:
        if self.edition == "common" and self.lookup is None:
            raise ValueError('edition = "common" needs the lookup between the two editions: lookup = "..."')
        return self


@model(frozen=True, config=STRICT)
class IncidentSource:
    """One ``[[incidents]]`` table: an extract of recorded crime.

    ``reader``     ``police_uk`` (street archives of data.police.uk), ``table`` (any table of crime),
                   ``counts`` (a table of counts by area and month or day) or ``store`` (made by
                   ``peelian read store``).
    ``file``       a file, folder or zip, relative to peelian.toml.
    ``kind``       of ``police_uk`` files: ``street``, ``outcomes`` or ``stop-and-search``.
    ``types``      of ``counts`` or ``store``: only these crime types, as the file spells them.
    Of ``store`` only:
    ``forces``     only these, as the folders of the store are named (``city-of-london-police``).
    ``first``, ``last``  month (``2016-05``), both included.
    ``areas``      ``"places"``, only rows whose area code is among the places (or the lookup between their
                   editions), or a list of codes; rows without a code are then left out.
    Of ``table`` only (``type`` of ``counts`` too):
    ``mapping``    our name -> column, or columns in braces (``"{Date} {Time}"``): start, end, recorded, type,
                   easting and northing or longitude and latitude, place, id, address, source_tag, outcome.
    ``profile``    a saved mapping: a file of ``peelian read map``, or the name of a shipped one (``niche``,
                   ``connect``, ``chicago``, ...). Keys that stand beside it win.
    ``type``       the crime type of every row, where no column has it.
    ``period``     the year or month of every row (``"2017"``), where no column has a date.
    ``dates``      ``dmy``, ``mdy`` or ``iso``, where day and month could be either way round; ``excel`` where
                   numbers are a spreadsheet's days, ``days since 2002-01-01`` where they count from a day.
    ``timezone``   moves times written with ``Z`` or ``+01:00`` to the clock of a place (``Europe/London``).
    ``sheet``      of a workbook; the longest without it. ``columns``: their names, where a CSV file has no
                   header.
    ``crs``        of the coordinates: 4326 for longitude and latitude, 27700 for easting and northing.
    ``precision``  ``month``, ``day`` or ``minute``, where it is coarser than the values look.
    ``snapped``    true where points were moved to shared street points.
    ``published``  true where the counts are public already, so that disclosure control lets them through.
    ``source``, ``licence``  printed in the report.
    """

    file: File
    reader: Literal["police_uk", "table", "counts", "store"] = "police_uk"
    kind: Literal["street", "outcomes", "stop-and-search"] = "street"
    types: tuple[str, ...] | None = None
    forces: tuple[str, ...] | None = None
    first: Annotated[str, Field(pattern=MONTH)] | None = None
    last: Annotated[str, Field(pattern=MONTH)] | None = None
    areas: Literal["places"] | tuple[str, ...] | None = None
    mapping: dict[str, str] = Field(default_factory=dict)
    profile: str | None = None
    type: str | None = None
    period: str | None = None
    dates: Literal["iso", "dmy", "mdy", "excel"] | Annotated[str, Field(pattern=SINCE)] | None = None
    timezone: str | None = None
    sheet: str | None = None
    columns: tuple[str, ...] | None = None
    crs: CRS = None
    precision: Literal["month", "day", "minute"] | None = None
    snapped: bool = False
    published: bool = False
    source: str = ""
    licence: str = ""

    @model_validator(mode="after")
    def _fits_reader(self) -> IncidentSource:
        if self.reader == "table" and not self.mapping and not self.profile and not self.period:
            raise ValueError(
                'reader = "table" needs a mapping, such as mapping = { start = "Date", type = "Offence" }, '
                "or a profile; `peelian read map FILE` proposes one"
            )
        for owner, keys in OWN.items():
            given = [key for key in keys if getattr(self, key) and key not in SHARED.get(self.reader, ())]
            if given and owner != self.reader:
                raise ValueError(f'{", ".join(given)} belongs to reader = "{owner}", not "{self.reader}"')
        return self


@model(frozen=True, config=STRICT)
class Parameters:
    """The ``[read]`` table: what to do with repeats, and the shares at which a check warns.

    ``repeats``        ``keep`` (flagged and counted) or ``drop`` (refused) later copies of a Crime ID.
    ``types``          ``as_recorded``, or ``comparable``: types of police.uk that were split or renamed
                       within the span stand under their names together (``A / B``), as [project] crime
                       must then name them.
    ``blank``          share of a year's rows without a point.
    ``unknown_codes``  share of area codes that are not among the areas.
    ``own_area``       share of points that lie in the area of their own code, below which it warns.
    ``outside``        share of points outside every area.
    ``low_month``      share of the months around, below which a month is low.
    ``midnight``       share of times at exactly midnight.
    ``shift``          change of level, 12 months against the 12 before.
    ``published``      a table of the Met's published counts (see read.mps), held against the rows of the
                       project's crime; ``published_category`` of it, else the first crime's name.
    ``reconcile``      share by which a year may differ from it.
    """

    repeats: Literal["keep", "drop"] = "keep"
    types: Literal["as_recorded", "comparable"] = "as_recorded"
    blank: Share = 0.05
    unknown_codes: Share = 0.02
    own_area: Share = 0.9
    outside: Share = 0.1
    low_month: Share = 0.5
    midnight: Share = 0.2
    shift: Annotated[float, Field(gt=0)] = 0.25
    published: str | None = None
    published_category: str | None = None
    reconcile: Share = 0.05

    @field_validator("shift")
    @classmethod
    def _share(cls, value: float) -> float:
        if value > 10:
            raise ValueError(f"is a share such as 0.25 for 25 %; did you mean {value / 100:g}")
        return value


@dataclass(frozen=True)
class Sources:
    """Everything that a project reads: its places, its extracts, its layers.

    ``folder``  that relative file names start from (where peelian.toml lies).
    """

    places: PlacesSource
    incidents: tuple[IncidentSource, ...]
    layers: tuple[LayerSource, ...] = ()
    folder: Path = Path()
    weather: WeatherSource | None = None


def sources_of(tables: dict[str, Any], folder: Path, file: Path) -> Sources:
    """The sources of a project from its tables as written, each checked.

    ``tables``  what peelian.toml holds; ``folder`` that file names are relative to; ``file`` for messages.

    Raises ``DataError`` for a table that is missing, an unknown key (with the nearest known one) or a
    value of the wrong kind.
    """
    if not isinstance(tables.get("places"), dict):
        raise DataError(f"{file}: has no [places] table; it needs at least file and id.")
    incidents = _list(tables, "incidents")
    if not incidents:
        raise DataError(f"{file}: has no [[incidents]] table; it needs at least reader and file.")
    return Sources(
        validated(PlacesSource, tables["places"], table="places", file=file),
        tuple(validated(IncidentSource, table, table="incidents", file=file) for table in incidents),
        tuple(validated(LayerSource, table, table="layers", file=file) for table in _list(tables, "layers")),
        folder,
        weather_source(tables, file),
    )


def _list(tables: dict[str, Any], name: str) -> list[dict[str, Any]]:
    held = tables.get(name, [])
    return [held] if isinstance(held, dict) else list(held)
