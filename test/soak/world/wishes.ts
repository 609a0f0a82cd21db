import type { Wish } from '../schedule/steps.ts'
import type { Party } from './ground.ts'

const versions = {
  Deployment: 'apps/v1',
  CronJob: 'batch/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  Node: 'v1',
  Pod: 'v1',
  Job: 'batch/v1',
} as const

export interface Target {
  readonly apiVersion: string
  readonly kind: string
  /** Absent of a Node. */
  readonly namespace?: string
  readonly name: string
}

export function targetOf({ targets }: Party, { kind, name }: Wish): Target {
  const namespace = kind === 'Node' ? {} : { namespace: targets }
  return { apiVersion: versions[kind], kind, ...namespace, name }
}

/** Of the API server. */
export function pathOf({ apiVersion, kind, namespace, name }: Target): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const within = namespace === undefined ? '' : `/namespaces/${namespace}`
  return `${group}${within}/${kind.toLowerCase()}s/${name}`
}

/** What an agent signs to ask for it; `bend` changes any claim. */
export async function submissionOf(
  party: Party,
  wish: Wish,
  bend: Readonly<Record<string, unknown>> = {},
  agent = party.agent,
): Promise<string> {
  const target = targetOf(party, wish)
  const { action, params } = wish
  return await agent.submission(
    0,
    { namespace: '', ...target },
    { action, params, target, ...bend },
  )
}
