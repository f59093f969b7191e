"""Many sessions are watched at once, by a call for each and by a few calls for all: what that takes, of memory and of requests to Factory."""

import json
import socket
import time

from droids import Droids, Fake, PATIENCE_SECONDS, message, say
from world import until

GROWN_BYTES = 120 << 20
# Requests to Factory for a session and the time between two looks.
REQUESTS = 1.05
SWARM, TOGETHER = 50, 500
# Each works on until all is over.
WORK_MS = 3_600_000


def run(world):
    count, look, looks = world.size(100, 1_000), world.size(5, 15), world.size(2, 3)
    for name, watch in (("a call for each", _by_one), ("a call for 500", _by_many)):
        place, faults, calls = world.place(f"watch-{watch.__name__[4:]}"), [], []
        with Fake(world, place, work=WORK_MS) as fake, Droids(world, place, fake) as droids:
            # What only the first call takes is not what watching takes.
            droids.call("spawn_swarm", prompts=["warm"] * SWARM)
            try:
                grown, asked = watch(fake, droids, count, look, looks, calls)
                if not droids.alive() or any(_answered(call) for call in calls):
                    faults.append("a watch has ended")
            finally:
                for call in calls:
                    call.close()
        each = asked / count
        say(world, faults, f"droids: sessions are watched, {name}", f"{count} sessions, {grown >> 20} MiB, {each:.2f} requests each and look",
            f"{count} sessions, {GROWN_BYTES >> 20} MiB, {REQUESTS} requests", grown <= GROWN_BYTES and 0 < each <= REQUESTS)


def _by_one(fake, droids, count, look, looks, calls):
    before = droids.memory()
    for number in range(count):
        calls.append(_begin(droids, "spawn_and_watch", prompt=f"{number} watched", pollIntervalSeconds=look, timeoutSeconds=3600))
    begun = until(2 * PATIENCE_SECONDS, lambda: len(fake.sent()) == count + 1)
    assert begun, f"{len(fake.sent())} of {count} watches have begun"
    return _measure(fake, droids, before, look, looks)


def _by_many(fake, droids, count, look, looks, calls):
    ids = []
    for number in range(0, count, SWARM):
        swarm = droids.call("spawn_swarm", prompts=[f"{number} {one}" for one in range(SWARM)])
        ids += [one["sessionId"] for one in swarm["droids"]]
    before = droids.memory()
    for number in range(0, count, TOGETHER):
        calls.append(_begin(droids, "wait_for_droids", sessionIds=ids[number:number + TOGETHER], pollIntervalSeconds=look, timeoutSeconds=3600))
    return _measure(fake, droids, before, look, looks)


def _measure(fake, droids, before, look, looks):
    """The most memory over some looks, and the requests between two of them."""
    time.sleep(look)
    asked, most, began = fake.seen()["requests"], 0, time.monotonic()
    # Without a look there is nothing to measure.
    while time.monotonic() < began + look * looks or fake.seen()["requests"] == asked and time.monotonic() < began + PATIENCE_SECONDS:
        most = max(most, droids.memory())
        time.sleep(0.5)
    return most - before, (fake.seen()["requests"] - asked) * look / (time.monotonic() - began)


def _begin(droids, tool, **arguments):
    """A call whose answer nobody waits for; its connection stays open."""
    body, head = message("tools/call", tool, {"name": tool, "arguments": arguments})
    body, (host, port) = json.dumps(body).encode(), droids.host.split(":")
    head |= {"host": droids.host, "content-type": "application/json", "content-length": str(len(body))}
    call = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
    call.sendall(b"POST /mcp HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n" + body)
    return call


def _answered(call):
    """Whether there is something to read, or nothing will come any more."""
    call.setblocking(False)
    try:
        call.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
