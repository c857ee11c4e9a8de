#!/usr/bin/env python3
"""Draws groups of a room's sources that can be compiled as one text: `unity_groups.py ROOM_FOLDER SOURCE...`.

Most of a compile's time goes into headers; eight sources that share them cost little more than one. But what each of them
keeps to itself (an anonymous namespace, a macro) is then seen by the next, so two that use one name may not meet. This
script reads those names and prints, for each source that has company, `SOURCE;GROUP;` for CMake. A source with a name
that a header of its room declares as well stays alone. What it overlooks, the compiler refuses as a redefinition.
"""
import pathlib
import re
import sys

GROUP_FILES = 8
GROUP_LINES = 2600

TYPE = re.compile(r"^(?:template\s*<.*>\s*)?(?:struct|class|enum class|enum|union|using)\s+(\w+)")
FUNCTION = re.compile(r"^[A-Za-z_~\[][^;={}()]*?\b(\w+)\s*\(")
CONSTANT = re.compile(r"^(?:inline |static |thread_local |constinit )*(?:constexpr |const )[^()]*?\b(\w+)(?:\[[^\]]*\])?\s*(?:=|\{|;)")
VARIABLE = re.compile(r"^[A-Za-z_][\w:<>,*& ]*?\b(\w+)(?:\[[^\]]*\])?\s*(?:=|;)")
MACRO = re.compile(r"^\s*#\s*define\s+(\w+)")


def declared(line):
    """The names that a line at the left margin declares."""
    if not line or line[0] in " }/#)":
        return set()
    for pattern in (TYPE, CONSTANT, FUNCTION, VARIABLE):
        found = pattern.match(line)
        if found:
            return {found.group(1)} - {"operator"}
    return set()


def local_names(text):
    """What a source keeps to itself."""
    names = set()
    inside = False
    for line in text.splitlines():
        macro = MACRO.match(line)
        if macro:
            names.add(macro.group(1))
        if re.match(r"^namespace\s*\{", line):
            inside = True
        elif inside and line.startswith("}  // namespace"):
            inside = False
        elif inside or line.startswith("static "):
            names |= declared(line)
        elif line.startswith("namespace ") and "=" in line:
            names.add(line.split()[1])
    return names


def main():
    room = pathlib.Path(sys.argv[1])
    exposed = set()
    for header in room.rglob("*.h"):
        for line in header.read_text(encoding="utf-8").splitlines():
            exposed |= declared(line)

    groups = []  # of [names, lines, sources]
    for source in sorted(sys.argv[2:]):
        text = pathlib.Path(source).read_text(encoding="utf-8")
        names = local_names(text)
        # A `using namespace` would reach into the sources that follow.
        if names & exposed or re.search(r"^using namespace", text, re.MULTILINE):
            continue
        lines = text.count("\n")
        for group in groups:
            if not names & group[0] and group[1] + lines <= GROUP_LINES and len(group[2]) < GROUP_FILES:
                group[0] |= names
                group[1] += lines
                group[2].append(source)
                break
        else:
            groups.append([names, lines, [source]])

    for number, (_, _, sources) in enumerate(groups):
        if len(sources) > 1:
            sys.stdout.write("".join(f"{source};group_{number};" for source in sources))


if __name__ == "__main__":
    main()
