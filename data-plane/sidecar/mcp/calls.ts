import { JackstayError } from '@jackstay/contract/errors'
import { reads } from '@jackstay/contract/reads'
import type { CallToolResult } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Line } from '../line.ts'
import { outcomeOf } from '../outcome.ts'
import type { Receipts } from '../receipts.ts'
import type { Inbox } from '../triggers.ts'
import type { Offerings } from './offer.ts'
import { answered, failed, outcomeResult, wrongFields } from './results.ts'
import { outcomeQuestion, proposal, triggersQuestion } from './tools.ts'
import { actionOfTool, awaitOutcome, listTriggers, readOfTool } from './words.ts'

export interface CallPorts {
  readonly line: Line
  readonly inbox: Inbox
  readonly receipts: Receipts
  readonly offerings: Offerings
}

/**
 * One call of a tool. Undefined where the name cannot be a tool at all. A name that is an action's
 * goes to the control plane, offered or not: there it is refused and recorded (T59).
 */
export async function callTool(
  name: string,
  args: unknown,
  ports: CallPorts,
  signal: AbortSignal,
): Promise<CallToolResult | undefined> {
  const call = callOf(name, args, ports, signal)
  if (call === undefined) return undefined
  try {
    return await call()
  } catch (error) {
    if (error instanceof JackstayError && error.code !== 'internal') return failed(error)
    throw error
  }
}

function callOf(name: string, args: unknown, ports: CallPorts, signal: AbortSignal) {
  if (name === listTriggers) return () => triggers(args, ports, signal)
  if (name === awaitOutcome) return () => outcome(args, ports, signal)
  const verb = readOfTool(name)
  if (verb !== undefined) {
    return async () => {
      understood(reads[verb].request, args)
      // as it was asked: the tool fills in its own defaults
      return answered(await ports.line.read(verb, args ?? {}, signal))
    }
  }
  const action = actionOfTool(name)
  return action === undefined ? undefined : () => propose(action, args, ports, signal)
}

async function triggers(
  args: unknown,
  { inbox }: CallPorts,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const { wait } = understood(triggersQuestion, args)
  // what is held is news to a model that has forgotten it: do not keep it waiting
  await inbox.pull(inbox.held().length > 0 ? 0 : wait, signal)
  return answered({ untrusted: true, triggers: inbox.held().map(({ trigger }) => trigger) })
}

async function outcome(
  args: unknown,
  { line, receipts }: CallPorts,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const { intent, wait } = understood(outcomeQuestion, args)
  try {
    return outcomeResult(outcomeOf(await line.intent(intent, wait, signal)))
  } catch (error) {
    const kept = receipts.get(intent)
    if (kept === undefined || !(error instanceof JackstayError)) throw error
    const { phase, reason, message } = kept
    // the last that was known
    const known = {
      intent,
      ...(phase && { phase }),
      ...(reason && { reason }),
      ...(message && { message }),
    }
    return failed(kept.state === 'sending' ? stillSending(intent, error) : error, known)
  }
}

/** Nobody has it yet, and it is on its way: that is no reason to propose it again. */
function stillSending(intent: string, cause: JackstayError): JackstayError {
  const message = `intent \`${intent}\` is still being sent (${cause.message})`
  return new JackstayError('outcome_unknown', message, { cause, retryAfterSeconds: 5 })
}

async function propose(
  action: string,
  args: unknown,
  { line, offerings }: CallPorts,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const { wait, trigger, ...request } = understood(proposal, args)
  const params = offerings.known()?.params.get(action)
  if (params !== undefined) understood(params, request.params, ['params'])
  const view = await line.propose(
    action,
    { ...request, ...(trigger !== undefined && { trigger: { id: trigger } }) },
    wait,
    signal,
  )
  return outcomeResult(outcomeOf(view))
}

function understood<S extends z.ZodType>(
  schema: S,
  args: unknown,
  at: readonly string[] = [],
): z.output<S> {
  const parsed = schema.safeParse(args ?? {})
  if (parsed.success) return parsed.data
  throw new JackstayError('invalid_request', wrongFields(parsed.error, at), { cause: parsed.error })
}
