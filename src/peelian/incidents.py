"""Incidents: recorded crime with a time window, a point and its origin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, DesignError, some
from peelian.places import Places, require_metres

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

Precision = Literal["month", "day", "minute"]
SOURCE_TAGS = ("victim_reported", "police_generated", "unknown")
REQUIRED = ("start", "end", "type", "source")


@dataclass(frozen=True, eq=False)
class Incidents:
    """Recorded crime, every accepted row of it, with the refused rows beside.

    ``frame``      GeoDataFrame, one row an incident: ``start`` and ``end`` (naive local time; the crime
                   happened at or after ``start`` and before ``end``; a whole month when only the month is
                   known), ``type`` (text), ``source`` (the file it came from), ``geometry`` (a point in a
                   projected CRS in metres, or missing). Optional: ``place`` (area code given by the
                   extract), ``recorded`` (when it became known), ``address`` (a key, never text),
                   ``source_tag`` (``victim_reported``, ``police_generated``, ``unknown``), ``id``,
                   ``outcome``.
    ``rejected``   every refused row: ``file``, ``row`` (number in the file, 1 = first data row),
                   ``reason`` and the row as text.
    ``precision``  ``month``, ``day`` or ``minute``: the finest step that the dates can be trusted to.
    ``snapped``    True where points were moved to a shared street point (police.uk).
    ``published``  True where the counts are already public (police.uk), so that disclosure control
                   does not apply to them.

    Accepted rows plus refused rows equal the rows of the files: ``rows_read`` says how many those were.

    Raises ``DataError`` where a column is missing, a window ends before it starts, or the CRS is not in
    metres.
    """

    frame: gpd.GeoDataFrame
    rejected: pd.DataFrame = field(default=None)
    precision: Precision = "day"
    snapped: bool = False
    published: bool = False

    def __post_init__(self) -> None:
        import pandas as pd

        if self.rejected is None:
            object.__setattr__(self, "rejected", pd.DataFrame(columns=["file", "row", "reason", "text"]))
        missing = [name for name in REQUIRED if name not in self.frame]
        if missing:
            raise DataError(f"Incidents lack the columns {some(missing)}; they have {some(self.frame)}.")
        require_metres(self.frame.crs, "incidents")
        backwards = self.frame["end"] < self.frame["start"]
        if backwards.any():
            raise DataError(
                f"{int(backwards.sum())} incidents end before they start "
                f"(rows {some(self.frame.index[backwards])})."
            )
        tags = set(self.frame["source_tag"].dropna()) if "source_tag" in self.frame else set()
        if tags - set(SOURCE_TAGS):
            raise DataError(
                f"source_tag holds {some(sorted(tags - set(SOURCE_TAGS)))}; "
                f"expected {', '.join(SOURCE_TAGS)}."
            )

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def rows_read(self) -> int:
        """Rows of the files: accepted and refused."""
        return len(self.frame) + len(self.rejected)

    @property
    def crs(self) -> object:
        """The projected coordinate reference system of the points, in metres."""
        return self.frame.crs

    @property
    def located(self) -> pd.Series:
        """True where an incident has a point."""
        return ~(self.frame.geometry.isna() | self.frame.geometry.is_empty)

    @property
    def months(self) -> pd.Series:
        """The month in which each incident's window starts."""
        return self.frame["start"].dt.to_period("M")

    @property
    def span(self) -> tuple[pd.Period, pd.Period]:
        """First and last month with an incident. ``DesignError`` when there is none."""
        if self.frame.empty:
            raise DesignError("No incident was accepted, so there is no period. See rejected.csv for why.")
        months = self.months
        return months.min(), months.max()

    # ---------------------------------------------------------------- choosing
    def _where(self, keep: pd.Series) -> Incidents:
        return replace(self, frame=self.frame.loc[keep])

    def of_type(self, types: str | Iterable[str]) -> Incidents:
        """Those of the given crime types, whatever their case. ``DataError`` names an unknown type."""
        wanted = [types] if isinstance(types, str) else list(types)
        held = {str(name).casefold(): name for name in self.frame["type"].unique()}
        unknown = [name for name in wanted if name.casefold() not in held]
        if unknown:
            raise DataError(
                f"No incident is of type {some(unknown)}. The extract holds: {some(sorted(held.values()))}."
            )
        folded = {name.casefold() for name in wanted}
        return self._where(self.frame["type"].astype(str).str.casefold().isin(folded))

    def between(self, first: object, last: object) -> Incidents:
        """Those whose window starts in the half-open span [first, last).

        Months are given as ``pandas.Period`` or text ``2016-05``; ``last`` is not included.
        """
        begin, stop = _instant(first), _instant(last)
        if stop <= begin:
            raise DesignError(f"The period {first} to {last} is empty: it ends before it starts.")
        return self._where((self.frame["start"] >= begin) & (self.frame["start"] < stop))

    def known_at(self, origin: object) -> Incidents:
        """Those that were known at the start of ``origin``: happened, and recorded, before it.

        An incident without a ``recorded`` time counts as known when its window has ended; of one with
        several versions the first is taken (see ``first_versions``).
        """
        import pandas as pd

        at = _instant(origin)
        held = self.first_versions()
        known = held.frame["end"]
        if "recorded" in held.frame:
            known = pd.concat([known, held.frame["recorded"]], axis=1).max(axis=1)
        return held._where((known <= at) & (held.frame["start"] < at))

    def first_versions(self) -> Incidents:
        """Each incident as it was recorded first: of rows with one ``id``, the one ``recorded`` earliest.

        A place corrected later, or an outcome that came in, was not known at first: no forecast may use it.
        Rows without an id, and extracts without ``recorded`` times, are left alone.
        """
        if "id" not in self.frame or "recorded" not in self.frame:
            return self
        several = self.frame["id"].notna() & self.frame["id"].duplicated(keep=False)
        if not several.any():
            return self
        order = self.frame.loc[several, ["id", "recorded"]].assign(row=several.to_numpy().nonzero()[0])
        order = order.sort_values("recorded", kind="stable")
        first = several.to_numpy().copy()
        first[order["row"][~order["id"].duplicated().to_numpy()]] = False
        return self._where(~first)  # what is left marked is a later version

    # ---------------------------------------------------------------- counting
    def place_of(self, places: Places, *, by: Literal["code", "point"] = "point") -> pd.Series:
        """The place of each incident: by the code in the extract, or by where its point lies.

        Missing where the code is not among the places, or no place holds the point.
        """
        if by == "point":
            return places.locate(self.frame.geometry)
        if "place" not in self.frame:
            raise DesignError(
                "These incidents carry no area code, so they cannot be counted by code. Count by point."
            )
        return self.frame["place"].where(self.frame["place"].isin(places.index)).rename("place")

    def counts(
        self, places: Places, *, by: Literal["code", "point"] = "point", monthly: bool = False
    ) -> pd.Series:
        """Incidents by place, zeros included; with ``monthly`` by place and month.

        Returns a Series of whole numbers named ``count`` on the places' index, or on (place, month)
        for every month of ``span``. Incidents outside every place are not in it: ``len(self)`` less the
        sum says how many.
        """
        import pandas as pd

        place = self.place_of(places, by=by)
        inside = place.notna()
        if not monthly:
            found = place[inside].value_counts()
            return found.reindex(places.index, fill_value=0).astype("int64").rename("count")
        first, last = self.span
        months = pd.period_range(first, last, freq="M", name="month")
        full = pd.MultiIndex.from_product([places.index, months], names=["place", "month"])
        found = pd.Series(1, index=pd.MultiIndex.from_arrays([place[inside], self.months[inside]]))
        found = found.groupby(level=[0, 1]).sum()
        return found.reindex(full, fill_value=0).astype("int64").rename("count")

    # ---------------------------------------------------------------- storing
    def write(self, folder: Path) -> None:
        """Store as ``incidents.parquet`` (GeoParquet) and ``rejected.csv`` in a folder."""
        frame = self.frame.copy()
        frame.attrs = {}
        for key in ("precision", "snapped", "published"):
            frame[f"_{key}"] = getattr(self, key)
        frame.to_parquet(folder / "incidents.parquet", index=False, compression="zstd")
        self.rejected.to_csv(folder / "rejected.csv", index=False)

    @classmethod
    def load(cls, folder: Path) -> Incidents:
        """What ``write`` stored."""
        import geopandas as gpd
        import pandas as pd

        frame = gpd.read_parquet(folder / "incidents.parquet")
        marks = {key: frame.pop(f"_{key}") for key in ("precision", "snapped", "published")}
        rejected = pd.read_csv(folder / "rejected.csv", dtype={"file": str, "reason": str, "text": str})
        if frame.empty:
            return cls(frame, rejected)
        return cls(
            frame,
            rejected,
            precision=str(marks["precision"].iloc[0]),  # type: ignore[arg-type]
            snapped=bool(marks["snapped"].iloc[0]),
            published=bool(marks["published"].iloc[0]),
        )


def combine(parts: Iterable[Incidents]) -> Incidents:
    """Several extracts as one: the coarsest precision wins, snapped if any is, published if all are."""
    import pandas as pd

    parts = list(parts)
    if not parts:
        raise DataError("There is no extract of incidents to read: the project names none.")
    if len(parts) == 1:
        return parts[0]
    crs = parts[0].crs
    frames = [part.frame if part.crs == crs else part.frame.to_crs(crs) for part in parts]
    order: list[Precision] = ["month", "day", "minute"]
    return Incidents(
        pd.concat(frames, ignore_index=True),
        pd.concat([part.rejected for part in parts], ignore_index=True),
        precision=min((part.precision for part in parts), key=order.index),
        snapped=any(part.snapped for part in parts),
        published=all(part.published for part in parts),
    )


def _instant(value: object) -> pd.Timestamp:
    import pandas as pd

    if isinstance(value, pd.Period):
        return value.start_time
    try:
        return pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise DesignError(f"{value!r} is no date. Write 2016-05 or 2016-05-01.") from error
