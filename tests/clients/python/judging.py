"""What the judges of authorization share: programs that run, and servers that are started and ended."""

import asyncio
import contextlib
import os
import pathlib
import re
import signal
import sys

BINARY, NODE, SUITE = (pathlib.Path(word) for word in sys.argv[1:4])
FOLDER = pathlib.Path(sys.argv[4])
TOOLS = pathlib.Path(sys.executable).parent
SCRIPTS = pathlib.Path(__file__).parent
# Longest run of a program, seconds.
PATIENCE = 100
# Longest wait until a server listens, seconds.
START = 30

BROWSER = """#!{python}
import sys, urllib.request
# What somebody would open: everything here agrees without a question.
urllib.request.urlopen(sys.argv[1], timeout=20).read()
"""


def browser():
    """A program that opens a page."""
    file = FOLDER / "browser"
    if not file.exists():
        new = FOLDER / "browser.new"
        new.write_text(BROWSER.format(python=sys.executable))
        new.chmod(0o755)
        new.rename(file)
    return file


async def run(*words, env=None):
    """Runs a program to its end; gives its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, words), env={**os.environ, **(env or {})},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        return -1, f"{words[0]} took more than {PATIENCE} s"
    return process.returncode, out.decode(errors="replace")


@contextlib.asynccontextmanager
async def started(name, *words, env=None):
    """A server, until it is left; gives the first address that it names."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
    process = await asyncio.create_subprocess_exec(
        *map(str, words), env=environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )
    log = open(FOLDER / f"{name}.log", "wb")

    async def address():
        while line := await process.stdout.readline():
            log.write(line)
            if found := re.search(rb"http://127\.0\.0\.1:\d+", line):
                return found.group().decode()
        raise RuntimeError(f"{name} did not say where it listens; see {log.name}")

    async def rest():
        while line := await process.stdout.readline():
            log.write(line)

    try:
        url = await asyncio.wait_for(address(), START)
        reading = asyncio.create_task(rest())
        yield url
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(reading, START)
        await asyncio.wait_for(process.wait(), START)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait_for(process.wait(), START)
        log.close()
