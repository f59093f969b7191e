"""B16: secrets that are planted wherever a user puts one show up nowhere: not in logs, answers, pages, the store or what a crash leaves."""

import base64
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ledger import LIST, LIST_HEAD
from oauth import Exchange
from world import Plane

WORDS = {name: f"CANARY{name}{os.urandom(9).hex()}" for name in ("token", "query", "password", "header")}

SPEC = """\
name: leaky
connections:
  - {name: bearer, type: http, url: URL, credentials: {type: bearer, token: "${env:CANARY_TOKEN}"}}
  - {name: query, type: http, url: URL, credentials: {type: query, parameter: key, value: "${env:CANARY_QUERY}"}}
  - {name: basic, type: http, url: URL, credentials: {type: basic, user: me, password: "${env:CANARY_PASSWORD}"}}
  - {name: header, type: http, url: URL, credentials: {type: header, header: X-Key, value: "${env:CANARY_HEADER}"}}
tools:
"""
# Its database does not answer; what is said about that is what counts.
UNREACHED = """\
name: unreached
connections:
  - {name: database, type: postgresql, url: "postgresql://me:${env:CANARY_PASSWORD}@127.0.0.1:1/none"}
tools:
  - {name: rows, description: Asks the database, parameters: {}, sql: SELECT 1 AS one}
"""


def run(world):
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{upstream.server_port}"
    place, answers = world.place("canaries"), []
    settings = {f"CANARY_{name.upper()}": word for name, word in WORDS.items()}
    settings |= {"MCP_FACTORY_ALLOW_NETWORK": "private", "MCP_FACTORY_LOG": "debug,access=info,audit=info", "RUST_BACKTRACE": "1"}
    with Plane(world, place / "home", settings) as plane:
        text = SPEC.replace("URL", url) + "".join(_tools(name) for name in ("bearer", "query", "basic", "header"))
        created = [plane.ask("POST", "/mcp/create", each) for each in (text, UNREACHED)]
        answers += [*created, plane.call("unreached", "rows")]
        assert all(answer.status == 201 for answer in created), created
        plane.ask("POST", "/mcp/deploy/leaky", {"target": "local"})
        for name in ("bearer", "query", "basic", "header"):
            for status in (200, 401, 500, 302):
                answers.append(plane.call("leaky", name, {"status": status}))
        for path in ("/mcp/servers", "/mcp/servers/leaky", "/mcp/servers/leaky/logs", "/metrics", "/mcp/doctor", "/healthz", "/docs", "/openapi.json", "/mcp/jobs"):
            answers.append(plane.ask("GET", path))
        answers.append(plane.ask("POST", "/servers/leaky/mcp", LIST, LIST_HEAD))
        called = sum(Echo.seen.values())
        plane.kill()
    with Exchange(world, place / "oauth") as server:
        tokens = server.redeem(server.code())
        server.lets_in(tokens)
        WORDS["access"], WORDS["refresh"] = tokens["access_token"], tokens["refresh_token"]
        key = subprocess.run([world.binary, "keys", "create", "canary", "--output", "json", "--home", str(place / "oauth")], env=world.env,
                             capture_output=True, check=True)
        WORDS["key"] = json.loads(key.stdout)["key"]
    upstream.shutdown()
    leaks = _leaks(place, answers)
    for leak in leaks[:10]:
        print("  ", leak)
    world.line("B16 planted secrets", f"{len(WORDS)} secrets in {len(Echo.seen)} forms reached the upstream {called} times, {len(leaks)} leaks",
               "reached it, 0 leaks", not leaks and len(Echo.seen) == 4)


def _tools(name):
    return (f"  - name: {name}\n    description: Asks an upstream that echoes\n    parameters: {{status: {{type: integer, required: true}}}}\n"
            f"    connection: {name}\n    http: {{method: GET, path: '/{name}/{{status}}'}}\n")


class Echo(BaseHTTPRequestHandler):
    """Answers everything that it was asked with, in several spellings."""

    seen = {}

    def do_GET(self):
        kind, status = self.path.strip("/").split("?")[0].split("/")[:2]
        head = str(self.headers)
        if any(word in head + self.path or base64.b64encode(f"me:{word}".encode()).decode() in head for word in WORDS.values()):
            Echo.seen[kind] = Echo.seen.get(kind, 0) + 1
        said = json.dumps({"path": self.path, "head": head, "base64": base64.b64encode(head.encode()).decode(), "hex": head.encode().hex()}).encode()
        self.send_response(int(status))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        if status == "302":
            self.send_header("location", f"http://127.0.0.1:1/?{self.headers.get('Authorization', '')}".replace(" ", "%20"))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


def _leaks(place, answers):
    """Every file that was left and every answer, in each spelling."""
    texts = [(f"answer {number}", answer.body) for number, answer in enumerate(answers)]
    for folder, _, files in os.walk(place):
        for file in files:
            path = os.path.join(folder, file)
            with open(path, "rb") as opened:
                texts.append((path, opened.read()))
    leaks = []
    for name, word in WORDS.items():
        raw = word.encode()
        for spelling in (raw, base64.b64encode(raw)[:-4], raw.hex().encode(), base64.b64encode(b"me:" + raw)[8:-4]):
            leaks += [f"{name} in {where}" for where, text in texts if spelling in text]
    return leaks
