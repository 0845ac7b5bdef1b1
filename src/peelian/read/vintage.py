"""Vintage: which edition of the area codes an extract uses, month by month."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# the highest codes of the 2011 edition: the Office for National Statistics numbers new areas upwards, so
# that anything above them was made for 2021 (LSOA names and codes, December 2011 and December 2021)
LAST_2011 = {"E01": "E01033768", "W01": "W01001958"}
LAST_2021 = {"E01": "E01035762", "W01": "W01002040"}
SWITCH = "2022-06"


def vintage(
    codes: pd.Series,
    months: pd.Series,
    *,
    known_2011: Iterable[str] | None = None,
    known_2021: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Which edition of the LSOA codes each month uses: 2011, 2021, or both mixed.

    ``codes``   area code of each incident (text, missing allowed); ``months`` its month (Period).
    ``known_2011``, ``known_2021``  the codes of each edition. Without them the numbering tells: codes above
                E01033768 (England) and W01001958 (Wales) were made for 2021, while a code that both
                editions share says nothing, and one above those of 2021 belongs to neither.

    Returns a frame on months: ``rows`` with a code, ``only_2011``, ``only_2021``, ``both``, ``neither``
    (rows by where their code stands) and ``edition``: ``2011``, ``2021``, ``mixed``, or ``either`` where
    nothing tells. Without the lists ``only_2011`` cannot be seen: a month before mid-2022 without a 2021
    code is ``2011``, and a month with one is ``2021 or mixed``.

    >>> import pandas as pd
    >>> months = pd.Series(pd.PeriodIndex(["2022-01", "2022-12"], freq="M"))
    >>> vintage(pd.Series(["E01000001", "E01035000"]), months)["edition"].tolist()
    ['2011', '2021 or mixed']
    """
    import pandas as pd

    if (known_2011 is None) != (known_2021 is None):
        raise DataError("vintage needs the codes of both editions or of neither: known_2011 and known_2021.")
    known = codes.notna().to_numpy()
    codes, months = codes[known], months[known]
    if known_2011 is None or known_2021 is None:
        limit = codes.str[:3].map(LAST_2011)
        new = (codes > limit.fillna("~")).to_numpy(bool)
        lsoa = (codes <= codes.str[:3].map(LAST_2021).fillna("")).to_numpy(bool)
        new = new & lsoa
        old, both = pd.Series(False, codes.index).to_numpy(), lsoa & ~new
    else:
        in_old, in_new = codes.isin(set(known_2011)).to_numpy(), codes.isin(set(known_2021)).to_numpy()
        old, new, both = in_old & ~in_new, in_new & ~in_old, in_old & in_new
    counted = pd.DataFrame(
        {"rows": 1, "only_2011": old, "only_2021": new, "both": both, "neither": ~(old | new | both)},
        index=months.to_numpy(),
    ).astype("int64")
    table = counted.groupby(level=0).sum()
    table.index = pd.PeriodIndex(table.index, freq="M", name="month")
    table["edition"] = [
        _edition(row.only_2011, row.only_2021, row.both, str(month), listed=known_2011 is not None)
        for month, row in zip(table.index, table.itertuples(), strict=True)
    ]
    return table.astype({"edition": "str"})


def _edition(old: int, new: int, both: int, month: str, *, listed: bool) -> str:
    if old and new:
        return "mixed"
    if old:
        return "2011"
    if new:
        return "2021" if listed else "2021 or mixed"
    if not both:
        return "none known"
    return "2011" if month < SWITCH and not listed else "either"
