// Plays a case with the 2.x line of the official TypeScript SDK.
// Usage: node new.mjs stdio|http|sse auto|legacy CASE.json URL-OR-COMMAND [ARGUMENT ...]

import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { answer, readArguments, report } from './steps.mjs';

const { kind, mode, steps, target } = await readArguments();
const transport = {
    stdio: () => new StdioClientTransport({ command: target[0], args: target.slice(1), env: process.env }),
    http: () => new StreamableHTTPClientTransport(new URL(target[0])),
    sse: () => new SSEClientTransport(new URL(target[0])),
}[kind]();
const client = new Client({ name: 'new-typescript', version: '1.0.0' }, {
    capabilities: { elicitation: { form: {} } },
    versionNegotiation: { mode },
});
client.setRequestHandler('elicitation/create', answer);
await client.connect(transport);
await report(client, client.getNegotiatedProtocolVersion(), steps);
