import type { LineWorld } from '@jackstay/e2e/line-world'
import { median } from './cpu.ts'

const runs = 20

/**
 * From a signed intent to its write in the API server, where the rules allow it without a person;
 * beside `kubectl scale` of the same Deployment. Medians of one run, taking turns.
 */
export async function measureApplied(world: LineWorld): Promise<string> {
  const rules = [{ name: 'allow', allow: { when: 'true' } }]
  const tenant = await world.tenant({ rules })
  const names = Array.from({ length: runs }, (_, i) => `bench-${i}`)
  for (const name of names) await world.deployment(tenant, name, 1)
  const intents: number[] = []
  const kubectls: number[] = []
  for (const name of names) {
    const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace: tenant.targets, name }
    const body = await tenant.agent.submission(0, { namespace: tenant.targets, name })
    const startedAt = performance.now()
    const { status } = await tenant.agent.submit(body)
    if (status !== 202) throw new Error(`the intent was refused with ${status}`)
    for (;;) {
      const { spec } = await world.admin.get(ref)
      if ((spec as { replicas?: number }).replicas === 0) break
      if (performance.now() - startedAt > 30_000) throw new Error('not applied after 30 s')
    }
    intents.push(performance.now() - startedAt)

    const scaledAt = performance.now()
    const args = ['-n', tenant.targets, 'scale', `deployment/${name}`, '--replicas=1']
    const scaled = await world.kubectl(args)
    if (scaled.code !== 0) throw new Error(scaled.stderr)
    kubectls.push(performance.now() - scaledAt)
  }
  const [ours, theirs] = [median(intents), median(kubectls)]
  return [
    `intent to applied: median of ${runs}, taking turns`,
    `  intent            ${ours.toFixed(0)} ms (verified, planned, decided, rehearsed, recorded, written)`,
    `  kubectl scale     ${theirs.toFixed(0)} ms`,
    `  ratio             ${(ours / theirs).toFixed(2)}`,
  ].join('\n')
}
