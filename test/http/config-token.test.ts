/** The credential as the documents' own configs name it, in a gateway that is started from such a file. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startGateway } from '../../kernel/main.ts'
import { verifies } from '../requirements.ts'

async function start(t: TestContext, config: string, env: Readonly<Record<string, string>>): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'isopod-config-token-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  await writeFile(join(home, 'gateway.yaml'), `${config}\nlog: { level: error }\n`)
  const gateway = await startGateway({ env: { ISOPOD_HOME: home, ...env }, port: 0 })
  t.after(() => gateway.close())
  return gateway.url
}

async function statusWith(url: string, token: string): Promise<number> {
  return (await fetch(`${url}/status`, { headers: { authorization: `Bearer ${token}` } })).status
}

test('a token that the config takes from the environment opens the gateway, and nothing else does', async (t) => {
  verifies('001:config:token', '003:auth:enabled')
  const token = 'from-the-environment-and-long-enough'
  const configs = { GATEWAY_AUTH_TOKEN: 'gateway: { auth: { token: "${GATEWAY_AUTH_TOKEN}" } }', OPENCLAW_AUTH_TOKEN: 'gateway: { auth: { enabled: true, token: "${OPENCLAW_AUTH_TOKEN}" } }' }
  for (const [name, config] of Object.entries(configs)) {
    const url = await start(t, config, { [name]: token })
    assert.deepEqual([await statusWith(url, token), await statusWith(url, 'another')], [200, 401])
  }
})
