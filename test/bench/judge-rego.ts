import type { NamedPolicy } from '@jackstay/judge/rules'

/** The workload's rules in Rego: for each the ways it can come true, which in CEL is one `||`. */
const bodies: Readonly<Record<string, readonly string[]>> = {
  'never/system': ['input.target.namespace in {"kube-system", "kube-public", "jackstay-system"}'],
  'never/prefix': [
    'startswith(input.target.namespace, "kube-")',
    'startswith(input.target.namespace, "openshift-")',
  ],
  'never/replicas': ['input.intent.params.replicas > 20'],
  'never/blast-radius': [
    'input.plan.blastRadius.pods > 50',
    'input.plan.blastRadius.readyReplicasLost > 5',
  ],
  'never/namespaces': ['some n in input.plan.blastRadius.namespaces; n != input.target.namespace'],
  'never/paths': ['some w in input.plan.writes; not startswith(w.path, "/spec/")'],
  'never/too-many': ['count(input.plan.writes) > 16'],
  'never/irreversible': ['input.plan.reversibility == "irreversible"'],
  'never/kinds': ['not input.target.kind in {"Deployment", "StatefulSet", "DaemonSet"}'],
  'never/images': [
    'some c in input.intent.params.containers; not regex.match("^registry[.]example[.]com/", c.image)',
  ],
  'never/latest': ['some c in input.intent.params.containers; endswith(c.image, ":latest")'],
  'never/secrets': [
    'some c in input.intent.params.containers; some e in c.env; contains(e.name, "PASSWORD")',
  ],
  'never/friday': ['time.weekday(now) == "Friday"; time.clock(now)[0] >= 15'],
  'ask/production': [
    'startswith(input.target.namespace, "prod-"); input.class.autonomy != "propose"',
  ],
  'ask/many-pods': ['input.plan.blastRadius.pods * 2 > 40'],
  'ask/night': ['time.clock(now)[0] < 6', 'time.clock(now)[0] > 20'],
  'ask/loss': [
    'input.plan.blastRadius.readyReplicasLost > 0; input.plan.reversibility != "inverse"',
  ],
  'may/shops': [
    'input.target.namespace in {"shop", "shop-test"}; input.agent.serviceAccount == "healer"',
  ],
  'may/small': [
    'input.plan.blastRadius.objects == 1; every w in input.plan.writes { w.path != "/spec/selector" }',
  ],
  'may/team': ['input.intent.params.team == "shop"; input.target.name == "web-1"'],
}

const head = `package jackstay

now := time.parse_rfc3339_ns(input.now)

verdict := {"effect": effect, "fired": (deny | ask) | allow}

default effect := "deny"

effect := "ask" if {
	count(deny) == 0
	count(ask) > 0
	count(allow) > 0
}

effect := "allow" if {
	count(deny) == 0
	count(ask) == 0
	count(allow) > 0
}
`

/** The same policies in Rego. @throws Error for a rule of which there is no translation */
export function regoOf(policies: readonly NamedPolicy[]): string {
  const rules = policies.flatMap(({ name, spec }) =>
    spec.rules.flatMap((rule) => {
      const set = rule.deny ? 'deny' : rule.allow ? 'allow' : 'ask'
      // policies about another action have the same rules behind a number
      const body = bodies[`${name.replace(/-\d+$/, '')}/${rule.name}`]
      if (body === undefined) throw new Error(`\`${name}/${rule.name}\` has no Rego, add it`)
      return spec.actions.flatMap((action) =>
        body.map(
          (way) =>
            `${set} contains "${name}/${rule.name}" if { input.action == "${action}"; ${way} }`,
        ),
      )
    }),
  )
  return [head, ...rules, ''].join('\n')
}
