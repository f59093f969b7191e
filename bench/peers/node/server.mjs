// The official TypeScript SDK with 100 tools, JSON answers, a fresh server per request (its own advice).
import { createServer } from 'node:http';
import { McpServer, createMcpHandler, fromJsonSchema } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';

const schema = fromJsonSchema({
  type: 'object',
  properties: {
    query: { type: 'string', maxLength: 200 },
    limit: { type: 'integer', minimum: 1, maximum: 100 },
  },
  required: ['query'],
  additionalProperties: false,
});

const handler = createMcpHandler(
  () => {
    const server = new McpServer({ name: 'peer', version: '1.0.0' });
    for (let n = 0; n < 100; n++) {
      const name = `tool_${String(n).padStart(3, '0')}`;
      server.registerTool(name, { description: `Tool number ${n} of the benchmark`, inputSchema: schema }, async () => ({
        content: [{ type: 'text', text: 'pong' }],
      }));
    }
    return server;
  },
  { responseMode: 'json' },
);

createServer(toNodeHandler(handler)).listen(Number(process.argv[2]), '127.0.0.1');
