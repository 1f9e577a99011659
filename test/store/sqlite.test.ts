import { conformance } from './conformance.ts'
import { open } from './place.ts'

conformance('the embedded store', async (t, clock) => (await open(t, { clock })).driver)
