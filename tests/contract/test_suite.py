"""The JSON Schema Test Suite: groups inside the subset behave as it says, all others are refused by the generator."""
import json
import pathlib
import types

import jsonschema
import pytest

import oracle
import reader
from generator import code
from generator.model import Model
from generator.schemas import Library, Refused

SUITE = pathlib.Path("/usr/share/json-schema-test-suite/tests/draft7")
SUBSET = {"type", "required", "properties", "ref", "enum", "const", "minimum", "maximum", "minLength", "maxLength",
          "minItems", "maxItems", "uniqueItems", "default", "pattern", "format", "items", "oneOf"}
IMPLIED = {"minimum": "number", "maximum": "number", "minLength": "string", "maxLength": "string", "pattern": "string",
           "format": "string", "minItems": "array", "maxItems": "array", "uniqueItems": "array", "items": "array",
           "required": "object", "properties": "object"}
ACCEPTED_MIN = 25

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason="package json-schema-test-suite is not installed")


def groups():
    """The groups of draft 7, its definitions named as 2020-12 names them."""
    optional = [SUITE / "optional" / "zeroTerminatedFloats.json", SUITE / "optional" / "bignum.json"]
    for path in sorted(SUITE.glob("*.json")) + sorted((SUITE / "optional" / "format").glob("date*.json")) + optional:
        text = path.read_text("utf-8").replace('"definitions"', '"$defs"').replace("/definitions/", "/$defs/")
        for group in json.loads(text):
            yield path.stem, group["description"], group["schema"], group["tests"]


def implied_type(schema):
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values and all(isinstance(value, str) for value in values):
        return "string"
    if len(values) == 1 and isinstance(values[0], int) and not isinstance(values[0], bool):
        return "integer"
    return next((IMPLIED[key] for key in schema if key in IMPLIED), None)


def typed(schema):
    """The schema with the types that its keywords speak of, as the subset wants every node to have one."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return schema
    made = dict(schema)
    if "type" not in made and implied_type(made):
        made["type"] = implied_type(made)
    if made.get("type") == "array":
        made["items"] = typed(made.get("items", {"type": "integer"}))
    if made.get("type") == "object":
        named = {name: {"type": "integer"} for name in made.get("required", [])} or {"unused": {"type": "integer"}}
        given = {name: typed(child) or {"type": "integer"} for name, child in made.get("properties", {}).items()}
        made["properties"] = named | given
    return made


def wrapped(schema):
    """An event whose member `value` is the schema; pointers from the root still lead into it."""
    made = typed(schema)
    if not isinstance(made, dict) or "$defs" not in made:
        return {"type": "object", "required": ["value"], "properties": {"value": made}}
    defs = made["$defs"]
    body = {key: node for key, node in made.items() if key != "$defs"}
    return {"type": "object", "required": ["value"], "properties": {"value": body}, "$defs": defs}


def event_of(name):
    return types.SimpleNamespace(name=name, exchange="suite", id_field=None, schema_version=1, has_emergency_lane=False,
                                 mandatory=False, is_answer=False)


@pytest.fixture(scope="module")
def accepted(tmp_path_factory):
    """[(event, file, description, schema as given, schema as wrapped, tests)] and the program that reads them."""
    library, taken = Library("/nowhere"), []
    library.add("common.json", {})
    model = Model(library)
    model.enums["urgency"] = ["emergency"]
    for number, (file, description, schema, tests) in enumerate(groups()):
        event = f"suite.{file.replace('-', '_').lower()}.n{number}"
        library.add(f"{event}.json", wrapped(schema))
        trial = Model(library)
        try:
            trial.add_event(event)
        except Refused:
            continue
        model.add_event(event)
        taken.append((event, file, description, schema, wrapped(schema), tests))
    folder = tmp_path_factory.mktemp("suite")
    events = [event_of(event) for event, *_ in taken]
    (folder / "events.h").write_text(code.header(model, events), "utf-8")
    (folder / "events.c").write_text(code.source(model, events), "utf-8")
    return taken, reader.build(folder), library


def test_what_is_outside_is_refused(accepted):
    files = {file for _, file, *_ in accepted[0]}
    for _, file, description, schema, *_ in accepted[0]:
        assert file in SUBSET or f'"{file}":' not in json.dumps(schema), f"{file}: {description}"
    assert len(accepted[0]) >= ACCEPTED_MIN, [description for _, _, description, *_ in accepted[0]]
    assert {"type", "required", "properties", "enum", "const", "minimum", "maximum", "minLength", "maxLength", "ref",
            "minItems", "maxItems", "uniqueItems", "date", "date-time", "zeroTerminatedFloats"} <= files


def verdict(event, schema, wrapper, test, flat):
    """The suite's own word where its schema was taken as it is; python3-jsonschema's where types were added."""
    document = {"value": test["data"]}
    try:
        oracle.doubt_values(document)
    except oracle.Doubt:
        return False
    if oracle.is_stricter({"$ref": f"{event}.json#"}, document, flat):
        return False
    if schema == wrapper["properties"]["value"]:
        return test["valid"]
    checker = jsonschema.draft202012_format_checker
    return jsonschema.Draft202012Validator(wrapper, format_checker=checker).is_valid(document)


def test_accepted_groups_behave(accepted):
    taken, program, library = accepted
    lines, wanted = [], []
    for event, file, description, schema, wrapper, tests in taken:
        for test in tests:
            lines.append((event, json.dumps({"value": test["data"]})))
            good = verdict(event, schema, wrapper, test, lambda node: library.flat(node, "test")[0])
            wanted.append((good, f"{file}: {description}: {test['description']}"))
    for (is_good, said), (is_wanted, name), (_, text) in zip(reader.ask(program, lines), wanted, lines):
        assert is_good == is_wanted, f"{name}: {text}: {said}"
    assert sum(is_wanted for is_wanted, _ in wanted) >= 25 and len(wanted) >= 90
