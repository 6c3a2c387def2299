"""Reads for the pages: what was measured and how it compares, the items behind it, and what it cost."""
