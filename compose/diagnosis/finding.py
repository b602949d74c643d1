"""One observation, and what to do about it."""
import dataclasses

OK, WARN, FAIL = "ok", "warn", "FAIL"


@dataclasses.dataclass
class Finding:
    """`check` names what was looked at; `advice` is empty when all is well."""

    level: str
    check: str
    text: str
    advice: str = ""

    def line(self):
        return f"{self.level:<5} {self.check}: {self.text}" + (f": {self.advice}" if self.advice else "")


def graded(check, value, limits, text, advice):
    """The finding for a value that should stay below (warn, fail), or above where warn is the higher limit."""
    warn, fail = limits
    is_bad, is_worse = (value > warn, value > fail) if warn < fail else (value < warn, value < fail)
    if not is_bad:
        return Finding(OK, check, text)
    return Finding(FAIL if is_worse else WARN, check, text, advice)
