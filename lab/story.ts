import { setTimeout as sleep } from 'node:timers/promises'
import { intentObject } from '@jackstay/contract/kinds/intent-object'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { terminalPhases } from '@jackstay/contract/phases'
import { find } from '@jackstay/kube/find'
import { operator, workload } from './demo-objects.ts'
import { exportsFor } from './farewell.ts'
import { wordsOf } from './install/cluster-objects.ts'
import type { Narrator } from './narrator.ts'
import { saysYes } from './prompt.ts'
import type { Stage } from './stage.ts'

const alert = {
  alertname: 'DeploymentHasNoReplicas',
  severity: 'page',
  namespace: workload.namespace,
  deployment: workload.name,
}

export interface Told {
  /** The change verified, and so did the log. */
  readonly well: boolean
  readonly id: string
}

/** One incident from the alert to the proof. */
export async function tellStory(
  stage: Stage,
  narrator: Narrator,
  { once }: { readonly once: boolean },
): Promise<Told> {
  const id = await incident(stage, narrator)
  if (id === undefined) return { well: false, id: '' }
  await approval(stage, narrator, id, once)
  const phase = await outcome(stage, narrator, id)
  narrator.chapter('7. Why did this happen?')
  const why = await stage.jackstay(['why', id])
  narrator.quote(why.stdout || why.stderr)
  narrator.chapter('8. The proof')
  const verified = await stage.jackstay(['ledger', 'verify'])
  narrator.quote(verified.stdout || verified.stderr)
  const offline = await stage.jackstay(['ledger', 'verify', '--data', stage.plane.dataDirectory])
  narrator.say(
    offline.code === 0
      ? 'the same from the files alone, without asking any program'
      : `offline: ${offline.stderr}`,
  )
  const well = phase === 'verified' && verified.code === 0 && offline.code === 0
  narrator.say(well ? 'The change verified, and so does the log.' : `It ended as \`${phase}\`.`)
  return { well, id }
}

/** Breaks the workload, fires the alert, and follows the agent to its intent's id. */
async function incident(stage: Stage, narrator: Narrator): Promise<string | undefined> {
  const { namespace, name } = workload
  const { agentEvents: events, signal } = stage
  const soon = AbortSignal.any([signal, AbortSignal.timeout(60_000)])
  narrator.chapter('3. An incident')
  await narrator.step(`somebody scales ${namespace}/${name} to zero`, async () => {
    const { client } = stage.install
    const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace, name }
    const scaled = await client.mergePatch(ref, { spec: { replicas: 0 } }, { signal })
    if (scaled.kind !== 'applied') throw new Error(`it was not scaled: ${wordsOf(scaled)}`)
    await untilGone(stage)
  })
  await narrator.step('the alert is posted, with its bearer token', async () => {
    const summary = `${namespace}/${name} has no replicas`
    await stage.alerts.fire({ labels: alert, annotations: { summary } })
    await events.next('agent.trigger', soon)
  })
  narrator.chapter('4. The agent looks, and asks')
  const diagnosis = await events.next('agent.diagnosis', soon)
  narrator.say(`diagnosis: ${String(diagnosis.summary ?? JSON.stringify(diagnosis))}`)
  narrator.say(
    'it read through the read tool as itself, and holds no credential the API server accepts',
  )
  const intent = await events.next('agent.intent', soon)
  if (typeof intent.id !== 'string') {
    narrator.say(`the agent did not get an intent in: ${JSON.stringify(intent)}`)
    return undefined
  }
  narrator.say(`it signed an intent: ${intent.id}`)
  return intent.id
}

async function untilGone({ install, signal }: Stage): Promise<void> {
  const { namespace, name } = workload
  const labelSelector = `app.kubernetes.io/name=${name}`
  const pods = { apiVersion: 'v1', resource: 'pods' }
  for (;;) {
    const { items } = await install.client.list(pods, { namespace, labelSelector, signal })
    if (items.length === 0) return
    await sleep(200, undefined, { signal })
  }
}

/** Shows what is to be approved and lets a person, or with `once` the demo operator, say yes. */
async function approval(
  stage: Stage,
  narrator: Narrator,
  id: string,
  once: boolean,
): Promise<void> {
  narrator.chapter('5. The decision waits for a person')
  await untilPhase(stage, id, (phase) => phase === 'approve' || isEnd(phase))
  const waiting = await stage.jackstay(['inbox'])
  narrator.quote(waiting.stdout || waiting.stderr)
  if (once) {
    narrator.say(`\`${operator.user}\`, ${stage.operatorIs}, approves now.`)
    await decide(stage, narrator, id, 'approve')
    return
  }
  narrator.say(`approve as \`${operator.user}\` here, or in another terminal:`)
  narrator.say(exportsFor(stage, id))
  narrator.say('npx jackstay approve "$INTENT" --reason "…"')
  const answer = await answered(stage, id)
  if (answer === 'elsewhere') {
    narrator.say(`decided without this terminal: the intent is \`${await phaseOf(stage, id)}\` now`)
  } else {
    await decide(stage, narrator, id, answer)
  }
}

async function decide(
  stage: Stage,
  narrator: Narrator,
  id: string,
  verdict: 'approve' | 'reject',
): Promise<void> {
  const reason = verdict === 'approve' ? 'web has to serve again' : 'not now'
  const said = await stage.jackstay([verdict, id, '--yes', '--reason', reason])
  narrator.quote(said.stdout || said.stderr)
}

/** What the person at this terminal says, or that the intent went on without them. */
async function answered(stage: Stage, id: string): Promise<'approve' | 'reject' | 'elsewhere'> {
  const settled = new AbortController()
  const signal = AbortSignal.any([stage.signal, settled.signal])
  const elsewhere = untilPhase({ ...stage, signal }, id, (phase) => phase !== 'approve').then(
    () => 'elsewhere' as const,
  )
  const waits: Promise<'approve' | 'reject' | 'elsewhere'>[] = [elsewhere]
  if (process.stdin.isTTY) waits.push(asked(signal))
  try {
    return await Promise.race(waits)
  } finally {
    settled.abort()
    await Promise.allSettled(waits)
  }
}

async function asked(signal: AbortSignal): Promise<'approve' | 'reject'> {
  return (await saysYes('approve operation?', signal)) ? 'approve' : 'reject'
}

const ends: ReadonlySet<string> = new Set(terminalPhases)

function isEnd(phase: string): boolean {
  return ends.has(phase)
}

async function phaseOf({ install, signal }: Stage, id: string): Promise<string> {
  const { namespace } = workload
  const ref = { apiVersion: groupVersion, resource: intentObject.plural, namespace, name: id }
  const found = await find(install.client, ref, { signal })
  const { phase = '' } = Object(found?.status)
  return String(phase)
}

async function untilPhase(
  stage: Stage,
  id: string,
  holds: (phase: string) => boolean,
): Promise<string> {
  for (;;) {
    const phase = await phaseOf(stage, id)
    if (holds(phase)) return phase
    await sleep(250, undefined, { signal: stage.signal })
  }
}

/** Follows the intent to its end, whatever that is. */
async function outcome(stage: Stage, narrator: Narrator, id: string): Promise<string> {
  narrator.chapter('6. What becomes of it')
  const phase = await narrator.step('the line goes on, or ends', () => untilPhase(stage, id, isEnd))
  narrator.say(
    phase === 'verified'
      ? 'dispatched on record, written as the executor, watched until it held'
      : `it ended as \`${phase}\``,
  )
  await stage.alerts.resolve({ labels: alert })
  return phase
}
