# SPDX-License-Identifier: Apache-2.0
"""The interpreter for applications that use today's libraries: a virtual environment in the build
directory, filled from PyPI when the first of them asks for it. $VALIDATE_PYPI names another one."""
import functools
import os
import subprocess
import threading

PACKAGES = """aiohttp==3.14.5 asyncpg==0.32.0 bottle==0.13.4 cachetools==8.0.2 celery==5.7.0 circuitbreaker==2.1.3
fastapi==0.165.0 Flask==3.1.3 gunicorn==27.0.1 httptools==0.9.0 httpx==0.28.1 Hypercorn==0.18.0 litestar==2.25.0 packaging==26.4
psycopg[binary]==3.3.9 psycopg-pool==3.3.3 pybreaker==1.4.1 Quart==0.22.0 redis==8.1.0 requests==2.34.2 rq==3.0.0
stamina==26.1.0 starlette==1.10.0 structlog==26.1.0 tenacity==9.2.1 uvicorn==0.54.0 uvloop==0.23.0 waitress==3.0.2""".split()
NOT_REACHED = "PyPI cannot be reached, or has no such versions"
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
lock = threading.Lock()


def python():
    """The path; raises RuntimeError where PyPI cannot be reached."""
    with lock:
        path = made()
    if not path:
        raise RuntimeError(NOT_REACHED)
    return path


@functools.lru_cache(None)
def made():
    if "VALIDATE_PYPI" in os.environ:
        return os.environ["VALIDATE_PYPI"]
    place = os.path.join(os.environ.get("MISHAP_BUILD", os.path.join(TREE, "build")), "validation-pypi")
    python = os.path.join(place, "bin", "python3")
    if not os.path.exists(os.path.join(place, "bin", "pip")):
        subprocess.run(["/usr/bin/python3", "-m", "venv", place], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([python, "-m", "pip", "-q", "install", "--disable-pip-version-check", *PACKAGES])
    return python if done.returncode == 0 else None
