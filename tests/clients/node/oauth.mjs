// Comes in by OAuth as a program does that uses an official TypeScript SDK, without a browser: the owner approved beforehand.
// Usage: node oauth.mjs new|old URL
// Prints what it saw as JSON: registered, called, refreshed.

const [age, url] = process.argv.slice(2);
const modules = {
    new: async () => {
        const sdk = await import('@modelcontextprotocol/client');
        return { Client: sdk.Client, Transport: sdk.StreamableHTTPClientTransport, auth: sdk.auth };
    },
    old: async () => {
        const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
        const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
        const { auth } = await import('@modelcontextprotocol/sdk/client/auth.js');
        return { Client, Transport: StreamableHTTPClientTransport, auth };
    },
};
const { Client, Transport, auth } = await modules[age]();

/** What a program keeps, in memory. */
class Provider {
    redirectUrl = 'http://localhost:53682/callback';
    clientMetadata = {
        client_name: `typescript ${age}`,
        redirect_uris: [this.redirectUrl],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
    };
    #client;
    #tokens;
    #verifier;
    clientInformation() { return this.#client; }
    saveClientInformation(client) { this.#client = client; }
    tokens() { return this.#tokens; }
    saveTokens(tokens) { this.#tokens = tokens; }
    codeVerifier() { return this.#verifier; }
    saveCodeVerifier(verifier) { this.#verifier = verifier; }
    redirectToAuthorization(to) { this.asked = to; }
}

const provider = new Provider();
const connect = async () => {
    const transport = new Transport(new URL(url), { authProvider: provider });
    const client = new Client({ name: 'oauth', version: '1.0.0' });
    return { transport, client, connected: client.connect(transport) };
};

const first = await connect();
let refused = false;
try {
    await first.connected;
} catch (error) {
    refused = error.constructor.name === 'UnauthorizedError' || /unauthorized/i.test(String(error));
    if (!refused) throw error;
}
// The user's browser: it follows the one redirect that leads back.
const answer = await fetch(provider.asked, { redirect: 'manual' });
const back = new URL(answer.headers.get('location'));
await first.transport.finishAuth(back.searchParams.get('code'), ...(age === 'new' ? [back.searchParams.get('iss')] : []));

const second = await connect();
await second.connected;
const result = await second.client.callTool({ name: 'opening_hours', arguments: {} });
const before = provider.tokens();
const outcome = await auth(provider, { serverUrl: new URL(url) });
const after = provider.tokens();
const third = await connect();
await third.connected;
const tools = await third.client.listTools();
for (const { client } of [second, third]) await client.close();
console.log(JSON.stringify({
    refused,
    asked: provider.asked.searchParams.get('code_challenge_method'),
    called: !result.isError,
    refreshed: outcome === 'AUTHORIZED' && before.refresh_token !== after.refresh_token,
    tools: tools.tools.length > 0,
}));
process.exit(0);
