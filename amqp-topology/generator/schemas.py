"""Reads the JSON Schemas of the contract and refuses whatever is outside of the subset that the C code checks."""

import json
import os

ANNOTATIONS = {"$schema", "$id", "$comment", "$defs", "title", "description", "examples", "x-c-enum"}
ANY_TYPE = {"type", "$ref", "default"}
BY_TYPE = {
    "string": {"enum", "const", "minLength", "maxLength", "pattern", "format"},
    "integer": {"const", "minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set(),
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "object": {"required", "properties", "oneOf"},
}
FORMATS = {"uuid", "date", "date-time"}
LOWER_LIMITS = {"minimum", "minLength", "minItems"}
UPPER_LIMITS = {"maximum", "maxLength", "maxItems"}
STRUCTURE = {"properties", "required", "oneOf"}
FIELDS_MAX = 64


class Refused(Exception):
    """A schema that the generated code could not keep its word on."""


class Library:
    """The schema files of one folder, every $ref made absolute (`file.json#/pointer`)."""

    def __init__(self, folder):
        self.folder = folder
        self.files = {}

    def file(self, name):
        if name not in self.files:
            path = os.path.join(self.folder, name)
            try:
                with open(path, encoding="utf-8") as stream:
                    document = json.load(stream)
            except OSError as error:
                raise Refused(f"{path}: {error.strerror}") from error
            self.add(name, document)
        return self.files[name]

    def add(self, name, document):
        """Takes a schema that is already in memory under a file's name."""
        for def_name, node in document.get("$defs", {}).items() if isinstance(document, dict) else ():
            if isinstance(node, dict) and "enum" in node:
                node.setdefault("x-c-enum", def_name)
        self.files[name] = self._absolute(name, document)

    def _absolute(self, name, node):
        if isinstance(node, list):
            return [self._absolute(name, item) for item in node]
        if not isinstance(node, dict):
            return node
        copy = {key: self._absolute(name, value) for key, value in node.items()}
        if isinstance(copy.get("$ref"), str):
            file, _, pointer = copy["$ref"].partition("#")
            copy["$ref"] = f"{file or name}#{pointer}"
        return copy

    def target(self, reference):
        """The node a $ref points to, and the name its type gets."""
        file, _, pointer = reference.partition("#")
        node = self.file(file)
        name = file.removesuffix(".json").replace(".", "_")
        for part in [part for part in pointer.split("/") if part]:
            if not isinstance(node, dict) or part not in node:
                raise Refused(f"$ref {reference} leads nowhere")
            node, name = node[part], part
        return node, name

    def flat(self, node, where, trail=()):
        """The node with its $ref resolved and what stands beside the $ref merged in; and the shared type's name."""
        if not isinstance(node, dict):
            raise Refused(f"{where}: a schema must be an object here")
        if "$ref" not in node:
            return dict(node), None
        reference = node["$ref"]
        if not isinstance(reference, str):
            raise Refused(f"{where}: $ref must be a text")
        if reference in trail:
            raise Refused(f"{where}: contains itself by {reference}")
        target, name = self.target(reference)
        base, _ = self.flat(target, where, trail + (reference,))
        beside = {key: value for key, value in node.items() if key != "$ref"}
        own_type = bool(STRUCTURE & beside.keys())
        return merge(base, beside, where), None if own_type else name


def merge(base, beside, where):
    """Both must hold: the union of properties and required, the narrower of limits."""
    merged = dict(base)
    for key, value in beside.items():
        if key == "properties":
            twice = merged.get(key, {}).keys() & value.keys()
            if twice:
                raise Refused(f"{where}: {sorted(twice)} defined on both sides of a $ref")
            merged[key] = {**merged.get(key, {}), **value}
        elif key == "required":
            merged[key] = list(merged.get(key, [])) + [name for name in value if name not in merged.get(key, [])]
        elif key in LOWER_LIMITS and key in base:
            merged[key] = max(base[key], value)
        elif key in UPPER_LIMITS and key in base:
            merged[key] = min(base[key], value)
        elif key == "enum" and key in base:
            merged[key] = narrowed_enum(base[key], value, where)
        elif key in ANNOTATIONS or key == "default" or key not in base or base[key] == value:
            merged[key] = value
        else:
            raise Refused(f"{where}: {key} beside a $ref that has another {key}")
    return merged


def narrowed_enum(base, narrower, where):
    if not set(narrower) <= set(base):
        raise Refused(f"{where}: enum beside a $ref must be part of the other's")
    return narrower


def refuse_unknown(node, kind, where):
    known = ANNOTATIONS | ANY_TYPE | BY_TYPE[kind]
    for key in node:
        if key not in known:
            raise Refused(f"{where}: keyword '{key}' with type {kind} is outside of the subset")


def json_type(node, where):
    """The type's name and whether null is allowed beside it."""
    kind = node.get("type")
    nullable = False
    if isinstance(kind, list):
        others = [name for name in kind if name != "null"]
        nullable = len(others) == 1 and len(kind) == 2
        kind = others[0] if nullable else None
    if kind not in BY_TYPE:
        raise Refused(f"{where}: type {node.get('type')!r} is outside of the subset")
    return kind, nullable
