/** The examples that the documents give of clients, as they stand there; only the address and the token are filled in. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { OpenClawClient } from '@isopod/client'
import { OpenClawClient as Sdk } from '@openclaw/sdk'
import { OpenClawClient as Lesson } from 'openclaw-client'
import { startGateway, type StartedGateway } from '../main-job/started.ts'
import { verifies } from '../requirements.ts'
import { runNode, runPython, WITHOUT_PYTHON } from './program.ts'

const REST_NODE = `
import { OpenClawClient } from '@openclaw/sdk';
const client = new OpenClawClient({
baseUrl: 'http://127.0.0.1:18789',
token: process.env.GATEWAY_AUTH_TOKEN,
});
const response = await client.message('What is the weather tomorrow?');
console.log(response.content);
`

/** \`os\` is used in the example and not imported. */
const REST_PYTHON = `
import os
from openclaw import OpenClawClient
client = OpenClawClient(
base_url="http://127.0.0.1:18789",
token=os.environ["GATEWAY_AUTH_TOKEN"],
)
response = client.message("What is the weather tomorrow?")
print(response.content)
`

const LESSON_NODE = `
import { OpenClawClient } from 'openclaw-client';
const client = new OpenClawClient({
  baseUrl: 'http://localhost:18789',
  token: 'your-token'
});
// Send message
const response = await client.agent.run({
  message: 'Hello!',
  sessionKey: 'session-123'
});
console.log(response);
`

const LESSON_PYTHON = `
import requests
BASE_URL = "http://localhost:18789"
HEADERS = {"Authorization": "Bearer your-token"}
# Send message
response = requests.post(
    f"{BASE_URL}/v1/agent/run",
    headers=HEADERS,
    json={
        "message": "Hello!",
        "sessionKey": "session-123"
    }
)
data = response.json()
print(data["response"])
`

describe('the documented examples of clients', () => {
  let gateway: StartedGateway

  before(async () => {
    gateway = await startGateway()
  })
  after(() => gateway.remove())

  const filledIn = (sample: string): string => sample.replace(/http:\/\/(?:127\.0\.0\.1|localhost):18789/, gateway.url).replace('your-token', gateway.token)
  const withToken = (): Record<string, string> => ({ GATEWAY_AUTH_TOKEN: gateway.token })

  it('import one client, by either of its names', () => {
    assert.deepEqual([Sdk, Lesson], [OpenClawClient, OpenClawClient])
  })

  it('send a message with the package @openclaw/sdk', async () => {
    verifies('001:client:node')
    assert.match(await runNode(filledIn(REST_NODE), withToken()), /You said: What is the weather tomorrow\?/)
  })

  it('run an agent with the package openclaw-client', async () => {
    verifies('002:client:node')
    const printed = await runNode(filledIn(LESSON_NODE))
    for (const shown of [/runId: '.+'/, /sessionKey: 'session-123'/, /response: '.*You said: Hello!'/, /promptTokens: [1-9]/]) assert.match(printed, shown)
  })

  it('send a message from Python', { skip: WITHOUT_PYTHON }, async () => {
    verifies('001:client:python')
    assert.match(await runPython(filledIn(REST_PYTHON), withToken()), /You said: What is the weather tomorrow\?/)
  })

  it('run an agent from Python with plain HTTP', { skip: WITHOUT_PYTHON }, async () => {
    verifies('002:client:python')
    assert.match(await runPython(filledIn(LESSON_PYTHON)), /You said: Hello!/)
  })
})
