// A wallet of @openid4vc collects: offer, token, proofs, credentials, notification, refresh.
import { Oauth2Client, clientAuthenticationClientAttestationJwt, clientAuthenticationNone } from '@openid4vc/oauth2'
import { Openid4vciClient, Openid4vciRetrieveCredentialsError, Openid4vciWalletProvider } from '@openid4vc/openid4vci'
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose'
import { b64url, callbacks, newKey, publicOf, thumbprint } from './crypto.mjs'

/** One session with one issuer. Options: `dpop`, `client_id`, `attestation` (a wallet attestation's issuer key). */
export class Collecting {
  constructor(keys, anchors, { dpop = true, client_id: clientId, attested } = {}) {
    this.keys = keys
    this.clientId = clientId
    this.attested = attested
    if (attested) keys.set(b64url(thumbprint(attested.key)), attested.key)
    this.dpopKey = dpop ? this.key() : undefined
    const authentication = async (options) => {
      if (this.attested) return await (await this.attesting())(options)
      if (clientId) clientAuthenticationNone({ clientId })(options)
    }
    this.callbacks = { ...callbacks({ keys, anchors, clientAuthentication: authentication }), fetch: (...call) => this.#fetch(...call) }
    this.client = new Openid4vciClient({ callbacks: this.callbacks })
    this.oauth = new Oauth2Client({ callbacks: this.callbacks })
  }

  /** The library encrypts no requests: whoever uses it does, with the key of the metadata (section 10). */
  async #fetch(url, init) {
    if (typeof init?.body !== 'string' || !init.body.includes('"credential_response_encryption"')) return await fetch(url, init)
    const [jwk] = this.issuerMetadata.credentialIssuer.credential_request_encryption.jwks.keys
    const { enc } = JSON.parse(init.body).credential_response_encryption
    const encrypt = new CompactEncrypt(new TextEncoder().encode(init.body)).setProtectedHeader({ alg: jwk.alg, enc, kid: jwk.kid })
    const body = await encrypt.encrypt(await importJWK(jwk, jwk.alg))
    return await fetch(url, { ...init, body, headers: { ...init.headers, 'Content-Type': 'application/jwt' } })
  }

  key() {
    const made = newKey()
    this.keys.set(b64url(thumbprint(made)), made)
    return made
  }

  async attesting() {
    const provider = new Openid4vciWalletProvider({ callbacks: this.callbacks })
    const clientAttestationJwt = await provider.createWalletAttestationJwt({
      clientId: this.clientId,
      issuer: this.attested.issuer,
      confirmation: { jwk: publicOf(this.dpopKey ?? this.key()) },
      signer: { method: 'x5c', alg: 'ES256', x5c: this.attested.x5c, publicJwk: publicOf(this.attested.key) },
      expiresAt: new Date(Date.now() + 300_000),
      walletName: 'A wallet of others',
    })
    return clientAuthenticationClientAttestationJwt({ callbacks: this.callbacks, clientAttestationJwt })
  }

  get dpop() {
    return this.dpopKey && { signer: { method: 'jwk', alg: 'ES256', publicJwk: publicOf(this.dpopKey) }, nonce: this.dpopNonce }
  }

  get server() {
    return this.issuerMetadata.authorizationServers[0]
  }

  async offer(uri) {
    this.credentialOffer = await this.client.resolveCredentialOffer(uri)
    this.issuerMetadata = await this.client.resolveIssuerMetadata(this.credentialOffer.credential_issuer)
    const { originalDraftVersion: version, credentialIssuer, knownCredentialConfigurations } = this.issuerMetadata
    return { offer: this.credentialOffer, version, issuer: credentialIssuer, known: Object.keys(knownCredentialConfigurations), server: this.server }
  }

  #granted({ accessTokenResponse, dpop }) {
    this.token = accessTokenResponse
    this.dpopNonce = dpop?.nonce
    const { access_token: _, refresh_token: refresh, ...shown } = accessTokenResponse
    return { ...shown, refreshable: refresh !== undefined }
  }

  async token_({ pin }) {
    const { credentialOffer, issuerMetadata, dpop } = this
    return this.#granted(
      await this.client.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata, txCode: pin, dpop }),
    )
  }

  async authorize({ redirect_uri: redirectUri, scope }) {
    const { credentialOffer, issuerMetadata, clientId, dpop } = this
    const begun = await this.client.initiateAuthorization({ credentialOffer, issuerMetadata, clientId, redirectUri, scope, dpop })
    this.redirectUri = redirectUri
    this.pkce = begun.pkce
    this.dpopNonce = begun.dpop?.nonce
    return { url: begun.authorizationRequestUrl }
  }

  async code({ url }) {
    const { credentialOffer, issuerMetadata, redirectUri, dpop } = this
    const { code: authorizationCode } = this.client.parseAndVerifyAuthorizationResponseRedirectUrl({
      url,
      authorizationServerMetadata: this.server,
    })
    const pkceCodeVerifier = this.pkce?.codeVerifier
    const from = { credentialOffer, issuerMetadata, authorizationCode, pkceCodeVerifier, redirectUri, dpop }
    return this.#granted(await this.client.retrieveAuthorizationCodeAccessTokenFromOffer(from))
  }

  async refresh() {
    const refreshToken = this.token.refresh_token
    const resource = this.issuerMetadata.credentialIssuer.credential_issuer
    return this.#granted(
      await this.oauth.retrieveRefreshTokenAccessToken({ authorizationServerMetadata: this.server, refreshToken, resource, dpop: this.dpop }),
    )
  }

  async proofs(configuration, count) {
    const { issuerMetadata, clientId } = this
    const { c_nonce: nonce } = await this.client.requestNonce({ issuerMetadata })
    const made = []
    for (let index = 0; index < count; index++) {
      const signer = { method: 'jwk', alg: 'ES256', publicJwk: publicOf(this.key()) }
      const { jwt } = await this.client.createCredentialRequestJwtProof({
        issuerMetadata,
        credentialConfigurationId: configuration,
        clientId,
        nonce,
        signer,
      })
      made.push(jwt)
    }
    return { jwt: made }
  }

  async credential({ configuration, count = 1, enc }) {
    const { issuerMetadata, dpop } = this
    const ours = enc && { ...this.key(), alg: 'ECDH-ES', use: 'enc', kid: 'response' }
    const encryption = ours && { jwk: { ...publicOf(ours), alg: 'ECDH-ES', use: 'enc', kid: 'response' }, alg: 'ECDH-ES', enc }
    const request = {
      issuerMetadata,
      accessToken: this.token.access_token,
      credentialConfigurationId: configuration,
      proofs: await this.proofs(configuration, count),
      additionalRequestPayload: encryption && { credential_response_encryption: encryption },
      dpop,
    }
    try {
      const { credentialResponse, dpop: next } = await this.client.retrieveCredentials(request)
      this.dpopNonce = next?.nonce
      return { response: credentialResponse }
    } catch (error) {
      // the library reads no encrypted answer: its user does
      const answer = error instanceof Openid4vciRetrieveCredentialsError && error.response.response
      if (!ours || !answer?.ok) throw error
      const { plaintext, protectedHeader } = await compactDecrypt(await answer.text(), await importJWK(ours, 'ECDH-ES'))
      return { response: JSON.parse(new TextDecoder().decode(plaintext)), type: answer.headers.get('content-type'), header: protectedHeader }
    }
  }

  async deferred({ transaction }) {
    const { issuerMetadata, dpop } = this
    const { deferredCredentialResponse } = await this.client.retrieveDeferredCredentials({
      issuerMetadata,
      accessToken: this.token.access_token,
      transactionId: transaction,
      dpop,
    })
    return { response: deferredCredentialResponse }
  }

  async notify({ id, event }) {
    const { issuerMetadata, dpop } = this
    const notification = { notificationId: id, event }
    const sent = await this.client.sendNotification({ issuerMetadata, accessToken: this.token.access_token, notification, dpop })
    return { status: sent.response.status }
  }
}
