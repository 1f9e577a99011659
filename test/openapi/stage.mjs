// What the HTTP stories happen on: the stories themselves, and the config of the gateway that they are told to. Plain JavaScript,
// because it is also read under a Node that is too old for the sources.
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const STORIES = new URL('../../fixtures/http/stories/', import.meta.url)
const PLUGINS = fileURLToPath(new URL('../../fixtures/plugins/', import.meta.url))

export const HOOK_TOKEN = 'a-hook-token-that-nobody-guesses'

/** Each story with its file's name. */
export function stories() {
  const files = readdirSync(STORIES).filter((name) => name.endsWith('.json')).sort()
  return files.map((name) => ({ name, story: JSON.parse(readFileSync(new URL(name, STORIES), 'utf8')) }))
}

/** The text of `gateway.yaml`. The stories come faster than any client is allowed to, so there are no limits. */
export function configOf(transport = 'auto') {
  const config = {
    gateway: { transport, limits: { requestsPerMinute: 0, callsPerMinute: 0, connections: 0, authFailures: 0 } },
    hooks: {
      enabled: true,
      token: HOOK_TOKEN,
      mappings: [{ path: 'github', action: { kind: 'agent', message: '{{ payload.commits[0].message }}', channel: 'discord', to: '#dev-notifications' } }],
    },
    plugins: Object.fromEntries(['pigeons', 'weather'].map((name) => [name, { from: `${PLUGINS}${name}`, trust: 'full' }])),
  }
  // JSON is YAML.
  return `${JSON.stringify(config, null, 2)}\n`
}
