"""The generator refuses what the C code could not check, and never ignores it."""
import json

import pytest

from generator.contract import Contract
from generator.model import Model
from generator.schemas import Library, Refused
import reader

OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}

UNKNOWN = [  # every keyword of JSON Schema 2020-12 that is outside of the subset, and of older drafts
    {"additionalProperties": False}, {"patternProperties": {}}, {"propertyNames": {}}, {"minProperties": 1},
    {"maxProperties": 1}, {"dependentRequired": {}}, {"dependentSchemas": {}}, {"dependencies": {}}, {"allOf": []},
    {"anyOf": []}, {"not": {}}, {"if": {}}, {"then": {}}, {"else": {}}, {"unevaluatedProperties": False},
    {"$anchor": "a"}, {"$dynamicRef": "#a"}, {"$dynamicAnchor": "a"}, {"$recursiveRef": "#"}, {"definitions": {}},
    {"readOnly": True}, {"deprecated": True}, {"contentEncoding": "base64"}, {"nullable": True}, {"divisibleBy": 2},
    {"requierd": ["a"]}, {"enum": [{}]}, {"const": {}}, {"minItems": 1}, {"pattern": "^a$"}, {"$vocabulary": {}},
]
FIELDS = [
    {}, True, {"type": "null"}, {"type": ["string", "integer"]}, {"type": ["string", "integer", "null"]},
    {"type": "text"},
    {"type": "string", "pattern": "a+"}, {"type": "string", "pattern": "^a*$"},
    {"type": "string", "pattern": "^(a|b)$"},
    {"type": "string", "pattern": "^[^a]$"}, {"type": "string", "pattern": "^a?$"},
    {"type": "string", "pattern": "^.$"},
    {"type": "string", "pattern": "^[a-z]+[a-z0-9]+$"}, {"type": "string", "pattern": "^\\d$"},
    {"type": "string", "pattern": 1},
    {"type": "string", "format": "email"}, {"type": "string", "format": "time"}, {"type": "string", "minimum": 1},
    {"type": "integer", "exclusiveMinimum": 1}, {"type": "integer", "multipleOf": 2},
    {"type": "integer", "enum": [1, 2]},
    {"type": "integer", "maxLength": 2}, {"type": "string", "minLength": -1}, {"type": "string", "minLength": 1.5},
    {"type": "array"}, {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
    {"type": "array", "items": [{"type": "string"}]},
    {"type": "array", "items": {"type": "string"}, "prefixItems": []},
    {"type": "array", "items": {"type": "string"}, "contains": {}},
    {"type": "array", "items": {"type": ["string", "null"]}},
    {"type": "array", "items": OBJECT, "uniqueItems": True},
    {"type": "array", "items": {"type": "string"}, "default": ["a"]},
    {"type": "object"}, {"type": "object", "properties": {}},
    {"type": "object", "properties": {"default": {"type": "string"}}},
    {"type": "object", "properties": {"A": {"type": "string"}}}, {"type": "object", "properties": {"a": {}}},
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
    {"type": "object", "properties": {"a": {"type": "string"}}, "oneOf": [{"type": "object"}]},
    {"type": "object", "properties": {"a": {"type": "string"}}, "oneOf": [{"required": ["z"]}]},
    {"type": "string", "default": 1}, {"type": "integer", "default": "a"}, {"type": "integer", "default": True},
    {"type": "integer", "maximum": 5, "default": 6}, {"type": "string", "enum": ["a"], "default": "b"},
    {"type": "string", "enum": []}, {"type": "string", "enum": ["a", "a"]}, {"type": "string", "enum": ["a", 1]},
    {"type": "string", "enum": ["a"], "maxLength": 1}, {"type": "string", "format": "date-time", "maxLength": 1},
    {"type": "string", "enum": [f"v{i}" for i in range(64)]}, {"$ref": "common.json#/$defs/nothing"}, {"$ref": 1},
    {"$ref": "x.event.json"}, {"$ref": "nothere.json"}, {"$ref": "common.json#/$defs/quantity", "type": "string"},
    {"$ref": "common.json#/$defs/decision", "enum": ["maybe"]},
    {"$ref": "common.json#/$defs/sample", "properties": {"id": {"type": "string"}}},
]


def model_of(document):
    library = Library(str(reader.TOPOLOGY / "schemas"))
    library.file("common.json")
    library.add("x.event.json", document)
    model = Model(library)
    return model, model.add_event("x.event")


@pytest.mark.parametrize("keyword", UNKNOWN, ids=lambda keyword: next(iter(keyword)))
def test_unknown_keyword_of_an_object(keyword):
    with pytest.raises(Refused):
        model_of(OBJECT | keyword)


@pytest.mark.parametrize("keyword", [k for k in UNKNOWN if not {"enum", "const", "pattern"} & k.keys()],
                         ids=lambda keyword: next(iter(keyword)))
def test_unknown_keyword_of_a_text(keyword):
    with pytest.raises(Refused):
        model_of({"type": "object", "properties": {"a": {"type": "string"} | keyword}})


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: json.dumps(field)[:60])
def test_member_outside_of_the_subset(field):
    with pytest.raises(Refused):
        model_of({"type": "object", "properties": {"a": field}})


def test_more_members_than_a_mask_has_bits():
    members = {f"m{number}": {"type": "string"} for number in range(65)}
    with pytest.raises(Refused):
        model_of({"type": "object", "properties": members})
    del members["m64"]
    assert len(model_of({"type": "object", "properties": members})[1].fields) == 64


def test_limits_beside_a_ref_narrow():
    _, made = model_of({"type": "object", "properties": {
        "a": {"$ref": "common.json#/$defs/quantity", "maximum": 1000, "minimum": 5},
        "b": {"$ref": "common.json#/$defs/decision", "const": "rejected"}}})
    assert made.fields[0].integer == (5, 100)
    assert made.fields[1].allowed == ["rejected"] and made.fields[1].enum == "decision"


def test_one_enum_for_both_kinds_of_blood_group(contract):
    groups = contract.model.enums["blood_group"]
    assert groups[-1] == "unknown" and len(groups) == 9
    unit = next(field for field in contract.model.objects["received_unit"].fields if field.name == "group")
    assert unit.enum == "blood_group" and "unknown" not in unit.allowed


def test_order_of_fields_is_that_of_the_schema(contract):
    base = [field.name for field in contract.model.objects["hospital_blood_request"].fields]
    more = [field.name for field in contract.model.objects["hospital_blood_requested"].fields]
    assert more == base + ["requested_at", "version"]


def test_same_input_same_code(tmp_path):
    from generator import code
    first, second = (Contract(str(reader.TOPOLOGY)) for _ in range(2))
    assert code.source(first.model, first.events) == code.source(second.model, second.events)
    assert code.header(first.model, first.events) == code.header(second.model, second.events)
