// What both ages of the TypeScript SDK have in common: reading a case, playing it, printing what was seen.

import { readFile } from 'node:fs/promises';

export async function readArguments() {
    const [kind, mode, file, ...target] = process.argv.slice(2);
    const { steps } = JSON.parse(await readFile(file, 'utf8'));
    return { kind, mode, steps, target };
}

let answers = [];

/** What the person behind the client answers next. */
export async function answer() {
    return answers.shift() ?? { action: 'cancel' };
}

function play(client, step) {
    switch (step.do) {
        case 'tools/list':
            return client.listTools();
        case 'tools/call':
            return client.callTool({ name: step.name, arguments: step.arguments });
        case 'resources/list':
            return client.listResources();
        case 'resources/templates/list':
            return client.listResourceTemplates();
        case 'resources/read':
            return client.readResource({ uri: step.uri });
        case 'prompts/list':
            return client.listPrompts();
        case 'prompts/get':
            return client.getPrompt({ name: step.name, arguments: step.arguments });
        case 'completion/complete': {
            const [[name, value]] = Object.entries(step.arguments);
            return client.complete({ ref: { type: 'ref/prompt', name: step.name }, argument: { name, value } });
        }
        default:
            throw new Error(`no such step: ${step.do}`);
    }
}

export async function report(client, protocolVersion, steps) {
    const seen = { protocolVersion, serverInfo: client.getServerVersion(), steps: [] };
    for (const step of steps) {
        answers = [...(step.answers ?? [])];
        try {
            seen.steps.push(await play(client, step));
        } catch (error) {
            seen.steps.push({ error: { code: error.code ?? null, message: String(error.message ?? error) } });
        }
    }
    console.log(JSON.stringify(seen));
    await client.close();
}
