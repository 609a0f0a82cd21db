import type { PolicyRule } from '@jackstay/contract/kinds/action-policy'
import { nothingDisrupted } from '@jackstay/contract/plan'
import type { DecideInput } from '@jackstay/judge/decide'
import type { Facts } from '@jackstay/judge/facts'
import type { NamedPolicy } from '@jackstay/judge/rules'

/**
 * Twenty rules as a careful team would write them, over an intent of 2 KB. Plain CEL without the
 * word `namespace`, which other engines reserve, so the same text runs in all of them.
 */
export const workloadAction = 'workload.configure'

const denials: readonly (readonly [string, string])[] = [
  ['system', 'target.namespace in ["kube-system", "kube-public", "jackstay-system"]'],
  ['prefix', 'target.namespace.startsWith("kube-") || target.namespace.startsWith("openshift-")'],
  ['replicas', 'has(intent.params.replicas) && intent.params.replicas > 20'],
  ['blast-radius', 'plan.blastRadius.pods > 50 || plan.blastRadius.readyReplicasLost > 5'],
  ['namespaces', 'plan.blastRadius.namespaces.exists(n, n != target.namespace)'],
  ['paths', 'plan.writes.exists(w, !w.path.startsWith("/spec/"))'],
  ['too-many', 'size(plan.writes) > 16'],
  ['irreversible', 'plan.reversibility == "irreversible"'],
  ['kinds', '!(target.kind in ["Deployment", "StatefulSet", "DaemonSet"])'],
  [
    'images',
    'has(intent.params.containers) && intent.params.containers.exists(c, !c.image.matches("^registry[.]example[.]com/"))',
  ],
  [
    'latest',
    'has(intent.params.containers) && intent.params.containers.exists(c, c.image.endsWith(":latest"))',
  ],
  [
    'secrets',
    'has(intent.params.containers) && intent.params.containers.exists(c, c.env.exists(e, e.name.contains("PASSWORD")))',
  ],
  ['friday', 'now.getDayOfWeek() == 5 && now.getHours() >= 15'],
]

const requests: readonly (readonly [string, string])[] = [
  ['production', 'target.namespace.startsWith("prod-") && class.autonomy != "propose"'],
  ['many-pods', 'plan.blastRadius.pods * 2 > 40'],
  ['night', 'now.getHours() < 6 || now.getHours() > 20'],
  ['loss', 'plan.blastRadius.readyReplicasLost > 0 && plan.reversibility != "inverse"'],
]

const grants: readonly (readonly [string, string])[] = [
  ['shops', 'target.namespace in ["shop", "shop-test"] && agent.serviceAccount == "healer"'],
  ['small', 'plan.blastRadius.objects == 1 && plan.writes.all(w, w.path != "/spec/selector")'],
  ['team', 'has(intent.params.team) && intent.params.team == "shop" && target.name == "web-1"'],
]

/** Twenty rules about one action, in three policies. */
export const twentyRules: readonly NamedPolicy[] = twentyRulesAbout(workloadAction)

/** A thousand rules about fifty actions, of which the same twenty concern the workload's action. */
export const thousandRules: readonly NamedPolicy[] = [
  ...twentyRules,
  ...Array.from({ length: 49 }, (_, i) => twentyRulesAbout(`other.action${i}`, `-${i}`)).flat(),
]

export function twentyRulesAbout(action: string, suffix = ''): readonly NamedPolicy[] {
  const named = (name: string, rules: PolicyRule[]): NamedPolicy => ({
    name: `${name}${suffix}`,
    spec: { mode: 'enforce', actions: [action], rules },
  })
  return [
    named(
      'never',
      denials.map(([name, when]) => ({ name, deny: { when } })),
    ),
    named(
      'ask',
      requests.map(([name, when]) => ({
        name,
        requireApproval: { when, count: 1, groups: ['oncall'] },
      })),
    ),
    named(
      'may',
      grants.map(([name, when]) => ({ name, allow: { when } })),
    ),
  ]
}

/**
 * The facts of the n-th judgement. Some are denied, some need people, some are allowed, so engines that
 * agree on a thousand of them agree on something.
 */
export function workloadFacts(n: number): Facts {
  const namespace = n % 4 === 3 ? 'kube-system' : n % 3 === 2 ? 'prod-shop' : 'shop'
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: `web-${n % 97}` }
  return {
    intent: { action: workloadAction, params: params(n) },
    action: workloadAction,
    target,
    plan: {
      summary: `configure ${target.name} in ${namespace}`,
      reversibility: 'inverse',
      blastRadius: {
        ...nothingDisrupted,
        ...{ objects: 1, pods: 3 + (n % 5), readyReplicasLost: 0, namespaces: [namespace] },
      },
      writes: [
        { path: '/spec/replicas', before: 2, after: 3 + (n % 5) },
        { path: '/spec/template/spec/containers/0/image', before: image(n - 1), after: image(n) },
        { path: '/spec/template/metadata/annotations/revision', before: null, after: String(n) },
      ],
      risk: { score: 10, parts: { pods: 3, criticality: 7 } },
    },
    agent: {
      name: 'jackstay-class-sre/healer',
      namespace: 'jackstay-class-sre',
      serviceAccount: 'healer',
    },
    class: { name: 'sre', autonomy: 'act-within-policy' },
    cluster: { uid: '11111111-1111-4111-8111-111111111111', incidents: [] },
    namespace: {
      name: namespace,
      labels: { 'jackstay.dev/governed': 'true', team: 'shop' },
      quotas: [{ name: 'team', resource: 'pods', hard: '100', used: String(n % 90) }],
    },
    window: { open: true, frozen: false, breakGlass: false, names: ['office-hours'] },
    now: new Date(Date.UTC(2026, 2, 2, 9, n % 60, 0)),
  }
}

/** The n-th judgement as `decide` takes it, but for its rules. */
export function workloadInput(n: number): Omit<DecideInput, 'rules'> {
  return {
    action: workloadAction,
    facts: workloadFacts(n),
    autonomy: 'act-within-policy',
    defaultApproval: { count: 1, groups: ['oncall'] },
    className: 'sre',
  }
}

function image(n: number): string {
  return `registry.example.com/shop/web:1.4.${n}`
}

/** About 2 KB of JSON: two containers with ten variables each. */
function params(n: number): Facts['intent']['params'] {
  const env = Array.from({ length: 10 }, (_, i) => ({
    name: `FEATURE_${i}_ENDPOINT`,
    value: `http://service-${i}.shop.svc.cluster.local:8080/v1`,
  }))
  return {
    replicas: 3 + (n % 5),
    team: 'shop',
    containers: [
      { name: 'web', image: image(n), env },
      { name: 'proxy', image: 'registry.example.com/mesh/proxy:2.0.1', env },
    ],
  }
}
