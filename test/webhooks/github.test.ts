/**
 * A push that GitHub's own emulator signs and posts over the network, mapped to a message as seed 004 shows. The emulator speaks
 * GitHub's REST API: the hook is made, and the commit pushed, as a program of GitHub's users would.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { createEmulator } from 'emulate'
import { verifies } from '../requirements.ts'
import { listening, TOKEN } from '../http/listening.ts'
import { uwsTransport } from '../../kernel/transport/uws.ts'

verifies('004:hooks:mappings')

const SECRET = 'a secret of the repository'
const PIGEONS = new URL('../../fixtures/plugins/pigeons/', import.meta.url)
const MAPPING = {
  path: 'github',
  action: { kind: 'agent', message: '{{ payload.commits[0].message }}', channel: 'discord', to: '#dev-notifications', sessionKey: 'hook:github' },
  signature: { scheme: 'github', secret: SECRET },
}

/** GitHub, with one user and one repository. */
async function github(t: TestContext): Promise<(method: string, path: string, body: object) => Promise<number>> {
  const emulator = await createEmulator({
    service: 'github',
    port: await freePort(),
    seed: {
      tokens: { t1: { login: 'octocat', scopes: ['repo', 'admin:repo_hook'] } },
      github: { users: [{ login: 'octocat' }], repos: [{ owner: 'octocat', name: 'hello', auto_init: true }] },
    },
  })
  t.after(() => emulator.close())
  return async (method, path, body) => {
    const headers = { authorization: 'Bearer t1', 'content-type': 'application/json' }
    const reply = await fetch(`${emulator.url}${path}`, { method, headers, body: JSON.stringify(body) })
    await reply.arrayBuffer()
    return reply.status
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Asks until there is something. */
async function found<Found>(ask: () => Promise<Found | undefined>): Promise<Found> {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a signed push of GitHub becomes a message, and its answer is delivered', async (t) => {
  const plugins = ['webhooks', 'channels', 'chat', 'models', 'sessions', 'tools', 'rest-endpoint', PIGEONS]
  const { url } = await listening(t, { transport: uwsTransport, plugins, config: { hooks: { enabled: true, token: 'a-token-nobody-shows', mappings: [MAPPING] } } })
  const call = async (method: string, params: object = {}) => {
    const reply = await fetch(`${url}/api/rpc`, { method: 'POST', body: JSON.stringify({ method, params }), headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' } })
    return ((await reply.json()) as { data: Record<string, unknown> }).data
  }
  const api = await github(t)
  const config = { url: `${url}/hooks/github`, content_type: 'json', secret: SECRET }
  assert.equal(await api('POST', '/repos/octocat/hello/hooks', { name: 'web', active: true, events: ['push'], config }), 201)
  assert.equal(await api('PUT', '/repos/octocat/hello/contents/a.txt', { message: 'feat: add a', content: Buffer.from('x').toString('base64') }), 201)
  const [delivered] = await found(async () => {
    const { messages } = (await call('pigeon.delivered')) as { messages: { to: string; text: string }[] }
    return messages.length > 0 ? messages : undefined
  })
  assert.equal(delivered?.to, '#dev-notifications')
  assert.match(delivered?.text ?? '', /feat: add a/)
  const { messages } = (await call('session.get', { sessionKey: 'hook:github' })) as { messages: { role: string; content: string }[] }
  assert.deepEqual(messages.slice(0, 1).map(({ role, content }) => [role, content]), [['user', 'feat: add a']])
})
