// Wallet and verifier made of libraries of others; asked over standard input by tests/interop.
import { setGlobalConfig } from '@openid4vc/openid4vci'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Collecting } from './collecting.mjs'
import { b64url, thumbprint } from './crypto.mjs'
import { judgeMdoc, judgeSdJwt, statusOf } from './judging.mjs'
import { answer } from './lines.mjs'
import { Presenting } from './presenting.mjs'

setGlobalConfig({ allowInsecureUrls: true }) // the server under test is on the loopback, without TLS

const keys = new Map()
const sessions = new Map()
let anchors = []

const pem = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.pem'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))

function keyOf({ format, credential }) {
  if (format !== 'mso_mdoc') {
    const { cnf } = JSON.parse(Buffer.from(credential.split('.')[1], 'base64url'))
    return keys.get(b64url(thumbprint(cnf.jwk)))
  }
  return undefined
}

await answer({
  anchors: ({ folder }) => ({ count: (anchors = pem(folder)).length }),
  collecting: async ({ session, offer, ...options }) => {
    sessions.set(session, new Collecting(keys, anchors, options))
    return await sessions.get(session).offer(offer)
  },
  token: ({ session, ...rest }) => sessions.get(session).token_(rest),
  authorize: ({ session, ...rest }) => sessions.get(session).authorize(rest),
  code: ({ session, ...rest }) => sessions.get(session).code(rest),
  refresh: ({ session }) => sessions.get(session).refresh(),
  credential: ({ session, ...rest }) => sessions.get(session).credential(rest),
  deferred: ({ session, ...rest }) => sessions.get(session).deferred(rest),
  notify: ({ session, ...rest }) => sessions.get(session).notify(rest),
  resolve: async ({ session, ...rest }) => {
    sessions.set(session, new Presenting(keys, anchors))
    return await sessions.get(session).resolve(rest)
  },
  present: async ({ session, held, ...rest }) => {
    const owned = []
    for (const each of held) {
      const found = each.format === 'mso_mdoc' ? (await judgeMdoc({ ...each, anchors })).deviceKey : undefined
      owned.push({ ...each, key: found ? keys.get(b64url(thumbprint(found))) : keyOf(each) })
    }
    return await sessions.get(session).present({ held: owned, ...rest })
  },
  again: ({ session }) => sessions.get(session).again(),
  judge: ({ format, ...rest }) => (format === 'mso_mdoc' ? judgeMdoc : judgeSdJwt)({ ...rest, anchors }),
  status: (rest) => statusOf({ ...rest, anchors }),
})
