"""Crime in the borough as it would have been without any programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from peelian.borough.ground import Ground
    from peelian.borough.parameters import BoroughParameters

BURN_IN = 4  # months before the first one, so that the first months have their repeats too
BEFORE = {"dwelling": "Burglary in a dwelling", "shed": "Burglary other than dwelling"}
AFTER = {"dwelling": "Burglary - residential", "shed": "Burglary - residential"}


def months_of(parameters: BoroughParameters) -> np.ndarray:
    """The months of the borough, as datetime64[M]."""
    import numpy as np

    return np.arange(
        np.datetime64(parameters.first_month, "M"), np.datetime64(parameters.last_month, "M") + 1
    )


def level(parameters: BoroughParameters, months: np.ndarray) -> np.ndarray:
    """Burglaries expected in the whole borough by month: season, trend, length of month, recording rules."""
    import numpy as np

    start, end = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    days = (end - start).astype(int)
    middle = start.astype(int) + days / 2
    first = np.datetime64(parameters.first_month, "D").astype(int)
    wave = 1 + parameters.season * np.cos(
        2 * np.pi * (middle - np.datetime64("2010-12-15").astype(int)) / 365.25
    )
    drift = (1 + parameters.trend) ** ((middle - first) / 365.25 - 0.5)
    recorded = np.where(months >= np.datetime64(parameters.break_month, "M"), parameters.break_level, 1.0)
    return parameters.burglaries_per_year * days / 365.25 * wave * drift * recorded


def counterfactual(parameters: BoroughParameters, ground: Ground, risk: np.ndarray) -> pd.DataFrame:
    """Every burglary that would have happened without the programme, in order of time.

    Columns ``time`` (datetime64[s]), ``home`` (position), ``kind`` (``background``, ``exact``, ``near``),
    ``parent`` (row of the burglary that set it off; -1 for none, or for one before the first month).
    """
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng([parameters.seed, 4])
    home, day = _background(parameters, ground, risk, rng)
    home, day, kind, parent = _with_offspring(parameters, ground, home, day, rng)
    first = np.datetime64(parameters.first_month, "M").astype("datetime64[s]")
    time = first + np.round(day * 86_400).astype("timedelta64[s]")
    kept = (time >= first) & (time < (np.datetime64(parameters.last_month, "M") + 1).astype("datetime64[s]"))
    order = np.flatnonzero(kept)
    order = order[np.lexsort([home[order], time[order]])]
    row = np.full(len(home), -1)
    row[order] = np.arange(len(order))
    before = np.where(parent >= 0, row[parent], -1)
    names = np.array(["background", "exact", "near"])
    return pd.DataFrame(
        {"time": time[order], "home": home[order], "kind": names[kind[order]], "parent": before[order]}
    )


def _background(
    parameters: BoroughParameters, ground: Ground, risk: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Homes and days (from the first month's start) of the burglaries that no other one set off."""
    import numpy as np

    months = months_of(parameters)
    months = np.arange(months[0] - BURN_IN, months[-1] + 1)
    area = ground.homes["area"].to_numpy()
    share = np.bincount(area, risk, minlength=len(ground.areas)) / risk.sum()
    noise = _noise(parameters, len(ground.areas), len(months), rng)
    expected = share[:, None] * level(parameters, months) * noise * (1 - parameters.offspring)
    count = rng.poisson(expected)
    place = np.repeat(np.repeat(np.arange(len(share)), len(months)), count.ravel())
    month = np.repeat(np.tile(np.arange(len(months)), len(share)), count.ravel())
    order = np.argsort(area, kind="stable")
    cumulated = np.concatenate([[0.0], np.cumsum(risk[order])])
    start = np.concatenate([[0], np.cumsum(np.bincount(area, minlength=len(share)))])
    low, high = cumulated[start[place]], cumulated[start[place + 1]]
    drawn = np.searchsorted(cumulated, low + rng.random(len(place)) * (high - low), side="right") - 1
    home = order[np.clip(drawn, start[place], start[place + 1] - 1)]
    opening = (months.astype("datetime64[D]") - np.datetime64(parameters.first_month, "D")).astype(int)
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
    whole = np.floor(rng.random(len(place)) * length[month])
    return home, opening[month] + whole + _hour(len(place), rng)


def _noise(parameters: BoroughParameters, areas: int, months: int, rng: np.random.Generator) -> np.ndarray:
    """What comes and goes: areas x months, mean 1, log-Gaussian AR(1) in time, independent between areas."""
    import numpy as np

    shock = rng.normal(size=(months, areas))
    state = np.empty_like(shock)
    state[0] = shock[0]
    memory = parameters.noise_memory
    for month in range(1, months):
        state[month] = memory * state[month - 1] + np.sqrt(1 - memory**2) * shock[month]
    return np.exp(parameters.noise_sd * state.T - parameters.noise_sd**2 / 2)


def _hour(count: int, rng: np.random.Generator) -> np.ndarray:
    """Time of day as a share of it: two thirds in the working day, one third in the night."""
    import numpy as np

    day = rng.random(count) < 2 / 3
    return np.mod(np.where(day, rng.normal(13, 3, count), rng.normal(23, 3, count)), 24) / 24


def _with_offspring(
    parameters: BoroughParameters, ground: Ground, home: np.ndarray, day: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Homes, days, kinds (0 background, 1 exact, 2 near) and parents, with repeats of repeats."""
    import numpy as np
    import shapely

    point = ground.homes[["easting", "northing"]].to_numpy()
    tree = shapely.STRtree(shapely.points(point))
    generation = [(home, day, np.zeros(len(home), dtype=int), np.full(len(home), -1))]
    born = 0
    while len(generation[-1][0]):
        home, day, _, _ = generation[-1]
        parent = np.repeat(np.arange(len(home)), rng.poisson(parameters.offspring, len(home)))
        exact = rng.random(len(parent)) < parameters.exact_share
        away = rng.exponential(parameters.near_distance, len(parent))
        way = rng.uniform(0, 2 * np.pi, len(parent))
        target = point[home[parent]] + (away * [np.cos(way), np.sin(way)]).T
        near = tree.nearest(shapely.points(target)) if len(parent) else parent
        # the nearest home may be the same one: then it is next door
        near = np.where(near == home[parent], np.where(near > 0, near - 1, near + 1), near)
        later = day[parent] + rng.exponential(parameters.repeat_days, len(parent))
        generation.append((np.where(exact, home[parent], near), later, np.where(exact, 1, 2), born + parent))
        born += len(home)
    home, day, kind, parent = (np.concatenate(part) for part in zip(*generation, strict=True))
    return home, day, kind, parent


def describe(parameters: BoroughParameters, events: pd.DataFrame) -> pd.DataFrame:
    """What the police would write down of each burglary: reference, window, offence, premises.

    Adds ``ref``, ``premises``, ``offence``, ``date_from``, ``date_to``, ``recorded_on`` to ``events``. The
    window holds the true time; its length follows how long the householder was away.
    """
    import numpy as np

    rng = np.random.default_rng([parameters.seed, 5])
    count = len(events)
    shares = [parameters.dwelling_share, parameters.shed_share]
    premises = np.array(["dwelling", "shed", "business"])[
        np.searchsorted(np.cumsum(shares), rng.random(count), side="right")
    ]
    time = events["time"].to_numpy().astype("datetime64[s]")
    new = time >= np.datetime64(parameters.break_month, "M").astype("datetime64[s]")
    offence = np.where(new, "Burglary - business and community", "Burglary other than dwelling")
    for kind in BEFORE:
        offence = np.where(premises == kind, np.where(new, AFTER[kind], BEFORE[kind]), offence)
    # hours away: known at once, a working day, a weekend, a holiday
    longest = np.array([0.5, 11, 60, 240])[
        np.searchsorted([0.35, 0.8, 0.95], rng.random(count), side="right")
    ]
    length = longest * rng.uniform(0.3, 1, count) * 3600
    opened = time - (length * rng.random(count)).astype("timedelta64[s]")
    closed = opened + length.astype("timedelta64[s]")
    closed = np.maximum(closed, time)
    late = np.where(rng.random(count) < 0.1, rng.integers(4, 60, count), rng.geometric(0.6, count) - 1)
    number = rng.permutation(count) + 1
    year = time.astype("datetime64[Y]").astype(int) + 1970
    return events.assign(
        ref=[f"PB{n:07d}/{y % 100:02d}" for n, y in zip(number, year, strict=True)],
        premises=premises,
        offence=offence,
        date_from=opened.astype("datetime64[m]").astype("datetime64[s]"),
        date_to=closed.astype("datetime64[m]").astype("datetime64[s]") + np.timedelta64(60, "s"),
        recorded_on=(closed.astype("datetime64[D]") + late).astype("datetime64[s]"),
    )


def other_crimes(parameters: BoroughParameters, ground: Ground, features: pd.DataFrame) -> pd.DataFrame:
    """Crimes that marking cannot affect, by police.uk type: shoplifting at shops, the others along streets.

    Columns ``ref``, ``time``, ``type``, ``home`` (the nearest one: it gives point, area and snap point).
    """
    import numpy as np
    import pandas as pd
    import shapely

    rng = np.random.default_rng([parameters.seed, 6])
    months = months_of(parameters).astype("datetime64[D]")
    days = int(
        (np.datetime64(parameters.last_month, "M") + 1).astype("datetime64[D]").astype(int)
        - months[0].astype(int)
    )
    tree = shapely.STRtree(shapely.points(ground.homes[["easting", "northing"]].to_numpy()))
    shops = tree.nearest(features.geometry[features["category"].isin(["off_licence", "takeaway"])].to_numpy())
    parts = []
    for kind, yearly in parameters.other_crimes_per_year:
        count = rng.poisson(yearly * days / 365.25)
        home = (
            rng.choice(shops, count)
            if kind == "Shoplifting" and len(shops)
            else rng.integers(0, len(ground.homes), count)
        )
        seconds = (np.floor(rng.random(count) * days) + _hour(count, rng)) * 86_400
        time = months[0].astype("datetime64[s]") + seconds.astype("timedelta64[s]")
        parts.append(pd.DataFrame({"time": time, "type": kind, "home": home}))
    if not parts:
        return pd.DataFrame(
            {"ref": [], "time": np.array([], "datetime64[s]"), "type": [], "home": np.array([], int)}
        )
    frame = pd.concat(parts, ignore_index=True).sort_values(["time", "home"], ignore_index=True)
    frame["ref"] = [f"PX{n:07d}" for n in rng.permutation(len(frame)) + 1]
    return frame[["ref", "time", "type", "home"]]
