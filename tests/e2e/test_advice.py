# SPDX-License-Identifier: Apache-2.0
"""Fixes are code that somebody will copy: each compiles, and what it names is there."""
import ast
import importlib
import inspect
import pathlib
import re
import textwrap

import pytest

TABLE = pathlib.Path(__file__).parents[2] / "tools/grade/advice.def"
ROW = re.compile(r'^ADVICE\("(MH-\d+)", "(\w*)", ("(?:[^"\\]|\\.)*")\)$')
FILLED = {"{peer}": "db:5432", "{function}": "pay", "{file}": "shop.py", "{read}": "5"}
# Names that a snippet uses as they are after `from MODULE import NAME`.
IMPORTED = {"Retry": {"redis": "redis.retry", "requests": "urllib3.util"},
            "ExponentialBackoff": "redis.backoff", "HTTPAdapter": "requests.adapters",
            **{name: "tenacity" for name in ("retry", "retry_if_exception_type", "stop_after_attempt",
                                             "stop_after_delay", "wait_random_exponential")}}
PACKAGES = ("aiohttp asyncio asyncpg boto3 botocore ftplib http httpx imaplib kombu pika psycopg psycopg2 "
            "random redis requests smtplib sqlalchemy time urllib urllib3").split()


def rows():
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("ADVICE(")]
    found = [ROW.match(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found) if not match]
    return [(m[1], m[2], ast.literal_eval(m[3])) for m in found]


def parsed(code):
    """The snippet as a tree: it may stand inside a function, or go on after a try block."""
    for name, value in FILLED.items():
        code = code.replace(name, value)
    code = re.sub(r"(def \w+\()\.\.\.(\):.*)$", r"\1*args\2\n    pass", code, flags=re.M)
    if code.startswith("except"):
        code = "try:\n    pass\n" + code
    return ast.parse("async def snippet():\n" + textwrap.indent(code, "    "))


def named(node, library):
    """What a name or a dotted name stands for: (known, object)."""
    parts = ast.unparse(node).split(".")
    module = IMPORTED.get(parts[0])
    if isinstance(module, dict):
        module = module.get(library)
    if len(parts) == 1 and module:
        return True, getattr(pytest.importorskip(module), parts[0])
    if len(parts) == 1 or parts[0] not in PACKAGES:
        return False, None
    what = pytest.importorskip(parts[0])
    for i, part in enumerate(parts[1:], 1):
        if not hasattr(what, part):
            importlib.import_module(".".join(parts[:i + 1]))
        what = getattr(what, part)
    return True, what


def takes(what, keyword):
    """Does one of the constructor's or function's own parameters have the name, or any **rest?"""
    parameters = inspect.signature(what).parameters
    return keyword in parameters or any(p.kind == p.VAR_KEYWORD for p in parameters.values())


@pytest.mark.parametrize("rule,library,code", rows(), ids=lambda v: v if len(v) < 12 else "code")
def test_snippet(rule, library, code):
    tree = parsed(code)
    compile(tree, "snippet", "exec")
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Name)) and re.fullmatch(r"[\w.]+", ast.unparse(node)):
            named(node, library)
        if isinstance(node, ast.Call) and re.fullmatch(r"[\w.]+", ast.unparse(node.func)):
            known, what = named(node.func, library)
            for keyword in node.keywords if known else ():
                assert takes(what, keyword.arg), f"{ast.unparse(node.func)}({keyword.arg}=)"


def test_one_row_for_a_rule_and_library():
    keys = [(rule, library) for rule, library, _ in rows()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("code", ["requests.get(url, timeout=5", "redis.Rediss(host)",
                                  "smtplib.SMTP(host, timeouts=5)"])
def test_the_test_can_fail(code):
    with pytest.raises((SyntaxError, AttributeError, AssertionError, ImportError)):
        test_snippet("MH-0601", "redis", code)
