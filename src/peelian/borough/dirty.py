"""A dirty extract: the archive's last year with every fault that real ones have, each counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Fault = Callable[[list[str]], str | list[str]]

EACH = 3  # rows of every kind of fault in every file, where the file has rows enough

# positions in the twelve columns of data.police.uk
ID, MONTH, LON, LAT, PLACE, LSOA, LSOA_NAME, TYPE, OUTCOME = 0, 1, 4, 5, 6, 7, 8, 9, 10

MEANING = {
    "missing_coordinates": "longitude and latitude blank, LSOA code given",
    "missing_lsoa": "LSOA code and name blank, coordinates given",
    "missing_both": "no location of any kind",
    "swapped": "longitude and latitude exchanged",
    "outside": "a point in another part of the country",
    "zero_coordinates": "longitude and latitude 0",
    "text_coordinates": "longitude is a word",
    "bad_month": "a 13th month",
    "other_month_format": "month written 01/2018",
    "future_month": "a month of 2099",
    "missing_month": "month blank",
    "blank_row": "a line with nothing in it",
    "commas_only": "a line of twelve empty fields",
    "repeated_row": "an exact copy of the row before it",
    "repeated_id": "a copy of the row before it, but for the outcome",
    "trailing_spaces": "spaces after LSOA code and crime type",
    "too_few_fields": "the last four fields are missing",
    "too_many_fields": "two fields more than there are columns",
    "unknown_type": "a crime type that does not exist",
    "unknown_lsoa": "an LSOA code that does not exist",
    "unbalanced_quote": "a quote is opened and never closed; the row still ends with its line",
    "latin_1": "a letter in Latin-1, not UTF-8",
}


def spoil(archive: dict[str, list[str]], seed: int) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Files with planted faults, and the truth about them.

    ``archive``  name of the file -> its rows as text, as ``police_uk`` gives them; the last twelve are used.
    The first of these (if there are more than two) is left out, so that a month is missing; the second holds
    a header and no row. Of the others the first has a byte order mark, the second Windows line ends, the
    third an unbalanced quote, the fourth a letter in Latin-1, and the fifth no line end after its last row.
    A row has at most one fault.

    In the truth, ``rows`` counts every line after the header, blank ones too: accepted + refused must be
    equal to it. ``faults`` counts the rows of each kind; ``sound`` the rows without a fault; ``shared_ids``
    the sound rows that bear the Crime ID of an earlier one in the clean archive already
    (``BoroughParameters.repeated_ids``), which is no fault.
    """
    import numpy as np

    rng = np.random.default_rng([seed, 13])
    names = list(archive)[-12:]
    missing, empty = (names[:1], names[1:2]) if len(names) > 2 else ([], [])
    files: dict[str, bytes] = {}
    told: dict[str, Any] = {}
    for name in empty:
        files[name] = _bytes([])
        told[name] = {"rows": 0, "sound": 0, "faults": {}, "shared_ids": 0, "file_faults": ["header_only"]}
    for number, name in enumerate(names[len(missing) + len(empty) :]):
        kind = (
            ["byte_order_mark", "windows_line_ends", "unbalanced_quote", "latin_1", "no_last_line_end"]
            + [""] * 12
        )[number]
        rows, faults = _spoil_rows(archive[name], kind, rng)
        files[name] = _bytes(rows, kind)
        told[name] = {
            "rows": len(rows),
            "sound": len(rows) - sum(faults.values()),
            "faults": faults,
            "shared_ids": _shared(archive[name]),
            "file_faults": [kind] if kind not in {"", "unbalanced_quote"} else [],
        }
    return files, _truth(told, [name[:7] for name in missing], [name[:7] for name in empty])


def _shared(rows: list[str]) -> int:
    """Rows with the Crime ID of an earlier row of the clean archive: crimes of their own, one reference."""
    ids = [row.split(",")[ID] for row in rows if not row.startswith(",")]
    return len(ids) - len(set(ids))


def _truth(told: dict[str, Any], missing: list[str], empty: list[str]) -> dict[str, Any]:
    totals: dict[str, int] = {}
    for file in told.values():
        for fault, number in file["faults"].items():
            totals[fault] = totals.get(fault, 0) + number
    return {
        "note": "rows = lines after the header, blank ones included; accepted + refused = rows",
        "rows": sum(file["rows"] for file in told.values()),
        "sound": sum(file["sound"] for file in told.values()),
        "faults": totals,
        "meaning": {fault: MEANING[fault] for fault in totals},
        "missing_months": missing,
        "empty_months": empty,
        "files": told,
    }


def _bytes(rows: list[str], kind: str = "") -> bytes:
    from peelian.borough.files import HEADER

    end = "\r\n" if kind == "windows_line_ends" else "\n"
    text = end.join([HEADER, *rows]) + ("" if kind == "no_last_line_end" else end)
    if kind == "latin_1":
        return text.encode("latin-1")
    return text.encode("utf-8-sig" if kind == "byte_order_mark" else "utf-8")


def _spoil_rows(rows: list[str], kind: str, rng: np.random.Generator) -> tuple[list[str], dict[str, int]]:
    """Rows with faults planted in some of them, no row twice, and the number of each."""
    faults = _faults()
    # rows without a location are counted as they are; rows that share an id are left alone
    faulty = [i for i, row in enumerate(rows) if "No Location" in row]
    times = Counter(row.split(",")[ID] for row in rows)
    sound = [i for i, row in enumerate(rows) if "No Location" not in row and times[row.split(",")[ID]] == 1]
    each = min(EACH, max(len(sound) // (3 * len(faults)), 0))
    drawn = rng.permutation(sound)[: each * len(faults) + 1].tolist()
    spoiled: dict[int, list[str]] = {}
    number = {"missing_both": len(faulty)} if faulty else {}
    for fault, change in faults.items():
        for _ in range(each):
            row = drawn.pop()
            changed = change(rows[row].split(","))
            spoiled[row] = [changed] if isinstance(changed, str) else changed
            number[fault] = number.get(fault, 0) + 1
    if kind in {"unbalanced_quote", "latin_1"} and drawn:
        row = drawn.pop()
        spoiled[row] = [
            _unclosed(rows[row].split(",")) if kind == "unbalanced_quote" else _accent(rows[row].split(","))
        ]
        number[kind] = 1
    return [line for i, row in enumerate(rows) for line in spoiled.get(i, [row])], number


def _put(**values: str) -> Fault:
    """A fault that replaces fields; keys are the names of positions above."""

    def change(fields: list[str]) -> str:
        for key, value in values.items():
            fields[globals()[key]] = value
        return ",".join(fields)

    return change


def _faults() -> dict[str, Fault]:
    """Kind of fault -> what it makes of the fields of a row: one line or, where lines are added, several."""
    return {
        "missing_coordinates": _put(LON="", LAT=""),
        "missing_lsoa": _put(LSOA="", LSOA_NAME=""),
        "swapped": lambda f: ",".join([*f[:LON], f[LAT], f[LON], *f[LAT + 1 :]]),
        "outside": _put(LON="-3.188267", LAT="55.953251"),
        "zero_coordinates": _put(LON="0.000000", LAT="0.000000"),
        "text_coordinates": _put(LON="unknown"),
        "bad_month": lambda f: ",".join([f[ID], f[MONTH][:4] + "-13", *f[MONTH + 1 :]]),
        "other_month_format": lambda f: ",".join([f[ID], f"{f[MONTH][5:]}/{f[MONTH][:4]}", *f[MONTH + 1 :]]),
        "future_month": _put(MONTH="2099-01"),
        "missing_month": _put(MONTH=""),
        "blank_row": lambda f: [",".join(f), ""],
        "commas_only": lambda f: [",".join(f), "," * 11],
        "repeated_row": lambda f: [",".join(f)] * 2,
        "repeated_id": lambda f: [
            ",".join(f),
            ",".join([*f[:OUTCOME], "Offender given community sentence", *f[OUTCOME + 1 :]]),
        ],
        "trailing_spaces": lambda f: ",".join(
            [*f[:LSOA], f[LSOA] + "  ", f[LSOA_NAME], f[TYPE] + " ", *f[OUTCOME:]]
        ),
        "too_few_fields": lambda f: ",".join(f[:-4]),
        "too_many_fields": lambda f: ",".join([*f, "checked", "JS"]),
        "unknown_type": _put(TYPE="Burglery"),
        "unknown_lsoa": _put(LSOA="E01999999"),
    }


def _unclosed(fields: list[str]) -> str:
    fields[PLACE] = '"' + fields[PLACE]
    return ",".join(fields)


def _accent(fields: list[str]) -> str:
    fields[PLACE] = "On or near Café Row"
    return ",".join(fields)
