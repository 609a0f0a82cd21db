import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Cluster, type Mode, up } from './cluster.ts'
import { tracesOf } from './leftovers.ts'
import { run } from './process.ts'
import { progressLine } from './progress.ts'
import { type ClusterState, readState } from './state.ts'

/** What the end-to-end tests of the harness itself have in common. */
const LIMIT_MS = 120_000

/** The first one fills the cache, the second shows what a warm start takes. */
export async function upTwice(mode: Mode): Promise<Cluster> {
  const say = (text: string) => process.stdout.write(`${text}\n`)
  const cold = await up({ mode }, (progress) => {
    if (progress.state === 'done') say(progressLine(progress))
  })
  await cold.down()
  const begun = performance.now()
  const cluster = await up({ mode })
  say(`warm start, ${mode}: ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  return cluster
}

export async function killedOwnerLeavesNothing(mode: Mode): Promise<void> {
  const name = `owned-${mode}-${process.pid}`
  const script = fileURLToPath(new URL('e2e-owner.ts', import.meta.url))
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  const owner = spawn(process.execPath, [script, name, mode], { stdio: [...stdio] })
  const ended = once(owner, 'exit')
  const limit = AbortSignal.timeout(LIMIT_MS)
  const said = once(owner.stdout, 'data', { signal: limit })
  const [first] = await Promise.race([said, ended])
  assert.equal(String(first), 'up\n', 'the owner brings a cluster up')
  const traces = tracesOf(stateOf(name))
  assert.notDeepEqual(await traces(), [])
  owner.kill('SIGKILL')
  await ended
  await eventually(async () => (await traces()).join('\n'), /^$/)
}

export function stateOf(name: string): ClusterState {
  const state = readState(name)
  if (state === undefined) throw new Error(`the cluster \`${name}\` has no state`)
  return state
}

export function kubectl(
  { kubectl: program, kubeconfig, directory }: Cluster,
  ...args: string[]
): Promise<string> {
  // its cache of what the server knows belongs to the cluster and goes with it
  const cache = ['--cache-dir', join(directory, 'kubectl')]
  return run([program, '--kubeconfig', kubeconfig, ...cache, ...args], { timeoutMs: LIMIT_MS })
}

/** Reads until the text is as wanted, for at most half a minute; a read that fails is tried again. */
export async function eventually(read: () => Promise<string>, wanted: RegExp): Promise<string> {
  const end = performance.now() + 30_000
  for (;;) {
    const text = await read().catch(String)
    if (wanted.test(text) || performance.now() > end) {
      assert.match(text, wanted)
      return text
    }
    await delay(200)
  }
}
