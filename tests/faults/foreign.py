"""B1: two principals, a guest and somebody without a name. Nobody sees, calls, changes or learns of what is another's, by any operation."""

import json
import subprocess
from pathlib import Path

from ledger import LIST, LIST_HEAD
from world import Plane, spec

SCOPES = "mcp,servers:read,servers:write,logs:read,keys"
SECRET = "KNOWNTOONEALONE"
DESCRIPTION = Path(__file__).parents[2] / "docs/reference/openapi.json"


def run(world):
    home, faults = world.place("foreign") / "home", []
    home.mkdir()
    ann, bob = (_key(world, home, owner) for owner in ("ann", "bob"))
    with Plane(world, home, more=("--auth", "keys,guests,anonymous")) as plane:
        mine = {"authorization": f"Bearer {ann}"}
        _must(plane.ask("POST", "/mcp/create", spec("private", "1.0.0", SECRET), mine), 201)
        _must(plane.ask("POST", "/mcp/deploy/private", {"target": "local"}, mine), 200)
        job = _must(plane.ask("POST", "/mcp/create?async=true", spec("later", "1.0.0", SECRET), mine), 202).json
        names = {"name": "private", "server": "private", "tool": "say", "id": job["id"], "version": "1.0.0", "group": "all"}
        others = {"another key": {"authorization": f"Bearer {bob}"}, "a guest": {"x-guest-id": "visitor"}, "nobody": {},
                  "a key that is none": {"authorization": "Bearer of_mcp_" + "0" * 40}}
        tried = sum(_intrude(plane, who, head, names, faults) for who, head in others.items())
        _judge(plane, mine, faults)
        faults += [f"the request of {who} came in by a bad key" for who, head in others.items() if "none" in who and _open(plane, head)]
    for fault in faults[:12]:
        print("  ", fault)
    world.line("B1 what is another's", f"{tried} requests, {len(faults)} faults", "0 faults", not faults and tried > 60)


def _key(world, home, owner):
    made = subprocess.run([world.binary, "keys", "create", owner, "--owner", owner, "--scope", SCOPES, "--output", "json", "--home", str(home)],
                          env=world.env, capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)["key"]


def _must(answer, status):
    assert answer.status == status, answer
    return answer


def _intrude(plane, who, head, names, faults):
    """Every operation with another's names; then the server itself, on every transport."""
    count = 0
    for path, methods in json.loads(DESCRIPTION.read_text())["paths"].items():
        for method in methods:
            if method not in ("get", "post", "delete", "put", "patch"):
                continue
            at = path
            for name, value in names.items():
                at = at.replace("{" + name + "}", value)
            body = {"arguments": {}, "target": "local", "server": "private", "name": "private"} if method == "post" else None
            answer = plane.ask(method.upper(), at, body, head)
            count += 1
            _refused(who, f"{method} {at}", answer, "{" in path, faults)
    for path in ("/servers/private/mcp", "/servers/private/versions/1.0.0/mcp", "/servers/private/groups/all/mcp"):
        _refused(who, path, plane.ask("POST", path, LIST, {**LIST_HEAD, **head}), True, faults)
    taken = plane.ask("POST", "/mcp/create", spec("private", "9.0.0", "taken over"), head)
    _refused(who, "creating a version of it", taken, True, faults)
    return count + 4


def _refused(who, what, answer, named, faults):
    text = answer.body.decode("utf-8", "replace")
    if answer.status >= 500:
        faults.append(f"{who}: {what}: {answer}")
    elif SECRET in text or (answer.status < 300 and '"private"' in text):
        faults.append(f"{who} learns of it: {what}: {answer}")
    elif named and answer.status < 300 and "codes" not in what and "templates" not in what:
        faults.append(f"{who} is let in: {what}: {answer}")


def _open(plane, head):
    return plane.ask("GET", "/mcp/servers", headers=head).status < 300


def _judge(plane, mine, faults):
    """What was attempted changed nothing."""
    status = plane.ask("GET", "/mcp/servers/private", headers=mine)
    if status.status != 200 or status.json["versions"] != ["1.0.0"]:
        faults.append(f"it is not as it was: {status}")
    called = plane.ask("POST", "/mcp/servers/private/tools/say", {"arguments": {}}, mine)
    if SECRET.encode() not in called.body:
        faults.append(f"it does not answer its owner: {called}")
    if plane.ask("POST", "/servers/private/mcp", LIST, {**LIST_HEAD, **mine}).status != 200:
        faults.append("its owner cannot reach it")
