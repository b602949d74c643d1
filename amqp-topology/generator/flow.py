"""The static flow graph: who emits what to whom; its lint and its page."""

from .broker import bindings, parked_queues, policies, queues
from .contract import TIMER


def owner_of(contract, consumer):
    return contract.queues[consumer]["owner"] if consumer in contract.queues else consumer


def successors(contract):
    """{event: events that it makes someone emit}."""
    following = {event.name: [] for event in contract.events}
    for event in contract.events:
        for causes in event.caused_by.values():
            for cause in causes:
                if cause != TIMER:
                    following[cause].append(event.name)
    return following


def find_cycles(following):
    """Every set of events that can cause each other, found by walking from each event back to itself."""
    cycles = []
    for start in following:
        reached, waiting = set(), list(following[start])
        while waiting:
            event = waiting.pop()
            if event not in reached:
                reached.add(event)
                waiting += following[event]
        if start in reached:
            cycles.append(start)
    return cycles


def lint_event(contract, event):
    known = {other.name: other for other in contract.events}
    if not event.emitters:
        yield f"{event.name}: nobody emits it"
    if not event.consumers:
        yield f"{event.name}: nobody consumes it"
    for emitter in event.emitters:
        kind = contract.users.get(emitter, {}).get("kind")
        if kind is None:
            yield f"{event.name}: emitter {emitter} is no user"
        if kind == "worker" and not event.caused_by.get(emitter):
            yield f"{event.name}: nothing causes {emitter} to emit it"
    for worker, causes in event.caused_by.items():
        if worker not in event.emitters:
            yield f"{event.name}: caused_by names {worker}, which does not emit it"
        for cause in causes:
            heard = [owner_of(contract, queue) for queue in known[cause].queues] if cause in known else []
            if cause in known and known[cause].is_for_cache:
                heard += known[cause].emitters  # who tells caches has one
            if cause != TIMER and worker not in heard:
                yield f"{event.name}: caused by {cause}, which {worker} does not consume"


def lint_queues(contract):
    for queue, about in contract.queues.items():
        if about["owner"] not in contract.users:
            yield f"queue {queue}: owner {about['owner']} is no user"
        if about["kind"] not in contract.topology["policies"]:
            yield f"queue {queue}: no policy for kind {about['kind']}"
    names = {row["name"] for row in queues(contract)}
    bound = {row["destination"] for row in bindings(contract) if row["destination_type"] == "queue"}
    for name in sorted(names ^ bound):
        yield f"queue {name}: {'nothing is bound to it' if name in names else 'bound, but not declared'}"


def lint(contract):
    """Everything wrong with the flow, as sentences."""
    faults = [fault for event in contract.events for fault in lint_event(contract, event)]
    faults += list(lint_queues(contract))
    if faults:
        return faults
    loops = {event.name: event.loops for event in contract.events}
    return [f"{name}: may cause itself, and no `loops` says how that ends"
            for name in find_cycles(successors(contract)) if not loops[name]]


def picture(contract):
    """A Mermaid graph: users and workers, events on the arrows."""
    lines = ["```mermaid", "flowchart LR"]
    for event in contract.events:
        for emitter in event.emitters:
            for consumer in event.consumers:
                lines.append(f"    {emitter} -- {event.name} --> {owner_of(contract, consumer)}")
    return lines + ["```", ""]


def table(contract):
    lines = ["| event | emitted by | consumed by | routing keys | caused by |", "|---|---|---|---|---|"]
    for event in contract.events:
        causes = sorted({cause for causes in event.caused_by.values() for cause in causes})
        cells = [event.name, ", ".join(event.emitters), ", ".join(event.consumers),
                 ", ".join(f"`{key}`" for key in event.keys()), ", ".join(causes) or "a person or system outside"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines + [""]


def bodies(contract):
    lines = ["## Bodies", "", "`*` = required. Unknown members are ignored.", ""]
    shown = {event.name.replace(".", "_"): event.name for event in contract.events}
    for made in contract.model.objects.values():
        fields = ", ".join(f"{field.name}{'*' if field.is_required else ''}{'[]' if field.is_array else ''}"
                           for field in made.fields)
        lines.append(f"- **{shown.get(made.name, made.name)}**: {fields}")
    return lines + [""]


def queue_table(contract):
    lines = ["## Queues", "", "| queue | policy | definition |", "|---|---|---|"]
    for row in policies(contract):
        definition = ", ".join(f"{key}={value}" for key, value in row["definition"].items())
        lines.append(f"| {row['pattern'][1:-1].replace(chr(92), '')} | {row['name']} | {definition} |")
    parked = ", ".join(f"`{queue}` -> `{name}`" for queue, name in parked_queues(contract).items())
    return lines + ["", f"Parked messages: exchange `parked`, routing key = queue: {parked}.", ""]


def describe(contract, event):
    """One event, for programs: consumers are workers and places, `queues` where the workers find it."""
    consumers = [owner_of(contract, consumer) for consumer in event.consumers]
    return {"event": event.name, "title": contract.document["components"]["messages"][event.name]["title"],
            "exchange": event.exchange, "keys": event.keys(), "emitters": event.emitters,
            "consumers": list(dict.fromkeys(consumers)), "queues": event.queues, "caused_by": event.caused_by}


def data(contract):
    """Who tells whom what, for programs."""
    return {"users": {user: row["kind"] for user, row in contract.users.items()},
            "events": [describe(contract, event) for event in contract.events]}


def page(contract):
    head = ["# Who tells whom what", "", "Made from amqp-topology/ by generate.py.", ""]
    return "\n".join(head + picture(contract) + table(contract) + queue_table(contract) + bodies(contract))
