/** WebSocket frames that nobody wrote by hand, as bytes on both transports. */
import { framesOn } from './frames.ts'
import { seeded } from './seeded.ts'

for (const transport of ['uws', 'ws'] as const) {
  seeded(framesOn(transport), {
    talk: 'a socket whose frames keep to the protocol answers to the end, or is closed with a code that says why',
    bytes: 'a socket whose bytes do not ends, and nobody else notices',
  })
}
