/** `isopod token`: makes, lists and ends tokens in the home's own file. A running gateway notices within about a second. */
import { SCOPES, type Scope } from '@isopod/plugin-api'
import { TokenBook } from '../auth/tokens.ts'
import { systemClock } from '../clock.ts'
import { locateHome } from '../home.ts'

/** Prints the token alone on standard output, so that a script can keep it. */
export async function createToken(name: string, scopeList: string): Promise<void> {
  const scopes = scopeList.split(',').map((scope) => scope.trim()) as Scope[]
  await withBook(async (book) => {
    const { token } = await book.create({ name, scopes }, SCOPES)
    console.error(`The token '${name}' may ${scopes.join(', ')}. It is shown this once:`)
    console.log(token)
  })
}

/** Prints the rows alone on standard output, and what its columns are beside them. */
export async function listTokens(): Promise<void> {
  await withBook(async (book) => {
    const rows = book.list().map(({ name, scopes, createdAt }): Row => [name, scopes.join(','), new Date(createdAt).toISOString()])
    if (rows.length === 0) return console.error('There are no tokens in this home. `token create NAME` makes one')
    const [head, ...lines] = aligned([['NAME', 'SCOPES', 'MADE'], ...rows])
    console.error(head)
    for (const line of lines) console.log(line)
  })
}

export async function revokeToken(name: string): Promise<void> {
  await withBook(async (book) => {
    const gone = await book.revoke(name)
    console.error(`The token '${gone.name}' no longer works`)
  })
}

type Row = readonly [name: string, scopes: string, made: string]

function aligned(rows: readonly Row[]): readonly string[] {
  const widest = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length))
  return rows.map(([name, scopes, made]) => `${name.padEnd(widest(0))}  ${scopes.padEnd(widest(1))}  ${made}`)
}

async function withBook(use: (book: TokenBook) => Promise<void>): Promise<void> {
  const book = new TokenBook({ home: locateHome(process.env).path, clock: systemClock, warn: console.error })
  try {
    await use(book)
  } finally {
    await book.close()
  }
}
