import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../objects.ts'
import { at, mapAt, numberAt, textAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn, type Reconciling } from './controller.ts'
import { begun, deploymentStatus, shareAt } from './deployment-status.ts'
import { controlledBy, controllerKey, referenceTo } from './owned.ts'
import type { Said } from './recorder.ts'
import { bounds, recreateSteps, rollingSteps, type SetState, type Steps } from './rollout.ts'
import { statusWritten } from './status.ts'
import { templateHash } from './template-hash.ts'

const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }
const replicaSets = { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const hashLabel = 'pod-template-hash'
export const revisionAnnotation = 'deployment.kubernetes.io/revision'

type Parts = Reconciling<'deployments' | 'sets' | 'pods'>

/** Moves a Deployment from one template to the next, a ReplicaSet for each. */
export const deploymentController: Controller<'deployments' | 'sets' | 'pods'> = {
  name: 'deployment-controller',
  watches: {
    deployments: { type: deployments, keys: (one) => [keyOf(one)] },
    sets: { type: replicaSets, keys: (set) => controllerKey('Deployment', set) },
    // of a set that is called as the Deployment is, and ends in a hash
    pods: {
      type: pods,
      keys: (pod) => controllerKey('ReplicaSet', pod).map((key) => key.replace(/-[^-]+$/, '')),
    },
  },
  async reconcile(key, parts) {
    const { namespace, name } = placeIn(key)
    const deployment = parts.caches.deployments.get(namespace, name)
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) {
      return undefined
    }
    const sets = controlledBy(deployment, parts.caches.sets)
    const newest = sets.find((set) => hasTemplateOf(deployment, set))
    const isPaused = at(deployment, 'spec.paused') === true
    if (newest === undefined && !isPaused) {
      await begin(deployment, sets, parts)
      return undefined
    }
    const older = sets.filter((set) => set !== newest)
    if (newest !== undefined) await number(newest, older, deployment, parts)
    if (newest !== undefined && !isPaused) await go(deployment, newest, older, parts)
    if (isPaused) await size(deployment, newest, sets, parts)
    if (newest !== undefined) await forget(deployment, newest, older, parts)
    return await report(deployment, newest, sets, parts)
  },
}

function hasTemplateOf(deployment: KubeObject, set: KubeObject): boolean {
  return isDeepStrictEqual(
    bare(mapAt(deployment, 'spec.template')),
    bare(mapAt(set, 'spec.template')),
  )
}

/** A template without the label that tells one from the other. */
function bare(template: Readonly<Record<string, unknown>>): unknown {
  const metadata = mapAt(template, 'metadata')
  const { [hashLabel]: _, ...labels } = mapAt(metadata, 'labels')
  return { ...template, metadata: { ...metadata, labels } }
}

async function begin(
  deployment: KubeObject,
  sets: readonly KubeObject[],
  parts: Parts,
): Promise<void> {
  const { client, clock, record, signal } = parts
  const { name = '', namespace = '' } = deployment.metadata
  const template = mapAt(deployment, 'spec.template')
  const hash = templateHash(bare(template))
  const metadata = mapAt(template, 'metadata')
  const labels = { ...mapAt(metadata, 'labels'), [hashLabel]: hash }
  const selector = mapAt(deployment, 'spec.selector')
  const matchLabels = { ...mapAt(selector, 'matchLabels'), [hashLabel]: hash }
  const seconds = numberAt(deployment, 'spec.minReadySeconds')
  const set = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...{ name: `${name}-${hash}`, labels },
      annotations: {
        ...{ ...copied(deployment), ...sizeOf(deployment) },
        [revisionAnnotation]: String(highest(sets) + 1),
      },
      ownerReferences: [referenceTo(deployment)],
    },
    spec: {
      replicas: 0,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...metadata, labels } },
      ...(seconds > 0 && { minReadySeconds: seconds }),
    },
  }
  const { newest: replicas } = stepsOf(deployment, set, sets, parts)
  const sized = { ...set, spec: { ...set.spec, replicas } }
  const made = await client.create(replicaSets, namespace, sized, { signal })
  if (made.kind !== 'applied')
    throw new Error(`no ReplicaSet of \`${name}\`: ${JSON.stringify(made)}`)
  if (replicas > 0) record(deployment, scaling(set.metadata.name, 0, replicas))
  // at once, for what the set comes to from now on is progress
  const conditions = begun(deployment, set.metadata.name, clock.of(deployment))
  const status = { ...mapAt(deployment, 'status'), conditions }
  await report({ ...deployment, status }, made.object, [...sets, made.object], parts)
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** What a set says of the Deployment, for an undo. */
function copied({ metadata }: KubeObject): Readonly<Record<string, string>> {
  const own = Object.entries(metadata.annotations ?? {})
  return Object.fromEntries(
    own.filter(([key]) => key !== lastApplied && key !== revisionAnnotation),
  )
}

/** How many Pods the Deployment wanted when a set was last sized. */
function sizeOf(deployment: KubeObject): Readonly<Record<string, string>> {
  const desired = numberAt(deployment, 'spec.replicas', 1)
  const isRolling = textAt(deployment, 'spec.strategy.type') !== 'Recreate'
  const maxSurge = isRolling ? shareAt(deployment, 'maxSurge') : 0
  const maxUnavailable = isRolling ? shareAt(deployment, 'maxUnavailable') : 0
  const { surge } = bounds({ desired, maxSurge, maxUnavailable })
  return {
    'deployment.kubernetes.io/desired-replicas': String(desired),
    'deployment.kubernetes.io/max-replicas': String(desired === 0 ? 0 : desired + surge),
  }
}

function revisionOf({ metadata }: KubeObject): number {
  return Number(metadata.annotations?.[revisionAnnotation] ?? 0)
}

function highest(sets: readonly KubeObject[]): number {
  return Math.max(0, ...sets.map(revisionOf))
}

/** The newest set has the highest revision, also where it was one before; the Deployment says which. */
async function number(
  newest: KubeObject,
  older: readonly KubeObject[],
  deployment: KubeObject,
  { client, signal }: Parts,
): Promise<void> {
  const { namespace = '', name = '' } = deployment.metadata
  const own = revisionOf(newest)
  const revision = own > highest(older) ? own : highest(older) + 1
  const annotations = { [revisionAnnotation]: String(revision) }
  const wanted = { ...copied(deployment), ...annotations }
  const had = newest.metadata.annotations ?? {}
  const patch = { metadata: { annotations: wanted } }
  const set = { ...replicaSets, namespace, name: newest.metadata.name ?? '' }
  const isSaid = Object.entries(wanted).every(([key, value]) => had[key] === value)
  if (!isSaid) await client.mergePatch(set, patch, { signal })
  if (revisionOf(deployment) === revision) return
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
  const all = { ...deployment.metadata.annotations, ...annotations }
  const body = { ...deployment, metadata: { ...deployment.metadata, annotations: all } }
  await client.request({ method: 'PUT', path, body, signal })
}

async function go(
  deployment: KubeObject,
  newest: KubeObject,
  older: readonly KubeObject[],
  parts: Parts,
): Promise<void> {
  const { newest: up, older: down } = stepsOf(deployment, newest, older, parts)
  await scaled(newest, up, deployment, parts)
  for (const [i, set] of older.entries()) await scaled(set, down[i] ?? 0, deployment, parts)
}

/** While paused, what there is of it is still made as big as is wanted, unless two templates share it. */
async function size(
  deployment: KubeObject,
  newest: KubeObject | undefined,
  sets: readonly KubeObject[],
  parts: Parts,
): Promise<void> {
  const [active = newest, ...others] = sets.filter((set) => numberAt(set, 'spec.replicas', 1) > 0)
  if (active === undefined || others.length > 0) return
  await scaled(active, numberAt(deployment, 'spec.replicas', 1), deployment, parts)
}

function stepsOf(
  deployment: KubeObject,
  newest: KubeObject,
  older: readonly KubeObject[],
  { caches }: Parts,
): Steps {
  const desired = numberAt(deployment, 'spec.replicas', 1)
  const states = older.map(stateOf)
  if (textAt(deployment, 'spec.strategy.type') === 'Recreate') {
    const left = older.flatMap((set) => controlledBy(set, caches.pods)).length
    return recreateSteps(states, left, stateOf(newest), desired)
  }
  const rolling = {
    desired,
    maxSurge: shareAt(deployment, 'maxSurge'),
    maxUnavailable: shareAt(deployment, 'maxUnavailable'),
  }
  return rollingSteps(stateOf(newest), states, rolling)
}

function stateOf(set: KubeObject): SetState {
  return {
    replicas: numberAt(set, 'spec.replicas', 1),
    available: numberAt(set, 'status.availableReplicas'),
  }
}

async function scaled(
  set: KubeObject,
  replicas: number,
  deployment: KubeObject,
  { client, record, signal }: Parts,
): Promise<void> {
  const had = numberAt(set, 'spec.replicas', 1)
  if (had === replicas) return
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = set.metadata
  const preconditions = { uid, resourceVersion }
  const ref = { ...replicaSets, namespace, name }
  const patch = { metadata: { annotations: sizeOf(deployment) }, spec: { replicas } }
  const done = await client.mergePatch(ref, patch, { preconditions, signal })
  if (done.kind !== 'applied')
    throw new Error(`\`${name}\` was not scaled: ${JSON.stringify(done)}`)
  record(deployment, scaling(name, had, replicas))
}

function scaling(name: string, had: number, replicas: number): Said {
  const way = had < replicas ? 'up' : 'down'
  const message = `Scaled ${way} replica set ${name} from ${had} to ${replicas}`
  return { type: 'Normal', reason: 'ScalingReplicaSet', message }
}

/** Earlier sets that have nothing are kept as far back as somebody may want to go. */
async function forget(
  deployment: KubeObject,
  newest: KubeObject,
  older: readonly KubeObject[],
  { client, signal }: Parts,
): Promise<void> {
  const idle = older
    .filter((set) => numberAt(set, 'spec.replicas') === 0 && numberAt(set, 'status.replicas') === 0)
    .sort((a, b) => revisionOf(a) - revisionOf(b))
  const keep = numberAt(deployment, 'spec.revisionHistoryLimit', 10)
  if (numberAt(newest, 'spec.replicas') < numberAt(deployment, 'spec.replicas', 1)) return
  for (const { metadata } of idle.slice(0, Math.max(0, idle.length - keep))) {
    const { namespace = '', name = '', uid = '' } = metadata
    await client.delete({ ...replicaSets, namespace, name }, { preconditions: { uid }, signal })
  }
}

async function report(
  deployment: KubeObject,
  newest: KubeObject | undefined,
  sets: readonly KubeObject[],
  { client, clock, signal }: Parts,
): Promise<number | undefined> {
  const { status, dueMs } = deploymentStatus(deployment, newest, sets, clock.of(deployment))
  await statusWritten({ client, signal }, deployments, deployment, status)
  return dueMs
}
