/** Params that nobody wrote by hand, for every method there is. */
import { calls } from './calls.ts'
import { seeded } from './seeded.ts'

seeded(calls, { params: 'a call of any method with any params is answered under its id, and never with a fault of the gateway' })
