"""The description of the HTTP door: whole, self-contained, true to the contract's schemas, its examples valid."""
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BUNDLER = PROJECT / "workers" / "bridge" / "bundle_openapi.py"
SOURCE = PROJECT / "workers" / "bridge" / "openapi.yaml"
SCHEMAS = PROJECT / "amqp-topology" / "schemas"
METHODS = {"get", "put", "post", "delete", "patch"}
MADE = {"/v1/blood-requests", "/v1/appointments"}  # what they make can be read, and waited for
OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json"}


def bundle(source, folder):
    return subprocess.run([sys.executable, str(BUNDLER), str(source), str(folder)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder with openapi.json and the C array."""
    folder = tmp_path_factory.mktemp("openapi")
    done = bundle(SOURCE, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def document(made):
    return json.loads((made / "openapi.json").read_text(encoding="utf-8"))


def nodes(node, path=""):
    """Every object of the document with its place."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for number, item in enumerate(node):
            yield from nodes(item, f"{path}/{number}")


def resolve(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def references(document):
    """Those that are references: not a property that is called so."""
    return [(path, node["$ref"]) for path, node in nodes(document) if isinstance(node.get("$ref"), str)]


def test_every_reference_leads_somewhere_inside(document):
    assert len(references(document)) > 100
    for path, reference in references(document):
        assert reference.startswith("#/"), f"{path}: {reference} leads outside"
        assert resolve(document, reference) is not None


def test_every_component_is_used(document):
    used = {reference for _, reference in references(document)}
    for kind, names in document["components"].items():
        if kind != "securitySchemes":
            assert not [name for name in names if f"#/components/{kind}/{name}" not in used], kind


def localized(node, file):
    """A schema of the contract as the bundle should have it, written independently of the bundler."""
    if isinstance(node, list):
        return [localized(item, file) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: localized(value, file) for key, value in node.items() if key not in ("$schema", "$defs", "x-c-enum")}
    if "$ref" in copy:
        name, _, pointer = copy["$ref"].partition("#/$defs/")
        copy["$ref"] = "#/components/schemas/" + (pointer or name.removesuffix(".json"))
    return copy


def test_schemas_are_the_contracts_own(document):
    common = json.loads((SCHEMAS / "common.json").read_text(encoding="utf-8"))["$defs"]
    shared = 0
    for name, schema in document["components"]["schemas"].items():
        file = SCHEMAS / f"{name}.json"
        if file.exists() or name in common:
            source = json.loads(file.read_text(encoding="utf-8")) if file.exists() else common[name]
            assert schema == localized(source, file), name
            shared += 1
    assert shared > 40


def validator(document, schema):
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"], **schema}
    return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())


def examples(document):
    """(place, schema, value) of each example of a JSON body and of each parameter."""
    for path, node in nodes(document):
        if re.search(r"/content/application/(problem\+)?json$", path) and "schema" in node:
            for name, example in node.get("examples", {}).items():
                yield f"{path}/{name}", node["schema"], example["value"]
        elif "schema" in node and "example" in node and "in" in node:
            yield path, node["schema"], node["example"]


def test_examples_are_valid(document):
    found = list(examples(document))
    assert len(found) > 12
    for place, schema, value in found:
        errors = [error.message for error in validator(document, schema).iter_errors(value)]
        assert not errors, f"{place}: {errors}"


def test_examples_would_be_refused(document):
    """The validator that accepts them can also refuse."""
    schema = {"$ref": "#/components/schemas/hospital.blood.request"}
    good = document["paths"]["/v1/blood-requests"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    bad = {**good["emergency"]["value"], "quantity": 101}
    assert [error.message for error in validator(document, schema).iter_errors(bad)]


def test_operations_are_complete(document):
    seen = set()
    for path, method, operation in operations(document):
        assert operation["operationId"] not in seen
        seen.add(operation["operationId"])
        assert operation["summary"] and operation["tags"]
        answers = set(operation["responses"])
        if path in OPEN:
            assert operation["security"] == [] and "401" not in answers, path
            continue
        assert {"400", "401", "403", "429", "503"} <= answers, (path, method)
        if method == "post":
            assert {"202", "413", "415", "422"} <= answers, path
            named = {parameter.get("$ref", "").rsplit("/", 1)[-1] for parameter in operation["parameters"]}
            assert "idempotency_key" in named, path
            headers = operation["responses"]["202"]["headers"].keys()
            assert "Retry-After" in headers, path
            assert ("prefer" in named) == ("Location" in headers) == (path in MADE), path


def test_refusals_are_problems(document):
    for name, response in document["components"]["responses"].items():
        if name not in ("not_ready", "not_modified"):
            assert list(response["content"]) == ["application/problem+json"], name
    assert {"title", "status", "code"} <= set(document["components"]["schemas"]["problem"]["required"])


def test_the_text_inside_the_bridge_is_the_file(made):
    source = (made / "openapi_data.c").read_text(encoding="utf-8")
    numbers = re.search(r"openapi_text\[\] = \{(.*?)\};", source, re.DOTALL)[1]
    data = bytes(int(number) for number in re.findall(r"\d+", numbers))
    assert data == (made / "openapi.json").read_bytes() + b"\0"


def test_bundling_twice_gives_the_same(made, tmp_path):
    assert bundle(SOURCE, tmp_path).returncode == 0
    assert (tmp_path / "openapi.json").read_bytes() == (made / "openapi.json").read_bytes()


@pytest.mark.parametrize("schemas, reference, complaint", [
    ({}, "gone.json", "gone.json"),
    ({"a.json": {"type": "object"}}, "a.json#/$defs/none", "leads nowhere"),
    ({"a.json": {"properties": {"x": {}}}}, "a.json#/properties/x", "only whole files"),
    ({"a.json": {"$defs": {"b": {}}}, "b.json": {"$ref": "a.json#/$defs/b"}}, "b.json", "would both be 'b'"),
    ({"problem.json": {}}, "problem.json", "already a component 'problem'"),
])
def test_what_cannot_be_bundled_is_refused(tmp_path, schemas, reference, complaint):
    for name, schema in schemas.items():
        (tmp_path / name).write_text(json.dumps(schema), encoding="utf-8")
    source = tmp_path / "openapi.yaml"
    source.write_text(json.dumps({"openapi": "3.1.0", "paths": {"/": {"schema": {"$ref": reference}}},
                                  "components": {"schemas": {"problem": {}}}}), encoding="utf-8")
    done = bundle(source, tmp_path)
    assert done.returncode != 0 and complaint in done.stderr
