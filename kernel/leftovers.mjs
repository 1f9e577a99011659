// Gives back what the start leaves behind: by then V8 has made its young generation 16 MB large, and most of what it holds is
// garbage. V8 sees to it by itself when it finds the process quiet: 17 s after a start on a calm machine, and not within 30 s on
// a busy one. It takes one pause of about 30 ms, so it happens once, when the start is over and before there is much to hold up.
import v8 from 'node:v8'
import vm from 'node:vm'

/** Long enough for who started it to have been told, and for what the start has scheduled. */
const AFTER_MS = 200

/** Only a process that lives on does it. */
export function dropLeftoversSoon() {
  setTimeout(dropLeftovers, AFTER_MS).unref()
}

/** Collects all garbage, and makes the heap as small as what is alive. */
export function dropLeftovers() {
  // The function exists in contexts that are made while the flag is set, and in no other.
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc')
  v8.setFlagsFromString('--no-expose-gc')
  // A plain collection leaves the heap as large as it was.
  collect({ type: 'major', flavor: 'last-resort' })
}
