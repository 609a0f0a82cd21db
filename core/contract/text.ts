import { z } from 'zod'

/**
 * Names that stand in decisions: Kubernetes' own alphabets, which are ASCII, so homoglyphs, bidi
 * marks, zero-width characters and unnormalised forms never get in (T14).
 */
export const dnsLabel = z
  .string()
  .max(63)
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'must be a DNS label: lower-case letters, digits and `-`',
  )
export const dnsName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    'must be a DNS name: lower-case letters, digits, `-` and `.`',
  )
export const apiVersion = z
  .string()
  .max(317)
  .regex(
    /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?v[0-9][a-z0-9]*$/,
    'must be `group/version` or `version`',
  )
export const kindName = z
  .string()
  .max(63)
  .regex(/^[A-Z][A-Za-z0-9]*$/, 'must be a Kubernetes kind such as `Deployment`')
export const actionName = z
  .string()
  .max(63)
  .regex(/^[a-z][a-z0-9]*\.[a-z][A-Za-z0-9]*$/, 'must be `subject.verb`, such as `workload.scale`')
export const digest = z.templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)])
export const uuid = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    'must be a lower-case UUID',
  )
export const uuid7 = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'must be a lower-case UUIDv7',
  )

/** An instant, UTC, to the second: `2026-12-24T18:00:00Z`. */
export const instant = z
  .string()
  .max(20)
  .regex(
    /^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$/,
    'must be an instant in UTC like `2026-12-24T18:00:00Z`',
  )

// control characters, bidi marks, zero-width characters, every variation selector and tag (both have
// carried hidden instructions), line and paragraph separators, private use
const invisible = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu

// the same without what JSON escapes itself, and without the line breaks of its layout
const hidden = /[\u007f-\u009f\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu

/** JSON that is safe on a screen too: the same value, characters that hide or move others as escapes. */
export function visibleJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(hidden, escapeUnits)
}

function escapeUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('')
}

/**
 * Text of an agent or of an alert as a person may see it: NFC, every character that hides, moves
 * or colours others written as `\u{…}`, cut to `max` UTF-16 units without halving a character.
 * Line breaks become spaces. What is visible already comes back as it was.
 */
export function visible(text: string, max = 1024): string {
  const plain = text
    .toWellFormed()
    .normalize('NFC')
    .replace(/\r\n|[\r\n\t]/g, ' ')
  const shown = plain.replace(invisible, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)
  if (shown.length <= max) return shown
  // half a surrogate pair at the cut has no canonical JSON: the record could not be written
  const cut = shown.slice(0, max - 1)
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`
}
