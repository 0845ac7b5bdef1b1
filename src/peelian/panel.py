"""Panel: one row per place and month, the one input of every evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.programme import Programme


@dataclass(frozen=True, eq=False)
class Panel:
    """Counts by place and month, with who was treated from when.

    ``frame``  on (place, month), complete and in order: ``count`` and any other named counts; ``arm``
               (``treated``, ``control``, ``excluded``); ``treated`` (the place is in the treated arm);
               ``start`` (its month, missing where untreated); ``after`` (month >= own start, or >= the
               first start of all for untreated places); ``unit`` (what was chosen: the place, or its
               ``assigned_by``); ``ring`` (``inside``, ``0-250 m``, ..., ``beyond``); ``saturation``
               (share of homes with a kit at the end of the month; missing where not known);
               ``households``; ``recording_break`` (the month lies in a change of recording).
    ``outcome``  what ``count`` counts, in words (``burglary``).
    ``outside``  incidents that no place holds, so that counts can be added up again.
    ``by``       whether incidents were placed by the extract's ``code`` or by their ``point``.

    Raises ``DataError`` for missing or repeated place-months and for counts that are negative or missing.
    """

    frame: pd.DataFrame
    outcome: str = "crime"
    source: str = ""
    outside: int = 0
    by: str = "point"

    def __post_init__(self) -> None:
        index = self.frame.index
        if list(index.names) != ["place", "month"]:
            raise DataError(f"A panel stands on (place, month); this one on {list(index.names)}.")
        if index.has_duplicates:
            raise DataError(
                f"{int(index.duplicated().sum())} area-months stand twice, "
                f"first {index[index.duplicated()][0]}."
            )
        places, months = index.unique("place"), index.unique("month")
        lacking = len(places) * len(months) - len(index)
        if lacking:
            full = index.from_product([places, months])
            first = full.difference(index)[0]
            raise DataError(
                f"The panel lacks {lacking:,} area-months (first {first[0]} {first[1]}). "
                "A missing month is a gap, not zero crime: fill it only where the force "
                "says that no record means none."
            )
        if len(months) and len(months) != (months.max() - months.min()).n + 1:
            raise DataError(f"The panel's months have a gap between {months.min()} and {months.max()}.")
        counts = self.frame["count"]
        wrong = counts.isna() | (counts < 0)
        if wrong.any():
            raise DataError(
                f"{int(wrong.sum())} counts are negative or missing, first {counts.index[wrong][0]}."
            )

    @classmethod
    def build(
        cls,
        counts: pd.Series,
        programme: Programme,
        places: Places | None,
        *,
        rings: Sequence[float] = (250, 500, 750),
        saturation: pd.Series | None = None,
        households: pd.Series | None = None,
        others: dict[str, pd.Series] | None = None,
        breaks: Sequence[object] = (),
        outcome: str = "crime",
        source: str = "",
        outside: int = 0,
        by: str = "point",
    ) -> Panel:
        """A panel from monthly counts and the programme's areas.

        ``counts``      Series on (place, month), complete.
        ``places``      the areas; None where no shapes are held: then there are no rings.
        ``households``  by place; those of ``places`` unless given.
        ``saturation``  Series on (place, month), share of homes with a kit; carried forward.
        ``others``      further outcomes by name, on the same index.
        ``breaks``      months in which recording changed.

        Raises ``DataError`` where the programme names a place that is not among the places, and
        ``DesignError`` where it starts outside the months or treats every place.
        """
        import pandas as pd

        areas = programme.areas
        ids = pd.Index(counts.index.unique("place"), name="place") if places is None else places.index
        _check_areas(areas, ids, "panel" if places is None else "places file")
        frame = counts.rename("count").sort_index().to_frame()
        months = frame.index.unique("month")
        _check_starts(areas, months)
        place, month = frame.index.get_level_values("place"), frame.index.get_level_values("month")
        for name, series in (others or {}).items():
            frame[name] = series.reindex(frame.index, fill_value=0)
        treated = areas.index[areas["arm"] == "treated"]
        starts = areas["start"].reindex(ids) if len(areas) else pd.Series(pd.NaT, ids)
        arm = areas["arm"].reindex(ids).fillna("control") if len(areas) else pd.Series("control", ids)
        starts = pd.Series(pd.PeriodIndex(starts, freq="M"), ids).where(arm == "treated")
        unit = pd.Series(ids, ids)
        if len(areas):
            given = areas["assigned_by"].reindex(ids).replace("", pd.NA)
            unit = given.fillna(unit)
        first = starts.min() if starts.notna().any() else None
        frame["arm"] = arm.reindex(place).to_numpy()
        frame["treated"] = frame["arm"].eq("treated")
        own = pd.PeriodIndex(starts.reindex(place), freq="M")
        frame["start"] = own
        since = own.to_series().fillna(first) if first is not None else own.to_series()
        frame["after"] = (
            (pd.PeriodIndex(month) >= pd.PeriodIndex(since, freq="M")) if first is not None else False
        )
        frame["unit"] = unit.reindex(place).to_numpy()
        started = treated.difference(programme.waiting(months.max()))
        near = pd.Series(pd.NA, ids) if places is None else places.rings(rings, around=started)
        frame["ring"] = near.reindex(place).array
        frame["saturation"] = _carried(saturation, frame.index)
        held = households if households is not None or places is None else places.households
        frame["households"] = float("nan") if held is None else held.reindex(place).to_numpy(float)
        frame["recording_break"] = pd.PeriodIndex(month).isin(
            pd.PeriodIndex([pd.Period(b, "M") for b in breaks], freq="M")
        )
        return cls(frame, outcome, source, outside, by)

    # ---------------------------------------------------------------- what it holds
    @property
    def months(self) -> pd.PeriodIndex:
        """The months, in order."""
        import pandas as pd

        return pd.PeriodIndex(self.frame.index.unique("month")).sort_values()

    @property
    def places(self) -> pd.Index:
        """The place ids, in order."""
        return self.frame.index.unique("place").sort_values()

    def wide(self, outcome: str = "count") -> pd.DataFrame:
        """Counts with one row a place and one column a month."""
        return self.frame[outcome].unstack("month").sort_index()

    def by_place(self) -> pd.DataFrame:
        """What does not change with time, one row a place: arm, treated, start, unit, ring, households."""
        keep = ["arm", "treated", "start", "unit", "ring", "households"]
        return self.frame[keep].groupby(level="place", observed=True).first()

    def write(self, path: object) -> None:
        """Store as Parquet, months as text."""
        flat = self.frame.reset_index()
        for name in ("month", "start"):
            flat[name] = flat[name].astype(str).replace("NaT", None)
        for name in ("outcome", "source", "outside", "by"):
            flat[f"_{name}"] = getattr(self, name)
        flat.to_parquet(path, index=False, compression="zstd")

    @classmethod
    def load(cls, path: object) -> Panel:
        """What ``write`` stored."""
        import pandas as pd

        flat = pd.read_parquet(path)
        marks = {name: flat.pop(f"_{name}").iloc[0] for name in ("outcome", "source", "outside", "by")}
        for name in ("month", "start"):
            flat[name] = pd.PeriodIndex(flat[name], freq="M")
        return cls(
            flat.set_index(["place", "month"]), str(marks["outcome"]), str(marks["source"]),
            int(marks["outside"]), str(marks["by"]),
        )  # fmt: skip


def _check_areas(areas: pd.DataFrame, ids: pd.Index, file: str) -> None:
    """``DataError`` where the programme names areas the file lacks, ``DesignError`` where it treats all."""
    strange = areas.index.difference(ids)
    if len(strange):
        raise DataError(
            f"The programme names {len(strange)} areas that are not in the {file}: {some(strange)}. "
            f"The file's ids look like {ids[0]}. "
            "Is it another vintage of areas (2011, 2021), or another column?"
        )
    if len(areas) and set(areas.index[areas["arm"] == "treated"]) == set(ids):
        raise DesignError(
            f"All {len(ids):,} areas are treated: nothing is left to compare with. Add areas without it."
        )


def _check_starts(areas: pd.DataFrame, months: pd.Index) -> None:
    treated = areas[areas["arm"] == "treated"]
    early, late = treated["start"] <= months.min(), treated["start"] > months.max()
    if len(treated) and late.all():
        word, wrong = "after", late
    elif early.any():
        word, wrong = "before", early
    else:
        return
    raise DesignError(
        f"The programme starts {word} the data: {some(treated.index[wrong], 3)} from "
        f"{treated['start'][wrong].iloc[0]}, but the incidents run from {months.min()} to "
        f"{months.max()}. "
        "An evaluation needs months on both sides: load more months, or mend the dates."
    )


def _carried(saturation: pd.Series | None, index: pd.MultiIndex) -> object:
    """Saturation on the panel's index: 0 before the first delivery, carried forward after it."""
    import numpy as np

    if saturation is None or not len(saturation):
        return np.full(len(index), np.nan)
    wide = saturation.unstack("month").sort_index(axis=1)
    months = index.unique("month").sort_values()
    every = months.union(wide.columns)
    wide = wide.reindex(columns=every).ffill(axis=1).fillna(0.0).reindex(columns=months)
    filled = wide.reindex(index.unique("place"), fill_value=0.0).stack()
    return filled.reindex(index).to_numpy()
