import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyRoom } from '../../kernel/http/body-room.ts'

test('bodies share the room there is, and whoever comes when it is taken is told to come again', () => {
  const room = new BodyRoom(100)
  const [one, two] = [{}, {}]
  room.take(one, 60)
  room.take(two, 40)
  assert.throws(() => room.take(two, 1), { code: 'unavailable', retryable: true, retryAfterSeconds: 1 })
  room.leave(one)
  room.take(two, 50)
  room.leave(two)
  room.take({}, 100)
})

test('a body that is alone has room, however large it is', () => {
  const room = new BodyRoom(100)
  const [one, two] = [{}, {}]
  room.take(one, 90)
  room.take(one, 90)
  assert.throws(() => room.take(two, 1), { code: 'unavailable' })
  room.leave(one)
  room.leave(one)
  room.take(two, 180)
})
