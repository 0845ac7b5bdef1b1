"""Audit: who lives where the map sends people, whose crime it misses, and what the drawn boxes show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from peelian.arithmetic.scores import ranking
from peelian.errors import DataError, DesignError, some
from peelian.predict.claims import block_draws, interval, ratio_draws
from peelian.predict.dosage import Explored, explored

if TYPE_CHECKING:
    from peelian.places import Places

DECILES = tuple(f"decile {number}" for number in range(1, 11))


@dataclass(frozen=True, eq=False)
class Groups:
    """Which part of each place belongs to which group.

    ``parts``  places x groups, each from 0 to 1: 1 where the whole place is of the group (a decile), else the
               share of its people or homes; ``of`` group -> what it divides (``deprivation``, ``residents``,
               ``tenure``); ``homes`` by place. What is true of a place is taken to be so in all of it.
    """

    parts: pd.DataFrame
    of: dict[str, str]
    homes: pd.Series


def groups_of(
    places: Places,
    *,
    deprivation: str = "",
    residents: Mapping[str, str] | None = None,
    tenure: Mapping[str, str] | None = None,
) -> Groups | None:
    """The groups that columns of the places give, or None where none is named.

    ``deprivation``  a column of deciles, 1 the most deprived; ``residents``, ``tenure`` name -> column of
    shares of people or of homes, from 0 to 1 or in percent.

    Raises ``DataError`` for a column that is not there, is no decile or no share.
    """
    people, homes_by = dict(residents or {}), dict(tenure or {})
    named = [*([deprivation] if deprivation else []), *people.values(), *homes_by.values()]
    if not named:
        return None
    lacking = [name for name in named if name not in places.frame]
    if lacking:
        raise DataError(
            f"[predict.audit] names the columns {some(lacking)}; the places have "
            f"{some([c for c in places.frame if c != 'geometry'], 30)}."
        )
    parts, of = {}, {}
    if deprivation:
        decile = pd.to_numeric(places.frame[deprivation], errors="coerce")
        wrong = ~decile.isin(range(1, 11))
        if wrong.any():
            raise DataError(
                f"[predict.audit] deprivation: {deprivation} is no decile from 1 (the most deprived) to 10 "
                f"in {some(places.index[wrong])}."
            )
        for number, name in enumerate(DECILES, start=1):
            if (decile == number).any():
                parts[name], of[name] = (decile == number).astype(float), "deprivation"
    for kind, columns in (("residents", people), ("tenure", homes_by)):
        for name, column in columns.items():
            parts[name], of[name] = _share(places, column), kind
    homes = places.households
    homes = pd.Series(1.0, places.index) if homes is None else homes.astype(float)
    return Groups(pd.DataFrame(parts, places.index), of, homes)


def _share(places: Places, column: str) -> pd.Series:
    share = pd.to_numeric(places.frame[column], errors="coerce")
    if share.max() > 1:
        share = share / 100
    wrong = share.isna() | (share < 0) | (share > 1.0005)
    if wrong.any():
        raise DataError(
            f"[predict.audit] {column} is no share (0 to 1, or percent) in {some(places.index[wrong])}."
        )
    return share.clip(upper=1)


def on_cells(groups: Groups, cells: Places, areas: Places) -> Groups:
    """The groups of cells, each as the area that holds its centre; an area's homes evenly over its cells.

    A cell whose centre lies in no area belongs to no group and has no homes.
    """
    where = areas.locate(cells.points).to_numpy(object)
    parts = groups.parts.reindex(where).set_axis(cells.index).fillna(0.0)
    return Groups(parts, groups.of, homes_on(cells, areas, groups.homes))


def homes_on(cells: Places, areas: Places, homes: pd.Series) -> pd.Series:
    """Homes by cell: those of each area, evenly over the cells whose centres it holds."""
    where = areas.locate(cells.points).astype(object)
    number = where.map(where.value_counts())
    held = homes.astype(float).reindex(where.to_numpy()).set_axis(cells.index)
    return (held / number).fillna(0.0)


def taken(risk: np.ndarray, size: np.ndarray, share: float) -> np.ndarray:
    """The part of each place that lies in the riskiest ``share`` of the total size; ties share what is left.

    >>> taken(np.array([3.0, 1.0, 1.0, 0.0]), np.ones(4), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    held = size > 0
    order, ends = ranking(np.where(held, risk, 0.0), np.where(held, size, 1.0))
    capacity, begin = share * size.sum(), 0
    out = np.zeros(len(risk))
    for end in ends:
        group = order[begin : end + 1]
        begin = end + 1
        weight = size[group].sum()
        if weight > 0:
            out[group] = min(max(capacity / weight, 0.0), 1.0)
            capacity -= weight
        if capacity <= 0:
            break
    return out * held


def exposure(
    chosen: np.ndarray, outcomes: np.ndarray, groups: Groups, *, size: np.ndarray, seed: int
) -> pd.DataFrame:
    """How much of what is handed out goes to each group, against its homes and its recorded crime.

    ``chosen``    the part of each place chosen (``taken``), places x origins; ``outcomes`` what was recorded
                  then; ``size`` what a place uses up (homes for kits, 1 for boxes).

    A row a group: ``share_of_homes``, ``share_of_crime``, ``share_chosen``, ``each_1000`` (what is handed out
    for 1,000 of its homes at an origin), and the ratios of the share chosen to both
    with 95 % intervals over origins (blocks of 4). Above 1 the group gets more than its part. Shares of
    an area's people are taken to hold for its crime and its homes too.
    """
    drawn = block_draws(chosen.shape[1], seed=seed)
    given, crimes = chosen * size[:, None], outcomes
    homes = groups.homes.to_numpy()
    rows = []
    for name in groups.parts:
        part = groups.parts[name].to_numpy()
        got, burden = part @ given, part @ crimes
        row = {
            "group": name, "of": groups.of[name], "share_of_homes": float(part @ homes / homes.sum()),
            "share_of_crime": _ratio(burden.sum(), crimes.sum()),
            "share_chosen": _ratio(got.sum(), given.sum()),
            "each_1000": 1_000 * _ratio(float(got.mean()), float(part @ homes)),
        }  # fmt: skip
        share = ratio_draws(drawn, got, given.sum(axis=0))
        load = ratio_draws(drawn, burden, crimes.sum(axis=0))
        for label, below, draws in (
            ("homes", row["share_of_homes"], np.full(len(drawn), row["share_of_homes"])),
            ("crime", row["share_of_crime"], load),
        ):
            with np.errstate(divide="ignore", invalid="ignore"):
                low, high = interval(share / draws)
            row |= {f"to_{label}": _ratio(row["share_chosen"], below), f"to_{label}_low": low}
            row[f"to_{label}_high"] = high
        rows.append(row)
    return pd.DataFrame(rows)


def error_parity(chosen: np.ndarray, outcomes: np.ndarray, groups: Groups, *, seed: int) -> pd.DataFrame:
    """Whose crime the map finds and whose it misses, group by group.

    ``hit_rate`` the part of a group's recorded crime that lay in chosen places, ``missed`` the rest,
    ``nothing`` the part of the chosen places of the group in which nothing was recorded; ``ratio`` of the hit
    rate to that of everybody else, with its 95 % interval over origins.
    """
    drawn = block_draws(chosen.shape[1], seed=seed)
    hits, quiet = chosen * outcomes, chosen * (outcomes == 0)
    rows = []
    for name in groups.parts:
        part = groups.parts[name].to_numpy()
        own, rest = (part @ hits, part @ outcomes), ((1 - part) @ hits, (1 - part) @ outcomes)
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = interval(ratio_draws(drawn, *own) / ratio_draws(drawn, *rest))
        rate = _ratio(own[0].sum(), own[1].sum())
        rows.append(
            {
                "group": name, "of": groups.of[name], "incidents": float(own[1].sum()), "hit_rate": rate,
                "missed": 1 - rate, "nothing": _ratio((part @ quiet).sum(), (part @ chosen).sum()),
                "ratio": _ratio(rate, _ratio(rest[0].sum(), rest[1].sum())), "ratio_low": low,
                "ratio_high": high,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class Dose:
    """How often each place was chosen, and what that leaves out.

    ``times``  by place, ties in part; ``places`` how many there are, ``ever`` of them chosen at all, ``half``
    the fewest that took half of all choices; ``unseen`` the part of what was recorded that lay in places
    never chosen.
    """

    times: np.ndarray
    places: int
    ever: int
    half: int
    unseen: float

    def __str__(self) -> str:
        return (
            f"{self.ever:,} of {self.places:,} places were ever chosen, {self.half:,} took half of all "
            f"choices, and {self.unseen * 100:.0f} % of what was recorded lay in places never chosen."
        )


def dose(chosen: np.ndarray, outcomes: np.ndarray) -> Dose:
    """Where the choices of all origins went: places x origins in, one number a place out.

    ``chosen`` as ``taken`` gives it; ``outcomes`` what was recorded then (after Lum & Isaac 2016).

    >>> str(dose(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([[1, 1], [1, 1]])))[:38]
    '1 of 2 places were ever chosen, 1 took'
    """
    times = chosen.sum(axis=1)
    ordered = np.sort(times)[::-1]
    half = int(np.searchsorted(np.cumsum(ordered), times.sum() / 2 - 1e-9)) + 1
    never = outcomes.sum(axis=1)[times == 0].sum()
    return Dose(times, len(times), int((times > 0).sum()), half, _ratio(float(never), float(outcomes.sum())))


def explore(
    chosen: np.ndarray, outcomes: np.ndarray, *, share: float = 0.1, seed: int
) -> tuple[Explored, float]:
    """What random boxes would have said of crime where nobody was sent, and what was recorded there.

    At each origin ``share`` as many places as were chosen are drawn from the others, each with the same known
    chance; their incidents, each weighted by 1 over its chance, estimate all of the others (see
    ``explored``). Returns the estimate over all origins and the recorded number.
    """
    if not 0 < share < 1:
        raise DesignError(f"explore is a share above 0 and below 1; got {share:g}.")
    rng = np.random.default_rng(seed)
    counts, stratum, rest, truth = [], [], [], 0.0
    for at in range(chosen.shape[1]):
        others = np.flatnonzero(chosen[:, at] < 0.5)
        number = min(max(round(share * (chosen.shape[0] - len(others))), 2), len(others))
        drawn = rng.choice(others, number, replace=False)
        counts.append(outcomes[drawn, at])
        stratum.append(np.full(number, at))
        rest.append(len(others))
        truth += float(outcomes[others, at].sum())
    return explored(np.concatenate(counts), np.concatenate(stratum), np.array(rest)), truth


def widest(
    table: pd.DataFrame,
    column: str,
    words: Mapping[str, str] | None = None,
    large: Sequence[str] | None = None,
) -> str:
    """The groups whose interval leaves 1 out, highest and lowest first, as a sentence's part; or nothing.

    ``words`` for the groups; only those in ``large`` are named, where it is given.
    """
    names = words or {}
    if large is not None:
        table = table[table["group"].isin(large)]
    known = table.dropna(subset=[column, f"{column}_low", f"{column}_high"])
    apart = known[(known[f"{column}_low"] > 1) | (known[f"{column}_high"] < 1)]
    if apart.empty:
        return ""
    rows = [apart.loc[apart[column].idxmax()], apart.loc[apart[column].idxmin()]]
    told = {
        row["group"]: f"{names.get(row['group'], row['group'])}: {row[column]:.2f} "
        f"({row[f'{column}_low']:.2f} to {row[f'{column}_high']:.2f})"
        for row in rows
    }
    return ", ".join(told.values())


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below else float("nan")
