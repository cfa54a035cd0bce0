// What a Credo agent stands on when nothing native is installed: keys and records in memory, made with node's crypto.
import { InjectionSymbols, JsonTransformer, Kms, RecordNotFoundError } from '@credo-ts/core'
import crypto, { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { newKey, publicOf, sign, verify } from './crypto.mjs'

const SIGNING = ['ES256', 'ES384']
const CURVES = { 'P-256': 'prime256v1', 'P-384': 'secp384r1' }
const CIPHERS = { A128GCM: ['aes-128-gcm', 16], A256GCM: ['aes-256-gcm', 32] }

const lengthed = (data) => {
  const bytes = Buffer.from(data ?? [])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** ECDH-ES, direct: RFC 7518 section 4.6. */
function agreed(mine, theirs, enc, { apu, apv }) {
  const [, bytes] = CIPHERS[enc]
  const ecdh = crypto.createECDH(CURVES[mine.crv])
  ecdh.setPrivateKey(Buffer.from(mine.d, 'base64url'))
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(theirs.x, 'base64url'), Buffer.from(theirs.y, 'base64url')])
  const round = Buffer.from([0, 0, 0, 1])
  const bits = Buffer.alloc(4)
  bits.writeUInt32BE(bytes * 8)
  const info = [round, ecdh.computeSecret(point), lengthed(Buffer.from(enc)), lengthed(apu), lengthed(apv), bits]
  return createHash('sha256').update(Buffer.concat(info)).digest().subarray(0, bytes)
}

/** A key management service of Credo. */
export class Keys {
  backend = 'memory'
  #keys = new Map()

  isOperationSupported(_context, { operation, algorithm, encryption, decryption, type, privateJwk }) {
    if (operation === 'sign' || operation === 'verify') return SIGNING.includes(algorithm)
    if (operation === 'encrypt') return encryption.algorithm in CIPHERS
    if (operation === 'decrypt') return decryption.algorithm in CIPHERS
    if (operation === 'createKey') return type.kty === 'EC' && type.crv in CURVES
    return operation !== 'importKey' || privateJwk.kty === 'EC'
  }

  async getPublicKey(_context, keyId) {
    const found = this.#keys.get(keyId)
    return found ? { ...publicOf(found), kid: keyId } : null
  }

  async createKey(context, { type, keyId }) {
    return await this.importKey(context, { privateJwk: { ...newKey(type.crv), kid: keyId ?? randomUUID() } })
  }

  async importKey(_context, { privateJwk }) {
    const keyId = privateJwk.kid ?? randomUUID()
    this.#keys.set(keyId, privateJwk)
    return { keyId, publicJwk: { ...publicOf(privateJwk), kid: keyId } }
  }

  async deleteKey(_context, { keyId }) {
    return this.#keys.delete(keyId)
  }

  async sign(_context, { keyId, algorithm, data }) {
    return { signature: sign(algorithm, data, this.#keys.get(keyId)) }
  }

  async verify(_context, { key, algorithm, data, signature }) {
    const publicJwk = key.publicJwk ?? publicOf(this.#keys.get(key.keyId))
    return verify(algorithm, data, signature, publicJwk) ? { verified: true, publicJwk } : { verified: false }
  }

  async encrypt(_context, { key, encryption, data }) {
    const { keyId, externalPublicJwk, ...parties } = key.keyAgreement
    const iv = randomBytes(12)
    const secret = agreed(this.#keys.get(keyId), externalPublicJwk, encryption.algorithm, parties)
    const cipher = createCipheriv(CIPHERS[encryption.algorithm][0], secret, iv).setAAD(Buffer.from(encryption.aad))
    const encrypted = Buffer.concat([cipher.update(Buffer.from(data)), cipher.final()])
    return { encrypted: new Uint8Array(encrypted), iv: new Uint8Array(iv), tag: new Uint8Array(cipher.getAuthTag()) }
  }

  async decrypt(_context, { key, decryption, encrypted }) {
    const { keyId, externalPublicJwk, ...parties } = key.keyAgreement
    const secret = agreed(this.#keys.get(keyId), externalPublicJwk, decryption.algorithm, parties)
    const cipher = createDecipheriv(CIPHERS[decryption.algorithm][0], secret, Buffer.from(decryption.iv))
    cipher.setAAD(Buffer.from(decryption.aad)).setAuthTag(Buffer.from(decryption.tag))
    return { data: new Uint8Array(Buffer.concat([cipher.update(Buffer.from(encrypted)), cipher.final()])) }
  }

  randomBytes(_context, { length }) {
    return new Uint8Array(randomBytes(length))
  }
}

function fits(tags, { $and, $or, $not, ...simple }) {
  if ($and && !$and.every((each) => fits(tags, each))) return false
  if ($or && !$or.some((each) => fits(tags, each))) return false
  if ($not && fits(tags, $not)) return false
  return Object.entries(simple).every(([name, wanted]) => {
    if (wanted === undefined) return true
    return Array.isArray(wanted) ? wanted.every((each) => tags[name]?.includes(each)) : tags[name] === wanted
  })
}

/** A storage service of Credo. */
class Records {
  supportsCursorPagination = false
  #records = new Map()

  #put(record) {
    record.updatedAt = new Date()
    this.#records.set(`${record.type} ${record.id}`, { json: JsonTransformer.serialize(record), tags: record.getTags(), type: record.type })
  }

  #read({ json, tags }, recordClass) {
    const record = JsonTransformer.deserialize(json, recordClass)
    record.replaceTags(tags)
    return record
  }

  async save(_context, record) {
    this.#put(record)
  }

  async update(_context, record) {
    this.#put(record)
  }

  async delete(_context, record) {
    this.#records.delete(`${record.type} ${record.id}`)
  }

  async deleteById(_context, recordClass, id) {
    this.#records.delete(`${recordClass.type} ${id}`)
  }

  async getById(_context, recordClass, id) {
    const found = this.#records.get(`${recordClass.type} ${id}`)
    if (!found) throw new RecordNotFoundError(`no ${recordClass.type} ${id}`, { recordType: recordClass.type })
    return this.#read(found, recordClass)
  }

  async getAll(context, recordClass) {
    return await this.findByQuery(context, recordClass, {})
  }

  async findByQuery(_context, recordClass, query) {
    const found = [...this.#records.values()].filter(({ type, tags }) => type === recordClass.type && fits(tags, query))
    return found.map((each) => this.#read(each, recordClass))
  }
}

class NoFiles {
  dataPath = ''
  cachePath = ''
  tempPath = ''
}

export const dependencies = { FileSystem: NoFiles, EventEmitterClass: EventEmitter, fetch, WebSocketClass: class {} }
export const ground = () => ({
  kms: new Kms.KeyManagementModule({ backends: [new Keys()] }),
  storage: { register: (manager) => manager.registerInstance(InjectionSymbols.StorageService, new Records()) },
})
