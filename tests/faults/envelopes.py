"""B7: mutated MCP envelopes, JSON and YAML that is hard to read, and HTTP that two servers could read differently."""

import copy
import json
import random
import socket

from ledger import LIST, LIST_HEAD, Ledger
from world import Lost, Plane, spec

GROWN_BYTES = 64 << 20


def run(world):
    ledger, faults = Ledger(), []
    with Plane(world, world.place("envelopes") / "home") as plane:
        ledger.put(plane, "kept", "1.0.0", "kept")
        ledger.deploy(plane, "kept")
        memory = plane.memory()
        counts = [_bodies(plane, world.size(3000, 100_000), faults), _bombs(plane, faults), _smuggled(plane, faults)]
        ledger.judge(plane)
        grown = plane.memory() - memory
    faults += ledger.faults
    for fault in faults[:10]:
        print("  ", fault)
    world.line("B7 hostile envelopes", f"{sum(counts)} requests, {len(faults)} faults, {grown >> 20} MiB grown",
               f"0 faults, {GROWN_BYTES >> 20} MiB", not faults and grown < GROWN_BYTES)


WORDS = [None, True, -1, 0, 1e308, 2**63, 2**64, "", "\0", "\ud83d\ude00", "a" * 10_000, [], {}, [[]], {"": {}}, "../../etc/passwd",
         "{{7*7}}", "' OR 1=1 --", "\u202e\u2066", "%00", "-0", "1e9999", "NaN", "undefined", "\x7f\x1b[31m", "__proto__"]
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "say", "arguments": {}, "_meta": LIST["params"]["_meta"]}}


def _bodies(plane, count, faults):
    """Valid envelopes with one to four changes: always an answer, never a failure of the server."""
    dice, connection = random.Random(7), plane.connection()
    for number in range(count):
        body = json.dumps(_mutated(dice, json.loads(json.dumps(dice.choice([LIST, CALL])))))
        if dice.random() < 0.3:
            body = _torn(dice, body)
        path = dice.choice(["/servers/kept/mcp", "/mcp", "/mcp-stream/mcp"])
        try:
            answer = plane.ask("POST", path, body.encode("utf-8", "surrogatepass"), {**LIST_HEAD, "content-type": "application/json"},
                               connection=connection)
        except Lost as error:
            faults.append(f"{error} after {body[:200]!r}")
            if not plane.alive():
                break
            connection = plane.connection()
            continue
        if answer.status >= 500 or (answer.status == 200 and not answer.body):
            faults.append(f"{path} {body[:200]!r}: {answer}")
    return count


def _mutated(dice, value):
    for _ in range(dice.randint(1, 4)):
        holder, parents = value, []
        while isinstance(holder, dict) and holder:
            key = dice.choice(list(holder))
            parents.append((holder, key))
            holder = holder[key]
            if dice.random() < 0.4:
                break
        if not parents:
            return copy.deepcopy(dice.choice(WORDS))
        holder, key = parents[-1]
        kind = dice.random()
        if kind < 0.25:
            del holder[key]
        elif kind < 0.75:
            holder[key] = copy.deepcopy(dice.choice(WORDS))
        else:
            holder[str(dice.choice(WORDS))] = holder.pop(key)
    return value


def _torn(dice, body):
    kind, place = dice.random(), dice.randrange(len(body) + 1)
    if kind < 0.4:
        return body[:place]
    if kind < 0.7:
        return body[:place] + dice.choice(["\0", "\ufeff", "}", "[", "\"", "\\u", "\\ud800", ","]) + body[place:]
    return "[" + ",".join([body] * dice.randint(2, 20)) + "]"


def _bombs(plane, faults):
    """Texts that are small and hard to read."""
    alias = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))
    texts = [alias, "[" * 100_000, "{" * 100_000, "a: " * 50_000, "- " * 50_000, "&a " * 10_000, "\xff" * 1000, "x: !!python/object:os.system ls",
             "name: a\nname: b\n", "? " * 20_000, "%YAML 9.9\n---\n", "a: |\n" + " " * 200_000, "\t" * 1000, spec("x", "1.0.0", "y") * 2000,
             "name: " + "9" * 1_000_000, "\ufeffname: a", "--- a\n--- b\n" * 1000, "name: 'a\n", "<<: " * 1000, "{a: 1, " * 10_000]
    jsons = ["[" * 200_000, '{"a":' * 100_000, '"' + "\\u0000" * 100_000, "1" * 100_000, "-", "1e400", '{"a":1,"a":2}', "\ufeff{}", "nul", "[1,]"]
    for kind, bodies in (("application/yaml", texts), ("application/json", jsons)):
        for path in ("/mcp/create", "/mcp/validate", "/mcp/plan", "/mcp/format"):
            for body in bodies:
                try:
                    answer = plane.ask("POST", path, body.encode("utf-8", "surrogatepass"), {"content-type": kind})
                except Lost as error:
                    faults.append(f"{path} {body[:60]!r}: {error}")
                    continue
                if answer.status >= 500 or len(answer.body) > 1 << 20:
                    faults.append(f"{path} {body[:60]!r}: {answer.status}, {len(answer.body)} bytes")
    return 4 * (len(texts) + len(jsons))


def _smuggled(plane, faults):
    """The second request of each must never be answered as one of its own."""
    hidden = "GET /version HTTP/1.1\r\nHost: HOST\r\n\r\n"
    heads = ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4", "Content-Length: 4\r\nContent-Length: 60",
             "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding:\x0bchunked",
             "Content-Length: +4", "Content-Length: 0x4", "Content-Length: 4, 4", "Content-Length: 4\x00", "Content-Length: -1",
             "X: a\nTransfer-Encoding: chunked", "Transfer-Encoding: identity, chunked\r\nContent-Length: 5", "Content-Length: 99999999999999999999"]
    for head in heads:
        body = "0\r\n\r\n" + hidden
        text = f"POST /mcp/validate HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n{head}\r\n\r\n{body}".replace("HOST", plane.host)
        answers = _raw(plane, text.encode("latin-1"))
        # Where a length is given twice or in two ways, the only safe answer is a refusal that ends the connection.
        if answers.count(b"HTTP/1.1") > 1 and b"\"version\"" in answers and "Content-Length: 4\r\nTransfer" in head:
            faults.append(f"{head!r} lets a second request in: {answers[:300]!r}")
        if b" 500 " in answers:
            faults.append(f"{head!r}: {answers[:200]!r}")
    return len(heads)


def _raw(plane, text):
    host, port = plane.host.split(":")
    with socket.create_connection((host, int(port)), timeout=2) as own:
        own.sendall(text)
        got = b""
        try:
            while part := own.recv(65536):
                got += part
        except OSError:
            pass
        return got
