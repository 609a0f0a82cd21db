import { keep, reportLines } from './report.ts'
import { readSettings, type Settings, usage } from './settings.ts'
import { type SoakReport, soak } from './soak.ts'
import { Witness } from './witness/witness.ts'
import { Doings } from './world/doings.ts'
import { layGround, noSoak } from './world/ground.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)

/** Ctrl-C ends the soak and lets it settle and be judged; the second one lets nothing settle. */
function interruptions(): { readonly signal: AbortSignal; readonly hurry: AbortSignal } {
  const [ending, hurry] = [new AbortController(), new AbortController()]
  const onSignal = () => {
    if (ending.signal.aborted) hurry.abort()
    print(ending.signal.aborted ? 'not waiting for what is under way' : 'ending, with a verdict')
    ending.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { signal: ending.signal, hurry: hurry.signal }
}

async function run({ seed, minutes, keep: folder }: Settings): Promise<number> {
  const missing = await noSoak()
  if (missing !== false) throw new Error(`there is no soak here: ${missing}`)
  const interrupted = interruptions()
  print(`seed ${seed}, ${minutes} minutes`)
  await using ground = await layGround(print)
  let report: SoakReport | undefined
  try {
    const doings = new Doings(ground, seed)
    print('everything as it stands before')
    await using witness = await Witness.call(ground)
    const parts = { ground, doings, witness }
    report = await soak(parts, {
      ...interrupted,
      seed,
      lengthMs: minutes * 60_000,
      onProgress: print,
    })
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
else if (settings !== undefined) {
  try {
    process.exitCode = await run(settings)
  } catch (error) {
    process.stderr.write(
      `the soak itself failed: ${error instanceof Error ? error.stack : error}\n`,
    )
    process.exitCode = 1
  }
}
