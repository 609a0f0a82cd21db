import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SoakReport } from './soak.ts'
import type { Ground } from './world/ground.ts'

const shown = 40

/** What people read at the end. */
export function reportLines(report: SoakReport): string[] {
  const { seed, ranMs, steps, ends, tally, memory, ledger, violations } = report
  const { effects, undos, byAction, latestAfterStopMs } = report
  const made = Object.entries(byAction).map(([action, n]) => `${action} ${n}`)
  const slope =
    memory.mbPerMinute === undefined
      ? 'no process lived long enough for a slope'
      : `${memory.mbPerMinute.toFixed(1)} MB a minute over ${Math.round(memory.livedMs / 1000)} s`
  const happened = tally.entries().map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`)
  const ended = Object.entries(ends).map(([end, n]) => `  ${String(n).padStart(6)}  ${end}`)
  return [
    `seed ${seed}: ${steps} steps in ${Math.round(ranMs / 1000)} s`,
    'happened',
    ...happened,
    'intents ended',
    ...ended,
    `effects: ${effects}, of them ${undos} undos (${made.join(', ')}); the last write after a stop stood came ${Math.round(latestAfterStopMs)} ms later`,
    `memory of the mediator: ${memory.highestMb} MB at most, ${slope}`,
    ...ledger.map(({ by, ok, said }) => `ledger: ${by}: ${ok ? 'ok' : 'FAILED'}, ${said}`),
    ...violationLines(violations),
  ]
}

function violationLines(violations: SoakReport['violations']): string[] {
  if (violations.length === 0) return ['no promise was broken']
  const lines = [...Map.groupBy(violations, ({ promise }) => promise)].flatMap(([promise, all]) => [
    `BROKEN ${all.length}×: ${promise}`,
    ...all.slice(0, shown).map(({ what }) => `    ${what}`),
    ...(all.length > shown ? [`    … and ${all.length - shown} more`] : []),
  ])
  return [`${violations.length} violations`, ...lines]
}

/** Keeps what is needed to look into it: logs, ledger, evidence. */
export async function keep(folder: string, { w }: Ground, report?: SoakReport): Promise<void> {
  await mkdir(folder, { recursive: true })
  await cp(w.plane.logs, join(folder, 'logs'), { recursive: true })
  await cp(w.plane.dataDirectory, join(folder, 'ledger'), { recursive: true })
  if (report === undefined) return
  await writeFile(join(folder, 'report.txt'), `${reportLines(report).join('\n')}\n`)
  const asJson = (_: string, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...value] : value
  await writeFile(join(folder, 'evidence.json'), JSON.stringify(report.evidence, asJson))
}
