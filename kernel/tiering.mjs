// Keeps V8 from optimising during the start. What is hot then (finding packages, reading their exports, compiling schemas) is
// done once and never again, and its optimised code costs more than it saves: 50 ms of processor time that the start needs
// itself, and 12 MB that stay resident. What is hot once the gateway serves is optimised as ever.
import v8 from 'node:v8'

/** The largest function that V8 optimises, in bytes of its bytecode; this is V8's own default, and none is smaller than 0. */
const LARGEST = 61_440

/**
 * Call it before the compile cache is enabled: V8 keeps code by its flags.
 * @returns what ends it, for when the start is over.
 */
export function startWithoutOptimizing() {
  setLargest(0)
  return () => setLargest(LARGEST)
}

function setLargest(bytes) {
  v8.setFlagsFromString(`--max-optimized-bytecode-size=${bytes}`)
}
