"""The public's questions, each answered from what is held, or "not held", why, and who would hold it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from peelian.account.foi_parts import PARTS, Given, Reply
from peelian.errors import DataError

SHIPPED = ("mettrace", "risk_model")
MUST = {"question": ("number", "text", "part"), "part": ("answer", "what", "because", "holder")}


@dataclass(frozen=True)
class Part:
    """One part of an answer: what was asked for and the reply, or why it is not held and who holds it."""

    what: str
    reply: Reply | None
    because: str = ""
    holder: str = ""
    refused: str = ""

    @property
    def decision(self) -> str:
        """``disclosed``, ``refused`` or ``not held``."""
        return "disclosed" if self.reply else "refused" if self.refused else "not held"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        start = {"what": self.what, "decision": self.decision}
        if self.refused:
            return start | {"exemption": self.refused}
        if self.reply is None:
            return start | {"because": self.because, "holder": self.holder}
        return start | self.reply.as_json()


@dataclass(frozen=True)
class Answer:
    """A question as it was asked, and the parts of its answer."""

    number: int
    question: str
    parts: tuple[Part, ...]

    @property
    def decision(self) -> str:
        """``disclosed``, ``partly disclosed``, ``refused`` or ``not held``."""
        held = [part.reply is not None for part in self.parts]
        if all(held):
            return "disclosed"
        if any(held):
            return "partly disclosed"
        return "refused" if any(part.refused for part in self.parts) else "not held"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "number": self.number,
            "question": self.question,
            "decision": self.decision,
            "parts": [part.as_json() for part in self.parts],
        }


def question_bank(path: str | Path | None = None) -> dict[str, Any]:
    """A bank of questions: ``title`` and ``question`` entries of ``number``, ``text`` and ``part``s.

    ``path``  a TOML file of the user's, or the name of one of ours (``mettrace``, ``risk_model``); None for
              the six questions on MetTrace. A part has ``answer`` (the
              name of a function of ours), ``what``, ``because`` (why, when it is not held) and ``holder``.

    Raises ``DataError`` for a missing key or an answer that is not known.

    >>> len(question_bank()["question"])
    6
    """
    own = "mettrace" if path is None else str(path)
    shipped = files("peelian.account") / "banks" / f"{own}.toml"
    if own in SHIPPED:
        text, name = shipped.read_text("utf-8"), f"{own}.toml"
    else:
        text, name = _text(Path(own)), own
    try:
        bank = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: is not valid TOML: {error}.") from error
    for entry in bank.get("question", []):
        _complete(entry, "question", f"{name}, question {entry.get('number', '?')}")
        for part in entry["part"]:
            _complete(part, "part", f"{name}, question {entry['number']}")
            if part["answer"] not in PARTS:
                raise DataError(
                    f"{name}, question {entry['number']}: answer is {part['answer']!r}; expected one of "
                    f"{', '.join(sorted(PARTS))}."
                )
    if not bank.get("question"):
        raise DataError(f"{name}: has no [[question]].")
    return bank


def foi_answers(bank: dict[str, Any], given: Given) -> tuple[Answer, ...]:
    """Every question of the bank with its answer. Same records, same answers.

    ``bank`` of ``question_bank``; ``given`` what is held, and the answers and cases computed from it.
    """
    return tuple(
        Answer(entry["number"], entry["text"], tuple(_part(part, given) for part in entry["part"]))
        for entry in bank["question"]
    )


def _part(part: dict[str, str], given: Given) -> Part:
    reply = PARTS[part["answer"]](given)
    if isinstance(reply, Reply):
        return Part(part["what"], reply)
    return Part(part["what"], None, reply or part["because"], part["holder"])


def _complete(entry: dict[str, Any], kind: str, at: str) -> None:
    for key in MUST[kind]:
        if not entry.get(key):
            raise DataError(f"{at}: a {kind} lacks {key}.")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such question bank.") from None


def as_markdown(
    title: str,
    answers: Sequence[Answer],
    *,
    as_of: str,
    searches: Sequence[tuple[str, str]],
    reference: str = "",
    dates: str = "",
    versions: str = "",
) -> str:
    """The answer as a letter in plain Markdown, in the order of the Met's replies.

    ``as_of`` the day the records stood at; ``searches`` rows of (record, what was found); ``reference`` of
    the request, ``dates`` a sentence on when it came and when the answer is due; ``versions`` of
    what made it.
    """
    lines = [
        f"# {title}", "",
        f"Reference: {reference or 'to be given by the freedom of information officer'}.",
        *([dates] if dates else []),
        f"Records as they stood on {as_of}.{f' {versions}' if versions else ''}", "",
        "## You asked for", "", *(f"{a.number}. {a.question}" for a in answers), "",
        "## Searches", "", *(f"- {record}: {found}" for record, found in searches), "",
        "## Decision", "", *(f"- Question {a.number}: {a.decision}." for a in answers), "",
        *_exemptions(answers), "",
        "## Disclosure", "",
    ]  # fmt: skip
    for answer in answers:
        lines += [f"### Question {answer.number}", ""]
        for part in answer.parts:
            lines += _part_lines(part)
    lines += [
        "## Advice and assistance", "",
        *(f"- {what} (question {number}): ask {holder}." for number, what, holder in _elsewhere(answers)), "",
        "## Your rights", "",
        "You may ask for an internal review of this answer, and after it complain to the Information",
        "Commissioner.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _exemptions(answers: Sequence[Answer]) -> list[str]:
    """The exemptions claimed, which make this a notice under section 17; or that none is."""
    refused = [(a.number, part) for a in answers for part in a.parts if part.refused]
    if not refused:
        return ["No exemption is claimed. What is not held is said to be not held, with the reason."]
    head = "This is a notice under section 17 of the Freedom of Information Act 2000. Exemptions claimed:"
    return [head, "", *(f"- Question {number}, {part.what}: {part.refused}." for number, part in refused)]


def _part_lines(part: Part) -> list[str]:
    head = part.what[0].upper() + part.what[1:]
    if part.refused:
        return [f"**{head}**: refused under {part.refused}.", ""]
    if part.reply is None:
        return [f"**{head}**: not held, because {part.because}. It would be held by {part.holder}.", ""]
    reply = part.reply
    lines = [f"**{head}**: {reply.sentence}", ""]
    if reply.table:
        names = list(reply.table[0])
        lines += ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
        lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in reply.table]
        lines.append("")
    for label, text in (("How calculated", reply.method), ("Uncertainty", reply.uncertainty)):
        if text:
            lines += [f"{label}: {text}", ""]
    return [*lines, f"Source: {reply.source}. Date: {reply.date}.", ""]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "/")


def _elsewhere(answers: Sequence[Answer]) -> list[tuple[int, str, str]]:
    return [
        (a.number, p.what[0].upper() + p.what[1:], p.holder)
        for a in answers
        for p in a.parts
        if p.reply is None and not p.refused
    ]
