#!/usr/bin/python3
"""Small inputs that the fuzzers start from: seeds.py FOLDER writes FOLDER/<target>/<name>, and a dictionary for bodies.

Bodies are made from the contract's schemas, frames by pika: nothing of it is by the code under test.
"""
import json
import pathlib
import random
import sys

sys.dont_write_bytecode = True
PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "amqp-topology"), str(PROJECT / "tests" / "contract"), str(PROJECT / "tests" / "broker")]

import documents  # noqa: E402
import fake  # noqa: E402
from generator.contract import Contract  # noqa: E402
from pika import frame, spec  # noqa: E402

SEED = 20260301
DOCUMENTS_PER_EVENT = 3
RAW, STEPS = b"\0", b"\1"
UUIDS = ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8") + documents.BAD_UUIDS
ADDRESSES = ("amqp://user:pass%20word@127.0.0.1:5672/carebus", "http://h", "postgresql://u@[::1]:5432/db?x=1",
             "amqp://:@h/%2f", "amqp://u:p", "://", "http://a:b@c@d/e")
CURSORS = ("1780000000000000.11111111-1111-4111-8111-111111111111", "0.00000000-0000-0000-0000-000000000000",
           "253402300799999999.ffffffff-ffff-ffff-ffff-ffffffffffff", "A999930000001-E0791-00", "01.x", "-1.a")
HASH = "0123456789abcdef" * 4
TOKENS = (f"# all\n{HASH} a.b admin * 0 -\n", f"{HASH} x hospital hospital-001 5 2030-01-01T00:00:00Z\n\n{HASH[::-1]} y reader * 1 -\n",
          f"{HASH} a bank bank-001 100000 -", f"{HASH} a admin * 0 -\n{HASH} b admin * 0 -\n", f"{HASH}  a admin * 0 -\n")
TABLES = ('a,b\r\n1,"x ""y"", z"\r\n\r\n3,4', "\ufeffa\nb\n", '"a\nb",c\n"1\n2",3\n', "a,a\n1,2", 'a\n"', "a,b\n1\n")
SETTINGS = (b"\x02name\n\x02json\n\x02any\n\x02secret\n\x0270000\n", b"\x01name\n\x03logfmt\n\x00\x01secret\n\x02-5\n",
            b"\x00\x00\x00\x00\x00", b"\x00\x00\x00\x00\x03-6", b"\x00\x00\x00\x00\x0370001",
            b"\x03n\n\x03xml\n\x03\n\x03s\n\x037 \n",
            b"\x02both\n\x02both\n\x02both\n\x02b\n\x021e3\n")


def bodies(contract):
    """Good and nearly good bodies; the first byte picks the event."""
    maker = documents.Maker(contract.documents, SEED)
    for number, event in enumerate(contract.events):
        node = contract.documents.file(f"{event.name}.json")
        for count in range(DOCUMENTS_PER_EVENT):
            good = maker.good(node)
            if "days_of_stock" in good:
                good["days_of_stock"] = 0.1 + 0.2  # takes all 17 digits
            yield f"{event.name}-{count}", bytes([number]) + json.dumps(good).encode()
            if good:
                yield f"{event.name}-{count}-bad", bytes([number]) + maker.mutant(node, good).encode()


def words(contract):
    """Names of members and values, for the dictionary."""
    found = set()
    for name in contract.documents.files:
        todo = [contract.documents.file(name)]
        while todo:
            node = todo.pop()
            if isinstance(node, list):
                todo += node
            elif isinstance(node, dict):
                found |= set(node["properties"]) if isinstance(node.get("properties"), dict) else set()
                found |= {value for value in node.get("enum", ()) if isinstance(value, str)}
                todo += node.values()
    return found


def deliveries():
    """Streams of a broker."""
    full = fake.delivery(7, b'{"a":1}', "bank-1.1", message_id="m", correlation_id="c", type="t", app_id="a", user_id="u",
                         reply_to="r", content_type="application/json", timestamp=3,
                         headers={"traceparent": "00-1-2-01", "causation_id": "x", "attempts": 3, "n": {"m": [1, "2"]}})
    yield "full", RAW + full
    yield "empty-body", RAW + fake.delivery(2, b"", "bank-1")
    yield "torn", RAW + full[:-9]
    yield "twice", RAW + full + full
    yield "nameless-header", RAW + fake.delivery(2, b"x", "bank-1", headers={"": 1})
    yield "long-header", RAW + fake.delivery(2, b"x", "bank-1", headers={"traceparent": "t" * 300})
    yield "cancel", RAW + frame.Method(1, spec.Basic.Cancel("bank-1", True)).marshal()
    yield "channel-close", RAW + frame.Method(1, spec.Channel.Close(404, "gone", 60, 40)).marshal()
    yield "connection-close", RAW + frame.Method(0, spec.Connection.Close(320, "stop", 0, 0)).marshal()
    yield "heartbeat", RAW + frame.Heartbeat().marshal() + full
    yield "huge", RAW + frame.Method(1, spec.Basic.Deliver("bank-1", 2, False, "", "")).marshal() + frame.Header(
        1, 2 ** 63, spec.BasicProperties()).marshal() + frame.Body(1, b"x" * 100).marshal()
    yield "steps", STEPS + bytes([0, 0, 2, 0, 2, 0, 5, 3, 0, 3, 3, 0, 2, 0, 1, 3, 1, 2, 0, 0, 0, 0, 9, 0])
    yield "steps-too-long", STEPS + bytes([0, 0, 2, 0, 2, 0, 5, 3, 0, 3, 3, 0, 3])
    yield "steps-strange", STEPS + bytes([6, 20, 0, 6]) + b"bank-1\1" + bytes([5, 40, 0, 9]) + bytes(40)


def messages():
    """What a broker answers to someone who looks through a queue."""
    full = fake.delivery(7, b'{"a":1}', "x", message_id="m", user_id="u", headers={"x-death": [{"count": 1, "queue": "q"}]})
    content = full[full.index(b"\xce") + 1:]
    get_ok = frame.Method(1, spec.Basic.GetOk(7, True, "parked", "key", 2)).marshal()
    yield "one", RAW + get_ok + content
    yield "end", RAW + frame.Method(1, spec.Basic.GetEmpty()).marshal()
    yield "torn", RAW + get_ok + content[:-5]
    yield "close", RAW + frame.Method(1, spec.Channel.Close(404, "gone", 60, 70)).marshal()
    yield "steps", STEPS + bytes([0, 1, 1, 3, 5, 5, 3, 5, 2, 1, 1, 3, 0])
    yield "steps-too-long", STEPS + bytes([1, 1, 3, 5, 5, 3, 5, 3])
    yield "steps-cut", STEPS + bytes([1, 0, 3, 2, 5, 2])


def properties_of(name, **properties):
    """Flags and values, as they stand in a header frame."""
    return name, frame.Header(1, 0, spec.BasicProperties(**properties)).marshal()[7 + 12:-1]


def property_bytes():
    yield properties_of("full", message_id="m", correlation_id="c", type="t", app_id="a", user_id="u", reply_to="r",
                        content_type="application/json", content_encoding="utf-8", expiration="5", cluster_id="z", priority=3,
                        delivery_mode=2, timestamp=3, headers={"traceparent": "00-1-2-01", "attempts": 3, "CC": ["a", "b"],
                                                               "x-death": [{"count": 2, "reason": "rejected"}], "b": True})
    yield properties_of("nested", headers={"": 1, "a": {"b": {"c": [[1, 2], ["x", {"d": None}]]}}})
    yield properties_of("bare")


def http_request(line, *headers, body=b"", token="cb_fuzz"):
    head = [line + " HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *headers]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def http_requests():
    request = (b'{"hospital_id":"hospital-001","component":"red_cells","group":"O-","quantity":1,"urgency":"emergency",'
               b'"request_id":"11111111-2222-4333-8444-555555555555"}')
    some_id = "11111111-2222-4333-8444-555555555555"
    yield "post", http_request("POST /v1/blood-requests", "Prefer: wait=5", "Idempotency-Key: k", body=request)
    yield "post-mine", http_request("POST /v1/blood-requests", "Prefer: respond-async, wait = 5", body=request, token="cb_mine")
    yield "post-bad", http_request("POST /v1/blood-requests", body=b'{"quantity":101,"group":"Q"}')
    yield "cancel", http_request(f"POST /v1/blood-requests/{some_id}/cancellation", body=b'{"reason":"x"}')
    yield "units", http_request("POST /v1/blood-units", body=b'{"bank_id":"bank-001","units":[{}]}')
    yield "acknowledge", http_request(f"POST /v1/notifications/{some_id}/acknowledgement", body=b"{}")
    yield "list", http_request("GET /v1/blood-requests?hospital_id=hospital-001&status=pending&limit=2&cursor=1.a%2Bb")
    yield "stock", http_request("GET /v1/blood-stock?bank_id=bank-001&group=O%2B")
    yield "notes", http_request("GET /v1/notifications?facility_id=hospital-001&role=ward&after=x&limit=1", token="cb_mine")
    yield "one", http_request(f"GET /v1/blood-requests/{some_id}", 'If-None-Match: "3"')
    yield "unit", http_request("HEAD /v1/blood-units/A999926000001-E0336-00")
    yield "events", http_request("GET /v1/events?types=bloodbank.*,hospital.blood.requested&facility_id=hospital-001")
    yield "two", http_request("GET /openapi.json") + http_request("GET /metrics")
    yield "chunked", (http_request("POST /v1/blood-requests", "Transfer-Encoding: chunked", "Content-Type: application/json")
                      + b"2\r\n{}\r\n0\r\n\r\n")
    yield "both-lengths", http_request("POST /v1/blood-requests", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    yield "two-lengths", http_request("POST /v1/blood-requests", "Content-Length: 3", body=b"{}")
    yield "expect", http_request("POST /v1/blood-requests", "Expect: 100-continue", body=request)
    yield "nonsense", b"GET\r\n\r\n"


def publications():
    """Texts a line each, then numbers and a body; `-` is an absent one."""
    texts = ["user", "hospital", "hospital.blood.requested", "m", "c", "t", "a", "r", "00-1-2-01", "x", "s", "why", "more"]
    numbers = (2 << 1).to_bytes(8, "big") + (3 << 1).to_bytes(8, "big")
    yield "full", b"\1" + "\n".join(texts).encode() + b"\n" + numbers + b"{}"
    yield "bare", b"\0" + b"-\n" * 13
    yield "long", b"\1" + b"".join(b"x" * 300 + b"\n" for _ in texts) + numbers + b"{" * 3000


def texts_of(values):
    for number, value in enumerate(values):
        yield str(number), value if isinstance(value, bytes) else value.encode()


def main(folder):
    random.seed(SEED)
    contract = Contract(str(PROJECT / "amqp-topology"))
    sets = {"schema_read": bodies(contract), "delivery": deliveries(), "wire": publications(), "settings": texts_of(SETTINGS),
            "hold": messages(), "properties": property_bytes(), "http": http_requests(), "cursor": texts_of(CURSORS),
            "tokens": texts_of(TOKENS), "csv": texts_of(TABLES), "uuid": texts_of(UUIDS), "clock": texts_of(documents.TIMES + documents.BAD_TIMES), "address": texts_of(ADDRESSES)}
    for target, inputs in sets.items():
        place = pathlib.Path(folder) / target
        place.mkdir(parents=True, exist_ok=True)
        for name, data in inputs:
            (place / f"seed-{name}").write_bytes(data)
    dictionary = "".join(f'"\\"{word}\\""\n' for word in sorted(words(contract)) if word.isascii() and '"' not in word)
    (pathlib.Path(folder) / "schema_read.dict").write_text(dictionary, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
