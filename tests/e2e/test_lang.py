# SPDX-License-Identifier: Apache-2.0
"""--lang: every text of ours has a translation, reports for people are in it, and those for programs are not."""
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import unicodedata

import pytest

import catalogue
from reports import BUILD, SAMPLE, TREE, nasty, sample, worst
from test_report_html import browser, chromium

MISHAP = os.path.join(BUILD, "tools", "mishap")
LANGUAGES = sorted(path.stem for path in (TREE / "config/lang").glob("*.json"))
PROSE, PROGRAMS = ("text", "markdown", "html"), ("json", "junit", "sarif", "openmetrics")


def mishap(*words, tool=MISHAP, **how):
    return subprocess.run([tool, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, **how)


def show(document, folder, *words, **how):
    path = folder / "document.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    done = mishap("report", path, *words, **how)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def shown_document(page):
    """What a page has in its middle."""
    return json.loads(re.search(r'id="document">(.*?)</script>', page, re.S)[1])


def columns(line):
    return sum(0 if unicodedata.combining(c) else 1 for c in line)


@pytest.mark.parametrize("section", sorted(catalogue.SECTIONS))
@pytest.mark.parametrize("name", LANGUAGES)
def test_every_text_has_a_translation_and_no_translation_lost_its_text(name, section):
    file, wanted = catalogue.load(name), catalogue.SECTIONS[section]()
    assert len(wanted) > 100
    beside = {"report": "page", "sentences": "rules"}.get(section)  # texts that both have stand in one of them
    have = {**file[section], **(file[beside] if beside else {})}
    assert sorted(wanted - set(have)) == []
    known = wanted | (catalogue.grader_literals() if section == "sentences" else set())
    assert sorted(set(file[section]) - known) == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_values_have_their_places(name):
    for section, texts in catalogue.load(name).items():
        if section == "language":
            continue
        for text, translation in texts.items():
            wanted = catalogue.HOLE.findall(text)
            have = catalogue.HOLE.findall(translation)
            plain = [re.sub(r"%\d+\$", "%", hole) for hole in have]
            if section in ("page", "report"):
                assert sorted(plain) == sorted(wanted), text
                assert plain == wanted or all("$" in hole for hole in have if hole[0] == "%"), text
            assert set(plain) <= set(wanted), text


VALUES = {"s": ["redis:6379", "recv", "shop.f", "17", "pay:80", "GET", "a.py"], "d": ["5", "6", "8", "9", "11"],
          "u": ["7", "12", "13", "14", "15"], "f": ["2.5", "3.5", "4.5", "6.5", "8.5"], "x": ["00000000deadbeef"] * 3,
          "}": ["orders:80"] * 3}


def filled(english, translation):
    """Both with the same values."""
    counts, values = dict.fromkeys(VALUES, 0), []
    for hole in catalogue.HOLE.findall(english):
        kind = hole[-1]
        values.append(VALUES[kind][counts[kind] % len(VALUES[kind])])
        counts[kind] += 1
    order = iter(values)
    one = catalogue.HOLE.sub(lambda m: next(order), english).replace("%%", "%")
    order = iter(values)

    def place(match):
        if match[0][0] == "{":
            return VALUES["}"][0]
        position = re.match(r"%(\d+)\$", match[0])
        return values[int(position[1]) - 1] if position else next(order)
    return one, catalogue.HOLE.sub(place, translation).replace("%%", "%")


@pytest.mark.parametrize("name", LANGUAGES)
def test_sentences_of_a_document_are_known_by_their_formats(name, tmp_path):
    file, document = catalogue.load(name), json.loads(json.dumps(SAMPLE))
    pairs = [filled(text, translation) for section in ("sentences", "rules", "advice")
             for text, translation in file[section].items()
             if len(re.sub("[^A-Za-z]", "", catalogue.HOLE.sub("", text))) > 7]
    assert len(pairs) > 800
    document["findings"][0]["evidence"] = [one for one, _ in pairs]
    page = show(document, tmp_path, "--format", "html", "--lang", name)
    have = shown_document(page)["findings"][0]["evidence"]
    assert [(p[0], h) for p, h in zip(pairs, have) if h != p[1]] == []


@pytest.mark.parametrize("text, translation", [
    ("Let health pass before the limit. Here: shop.f in a.py, line 3. The slowest clean answer of pay:80 took 12 ms.",
     "Deixe o health check passar antes do limite. Aqui: shop.f em a.py, linha 3. "
     "A resposta limpa mais lenta de pay:80 levou 12 ms."),
    ("3 of 4 ended in an uncontrolled error after ECONNRESET in recv with pay:80, injected by slow; GET /a, for one",
     "3 de 4 terminaram em um erro sem controle depois de ECONNRESET em recv com pay:80, injetada por slow; GET /a, por exemplo"),
    ("GET /a  pay:80 ECONNRESET, went on, answered in 3.5 ms",
     "GET /a  pay:80 ECONNRESET, seguiu em frente, respondida em 3.5 ms"),
    ("2 processes ended, 1 by a signal; 3 retransmits", "2 processos terminados, 1 por um sinal; 3 retransmissões"),
    ("1 High finding is open", "1 achado High em aberto"), ("what somebody said: 3 of 4 cats", None),
    ("a wait, a wait, " * 300, None), ("", None), ("a, " * 490, None),
    (" in  with , injected by  of  after ; " * 40, None)])
def test_sentences_made_of_several(text, translation, tmp_path):
    document = json.loads(json.dumps(SAMPLE))
    document["findings"][0]["evidence"] = [text]
    have = shown_document(show(document, tmp_path, "--format", "html", "--lang", "pt"))["findings"][0]["evidence"]
    assert have == [text if translation is None else translation]


@pytest.mark.parametrize("kind", PROGRAMS)
def test_formats_for_programs_stay_english(kind, tmp_path):
    assert show(SAMPLE, tmp_path, "--format", kind) == show(SAMPLE, tmp_path, "--format", kind, "--lang", "pt")


@pytest.mark.parametrize("kind", PROSE)
def test_the_option_alone_decides(kind, tmp_path):
    brazil = {**os.environ, "LC_ALL": "pt_BR.UTF-8", "LANGUAGE": "pt", "LANG": "pt_BR.UTF-8"}
    english = show(SAMPLE, tmp_path, "--format", kind, "-o", "-", env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert show(SAMPLE, tmp_path, "--format", kind, env={**brazil, "LC_ALL": "C.UTF-8"}) == english
    assert show(SAMPLE, tmp_path, "--format", kind, "--lang", "en", env={**os.environ, "LC_ALL": "C.UTF-8"}) == english
    assert show(SAMPLE, tmp_path, "--format", kind, "--lang", "pt") != english


@pytest.mark.parametrize("words", [(), ("-v",)])
def test_text_keeps_to_eighty_columns_and_loses_nothing(words, tmp_path):
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    english, portuguese = (show(SAMPLE, tmp_path, *words, "--lang", name, env=env) for name in ("en", "pt"))
    assert max(map(columns, portuguese.splitlines())) <= 80
    for word in re.findall(r"MH-\d{4}|\[(?:High|Medium|Low)\]", english):
        assert word in portuguese
    for line in ("a nota real está entre 41 e 81", "12 de 12", "visto ", "corrija ", "timeouts e limites",
                 "; 3 pontos cegos", "melhor de 7 execuções: 71", "confiança alta", "A seguir: mishap explain"):
        assert line in portuguese, line
    assert not re.search(r" (?:saw|fix|Next|faults became|principle|score) ", portuguese)


def test_accents_are_readable_in_ascii(tmp_path):
    text = show(SAMPLE, tmp_path, "--lang", "pt", env={**os.environ, "LC_ALL": "C"})
    assert text.isascii() and "evidencia 60 %" in text and "Tendencia: ?456766" in text


@pytest.mark.parametrize("verb", [("report", TREE / "tests/golden/sample.json"), ("run",)])
@pytest.mark.parametrize("name", ["fr", "", "PT", "../lang/pt", "pt.json", "pt_BR"])
def test_what_is_no_language_is_refused_with_those_there_are(verb, name, tmp_path):
    end = ["--", "touch", tmp_path / "ran"] if verb == ("run",) else []
    done = mishap(*verb, "--lang", name, *end)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and not (tmp_path / "ran").exists()
    assert done.stderr.decode().endswith("is not a language of reports: " + ", ".join(["en", *LANGUAGES]) + "\n")


@pytest.mark.parametrize("text, message", [
    ("{", "line 1: "), ("[]", "is no catalogue"), ('{"language": {}}', "is no catalogue"),
    ('{"language": {"tag": "xx"}, "report": {" Waived %zu": "x %s"}}', 'stands for " Waived %zu" has other places'),
    ('{"language": {"tag": "xx"}, "report": {" Waived %zu": "x"}}', "has other places"),
    ('{"language": {"tag": "xx"}, "report": {" Waived %zu": "x %zu %zu"}}', "has other places"),
    ('{"language": {"tag": "xx"}, "report": {"%d points, %d more than before": "%1$d, %d"}}', "has other places"),
    ('{"language": {"tag": "xx"}, "sentences": {"%u and %s": "%s"}}', "has other places"),
    ('{"language": {"tag": "xx"}, "rules": {"no timeout": 7}}', "is no text")])
def test_a_bad_catalogue_does_no_harm(text, message, tmp_path):
    """A language that somebody adds beside an uninstalled tool."""
    (tmp_path / "build/tools").mkdir(parents=True)
    (tmp_path / "config/lang").mkdir(parents=True)
    tool = shutil.copy(MISHAP, tmp_path / "build/tools/mishap")
    (tmp_path / "config/lang/xx.json").write_text(text, encoding="utf-8")
    done = mishap("report", TREE / "tests/golden/sample.json", "--lang", "xx", tool=tool)
    assert done.returncode == 3 and done.stdout == b"" and len(done.stderr.splitlines()) == 1
    assert message in done.stderr.decode()
    (tmp_path / "config/lang/xx.json").write_text('{"language": {"tag": "xx"}, "report": {" No findings.": "!"}}')
    done = mishap("report", TREE / "tests/golden/sample.json", "--lang", "xx", tool=tool)
    assert done.returncode == 0 and b"Points to win" in done.stdout  # what has no translation is English


@pytest.mark.parametrize("document", [nasty(SAMPLE), worst(SAMPLE), {}, {"findings": [7, {"evidence": 3}]}], ids=range(4))
@pytest.mark.parametrize("kind", PROSE)
def test_no_document_is_too_strange(document, kind, tmp_path):
    show({"schema_version": 1, **document, } | ({"schema_version": 1}), tmp_path, "--format", kind, "--lang", "pt")


@browser
def test_the_page_in_a_browser(tmp_path):
    path = tmp_path / "report.html"
    show(sample(), tmp_path, "--lang", "pt", "-o", path)
    page, said, _ = chromium(path, tmp_path)
    assert said == []
    root = page.all("html")[0]
    assert root["lang"] == "pt-BR" and root["data-state"] == "ready"
    assert [e["text"] for e in page.all("h2")][:3] == ["Veredito", "Tendência", "Dez princípios"]
    text = html.unescape(page.by_id("main")["text"])
    for words in ("portanto a nota real está entre 41 e 81.", "O que foi feito de 259 falhas", "sem timeout", "absorvida"):
        assert words in text
    assert not re.search(r"\{\d\}|\bundefined\b|Show all|Evidence\b", text)


APP = """import socket, sys
def fetch():
    return socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
for attempt in range(6):
    try:
        fetch()
    except OSError as exc:
        print("the peer is down:", repr(exc), file=sys.stderr)
"""


def test_a_real_run_has_no_english_left(tmp_path):
    app, scenario, out = tmp_path / "app.py", tmp_path / "refuse.ini", tmp_path / "out"
    app.write_text(APP, encoding="utf-8")
    scenario.write_text("[fault refuse]\ncall = connect\npeer = 127.0.0.1\nerror = ECONNREFUSED\n", encoding="utf-8")
    page = tmp_path / "page.html"
    mishap("run", "-c", scenario, "-o", out, "--quiet", "--lang", "pt", "--report", page, "--", "/usr/bin/python3", app, 40009)
    english = json.loads((out / "report.json").read_text(encoding="utf-8"))
    portuguese = shown_document(pathlib.Path(page).read_text(encoding="utf-8"))
    assert english["findings"] and english["findings"][0]["title"] in catalogue.rule_texts()
    left = []

    def compare(a, b, key=""):
        if isinstance(a, dict):
            for name in a:
                compare(a[name], b[name], name)
        elif isinstance(a, list):
            for one, other in zip(a, b, strict=True):
                compare(one, other, key)
        elif key in ("title", "text", "reason", "evidence", "counter_evidence", "flip", "blind_spots") and a == b and isinstance(a, str):
            left.append((key, a))
    compare(english, portuguese)
    assert [pair for pair in left if pair[1] != "circuit breaker"] == []
