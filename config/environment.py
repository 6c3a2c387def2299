"""Where this installation keeps its files: known before the settings are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def home() -> Path:
    """Return the folder of databases, uploads and job folders; QIANTI_HOME moves it."""
    return Path(os.environ.get("QIANTI_HOME") or ROOT / "var").expanduser().resolve()
