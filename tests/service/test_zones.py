"""Wall time: every zone change from 2020 to 2035 of ten zones, by the database's spans and the worker's recurrence, against Python."""
import datetime
import subprocess
import sys
import zoneinfo

import pytest

from servers import BUILD, PROJECT

sys.path.insert(0, str(PROJECT / "sql"))
sys.dont_write_bytecode = True
import embed  # noqa: E402

# Gaps of an hour and of half an hour, at midnight and at 02:45, both hemispheres, summer time that is the standard, rules that ended.
ZONES = ("Europe/London", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran",
         "Pacific/Chatham", "America/Havana", "Africa/Cairo", "America/Asuncion")
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(2036, 1, 1, tzinfo=UTC)
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
GRIDS = ((30, 0), (20, 10), (90, 0), (45, 7))  # slot and buffer minutes


def microseconds(moment):
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def changes_of(zone):
    """The moments at which the zone's clocks change, to the minute."""
    found, at = [], FIRST
    while at < LAST:
        if at.astimezone(zone).utcoffset() != (at + DAY).astimezone(zone).utcoffset():
            low, high = at, at + DAY
            while high - low > MINUTE:
                middle = low + (high - low) // 2 // MINUTE * MINUTE
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset() else (low, middle)
            found.append(high)
        at += DAY
    return found


def expected_slots(zone, first, last, length, buffer):
    """Slots of whole days by Python's zoneinfo: none that starts in a gap or lasts across one, the first of two hours."""
    slots, day = [], first
    while day <= last:
        for minute in range(0, 24 * 60 - length + 1, length + buffer):
            wall = datetime.datetime.combine(day, datetime.time(minute // 60, minute % 60), zone)
            start = wall.astimezone(UTC)
            end = start + length * MINUTE
            exists = start.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None)
            shifts = [(start + step * MINUTE).astimezone(zone).utcoffset() for step in range(length)]
            if exists and all(after <= before for before, after in zip(shifts, shifts[1:])):
                slots.append(((day - EPOCH.date()).days, minute, microseconds(start), microseconds(end)))
        day += DAY
    return slots


def spans_of(link, name, first=FIRST, last=LAST):
    """[(from, shift)] in microseconds, by the worker's own statement."""
    statement = dict(embed.read_queries(PROJECT / "sql" / "appointment" / "queries.sql"))["span_load"]
    with link.cursor() as cursor:
        cursor.execute("INSERT INTO clinic VALUES ('zone', 'x', %s) ON CONFLICT (clinic_id) DO UPDATE SET zone = EXCLUDED.zone", (name,))
        cursor.execute("PREPARE spans AS " + statement)
        cursor.execute("EXECUTE spans (ARRAY['zone'], ARRAY[%s], ARRAY[%s])", (first - 2 * DAY, last + 2 * DAY))
        rows = cursor.fetchall()
        cursor.execute("DEALLOCATE spans")
    return [(microseconds(at), shift * 1_000_000) for _, at, shift in rows]


def plan(spans, questions):
    """The slots that the worker plans: a list for each (first day, last day, slot minutes, buffer minutes)."""
    text = "".join(f"plan {len(spans)} {(first - EPOCH.date()).days} {(last - EPOCH.date()).days} {length} {buffer}\n"
                   + "".join(f"{at} {shift}\n" for at, shift in spans) for first, last, length, buffer in questions)
    out = subprocess.run([BUILD / "tests" / "worker" / "plan-slots"], input=text, capture_output=True, text=True, check=True).stdout
    return [[tuple(map(int, line.split())) for line in part.splitlines()] for part in out.split("end\n")[:-1]]


@pytest.fixture(scope="module")
def link(servers):
    connection = servers.connect("appointment")
    yield connection
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM clinic WHERE clinic_id = 'zone'")
    connection.close()


@pytest.mark.parametrize("name", ZONES)
def test_every_change_of_a_zone(name, link):
    zone = zoneinfo.ZoneInfo(name)
    changes = changes_of(zone)
    spans = spans_of(link, name)
    assert [at for at, _ in spans[1:]] == [microseconds(change) for change in changes]
    assert [shift for _, shift in spans[1:]] == [change.astimezone(zone).utcoffset() // datetime.timedelta(microseconds=1)
                                                 for change in changes]
    questions = [(change.astimezone(zone).date() - DAY, change.astimezone(zone).date() + DAY, *grid)
                 for change in changes for grid in GRIDS]
    for question, slots in zip(questions, plan(spans, questions), strict=True):
        wanted = expected_slots(zone, *question)
        assert slots == wanted, f"{question}: too many {set(slots) - set(wanted)}, missing {set(wanted) - set(slots)}"
        ends = [(start, end) for _, _, start, end in sorted(slots, key=lambda slot: slot[2])]
        assert all(end <= start for (_, end), (start, _) in zip(ends, ends[1:])), f"{question}: slots overlap"


def test_there_are_changes_to_look_at():
    counts = {name: len(changes_of(zoneinfo.ZoneInfo(name))) for name in ZONES}
    assert counts["Europe/London"] == counts["America/New_York"] == 32 and all(count >= 4 for count in counts.values()), counts


def test_a_zone_that_is_none_is_no_clinics(link):
    with link.cursor() as cursor, pytest.raises(Exception, match="time zone"):
        cursor.execute("INSERT INTO clinic VALUES ('zone-2', 'x', 'Europe/Atlantis')")
