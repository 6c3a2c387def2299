"""What is promised about speed, measured as ratios in one run: `python -m tests.bench`.

Each module here has a NAME and `run(scale) -> list[Figure]`; at a scale of 1 it works on as many questions as
the real pools have, at 0.1 on a tenth of them. Django is set up before a module is loaded, on an empty
database of the benchmark's own.
"""
