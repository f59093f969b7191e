"""F2: the process dies at the n-th flush (fsync, fdatasync) or write of one operation, for every n until it gets through."""

import subprocess
import time
from pathlib import Path

from ledger import Ledger
from oauth import Exchange
from world import Lost, Plane

FLUSHES = "fsync,fdatasync"
WRITES = "fsync,fdatasync,pwrite64,write,ftruncate,unlink,rename"
MOST = 400
# What goes on after the answer: a checkpoint, an entry of the log.
SETTLE_SECONDS = 0.3


def run(world):
    calls = WRITES if world.full else FLUSHES
    for operation in (create, update, remove, deploy):
        _sweep(world, operation, calls)
    _exchange(world, calls)


def create(ledger, plane, number):
    ledger.put(plane, f"new-{number}", "1.0.0", f"first {number}")


def update(ledger, plane, number):
    ledger.put(plane, "kept", f"2.{number}.0", f"update {number}")


def remove(ledger, plane, number):
    ledger.remove(plane, f"old-{number}")


def deploy(ledger, plane, number):
    ledger.deploy(plane, "kept")
    ledger.stop(plane, "kept")


def _sweep(world, operation, calls):
    home = world.place(f"flush-{operation.__name__}") / "home"
    ledger, deaths = Ledger(), 0
    for number in range(1, MOST):
        with Plane(world, home) as plane:
            ledger.judge(plane)
            ledger.put(plane, "kept", f"1.{number}.0", f"kept {number}")
            if operation is remove:
                ledger.put(plane, f"old-{number}", "1.0.0", f"old {number}")
            with Tracer(plane, calls, number):
                operation(ledger, plane, number)
            survived = plane.alive()
            deaths += not survived
        if survived or ledger.faults:
            break
    with Plane(world, home) as plane:
        ledger.judge(plane)
    _say(world, operation.__name__, deaths, survived, ledger.faults)


def _exchange(world, calls):
    """A code that was redeemed gives no second token, one that was not redeemed gives one or is refused."""
    home, deaths, faults = world.place("flush-exchange") / "home", 0, []
    for number in range(1, MOST):
        exchange = Exchange(world, home)
        token = None
        with exchange:
            code = exchange.code()
            with Tracer(exchange, calls, number):
                try:
                    token = exchange.redeem(code)
                except Lost:
                    pass
            survived = exchange.alive()
            deaths += not survived
        with Exchange(world, home, known=exchange) as after:
            if token and not after.lets_in(token):
                faults.append(f"flush {number}: a token that was given is not known")
            again = after.redeem(code)
            if token and again:
                faults.append(f"flush {number}: a redeemed code gave another token")
            if token and after.lets_in(token):
                faults.append(f"flush {number}: a replayed code did not revoke its token")
        if survived or faults:
            break
    _say(world, "OAuth exchange", deaths, survived, faults)


def _say(world, what, deaths, survived, faults):
    for fault in faults[:10]:
        print("  ", fault)
    world.line(f"F2 death at the n-th flush of {what}", f"{deaths} deaths, {len(faults)} faults",
               "at least 1 death, 0 faults", not faults and survived and deaths > 0)


class Tracer:
    """strace on the running process: kills it at the n-th of the calls."""

    def __init__(self, plane, calls, number):
        command = ["strace", "-f", "-q", "-e", f"trace={calls}", "-e", f"inject={calls}:signal=SIGKILL:when={number}",
                   "-o", "/dev/null", "-p", str(plane.pid)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.plane = plane

    def __enter__(self):
        end = time.monotonic() + 10
        while not self._attached():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"strace does not attach: {self.process.stderr.read()!r}")
            time.sleep(0.005)

    def _attached(self):
        """Whether every thread is traced."""
        threads = list(Path(f"/proc/{self.plane.pid}/task").iterdir())
        return all(f"TracerPid:\t{self.process.pid}" in (thread / "status").read_text() for thread in threads)

    def __exit__(self, *_):
        """Its own end says whether the process died: strace ends with its last thread."""
        try:
            self.process.wait(SETTLE_SECONDS)
            self.plane.process.wait(SETTLE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait()
        self.process.stderr.close()
