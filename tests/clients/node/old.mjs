// Plays a case with the 1.x line of the official TypeScript SDK.
// Usage: node old.mjs stdio|http|sse legacy CASE.json URL-OR-COMMAND [ARGUMENT ...]

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

import { answer, readArguments, report } from './steps.mjs';

const { kind, steps, target } = await readArguments();
const transport = {
    stdio: () => new StdioClientTransport({ command: target[0], args: target.slice(1), env: process.env }),
    http: () => new StreamableHTTPClientTransport(new URL(target[0])),
    sse: () => new SSEClientTransport(new URL(target[0])),
}[kind]();
const client = new Client({ name: 'old-typescript', version: '1.0.0' }, { capabilities: { elicitation: {} } });
client.setRequestHandler(ElicitRequestSchema, answer);
// The 1.x client tells its transport which revision was agreed, and keeps it to itself otherwise.
let version;
const tell = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = (agreed) => {
    version = agreed;
    tell?.(agreed);
};
await client.connect(transport);
await report(client, version, steps);
