"""Ground: the areas of a project as [places] asks for them, and its incidents on their own codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.read.areas import AreaReading, reading

if TYPE_CHECKING:
    from peelian.read.lookups import Crosswalk
    from peelian.read.profiles_area import Profile
    from peelian.read.sources import PlacesSource

SHAPES = (".gpkg", ".shp", ".geojson", ".fgb")


@dataclass(frozen=True, eq=False)
class Ground:
    """The areas, with what was wrong with their shapes, and the lookup to another edition of them, if any.

    ``common``  whether the areas are those that both editions can be put together from.
    """

    areas: AreaReading
    walk: Crosswalk | None = None
    common: bool = False

    @property
    def places(self) -> Places:
        """The areas themselves."""
        return self.areas.places

    @property
    def codes(self) -> set[str]:
        """The codes that an extract may use for them, of either edition."""
        both = (self.walk.old | self.walk.new) if self.walk else set()
        return set(self.places.index) | both

    def carried(self, incidents: Incidents) -> tuple[Incidents, str]:
        """The incidents on the areas' own codes, and what was carried over in words."""
        if self.walk is None:
            return incidents, ""
        from peelian.read.apportion import common_incidents, recoded_incidents

        if self.common:
            return common_incidents(incidents, self.walk)
        return recoded_incidents(incidents, self.places, self.walk)


def ground(asked: PlacesSource, folder: Path) -> Ground:
    """The areas of ``[places]``; file names start from ``folder``.

    Columns of rasters and of a profile are laid beside the areas' own; a profile of the other edition of a
    lookup is carried over. With ``edition = "common"`` the areas of both editions are put together last.
    """
    own = asked.households if asked.profile is None and not asked.rasters else None
    found = reading(
        folder / asked.file,
        id=asked.id,
        households=own,
        name=asked.name,
        layer=asked.layer,
        crs=asked.crs,
        where=asked.where,
    )
    walk = _crosswalk(asked, folder, found.places)
    found = _with_rasters(found, asked, folder)
    if asked.profile is not None:
        found = _with_profile(found, asked, folder, walk)
    if asked.edition != "common" or walk is None:
        return Ground(found, walk)
    from peelian.read.apportion import common_places

    return Ground(replace(found, places=common_places(found.places, walk)), walk, common=True)


def _crosswalk(asked: PlacesSource, folder: Path, places: Places) -> Crosswalk | None:
    """The lookup between two editions: a table of codes, or the shapes of the other laid over these."""
    if asked.lookup is None:
        return None
    from peelian.read.areas import areas
    from peelian.read.lookups import lookup, overlay

    path = folder / asked.lookup
    old, new = asked.lookup_codes or (None, None)
    if path.suffix.lower() in SHAPES:
        return overlay(areas(path, id=old or asked.id, crs=asked.crs), places)
    return lookup(path, old=old, new=new, size=asked.lookup_size)


def _with_rasters(found: AreaReading, asked: PlacesSource, folder: Path) -> AreaReading:
    """The areas with a column for each raster: the sum or mean of its cells in each of them."""
    if not asked.rasters:
        return found
    from peelian.read.rasters import raster_by_place

    frame = found.places.frame
    for name, file in asked.rasters.items():
        values = raster_by_place(folder / file, found.places, statistic=asked.raster_statistic)
        frame = frame.assign(**{name: values})
    if asked.households is not None and asked.profile is None:
        frame = frame.assign(households=frame[asked.households].fillna(0))
    return replace(found, places=replace(found.places, frame=frame))


def _with_profile(
    found: AreaReading, asked: PlacesSource, folder: Path, walk: Crosswalk | None
) -> AreaReading:
    from peelian.read.profiles_area import joined, profile

    held = profile(folder / str(asked.profile), id=asked.profile_id)
    if walk is not None:
        held = _of_edition(held, found.places, walk)
    for theme in asked.profile_shares:
        shares = held.shares(theme)
        held = replace(held, frame=held.frame.join(shares.add_suffix("_share")))
    beside = joined(found.places, held, households=asked.households)
    return replace(found, places=beside.places, profile=beside.sentence)


def _of_edition(held: Profile, places: Places, walk: Crosswalk) -> Profile:
    """The profile on the places' edition: as it is where it knows as many of them as of the other's codes."""
    from peelian.read.profiles_area import carried

    knows = int(places.index.isin(held.frame.index).sum())
    if knows == len(places) or not set(places.index) <= walk.new:
        return held
    return carried(held, walk)
