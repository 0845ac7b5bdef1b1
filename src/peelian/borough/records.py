"""The programme's own records: programme tables, deliveries, ledger, recovered items. All invented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from peelian.borough.ground import Ground
    from peelian.borough.parameters import BoroughParameters
    from peelian.borough.programme import Treatment

_MONEY = ("unit_price", "planned", "committed", "actual")
_PAPER = ("funder", "inside_budget", "decision", "document")
LEDGER = ("date", "financial_year", "line", "quantity", "unit", *_MONEY, *_PAPER)


def programme_table(
    parameters: BoroughParameters, ground: Ground, treatment: Treatment, *, phase: str
) -> pd.DataFrame:
    """One phase as its programme file: its areas treated; who would spoil the comparison, excluded.

    For phase A these are phase B's areas; for phase B, phase A's areas and their first ring (where crime
    moved to). Columns ``place, arm, start, end, kits, households, selected_on, assigned_by, block,
    probability, phase``.
    """
    import numpy as np
    import pandas as pd

    from peelian.borough.programme import window_before

    mine = treatment.phase == phase
    other = (treatment.phase != "") & ~mine
    if phase == "B":
        other |= treatment.ring
    area = ground.homes["area"].to_numpy()
    kits = np.bincount(area[~np.isnat(treatment.kit)], minlength=len(ground.areas))
    window = parameters.selection if phase == "A" else window_before(parameters.phase_b_start)
    frame = pd.DataFrame(
        {
            "place": ground.areas["LSOA11CD"].to_numpy(),
            "arm": np.where(mine, "treated", "excluded"),
            "start": np.where(np.isnat(treatment.start), "", treatment.start.astype(str)),
            "end": "",
            "kits": kits,
            "households": ground.areas["households"].to_numpy(),
            "selected_on": np.where(mine, "..".join(window), ""),
            "assigned_by": "",
            "block": "",
            "probability": "",
            "phase": treatment.phase,
        }
    )
    frame.loc[~mine, ["start", "kits"]] = ["", 0]
    return frame[mine | other].reset_index(drop=True)


def deliveries(ground: Ground, treatment: Treatment) -> pd.DataFrame:
    """Kits by area, month and street: counts only. Columns ``place, month, kits, street, dwellings``.

    ``dwellings`` are the homes of that street inside that area, as an address list would count them.
    """
    import numpy as np
    import pandas as pd

    held = ~np.isnat(treatment.kit)
    homes = ground.homes[held]
    frame = pd.DataFrame(
        {
            "place": ground.areas["LSOA11CD"].to_numpy()[homes["area"]],
            "month": treatment.kit[held].astype("datetime64[M]").astype(str),
            "street": homes["street"].to_numpy(),
        }
    )
    counted = frame.value_counts(["place", "month", "street"], sort=False).rename("kits").reset_index()
    every = pd.DataFrame(
        {
            "place": ground.areas["LSOA11CD"].to_numpy()[ground.homes["area"]],
            "street": ground.homes["street"].to_numpy(),
        }
    )
    dwellings = every.value_counts(["place", "street"], sort=False).rename("dwellings").reset_index()
    counted = counted.merge(dwellings, on=["place", "street"], how="left", validate="many_to_one")
    return counted.sort_values(["place", "month", "street"], ignore_index=True)[
        ["place", "month", "kits", "street", "dwellings"]
    ]


def recovered(parameters: BoroughParameters, ground: Ground, treatment: Treatment) -> pd.DataFrame:
    """Items found by police, by month and area where they were found, from the first start on.

    Columns ``month, place, items_found, marked, returned, value`` (pounds). The chance that an item bears a
    mark is the share of the borough's homes that hold a kit at the time, three quarters of which were used.
    """
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng([parameters.seed, 9])
    first = np.datetime64(parameters.starts[0], "M")
    months = np.arange(first, np.datetime64(parameters.last_month, "M") + 1)
    kit = np.sort(treatment.kit[~np.isnat(treatment.kit)]).astype("datetime64[M]")
    rows = []
    for month in months:
        share = 0.75 * np.searchsorted(kit, month, side="right") / len(ground.homes)
        place = rng.choice(len(ground.areas), rng.poisson(parameters.found_per_year / 12))
        for area in np.unique(place):
            found = int((place == area).sum())
            marked = int(rng.binomial(found, share))
            returned = int(rng.binomial(marked, 0.7))
            value = round(float(rng.gamma(1.5, 120, returned).sum()), 2)
            rows.append((str(month), ground.areas["LSOA11CD"].iloc[area], found, marked, returned, value))
    return pd.DataFrame(rows, columns=["month", "place", "items_found", "marked", "returned", "value"])


def ledger(parameters: BoroughParameters, kits_by_month: pd.Series) -> pd.DataFrame:
    """The costs ledger, append-only; every price, decision and document is invented.

    ``kits_by_month``  kits delivered, index = ISO months. Amounts in pounds; columns ``LEDGER``.
    """
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for entry in _entries(parameters, kits_by_month) if len(kits_by_month) else ():
        date, line, quantity, unit, price, over, decision, inside = entry
        actual = round(quantity * price, 2)
        year = int(date[:4]) - (date[5:7] < "04")
        funder = "Peelborough Police" if inside == "yes" else "Peelborough Council"
        paper = (funder, inside, f"PBD-{decision:03d}", f"PB-INV-{len(rows) + 1:04d}")
        money = (price, round(actual / over, 2), actual, actual)
        rows.append((date, f"{year}/{(year + 1) % 100:02d}", line, round(quantity, 2), unit, *money, *paper))
    return pd.DataFrame(rows, columns=list(LEDGER)).sort_values(["date", "document"], ignore_index=True)


def _entries(parameters: BoroughParameters, kits_by_month: pd.Series) -> Iterator[tuple[Any, ...]]:
    """Date, line, quantity, unit, unit price, actual over planned, number of the decision, inside the budget.

    Kits come in one batch a delivery month, 5 % to spare; officers' hours follow deliveries; the plan was
    made for a tenth more kits than were needed; a correction is a new row.
    """
    import numpy as np

    rng = np.random.default_rng([parameters.seed, 10])
    opening = np.datetime64(kits_by_month.index[0], "M")
    yield f"{opening - 1}-04", "IT", 1, "register", 8_400.00, 1.05, 1, "yes"
    yield f"{opening - 1}-11", "evaluation", 1, "contract", 12_000.00, 1.0, 2, "yes"
    for month, kits in kits_by_month.items():
        hours = kits * parameters.kit_hours * rng.uniform(0.95, 1.2)
        yield f"{month}-02", "kits", int(np.ceil(kits * 1.05)), "kit", parameters.kit_price, 0.91, 1, "yes"
        yield f"{month}-27", "staff", hours, "hour", parameters.staff_hour, 1.07, 1, "yes"
        yield f"{month}-28", "signs", int(np.ceil(kits / 18)), "sign", 18.50, 0.95, 3, "yes"
    yield f"{opening}-15", "publicity", 6_000, "leaflet", 0.32, 1.1, 3, "yes"
    yield f"{opening + 2}-15", "covert", 1, "operation", 4_750.00, 1.2, 4, "yes"
    yield f"{opening + 3}-09", "other", 40, "volunteer day", 22.00, 1.0, 5, "no"
    yield f"{opening + 5}-01", "kits", -24, "kit", parameters.kit_price, 1.0, 1, "yes"
    yield f"{opening + 13}-20", "evaluation", 1, "report", 3_200.00, 0.8, 6, "yes"
