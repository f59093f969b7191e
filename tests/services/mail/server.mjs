// Mail servers for tests: `node server.mjs PORT FOLDER CERTIFICATE KEY`.
//
// PORT offers STARTTLS and wants a login; a second port, in FOLDER/tls-port, speaks TLS from the start; a third, in
// FOLDER/open-port, offers neither TLS nor login. `GET /ADDRESS` of the port in FOLDER/web-port gives what came for an address:
// the letters, parsed by a library that is not ours. Addresses that begin with `refused` or `later` are not taken.

import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

const [port, folder, certificate, privateKey] = process.argv.slice(2)
const cert = fs.readFileSync(certificate)
const key = fs.readFileSync(privateKey)
const letters = new Map()

const refuse = (code, text) => Object.assign(new Error(text), { responseCode: code })

const common = {
  logger: false,
  size: 1 << 20,
  onAuth(auth, session, done) {
    const right = auth.username === 'tests@example.com' && auth.password === 'correct horse battery'
    // Some servers repeat what they were told.
    done(right ? null : refuse(535, `5.7.8 no login ${auth.username} with ${auth.password}`), right && { user: auth.username })
  },
  onRcptTo(address, session, done) {
    if (address.address.startsWith('refused')) return done(refuse(550, '5.1.1 nobody of this name'))
    if (address.address.startsWith('later')) return done(refuse(451, '4.7.1 come back later'))
    done()
  },
  onData(stream, session, done) {
    const chunks = []
    stream.on('data', (chunk) => chunks.push(chunk))
    stream.on('end', async () => {
      if (stream.sizeExceeded) return done(refuse(552, '5.3.4 too large'))
      const raw = Buffer.concat(chunks)
      const parsed = await simpleParser(raw)
      const people = (field) => [parsed[field]].flat().filter(Boolean).flatMap((list) => list.value)
      const letter = {
        envelope: { from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((rcpt) => rcpt.address) },
        secure: session.secure,
        user: session.user,
        subject: parsed.subject,
        text: parsed.text,
        html: parsed.html,
        from: people('from'),
        to: people('to'),
        cc: people('cc'),
        bcc: people('bcc'),
        replyTo: people('replyTo'),
        messageId: parsed.messageId,
        inReplyTo: parsed.inReplyTo,
        headers: parsed.headerLines.map((line) => line.line),
        attachments: parsed.attachments.map((file) => ({
          name: file.filename, type: file.contentType, base64: file.content.toString('base64')
        }))
      }
      for (const to of letter.envelope.to) letters.set(to, [...letters.get(to) ?? [], letter])
      done(null, 'taken as letter 1')
    })
  }
}

const listen = (server, wanted) => new Promise((resolve) => {
  // A client that hangs up, or does not trust the certificate, is no reason to end.
  server.on('error', () => {})
  const inner = server.listen(wanted, '127.0.0.1', () => resolve(inner.address().port))
})
const write = (name, text) => {
  fs.writeFileSync(path.join(folder, `${name}.new`), String(text))
  fs.renameSync(path.join(folder, `${name}.new`), path.join(folder, name))
}

await listen(new SMTPServer({ ...common, cert, key }), Number(port))
write('tls-port', await listen(new SMTPServer({ ...common, cert, key, secure: true }), 0))
write('open-port', await listen(new SMTPServer({ ...common, disabledCommands: ['AUTH', 'STARTTLS'] }), 0))
const web = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(letters.get(decodeURIComponent(request.url.slice(1))) ?? []))
})
write('web-port', await listen(web, 0))
process.on('SIGTERM', () => process.exit(0))
