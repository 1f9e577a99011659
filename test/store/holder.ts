/** A process that holds a home until it is killed, and says so. */
import { systemClock } from '../../kernel/clock.ts'
import { openHome } from '../../kernel/home.ts'

const home = await openHome(process.env, { clock: systemClock })
home.announce(18789)
process.stdout.write('held\n')
setInterval(() => {}, 60_000)
