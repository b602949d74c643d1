"""Good and bad documents made from a schema: seeded, boundary-minded, and blind to how the C code works."""
import copy
import datetime
import json
import random
import uuid

TEXTS = ("a", "hospital-001", "ä", "日本", "𝄞", "tab\there", 'quo"te', "back\\slash", "\u007f", "0",
         "Ünïcödé text", " ")
WRONG = (None, True, 0, -1, 1.5, "", "x", [], {}, [1], {"a": 1}, "O-", 10**30, 1e300)
TIMES = ("2026-02-28T23:59:59Z", "2024-02-29T00:00:00.000001+14:00", "2026-11-22t12:00:00.5z", "1970-01-01T00:00:00Z",
         "2026-12-31T23:59:59.999999-12:00", "0001-01-02T00:00:00Z", "9999-12-30T00:00:00Z",
         "2026-01-01T00:00:00+00:00")
BAD_TIMES = ("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z", "2026-01-01 00:00:00Z",
             "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00",
             "2026-01-01", "20260101T000000Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00",
             "2026-01-01T00:00:00+0100", "2026-1-1T00:00:00Z", "2026-06-31T00:00:00Z", "", "now",
             "2026-01-01T00:00:00Z ", "2026-01-01T00:00Z", "2026-01-01T00:00:00 Z", "2026-04-31T10:00:00+01:00")
BAD_UUIDS = ("", "6ba7b810-9dad-11d1-80b4-00c04fd430c", "6ba7b810-9dad-11d1-80b4-00c04fd430c88",
             "6ba7b8109dad11d180b400c04fd430c8",
             "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
             "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
             "6ba7b810-9dad-11d1-80b4_00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd4_0c8")
NEIGHBOURS = ("unknown", "rejected", "full", "reserved", "none", "NONE", "O+", "")  # values of other enums
PATTERN_SAMPLES = {
    "^[a-z0-9-]{1,64}$": ("hospital-001", "a", "-", "z" * 64, "0"),
    "^[a-z0-9_]{1,64}$": ("irradiated", "a", "_", "q" * 64),
    "^[a-z0-9_]{1,30}\\.[a-z0-9_]{1,30}\\.[a-z0-9_]{1,30}$": ("hospital.blood.request", "a.b.c"),
    "^[A-Z][A-Z0-9]{4}[0-9]{8}$": ("A999926000001", "Z000000000000", "GABCD98654321"),
    "^[A-Z][A-Z0-9]{4}[0-9]{8}-[A-Za-z0-9]{1,16}-[A-Za-z0-9]{2}$": ("A999926000001-E0336V00-00", "A999926000001-1-A0"),
    "^[A-Za-z0-9]{1,16}$": ("E0336V00", "x", "9" * 16),
    "^[A-Za-z0-9]{2}$": ("00", "A0", "zz"),
    "^[a-z0-9-]{1,64}\\.[0-9]{8}\\.[0-9]{4}$": ("dr-adams.20260301.0900", "-.00000000.9999", "z" * 64 + ".20260301.0000"),
    "^[a-z0-9._-]{1,64}$": ("bridge.1b4e28ba", "a", ".", "_-", "z" * 64),
    "^[0-9A-F]{8}$": ("00000001", "0A1B2C3D", "FFFFFFFF"),
    "^[0-2][0-9]:[0-5][0-9]$": ("09:00", "24:00", "29:59"),
}


class Maker:
    """Documents of one schema library (generator.schemas.Library), by one seed."""

    def __init__(self, library, seed):
        self.documents = library
        self.random = random.Random(seed)

    def flat(self, node):
        return self.documents.flat(node, "test")[0]

    def good(self, node):
        node = self.flat(node)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return self.random.choice(node["enum"])
        kind = node["type"]
        if isinstance(kind, list):
            if self.random.random() < 0.3:
                return None
            kind = next(name for name in kind if name != "null")
        return getattr(self, f"good_{kind}")(node)

    def good_object(self, node):
        required = node.get("required", [])
        sets = [one["required"] for one in node.get("oneOf", [])]
        chosen = self.random.choice(sets) if sets else []
        others = {name for names in sets for name in names} - set(chosen)
        names = [name for name in node["properties"]
                 if name in required or name in chosen or (name not in others and self.random.random() < 0.6)]
        self.random.shuffle(names)
        return {name: self.good(node["properties"][name]) for name in names}

    def good_array(self, node):
        low, high = node.get("minItems", 0), node.get("maxItems", 5)
        count = self.random.choice((low, low, min(low + 1, high), self.random.randint(low, min(high, low + 4)), high))
        if count > 20 and self.random.random() < 0.9:
            count = max(low, 2)
        return [self.good(node["items"]) for _ in range(count)]

    def good_string(self, node):
        if "format" in node:
            return self.good_format(node["format"])
        if "pattern" in node:
            return self.random.choice(PATTERN_SAMPLES[node["pattern"]])
        low, high = node.get("minLength", 0), node.get("maxLength", 100)
        wanted = self.random.choice((low, low + 1, high, self.random.randint(low, high)))
        text = "".join(self.random.choice(TEXTS) for _ in range(wanted))
        return text[:wanted]

    def good_format(self, name):
        if name == "uuid":
            text = str(uuid.UUID(int=self.random.getrandbits(128)))
            return text.upper() if self.random.random() < 0.2 else text
        if name == "date":
            return str(datetime.date(1, 1, 1) + datetime.timedelta(days=self.random.randrange(3652058)))
        return self.random.choice(TIMES)

    def good_integer(self, node):
        low, high = node.get("minimum", -2**63), node.get("maximum", 2**63 - 1)
        return self.random.choice((low, high, self.random.randint(low, high)))

    def good_number(self, node):
        low = node.get("minimum", -1e6)
        return self.random.choice((low, low + 0.5, low + 1, low + 1e-9, low + 123456.789, 1e21))

    def good_boolean(self, _node):
        return self.random.random() < 0.5

    def spots(self, node, document, path=()):
        """Every place of a document with its schema: [(path, schema)]."""
        node = self.flat(node)
        yield path, node
        if isinstance(document, dict):
            for name, child in document.items():
                if name in node.get("properties", {}):
                    yield from self.spots(node["properties"][name], child, path + (name,))
        elif isinstance(document, list) and document:
            for index in (0, len(document) - 1):
                yield from self.spots(node["items"], document[index], path + (index,))

    def mutant(self, node, document):
        """A copy of a good document changed in one place; as JSON text. May be good by chance."""
        document = copy.deepcopy(document)
        spots = [spot for spot in self.spots(node, document) if spot[0]]
        if not spots:  # an empty object: only the whole of it can be another
            return json.dumps(self.random.choice(WRONG))
        path, schema = self.random.choice(spots)
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        self.random.choice((self.change_value, self.change_value, self.change_type, self.change_presence,
                            self.change_boundary))(holder, path[-1], schema)
        return json.dumps(document, ensure_ascii=self.random.random() < 0.5)

    def change_value(self, holder, step, schema):
        value = holder[step]
        if schema.get("format") == "date-time":
            holder[step] = self.random.choice(BAD_TIMES)
        elif schema.get("format") == "uuid":
            holder[step] = self.random.choice(BAD_UUIDS)
        elif "enum" in schema or "const" in schema:
            holder[step] = self.random.choice(NEIGHBOURS + (value.swapcase(), value + "\n", " " + value, value[:-1]))
        elif isinstance(value, str):
            holder[step] = self.random.choice((value.swapcase(), value + "\n", value + "-", " " + value, value[:-1],
                                               value + "é"))
        elif isinstance(value, list) and value:
            value.append(self.random.choice((value[0], self.random.choice(WRONG))))
        elif isinstance(value, dict):
            value["unknown_member"] = self.random.choice(WRONG)
        else:
            holder[step] = self.random.choice(WRONG)

    def change_type(self, holder, step, _schema):
        holder[step] = self.random.choice(WRONG)

    def change_presence(self, holder, step, _schema):
        del holder[step]

    def change_boundary(self, holder, step, schema):
        if "minimum" in schema or "maximum" in schema:
            holder[step] = self.random.choice((schema.get("minimum", 0) - 1, schema.get("maximum", 10**20) + 1,
                                               float(schema.get("minimum", 0)), schema.get("minimum", 0) + 0.5))
        elif "maxLength" in schema or "minLength" in schema:
            length = self.random.choice((max(schema.get("minLength", 0) - 1, 0), schema.get("maxLength", 100) + 1))
            holder[step] = self.random.choice(("x", "é", "𝄞")) * length
        elif isinstance(holder[step], list):
            fill = holder[step][0] if holder[step] else self.good(schema["items"])
            count = self.random.choice((max(schema.get("minItems", 0) - 1, 0), schema.get("maxItems", 5) + 1))
            holder[step] = [fill] * count
        else:
            self.change_type(holder, step, schema)
