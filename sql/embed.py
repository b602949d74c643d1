#!/usr/bin/python3
"""Makes C from a queries.sql: each `-- name: unit_reserve` block becomes `const struct query unit_reserve`.

usage: embed.py SET QUERIES_SQL OUT_C OUT_H

The table `<SET>_queries` lists them all and ends with NULL. Comment lines behind the name line are dropped from the statement.
"""
import pathlib
import re
import sys

NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$")


def read_queries(path):
    """Returns [(name, text)]; exits with a message at a fault."""
    queries = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = NAME.match(line)
        if match:
            if match[1] in dict(queries):
                sys.exit(f"{path}:{number}: {match[1]} is there twice")
            queries.append((match[1], []))
        elif line.strip() and not line.lstrip().startswith("--"):
            if not queries:
                sys.exit(f"{path}:{number}: a statement needs a line '-- name: NAME' before it")
            queries[-1][1].append(line.rstrip())
    return [(name, "\n".join(lines).rstrip(";")) for name, lines in queries]


def c_string(text):
    lines = [line.replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    return "\n".join(f'\t\t"{line}\\n"' for line in lines)


def main(set_name, source, out_c, out_h):
    queries = read_queries(pathlib.Path(source))
    declarations = "\n".join(f"extern const struct query {name};" for name, _ in queries)
    pathlib.Path(out_h).write_text(
        f"/* The statements of sql/{set_name}/queries.sql. */\n#pragma once\n\n#include \"database.h\"\n\n{declarations}\n\n"
        f"extern const struct query *const {set_name}_queries[]; /* all, ends with NULL */\n")
    definitions = "\n".join(
        f'const struct query {name} = {{\n\t.name = "{name}",\n\t.text =\n{c_string(text)},\n}};\n' for name, text in queries)
    table = "".join(f"\t&{name},\n" for name, _ in queries)
    pathlib.Path(out_c).write_text(
        f'#include "{pathlib.Path(out_h).name}"\n\n{definitions}\n'
        f"const struct query *const {set_name}_queries[] = {{\n{table}\tNULL,\n}};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
