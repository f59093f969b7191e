"""Plays a case with the official Python SDK, of whatever age is installed, and prints what it saw as JSON.

Usage: python client.py stdio|http|sse auto|legacy CASE.json URL-OR-COMMAND [ARGUMENT ...]
"""

import asyncio
import inspect
import json
import os
import sys
from contextlib import asynccontextmanager

import mcp
from mcp import ClientSession, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client

MODERN = hasattr(mcp, "Client")
"""Whether this is the 2.x line, which has one client for every transport."""

ASKABLE = "elicitation_callback" in inspect.signature(ClientSession.__init__).parameters
"""Whether the SDK knows questions to people."""

ANSWERS: list[dict] = []
"""What the person behind this client answers next."""


async def answer(_context, _question):
    if MODERN:
        from mcp_types import ElicitResult
    else:
        from mcp.types import ElicitResult
    return ElicitResult(**(ANSWERS.pop(0) if ANSWERS else {"action": "cancel"}))


def transport(kind: str, target: list[str]):
    if kind == "stdio":
        return stdio_client(StdioServerParameters(command=target[0], args=target[1:], env=dict(os.environ)))
    if kind == "sse":
        return sse_client(target[0])
    if MODERN:
        from mcp.client.streamable_http import streamable_http_client

        return streamable_http_client(target[0])
    from mcp.client.streamable_http import streamablehttp_client

    return streamablehttp_client(target[0])


@asynccontextmanager
async def connect(kind: str, mode: str, target: list[str]):
    """Gives the client and what the server said about itself."""
    if MODERN:
        async with mcp.Client(transport(kind, target), mode=mode, elicitation_callback=answer) as client:
            yield client, {"protocolVersion": client.protocol_version, "serverInfo": dump(client.server_info)}
        return
    more = {"elicitation_callback": answer} if ASKABLE else {}
    async with transport(kind, target) as streams, ClientSession(streams[0], streams[1], **more) as session:
        hello = await session.initialize()
        yield session, {"protocolVersion": hello.protocolVersion, "serverInfo": dump(hello.serverInfo)}


def dump(value):
    return value if value is None else value.model_dump(mode="json", by_alias=True, exclude_none=True)


async def play(client, step: dict):
    match step["do"]:
        case "tools/list":
            return await client.list_tools()
        case "tools/call":
            return await client.call_tool(step["name"], step.get("arguments"))
        case "resources/list":
            return await client.list_resources()
        case "resources/templates/list":
            return await client.list_resource_templates()
        case "resources/read":
            return await client.read_resource(uri(step["uri"]))
        case "prompts/list":
            return await client.list_prompts()
        case "prompts/get":
            return await client.get_prompt(step["name"], step.get("arguments"))
        case "completion/complete":
            [(name, value)] = step["arguments"].items()
            return await client.complete(prompt(step["name"]), {"name": name, "value": value})
        case other:
            raise SystemExit(f"no such step: {other}")


def prompt(name: str):
    if MODERN:
        from mcp_types import PromptReference
    else:
        from mcp.types import PromptReference
    return PromptReference(type="ref/prompt", name=name)


def uri(text: str):
    if MODERN:
        return text
    from pydantic import AnyUrl

    return AnyUrl(text)


async def main(kind: str, mode: str, case: str, target: list[str]) -> None:
    with open(case, encoding="utf-8") as file:
        steps = json.load(file)["steps"]
    async with connect(kind, mode, target) as (client, seen):
        seen["steps"] = []
        for step in steps:
            ANSWERS[:] = step.get("answers", [])
            try:
                seen["steps"].append(dump(await play(client, step)))
            except Exception as error:  # the SDK's error type moved between its lines
                code = getattr(getattr(error, "error", None), "code", None)
                seen["steps"].append({"error": {"code": code, "message": str(error)}})
        print(json.dumps(seen))


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
