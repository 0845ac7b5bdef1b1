"""Layers: named features of the environment, for explaining where crime concentrates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, some
from peelian.places import require_metres

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

Kind = Literal["environment", "population", "reported-problem", "police-activity"]
Sign = Literal["aggravating", "protective", "either"]
Operations = Literal["proximity", "density", "both"]


@dataclass(frozen=True, eq=False)
class Layer:
    """The features of one kind: points, lines or areas in metres, with what is known of them.

    ``features``    GeoDataFrame in a projected CRS in metres; optional columns ``weight`` (units, seats,
                    dwellings; 1 without), ``open_from`` and ``open_to`` (months).
    ``kind``        ``environment``; ``population``; ``reported-problem`` (reports follow who complains);
                    ``police-activity`` (stops and arrests follow police, not risk).
    ``sign``        which way the factor is expected to work; ``operations`` how it may be measured.
    ``source``, ``date``, ``licence``   printed wherever the layer shows.
    """

    name: str
    features: gpd.GeoDataFrame
    kind: Kind = "environment"
    sign: Sign = "aggravating"
    operations: Operations = "both"
    source: str = ""
    date: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        require_metres(self.features.crs, f"layer {self.name}")
        if self.features.geometry.isna().any():
            raise DataError(
                f"layer {self.name}: {int(self.features.geometry.isna().sum())} features lack a shape."
            )

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True, eq=False)
class Layers(Mapping[str, Layer]):
    """Layers by name, in order of name. Behaves as a read-only dictionary.

    >>> Layers.of([]).names
    []
    """

    held: dict[str, Layer] = field(default_factory=dict)

    @classmethod
    def of(cls, layers: list[Layer]) -> Layers:
        """Layers from a list; ``DataError`` where two have one name."""
        names = [layer.name for layer in layers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(f"Two layers are called {some(twice)}. Give each its own name.")
        return cls({layer.name: layer for layer in sorted(layers, key=lambda layer: layer.name)})

    def __getitem__(self, name: str) -> Layer:
        if name not in self.held:
            raise DataError(f"There is no layer {name!r}; there are {some(self.held) or 'none'}.")
        return self.held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    @property
    def names(self) -> list[str]:
        """The names, in order."""
        return list(self.held)

    def clip(self, boundary: BaseGeometry, distance: float) -> Layers:
        """Only the features within ``distance`` metres of the boundary's area."""
        window = boundary.buffer(distance)
        return Layers(
            {
                name: replace(
                    layer,
                    features=layer.features.iloc[
                        sorted(layer.features.sindex.query(window, predicate="intersects"))
                    ],
                )
                for name, layer in self.held.items()
            }
        )

    def write(self, folder: Path) -> None:
        """Store as ``layers.parquet`` in a folder: one row a feature."""
        import geopandas as gpd
        import pandas as pd

        parts = []
        for layer in self.held.values():
            kept = [c for c in ("weight", "open_from", "open_to") if c in layer.features]
            part = gpd.GeoDataFrame(layer.features[kept].copy(), geometry=layer.features.geometry.array)
            for key in ("name", "kind", "sign", "operations", "source", "date", "licence"):
                part.insert(0, f"layer_{key}", getattr(layer, key))
            parts.append(part)
        if not parts:
            gpd.GeoDataFrame({"layer_name": []}, geometry=[], crs="EPSG:27700").to_parquet(
                folder / "layers.parquet"
            )
            return
        gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=parts[0].crs).to_parquet(
            folder / "layers.parquet", index=False, compression="zstd"
        )

    @classmethod
    def load(cls, folder: Path) -> Layers:
        """What ``write`` stored."""
        import geopandas as gpd

        frame = gpd.read_parquet(folder / "layers.parquet")
        keys = ("name", "kind", "sign", "operations", "source", "date", "licence")
        layers = []
        for _, part in frame.groupby("layer_name", sort=True):
            about = {key: str(part[f"layer_{key}"].iloc[0]) for key in keys}
            features = part.drop(columns=[f"layer_{key}" for key in keys]).reset_index(drop=True)
            layers.append(Layer(features=features, **about))  # type: ignore[arg-type]
        return cls.of(layers)
