// A certified provider of OpenID Connect for tests: `node server.mjs PORT`.
//
// Clients register themselves (RFC 7591). Whoever signs in as `ann@example.com` is that, with a verified address; `NAME+GROUP@…`
// is in that group too; an address that begins with `unsure` is not verified. Every password does. Tokens are signed with the
// algorithm that the client asks for: RS256, PS256, ES256 or EdDSA.

import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'

const [port] = process.argv.slice(2)
const key = (kind, options, alg) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: alg,
})
const keys = [
  key('rsa', { modulusLength: 2048 }, 'RS256'),
  key('rsa', { modulusLength: 2048 }, 'PS256'),
  key('ec', { namedCurve: 'P-256' }, 'ES256'),
  key('ed25519', {}, 'EdDSA'),
]
const algorithms = keys.map((one) => one.alg)

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys },
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  features: { registration: { enabled: true }, devInteractions: { enabled: true } },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username', 'name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: id.replace(/\+.*@/, '@'),
      email_verified: !id.startsWith('unsure'),
      preferred_username: id.split('@')[0],
      groups: /\+(.*)@/.exec(id)?.slice(1) ?? [],
    }),
  }),
})
provider.on('server_error', (_, error) => console.error(error))
provider.listen(port, '127.0.0.1')
