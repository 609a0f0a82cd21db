import type { Refusal } from '@jackstay/actions/action'
import type { IntentRecord } from '@jackstay/contract/record'
import { podIsLive } from '@jackstay/service/caller'
import { namespacesOf } from '../line/reach.ts'
import type { ClassView, Ports } from '../ports.ts'
import { granted } from './grant.ts'

/**
 * Whether the agent may act at all by now: its key stands, its Pod lives, and its class exists, is granted, still
 * lives where the agent does, and holds its agents to reads. Admit asks first, dispatch again: both by this one list.
 */
export function authorityOf(record: IntentRecord, ports: Ports): { class: ClassView } | Refusal {
  const { agent } = record.authenticated
  if (ports.cluster.key(agent.kid)?.revoked !== false) {
    return { refused: 'key_revoked', message: 'the key that signed the intent is revoked or gone' }
  }
  const [namespace = ''] = agent.name.split('/')
  if (!podIsLive(ports.cluster.pod(namespace, agent.podName), agent.podUid)) {
    const message = `the Pod \`${namespace}/${agent.podName}\` that signed the intent is gone or going`
    return { refused: 'agent_gone', message }
  }
  const found = ports.cluster.class(agent.class)
  if (found === undefined) {
    return { refused: 'outside_class', message: `the class \`${agent.class}\` does not exist` }
  }
  const grant = granted(found, ports.cluster, ports.oneOperator)
  if (!grant.granted) return { refused: 'class_not_granted', message: grant.message }
  // moved, or made anew elsewhere under its old name: not the class of the agents left behind
  if (namespace !== found.spec.namespace) {
    const message = `the class \`${found.name}\` lives in another namespace than the agent`
    return { refused: 'outside_class', message }
  }
  const wide = ports.cluster.moreThanReads(found.spec.namespace, namespacesOf(record))
  if (wide !== undefined) return { refused: 'more_than_reads', message: wide }
  return { class: found }
}
