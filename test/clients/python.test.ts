/** The Python client, in programs of its own, against a gateway as a person starts it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { upstreamFor } from '../faults/upstream.ts'
import { gatewayFor, startGateway, type StartedGateway } from '../main-job/started.ts'
import { runPython, WITHOUT_PYTHON } from './program.ts'
import { busy, scriptedFor, well } from './scripted.ts'
import { wireFor } from './wire.ts'

/** A client as `client`, `failure(work)` for what a call or a stream fails with, and `tell(...)` for what the test wants to know. */
const HEAD = `
import json, os, sys
from openclaw import GatewayError, OpenClawClient
client = OpenClawClient(os.environ["URL"], os.environ.get("TOKEN"), retries=int(os.environ.get("RETRIES", "2")))
def tell(*facts): print(json.dumps(facts), flush=True)
def failure(work):
    try:
        for _ in work() or (): pass
    except GatewayError as error:
        return error
    raise AssertionError("it did not fail")
`

const SLOW = '/slow 20\\none two three four five six seven eight nine ten'

/** What the program told, one list for each time. */
async function told(program: string, env: Readonly<Record<string, string>>): Promise<unknown[][]> {
  const printed = await runPython(HEAD + program, env)
  return printed.trim().split('\n').map((line) => JSON.parse(line) as unknown[])
}

describe('the Python client', { skip: WITHOUT_PYTHON }, () => {
  let gateway: StartedGateway
  let env: Record<string, string>

  before(async () => {
    gateway = await startGateway({ config: 'gateway: { limits: { requestsPerMinute: 0 } }' })
    env = { URL: gateway.url, TOKEN: gateway.token }
  })
  after(() => gateway.remove())

  it('goes on with a conversation, runs an agent, and calls methods', async () => {
    const [facts] = await told(`
first = client.message("The word is swordfish")
second = client.message("And now?", conversation_id=first.conversation_id)
run = client.agent.run(message="Hello!", session_key=first.conversation_id, options={"thinking": "low"})
row = client.call("session.get", {"sessionKey": first.conversation_id})
tell(second.content, second.usage.total_tokens > first.usage.total_tokens, run.response, run.session_key == first.conversation_id, run.usage.total_tokens > 0, row["messageCount"])
`, env)
    assert.deepEqual(facts?.slice(1), [true, facts?.[2], true, true, 6])
    assert.match(String(facts?.[0]), /You said: And now\?/)
    assert.match(String(facts?.[2]), /You said: Hello!/)
  })

  it('tells an answer as it comes', async () => {
    const [message, run] = await told(`
events = list(client.stream("Hello there, 🦀"))
tell("".join(event.delta for event in events) == events[-1].content, len(events) > 3, events[-1].type, events[-1].content, events[-1].usage.total_tokens > 0)
events = list(client.agent.stream("Hello there", "told"))
tell("".join(event.delta for event in events), events[-1].type, events[-1].finish_reason, len({event.run_id for event in events}))
`, env)
    assert.deepEqual(message?.toSpliced(3, 1), [true, true, 'done', true])
    assert.match(String(message?.[3]), /You said: Hello there, 🦀/)
    assert.deepEqual(run?.slice(1), ['done', 'stop', 1])
    assert.match(String(run?.[0]), /You said: Hello there/)
  })

  it('aborts the run when its reader leaves the loop', async (test) => {
    const upstream = await upstreamFor(test)
    const { url, token } = await gatewayFor(test, { config: upstream.config })
    const [facts] = await told(`
stream = client.agent.stream("Hello", options={"model": "p/stuck"})
tell(next(stream).delta)
stream.close()
`, { URL: url, TOKEN: token })
    assert.deepEqual(facts, ['Well'])
    await upstream.closed('stuck')
  })

  it('says that a stream broke off, and does not wait for more', async (test) => {
    const wire = await wireFor(test, gateway.url)
    // The program asks for the cut by a request of its own, when it has heard the first piece.
    const cutting = await scriptedFor(test, [(response) => {
      wire.cut()
      well(response)
    }])
    const facts = await told(`
for stream in client.stream("${SLOW}"), client.agent.stream("${SLOW}"):
    first = next(stream)
    OpenClawClient(os.environ["CUT"]).call("session.list")
    error = failure(lambda: stream)
    tell(first.type, error.code, error.status, error.retryable)
`, { ...env, URL: wire.url, CUT: cutting.url })
    assert.deepEqual(facts, [['delta', 'connection_lost', null, true], ['delta', 'connection_lost', null, true]])
  })

  it('says which run goes on when an answer took too long, and loses patience with silence', async (test) => {
    const upstream = await upstreamFor(test)
    const { url, token } = await gatewayFor(test, { config: upstream.config.replace('p/calm', 'p/hang') })
    const silent = await scriptedFor(test, [() => {}])
    const [late, ...lost] = await told(`
error = failure(lambda: client.message("Hello", timeout=0.05))
tell(error.code, error.status, client.call("chat.resume", {"runId": error.details["run_id"]})["status"])
waiting = OpenClawClient(os.environ["SILENT"], timeout=0.05)
for work in (lambda: waiting.agent.run("Hello"), lambda: waiting.agent.stream("Hello"), lambda: waiting.call("session.list")):
    error = failure(work)
    tell(error.code, error.status)
`, { URL: url, TOKEN: token, SILENT: silent.url })
    assert.deepEqual(late, ['timeout', 408, 'open'])
    assert.deepEqual(lost, [['timeout', null], ['timeout', null], ['timeout', null]])
  })

  it('reads the refusals of every family of URLs alike', async () => {
    const refusals = await told(`
wrong = "a\\nb"
for work in (lambda: client.message("Hello", conversation_id=wrong), lambda: client.agent.run("Hello", wrong), lambda: client.call("session.get", {"sessionKey": wrong}), lambda: client.call("no.such")):
    error = failure(work)
    tell(error.code, error.status, error.param)
`, env)
    assert.deepEqual(refusals, [
      ['invalid_request', 400, 'conversation_id'],
      ['invalid_request', 400, 'sessionKey'],
      ['invalid_request', 400, 'sessionKey'],
      ['method_not_found', 404, null],
    ])
  })

  it('is refused with a wrong token, shows no token to anybody, and says where nobody listens', async () => {
    const [refused, shown, bad, gone] = await told(`
error = failure(lambda: client.message("Hello"))
tell(error.code, error.status)
tell(repr(client) + repr(error) + str(error))
error = failure(lambda: OpenClawClient(os.environ["URL"], "wrong-token\\n"))
tell(error.param, str(error))
tell(failure(lambda: OpenClawClient("http://127.0.0.1:1", retries=0).message("Hello")).code)
`, { ...env, TOKEN: 'wrong-token' })
    assert.deepEqual([refused, bad?.[0], gone], [['unauthorized', 401], 'token', ['unreachable']])
    assert.doesNotMatch(JSON.stringify([shown, bad]), /wrong-token/)
  })

  it('is told how long to wait when it asks too often', async (test) => {
    const { url, token } = await gatewayFor(test, { config: 'gateway: { limits: { requestsPerMinute: 1 } }' })
    const [facts] = await told(`
client.call("session.list")
error = failure(lambda: client.call("session.list"))
tell(error.code, error.status, error.retryable, error.retry_after >= 1)
`, { URL: url, TOKEN: token, RETRIES: '0' })
    assert.deepEqual(facts, ['rate_limited', 429, true, true])
  })

  it('asks again what may be asked twice, and nothing else', async (test) => {
    const relenting = await scriptedFor(test, [busy, well])
    assert.deepEqual(await told('tell(client.call("session.list"))', { URL: relenting.url }), [[{ sessions: [] }]])
    assert.equal(relenting.asked(), 2)
    const stubborn = await scriptedFor(test, [busy])
    await told('tell(failure(lambda: client.message("Hello")).code, failure(lambda: client.agent.run("Hello")).code)', { URL: stubborn.url })
    assert.equal(stubborn.asked(), 2)
  })

  it('says of an answer that is cut short that it is none, and follows nobody elsewhere', async (test) => {
    const short = await scriptedFor(test, [(response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
      response.write('{"ok":true', () => response.destroy())
    }])
    const ending = await scriptedFor(test, [(response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end('event: delta\ndata: {"delta":"Half an ans","runId":"r"}\n\nevent: done\ndata: {"runId":"r"}')
    }])
    const elsewhere = await scriptedFor(test, [well])
    const sending = await scriptedFor(test, [(response) => response.writeHead(307, { location: elsewhere.url }).end('{}')])
    const [codes] = await told(`
sending = OpenClawClient(os.environ["SENDING"], "mine")
ending = OpenClawClient(os.environ["ENDING"])
tell(failure(lambda: client.message("Hello")).code, failure(lambda: ending.agent.stream("Hello")).code, failure(lambda: sending.call("session.list")).code)
`, { ENDING: ending.url, URL: short.url, SENDING: sending.url, RETRIES: '0' })
    assert.deepEqual([codes, elsewhere.asked()], [['connection_lost', 'connection_lost', 'bad_answer'], 0])
  })
})
