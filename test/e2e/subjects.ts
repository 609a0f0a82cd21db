import type { KubeClient } from '@jackstay/kube/client'
import type { Governed, Manifest } from './governed.ts'
import {
  actionPolicyOf,
  agentClassOf,
  agentKeyOf,
  approvalOf,
  changeWindowOf,
  clusterPath,
  intentOf,
  namespacedPath,
  type Specimen,
  suspensionOf,
} from './specimens.ts'
import type { World } from './world.ts'

/** A kind with whoever may write it. */
export interface Subject {
  readonly client: KubeClient
  readonly path: string
  of(spec?: Manifest): Specimen
}

export function subjectOf(w: World, g: Governed, kind: string): Subject {
  const ours = (name: string) =>
    w.admin.as({
      username: `system:serviceaccount:jackstay-system:jackstay-${name}`,
      groups: ['system:masters'],
    })
  const person = w.admin.as({ username: 'oncall-1', groups: ['system:masters', 'oncall'] })
  const namespaced = (plural: string) => namespacedPath(plural, g.target)
  const subjects: Readonly<Record<string, Subject>> = {
    AgentClass: { client: w.admin, path: clusterPath('agentclasses'), of: agentClassOf },
    ActionPolicy: { client: w.admin, path: clusterPath('actionpolicies'), of: actionPolicyOf },
    Suspension: {
      client: w.admin,
      path: clusterPath('suspensions'),
      of: (spec = { class: 'nobody' }) => suspensionOf(spec),
    },
    ChangeWindow: { client: w.admin, path: clusterPath('changewindows'), of: changeWindowOf },
    AgentKey: {
      client: ours('registrar'),
      path: namespaced('agentkeys'),
      of: (spec) => agentKeyOf(g.target, spec),
    },
    Intent: {
      client: ours('mediator'),
      path: namespaced('intents'),
      of: (spec) => intentOf(g.target, spec),
    },
    Approval: {
      client: person,
      path: namespaced('approvals'),
      of: (spec) => approvalOf(g.target, spec),
    },
  }
  const found = subjects[kind]
  if (found === undefined) throw new TypeError(`no specimen of \`${kind}\``)
  return found
}
