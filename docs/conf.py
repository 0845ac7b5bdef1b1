"""Settings of the documentation: Markdown, one theme, nothing fetched from elsewhere."""

import tomllib
from pathlib import Path

_project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]

project = "Peelian"
author = "The Peelian maintainers"
copyright = "2026, The Peelian maintainers"
version = release = _project["version"]
language = "en_GB"

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
suppress_warnings: list[str] = []

html_theme = "furo"
html_title = f"Peelian {version}"
html_copy_source = False
html_show_sourcelink = False
