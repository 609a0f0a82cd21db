import { catalogue } from '@jackstay/actions/catalogue'
import { dashed } from '@jackstay/contract/executor'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { type Attack, dryRun } from './attack.ts'
import { type Answer, attempt, passed } from './attempt.ts'
import { type Governed, read, suffix } from './governed.ts'
import { clusterPath, suspensionOf, zeroUid } from './specimens.ts'
import type { World } from './world.ts'

const nodes = '/api/v1/nodes'

/** The executor of an action that evicts, with every right there is: what is left is the policies. */
export function evictor(w: World, g: Governed, action: string, phase?: 'undo') {
  const username = `system:serviceaccount:jackstay-executors:${g.class}`
  const extra = { ...g.extra, 'jackstay.dev/action': [action] }
  const undo = phase && { 'jackstay.dev/phase': [phase] }
  return w.admin.as({ username, groups: ['system:masters'], extra: { ...extra, ...undo } })
}

/** Of a Pod that does not exist: 404 where every policy lets it pass. */
export function evictionPath(g: Governed, pod = 'victim'): string {
  return `/api/v1/namespaces/${g.target}/pods/${pod}/eviction`
}

export function evictionOf(options: object, annotations?: object, name = 'victim') {
  const metadata = {
    name,
    labels: { [governedLabel]: 'true' },
    ...(annotations && { annotations }),
  }
  const preconditions = { uid: zeroUid, resourceVersion: '1' }
  const deleteOptions = { preconditions, ...options }
  return { apiVersion: 'policy/v1', kind: 'Eviction', metadata, deleteOptions }
}

/** What executors try on a node that was put under Jackstay; no kubelet runs it. */
export function nodeAttacks(w: World, g: Governed): Record<string, Attack> {
  const name = `quiet-${suffix()}`
  const path = `${nodes}/${name}`
  const prepared = async () => {
    const metadata = { name, labels: { [governedLabel]: 'true' } }
    passed(await attempt(w.admin, 'POST', nodes, { apiVersion: 'v1', kind: 'Node', metadata }))
    return async () => passed(await attempt(w.admin, 'DELETE', path))
  }
  const patch = async (action: string, body: object): Promise<Answer> => {
    const username = `system:serviceaccount:jackstay-executors:${g.class}`
    const extra = { ...g.extra, 'jackstay.dev/action': [action] }
    const executor = w.admin.as({ username, groups: ['system:masters'], extra })
    // the node lifecycle controller may come between reading and patching
    for (let left = 20; ; left--) {
      const { uid, resourceVersion } = (await read(w.admin, path)).metadata
      const metadata = {
        uid,
        resourceVersion,
        ...('metadata' in body ? Object(body.metadata) : {}),
      }
      const answer = await attempt(executor, 'PATCH', path, { ...body, metadata }, dryRun)
      if (answer.status !== 409 || left === 0) return answer
    }
  }
  const labels = { metadata: { labels: { added: 'yes' } } }
  const fields = catalogue
    .filter(({ writes }) => writes.some((write) => write.verb === 'patch' && write.clusterScoped))
    .map((action): [string, Attack] => [
      `jackstay-executor-fields-${dashed(action.name)}-nodes`,
      { attempt: () => patch(action.name, labels), prepared },
    ])
  return {
    ...Object.fromEntries(fields),
    'jackstay-suspended-by-kind-labelled': {
      attempt: () => patch('node.cordon', { spec: { unschedulable: true } }),
      prepared: async () => {
        const removed = await prepared()
        const one = suspensionOf({ class: g.class })
        passed(await attempt(w.admin, 'POST', clusterPath('suspensions'), one))
        return async () => {
          const stop = `${clusterPath('suspensions')}/${one.metadata.name}`
          passed(await attempt(w.admin, 'DELETE', stop))
          await removed()
        }
      },
    },
  }
}
