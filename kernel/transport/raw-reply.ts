/** A whole HTTP reply written on a bare connection, for the places where Node has no response object; then the connection ends. */
import type { Duplex } from 'node:stream'
import { isBodyless, sendableHeaders, statusLine } from './reply-head.ts'

interface WholeReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function replyRaw(connection: Duplex, { status, headers, body }: WholeReply): void {
  if (connection.destroyed || !connection.writable) return void connection.destroy()
  const sent = isBodyless(status) ? '' : body
  const length: readonly (readonly [string, string])[] = isBodyless(status) ? [] : [['Content-Length', String(Buffer.byteLength(sent))]]
  const lines = [...sendableHeaders(headers), ...length, ['Date', new Date().toUTCString()] as const, ['Connection', 'close'] as const]
  const head = [`HTTP/1.1 ${statusLine(status)}`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n')
  connection.end(`${head}\r\n\r\n${sent}`, () => connection.destroy())
}
