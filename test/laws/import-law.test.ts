/** Who may import whom. The law is the table in docs/ARCHITECTURE.md; here it is derived again from the sources themselves. */
import assert from 'node:assert/strict'
import { isBuiltin } from 'node:module'
import { describe, it } from 'node:test'
import { importsOf, packageOf, sourcesIn, workspaceOf, type Import } from './sources.ts'

/** Whether an import breaks a rule; `target` is ours, `specifier` as written. */
type Breaks = (one: Import) => boolean

const isIn = (folder: string) => (path: string | undefined) => path?.startsWith(`${folder}/`) ?? false
const inKernel = isIn('kernel')
const inSandbox = isIn('sandbox')
const inPlugins = isIn('plugins')
const inTesting = isIn('plugin-api/testing')
const inApi = (path: string | undefined) => isIn('plugin-api')(path) && !inTesting(path)

const DECLARED = 'a workspace imports the packages that its own package.json depends on, and no others'

/** Each rule, the files it binds, and what would break it. */
const LAW: readonly { readonly rule: string; readonly binds: (file: string) => boolean; readonly breaks: Breaks }[] = [
  { rule: 'the plugin API imports nothing of ours', binds: inApi, breaks: ({ target }) => target !== undefined && !inApi(target) },
  { rule: 'the kernel imports no plugin', binds: inKernel, breaks: ({ target }) => inPlugins(target) },
  { rule: 'of the kernel only main.ts imports the sandbox', binds: (file) => inKernel(file) && file !== 'kernel/main.ts', breaks: ({ target }) => inSandbox(target) },
  { rule: 'the kernel does not import the testing gateway', binds: inKernel, breaks: ({ target }) => inTesting(target) },
  {
    rule: 'the core imports nothing that has to do with connections',
    binds: (file) => ['kernel/dispatch.ts', 'kernel/generation.ts', 'kernel/events.ts', 'kernel/call.ts', 'kernel/kernel.ts', 'kernel/runs.ts'].includes(file),
    breaks: ({ target }) => /^kernel\/(?:transport|http|wire)\//.test(target ?? ''),
  },
  {
    rule: 'uWebSockets and ws are imported by their transports only',
    binds: (file) => !/^kernel\/transport\/(?:uws(?:-[a-z]+)*|ws(?:-[a-z]+)*)\.ts$/.test(file),
    breaks: ({ specifier }) => ['ws', 'uws-pack', 'uWebSockets.js'].includes(specifier),
  },
  { rule: 'the sandbox imports the plugin API and nothing else of ours', binds: inSandbox, breaks: ({ target }) => target !== undefined && !inApi(target) && !inSandbox(target) },
  { rule: 'isolated-vm is imported by the child only', binds: (file) => file !== 'sandbox/isolate.ts', breaks: ({ specifier }) => specifier === 'isolated-vm' },
  { rule: 'plugins import neither kernel nor sandbox nor the testing gateway', binds: inPlugins, breaks: ({ target }) => inKernel(target) || inSandbox(target) || inTesting(target) },
  {
    rule: 'a plugin knows another only by the types of its contract',
    binds: inPlugins,
    breaks: ({ file, target, typesOnly }) => inPlugins(target) && pluginOf(target) !== pluginOf(file) && !(typesOnly && target?.endsWith('/contract.ts')),
  },
  { rule: DECLARED, binds: () => true, breaks: isUndeclared },
]

/**
 * Whether what is imported is a package that the importing workspace neither is nor names as a dependency. The types of
 * another plugin's contract are gone before anything runs, and are the business of the rule above.
 */
function isUndeclared({ file, specifier, target, typesOnly }: Import): boolean {
  if (isBuiltin(specifier) || (typesOnly && target?.endsWith('/contract.ts'))) return false
  const { name, dependencies } = workspaceOf(file)
  const wanted = target === undefined ? packageOf(specifier) : workspaceOf(target).name
  return wanted !== name && !dependencies.has(wanted)
}

function pluginOf(path: string | undefined): string | undefined {
  return path?.split('/')[1]
}

const ALL = ['kernel', 'plugin-api', 'sandbox', 'plugins'].flatMap((folder) => sourcesIn(folder))
const IMPORTS = ALL.flatMap((file) => importsOf(file))

describe('the import law', () => {
  it('is about a tree that has files and imports in it', () => {
    assert.ok(ALL.length > 100, `${ALL.length} files`)
    assert.ok(IMPORTS.length > 300, `${IMPORTS.length} imports`)
    assert.ok(IMPORTS.some(({ specifier }) => specifier === 'ws') && IMPORTS.some(({ specifier }) => specifier === '@isopod/sandbox'), 'it sees packages and ours')
  })

  for (const { rule, binds, breaks } of LAW) {
    it(rule, () => {
      const broken = IMPORTS.filter((one) => binds(one.file) && breaks(one)).map(({ file, specifier }) => `${file} imports ${specifier}`)
      assert.deepEqual(broken, [])
    })
  }

  it('finds a violation where there is one', () => {
    const planted: Import = { file: 'kernel/dispatch.ts', specifier: '../plugins/chat/index.ts', target: 'plugins/chat/index.ts', typesOnly: false }
    assert.deepEqual(brokenBy(planted), ['the kernel imports no plugin', DECLARED])
    const borrowed: Import = { file: 'plugins/chat/loop.ts', specifier: 'ajv/dist/2020.js', target: undefined, typesOnly: false }
    assert.deepEqual(brokenBy(borrowed), [DECLARED])
    assert.deepEqual(brokenBy({ ...borrowed, file: 'kernel/validators.ts' }), [])
  })

  it('leaves no circle among the modules of the kernel, of a plugin or of the plugin API', () => {
    assert.deepEqual(['kernel', 'plugins', 'plugin-api', 'sandbox'].flatMap(circles), [])
  })
})

/** The rules that an import breaks. */
function brokenBy(one: Import): string[] {
  return LAW.filter(({ binds, breaks }) => binds(one.file) && breaks(one)).map(({ rule }) => rule)
}

/** Circles of value imports, each as the sorted files in it. */
function circles(folder: string): string[][] {
  const edges = new Map<string, string[]>()
  for (const { file, target, typesOnly } of IMPORTS) {
    if (typesOnly || !target?.startsWith(`${folder}/`) || !file.startsWith(`${folder}/`)) continue
    edges.set(file, [...(edges.get(file) ?? []), target])
  }
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (edges.get(from) ?? []).some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))))
  const inCircle = [...edges.keys()].filter((file) => reaches(file, file))
  const groups = new Map<string, string[]>()
  for (const file of inCircle) {
    const group = inCircle.filter((other) => reaches(file, other) && reaches(other, file)).sort()
    groups.set(group.join(), group)
  }
  return [...groups.values()]
}
