"""Comes in by OAuth as a program does that uses the official Python SDK, without a browser: the owner approved beforehand.

Usage: python oauth.py URL
Prints what it saw as JSON: refused, asked, called, refreshed, tools.
"""

import asyncio
import json
import sys
import time
from urllib.parse import parse_qs, urlsplit

import mcp
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientMetadata

MODERN = hasattr(mcp, "Client")
"""Whether this is the 2.x line."""
if MODERN:
    import httpx2 as httpx
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared.auth import AuthorizationCodeResult
else:
    import httpx
    from mcp.client.streamable_http import streamablehttp_client

CALLBACK = "http://localhost:53682/callback"


class Storage:
    """What a program keeps, in memory."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Browser:
    """The user's browser: it follows the one redirect that leads back."""

    def __init__(self):
        self.asked = self.back = None

    async def open(self, url: str):
        self.asked = parse_qs(urlsplit(url).query)
        async with httpx.AsyncClient() as client:
            answer = await client.get(url, follow_redirects=False)
        self.back = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def answer(self):
        if MODERN:
            return AuthorizationCodeResult(**{name: self.back[name] for name in ("code", "state", "iss") if name in self.back})
        return self.back["code"], self.back.get("state")


def provider(url: str, storage: Storage, browser: Browser) -> OAuthClientProvider:
    metadata = OAuthClientMetadata(
        client_name="python",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        scope="mcp",
    )
    return OAuthClientProvider(url, metadata, storage, browser.open, browser.answer)


async def use(url: str, auth: OAuthClientProvider) -> tuple[bool, int]:
    """Calls a tool and lists all of them."""
    if MODERN:
        async with httpx.AsyncClient(auth=auth, follow_redirects=False) as http:
            async with mcp.Client(streamable_http_client(url, http_client=http)) as client:
                result = await client.call_tool("opening_hours", {})
                return not result.is_error, len((await client.list_tools()).tools)
    async with streamablehttp_client(url, auth=auth) as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        result = await session.call_tool("opening_hours", {})
        return not result.isError, len((await session.list_tools()).tools)


async def main(url: str):
    storage, browser = Storage(), Browser()
    called, _ = await use(url, provider(url, storage, browser))
    asked = browser.asked["code_challenge_method"][0]
    before = storage.tokens.refresh_token
    # A program that starts again later: its access token has expired, its refresh token has not.
    again, browser.asked = provider(url, storage, browser), None
    await again._initialize()
    again.context.token_expiry_time = time.time() - 1
    _, tools = await use(url, again)
    refreshed = storage.tokens.refresh_token != before and browser.asked is None
    seen = {"refused": True, "asked": asked, "called": called, "refreshed": refreshed, "tools": tools > 0}
    print(json.dumps(seen))


asyncio.run(main(sys.argv[1]))
