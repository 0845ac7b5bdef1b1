"""Schools: the register of educational establishments, one layer a phase, with opening and closing months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from peelian.layers import Layers
from peelian.read.layering import layered, placed, table
from peelian.read.licences import OGL

if TYPE_CHECKING:
    import pandas as pd

STATUS, PHASE, KIND = "establishmentstatus (name)", "phaseofeducation (name)", "typeofestablishment (name)"
NEEDED = ("urn", STATUS, "easting", "northing")
NO_PHASE = ("not applicable", "not recorded")


def schools(
    path: Path | str,
    *,
    to: object = 27700,
    weight: str | None = None,
    categories: Iterable[str] | None = None,
    minimum: int = 1,
    prefix: str = "school: ",
    about: Mapping[str, Mapping[str, str]] | None = None,
    source: str = "Get Information about Schools, Department for Education",
    date: str = "",
    licence: str = OGL,
) -> tuple[Layers, pd.DataFrame]:
    """One layer for every phase of education, with the months in which each school was open.

    ``path``    ``edubasealldata*.csv`` as downloaded (Windows-1252 text; ``.gz`` too).
    ``weight``  a column of numbers, such as ``NumberOfPupils``; 1 for each school without it.
    The other arguments are those of ``features``. A school without a phase (independent, special) is in a
    layer named by its type.

    Closed schools are kept with ``open_from`` and ``open_to``, so that a past year is explained by the
    schools of that year. Refused with their reason: schools proposed to open, those closed on a day that
    nobody noted, and those without coordinates.
    """
    read, frame = table(path, NEEDED, what="a list of schools of Get Information about Schools")
    from peelian.read.areas import require_column

    require_column(frame, weight.casefold() if weight else None, path)
    phase = frame[PHASE] if PHASE in frame else frame[STATUS].where(False)
    phase = phase.where(~phase.str.casefold().isin(NO_PHASE))
    frame["category"] = phase.fillna(frame[KIND]) if KIND in frame else phase
    frame["text"] = "URN " + frame["urn"].fillna("")
    for ours, theirs in (("open_from", "opendate"), ("open_to", "closedate")):
        frame[ours] = _month(frame[theirs]) if theirs in frame else frame["urn"].where(False)
    if weight:
        import pandas as pd

        number = pd.to_numeric(frame[weight.casefold()], errors="coerce").astype("float64")
        frame["weight"] = number.fillna(1.0)
    held, refused = placed(
        frame, frame["easting"], frame["northing"], crs=27700, to=to, path=path, faults=_faults(frame)
    )
    return layered(
        held, [*read.refused, *refused], path, categories=categories, minimum=minimum, prefix=prefix,
        about=about, source=source, date=date, licence=licence,
    )  # fmt: skip


def _faults(frame: pd.DataFrame) -> pd.Series:
    import pandas as pd

    status = frame[STATUS].str.casefold()
    fault = pd.Series(None, frame.index, dtype="object")
    fault[status.str.startswith("proposed to open").fillna(False)] = "proposed to open"
    gone = status.eq("closed").fillna(False) & frame["open_to"].isna()
    fault[gone] = "closed, on a day that is not noted"
    return fault.astype("str")


def _month(days: pd.Series) -> pd.Series:
    """Days such as 31-08-2016 as months, missing where they are none."""
    import pandas as pd

    found = pd.to_datetime(days, format="%d-%m-%Y", errors="coerce")
    return found.dt.strftime("%Y-%m").astype("str")
