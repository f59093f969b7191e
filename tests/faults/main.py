"""The fault scorecard: each scenario does harm to a running control plane and says what it measured beside its bar.

    python3 main.py --binary PATH --folder DIR [--full] [SCENARIO ...]

Only the standard library of Python. The last line of the output is the scorecard as JSON; the exit code is 1 when a bar is missed.
"""

import argparse
import faulthandler
import importlib
import json
import sys
import time
import traceback

from world import World

LONGEST_SECONDS = {"gate": 1200, "full": 4 * 3600}
SCENARIOS = ["kill", "flush", "disk", "database", "clock", "foreign", "slow", "envelopes", "canaries"]


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
    for name in given.scenarios or SCENARIOS:
        if name not in SCENARIOS:
            parser.error(f"there is no scenario {name!r}; there are {', '.join(SCENARIOS)}")
        started = time.monotonic()
        try:
            importlib.import_module(name).run(world)
        except Exception as error:
            traceback.print_exc()
            world.line(name, f"broke off: {error!r}", "runs to its end", False)
        print(f"       {name}: {time.monotonic() - started:.1f} s", flush=True)
    print(json.dumps({"lines": world.lines, "skips": world.skips}))
    return 0 if all(line["well"] for line in world.lines) else 1


if __name__ == "__main__":
    sys.exit(main())
