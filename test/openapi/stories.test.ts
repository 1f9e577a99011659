/** Every HTTP story, told to a gateway as a person starts it, over either transport; and whether they tell of every operation. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { startGateway, type StartedGateway } from '../main-job/started.ts'
import { configOf, HOOK_TOKEN, stories } from './stage.mjs'
import { tell } from './telling.mjs'

const DOCUMENT = new URL('../../docs/generated/openapi.json', import.meta.url)
/** Operations that no story carries out, and why. */
const UNTOLD: Readonly<Record<string, string>> = {}

const told = stories()

for (const transport of ['uws', 'ws'] as const) {
  describe(`over ${transport}`, () => {
    let gateway: StartedGateway
    before(async () => {
      gateway = await startGateway({ config: configOf(transport) })
    })
    after(() => gateway.remove())

    it('every operation that is described asks for a credential, but for those that say otherwise', async () => {
      // The gateway's description of itself, whose shape has a test of its own.
      const { paths } = (await (await gateway.fetch('/openapi.json')).json()) as { paths: Record<string, Record<string, { security?: [] }>> }
      for (const [path, verbs] of Object.entries(paths)) {
        for (const [verb, { security }] of Object.entries(verbs)) {
          const { status } = await fetch(new URL(path.replace(/\{\w+\}/g, 'x'), gateway.url), { method: verb })
          // A webhook shows a credential of its own, which is not among those that the description knows.
          const isOpen = security !== undefined && !path.startsWith('/hooks/')
          assert.equal(status, isOpen ? 200 : 401, `${verb} ${path}`)
        }
      }
    })

    for (const { name, story } of told) {
      it(`${name}: ${story.title}`, () => tell(story, { url: gateway.url, known: { token: gateway.token, hookToken: HOOK_TOKEN } }))
    }
  })
}

describe('the stories', () => {
  it('tell of a success of every operation that is described, but for those listed with a reason', async () => {
    const { paths } = JSON.parse(await readFile(DOCUMENT, 'utf8')) as { paths: Record<string, object> }
    const operations = Object.entries(paths).flatMap(([path, verbs]) => Object.keys(verbs).map((verb) => `${verb.toUpperCase()} ${path}`))
    const done = told.flatMap(({ story }) => story.steps).filter(({ answer }) => answer.status < 300).map(({ request }) => request)
    const isTold = (operation: string) => {
      const [verb, path = ''] = operation.split(' ')
      const shape = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/?]+')}(?:\\?|$)`)
      return done.some((request) => request.verb === verb && shape.test(request.path))
    }
    assert.deepEqual(operations.filter((operation) => !isTold(operation)), Object.keys(UNTOLD))
  })
})
