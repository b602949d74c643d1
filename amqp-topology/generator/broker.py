"""RabbitMQ definitions: exchanges, queues, bindings, policies, users, and what each user may do."""

import base64
import hashlib
import os
import re

NOTHING = "^$"
EVERYTHING = ".*"
ASKER = "[a-z0-9._-]+"
FEED = "feed"
ANSWERS = "answers"
CACHES = "caches"
SALT_BYTES = 4
TAGS = {"administrator": ["administrator"], "watcher": ["monitoring"]}


def one_of(patterns):
    """An anchored regular expression that matches one of the patterns whole; nothing for none."""
    patterns = sorted(set(patterns))
    if not patterns:
        return NOTHING
    return f"^{patterns[0]}$" if len(patterns) == 1 else "^(" + "|".join(patterns) + ")$"


def parked_queues(contract):
    """{queue: its parked queue}; questions are not parked, nobody waits for them any more."""
    return {name: f"{name}.parked" for name, queue in contract.queues.items() if queue["kind"] == "work"}


def topic_exchanges(contract):
    extra = [name for name, kind in contract.topology["exchanges"].items() if kind == "topic"]
    return list(contract.topology["contexts"]) + extra


def exchanges(contract):
    kinds = {name: "topic" for name in contract.topology["contexts"]} | contract.topology["exchanges"]
    return [{"name": name, "type": kind, "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
            for name, kind in kinds.items()]


def queue_row(name, single_active_consumer=False):
    arguments = {"x-queue-type": "quorum"}
    if single_active_consumer:
        arguments["x-single-active-consumer"] = True
    return {"name": name, "durable": True, "auto_delete": False, "arguments": arguments}


def queues(contract):
    rows = [queue_row(name, queue.get("single_active_consumer", False)) for name, queue in contract.queues.items()]
    return rows + [queue_row(parked) for parked in parked_queues(contract).values()]


def binding_row(source, destination, key, kind="queue"):
    return {"source": source, "destination": destination, "destination_type": kind, "routing_key": key, "arguments": {}}


def unique(rows):
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def users_of_kind(contract, kind):
    return [user for user, about in contract.users.items() if about["kind"] == kind]


def own_name(contract, user):
    """How the names of its own queues begin, and its name as an asker and as a cache."""
    return contract.users[user].get("of", user)


def hears(contract, user, exchange):
    """Whether a user may bind to one of the exchanges that are for listening."""
    return exchange in contract.users[user].get("hears", [])


def feed_bindings(contract):
    """What people may watch, and the answers to their own questions; never a `#`, which would blind `mandatory`."""
    rows = []
    for event in contract.events:
        keys = event.keys() if "feed" in event.consumers else []
        if event.is_answer:
            keys = [f"{event.context}.answer.{user}.#" for user in users_of_kind(contract, "watcher")]
        rows += [binding_row(event.exchange, FEED, key, "exchange") for key in keys]
    return unique(rows)


def answer_bindings(contract):
    """Answers that a listener hears have an exchange that nobody else reads: secrets may be among them."""
    contexts = sorted({event.context for event in contract.events if event.is_answer})
    return [binding_row(context, ANSWERS, f"{context}.answer.{own_name(contract, user)}.#", "exchange")
            for context in contexts for user in users_of_kind(contract, "listener") if hears(contract, user, ANSWERS)]


def bindings(contract):
    """
    An emergency goes to the consumer's emergency queue; a plain key to the plain one, whatever its urgency.
    Questions are heard on the context's exchange too.
    """
    rows = []
    for event in contract.events:
        for queue in event.queues:
            rows += [binding_row(exchange, queue, event.name) for exchange in sorted({event.exchange, event.context})]
            if event.has_emergency_lane:
                rows.append(binding_row(event.exchange, f"{queue}.emergency", f"{event.name}.emergency"))
    rows += [binding_row("parked", parked, queue) for queue, parked in parked_queues(contract).items()]
    return rows + feed_bindings(contract) + answer_bindings(contract)


def policy_row(contract, queue, kind):
    rule = contract.topology["policies"][kind]
    definition = {"delivery-limit": rule["delivery_limit"]}
    name = {"query": f"{queue}: questions live {rule.get('message_ttl_ms', 0) // 1000} s",
            "parked": f"{queue}: kept until someone decides",
            "work": f"{queue}: after {rule['delivery_limit']} deliveries to {queue}.parked"}[kind]
    if "message_ttl_ms" in rule:
        definition["message-ttl"] = rule["message_ttl_ms"]
    if kind == "work":
        definition |= {"dead-letter-exchange": "parked", "dead-letter-routing-key": queue,
                       "dead-letter-strategy": "at-least-once", "overflow": "reject-publish"}
    return {"name": name, "pattern": f"^{re.escape(queue)}$", "apply-to": "queues", "priority": 0,
            "definition": definition}


def policies(contract):
    rows = [policy_row(contract, name, queue["kind"]) for name, queue in contract.queues.items()]
    return rows + [policy_row(contract, parked, "parked") for parked in parked_queues(contract).values()]


def emitted_keys(contract, user):
    """{exchange: patterns of the keys that the contract says this user emits}."""
    keys = {}
    for event in contract.events:
        if user in event.emitters:
            place = "answer" if event.is_answer else "cache" if event.is_for_cache else None
            pattern = re.escape(f"{event.context}.{place}.") + ASKER if place else re.escape(event.name)
            pattern += r"(\.emergency)?" if event.has_emergency_lane else ""
            keys.setdefault(event.exchange, []).append(pattern)
    return keys


def permission_of(contract, user):
    """(configure, write, read) on the vhost's exchanges and queues."""
    kind = contract.users[user]["kind"]
    if kind == "administrator":
        return EVERYTHING, EVERYTHING, EVERYTHING
    written = [re.escape(exchange) for exchange in emitted_keys(contract, user)]
    if kind == "worker":
        own = [re.escape(name) for name, queue in contract.queues.items() if queue["owner"] == user]
        return NOTHING, one_of(written + ["parked"]), one_of(own)
    if kind in ("watcher", "listener"):
        own = re.escape(own_name(contract, user)) + r"\..+"
        parked = [re.escape(queue) for queue in parked_queues(contract).values()]
        readable = contract.users[user]["hears"] + (parked if kind == "watcher" else [])
        return f"^{own}$", one_of(written + [own]), one_of(readable + [own])
    return NOTHING, one_of(written), NOTHING


def permissions(contract, vhost):
    rows = []
    for user in contract.users:
        configure, write, read = permission_of(contract, user)
        rows.append({"user": user, "vhost": vhost, "configure": configure, "write": write, "read": read})
    return rows


def topic_permissions(contract, vhost):
    """A row for every user on every topic exchange: no row would mean that every key is allowed."""
    rows = []
    for user, about in contract.users.items():
        keys = emitted_keys(contract, user)
        for exchange in topic_exchanges(contract):
            write = EVERYTHING if about["kind"] == "administrator" else one_of(keys.get(exchange, []))
            rows.append({"user": user, "vhost": vhost, "exchange": exchange, "write": write,
                         "read": readable_keys(contract, user, exchange)})
    return rows


def readable_keys(contract, user, exchange):
    """What may be bound: of answers, and of what is for a cache, only the keys that name it, so that no wildcard reaches another's."""
    if contract.users[user]["kind"] == "administrator" or (exchange == FEED and hears(contract, user, FEED)):
        return EVERYTHING
    if exchange in (ANSWERS, CACHES) and hears(contract, user, exchange):
        place = {ANSWERS: "answer", CACHES: "cache"}[exchange]
        return rf"^[a-z]+\.{place}\." + re.escape(own_name(contract, user)) + r"\.[a-z0-9._-]+$"
    return NOTHING


def topology(contract, vhost=None):
    """Everything but the passwords: what the live broker is compared with."""
    vhost = vhost or contract.topology["vhost"]
    users = [{"name": name, "tags": TAGS.get(about["kind"], [])} for name, about in contract.users.items()]
    return {"vhost": vhost, "users": users, "exchanges": exchanges(contract), "queues": queues(contract),
            "bindings": bindings(contract), "policies": policies(contract),
            "permissions": permissions(contract, vhost), "topic_permissions": topic_permissions(contract, vhost)}


def password_hash(password, salt):
    """RabbitMQ's rabbit_password_hashing_sha256: base64(salt + sha256(salt + password))."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def definitions(contract, passwords, vhost=None):
    """The file that RabbitMQ imports; `passwords` is {user: password} of every user."""
    expected = topology(contract, vhost)
    vhost = expected["vhost"]
    users = [user | {"password_hash": password_hash(passwords[user["name"]], os.urandom(SALT_BYTES)),
                     "hashing_algorithm": "rabbit_password_hashing_sha256", "limits": {}}
             for user in expected["users"]]
    in_vhost = {part: [row | {"vhost": vhost} for row in expected[part]]
                for part in ("exchanges", "queues", "bindings", "policies")}
    return {"users": users, "vhosts": [{"name": vhost}], "permissions": expected["permissions"],
            "topic_permissions": expected["topic_permissions"], **in_vhost}
