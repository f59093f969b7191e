// Comes in by OAuth with a real browser: Chromium opens the consent page of the droid swarm server, its owner types the passphrase
// and clicks, and the browser is sent back with a code. Then the code is redeemed and the server used.
// Usage: node browser.mjs CHROMIUM URL PASSPHRASE [SCREENSHOT]
// Prints what it saw as JSON.

import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [program, url, passphrase, screenshot] = process.argv.slice(2);
const origin = new URL(url).origin;
const PATIENCE_MS = 60_000;

const json = async (path, init) => {
    const answer = await fetch(`${origin}${path}`, init);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
};
const send = (path, body) => json(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
const within = (what, promise) => Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error(`${what} took too long`)), PATIENCE_MS).unref())]);

/** The program's page that the browser comes back to. */
let arrive;
const arrived = new Promise((resolve) => { arrive = resolve; });
const listener = createServer((request, response) => {
    response.end('You can close this page.');
    const back = new URL(request.url, 'http://localhost');
    if (back.pathname === '/callback') arrive(back.searchParams);
});
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const callback = `http://localhost:${listener.address().port}/callback`;

const client = await send('/register', { client_name: 'A program with a browser', redirect_uris: [callback], token_endpoint_auth_method: 'none' });
const verifier = randomBytes(48).toString('base64url');
const state = randomBytes(12).toString('base64url');
const question = new URLSearchParams({
    response_type: 'code', client_id: client.client_id, redirect_uri: callback, state, scope: 'mcp', resource: url,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
});

/** Chromium, spoken to through pipes (Chrome DevTools Protocol, messages that end with NUL). */
const profile = await mkdtemp(join(tmpdir(), 'mcp-factory-browser-'));
const browser = spawn(program, ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const waiting = new Map();
const events = [];
let last = 0;
let rest = '';
browser.stdio[4].setEncoding('utf8').on('data', (text) => {
    const parts = (rest + text).split('\0');
    rest = parts.pop();
    for (const message of parts.map((part) => JSON.parse(part))) {
        if (message.id === undefined) for (const wait of events) wait(message);
        else waiting.get(message.id)?.(message);
    }
});
const ask = (method, params = {}, sessionId = undefined) => within(method, new Promise((resolve, reject) => {
    const id = ++last;
    waiting.set(id, ({ result, error }) => (error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result)));
    browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
}));
const event = (method) => within(method, new Promise((resolve) => events.push((message) => message.method === method && resolve(message.params))));

try {
    const { targetId } = await ask('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true });
    const page = (method, params) => ask(method, params, sessionId);
    const read = async (expression) => (await page('Runtime.evaluate', { expression, returnByValue: true })).result.value;
    await page('Page.enable');
    const loaded = event('Page.loadEventFired');
    await page('Page.navigate', { url: `${origin}/authorize?${question}` });
    await loaded;
    const asked = await read('document.body.innerText');
    if (screenshot) await writeFile(screenshot, Buffer.from((await page('Page.captureScreenshot')).data, 'base64'));
    await read('document.querySelector("input[type=password]").focus()');
    await page('Input.insertText', { text: passphrase });
    await read('document.querySelector("button[value=allow]").click()');
    const back = await within('the way back', arrived);

    const tokens = await json('/token', { method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code', code: back.get('code'), redirect_uri: callback, code_verifier: verifier, client_id: client.client_id, resource: url }) });
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientInfo': { name: 'browser', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} };
    const answer = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', Authorization: `Bearer ${tokens.access_token}`, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'list_computers' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_computers', arguments: {}, _meta: meta } }),
    });
    const called = await answer.json();
    console.log(JSON.stringify({
        asked: asked.includes('A program with a browser') && asked.includes('Factory droid swarm'),
        sentBack: back.get('state') === state && back.get('iss') === origin,
        called: called.result?.structuredContent?.count === 3,
    }));
} finally {
    browser.kill();
    listener.close();
    await new Promise((resolve) => browser.once('exit', resolve));
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(0);
