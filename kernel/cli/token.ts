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

export async function listTokens(): Promise<void> {
  await withBook(async (book) => {
    for (const { name, scopes, createdAt } of book.list()) console.log(`${name}\t${scopes.join(',')}\t${new Date(createdAt).toISOString()}`)
  })
}

export async function revokeToken(name: string): Promise<void> {
  await withBook(async (book) => {
    const gone = await book.revoke(name)
    console.error(`The token '${gone.name}' no longer works`)
  })
}

async function withBook(use: (book: TokenBook) => Promise<void>): Promise<void> {
  const book = new TokenBook({ home: locateHome(process.env).path, clock: systemClock, warn: console.error })
  try {
    await use(book)
  } finally {
    await book.close()
  }
}
