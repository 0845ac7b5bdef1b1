"""Pages: a layer that comes a few thousand features at a time, as one GeoJSON file."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from peelian.errors import DataError
from peelian.read.download.fetch import Limits, Receipt, fetch, hashed, receipt, unchanged, write_receipt

ALL = {"where": "1=1"}


def pages(
    address: str,
    path: Path,
    *,
    size: int,
    again: bool,
    limits: Limits,
    about: dict[str, str],
    wait: Callable[[float], None] = time.sleep,
) -> Receipt:
    """Every feature of an ArcGIS layer, in degrees, counted against what the layer says it has.

    ``address``  of the layer's query; ``size`` features a page. Pages that have come are kept until the last
                 one has, so that a run that was cut goes on from there.

    Raises ``DataError`` as ``fetch`` does, and where the features are not as many as the layer says.
    """
    held = receipt(path)
    if held is not None and not again and held.address == address and unchanged(path, held):
        return replace(held, cached=True)
    folder = path.with_name(path.name + ".pages")
    if again:
        shutil.rmtree(folder, ignore_errors=True)

    def part(name: str, kind: str, query: dict[str, Any]) -> Any:
        file = folder / name
        fetch(f"{address}?{urlencode(ALL | query)}", file, check=kind, limits=limits, wait=wait)
        return json.loads(file.read_text(encoding="utf-8"))

    count = part("count.json", "json", {"returnCountOnly": "true", "f": "json"}).get("count")
    if not isinstance(count, int):
        raise DataError(
            f"{address}: does not say how many features it has. Is it a layer that can be queried?"
        )
    features: list[Any] = []
    while len(features) < count:
        query = {"outFields": "*", "outSR": 4326, "f": "geojson"}
        window = {"resultOffset": len(features), "resultRecordCount": size}
        came = part(f"{len(features):07d}.geojson", "geojson", query | window)["features"]
        features += came
        if not came:
            break
    if len(features) != count:
        shutil.rmtree(folder)
        raise DataError(
            f"{address}: says it has {count:,} features, and {len(features):,} came. It changed on the "
            "way, or does not give pages. Nothing was kept; run it again."
        )
    aside = path.with_name(path.name + ".part")
    aside.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    when = datetime.now(UTC).isoformat(timespec="seconds")
    done = Receipt(path.name, address, aside.stat().st_size, hashed(aside, "sha256"), when, "", about)
    os.replace(aside, path)
    write_receipt(path.with_name(path.name + ".receipt.json"), asdict(done))
    shutil.rmtree(folder)
    return done
