/**
 * What is only worth doing for work that outlasts its turn. Most calls have settled before the event loop turns again, and a
 * timer that is made and taken back for each of them costs more than all the rest of a small one; so whoever needs a timer,
 * or an ear for somebody's going, asks for it here and gets it when the turn is over.
 */
interface Task {
  run: (() => void) | undefined
}

let waiting: Task[] = []

/** Calls back when this turn is over. Answers its own undo. */
export function afterTurn(run: () => void): () => void {
  const task: Task = { run }
  if (waiting.push(task) === 1) setImmediate(runAll)
  return () => {
    task.run = undefined
  }
}

function runAll(): void {
  const due = waiting
  waiting = []
  for (const { run } of due) run?.()
}
