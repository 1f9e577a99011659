/**
 * The hooks of one generation: its own tapable hook under each name that the plugin API knows, frozen together. tapable
 * cannot un-tap, so hooks are never changed; the next generation has its own. Contributing hooks are rung once, while the
 * generation is assembled; asking hooks are a waterfall, since after one tap's change a bail hook would ask nobody else.
 */
import { AsyncParallelHook, AsyncSeriesWaterfallHook, SyncHook } from 'tapable'
import type { AskingHooks, HearingHooks } from '@isopod/plugin-api'
import type { Call } from './call.ts'
import type { Collector } from './collector.ts'

/** A question on its way through the taps. Once refused, the later taps are not asked. */
export interface Question<Subject = object> {
  readonly subject: Subject
  readonly refused?: string
  /** The tap that refused, `<plugin id>/<name>`. */
  readonly by?: string
}

type AskingHook = AsyncSeriesWaterfallHook<[Question, Call]>
type HearingHook = AsyncParallelHook<[object, Call]>
type ContributingHook = SyncHook<[Collector]>

export interface Hooks {
  readonly methods: ContributingHook
  readonly routes: ContributingHook
  readonly dialects: ContributingHook
  readonly tools: ContributingHook
  readonly models: ContributingHook
  readonly channels: ContributingHook
  readonly asking: { readonly [Name in keyof AskingHooks]: AskingHook }
  readonly hearing: { readonly [Name in keyof HearingHooks]: HearingHook }
}

/** Fresh hooks, with nothing tapped. */
export function freshHooks(): Hooks {
  const contributing = () => new SyncHook<[Collector]>(['collector'])
  const asking = () => new AsyncSeriesWaterfallHook<[Question, Call]>(['question', 'call'])
  const hearing = () => new AsyncParallelHook<[object, Call]>(['fact', 'call'])
  return Object.freeze({
    methods: contributing(),
    routes: contributing(),
    dialects: contributing(),
    tools: contributing(),
    models: contributing(),
    channels: contributing(),
    asking: Object.freeze({ callStarting: asking(), promptShaping: asking(), toolCalling: asking(), messageSending: asking() }),
    hearing: Object.freeze({ callSettled: hearing() }),
  })
}
