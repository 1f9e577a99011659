/** The methods there are: those anybody may call, and those only plugins may. */
import type { Method } from '@isopod/plugin-api'
import type { Bound } from '@isopod/kernel/collector.ts'
import type { Generation } from '@isopod/kernel/generation.ts'
import { code, page, table } from './page.ts'
import { fieldsOf } from './schema.ts'

const ABOUT = `Everything the gateway can do, by the names the core knows. A dialect or a route spells a method in its own way; the meaning
is the same. \`system.methods\` answers the same list for the gateway that runs.`

export function methodsPage({ methods }: Generation): string {
  const all = [...methods.values()].sort((left, right) => (left.item.name < right.item.name ? -1 : 1))
  const open = all.filter(({ item }) => !item.internal)
  const internal = all.filter(({ item }) => item.internal)
  return page(
    'Methods',
    ABOUT,
    summary(open),
    ...open.map(detail),
    '## For plugins only\n\nTo everybody else these do not exist.',
    summary(internal),
    ...internal.map(detail),
  )
}

function summary(methods: readonly Bound<Method>[]): string {
  const rows = methods.map(({ item, instance }) => [code(item.name), item.scope, instance.id, item.description ?? ''])
  return table(['method', 'scope', 'served by', 'what it does'], rows)
}

function detail({ item }: Bound<Method>): string {
  const rows = fieldsOf(item.params).map(({ path, takes, required, description }) => [code(path), takes, required ? 'yes' : '', description])
  const fields = table(['parameter', 'takes', 'required', 'what it is'], rows)
  const notes = [item.streams ? 'Answers a stream.' : '', item.deadlineMs === undefined ? '' : deadline(item.deadlineMs)].filter((note) => note !== '')
  return [`### ${item.name}`, notes.join(' '), fields === '' ? 'Takes no parameters.' : fields].filter((part) => part !== '').join('\n\n')
}

function deadline(ms: number): string {
  return ms === 0 ? 'Has no deadline of its own.' : `May take ${ms} ms.`
}
