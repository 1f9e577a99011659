import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** Runs a module in a process of its own, in which every import is written down in `imported`. */
async function ran(script: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const prelude = `
    import { registerHooks } from 'node:module'
    const imported = []
    registerHooks({ resolve: (specifier, context, next) => (imported.push(specifier), next(specifier, context)) })
    const { default: models } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url))})
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', '--input-type=module', '--eval', prelude + script], {
    cwd: import.meta.dirname,
    env: { PATH: process.env['PATH'], ...environment },
  })
  return stdout.trim()
}

test('loading and registering the plugin loads no provider\'s package', async () => {
  const imported = await ran(`
    const hook = { tap: (_name, contribute) => contribute({ add: () => {} }) }
    models.register({ hooks: { methods: hook, models: hook } })
    console.log(imported.join('\\n'))
  `)
  assert.match(imported, /\.\/roster\.ts/)
  assert.doesNotMatch(imported, /@ai-sdk|node:|vendors/)
})

test('a blank address in the environment counts as unset', async () => {
  const answered = await ran(`
    models.start({ config: {} })
    for (const name of ['openai', 'anthropic', 'openai-compatible']) await import('@ai-sdk/' + name)
    console.log('loaded')
  `, { OPENAI_BASE_URL: '', ANTHROPIC_BASE_URL: '  ' })
  assert.equal(answered, 'loaded')
})
