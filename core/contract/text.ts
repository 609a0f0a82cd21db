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

// control characters, bidi marks, zero-width characters, invisible operators, tags, private use
const invisible =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5|[\ufe00-\ufe0f]/gu

/**
 * Text of an agent or of an alert as a person may see it: NFC, every character that hides, moves
 * or colours others written as `\u{…}`, cut to `max` characters. Line breaks become spaces.
 */
export function visible(text: string, max = 1024): string {
  const plain = text
    .toWellFormed()
    .normalize('NFC')
    .replace(/\r\n|[\r\n\t]/g, ' ')
  const shown = plain.replace(invisible, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)
  return shown.length > max ? `${shown.slice(0, max - 1)}…` : shown
}
