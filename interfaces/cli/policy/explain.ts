import { explain } from '@jackstay/judge/explain'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { makeSituation, type Situation, situationSchema } from './cases.ts'
import { counted } from './counted.ts'
import { explanationJson, explanationLines } from './explanation.ts'
import { readInput } from './files.ts'
import { printMistakes } from './mistakes.ts'
import { recordedView, viewOf } from './recorded.ts'
import { schemaMistakes } from './schema.ts'
import { soundPolicies } from './set.ts'
import { readYaml } from './yaml.ts'

export interface ExplainRequest {
  readonly paths: readonly string[]
  /** A file with changes to the sample facts, or a recorded intent. */
  readonly intent: string
  readonly json: boolean
}

/** `policy explain`: why rules decide so about one intent. */
export async function explainPolicies(request: ExplainRequest, terminal: Terminal): Promise<void> {
  const situation = await readSituation(request.intent, terminal)
  const { rules } = await soundPolicies(request.paths, terminal)
  const explanation = explain({ rules, ...situation })
  if (request.json) printData(terminal, explanationJson(explanation))
  else print(terminal, explanationLines(explanation, situation))
}

/** @throws CommandFailed where the file describes no intent */
export async function readSituation(path: string, terminal: Terminal): Promise<Situation> {
  const file = await readInput(path, terminal)
  const { documents, mistakes } = readYaml(file)
  const [document] = documents
  if (mistakes.length > 0) {
    printMistakes(terminal, mistakes, [file])
    throw unreadable(mistakes.length)
  }
  if (document === undefined || documents.length > 1) {
    throw usageError(`\`${file.name}\` is not one YAML document; describe one intent in it`)
  }
  const view = viewOf(document.value)
  if (view !== undefined) {
    const recorded = recordedView(view)
    if ('situation' in recorded) return recorded.situation
    throw new CommandFailed(exitCodes.refused, 'not_judgeable', recorded.missing)
  }
  const parsed = situationSchema.safeParse(document.value)
  const made = parsed.success
    ? makeSituation(document, [[[], parsed.data]])
    : { situation: undefined, mistakes: schemaMistakes(situationSchema, document) }
  if (made.situation !== undefined) return made.situation
  printMistakes(terminal, made.mistakes, [file])
  throw unreadable(made.mistakes.length)
}

function unreadable(mistakes: number): CommandFailed {
  const message = `${counted(mistakes, 'mistake')} in the intent; correct ${mistakes === 1 ? 'it' : 'them'} first`
  return new CommandFailed(exitCodes.usage, 'invalid_intent', message)
}
