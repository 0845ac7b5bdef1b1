"""What a choice of areas must keep besides its limit of kits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.places import Places
    from peelian.plan.constrained import Rows, Shape
    from peelian.plan.untreated import Controls


@dataclass(frozen=True, eq=False)
class Capacity:
    """A team can bring out only so many kits.

    ``team``  by place: who would deliver there; places of no team cannot be chosen.
    ``kits``  by team, or one number for every team.

    7,333 a year is five officers' work by the arithmetic of decision PCD 536 (440,000 kits, five years, 60).
    """

    team: pd.Series
    kits: Mapping[str, int] | int


@dataclass(frozen=True)
class Budget:
    """Another limit beside that of kits: so much a kit and so much an area (signs, visits, post).

    ``most``  of ``unit`` (pounds, officer minutes) in all.
    """

    most: float
    a_kit: float
    an_area: float = 0.0
    unit: str = "pounds"


@dataclass(frozen=True, eq=False)
class Floor:
    """A group of places gets at least, or at most, so many kits.

    ``group``  by place: its borough, its third of deprivation. ``least``, ``most`` kits by group.
    """

    group: pd.Series
    least: Mapping[str, float] | None = None
    most: Mapping[str, float] | None = None

    @classmethod
    def by_households(cls, group: pd.Series, households: pd.Series, *, kits: float, norm: float) -> Floor:
        """Each group at least ``norm`` times its share of households, of so many kits, rounded down.

        >>> import pandas as pd
        >>> homes = pd.Series({"a": 300, "b": 100})
        >>> Floor.by_households(pd.Series({"a": "x", "b": "y"}), homes, kits=200, norm=0.5).least
        {'x': 75, 'y': 25}
        """
        share = households.groupby(group.reindex(households.index)).sum() / households.sum()
        return cls(group, {str(name): math.floor(norm * kits * part) for name, part in share.items()})


@dataclass(frozen=True)
class Compact:
    """Chosen areas lie together.

    ``rule``       ``neighbour``: each has a chosen neighbour; ``clusters``: each connected group has at least
                   ``min_areas``; ``boundary``: ``penalty`` incidents a year are taken off for each pair of
                   neighbours of which one is chosen and one is not.
    ``metres``     areas no further apart than this are neighbours (a road may lie between).
    """

    rule: Literal["neighbour", "clusters", "boundary"] = "neighbour"
    penalty: float = 0.0
    min_areas: int = 2
    metres: float = 10.0

    def __post_init__(self) -> None:
        if self.rule == "boundary" and not self.penalty > 0:
            raise DesignError("A boundary rule needs a penalty above 0: incidents a year for a cut border.")
        if self.min_areas < 2:
            raise DesignError(f"Groups of at least {self.min_areas} are no rule; min_areas starts at 2.")


@dataclass(frozen=True)
class Buffer:
    """Enough areas stay untreated, and far enough away, to compare with.

    ``metres``      from a chosen area, within which an area is no control.
    ``most_share``  of the region's expected incidents that may be treated at once.
    ``least``       controls of like risk that must remain; also as many as are chosen.
    """

    metres: float = 500.0
    most_share: float = 0.4
    least: int = 10


Constraint = Budget | Capacity | Floor | Compact | Buffer


def rows_of(constraint: Constraint, places: Places, risk: pd.Series, need: pd.Series) -> Rows | None:
    """A constraint as rows over the areas; None for one of shape alone."""
    import numpy as np
    from scipy import sparse

    from peelian.plan.constrained import Rows

    if isinstance(constraint, Capacity):
        team = _on(constraint.team, places)
        kits = constraint.kits
        caps = dict.fromkeys(sorted(set(team.dropna())), kits) if isinstance(kits, int) else dict(kits)
        return _grouped(team, need, {}, {str(name): float(cap) for name, cap in caps.items()}, "team ")
    if isinstance(constraint, Budget):
        spent = constraint.a_kit * need.to_numpy(float) + constraint.an_area
        most = np.array([float(constraint.most)])
        name = f"the budget of {constraint.most:,.0f} {constraint.unit}"
        return Rows(sparse.csr_array(spent[None]), np.array([-np.inf]), most, (name,), constraint.unit)
    if isinstance(constraint, Floor):
        group = _on(constraint.group, places)
        return _grouped(group, need, dict(constraint.least or {}), dict(constraint.most or {}))
    if isinstance(constraint, Buffer):
        values = risk.to_numpy(float)
        most = np.array([constraint.most_share * values.sum()])
        name = f"{100 * constraint.most_share:g} % of the region's expected incidents"
        return Rows(sparse.csr_array(values[None]), np.array([-np.inf]), most, (name,), "incidents a year")
    return None


def shape_of(constraints: Sequence[Constraint], places: Places) -> Shape | None:
    """How the chosen areas must lie, where a constraint says so."""
    from peelian.plan.constrained import Shape

    found = [item for item in constraints if isinstance(item, Compact)]
    if not found:
        return None
    if len({item.metres for item in found}) > 1:
        raise DesignError("Two rules of compactness count different areas as neighbours; give one metres.")
    left, right = neighbour_pairs(places, found[0].metres)
    least = max((2 if item.rule == "neighbour" else item.min_areas) if item.rule != "boundary" else 1
                for item in found)  # fmt: skip
    return Shape(left, right, sum(item.penalty for item in found if item.rule == "boundary"), least)


def closed(constraints: Sequence[Constraint], places: Places) -> NDArray[np.bool_]:
    """Areas that cannot be chosen, because no team of a ``Capacity`` serves them."""
    import numpy as np

    shut = np.zeros(len(places), bool)
    for item in constraints:
        if isinstance(item, Capacity):
            shut |= _on(item.team, places).isna().to_numpy()
    return shut


def neighbour_pairs(places: Places, metres: float = 10.0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of every two areas that are no further apart than this, the earlier first."""
    left, right = places.frame.sindex.query(places.frame.geometry, predicate="dwithin", distance=metres)
    first = left < right
    return left[first], right[first]


def controls_of(
    constraints: Sequence[Constraint], places: Places, risk: pd.Series, need: pd.Series
) -> Controls | None:
    """The areas that must stay untreated, where a ``Buffer`` asks for them."""
    found = [item for item in constraints if isinstance(item, Buffer)]
    if not found:
        return None
    return _controls(places, risk, need, max(x.least for x in found), max(x.metres for x in found))


def _controls(places: Places, risk: pd.Series, need: pd.Series, least: int, metres: float) -> Controls:
    from peelian.plan.untreated import Controls

    area, near = places.frame.sindex.query(places.frame.geometry, predicate="dwithin", distance=metres)
    eligible = (need > 0).to_numpy()
    return Controls(area, near, risk.to_numpy(float), eligible, least, metres)


def comparators(frame: pd.DataFrame, places: Places, metres: float = 500.0) -> pd.Index:
    """Untreated areas to compare with: further than this from any chosen one, with homes and of like risk.

    ``frame`` of a ``Plan``. Like risk: from half of the lowest of the chosen to twice the highest.
    """
    held = _controls(places, frame["risk"], frame["need"], 0, metres)
    return frame.index[held.held((frame["arm"] == "treated").to_numpy())]


def _on(values: pd.Series, places: Places) -> pd.Series:
    table = values.copy()
    table.index = table.index.astype(str)
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()].unique()
        raise DataError(f"A place stands in two groups of a constraint: {some(twice)}.")
    return table.reindex(places.index).astype("str")


def _grouped(
    group: pd.Series, need: pd.Series, least: Mapping[str, float], most: Mapping[str, float], what: str = ""
) -> Rows:
    import numpy as np
    from scipy import sparse

    from peelian.plan.constrained import Rows

    names = sorted({*least, *most})
    strange = [name for name in names if not (group == name).any()]
    if strange:
        known = some(sorted(set(group.dropna())))
        raise DesignError(f"A constraint names {what}{some(strange)}; the places have {known}.")
    wrong = [name for name in names if least.get(name, 0.0) > most.get(name, np.inf)]
    if wrong:
        raise DesignError(f"The floor of {some(wrong)} lies above its own cap.")
    matrix = np.array([np.where(group == name, need, 0.0) for name in names]).reshape(len(names), len(need))
    return Rows(
        sparse.csr_array(matrix), np.array([float(least.get(name, -np.inf)) for name in names]),
        np.array([float(most.get(name, np.inf)) for name in names]),
        tuple(what + name for name in names),
    )  # fmt: skip
