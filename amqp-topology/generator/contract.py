"""Reads asyncapi.yaml: the events and what `x-topology` says of them, checked against each other."""

import os
import re

import yaml

from .model import Model
from .schemas import Library, Refused

EVENT_NAME = re.compile(r"^[a-z]+\.[a-z_]+\.[a-z_]+$")
EVENT_KEYS = {"emitters", "consumers", "lane", "id_field", "caused_by", "loops", "version"}
PLACES = {"views", "feed", "asker", "cache"}  # consumers that are no queues
TIMER = "timer"
QUESTIONS = "questions"  # the exchange for queries
CACHES = "caches"  # and for what is for one cache


class Event:
    """One row of x-topology.events."""

    def __init__(self, name, row, queues):
        unknown = set(row) - EVENT_KEYS
        if unknown or not EVENT_NAME.match(name):
            raise Refused(f"event {name}: unknown {sorted(unknown)}, or not named context.noun.verb")
        self.name = name
        self.context = name.split(".")[0]
        self.emitters = row.get("emitters", [])
        self.consumers = row.get("consumers", [])
        self.has_emergency_lane = row.get("lane", False)
        self.id_field = row.get("id_field")
        self.caused_by = row.get("caused_by", {})
        self.loops = row.get("loops")
        self.schema_version = row.get("version", 1)
        self.queues = [consumer for consumer in self.consumers if consumer in queues]
        self.is_answer = "asker" in self.consumers
        self.is_query = any(queues[queue]["kind"] == "query" for queue in self.queues)
        self.is_for_cache = "cache" in self.consumers
        self.exchange = QUESTIONS if self.is_query else CACHES if self.is_for_cache else self.context
        self.mandatory = bool(self.queues)
        strangers = set(self.consumers) - set(self.queues) - PLACES
        if strangers:
            raise Refused(f"event {name}: consumers {sorted(strangers)} are no queues")

    def keys(self):
        """Routing keys it is published under."""
        if self.is_answer:
            return [f"{self.context}.answer.*"]
        if self.is_for_cache:
            return [f"{self.context}.cache.*"]
        return [self.name] + ([f"{self.name}.emergency"] if self.has_emergency_lane else [])


class Contract:
    """asyncapi.yaml and schemas/, read once."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "asyncapi.yaml")
        with open(self.path, encoding="utf-8") as stream:
            self.document = yaml.safe_load(stream)
        self.topology = self.document["x-topology"]
        self.queues = self.topology["queues"]
        self.users = self.topology["users"]
        self.events = [Event(name, row, self.queues) for name, row in self.topology["events"].items()]
        self.check_channels()
        self.documents = Library(os.path.join(folder, "schemas"))
        self.documents.file("common.json")
        self.model = Model(self.documents)
        for event in self.events:
            made = self.model.add_event(event.name)
            self.check_members(event, {field.name: field for field in made.fields})

    def check_channels(self):
        """Every event has a channel and a message of its name, and the channel the address its keys need."""
        channels, messages = self.document["channels"], self.document["components"]["messages"]
        names = {event.name for event in self.events}
        if names != set(channels) or names != set(messages):
            raise Refused(f"channels, messages and x-topology.events differ: "
                          f"{sorted(names ^ set(channels) | names ^ set(messages))}")
        for event in self.events:
            address = f"{event.context}.answer.{{asker}}" if event.is_answer else event.name
            address = f"{event.context}.cache.{{cache}}" if event.is_for_cache else address
            address += "{lane}" if event.has_emergency_lane else ""
            if channels[event.name]["address"] != address:
                raise Refused(f"channel {event.name}: the address must be {address}")
            if event.context not in self.topology["contexts"]:
                raise Refused(f"event {event.name}: {event.context} is no context")

    def check_members(self, event, fields):
        if event.id_field and (event.id_field not in fields or fields[event.id_field].kind != "UUID"):
            raise Refused(f"event {event.name}: id_field {event.id_field} is no uuid of its body")
        if event.has_emergency_lane and "urgency" not in fields:
            raise Refused(f"event {event.name}: has an emergency lane but no urgency")

    def sources(self):
        """Every file the result depends on, for a depfile."""
        schemas = [os.path.join(self.folder, "schemas", name) for name in sorted(self.documents.files)]
        here = os.path.dirname(os.path.abspath(__file__))
        code = [os.path.join(here, name) for name in sorted(os.listdir(here)) if name.endswith(".py")]
        return [self.path] + schemas + code
