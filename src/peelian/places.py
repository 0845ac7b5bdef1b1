"""Places: the spatial units of everything else (areas, grid cells, streets)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from scipy import sparse
    from shapely.geometry.base import BaseGeometry

BRITISH_NATIONAL_GRID = "EPSG:27700"
MOST_CELLS = 4_000_000  # about 2 GiB as shapes
Kind = Literal["area", "cell", "street"]
STREET_REACH = 50.0  # metres from a street within which a point is its own


@dataclass(frozen=True, eq=False)
class Places:
    """Spatial units on an index of place ids, in a projected CRS in metres.

    ``frame``  GeoDataFrame; index = unique place ids (text), named ``place``; column ``geometry``;
               optional ``households`` (a count, the denominator of rates and of kits) and any other
               columns the file came with. Rows are kept in order of id, so that nothing depends on the
               order of a file.
    ``kind``   ``area``, ``cell`` or ``street``.
    ``cell``   side of a grid cell in metres, or metres across a hexagon; ``origin`` the lower-left corner of
               a grid.

    Raises ``DataError`` for a CRS in degrees or feet or none, ids that repeat or are missing, empty or
    invalid geometry, and households that are negative or not numbers.

    >>> import geopandas as gpd
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame({"households": [100, 80]}, index=["a", "b"],
    ...     geometry=[box(0, 0, 500, 500), box(500, 0, 1000, 500)], crs="EPSG:27700")
    >>> places = Places.of(areas)
    >>> len(places), float(places.areas["a"])
    (2, 250000.0)
    """

    frame: gpd.GeoDataFrame
    kind: Kind = "area"
    cell: float | None = None
    origin: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        _check(self.frame)

    # ---------------------------------------------------------------- makers
    @classmethod
    def of(cls, frame: gpd.GeoDataFrame, *, kind: Kind = "area", name: str = "places") -> Places:
        """Places from a GeoDataFrame whose index holds the ids; geometry is repaired where it can be.

        ``name`` is used in error messages. The frame that was given is left as it was.
        """
        frame = frame.copy()
        _check_ids(frame.index, name)
        frame.index = frame.index.astype(str)
        frame.index.name = "place"
        frame = frame.sort_index()
        invalid = ~frame.geometry.is_valid
        if invalid.any():
            mended = frame.geometry[invalid].make_valid(method="structure", keep_collapsed=False)
            frame.loc[invalid, frame.geometry.name] = mended  # of polygons, whatever lines they touched in
        if frame.geometry.name != "geometry":
            frame = frame.rename_geometry("geometry")
        _check(frame, name)
        return cls(frame, kind)

    @classmethod
    def grid(
        cls,
        boundary: gpd.GeoSeries | gpd.GeoDataFrame,
        cell: float = 100,
        *,
        origin: Literal["bounds", "multiples"] = "bounds",
        keep: Literal["centre", "touch"] = "centre",
    ) -> Places:
        """Square cells over a boundary, as places named ``x<column>y<row>`` from the lower-left corner.

        ``boundary``  polygons in a projected CRS in metres; their union is the study area.
        ``cell``      side in metres.
        ``origin``    ``bounds``: the lower-left corner of the boundary; ``multiples``: a multiple of the
                      cell, so that grids of one cell size nest wherever they start.
        ``keep``      ``centre``: cells whose centre lies inside the boundary; ``touch``: any that touch.

        Raises ``DesignError`` when no cell is left or there are too many, and ``DataError`` for a CRS not in
        metres.
        """
        import geopandas as gpd
        import numpy as np
        import shapely

        study = _study(boundary, cell, "cells", cell**2)
        west, south, east, north = study.bounds
        if origin == "multiples":
            west, south = np.floor(west / cell) * cell, np.floor(south / cell) * cell
        columns = int(np.ceil((east - west) / cell)) or 1
        rows = int(np.ceil((north - south) / cell)) or 1
        column, row = (a.ravel() for a in np.meshgrid(np.arange(columns), np.arange(rows)))
        x, y = west + column * cell, south + row * cell
        shapely.prepare(study)
        if keep == "centre":
            inside = shapely.contains_xy(study, x + cell / 2, y + cell / 2)
            boxes = shapely.box(x[inside], y[inside], x[inside] + cell, y[inside] + cell)
        else:
            boxes = shapely.box(x, y, x + cell, y + cell)
            inside = shapely.intersects(study, boxes)
            boxes = boxes[inside]
        if not inside.any():
            raise DesignError(
                f"No cell of {cell:g} m has its centre in the study area "
                f"({study.area / 1e6:.3f} km²). Use smaller cells."
            )
        width = len(str(max(columns, rows)))
        ids = [f"x{c:0{width}d}y{r:0{width}d}" for c, r in zip(column[inside], row[inside], strict=True)]
        frame = gpd.GeoDataFrame(
            {"column": column[inside], "row": row[inside]}, index=ids, geometry=boxes, crs=boundary.crs
        )
        frame.index.name = "place"
        return cls(frame.sort_index(), "cell", float(cell), (float(west), float(south)))

    @classmethod
    def hexagons(cls, boundary: gpd.GeoSeries | gpd.GeoDataFrame, across: float = 200) -> Places:
        """Regular hexagons over a boundary, as places named ``h<column>r<row>``: six neighbours each.

        ``boundary``  polygons in a projected CRS in metres; those whose centre lies inside it are kept.
        ``across``    metres between opposite sides, which is also how far apart centres lie.

        Raises ``DesignError`` when no hexagon is left or there are too many, and ``DataError`` for a CRS not
        in metres.
        """
        import geopandas as gpd
        import numpy as np
        import shapely

        study = _study(boundary, across, "hexagons", across**2 * 3**0.5 / 2)
        west, south, east, north = study.bounds
        radius = across / np.sqrt(3)
        columns, rows = int((east - west) / across) + 2, int((north - south) / (1.5 * radius)) + 2
        column, row = (a.ravel() for a in np.meshgrid(np.arange(columns), np.arange(rows)))
        x, y = west + across * (column + row % 2 / 2), south + 1.5 * radius * row
        shapely.prepare(study)
        inside = shapely.contains_xy(study, x, y)
        if not inside.any():
            raise DesignError(
                f"No hexagon of {across:g} m has its centre in the study area. Use smaller ones."
            )
        column, row, x, y = (a[inside] for a in (column, row, x, y))
        # corners shared by neighbours are rounded to the same number, so that they touch
        turn = np.pi / 6 + np.arange(6) * np.pi / 3
        corners = np.stack([x[:, None] + radius * np.cos(turn), y[:, None] + radius * np.sin(turn)], axis=2)
        width = len(str(max(columns, rows)))
        ids = [f"h{c:0{width}d}r{r:0{width}d}" for c, r in zip(column, row, strict=True)]
        frame = gpd.GeoDataFrame(index=ids, geometry=shapely.polygons(corners.round(6)), crs=boundary.crs)
        frame.index.name = "place"
        return cls(frame.sort_index(), "area", float(across))

    # ---------------------------------------------------------------- what they hold
    def __len__(self) -> int:
        return len(self.frame)

    @property
    def index(self) -> pd.Index:
        """The place ids, in order."""
        return self.frame.index

    @property
    def geometry(self) -> gpd.GeoSeries:
        """The shapes, on the index of ids."""
        return self.frame.geometry

    @property
    def crs(self) -> object:
        """The projected coordinate reference system, in metres."""
        return self.frame.crs

    @property
    def areas(self) -> pd.Series:
        """Square metres by place."""
        return self.frame.geometry.area.rename("area")

    @property
    def households(self) -> pd.Series | None:
        """Households by place, or None where the file holds none."""
        return self.frame.get("households")

    @property
    def points(self) -> gpd.GeoSeries:
        """A point inside each place: the centre of a cell, the representative point of an area, the middle of
        a street."""
        if self.kind == "cell":
            return self.frame.geometry.centroid
        if self.kind == "street":
            return self.frame.geometry.interpolate(0.5, normalized=True)
        return self.frame.geometry.representative_point()

    def select(self, ids: Iterable[str]) -> Places:
        """The places with these ids, in order of id. ``DataError`` names those that are not here."""
        wanted = list(dict.fromkeys(str(place) for place in ids))
        missing = [place for place in wanted if place not in self.frame.index]
        if missing:
            raise DataError(f"{len(missing)} places are not in the file: {some(missing)}.")
        return Places(self.frame.loc[sorted(wanted)], self.kind, self.cell, self.origin)

    # ---------------------------------------------------------------- storing
    def write(self, path: Path) -> None:
        """Store as GeoParquet."""
        _stored(self).to_parquet(path, compression="zstd")

    @classmethod
    def load(cls, path: Path) -> Places:
        """What ``write`` stored."""
        import geopandas as gpd

        frame = gpd.read_parquet(path)
        kind, cell, x, y = (frame.pop(name).iloc[0] for name in ("_kind", "_cell", "_x", "_y"))
        frame.index = frame.index.astype(str)
        frame.index.name = "place"
        return cls(
            frame, kind, float(cell) if cell == cell else None, (float(x), float(y)) if x == x else None
        )

    # ---------------------------------------------------------------- relations
    def neighbours(self, order: int = 1, *, touching: Literal["any", "edge"] = "any") -> sparse.csr_array:
        """Who lies next to whom, as a symmetric 0/1 matrix on the order of the index.

        ``order=2`` means within two steps (the place itself excluded). ``touching="edge"`` asks for a
        shared border longer than nothing; ``"any"`` takes a shared corner too.
        """
        import numpy as np
        from scipy import sparse

        n = len(self)
        left, right = self.frame.sindex.query(self.frame.geometry, predicate="intersects")
        off = left != right
        left, right = left[off], right[off]
        if touching == "edge":
            shapes = self.frame.geometry.values
            shared = shapes[left].intersection(shapes[right]).length > 0
            left, right = left[shared], right[shared]
        first = sparse.csr_array((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
        if order == 1:
            return first
        reach = first.astype(np.int64)
        step = reach
        for _ in range(order - 1):
            step = step @ first
            reach = reach + step
        reach = reach.tolil()
        reach.setdiag(0)
        reach = reach.tocsr()
        reach.eliminate_zeros()
        reach.data[:] = 1
        return sparse.csr_array(reach.astype(np.int8))

    def rings(self, distances: Sequence[float] = (250, 500, 750), *, around: Iterable[str]) -> pd.Series:
        """Which ring round the given places each place lies in.

        ``distances``  outer limits in metres, rising.
        ``around``     ids of the places in the middle (the treated ones).

        Returns an ordered categorical Series on the index: ``inside``, ``0-250 m``, ``250-500 m``,
        ``500-750 m``, ``beyond``. Distance is from a place's representative point to the nearest shape
        in the middle; a place that touches one is in the first ring whatever its point says.
        """
        import numpy as np
        import pandas as pd

        limits = [float(d) for d in distances]
        if not limits or any(b <= a for a, b in pairwise([0.0, *limits])):
            raise DesignError(f"Ring distances must rise from above 0; got {list(distances)}.")
        middle = self.select(around)
        labels = ["inside", *ring_labels(limits), "beyond"]
        if not len(middle):
            return pd.Series(
                pd.Categorical(["beyond"] * len(self), labels, ordered=True), self.index, name="ring"
            )
        core = middle.geometry.union_all()
        away = self.points.distance(core).to_numpy()
        code = 1 + np.searchsorted(np.asarray(limits), away, side="left")
        touches = self.geometry.intersects(core).to_numpy()
        code[touches] = 1
        code[self.index.isin(middle.index)] = 0
        return pd.Series(pd.Categorical.from_codes(code, labels, ordered=True), self.index, name="ring")

    def locate(self, points: gpd.GeoSeries) -> pd.Series:
        """The id of the place that holds each point; missing where none does.

        ``points``  in any CRS (they are moved to the places' own); missing points are allowed.

        A cell is half open: its lower and left edges belong to it. Where areas overlap, the first id
        wins. A street holds the points nearer to it than to any other, up to 50 m away. Returns a Series
        of text on the index of ``points``.
        """
        import numpy as np
        import pandas as pd

        if points.crs is None:
            raise DataError(
                f"The points have no CRS, so they cannot be placed in {self.crs}. "
                "Say which it is, for instance crs = 4326 for longitude and latitude."
            )
        if points.crs != self.crs:
            points = points.to_crs(self.crs)
        known = ~(points.isna() | points.is_empty).to_numpy()
        at = np.full(len(points), -1, np.int64)
        if known.any():
            x, y = np.asarray(points[known].x), np.asarray(points[known].y)
            regular = self.kind == "cell" and self.cell and self.origin
            find = self._street_of if self.kind == "street" else self._area_of
            at[known] = self._cell_of(x, y) if regular else find(x, y)
        ids = self.index.astype("str").array.take(at, allow_fill=True)
        return pd.Series(ids, index=points.index, name="place")

    def _cell_of(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        import numpy as np

        assert self.origin and self.cell
        column = np.floor((x - self.origin[0]) / self.cell).astype(np.int64)
        row = np.floor((y - self.origin[1]) / self.cell).astype(np.int64)
        held_column, held_row = self.frame["column"].to_numpy(), self.frame["row"].to_numpy()
        table = np.full((held_column.max() + 1, held_row.max() + 1), -1, np.int64)
        table[held_column, held_row] = np.arange(len(self))
        inside = (column >= 0) & (row >= 0) & (column < table.shape[0]) & (row < table.shape[1])
        at = np.full(len(column), -1, np.int64)
        at[inside] = table[column[inside], row[inside]]
        return at

    def _street_of(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The nearest street to each point, the first of several; -1 where none is within reach."""
        import numpy as np
        import shapely

        tree = shapely.STRtree(np.asarray(self.frame.geometry.array))
        point, street = tree.query_nearest(shapely.points(x, y), max_distance=STREET_REACH)
        at = np.full(len(x), len(self), np.int64)
        np.minimum.at(at, point, street)
        return np.where(at == len(self), -1, at)

    def _area_of(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The first area that holds each point, edges included; -1 where none does. Exact.

        Points are sorted by strip and x, so that those in the box of an area are a few slices; each
        distinct point is tested once, because police.uk snaps thousands of crimes to one.
        """
        import numpy as np
        import shapely

        shapes = np.asarray(self.frame.geometry.array)
        shapely.prepare(shapes)
        west, south, east, north = shapely.bounds(shapes).T
        left, low = west.min(), south.min()
        tall = max((north - south).mean(), (north.max() - low) / 4096, 1e-9)
        wide = east.max() - left + 2
        inside = (x >= left) & (x <= east.max()) & (y >= low) & (y <= north.max())
        order = np.flatnonzero(inside)
        key = (y[order] - low) // tall * wide + (x[order] - left)
        sorting = np.argsort(key)
        order, key = order[sorting], key[sorting]
        new = np.r_[True, (np.diff(x[order]) != 0) | (np.diff(y[order]) != 0)][: len(order)]
        key, px, py = key[new], x[order][new], y[order][new]
        first, last = (south - low) // tall, (north - low) // tall
        area = np.repeat(np.arange(len(shapes)), (last - first + 1).astype(np.int64))
        strip = first[area] + np.arange(len(area)) - np.searchsorted(area, area)
        begin = np.searchsorted(key, strip * wide + (west[area] - left) - 1e-3)
        end = np.searchsorted(key, strip * wide + (east[area] - left) + 1e-3)
        held = np.full(len(px), -1, np.int64)
        for k in np.flatnonzero(begin < end)[::-1]:  # backwards, so that the first id has the last word
            part = slice(begin[k], end[k])
            held[part][shapely.intersects_xy(shapes[area[k]], px[part], py[part])] = area[k]
        at = np.full(len(x), -1, np.int64)
        at[order] = held[np.cumsum(new) - 1]
        return at


def _stored(places: Places) -> gpd.GeoDataFrame:
    x, y = places.origin or (float("nan"), float("nan"))
    about = {"_kind": places.kind, "_cell": places.cell or float("nan"), "_x": x, "_y": y}
    return places.frame.assign(**about)


def _study(boundary: gpd.GeoSeries | gpd.GeoDataFrame, side: float, what: str, ground: float) -> BaseGeometry:
    """The study area over which places of one size are laid, or why they cannot be.

    ``what``  they are called; ``ground``  square metres of one.
    """
    _check_crs(boundary.geometry.crs, "the boundary")
    if not side > 0:
        raise DesignError(f"The {what} must be above 0 metres wide; got {side}.")
    study = boundary.geometry.union_all()
    if study.is_empty:
        raise DesignError(f"The study area is empty: no polygon is left to lay {what} over.")
    if study.area / ground > MOST_CELLS:
        raise DesignError(
            f"{study.area / 1e6:,.0f} km² in {what} of {side:g} m are {study.area / ground:,.0f}, "
            f"more than {MOST_CELLS:,}. Take larger ones (cell under [places]), or a smaller study area "
            "(where)."
        )
    return study


def ring_labels(distances: Sequence[float]) -> list[str]:
    """Names of the rings between these distances.

    >>> ring_labels([250, 500])
    ['0-250 m', '250-500 m']
    """
    inner = [0.0, *map(float, distances)]
    return [f"{a:g}-{b:g} m" for a, b in pairwise(inner)]


def _check(frame: gpd.GeoDataFrame, name: str = "places") -> None:
    _check_ids(frame.index, name)
    _check_crs(frame.crs, name)
    empty = frame.geometry.isna() | frame.geometry.is_empty
    if empty.any():
        raise DataError(f"{name}: no shape for {some(frame.index[empty])}. Each place needs one.")
    invalid = ~frame.geometry.is_valid
    if invalid.any():
        raise DataError(f"{name}: broken shapes for {some(frame.index[invalid])}.")
    if "households" in frame:
        _check_households(frame, name)


def _check_ids(index: pd.Index, name: str) -> None:
    if len(index) == 0:
        raise DataError(f"{name}: holds no place at all.")
    if index.hasnans:
        raise DataError(f"{name}: {int(index.isna().sum())} places have no id.")
    if not index.is_unique:
        repeated = index[index.duplicated()].unique()
        raise DataError(
            f"{name}: {len(repeated)} ids stand more than once: {some(repeated)}. "
            "Each place needs its own id: dissolve the parts, or choose another id column."
        )


def _check_households(frame: gpd.GeoDataFrame, name: str) -> None:
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(frame["households"], errors="coerce")
    wrong = numbers.isna() | (numbers < 0) | ~np.isfinite(numbers)
    if wrong.any():
        raise DataError(
            f"{name}: households is missing, negative or no number for {some(frame.index[wrong])}."
        )


def _check_crs(crs: object, name: str) -> None:
    """A projected CRS in metres, or a DataError that says what to write."""
    if crs is None:
        raise DataError(
            f"{name}: no CRS is stated. If the coordinates are British National Grid, set crs = 27700."
        )
    if crs.is_geographic:  # type: ignore[attr-defined]
        raise DataError(
            f"{name}: the CRS is {crs.name} ({crs.to_string()}), in degrees; "  # type: ignore[attr-defined]
            "distances need metres. In Great Britain write frame.to_crs(27700), or set crs = 27700."
        )
    unit = crs.axis_info[0].unit_name  # type: ignore[attr-defined]
    if unit not in ("metre", "meter"):
        raise DataError(
            f"{name}: the CRS {crs.name} counts in {unit}; distances need metres. "  # type: ignore[attr-defined]
            "Write frame.to_crs(27700) in Great Britain, or the local projection in metres elsewhere."
        )


def require_metres(crs: object, name: str) -> None:
    """Raise ``DataError`` unless the CRS is projected and counts in metres."""
    _check_crs(crs, name)
