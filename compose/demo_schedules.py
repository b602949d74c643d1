"""Publishes the demo world's hours: demo_schedules.py MANAGEMENT_URL SECRETS_FOLDER.

Six fictional providers at three clinics, for 60 days, as commands on the bus. The same day brings the same commands: a second run changes
nothing.
"""
import base64
import datetime
import json
import pathlib
import sys
import urllib.request
import uuid

DAYS = 60
NAMES = uuid.UUID("0d6f5d0a-3f0e-5b43-9c41-6a1f0e6f2d11")
MORNING, AFTERNOON, EVENING = ("09:00", "12:00"), ("13:30", "17:00"), ("16:00", "20:00")
WORKDAYS = range(1, 6)
PROVIDERS = (
    ("dr-adams", "clinic-001", "room-1", "general", WORKDAYS, (MORNING, AFTERNOON), 15, 0),
    ("dr-baker", "clinic-001", "room-2", "cardiology", (1, 3, 5), (MORNING,), 30, 10),
    ("dr-castro", "clinic-002", "room-1", "general", WORKDAYS, (MORNING, AFTERNOON), 20, 0),
    ("nurse-dunn", "clinic-002", "room-3", "vaccination", (2, 4, 6), (EVENING,), 10, 0),
    ("dr-evans", "clinic-003", "room-1", "general", WORKDAYS, (MORNING, AFTERNOON), 15, 0),
    ("dr-farrow", "clinic-003", "room-2", "paediatrics", (1, 2, 4), (MORNING, EVENING), 20, 5),
)


def schedule(row, first):
    provider, clinic, room, kind, weekdays, windows, slot_minutes, buffer_minutes = row
    weekly = [{"weekday": weekday, "from": begin, "to": end} for weekday in weekdays for begin, end in windows]
    return {"provider_id": provider, "clinic_id": clinic, "room_id": room, "appointment_type": kind, "weekly": weekly,
            "slot_minutes": slot_minutes, "buffer_minutes": buffer_minutes, "from": str(first),
            "to": str(first + datetime.timedelta(days=DAYS - 1))}


def publish(url, password, body):
    message_id = str(uuid.uuid5(NAMES, f"{body['provider_id']} {body['clinic_id']} {body['from']}"))
    event = "appointment.schedule.publish"
    properties = {"type": event, "message_id": message_id, "content_type": "application/json", "delivery_mode": 2}
    envelope = {"routing_key": event, "properties": properties, "payload": json.dumps(body), "payload_encoding": "string"}
    login = base64.b64encode(f"admin:{password}".encode()).decode()
    request = urllib.request.Request(f"{url}/api/exchanges/carebus/appointment/publish", data=json.dumps(envelope).encode(),
                                     method="POST", headers={"Content-Type": "application/json", "Authorization": "Basic " + login})
    with urllib.request.urlopen(request, timeout=30) as answer:
        if not json.load(answer)["routed"]:
            sys.exit(f"{event} reached no queue: is the topology applied?")


def main():
    password = (pathlib.Path(sys.argv[2]) / "amqp-admin").read_text(encoding="ascii").strip()
    first = datetime.datetime.now(datetime.timezone.utc).date()
    for row in PROVIDERS:
        publish(sys.argv[1], password, schedule(row, first))


if __name__ == "__main__":
    main()
