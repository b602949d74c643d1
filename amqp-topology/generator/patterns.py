"""Patterns as C can check them without a regex engine: anchored runs of character classes, each greedy."""

import re

from .schemas import Refused

PIECE = re.compile(r"(?P<set>\[[A-Za-z0-9_.-]+\]|\\\.|[A-Za-z0-9_:-])(?P<times>\+|\{\d+(,\d+)?\})?")
RANGE = re.compile(r"([A-Za-z0-9])-([A-Za-z0-9])|(.)")
UNLIMITED = 2**32 - 1


def characters(text):
    """The characters of `[a-z0-9-]`, `\\.` or a plain one, sorted."""
    if not text.startswith("["):
        return text[-1]
    found = set()
    for first, last, single in RANGE.findall(text[1:-1]):
        if single:
            found.add(single)
        else:
            found.update(chr(code) for code in range(ord(first), ord(last) + 1))
    return "".join(sorted(found))


def times(text):
    if not text:
        return 1, 1
    if text == "+":
        return 1, UNLIMITED
    low, _, high = text[1:-1].partition(",")
    return int(low), int(high or low)


def parse(pattern, where):
    """[(characters, at least, at most)]; refuses what would need backtracking."""
    if not (isinstance(pattern, str) and pattern.startswith("^") and pattern.endswith("$")):
        raise Refused(f"{where}: pattern {pattern!r} must be anchored at both ends")
    pieces, rest = [], pattern[1:-1]
    while rest:
        match = PIECE.match(rest)
        if match is None:
            raise Refused(f"{where}: pattern {pattern!r} is outside of the subset at {rest!r}")
        pieces.append((characters(match["set"]), *times(match["times"])))
        rest = rest[match.end():]
    for piece, following in zip(pieces, pieces[1:]):
        ambiguous = piece[1] != piece[2] and set(piece[0]) & set(following[0])
        if ambiguous or piece[1] == 0 or following[1] == 0:
            raise Refused(f"{where}: pattern {pattern!r} could match in two ways")
    return tuple(pieces)


def matches(pieces, text):
    """What the C code would say of a text."""
    for chars, low, high in pieces:
        length = len(text) - len(text.lstrip(chars))
        if length < low:
            return False
        text = text[min(length, high):]
    return text == ""
