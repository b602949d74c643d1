"""The lint of the flow notices each kind of fault, and asyncapi.yaml has the shape that AsyncAPI 3 gives it."""
import re
import shutil

import pytest
import yaml

import reader
from generator import flow
from generator.contract import Contract
from generator.schemas import Refused


def changed(tmp_path, change):
    """The contract with its document changed by `change`."""
    shutil.copytree(reader.TOPOLOGY / "schemas", tmp_path / "schemas")
    document = yaml.safe_load((reader.TOPOLOGY / "asyncapi.yaml").read_text("utf-8"))
    change(document["x-topology"]["events"], document)
    (tmp_path / "asyncapi.yaml").write_text(yaml.safe_dump(document), "utf-8")
    return Contract(str(tmp_path))


def test_contract_is_sound(contract):
    assert not flow.lint(contract)


FAULTS = {
    "orphan": (lambda events, _: events["bloodbank.unit.expired"].update(emitters=[]), "nobody emits it"),
    "unheard": (lambda events, _: events["bloodbank.unit.expired"].update(consumers=[]), "nobody consumes it"),
    "stranger": (lambda events, _: events["bloodbank.unit.expired"]["emitters"].append("nobody"), "is no user"),
    "uncaused": (lambda events, _: events["bloodbank.unit.expired"].update(caused_by={}), "nothing causes bloodbank"),
    "deaf": (lambda events, _: events["bloodbank.unit.expired"].update(
        caused_by={"bloodbank": ["hospital.blood.request"]}),
             "which bloodbank does not consume"),
    "unemitted": (lambda events, _: events["bloodbank.unit.expired"]["caused_by"].update(hospital=["timer"]),
                  "which does not emit it"),
    "cycle": (lambda events, _: events["hospital.blood.requested"]["caused_by"]["hospital"].append(
        "bloodbank.blood.approved"),
              "may cause itself"),
    "unbound queue": (lambda _, document: document["x-topology"]["queues"].update(
        lonely={"kind": "work", "owner": "hospital"}), "nothing is bound to it"),
    "missing lane": (lambda _, document: document["x-topology"]["queues"].pop("hospital.emergency"), "not declared"),
    "no owner": (lambda _, document: document["x-topology"]["queues"]["bloodbank"].update(owner="x"), "is no user"),
}


@pytest.mark.parametrize("change, said", FAULTS.values(), ids=FAULTS)
def test_fault_is_noticed(change, said, tmp_path):
    faults = flow.lint(changed(tmp_path, change))
    assert any(said in fault for fault in faults), faults


def test_cycle_that_says_how_it_ends_is_allowed(tmp_path):
    def change(events, _):
        events["hospital.blood.requested"]["caused_by"]["hospital"].append("bloodbank.blood.approved")
        for name in ("hospital.blood.requested", "bloodbank.blood.approved"):
            events[name]["loops"] = "each request is replaced at most once"
    assert not flow.lint(changed(tmp_path, change))


REFUSED = {
    "event without a channel": lambda events, document: document["channels"].pop("bloodbank.unit.expired"),
    "event without a row": lambda events, document: events.pop("bloodbank.unit.expired"),
    "wrong address": lambda events, document: document["channels"]["bloodbank.unit.expired"].update(address="x"),
    "lane without address": lambda events, document: events["bloodbank.unit.expired"].update(lane=True),
    "unknown word": lambda events, document: events["bloodbank.unit.expired"].update(emiters=["bloodbank"]),
    "consumer is no queue": lambda events, document: events["bloodbank.unit.expired"].update(consumers=["hospitl"]),
    "id is no member": lambda events, document: events["bloodbank.unit.expired"].update(id_field="command_id"),
    "id is no uuid": lambda events, document: events["bloodbank.unit.expired"].update(id_field="unit_id"),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_contradiction_is_refused(change, tmp_path):
    with pytest.raises(Refused):
        changed(tmp_path, change)


def test_only_events_with_a_queue_are_mandatory(contract):
    mandatory = {event.name for event in contract.events if event.mandatory}
    assert not {"bloodbank.unit.received", "notification.message.delivered", "hospital.request.answered"} & mandatory
    assert {"hospital.blood.requested", "hospital.request.updated", "bloodbank.blood.approved", "bloodbank.unit.receive",
            "bloodbank.inventory.updated", "notification.message.created"} <= mandatory


def test_page_names_every_event_and_queue(contract):
    page = flow.page(contract)
    for name in [event.name for event in contract.events] + list(contract.queues):
        assert name in page


# -- AsyncAPI 3

def references(node, path=()):
    if isinstance(node, dict):
        if "$ref" in node:
            yield path, node["$ref"]
        for key, value in node.items():
            yield from references(value, path + (key,))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from references(value, path + (index,))


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load((reader.TOPOLOGY / "asyncapi.yaml").read_text("utf-8"))


def test_asyncapi_head(document):
    assert document["asyncapi"] == "3.0.0"
    assert set(document) == {"asyncapi", "id", "info", "defaultContentType", "servers", "channels", "components",
                             "x-topology"}
    assert {"title", "version"} <= set(document["info"])
    for server in document["servers"].values():
        assert {"host", "protocol"} <= set(server)


def test_asyncapi_references_lead_somewhere(document):
    found = list(references({key: value for key, value in document.items() if key != "x-topology"}))
    assert len(found) > 3 * len(document["channels"])
    for path, reference in found:
        if reference.startswith("#/"):
            node = document
            for part in reference[2:].split("/"):
                node = node[part]
        else:
            assert (reader.TOPOLOGY / reference).is_file(), f"{path}: {reference}"


def test_asyncapi_components_are_well_named(document):
    for kind in document["components"].values():
        for name in kind:
            assert re.fullmatch(r"[a-zA-Z0-9.\-_]+", name)


def test_asyncapi_channels(document):
    for name, channel in document["channels"].items():
        assert set(channel) <= {"address", "parameters", "messages", "bindings", "title", "summary", "description"}
        wanted = set(re.findall(r"\{(\w+)\}", channel["address"]))
        assert wanted == set(channel.get("parameters", {})), name
    for parameter in document["components"]["parameters"].values():
        assert set(parameter) <= {"enum", "default", "description", "examples", "location"}
    for binding in document["components"]["channelBindings"].values():
        amqp = binding["amqp"]
        assert amqp["is"] == "routingKey" and amqp["exchange"]["type"] == "topic"
        assert set(amqp) <= {"is", "exchange", "queue", "bindingVersion"}


def test_asyncapi_messages(document):
    allowed = {"headers", "payload", "correlationId", "contentType", "name", "title", "summary", "description", "tags",
               "externalDocs", "bindings", "examples", "traits"}
    for name, message in document["components"]["messages"].items():
        assert set(message) <= allowed and message["name"] == name
        assert message["payload"]["$ref"] == f"schemas/{name}.json"
    for trait in document["components"]["messageTraits"].values():
        assert set(trait) <= allowed - {"payload", "traits"}
