"""F4: the disk is full at several levels, or fails with EIO: a clear error, reading goes on, writing comes back without a restart."""

import os
import subprocess

from ledger import Ledger
from world import Lost, Plane, until

DISK_BYTES = 24 << 20
RECOVERED_SECONDS = 5


def run(world):
    _full(world)
    _failing(world)


def _full(world):
    place = world.place("disk")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)], capture_output=True)
    if made.returncode != 0:
        world.skip("F4 full disk", f"machine: no tmpfs can be mounted: {made.stderr.decode().strip()}")
        return
    try:
        _fill(world, place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


def _fill(world, place):
    levels, ledger, refused, unclear = world.size(10, 50), Ledger(), 0, []
    with Plane(world, place / "home") as plane:
        ledger.put(plane, "kept", "1.0.0", "kept")
        ledger.deploy(plane, "kept")
        for level in range(levels):
            ballast = _ballast(place, level * 16 * 1024)
            for number in range(200):
                if not _try(plane, ledger, f"s{level}", f"1.0.{number}", "x" * 4000, unclear):
                    refused += 1
                    break
            _reads(plane, unclear)
            os.unlink(ballast)
            if not until(RECOVERED_SECONDS, lambda: ledger.put(plane, "kept", f"1.1.{level}", f"level {level}", may_refuse=True)):
                unclear.append(f"level {level}: writing does not come back")
            ledger.judge(plane)
    with Plane(world, place / "home") as plane:
        ledger.judge(plane)
    faults = [*ledger.faults, *unclear]
    for fault in faults[:10]:
        print("  ", fault)
    world.line("F4 full disk", f"{levels} levels, {refused} refusals, {len(faults)} faults", f"{levels} levels, each refused, 0 faults",
               refused == levels and not faults)


def _ballast(place, free):
    """Fills the disk but for some bytes."""
    path = place / "ballast"
    with open(path, "wb", buffering=0) as file:
        left = os.statvfs(place)
        size = left.f_bavail * left.f_frsize - free
        try:
            os.posix_fallocate(file.fileno(), 0, max(size, 4096))
        except OSError:
            pass
    return path


def _try(plane, ledger, name, version, word, unclear):
    """True when it was kept; a refusal must be a problem document that names the disk."""
    entry = ledger.entry(name)
    if ledger.put(plane, name, version, word, may_refuse=True):
        return True
    answer = plane.ask("POST", "/mcp/create", f"name: {name}\nversion: {version}\ntools: [{{name: say, description: s, parameters: {{}}, reply: {{text: {word}}}}}]\n")
    if answer.status == 200 or answer.status == 201:
        entry.versions[version], entry.maybe = word, None
        return True
    text = answer.body.decode("utf-8", "replace")
    if answer.status not in (503, 507) or "full" not in text or "requestId" not in text:
        unclear.append(f"a full disk is answered {answer}")
    return False


def _reads(plane, unclear):
    for path in ("/mcp/servers", "/mcp/servers/kept", "/livez"):
        try:
            answer = plane.ask("GET", path)
            if answer.status != 200:
                unclear.append(f"{path} with a full disk: {answer}")
        except Lost as error:
            unclear.append(f"{path} with a full disk: {error}")
    if plane.call("kept", "say").status != 200:
        unclear.append("a call with a full disk fails")


def _failing(world):
    """Every flush fails with EIO while strace is attached, then works again."""
    ledger, faults = Ledger(), []
    with Plane(world, world.place("failing") / "home") as plane:
        ledger.put(plane, "kept", "1.0.0", "kept")
        tracer = subprocess.Popen(["strace", "-f", "-q", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO",
                                   "-o", "/dev/null", "-p", str(plane.pid)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        refused = until(10, lambda: not ledger.put(plane, "kept", f"1.1.{len(ledger.entries['kept'].versions)}", "other", may_refuse=True))
        _reads(plane, faults)
        tracer.terminate()
        tracer.wait()
        if not until(RECOVERED_SECONDS, lambda: ledger.put(plane, "kept", "1.2.0", "after", may_refuse=True)):
            faults.append("writing does not come back after the flushes work again")
    with Plane(world, world.place("failing") / "home") as plane:
        ledger.judge(plane)
    faults += ledger.faults
    for fault in faults[:10]:
        print("  ", fault)
    world.line("F4 flushes fail (EIO)", f"refused: {bool(refused)}, {len(faults)} faults", "refused: True, 0 faults", refused and not faults)
