import { cpus, loadavg, tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { progressLine } from '@jackstay/cluster/progress'
import { isTableName, printTables, type TableName, tables } from './tables.ts'

const names = Object.keys(tables).filter(isTableName)
const usage = `usage: npm run bench -- [--quick] [--rounds N] [--dir FOLDER] [TABLE]...

${names.map((name) => `  ${name.padEnd(12)} ${tables[name].about}`).join('\n')}

  --quick      tiny sizes, to see that it works: the figures mean nothing
  --rounds N   how often each side of \`judge\` and \`ledger\` has its turn, 3 unless given
  --dir FOLDER the disk that the ledgers are measured on, the folder for temporary files unless given

Examples:
  npm run bench -- judge ledger
  npm run bench -- --quick sidecar

Prints every table unless some are named. Go programs to compare with are built at the first run.
Exit code 1 when a table failed, 2 for wrong arguments.
`

/** What was typed is wrong: nothing was measured. */
class Misused extends Error {}

/** @throws Misused for a table that there is not */
function chosen(words: readonly string[]): readonly TableName[] {
  const unknown = words.find((word) => !isTableName(word))
  if (unknown !== undefined) throw new Misused(`no table \`${unknown}\``)
  return words.length === 0 ? names : words.filter(isTableName)
}

/** @throws Misused for what is no count */
function roundsOf(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  throw new Misused(`\`--rounds ${text}\` is none of 1 to 99`)
}

function machine(): string {
  const all = cpus()
  const [load = 0] = loadavg()
  return `${all.length} cores of ${all[0]?.model ?? 'an unknown kind'}, Node ${process.version}, load ${load.toFixed(1)}`
}

function typed() {
  const options = {
    help: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    dir: { type: 'string', default: tmpdir() },
  } as const
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (cause) {
    throw new Misused(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

async function main(): Promise<void> {
  const { values, positionals } = typed()
  if (values.help) {
    process.stdout.write(usage)
    return
  }
  const print = (text: string) => process.stdout.write(`\n${text}\n`)
  const wanted = chosen(positionals)
  const scale = { quick: values.quick, rounds: roundsOf(values.rounds), directory: values.dir }
  process.stdout.write(`${machine()}\n`)
  await printTables(wanted, scale, print, (progress) => {
    if (progress.state !== 'running') process.stderr.write(`${progressLine(progress)}\n`)
  })
}

try {
  await main()
} catch (error) {
  const misused = error instanceof Misused
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(misused ? `${message}\n\n${usage}` : `${message}\n`)
  process.exitCode = misused ? 2 : 1
}
