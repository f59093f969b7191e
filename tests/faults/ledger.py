"""The outside ledger: what was acknowledged must be there afterwards, the rest must be absent or whole."""

import threading

from world import Lost, spec, until

DEPLOYED_SECONDS = 15


class Entry:
    """One server as its only writer knows it."""

    def __init__(self, name):
        self.name = name
        self.versions = {}          # version -> word, acknowledged
        self.maybe = None           # (version, word) asked for, no answer came
        self.gone = False           # removal acknowledged
        self.maybe_gone = False     # removal asked for, no answer came
        self.deployed = None        # True running, False stopped, None never
        self.maybe_deployed = False # a change of it was asked for, no answer came


class Ledger:
    def __init__(self):
        self.entries, self.lock = {}, threading.Lock()
        self.acknowledged = self.lost = 0
        self.faults = []

    def entry(self, name):
        with self.lock:
            return self.entries.setdefault(name, Entry(name))

    def _count(self, acknowledged):
        with self.lock:
            self.acknowledged += acknowledged
            self.lost += not acknowledged

    def fault(self, text):
        with self.lock:
            self.faults.append(text)

    def put(self, plane, name, version, word, may_refuse=False):
        """Creates or updates; True when it was acknowledged."""
        entry = self.entry(name)
        entry.maybe = (version, word)
        try:
            answer = plane.ask("POST", "/mcp/create", spec(name, version, word))
        except Lost:
            self._count(False)
            return False
        if answer.status in (200, 201):
            entry.versions[version], entry.maybe, entry.gone = word, None, False
            self._count(True)
            return True
        if not may_refuse:
            self.fault(f"create {name} {version}: {answer}")
        return False

    def remove(self, plane, name):
        entry = self.entry(name)
        entry.maybe_gone = True
        try:
            answer = plane.ask("DELETE", f"/mcp/servers/{name}")
        except Lost:
            self._count(False)
            return
        if answer.status // 100 == 2:
            entry.versions, entry.gone, entry.maybe_gone, entry.deployed = {}, True, False, None
            self._count(True)
        else:
            self.fault(f"remove {name}: {answer}")

    def deploy(self, plane, name):
        self._deployment(plane, name, f"/mcp/deploy/{name}", {"target": "local"}, True)

    def stop(self, plane, name):
        self._deployment(plane, name, f"/mcp/servers/{name}/stop", {}, False)

    def _deployment(self, plane, name, path, body, running):
        entry = self.entry(name)
        entry.maybe_deployed = True
        try:
            answer = plane.ask("POST", path, body)
        except Lost:
            self._count(False)
            return
        if answer.status // 100 == 2:
            entry.deployed, entry.maybe_deployed = running, False
            self._count(True)
        else:
            self.fault(f"{path}: {answer}")

    def judge(self, plane, names=None):
        """Compares what the plane says with what it acknowledged; uncertain things become certain."""
        for name in list(names or self.entries):
            try:
                self._judge(plane, self.entries[name])
            except (Lost, ValueError, KeyError) as error:
                self.fault(f"judging {name}: {error!r}")

    def _judge(self, plane, entry):
        status = plane.ask("GET", f"/mcp/servers/{entry.name}")
        if status.status == 404:
            if entry.versions and not entry.maybe_gone:
                self.fault(f"{entry.name} was acknowledged with {sorted(entry.versions)} and is lost")
            entry.versions, entry.maybe, entry.maybe_gone, entry.deployed, entry.maybe_deployed = {}, None, False, None, False
            return
        if status.status != 200:
            self.fault(f"{entry.name}: {status}")
            return
        if entry.gone and entry.maybe is None:
            self.fault(f"{entry.name} was removed and is there: {status}")
        known = dict(entry.versions)
        if entry.maybe:
            known.setdefault(entry.maybe[0], entry.maybe[1])
        there = set(status.json["versions"])
        for version in entry.versions:
            if version not in there:
                self.fault(f"{entry.name} {version} was acknowledged and is lost; there is {sorted(there)}")
        for version in there:
            if version not in known:
                self.fault(f"{entry.name} {version} was never asked for")
        if not status.json["healthy"]:
            self.fault(f"{entry.name} is not whole: {status}")
        entry.versions = {version: known[version] for version in there if version in known}
        entry.maybe, entry.maybe_gone, entry.gone = None, False, False
        self._judge_words(plane, entry, status.json["version"])
        self._judge_deployment(plane, entry)

    def _judge_words(self, plane, entry, current):
        # A version that is named answers also where the server was stopped.
        called = plane.call(entry.name, "say", version=current)
        word = entry.versions.get(current)
        if called.status != 200 or word is None or word.encode() not in called.body:
            self.fault(f"{entry.name} {current} does not say {word!r}: {called}")

    def _judge_deployment(self, plane, entry):
        def answers():
            return plane.ask("POST", f"/servers/{entry.name}/mcp", LIST, headers=LIST_HEAD).status == 200
        if entry.maybe_deployed:
            entry.deployed, entry.maybe_deployed = answers(), False
        elif entry.deployed is True and not until(DEPLOYED_SECONDS, answers):
            self.fault(f"{entry.name} was deployed and does not answer")
        elif entry.deployed is False and answers():
            self.fault(f"{entry.name} was stopped and answers")


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "ledger", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {}}}}
LIST_HEAD = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"}
