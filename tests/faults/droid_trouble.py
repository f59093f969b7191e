"""Everything that the fake can do wrong, again and again: each droid comes to its right end, nothing is sent twice, nobody sees the key."""

import threading
from functools import partial

from droids import KEY, PATIENCE_SECONDS, Crew, Droids, Fake, Refused, say
from droid_trouble_kinds import GONE, STARTED, WATCHED
from world import until

# Droids of a kind that are looked at one by one; the others, more than three, are found in the list.
ALONE, LISTED = 2, 4
# Droids of a kind that have a call each, in a long run.
WATCHES = 3
SWARM = 50
WORK_MS = 1_000
# Worlds at a time.
CREW = 6
WRITES = ("POST sessions", "POST sessions/*/messages")


def run(world):
    kinds = [(_watched, kind) for kind in WATCHED] + [(_started, kind) for kind in STARTED]
    # What takes minutes begins first, in a long run.
    kinds = sorted((one for one in kinds if world.full or not one[1].slow), key=lambda one: not one[1].slow)
    # A world for each kind in a long run; else each one is used for many.
    lives = [[one] for one in kinds] if world.full else [kinds[number::CREW] for number in range(CREW)]
    runs, played, faults = world.size(2, 100), [], []
    faults += Crew(CREW, lambda life: _life(world, *life, runs, played, faults), list(enumerate(lives))).done()
    say(world, faults, "droids: what Factory may do wrong", f"{len(played)} kinds {runs} times each", f"{len(kinds)} kinds {runs} times each",
        len(played) == len(kinds))


def _life(world, number, kinds, runs, played, faults):
    place = world.place(f"droid-trouble-{number}")
    with Fake(world, place, work=WORK_MS) as fake, Droids(world, place, fake, {"MCP_FACTORY_LOG": "debug"}) as droids:
        for work, kind in kinds:
            work(Trial(fake, droids, kind, runs, world.size(0, WATCHES), faults))
            played.append(kind)
        if not droids.alive():
            faults.append(f"{kinds}: the process ended")
        elif droids.stop() != 0:
            faults.append(f"{kinds}: the process did not end well")
    files = [file for file in [*place.glob("droids*"), *place.glob("droids/**/*")] if file.is_file()]
    faults += [f"{file} holds the key" for file in files if KEY.encode() in file.read_bytes()]
    if droids.leaks or not files:
        faults.append(f"{kinds}: an answer holds the key, or nothing is left to look at")


class Trial:
    """One kind in a world that may have had others."""

    def __init__(self, fake, droids, kind, runs, watches, faults):
        self.fake, self.droids, self.kind, self.runs, self.watches, self.faults = fake, droids, kind, runs, watches, faults
        self.told, self.lock = {}, threading.Lock()

    def fault(self, text):
        self.faults.append(f"{self.kind}: {text}")

    def writes(self):
        routes = self.fake.seen()["routes"]
        return [routes.get(route, 0) for route in WRITES]

    def heard(self, ended):
        with self.lock:
            self.told.update({one["sessionId"]: one for one in ended})

    def wait(self, ids):
        try:
            self.heard(self.droids.call("wait_for_droids", sessionIds=ids, pollIntervalSeconds=1, timeoutSeconds=200)["ended"])
        except Refused as refused:
            self.heard([{"sessionId": one, "end": f"refused: {refused}"} for one in ids])

    def watch(self, number):
        prompt = f"watched {number} [fake:steps=1] [fake:work=4000] {self.kind.prompt}"
        try:
            self.heard([self.droids.call("spawn_and_watch", prompt=prompt, pollIntervalSeconds=5, timeoutSeconds=200)])
        except Refused as refused:
            self.heard([{"sessionId": f"watch {number}", "end": f"refused: {refused}"}])


def _watched(trial):
    """Droids that were started before; what is wrong is wrong while they are watched."""
    fake, droids, kind, ids, swarms = trial.fake, trial.droids, trial.kind, [], []
    watches = Crew(max(1, trial.watches), trial.watch, range(trial.watches))
    count = max(trial.runs, LISTED) + ALONE
    for number in range(0, count, SWARM):
        swarm = droids.call("spawn_swarm", prompts=[f"{number}.{one} [fake:steps=1] {kind.prompt}" for one in range(min(SWARM, count - number))])
        swarms.append(swarm["swarmId"])
        ids += [one["sessionId"] for one in swarm["droids"]]
    if kind.prompt:
        # The first look is at the end.
        until(PATIENCE_SECONDS, lambda: all("completedAt" in one for one in fake.sessions().values()))
    # Watches have begun too.
    until(PATIENCE_SECONDS, lambda: trial.watches == 0 or trial.writes()[1] == count + trial.watches)
    writes = trial.writes()
    if kind.order is GONE:
        for one in fake.sessions():
            fake.remove(one)
    fake.order(*kind.orders("GET"))
    for broken in Crew(ALONE + 1, trial.wait, [*([one] for one in ids[:ALONE]), ids[ALONE:]]).done() + watches.done():
        trial.fault(broken)
    for one in [*ids, *trial.told.keys() - set(ids)]:
        end = trial.told.get(one, {}).get("end", "never")
        if not end.startswith(kind.end) or kind.says not in str(trial.told.get(one)):
            trial.fault(f"ended as {end}: {trial.told.get(one)}")
    fake.order(clear=True)
    if kind.end == "refused":
        trial.wait(ids)
    # The record says the same.
    states = {member["state"] for swarm in swarms for member in droids.call("get_swarm", swarmId=swarm)["members"]}
    if states != {kind.record}:
        trial.fault(f"records say {states}")
    if trial.writes() != writes:
        trial.fault("a look sent something")


def _started(trial):
    """Droids that are started while something is wrong, one after the other; where that takes a minute each, all together."""
    if trial.kind.slow:
        _start(trial, 2, partial(_swarm, trial, trial.runs // 2))
    else:
        for _ in range(trial.runs):
            _start(trial, 1, partial(_droid, trial))


def _droid(trial, _):
    try:
        return 1, 1, str(trial.droids.call("spawn_droid", prompt="once"))
    except Refused as refused:
        return 1, 0, str(refused)


def _swarm(trial, count, _):
    try:
        swarm = trial.droids.call("spawn_swarm", seconds=1200, prompts=["once"] * count)
        return count, swarm["started"], str(swarm)
    except Refused as refused:
        return count, 0, str(refused)


def _start(trial, calls, call):
    """Each request is sent once, and what is told is what there is."""
    fake, droids, kind, said = trial.fake, trial.droids, trial.kind, []
    before, writes = fake.seen()["sessions"], trial.writes()
    fake.order(*kind.orders("POST", trial.runs if kind.slow else 1))
    for broken in Crew(calls, lambda one: said.append(call(one)), range(calls)).done():
        trial.fault(broken)
    fake.order(clear=True)
    asked, started = sum(one[0] for one in said), sum(one[1] for one in said)
    sent = [after - earlier for after, earlier in zip(trial.writes(), writes)]
    if sent[0] != asked or sent[1] > asked:
        trial.fault(f"{asked} were asked for, and sent {sent}")
    if started != (asked if kind.started else 0) or not all(kind.says in one[2] for one in said):
        trial.fault(f"{started} of {asked} were started: {said}")
    if fake.seen()["sessions"] - before != kind.sessions * asked:
        trial.fault(f"{fake.seen()['sessions'] - before} sessions")
    for swarm in droids.call("list_swarms")["swarms"][:calls]:
        states = {member["state"] for member in droids.call("get_swarm", swarmId=swarm["swarmId"])["members"]}
        if ("failed" in states) == kind.started:
            trial.fault(f"the records say {states}")
