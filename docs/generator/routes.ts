/** The URLs there are, each with the method it calls, and what a WebSocket's dialect is told by. */
import type { Dialect } from '@isopod/plugin-api'
import type { Generation } from '@isopod/kernel/generation.ts'
import { code, page, table } from './page.ts'

const ABOUT = `Every URL is a row onto a method. \`own\` is a credential that the method itself asks for. Whatever is not listed here is refused: 401
without a credential, and only then 404 or 405.`

const CREDENTIALS = { token: 'token', public: 'none', own: 'own' } as const

export function routesPage({ routes, dialects }: Generation): string {
  const rows = [...routes.values()]
    .sort((left, right) => (left.item.path < right.item.path ? -1 : 1))
    .map(({ item, instance }) => [code(`${item.verb} ${item.path}`), code(item.call), CREDENTIALS[item.auth ?? 'token'], instance.id])
  return page(
    'Routes and dialects',
    ABOUT,
    table(['URL', 'calls', 'credential', 'served by'], rows),
    '## Dialects of the WebSocket\n\nA socket is opened at `/` or `/ws`, or at a path that a dialect brings.',
    table(['dialect', 'subprotocols', 'paths', 'first frame', 'brought by'], [...dialects.values()].map(({ item, instance }) => dialectRow(item, instance.id))),
  )
}

function dialectRow({ name, subprotocols = [], paths = [], openings = [] }: Dialect, plugin: string): readonly string[] {
  return [code(name), subprotocols.map(code).join(', '), paths.map(code).join(', '), openings.map(opening).join('; '), plugin]
}

function opening({ has, lacks = [], types = [], otherThan = [] }: NonNullable<Dialect['openings']>[number]): string {
  const parts = [
    has === undefined ? '' : `has ${code(has)}`,
    lacks.length === 0 ? '' : `lacks ${lacks.map(code).join(', ')}`,
    types.length === 0 ? '' : `\`type\` is ${types.map(code).join(' or ')}`,
    otherThan.length === 0 ? '' : `\`type\` is not ${otherThan.map(code).join(' or ')}`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}
