# SPDX-License-Identifier: Apache-2.0
"""The HTML report in a real browser: it draws itself without a mistake and without the network,
shows what the document says, answers to clicks, and nasty names do nothing to it."""

import base64
import hashlib
import html.parser
import json
import re
import shutil
import subprocess

import pytest

from reports import NASTY, SAMPLE, nasty, render, sample, worst

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
browser = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
CSP = re.compile(rb'<meta http-equiv="Content-Security-Policy"[^>]*>')


class Page(html.parser.HTMLParser):
    """Elements with their attributes and text, as a browser's dump holds them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)

    VOID = {"meta", "link", "br", "wbr", "img", "input", "hr"}

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        while self.open and self.open.pop()["tag"] != tag:
            pass

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag=None, class_=None):
        return [e for e in self.elements if (tag is None or e["tag"] == tag) and
                (class_ is None or class_ in (e.get("class") or "").split())]

    def by_id(self, id_):
        return next(e for e in self.elements if e.get("id") == id_)


def chromium(path, tmp_path, *options, hash_=""):
    log = tmp_path / "net.json"
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-default-apps", "--disable-extensions", "--enable-logging=stderr",
         "--user-data-dir=%s" % (tmp_path / "profile"), "--log-net-log=%s" % log,
         "--virtual-time-budget=2000", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", *options, "--dump-dom", path.as_uri() + hash_],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    return Page(done.stdout.decode()), said, log


def asked(log):
    """Addresses that the page asked for. What the browser asks for itself has no origin."""
    lines = log.read_text(errors="replace").splitlines()
    requests = [json.loads(line.rstrip(",]}") + "}")["params"] for line in lines
                if '"initiator":' in line and '"url":' in line]
    return {r["url"] for r in requests if "url" in r and r["initiator"] != "not an origin"
            and not r["url"].startswith("file:")}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The sample in the browser: page, console, addresses."""
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    tmp_path = tmp_path_factory.mktemp("shown")
    render(SAMPLE, "html", tmp_path)
    path = tmp_path / "report.html"
    page, said, log = chromium(path, tmp_path)
    return page, said, asked(log)


def test_it_draws_itself_without_a_mistake(shown):
    page, said, _ = shown
    assert said == []
    assert page.all("html")[0]["data-state"] == "ready"
    assert "hidden" in page.by_id("trouble")


def test_it_asks_nothing_of_the_network(shown):
    page, _, addresses = shown
    assert addresses == set()
    for element in page.elements:
        for attribute in ("src", "href", "action", "srcset", "data", "poster"):
            value = element.get(attribute)
            assert value is None or value.startswith("#"), (element["tag"], value)


@browser
def test_a_page_that_asked_would_be_noticed(tmp_path):
    made = render(SAMPLE, "html", tmp_path)
    path = tmp_path / "asking.html"
    path.write_bytes(CSP.sub(b"", made).replace(b"</body>", b"<img src='http://127.0.0.1:9/x'></body>"))
    assert asked(chromium(path, tmp_path)[2]) == {"http://127.0.0.1:9/x"}
    path.write_bytes(made.replace(b"</body>", b"<img src='http://127.0.0.1:9/x'></body>"))
    assert asked(chromium(path, tmp_path)[2]) == set(), "the page's own policy refuses it"


def test_it_shows_the_grade(shown):
    page, _, _ = shown
    assert page.by_id("grade")["text"] == "C"
    assert page.all(class_="points")[0]["text"] == "69 of 100"
    assert "60 %" in page.all("p", "evidence")[0]["text"]
    assert page.all("title")[0]["text"].startswith("mishap: C, uvicorn")


def test_it_shows_every_finding_with_its_proof(shown):
    page, _, _ = shown
    cards = page.all("details", "finding")
    assert [c["id"] for c in cards] == ["finding-" + f["id"] for f in SAMPLE["findings"]]
    for card, finding in zip(cards, SAMPLE["findings"]):
        for text in [finding["rule"], finding["title"], finding["fix"]["text"], finding["flip"],
                     finding["replay"], *finding["evidence"], *finding["counter_evidence"]]:
            assert text in card["text"]
        for frame in finding["site"]["stack"]:
            assert frame["function"] in card["text"]
        assert ("caught here" in card["text"]) == (finding["handler"] is not None)


def test_unknown_is_shown_as_unknown(shown):
    page, _, _ = shown
    rows = page.all("li", "principle")
    assert len(rows) == 10
    for row, principle in zip(rows, SAMPLE["score"]["principles"]):
        if not principle["applicable"]:
            assert "does not apply" in row["text"]
        elif principle["score"] is None:
            assert "unknown" in row["text"]
        else:
            assert str(int(principle["score"])) in row["text"]
    hatched = page.all("span", "meter")
    assert sum("unknown" in e["class"].split() for e in hatched) == 2


def test_the_matrix_has_every_case(shown):
    page, _, _ = shown
    blocks = page.all("span", "block")
    assert len(blocks) == len(SAMPLE["cases"])
    fired = [c for c in SAMPLE["cases"] if c["fired"]]
    assert sum("not-exercised" in b["class"].split() for b in blocks) == len(SAMPLE["cases"]) - len(fired)
    for outcome in ("absorbed", "broke", "hung", "silent"):
        assert sum("o-" + outcome in b["class"].split() for b in blocks) == \
            sum(c["outcome"] == outcome for c in fired)


def test_the_chart_and_tables_are_there(shown):
    page, _, _ = shown
    assert len([e for e in page.all("rect") if e["class"] == "k-requests"]) == \
        len([s for s in SAMPLE["timeline"]["seconds"] if s["requests"]])
    assert len([e for e in page.all("rect") if "faulty" in e["class"]]) == 4
    for section in ("routes", "journeys"):
        rows = page.by_id(section)["text"]
        for row in SAMPLE[section]:
            assert row.get("route", row.get("operation")) in rows
    for list_, id_ in (("passed", "passed"), ("not_exercised", "not-exercised"),
                       ("unclear", "unclear"), ("not_applicable", "not-applicable")):
        for verdict in SAMPLE[list_]:
            assert verdict["reason"] in page.by_id(id_)["text"]
    for spot in SAMPLE["blind_spots"]:
        assert spot in page.by_id("method")["text"]


CLICKS = """
<script>
const seen = {};
const cards = () => [...document.querySelectorAll('details.finding')].filter(c => !c.hidden).length;
seen.all = cards();
document.querySelector('[data-severity=High]').click();
seen.high = cards();
document.querySelector('[data-severity=High]').click();
const select = document.querySelector('select[data-filter=peer]');
select.value = 'redis:6379';
select.dispatchEvent(new Event('change'));
seen.redis = cards();
select.value = '';
select.dispatchEvent(new Event('change'));
const search = document.querySelector('.filters input');
search.value = 'SwAlLowed';
search.dispatchEvent(new Event('input'));
seen.searched = cards();
search.value = 'no such words';
search.dispatchEvent(new Event('input'));
seen.nothing = cards();
search.value = '';
search.dispatchEvent(new Event('input'));
document.querySelector('.principle .pill').click();
seen.principle = cards();
document.querySelector('.cell').click();
seen.cases = document.querySelectorAll('.case-detail tbody tr').length;
const heads = document.querySelectorAll('#routes th button');
const first = () => document.querySelector('#routes tbody td').textContent;
heads[heads.length - 1].click();
seen.slowest = first();
heads[0].click();
seen.byName = first();
document.querySelector('.theme').click();
seen.scheme = document.documentElement.style.colorScheme;
dispatchEvent(new Event('beforeprint'));
seen.closedInPrint = document.querySelectorAll('details:not([open])').length;
dispatchEvent(new Event('afterprint'));
seen.closedAfter = document.querySelectorAll('details:not([open])').length;
const out = document.createElement('pre');
out.id = 'seen';
out.textContent = JSON.stringify(seen);
document.body.append(out);
</script>
"""


@browser
def test_it_answers_to_clicks(tmp_path):
    made = render(SAMPLE, "html", tmp_path)
    path = tmp_path / "clicked.html"
    path.write_bytes(CSP.sub(b"", made).replace(b"</body>", CLICKS.encode() + b"</body>"))
    page, said, _ = chromium(path, tmp_path)
    assert said == []
    findings = SAMPLE["findings"]
    first = next(p for p in SAMPLE["score"]["principles"] if any(p["open"].values()))
    assert json.loads(page.by_id("seen")["text"]) == {
        "all": len(findings), "high": sum(f["severity"] == "High" for f in findings),
        "redis": sum(f["peer"] == "redis:6379" for f in findings), "searched": 1, "nothing": 0,
        "principle": sum(f["principle"] == first["number"] for f in findings), "cases": 2,
        "slowest": "GET /quote/{}", "byName": "GET /health", "scheme": "dark",
        "closedInPrint": 0, "closedAfter": len(findings) + 4 - 1}


MEASURE = """
<script>
const out = document.createElement('pre');
out.id = 'seen';
out.textContent = document.documentElement.scrollWidth + ' ' + document.documentElement.clientWidth;
document.body.append(out);
</script>
"""


@browser
def test_a_wide_matrix_scrolls_by_itself(tmp_path):
    """Also what only a screen reader hears of it stays within it: the page is as wide as the window."""
    wide = sample()
    case = next(c for c in wide["cases"] if c["fired"])
    wide["cases"] += [{**case, "fault": "fault-%d" % i} for i in range(60)]
    made = render(wide, "html", tmp_path)
    path = tmp_path / "wide.html"
    path.write_bytes(CSP.sub(b"", made).replace(b"</body>", MEASURE.encode() + b"</body>"))
    page, said, _ = chromium(path, tmp_path, "--window-size=1280,1000")
    whole, window = page.by_id("seen")["text"].split()
    assert said == [] and int(whole) <= int(window), (whole, window)


@browser
def test_a_link_opens_its_finding(tmp_path):
    render(SAMPLE, "html", tmp_path)
    last = "finding-" + SAMPLE["findings"][-1]["id"]
    page, _, _ = chromium(tmp_path / "report.html", tmp_path, hash_="#" + last)
    assert "open" in page.by_id(last)


@browser
@pytest.mark.parametrize("change", [nasty, worst], ids=["nasty", "worst"])
def test_nasty_names_do_nothing(change, tmp_path):
    render(change(sample()), "html", tmp_path)
    page, said, log = chromium(tmp_path / "report.html", tmp_path)
    assert said == [] and asked(log) == set()
    assert page.all("html")[0]["data-state"] == "ready"
    assert page.all("title")[0]["text"].startswith("mishap: ")
    assert page.all("img") == [] and len(page.all("script")) == 3
    assert not [e for e in page.elements for a in e if a.startswith("on")]
    assert "</script><script>document.title='owned'</script>" in page.by_id("findings")["text"]


@browser
@pytest.mark.parametrize("document", [
    {}, {"score": {"grade": "NG", "principles": []}, "run": {"healthy": False}},
    {"findings": [{}], "cases": [{"site": "s", "fault": "constructor"}], "journeys": [{}], "routes": [{}],
     "timeline": {"seconds": [{"t": 0}], "phases": [{}]}}],
    ids=["empty", "unhealthy", "bare"])
def test_an_odd_document_is_drawn_too(document, tmp_path):
    render(document, "html", tmp_path)
    page, said, _ = chromium(tmp_path / "report.html", tmp_path)
    assert said == [] and page.all("html")[0]["data-state"] == "ready"
    assert page.by_id("grade")["text"] == "NG"


def test_the_policy_allows_only_what_is_in_the_file(tmp_path):
    made = render(SAMPLE, "html", tmp_path)
    policy = CSP.search(made).group().decode()
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for tag, kind in (("style", "style-src"), ("script", "script-src")):
        body = re.findall(b"<%s>(.*?)</%s>" % (tag.encode(), tag.encode()), made, re.S)
        assert len(body) == 1
        digest = base64.b64encode(hashlib.sha256(body[0]).digest()).decode()
        assert "%s 'sha256-%s'" % (kind, digest) in policy


def test_the_scripts_never_parse_markup(tmp_path):
    script = re.findall(b"<script>(.*?)</script>", render(SAMPLE, "html", tmp_path), re.S)[0].decode()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
                 "DOMParser", "fetch(", "XMLHttpRequest", "import("):
        assert word not in script


def test_the_document_cannot_end_its_element(tmp_path):
    made = render(nasty(sample()), "html", tmp_path).decode("ascii", errors="replace")
    assert made.count("</script>") == 3 and made.count("<script") == 3
    inside = re.search(r'<script type="application/json" id="document">(.*?)</script>', made, re.S).group(1)
    assert json.loads(inside) == nasty(sample())
    assert NASTY in json.loads(inside)["findings"][0]["title"]
