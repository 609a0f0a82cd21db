import { relative } from 'node:path'
import type { Availability, Cluster, Progress } from '@jackstay/cluster/cluster'
import { rootFolder } from './root.ts'
import { runTests } from './run-tests.ts'
import { nothing, type Outcome, type Skip } from './step.ts'
import type { Suites } from './suites.ts'

/** The cluster of a run: end-to-end suites attach to it by this name. */
const clusterVariable = 'JACKSTAY_E2E_CLUSTER'

const fileTimeoutMs = 20 * 60_000

export interface Plan {
  readonly files: readonly string[]
  readonly mode: 'control-plane' | 'node' | 'none'
  readonly skipped: readonly Skip[]
}

/** Which suites the machine can run, and why not the others. Pure. */
export function planSuites({ cluster, node }: Suites, availability: Availability): Plan {
  if (availability.source === 'none') {
    return { files: [], mode: 'none', skipped: skips([...cluster, ...node], availability) }
  }
  if (availability.node) return { files: [...cluster, ...node], mode: 'node', skipped: [] }
  return { files: cluster, mode: 'control-plane', skipped: skips(node, availability) }
}

function skips(files: readonly string[], { missing }: Availability): Skip[] {
  const reason = missing.map(({ what, typeInstead }) => `needs ${what} (${typeInstead})`).join('; ')
  return files.map((file) => ({ name: relative(rootFolder, file), reason }))
}

/** Brings one cluster up for every suite, runs them one after another, and takes it down. */
export async function runOnRealCluster(suites: Suites): Promise<Outcome> {
  let outcome = nothing
  const skipped = await onRealCluster(suites, async (files) => {
    const options = { concurrency: 1, timeoutMs: fileTimeoutMs, onFile: showFile }
    outcome = await runTests(files, options)
  })
  return { ...outcome, skipped: [...outcome.skipped, ...skipped] }
}

/**
 * Brings up the cluster that suites attach to, for as long as `use` takes.
 * @returns what this machine cannot run, and why
 */
export async function onRealCluster(
  suites: Suites,
  use: (files: readonly string[]) => Promise<void>,
): Promise<readonly Skip[]> {
  const { availability, up } = await import('@jackstay/cluster/cluster')
  const found = await availability()
  const { files, mode, skipped } = planSuites(suites, found)
  if (files.length === 0 || mode === 'none') return skipped
  const cluster = await up({ mode }, showProgress)
  try {
    // a cluster that somebody gave us has no name to attach by: suites find it as we did
    if (found.source !== 'kubeconfig') process.env[clusterVariable] = cluster.name
    await use(files)
    return skipped
  } finally {
    delete process.env[clusterVariable]
    await down(cluster)
  }
}

function showFile(file: string, { passed, failed }: Outcome, seconds: number): void {
  process.stdout.write(
    `  … ${file}: ${passed} passed, ${failed} failed in ${seconds.toFixed(1)} s\n`,
  )
}

async function down(cluster: Cluster): Promise<void> {
  process.stdout.write(`  … cluster ${cluster.name} down\n`)
  await cluster.down()
}

function showProgress({ step, state, elapsedMs }: Progress): void {
  // every two seconds is for terminals; a log wants the ends of what took long
  if (state === 'started' || state === 'running') return
  if (state === 'done' && elapsedMs < 1000) return
  process.stdout.write(`  … ${step}: ${state} after ${(elapsedMs / 1000).toFixed(1)} s\n`)
}
