"""The property-marking programme of the borough: who was chosen, who got kits, what it did, what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.errors import DesignError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from peelian.borough.ground import Ground
    from peelian.borough.parameters import BoroughParameters


@dataclass(frozen=True, eq=False)
class Treatment:
    """Who got what, by area and by home.

    ``phase``  by area: ``A``, ``B`` or empty; ``group`` by area: number of its compact group, -1 outside
    phase A;
    ``start``  by area: start month, NaT outside; ``ring`` by area: whether it is in the first ring of phase
    A;
    ``kit``    by home: the day its kit came, NaT for none.
    """

    phase: np.ndarray
    group: np.ndarray
    start: np.ndarray
    ring: np.ndarray
    kit: np.ndarray


def window_before(month: str, length: int = 12) -> tuple[str, str]:
    """First and last of the months just before a month.

    >>> window_before("2016-02")
    ('2015-02', '2016-01')
    """
    import numpy as np

    last = np.datetime64(month, "M")
    return str(last - length), str(last - 1)


def treat(parameters: BoroughParameters, ground: Ground, events: pd.DataFrame) -> Treatment:
    """Choose the areas of both phases on recorded burglary and hand out the kits."""
    import numpy as np
    import shapely

    rng = np.random.default_rng([parameters.seed, 7])
    polygons = ground.areas.geometry.to_numpy()
    worth = counts(events, ground, *parameters.selection).astype(float)
    if parameters.chosen == "lot":
        worth = np.random.default_rng([parameters.seed, 12]).permutation(worth)
    group = _choose_groups(parameters, polygons, worth)
    treated = group >= 0
    apart = (
        shapely.distance(polygons, shapely.union_all(polygons[treated]))
        if treated.any()
        else np.full(len(polygons), np.inf)
    )
    phase = np.where(treated, "A", "")
    if parameters.phase_b_areas:
        hot = counts(events, ground, *window_before(parameters.phase_b_start))
        phase[_hottest(parameters, hot, apart >= parameters.group_gap)] = "B"
    start = np.full(len(phase), np.datetime64("NaT"), "datetime64[M]")
    for turn, area in enumerate(np.flatnonzero(treated)[rng.permutation(int(treated.sum()))]):
        start[area] = np.datetime64(parameters.starts[turn % len(parameters.starts)], "M")
    start[phase == "B"] = np.datetime64(parameters.phase_b_start, "M")
    ring = first_ring(polygons, treated, parameters.ring) & (phase == "")
    return Treatment(phase, group, start, ring, _hand_out(parameters, ground, start, rng))


def counts(events: pd.DataFrame, ground: Ground, first: str, last: str) -> np.ndarray:
    """Burglaries by area from one month to another, both included."""
    import numpy as np

    month = events["time"].to_numpy().astype("datetime64[M]")
    within = (month >= np.datetime64(first, "M")) & (month <= np.datetime64(last, "M"))
    area = ground.homes["area"].to_numpy()[events["home"].to_numpy()[within]]
    return np.bincount(area, minlength=len(ground.areas))


def first_ring(polygons: np.ndarray, treated: np.ndarray, reach: float) -> np.ndarray:
    """Untreated areas that touch a treated one or have their representative point within reach of one."""
    import numpy as np
    import shapely

    if not treated.any():
        return np.zeros(len(polygons), dtype=bool)
    union = shapely.union_all(polygons[treated])
    near = shapely.distance(shapely.point_on_surface(polygons), union) <= reach
    return ~treated & (near | shapely.intersects(polygons, union))


def _choose_groups(parameters: BoroughParameters, polygons: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Compact groups around the hottest spots: each grows by its hottest neighbour, apart from others."""
    import numpy as np
    import shapely

    one, two = shapely.STRtree(polygons).query(polygons, predicate="touches")
    touching = np.zeros((len(polygons), len(polygons)), dtype=bool)
    touching[one, two] = True
    smooth = count + touching @ count / np.maximum(touching.sum(axis=1), 1)
    group = np.full(len(polygons), -1)
    free = np.ones(len(polygons), dtype=bool)
    for number in range(parameters.groups):
        if not free.any():
            raise DesignError(
                f"Only {number} groups of areas lie {parameters.group_gap:g} m apart. Lower "
                "group_gap or groups."
            )
        mine = np.zeros(len(polygons), dtype=bool)
        mine[np.where(free, smooth, -1).argmax()] = True
        while mine.sum() < parameters.areas_in_group:
            beside = touching[mine].any(axis=0) & free & ~mine
            if not beside.any():
                break
            # neighbours that close a gap come first among equals, so that groups stay compact
            worth = count + 3.0 * touching[mine].sum(axis=0)
            mine[np.where(beside, worth, -1).argmax()] = True
        group[mine] = number
        free &= shapely.distance(polygons, shapely.union_all(polygons[mine])) >= parameters.group_gap
    return group


def _hottest(parameters: BoroughParameters, count: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    import numpy as np

    if allowed.sum() < parameters.phase_b_areas:
        raise DesignError(
            f"Phase B needs {parameters.phase_b_areas} areas {parameters.group_gap:g} m from phase A; only "
            f"{int(allowed.sum())} are left. Use more areas, or lower phase_b_areas or group_gap."
        )
    return np.argsort(np.where(allowed, -count, 1), kind="stable")[: parameters.phase_b_areas]


def _hand_out(
    parameters: BoroughParameters, ground: Ground, start: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The day every home got its kit: streets are served in turn, and not every home takes one."""
    import numpy as np

    areas = len(start)
    takeup = np.where(
        rng.random(areas) < parameters.low_share,
        rng.uniform(*parameters.low_takeup, areas),
        rng.uniform(*parameters.takeup, areas),
    )
    area = ground.homes["area"].to_numpy()
    _, street = np.unique(ground.homes["street"], return_inverse=True)
    _, part = np.unique(area * (street.max() + 1) + street, return_inverse=True)
    wave = np.searchsorted(np.cumsum(parameters.ramp), rng.random(part.max() + 1), side="right")
    wave = np.minimum(wave, len(parameters.ramp) - 1)[part]
    kit = np.full(len(area), np.datetime64("NaT"), "datetime64[D]")
    draw, day = rng.random(len(area)), rng.integers(0, 28, len(area))
    for place in np.flatnonzero(~np.isnat(start)):
        homes = np.flatnonzero(area == place)
        # exactly the share that this area reached; which homes is chance
        taken = homes[np.argsort(draw[homes], kind="stable")[: int(np.ceil(takeup[place] * len(homes)))]]
        kit[taken] = (start[place] + wave[taken]).astype("datetime64[D]") + day[taken]
    return kit


def fade(parameters: BoroughParameters, month: np.ndarray) -> np.ndarray:
    """Share of burglaries prevented in a home with a kit, by month since its area's start (the first is 1).

    >>> from peelian.borough import BoroughParameters
    >>> fade(BoroughParameters(), [1, 6, 12, 24, 30]).tolist()
    [0.45, 0.45, 0.25, 0.0, 0.0]
    """
    import numpy as np

    months = [6, 12, parameters.effect_ends]
    return np.interp(month, months, [parameters.effect, parameters.effect_month_12, 0.0])


def months_since(events: pd.DataFrame, ground: Ground, treatment: Treatment) -> np.ndarray:
    """Month since its area's start of every burglary: 1 is the first; -9999 where there is no start."""
    import numpy as np

    start = treatment.start[ground.homes["area"].to_numpy()[events["home"].to_numpy()]]
    month = events["time"].to_numpy().astype("datetime64[M]")
    return np.where(np.isnat(start), -9999, (month - start).astype(int) + 1)


def prevent(
    parameters: BoroughParameters,
    ground: Ground,
    risk: np.ndarray,
    events: pd.DataFrame,
    treatment: Treatment,
) -> pd.DataFrame:
    """What became of every burglary of the world without the programme.

    Adds ``chance`` (of being prevented), ``fate`` (``happened``, ``prevented``, ``displaced``: prevented
    here and moved there) and ``home_after`` (where it happened; -1 for nowhere). Each burglary is thinned on
    its own: one that a prevented burglary would have set off is not removed with it, so that the counts add
    up exactly.
    """
    import numpy as np

    rng = np.random.default_rng([parameters.seed, 8])
    home = events["home"].to_numpy()
    since = months_since(events, ground, treatment)
    phase = treatment.phase[ground.homes["area"].to_numpy()[home]]
    kit = treatment.kit[home]
    held = ~np.isnat(kit) & (kit <= events["time"].to_numpy().astype("datetime64[D]"))
    chance = np.where((phase == "A") & held & (since >= 1), fade(parameters, since), 0.0)
    stopped = rng.random(len(events)) < chance
    moved = stopped & (rng.random(len(events)) < parameters.displaced) & treatment.ring.any()
    after = np.where(stopped, -1, home)
    after[moved] = _next_door(ground, risk, treatment.ring, home[moved], rng)
    fate = np.where(moved, "displaced", np.where(stopped, "prevented", "happened"))
    return events.assign(chance=chance, fate=fate, home_after=after)


def _next_door(
    ground: Ground, risk: np.ndarray, ring: np.ndarray, home: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Homes in the first ring, near and risky ones more often (weight: risk x exp(-distance / 400 m))."""
    import numpy as np

    point = ground.homes[["easting", "northing"]].to_numpy()
    open_homes = np.flatnonzero(ring[ground.homes["area"].to_numpy()])
    chosen = np.empty(len(home), dtype=int)
    for i, (origin, draw) in enumerate(zip(home, rng.random(len(home)), strict=True)):
        away = np.hypot(*(point[open_homes] - point[origin]).T)
        weight = np.cumsum(risk[open_homes] * np.exp(-(away - away.min()) / 400))
        chosen[i] = open_homes[np.searchsorted(weight, draw * weight[-1])]
    return chosen
