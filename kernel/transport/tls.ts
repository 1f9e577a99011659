/**
 * The certificate and key that the gateway serves TLS with, read and tried before a server is made of them: one library
 * starts without complaint on files it cannot use, and its handshakes fail later.
 */
import { readFile } from 'node:fs/promises'

interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

interface TlsPair {
  readonly cert: string
  readonly key: string
}

/** Throws a sentence that names the file and what is wrong with it. */
export async function loadTls({ certFile, keyFile }: TlsFiles): Promise<TlsPair> {
  const [cert, key] = await Promise.all([readPem('certificate', certFile), readPem('key', keyFile)])
  const { createSecureContext } = await import('node:tls')
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    throw new Error(`The TLS certificate ${certFile} and the key ${keyFile} cannot be used together: ${messageOf(cause)}`, { cause })
  }
  return { cert, key }
}

async function readPem(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new Error(`The TLS ${what} ${file} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
