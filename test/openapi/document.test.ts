/** The description of the HTTP side, asked for as a client does. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { testGateway } from '@isopod/testing'
import { definePlugin } from '@isopod/plugin-api'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters: readonly { readonly name: string; readonly in: string }[]
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { readonly schema: unknown }>> }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const PLUGINS = new URL('../../plugins/', import.meta.url)

async function documentOf(plugins: Parameters<typeof testGateway>[0]['plugins'], config = {}): Promise<Document> {
  const gateway = await testGateway({ plugins, config })
  try {
    const reply = await gateway.fetch('/openapi.json')
    assert.equal(reply.status, 200)
    return (await reply.json()) as Document
  } finally {
    await gateway.close()
  }
}

test('every row of every plugin is an operation of its own, with a summary and a success', async () => {
  const folders = (await readdir(PLUGINS, { withFileTypes: true })).filter((one) => one.isDirectory()).map(({ name }) => name)
  const gateway = await testGateway({ plugins: folders })
  try {
    const document = (await (await gateway.fetch('/openapi.json')).json()) as Document
    const rows = [...gateway.kernel.generation.routes.values()].map(({ item }) => `${item.verb.toLowerCase()} ${item.path.replaceAll('+}', '}')}`)
    const operations = Object.entries(document.paths).flatMap(([path, verbs]) => Object.entries(verbs).map(([verb, operation]) => ({ name: `${verb} ${path}`, operation })))
    assert.equal(document.openapi, '3.1.0')
    assert.deepEqual(operations.map(({ name }) => name).sort(), rows.sort())
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, rows.length)
    for (const { name, operation } of operations) {
      assert.ok(operation.summary.length > 0, name)
      assert.ok(Object.keys(operation.responses).some((status) => status.startsWith('2')), name)
    }
  } finally {
    await gateway.close()
  }
})

test('a row that is not loaded is not described, and one that a stranger brings is', async () => {
  const hello = definePlugin(({ hooks }) => {
    hooks.methods.tap('m', (methods) => methods.add({
      name: 'hello.say',
      description: 'Says hello.',
      scope: 'read',
      params: { type: 'object', required: ['name'], properties: { name: { type: 'string', description: 'Whom to.' }, loud: { type: 'boolean' } } },
      result: { type: 'object', properties: { text: { type: 'string' } } },
      handle: () => ({ text: 'hello' }),
    }))
    hooks.routes.tap('r', (routes) => routes.add({ verb: 'GET', path: '/hello/{name}', call: 'hello.say' }))
  })
  const { paths } = await documentOf([{ id: 'hello', plugin: hello }])
  assert.deepEqual(Object.keys(paths), ['/hello/{name}', '/openapi.json'])
  const operation = paths['/hello/{name}']?.['get']
  assert.equal(operation?.summary, 'Says hello.')
  assert.deepEqual(operation?.parameters, [
    { name: 'name', in: 'path', required: true, description: 'Whom to.', schema: { type: 'string' } },
    { name: 'loud', in: 'query', required: false, schema: { type: 'boolean' } },
  ])
  assert.deepEqual(operation?.responses['200']?.content['application/json']?.schema, { type: 'object', properties: { text: { type: 'string' } } })
})

test('an answer that a row spells by itself stands under its own status', async () => {
  const accepted = { type: 'object', properties: { later: { const: true } } } as const
  const slow = definePlugin(({ hooks }) => {
    hooks.methods.tap('m', (methods) => methods.add({ name: 'slow.go', scope: 'write', handle: () => ({}) }))
    hooks.routes.tap('r', (routes) => routes.add({ verb: 'POST', path: '/slow', call: 'slow.go', describe: { otherReplies: { 202: accepted, 503: {} } } }))
  })
  const { paths } = await documentOf([{ id: 'slow', plugin: slow }])
  const responses = paths['/slow']?.['post']?.responses
  assert.deepEqual(Object.keys(responses ?? {}), ['200', '202', '503', '4XX', '5XX'])
  assert.deepEqual(responses?.['202']?.content['application/json']?.schema, accepted)
})

test('the document is for who holds a credential', async (t) => {
  const gateway = await testGateway({ plugins: [] })
  t.after(() => gateway.close())
  assert.equal((await gateway.fetch('/openapi.json', { headers: { authorization: '' } })).status, 401)
})
