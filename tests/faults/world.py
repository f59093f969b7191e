"""A control plane as its users see it: a process, a home folder, and answers over HTTP. Nothing here knows its code."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

READY_SECONDS = 20
ANSWER_SECONDS = 30


class Lost(Exception):
    """No answer came, or half of one: what was asked for is done or not done."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body or b"null")

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Plane:
    """`mcp-factory serve` on a free port, or what else `words` say; `more` are further options."""

    words = ("serve", "--port", "0")

    def __init__(self, world, home, env=None, more=()):
        self.world, self.home = world, Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.log = open(self.home.with_suffix(".log"), "ab")
        command = [world.binary, *self.words, "--output", "json", "--home", str(self.home), *more]
        settings = {**world.env, **(env or {})}
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, env=settings)
        text = b""
        for line in self.process.stdout:
            text += line
            try:
                told = json.loads(text)
                break
            except ValueError:
                continue
        else:
            raise AssertionError(f"the control plane did not start (exit {self.process.wait()}): {text!r}, see {self.log.name}")
        self.url = told["url"]
        self.host = urlsplit(self.url).netloc
        self.ready_seconds = time.monotonic() - self.began

    @property
    def pid(self):
        return self.process.pid

    def connection(self, seconds=ANSWER_SECONDS):
        return http.client.HTTPConnection(self.host, timeout=seconds)

    def ask(self, method, path, body=None, headers=None, seconds=ANSWER_SECONDS, connection=None):
        """One request. A mapping is sent as JSON, text as YAML. Raises `Lost` where no whole answer came."""
        head = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            head.setdefault("content-type", "application/json")
        elif isinstance(body, str):
            head.setdefault("content-type", "application/yaml")
        own = connection or self.connection(seconds)
        try:
            own.request(method, path, body=body.encode() if isinstance(body, str) else body, headers=head)
            got = own.getresponse()
            return Answer(got.status, dict(got.getheaders()), got.read())
        except (OSError, http.client.HTTPException) as error:
            own.close()
            ended = "" if not until(0.2, lambda: not self.alive()) else f", the process ended with {self.process.returncode}"
            raise Lost(f"{method} {path}: {error!r}{ended}") from error
        finally:
            if connection is None:
                own.close()

    def call(self, server, tool, arguments=None, version=None):
        body = {"arguments": arguments or {}, **({"version": version} if version else {})}
        return self.ask("POST", f"/mcp/servers/{server}/tools/{tool}", body)

    def memory(self):
        """Resident bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def handles(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._closed()

    def stop(self, seconds=20):
        """Ends it as an operator does; gives the exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            self.kill()

    def _closed(self):
        self.process.stdout.close()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.log.closed:
            self.kill()


class World:
    """What the scenarios share: the binary, a folder of their own, how much to do, and what was found."""

    def __init__(self, binary, folder, full):
        self.binary, self.folder, self.full = binary, Path(folder), full
        self.env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.lines, self.skips, self.places = [], [], set()

    def size(self, gate, full):
        """How many: the numbers of every run, or those of a long one."""
        return full if self.full else gate

    def place(self, name):
        """A folder of this run, empty when it is first asked for."""
        place = self.folder / name
        if name not in self.places:
            shutil.rmtree(place, ignore_errors=True)
            self.places.add(name)
        place.mkdir(parents=True, exist_ok=True)
        return place

    def line(self, name, measured, bar, well):
        """One line of the scorecard."""
        self.lines.append({"name": name, "measured": str(measured), "bar": str(bar), "well": bool(well)})
        print(f"{'ok    ' if well else 'FAILED'} {name}: {measured} (bar: {bar})", flush=True)


    def skip(self, name, reason):
        """A line that is not given. What could be installed fails the run; a reason that begins with `machine: ` does not."""
        self.skips.append(f"{name}: {reason}")
        print(f"SKIPPED {name}: {reason}", flush=True)


def spec(name, version, word, tools=1):
    """A server whose answer says which version it is."""
    text = f"name: {name}\nversion: {version}\ntools:\n"
    for number in range(tools):
        tool = "say" if number == 0 else f"say_{number}"
        text += f"  - name: {tool}\n    description: Says its word\n    parameters: {{}}\n    reply: {{text: {json.dumps(word)}}}\n"
    return text


def until(seconds, check):
    """The first truthy answer of `check`, or its last one when time is up."""
    end = time.monotonic() + seconds
    while True:
        last = check()
        if last or time.monotonic() > end:
            return last
        time.sleep(0.02)
