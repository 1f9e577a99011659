/** The refusals there are, and how each is spelled: by the families of URLs and by the dialects of the WebSocket. */
import { REFUSALS, type RefusalCode, upperCase } from '@isopod/plugin-api'
import { spell } from '@isopod/kernel/http/families.ts'
import { code, page, table } from './page.ts'

const ABOUT = `What a caller is told when a call is not carried out. There is one table of refusals; each family of URLs and each dialect spells
it in its own way, and nothing else crosses the wire as an error. HTTP itself adds 405 (another verb would do), 415 (a body that is no
JSON), 421 (another host's name) to \`invalid_request\`.`

/** A URL of each family that spells refusals differently; the first stands for all others. */
const FAMILIES = [
  { path: '/v1/chat/completions', told: 'All URLs that no other family claims. An error has `message`, `type`, `code`, and `param` where one field is to blame.' },
  { path: '/status', told: 'Under `/status`, `/v1/agent`, `/v1/sessions`, `/v1/channels` and `/v1/browser`.' },
  { path: '/api/v1/status', told: 'Under `/api/v1`.' },
  { path: '/api/rpc', told: '`/api/endpoint` and `/api/rpc`.' },
] as const

export function errorsPage(): string {
  const rows = REFUSALS.map((refusal) => [code(refusal), String(spelled(refusal, FAMILIES[0].path).status), code(upperCase(refusal))])
  return page('Errors', ABOUT, table(['refusal', 'HTTP', 'rpc dialect'], rows), '## How a family of URLs spells it', ...FAMILIES.map(family))
}

function family({ path, told }: (typeof FAMILIES)[number]): string {
  const rows = REFUSALS.map((refusal) => {
    const { status, body } = spelled(refusal, path)
    return [code(refusal), String(status), code(JSON.stringify(body))]
  })
  return `### As ${code(path)} does\n\n${told}\n\n${table(['refusal', 'HTTP', 'body'], rows)}`
}

function spelled(refusal: RefusalCode, path: string): ReturnType<typeof spell> {
  return spell({ code: refusal, message: '...' }, path)
}
