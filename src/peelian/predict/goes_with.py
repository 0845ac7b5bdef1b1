"""What goes with triggering: after which of a few hundred marked incidents others followed near by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError, some
from peelian.predict.marked import Process, fit_marked, standard_errors

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.tables import TriggeringTable

FEWEST = 200
FEWEST_OF_A_KIND = 20
LONGEST = 72  # hours of a window
YEAR = 365.25
CORNERS = 6  # of a quarter of the disc round an incident
ROUND = 25.0  # metres that the boundary is smoothed by, where discs are cut by it
NORMAL = 1.96
UNKNOWN = 3.0  # standard error of a log ratio from which nothing is known of it


@dataclass(frozen=True, eq=False)
class GoesWith:
    """What was found, by mark.

    ``table``  ``mark``, ``compared with``, ``incidents`` that have it, ``ratio`` of what they bring to what
               others bring, its 95 % interval ``low`` and ``high``; missing where too few followed.
    ``brought`` incidents that one of the reference kind brings within reach; ``sigma`` metres of the
    spread, ``floor`` the least it may be; ``share`` of incidents that are triggered.
    ``used``, ``left_out``  incidents used, and why others were not.
    """

    table: pd.DataFrame
    brought: float
    sigma: float
    floor: float
    share: float
    used: int
    left_out: tuple[str, ...]
    days: int

    def sentences(self, crimes: str) -> list[str]:
        """The finding and its limits in words."""
        clear = self.table[(self.table["low"] > 1) | (self.table["high"] < 1)]
        said = [
            f"{row['mark']}: {row['ratio']:.2f} times as many as {row['compared with']} ({row['low']:.2f} to "
            f"{row['high']:.2f})"
            for _, row in clear.iterrows()
        ]
        found = "; ".join(said) if said else "no mark whose interval leaves out 1"
        floor = " (its least)" if self.sigma <= self.floor * 1.001 else ""
        return [
            f"After which {crimes} more followed near by, within {self.days} days: {found}. By these "
            f"{self.used:,} incidents {self.share:.0%} are triggered, over {self.sigma:.0f} m{floor}.",
            "What goes with triggering need not be what brings it: a mark may stand for places or times. "
            "Repeats at the very place are left out. " + " ".join(self.left_out),
        ]


def goes_with(incidents: Incidents, places: Places, asked: TriggeringTable) -> GoesWith:
    """Which marks of an incident go with others near by in the days after (Meyer, Elias & Hoehle 2012).

    ``incidents``  dated to three days; ``places`` tile the study area, their households (or area) are what
    the background follows, with a trend and a season. Marks are columns of the incidents or of the places;
    text is compared with its most frequent value, numbers by one standard deviation.

    Raises ``DesignError`` for months, for a mark that is not there, and below 200 incidents.
    """
    import pandas as pd

    frame, left_out = _used(incidents, places, asked)
    marks = _marks(frame, places, asked.marks)
    process, floor = _process(frame, places, marks.to_numpy(float), asked)
    fit = fit_marked(process, start=_start(process, asked), spread=(floor, max(asked.distance, floor)))
    errors = standard_errors(process, fit)
    p, rows = process.design.shape[1], []
    for nth, name in enumerate(marks.columns[1:], start=1):
        value, error = float(fit.marks[nth]), float(errors[p + nth])
        held, against = marks.attrs["held"][name], marks.attrs["against"][name]
        if not error < UNKNOWN:
            rows.append((name, against, held, np.nan, np.nan, np.nan))
            continue
        low, high = np.exp(value - NORMAL * error), np.exp(value + NORMAL * error)
        rows.append((name, against, held, float(np.exp(value)), float(low), float(high)))
    table = pd.DataFrame(rows, columns=["mark", "compared with", "incidents", "ratio", "low", "high"])
    sigma = float(np.exp(fit.log_sigma))
    brought = float(np.exp(fit.marks[0]) * 2 * np.pi * sigma**2 * asked.days)
    share = 1 - fit.likelihood.background / len(frame)
    return GoesWith(table, brought, sigma, floor, max(share, 0.0), len(frame), tuple(left_out), asked.days)


# -------------------------------------------------------------------- incidents and marks
def _used(incidents: Incidents, places: Places, asked: TriggeringTable) -> tuple[pd.DataFrame, list[str]]:
    """Incidents with a point, a place and a date to three days: the latest, in order of time."""
    if incidents.precision == "month":
        raise DesignError(
            "What goes with triggering needs dates by day, and these are months. Leave [predict.triggering] "
            "out, or load a force extract with dates."
        )
    frame = incidents.frame[incidents.located].copy()
    frame["place"] = incidents.place_of(places).reindex(frame.index)
    hours = (frame["end"] - frame["start"]).dt.total_seconds() / 3_600
    long, outside = hours > LONGEST, frame["place"].isna()
    frame = frame[~long & ~outside]
    middle = frame["start"] + (frame["end"] - frame["start"]) / 2
    frame = frame.assign(day=middle.dt.floor("D"), x=frame.geometry.x, y=frame.geometry.y)
    frame = frame.sort_values(["day", "x", "y", "start", "end"]).tail(asked.most)
    if len(frame) < FEWEST:
        raise DesignError(
            f"What goes with triggering needs {FEWEST} incidents dated to three days in the places; there "
            f"are {len(frame)}."
        )
    words = [
        f"{int(number):,} with {what} are left out."
        for number, what in ((long.sum(), "a window over 72 hours"), (outside.sum(), "no place"))
        if number
    ]
    if len(frame) == asked.most:
        words.append(f"The latest {asked.most:,} incidents were used.")
    return frame.reset_index(drop=True), words


def _marks(frame: pd.DataFrame, places: Places, names: tuple[str, ...]) -> pd.DataFrame:
    """A column of ones, then one a mark: 0 and 1 for a kind, standard deviations for numbers."""
    import pandas as pd

    out = pd.DataFrame({"all": np.ones(len(frame))})
    held: dict[str, int] = {}
    against: dict[str, str] = {}
    for name in names:
        values = _column(frame, places, name)
        if pd.api.types.is_numeric_dtype(values):
            spread = float(values.std())
            if not spread > 0:
                raise DesignError(
                    f"{name} is the same for every incident, so nothing can go with it. Leave it out."
                )
            label = f"{name}, one standard deviation ({spread:.3g}) higher"
            out[label] = (values - values.mean()) / spread
            held[label], against[label] = len(values), "the mean"
            continue
        kinds = values.fillna("not known").astype(str)
        number = kinds.value_counts()
        usual = number.index[0]
        told = [kind for kind in number.index[1:] if number[kind] >= FEWEST_OF_A_KIND]
        if not told:
            raise DesignError(
                f"{name} has no second kind with {FEWEST_OF_A_KIND} incidents to be compared with {usual}."
            )
        for kind in told:
            label = f"{name} {kind}"
            out[label] = (kinds == kind).astype(float)
            held[label], against[label] = int(number[kind]), f"{name} {usual} and the rest"
    out.attrs = {"held": held, "against": against}
    return out


def _column(frame: pd.DataFrame, places: Places, name: str) -> pd.Series:
    if name in frame and name != "place":
        return frame[name]
    if name in places.frame and name != "geometry":
        return frame["place"].map(places.frame[name]).rename(name)
    known = [*frame.columns.difference(["geometry", "day", "x", "y"]), *places.frame.columns]
    raise DesignError(f"There is no mark {name!r} among incidents or places; there are {some(known)}.")


# -------------------------------------------------------------------- the process
def _process(
    frame: pd.DataFrame, places: Places, marks: np.ndarray, asked: TriggeringTable
) -> tuple[Process, float]:
    """Events, background grid of places and months, pairs and regions; and the least spread."""
    import pandas as pd

    from peelian.predict.hawkes_fit import ADDRESS_FLOOR, apart
    from peelian.predict.linked import pairs_within

    day = frame["day"].to_numpy().astype("datetime64[D]").astype(int)
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
    pairs = pairs_within(day, x, y, distance=asked.distance, days=asked.days)
    pairs = pairs.where(pairs.square > 1)  # repeats at the very place would take the spread to nothing
    if not len(pairs):
        raise DesignError(
            f"No two incidents lie within {asked.distance:g} m and {asked.days} days of each other."
        )
    homes = places.households
    size = places.areas if homes is None else homes
    density = np.log(np.maximum(size / places.areas, 0.01 * size.sum() / places.areas.sum()))
    months = pd.period_range(frame["day"].min(), frame["day"].max(), freq="M")
    start, stop = day.min(), day.max() + 1
    first = np.maximum(months.start_time.to_numpy().astype("datetime64[D]").astype(int), start)
    last = np.minimum((months + 1).start_time.to_numpy().astype("datetime64[D]").astype(int), stop)
    middle = (first + last) / 2
    weight = (places.areas.to_numpy()[:, None] * (last - first)).ravel()
    grid = np.tile(_season(middle, start), (len(places), 1))
    floor = max(apart(x, y)[0], ADDRESS_FLOOR)
    process = Process(
        _season(day + 0.5, start), density.reindex(frame["place"]).to_numpy(), grid,
        np.repeat(density.to_numpy(), len(months)), weight, marks, pairs.child, pairs.parent,
        pairs.square.astype(float), np.minimum(asked.days, stop - day).astype(float),
        _regions(x, y, places, asked.distance),
    )  # fmt: skip
    return process, floor


def _season(day: np.ndarray, start: int) -> np.ndarray:
    """Constant, years since the start, and one turn of the year: days x 4."""
    turn = 2 * np.pi * day / YEAR
    return np.column_stack([np.ones(len(day)), (day - start) / YEAR, np.sin(turn), np.cos(turn)])


def _regions(x: np.ndarray, y: np.ndarray, places: Places, distance: float) -> list[list[np.ndarray]]:
    """The part of the disc round each incident that lies in the study area, as rings round it."""
    import shapely

    study = places.geometry.union_all().simplify(ROUND)
    points = shapely.points(x, y)
    discs = shapely.buffer(points, distance, quad_segs=CORNERS)
    shapely.prepare(study)
    whole = shapely.contains_properly(study, discs)
    discs[~whole] = shapely.intersection(discs[~whole], study)
    uncut = [
        np.asarray(shapely.buffer(shapely.Point(0, 0), distance, quad_segs=CORNERS).exterior.coords)[::-1]
    ]
    out: list[list[np.ndarray]] = []
    for disc, inside, west, south in zip(discs, whole, x, y, strict=True):
        if inside:
            out.append(uncut)
            continue
        parts = [part for part in shapely.get_parts(disc) if part.geom_type == "Polygon" and part.area > 0]
        rings = [
            ring for part in map(shapely.orient_polygons, parts) for ring in (part.exterior, *part.interiors)
        ]
        out.append([np.asarray(ring.coords) - (west, south) for ring in rings])
    return out


def _start(process: Process, asked: TriggeringTable) -> tuple[np.ndarray, np.ndarray, float]:
    """Nine in ten background, even over time; the rest from all alike, over a fifth of the reach."""
    background = np.zeros(process.design.shape[1])
    background[0] = np.log(0.9 * len(process.design) / (process.weight @ np.exp(process.grid_offset)))
    marks = np.zeros(process.marks.shape[1])
    sigma = asked.distance / 5
    marks[0] = np.log(0.1 / (2 * np.pi * sigma**2 * asked.days))
    return background, marks, float(np.log(sigma))
