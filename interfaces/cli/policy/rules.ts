import { catalogue } from '@jackstay/actions/catalogue'
import {
  type ActionPolicySpec,
  actionPolicy,
  actionPolicySpec,
  type PolicyRule,
} from '@jackstay/contract/kinds/action-policy'
import { group, groupVersion } from '@jackstay/contract/kinds/kind'
import { dnsName } from '@jackstay/contract/text'
import { nearest } from '@jackstay/judge/fields'
import { compileRules, type NamedPolicy } from '@jackstay/judge/rules'
import { z } from 'zod'
import { schemaMistakes, valueAt } from './schema.ts'
import type { Mistake, Path, Place, Written } from './yaml.ts'

/** A policy as it stands in a file. */
export interface WrittenPolicy extends NamedPolicy {
  readonly place: Place
  readonly document: Written
  readonly under: Path
}

export interface ReadObject {
  /** Absent where a mistake leaves nothing to judge by. */
  readonly policy?: WrittenPolicy
  /** What it is, where it is no policy. */
  readonly passedOver?: string
  readonly mistakes: readonly Mistake[]
}

const effects = ['deny', 'requireApproval', 'allow'] as const
type Effect = (typeof effects)[number]

const object = z.strictObject({
  apiVersion: z.literal(groupVersion),
  kind: z.literal(actionPolicy.kind),
  metadata: z.looseObject({ name: dnsName }),
  spec: z.unknown(),
  status: z.unknown().optional(),
})

/** Reads one object of a document; a list, as `kubectl get -o yaml` prints it, holds several. */
export function readObjects(document: Written, under: Path = []): readonly ReadObject[] {
  const value = valueAt(document.value, under)
  const kind = valueAt(value, ['kind'])
  const items = valueAt(value, ['items'])
  if (kind === 'List' && Array.isArray(items) && under.length === 0) {
    return items.flatMap((_, i) => readObjects(document, ['items', i]))
  }
  const apiVersion = valueAt(value, ['apiVersion'])
  const ours = typeof apiVersion === 'string' && apiVersion.startsWith(`${group}/`)
  if (kind === actionPolicy.kind && (ours || apiVersion === undefined)) {
    return [readPolicy(document, under)]
  }
  const misspelt = typeof kind === 'string' ? nearest(kind, [actionPolicy.kind]) : undefined
  if (misspelt !== undefined || typeof kind !== 'string') {
    return [{ mistakes: [noKind(document, under, kind, apiVersion, misspelt)] }]
  }
  return [
    { passedOver: `${kind} ${String(valueAt(value, ['metadata', 'name']) ?? '')}`, mistakes: [] },
  ]
}

function noKind(
  document: Written,
  under: Path,
  kind: unknown,
  apiVersion: unknown,
  misspelt: string | undefined,
): Mistake {
  const at = kind === undefined ? under : [...under, 'kind']
  if (misspelt === actionPolicy.kind && kind === actionPolicy.kind) {
    const message = `\`apiVersion\` is \`${String(apiVersion)}\` and must be \`${groupVersion}\``
    return {
      severity: 'error',
      place: document.placeOf([...under, 'apiVersion']),
      message,
      suggestion: groupVersion,
    }
  }
  const message =
    typeof kind === 'string'
      ? `unknown kind \`${kind}\``
      : `no Kubernetes object: it needs \`apiVersion: ${groupVersion}\` and \`kind: ${actionPolicy.kind}\``
  return { severity: 'error', place: document.placeOf(at), message, suggestion: misspelt }
}

function readPolicy(document: Written, under: Path): ReadObject {
  const spec = [...under, 'spec']
  const rules = rulesOf(document, spec)
  const name = valueAt(document.value, [...under, 'metadata', 'name'])
  const mistakes = [
    ...document.traps(under),
    ...schemaMistakes(object, document, under),
    ...specMistakes(document, under, spec),
    ...actionMistakes(document, spec),
    ...rules.flatMap((rule) => effectMistakes(document, rule)),
    ...nameMistakes(document, rules),
    ...expressionMistakes(document, rules),
  ]
  const parsed = actionPolicySpec.safeParse(valueAt(document.value, spec))
  if (!parsed.success || typeof name !== 'string') return { mistakes }
  const place = document.placeOf([...under, 'metadata', 'name'])
  return { policy: { name, spec: parsed.data, place, document, under }, mistakes }
}

function specMistakes(document: Written, under: Path, spec: Path): Mistake[] {
  if (valueAt(document.value, spec) === undefined) {
    const message = '`spec` is missing; it says mode, actions and rules'
    return [{ severity: 'error', place: document.placeOf([...under, 'kind']), message }]
  }
  // names and effects are looked at rule by rule, also where something else is wrong
  return schemaMistakes(
    actionPolicySpec,
    document,
    spec,
    ({ code, path }) => code === 'custom' && path[0] === 'rules' && path.length < 3,
  )
}

interface RuleAt {
  readonly path: Path
  readonly value: unknown
  readonly name: unknown
  readonly effects: readonly Effect[]
}

function rulesOf(document: Written, spec: Path): readonly RuleAt[] {
  const rules = valueAt(document.value, [...spec, 'rules'])
  if (!Array.isArray(rules)) return []
  return rules.map((value: unknown, i) => ({
    path: [...spec, 'rules', i],
    value,
    name: valueAt(value, ['name']),
    effects: keysOf(value).flatMap((key) => effects.filter((effect) => effect === key)),
  }))
}

/** In the order of the file. */
function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

function effectMistakes(document: Written, { path, value, effects: given }: RuleAt): Mistake[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const misspelt = keysOf(value).some((key) => nearest(key, effects) !== undefined)
  if (given.length === 0 && !misspelt) {
    const message = `a rule needs an effect: one of ${effects.join(', ')}`
    return [{ severity: 'error', place: document.placeOf(path), message }]
  }
  return given.slice(1).map((effect) => ({
    severity: 'error',
    place: document.placeOfKey([...path, effect]),
    message: 'a rule has one effect, and this is another; make it a rule of its own',
  }))
}

function nameMistakes(document: Written, rules: readonly RuleAt[]): Mistake[] {
  const seen = new Set<unknown>()
  const mistakes: Mistake[] = []
  for (const { name, path } of rules) {
    if (typeof name === 'string' && seen.has(name)) {
      const message = `another rule of this policy is named \`${name}\`; names are unique`
      mistakes.push({ severity: 'error', place: document.placeOf([...path, 'name']), message })
    }
    seen.add(name)
  }
  return mistakes
}

function actionMistakes(document: Written, spec: Path): Mistake[] {
  const actions = valueAt(document.value, [...spec, 'actions'])
  if (!Array.isArray(actions)) return []
  const known = catalogue.map(({ name }) => name)
  return actions.flatMap((action: unknown, i): Mistake[] => {
    const place = document.placeOf([...spec, 'actions', i])
    if (typeof action !== 'string' || action === '*' || known.includes(action)) return []
    const message = `unknown action \`${action}\`; there are ${[...known, '*'].join(', ')}`
    return [{ severity: 'error', place, message, suggestion: nearest(action, known) }]
  })
}

/** Every expression, also of rules that have something else wrong with them. */
function expressionMistakes(document: Written, rules: readonly RuleAt[]): Mistake[] {
  const spoken = rules.flatMap((rule) =>
    rule.effects.flatMap((effect) => {
      const when = valueAt(rule.value, [effect, 'when'])
      return typeof when === 'string' && when !== '' ? [{ effect, when, rule }] : []
    }),
  )
  const stand: PolicyRule[] = spoken.map(({ effect, when }, i) => {
    const name = `r${i}`
    switch (effect) {
      case 'deny':
        return { name, deny: { when } }
      case 'allow':
        return { name, allow: { when } }
      case 'requireApproval':
        return { name, requireApproval: { when, count: 1, groups: ['people'] } }
    }
    return { name }
  })
  const spec: ActionPolicySpec = { mode: 'enforce', actions: ['*'], rules: stand }
  const { problems } = compileRules([{ name: 'checked', spec }])
  return problems.flatMap(({ rule, line, column, message, suggestion }) => {
    const at = spoken[Number(rule.slice(1))]
    if (at === undefined) return []
    const place = document.placeInText([...at.rule.path, at.effect, 'when'], line, column)
    return [{ severity: 'error', place, message, suggestion }]
  })
}
