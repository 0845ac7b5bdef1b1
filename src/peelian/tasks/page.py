"""One chapter as a page of its own."""

from __future__ import annotations

from peelian.report import Outcome


def page(outcome: Outcome, title: str, *, marking: str, audience: str) -> str:
    """One chapter as a page of its own."""
    from peelian import __version__
    from peelian.account.html import html
    from peelian.chapters.report import protected
    from peelian.report import Report

    section = protected(outcome.section, audience)
    about = (("Code version", f"Peelian {__version__}"), ("Audience", audience))
    return html(Report(title, section.question, (section,), marking, tuple(outcome.sources), about))
