"""One server with the authorization server beside it, and a program that comes in by OAuth 2.1."""

import base64
import hashlib
import json
import socket
from urllib.parse import parse_qs, urlencode, urlsplit

from ledger import LIST, LIST_HEAD
from world import Plane, spec

CALLBACK = "http://localhost:53682/callback"
VERIFIER = "v" * 64


def free_port():
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return own.getsockname()[1]


class Exchange(Plane):
    """`known` is an earlier life of the same server: same port, same client."""

    def __init__(self, world, home, known=None, env=None):
        self.port = known.port if known else free_port()
        file = world.place("oauth") / "hello.yaml"
        file.write_text(spec("hello", "1.0.0", "hello"))
        self.words = ("run", str(file), "--transport", "http", "--port", str(self.port),
                      "--oauth", "single-user", "--oauth-allow-redirect", "localhost")
        super().__init__(world, home, env)
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = known.client if known else None

    def register(self):
        answer = self.ask("POST", "/register", {"client_name": "faults", "redirect_uris": [CALLBACK],
                                                "token_endpoint_auth_method": "none"})
        assert answer.status == 201, answer
        self.client = answer.json["client_id"]

    def code(self):
        """A fresh code; the owner approved beforehand."""
        if self.client is None:
            self.register()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        answer = self.ask("GET", "/authorize?" + urlencode({
            "response_type": "code", "client_id": self.client, "redirect_uri": CALLBACK, "state": "s",
            "code_challenge": challenge, "code_challenge_method": "S256", "resource": f"{self.url}/mcp"}))
        head = {name.lower(): value for name, value in answer.headers.items()}
        assert answer.status in (302, 303), answer
        return parse_qs(urlsplit(head["location"]).query)["code"][0]

    def _token(self, fields):
        body = urlencode({"client_id": self.client, **fields}).encode()
        answer = self.ask("POST", "/token", body, {"content-type": "application/x-www-form-urlencoded"})
        return answer.json if answer.status == 200 else None

    def redeem(self, code):
        """The tokens for a code, or None where it is refused."""
        return self._token({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
                            "code_verifier": VERIFIER, "resource": f"{self.url}/mcp"})

    def refresh(self, tokens):
        return self._token({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})

    def lets_in(self, tokens):
        head = {**LIST_HEAD, "authorization": f"Bearer {tokens['access_token']}"}
        return self.ask("POST", "/mcp", json.loads(json.dumps(LIST)), head).status == 200
