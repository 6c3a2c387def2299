#!/usr/bin/env python
"""Django's commands, with the embedded services started where no URL names others."""

import os
import sys

from config import embedded


def main() -> None:
    """Run one command; a setting that cannot be used ends it with its sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        if embedded.needed_by(sys.argv):
            embedded.start()
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, embedded.ServiceNotStarted) as refusal:
        sys.exit(f"qianti: {refusal}")


if __name__ == "__main__":
    main()
