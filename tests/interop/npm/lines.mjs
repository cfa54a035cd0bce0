// A script that is asked with a line of JSON and answers with one; see tests/interop/clients.py.
import { createInterface } from 'node:readline'

export async function answer(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { what, ...question } = JSON.parse(line)
    let reply
    try {
      reply = (await handlers[what](question)) ?? {}
    } catch (error) {
      const response = error.response?.response ?? error.response
      reply = {
        failed: error.message,
        error: (error.errorResponse ?? error.response?.credentialErrorResponseResult?.data ?? error.response?.notificationErrorResponseResult?.data)?.error,
        status: response?.status,
        challenge: response?.headers?.get('www-authenticate') ?? undefined,
        stack: error.stack,
      }
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`)
  }
}
