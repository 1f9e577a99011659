/**
 * What others can see and build on, as literals: a red pin does not say that a change is wrong, it says that somebody
 * outside this repository will notice it. Decide, then change it here in the same commit.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as pluginApi from '@isopod/plugin-api'
import { testGateway } from '@isopod/testing'
import { spell } from '../../kernel/http/families.ts'

const ALL = [
  'channels', 'chat', 'dialect-native', 'dialect-rpc', 'dialect-simple', 'dialect-typed', 'models', 'openai', 'rest-api-v1', 'rest-endpoint', 'rest-v1',
  'sessions', 'system', 'tools',
]

describe('pinned', () => {
  it('the values that a plugin can import', () => {
    assert.deepEqual(Object.keys(pluginApi).sort(), [
      'API_VERSION', 'ASKING_HOOKS', 'CHANNEL_STATES', 'CONTRIBUTING_HOOKS', 'EFFECTS', 'HEARING_HOOKS', 'JSON_DEPTH', 'MANIFEST_SCHEMA',
      'PROMISED_IN_REGISTER', 'REFUSALS', 'RpcError', 'SCOPES', 'actedInRegister', 'definePlugin', 'errorOf', 'isObject', 'isRpcError', 'jsonCopy',
      'openedInRegister', 'refusalFrame', 'refusalOf', 'upperCase', 'wrongParam',
    ])
    assert.equal(pluginApi.API_VERSION, '1.0.0')
  })

  it('the refusals, with their status, code and type on HTTP', () => {
    const spelled = pluginApi.REFUSALS.map((code) => {
      const { status, body } = spell({ code, message: '' }, '/v1/chat/completions')
      const { error } = body as { error: { code: string; type: string } }
      return [code, status, error.code, error.type].join(' ')
    })
    assert.deepEqual(spelled, [
      'invalid_request 400 invalid_request invalid_request_error',
      'unauthorized 401 unauthorized authentication_error',
      'forbidden 403 forbidden permission_error',
      'not_found 404 not_found not_found_error',
      'method_not_found 404 not_found not_found_error',
      'conflict 409 conflict invalid_request_error',
      'timeout 504 timeout api_error',
      'rate_limited 429 rate_limited rate_limited',
      'payload_too_large 413 payload_too_large invalid_request_error',
      'internal 500 internal_error api_error',
      'unavailable 503 service_unavailable api_error',
      'cancelled 409 cancelled invalid_request_error',
      'budget_exceeded 429 budget_exceeded rate_limited',
    ])
  })

  it('the methods that can be called from outside, with what they need', async () => {
    const gateway = await testGateway({ plugins: ALL })
    const outside = [...gateway.kernel.generation.methods.values()].filter(({ item }) => !item.internal).map(({ item }) => `${item.name} ${item.scope}`)
    await gateway.close()
    assert.deepEqual(outside.sort(), [
      'channel.disable admin', 'channel.enable admin', 'channel.list read', 'channel.send write', 'channel.status read',
      'chat.abort write', 'chat.history read', 'chat.resume read', 'chat.run write', 'chat.start write',
      'config.get read', 'config.schema read', 'config.update admin',
      'events.subscribe read', 'events.unsubscribe read',
      'log.follow admin', 'log.read admin',
      'model.list read',
      'plugin.disable admin', 'plugin.enable admin', 'plugin.inspect read', 'plugin.list read',
      'session.delete write', 'session.get read', 'session.list read', 'session.patch write', 'session.reset write',
      'system.health public', 'system.methods read', 'system.openapi read', 'system.ping read', 'system.status read',
      'token.create admin', 'token.list admin', 'token.revoke admin',
      'tool.invoke write', 'tool.list read',
    ])
  })

  it('the routes, the dialects and the tools', async () => {
    const gateway = await testGateway({ plugins: ALL })
    const { routes, dialects, tools } = gateway.kernel.generation
    const rows = [...routes.values()].map(({ item: { verb, path, call, auth = 'token' } }) => `${verb} ${path} ${call} ${auth}`)
    await gateway.close()
    assert.deepEqual(rows.sort(), [
      'DELETE /api/v1/conversations/{sessionKey+} session.delete token',
      'DELETE /v1/sessions/{sessionKey+} session.delete token',
      'GET /api/v1/channels channel.list token',
      'GET /api/v1/config config.get token',
      'GET /api/v1/conversations session.list token',
      'GET /api/v1/conversations/{sessionKey+} session.get token',
      'GET /api/v1/health system.health token',
      'GET /api/v1/logs * token',
      'GET /api/v1/status system.status token',
      'GET /health system.health public',
      'GET /healthz system.health public',
      'GET /openapi.json system.openapi token',
      'GET /ready system.health public',
      'GET /readyz system.health public',
      'GET /status system.status token',
      'GET /v1/channels channel.list token',
      'GET /v1/channels/{channelId}/status channel.status token',
      'GET /v1/models model.list token',
      'GET /v1/models/{id+} model.list token',
      'GET /v1/sessions session.list token',
      'GET /v1/sessions/{sessionKey+} session.get token',
      'POST /api/endpoint * token',
      'POST /api/rpc * token',
      'POST /api/tools/invoke tool.invoke token',
      'POST /api/v1/message * token',
      'POST /tools/invoke tool.invoke token',
      'POST /v1/agent/run chat.run token',
      'POST /v1/agent/run/stream chat.run token',
      'POST /v1/channels/{channelId}/disable channel.disable token',
      'POST /v1/channels/{channelId}/enable channel.enable token',
      'POST /v1/chat/completions chat.run token',
      'PUT /api/v1/config config.update token',
    ])
    assert.deepEqual([...dialects.keys()].sort(), ['native', 'rpc', 'simple', 'typed'])
    assert.deepEqual([...tools.keys()].sort(), ['calculator', 'text_count', 'time_now'])
  })
})
