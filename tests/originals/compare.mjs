// Plays the same calls on an original server and on the golden spec that rebuilds it, and compares the answers.
// Usage: node compare.mjs CASE.json BINARY GOLDEN-FOLDER FAKES-URL
//
// Both are started over standard input and output and called with the official TypeScript SDK. What is compared is an answer's
// value: its structured content, or its text, read as JSON where it is JSON. What may differ is written in the case, with the
// reason and both answers, so that a change of either side is seen. Prints one line of JSON: {"passed": n, "failures": […]}.

import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const [file, binary, golden, fakes] = process.argv.slice(2);
const plan = JSON.parse(await readFile(file, 'utf8'));
const folder = await mkdtemp(join(tmpdir(), 'originals-'));
const unique = Math.random().toString(36).slice(2, 10);
const cleaning = [];

// The words of one side; both have texts of the same length, so that what is laid out by length is the same.
async function wordsOf(side) {
    const words = { fakes, folder: join(folder, side), unique: `${side[0]}-${unique}` };
    await cp(join(golden, plan.ours.spec), words.folder, { recursive: true });
    if (plan.database === 'sqlite') {
        const { DatabaseSync } = await import('node:sqlite');
        const database = new DatabaseSync(join(words.folder, 'case.db'));
        database.exec((await readFile(join(words.folder, 'seed.sql'), 'utf8')).split('\n\n').join(';\n'));
        database.close();
        words.sqlite = `sqlite:${join(words.folder, 'case.db')}`;
    }
    if (plan.database === 'postgres') {
        const { default: pg } = await import('pg');
        const server = new URL(process.env.MCP_FACTORY_TEST_POSTGRES);
        const name = `t_${side}_${unique}`;
        const admin = new pg.Client({ connectionString: server.href });
        await admin.connect();
        await admin.query(`CREATE DATABASE ${name}`);
        server.pathname = `/${name}`;
        const database = new pg.Client({ connectionString: server.href });
        await database.connect();
        for (const statement of (await readFile(join(words.folder, 'seed.sql'), 'utf8')).split('\n\n')) await database.query(statement);
        await database.end();
        cleaning.push(async () => { await admin.query(`DROP DATABASE ${name} WITH (FORCE)`); await admin.end(); });
        words.postgres = server.href;
    }
    return words;
}

const fill = (value, words) => {
    if (typeof value === 'string') return value.replace(/\$([A-Za-z_]+)/g, (whole, word) => words[word] ?? process.env[word] ?? whole);
    if (Array.isArray(value)) return value.map((one) => fill(one, words));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one, words)]));
    return value;
};

const hide = (value, words) => {
    let text = JSON.stringify(value);
    for (const [word, hidden] of Object.entries(words).sort((a, b) => b[1].length - a[1].length)) {
        text = text.replaceAll(JSON.stringify(hidden).slice(1, -1), `$${word}`);
    }
    for (const { pattern, stands } of plan.varies ?? []) text = text.replace(new RegExp(pattern, 'g'), stands);
    return JSON.parse(text);
};

async function connect(command, args, cwd, env) {
    const transport = new StdioClientTransport({ command, args, cwd, env: { PATH: process.env.PATH, ...env }, stderr: 'ignore' });
    const client = new Client({ name: 'compare', version: '1.0.0' });
    await client.connect(transport);
    return client;
}

// An original is a package of npm, or a program of PyPI.
function started({ package: name, program: own, arguments: given = [] }, words) {
    if (own) return [join(process.env.MCP_FACTORY_ORIGINALS_PYTHON, own), fill(given, words)];
    return [process.execPath, [program(name), ...fill(given, words)]];
}

function program(name) {
    const manifest = require.resolve(`${name}/package.json`);
    const { bin } = JSON.parse(require('node:fs').readFileSync(manifest, 'utf8'));
    return join(dirname(manifest), typeof bin === 'string' ? bin : Object.values(bin)[0]);
}

// An answer as a value. A text that is no JSON is told from one that is.
function valueOf(result) {
    if (result.structuredContent !== undefined && !result.isError) return unwrap(result.structuredContent);
    const contents = (result.content ?? []).map((content) => (content.type === 'text' ? read(content.text) : content));
    const value = contents.length === 1 ? contents[0] : contents;
    return result.isError ? { refused: value } : value;
}

const read = (text) => { try { return JSON.parse(text); } catch { return text; } };

// Revisions whose structured content is always an object wrap what is none; so do some of the originals.
const unwrap = (value) => {
    const wrapper = Object.keys(value).length === 1 && plan.unwrap?.find((name) => name in value);
    return wrapper ? read(value[wrapper]) : value;
};

async function ask(client, { tool, arguments: given, resource, prompt }, words) {
    try {
        if (prompt) {
            const { messages } = await client.getPrompt({ name: prompt, arguments: fill(given ?? {}, words) });
            return hide(messages.map(({ role, content }) => ({ role, text: content.text })), words);
        }
        if (resource) {
            const { contents } = await client.readResource({ uri: fill(resource, words) });
            return hide(contents.map((one) => (one.text === undefined ? one : read(one.text))), words);
        }
        return hide(valueOf(await client.callTool({ name: tool, arguments: fill(given ?? {}, words) })), words);
    } catch (error) {
        return { refused: hide(error.message, words) };
    }
}

// The names of tools, and of their arguments, with those that are required.
async function surface(client) {
    const { tools } = await client.listTools();
    return Object.fromEntries(tools.map(({ name, inputSchema }) => [name, {
        arguments: Object.keys(inputSchema.properties ?? {}).sort(), required: [...(inputSchema.required ?? [])].sort(),
    }]).sort());
}

const failures = [];
let passed = 0;
const check = (what, good, told) => { if (good) passed += 1; else failures.push(`${what}: ${told}`); };
const show = JSON.stringify;

try {
    const [theirs, mine] = [await wordsOf('original'), await wordsOf('rebuilds')];
    const redirect = plan.redirect && { NODE_OPTIONS: `--import=${pathToFileURL(join(here, 'redirect.mjs'))}`, REDIRECT: show(fill(plan.redirect, theirs)) };
    const original = await connect(...started(plan.original, theirs), theirs.folder,
        { ...fill(plan.original.environment ?? {}, theirs), ...redirect });
    const ours = await connect(binary, ['run', 'spec.yaml', ...fill(plan.ours.options ?? [], mine)], mine.folder,
        { MCP_FACTORY_HOME: join(mine.folder, 'home'), ...fill(plan.ours.environment ?? {}, mine) });

    const [listed, rebuilt] = [await surface(original), await surface(ours)];
    for (const [name, wanted] of Object.entries(listed)) {
        if (plan.tools.without?.[name]) continue;
        const except = plan.tools.differs?.[name];
        if (except) {
            check(`${name} is listed`, isDeepStrictEqual(rebuilt[name], except.ours) && isDeepStrictEqual(wanted, except.original),
                `the case says ${show(except)}; the original has ${show(wanted)}, ours ${show(rebuilt[name])}`);
        } else {
            check(`${name} is listed`, isDeepStrictEqual(rebuilt[name], wanted), `the original has ${show(wanted)}, ours ${show(rebuilt[name])}`);
        }
    }
    for (const step of plan.steps) {
        const what = `${step.tool ?? step.resource ?? step.prompt} ${show(step.arguments ?? {})}`;
        const one = await ask(original, step, theirs);
        const two = await ask(ours, step, mine);
        if (step.differs) {
            const same = isDeepStrictEqual(one, step.differs.original) && isDeepStrictEqual(two, step.differs.ours);
            check(what, same, `the case says\n${show(step.differs)}\nthe original says\n${show(one)}\nours says\n${show(two)}`);
        } else if (step.refused) {
            check(what, one?.refused !== undefined && two?.refused !== undefined, `both should refuse; the original says\n${show(one)}\nours says\n${show(two)}`);
        } else {
            check(what, isDeepStrictEqual(one, two), `the original says\n${show(one)}\nours says\n${show(two)}`);
        }
    }
    await Promise.all([original.close(), ours.close()]);
} finally {
    for (const clean of cleaning) await clean();
    await rm(folder, { recursive: true, force: true });
}
console.log(JSON.stringify({ passed, failures }));
process.exit(0);
