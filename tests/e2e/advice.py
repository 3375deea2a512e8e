# SPDX-License-Identifier: Apache-2.0
"""Runs the snippets of one file of advice against the libraries of the Python that this is started with:
advice.py FILE.ini prints [[rule, "ok" | "skip: why" | what is wrong], ...] as JSON. Names of the application
are stand-ins (NAMES, STAGES); servers are a port that refuses, so a snippet ends well, or in its library's
own error about the connection, or by its own `raise`."""
import ast
import asyncio
import builtins
import configparser
import contextlib
import importlib
import importlib.metadata
import inspect
import json
import logging
import os
import pathlib
import re
import signal
import socket
import sys
import tempfile

import advice_stages

FILLED = {"peer": "db:5432", "call": "requests.get", "function": "pay", "file": "shop.py", "read": "1",
          "site": "pay in shop.py, line 3", "route": "GET /quote", "errno": "ECONNRESET", "p99": "18 ms",
          "failed": "3"}
SECONDS = 20
# No word of a library's, whatever came before it.
MISTAKES = (AttributeError, ImportError, KeyError, NameError, SyntaxError, TypeError)


def read(path):
    """[(section, {key: value})]: lines of '| ...' as they are."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, empty_lines_in_values=False,
                                       inline_comment_prefixes=())
    with open(path, encoding="utf-8") as f:
        parser.read_file(f)
    return [(name, {k: "\n".join(re.sub(r"^\| ?", "", line) for line in v.strip("\n").split("\n"))
                    for k, v in parser[name].items()}) for name in parser.sections()]


def filled(code, error):
    for word, value in {**FILLED, "error": error or "OSError"}.items():
        code = code.replace("{" + word + "}", value)
    return code


def numbers(version):
    return [int(n) for n in re.findall(r"\d+", version)][:3]


def suits(library):
    """Is what is installed of the versions that the file is for? None: it is not installed."""
    packages = library.get("package", library["name"]).split()
    if library["role"] == "stdlib" or packages == ["python"]:
        have = list(sys.version_info[:2])
    else:
        have = None
        for package in packages:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                have = numbers(importlib.metadata.version(package))
    if not have or "versions" not in library:
        return have and True
    return all(have >= numbers(word) if word[0] == ">" else have < numbers(word)
               for word in library["versions"].split())


def dotted(node):
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return head and head + [node.attr]
    return None


def packages():
    """Top-level modules of all libraries that there is advice for, and of those that advice leads to."""
    found = {"pyrate_limiter", "asgiref"}
    for path in pathlib.Path(__file__).parents[2].glob("config/advice/*.ini"):
        found |= {word.split(".")[0] for word in dict(read(path))["library"]["modules"].split()}
    return found


def resolve(parts, names):
    """The object of a dotted name that begins with a module, which is imported; None for other names."""
    if parts[0] in names and not inspect.ismodule(names[parts[0]]):
        return None
    if parts[0] not in names:
        try:
            names[parts[0]] = importlib.import_module(parts[0])
        except ModuleNotFoundError as exc:
            if exc.name == parts[0] not in packages():
                raise NameError(f"'{parts[0]}' is no module, and no name of advice_stages.py") from exc
            raise
    what = names[parts[0]]
    for i, part in enumerate(parts[1:], 1):
        if not hasattr(what, part) and inspect.ismodule(what):
            try:
                importlib.import_module(".".join(parts[:i + 1]))
            except ModuleNotFoundError as exc:
                if exc.name == ".".join(parts[:i + 1]):
                    raise AttributeError(f"there is no {exc.name}") from exc
                raise
        if not (inspect.ismodule(what) or inspect.isclass(what) or inspect.isroutine(what)):
            return None  # an object of the library: what it has is seen when it is used
        what = getattr(what, part)
    return what


def own_names(tree):
    found = set(dir(builtins)) | {"__file__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(a.asname or a.name).split(".")[0] for a in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def check_names(tree, names):
    """Every dotted name that begins with a module is there, and its calls take their keywords."""
    own = own_names(tree) - {n for n in names if n != "exc"}
    for node in ast.walk(tree):
        parts = dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
        if parts and parts[0] not in own:
            resolve(parts, names)
        if not isinstance(node, ast.Call):
            continue
        parts = dotted(node.func)
        what = resolve(parts, names) if parts and parts[0] not in own else None
        try:
            parameters = inspect.signature(what).parameters if what else {}
        except (TypeError, ValueError):
            continue
        rest = any(p.kind == p.VAR_KEYWORD for p in parameters.values())
        for keyword in node.keywords if what else ():
            if keyword.arg and not rest and keyword.arg not in parameters:
                raise TypeError(f"{'.'.join(parts)}() takes no {keyword.arg}=")


def refused(exc, tree, errors):
    """Is it the library's word on a server that refuses or that nobody knows, or an exception that the snippet itself raises?"""
    frame = exc.__traceback__
    while frame.tb_next:
        frame = frame.tb_next
    raised = {line for node in ast.walk(tree) if isinstance(node, ast.Raise)
              for line in range(node.lineno, node.end_lineno + 1)}
    if frame.tb_frame.f_code.co_filename == "<snippet>" and frame.tb_lineno in raised:
        return True
    if isinstance(exc, MISTAKES):
        return False
    while exc:
        if isinstance(exc, (ConnectionRefusedError, socket.gaierror, *errors)):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


def errors_of(library, names):
    """The classes behind `error =`."""
    text = library.get("error")
    if not text:
        return ()
    for node in ast.walk(ast.parse(text)):
        parts = dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
        if parts and not hasattr(builtins, parts[0]):
            resolve(parts, names)
    what = eval(text, dict(names))  # pylint: disable=eval-used
    return tuple(c for c in (what if isinstance(what, tuple) else (what,)) if c is not OSError)


def calls(tree, names):
    """Calls of the functions that the snippet defined, when all they want is known."""
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        wanted = [a.arg for a in node.args.args if a.arg != "self"]
        if all(w in names for w in wanted):
            yield lambda f=names[node.name], w=wanted: f(*[names[n] for n in w])


async def in_loop(code, tree, library, names, stack):
    made = advice_stages.STAGES.get(library["name"], lambda known, stack: {})(names, stack)
    names.update(await made if inspect.isawaitable(made) else made)
    check_names(tree, names)
    answer = eval(code, names)  # pylint: disable=eval-used
    if inspect.isawaitable(answer):
        await asyncio.wait_for(answer, SECONDS)


def in_thread(code, tree, library, names, stack):
    made = advice_stages.STAGES.get(library["name"], lambda known, stack: {})(names, stack)
    if inspect.isawaitable(made):  # it is made within a loop: so is the snippet
        made.close()
        asyncio.run(in_loop(code, tree, library, names, stack))
        return
    names.update(made)
    check_names(tree, names)
    exec(code, names)  # pylint: disable=exec-used
    for call in calls(tree, names):
        answer = call()
        if inspect.iscoroutine(answer):
            asyncio.run(asyncio.wait_for(answer, SECONDS))


def run(text, library, fails):
    """Once; `fails`: what the application calls fails, so that handlers are run as well."""
    tree = ast.parse(text)
    code = compile(text, "<snippet>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        names = advice_stages.names(folder, fails)
        errors = errors_of(library, names)
        advice_stages.check(library["name"], tree)
        try:
            if code.co_flags & inspect.CO_COROUTINE:
                asyncio.run(in_loop(code, tree, library, names, stack))
            else:
                in_thread(code, tree, library, names, stack)
        except Exception as exc:  # pylint: disable=broad-except
            if not refused(exc, tree, errors):
                raise


def judge(text, library):
    try:
        run(text, library, False)
        if "except" in text or "fetch" in text:
            run(text, library, True)
    except ModuleNotFoundError as exc:
        if exc.name.split(".")[0] in packages():
            return f"skip: {exc.name} is not installed"
        return f"{type(exc).__name__}: {exc}"
    except Exception as exc:  # pylint: disable=broad-except
        return f"{type(exc).__name__}: {exc}"
    return "ok"


def main(path):
    sections = read(path)
    library = dict(sections)["library"]
    out = os.dup(1)
    os.dup2(2, 1)  # what snippets print is no result
    logging.disable(logging.CRITICAL)
    signal.alarm(300)
    results = []
    suited = suits(library)
    for rule, keys in sections[1:]:
        if suited is False:
            results.append([rule, f"skip: not for this version of {library['name']}"])
        elif "code" in keys:
            results.append([rule, judge(filled(keys["code"], library.get("error")), library)])
    with os.fdopen(out, "w", encoding="utf-8") as f:
        f.write(json.dumps(results))
    os._exit(0)  # threads of the libraries are of no interest


if __name__ == "__main__":
    main(sys.argv[1])
