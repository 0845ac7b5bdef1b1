"""One report, many formats: what is written is the same content, whatever opens it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from peelian.errors import DataError
from peelian.report import Report

Format = Literal["html", "pdf", "docx", "xlsx", "ods"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "docx", "xlsx", "ods")


def rendered(report: Report, formats: Sequence[Format] = ("html",)) -> dict[str, str | bytes]:
    """File name -> content of the report in each format: ``report.html``, ``report.pdf``, and so on.

    ``formats``  any of ``html``, ``pdf``, ``docx``, ``xlsx``, ``ods``.

    Raises ``DataError`` for a format that is unknown, or whose library is not installed.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise DataError(f"There is no format {unknown[0]!r}; expected {', '.join(FORMATS)}.")
    return {f"report.{name}": _made(report, name) for name in dict.fromkeys(formats)}


def write(report: Report, folder: str | Path, formats: Sequence[Format] = ("html",)) -> list[Path]:
    """Write the report into a folder in each format, and say which files were written.

    All are made before the first is written, so that a missing library leaves the folder as it was.
    """
    made = rendered(report, formats)
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in made.items():
        path = into / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        paths.append(path)
    return paths


def _made(report: Report, name: Format) -> str | bytes:
    if name == "html":
        from peelian.account.html import html

        return html(report)
    if name == "pdf":
        from peelian.account.pdf import pdf

        return pdf(report)
    if name == "docx":
        from peelian.account.word import word

        return word(report)
    if name == "ods":
        from peelian.account.ods import ods

        return ods(report)
    from peelian.account.excel import excel

    return excel(report)
