import { globSync } from 'node:fs'
import { join } from 'node:path'
import { rootFolder } from './root.ts'

export interface Suites {
  /** Beside the source and below `test`; need nothing but Node. */
  readonly unit: readonly string[]
  /** Beside other people's programs, which Go builds: minutes at the first run, seconds later. */
  readonly go: readonly string[]
  /** Need a real API server. */
  readonly cluster: readonly string[]
  /** Need a node that runs Pods as well. */
  readonly node: readonly string[]
}

/** Every test file of the checkout, as absolute paths. */
export function findSuites(): Suites {
  const all = globSync(
    '{core,control-plane,data-plane,interfaces,lab,scripts,test}/**/*.{test,e2e}.ts',
    {
      cwd: rootFolder,
      exclude: (name) => name === 'node_modules' || name === 'dist',
    },
  ).toSorted()
  const files = (suffix: string) =>
    all.filter((file) => file.endsWith(suffix)).map((file) => join(rootFolder, file))
  const node = files('.node.e2e.ts')
  const go = files('.go.test.ts')
  return {
    unit: files('.test.ts').filter((file) => !go.includes(file)),
    go,
    cluster: files('.e2e.ts').filter((file) => !node.includes(file)),
    node,
  }
}
