"""`kill -9` at random times while many swarms are started: each is whole or absent, no prompt is sent twice, nothing is forgotten."""

import random
import threading
import time

from droids import Crew, Droids, Fake, PATIENCE_SECONDS, milliseconds, say
from droid_trouble_kinds import ALWAYS
from world import Lost, until

DROIDS = 5
# Before a request takes effect, and from then on until it is answered.
LATENCY_MS, ANSWER_MS = 40, 60
# Of one swarm at once: a swarm takes some time.
WIDE = 2
# Swarms at a time, and watches beside them.
SWARMS, WATCHES = 10, 2
# Lives that are cut off before one may go on to its end.
KILLS = 5
# Part of its requests that a life comes to at most.
LONGEST_LIFE = 0.8
# From the last start on until nothing is without its record.
FOUND_SECONDS = 60
# What nobody watches is looked at every half a minute, and twice to be sure.
ENDED_SECONDS = 240
# Phases of a long run that go on side by side.
SIDE_BY_SIDE = 2


def run(world):
    swarms = world.size(6, 500)
    each, kills = (3, 2) if not world.full else (SWARMS, KILLS)
    phases = [Phase(world, number, each, kills) for number in range(swarms // (each * kills))]
    faults = Crew(SIDE_BY_SIDE, Phase.play, phases).done()
    faults += [f"phase {phase.number}: {fault}" for phase in phases for fault in phase.faults]
    faults += [f"{phase} does not see: {what}" for phase in phases for what in phase.blind]
    total = lambda what: sum(getattr(phase, what) for phase in phases)
    slowest = max(phase.found_seconds for phase in phases)
    say(world, faults, "droids: kill -9 while swarms are started",
        f"{total('killed')} kills, {total('asked')} swarms, {total('cut')} cut off, {total('whole')} whole, {total('watches')} watches went on, "
        f"{total('sessions')} sessions, all found {slowest:.0f} s after the start",
        f"{swarms} swarms{f', a quarter cut off, {FOUND_SECONDS} s' if world.full else ''}",
        total("asked") >= swarms and (not world.full or total("cut") >= swarms // 4 and slowest <= FOUND_SECONDS))


class Swarm:
    """One that was asked for. One with keys is asked for again until it is answered."""

    def __init__(self, name, dice):
        self.prompts = [f"{name}.{one} [fake:work={dice.randint(500, 4000)}]" for one in range(DROIDS)]
        self.keys = [f"{name}.{one}" for one in range(DROIDS)] if dice.random() < 0.5 else None
        self.answered = None


class Phase:
    """Some lives that are cut off, and one that goes on until all has ended."""

    def __init__(self, world, number, swarms, kills):
        self.world, self.number, self.dice, self.place = world, number, random.Random(number), world.place(f"droid-kill-{number}")
        self.swarms, self.kills, self.lock = swarms, kills, threading.Lock()
        self.all, self.tasks, self.faults = [], {}, []
        self.killed = self.asked = self.cut = self.whole = self.watches = self.sessions = self.found_seconds = 0
        self.blind = []

    def __repr__(self):
        return f"phase {self.number}"

    def play(self):
        with Fake(self.world, self.place, LATENCY_MS) as fake:
            late = {"method": "POST", "after": True, "delayMs": ANSWER_MS, "times": ALWAYS}
            fake.order(*({**late, "path": path} for path in ("/sessions", "/sessions/*/messages")))
            for life in range(self.kills):
                self._cut_off(fake, life)
            # One more, while what was cut off is gone on with.
            with Droids(self.world, self.place, fake) as droids:
                self._ask(droids, [swarm for swarm in self.all if swarm.keys and not swarm.answered])
                time.sleep(self.dice.uniform(0, 3 if not self.world.full else 25))
                self._kill(droids)
            with Droids(self.world, self.place, fake) as droids:
                self._goes_on(fake, droids)
                self._judge(fake, droids)
                self.blind = self._blind(fake, droids)

    def _cut_off(self, fake, life):
        with Droids(self.world, self.place, fake) as droids:
            new = [Swarm(f"{self.number}.{life}.{one}", self.dice) for one in range(self.swarms)]
            again = [swarm for swarm in self.all if swarm.keys and not swarm.answered]
            self.all += new
            begun = _posts(fake)
            crew = self._ask(droids, new + again[:self.swarms])
            watches = Crew(WATCHES, lambda one: self._watch(droids, f"{self.number}.{life} watch {one}"), range(WATCHES))
            self._wait(fake, begun)
            self._kill(droids)
            self.faults += watches.done() + crew.done()
            self.cut += sum(not swarm.answered for swarm in new)

    def _wait(self, fake, begun):
        """Until any number of requests that change something has come, and one more is on its way, has taken effect, or is answered."""
        wanted = self.dice.randint(0, round(2 * DROIDS * self.swarms * LONGEST_LIFE))
        until(PATIENCE_SECONDS, lambda: _posts(fake) - begun >= wanted)
        time.sleep(self.dice.uniform(0, 1.2) * (LATENCY_MS + ANSWER_MS) / 1000)

    def _kill(self, droids):
        self.killed += 1
        self.leaks(droids)
        droids.kill()

    def leaks(self, droids):
        if droids.leaks:
            self.faults.append("an answer holds the key")

    def _ask(self, droids, swarms):
        return Crew(max(1, len(swarms)), lambda swarm: self._start(droids, swarm), swarms)

    def _start(self, droids, swarm):
        keys = {"idempotencyKeys": swarm.keys} if swarm.keys else {}
        try:
            told = droids.call("spawn_swarm", prompts=swarm.prompts, concurrency=WIDE, **keys)
        except Lost:
            return
        if told["started"] == DROIDS:
            swarm.answered = {one["index"]: one["sessionId"] for one in told["droids"]}
        else:
            self.faults.append(f"{swarm.prompts[0]}: {told}")

    def _watch(self, droids, prompt):
        try:
            task = droids.task("spawn_and_watch", prompt=prompt, pollIntervalSeconds=5, timeoutSeconds=600)
        except Lost:
            return
        with self.lock:
            self.tasks[task] = prompt

    def _goes_on(self, fake, droids):
        """Until every session has its record and every prompt was sent; the callers of swarms with keys come again."""
        began = time.monotonic()
        again = self._ask(droids, [swarm for swarm in self.all if swarm.keys and not swarm.answered])
        wanted = lambda: [swarm for swarm in droids.call("list_swarms")["swarms"]]
        whole = until(PATIENCE_SECONDS, lambda: _rests() or not again.busy() and sum(swarm["requested"] for swarm in wanted()) == sum(fake.sent().values()))
        self.found_seconds = time.monotonic() - began
        self.faults += again.done()
        if not whole:
            self.faults.append(f"{sum(fake.sent().values())} prompts were sent, and there are {wanted()}")

    def _judge(self, fake, droids):
        self.whole = 0
        orphans = droids.call("find_orphans")["orphans"]
        self.faults += [f"a session that no record names: {one}" for one in orphans]
        until(ENDED_SECONDS, lambda: _rests(2) or all(self._over(droids)))
        members, sessions, sent = droids.members(), fake.sessions(), fake.sent()
        for member in members:
            ended = sessions.get(member["sessionId"], {}).get("completedAt")
            if member["state"] != "finished" or ended is None or milliseconds(member["times"]["ended"]) < ended:
                self.faults.append(f"ended at {ended}, and its record says {member}")
        known = {member["sessionId"] for member in members}
        self.faults += [f"a session is lost: {one}" for one in sessions.values() if one["sessionId"] not in known]
        self.faults += [f"{count} times: {text}" for text, count in sent.items() if count != 1]
        for swarm in self.all:
            came = sum(prompt in sent for prompt in swarm.prompts)
            if came != DROIDS and (came > 0 or swarm.answered or swarm.keys):
                self.faults.append(f"{came} of {DROIDS} prompts were sent of {swarm.prompts[0]}, answered {swarm.answered}")
            self.whole += came == DROIDS
            if swarm.answered and not set(swarm.answered.values()) <= known:
                self.faults.append(f"{swarm.prompts[0]} was answered with sessions that are not known: {swarm.answered}")
        for task, prompt in self.tasks.items():
            told = droids.about(task)
            if told["status"] != "completed" or told["result"]["structuredContent"]["end"] != "finished" or sent[prompt] != 1:
                self.faults.append(f"the watch of {prompt!r}: {told}")
        self.watches, self.asked, self.sessions = len(self.tasks), len(self.all), len(sessions)
        self.leaks(droids)

    def _blind(self, fake, droids):
        """Which of these go unseen: a prompt that came twice, a session that nobody knows. A judge that cannot say no judges nothing."""
        prompt, known = next(iter(fake.sent())), self.faults
        fake.say(fake.open(), prompt)
        self.faults = []
        self._judge(fake, droids)
        seen, self.faults, self.sessions = self.faults, known, self.sessions - 1
        return [word for word in ("a session is lost", "2 times: ") if not any(fault.startswith(word) for fault in seen)]

    def _over(self, droids):
        """Whether each droid and each watch has come to its end."""
        yield from (droids.about(task)["status"] != "working" for task in self.tasks)
        yield from ("ended" in member["times"] for member in droids.members())


def _posts(fake):
    routes = fake.seen()["routes"]
    return routes.get("POST sessions", 0) + routes.get("POST sessions/*/messages", 0)


def _rests(seconds=0.5):
    """Between two looks of ours; gives nothing."""
    time.sleep(seconds)
