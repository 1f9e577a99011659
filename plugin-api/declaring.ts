/**
 * What a plugin is told whose `register` does more than declare. The same words on both sides of the wall, so that an
 * author meets one rule whichever way the plugin is run.
 */

/** `register` called something that acts: a timer, `fetch`, a socket. */
export function actedInRegister(name: string): string {
  return `\`register\` called ${name}: it only declares; set timers and open things in \`start\``
}

/** After `register`, a handle of this kind is open that was not before. */
export function openedInRegister(kind: string): string {
  return `\`register\` opened a ${kind}: it only declares; set timers and open things in \`start\``
}

/** `register` answered a promise. */
export const PROMISED_IN_REGISTER = '`register` answered a promise: it declares, and declaring takes no time'
