import type { IntentSummary, IntentView } from '@jackstay/contract/api'
import { type IntentEvent, readEvent } from '@jackstay/contract/history'
import { fold, type IntentRecord } from '@jackstay/contract/record'
import { redactions } from '@jackstay/contract/redaction'
import { z } from 'zod'
import { type Line, type Span, type Style, styled, table, typed } from './screen.ts'

/** `jackstay intents list`, newest first. */
export function renderList(intents: readonly IntentSummary[], now: number, wide = false): Line[] {
  const more = wide ? ['RECEIVED', 'CHANGED'] : []
  const head = ['ID', 'PHASE', 'ACTION', 'TARGET', 'AGENT', 'REASON', 'AGE', ...more]
  const rows = intents.map((intent): Span[] => [
    { text: intent.id },
    styled(phaseStyle(intent.phase), intent.phase),
    { text: intent.action },
    { text: intent.target },
    { text: intent.agent },
    { text: intent.reason ?? '' },
    { text: age(intent.receivedAt, now) },
    ...(wide ? [{ text: intent.receivedAt }, { text: intent.updatedAt }] : []),
  ])
  return table(head, rows)
}

export function phaseStyle(phase: string): Style {
  switch (phase) {
    case 'verified':
      return 'green'
    case 'refused':
    case 'rejected':
    case 'failed':
    case 'rollback_failed':
      return 'red'
    case 'approve':
    case 'rolled_back':
    case 'expired':
    case 'obsolete':
    case 'cancelled':
      return 'yellow'
    default:
      return 'cyan'
  }
}

/** As kubectl writes ages. */
export function age(since: string, now: number): string {
  const seconds = Math.floor((now - Date.parse(since)) / 1000)
  if (!Number.isFinite(seconds) || seconds < 0) return '?'
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** `jackstay intents get`: the summary and what happened when. */
export function renderIntent({ summary, events }: IntentView): Line[] {
  const { id, action, target, phase, reason } = summary
  const rows = events.map(({ seq, at, type, data, leafIndexes }): Span[] => [
    { text: String(seq) },
    { text: at },
    { text: type },
    { text: leafIndexes.length > 0 ? `leaf ${leafIndexes.join(', ')}` : '' },
    styled('yellow', erasedIn(data)),
  ])
  return [
    [styled('bold', id), '  ', styled(phaseStyle(phase), phase), reason ? ` (${reason})` : ''],
    [`${action} on ${target}, asked for by ${summary.agent}`],
    [],
    ...table(['SEQ', 'AT', 'EVENT', 'LEDGER', 'REDACTED'], rows),
    [],
    [typed(`the whole story: jackstay why ${id}`, 'dim')],
  ]
}

function erasedIn(data: unknown): string {
  const marked = marks.safeParse(data)
  const redacted = Object.entries(marked.data?.redacted ?? {})
  return redacted.map(([name, leaf]) => `${name} (leaf ${leaf})`).join(', ')
}

const marks = z.looseObject({ redacted: redactions })

/** The history of an intent as the contract folds it. @throws when it is damaged */
export function recordOf({ summary, events }: IntentView): IntentRecord {
  const read = events.map(({ type, at, data }): IntentEvent => readEvent({ type, at, data }))
  return fold(summary.id, read)
}
