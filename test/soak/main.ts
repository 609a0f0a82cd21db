import { keep, reportLines } from './report.ts'
import { readSettings, type Settings, usage } from './settings.ts'
import { type SoakReport, soak } from './soak.ts'
import { Witness } from './witness/witness.ts'
import { Doings } from './world/doings.ts'
import { layGround, noSoak } from './world/ground.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)

/** Ctrl-C once ends the soak and lets it be judged; the cluster ends with this process in any case. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      print('ending; once more ends it at once, without a verdict')
      interrupted.abort()
    })
  }
  return interrupted.signal
}

async function run({ seed, minutes, keep: folder }: Settings): Promise<number> {
  const missing = await noSoak()
  if (missing !== false) throw new Error(`there is no soak here: ${missing}`)
  const signal = untilInterrupted()
  print(`seed ${seed}, ${minutes} minutes`)
  await using ground = await layGround(print)
  let report: SoakReport | undefined
  try {
    const doings = new Doings(ground, seed)
    print('everything as it stands before')
    await using witness = await Witness.call(ground)
    const parts = { ground, doings, witness }
    report = await soak(parts, { seed, lengthMs: minutes * 60_000, signal, onProgress: print })
    for (const line of reportLines(report)) print(line)
  } finally {
    if (report === undefined || report.violations.length > 0) {
      await keep(folder, ground, report)
      print(`seed ${seed}: logs, ledger and evidence are in ${folder}`)
    }
  }
  return report.violations.length === 0 ? 0 : 1
}

let settings: Settings | undefined
try {
  settings = readSettings(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exitCode = 2
}
if (settings?.help) process.stdout.write(usage)
else if (settings !== undefined) process.exitCode = await run(settings)
