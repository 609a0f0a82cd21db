import { JackstayError } from '@jackstay/contract/errors'
import { canonical } from '@jackstay/contract/json'
import { type ReadVerb, reads } from '@jackstay/contract/reads'
import type { AgentReader } from './agent.ts'
import { describe } from './describe.ts'
import { readEvents } from './events.ts'
import { readHistory } from './history.ts'
import { readLogs } from './logs.ts'
import { maxAnswerBytes, readMany, readOne } from './read.ts'

type Run = (reader: AgentReader, input: unknown, signal: AbortSignal) => Promise<object>

/** Each verb, from a checked question to its answer, and how many reads of the limit it is worth. */
export const verbs: Readonly<Record<ReadVerb, { readonly cost: number; readonly run: Run }>> = {
  get: { cost: 1, run: (reader, input) => readOne(reader, reads.get.request.parse(input)) },
  list: { cost: 1, run: (reader, input) => readMany(reader, reads.list.request.parse(input)) },
  describe: {
    cost: 5,
    run: (reader, input, signal) => describe(reader, reads.describe.request.parse(input), signal),
  },
  logs: { cost: 2, run: (reader, input) => readLogs(reader, reads.logs.request.parse(input)) },
  events: {
    cost: 2,
    run: (reader, input) => readEvents(reader, reads.events.request.parse(input)),
  },
  history: {
    cost: 3,
    run: (reader, input) => readHistory(reader, reads.history.request.parse(input)),
  },
}

/** @throws JackstayError `too_large`: no verb answers with more than an agent can use */
export function bounded<T extends object>(verb: ReadVerb, answer: T): T {
  const bytes = Buffer.byteLength(canonical(answer))
  if (bytes <= maxAnswerBytes + 4096) return answer
  throw new JackstayError(
    'too_large',
    `the answer has ${bytes} bytes, more than the ${maxAnswerBytes} an agent can read; ${less[verb]}`,
  )
}

const less: Readonly<Record<ReadVerb, string>> = {
  get: 'ask without `full`',
  list: 'ask for a smaller `limit`',
  describe: 'get the object and list its Pods',
  logs: 'ask for a smaller `tail`',
  events: 'ask for a smaller `limit`',
  history: 'ask for a smaller `limit`',
}
