import { spawn } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LineWorld } from '@jackstay/e2e/line-world'
import { cpuSeconds } from './cpu.ts'
import { type KwokPods, withKwokPods } from './kwok-pods.ts'
import { rounded, table, whole } from './table.ts'

export interface ScaleOptions {
  readonly pods: number
  readonly seconds: number
  /** Pods that are replaced a second, in the second half. */
  readonly churn: number
}

/**
 * What a container starts it with. Unbounded, the young heaps of its three threads take more than
 * all they keep; and what a list of 10,000 Pods leaves behind is not given back while it is idle.
 */
export const mediatorFlags = ['--max-semi-space-size=8', '--optimize-for-size'] as const

interface Side {
  readonly name: string
  readonly pid: number
}

/**
 * The mediator as it is shipped, started beside so many Pods, idle and while Pods end and begin; beside
 * `kubectl get pods -A --watch`, which is what one would leave running to see the same changes. Both
 * are read at the same time, from /proc.
 */
export async function measureScale(world: LineWorld, options: ScaleOptions): Promise<string> {
  return withKwokPods(world, options.pods, async (pods) => {
    const { mediator } = world.plane
    // its caches start with everything there is
    await mediator.stop()
    await mediator.start()
    const watching = watchPods(world)
    try {
      await watching.listed(options.pods)
      const sides = [
        { name: 'mediator, bundled', pid: mediator.pid() },
        { name: 'kubectl get pods -A --watch', pid: watching.pid },
      ]
      const idle = await during(sides, () => sleep(options.seconds * 1000))
      const seen = watching.lines()
      const churned = await during(sides, () => churn(pods, options))
      const changes = (watching.lines() - seen) / options.seconds
      return report({ ...options, nodes: pods.nodes, changes }, sides, idle, churned)
    } finally {
      watching.stop()
    }
  })
}

interface Used {
  readonly highestMb: number
  readonly coreShare: number
}

async function during(sides: readonly Side[], work: () => Promise<unknown>): Promise<Used[]> {
  const begun = performance.now()
  const before = sides.map(({ pid }) => cpuSeconds(pid))
  const highest = sides.map(({ pid }) => residentMb(pid))
  const timer = setInterval(() => {
    for (const [n, { pid }] of sides.entries()) {
      highest[n] = Math.max(highest[n] ?? 0, residentMb(pid))
    }
  }, 250)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  const seconds = (performance.now() - begun) / 1000
  return sides.map(({ pid }, n) => ({
    highestMb: highest[n] ?? Number.NaN,
    coreShare: (cpuSeconds(pid) - (before[n] ?? 0)) / seconds,
  }))
}

async function churn(pods: KwokPods, { seconds, churn }: ScaleOptions): Promise<void> {
  const begun = performance.now()
  for (let n = 0; n < seconds * churn; n++) {
    await pods.replaceOne()
    const ahead = (n / churn) * 1000 - (performance.now() - begun)
    if (ahead > 0) await sleep(ahead)
  }
}

interface Measured extends ScaleOptions {
  readonly nodes: number
  /** Of Pods, a second, as kubectl saw them while they were replaced. */
  readonly changes: number
}

function report(
  { pods, seconds, nodes, changes }: Measured,
  sides: readonly Side[],
  idle: readonly Used[],
  churned: readonly Used[],
): string {
  const cells = (used: Used | undefined) => [
    whole(used?.highestMb ?? Number.NaN),
    rounded((used?.coreShare ?? Number.NaN) * 100, 1),
  ]
  const rows = sides.map(({ name }, n) => [name, ...cells(idle[n]), ...cells(churned[n])])
  const head = ['', 'MB idle', '% of a core', `MB at ${whole(changes)} changes/s`, '% of a core']
  return [
    `beside ${whole(pods)} Pods on ${whole(nodes)} Nodes of kwok: highest resident memory, CPU over ${seconds} s; node ${mediatorFlags.join(' ')}`,
    table([head, ...rows]),
  ].join('\n')
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
}

function watchPods({ cluster, until }: LineWorld) {
  const child = spawn(cluster.kubectl, ['get', 'pods', '-A', '--watch', '--no-headers'], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const nowhere = createWriteStream('/dev/null')
  let lines = 0
  child.stdout.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 10) lines++
  })
  child.stdout.pipe(nowhere)
  return {
    pid: child.pid ?? 0,
    lines: () => lines,
    listed: (count: number) => until(async () => lines >= count, 'kubectl lists the Pods'),
    stop: () => child.kill('SIGKILL'),
  }
}
