# SPDX-License-Identifier: Apache-2.0
"""Runs what rules.def itself gives as the code of a fix, where no file of advice fits, against the libraries of
the Python that this is started with: advice_rules.py RULES.json, of {rule: code}, prints [[rule, "ok" | "skip:
why" | what is wrong], ...] as JSON. Pieces are completed (a handler gets its `try`, a decorator its function);
names of the application are stand-ins. Options of commands must be known to these (COMMANDS)."""
import ast
import collections
import importlib
import json
import logging
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from types import SimpleNamespace

import advice
import advice_stages

HOST, PORT = advice_stages.HOST, advice_stages.PORT
DATABASE = f"postgresql+psycopg2://shop@{HOST}:{PORT}/"
# Names that a snippet has from a library without saying so.
IMPORTS = {"JSONResponse": "fastapi.responses", "HTTPException": "fastapi", "make_region": "dogpile.cache",
           "create_engine": "sqlalchemy", "HTTPAdapter": "requests.adapters",
           "OperationalError": "kombu.exceptions", "Reject": "celery.exceptions",
           **dict.fromkeys(["retry", "retry_if_exception_type", "stop_after_attempt", "stop_after_delay",
                            "wait_random_exponential"], "tenacity")}
COMMANDS = {"gunicorn": [sys.executable, "-m", "gunicorn", "--help"],
            "uvicorn": [sys.executable, "-m", "uvicorn", "--help"],
            "mishap": [os.environ.get("MISHAP", "mishap"), "run", "--help"]}
# What would leave this machine.
ELSEWHERE = {"host=db1,db2": f"host={HOST},{HOST} port={PORT}"}


def commands(code):
    """(lines that are no command, [(program, option)]); options also of commands in comments."""
    lines = [line for line in code.split("\n") if line.split(" ")[0] not in COMMANDS]
    options, program = [], None
    for word in re.findall(r"[-\w.]+", code):
        program = word if word in COMMANDS else program
        if re.match("--[a-z]", word) and program:
            options.append((program, word))
    return "\n".join(lines), options


def unknown_options(options):
    """Those that their program does not tell of; the name of a package that is not there is an error."""
    for program in sorted({program for program, _ in options}):
        done = subprocess.run(COMMANDS[program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=60)
        if f"No module named {program}" in done.stderr:
            raise ModuleNotFoundError(f"No module named '{program}'", name=program)
        known = set(re.findall(r"--[\w-]+", done.stdout))
        yield from (f"{program} {option}" for name, option in options if name == program and option not in known)


def complete(code):
    """The piece as a program that can be run by itself."""
    if code.startswith("except "):
        kind = re.match(r"except (.*?)(?: as \w+)?:", code)[1]
        code = f"try:\n    if fails:\n        raise {kind}('no')\n{code}"
    if re.search(r"(?m)^@.*(?:\n .*)*\Z", code):
        code += "\ndef decorated():\n    return fetch(sku)"
    if re.search(r"(?m)^ *return ", code) and not re.search(r"(?m)^(async )?def ", code):
        how = "async def" if re.search(r"(?m)\bawait |^ *async ", code) else "def"
        code = f"{how} snippet():\n{textwrap.indent(code, '    ')}"
    return code


def names_of_libraries(code, known):
    """Names that stand for something of a library; what is not installed is an error."""
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    return {name: getattr(importlib.import_module(module), name) for name, module in IMPORTS.items()
            if name in used and name not in known}


def shop(known, stack):
    """The application around: as little of it as a snippet asks for."""
    listener = stack.enter_context(socket.create_server((HOST, 0)))

    async def call_next(request):
        return request

    def ask(connection):
        raise TimeoutError("no")

    class DependencyDown(Exception):
        pass

    return {"sku": "k1", "fallback": None, "folder": os.path.dirname(known["path"]), "fetch_rates": dict,
            "out": stack.enter_context(open(known["path"], "wb")), "primary": known["url"],
            "replica": known["url"], "workers": [SimpleNamespace(join=lambda: None)], "listener": listener,
            "server": SimpleNamespace(shutdown=lambda: None), "budget": SimpleNamespace(spend=lambda: True),
            "address": (HOST, PORT), "limit": resource.getrlimit(resource.RLIMIT_AS)[1], "peer": "db:5432",
            "request_id": "r1", "n": 3, "handler": logging.NullHandler(), "ask": ask, "body": b"",
            "connection": SimpleNamespace(close=lambda: None), "deadline": time.monotonic() + 5, "order_id": "o1",
            "order": collections.namedtuple("Order", "id")(1), "DependencyDown": DependencyDown,
            "request": SimpleNamespace(url=SimpleNamespace(path="/health")), "call_next": call_next,
            "self": SimpleNamespace(request=SimpleNamespace(id="t1", delivery_info={"redelivered": True})),
            "seen": lambda task: 3, "records": None, "last_known": {}}


def task(known):
    celery = importlib.import_module("celery").Celery("shop", broker=f"redis://{HOST}:{PORT}/0")
    celery.conf.broker_connection_max_retries = 1

    def send(order=None):
        return order
    done = celery.task(send)
    return {"app": celery, "task": done, "charge": done, "ship": done}


def quotes(known):
    """A peer that fails as its client says it."""
    def fetch(sku):
        if known["fails"]:
            raise importlib.import_module("requests").ConnectionError("no")
        return {"price": 1}
    return {"fetch": fetch}


# What one rule's snippet needs beyond that.
STAGES = {
    "MH-0101": lambda known: {"app": importlib.import_module("fastapi").FastAPI()},
    "MH-0105": lambda known: {"store": importlib.import_module("redis").Redis(HOST, PORT)},
    "MH-0201": lambda known: {"client": importlib.import_module("httpx").Client(), "path": "/quote"},
    "MH-0401": lambda known: {"cache": importlib.import_module("redis").Redis(HOST, PORT)},
    "MH-0506": lambda known: {"session": importlib.import_module("requests").Session()},
    "MH-0508": lambda known: {"client": importlib.import_module("httpx").Client(), "order": {"id": 1}},
    "MH-0509": lambda known: {"answer": importlib.import_module("httpx").Response(503, headers={"Retry-After": "2"})},
    "MH-0604": lambda known: {"client": importlib.import_module("httpx").AsyncClient()},
    "MH-0608": lambda known: {"slots": threading.BoundedSemaphore(1)},
    "MH-0801": task,
    "MH-2012": lambda known: {"lock": threading.Lock(), "cache": {}, "fetch": str},
    "MH-0405": quotes,
    "MH-1005": lambda known: {"app": importlib.import_module("fastapi").FastAPI(),
                              "pricing": importlib.import_module("pybreaker").CircuitBreaker()},
    "MH-2013": lambda known: {"client": SimpleNamespace(close=lambda: None)},
}
for _rule, _like in {"MH-2020": "MH-0101", "MH-2015": "MH-0105", "MH-0805": "MH-0508", "MH-2010": "MH-0509", "MH-0202": "MH-0201",
                     "MH-2004": "MH-0604", "MH-0802": "MH-0801", "MH-0803": "MH-0801"}.items():
    STAGES[_rule] = STAGES[_like]


def stage_of(rule, code):
    def stage(known, stack):
        found = {**shop(known, stack), **({"url": DATABASE} if "create_engine(" in code else {}), **STAGES.get(rule, lambda known: {})(known)}
        return {**found, **names_of_libraries(code, {*known, *found})}
    return stage


def judge(rule, code):
    for text, here in ELSEWHERE.items():
        code = code.replace(text, here)
    try:
        rest, options = commands(code)
        wrong = list(unknown_options(options))
        for module, name in re.findall(r" -k (\w+)\.(\w+)", code):
            getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as exc:
        return f"skip: {exc.name} is not installed"
    if wrong:
        return f"there is no {', '.join(wrong)}"
    if not re.sub(r"#.*", "", rest).strip():
        return "ok"
    code = complete(rest)
    advice_stages.STAGES[rule] = stage_of(rule, code)
    # "names" of the application that say how it goes this time
    inner = advice_stages.names
    advice_stages.names = lambda folder, fails: {**inner(folder, fails), "fails": fails}
    try:
        return advice.judge(code, {"name": rule, "error": error_of(code)})
    finally:
        advice_stages.names = inner


def error_of(code):
    """What a server that refuses makes of it: the errors of the libraries that the snippet names."""
    errors = {"httpx": "httpx.TransportError", "requests": "requests.RequestException", "redis": "redis.RedisError",
              "psycopg": "psycopg.OperationalError", "task": "kombu.exceptions.OperationalError",
              "ask": "TimeoutError"}
    return "(" + "".join(f"{error}, " for word, error in errors.items() if re.search(rf"\b{word}\b", code)) + ")"


def main(path):
    with open(path, encoding="utf-8") as f:
        rules = json.load(f)
    out = os.dup(1)
    os.dup2(2, 1)  # what snippets print is no result
    logging.disable(logging.CRITICAL)
    signal.alarm(300)
    time.sleep = lambda seconds: None  # nobody waits for these pauses
    results = [[rule, judge(rule, code)] for rule, code in rules.items()]
    with os.fdopen(out, "w", encoding="utf-8") as f:
        f.write(json.dumps(results))
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
