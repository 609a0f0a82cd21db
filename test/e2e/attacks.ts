import { catalogue } from '@jackstay/actions/catalogue'
import { dashed } from '@jackstay/contract/executor'
import type { KubeClient } from '@jackstay/kube/client'
import { agentAttacks } from './agent-attacks.ts'
import { type Attack, dryRun } from './attack.ts'
import { attempt, passed } from './attempt.ts'
import { apply, type Governed, read, suffix, unbound } from './governed.ts'
import { madeAttacks } from './made-attacks.ts'
import { nodeAttacks } from './node-attacks.ts'
import {
  actionPolicyOf,
  agentClassOf,
  agentKeyOf,
  approvalOf,
  approvalsIn,
  breakGlassOf,
  changeWindowOf,
  clusterPath,
  intentOf,
  namespacedPath,
  type Specimen,
  suspensionOf,
} from './specimens.ts'
import { quietTarget } from './targets.ts'
import type { World } from './world.ts'

export interface Attacks {
  of(policy: string): Attack | undefined
  names(): string[]
  cleared(): Promise<void>
}

const suspensionKind =
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/suspensions.jackstay.dev'
const executorPolicies = 'jackstay-executor'

export async function attacksOn(w: World, g: Governed): Promise<Attacks> {
  const { approval, suspension, ungoverned, clear } = await victims(w, g)
  const all: Record<string, Attack> = {
    ...executorAttacks(w, g, ungoverned),
    ...suspensionAttacks(w, g, suspension),
    ...recordAttacks(w, g, approval),
    ...unknownFieldAttacks(w, g),
    ...nodeAttacks(w, g),
    ...madeAttacks(w, g),
    ...agentAttacks(w, g),
  }
  return { of: (policy) => all[policy], names: () => Object.keys(all), cleared: clear }
}

/** Objects that attacks aim at. */
async function victims(w: World, g: Governed) {
  const { username, groups } = mediator
  const approver = w.admin.as({ username: 'oncall-1', groups: ['system:masters'] })
  const approval = approvalOf(g.target)
  passed(await attempt(approver, 'POST', approvalsIn(g.target), approval))
  // nobody's class: it stops no write
  const suspension = suspensionOf({ class: `nobody-${suffix()}` })
  passed(await attempt(w.admin, 'POST', clusterPath('suspensions'), suspension))
  const ungoverned = `u-${suffix()}`
  await apply(w, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ungoverned } }])
  const path = `${clusterPath('suspensions')}/${suspension.metadata.name}`
  return {
    approval: `${approvalsIn(g.target)}/${approval.metadata.name}`,
    suspension: path,
    ungoverned,
    as: w.admin.as({ username, groups }),
    clear: async () => passed(await attempt(w.admin, 'DELETE', path)),
  }
}

// with every right: what is left is the policy
const mediator = {
  username: 'system:serviceaccount:jackstay-system:jackstay-mediator',
  groups: ['system:masters'],
}

function executorAttacks(w: World, g: Governed, ungoverned: string): Record<string, Attack> {
  const username = `system:serviceaccount:jackstay-executors:${g.class}`
  const masters = (extra = g.extra) => w.admin.as({ username, groups: ['system:masters'], extra })
  const { 'jackstay.dev/intent': _, ...nameless } = g.extra
  const replicas = { spec: { replicas: 7 } }
  const elsewhere = { 'jackstay.dev/action': ['workload.delete'] }
  return {
    [`${executorPolicies}s-identified`]: {
      attempt: () => g.patch(replicas, { ...dryRun, as: masters(nameless) }),
    },
    [`${executorPolicies}s-bound`]: {
      attempt: () => attempt(masters(), 'DELETE', g.deployment, undefined, dryRun),
      // nothing of the catalogue deletes yet, so that policy would refuse it as well
      prepared: () => unbound(w, 'jackstay-executor-writes'),
    },
    [`${executorPolicies}-writes`]: {
      attempt: () => g.patch(replicas, { ...dryRun, as: masters({ ...g.extra, ...elsewhere }) }),
    },
    ...fieldAttacks(w, g, masters),
    [`${executorPolicies}s-governed`]: {
      attempt: () =>
        g.patch(replicas, { ...dryRun, as: masters(), deployment: g.path(ungoverned, 'api') }),
      prepared: async () => {
        const metadata = { name: 'api', namespace: ungoverned }
        const { spec } = await read(w.admin, g.deployment)
        await apply(w, [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }])
        return async () => {}
      },
    },
    [`${executorPolicies}s-namespace`]: {
      attempt: () =>
        attempt(
          w.admin,
          'POST',
          '/api/v1/namespaces/jackstay-executors/secrets',
          tokenSecret(g),
          dryRun,
        ),
    },
    'jackstay-no-admission-writes': {
      attempt: () =>
        attempt(
          w.admin.as(mediator),
          'POST',
          '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
          {
            apiVersion: 'admissionregistration.k8s.io/v1',
            kind: 'MutatingWebhookConfiguration',
            metadata: { name: `x-${suffix()}` },
          },
          dryRun,
        ),
    },
  }
}

/** A label beside what each action may change, by an executor in the name of that action. */
function fieldAttacks(
  w: World,
  g: Governed,
  masters: (extra: Governed['extra']) => KubeClient,
): Record<string, Attack> {
  return Object.fromEntries(
    catalogue.flatMap(({ name, writes }) =>
      writes
        .filter((w) => w.verb === 'patch' && !w.clusterScoped && !w.takesBack)
        .map(({ group, version, resource }) => {
          const as = masters({ ...g.extra, 'jackstay.dev/action': [name] })
          const all = `/apis/${group}/${version}/namespaces/${g.target}/${resource}`
          const attack: Attack = {
            attempt: () =>
              g.patch(
                { metadata: { labels: { added: 'yes' } } },
                {
                  ...{ ...dryRun, as, deployment: `${all}/api` },
                },
              ),
            prepared: async () => {
              await apply(w, [quietTarget(resource, g.target)])
              return async () => {}
            },
          }
          return [`${executorPolicies}-fields-${dashed(name)}-${resource}`, attack]
        }),
    ),
  )
}

function tokenSecret(g: Governed) {
  const annotations = { 'kubernetes.io/service-account.name': g.class }
  const metadata = { name: `x-${suffix()}`, annotations }
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/service-account-token', metadata }
}

function suspensionAttacks(w: World, g: Governed, suspension: string): Record<string, Attack> {
  const replicas = { spec: { replicas: 7 } }
  const namespace = `/api/v1/namespaces/${g.target}`
  const label = (value: string | null) => ({
    metadata: { labels: { 'jackstay.dev/suspended': value } },
  })
  const system = '/api/v1/namespaces/jackstay-system'
  const suspended = (path: string) => async () => {
    passed(await attempt(w.admin, 'PATCH', path, label('')))
    return async () => passed(await attempt(w.admin, 'PATCH', path, label(null)))
  }
  return {
    'jackstay-suspended-by-label': {
      attempt: () => g.patch(replicas, dryRun),
      prepared: suspended(namespace),
    },
    'jackstay-suspended-by-kind': {
      attempt: () => g.patch(replicas, dryRun),
      prepared: async () => {
        const one = suspensionOf({ class: g.class })
        const path = `${clusterPath('suspensions')}/${one.metadata.name}`
        passed(await attempt(w.admin, 'POST', clusterPath('suspensions'), one))
        return async () => passed(await attempt(w.admin, 'DELETE', path))
      },
    },
    'jackstay-suspensions-kept': {
      attempt: () => attempt(w.admin.as(mediator), 'DELETE', suspension, undefined, dryRun),
    },
    'jackstay-suspensions-signed': {
      attempt: () => {
        const one = suspensionOf({ class: 'nobody', madeBy: 'somebody-else' })
        return attempt(w.admin, 'POST', clusterPath('suspensions'), one, dryRun)
      },
    },
    'jackstay-trigger-maker-signed': {
      attempt: () => {
        const spec = { audiences: ['jackstay-trigger:somebody-else'] }
        const path =
          '/api/v1/namespaces/jackstay-system/serviceaccounts/jackstay-trigger-maker/token'
        return attempt(w.admin, 'POST', path, { spec }, dryRun)
      },
    },
    'jackstay-change-windows-kept': {
      attempt: () => {
        const path = clusterPath('changewindows')
        return attempt(w.admin.as(mediator), 'POST', path, changeWindowOf(), dryRun)
      },
    },
    'jackstay-change-windows-signed': {
      attempt: () => {
        const one = breakGlassOf({ madeBy: 'somebody-else' })
        const person = w.admin.as({ username: 'oncall-1', groups: ['system:masters'] })
        return attempt(person, 'POST', clusterPath('changewindows'), one, dryRun)
      },
    },
    'jackstay-suspended-label-kept': {
      attempt: () => attempt(w.admin.as(mediator), 'PATCH', namespace, label(null), dryRun),
      prepared: suspended(namespace),
    },
    'jackstay-suspension-kind-kept': {
      attempt: () => attempt(w.admin, 'DELETE', suspensionKind, undefined, dryRun),
      // the other guard of this kind steps aside once nothing is bound to it
      prepared: async () => {
        const edits = await unbound(w, 'jackstay-suspended-by-kind')
        const labelled = await unbound(w, 'jackstay-suspended-by-kind-labelled')
        return async () => {
          await edits()
          await labelled()
        }
      },
    },
    'jackstay-suspension-kind-unbound': {
      attempt: () => attempt(w.admin, 'DELETE', suspensionKind, undefined, dryRun),
      prepared: async () => {
        const annotations = (value: string | null) => ({
          metadata: { annotations: { 'jackstay.dev/allow-deletion': value } },
        })
        const resume = await suspended(system)()
        passed(await attempt(w.admin, 'PATCH', suspensionKind, annotations('true')))
        return async () => {
          passed(await attempt(w.admin, 'PATCH', suspensionKind, annotations(null)))
          await resume()
        }
      },
    },
  }
}

function recordAttacks(w: World, g: Governed, approval: string): Record<string, Attack> {
  const post = (plural: string, object: Specimen) =>
    attempt(w.admin, 'POST', namespacedPath(plural, g.target), object, dryRun)
  return {
    'jackstay-approvals-identified': {
      attempt: () => post('approvals', approvalOf(g.target, { approver: 'somebody-else' })),
    },
    'jackstay-approvals-immutable': {
      attempt: () => {
        const finalizers = ['example.org/stuck']
        return attempt(w.admin, 'PATCH', approval, { metadata: { finalizers } }, dryRun)
      },
    },
    'jackstay-approvals-kept': {
      attempt: () => attempt(w.admin, 'DELETE', approval, undefined, dryRun),
    },
    'jackstay-intents-written': { attempt: () => post('intents', intentOf(g.target)) },
    'jackstay-agentkeys-written': { attempt: () => post('agentkeys', agentKeyOf(g.target)) },
    'jackstay-agentkeys-kept': keptKey(w, g),
  }
}

/** A key that somebody takes away so that its Pod can enrol another one. */
function keptKey(w: World, g: Governed): Attack {
  const username = 'system:serviceaccount:jackstay-system:jackstay-registrar'
  const registrar = w.admin.as({ username, groups: ['system:masters'] })
  const one = agentKeyOf(g.target)
  const keys = namespacedPath('agentkeys', g.target)
  const path = `${keys}/${one.metadata.name}`
  return {
    attempt: () => attempt(w.admin, 'DELETE', path, undefined, dryRun),
    prepared: async () => {
      passed(await attempt(registrar, 'POST', keys, one))
      return async () => passed(await attempt(registrar, 'DELETE', path))
    },
  }
}

/** A misspelt field of each kind, by whoever may write that kind at all (T83). */
function unknownFieldAttacks(w: World, g: Governed): Record<string, Attack> {
  const registrar = 'system:serviceaccount:jackstay-system:jackstay-registrar'
  const as = (username: string) => w.admin.as({ username, groups: ['system:masters'] })
  const misspelt = { misspelt: true }
  const cases = [
    [as('oncall-1'), 'approvals', approvalOf(g.target, misspelt)],
    [as(mediator.username), 'intents', intentOf(g.target, misspelt)],
    [as(registrar), 'agentkeys', agentKeyOf(g.target, misspelt)],
    [w.admin, 'suspensions', suspensionOf({ class: 'nobody', ...misspelt })],
    [w.admin, 'actionpolicies', actionPolicyOf(misspelt)],
    [w.admin, 'agentclasses', agentClassOf(misspelt)],
    [w.admin, 'changewindows', changeWindowOf(misspelt)],
  ] as const
  return Object.fromEntries(
    cases.map(([client, plural, object]) => {
      const { namespace } = object.metadata
      const path = namespace === undefined ? clusterPath(plural) : namespacedPath(plural, namespace)
      return [
        `jackstay-unknown-fields-${plural}`,
        { attempt: () => attempt(client, 'POST', path, object, dryRun) },
      ]
    }),
  )
}
