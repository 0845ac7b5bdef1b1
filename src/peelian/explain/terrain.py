"""Priority places: the few cells where risk is highest, how much crime they hold, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.places import Places

Array = Any
CLASSES = ("highest", "high", "above average", "average or below")


def risk_classes(relative_risk: pd.Series) -> pd.Series:
    """Class of each place by its relative risk: highest above mean + 2 SD, high above mean + 1 SD.

    SD with n - 1 over the places; an ordered categorical on the same index (Caplan & Kennedy's template).
    """
    import numpy as np
    import pandas as pd

    mean, sd = relative_risk.mean(), relative_risk.std(ddof=1)
    limits = [mean + 2 * sd, mean + sd, mean]
    code = np.full(len(relative_risk), 3)
    for at in (2, 1, 0):
        code[(relative_risk > limits[at]).to_numpy()] = at
    return pd.Series(
        pd.Categorical.from_codes(code, CLASSES, ordered=True), relative_risk.index, name="class"
    )


def top_share(score: Array, share: float, size: Array | None = None) -> Array:
    """How much of each place belongs to the top ``share`` by score: 1, 0, or a part where scores tie.

    Tied places at the cut share what is left, so no row order decides. ``size``  of each place, where they
    are not alike: the share is one of all their ground, and the place at its edge belongs to it in part.

    >>> top_share([3, 2, 2, 1], 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    >>> top_share([3, 2, 1], 0.5, [1.0, 4.0, 5.0]).tolist()
    [1.0, 1.0, 0.0]
    """
    import numpy as np

    score = np.asarray(score, float)
    if size is None:
        room = share * len(score)
        cut = np.sort(score)[::-1][max(int(np.ceil(room - 1e-9)) - 1, 0)]
        above, tied = score > cut, score == cut
        return above + tied * ((room - above.sum()) / tied.sum())
    size = np.asarray(size, float)
    order = np.argsort(-score, kind="stable")
    room = share * size.sum()
    at = int(np.searchsorted(size[order].cumsum(), room * (1 - 1e-12)))
    cut = score[order[min(at, len(order) - 1)]]
    above, tied = score > cut, score == cut
    return above + tied * ((room - size[above].sum()) / size[tied].sum())


def captured(score: Array, counts: Array, share: float, size: Array | None = None) -> float:
    """Share of incidents in the top ``share`` of places by score, ties at their expected value.

    ``size``  of each place, where they are not alike: the top share of their ground.
    """
    import numpy as np

    counts = np.asarray(counts, float)
    return float(top_share(score, share, size) @ counts / counts.sum())


def priority_places(
    terrain: RiskTerrain, places: Places, *, share: float = 0.05, min_cells: int | None = None
) -> pd.DataFrame:
    """The places where risk is highest: touching cells of the top share, joined, with the reasons why.

    ``share``      part of the cells (of the ground of areas, of the length of streets) to take, by relative
                   risk; a tie at the cut is taken whole or not at all, whichever is nearer to the share.
    ``min_cells``  smallest group of touching cells (corners count) that makes a place: three cells or
                   hexagons, one area or street segment, unless given.

    Returns one row a place, most incidents first: ``priority``, ``cells``, ``incidents`` (in the fit),
    ``share_of_incidents``, ``times_average`` (mean of its cells), ``why`` (influences that hold in most of
    its cells), ``members`` (ids of the cells).
    """
    import numpy as np
    import pandas as pd
    from scipy.sparse.csgraph import connected_components

    size = terrain.extent.weights()
    least = min_cells or (3 if size is None else 1)
    chosen = np.flatnonzero(in_top(terrain.times_average.to_numpy(), share, size))
    near = places.neighbours()[chosen][:, chosen]
    _, group = connected_components(near, directed=False)
    rows = []
    for number in range(group.max() + 1 if len(group) else 0):
        at = chosen[group == number]
        if len(at) < least:
            continue
        held = (terrain.influences.iloc[at].abs() >= 0.5).mean()
        why = [terrain.words[name] for name in held.index if held[name] >= 0.5]
        incidents = float(terrain.counts.iloc[at].sum())
        rows.append(
            {"cells": len(at), "incidents": incidents,
             "share_of_incidents": incidents / float(terrain.counts.sum()),
             "times_average": float(terrain.times_average.iloc[at].mean()),
             "why": "; ".join(why), "members": list(places.index[at])}
        )  # fmt: skip
    names = ["cells", "incidents", "share_of_incidents", "times_average", "why", "members"]
    frame = pd.DataFrame(rows, columns=names)
    frame["first"] = [members[0] for members in frame["members"]]
    frame = frame.sort_values(["incidents", "first"], ascending=[False, True], ignore_index=True)
    frame.insert(0, "priority", np.arange(1, len(frame) + 1))
    return frame.drop(columns="first")


def in_top(score: Array, share: float, size: Array | None = None) -> Array:
    """Which places are in the top share, a tie at the cut whole or not at all, whichever is nearer.

    None where half of the places or more share the highest score: then no place stands out.

    >>> in_top([5, 4, 4, 4, 1, 1, 1, 1], 0.25).tolist()
    [True, False, False, False, False, False, False, False]
    """
    import numpy as np

    part = top_share(score, share, size)
    inside = part >= 1 - 1e-12
    tied = (part > 0) & ~inside
    each = np.ones(len(part)) if size is None else np.asarray(size, float)
    room, held = share * each.sum(), each[inside].sum()
    if tied.any() and abs(held + each[tied].sum() - room) < abs(held - room):
        inside = inside | tied
    if not inside.any() and tied.mean() < 0.5:
        inside = tied
    return inside


def formula(coefficients: dict[str, float], intercept: float) -> str:
    """The risk score as a formula for a GIS: lowest place = 1.

    >>> formula({"bus_stop_proximity_200": 0.5}, -1.2)
    'Exp(-1.200000 + 0.500000 * bus_stop_proximity_200) / Exp(-1.200000)'
    """
    terms = "".join(f" {'+' if b >= 0 else '-'} {abs(b):.6f} * {name}" for name, b in coefficients.items())
    return f"Exp({intercept:.6f}{terms}) / Exp({intercept:.6f})"
