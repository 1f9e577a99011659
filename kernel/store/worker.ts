/**
 * The store's thread. It opens the database, says whether it could, and then answers what comes: everything that is
 * waiting when it looks is one group. It imports little, because the gateway waits for it when it starts.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { GROUP_CALLS, GROUP_LENGTH } from './bounds.ts'
import { explain, openDatabase, type Opened } from './database.ts'
import { Group } from './group.ts'
import type { FromThread, Request, ThreadOptions, ToThread } from './message.ts'
import { Rows } from './rows.ts'

if (parentPort === null) throw new Error('The store runs in a thread of its own: open it with openStore')
// The driver starts this thread with exactly this.
serve(parentPort, workerData as ThreadOptions)

function serve(port: MessagePort, options: ThreadOptions): void {
  const say = (message: FromThread): void => port.postMessage(message)
  try {
    const opened = openDatabase(options)
    greet(opened, options.sender, say)
    listen(port, opened, options, say)
  } catch (thrown) {
    const { reason, message } = explain(thrown, options.path)
    say({ kind: 'refused', reason, message })
  }
}

/** Tells this driver's own last outcome, in case an earlier thread of it died between a commit and the answers. */
function greet({ database, from, to, backup }: Opened, sender: string, say: (message: FromThread) => void): void {
  const outcome = new Rows(database).outcome
  say({ kind: 'opened', from, to, ...(backup === undefined ? {} : { backup }), ...(outcome.sender === sender ? { outcome } : {}) })
}

function listen(port: MessagePort, { database }: Opened, options: ThreadOptions, say: (message: FromThread) => void): void {
  const group = new Group({
    database,
    path: options.path,
    sender: options.sender,
    answer: (answers, commits) => say({ kind: 'answered', answers, commits }),
  })
  port.on('message', (first: ToThread) => {
    const { requests, closing } = gather(port, first)
    if (requests.length > 0) group.run(requests)
    if (!closing) return
    database.close()
    port.close()
  })
}

/** What is waiting now, up to the size of a group. What is beyond it stays in the port and comes as the next message. */
function gather(port: MessagePort, first: ToThread): { requests: Request[]; closing: boolean } {
  const requests: Request[] = []
  let length = 0
  let message: ToThread | undefined = first
  while (message !== undefined) {
    if (message === 'close') return { requests, closing: true }
    for (const request of message) {
      requests.push(request)
      if (request.question.kind === 'write') length += request.question.length
    }
    if (requests.length >= GROUP_CALLS || length >= GROUP_LENGTH) break
    message = receiveMessageOnPort(port)?.message as ToThread | undefined // the driver posts nothing else
  }
  return { requests, closing: false }
}
