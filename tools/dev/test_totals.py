#!/usr/bin/env python3
"""Reads the totals that a test runner printed: test_totals.py FILE EXIT_CODE -> "passed failed skipped".

Knows GoogleTest, node's own runner, Vitest and the plain line "N passed, N failed". A runner that ended with an error
counts as at least one failure, whatever it printed.
"""
import re
import sys


def totals(text):
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)

    def number(pattern):
        found = re.findall(pattern, text, re.MULTILINE)
        return sum(int(n) for n in found) if found else None

    def triple(passed, failed, skipped):
        counts = [number(passed), number(failed), number(skipped)]
        return None if counts[0] is None and counts[1] is None else [n or 0 for n in counts]

    return (
        triple(r"^\[  PASSED  \] (\d+) tests?\.", r"^ ?(\d+) FAILED TESTS?", r"^\[  SKIPPED \] (\d+) tests?")
        or triple(r"^(?:#|ℹ) pass (\d+)", r"^(?:#|ℹ) fail (\d+)", r"^(?:#|ℹ) skipped (\d+)")
        or triple(r"^\s*Tests\s.*?(\d+) passed", r"^\s*Tests\s.*?(\d+) failed", r"^\s*Tests\s.*?(\d+) skipped")
        or triple(r"^(\d+) passed", r"(\d+) failed", r"(\d+) skipped")
    )


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        text = file.read()
    status = int(sys.argv[2])
    passed, failed, skipped = totals(text) or [1 if status == 0 else 0, 0, 0]
    if status != 0 and failed == 0:
        failed = 1
    print(passed, failed, skipped)


if __name__ == "__main__":
    main()
