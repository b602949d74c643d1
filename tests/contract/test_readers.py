"""The generated readers and writers against python3-jsonschema, on thousands of documents."""
import json
import os
import re
import subprocess
import sys

import pytest

import oracle
import reader
from documents import Maker
from generator.schemas import Library

SEED = int(os.environ.get("CONTRACT_SEED", "20261122"))
GOOD, BAD = 60, 300  # documents per event

RAW = (b"", b"{", b"[]", b"null", b'"x"', b"{}", b"{}x", b'{"request_id":', b"\xff", b'{"a":"\xc3"}',
       b'{"a":"\xed\xa0\x80"}',
       b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a":1,"a":1}', b'{"":1}', b'{"a":NaN}', b'{"a":1e400}', b'{"a":01}',
       b'{"a":1}\x00', b"\xef\xbb\xbf{}", b'{"a":123456789012345678901234567890}', b"[" * 5000,
       b'{"a":' * 5000, b" {} ",
       b'{"a":"\x01"}', b"{'a':1}", b'{"a":1,}', b'{"a":-}', b'{"a":.5}', b'{"a":"\\x"}')


def event_names():
    return sorted(path.stem for path in (reader.TOPOLOGY / "schemas").glob("*.json") if path.stem != "common")


@pytest.fixture(scope="module")
def library():
    made = Library(str(reader.TOPOLOGY / "schemas"))
    made.file("common.json")
    return made


@pytest.fixture(scope="module")
def judge(library):
    return oracle.Oracle(reader.TOPOLOGY / "schemas", lambda node: library.flat(node, "test")[0])


def texts_of(library, event):
    maker = Maker(library, f"{SEED} {event}")
    root = {"$ref": f"{event}.json#"}
    good = [maker.good(root) for _ in range(GOOD)]
    texts = [json.dumps(document, ensure_ascii=number % 2 == 0) for number, document in enumerate(good)]
    return texts + [maker.mutant(root, maker.random.choice(good)) for _ in range(BAD)]


@pytest.mark.parametrize("event", event_names())
def test_agrees_with_jsonschema(event, program, library, judge):
    texts = texts_of(library, event)
    answers = reader.ask(program, [(event, text) for text in texts])
    counts = {True: 0, False: 0}
    for text, (is_good, said) in zip(texts, answers):
        python_says, contract_says, _ = judge.verdict(event, text)
        assert is_good == contract_says, f"{said!r}, Python {python_says}: {text}"
        assert python_says or not is_good
        counts[is_good] += 1
    assert counts[True] > GOOD / 2 and counts[False] > BAD / 10, counts


@pytest.mark.parametrize("event", event_names())
def test_written_is_what_was_read(event, program, library, judge):
    root = {"$ref": f"{event}.json#"}
    maker = Maker(library, f"{SEED} {event} again")
    documents = [maker.good(root) for _ in range(GOOD)]
    texts = [json.dumps(document) for document in documents]
    first = reader.ask(program, [(event, text) for text in texts])
    assert all(is_good for is_good, _ in first), [said for is_good, said in first if not is_good]
    written = [text for _, text in first]
    second = reader.ask(program, [(event, text) for text in written])
    assert [text for _, text in second] == written
    for document, text in zip(documents, written):
        assert judge.validator(event).is_valid(json.loads(text)), text
        wanted = oracle.normal(root, document, judge.flat)
        assert oracle.normal(root, json.loads(text), judge.flat) == wanted


def test_members_are_written_in_schema_order(program, contract):
    body = {"units": [], "bank_id": "bank-001"}
    (is_good, text), = reader.ask(program, [("bloodbank.unit.received", json.dumps(body))])
    assert is_good and text == '{"bank_id":"bank-001","units":[]}'


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: repr(raw[:20]))
def test_raw_bytes(raw, program):
    (is_good, said), = reader.ask(program, [("hospital.query.request", raw)])
    assert not is_good and said
    for character in said:
        assert character.isprintable()


def test_duplicates_deep_inside(program):
    body = ('{"hospital_id":"h","component":"plasma","group":"O-","quantity":1,"urgency":"urgent",'
            '"patient":{"sex":"male","mother":{"ref":"a","ref":"a"}}}')
    (is_good, said), = reader.ask(program, [("hospital.blood.request", body)])
    assert not is_good and "duplicate" in said


@pytest.mark.parametrize("change, why", [
    ({"quantity": 101}, "/quantity: 101 is above 100"), ({"quantity": 0}, "/quantity: 0 is below 1"),
    ({"quantity": 1.0}, "/quantity: a number with a fraction where an integer must be"),
    ({"group": "C+"}, "/group: 'C+' is not one of the values allowed"),
    ({"urgency": None}, "/urgency: null where a text must be"),
    ({"attributes": ["a"] * 17}, "/attributes: 17 items, at most 16 are allowed"),
    ({"attributes": ["a", "B"]}, "/attributes/1: 'B' has not the form it must have"),
    ({"request_id": "x"}, "/request_id: 'x' is not a uuid"),
    ({"needed_at": "2026-02-30T00:00:00Z"}, "/needed_at: '2026-02-30T00:00:00Z' is not a time as RFC 3339 writes it"),
    ({"patient": {"mother": {"group": 1}}}, "/patient/mother/group: an integer where a text must be"),
    ({"note": "é" * 501}, "/note: 501 characters, at most 500 are allowed"),
    ({"hospital_id": None}, "/hospital_id: null where a text must be"),
])
def test_says_where_and_why(change, why, program):
    body = {"hospital_id": "hospital-001", "component": "plasma", "group": "O-", "quantity": 1, "urgency": "urgent"}
    (is_good, said), = reader.ask(program, [("hospital.blood.request", json.dumps(body | change))])
    assert (is_good, said) == (False, why)


def test_unknown_members_are_ignored(program):
    (is_good, text), = reader.ask(program, [("hospital.query.request", json.dumps(
        {"x": {"y": [1]}, "request_id": "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "Request_id": 1}))])
    assert is_good and text == '{"request_id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}'


def test_null_where_it_means_absent(program):
    body = {"bank_id": "bank-001", "component": "plasma", "group": "O-", "available": 0, "reserved": 0,
            "expiring_24h": 0, "version": 1}
    lines = [("bloodbank.inventory.updated", json.dumps(body | {"days_of_stock": days})) for days in (None, 0, 2.5)]
    written = [json.loads(text)["days_of_stock"] for is_good, text in reader.ask(program, lines) if is_good]
    assert written == [None, 0, 2.5]


SABOTAGE = {  # what a fault in the generated tables or in the rules would look like
    "a limit too high": ("events.c", r"\.integer_max = INT64_C\(100\)", ".integer_max = INT64_C(101)"),
    "nothing required": ("events.c", r"\.is_required = true", ".is_required = false"),
    "lists one too long": ("events.c", r"\.count_max = 16u", ".count_max = 17u"),
    "texts one too long": ("events.c", r"\.length_max = 64u", ".length_max = 65u"),
    "unknown group for a unit": ("events.c", r"\.allowed = UINT64_C\(0x1fe\)", ".allowed = UINT64_C(0x3fe)"),
    "patterns ignored": ("events.c", r"\*text == '\\0'", "true"),
    "defaults forgotten": ("events.c", r"\.has_default = true", ".has_default = false"),
}


@pytest.fixture(scope="module")
def judged(library, judge):
    """[(event, text, is good, the document as it must be kept)] of all documents above."""
    made = []
    for event in event_names():
        for text in texts_of(library, event):
            _, is_good, document = judge.verdict(event, text)
            kept = oracle.normal({"$ref": f"{event}.json#"}, document, judge.flat) if is_good else None
            made.append((event, text, is_good, kept))
    return made


def differs(answer, event, is_good, kept, flat):
    if answer[0] != is_good or not is_good:
        return answer[0] != is_good
    written = json.loads(answer[1])
    return kept.keys() - written.keys() or oracle.normal({"$ref": f"{event}.json#"}, written, flat) != kept


@pytest.mark.parametrize("file, pattern, instead", SABOTAGE.values(), ids=SABOTAGE)
def test_would_notice(file, pattern, instead, judged, judge, tmp_path):
    """The comparison above is not blind: with a fault put in, it finds a difference."""
    generator = str(reader.TOPOLOGY / "generate.py")
    subprocess.run([sys.executable, generator, "code", "--output", str(tmp_path)], check=True)
    source = tmp_path / file
    changed, count = re.subn(pattern, lambda _: instead, source.read_text("utf-8"))
    assert count > 0
    source.write_text(changed, "utf-8")
    answers = reader.ask(reader.build(tmp_path, sanitize=False), [(event, text) for event, text, *_ in judged])
    assert any(differs(answer, event, is_good, kept, judge.flat)
               for answer, (event, _, is_good, kept) in zip(answers, judged))
