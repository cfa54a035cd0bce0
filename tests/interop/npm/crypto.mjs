// What the libraries ask their user for: hashes, signatures, certificates. Node's and jose's, nothing of Yinxin's.
import * as x509 from '@peculiar/x509'
import { CoseKey, Header } from '@owf/mdoc'
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose'
import crypto, { createHash, createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto'

x509.cryptoProvider.set(crypto.webcrypto)

const HASHES = { 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512' }
const CURVES = { ES256: 'sha256', ES384: 'sha384', ES512: 'sha512' }
const COSE = { '-7': 'ES256', '-9': 'ES256', '-35': 'ES384', '-51': 'ES384', '-36': 'ES512', '-52': 'ES512' }

export const b64url = (data) => Buffer.from(data).toString('base64url')
export const hash = (data, algorithm = 'sha-256') =>
  new Uint8Array(createHash(HASHES[algorithm.toLowerCase()]).update(Buffer.from(data)).digest())

export function newKey(curve = 'P-256') {
  const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: curve })
  return privateKey.export({ format: 'jwk' })
}

export const publicOf = ({ kty, crv, x, y }) => ({ kty, crv, x, y })
export const thumbprint = ({ crv, kty, x, y }) => hash(JSON.stringify({ crv, kty, x, y }))

export function sign(alg, data, jwk) {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return new Uint8Array(crypto.sign(CURVES[alg], Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }))
}

export function verify(alg, data, signature, key) {
  if (!CURVES[alg]) return false
  const loaded = key.kty ? createPublicKey({ key: publicOf(key), format: 'jwk' }) : key
  return crypto.verify(CURVES[alg], Buffer.from(data), { key: loaded, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature))
}

export function signJwt(header, payload, jwk) {
  const message = `${b64url(JSON.stringify(header))}.${b64url(JSON.stringify(payload))}`
  return `${message}.${b64url(sign(header.alg, message, jwk))}`
}

/** The leaf of an x5c or x5chain, once it is known to lead to one of `anchors` (PEM); throws otherwise. */
export function trusted(chain, anchors) {
  const [leaf, ...others] = chain.map((each) => new X509Certificate(typeof each === 'string' ? Buffer.from(each, 'base64') : each))
  const roots = anchors.map((pem) => new X509Certificate(pem))
  if (roots.some((root) => leaf.fingerprint256 === root.fingerprint256)) throw new Error('the leaf is a trust anchor')
  let current = leaf
  for (const next of [...others, null]) {
    if (Date.parse(current.validTo) < Date.now() || Date.parse(current.validFrom) > Date.now()) throw new Error('not valid now')
    const root = roots.find((each) => current.checkIssued(each) && current.verify(each.publicKey))
    if (root) return leaf
    if (next === null || !current.checkIssued(next) || !current.verify(next.publicKey)) break
    current = next
  }
  throw new Error('the certificate does not lead to an anchor')
}

/** Callbacks of @openid4vc. `keys`: private JWKs by thumbprint; `anchors`: whom requests are believed from. */
export function callbacks({ keys, anchors, decryption = () => undefined, clientAuthentication }) {
  const privateOf = (jwk) => keys.get(b64url(thumbprint(jwk)))
  return {
    fetch,
    hash,
    generateRandom: (length) => randomBytes(length),
    signJwt: (signer, { header, payload }) => ({
      jwt: signJwt(header, payload, privateOf(signer.publicJwk)),
      signerJwk: publicOf(signer.publicJwk),
    }),
    verifyJwt: (signer, { compact }) => {
      const [header, payload, signature] = compact.split('.')
      const key = signer.method === 'x5c' ? trusted(signer.x5c, anchors).publicKey.export({ format: 'jwk' }) : signer.publicJwk
      const verified = verify(signer.alg, `${header}.${payload}`, Buffer.from(signature, 'base64url'), key)
      return { verified, signerJwk: key }
    },
    encryptJwe: async ({ publicJwk, alg, enc, apu, apv }, data) => {
      const encrypt = new CompactEncrypt(new TextEncoder().encode(data))
        .setProtectedHeader({ alg, enc, kid: publicJwk.kid })
        .setKeyManagementParameters({ apu: apu && Buffer.from(apu, 'base64url'), apv: apv && Buffer.from(apv, 'base64url') })
      return { jwe: await encrypt.encrypt(await importJWK(publicJwk, alg)), encryptionJwk: publicJwk }
    },
    decryptJwe: async (jwe, options) => {
      const jwk = decryption(options)
      const { plaintext } = await compactDecrypt(jwe, await importJWK(jwk, 'ECDH-ES'))
      return { decrypted: true, payload: new TextDecoder().decode(plaintext), decryptionJwk: publicOf(jwk) }
    },
    clientAuthentication: clientAuthentication ?? (() => {}),
    getX509CertificateMetadata: (certificate) => {
      const names = new x509.X509Certificate(certificate).getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? []
      const of = (type) => names.filter((name) => name.type === type).map((name) => name.value)
      return { sanDnsNames: of('dns'), sanUriNames: of('url') }
    },
  }
}

const coseAlgorithm = (structure) => COSE[String(structure.protectedHeaders.headers.get(Header.Algorithm))]

/** The context of @owf/mdoc. */
export const mdocContext = {
  crypto: {
    random: (length) => new Uint8Array(randomBytes(length)),
    digest: ({ digestAlgorithm, bytes }) => hash(bytes, digestAlgorithm),
    calculateEphemeralMacKey: ({ privateKey, publicKey, sessionTranscriptBytes, info }) => {
      const [ours, theirs] = [CoseKey.decode(privateKey), CoseKey.decode(publicKey)]
      const agreement = crypto.createECDH('prime256v1')
      agreement.setPrivateKey(Buffer.from(ours.privateKey))
      const shared = agreement.computeSecret(Buffer.from(theirs.publicKey))
      const key = crypto.hkdfSync('sha256', shared, hash(sessionTranscriptBytes), info, 32)
      return CoseKey.fromJwk({ kty: 'oct', k: b64url(new Uint8Array(key)), alg: 'HS256' })
    },
  },
  cose: {
    sign1: {
      sign: ({ toBeSigned, key }) => sign('ES256', toBeSigned, key.jwk),
      verify: ({ sign1, key }) => verify(coseAlgorithm(sign1), sign1.toBeSigned, sign1.signature, key.jwk),
    },
    mac0: {
      sign: ({ toBeAuthenticated, key }) => new Uint8Array(crypto.createHmac('sha256', key.privateKey).update(toBeAuthenticated).digest()),
      verify: ({ mac0, key }) =>
        crypto.timingSafeEqual(crypto.createHmac('sha256', key.privateKey).update(mac0.toBeAuthenticated).digest(), mac0.tag),
    },
  },
  x509: {
    getIssuerNameField: ({ certificate, field }) => new x509.X509Certificate(certificate).issuerName.getField(field),
    getPublicKey: ({ certificate }) => CoseKey.fromJwk(new X509Certificate(certificate).publicKey.export({ format: 'jwk' })),
    verifyCertificateChain: ({ trustedCertificates, x5chain }) => {
      trusted(x5chain.map((each) => Buffer.from(each)), trustedCertificates.map((each) => Buffer.from(each)))
    },
    getCertificateData: ({ certificate }) => {
      const read = new x509.X509Certificate(certificate)
      const { issuer: issuerName, subject: subjectName, serialNumber, notBefore, notAfter } = read
      return { issuerName, subjectName, serialNumber, notBefore, notAfter, thumbprint: '', pem: read.toString('pem') }
    },
  },
}
