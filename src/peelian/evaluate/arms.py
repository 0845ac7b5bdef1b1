"""Who is treated and from when: the programme's word, else the panel's; and who has not started yet."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DataError, DesignError, some
from peelian.words import month, several

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.evaluate.windows import Study
    from peelian.programme import Programme

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Later:
    """Areas of the programme that start after the panel's last month.

    ``members``  by place; ``first`` and ``last`` the months they start in; ``compared`` whether they are
    compared with until then (they are left out otherwise).
    """

    members: Bools
    first: str
    last: str
    compared: bool

    def as_json(self) -> dict[str, object]:
        """How many, from when, and what part they have."""
        return {
            "areas": int(self.members.sum()), "first": self.first, "last": self.last,
            "part": "compared with" if self.compared else "left out",
        }  # fmt: skip


def waiting_as_controls(programme: Programme, last: pd.Period) -> Programme:
    """The programme with the areas that start after the month ``last`` as controls (the not-yet design)."""
    areas = programme.areas
    held = areas.index.isin(programme.waiting(last))
    return replace(programme, areas=areas.assign(arm=areas["arm"].mask(held, "control")))


def later_of(areas: pd.DataFrame, months: pd.PeriodIndex) -> tuple[pd.DataFrame, Later | None]:
    """The areas with those not started left out, and who they are; controls with such a start stay so."""
    held = ((areas["start"] > months[-1]) & areas["arm"].isin(["treated", "control"])).to_numpy(bool)
    if not held.any():
        return areas, None
    mine, starts = (areas["arm"] == "treated").to_numpy(bool), areas["start"][held]
    out = areas.assign(arm=areas["arm"].mask(held & mine, "excluded"))
    return out, Later(held, str(starts.min()), str(starts.max()), not (held & mine).any())


def progress_sentences(laid: Study) -> list[str]:
    """How far a staged programme is: areas that have not started, and those with few months after."""
    out, last = [], len(laid.months)
    later = laid.later
    if later is not None:
        span = month(later.first)
        span += f" to {month(later.last)}" if later.last != later.first else ""
        part = "compared with until then" if later.compared else "neither treated nor compared with"
        out.append(
            f"Not started when the data end ({month(str(laid.months[-1]))}): "
            f"{several(int(later.members.sum()), 'area')} of the programme, from {span}; {part}."
        )
    short = [
        (int(((laid.group == 0) & (laid.own == i)).sum()), s)
        for i, s in enumerate(laid.stacks)
        if s.after[1] == last and s.lengths[1] < laid.months_after
    ]
    if short:
        fewest, most = (f(s.lengths[1] for _, s in short) for f in (min, max))
        held = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        out.append(
            f"So far under {laid.months_after} months after the start ({held}): "
            f"{several(sum(n for n, _ in short), 'area')} treated since "
            f"{month(str(laid.months[min(s.start for _, s in short)]))}; those months count."
        )
    return out


def areas_of(programme: Programme, fixed: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """Arm, start, unit, choice and block of every place: the programme's word, else the panel's."""
    import pandas as pd

    given = programme.areas
    strange = given.index.difference(ids)
    if len(strange):
        close = difflib.get_close_matches(str(strange[0]), [str(i) for i in ids], 1)
        hint = f" The nearest id there is {close[0]}." if close else ""
        raise DataError(
            f"The panel lacks {some(strange)}, named by the programme ({len(strange):,} in all).{hint} "
            "Are both of one vintage of areas (2011, 2021)?"
        )
    out = pd.DataFrame(index=ids)
    known = len(given) > 0 and bool((given["arm"] == "treated").any())
    out["listed"] = ids.isin(given.index)
    said = given["arm"].reindex(ids) if known else pd.Series(None, ids, object)
    out["arm"] = said.fillna(fixed["arm"]).astype(object)
    out.loc[fixed["arm"].to_numpy(object) == "excluded", "arm"] = "excluded"
    if known:  # the programme's list is the whole list of the treated
        out.loc[(out["arm"] == "treated") & ~out["listed"], "arm"] = "control"
    dates = given["start"].reindex(ids) if known else fixed["start"]
    out["start"] = pd.PeriodIndex(dates, freq="M")
    for name in ("selected_from", "selected_to"):
        held = given[name].reindex(ids) if name in given else pd.Series(pd.NaT, ids)
        out[name] = pd.PeriodIndex(held, freq="M")
    unit = fixed["unit"] if "unit" in fixed else pd.Series(ids, ids)
    out["unit"] = unit.astype(object).fillna(pd.Series(ids, ids)).astype(str)
    out["block"] = given["block"].reindex(ids).fillna("").astype(str) if "block" in given else ""
    return out


def check_arms(
    treated: Bools, areas: pd.DataFrame, start: Ints, months: pd.PeriodIndex, later: Later | None
) -> None:
    """Raise ``DesignError`` where nobody is treated (yet), everybody is, or a start has no month before."""
    if later is not None and not treated.any():
        raise DesignError(
            f"None of {int(later.members.sum()):,} treated areas has started: the first starts in "
            f"{month(later.first)}, and the panel ends in {month(str(months[-1]))}. Load later months."
        )
    if not treated.any():
        raise DesignError(
            f"None of {len(areas):,} areas is treated. Name them in the programme with arm = treated "
            "and a start."
        )
    if treated.all():
        raise DesignError(
            f"All {len(areas):,} areas are treated: nothing is left to compare with. Add areas without it."
        )
    early = treated & (start <= 0)
    if early.any():
        raise DesignError(
            f"{int(early.sum())} of {int(treated.sum())} treated areas start before the panel's second month "
            f"({some(areas.index[early], 3)}; the panel runs from {months[0]} to {months[-1]}). "
            "An evaluation needs months on both sides."
        )
