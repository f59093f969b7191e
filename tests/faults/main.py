"""The fault scorecard: each scenario does harm to a running control plane and says what it measured beside its bar.

    python3 main.py --binary PATH --folder DIR [--full] [SCENARIO ...]

Only the standard library of Python. The last line of the output is the scorecard as JSON; the exit code is 1 when a bar is missed.
"""

import argparse
import faulthandler
import importlib
import json
import sys
import threading
import time
import traceback

from world import World

LONGEST_SECONDS = {"gate": 1200, "full": 4 * 3600}
SCENARIOS = ["kill", "flush", "disk", "database", "clock", "foreign", "slow", "envelopes", "canaries", "droids"]
# What is called by one name. A run of CI plays these at the same time.
PARTS = {"droids": ["droid_start", "droid_ends", "droid_watch", "droid_kill", "droid_trouble"]}


def play(world, name):
    started = time.monotonic()
    try:
        importlib.import_module(name).run(world)
    except Exception as error:
        traceback.print_exc()
        world.line(name, f"broke off: {error!r}", "runs to its end", False)
    print(f"       {name}: {time.monotonic() - started:.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("scenarios", nargs="*")
    given = parser.parse_args()
    # Whatever hangs says where.
    faulthandler.dump_traceback_later(LONGEST_SECONDS["full" if given.full else "gate"], exit=True)
    world = World(given.binary, given.folder, given.full)
    known = [*SCENARIOS, *(part for parts in PARTS.values() for part in parts)]
    for name in given.scenarios:
        if name not in known:
            parser.error(f"there is no scenario {name!r}; there are {', '.join(known)}")
    for name in given.scenarios or SCENARIOS:
        parts = PARTS.get(name, [name])
        if world.full:
            for part in parts:
                play(world, part)
        else:
            # They mostly wait, and nothing is held to time here.
            threads = [threading.Thread(target=play, args=(world, part)) for part in parts]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    print(json.dumps({"lines": world.lines, "skips": world.skips}))
    return 0 if all(line["well"] for line in world.lines) else 1


if __name__ == "__main__":
    sys.exit(main())
