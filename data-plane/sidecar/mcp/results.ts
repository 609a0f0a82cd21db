import { type ErrorCode, errorBody, type JackstayError } from '@jackstay/contract/errors'
import { visibleJson } from '@jackstay/contract/text'
import type { CallToolResult } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import { isSetback, type Outcome } from '../outcome.ts'

/** The same twice: for programs, and as text for the models that see nothing else. */
function structured(content: object, isError: boolean): CallToolResult {
  return {
    content: [{ type: 'text', text: visibleJson(content) }],
    structuredContent: { ...content },
    ...(isError && { isError }),
  }
}

export function answered(content: object): CallToolResult {
  return structured(content, false)
}

export function outcomeResult(outcome: Outcome): CallToolResult {
  return structured(outcome, isSetback(outcome.phase))
}

/** An error as something a model can act on. */
export function failed(error: JackstayError, known: object = {}): CallToolResult {
  return structured({ ...known, ...errorBody(error), next: nextAfter(error) }, true)
}

/** Which fields are wrong, and how. */
export function wrongFields(error: z.ZodError, at: readonly string[] = []): string {
  const said = error.issues.slice(0, 4).map((issue) => {
    const path = [...at, ...issue.path.map(String)].join('.') || 'arguments'
    return `\`${path}\`: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`
  })
  return said.join('; ')
}

function nextAfter({ code, retryable, retryAfterSeconds }: JackstayError): string {
  const wait = `wait ${retryAfterSeconds ?? 5} seconds, then`
  const said = advice[code]
  if (said !== undefined) return said.replace('{wait}', wait)
  return retryable ? `${wait} call it again` : 'do not call it again unchanged; leave it to people'
}

const advice: Partial<Record<ErrorCode, string>> = {
  invalid_request: 'correct the fields the message names and call it again',
  malformed_json: 'correct the arguments and call it again',
  too_large: 'send less',
  not_found: 'there is no such thing, or it is not yours to see: check the id or the name',
  forbidden: 'you may not do this: choose another tool, or leave it to people',
  rate_limited: '{wait} call it again, less often',
  upstream_unavailable: 'nothing was changed: {wait} call it again',
  not_ready: 'nothing was changed: {wait} call it again',
  outcome_unknown:
    'it may still happen: ask `await_outcome` for the intent the message names; do not propose it again before',
  key_revoked: 'this agent was disabled: stop, people have to look',
  second_enrolment: 'this agent was disabled: stop, people have to look',
}
