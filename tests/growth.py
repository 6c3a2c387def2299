"""How the time of reading a text grows with it: a measure that a slow or a busy machine does not change."""

import time

LOOKS = 3


def grows_linearly(read, text):
    """Tell whether a text takes less than ten times as long as its quarter: in proportion four, with the square sixteen.

    A machine with other work is asked again.
    """

    def seconds(part):
        started = time.process_time()
        read(part)
        return time.process_time() - started

    return any(seconds(text) < 10 * max(seconds(text[: len(text) // 4]), 0.02) for _look in range(LOOKS))
