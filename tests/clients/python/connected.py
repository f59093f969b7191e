"""A client of the official conformance suite: it speaks to `mcp-factory connect URL`, which signs in where it is asked to.

usage: connected.py BINARY BROWSER URL

The suite says in the environment which scenario is played, and what the client knows before.
"""

import json
import os
import subprocess
import sys
import tempfile

STATELESS = "2026-07-28"
DOCUMENT = "https://conformance-test.local/client-metadata.json"


def options(scenario, known):
    """What a user would have to say in this scenario, and the variables that hold what they know."""
    words, secrets = [], {}
    if "client_id" in known:
        words += ["--client-id", known["client_id"]]
    if "client_secret" in known:
        words += ["--client-secret-env", "CLIENT_SECRET"]
        secrets["CLIENT_SECRET"] = known["client_secret"]
    if "private_key_pem" in known:
        words += ["--client-key-env", "CLIENT_KEY"]
        secrets["CLIENT_KEY"] = known["private_key_pem"]
    if scenario.startswith("auth/client-credentials"):
        words += ["--client-credentials"]
    if scenario == "auth/basic-cimd":
        words += ["--client-document", DOCUMENT]
    if scenario.startswith("auth/2025-03-26"):
        words += ["--legacy-auth"]
    return words, secrets


class Server:
    """The server as `connect` shows it on standard streams."""

    def __init__(self, command, env, version):
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = version
        self.last = 0

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        if self.version == STATELESS:
            prefix = "io.modelcontextprotocol/"
            about = {"protocolVersion": STATELESS, "clientInfo": {"name": "judge", "version": "1"}, "clientCapabilities": {}}
            params = {**params, "_meta": {prefix + key: value for key, value in about.items()}}
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.last and "method" not in answer:
                if "result" not in answer:
                    sys.exit(f"{method} was refused: {answer.get('error')}")
                return answer["result"]
        sys.exit(f"{method} was not answered")

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)


def main():
    binary, browser, url = sys.argv[1:]
    scenario = os.environ["MCP_CONFORMANCE_SCENARIO"]
    known = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    version = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "")
    words, secrets = options(scenario, known)
    with tempfile.TemporaryDirectory() as home:
        command = [binary, "connect", url, "--home", home, "--timeout", "20", *words]
        server = Server(command, {**os.environ, **secrets, "BROWSER": f"{browser} %s"}, version)
        try:
            if version != STATELESS:
                about = {"name": "judge", "version": "1"}
                server.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about})
                server.send({"method": "notifications/initialized"})
            server.ask("tools/list", {})
            server.ask("tools/call", {"name": "test-tool", "arguments": {}})
        finally:
            server.end()


main()
