// Tells an HTTP story of `fixtures/http/stories` to a gateway, step by step, over real connections, and rejects with the first answer
// that is another than the story has. Plain JavaScript, because it also runs under a Node that is too old for the sources. It knows
// no route; what a story may say is in the README beside the stories.
import assert from 'node:assert/strict'

/** A step that asks again until its answer has come has failed after this long. */
const PATIENCE_MS = 15_000

/**
 * @param story as its file has it
 * @param to `url` of whoever is asked, `gateway` of the gateway itself, `known` words for the story's `${...}`, `heard` is given each reply
 */
export async function tell(story, { url, gateway = url, known = {}, heard = () => {} }) {
  const words = { ...known }
  for (const [index, step] of story.steps.entries()) {
    const { request, answer } = filled({ request: { credential: '${token}', ...step.request }, answer: step.answer }, words)
    const base = step.direct === undefined ? url : gateway
    const deadline = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const reply = await sent(base, request, deadline)
      heard({ request, reply, isDirect: step.direct !== undefined })
      try {
        assertAnswer(reply, answer)
        for (const [name, path] of Object.entries(step.capture ?? {})) words[name] = found(reply.body, path)
        break
      } catch (error) {
        if (step.again === true && !deadline.aborted) continue
        const place = `step ${index + 1}, ${request.verb} ${request.path}: ${error.message}`
        throw new Error(`${place}\nthe answer was ${reply.status} ${reply.text.slice(0, 2000)}`, { cause: error })
      }
    }
  }
}

/** A request or an answer with every `${word}` in its place. What is one word and nothing else keeps the word's type. */
function filled(value, words) {
  if (typeof value === 'string') {
    const [, whole] = /^\$\{(\w+)\}$/.exec(value) ?? []
    if (whole !== undefined) return word(whole, words)
    return value.replace(/\$\{(\w+)\}/g, (_, name) => String(word(name, words)))
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, words))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item, words)]))
}

function word(name, words) {
  assert.ok(name in words, `nothing is known as ${name}`)
  return words[name]
}

async function sent(base, { verb, path, headers = {}, body, text, credential }, signal) {
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body))
  const all = { ...(credential !== null && { authorization: `Bearer ${credential}` }), ...(content !== undefined && { 'content-type': 'application/json' }), ...headers }
  const response = await fetch(new URL(path, base), { method: verb, headers: all, body: content, signal })
  const said = await response.text()
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json')
  return { status: response.status, headers: response.headers, text: said, body: isJson && said !== '' ? JSON.parse(said) : undefined }
}

function assertAnswer({ status, headers, text, body }, answer) {
  assert.equal(status, answer.status, 'another status')
  for (const [name, pattern] of Object.entries(answer.headers ?? {})) assertFits(headers.get(name), pattern, `the header ${name}`)
  if (answer.keys) assert.deepEqual(new Set(Object.keys(body ?? {})), new Set(answer.keys), 'other fields')
  if (answer.body !== undefined) assertFits(body, answer.body, 'the body')
  if (answer.stream) assertStream(framesOf(text), answer.stream)
}

/** Every field of the pattern, and every item of a list somewhere in the list. A text that begins with `~` is a regular expression. */
function assertFits(value, pattern, place) {
  if (typeof pattern === 'string' && pattern.startsWith('~')) {
    assert.notEqual(value ?? undefined, undefined, `there is no ${place}`)
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return assert.match(text, new RegExp(pattern.slice(1)), place)
  }
  if (Array.isArray(pattern)) {
    assert.ok(Array.isArray(value), `${place} is no list`)
    for (const item of pattern) assert.ok(value.some((one) => fits(one, item)), `${place} holds no ${JSON.stringify(item)}`)
    return undefined
  }
  if (typeof pattern !== 'object' || pattern === null) return assert.deepEqual(value, pattern, `${place} is ${JSON.stringify(value)}`)
  assert.ok(typeof value === 'object' && value !== null, `${place} is no object`)
  for (const [name, item] of Object.entries(pattern)) assertFits(value[name], item, `${place}.${name}`)
  return undefined
}

function fits(value, pattern) {
  try {
    assertFits(value, pattern, '')
    return true
  } catch {
    return false
  }
}

/** The frames of the story, in this order, with others in between. */
function assertStream(frames, patterns) {
  let at = 0
  for (const pattern of patterns) {
    const next = frames.findIndex((frame, index) => index >= at && fits(frame, pattern))
    assert.notEqual(next, -1, `the stream has no ${JSON.stringify(pattern)} where it should`)
    at = next + 1
  }
}

function framesOf(text) {
  const frames = text.split('\n\n').map((frame) => Object.fromEntries(frame.split('\n').flatMap((line) => {
    const [, name, value] = /^(event|data|id): ?(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [[name, name === 'data' ? parsed(value) : value]]
  })))
  return frames.filter((frame) => 'data' in frame)
}

/** `[DONE]` is no JSON. */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A value by its path: names and indices between dots. */
function found(body, path) {
  const value = path.split('.').reduce((inner, name) => inner?.[name], body)
  assert.notEqual(value, undefined, `the answer has no ${path}`)
  return value
}
