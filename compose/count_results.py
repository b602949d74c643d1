"""Counts test results: count_results.py FOLDER prints one line per suite, what failed, and last `N passed, N failed`.

FOLDER holds what compose/test left: <suite>.xml (JUnit, of pytest), <suite>.meson.json (Meson's log; the TAP inside is
counted line by line) and <suite>.check (lines `ok NAME` or `not ok NAME`). The exit status is 1 when anything failed or
nothing passed.
"""
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

TAP = re.compile(r"^(not )?ok\b *\d* *-? *(.*)$", re.MULTILINE)


def count_tap(text):
    """(name, verdict) of each line of TAP."""
    for refused, name in TAP.findall(text):
        if "# SKIP" in name.upper():
            yield name, "skipped"
        else:
            yield name, "failed" if refused else "passed"


def count_meson(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        results = list(count_tap(test.get("stdout") or ""))
        yield from ((f"{test['name']}: {name}", verdict) for name, verdict in results)
        # What ended badly without a failed line has crashed or timed out; what printed no TAP counts as one test.
        verdict = {"OK": "passed", "SKIP": "skipped", "EXPECTEDFAIL": "passed"}.get(test["result"], "failed")
        if not results or (verdict == "failed" and all(found != "failed" for _, found in results)):
            yield f"{test['name']}: {test['result']}", verdict


def count_junit(path):
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        name = f"{case.get('classname')}.{case.get('name')}"
        yield name, "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"


def count_check(path):
    return count_tap(path.read_text(encoding="utf-8"))


READERS = ((".meson.json", count_meson), (".xml", count_junit), (".check", count_check))


def main():
    total = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        reader = next((reader for suffix, reader in READERS if path.name.endswith(suffix)), None)
        if reader is None:
            continue
        suite = path.name.split(".")[0]
        counts = dict.fromkeys(total, 0)
        for name, verdict in reader(path):
            counts[verdict] += 1
            total[verdict] += 1
            if verdict == "failed":
                failures.append(f"{suite}: {name}")
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        print(f"{suite}: {counts['passed']} passed, {counts['failed']} failed{skipped}")
    for failure in failures:
        print(f"FAILED {failure}")
    if total["skipped"]:
        print(f"{total['skipped']} SKIPPED: something they need is not here")
    print(f"{total['passed']} passed, {total['failed']} failed")
    sys.exit(1 if total["failed"] or not total["passed"] else 0)


if __name__ == "__main__":
    main()
