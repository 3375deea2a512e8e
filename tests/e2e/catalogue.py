# SPDX-License-Identifier: Apache-2.0
"""Texts of the sources that a language is to have: what config/lang is held against."""
import ast
import json
import re

from reports import SCHEMA, TREE

LITERALS = re.compile(r'"(?:[^"\\]|\\.)*"')
JOINED = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*')
HOLE = re.compile(r"%(?:\d+\$)?[-+#0-9.*]*[hlzjt]*[duxfsc]|\{[a-z0-9_]+\}")


def join(text):
    """A C literal of several pieces."""
    return b"".join(ast.literal_eval("b" + piece) if piece.isascii() else piece[1:-1].encode()
                    for piece in LITERALS.findall(text)).decode()


def uncommented(source):
    return re.sub(r'/\*.*?\*/|("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')', lambda m: m[1] or " ", source, flags=re.S)


def read(path):
    return path.read_text(encoding="utf-8")


def within(source, opening):
    """What stands in the brackets after each of these."""
    for found in re.finditer(opening + r"\(", source):
        depth, at = 1, found.end()
        while depth:
            quoted = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'').match(source, at)
            if quoted:
                at = quoted.end()
                continue
            depth += {"(": 1, ")": -1}.get(source[at], 0)
            at += 1
        yield source[found.end():at - 1]


def first_argument(text):
    """Up to the comma that is in no bracket and no quotes: in JavaScript the rest are values."""
    depth, at = 0, 0
    while at < len(text):
        quoted = re.compile(r"'(?:[^'\\]|\\.)*'").match(text, at)
        if quoted:
            at = quoted.end()
            continue
        if text[at] == "," and not depth:
            break
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[at], 0)
        at += 1
    return text[:at]


def report_texts():
    """The formats' own, marked where they are shown."""
    found = set()
    for path in sorted((TREE / "tools/report").glob("*.c")):
        source = uncommented(read(path))
        for inner in [*within(source, r"\bMH_TR"), *within(source, r"\bMH_TEXT")]:
            found |= {join(text) for text in JOINED.findall(inner) if re.search("[A-Za-z]", text)}
    return found | report_words()


def page_texts():
    found = set(re.findall("@TEXT:([^@]+)@", read(TREE / "tools/report/html/page.html")))
    found |= report_words()
    for path in sorted((TREE / "tools/report/html").glob("*.js")):
        source = re.sub(r"/\*.*?\*/", " ", read(path), flags=re.S)
        for opening, all_of_it in ((r"\bt", False), (r"\btn", False), (r"\bplural", True)):
            for inner in within(source, opening):
                part = inner if all_of_it else first_argument(inner)
                found |= {ast.literal_eval(text) for text in re.findall(r"'(?:[^'\\]|\\.)*'", part)}
    return {text for text in found if re.search("[a-z]", text)}


def report_words():
    """Words of the document that are shown translated."""
    fields = SCHEMA["properties"]["findings"]["items"]["properties"]
    return {word for words in (SCHEMA["definitions"]["outcome_name"], fields["confidence"], fields["state"])
            for word in words["enum"] if word} | {"calm", "fault"}


def rule_texts():
    """Titles, fixes and what would turn a verdict; names of the principles."""
    found = set()
    source = uncommented(read(TREE / "tools/grade/rules.def"))
    for inner in within(source, r"(?m)^RULE"):
        texts = [join(text) for text in JOINED.findall(inner)]
        found |= {texts[1], texts[5], texts[7]}
    for inner in within(source, r"(?m)^RULE_LATER"):
        found.add(join(JOINED.findall(inner)[1]))
    names = re.search(r"mh_principle_names\[[^]]*\] = \{(.*?)\}", read(TREE / "tools/grade/rules.c"), re.S)[1]
    return found | {join(text) for text in JOINED.findall(names)}


# What has blanks in the sources of the grader and is no sentence: commands to type, parts of a scenario, joins.
NO_SENTENCE = re.compile(r"mishap (run|report|replay) |\[fault x\]|%s in %s%s%s$")


def sentence_texts():
    """What judges and the document's makers say: every literal of theirs with a blank in it."""
    found = set()
    for path in sorted((TREE / "tools/grade").glob("*.c")):
        if path.name.startswith(("advice_", "waivers")):
            continue
        source = re.sub(r"(?m)^#include.*$", "", uncommented(read(path)))
        for text in JOINED.findall(source):
            text = join(text)
            if " " in text.strip() and re.search("[a-z]{2}", HOLE.sub("", text)) and not NO_SENTENCE.match(text):
                found.add(text)
    return found


def advice_texts():
    """What config/advice says, and what stands there for a value that is not known."""
    rows = uncommented(read(TREE / "tools/grade/placeholders.def"))
    found = {join(JOINED.findall(inner)[0]) for inner in within(rows, r"(?m)^PLACEHOLDER")}
    found = {text for text in found if " " in text}
    for path in sorted((TREE / "config/advice").glob("*.ini")):
        found |= set(re.findall(r"(?m)^(?:say|note) = (.+?)\s*$", read(path)))
    return found


SECTIONS = {"page": page_texts, "report": report_texts, "rules": rule_texts, "sentences": sentence_texts, "advice": advice_texts}


def load(name):
    return json.loads(read(TREE / "config/lang" / (name + ".json")))


def grader_literals():
    """Also single words, of which sentences are made."""
    return {join(text) for path in (TREE / "tools/grade").glob("*.c") for text in JOINED.findall(uncommented(read(path)))}
