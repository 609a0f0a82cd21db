import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { checkLayers } from './check-layers.ts'

type Files = Readonly<Record<string, string>>

const made: string[] = []
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true })
})

interface Manifest {
  readonly exports?: Readonly<Record<string, unknown>> | undefined
  readonly dependencies?: Readonly<Record<string, string>>
}

function manifest(name: string, { exports, dependencies = {} }: Manifest): string {
  return JSON.stringify({ name: `@jackstay/${name}`, exports, dependencies })
}

const folders = ['core/contract', 'core/kube', 'core/service', 'control-plane/mediator', 'lab']
const readmes = Object.fromEntries(folders.map((folder) => [`${folder}/README.md`, '# What\n']))

/** A small house in which every rule holds. */
const sound: Files = {
  ...readmes,
  'package.json': JSON.stringify({
    name: 'jackstay',
    workspaces: folders,
    devDependencies: { 'fast-check': '4.10.2' },
  }),
  'docs/adr/dependencies.md': '| `zod` | why |\n| `fast-check` | why |\n',
  'core/contract/package.json': manifest('contract', {
    exports: { './text': './text.ts' },
    dependencies: { zod: '4.6.7' },
  }),
  'core/contract/text.ts': "import { z } from 'zod'\nexport const text = z.string()\n",
  'core/contract/text.test.ts': "import 'fast-check'\nimport './text.ts'\n",
  'core/kube/package.json': manifest('kube', {
    exports: { './client': './client.ts' },
    dependencies: { '@jackstay/contract': '0.1.0' },
  }),
  'core/kube/client.ts':
    "import { text } from '@jackstay/contract/text'\nexport interface Client { x: 1 }\nexport const client = text\n",
  'core/service/package.json': manifest('service', {
    exports: {},
    dependencies: { '@jackstay/kube': '0.1.0' },
  }),
  'core/service/caller.ts':
    "import type { Client } from '@jackstay/kube/client'\nexport type C = Client\n",
  'control-plane/mediator/package.json': manifest('mediator', {
    exports: {},
    dependencies: { '@jackstay/kube': '0.1.0' },
  }),
  'control-plane/mediator/pipeline.ts': "import '@jackstay/kube/client'\nimport 'node:fs'\n",
  'lab/package.json': manifest('lab', { exports: { './start': './start.ts' } }),
  'lab/start.ts': 'export const start = 1\n',
}

async function check(files: Files): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'layers-'))
  made.push(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return checkLayers(root)
}

test('a house in which every rule holds has no violation', async () => {
  assert.deepEqual(await check(sound), [])
})

const contract = 'core/contract'
const mediator = 'control-plane/mediator'

/** A violation of each rule, and what the check says about it. */
const planted: readonly { readonly name: string; readonly add: Files; readonly says: RegExp }[] = [
  {
    name: 'the contract imports a package of ours',
    add: { [`${contract}/a.ts`]: "import { client } from '@jackstay/kube/client'\nclient\n" },
    says: /core\/contract may not import core\/kube/,
  },
  {
    name: 'a re-export',
    add: { [`${contract}/a.ts`]: "export * from '@jackstay/kube/client'\n" },
    says: /core\/contract may not import core\/kube/,
  },
  {
    name: 'a dynamic import',
    add: { [`${contract}/a.ts`]: "export const k = () => import('@jackstay/kube/client')\n" },
    says: /core\/contract may not import core\/kube/,
  },
  {
    name: 'a type-only import',
    add: {
      [`${contract}/a.ts`]:
        "import type { Client } from '@jackstay/kube/client'\nexport type A = Client\n",
    },
    says: /core\/contract may not import core\/kube/,
  },
  {
    name: 'a type-only re-export',
    add: { [`${contract}/a.ts`]: "export type { Client } from '@jackstay/kube/client'\n" },
    says: /core\/contract may not import core\/kube/,
  },
  {
    name: 'an import in the place of a type',
    add: { [`${contract}/a.ts`]: "export type A = import('@jackstay/kube/client').Client\n" },
    says: /core\/contract may not import core\/kube/,
  },
  {
    name: 'a relative import into another room',
    add: { [`${contract}/a.ts`]: "import '../kube/client.ts'\n" },
    says: /core\/contract may not import core\/kube/,
  },
  {
    name: 'a relative import past the door of an allowed room',
    add: { [`${mediator}/a.ts`]: "import '../../core/contract/text.ts'\n" },
    says: /leaves the package/,
  },
  {
    name: 'more than types where only types are allowed',
    add: { 'core/service/a.ts': "import { client } from '@jackstay/kube/client'\nclient\n" },
    says: /core\/service may not import core\/kube except its types/,
  },
  {
    name: 'an import of the lab',
    add: { [`${mediator}/a.ts`]: "import '@jackstay/lab/start'\n" },
    says: /mediator may not import lab/,
  },
  {
    name: 'a manifest that depends on a forbidden room',
    add: {
      'core/contract/package.json': manifest('contract', {
        exports: { './text': './text.ts' },
        dependencies: { zod: '4.6.7', '@jackstay/kube': '0.1.0' },
      }),
    },
    says: /core\/contract\/package.json: depends on core\/kube/,
  },
  {
    name: 'a package in no room',
    add: { 'core/attic/package.json': manifest('attic', { exports: {} }) },
    says: /core\/attic: no row of the import table/,
  },
  {
    name: 'a package that the root does not list',
    add: { 'core/judge/package.json': manifest('judge', { exports: {} }) },
    says: /`workspaces` misses core\/judge/,
  },
  {
    name: 'a workspace without package',
    add: { 'package.json': JSON.stringify({ workspaces: [...folders, 'core/judge'] }) },
    says: /`workspaces` names core\/judge/,
  },
  {
    name: 'a door that is a wildcard',
    add: { 'lab/package.json': manifest('lab', { exports: { './*': './*.ts' } }) },
    says: /lab\/package.json: the door `\.\/\*` is a wildcard/,
  },
  {
    name: 'a door to no file',
    add: { 'lab/package.json': manifest('lab', { exports: { './gone': './gone.ts' } }) },
    says: /the door `.\/gone` leads to `.\/gone.ts`, no such file/,
  },
  {
    name: 'a package without doors',
    add: { 'lab/package.json': manifest('lab', { exports: undefined }) },
    says: /lab\/package.json: has no `exports`/,
  },
  {
    name: 'an import of what is no door',
    add: { [`${mediator}/a.ts`]: "import '@jackstay/kube/inside'\n" },
    says: /`@jackstay\/kube\/inside` is no door of core\/kube/,
  },
  {
    name: 'an index file',
    add: { [`${mediator}/index.ts`]: 'export {}\n' },
    says: /no index files/,
  },
  {
    name: 'a folder whose name says nothing',
    add: { [`${mediator}/utils/text.ts`]: 'export {}\n' },
    says: /mediator\/utils: `utils` says nothing/,
  },
  {
    name: 'a file whose name says nothing',
    add: { [`${mediator}/helpers.ts`]: 'export {}\n' },
    says: /`helpers` says nothing/,
  },
  {
    name: 'a long README',
    add: { 'lab/README.md': '# Lab\n'.repeat(31) },
    says: /lab\/README.md: 31 lines/,
  },
  {
    name: 'a version range',
    add: {
      'core/contract/package.json': manifest('contract', {
        exports: { './text': './text.ts' },
        dependencies: { zod: '^4.6.7' },
      }),
    },
    says: /`zod` is `\^4.6.7`, pin one exact version/,
  },
  {
    name: 'an undeclared npm package',
    add: { [`${mediator}/a.ts`]: "import 'zod'\n" },
    says: /imports `zod`, which control-plane\/mediator\/package.json does not declare/,
  },
  {
    name: 'a tool of tests in code',
    add: { [`${mediator}/a.ts`]: "import 'fast-check'\n" },
    says: /imports `fast-check`/,
  },
  {
    name: 'a module of Node without its prefix',
    add: { [`${mediator}/a.ts`]: "import 'fs'\n" },
    says: /write `node:fs`/,
  },
  {
    name: 'an import of a computed name',
    add: { [`${mediator}/a.ts`]: 'export const a = (name: string) => import(name)\n' },
    says: /imports a computed name/,
  },
  {
    name: 'a dependency nobody explained',
    add: { 'docs/adr/dependencies.md': '| `zod` | why |\n' },
    says: /has no line for `fast-check`/,
  },
  {
    name: 'a map longer than a page',
    add: { [`${mediator}/pipeline.ts`]: 'export {}\n'.repeat(151) },
    says: /pipeline.ts: 151 lines/,
  },
]

for (const { name, add, says } of planted) {
  test(`fails on ${name}`, async () => {
    const violations = await check({ ...sound, ...add })
    assert.match(violations.join('\n'), says)
  })
}

test('fails on a package without README', async () => {
  const { 'lab/README.md': _, ...rest } = sound
  assert.match((await check(rest)).join('\n'), /lab: has no README.md/)
})
