"""The HTTP bridge on real servers: what is asked becomes an event, what answers it becomes the answer, and nobody sees another's."""
import concurrent.futures
import json
import re
import signal
import time
import uuid

import pytest
import requests

from blood import bag
from servers import wait_until


def ask(**changes):
    return {"hospital_id": "hospital-001", "component": "red_cells", "group": "O-", "quantity": 1, "urgency": "emergency"} | changes


def stock(door, count=10, bank="bank-001", **facts):
    answer = door.post("/v1/blood-units", {"bank_id": bank, "units": [bag(**({"group": "O-"} | facts)) for _ in range(count)]})
    assert answer.status_code == 200, answer.text
    return answer.json()["units"]


def problem(answer, status, code):
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"]) == (status, code), body
    return body


def decided(door, location):
    """The request's view once its hospital has heard the decision: a moment after whoever asked."""
    def look():
        answer = door.get(location)
        assert answer.status_code == 200, answer.text
        return answer if answer.json()["status"] != "pending" else None
    return wait_until(look, what="the decision in the view")


# --- requests


def test_wait_gives_the_decision(door):
    stock(door)
    answer = door.post("/v1/blood-requests", ask(quantity=2), headers={"Prefer": "wait=10"})
    assert answer.status_code == 200 and answer.headers["Preference-Applied"] == "wait=10"
    body = answer.json()
    assert (body["decision"], body["quantity_allocated"], len(body["units"])) == ("full", 2, 2)
    shown = decided(door, answer.headers["Location"]).json()
    assert (shown["status"], shown["request_id"], len(shown["units"])) == ("approved", body["request_id"], 2)
    assert shown["version"] >= 2 and shown["as_of"].endswith("Z")


def test_a_rejection_is_a_decision(door):
    answer = door.post("/v1/blood-requests", ask(component="cryo", group="AB-"), headers={"Prefer": "respond-async, wait=10"})
    assert answer.status_code == 200
    assert (answer.json()["decision"], answer.json()["reason"]) == ("rejected", "no_compatible_stock")


def test_without_wait_it_is_accepted_at_once(door):
    answer = door.post("/v1/blood-requests", ask())
    assert answer.status_code == 202 and answer.headers["Retry-After"] == "1"
    body = answer.json()
    assert body["urgency"] == "emergency" and body["requested_by"] == "admin-of-x" and "decision" not in body
    assert answer.headers["Location"] == f"/v1/blood-requests/{body['request_id']}"
    assert door.get(answer.headers["Location"]).status_code == 200


def test_an_undecided_request_is_accepted_after_the_wait(world, door):
    world.workers[1].signal(signal.SIGSTOP)  # the bank
    begun = time.monotonic()
    answer = door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=3"})
    assert answer.status_code == 202 and 2.5 < time.monotonic() - begun < 6
    assert answer.json()["hospital_id"] == "hospital-001"
    world.workers[1].signal(signal.SIGCONT)


def test_the_callers_own_write_is_never_404(world, door):
    """The hospital worker stands still: there is no event yet, and no row."""
    world.workers[0].signal(signal.SIGSTOP)
    answer = door.post("/v1/blood-requests", ask(quantity=3))
    assert answer.status_code == 202
    shown = door.get(answer.headers["Location"]).json()
    assert (shown["status"], shown["version"], shown["quantity_requested"], shown["units"]) == ("pending", 0, 3, [])
    world.workers[0].signal(signal.SIGCONT)
    wait_until(lambda: door.get(answer.headers["Location"]).json()["version"] > 0, what="the owner's own view")
    late = world.redis().fcall("view_put", 1, f"view:request:{shown['request_id']}", 0, 300, "{}")
    assert late == 0, "a guess never replaces what the owner told"


def test_the_same_key_is_the_same_request(world, door):
    stock(door)
    headers = {"Idempotency-Key": "order 17", "Prefer": "wait=10"}
    first = door.post("/v1/blood-requests", ask(), headers=headers)
    again = door.post("/v1/blood-requests", ask(), headers=headers)
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    body = problem(door.post("/v1/blood-requests", ask(quantity=2), headers=headers), 422, "id_conflict")
    assert body["detail"]
    other = door.token("hospital", "hospital-001")
    wait_until(lambda: door.get("/v1/blood-requests", other).status_code == 200, what="the token to be known")
    mine = door.post("/v1/blood-requests", ask(quantity=2), other, headers=headers)
    assert mine.status_code == 200 and mine.json()["request_id"] != first.json()["request_id"], "a key is its sender's alone"
    assert world.sql("hospital", "SELECT count(*) FROM request") == [(2,)]


def test_another_request_under_a_known_id(door):
    request_id = str(uuid.uuid4())
    assert door.post("/v1/blood-requests", ask(request_id=request_id)).status_code == 202
    body = problem(door.post("/v1/blood-requests", ask(request_id=request_id, quantity=9)), 409, "duplicate_conflict")
    assert body["state"]


def test_an_unknown_hospital(door):
    problem(door.post("/v1/blood-requests", ask(hospital_id="hospital-999")), 422, "unknown_facility")


def test_the_list_of_requests_goes_on(door):
    made = [door.post("/v1/blood-requests", ask(urgency="routine")).json()["request_id"] for _ in range(5)]
    door.post("/v1/blood-requests", ask(hospital_id="hospital-002"))
    seen, path = [], "/v1/blood-requests?hospital_id=hospital-001&limit=2"
    while path:
        answer = door.get(path)
        assert answer.status_code == 200 and len(answer.json()["items"]) <= 2 and "as_of" in answer.json()
        seen += [item["request_id"] for item in answer.json()["items"]]
        path = answer.links["next"]["url"] if "next" in answer.links else None
    assert seen == made[::-1]


def test_a_view_that_is_gone_is_filled_again(world, door):
    location = door.post("/v1/blood-requests", ask()).headers["Location"]
    key = "view:request:" + location.rsplit("/", maxsplit=1)[1]
    decided(door, location)  # no version comes after it
    world.redis().flushall()
    shown = door.get(location)
    assert shown.status_code == 200 and shown.json()["version"] >= 1
    wait_until(lambda: world.redis().hget(key, "version") == shown.headers["ETag"].strip('"'), what="the view to be back")


def test_without_redis_all_goes_on(world, door):
    stock(door)
    world.servers.kill("redis")
    try:
        answer = door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=10"})
        assert answer.status_code == 200
        assert decided(door, answer.headers["Location"]).json()["status"] == "approved"
    finally:
        world.servers.start("redis")


def test_unchanged_is_not_sent_again(door):
    location = door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=10"}).headers["Location"]
    etag = decided(door, location).headers["ETag"]
    again = door.get(location, headers={"If-None-Match": etag})
    assert again.status_code == 304 and not again.content
    assert door.call("HEAD", location).headers["ETag"] == etag


# --- units and stock


def test_units_come_and_are_seen(door):
    units = stock(door, 3, group="A-")
    one = door.get(f"/v1/blood-units/{units[0]['unit_id']}").json()
    assert (one["status"], one["bank_id"], one["group"]) == ("available", "bank-001", "A-")
    page = door.get("/v1/blood-units?bank_id=bank-001&group=A-&status=available").json()
    assert {item["unit_id"] for item in page["items"]} == {unit["unit_id"] for unit in units}
    problem(door.get("/v1/blood-units/A999926999999-E0336-00"), 404, "not_found")
    problem(door.get("/v1/blood-units/nonsense"), 404, "not_found")


def test_a_unit_that_is_not_taken(door):
    answer = door.post("/v1/blood-units", {"bank_id": "bank-999", "units": [bag()]})
    problem(answer, 422, "unknown_facility")
    body = problem(door.post("/v1/blood-units", {"bank_id": "bank-001", "units": [bag(group="X"), bag(component="soup")]}), 422,
                   "invalid")
    assert {fault["field"] for fault in body["errors"]} == {"/units/0/group", "/units/1/component"}


def test_stock_of_a_bank_and_of_a_hospital(door):
    stock(door, 4)
    items = door.get("/v1/blood-stock?bank_id=bank-001").json()["items"]
    assert {(item["component"], item["group"]): item["available"] for item in items}[("red_cells", "O-")] == 4
    assert door.get("/v1/blood-stock?hospital_id=hospital-001").json()["items"] == []
    problem(door.get("/v1/blood-stock"), 400, "missing_parameter")


# --- who may what


def test_tokens(door):
    problem(door.get("/v1/blood-requests", token=False), 401, "unauthorized")
    answer = door.get("/v1/blood-requests", token="cb_" + "x" * 43)
    problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for header in ("Basic eDp5", "Bearer", "Bearer ", "bearer\t", "Bearer " + "x" * 5000):
        answer = requests.get(door.url + "/v1/blood-requests", headers={"Authorization": header}, timeout=5)
        assert answer.status_code == 401, header[:20]


def test_a_token_that_is_taken_away_works_no_longer(door):
    token = door.token("hospital", "hospital-001")
    wait_until(lambda: door.get("/v1/blood-requests", token).status_code == 200, what="the token to be known")
    lines = door.tokens_file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if "hospital-of-hospital-001x" not in line]
    assert len(kept) == len(lines) - 1
    door.tokens_file.write_text("".join(kept))
    wait_until(lambda: door.get("/v1/blood-requests", token).status_code == 401, what="the token to be gone")
    door.tokens_file.write_text("nonsense\n")
    wait_until(lambda: "the tokens stay as they were" in door.worker.log_text(), what="the fault to be told")
    assert door.get("/v1/blood-requests").status_code == 200


def test_everyone_sees_his_own(door):
    hospital, other = door.token("hospital", "hospital-001"), door.token("hospital", "hospital-002")
    bank, reader = door.token("bank", "bank-001"), door.token("reader", "hospital-001")
    wait_until(lambda: door.get("/v1/blood-requests", reader).status_code == 200, what="the tokens to be known")
    made = door.post("/v1/blood-requests", ask(), hospital)
    assert made.status_code == 202
    assert door.get(made.headers["Location"], hospital).status_code == 200
    assert door.get(made.headers["Location"], reader).status_code == 200
    problem(door.get(made.headers["Location"], other), 403, "forbidden")
    problem(door.post("/v1/blood-requests", ask(), other), 403, "forbidden")
    problem(door.post("/v1/blood-requests", ask(), bank), 403, "forbidden")
    problem(door.post("/v1/blood-requests", ask(), reader), 403, "forbidden")
    problem(door.get("/v1/blood-requests?hospital_id=hospital-001", other), 403, "forbidden")
    assert door.get("/v1/blood-requests", other).json()["items"] == []
    problem(door.post("/v1/blood-units", {"bank_id": "bank-002", "units": [bag()]}, bank), 403, "forbidden")
    problem(door.post(made.headers["Location"] + "/cancellation", {"reason": "no"}, other), 403, "forbidden")
    unit = door.post("/v1/blood-units", {"bank_id": "bank-002", "units": [bag()]}).json()["units"][0]["unit_id"]
    problem(door.get(f"/v1/blood-units/{unit}", bank), 403, "forbidden")
    assert door.get("/v1/blood-stock?bank_id=bank-002", bank).status_code == 200


def test_a_rate_is_kept(door):
    token = door.token("admin", rate=5)
    wait_until(lambda: door.get("/healthz", token).status_code == 200)
    def first():
        answer = door.get("/v1/blood-stock?bank_id=bank-001", token)
        return answer.status_code != 401
    wait_until(first, what="the token to be known")
    answers = [door.get("/v1/blood-stock?bank_id=bank-001", token) for _ in range(20)]
    assert answers[0].status_code == 200
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 10 and problem(refused[0], 429, "too_many_requests") and refused[0].headers["Retry-After"] == "1"


# --- what is refused


@pytest.mark.parametrize("body, status, code", [
    (b"{", 400, "malformed"), (b"[]", 422, "invalid"), (b'{"a":1,"a":2}', 400, "malformed"), (b"\xff\xfe", 400, "malformed"),
    (b"null", 400, "malformed"), (b"", 422, "invalid"), (b"[" * 5000, 400, "malformed"),
    (json.dumps(ask(quantity=101)).encode(), 422, "invalid"), (json.dumps(ask(quantity="1")).encode(), 422, "invalid"),
], ids=lambda value: str(value)[:20])
def test_bodies(door, body, status, code):
    problem(door.post("/v1/blood-requests", body), status, code)


def test_every_field_is_named(door):
    body = problem(door.post("/v1/blood-requests", {"quantity": 0, "group": "Q", "urgency": "soon", "patient": {"age_years": -1}}), 422,
                   "invalid")
    assert {fault["field"] for fault in body["errors"]} == {
        "/hospital_id", "/component", "/quantity", "/group", "/urgency", "/patient/age_years"}
    assert all(fault["why"] for fault in body["errors"])


def test_paths_and_methods(door):
    problem(door.get("/v1/nothing"), 404, "not_found")
    problem(door.get("/v1/blood-requests/not-a-uuid"), 404, "not_found")
    problem(door.get(f"/v1/blood-requests/{uuid.uuid4()}"), 404, "not_found")
    problem(door.post(f"/v1/blood-requests/{uuid.uuid4()}/cancellation", {"reason": "x"}), 404, "not_found")
    answer = door.call("DELETE", "/v1/blood-requests")
    problem(answer, 405, "method_not_allowed")
    assert {method.strip() for method in answer.headers["Allow"].split(",")} == {"GET", "POST"}
    problem(door.get("/v1/blood-requests?colour=red"), 400, "unknown_parameter")
    body = problem(door.get("/v1/blood-requests?limit=1000&status=odd"), 422, "invalid")
    assert {fault["field"] for fault in body["errors"]} == {"/limit", "/status"}
    problem(door.get("/v1/blood-requests?cursor=odd"), 400, "malformed")
    problem(door.post("/v1/blood-requests", b"group=O-", headers={"Content-Type": "application/x-www-form-urlencoded"}), 415,
            "unsupported_media_type")
    problem(door.post("/v1/blood-requests", b" " * (256 * 1024 + 1)), 413, "too_large")


def test_open_paths(door):
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert door.get(path, token=False).status_code == 200, path
        assert door.call("HEAD", path, token=False).status_code == 200, path
    metrics = door.worker.metrics()
    assert metrics['carebus_http_requests_total{class="2xx",instance_id="1",worker="bridge"}'] > 0
    assert door.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_every_described_path_is_there(door):
    """What /openapi.json describes is routed: without a token it asks for one, whatever the method is."""
    described = door.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method in {"get", "post", "delete"} & set(methods):
            filled = path.replace("{unit_id}", "A999926000001-E0336-00").replace("{slot_id}", "dr-adams.20300304.0900")
            filled = re.sub(r"\{\w+\}", str(uuid.uuid4()), filled)
            if path.startswith("/v1"):
                problem(door.call(method.upper(), filled, token=False), 401, "unauthorized")
                answer = door.call(method.upper(), filled, stream=True)
                assert answer.status_code != 405 and answer.json()["detail"] != "there is no such path; /openapi.json lists them" \
                    if answer.status_code == 404 else answer.status_code != 405, f"{method} {path}"
                answer.close()


# --- the world breaks


def test_a_lost_broker_is_said_and_survived(world, door):
    world.servers.kill("rabbitmq")
    try:
        problem(door.post("/v1/blood-requests", ask()), 503, "unavailable")
        assert door.get("/readyz").status_code == 503 and door.get("/healthz").status_code == 200
    finally:
        world.servers.start("rabbitmq")
        world.is_vhost_kept = True
        world.connections.clear()
    wait_until(lambda: door.get("/readyz").status_code == 200, 30, "the bridge to be ready again")
    assert door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=20"}).status_code == 200


def test_a_command_that_no_worker_takes_is_not_accepted(world, door):
    """A lost binding: the bridge's own queue must not make it look taken."""
    channel = world.connect("admin").channel()
    channel.queue_unbind("hospital", "hospital", "hospital.blood.request")
    problem(door.post("/v1/blood-requests", ask(urgency="routine")), 503, "unavailable")
    channel.queue_bind("hospital", "hospital", "hospital.blood.request")
    assert door.post("/v1/blood-requests", ask(urgency="routine")).status_code == 202


def test_a_question_that_nobody_answers(world, door):
    world.workers[1].signal(signal.SIGSTOP)
    answer = door.get("/v1/blood-stock?bank_id=bank-001")
    assert problem(answer, 503, "unavailable") and answer.headers["Retry-After"]
    world.workers[1].signal(signal.SIGCONT)


def test_a_graceful_stop_answers_what_waits(world, door):
    world.workers[1].signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(door.post, "/v1/blood-requests", ask(), None, headers={"Prefer": "wait=30"})
        wait_until(lambda: world.sql("hospital", "SELECT 1 FROM request"), what="the request to be on its way")
        assert door.worker.stop() == 0
        problem(waiting.result(), 503, "unavailable")
    world.workers[1].signal(signal.SIGCONT)


def test_many_at_once(door):
    stock(door, 200)
    stock(door, 200, group="O+")
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: door.call("POST", "/v1/blood-requests", None, ask(group="O+"), headers={"Prefer": "wait=20"}),
                                range(200)))
    assert {answer.status_code for answer in answers} == {200}
    units = [unit["unit_id"] for answer in answers for unit in answer.json()["units"]]
    assert len(units) == len(set(units)) == 200
