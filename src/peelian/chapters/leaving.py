"""The tables of counts of a report for the public, set beside those published before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from peelian.report import Section, Table

if TYPE_CHECKING:
    import pandas as pd

    from peelian.account.releases import Release
    from peelian.chapters.context import Context

SO_FAR = ("read", "deliver")  # chapters whose counts run from the first month held to the last


def set_beside(context: Context, sections: Iterable[Section], audience: str) -> list[Release]:
    """The protected tables of a report for the public, each set beside those published before.

    Counts of the chapters Read and Deliver run over all months held, so an earlier report's lie inside them;
    of other chapters only the same cells over the same months are compared. Raises ``PrivacyError`` naming
    the two tables where one with the other gives a small count away.
    """
    from peelian.account.differencing import difference
    from peelian.account.disclosure import threshold_of
    from peelian.account.releases import FOLDER, releases

    if audience not in ("public", "foi"):
        return []
    first, last = context.incidents.span
    found = [
        release
        for section in sections
        for block in section.blocks
        if isinstance(block, Table) and block.counts and not block.published
        for release in _releases(block, (str(first) if section.id in SO_FAR else str(last), str(last)))
    ]
    before = releases(context.project.folder / FOLDER)
    for release in found:
        difference(release, before, threshold=threshold_of(audience))
    return found


def _releases(block: Table, span: tuple[str, str]) -> list[Release]:
    """One release a column of counts: the rows of the table over the months it covers."""
    import pandas as pd

    from peelian.account.releases import COLUMNS, Release

    labels = _labels(block.frame.iloc[:, 0])
    out = []
    for column in (name for name in block.counts if name in block.frame):
        values = ((label, _count(value)) for label, value in zip(labels, block.frame[column], strict=True))
        rows = [(label, *span, value) for label, value in values if value is not None]
        if rows:
            name = f"{block.name} {column}"
            out.append(Release(name, span[1], name, "rows", pd.DataFrame(rows, columns=list(COLUMNS))))
    return out


def _labels(column: pd.Series) -> list[str]:
    """The rows' names, each once."""
    names = column.astype(str)
    times = names.groupby(names).cumcount()
    return [name if not n else f"{name} ({n + 1})" for name, n in zip(names, times, strict=True)]


def _count(value: Any) -> int | str | None:
    """A count, ``c``, or None for what is neither."""
    from peelian.account.disclosure import HIDDEN

    if value == HIDDEN:
        return HIDDEN
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number >= 0 and number % 1 == 0 else None
