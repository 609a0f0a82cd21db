import { same } from '@jackstay/contract/field-changes'
import { isList, isMap, type Json, type JsonMap } from '@jackstay/contract/json'

/*
 * What a whole template may change when it is rolled back (T37). Listed is what may; everything else,
 * known here or not, has to stay: host access, identity, privileges, credentials. The admission policy
 * is generated from these same lists.
 */

/** Of each container, init containers included; containers may come and go with these alone. */
const containerFields = [
  ...['image', 'command', 'args', 'workingDir', 'ports', 'env', 'envFrom', 'resources'],
  ...['resizePolicy', 'restartPolicy', 'volumeMounts', 'imagePullPolicy', 'lifecycle'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe'],
  ...['terminationMessagePath', 'terminationMessagePolicy', 'stdin', 'stdinOnce', 'tty'],
] as const

/** Of the Pod besides its containers. */
const podFields = [
  ...['volumes', 'nodeSelector', 'affinity', 'tolerations', 'topologySpreadConstraints'],
  ...['terminationGracePeriodSeconds', 'enableServiceLinks', 'readinessGates'],
] as const

/** Items of these lists may change only where they have no other keys. */
const plainVolume = ['name', 'configMap', 'emptyDir', 'downwardAPI'] as const
const plainSource = ['configMapKeyRef', 'fieldRef', 'resourceFieldRef'] as const
const plainEnvFrom = ['prefix', 'configMapRef'] as const

/** With these keys a toleration lets Pods onto nodes that are not for workloads; with none, onto all. */
const nodeRoles = 'node-role.kubernetes.io/'
/** Annotations by which a kernel holds containers: to take one off is to let them out. */
const profiles = [
  'container.apparmor.security.beta.kubernetes.io/',
  'seccomp.security.alpha.kubernetes.io/',
  'container.seccomp.security.alpha.kubernetes.io/',
] as const
/** What the node does for a container by itself: it may be sent to no host but the Pod. */
const handlers = [
  ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => [name]),
  ...['postStart', 'preStop'].map((name) => ['lifecycle', name]),
]
const sending = ['httpGet', 'tcpSocket'] as const

const lists = ['containers', 'initContainers'] as const

/** What of a template would change that a rollback leaves alone, or undefined. */
export function heldChange(before: JsonMap, after: JsonMap): string | undefined {
  const [old, now] = [specOf(before), specOf(after)]
  return (
    others('template', before, after, ['metadata', 'spec']) ??
    others('metadata', mapOf(before.metadata), mapOf(after.metadata), ['labels', 'annotations']) ??
    others('spec', old, now, [...podFields, ...lists]) ??
    lists.map((list) => containersHeld(list, old, now)).find((held) => held !== undefined) ??
    profilesHeld(mapOf(before.metadata), mapOf(after.metadata)) ??
    guarded(old, now)
  )
}

function profilesHeld(before: JsonMap, after: JsonMap): string | undefined {
  const held = ({ annotations }: JsonMap): Json =>
    Object.entries(mapOf(annotations))
      .filter(([key]) => profiles.some((prefix) => key.startsWith(prefix)))
      .sort()
  return same(held(before), held(after)) ? undefined : words.profiles
}

const words = {
  profiles: 'annotations that hold containers to a profile',
  tolerations: 'tolerations of nodes that are not for workloads',
  handlers: 'probes and hooks that reach another host',
} as const

const specOf = (template: JsonMap) => mapOf(template.spec)
const mapOf = (value: Json | undefined): JsonMap => (isMap(value) ? value : {})
const itemsOf = (value: Json | undefined) => (isList(value) ? value.filter(isMap) : [])

function others(
  where: string,
  before: JsonMap,
  after: JsonMap,
  free: readonly string[],
): string | undefined {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const moved = [...keys].find((key) => !free.includes(key) && !same(before[key], after[key]))
  return moved && `${where}.${moved}`
}

function containersHeld(list: string, old: JsonMap, now: JsonMap): string | undefined {
  for (const container of itemsOf(now[list])) {
    const name = String(container.name)
    const counterpart = itemsOf(old[list]).find((one) => one.name === container.name)
    const free = counterpart === undefined ? ['name', ...containerFields] : containerFields
    const moved = others(`${list}[${name}]`, counterpart ?? {}, container, free)
    if (moved !== undefined) return moved
  }
  return undefined
}

function isPlain(item: JsonMap, plain: readonly string[]): boolean {
  return Object.keys(item).every((key) => plain.includes(key))
}

/** The items that carry credentials or reach the host have to be the same before and after. */
function guarded(old: JsonMap, now: JsonMap): string | undefined {
  const volumes = (spec: JsonMap) => itemsOf(spec.volumes).filter((v) => !isPlain(v, plainVolume))
  if (!same(volumes(old), volumes(now))) return 'volumes of secrets, tokens, claims or the host'
  const special = new Set([...volumes(old), ...volumes(now)].map((v) => v.name))
  const tolerations = (spec: JsonMap) => itemsOf(spec.tolerations).filter(reachesNodes)
  if (!same(tolerations(old), tolerations(now))) return words.tolerations
  const perContainer: Readonly<Record<string, (container: JsonMap) => readonly JsonMap[]>> = {
    'mounts of such volumes': (c) => itemsOf(c.volumeMounts).filter((m) => special.has(m.name)),
    'variables from secrets': (c) =>
      itemsOf(c.env).filter((e) => isMap(e.valueFrom) && !isPlain(e.valueFrom, plainSource)),
    'all variables of a secret': (c) => itemsOf(c.envFrom).filter((e) => !isPlain(e, plainEnvFrom)),
    'ports of the host': (c) => itemsOf(c.ports).filter((p) => (p.hostPort ?? 0) !== 0),
    [words.handlers]: (c) => handlers.map((path) => handlerOf(c, path)).filter(reachesHost),
  }
  return Object.keys(perContainer).find((word) => {
    const held = (spec: JsonMap) =>
      lists.flatMap((list) =>
        itemsOf(spec[list]).flatMap((c) => {
          const items = perContainer[word]?.(c) ?? []
          return items.length > 0 ? [[c.name ?? '', items] as Json] : []
        }),
      )
    return !same(held(old), held(now))
  })
}

function reachesNodes({ key }: JsonMap): boolean {
  return typeof key !== 'string' || key === '' || key.startsWith(nodeRoles)
}

function handlerOf(container: JsonMap, path: readonly string[]): JsonMap {
  return path.reduce((at, name) => mapOf(at[name]), container)
}

function reachesHost(handler: JsonMap): boolean {
  return sending.some((way) => (mapOf(handler[way]).host ?? '') !== '')
}

const quoted = (names: readonly string[]) => `[${names.map((name) => `'${name}'`).join(', ')}]`

/** The same as `guarded`, for admission: an equation per kind of item, over `object` and `oldObject`. */
export function templateGuards(): { readonly held: string; readonly expression: string }[] {
  const spec = (of: string) => `dyn(${of}).spec.template.spec`
  const volumes = (of: string) =>
    `${spec(of)}.?volumes.orValue([]).filter(v, !v.all(k, k in ${quoted(plainVolume)}))`
  const each = (list: string, items: string) => (of: string) =>
    `${spec(of)}.?${list}.orValue([]).map(c, [dyn(c.name), dyn(${items})]).filter(p, size(p[1]) > 0)`
  const special = `m.name in ${volumes('object')}.map(v, v.name)`
  const source = `has(e.valueFrom) && !e.valueFrom.all(k, k in ${quoted(plainSource)})`
  const perContainer = {
    'mounts of such volumes': `c.?volumeMounts.orValue([]).filter(m, ${special})`,
    'variables from secrets': `c.?env.orValue([]).filter(e, ${source})`,
    'all variables of a secret': `c.?envFrom.orValue([]).filter(e, !e.all(k, k in ${quoted(plainEnvFrom)}))`,
    'ports of the host': 'c.?ports.orValue([]).filter(p, p.?hostPort.orValue(0) != 0)',
    [words.handlers]: `[${handlers.map((path) => `c.?${path.join('.?')}`).join(', ')}].filter(h, ${sending
      .map((way) => `h.?${way}.?host.orValue('') != ''`)
      .join(' || ')}).map(h, h.orValue({}))`,
  }
  const tolerations = (of: string) =>
    `${spec(of)}.?tolerations.orValue([]).filter(t, t.?key.orValue('') == '' || t.key.startsWith('${nodeRoles}'))`
  const annotations = (of: string) => `dyn(${of}).spec.template.?metadata.?annotations.orValue({})`
  const isProfile = profiles.map((prefix) => `k.startsWith('${prefix}')`).join(' || ')
  const profilesIn = (one: string, other: string) =>
    `${annotations(one)}.all(k, !(${isProfile}) || ${annotations(other)}[?k].orValue('') == ${annotations(one)}[k])`
  return [
    {
      held: 'volumes of secrets, tokens, claims or the host',
      expression: `${volumes('object')} == ${volumes('oldObject')}`,
    },
    {
      held: words.tolerations,
      expression: `${tolerations('object')} == ${tolerations('oldObject')}`,
    },
    {
      held: words.profiles,
      expression: `${profilesIn('object', 'oldObject')} && ${profilesIn('oldObject', 'object')}`,
    },
    ...Object.entries(perContainer).flatMap(([held, items]) =>
      lists.map((list) => {
        const both = each(list, items)
        return { held, expression: `${both('object')} == ${both('oldObject')}` }
      }),
    ),
  ]
}

/** The fields that a rollback may change, for its right. */
export const rollbackFields: readonly string[] = [
  ...['labels', 'annotations'].map((field) => `spec.template.metadata.${field}`),
  ...podFields.map((field) => `spec.template.spec.${field}`),
  ...lists.flatMap((list) =>
    containerFields.map((field) => `spec.template.spec.${list}[+].${field}`),
  ),
]
