// Others' verifiers of what Yinxin issues: @sd-jwt/sd-jwt-vc, @sd-jwt/jwt-status-list and @owf/mdoc.
import { IssuerSigned } from '@owf/mdoc'
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { X509Certificate } from 'node:crypto'
import { b64url, hash, mdocContext, trusted, verify } from './crypto.mjs'

/** A verifier of compact JWTs whose header names its signer in x5c. */
export const byX5c = (anchors) => (data, signature) => {
  const header = JSON.parse(Buffer.from(data.split('.')[0], 'base64url'))
  return verify(header.alg, data, Buffer.from(signature, 'base64url'), trusted(header.x5c, anchors).publicKey)
}

export const sdJwtVc = (anchors, more = {}) =>
  new SDJwtVcInstance({
    hasher: hash,
    hashAlg: 'sha-256',
    verifier: byX5c(anchors),
    statusVerifier: byX5c(anchors),
    ...more,
  })

/** Verifies signature, dates, status and, with `binding`, the key binding. The claims, or why not. */
export async function judgeSdJwt({ credential, anchors, binding, metadata }) {
  const kbVerifier = (data, signature, payload) =>
    verify(JSON.parse(Buffer.from(data.split('.')[0], 'base64url')).alg, data, Buffer.from(signature, 'base64url'), payload.cnf.jwk)
  const fetched = metadata && {
    loadTypeMetadataFormat: true,
    vctFetcher: async (vct, integrity) => {
      const bytes = Buffer.from(await (await fetch(metadata)).arrayBuffer())
      const digest = `sha256-${Buffer.from(hash(bytes)).toString('base64')}`
      if (integrity !== undefined && integrity !== digest) throw new Error(`${vct}: ${digest} is not ${integrity}`)
      return JSON.parse(bytes)
    },
  }
  const instance = sdJwtVc(anchors, { kbVerifier, ...fetched })
  try {
    const found = await instance.verify(credential, { keyBindingNonce: binding?.nonce })
    if (binding && found.kb.payload.aud !== binding.audience) throw new Error('aud')
    return { holds: true, claims: found.payload, header: found.header, type: found.typeMetadata?.mergedTypeMetadata }
  } catch (error) {
    return { holds: false, why: error.message }
  }
}

/** Every check of ISO/IEC 18013-5 clause 9.3.1 on an IssuerSigned. The elements, or why not. */
export async function judgeMdoc({ credential, anchors }) {
  try {
    const issued = IssuerSigned.fromEncodedForOid4Vci(credential)
    const failed = []
    const trustedCertificates = anchors.map((pem) => new Uint8Array(new X509Certificate(pem).raw))
    const verificationCallback = ({ status, check, reason }) => status === 'FAILED' && failed.push(`${check}: ${reason ?? ''}`)
    await issued.verify({ trustedCertificates, verificationCallback }, mdocContext)
    if (failed.length > 0) return { holds: false, why: failed.join('; ') }
    const { docType, deviceKeyInfo } = issued.issuerAuth.mobileSecurityObject
    const spaces = [...issued.issuerNamespaces.issuerNamespaces.keys()]
    const elements = Object.fromEntries(spaces.map((space) => [space, issued.getPrettyClaims(space)]))
    return { holds: true, docType, elements, deviceKey: deviceKeyInfo.deviceKey.jwk }
  } catch (error) {
    return { holds: false, why: error.message }
  }
}

/** The status of one index in the list at `uri`, once its signature leads to an anchor. */
export async function statusOf({ uri, index, anchors }) {
  const response = await fetch(uri, { headers: { Accept: 'application/statuslist+jwt' } })
  const token = await response.text()
  const [header, payload, signature] = token.split('.')
  if (!byX5c(anchors)(`${header}.${payload}`, signature)) return { holds: false }
  const { sub } = JSON.parse(Buffer.from(payload, 'base64url'))
  return { holds: sub === uri, type: response.headers.get('content-type'), status: getListFromStatusListJWT(token).getStatus(index) }
}

export { b64url }
