import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { buildPrograms, startBundles } from './build.ts'
import { onRealCluster } from './real-cluster.ts'
import { rootFolder } from './root.ts'
import { findSuites } from './suites.ts'
import { report } from './threats/report.ts'
import { threats } from './threats/threats.ts'
import { type Trial, trialsOf } from './threats/trials.ts'

const usage = `usage: npm run threats -- [--unit] [ID]...

  Tries the attacks of docs/reference/threats.md and prints each: id, what was tried, what happened.

  --unit    only those that need no cluster
  ID        only these, e.g. T24 T77

Examples:
  npm run threats -- --unit T24
  npm run threats -- T26

Without --unit it brings up a real Kubernetes, as \`npm test\` does. Exit code 1 when an attack was not
held off, 2 for wrong arguments.
`

const fileTimeoutMs = 20 * 60_000

/** Files in whose text an id stands; which tests carry it is seen when they run. */
function carrying(files: readonly string[], ids: readonly string[]): string[] {
  return files.filter((file) => {
    const text = readFileSync(file, 'utf8')
    return ids.some((id) => text.includes(id)) || /T\d\d[–-]T\d\d/.test(text)
  })
}

async function main(): Promise<number> {
  const options = { unit: { type: 'boolean' }, help: { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const unknown = positionals.find((id) => !threats.some((threat) => threat.id === id))
  if (unknown !== undefined) throw new Error(`no threat \`${unknown}\``)
  const ids = positionals.length > 0 ? positionals : threats.map(({ id }) => id)
  const suites = findSuites()
  const trials: Trial[] = []
  const tryAll = async (files: readonly string[]) => {
    for (const file of carrying(files, ids)) {
      const tried = await trialsOf(file, fileTimeoutMs)
      trials.push(...tried)
      const broken = tried.filter(({ outcome }) => outcome === 'broken').length
      process.stderr.write(
        `… ${relative(rootFolder, file)}: ${tried.length} tried, ${broken} not held off\n`,
      )
    }
  }
  await buildPrograms(() => {})
  await startBundles()
  await tryAll(suites.unit)
  if (!values.unit) await onRealCluster(suites, tryAll)
  const { text, ok } = report(trials, positionals)
  process.stdout.write(`\n${text}`)
  return ok ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exitCode = 2
}
