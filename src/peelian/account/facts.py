"""What the run knows, in words that a record of governance can hold; what it does not know is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.account.answers import by_place
from peelian.account.equality import in_words
from peelian.account.report import next_door
from peelian.words import day, month

if TYPE_CHECKING:
    from peelian.account.results import Results

ATRS_VERSION = "v3.0"


def facts_of(results: Results) -> dict[str, str]:
    """Fact -> words, for ``governance.filled``. A fact that nothing held supports is absent."""
    found = (
        _always(results) | _programme(results) | _deliveries(results) | _evaluation(results) | _data(results)
        | _exposure(results)
    )  # fmt: skip
    return {name: words for name, words in found.items() if words}


def _always(results: Results) -> dict[str, str]:
    crimes = results.held.crimes
    return {
        "atrs_version": ATRS_VERSION,
        "task": f"To find where {crimes} concentrate, to choose places for prevention, and to tell "
        "whether it worked",
        "description": f"It counts recorded {crimes} by place and month, chooses places for prevention "
        "under stated rules, and compares places with the programme to places without it.",
        "purpose": f"To prevent {crimes} in the places where most are expected, and to tell honestly "
        "whether that was achieved.",
        "scope": "It describes places and not people. It predicts nothing about a person, names "
        "nobody and takes no decision about anybody.",
        "person": "No. The records count crimes and homes by area; no name or address of a person is "
        "in them.",
        "detail": "Counts by place and month go through published methods, each named with its source "
        "in the report; every estimate carries an interval and every figure its source. The "
        "same data and seed give the same numbers.",
        "information": "Counts, rates and estimates by area with intervals, what could make them "
        "wrong, and what is not held.",
        "outputs": "A report, tables by area, and maps; counts that are not public pass disclosure "
        "control.",
        "minimisation": "Counts by area and month are kept, not people or addresses; counts below the "
        "threshold are withheld together with whatever would give them back.",
        "measures": "Disclosure control before anything leaves; no network in use; files in open "
        "formats with their SHA-256; every run recorded with its inputs, code and seed.",
        "transparent": "The report states every method, source and date, and what is not held and "
        "why.",
        "ownership": "The method is open source (Apache-2.0); the data belong to whoever supplied "
        "them.",
        "granularity": "Areas and months; nothing about a household or a person.",
        "caveats": "Recorded crime is not all crime; recording changes; places differ in more than "
        "the programme.",
    }  # fmt: skip


def _programme(results: Results) -> dict[str, str]:
    programme = results.held.programme
    if programme is None:
        return {}
    treated = programme.treated
    chosen = f"{len(treated):,} places have the programme of {len(programme.areas):,} considered"
    return {
        "name": programme.name,
        "places_chosen": f"{chosen}. {programme.source}".strip() if len(treated) else "",
    }


def _month(iso: str) -> str:
    return day(f"{iso}-01").partition(" ")[2]


def _exposure(results: Results) -> dict[str, str]:
    table = results.exposure
    if table is None:
        return {}
    return {
        f"exposure_{name}": in_words(table, name, groups.source)
        for name, groups in results.parameters.equality.items()
    }


def _deliveries(results: Results) -> dict[str, str]:
    saturation = results.held.saturation
    if saturation is None:
        return {}
    by = by_place(saturation)
    return {
        "scale": f"{by['delivered'].sum():,.0f} kits in {len(by):,} places, "
        f"{_month(saturation['month'].astype(str).min())} to {_month(saturation['month'].astype(str).max())}."
    }


def _evaluation(results: Results) -> dict[str, str]:
    found = results.held.assessment
    if found is None:
        return {}
    window = f"{month(found.first)} to {month(found.last)}"
    told = str(found.raw["headline"].get("sentence", "")) if found.told else ""
    moved = next_door(found.raw, results.held.crimes)
    verdict = found.words[:1].upper() + found.words[1:].removesuffix(".")
    return {
        "performance": " ".join(filter(None, (f"{verdict}.", told, moved))),
        "benefit": " ".join(filter(None, (f"{verdict}, measured over {window}.", told, moved))),
        "evaluation_data": f"Recorded {results.held.crimes} in places with and without the programme, "
        f"{window}.",
        "model_type": f"Comparison of places over time; uncertainty by {found.raw['headline']['se_method']}"
        if found.raw["headline"].get("se_method")
        else "",
    }


def _data(results: Results) -> dict[str, str]:
    held = results.held
    counts, documents = held.counts, held.documents
    out = {}
    if documents is not None and len(documents):
        out["documents"] = "; ".join(f"{row.title} ({row.date})" for row in documents.itertuples())
    if counts is None or counts.empty:
        return out
    months = counts.index.get_level_values("month").astype(str)
    places = counts.index.get_level_values("place").nunique()
    kinds = ", ".join(map(str, counts.columns))
    span = f"{_month(months.min())} to {_month(months.max())}"
    out["inputs"] = f"Recorded crime ({kinds}) in {places:,} places by month, {span}."
    out["sources"] = out["inputs"]
    out["data_scope"] = (
        f"Counts of {kinds} in {places:,} places, {span}; no personal data are kept in this part."
    )
    out["processing"] = (
        "Crimes are counted by place and month; the counts are kept in open files and may be deleted."
    )
    out["quality"] = "The report's first chapter has the checks made on the data and what they found."
    return out
