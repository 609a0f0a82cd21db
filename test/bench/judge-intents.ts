import type { DecideInput } from '@jackstay/judge/decide'
import type { Facts } from '@jackstay/judge/facts'
import { workloadFacts, workloadInput } from './judge-workload.ts'

/** One thing that is different about an intent, so that each rule has something to say somewhere. */
type Change = (facts: Facts) => Facts

const plan = (change: Partial<Facts['plan']>): Change => {
  return (facts) => ({ ...facts, plan: { ...facts.plan, ...change } })
}

const reach = (change: Partial<Facts['plan']['blastRadius']>): Change => {
  return (facts) => plan({ blastRadius: { ...facts.plan.blastRadius, ...change } })(facts)
}

const target = (change: Partial<Facts['target']>): Change => {
  return (facts) => ({ ...facts, target: { ...facts.target, ...change } })
}

const params = (change: Facts['intent']['params']): Change => {
  return (facts) => ({
    ...facts,
    intent: { ...facts.intent, params: { ...facts.intent.params, ...change } },
  })
}

const at = (now: string): Change => {
  return (facts) => ({ ...facts, now: new Date(now) })
}

const write = (path: string) => ({ path, before: null, after: 1 })

const changes: readonly Change[] = [
  (facts) => facts,
  target({ namespace: 'openshift-monitoring' }),
  target({ kind: 'Job' }),
  target({ namespace: 'shop-test', name: 'web-1' }),
  params({ replicas: 21 }),
  params({ team: 'billing' }),
  params({ containers: [{ name: 'web', image: 'docker.io/library/nginx:1', env: [] }] }),
  params({ containers: [{ name: 'web', image: 'registry.example.com/a:latest', env: [] }] }),
  params({
    containers: [
      {
        name: 'web',
        image: 'registry.example.com/a:1',
        env: [{ name: 'DB_PASSWORD', value: 'x' }],
      },
    ],
  }),
  plan({ writes: Array.from({ length: 17 }, (_, i) => write(`/spec/a/${i}`)) }),
  plan({ writes: [write('/metadata/labels/a')] }),
  plan({ writes: [write('/spec/selector')] }),
  plan({ reversibility: 'irreversible' }),
  plan({ reversibility: 'self-healing' }),
  reach({ pods: 21 }),
  reach({ pods: 51 }),
  reach({ readyReplicasLost: 6 }),
  (facts) => plan({ reversibility: 'self-healing' })(reach({ readyReplicasLost: 1 })(facts)),
  reach({ namespaces: ['shop', 'other'] }),
  reach({ objects: 2 }),
  at('2026-03-06T15:00:00Z'),
  at('2026-03-06T14:59:59Z'),
  at('2026-03-02T05:59:59Z'),
  at('2026-03-02T21:00:00Z'),
  (facts) => ({ ...facts, agent: { ...facts.agent, serviceAccount: 'other' } }),
  (facts) => ({ ...facts, class: { ...facts.class, autonomy: 'propose' } }),
]

/** The n-th question to a judge: the workload's, with one thing changed. */
export function question(n: number): Omit<DecideInput, 'rules'> {
  const change = changes[n % changes.length]
  const facts = workloadFacts(n)
  return { ...workloadInput(n), facts: change === undefined ? facts : change(facts) }
}

/** The facts of a question as one line of JSON, which is what the other engines are given. */
export function factsLine({ facts }: Pick<DecideInput, 'facts'>): string {
  return JSON.stringify({ ...facts, now: facts.now.toISOString() })
}
