#!/usr/bin/python3
"""Makes one self-contained openapi.json of openapi.yaml and the schema files it refers to, and a C array of it.

usage: bundle_openapi.py OPENAPI_YAML OUTPUT_FOLDER [DEPFILE]

A schema file becomes a component of its name without `.json`, an entry of its `$defs` a component of the entry's name.
"""
import json
import pathlib
import re
import sys

import yaml

DROPPED = {"$schema", "$id", "$defs", "x-c-enum"}  # of schema files: for their reader, not for the bundle's
NAME = re.compile(r"^[A-Za-z0-9._-]+$")
DEFINITION = re.compile(r"^/\$defs/([^/]+)$")

HEADER = """/* The description of the HTTP door, OpenAPI 3.1 as JSON. */
#pragma once

#include <stddef.h>

extern const char openapi_text[]; /* ends with NUL */
extern const size_t openapi_bytes; /* without it */
"""


class Refused(Exception):
    """A reference that cannot be kept."""


class Bundle:
    """The document and what it refers to, gathered below components/schemas."""

    def __init__(self, path):
        self.files = {}
        self.path = path.resolve()
        self.document = self.read(self.path)
        self.schemas = self.document.setdefault("components", {}).setdefault("schemas", {})
        self.taken = {}  # component name -> (file, pointer) it was made of

    def read(self, path):
        if path not in self.files:
            text = path.read_text(encoding="utf-8")
            self.files[path] = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        return self.files[path]

    def target(self, path, pointer):
        node = self.read(path)
        for part in [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]:
            if not isinstance(node, dict) or part not in node:
                raise Refused(f"{path}#{pointer} leads nowhere")
            node = node[part]
        return node

    def component(self, path, pointer):
        """The reference to the component made of that place, which is made when it is not there yet."""
        definition = DEFINITION.match(pointer)
        if pointer and not definition:
            raise Refused(f"{path}#{pointer}: only whole files and their $defs can be referred to")
        name = definition[1] if definition else path.name.removesuffix(".json")
        if not NAME.match(name):
            raise Refused(f"{path}#{pointer}: '{name}' is no name for a component")
        if name not in self.taken:
            if name in self.schemas:
                raise Refused(f"{path}#{pointer}: there is already a component '{name}'")
            self.taken[name] = (path, pointer)
            self.schemas[name] = {}
            node = {key: value for key, value in self.target(path, pointer).items() if key not in DROPPED}
            self.schemas[name] = self.inside(path, node)
        if self.taken[name] != (path, pointer):
            raise Refused(f"{path}#{pointer} and {'#'.join(map(str, self.taken[name]))} would both be '{name}'")
        return f"#/components/schemas/{name}"

    def inside(self, path, node):
        """The node, of the file at `path`, with every reference made one to this document."""
        if isinstance(node, list):
            return [self.inside(path, item) for item in node]
        if not isinstance(node, dict):
            return node
        copy = {key: self.inside(path, value) for key, value in node.items() if key != "x-c-enum"}
        if isinstance(node.get("$ref"), str):
            file, _, pointer = node["$ref"].partition("#")
            target = (path.parent / file).resolve() if file else path
            if target == self.path:
                self.target(target, pointer)
            copy["$ref"] = f"#{pointer}" if target == self.path else self.component(target, pointer)
        return copy

    def make(self):
        made = {key: self.inside(self.path, value) for key, value in self.document.items() if key != "components"}
        own = dict(self.schemas)
        made["components"] = {kind: {name: self.inside(self.path, node) for name, node in nodes.items()}
                              for kind, nodes in self.document["components"].items() if kind != "schemas"}
        for name, node in own.items():
            if name not in self.taken:
                self.schemas[name] = self.inside(self.path, node)
        made["components"]["schemas"] = dict(sorted(self.schemas.items()))
        return made


def c_source(text):
    """A text of any length as a C array; string literals are limited to 4,095 bytes."""
    data = [str(byte) for byte in text.encode()] + ["0"]
    rows = [", ".join(data[start:start + 24]) for start in range(0, len(data), 24)]
    return ('/* Made from openapi.yaml by bundle_openapi.py. */\n#include "openapi_data.h"\n\n'
            "const char openapi_text[] = {\n\t" + ",\n\t".join(rows) + ",\n};\n"
            "const size_t openapi_bytes = sizeof(openapi_text) - 1;\n")


def main(source, output, depfile=None):
    bundle = Bundle(pathlib.Path(source))
    folder = pathlib.Path(output)
    text = json.dumps(bundle.make(), ensure_ascii=True, separators=(",", ":")) + "\n"
    (folder / "openapi.json").write_text(text, encoding="utf-8")
    (folder / "openapi_data.c").write_text(c_source(text), encoding="utf-8")
    (folder / "openapi_data.h").write_text(HEADER, encoding="utf-8")
    if depfile:
        sources = " ".join(str(path).replace(" ", "\\ ") for path in sorted(bundle.files))
        pathlib.Path(depfile).write_text(f"{folder / 'openapi.json'}: {sources}\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (Refused, OSError, ValueError, yaml.YAMLError) as error:
        sys.exit(f"bundle_openapi.py: {error}")
