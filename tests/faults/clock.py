"""F7: the clock of the machine jumps: nothing that was given ends early, what should end ends, nothing stands still."""

from pathlib import Path

from ledger import Ledger
from oauth import Exchange
from world import Plane

HOUR, DAY = 3600, 86400
JUMPS = [("+1 h", HOUR), ("-1 h", -HOUR), ("-1 d", -DAY), ("+400 d", 400 * DAY)]


def run(world):
    library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
    if library is None:
        world.skip("F7 clock", "libfaketime is not installed")
        return
    _plane(world, library)
    _tokens(world, library)


class Clock:
    """What the process believes: the real time and an offset that can change while it runs."""

    def __init__(self, world, library, name):
        self.file = world.place(name) / "offset"
        self.set(0)
        self.env = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, seconds):
        self.file.write_text(f"{seconds:+d}s\n")


def _plane(world, library):
    clock, ledger, faults = Clock(world, library, "clock"), Ledger(), []
    with Plane(world, world.place("clock-home") / "home", clock.env) as plane:
        ledger.put(plane, "kept", "1.0.0", "kept")
        ledger.deploy(plane, "kept")
        session = _session(plane)
        for number, (name, seconds) in enumerate(JUMPS):
            clock.set(seconds)
            ledger.put(plane, "other", f"1.1.{number}", f"after {name}")
            ledger.judge(plane)
            if not _alive(plane, session):
                faults.append(f"{name}: the session of a client ended")
            jobs = plane.ask("GET", "/mcp/jobs")
            if jobs.status != 200:
                faults.append(f"{name}: {jobs}")
            clock.set(0)
        if not _alive(plane, session):
            faults.append("after all jumps the session of a client is gone")
    with Plane(world, world.place("clock-home") / "home") as plane:
        ledger.judge(plane)
    _say(world, "F7 the clock jumps under a control plane", len(JUMPS), [*ledger.faults, *faults])


def _session(plane):
    """A session of an older revision, which an idle clock could end."""
    answer = plane.ask("POST", "/servers/kept/mcp", {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "clock", "version": "1"}}},
        {"accept": "application/json, text/event-stream"})
    assert answer.status == 200, answer
    head = {name.lower(): value for name, value in answer.headers.items()}
    head = {"accept": "application/json, text/event-stream", "mcp-session-id": head["mcp-session-id"], "mcp-protocol-version": "2025-06-18"}
    plane.ask("POST", "/servers/kept/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, head)
    return head


def _alive(plane, session):
    return plane.ask("POST", "/servers/kept/mcp", {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}, session).status == 200


def _tokens(world, library):
    clock, faults = Clock(world, library, "clock-tokens"), []
    with Exchange(world, world.place("clock-oauth") / "home", env=clock.env) as server:
        tokens = server.redeem(server.code())
        for name, seconds in (("-1 h", -HOUR), ("-1 d", -DAY), ("+30 min", HOUR // 2)):
            clock.set(seconds)
            if not server.lets_in(tokens):
                faults.append(f"{name}: a token that has not ended is refused")
        clock.set(0)
        code = server.code()
        clock.set(HOUR)
        if server.redeem(code):
            faults.append("+1 h: a code of a minute is redeemed")
        clock.set(2 * HOUR)
        if server.lets_in(tokens):
            faults.append("+2 h: a token of an hour is let in")
        fresh = server.refresh(tokens)
        if not fresh or not server.lets_in(fresh):
            faults.append("+2 h: the refresh token gives no new one")
        clock.set(400 * DAY)
        if fresh and (server.lets_in(fresh) or server.refresh(fresh)):
            faults.append("+400 d: tokens of a month are let in")
        newest = server.redeem(server.code())
        if not newest or not server.lets_in(newest):
            faults.append("+400 d: a new token is not let in")
    _say(world, "F7 the clock jumps under tokens and codes", 7, faults)


def _say(world, name, jumps, faults):
    for fault in faults[:10]:
        print("  ", fault)
    world.line(name, f"{jumps} jumps, {len(faults)} faults", f"{jumps} jumps, 0 faults", not faults)
