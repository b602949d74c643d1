"""What python3-jsonschema says of a document, and where the contract is stricter than it."""
import datetime
import json
import re

import jsonschema

UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Doubt(ValueError):
    """The text is no JSON that the contract accepts, whatever Python makes of it."""


def moment(text):
    """Microseconds since 1970, by Python's calendar; None when it is no RFC 3339 moment (leap seconds are none)."""
    match = MOMENT.fullmatch(text)
    if match is None:
        return None
    zone = "+00:00" if match[8] in "Zz" else match[8]
    if int(zone[1:3]) > 23 or int(zone[4:6]) > 59:
        return None
    fraction = ((match[7] or ".") + "000000")[:7]
    try:
        offset = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
        local = datetime.datetime.strptime(text[:10] + text[11:19], "%Y-%m-%d%H:%M:%S")
        utc = (local - offset).replace(tzinfo=datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None
    return (utc - EPOCH) // datetime.timedelta(microseconds=1) + int(fraction[1:])


def is_date(text):
    try:
        return DATE.fullmatch(text) is not None and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def strict_pairs(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Doubt("duplicate member")
    return dict(pairs)


def refuse_constant(name):
    raise Doubt(f"{name} is not JSON")


def load(text):
    """The document; Doubt where jansson must refuse: duplicates, NUL, lone surrogates, numbers out of range."""
    document = json.loads(text, object_pairs_hook=strict_pairs, parse_constant=refuse_constant)
    doubt_values(document)
    return document


def doubt_values(node):
    if isinstance(node, dict):
        for name, value in node.items():
            doubt_values(name)
            doubt_values(value)
    elif isinstance(node, list):
        for value in node:
            doubt_values(value)
    elif isinstance(node, str) and ("\0" in node or any(0xD800 <= ord(c) <= 0xDFFF for c in node)):
        raise Doubt("NUL or half a surrogate pair")
    elif isinstance(node, int) and not -2**63 <= node < 2**63:
        raise Doubt("an integer of more than 64 bits")
    elif isinstance(node, float) and abs(node) == float("inf"):
        raise Doubt("a number out of range")


def is_stricter(node, document, flat):
    """Whether a rule of the contract that Python's validator does not know forbids this document."""
    node = flat(node)
    kinds = node.get("type")
    if "integer" in (kinds, *(kinds if isinstance(kinds, list) else ())) and isinstance(document, float):
        return True
    if isinstance(document, str):
        form = node.get("format")
        return (form == "uuid" and not UUID.fullmatch(document) or form == "date-time" and moment(document) is None
                or form == "date" and not is_date(document) or "pattern" in node and document.endswith("\n"))
    if isinstance(document, list) and "items" in node:
        return any(is_stricter(node["items"], item, flat) for item in document)
    if isinstance(document, dict):
        return any(is_stricter(child, document[name], flat) for name, child in node.get("properties", {}).items()
                   if name in document)
    return False


class Oracle:
    """Validators of the events, from the schema files as they are."""

    def __init__(self, folder, flat):
        self.folder = folder
        self.flat = flat
        self.store = {path.as_uri(): json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
        self.validators = {}

    def validator(self, event):
        if event not in self.validators:
            uri = (self.folder / f"{event}.json").as_uri()
            resolver = jsonschema.RefResolver(uri, self.store[uri], store=self.store)
            self.validators[event] = jsonschema.Draft202012Validator(
                self.store[uri], resolver=resolver, format_checker=jsonschema.draft202012_format_checker)
        return self.validators[event]

    def verdict(self, event, text):
        """(what Python says, what the contract says, the document)."""
        try:
            document = load(text)
        except (Doubt, UnicodeDecodeError):
            return True, False, None
        except ValueError:
            return False, False, None
        good = self.validator(event).is_valid(document)
        root = {"$ref": f"{event}.json#"}
        return good, good and not is_stricter(root, document, self.flat), document


def normal(node, document, flat):
    """A document as the C code would keep it: known members, defaults, canonical uuids, times as numbers."""
    node = flat(node)
    if isinstance(document, dict) and "properties" in node:
        kept = {}
        for name, child in node["properties"].items():
            value = normal(child, document[name], flat) if name in document else flat(child).get("default")
            if value is not None and not (value == [] and name not in node.get("required", [])):
                kept[name] = value
        return kept
    if isinstance(document, list):
        return [normal(node["items"], item, flat) for item in document]
    if isinstance(document, str) and node.get("format") == "uuid":
        return document.lower()
    if isinstance(document, str) and node.get("format") == "date-time":
        return moment(document)
    return document
