"""Judges of the server: a control plane that is scanned, attacked, and asked for tokens."""

import asyncio
import json
import os
import re
import socket
import ssl

from judging import BINARY, FOLDER, NODE, SUITE, TOOLS, browser, run, started

GRADE = "A"
# What the harness can judge of a control plane at least; the rest of its tests need something that MCP does not have.
PASSED_MIN = 17
CERTIFICATE = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def certificate():
    """A certificate for localhost that signs itself; gives its two files."""
    key, cert = FOLDER / "key.pem", FOLDER / "cert.pem"
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert]
    code, text = await run("openssl", "req", "-x509", *CERTIFICATE, *new)
    if code != 0:
        raise RuntimeError(f"openssl makes no certificate: {text}")
    return key, cert


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def tls_before(port, key, cert):
    """Speaks TLS before a plain port of this machine; gives the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def join(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    return await asyncio.start_server(join, "127.0.0.1", 0, ssl=context)


def plane(name, *words, port=0):
    """A control plane on an empty home folder that one person lets programs into."""
    command = [BINARY, "serve", "--port", port, "--auth", "keys", "--home", FOLDER / f"home-{name}"]
    return started(name, *command, *words)


async def graded(tell):
    """mcp-authlab signs in at a control plane behind TLS, and grades it."""
    key, cert = await certificate()
    port = free_port()
    before = await tls_before(port, key, cert)
    url = f"https://localhost:{before.sockets[0].getsockname()[1]}"
    env = {"SSL_CERT_FILE": str(cert), "BROWSER": f"{browser()} %s", "HOME": str(FOLDER), "XDG_CONFIG_HOME": str(FOLDER)}
    lab = TOOLS / "mcp-authlab"
    words = ["--public-url", url, "--oauth-allow-redirect", "localhost", "--oauth-allow-redirect", "127.0.0.1"]
    async with before, plane("graded", *words, port=port):
        foreign = f"{url}/servers/other/mcp"
        code, text = await run(lab, "login", f"{url}/mcp", "--foreign-resource", foreign, "--no-color", env=env)
        tell("mcp-authlab login", code == 0, text)
        code, text = await run(lab, "scan", f"{url}/mcp", "--no-color", "--fail-under", GRADE, env=env)
        (FOLDER / "authlab.txt").write_text(text)
        tell(f"mcp-authlab grade {GRADE}", code == 0 and re.search(rf"\b{GRADE}\b", text) is not None, text)


async def attacked(tell):
    """agent-security-harness attacks a control plane with a key of it."""
    async with plane("attacked") as url:
        code, text = await run(BINARY, "keys", "create", "judge", "--output", "json", "--home", FOLDER / "home-attacked")
        key = re.search(r"of_mcp_[A-Za-z0-9_-]+", text)
        if code != 0 or key is None:
            return tell("agent-security-harness", False, f"no key: {text}")
        report = FOLDER / "harness.json"
        code, text = await run(
            TOOLS / "agent-security", "test", "mcp", "--transport", "http", "--url", f"{url}/mcp",
            "--header", f"Authorization:Bearer {key.group()}", "--report", report,
        )
    (FOLDER / "harness.txt").write_text(text)
    found = json.loads(report.read_text()) if report.exists() else {"summary": {}, "results": []}
    count = found["summary"]
    failed = [f"{one['test_id']} {one['name']}: {one['details']}" for one in found["results"] if FAILED(one)]
    good = count.get("failed") == 0 and count.get("passed", 0) >= PASSED_MIN
    tell("agent-security-harness", good, "\n".join([str(count), *failed]) if count else text)


def FAILED(result):
    return result.get("passed") is False and result.get("status", "failed") != "inconclusive"


async def asked(tell):
    """The conformance suite gets a token of the authorization server."""
    port = free_port()
    redirect = f"http://127.0.0.1:{port}/callback"
    async with plane("asked", "--oauth-allow-redirect", "127.0.0.1") as url:
        client = await register(url, redirect)
        process = await asyncio.create_subprocess_exec(
            *map(str, [NODE, SUITE, "authorization", "--url", url, "--client-id", client, "--port", port]),
            env={**os.environ, "NO_COLOR": "1"},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )
        text = []

        async def read():
            while line := (await process.stdout.readline()).decode(errors="replace"):
                text.append(line)
                if re.match(r"https?://\S+/authorize\?", line):
                    code, said = await run(browser(), line.strip())
                    text.append(said if code else "")

        await asyncio.wait_for(read(), 60)
        code = await process.wait()
    whole = "".join(text)
    total = re.findall(r"(\d+) passed, (\d+) failed", whole)
    good = code == 0 and bool(total) and int(total[-1][0]) >= 2 and total[-1][1] == "0"
    tell("suite authorization", good, f"exit code {code}: {whole}")


async def register(url, redirect):
    body = json.dumps({"client_name": "suite", "redirect_uris": [redirect], "token_endpoint_auth_method": "none"})
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /register HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    answer = (await asyncio.wait_for(reader.read(), 20)).decode()
    writer.close()
    return json.loads(answer.split("\r\n\r\n", 1)[1])["client_id"]
