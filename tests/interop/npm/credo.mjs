// Credo, whole: a wallet that collects and presents; an issuer and a verifier that our hosted wallet meets.
import { Agent, ConsoleLogger, Kms, LogLevel, X509KeyUsage, X509Module } from '@credo-ts/core'
import { OpenId4VcModule } from '@credo-ts/openid4vc'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import express from 'express'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { dependencies, ground } from './credo_ground.mjs'
import { byX5c } from './judging.mjs'
import { answer } from './lines.mjs'

const VCT = 'https://library.example/card'
const DOCTYPE = 'org.example.library.card.1'
const CARD = { number: '00042', member: '林晓', shelf: '甲' }
const DAY = 86_400_000

let agent
let anchors = []
let party

// Credo 0.6 looks for the status list's signer in the credential's key alone; ours says in x5c who signed it, as
// OpenID4VC HAIP 1.0 section 6.1 has it.
const verifyStatus = SDJwtVcInstance.prototype.verifyStatus
SDJwtVcInstance.prototype.verifyStatus = function (...given) {
  this.userConfig = { ...this.userConfig, statusVerifier: byX5c(anchors) }
  return verifyStatus.apply(this, given)
}

const proof = { proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256'] } } }
const CONFIGURATIONS = {
  'card.sd-jwt': {
    format: 'dc+sd-jwt',
    vct: VCT,
    scope: 'card.sd-jwt',
    cryptographic_binding_methods_supported: ['jwk'],
    credential_signing_alg_values_supported: ['ES256'],
    credential_metadata: { display: [{ name: '借书证', locale: 'zh-CN' }, { name: 'Library Card', locale: 'en' }] },
    ...proof,
  },
  'card.mdoc': {
    format: 'mso_mdoc',
    doctype: DOCTYPE,
    scope: 'card.mdoc',
    cryptographic_binding_methods_supported: ['cose_key'],
    credential_signing_alg_values_supported: [-7],
    credential_metadata: { display: [{ name: 'Library Card', locale: 'en' }] },
    ...proof,
  },
}

/** What Credo's issuer signs for the keys that were proven. */
function mapped({ credentialConfigurationId, holderBinding }) {
  const keys = holderBinding.keys.map(({ jwk }) => jwk)
  if (credentialConfigurationId === 'card.mdoc') {
    const now = new Date()
    const validityInfo = { signed: now, validFrom: now, validUntil: new Date(Date.now() + DAY) }
    const common = { docType: DOCTYPE, namespaces: { [DOCTYPE]: CARD }, issuerCertificate: party.signing, validityInfo }
    return { type: 'credentials', format: 'mso_mdoc', credentials: keys.map((holderKey) => ({ ...common, holderKey })) }
  }
  const exp = Math.floor((Date.now() + DAY) / 1000)
  const credentials = keys.map((jwk) => ({
    payload: { vct: VCT, ...CARD, exp },
    disclosureFrame: { _sd: Object.keys(CARD) },
    holder: { method: 'jwk', jwk },
    issuer: { method: 'x5c', x5c: [party.signing] },
  }))
  return { type: 'credentials', format: 'dc+sd-jwt', credentials }
}

async function begin({ folder }) {
  anchors = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  const app = express()
  const server = createServer(app)
  await new Promise((listening) => server.listen(0, listening))
  const url = `http://localhost:${server.address().port}`
  const issuer = { baseUrl: `${url}/issuer`, credentialRequestToCredentialMapper: mapped }
  agent = new Agent({
    config: { allowInsecureHttpUrls: true, autoUpdateStorageOnStartup: true, logger: new ConsoleLogger(LogLevel.off) },
    dependencies,
    modules: {
      ...ground(),
      openid4vc: new OpenId4VcModule({ app, issuer, verifier: { baseUrl: `${url}/verifier` } }),
      x509: new X509Module({ trustedCertificates: anchors }),
    },
  })
  await agent.initialize()
  party = await establish()
  agent.x509.config.addTrustedCertificate(party.authority.toString('pem'))
  return { url, issuer: party.issuer.issuerId, authority: party.authority.toString('pem') }
}

/** Keys and certificates of a library, and its issuer and verifier. */
async function establish() {
  const key = async () => {
    const { publicJwk } = await agent.kms.createKeyForSignatureAlgorithm({ algorithm: 'ES256' })
    return Kms.PublicJwk.fromPublicJwk(publicJwk)
  }
  const validity = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 30 * DAY) }
  const name = { countryName: 'ZZ', commonName: 'Library CA' }
  const authorityKey = await key()
  const subjectKeyIdentifier = { include: true }
  const authority = await agent.x509.createCertificate({
    authorityKey,
    issuer: name,
    validity,
    extensions: { subjectKeyIdentifier, basicConstraints: { ca: true, pathLenConstraint: 0, markAsCritical: true }, keyUsage: { usages: [X509KeyUsage.KeyCertSign], markAsCritical: true } },
  })
  const leaf = async (commonName) =>
    await agent.x509.createCertificate({
      authorityKey,
      subjectPublicKey: await key(),
      issuer: name,
      subject: { countryName: 'ZZ', commonName },
      validity,
      extensions: {
        subjectKeyIdentifier,
        authorityKeyIdentifier: { include: true },
        keyUsage: { usages: [X509KeyUsage.DigitalSignature], markAsCritical: true },
        subjectAlternativeName: { name: [{ type: 'dns', value: 'localhost' }] },
      },
    })
  const [signing, asking] = [await leaf('Library, cards'), await leaf('Library, desk')]
  const issuer = await agent.openid4vc.issuer.createIssuer({
    issuerId: 'library',
    accessTokenSignerKeyType: { kty: 'EC', crv: 'P-256' },
    display: [{ name: 'Library', locale: 'en' }],
    credentialConfigurationsSupported: CONFIGURATIONS,
    batchCredentialIssuance: { batchSize: 5 },
    dpopSigningAlgValuesSupported: ['ES256'],
  })
  const verifier = await agent.openid4vc.verifier.createVerifier({ verifierId: 'desk' })
  return { authority, signing, asking, issuer, verifier }
}

async function offer({ ids = Object.keys(CONFIGURATIONS), pin }) {
  const txCode = pin ? { length: 4, input_mode: 'numeric' } : undefined
  const made = await agent.openid4vc.issuer.createCredentialOffer({
    issuerId: 'library',
    credentialConfigurationIds: ids,
    preAuthorizedCodeFlowConfig: { txCode },
    version: 'v1',
  })
  return { offer: made.credentialOffer, pin: made.issuanceSession.userPin }
}

async function ask({ query, mode, prefix = 'x509_hash' }) {
  const requestSigner = { method: 'x5c', x5c: [party.asking], clientIdPrefix: prefix }
  const { authorizationRequest, verificationSession } = await agent.openid4vc.verifier.createAuthorizationRequest({
    verifierId: 'desk',
    requestSigner,
    dcql: { query },
    responseMode: mode,
    version: 'v1',
  })
  return { uri: authorizationRequest, session: verificationSession.id }
}

async function told({ session }) {
  const { state, errorMessage } = await agent.openid4vc.verifier.getVerificationSessionById(session)
  if (state !== 'ResponseVerified') return { state, why: errorMessage }
  const { dcql } = await agent.openid4vc.verifier.getVerifiedAuthorizationResponse(session)
  const shown = Object.entries(dcql.presentations).map(([id, [each]]) => [id, each.prettyClaims ?? each.documents[0].issuerSignedNamespaces])
  return { state, shown: Object.fromEntries(shown) }
}

async function collect({ offer: uri, count = 1, pin, together = false }) {
  const holder = agent.openid4vc.holder
  const resolvedCredentialOffer = await holder.resolveCredentialOffer(uri)
  const token = await holder.requestToken({ resolvedCredentialOffer, txCode: pin })
  const credentialBindingResolver = async ({ proofTypes }) => {
    const algorithm = proofTypes.jwt.supportedSignatureAlgorithms[0]
    const keys = []
    for (let index = 0; index < count; index++) keys.push(await agent.kms.createKeyForSignatureAlgorithm({ algorithm }))
    return { method: 'jwk', keys: keys.map(({ publicJwk }) => Kms.PublicJwk.fromPublicJwk(publicJwk)) }
  }
  const ids = Object.keys(resolvedCredentialOffer.offeredCredentialConfigurations)
  const collected = []
  for (const part of together ? [ids] : ids.map((id) => [id])) {
    const { credentials } = await holder.requestCredentials({
      resolvedCredentialOffer,
      ...token,
      credentialConfigurationIds: part,
      credentialBindingResolver,
      verifyCredentialStatus: true,
    })
    collected.push(...credentials)
  }
  const api = { SdJwtVcRecord: agent.sdJwtVc, MdocRecord: agent.mdoc }
  for (const { record } of collected) await api[record.type].store({ record })
  return {
    dpop: token.dpop !== undefined,
    collected: collected.map(({ record, notificationId, credentialConfigurationId }) => ({
      type: record.type,
      count: record.credentialInstances.length,
      configuration: credentialConfigurationId,
      notification: notificationId,
    })),
  }
}

async function present({ uri, only }) {
  const holder = agent.openid4vc.holder
  const resolved = await holder.resolveOpenId4VpAuthorizationRequest(uri)
  const { queryResult } = resolved.dcql
  for (const [id, match] of Object.entries(queryResult.credential_matches)) if (!id.endsWith(only)) match.success = false
  const credentials = holder.selectCredentialsForDcqlRequest(queryResult)
  const { ok, serverResponse } = await holder.acceptOpenId4VpAuthorizationRequest({
    authorizationRequestPayload: resolved.authorizationRequestPayload,
    dcql: { credentials },
  })
  const { clientIdPrefix: prefix } = resolved.verifier
  return { ok, status: serverResponse?.status, body: serverResponse?.body, queries: Object.keys(credentials), prefix }
}

await answer({ begin, offer, ask, told, collect, present })
