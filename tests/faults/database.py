"""F5: the catalogue is on PostgreSQL, which is stopped at once, cut off, and locked: a clear error, then all goes on by itself."""

import os
import pwd
import random
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from ledger import Ledger
from oauth import free_port
from world import Lost, Plane, until

BACK_SECONDS = 5
PROBLEMS = (500, 502, 503)


def run(world):
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        world.skip("F5 database", "PostgreSQL is not installed")
        return
    # PostgreSQL runs under its own account, which cannot enter everybody's folders.
    place = Path(tempfile.mkdtemp(prefix="mcp-factory-faults-"))
    database = Database(programs[-1].parent, place)
    try:
        _harm(world, database)
    finally:
        database.stop("immediate")
        shutil.rmtree(place, ignore_errors=True)


def _harm(world, database):
    rounds, ledger, dice, slowest, unclear = world.size(10, 100), Ledger(), random.Random(5), 0.0, []
    database.start()
    settings = {"MCP_FACTORY_STORE": database.url}
    with Plane(world, world.place("database-home") / "home", settings) as plane:
        ledger.put(plane, "kept", "1.0.0", "kept")
        ledger.deploy(plane, "kept")
        for number in range(rounds):
            writer = threading.Thread(target=_write, args=(plane, ledger, number, unclear))
            writer.start()
            time.sleep(dice.uniform(0.02, 0.3))
            stopped = number % 2 == 0
            if stopped:
                database.stop("immediate")
                if plane.call("kept", "say").status // 100 == 5 and plane.ask("GET", "/livez").status != 200:
                    unclear.append("without its database the plane is not alive")
                time.sleep(0.1)
                database.start()
            else:
                database.cut()
            writer.join()
            began = time.monotonic()
            if not until(BACK_SECONDS, lambda: plane.ask("GET", "/mcp/servers").status == 200):
                unclear.append(f"round {number}: reading does not come back in {BACK_SECONDS} s")
                break
            slowest = max(slowest, time.monotonic() - began)
            ledger.judge(plane, ["kept", f"d{number}"])
        if not plane.alive():
            unclear.append("the plane ended")
    with Plane(world, world.place("database-home") / "home", settings) as plane:
        ledger.judge(plane)
    faults = [*ledger.faults, *unclear]
    for fault in faults[:10]:
        print("  ", fault)
    world.line("F5 database stopped and cut", f"{rounds} times, {ledger.acknowledged} acknowledged, {len(faults)} faults, back in {slowest:.1f} s",
               f"{rounds} times, 0 faults, back in {BACK_SECONDS} s", not faults)


def _write(plane, ledger, number, unclear):
    """Changes until one fails; every failure is a problem document."""
    for step in range(200):
        name, version, word = f"d{number}", f"1.0.{step}", f"{number} {step}"
        entry = ledger.entry(name)
        if ledger.put(plane, name, version, word, may_refuse=True):
            continue
        # A change that was cut off at its commit is there or not: the judge finds out which.
        try:
            answer = plane.ask("GET", f"/mcp/servers/{name}")
        except Lost as error:
            unclear.append(f"no answer while the database is away: {error}")
            return
        if answer.status not in (200, 404) and (answer.status not in PROBLEMS or b"requestId" not in answer.body):
            unclear.append(f"a database that is away is answered {answer}")
        entry.maybe = (version, word)
        return


class Database:
    """A throw-away PostgreSQL of our own, so that nobody else misses it."""

    def __init__(self, programs, folder):
        self.programs, self.folder, self.port = programs, folder, free_port()
        self.account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.account:
            shutil.chown(folder, self.account.pw_uid, self.account.pw_gid)
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "-D", str(folder / "data"))
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _run(self, program, *arguments):
        account = {"user": self.account.pw_uid, "group": self.account.pw_gid} if self.account else {}
        done = subprocess.run([self.programs / program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, cwd=self.folder, timeout=60, **account)
        assert done.returncode == 0, f"{program}: {done.stdout.decode()}"

    def start(self):
        self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "server.log", "-o",
                  f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}")

    def stop(self, mode):
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", "data")

    def cut(self):
        """Ends every connection."""
        self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-c",
                  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
