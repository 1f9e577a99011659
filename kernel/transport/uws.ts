/**
 * The transport over uWebSockets. The library is loaded when it is first needed: the official package where the owner
 * installed it, else the build that is on npm.
 *
 * What the library does by itself and cannot be told to do otherwise:
 * - It answers what its parser refuses (a bad version, headers without a Host among them, a bad Content-Length or chunk, a
 *   head over the limit) with a page of its own and closes; `malformed` is not told.
 * - It waits on what its parser takes for unfinished (no header at all, no colon, NUL, CR, a folded or spaced header, a chunk
 *   extension) and drops the connection after eight to twelve seconds without an answer, as it does with an idle one.
 * - It takes a first packet that ends inside the version, or at the blank before it or before the path, for another version (505).
 * - A header without a name ends the headers for it; what comes behind is not seen.
 * - Bytes beyond ASCII at either end of a header's value are trimmed like white space.
 * - A second request on a connection whose first still waits for its reply closes the connection. Replies are never mixed.
 * - The head of a streamed reply goes out with the first piece.
 * - A protocol error on a WebSocket (an oversize frame, invalid UTF-8) closes TCP without a close frame.
 * - A client that stops reading a reply is dropped after eight to twelve seconds.
 */
import { addressText } from './address.ts'
import {
  addHeader,
  badRequest,
  confirmedSubprotocol,
  findFault,
  knownMethod,
  MAX_HEAD_BYTES,
  refusalBody,
  refuseHandshake,
  UNKNOWN_METHOD,
  wantsSocket,
  type Malformed,
} from './admission.ts'
import { bindAll, type Binding } from './binding.ts'
import type { RequestHead } from './exchange.ts'
import { isBodyless, sendableHeaders, statusLine } from './reply-head.ts'
import { loadTls } from './tls.ts'
import type { Transport, TransportFactory, TransportHandlers, TransportOptions, UpgradeDecision } from './transport.ts'
import { UwsExchange, type UwsHead } from './uws-exchange.ts'
import { listenOn } from './uws-listening.ts'
import type { NativeApp, NativeRequest, NativeResponse, NativeSocketBehavior, Uws } from './uws-native.ts'
import { UwsSocket, type Carried } from './uws-socket.ts'

/** Outside these uWebSockets ends the process. */
const IDLE_SECONDS = { least: 8, most: 960 }
const PACKAGES = ['uWebSockets.js', 'uws-pack']

let loading: Promise<Uws> | undefined

export const uwsTransport: TransportFactory = (options, handlers) => new UwsTransport(options, handlers)

/** The library. Rejects with a sentence where no package of it works on this machine. */
export function loadUws(): Promise<Uws> {
  return (loading ??= importUws())
}

async function importUws(): Promise<Uws> {
  // The library reads it once while it loads. Its own limit of 4 KiB is less than one browser's cookies may take.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(MAX_HEAD_BYTES)
  try {
    const causes: unknown[] = []
    for (const name of PACKAGES) {
      try {
        return quiet(await importPackage(name))
      } catch (cause) {
        causes.push(cause)
      }
    }
    const { platform, arch, versions } = process
    throw new Error(`no build of uWebSockets works with Node ${versions.node} on ${platform}-${arch}`, { cause: causes })
  } finally {
    delete process.env['UWS_HTTP_MAX_HEADERS_SIZE']
  }
}

/** The official package is CommonJS, the other one has named exports. */
async function importPackage(name: string): Promise<Uws> {
  // The shape is what both packages document; the type says which part of it is used.
  const imported = (await import(name)) as Uws & { readonly default?: Uws }
  return imported.default?.App === undefined ? imported : imported.default
}

function quiet(uws: Uws): Uws {
  uws._cfg?.('silent')
  return uws
}

class UwsTransport implements Transport {
  readonly name = 'uws'
  readonly #options: TransportOptions
  readonly #handlers: TransportHandlers
  #app: NativeApp | undefined
  #binding: Binding | undefined
  #lastSocket = 0

  constructor(options: TransportOptions, handlers: TransportHandlers) {
    this.#options = options
    this.#handlers = handlers
  }

  async listen(): Promise<{ readonly port: number; readonly hosts: readonly string[] }> {
    const uws = await loadUws()
    const app = await this.#makeApp(uws)
    this.#app = app
    app.ws<Carried>('/*', this.#socketBehavior(uws))
    app.any('/*', (native, request) => this.#request(native, request))
    const { hosts, port } = this.#options
    this.#binding = await bindAll({ hosts, port, bind: (host, wanted) => listenOn({ uws, app }, host, wanted) })
    return { port: this.#binding.port, hosts: this.#binding.hosts }
  }

  stopListening(): void {
    this.#binding?.release()
    this.#binding = undefined
  }

  async close(): Promise<void> {
    this.stopListening()
    const app = this.#app
    this.#app = undefined
    // Whoever closes may stand in a callback of the library, with one of the sockets under its feet.
    await new Promise(setImmediate)
    app?.close()
  }

  async #makeApp(uws: Uws): Promise<NativeApp> {
    const { tls } = this.#options
    if (tls === undefined) return uws.App()
    await loadTls(tls)
    return uws.SSLApp({ key_file_name: tls.keyFile, cert_file_name: tls.certFile })
  }

  #request(native: NativeResponse, request: NativeRequest): void {
    const head = this.#admit(native, request)
    if (head === undefined) return
    if (wantsSocket(head.method, head.headers)) refuseUpgrade(native, refuseHandshake(head) ?? badHandshake())
    else this.#serve(native, head)
  }

  #serve(native: NativeResponse, head: UwsHead): void {
    const exchange = new UwsExchange(native, head)
    this.#handlers.request(exchange)
    exchange.settle()
  }

  /**
   * Everything of the request is copied here, since it is dead when the native callback returns. Every header is looked at,
   * wanted or not, because one that is malformed or came twice may be how another request is smuggled in.
   */
  #admit(native: NativeResponse, request: NativeRequest): UwsHead | undefined {
    const headers = new Map<string, string>()
    let fault: string | undefined
    request.forEach((name, value) => {
      fault ??= addHeader(headers, name, value)
    })
    const method = knownMethod(request.getMethod())
    const path = request.getUrl()
    const query = request.getQuery() ?? ''
    const malformed = fault === undefined ? findFault(path, query, headers) : badRequest(fault)
    if (malformed === undefined && method !== undefined) return { method, path, query, headers }
    this.#refuse(native, malformed ?? UNKNOWN_METHOD)
    return undefined
  }

  #refuse(native: NativeResponse, { status, reason }: Malformed): void {
    const remoteAddress = addressText(native.getRemoteAddress())
    native.writeStatus(statusLine(status)).writeHeader('content-type', 'application/json').end(refusalBody(reason), true)
    this.#handlers.malformed?.(reason, remoteAddress)
  }

  #socketBehavior(uws: Uws): NativeSocketBehavior<Carried> {
    const handlers = this.#handlers
    return {
      maxPayloadLength: this.#options.maxFrameBytes,
      maxBackpressure: 0, // none here: see UwsSocket
      idleTimeout: Math.min(IDLE_SECONDS.most, Math.max(IDLE_SECONDS.least, this.#options.idleTimeoutSeconds)),
      sendPingsAutomatically: true,
      compression: uws.DISABLED,
      upgrade: (native, request, context) => this.#upgrade(native, request, context),
      open(native) {
        const { socket } = native.getUserData()
        socket.attach(native)
        handlers.open(socket)
      },
      message(native, message, isBinary) {
        const { socket } = native.getUserData()
        handlers.message(socket, isBinary ? '' : Buffer.from(message).toString(), isBinary)
      },
      drain(native) {
        if (native.getBufferedAmount() === 0) handlers.drain(native.getUserData().socket)
      },
      close(native, code, reason) {
        const { socket } = native.getUserData()
        socket.detach()
        const text = Buffer.from(reason).toString()
        // The library calls this from inside `end`; nobody expects `close` to be told in the middle of `send`.
        queueMicrotask(() => handlers.close(socket, code, text))
      },
    }
  }

  /** The library brings every GET with a 24 character `sec-websocket-key` here, an upgrade or not. */
  #upgrade(native: NativeResponse, request: NativeRequest, context: unknown): void {
    const head = this.#admit(native, request)
    if (head === undefined) return
    if (!wantsSocket(head.method, head.headers)) return this.#serve(native, head)
    const refusal = refuseHandshake(head)
    if (refusal !== undefined) return refuseUpgrade(native, refusal)
    this.#consider(native, { ...head, remoteAddress: addressText(native.getRemoteAddress()) }, context)
  }

  #consider(native: NativeResponse, head: RequestHead, context: unknown): void {
    const decision = this.#handlers.upgrade(head)
    if (!(decision instanceof Promise)) return this.#decide(native, head, { context, decision })
    let gone = false
    native.onAborted(() => {
      gone = true
    })
    void decision.then((decided) => {
      if (!gone) native.cork(() => this.#decide(native, head, { context, decision: decided }))
    })
  }

  #decide(native: NativeResponse, head: RequestHead, { context, decision }: { context: unknown; decision: UpgradeDecision }): void {
    if (!decision.accept) return refuseUpgrade(native, decision)
    const facts = { id: ++this.#lastSocket, remoteAddress: head.remoteAddress, data: decision.data }
    const carried: Carried = { socket: new UwsSocket(facts, this.#options.maxBackpressureBytes) }
    const protocol = confirmedSubprotocol(head.headers, decision.subprotocol)
    native.upgrade(carried, head.headers.get('sec-websocket-key') ?? '', protocol, '', context)
  }
}

/** The key was right for us and not for the library. */
function badHandshake(): UpgradeDecision {
  const body = refusalBody('The WebSocket handshake is malformed.')
  return { accept: false, status: 400, headers: { 'content-type': 'application/json' }, body }
}

function refuseUpgrade(native: NativeResponse, decision: UpgradeDecision): void {
  if (decision.accept) return
  native.writeStatus(statusLine(decision.status))
  for (const [name, value] of sendableHeaders(decision.headers)) native.writeHeader(name, value)
  native.end(isBodyless(decision.status) ? '' : decision.body, true)
}
