import type { LineWorld, Tenant } from '@jackstay/e2e/line-world'
import { watchCache } from '@jackstay/kube/cache'
import { isRecord } from '@jackstay/kube/resources'
import { waited } from './quantiles.ts'
import { table } from './table.ts'

/**
 * From a signed intent to its write in the API server, where the rules allow it without a person;
 * beside `kubectl scale` of the same Deployment. Either counts from the moment it is sent or started
 * until a watch of the API server tells of the write. Taking turns; the first turns are not counted.
 */
export async function measureApplied(world: LineWorld, runs: number): Promise<string> {
  const rules = [{ name: 'allow', allow: { when: 'true' } }]
  const tenant = await world.tenant({ rules })
  const names = Array.from({ length: runs + 2 }, (_, n) => `bench-${n}`)
  for (const name of names) await world.deployment(tenant, name, 1)
  const seen = await watched(world, tenant.targets)
  const intents: number[] = []
  const kubectls: number[] = []
  try {
    for (const name of names) {
      intents.push(await seen.until(name, 0, () => byIntent(tenant, name)))
      kubectls.push(await seen.until(name, 1, () => byKubectl(world, tenant, name)))
    }
  } finally {
    seen.stop()
  }
  return report(intents.slice(2), kubectls.slice(2))
}

async function byIntent({ agent, targets }: Tenant, name: string): Promise<() => Promise<void>> {
  const body = await agent.submission(0, { namespace: targets, name })
  return async () => {
    const { status } = await agent.submit(body)
    if (status !== 202) throw new Error(`the intent was refused with ${status}`)
  }
}

async function byKubectl(
  world: LineWorld,
  { targets }: Tenant,
  name: string,
): Promise<() => Promise<void>> {
  return async () => {
    const args = ['-n', targets, 'scale', `deployment/${name}`, '--replicas=1']
    const { code, stderr } = await world.kubectl(args)
    if (code !== 0) throw new Error(stderr)
  }
}

/** Replicas in the API server, by a watch: polling would load what is measured. */
async function watched({ admin, signal }: LineWorld, namespace: string) {
  const cache = watchCache({
    client: admin,
    resource: { apiVersion: 'apps/v1', resource: 'deployments' },
    namespace,
    project: ({ metadata, spec }) => ({
      name: metadata.name,
      replicas: isRecord(spec) ? spec.replicas : undefined,
    }),
  })
  await cache.whenSynced(signal)
  return {
    stop: () => cache.stop(),
    /** Milliseconds from the start of the work to the write. @throws what the work throws */
    async until(name: string, replicas: number, prepare: () => Promise<() => Promise<void>>) {
      const work = await prepare()
      const written = Promise.withResolvers<number>()
      const late = setTimeout(() => written.reject(new Error('not applied after 30 s')), 30_000)
      const end = cache.onChange(({ value }) => {
        if (value.name === name && value.replicas === replicas) written.resolve(performance.now())
      })
      try {
        const startedAt = performance.now()
        const [at] = await Promise.all([written.promise, work()])
        return at - startedAt
      } finally {
        end()
        clearTimeout(late)
      }
    },
  }
}

function report(intents: readonly number[], kubectls: readonly number[]): string {
  const rows = [
    ['', 'median ms', 'p99 ms', 'ratio of medians'],
    ['intent', ...waited(intents, kubectls)],
    ['kubectl scale', ...waited(kubectls, kubectls)],
  ]
  return [
    `from asking to the write in the API server: ${intents.length} runs, taking turns`,
    table(rows),
    '  an intent is verified, planned, decided, rehearsed, recorded and written; kubectl starts, reads, writes',
  ].join('\n')
}
