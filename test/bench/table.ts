/** Figures as a person reads them on a terminal: a row each, in sections, as wide as the longest row needs. */
import type { Figure } from './figure.ts'

const HEAD = ['', 'measured', 'against (figure / reference)', 'budget', ''] as const

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((one) => ({ section: one.section, cells: cellsOf(one) }))
  const widths = HEAD.map((title, at) => Math.max(title.length, ...rows.map(({ cells }) => cells[at]?.length ?? 0)))
  const line = (cells: readonly string[]) => cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ').trimEnd()
  const lines = [line(HEAD)]
  let section = ''
  for (const row of rows) {
    if (row.section !== section) lines.push('', row.section.toUpperCase())
    section = row.section
    lines.push(line(row.cells))
  }
  return lines.join('\n')
}

function cellsOf({ name, value, unit, against, verdict, remarks }: Figure): readonly string[] {
  const compared = against.map((one) => `${shown(one.ratio)} x ${one.name} ${shown(one.value)}`).join(', ')
  const kept = verdict === undefined ? '' : `${verdict.budget}: ${verdict.met ? 'met' : 'MISSED'}`
  return [`  ${name}`, `${shown(value)} ${unit}`, compared, kept, remarks.join('; ')]
}

/** Three digits that count, and no more. */
export function shown(value: number): string {
  if (Number.isNaN(value)) return '?'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return Number(value.toPrecision(value !== 0 && Math.abs(value) < 0.1 ? 2 : 3)).toString()
}
