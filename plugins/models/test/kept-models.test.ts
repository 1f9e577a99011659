/** A model that is kept serves requests that have nothing else in common. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Vendor } from '../answer.ts'
import { kept } from '../kept-models.ts'
import type { SdkModel } from '../sdk.ts'
import { APIS, serving, spelled } from './raw-provider.ts'
import { heard, refusal, SmallGateway, user } from './small-gateway.ts'

for (const api of APIS) {
  describe(api, () => {
    const keyOf = (value: unknown): string => String(value).replace('Bearer ', '')

    test('requests at the same time each show their own key', async () => {
      const waiting: (() => void)[] = []
      await serving((request, response) => {
        request.resume()
        const key = keyOf(api === 'anthropic' ? request.headers['x-api-key'] : request.headers.authorization)
        waiting.push(() => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(spelled(api, { text: key, finish: 'stop' })))
        if (waiting.length === 2) for (const answer of waiting) answer()
      }, async (baseUrl) => {
        const config = { providers: { p: { api, baseUrl, apiKey: { secret: 'key' } } } }
        const asked = ['k-1', 'k-2'].map((key) => heard(new SmallGateway({ config, secrets: { key } }).ask('p/m', { messages: [user('hi')] })))
        assert.deepEqual((await Promise.all(asked)).map(({ text }) => text), ['k-1', 'k-2'])
      })
    })

    test('a request that is aborted ends alone', async () => {
      const abort = new AbortController()
      const first = Promise.withResolvers<() => void>()
      let arrived = 0
      await serving((request, response) => {
        request.resume()
        arrived += 1
        if (arrived === 1) {
          first.resolve(() => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(spelled(api, { text: 'whole', finish: 'stop' })))
          return
        }
        response.on('close', () => void first.promise.then((answer) => answer()))
        abort.abort()
      }, async (baseUrl) => {
        const gateway = new SmallGateway({ config: { providers: { p: { api, baseUrl } } } })
        const messages = [user('hi')]
        const whole = heard(gateway.ask('p/m', { messages }))
        await first.promise
        const { error } = await refusal(gateway.ask('p/m', { messages }, abort.signal))
        assert.deepEqual([error.code, (await whole).text], ['cancelled', 'whole'])
      })
    })
  })
}

describe('a kept model', () => {
  const vendor = (made: string[]): Vendor => ({
    address: undefined,
    keyHeader: (key) => ['authorization', key],
    model: async ({ name, model, baseURL }) => {
      made.push(`${name} ${model} ${baseURL}`)
      // Nothing is asked of it.
      return {} as SdkModel
    },
  })
  const parts = { name: 'p', model: 'm', baseURL: 'http://a/v1', apiKey: '', fetch } as const

  test('is made once, and again for another address', async () => {
    const made: string[] = []
    const { model } = kept(vendor(made))
    assert.equal(await model(parts), await model(parts))
    await model({ ...parts, baseURL: 'http://b/v1' })
    assert.deepEqual(made, ['p m http://a/v1', 'p m http://b/v1'])
  })

  test('makes room where clients ask for ever new names, the one in use last', async () => {
    const made: string[] = []
    const { model } = kept(vendor(made))
    const used = await model(parts)
    for (let at = 0; at < 100; at += 1) {
      await model({ ...parts, model: `new-${at}` })
      assert.equal(await model(parts), used)
    }
    made.length = 0
    await model({ ...parts, model: 'new-0' })
    assert.deepEqual(made, ['p new-0 http://a/v1'])
  })
})
