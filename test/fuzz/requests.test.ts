/** HTTP requests that nobody wrote by hand, as bytes on both transports. */
import { requestsOn } from './requests.ts'
import { seeded } from './seeded.ts'

for (const transport of ['uws', 'ws'] as const) {
  seeded(requestsOn(transport), {
    rows: 'a request that keeps to HTTP gets one whole reply, and its refusal is spelled as its family spells it',
    heads: 'a head that does not leads to no fault, and its connection ends',
  })
}
