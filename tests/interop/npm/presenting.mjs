// A wallet of @openid4vc presents: request object, DCQL (dcql), SD-JWT VC (@sd-jwt) and mdoc (@owf/mdoc), response.
import { CoseKey, DeviceRequest, DeviceResponse, DocRequest, IssuerSigned, ItemsRequest, SessionTranscript } from '@owf/mdoc'
import { Openid4vpClient, extractEncryptionJwkFromJwks } from '@openid4vc/openid4vp'
import { DcqlQuery } from 'dcql'
import * as x509 from '@peculiar/x509'
import { b64url, callbacks, hash, mdocContext, sign, thumbprint } from './crypto.mjs'
import { sdJwtVc } from './judging.mjs'

const ENCODINGS = ['A128GCM', 'A256GCM']

function authority(chain) {
  const values = chain.map((each) => new x509.X509Certificate(each).getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId)
  return { type: 'aki', values: values.map((keyId) => b64url(Buffer.from(keyId, 'hex'))) }
}

/** How dcql sees what the wallet holds. */
async function described({ format, credential }) {
  if (format === 'mso_mdoc') {
    const issued = IssuerSigned.fromEncodedForOid4Vci(credential)
    const spaces = [...issued.issuerNamespaces.issuerNamespaces.keys()]
    return {
      credential_format: format,
      doctype: issued.issuerAuth.mobileSecurityObject.docType,
      namespaces: Object.fromEntries(spaces.map((space) => [space, issued.getPrettyClaims(space)])),
      cryptographic_holder_binding: true,
      authority: authority(issued.issuerAuth.certificateChain),
    }
  }
  const claims = await sdJwtVc([]).getClaims(credential)
  const { x5c } = JSON.parse(Buffer.from(credential.split('.')[0], 'base64url'))
  return { credential_format: format, vct: claims.vct, claims, cryptographic_holder_binding: true, authority: authority(x5c) }
}

/** Which credential answers which query, and with what: the first option of each required set, else every query. */
function chosen(query, held) {
  const result = DcqlQuery.query(query, held)
  if (!result.can_be_satisfied) throw new Error(`the query cannot be satisfied: ${JSON.stringify(result.credential_matches)}`)
  const wanted = result.credential_sets
    ? result.credential_sets.flatMap((set) => set.matching_options?.[0] ?? [])
    : result.credentials.map((each) => each.id)
  return [...new Set(wanted)].map((id) => {
    const [match] = result.credential_matches[id].valid_credentials
    return { id, index: match.input_credential_index, output: match.claims.valid_claim_sets[0].output }
  })
}

const frameOf = (output) =>
  Object.fromEntries(
    Object.entries(output).map(([name, value]) => [name, value && typeof value === 'object' && !Array.isArray(value) ? frameOf(value) : true]),
  )

export class Presenting {
  constructor(keys, anchors) {
    this.keys = keys
    this.client = new Openid4vpClient({ callbacks: callbacks({ keys, anchors }) })
  }

  async resolve({ uri, post = false }) {
    const { params } = this.client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: uri })
    const metadata = { vp_formats_supported: { 'dc+sd-jwt': {}, mso_mdoc: {} }, client_id_prefixes_supported: ['x509_hash', 'x509_san_dns'] }
    const payload = post ? { ...params, request_uri_method: 'post' } : params
    this.request = await this.client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: payload, wallet: { metadata } })
    const { authorizationRequestPayload, client, version, jar, transactionData } = this.request
    return { params, request: authorizationRequestPayload, prefix: client.prefix, version, header: jar.jwt.header, transactionData }
  }

  async #presentation({ credential, format, key }, output) {
    const { client_id: clientId, nonce, response_uri: responseUri, response_mode: mode, client_metadata: metadata } = this.request.authorizationRequestPayload
    if (format === 'mso_mdoc') {
      const encryption = mode === 'direct_post.jwt' && extractEncryptionJwkFromJwks(metadata.jwks, { supportedAlgValues: ['ECDH-ES'] })
      const transcript = { clientId, nonce, responseUri, jwkThumbprint: encryption ? thumbprint(encryption) : undefined }
      const issued = IssuerSigned.fromEncodedForOid4Vci(credential)
      const asked = Object.fromEntries(
        Object.entries(output.namespaces ?? output).map(([space, elements]) => [
          space,
          Object.fromEntries(Object.keys(elements).map((name) => [name, false])),
        ]),
      )
      const itemsRequest = ItemsRequest.create({ docType: issued.issuerAuth.mobileSecurityObject.docType, namespaces: asked })
      const response = await DeviceResponse.createWithDeviceRequest(
        {
          deviceRequest: DeviceRequest.create({ docRequests: [DocRequest.create({ itemsRequest })] }),
          issuerSigned: [issued],
          sessionTranscript: await SessionTranscript.forOid4Vp(transcript, mdocContext),
          signature: { signingKey: CoseKey.fromJwk({ ...key, alg: 'ES256' }) },
        },
        mdocContext,
      )
      return response.encodedForOid4Vp
    }
    const hashes = this.request.transactionData?.map(({ encoded }) => b64url(hash(encoded)))
    const more = hashes ? { transaction_data_hashes: hashes, transaction_data_hashes_alg: 'sha-256' } : {}
    const payload = { iat: Math.floor(Date.now() / 1000), nonce, aud: clientId, ...more }
    const kbSigner = (data) => b64url(sign('ES256', data, key))
    return await sdJwtVc([], { kbSigner, kbSignAlg: 'ES256' }).present(credential, frameOf(output), { kb: { payload } })
  }

  /** Presents what of `held` ({format, credential, key}) the request asks for. */
  async present({ held, enc }) {
    const { authorizationRequestPayload } = this.request
    const query = DcqlQuery.parse(authorizationRequestPayload.dcql_query)
    DcqlQuery.validate(query)
    const picked = chosen(query, await Promise.all(held.map(described)))
    const token = {}
    for (const { id, index, output } of picked) token[id] = [await this.#presentation(held[index], output)]
    const encrypted = authorizationRequestPayload.response_mode.endsWith('.jwt')
    const jarm = encrypted
      ? {
          encryption: { nonce: b64url(hash(String(Math.random()))) },
          serverMetadata: {
            authorization_signing_alg_values_supported: [],
            authorization_encryption_alg_values_supported: ['ECDH-ES'],
            authorization_encryption_enc_values_supported: enc ? [enc] : ENCODINGS,
          },
        }
      : undefined
    const response = await this.client.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload,
      authorizationResponsePayload: { vp_token: token },
      jarm,
    })
    return await this.#submit(response, picked.map(({ id }) => id))
  }

  async #submit(made, queries) {
    const { authorizationRequestPayload } = this.request
    this.sent = { authorizationRequestPayload, authorizationResponsePayload: made.authorizationResponsePayload, jarm: made.jarm }
    const { response } = await this.client.submitOpenid4vpAuthorizationResponse(this.sent)
    return { status: response.status, body: await response.text(), cache: response.headers.get('cache-control'), queries }
  }

  /** The same response once more. */
  async again() {
    const { response } = await this.client.submitOpenid4vpAuthorizationResponse(this.sent)
    return { status: response.status, body: await response.text() }
  }
}
