"""The droid swarm server and the fake of Factory beside it, each in a process of its own. What the fake says it was asked is the outside ledger."""

import os
import threading
import time
from collections import Counter
from datetime import datetime

from world import Plane

# Another spec may be tried in place of the one in the binary.
SPEC = os.environ.get("DROIDS_SPEC", "factory_droid_swarm")
KEY = "fk-fake"
PAGE = 100
CALL_SECONDS = 240
# What a machine that stalls may take.
PATIENCE_SECONDS = 120
WIRE = "2026-07-28"
TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}


class Fake(Plane):
    """`mcp-factory fake factory-api`: sessions that work for a while, failures on demand, and what it was asked."""

    def __init__(self, world, place, latency=0, work=3000):
        self.words = ("fake", "factory-api", "--port", "0", "--latency", str(latency), "--work", str(work))
        super().__init__(world, place / "fake")

    def seen(self):
        return self.ask("GET", "/_fake", seconds=CALL_SECONDS).json

    def route(self, name):
        """How many requests of this kind came."""
        return self.seen()["routes"].get(name, 0)

    def order(self, *failures, clear=False):
        answer = self.ask("POST", "/_fake", {"fail": list(failures), "clear": clear})
        assert answer.status == 200, answer

    def api(self, method, path, body=None):
        """As another program with the same key asks."""
        answer = self.ask(method, f"/api/v0/sessions{path}", body, {"authorization": f"Bearer {KEY}"}, CALL_SECONDS)
        assert answer.status // 100 == 2, answer
        return answer.json

    def remove(self, session):
        self.api("DELETE", f"/{session}")

    def open(self):
        return self.api("POST", "", {})["sessionId"]

    def say(self, session, text):
        self.api("POST", f"/{session}/messages", {"text": text})

    def sent(self):
        """How often each prompt came."""
        return Counter(one["text"] for one in self.seen()["prompts"])

    def sessions(self):
        """Every session as it is now, by its id."""
        found, cursor = {}, None
        while True:
            page = self.api("GET", f"?limit={PAGE}" + (f"&cursor={cursor}" if cursor else ""))
            found |= {one["sessionId"]: one for one in page["sessions"]}
            if not page["pagination"]["hasMore"]:
                return found
            cursor = page["pagination"]["nextCursor"]


class Refused(Exception):
    """The tool failed, and says why."""


class Droids(Plane):
    """`mcp-factory run factory_droid_swarm` over HTTP. Nothing that it says may hold the key."""

    def __init__(self, world, place, fake, env=None):
        self.words = ("run", SPEC, "--transport", "http", "--port", "0")
        super().__init__(world, place / "droids", {"FACTORY_API_KEY": KEY, "FACTORY_API_URL": f"{fake.url}/api/v0", **(env or {})})
        self.leaks = 0

    def request(self, method, name, params, capabilities=None, seconds=CALL_SECONDS):
        """The result of one request, or its error."""
        body, head = message(method, name, params, capabilities)
        answer = self.ask("POST", "/mcp", body, head, seconds)
        self.leaks += KEY.encode() in answer.body
        if answer.status != 200 or "result" not in answer.json:
            raise Refused(f"{method} {name}: {answer}")
        return answer.json["result"]

    def call(self, tool, seconds=CALL_SECONDS, **arguments):
        """The structured answer of a tool."""
        result = self.request("tools/call", tool, {"name": tool, "arguments": arguments}, seconds=seconds)
        if result.get("isError"):
            raise Refused(" ".join(part.get("text", "") for part in result["content"]))
        return result["structuredContent"]

    def task(self, tool, **arguments):
        """Starts a tool as a task; gives its id."""
        result = self.request("tools/call", tool, {"name": tool, "arguments": arguments}, TASKS)
        return result["taskId"]

    def about(self, task):
        return self.request("tasks/get", task, {"taskId": task}, TASKS)

    def members(self):
        """Every droid that was started here, with its record."""
        return [one for swarm in self.call("list_swarms")["swarms"] for one in self.call("get_swarm", swarmId=swarm["swarmId"])["members"]]


def message(method, name, params, capabilities=None):
    """A request of the stateless revision: its body and its head."""
    meta = {"io.modelcontextprotocol/protocolVersion": WIRE, "io.modelcontextprotocol/clientInfo": {"name": "faults", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": capabilities or {}}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    return body, {"accept": "application/json", "mcp-protocol-version": WIRE, "mcp-method": method, "mcp-name": name}


def milliseconds(text):
    """A time as the server writes it, as the fake does."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0


class Crew:
    """Threads that do the same until all is done; what goes wrong in one is told."""

    def __init__(self, count, work, items):
        self.items, self.work, self.faults, self.lock = iter(items), work, [], threading.Lock()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        while True:
            with self.lock:
                item = next(self.items, None)
            if item is None:
                return
            try:
                self.work(item)
            except Exception as error:
                with self.lock:
                    self.faults.append(f"{item}: {error!r}")

    def busy(self):
        return any(thread.is_alive() for thread in self.threads)

    def done(self):
        """Waits for all; gives what went wrong."""
        for thread in self.threads:
            thread.join()
        return self.faults


def say(world, faults, name, measured, bar, well):
    for fault in faults[:10]:
        print("  ", fault[:600])
    world.line(name, f"{measured}, {len(faults)} faults", f"{bar}, 0 faults", well and not faults)


