"""The report as a tagged PDF that a screen reader can read (PDF/UA-1), from the same page as the HTML."""

from __future__ import annotations

from peelian.account.html import html
from peelian.errors import DataError
from peelian.report import Report

NEEDS = (
    "A PDF needs the extra peelian[reports] (weasyprint) and the system library Pango: on Debian and Ubuntu "
    "`apt-get install libpango-1.0-0 libpangoft2-1.0-0 fonts-liberation`. Leave pdf out of `formats` to do "
    "without."
)


def pdf(report: Report) -> bytes:
    """The report as PDF/UA-1: tagged, in British English, with bookmarks, text alternatives and own fonts.

    Tables longer than the page shows name their CSV, as in the HTML. Nothing is fetched. The same report on
    the same machine gives the same bytes. Raises ``DataError`` where weasyprint or Pango is missing.
    """
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:  # OSError: Pango is missing
        raise DataError(f"{NEEDS} ({str(error).splitlines()[0]})") from error

    inline = URLFetcher(allowed_protocols=["data"])  # what the page holds itself; nothing is fetched
    document = weasyprint.HTML(string=html(report, media="paper"), url_fetcher=inline)
    made: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
    return made
