import { isRecord } from '@jackstay/kube/resources'
import fc from 'fast-check'

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }
type Tree = { readonly [key: string]: Json }

const zero = '00000000-0000-4000-8000-000000000000'
const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/)
const action = fc.stringMatching(/^[a-z][a-z0-9]{0,5}\.[a-z][A-Za-z0-9]{0,5}$/)
const uuid = fc.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
const digest = fc.stringMatching(/^sha256:[0-9a-f]{64}$/)
const key = fc.stringMatching(/^[A-Za-z0-9_-]{43}$/)
// any character but halves of pairs; JSON cannot carry those
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
const agent = fc.tuple(label, label).map(([namespace, name]) => `${namespace}/${name}`)
const groups = fc.array(label, { minLength: 1, maxLength: 3 })
const starred = (one: fc.Arbitrary<string>) =>
  fc.array(fc.oneof(fc.constant('*'), one), { minLength: 1, maxLength: 3 })
const quorum = fc.record({ count: fc.integer({ min: 1, max: 10 }), groups })

const duration = fc.constantFrom('90s', '15m', '1h30m', '168h', '169h', '0s', '1h1h', 'h')

const mostly = (good: readonly string[], bad: readonly string[]) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
  )
const cron = mostly(
  ['0 9 * * 1-5', '*/30 9-17/2 1,15 * *', '0 9 * JAN,FEB MON-FRI'],
  [
    ...['60 9 * * *', '0 24 * * *', '0 9 0 * *', '0 9 * 13 *', '0 9 * * 8', '@daily'],
    ...['0  9 * * *', '0 9 * * 1,,2', '0 9 L * *'],
  ],
)
const recurrence = mostly(
  ['FREQ=DAILY', 'FREQ=WEEKLY;BYDAY=MO,TU', 'BYDAY=MO;FREQ=WEEKLY'],
  [
    ...['FREQ=HOURLY', 'BYDAY=MO', 'RRULE:FREQ=DAILY', 'freq=daily', 'FREQ=DAILY;'],
    ...['FREQ=DAILY\nEXDATE=20260101', 'X=FREQ=DAILY'],
  ],
)
const timeZone = mostly(['UTC', 'Europe/Berlin', 'Etc/GMT+3'], [' UTC', '+01:00'])
const wallTime = mostly(['2026-01-05T09:00'], ['2026-1-5T9:00', '2026-01-05T24:00'])
const lasts = mostly(['60s', '15m', '1h30m', '168h'], ['59s', '169h', '0s', 'h'])
const from = mostly(['2026-02-02T09:00:00Z'], ['2026-02-30T00:00:00Z', '2029-01-01T00:00:00Z'])
const until = mostly(['2026-02-03T09:00:00Z'], ['2027-06-01T00:00:00Z', '2026-02-02'])

const effect = fc.oneof(
  fc.record({ deny: fc.record({ when: text, message: text }, { requiredKeys: ['when'] }) }),
  fc.record({ allow: fc.record({ when: text }) }),
  fc.record({
    requireApproval: fc.record(
      { when: text, count: fc.integer({ min: 1, max: 10 }), groups, expiresAfter: duration },
      { requiredKeys: ['when', 'count', 'groups'] },
    ),
  }),
)
const rule = fc.tuple(label, effect).map(([name, one]) => ({ name, ...one }))
const two = fc.constantFrom(1, 1, 1, 2)

const specs: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  AgentClass: fc.record({
    namespace: label.map((name) => `jackstay-class-${name}`),
    autonomy: fc.constantFrom('observe', 'propose', 'act-with-approval', 'act-within-policy'),
    actions: fc.array(
      fc.record({
        name: action,
        targets: fc.record({ namespaces: starred(label), names: starred(label) }),
      }),
      { maxLength: 3 },
    ),
    defaultApproval: quorum,
    limits: fc.record({
      intentsPerMinute: fc.integer({ min: 1, max: 600 }),
      pending: fc.integer({ min: 1, max: 100 }),
      concurrent: fc.integer({ min: 1, max: 100 }),
      budgets: fc.array(
        fc.record({
          of: fc.constantFrom('changes', 'pods', 'readyReplicasLost'),
          most: fc.integer({ min: 1, max: 100_000 }),
          per: duration,
        }),
        { maxLength: 3 },
      ),
      oscillation: fc.record({ turns: fc.integer({ min: 1, max: 50 }), within: duration }),
    }),
    verifySeconds: fc.integer({ min: 1, max: 3600 }),
    triggers: fc.array(fc.record({ labels: fc.dictionary(text, text, { maxKeys: 4 }) }), {
      maxLength: 3,
    }),
    grant: quorum,
  }),
  AgentKey: fc.record({
    agent,
    class: label,
    podName: label,
    podUid: uuid,
    thumbprint: key,
    publicKey: fc.record({ crv: fc.constant('Ed25519'), kty: fc.constant('OKP'), x: key }),
  }),
  ActionPolicy: fc.record({
    mode: fc.constantFrom('enforce', 'audit'),
    actions: starred(action),
    rules: fc.tuple(fc.array(rule, { minLength: 1, maxLength: 4 }), two).map(([rules, times]) =>
      // now and then one name twice
      times === 2 ? [...rules, ...rules.slice(0, 1)] : rules,
    ),
  }),
  Intent: fc.record({ agent, action, target: text, jws: text }),
  Approval: fc.record({
    subject: fc.record({
      kind: fc.constantFrom('Intent', 'AgentClass', 'ChangeWindow'),
      name: label,
      uid: uuid,
    }),
    digest,
    verdict: fc.constantFrom('approve', 'reject'),
    // what the policy on approvals lets pass: it would hide what the schema says
    approver: fc.constant('oncall-1'),
    groups: fc.subarray(['oncall', 'system:authenticated']),
    reason: text,
  }),
  ChangeWindow: fc
    .tuple(
      fc.oneof(
        fc.record({ cron, duration: lasts, timeZone }),
        fc.record({
          rrule: fc.record({ start: wallTime, rule: recurrence }),
          duration: lasts,
          timeZone,
        }),
        fc.record({ once: fc.record({ from, until }) }),
      ),
      fc.record({ actions: starred(action), namespaces: starred(label) }),
      fc.oneof(
        fc.record({ effect: fc.constantFrom('allow', 'freeze') }),
        fc.record({ effect: fc.constant('freeze'), reason: text }),
        // the policy on windows would hide what the schema says of a break-glass window of another
        fc.record({ effect: fc.constant('allow'), grant: quorum }),
      ),
    )
    .map(([when, where, what]) => ({ ...when, ...where, ...what })),
  Suspension: fc
    .tuple(
      fc.oneof(
        fc.record({ class: label }),
        fc.record({ agent }),
        fc.record({ action }),
        fc.record({
          target: fc.record(
            { namespace: label, kind: fc.constantFrom('Node', 'node', ''), name: label },
            { requiredKeys: ['name'] },
          ),
        }),
        fc.record({ class: label, agent }),
        fc.record({ undo: fc.constant('hold') }),
      ),
      fc.record(
        { undo: fc.constantFrom('hold', 'allow'), reason: text },
        { requiredKeys: ['reason'] },
      ),
    )
    .map(([what, how]) => ({ ...what, ...how })),
}

/** Values that fit somewhere else, if anywhere. */
const odd: readonly Json[] = [
  ...[null, true, 0, -1, 1, 1.5, 2 ** 31, 1e21, '', '*', 'a', '-a', 'A', 'ä', 'système', '\u0000'],
  ...['a\n', 'system:masters', zero.toUpperCase(), `sha256:${'0'.repeat(63)}`, '日本語', 'a.b'],
  ...['x'.repeat(64), 'x'.repeat(318), 'x'.repeat(4097), [], [[]], ['*', '*'], {}, { a: 1 }],
]

function isTree(value: Json | undefined): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Paths of everything below a value. */
function places(value: Json, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([step, below]) => {
    const here = [...path, step]
    return [here, ...places(below, here)]
  })
}

type Change = (parent: Json, step: string) => Json

function at(value: Json, [step = '', ...rest]: readonly string[], change: Change): Json {
  if (rest.length === 0) return change(value, step)
  if (Array.isArray(value)) {
    return value.map((one: Json, n) => (String(n) === step ? at(one, rest, change) : one))
  }
  if (!isTree(value)) return value
  return { ...value, [step]: at(value[step] ?? null, rest, change) }
}

export function specOf(body: unknown): unknown {
  return isRecord(body) ? body.spec : undefined
}

/** Without the keys whose value is `null`. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isTree(value)) return value
  const kept = Object.entries(value).filter(([, one]) => one !== null)
  return Object.fromEntries(kept.map(([key, one]) => [key, withoutNulls(one)]))
}

function put(parent: Json, step: string, value: Json): Json {
  if (Array.isArray(parent)) {
    return parent.map((one: Json, n) => (String(n) === step ? value : one))
  }
  return isTree(parent) ? { ...parent, [step]: value } : parent
}

function without(parent: Json, step: string): Json {
  if (Array.isArray(parent)) return parent.filter((_, n) => String(n) !== step)
  if (!isTree(parent)) return parent
  return Object.fromEntries(Object.entries(parent).filter(([name]) => name !== step))
}

/** One change somewhere: a value replaced, removed, misspelt, or an unknown one beside it. */
function bend(spec: Json, where: number, how: number, value: number): Json {
  const all = places(spec)
  const path = all[where % Math.max(1, all.length)] ?? []
  const other = odd[value % odd.length] ?? null
  const changes: readonly Change[] = [
    (parent, step) => put(parent, step, other),
    (parent, step) => put(parent, step, other),
    without,
    (parent, step) => put(parent, `${step}x`, other),
    (parent, step) => {
      const old = isTree(parent) ? parent[step] : undefined
      return old === undefined ? parent : put(without(parent, step), `${step}s`, old)
    },
  ]
  return at(spec, path, changes[how % changes.length] ?? without)
}

const nat = fc.nat({ max: 1_000_000 })

/** Random specs of a kind: half as generated, half with one change. */
export function specsOf(kind: string): fc.Arbitrary<Json> {
  const valid = specs[kind]
  if (valid === undefined) throw new TypeError(`no arbitrary for \`${kind}\``)
  return fc.tuple(valid, fc.boolean(), nat, nat, nat).map(([spec, bent, where, how, value]) => {
    // what goes over the wire: no prototypes, no undefined
    const plain: Json = JSON.parse(JSON.stringify(spec))
    return bent ? bend(plain, where, how, value) : plain
  })
}
