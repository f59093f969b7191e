"""F1: `kill -9` at random times while four writers create, update, deploy, stop and remove."""

import random
import threading
import time

from ledger import Ledger
from world import Plane

WRITERS = 4
LONGEST_LIFE_SECONDS = 0.3


def run(world):
    rounds = world.size(200, 2000)
    home = world.place("kill") / "home"
    ledger, dice, slowest = Ledger(), random.Random(1), 0.0
    touched = []
    for number in range(rounds):
        with Plane(world, home) as plane:
            slowest = max(slowest, plane.ready_seconds)
            ledger.judge(plane, touched)
            touched = _disturb(plane, ledger, number, dice)
        if ledger.faults:
            break
    with Plane(world, home) as plane:
        ledger.judge(plane)
        jobs = plane.ask("GET", "/mcp/jobs?limit=100").json
        running = [job for job in jobs["jobs"] if job["state"] == "running"]
        blind = _blind(plane, ledger)
    for fault in ledger.faults[:10]:
        print("  ", fault)
    world.line("F1 kill -9 at random times", f"{number + 1} kills, {ledger.acknowledged} acknowledged, {ledger.lost} cut off, "
               f"{len(ledger.faults)} faults, {len(running)} ghosts, slowest start {slowest:.2f} s",
               f"{rounds} kills, as many acknowledged, 0 faults, 0 ghosts",
               not ledger.faults and not running and number + 1 == rounds and ledger.acknowledged >= rounds)
    world.line("F1 the judge sees a loss", "no" if blind else "yes", "yes", not blind)


def _disturb(plane, ledger, number, dice):
    """Writers work until the kill; gives the names they touched."""
    names = [f"s{number % 8}-{writer}" for writer in range(WRITERS)]
    seeds = [dice.random() for _ in names]
    threads = [threading.Thread(target=_write, args=(plane, ledger, name, seed, number)) for name, seed in zip(names, seeds)]
    for thread in threads:
        thread.start()
    time.sleep(dice.uniform(0, LONGEST_LIFE_SECONDS))
    plane.kill()
    for thread in threads:
        thread.join()
    return names


def _write(plane, ledger, name, seed, number):
    dice, entry, step = random.Random(seed), ledger.entry(name), 0
    while plane.alive() and not ledger.faults:
        lost = ledger.lost
        step += 1
        choice = dice.random()
        if not entry.versions or choice < 0.5:
            ledger.put(plane, name, f"1.{number}.{step}", f"{name} {number} {step}")
        elif choice < 0.7:
            ledger.deploy(plane, name)
        elif choice < 0.85 and entry.deployed:
            ledger.stop(plane, name)
        elif choice > 0.95:
            ledger.remove(plane, name)
        if entry.maybe or entry.maybe_gone or entry.maybe_deployed or ledger.lost != lost and not plane.alive():
            return


def _blind(plane, ledger):
    """Whether a loss goes unseen: a judge that cannot say no judges nothing."""
    entry = next(entry for entry in ledger.entries.values() if entry.versions)
    plane.ask("DELETE", f"/mcp/servers/{entry.name}")
    before = len(ledger.faults)
    ledger.judge(plane, [entry.name])
    seen = ledger.faults[before:]
    del ledger.faults[before:]
    return not seen
