/**
 * A gateway in memory, for authors of plugins: the real kernel, authentication and dialects, with a store and a transport
 * that need no disk and no port. The same tests run a plugin in this process or behind the wall.
 *
 *     const gateway = await testGateway({ plugins: [new URL('..', import.meta.url)] })
 *     assert.deepEqual(await gateway.client().call('hello.say', { name: 'you' }), { text: 'Hello, you.' })
 *     await gateway.close()
 */
export { testGateway, type TestGateway, type TestGatewayOptions } from './test-gateway.ts'
export { TestClient, type ClientOptions } from './test-client.ts'
export { TestClock } from './test-clock.ts'
export { TestSocket } from './memory-transport.ts'
export type { TestPlugin } from './test-plugin.ts'
