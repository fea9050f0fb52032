"""How much work something is, counted, not timed: a count is the same on a loaded machine."""

import sys


def calls(work):
    """The number of calls that `work()` makes, of functions in Python and of functions in C."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
