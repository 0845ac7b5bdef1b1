"""Records of governance: filled from what the run knows, refused for publication while anything is missing.

A record is a JSON Schema in ``schemas/``, whose properties say which fact fills them, and the values of one
project. Nothing marks itself complete: what the system filled is confirmed by a person, by role and day.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from peelian.errors import DataError, some

DAY = re.compile(r"\d{4}-\d\d-\d\d")
RECORDS = ("atrs", "dpia", "eqia", "covenant", "algo_care", "gates", "model_card", "citizens_guide")
Origin = Literal["system", "typed", "blank"]


@dataclass(frozen=True)
class Entry:
    """One field of a record: its value, whether the system or a person gave it, or that it is blank."""

    key: str
    title: str
    section: str
    required: bool
    value: str
    origin: Origin
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A filled record. ``blockers`` say what stands in the way of publication; none: it may be published.

    ``barred``     what else stands in the way, beyond its own fields.
    ``confirmed``  who confirmed what the system filled, as a role, and when; ``for_values`` the digest of the
                   values that were confirmed.
    """

    name: str
    title: str
    source: str
    entries: tuple[Entry, ...]
    confirmed_by: str = ""
    confirmed_on: str = ""
    for_values: str = ""
    barred: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A short digest of what the system filled: it changes when model, data or effect do."""
        filled = {entry.key: entry.value for entry in self.entries if entry.origin == "system"}
        return hashlib.sha256(json.dumps(filled, sort_keys=True).encode("utf-8")).hexdigest()[:12]

    @property
    def blanks(self) -> list[str]:
        """The required fields that are blank, by title."""
        return [entry.title for entry in self.entries if entry.required and entry.origin == "blank"]

    @property
    def blockers(self) -> list[str]:
        """What stands in the way of publication, a sentence each."""
        said = [*self.barred, *(f"Required and blank: {title.rstrip('?')}." for title in self.blanks)]
        said += [
            f"{entry.title} is {entry.value!r}; expected {', '.join(entry.allowed)}."
            for entry in self.entries
            if entry.allowed and entry.value and entry.value not in entry.allowed
        ]
        if any(entry.origin == "system" for entry in self.entries):
            if not (self.confirmed_by and self.confirmed_on):
                said.append(f"Nobody has confirmed what the system filled (values {self.digest}).")
            elif self.for_values != self.digest:
                said.append(
                    f"What the system filled has changed since it was confirmed on {self.confirmed_on}: "
                    f"values were {self.for_values or 'not named'}, now {self.digest}."
                )
        return said

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the origin of each and what stands in the way."""
        return {
            "record": self.name, "title": self.title, "source": self.source, "publishable": publishable(self),
            "blockers": self.blockers, "values": {entry.key: entry.value for entry in self.entries},
            "origin": {entry.key: entry.origin for entry in self.entries}, "digest": self.digest,
            "confirmed": {"by": self.confirmed_by, "on": self.confirmed_on, "values": self.for_values},
        }  # fmt: skip


def publishable(record: Record) -> bool:
    """True where no required field is blank, every choice is allowed, the system's values confirmed."""
    return not record.blockers


def production_gaps(records: Mapping[str, Record], *, frozen: bool, on: str | None) -> list[str]:
    """What is missing for the phase production; empty where nothing is, or the phase is another one.

    ``frozen``  whether an evaluation plan was frozen; ``on`` the day of the records, ISO. Production needs a
    signed DPIA and EqIA, a transparency record that may be published, a frozen evaluation plan, a named
    owner, and a day of review that has not passed (College of Policing, stage gates).
    """
    values = {name: {e.key: e.value for e in record.entries} for name, record in records.items()}
    if values["atrs"].get("algorithmic_transparency_record_phase") != "production":
        return []
    review = values["dpia"]["review_date"]
    gaps = [
        "a data protection impact assessment that is signed" * bool(records["dpia"].blockers),
        "an equality impact assessment that is signed" * bool(records["eqia"].blockers),
        "a transparency record that may be published" * bool(records["atrs"].blockers),
        "an evaluation plan that is frozen" * (not frozen),
        "a named owner" * (not values["atrs"]["owner_senior_responsible_owner"]),
        "a day of review" * (not review),
    ]
    when = DAY.match(review)
    if when is not None and on and when.group() < on:
        gaps.append(f"a new review, because the one of {when.group()} is past: back to re-referral")
    return [gap for gap in gaps if gap]


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a record.

    >>> schema("atrs")["title"]
    'Algorithmic transparency record'
    """
    found: dict[str, Any] = json.loads((files(__package__) / "schemas" / f"{name}.json").read_text("utf-8"))
    return found


def filled(name: str, facts: Mapping[str, str], typed: Mapping[str, Any] | None = None) -> Record:
    """One record from the facts of the run and what people typed; typed values go before facts.

    ``facts``  fact -> words (``facts.facts_of``); ``typed`` of ``read_governance``. Raises ``DataError`` for
    a typed field that the record does not have.
    """
    form, given = schema(name), dict((typed or {}).get(name, {}))
    unknown = [key for key in given if key not in form["properties"]]
    if unknown:
        raise DataError(
            f"[{name}] {unknown[0]} is no field of the record; it has {some(form['properties'])}."
        )
    entries = []
    for key, about in form["properties"].items():
        words = str(given.get(key, "")).strip()
        fact = "" if words else facts.get(about.get("filled_from", ""), "")
        origin: Origin = "typed" if words else "system" if fact else "blank"
        entries.append(
            Entry(key, about["title"], about["section"], key in form["required"], words or fact, origin,
                  tuple(about.get("enum", ())))
        )  # fmt: skip
    confirmed = (typed or {}).get("confirmed", {}).get(name, {})
    by, on, values = (str(confirmed.get(key, "")) for key in ("by", "on", "values"))
    return Record(name, form["title"], form["description"], tuple(entries), by, on, values)


def read_governance(path: str | Path) -> dict[str, Any]:
    """What people typed: one table a record, and ``[confirmed.atrs]`` with ``by``, ``on`` and ``values``.

    Raises ``DataError`` for a file that is no TOML, or a table that is no record.
    """
    try:
        typed = tomllib.loads(Path(path).read_text("utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. [account] governance names it.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is not valid TOML: {error}.") from error
    unknown = [name for name in typed if name not in (*RECORDS, "confirmed")]
    if unknown:
        raise DataError(f"{path}: [{unknown[0]}] is no record; expected {', '.join(RECORDS)} or confirmed.")
    return typed


def as_markdown(record: Record) -> str:
    """The record to be read: what stands in the way first, then every field with its origin."""
    lines = [f"# {record.title}", "", f"*{record.source}*", ""]
    if record.blockers:
        lines += ["**DRAFT, not to be published.** What stands in the way:", ""]
        lines += [*(f"* {sentence}" for sentence in record.blockers), ""]
    section = ""
    for entry in record.entries:
        if entry.section != section:
            section = entry.section
            lines += [f"## {section}", ""]
        lines += [f"### {entry.title}", "", entry.value or "*blank*", ""]
        if entry.origin == "system":
            lines += ["*(filled from the run)*", ""]
    return "\n".join(lines).rstrip() + "\n"
