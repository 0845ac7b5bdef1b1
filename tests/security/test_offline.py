"""A run calls nobody: no socket is opened from reading to the report."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GUARD = """
import socket, sys
class Refused(socket.socket):
    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            print("CALLED", address, file=sys.stderr)
            raise RuntimeError(f"a run must not call {address}")
        return super().connect(address)
socket.socket = Refused
from peelian import loop
loop.run(sys.argv[1], fresh=True)
"""


def test_a_whole_run_opens_no_connection(demo: tuple[Path, Any, Any]) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    told = subprocess.run(
        [sys.executable, "-c", GUARD, str(demo[0])],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr
    assert "CALLED" not in told.stderr
