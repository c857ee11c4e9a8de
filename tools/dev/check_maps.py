#!/usr/bin/env python3
"""Checks that the maps of the house are true.

- An include of one room by another follows the arrows that CMakeLists.txt declares (`flowmend_room(x USES y)`).
- Every file that a README or a page of docs/ names exists.
- Every room has a README of at most 40 lines.
Prints one line a finding with its place and ends with "N passed, N failed".
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = (".h", ".cpp")


def rooms():
    """Room -> the rooms it may include, taken transitively."""
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    direct = {}
    for name, uses in re.findall(r"flowmend_room\((\w+)(?:\s+USES\s+([^)]*))?\)", text):
        direct[name] = set((uses or "").split())
    reach = {}
    for name, uses in direct.items():  # declared in order: what a room uses stands before it
        reach[name] = {name} | set().union(*[reach.get(used, set()) for used in uses])
    return reach


def check_includes(findings):
    allowed = rooms()
    count = 0
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in SOURCES:
            continue
        room = path.relative_to(ROOT / "src").parts[0]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            include = re.match(r'#include "(\w+)/', line)
            if not include or include[1] not in allowed:
                continue
            count += 1
            if include[1] not in allowed.get(room, {room}):
                findings.append(f"{path.relative_to(ROOT)}:{number}: room {room} may not include {include[1]}")
    return count


def check_readmes(findings):
    count = 0
    for name in rooms():
        readme = ROOT / "src" / name / "README.md"
        count += 1
        if not readme.exists():
            findings.append(f"src/{name}: has no README.md")
        elif len(readme.read_text(encoding="utf-8").splitlines()) > 40:
            findings.append(f"src/{name}/README.md: is longer than 40 lines")
    return count


def check_named_files(findings):
    count = 0
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("README.md"),
             *(ROOT / "tests").glob("*/README.md"), *(ROOT / "bench").rglob("README.md")]
    for page in pages:
        if "node_modules" in page.parts:
            continue
        text = page.read_text(encoding="utf-8")
        # Links of Markdown, and names in back-quotes that look like a path with a known ending.
        names = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
        names += re.findall(r"`([\w./-]+\.(?:h|cpp|md|py|sh|mjs|tsx?|json|cmake))`", text)
        for name in names:
            if "/" not in name and not name.endswith(".md"):
                candidates = [page.parent / name]
                if not candidates[0].exists():
                    continue  # a bare file name may be an example
            count += 1
            places = [page.parent / name, ROOT / name, ROOT / "src" / name]
            if name.startswith(("..", "/", "data/", "build/")) or any(place.exists() for place in places):
                continue
            findings.append(f"{page.relative_to(ROOT)}: names {name}, which does not exist")
    return count


def main():
    findings = []
    count = check_includes(findings) + check_readmes(findings) + check_named_files(findings)
    for finding in findings:
        print(finding)
    print(f"{count - len(findings)} passed, {len(findings)} failed")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
