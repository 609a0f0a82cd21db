import { type Random, random } from './random.ts'
import {
  attacks,
  crew,
  type Edit,
  type Fault,
  failedJob,
  nodes,
  type Step,
  type StopScope,
  slips,
  type Timed,
  type Wish,
  workloads,
  workloadTenants,
} from './steps.ts'

/** How often what happens, in milliseconds between two of a kind on average. */
export interface Pace {
  readonly ask: number
  readonly slip: number
  readonly attack: number
  readonly kill: number
  readonly fault: number
  readonly stop: number
  readonly rules: number
  readonly edit: number
}

export const usualPace: Pace = {
  ask: 400,
  slip: 1_500,
  attack: 2_000,
  kill: 30_000,
  fault: 15_000,
  stop: 15_000,
  rules: 25_000,
  edit: 3_000,
}

/** Everything that will be done, in order; fixed by the seed, the length and the pace alone. */
export function schedule(seed: number, lengthMs: number, pace: Pace = usualPace): Timed[] {
  const stream = (name: keyof Pace, step: (chance: Random, count: number) => Step): Timed[] => {
    const chance = random(seed, name)
    const made: Timed[] = []
    const first = chance.between(0, 99)
    for (let at = chance.wait(pace[name]); at < lengthMs; at += chance.wait(pace[name])) {
      made.push({ at: Math.round(at), step: step(chance, first + made.length) })
    }
    return made
  }
  return [
    ...stream('ask', ask),
    ...stream('slip', (c, n) => ({
      do: 'slip',
      slip: nth(c, slips, n),
      tenant: c.pick(workloadTenants),
      wish: wish(c),
    })),
    ...stream('attack', (c, n) => ({
      ...{ do: 'attack', attack: nth(c, attacks, n) },
      ...{ tenant: c.pick(workloadTenants), wish: wish(c) },
    })),
    ...stream('kill', (c, n) => ({
      ...{ do: 'kill', program: nth(c, ['mediator', 'sidecar', 'mediator', 'registrar'], n) },
      downMs: c.between(0, 3_000),
    })),
    ...stream('fault', (c, n) => ({
      ...{ do: 'fault', fault: nth(c, faults, n) },
      ...{ share: c.between(2, 6) / 10, forMs: c.between(1_000, 8_000) },
    })),
    ...stream('stop', (c, n) => ({
      ...{ do: 'stop', scope: nth(c, scopes, n), tenant: c.pick(['free', 'free', 'asking']) },
      ...{ undo: c.chance(0.3) ? 'allow' : 'hold', wish: wish(c), forMs: c.between(1_000, 6_000) },
    })),
    ...stream('rules', (c, revision) => ({
      do: 'rules',
      tenant: c.pick(['free', 'asking']),
      revision,
    })),
    ...stream('edit', (c, n) => ({
      do: 'edit',
      tenant: c.pick(workloadTenants),
      wish: wish(c),
      edit: edit(c, n),
    })),
  ].toSorted((a, b) => a.at - b.at)
}

const faults: readonly Fault[] = [
  'cut',
  'lost answers',
  'too many',
  'broken',
  'slow',
  'watches cut',
]
const scopes: readonly StopScope[] = ['class', 'target', 'namespace', 'agent', 'action']

/** In turn for the most part, so that short soaks see most of a list as well. */
function nth<T>(chance: Random, from: readonly T[], count: number): T {
  const at = chance.chance(0.8) ? count : chance.between(0, from.length - 1)
  return from[at % from.length] ?? chance.pick(from)
}

function ask(chance: Random): Step {
  // most of what is asked for goes through: effects are what is looked for
  const tenant = chance.pick([
    'free',
    'free',
    'free',
    'asking',
    'asking',
    'strict',
    'proposing',
    'observing',
    'tending',
    'tending',
  ] as const)
  const by = chance.chance(0.3) ? 'mcp' : 'http'
  return { do: 'ask', by, tenant, wish: tenant === 'tending' ? tended(chance) : wish(chance) }
}

/** What is asked for where nodes, Pods and Jobs are looked after. */
function tended(chance: Random): Wish {
  const node = { kind: 'Node', name: chance.pick(nodes), params: {} } as const
  return chance.pick<() => Wish>([
    () => ({ action: 'node.cordon', ...node }),
    () => ({ action: 'node.uncordon', ...node }),
    () => ({ action: 'pod.evict', kind: 'Pod', name: chance.pick(crew), params: {} }),
    () => ({ action: 'pod.evict', kind: 'Pod', name: chance.pick(crew), params: {} }),
    () => ({ action: 'job.retry', kind: 'Job', name: failedJob, params: {} }),
  ])()
}

function wish(chance: Random): Wish {
  const workload = { kind: 'Deployment', name: chance.pick(workloads) } as const
  const cron = { kind: 'CronJob', name: 'api', params: {} } as const
  const container = 'none'
  return chance.pick<() => Wish>([
    // without a node no Pod becomes ready: down to none is verified, anything more is taken back
    () => ({ action: 'workload.scale', ...workload, params: { replicas: 0 } }),
    () => ({ action: 'workload.scale', ...workload, params: { replicas: chance.between(0, 3) } }),
    () => ({ action: 'workload.restart', ...workload, params: {} }),
    () => ({
      ...{ action: 'workload.setImage', ...workload },
      params: { container, image: `jackstay.local/none:${chance.between(1, 5)}` },
    }),
    () => ({
      ...{ action: 'workload.setResources', ...workload },
      params: { container, limits: { memory: `${chance.between(1, 9)}Mi` } },
    }),
    () => ({ action: 'workload.pause', ...workload, params: {} }),
    () => ({ action: 'workload.resume', ...workload, params: {} }),
    () => ({ action: 'workload.rollback', ...workload, params: {} }),
    () => ({ action: 'cronjob.suspend', ...cron }),
    () => ({ action: 'cronjob.resume', ...cron }),
    () => ({
      ...{ action: 'hpa.setBounds', kind: 'HorizontalPodAutoscaler', name: 'api' },
      params: { maxReplicas: chance.between(2, 9) },
    }),
  ])()
}

function edit(chance: Random, count: number): Edit {
  if (chance.chance(0.1)) return { again: true }
  if (chance.chance(0.4)) return { replicas: chance.between(0, 3) }
  return chance.chance(0.5) ? { annotation: `n${count}` } : { label: `n${count}` }
}
