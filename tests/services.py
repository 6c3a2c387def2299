"""A PostgreSQL and a Redis of the tests' own, started before pytest-django reads the settings.

pytest loads this as a plugin (`-p tests.services`), which comes before any conftest.
"""

import os
import tempfile
from pathlib import Path

from config import embedded

# A home of its own, so that tests and a running site never meet; pytest's workers share its servers.
HOME = Path(tempfile.gettempdir()) / f"qianti-tests-{os.getuid()}"

if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["QIANTI_HOME"] = str(HOME)
    for name in ("DATABASE_URL", "REDIS_URL", "QIANTI_PUBLIC_URL"):
        os.environ.pop(name, None)
    embedded.start()
    (HOME / "static").mkdir(exist_ok=True)  # whitenoise warns where there is none
