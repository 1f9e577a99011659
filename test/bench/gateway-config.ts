/**
 * The config the measured gateway runs with, as an owner would write it: nothing is switched off to be quicker.
 * Authentication, validation, the log, the store and every built-in plugin are as they come, and so are all defaults that do
 * not stand here. The limits are so high that no load reaches them, and not 0, so that everything is still counted.
 */
export function gatewayConfig(upstreamPort: number): string {
  return `gateway:
  port: 0
  auth: { enabled: true, token: "\${ISOPOD_TOKEN}" }
  limits:
    connections: 20000
    requestsPerMinute: 1000000000
    callsPerMinute: 1000000000
models:
  default: bench/paced-0
  providers:
    bench: { api: openai-compatible, baseUrl: "http://127.0.0.1:${upstreamPort}/v1" }
log: { level: info }
`
}
