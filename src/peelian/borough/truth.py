"""The truth of the borough: what was planted, and what came of it, as one dictionary for ``truth.json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from peelian.borough.ground import Ground
    from peelian.borough.parameters import BoroughParameters
    from peelian.borough.programme import Treatment


def truth(
    parameters: BoroughParameters,
    ground: Ground,
    exposed: pd.DataFrame,
    events: pd.DataFrame,
    treatment: Treatment,
) -> dict[str, Any]:
    """Everything a right analysis must find, as plain numbers.

    ``exposed``  the frame of ``home_risk``; ``events``  every burglary of the world without the programme
    and its fate.
    """
    return {
        "note": "Simulated: Peelborough does not exist. Counts with and without it are of one world.",
        "seed": parameters.seed,
        "parameters": asdict(parameters),
        "counts": _counts(parameters, ground, events),
        "factors": _factors(parameters, exposed),
        "effect": _effect(parameters, ground, events, treatment),
        "displacement": _displacement(parameters, ground, events, treatment),
        "saturation": _saturation(parameters, ground, treatment),
        "repeats": _repeats(parameters, events),
        "overdispersion": _overdispersion(parameters, ground, events),
        "break": {
            "month": parameters.break_month,
            "level": parameters.break_level,
            "residential_share_before": parameters.dwelling_share,
            "residential_share_after": parameters.dwelling_share + parameters.shed_share,
        },
        "phases": _phases(parameters, ground, treatment),
    }


def dispersion(before: np.ndarray, after: np.ndarray) -> float:
    """Year-on-year overdispersion: mean of (u - r v)^2 / (u + r^2 v) over areas with any, r = sum u / sum v.

    >>> import numpy as np
    >>> dispersion(np.array([4, 9]), np.array([4, 9]))
    0.0
    """
    kept = before + after > 0
    before, after = before[kept], after[kept]
    ratio = after.sum() / before.sum()
    return float(((after - ratio * before) ** 2 / (after + ratio**2 * before)).mean())


def _counts(parameters: BoroughParameters, ground: Ground, events: pd.DataFrame) -> dict[str, Any]:
    import numpy as np

    happened = events["home_after"].to_numpy() >= 0
    year = events["time"].dt.year
    return {
        "areas": len(ground.areas),
        "wards": len(ground.wards),
        "households": len(ground.homes),
        "burglaries": int(happened.sum()),
        "burglaries_without_programme": len(events),
        "burglaries_by_year": {
            str(y): int(n) for y, n in zip(*np.unique(year[happened], return_counts=True), strict=True)
        },
    }


def _factors(parameters: BoroughParameters, exposed: pd.DataFrame) -> dict[str, Any]:
    return {
        "planted": [
            {
                "category": factor.category,
                "relative_risk": factor.relative_risk,
                "reach": factor.reach,
                "share_of_homes": round(float(exposed[factor.category].mean()), 4),
            }
            for factor in parameters.planted
        ],
        "idle": [factor.category for factor in parameters.idle],
    }


def _ratio(without: float, recorded: float) -> float | None:
    return round(recorded / without, 6) if without else None


def _effect(
    parameters: BoroughParameters, ground: Ground, events: pd.DataFrame, treatment: Treatment
) -> dict[str, Any]:
    """Of phase A's areas: burglaries with and without, by time since the area's own start."""
    import numpy as np

    from peelian.borough.programme import fade, months_since

    since = months_since(events, ground, treatment)
    phase = treatment.phase[ground.homes["area"].to_numpy()[events["home"].to_numpy()]]
    stopped = events["fate"].to_numpy() != "happened"
    chance = events["chance"].to_numpy()

    months = np.arange(1, parameters.effect_ends + 1)
    shares = fade(parameters, months)

    def of(first: int, last: int) -> dict[str, Any]:
        within = (phase == "A") & (since >= first) & (since <= last)
        without, prevented = int(within.sum()), int((within & stopped).sum())
        return {
            "months": f"{first}-{last}",
            "without_programme": without,
            "recorded": without - prevented,
            "prevented": prevented,
            "prevented_expected": round(float(chance[within].sum()), 3),
            "ratio": _ratio(without, without - prevented),
            "ratio_expected": _ratio(without, without - float(chance[within].sum())),
        }

    return {
        "in_a_home_with_a_kit": {str(m): round(float(p), 4) for m, p in zip(months, shares, strict=True)},
        "months_1_12": of(1, 12),
        "months_1_6": of(1, 6),
        "months_7_12": of(7, 12),
        "months_13_24": of(13, 24),
        "by_quarter": [of(3 * quarter + 1, 3 * quarter + 3) for quarter in range(8)],
        "all_months": of(1, 9_999),
        "phase_b_ratio": 1.0,
    }


def _displacement(
    parameters: BoroughParameters, ground: Ground, events: pd.DataFrame, treatment: Treatment
) -> dict[str, Any]:
    """What moved from phase A's areas to the first ring, by time since the start of the area it came from."""
    from peelian.borough.programme import months_since

    since = months_since(events, ground, treatment)
    moved = (events["fate"] == "displaced").to_numpy()
    stopped = (events["fate"] != "happened").to_numpy()
    first = (since >= 1) & (since <= 12)
    year = _ring_year(parameters, ground, events, treatment)
    return {
        "share_planted": parameters.displaced,
        "moved": int(moved.sum()),
        "moved_months_1_12": int((moved & first).sum()),
        "share_months_1_12": _ratio(float((stopped & first).sum()), float((moved & first).sum())),
        "net_prevented_months_1_12": int((stopped & first).sum() - (moved & first).sum()),
        "ring_areas": int(treatment.ring.sum()),
        "ring_year_from_first_start": year,
    }


def _ring_year(
    parameters: BoroughParameters, ground: Ground, events: pd.DataFrame, treatment: Treatment
) -> dict[str, Any]:
    """The first ring in the 12 months from the first start: burglaries with and without the programme."""
    import numpy as np

    start = np.datetime64(parameters.starts[0], "M")
    month = events["time"].to_numpy().astype("datetime64[M]")
    year = (month >= start) & (month < start + 12)
    area = ground.homes["area"].to_numpy()
    here = treatment.ring[area[events["home"].to_numpy()]] & year
    arrived = (events["fate"] == "displaced").to_numpy() & year
    without, recorded = int(here.sum()), int(here.sum() + arrived.sum())
    return {"without_programme": without, "recorded": recorded, "ratio": _ratio(without, recorded)}


def _saturation(parameters: BoroughParameters, ground: Ground, treatment: Treatment) -> dict[str, Any]:
    """Share of households with a kit, by area at the end and in phase A by month since start."""
    import numpy as np

    area = ground.homes["area"].to_numpy()
    held = ~np.isnat(treatment.kit)
    households = ground.areas["households"].to_numpy()
    end = np.bincount(area[held], minlength=len(households)) / households
    mine = treatment.phase[area] == "A"
    month = np.where(
        held, (treatment.kit.astype("datetime64[M]") - treatment.start[area]).astype(int) + 1, 9_999
    )
    given = treatment.phase != ""
    return {
        "kits": int(held.sum()),
        "phase_a_by_month": {
            str(m): round(float((month[mine] <= m).mean()), 4) if mine.any() else None
            for m in (1, 2, 3, 6, 12)
        },
        "areas_at_85_percent": int((end[given] >= 0.85).sum()),
        "by_place": {
            place: round(float(share), 4)
            for place, share in zip(ground.areas["LSOA11CD"][given], end[given], strict=True)
        },
    }


def _repeats(parameters: BoroughParameters, events: pd.DataFrame) -> dict[str, Any]:
    kinds = events["kind"].value_counts()
    return {
        "offspring_per_burglary": parameters.offspring,
        "exact_share": parameters.exact_share,
        "near_mean_distance": parameters.near_distance,
        "mean_days": parameters.repeat_days,
        "realised": {kind: int(kinds.get(kind, 0)) for kind in ("background", "exact", "near")},
    }


def _overdispersion(parameters: BoroughParameters, ground: Ground, events: pd.DataFrame) -> dict[str, Any]:
    """Year-on-year phi of the areas' counts without the programme, for every pair of whole calendar years."""
    import numpy as np

    from peelian.borough.programme import counts

    first, last = (np.datetime64(m, "M") for m in (parameters.first_month, parameters.last_month))
    opening = first.astype("datetime64[Y]") + (first != first.astype("datetime64[Y]").astype("datetime64[M]"))
    years = np.arange(opening, (last + 1).astype("datetime64[Y]"))
    by_year = [counts(events, ground, f"{year}-01", f"{year}-12") for year in years]
    pairs = {
        f"{years[i]}-{years[i + 1]}": round(dispersion(by_year[i], by_year[i + 1]), 3)
        for i in range(len(years) - 1)
    }
    return {"pairs": pairs, "mean": round(float(np.mean(list(pairs.values()))), 3) if pairs else None}


def _phases(parameters: BoroughParameters, ground: Ground, treatment: Treatment) -> dict[str, Any]:
    """Who was treated, on what ground, and who is in the first ring."""
    codes = ground.areas["LSOA11CD"]
    well = {"selected_on": "..".join(parameters.selection), "starts": list(parameters.starts)}
    badly = {"start": parameters.phase_b_start, "effect": 0.0}
    return {
        "A": {"places": codes[treatment.phase == "A"].tolist(), **well},
        "B": {"places": codes[treatment.phase == "B"].tolist(), **badly},
        "first_ring": codes[treatment.ring].tolist(),
    }
