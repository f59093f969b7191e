"""Judges of the client: broken servers that it must refuse, and the scenarios of the official conformance suite."""

import asyncio
import json

from judging import BINARY, FOLDER, NODE, SCRIPTS, SUITE, TOOLS, browser, run, started

# Profile and defects of the fixture, further words, and why the client refuses it; none where it must sign in.
FIXTURES = [
    ("reference", [], [], None),
    ("legacy", [], [], "does not say who gives tokens"),
    ("weak-as", [], ["--client-id", "known"], "no PKCE with S256"),
    ("passthrough", [], [], "a token that nobody signed"),
    ("sloppy", [], ["--client-id", "known"], "does not say whose it is"),
    ("open", [], [], "answers without a token"),
    ("mismatch", [], [], "does not ask for tokens"),
    ("reference", ["wrong_resource"], [], "not of http"),
    ("reference", ["http_as"], [], "is not https"),
    ("reference", ["no_registration"], [], "registers nobody"),
    ("reference", ["issuer_trailing_slash"], [], "calls itself"),
    ("reference", ["opaque_tokens", "stateless"], [], None),
]

# What the suite asks of clients. Its extensions DPoP, workload identity and enterprise authorization are not claimed.
SCENARIOS = [
    "auth/" + name
    for name in """
    metadata-default metadata-var1 metadata-var2 metadata-var3 basic-cimd scope-from-www-authenticate
    scope-from-scopes-supported scope-omitted-when-undefined scope-step-up scope-retry-limit token-endpoint-auth-basic
    token-endpoint-auth-post token-endpoint-auth-none pre-registration 2025-03-26-oauth-metadata-backcompat
    2025-03-26-oauth-endpoint-fallback resource-mismatch offline-access-scope offline-access-not-supported
    authorization-server-migration iss-supported iss-not-advertised iss-supported-missing iss-wrong-issuer
    iss-unexpected iss-normalized metadata-issuer-mismatch client-credentials-jwt client-credentials-basic
    """.split()
]
# The revisions that a scenario is played in besides its own: more scopes are asked for otherwise in the newest.
ALSO = {"auth/scope-step-up": ["2026-07-28"], "auth/metadata-default": ["2026-07-28"]}
AT_ONCE = 3


async def broken(tell):
    """Signs in at the fixture in each of its broken forms."""
    await asyncio.gather(*(fixture(tell, *row) for row in FIXTURES))


async def fixture(tell, profile, flags, words, why):
    name = "+".join([profile, *flags])
    defects = [word for flag in flags for word in ("--flag", flag)]
    command = [TOOLS / "mcp-authlab", "fixture", "--profile", profile, *defects, "--port", "0", "--auto-consent"]
    async with started(f"fixture-{name}", *command) as url:
        home = FOLDER / f"home-{name}"
        code, text = await run(
            BINARY, "connect", f"{url}/mcp", "--login", "--home", home, "--timeout", "20", *words,
            env={"BROWSER": f"{browser()} %s"},
        )
    good = code == 0 and "signed in" in text if why is None else code == 4 and "MF1100" in text and why in text
    tell(f"fixture {name}", good, f"exit code {code}: {text}")


async def scenarios(tell):
    """Plays the scenarios with `mcp-factory connect`."""
    places = asyncio.Semaphore(AT_ONCE)

    async def play(name, revision=None):
        at = name.replace("/", "-") + (f"-{revision}" if revision else "")
        command = f"{TOOLS / 'python'} {SCRIPTS / 'connected.py'} {BINARY} {browser()}"
        words = ["--spec-version", revision] if revision else []
        async with places:
            _, text = await run(
                NODE, SUITE, "client", "--command", command, "--scenario", name, *words, "-o", FOLDER / at,
                env={"NO_COLOR": "1"},
            )
        files = list((FOLDER / at).rglob("checks.json"))
        checks = [check for file in files for check in json.loads(file.read_text())]
        count = lambda status: sum(check["status"] == status for check in checks)
        good = count("SUCCESS") > 0 and count("FAILURE") == 0 and count("WARNING") == 0
        tell(f"suite {name}" + (f" {revision}" if revision else ""), good, text)

    wanted = [(name, None) for name in SCENARIOS]
    wanted += [(name, revision) for name, revisions in ALSO.items() for revision in revisions]
    await asyncio.gather(*(play(*row) for row in wanted))


