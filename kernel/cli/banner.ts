/** What a person reads when the gateway has started: where it is, and how to say the first thing to it. */
import type { StartedGateway } from '../main.ts'

export function banner({ url, version, transport, home, firstToken, auth, report, warnings }: StartedGateway): string {
  const failed = Object.entries(report.failed).map(([id, reason]) => `  plugin ${id} failed: ${reason}`)
  return [
    '',
    `Isopod ${version} listens on ${url} (${transport}); its home is ${home}`,
    ...warnings.map((warning) => `  ${warning}`),
    ...failed,
    '',
    ...tokenLines(firstToken, auth),
    'Say something to it:',
    '',
    `  curl ${url}/v1/chat/completions${auth === 'none' ? '' : ' -H "Authorization: Bearer $ISOPOD_TOKEN"'} \\`,
    `    -H 'Content-Type: application/json' -d '{"model":"isopod","messages":[{"role":"user","content":"Hello!"}]}'`,
    '',
    '',
  ].join('\n')
}

function tokenLines(firstToken: string | undefined, auth: StartedGateway['auth']): string[] {
  if (auth === 'none') return []
  if (firstToken === undefined) return ['Clients show the token you have. A new one: npm run isopod -- token create NAME', '']
  return ['Your token, shown this once. Keep it where your other passwords are:', '', `  export ISOPOD_TOKEN=${firstToken}`, '']
}
