"""What places are called, how large each is, and what a share of them is a share of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places

Array = Any
At = Literal["auto", "centroid", "area"]
OVER_GROUND = (
    "A place is near a feature by the share of its ground (points every 50 m) that is; times as frequent "
    "compares ground that is near with ground that is not, as far as the shares of each whole {one} tell: "
    "where within it the incidents lie is not asked."
)
GROUND = "size"  # the name of an offset that is ground, or length of street
TIMES = 2  # the smallest distance: from places wider than this on, the middle says too little of the ground


@dataclass(frozen=True, eq=False)
class Extent:
    """``one`` and ``many``: what a place is called; ``said`` how many there are, and how wide; ``size`` how
    much of what is shared out each holds, on the places' index (None where all are alike); ``shared`` what
    that is: homes where the risk is per home, else ground, or length of streets."""

    one: str = "cell"
    many: str = "cells"
    said: str = ""
    size: pd.Series | None = None
    shared: str = "ground"

    @classmethod
    def of(cls, places: Places, at_risk: pd.Series | None = None) -> Extent:
        """The extent of these places. ``at_risk``  what the risk is per, by place."""
        number = f"{len(places):,}"
        if places.kind == "cell":
            return cls(said=f"{number} cells of {places.cell or 0:g} m")
        if places.kind == "area" and places.cell:
            return cls("hexagon", "hexagons", f"{number} hexagons {places.cell:g} m across")
        size, shared = sizes(places).rename(GROUND), "ground"
        if at_risk is not None and at_risk.name != GROUND:
            size, shared = at_risk, "homes" if at_risk.name == "households" else "what is at risk"
        if places.kind == "street":
            shared = "street length" if shared == "ground" else shared
            said = f"{number} street segments of {sizes(places).median():,.0f} m (median)"
            return cls("street segment", "street segments", said, size, shared)
        said = f"{number} areas of {sizes(places).median() / 1e4:,.0f} ha (median)"
        return cls("area", "areas", said, size, shared)

    @property
    def unit(self) -> str:
        """Of what the risk is where it is counted by size."""
        return "100 m of street" if self.one == "street segment" else "hectare"

    def top(self, percent: str) -> str:
        """A share of the places in words.

        >>> Extent().top("5 %"), Extent("area", "areas", size=object()).top("5 %")
        ('5 % of cells', 'areas with 5 % of the ground')
        """
        if self.size is None:
            return f"{percent} of {self.many}"
        return f"{self.many} with {self.part(percent)}"

    def highest(self, percent: str) -> str:
        """Those with the highest terrain risk that make up a share, in words.

        >>> Extent("area", "areas", size=object(), shared="homes").highest("5 %")
        'areas of highest terrain risk, with 5 % of the homes,'
        """
        if self.size is None:
            return f"{percent} of {self.many} with the highest terrain risk"
        return f"{self.many} of highest terrain risk, with {self.part(percent)},"

    def part(self, percent: str) -> str:
        """A share of what is shared out, in words.

        >>> Extent().part("5 %")
        '5 % of the ground'
        """
        return f"{percent} of {'' if self.shared.startswith('what') else 'the '}{self.shared}"

    def weights(self, where: Array | None = None) -> Array | None:
        """How large each place is (of some of them), or None where all are alike."""
        if self.size is None:
            return None
        size = self.size.to_numpy(float)
        return size if where is None else size[where]


def sizes(places: Places) -> pd.Series:
    """Square metres of areas, metres of streets."""
    return places.geometry.length if places.kind == "street" else places.areas


def by_ground(places: Places) -> pd.Series:
    """How large each place is as what is at risk: hectares, or hundreds of metres of street."""
    return (sizes(places) / (100.0 if places.kind == "street" else 1e4)).rename(GROUND)


def dense(values: Array, size: Array | None) -> Array:
    """Values by how large each place is: what ranks places for a share of the ground."""
    return values if size is None else values / size


def width(places: Places) -> float:
    """Metres across the middle one of the places: the side of a square as large, the length of a street."""
    import numpy as np

    if places.kind == "street":
        return float(places.geometry.length.median())
    return float(places.cell or np.sqrt(places.areas.median()))


def measured_at(at: At, places: Places, smallest: float) -> tuple[Literal["centroid", "area"], list[str]]:
    """Whether places are measured at their middle or over their ground, and what to say of it.

    ``auto`` takes the ground of areas and streets wider than twice the ``smallest`` distance; of the cells of
    a grid the middle, as the RTMDx Utility does.
    """
    wide = width(places)
    large = wide > TIMES * smallest + 1e-9
    if at == "auto":
        at = "area" if large and places.kind != "cell" else "centroid"
    if not large or at == "area":
        return at, []
    return at, [
        f"The middle one of the places is {wide:,.0f} m wide, more than twice the smallest distance of "
        f"{smallest:g} m, and each is measured at one point: most of its ground may be nearer or farther. "
        'at = "area" takes the share of the ground.'
    ]
