/** What a person reads when the gateway has started: where it is, who answers, and how to say the first thing to it. */
import type { StartedGateway } from '../main.ts'

export function banner(gateway: StartedGateway): string {
  const { url, version, transport, home, auth, report, warnings, model } = gateway
  const failed = Object.entries(report.failed).map(([id, reason]) => `  plugin ${id} failed: ${reason}`)
  return [
    '',
    `Isopod ${version} listens on ${url} (${transport}); its home is ${home}`,
    ...openLines(gateway),
    ...warnings.map((warning) => `  ${warning}`),
    ...failed,
    ...modelLines(model),
    '',
    ...tokenLines(gateway),
    'Say something to it, in another terminal:',
    '',
    `  curl ${url}/v1/chat/completions${auth === 'none' ? '' : ' -H "Authorization: Bearer $ISOPOD_TOKEN"'} \\`,
    `    -H 'Content-Type: application/json' -d '{"model":"isopod","messages":[{"role":"user","content":"Hello!"}]}'`,
    '',
    '',
  ].join('\n')
}

function openLines({ isOpen, isEncrypted, port }: StartedGateway): string[] {
  if (!isOpen) return []
  const clear = isEncrypted ? '' : ', and without gateway.tls tokens and messages can be read on the way'
  return [`  It can be reached from other machines, on port ${port}${clear}`]
}

function modelLines(model: string | undefined): string[] {
  if (model === undefined) return []
  if (model !== 'isopod/offline') return [`  ${model} answers whoever names no model`]
  return ['  No model is configured: an offline one answers, which is none and says so']
}

function tokenLines({ firstToken, tokenFrom, auth }: StartedGateway): string[] {
  if (auth === 'none') return []
  if (tokenFrom !== undefined) {
    return [`Clients show the token in ${tokenFrom}, which may do everything while it is set. A token made at an earlier start is not accepted meanwhile.`, '']
  }
  if (firstToken === undefined) return ['Clients show the token you have. A new one: npm run isopod -- token create NAME', '']
  return ['Your token, shown this once. Keep it where your other passwords are:', '', `  export ISOPOD_TOKEN=${firstToken}`, '']
}
