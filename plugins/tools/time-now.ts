/** `time_now`: models do not know the time, and guess it with confidence. */
import { RpcError, type Context, type TypedTool } from '@isopod/plugin-api'

const PARAMS = {
  type: 'object',
  additionalProperties: false,
  properties: {
    timeZone: { type: 'string', minLength: 1, maxLength: 64, description: 'An IANA time zone such as Europe/Berlin. The owner\'s unless said.' },
  },
} as const

export const timeNow: TypedTool<typeof PARAMS> = {
  name: 'time_now',
  description: 'The current date, time and weekday, in the given time zone or the owner\'s own. Use it whenever an answer depends on today or now.',
  effects: [],
  params: PARAMS,
  handle({ timeZone }, ctx) {
    const zone = timeZone ?? ownZone(ctx)
    const now = ctx.now()
    const parts = partsOf(now, zone)
    return { iso: isoOf(parts), utc: new Date(now).toISOString(), timeZone: zone, weekday: parts.weekday }
  },
}

interface Parts {
  readonly weekday: string
  readonly date: string
  readonly time: string
  /** `+02:00`. */
  readonly offset: string
}

/** The zone of the config, else the machine's. */
function ownZone({ config }: Context): string {
  const zone = config['timeZone']
  return typeof zone === 'string' ? zone : new Intl.DateTimeFormat().resolvedOptions().timeZone
}

function partsOf(now: number, timeZone: string): Parts {
  const said = new Map(formatFor(timeZone).formatToParts(now).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes) => said.get(type) ?? ''
  return {
    weekday: part('weekday'),
    date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}:${part('minute')}:${part('second')}`,
    offset: part('timeZoneName').slice('GMT'.length) || '+00:00',
  }
}

function isoOf({ date, time, offset }: Parts): string {
  return `${date}T${time}${offset}`
}

/** Throws `invalid_request` for a zone that is in no table. */
function formatFor(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone, calendar: 'iso8601', numberingSystem: 'latn', hourCycle: 'h23', timeZoneName: 'longOffset', weekday: 'long',
      year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    })
  } catch (cause) {
    const message = `There is no time zone ${JSON.stringify(timeZone)}; use an IANA name such as Europe/Berlin, or UTC`
    throw new RpcError('invalid_request', message, { param: 'timeZone', cause })
  }
}
