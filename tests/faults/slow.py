"""F8: clients that send slowly, read slowly, or hold a connection half open: others are served as before, and all of it is freed."""

import socket
import threading
import time

from ledger import LIST, LIST_HEAD, Ledger
from world import Plane, until

# How long the others are measured.
MEASURED_SECONDS = 4
FREED_SECONDS = 90
# Two processors serve the harness too: what others see may be so much slower.
SLOWER = 2.0
# Below this a ratio says nothing.
FLOOR_SECONDS = 0.02


def run(world):
    count, ledger = world.size(200, 1000), Ledger()
    with Plane(world, world.place("slow") / "home") as plane:
        ledger.put(plane, "kept", "1.0.0", "kept")
        ledger.deploy(plane, "kept")
        quiet = _p99(plane)
        handles, memory = plane.handles(), plane.memory()
        drips = [_open(plane, kind) for kind in (KINDS * count)[:count]]
        stop = threading.Event()
        feeder = threading.Thread(target=_feed, args=(drips, stop))
        feeder.start()
        busy = _p99(plane)
        # A stall of the machine looks like one of the server, but not three times.
        for _ in range(2):
            busy = busy if _well(busy, quiet) else min(busy, _p99(plane))
        grown = plane.memory() - memory
        # Slow ones are ended by the server's own limits while they still drip.
        freed = until(FREED_SECONDS, lambda: plane.handles() <= handles + 5)
        stop.set()
        feeder.join()
        for drip in drips:
            drip.close()
        until(10, lambda: plane.handles() <= handles + 5)
        left = plane.handles() - handles
        ledger.judge(plane)
        alive = plane.alive()
    for fault in ledger.faults:
        print("  ", fault)
    world.line("F8 others beside slow clients", f"p99 {busy * 1000:.1f} ms with {count}, {quiet * 1000:.1f} ms without",
               f"at most {SLOWER} x, or {FLOOR_SECONDS * 1000:.0f} ms", _well(busy, quiet) and alive)
    world.line("F8 slow clients are ended", f"{'yes' if freed else 'no'}, {max(left, 0)} handles left, {grown >> 20} MiB grown",
               f"yes in {FREED_SECONDS} s, 0 left, 64 MiB", freed and left <= 5 and grown < 64 << 20 and not ledger.faults)


def _well(busy, quiet):
    return busy <= max(SLOWER * quiet, FLOOR_SECONDS)


def _p99(plane):
    times, end, connection = [], time.monotonic() + MEASURED_SECONDS, plane.connection()
    while time.monotonic() < end:
        began = time.monotonic()
        answer = plane.ask("POST", "/servers/kept/mcp", LIST, LIST_HEAD, connection=connection)
        assert answer.status == 200, answer
        times.append(time.monotonic() - began)
    times.sort()
    return times[int(len(times) * 0.99)]


def _open(plane, kind):
    drip = socket.create_connection((plane.host.split(":")[0], int(plane.host.split(":")[1])))
    drip.setblocking(False)
    drip.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    drip.send(kind.replace(b"HOST", plane.host.encode()))
    return drip


# A header that never ends, a body that never ends, a body that is promised and half sent, an answer that nobody reads, nothing at all.
KINDS = [
    b"GET /mcp/servers HTTP/1.1\r\nHost: HOST\r\nX-Slow: ",
    b"POST /mcp/create HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/yaml\r\nContent-Length: 100000\r\n\r\nname: ",
    b"POST /servers/kept/mcp HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":",
    b"GET /openapi.json HTTP/1.1\r\nHost: HOST\r\n\r\n" * 8,
    b"P",
]


def _feed(drips, stop):
    """One byte a second each."""
    while not stop.wait(1):
        for drip in drips:
            try:
                drip.send(b"a")
            except OSError:
                pass
