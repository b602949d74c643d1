"""The contract's types as C will have them: enums, objects and their fields."""

import math
import re

from . import patterns
from .schemas import FIELDS_MAX, FORMATS, Refused, json_type, refuse_unknown

INTEGER_MIN, INTEGER_MAX = -2**63, 2**63 - 1
COUNT_MAX = 2**32 - 1
ENUM_MAX = 63
NAME = re.compile(r"^[a-z][a-z0-9_]*$")
KEYWORDS = set("auto break case char const continue default do double else enum extern float for goto if inline int "
               "long register restrict return short signed sizeof static struct switch typedef union unsigned void "
               "volatile while bool true false".split())
KINDS = {"string": "TEXT", "integer": "INTEGER", "number": "NUMBER", "boolean": "BOOLEAN", "object": "OBJECT"}


class Field:
    """One member: name, kind, and the limits of struct field in schema.h."""

    def __init__(self, name):
        self.name = name
        self.kind = None
        self.enum = self.object = self.pattern = self.default = None
        self.allowed = []
        self.number = (-math.inf, math.inf)
        self.integer = (INTEGER_MIN, INTEGER_MAX)
        self.length = self.count = (0, COUNT_MAX)
        self.is_array = self.is_required = self.is_unique = self.is_nullable = self.has_default = False

    @property
    def has_presence(self):
        plain = self.kind in ("TIME", "INTEGER", "NUMBER", "BOOLEAN") and not self.is_array
        return plain and not self.has_default and (not self.is_required or self.is_nullable)


class ObjectType:
    """A struct."""

    def __init__(self, name, description):
        self.name = name
        self.description = description
        self.fields = []
        self.one_of = []


class Model:
    """All types, in an order in which C can declare them."""

    def __init__(self, library):
        self.documents = library
        self.enums = {}
        self.objects = {}
        self.open_objects = []  # being made: one of these inside of itself would have no end

    def add_event(self, event):
        """The type of `<event>.json`, named like the event with dots as underscores."""
        node = {"$ref": f"{event}.json#"}
        return self.object_type(node, event, event.replace(".", "_"))

    def object_type(self, node, where, own_name):
        flat, shared_name = self.documents.flat(node, where)
        kind, _ = json_type(flat, where)
        if kind != "object":
            raise Refused(f"{where}: must be an object")
        name = c_name(shared_name or own_name, where)
        if name in self.objects:
            return self.objects[name]
        if name in self.open_objects:
            raise Refused(f"{where}: {name} contains itself")
        refuse_unknown(flat, "object", where)
        self.open_objects.append(name)
        made = ObjectType(name, flat.get("description") or flat.get("title"))
        required = names_list(flat.get("required", []), where)
        for member, child in flat.get("properties", {}).items():
            made.fields.append(self.field(member, child, f"{where}/{member}", name))
            made.fields[-1].is_required = member in required
        finish_object(made, flat, required, where)
        self.open_objects.remove(name)
        self.objects[name] = made
        return made

    def field(self, name, node, where, owner):
        flat, _ = self.documents.flat(node, where)
        field = Field(c_name(name, where))
        kind, field.is_nullable = json_type(flat, where)
        refuse_unknown(flat, kind, where)
        field.description = flat.get("description")
        if kind == "array":
            self.array(field, flat, where, owner)
        else:
            self.single(field, node, flat, kind, where, owner)
        return field

    def array(self, field, flat, where, owner):
        if field.is_nullable or "items" not in flat:
            raise Refused(f"{where}: an array needs items and can't be null")
        item, _ = self.documents.flat(flat["items"], where)
        kind, nullable = json_type(item, where)
        if kind == "array" or nullable or "default" in item:
            raise Refused(f"{where}: items can't be arrays, null or have a default")
        refuse_unknown(item, kind, where)
        self.single(field, flat["items"], item, kind, where, owner)
        field.is_array = True
        field.count = limits(flat, "minItems", "maxItems", where)
        field.is_unique = flat.get("uniqueItems", False)
        if field.is_unique and field.kind == "OBJECT":
            raise Refused(f"{where}: uniqueItems of objects is outside of the subset")
        field.has_default = "default" in flat
        if field.has_default and flat["default"] != []:
            raise Refused(f"{where}: an array's default can only be []")

    def single(self, field, node, flat, kind, where, owner):
        field.kind = KINDS[kind]
        if kind == "object":
            if field.is_nullable or "default" in flat:
                raise Refused(f"{where}: an object can't be null or have a default")
            field.object = self.object_type(node, where, f"{owner}_{field.name}")
        elif kind == "string":
            self.text(field, flat, where, owner)
        elif kind == "integer":
            field.integer = integer_limits(flat, where)
        elif kind == "number":
            field.number = (float(flat.get("minimum", -math.inf)), float(flat.get("maximum", math.inf)))
        if not field.is_array and "default" in flat:
            take_default(field, flat["default"], where)

    def text(self, field, flat, where, owner):
        values = flat.get("enum")
        if "const" in flat:
            values = [flat["const"]] if values is None or flat["const"] in values else []
        if values is not None:
            others = {"minLength", "maxLength", "pattern", "format"} & flat.keys()
            if others:
                raise Refused(f"{where}: {sorted(others)} beside enum or const")
            self.enum(field, flat.get("x-c-enum") or f"{owner}_{field.name}", values, where)
            return
        field.length = limits(flat, "minLength", "maxLength", where)
        if "pattern" in flat:
            field.pattern = patterns.parse(flat["pattern"], where)
        form = flat.get("format")
        if form is not None and form not in FORMATS:
            raise Refused(f"{where}: format {form!r} is outside of the subset")
        field.kind = {"uuid": "UUID", "date": "DATE", "date-time": "TIME"}.get(form, "TEXT")
        if field.kind == "TIME" and {"minLength", "maxLength", "pattern"} & flat.keys():
            raise Refused(f"{where}: a date-time has no length or pattern")

    def enum(self, field, name, values, where):
        if not values or len(set(map(str, values))) != len(values) or not all(isinstance(v, str) for v in values):
            raise Refused(f"{where}: an enum is a list of different texts")
        field.kind, field.allowed = "ENUM", values
        field.enum = c_name(name, where)
        shared = self.documents.files.get("common.json", {}).get("$defs", {}).get(name, {}).get("enum")
        known = self.enums.setdefault(field.enum, list(shared or values))
        if not set(values) <= set(known) or len(known) > ENUM_MAX:
            raise Refused(f"{where}: enum {name} has other values elsewhere, or more than {ENUM_MAX}")


def finish_object(made, flat, required, where):
    names = [field.name for field in made.fields]
    missing = [name for name in required if name not in names]
    if missing or not names or len(names) > FIELDS_MAX:
        raise Refused(f"{where}: required {missing} are no properties, or not 1..{FIELDS_MAX} properties")
    for choice in flat.get("oneOf", []):
        if not isinstance(choice, dict) or set(choice) != {"required"} or not set(choice["required"]) <= set(names):
            raise Refused(f"{where}: oneOf can only choose between sets of required members")
        made.one_of.append(choice["required"])


def names_list(value, where):
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Refused(f"{where}: required must be a list of names")
    return value


def c_name(name, where):
    if not NAME.match(name) or name in KEYWORDS:
        raise Refused(f"{where}: '{name}' can't be a name in C")
    return name


def limits(flat, low, high, where):
    for key in (low, high):
        value = flat.get(key, 0)
        if isinstance(value, bool) or value != int(value) or not 0 <= value <= COUNT_MAX:
            raise Refused(f"{where}: {key} must be an integer from 0 to {COUNT_MAX}")
    return int(flat.get(low, 0)), int(flat.get(high, COUNT_MAX))


def integer_limits(flat, where):
    if "const" in flat:
        is_integer = isinstance(flat["const"], int) and not isinstance(flat["const"], bool)
        if not is_integer or {"minimum", "maximum"} & flat.keys():
            raise Refused(f"{where}: const must be an integer and stand alone")
        return flat["const"], flat["const"]
    low, high = flat.get("minimum", INTEGER_MIN), flat.get("maximum", INTEGER_MAX)
    return max(math.ceil(low), INTEGER_MIN), min(math.floor(high), INTEGER_MAX)


def take_default(field, default, where):
    fits = {
        "TEXT": isinstance(default, str) and field.length[0] <= len(default) <= field.length[1]
                and (field.pattern is None or patterns.matches(field.pattern, default)),
        "ENUM": default in field.allowed, "BOOLEAN": isinstance(default, bool),
        "INTEGER": isinstance(default, int) and not isinstance(default, bool)
                   and field.integer[0] <= default <= field.integer[1],
        "NUMBER": isinstance(default, (int, float)) and not isinstance(default, bool)
                  and field.number[0] <= default <= field.number[1],
    }
    if not fits.get(field.kind, False) or field.is_nullable:
        raise Refused(f"{where}: default {default!r} does not fit")
    field.default, field.has_default = default, True
