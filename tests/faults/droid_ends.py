"""Ends are seen in time, and none before it is there: droids that were just told something are idle until they begin."""

import random
import threading
import time

from droids import Crew, Droids, Fake, milliseconds, percentile, say

# Droids that are told something together, and how many tell.
TOGETHER, CALLERS = 5, 6
# Runs of one life of the fake, which looks at all of its sessions for every page.
LIFE = 1_000
LOOK_SECONDS = 1
WATCH_SECONDS = 5


def run(world):
    _race(world)
    _watches(world)


def _race(world):
    """Each droid is waited for at once, while it is still idle; then it is told more, and is idle with an answer."""
    wanted, ledger = world.size(200, 10_000), Ledger(alone=False)
    for number in range(0, wanted, LIFE):
        runs = min(LIFE, wanted - number)
        place = world.place(f"ends-{number}")
        with Fake(world, place) as fake, Droids(world, place, fake) as droids:
            crew = Crew(CALLERS, lambda item: _told_twice(fake, droids, ledger, item), range(runs // (2 * TOGETHER)))
            ledger.faults += crew.done()
            reads = fake.route("GET sessions/*/messages")
            ledger.judge(fake, droids)
            # One read shows the end; the others are looks at a droid that had not begun.
            ledger.early += max(0, reads - runs)
    # A machine that is slow looks later.
    early = wanted // 2 if world.full else 0
    say(world, ledger.faults, "droids: no end before it is there",
        f"{ledger.runs} runs, {ledger.early} looks at droids that had not begun, seen after p95 {percentile(ledger.late, 0.95):.2f} s",
        f"{wanted} runs{f', {early} such looks, p95 {LOOK_SECONDS + 1} s' if world.full else ''}",
        ledger.runs == wanted and ledger.early >= early and _in_time(world, ledger, LOOK_SECONDS))


def _told_twice(fake, droids, ledger, number):
    dice = random.Random(number)
    prompt = lambda turn: f"{number} {turn} [fake:work={dice.randint(0, 1500)}] [fake:steps={dice.randint(0, 3)}]"
    swarm = droids.call("spawn_swarm", prompts=[prompt(f"a{one}") for one in range(TOGETHER)])
    ids = [one["sessionId"] for one in swarm["droids"]]
    assert len(ids) == TOGETHER, swarm
    ledger.heard(fake, droids.call("wait_for_droids", sessionIds=ids, pollIntervalSeconds=LOOK_SECONDS))
    for one in ids:
        droids.call("message_droid", sessionId=one, text=prompt("b"))
    ledger.heard(fake, droids.call("wait_for_droids", sessionIds=ids, pollIntervalSeconds=LOOK_SECONDS))


def _watches(world):
    """A call for each droid; ends come at any time between two looks."""
    count, ledger, dice, place = world.size(30, 500), Ledger(alone=True), random.Random(3), world.place("ends-watched")
    works = [dice.randint(300, 6_000) for _ in range(count)]
    with Fake(world, place) as fake, Droids(world, place, fake) as droids:
        def watch(item):
            number, work = item
            time.sleep(number * 0.05)
            told = droids.call("spawn_and_watch", prompt=f"{number} [fake:work={work}]", pollIntervalSeconds=WATCH_SECONDS, timeoutSeconds=600)
            ledger.heard(fake, {"ended": [told]})
            if told["messages"][0]["text"] != f"{number} [fake:work={work}]":
                ledger.faults.append(f"watch {number} is told of another one: {told}")
        ledger.faults += Crew(count, watch, enumerate(works)).done()
        ledger.judge(fake, droids)
    say(world, ledger.faults, "droids: ends that are watched are seen", f"{ledger.runs} watches, seen after p95 {percentile(ledger.late, 0.95):.2f} s",
        f"{count} watches{f', p95 {WATCH_SECONDS + 1} s' if world.full else ''}", ledger.runs == count and _in_time(world, ledger, WATCH_SECONDS))


def _in_time(world, ledger, interval):
    """Only a long run, on a machine that does nothing else, is held to time."""
    return not world.full or percentile(ledger.late, 0.95) <= interval + 1


class Ledger:
    """When each run was told to have ended, beside when it did by the fake. A call that waits for several tells an end late: then the record counts."""

    def __init__(self, alone):
        self.alone, self.lock, self.faults, self.late, self.runs, self.early = alone, threading.Lock(), [], [], 0, 0

    def heard(self, fake, answer):
        """An end that is told before it is there is a false one."""
        now = time.time() * 1000
        for one in answer["ended"]:
            after = now - fake.api("GET", f"/{one['sessionId']}").get("completedAt", float("inf"))
            with self.lock:
                self.runs += 1
                if self.alone:
                    self.late.append(after / 1000)
                if after < 0 or one["end"] != "finished":
                    self.faults.append(f"{one['sessionId']} was told as {one['end']} {after:.0f} ms after it ended: {one.get('reason')}")

    def judge(self, fake, droids):
        """So is one that is written down before it is there."""
        ends = fake.sessions()
        for member in droids.members():
            ended = ends[member["sessionId"]].get("completedAt")
            if ended is None or member["state"] != "finished" or milliseconds(member["times"]["ended"]) < ended:
                self.faults.append(f"ended at {ended}, and its record says {member}")
            elif not self.alone:
                self.late.append((milliseconds(member["times"]["ended"]) - ended) / 1000)
        if droids.leaks:
            self.faults.append("an answer holds the key")
