/** What is left after the process was killed: everything it had acknowledged. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gatewayFor } from './started.ts'

interface Session {
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

describe('a gateway that was killed', () => {
  it('goes on with the conversation where it was', async (test) => {
    const first = await gatewayFor(test)
    const before = await first.socket()
    const { payload } = await before.call('chat.run', { message: 'The word is swordfish', sessionKey: 'kept' })
    await first.kill('SIGKILL')

    const second = await gatewayFor(test, { home: first.home })
    const after = await second.socket()
    const { payload: session } = await after.call('session.get', { sessionKey: 'kept' })
    const { messages } = session as unknown as Session
    assert.deepEqual(messages.map(({ role, content }) => [role, content]), [['user', 'The word is swordfish'], ['assistant', (payload as { response: string }).response]])
    await after.call('chat.run', { message: 'And now?', sessionKey: 'kept' })
    const { payload: longer } = await after.call('session.get', { sessionKey: 'kept' })
    assert.equal((longer as unknown as Session).messages.length, 4)
  })

  it('says that the run it was in was interrupted, and keeps what the user had said', async (test) => {
    const first = await gatewayFor(test)
    const before = await first.socket()
    before.send('chat.run', { message: '/slow 50\nthis answer is never going to be finished at all', sessionKey: 'cut' })
    const delta = await before.first((frame) => frame['type'] === 'chat.delta')
    const { runId } = delta['data'] as { runId: string }
    await first.kill('SIGKILL')

    const second = await gatewayFor(test, { home: first.home })
    const after = await second.socket()
    assert.partialDeepStrictEqual(await after.call('chat.resume', { runId }), { ok: true, payload: { runId, sessionKey: 'cut', status: 'interrupted', events: false } })
    const { payload } = await after.call('session.get', { sessionKey: 'cut' })
    assert.match((payload as unknown as Session).messages[0]?.content ?? '', /never going to be finished/)
  })

  it('has everything it acknowledged, whenever it was killed', async (test) => {
    let home: string | undefined
    const acknowledged: string[] = []
    for (let round = 0; round < 3; round += 1) {
      const gateway = await gatewayFor(test, home === undefined ? {} : { home })
      home = gateway.home
      const socket = await gateway.socket()
      const kept = acknowledged.length
      const talk = async (lane: number) => {
        for (let turn = 0; ; turn += 1) {
          const message = `round ${round} lane ${lane} turn ${turn}`
          await socket.call('chat.run', { message, sessionKey: `lane-${lane}` })
          acknowledged.push(message)
        }
      }
      const talking = [0, 1, 2].map((lane) => talk(lane).catch(() => {}))
      while (acknowledged.length < kept + 5 + round * 3) await socket.call('system.ping')
      await gateway.kill('SIGKILL')
      await Promise.all(talking)
    }
    const last = await gatewayFor(test, { home: home ?? '' })
    const socket = await last.socket()
    const said = new Map<string, number>()
    for (const lane of [0, 1, 2]) {
      const { payload } = await socket.call('session.get', { sessionKey: `lane-${lane}` })
      for (const { role, content } of (payload as unknown as Session).messages) if (role === 'user') said.set(content, (said.get(content) ?? 0) + 1)
    }
    assert.deepEqual(acknowledged.filter((message) => said.get(message) !== 1), [])
  })
})
