"""Reading beside the loop: a mapping of columns, a store of large tables, its counts, counts carried over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.chapters import Progress
from peelian.errors import DataError, some
from peelian.outputs import plain, write_content, write_text
from peelian.words import percent, several

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places


def read_map(
    file: Path | str, *, out: Path | str | None = None, near: Path | str | None = None
) -> dict[str, Any]:
    """Propose the mapping of a table's columns; with ``out``, save it there as a profile.

    Returns the proposal as plain values (see ``read.mapping.Proposal``), and ``next``: what to do with it.
    Raises ``DataError`` where ``out`` exists already, or the table holds no incidents to map.
    """
    from peelian.read.mapping import propose

    found = propose(file, near=near)
    if found.form != "incidents":
        following = "Nothing was saved: a mapping is for tables with one row an incident."
    elif out is None:
        following = "Nothing was saved. To keep it: peelian read map FILE --out profile.toml"
    else:
        path = Path(out)
        if path.exists():
            raise DataError(f"{path}: is there already. Name another file, or move it away.")
        write_text(path, found.toml())
        keys = f'reader = "table", profile = "{path.name}"'
        following = f"Saved as {path}. In peelian.toml, under [[incidents]]: {keys}."
    return plain(found.as_json() | {"next": following})


def read_store(
    source: Path | str, store: Path | str, *, again: str = "refuse", progress: Progress | None = None
) -> dict[str, Any]:
    """Street-level crime of any size into a store of Parquet files, made or added to; see ``read.ingest``.

    Returns plain values: ``files`` (each with its rows, accepted and refused), ``rows``, ``accepted``,
    ``refused``, ``forces``, ``months``, and ``next``: how a project reads from it.
    """
    from peelian.read.ingest import ingest

    tick = None if progress is None else (lambda done, total: progress("store", done, total))
    held = ingest(source, store, again=again, progress=tick)  # type: ignore[arg-type]
    files = held.files
    forces, months = held.span
    rows, accepted, refused = (int(files[key].sum()) for key in ("rows", "accepted", "refused"))
    words = (
        f"{store} holds {rows:,} rows of {several(len(files), 'file')}: {accepted:,} accepted and "
        f"{refused:,} refused with their reason; {several(len(forces), 'force')}, {months[0]} to {months[1]}."
    )
    return plain(
        {
            "store": str(store),
            "files": files.to_dict("records"),
            "rows": rows,
            "accepted": accepted,
            "refused": refused,
            "words": words,
            "forces": forces,
            "months": months,
            "next": f'In peelian.toml, under [[incidents]]: reader = "store", file = "{Path(store).name}" '
            "and forces, types, first, last or areas as you need them.",
        }
    )


def read_counts(
    store: Path | str,
    out: Path | str,
    *,
    types: Sequence[str] = (),
    first: str | None = None,
    last: str | None = None,
    areas: Path | str | None = None,
    id: str = "",
    audience: str = "internal",
    larger: str = "",
) -> dict[str, Any]:
    """Crimes of a store by area, month and type, as CSV or Parquet: ``reader = "counts"`` reads them again.

    ``types``, ``first``, ``last`` choose; with ``areas`` (any spatial file in metres, and its ``id`` column)
    crimes are counted where their point lies, else by their area code.
    ``audience``  other than ``internal``: the counts leave, so small ones are withheld and with them what
                  would give them back (``account.protect_counts``): a table of areas by month and type with
                  totals, by quarter or by the ``larger`` areas (a column of ``areas``) where it must be.

    Returns plain values; ``words`` is what to say. ``DataError`` where ``out`` exists already;
    ``PrivacyError`` where the counts cannot be published by area.
    """
    from peelian.read.areas import areas as read_areas
    from peelian.read.store import Store

    path = Path(out)
    if path.exists():
        raise DataError(f"{path}: is there already. Name another file, or move it away.")
    if audience != "internal" and path.suffix != ".csv":
        raise DataError(
            f"{path}: a table with withheld counts is written as CSV. Name a file that ends in .csv."
        )
    places = None if areas is None else read_areas(areas, id=id)
    counted = Store(Path(store)).counts(
        by="code" if places is None else "point",
        places=places,
        types=list(types) or None,
        first=first,
        last=last,
    )
    lost = int(counted.loc[counted["place"].isna(), "count"].sum())
    leaving, notes = _leaving(counted, audience, places, larger)
    write_content(path, leaving)
    told = {"counts": len(counted), "crimes": int(counted["count"].sum()), "without_area": lost}
    words = (
        f"{told['crimes']:,} crimes in {counted['place'].nunique():,} areas are {len(counted):,} counts "
        f"above zero, written to {path}; {lost:,} are in no area."
    )
    return told | {"words": " ".join([words, *notes]), "notes": list(notes)}


def _leaving(
    counted: pd.DataFrame, audience: str, places: Places | None, larger: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The counts as an audience may have them, and what was done to them."""
    if audience == "internal":
        return counted, ()
    from peelian.account.disclosure import threshold_of
    from peelian.account.large import protect_counts

    parents = None
    if larger:
        if places is None or larger not in places.frame:
            held = "--areas is not given" if places is None else f"the areas have {some(places.frame, 20)}"
            raise DataError(f"--larger {larger}: names no column of the areas; {held}.")
        parents = places.frame[larger].astype(str)
    held = counted.dropna(subset=["place"]).set_index(["place", "month", "type"])["count"]
    found = protect_counts(held, threshold=threshold_of(audience), parents=parents)
    return found.table, (f"For the audience {audience}:", *found.notes)


def read_carry(
    file: Path | str,
    lookup: Path | str,
    *,
    category: str,
    to: str,
    by: str,
    size: str | None,
    out: Path | str,
) -> dict[str, Any]:
    """A table of counts by area and time on another edition of the areas, written as CSV; nothing is lost.

    ``to`` (``new``, ``old``, ``common``) and ``by`` (``shares``, ``best fit``) as ``apportion.one_edition``
    takes them. Returns plain values, with ``words`` to say. ``DataError`` where ``out`` exists.
    """
    from peelian.read.apportion import one_edition
    from peelian.read.lookups import lookup as read_lookup
    from peelian.read.mps import counts

    path = Path(out)
    if path.exists():
        raise DataError(f"{path}: is there already. Name another file, or move it away.")
    given = counts(file).of(category)
    moved = one_edition(given, read_lookup(lookup, size=size), to=to, by=by)  # type: ignore[arg-type]
    frame = moved.values.rename("count").reset_index()
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))
    lost = moved.unplaced.groupby(level="place").sum()
    areas = given.index.unique("place").size
    words = (
        f"{given.sum():,} of {category} in {areas:,} areas are {moved.values.sum():,.0f} in "
        f"{frame['place'].nunique():,} areas ({moved.how}; {percent(moved.split)} divided by an assumption), "
        f"written to {path}."
    )
    if len(lost):
        words += f" {lost.sum():,} are of {len(lost):,} codes that the lookup lacks: {some(lost.index)}."
    told = {
        "before": given.sum(),
        "after": moved.values.sum(),
        "unplaced": lost.sum(),
        "divided": moved.split,
    }
    return plain(told | {"words": words})
