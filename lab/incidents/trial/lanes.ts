import type { Incident } from '../incident.ts'
import type { Verdict } from '../verdict.ts'
import { type Row, wrongIn } from './scoreboard.ts'
import type { Stand } from './stand.ts'
import { type Column, columns, hold, namespaceOf } from './trial.ts'

/** What is told while a run goes on. */
export interface Telling {
  row(row: Row, seconds: number): void
  /** Where the lab itself did not do what it should. */
  broke(incident: Incident, error: unknown): void
}

/**
 * Holds every trial: each namespace goes through its own, side by side with the others. Whatever changes
 * nodes, which all of them stand on, has the world for itself.
 */
export async function runTrials(
  stand: Stand,
  incidents: readonly Incident[],
  telling: Telling,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const rows = new Map<Incident, Row>()
  const run = async (incident: Incident) => {
    const began = performance.now()
    try {
      const row = await rowOf(stand, incident, signal)
      rows.set(incident, row)
      telling.row(row, (performance.now() - began) / 1000)
    } catch (error) {
      signal.throwIfAborted()
      telling.broke(incident, error)
    }
  }
  const alone = incidents.filter(changesNodes)
  const beside = incidents.filter((one) => !changesNodes(one))
  const lanes = [...Map.groupBy(beside, namespaceOf).values()]
  await Promise.all(
    lanes.map(async (lane) => {
      for (const incident of lane) await run(incident)
    }),
  )
  for (const incident of alone) await run(incident)
  return incidents.flatMap((one) => rows.get(one) ?? [])
}

/** Whether every incident has its row, and each is as it must be. */
export function isRight(incidents: readonly Incident[], rows: readonly Row[]): boolean {
  return rows.length === incidents.length && rows.every((row) => wrongIn(row).length === 0)
}

async function rowOf(stand: Stand, incident: Incident, signal: AbortSignal): Promise<Row> {
  const held = async (column: Column): Promise<Verdict> => hold(stand, incident, column, signal)
  const [nothing, reference, dangerous, agent] = columns
  return {
    incident,
    verdicts: {
      nothing: await held(nothing),
      reference: await held(reference),
      dangerous: await held(dangerous),
      agent: await held(agent),
    },
  }
}

function changesNodes({ fault }: Incident): boolean {
  return fault.some((change) => 'patch' in change && change.patch.kind === 'Node')
}
