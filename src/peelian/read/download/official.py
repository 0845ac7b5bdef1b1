"""Official: one item of an official source, by name and values: its address, its files, its licence."""

from __future__ import annotations

import difflib
import json
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from peelian.errors import Error
from peelian.read.download.fetch import Limits, Receipt, fetch
from peelian.read.download.pages import pages


@cache
def sources(path: Path | None = None) -> dict[str, Any]:
    """The official sources as ``sources.toml`` holds them."""
    path = path or Path(__file__).with_name("sources.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def items(source: str | None = None) -> list[dict[str, str]]:
    """What can be downloaded: source, item, the values it needs, what it is, its licence."""
    held = {name: table for name, table in sources().items() if isinstance(table, dict)}
    if source is not None:
        held = {source: _known(held, source, "source")}
    return [
        {
            "source": name,
            "item": item,
            "values": " ".join(f"{key}=..." for key in about.get("values", {})),
            "about": about["about"],
            "licence": table["licence"],
        }
        for name, table in held.items()
        for item, about in table["items"].items()
    ]


def download(
    source: str,
    item: str,
    values: Mapping[str, str],
    *,
    out: Path | str = ".",
    again: bool = False,
    limits: Limits | None = None,
    wait: Callable[[float], None] = time.sleep,
    progress: Callable[[int, int], None] | None = None,
    catalogue: Path | None = None,
) -> list[Receipt]:
    """The files of one item, whole and checked, each with its receipt.

    ``values``     what the item needs (``items`` says), as text; several, separated by commas, are several
                   files: ``{"month": "2022-12,2023-12"}``.
    ``out``        the folder to put them in.
    ``again``      fetch files that are here already.
    ``catalogue``  a TOML file in place of the official one.

    Raises ``Error`` for an unknown source, item or value, and ``DataError`` for what goes wrong on the way.
    """
    held = {name: t for name, t in sources(catalogue).items() if isinstance(t, dict)}
    table = _known(held, source, "source")
    about = _known(table["items"], item, f"item of {source}")
    limits = limits or Limits(pause=table["pause"], largest=about.get("largest", Limits.largest))
    told = {key: table[key] for key in ("title", "publisher", "licence", "attribution", "page")}
    done = []
    for each in _each(about.get("values", {}), values, f"{source} {item}"):
        path = Path(out) / _filled(about["file"], {k: v.replace("/", "-") for k, v in each.items()})
        address = _filled(about["address"], {k: quote(v, safe="/") for k, v in each.items()})
        if "pages" in about:
            size = about["pages"]
            done.append(pages(address, path, size=size, again=again, limits=limits, about=told, wait=wait))
            continue
        digest = ""
        if "sums" in about and (again or not path.exists()):
            digest = _sum(_filled(about["sums"], each), path, limits, wait)
        brought = fetch(
            address,
            path,
            check=about["check"],
            header=about.get("header", ()),
            digest=digest,
            again=again,
            limits=limits,
            about=told,
            wait=wait,
            progress=progress,
        )
        done.append(brought)
    return done


def _known(held: Mapping[str, Any], name: str, what: str) -> Any:
    if name in held:
        return held[name]
    close = difflib.get_close_matches(name, held, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise Error(f"There is no {what} called {name!r}. There are: {', '.join(held)}.{hint}")


def _each(patterns: Mapping[str, str], values: Mapping[str, str], what: str) -> list[dict[str, str]]:
    """Every combination of the values given, each checked against its pattern."""
    unknown = [name for name in values if name not in patterns]
    lacking = [name for name in patterns if name not in values]
    if unknown or lacking:
        needs = " ".join(f"{name}=..." for name in patterns) or "no values"
        raise Error(f"{what} needs {needs}; you gave {', '.join(values) or 'none'}.")
    found: list[dict[str, str]] = [{}]
    for name, pattern in patterns.items():
        for value in values[name].split(","):
            if not re.fullmatch(pattern, value):
                raise Error(f"{what}: {name}={value!r} is not of the form {pattern}.")
        found = [{**each, name: value} for each in found for value in values[name].split(",")]
    return found


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _sum(address: str, path: Path, limits: Limits, wait: Callable[[float], None]) -> str:
    """The digest that the publisher tells: an .md5 file, or the list of Ordnance Survey."""
    kind = "text" if address.endswith(".md5") else "json"
    aside = path.with_name(path.name + ".sums")
    try:
        fetch(address, aside, check=kind, again=True, limits=replace(limits, largest=10_000_000), wait=wait)
        text = aside.read_text(encoding="utf-8")
    finally:
        for file in (aside, aside.with_name(aside.name + ".receipt.json")):
            file.unlink(missing_ok=True)
    if kind == "json":
        listed = json.loads(text)
        text = listed[0].get("md5", "") if isinstance(listed, list) and len(listed) == 1 else ""
    found = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    return f"md5:{found[0]}" if found else ""
