import { setTimeout as sleep } from 'node:timers/promises'
import { intentView } from '@jackstay/contract/api'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { executorsNamespace, systemNamespace } from '@jackstay/contract/namespaces'
import type { LineWorld } from '@jackstay/e2e/line-world'
import type { KubeObject } from '@jackstay/kube/resources'
import { type AuditEvent, type AuditTail, auditTail } from './audit-tail.ts'
import { inParallel, median } from './cpu.ts'
import { type Crowd, withCrowd } from './crowd.ts'
import { type KeepAlive, keepAlive } from './keep-alive.ts'
import { milliseconds, quantile } from './quantiles.ts'
import { table, whole } from './table.ts'

export interface SuspensionOptions {
  readonly agents: number
  /** Of each agent, in flight at once. */
  readonly perAgent: number
  readonly runs: number
}

/** A way to stop a class, and the request by which the API server knows of it. */
interface Stop {
  readonly name: string
  readonly verb: string
  readonly resource: string
  readonly stop: () => Promise<void>
  readonly lift: () => Promise<void>
}

/**
 * Real intents of many agents, all under way at once; then somebody stops the class. From the API
 * server's answer to that until its answer to the last write it admitted, both by its own audit log.
 */
export async function measureSuspension(
  world: LineWorld,
  options: SuspensionOptions,
): Promise<string> {
  const rules = [{ name: 'allow', allow: { when: 'true' } }]
  const limits = { pending: 100, concurrent: 100 }
  return withCrowd(world, options.agents, rules, limits, async (crowd) => {
    const names = Array.from({ length: options.agents * options.perAgent }, (_, n) => `web-${n}`)
    await inParallel(names, 8, async (name) => {
      await world.deployment(crowd.tenant, name, 1)
    })
    const tail = await auditTail(world.cluster.auditLog)
    const client = keepAlive(names.length)
    try {
      const scene = { world, crowd, names, tail, client }
      const rows: string[][] = []
      for (const stop of await stopsOf(world, crowd)) {
        rows.push(...(await compared(scene, stop, options.runs)))
      }
      const head = ['', 'median ms', 'p99 ms', 'longest ms', 'admitted after', 'not written yet']
      return [
        `from a stop to the last admitted write: ${names.length} intents in flight, ${options.runs} runs each`,
        table([head, ...rows]),
        `  plain writers: ${writers} at a time, as the mediator has, of the same writes, without any program of ours`,
        '  all by the audit log of the API server; 0 where no write was admitted after the answer',
      ].join('\n')
    } finally {
      client.close()
      await tail.close()
    }
  })
}

/** Taking turns, so that a slow moment of the machine is both's. */
async function compared(scene: Scene, stop: Stop, runs: number): Promise<string[][]> {
  const ours: Run[] = []
  const plain: Run[] = []
  while (ours.length < runs) {
    ours.push(await once(scene, stop, submitted))
    plain.push(await once(scene, stop, plainly))
  }
  return [rowOf(stop.name, ours), [...rowOf(`… of plain writers`, plain).slice(0, -1), '']]
}

interface Run {
  readonly lastMs: number
  readonly admittedAfter: number
  readonly notWritten: number
}

function rowOf(name: string, runs: readonly Run[]): string[] {
  const last = runs.map(({ lastMs }) => lastMs)
  return [
    name,
    milliseconds(median(last)),
    milliseconds(quantile(last, 0.99)),
    milliseconds(Math.max(...last)),
    whole(runs.reduce((sum, { admittedAfter }) => sum + admittedAfter, 0)),
    whole(median(runs.map(({ notWritten }) => notWritten))),
  ]
}

interface Scene {
  readonly world: LineWorld
  readonly crowd: Crowd
  readonly names: readonly string[]
  readonly tail: AuditTail
  readonly client: KeepAlive
}

/** Writes under way, and how to wait until none of them comes any more. */
interface UnderWay {
  stopped(): Promise<void>
  over(): Promise<void>
}

async function once(
  scene: Scene,
  { stop, lift, ...request }: Stop,
  begin: (scene: Scene) => Promise<UnderWay>,
): Promise<Run> {
  const { crowd, names, tail } = scene
  await tail.rest()
  const events: AuditEvent[] = []
  const writes = () => events.filter((event) => isWrite(event, crowd.tenant.class))
  const underWay = await begin(scene)
  await scene.world.until(async () => {
    events.push(...(await tail.rest()))
    return writes().length > 0
  }, 'the first write')
  try {
    await stop()
    await underWay.stopped()
  } finally {
    await lift()
  }
  await underWay.over()
  events.push(...(await tail.rest()))
  await restore(scene, crowd.tenant.targets)
  return runOf(events, writes(), request, names.length)
}

/** Every agent asks for its share at once. */
async function submitted({ crowd, names, client }: Scene): Promise<UnderWay> {
  const bodies = await Promise.all(
    names.map(async (name, n) => {
      const member = crowd.members[n % crowd.members.length]
      if (member === undefined) throw new Error('no agent to ask with')
      const target = { namespace: crowd.tenant.targets, name }
      return { member, body: await member.agent.submission(0, target) }
    }),
  )
  const ids = await Promise.all(
    bodies.map(async ({ member: { agent, token }, body }) => {
      const url = `${agent.urls.mediator}/v1/intents`
      const { status, text } = await client.post(url, body, token)
      if (status !== 202) throw new Error(`not taken: ${status} ${text}`)
      return { agent, id: intentView.parse(JSON.parse(text)).summary.id }
    }),
  )
  const all = (is: (phase: string) => boolean) => () =>
    inParallel(ids, 2 * crowd.members.length, async ({ agent, id }) => {
      await settled(() => agent.follow(id, 0), is)
    })
  return { stopped: all(isPastWriting), over: all(hasEnded) }
}

/** As many as the mediator has under way at a time. */
const writers = 32

/** What one would have without us: each writer patches one Deployment after another until it is refused. */
async function plainly({ world, crowd, names }: Scene): Promise<UnderWay> {
  const { class: owner, targets: namespace } = crowd.tenant
  // what admission demands of an executor
  const extra = {
    'jackstay.dev/intent': ['bench'],
    'jackstay.dev/agent': ['bench'],
    'jackstay.dev/action': ['workload.scale'],
  }
  const username = `system:serviceaccount:${executorsNamespace}:${owner}`
  const executor = world.admin.as({ username, extra })
  const late = performance.now() + 60_000
  const write = async (first: number) => {
    for (let n = first; performance.now() < late; n += writers) {
      const name = names[n % names.length] ?? ''
      const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace, name }
      const done = await executor.mergePatch(ref, {
        spec: { replicas: Math.floor(n / names.length) % 2 },
      })
      if (done.kind === 'refused') return
      if (done.kind !== 'applied') throw new Error(`not written: ${JSON.stringify(done)}`)
    }
    throw new Error('nothing stops the plain writers')
  }
  const all = Promise.all(Array.from({ length: writers }, (_, n) => write(n)))
  // looked at where it is waited for
  all.catch(() => undefined)
  const stopped = async () => void (await all)
  return { stopped, over: stopped }
}

function runOf(
  events: readonly AuditEvent[],
  writes: readonly AuditEvent[],
  { verb, resource }: Pick<Stop, 'verb' | 'resource'>,
  asked: number,
): Run {
  const stops = events.filter((e) => e.verb === verb && e.objectRef?.resource === resource)
  const at = stops.map(timeOf).at(0)
  if (at === undefined) throw new Error(`the audit log knows of no ${verb} of ${resource}`)
  const after = writes.map(timeOf).filter((time) => time > at)
  return {
    lastMs: Math.max(0, ...after.map((time) => time - at)),
    admittedAfter: after.length,
    notWritten: asked - (writes.length - after.length),
  }
}

const timeOf = ({ stageTimestamp }: AuditEvent) => Date.parse(stageTimestamp)

/** Undos are no news: they take back what was written before. */
function isWrite(event: AuditEvent, className: string): boolean {
  const { verb, requestURI, impersonatedUser, responseStatus } = event
  const executor = `system:serviceaccount:${executorsNamespace}:${className}`
  const admitted = responseStatus !== undefined && responseStatus.code < 300
  const really = verb === 'patch' && !requestURI.includes('dryRun')
  return admitted && really && impersonatedUser?.username === executor
}

const beforeOrInWriting = ['admit', 'plan', 'decide', 'rehearse', 'dispatch', 'execute']
const ended = ['refused', 'verified', 'failed', 'obsolete', 'rolled_back', 'rollback_failed']
const isPastWriting = (phase: string) => !beforeOrInWriting.includes(phase)
const hasEnded = (phase: string) => ended.includes(phase)

async function settled(
  read: () => Promise<{ readonly summary: { readonly phase: string } }>,
  is: (phase: string) => boolean,
): Promise<void> {
  const late = performance.now() + 180_000
  for (;;) {
    const { summary } = await read()
    if (is(summary.phase)) return
    if (performance.now() > late) throw new Error(`an intent stays in \`${summary.phase}\``)
    await sleep(50)
  }
}

/** As before the run, by the administrator. */
async function restore({ world, names }: Scene, namespace: string): Promise<void> {
  await inParallel(names, 8, async (name) => {
    const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace, name }
    const done = await world.admin.mergePatch(ref, { spec: { replicas: 1 } })
    if (done.kind !== 'applied') throw new Error(`not restored: ${JSON.stringify(done)}`)
  })
}

async function stopsOf({ admin }: LineWorld, { tenant }: Crowd): Promise<readonly Stop[]> {
  const system = { apiVersion: 'v1', resource: 'namespaces', name: systemNamespace }
  const label = async (value: string | null) => {
    const labels = { 'jackstay.dev/suspended': value }
    demand(await admin.mergePatch(system, { metadata: { labels } }))
  }
  const suspensions = { apiVersion: groupVersion, resource: 'suspensions' }
  const suspension = { ...suspensions, name: `bench-${tenant.class}` }
  const bindings = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    resource: 'rolebindings',
    namespace: tenant.targets,
  }
  const all = (await admin.list(bindings, { namespace: tenant.targets })).items
  const binding = all.find(({ roleRef }) => JSON.stringify(roleRef).includes('workload-scale'))
  if (binding === undefined) throw new Error('the executor has no RoleBinding')
  const { name = '' } = binding.metadata
  return [
    {
      ...{ name: 'label on jackstay-system', verb: 'patch', resource: 'namespaces' },
      stop: () => label(''),
      lift: () => label(null),
    },
    {
      ...{ name: 'Suspension of the class', verb: 'create', resource: 'suspensions' },
      stop: async () =>
        demand(
          await admin.create(suspensions, undefined, {
            apiVersion: groupVersion,
            kind: 'Suspension',
            metadata: { name: suspension.name },
            spec: { class: tenant.class, reason: 'the bench stops it' },
          }),
        ),
      lift: async () => demand(await admin.delete(suspension)),
    },
    {
      ...{ name: 'RoleBinding deleted', verb: 'delete', resource: 'rolebindings' },
      stop: async () => demand(await admin.delete({ ...bindings, name })),
      lift: async () => demand(await admin.create(bindings, tenant.targets, renewed(binding))),
    },
  ]
}

function renewed({ metadata, roleRef, subjects }: KubeObject) {
  const { name, namespace, labels } = metadata
  return {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', roleRef, subjects },
    metadata: { name, namespace, labels },
  }
}

function demand(result: { readonly kind: string }): void {
  if (result.kind !== 'applied') throw new Error(`refused: ${JSON.stringify(result)}`)
}
