import { z } from 'zod'
import { ruled } from './kinds/kind.ts'

const week = 7 * 24 * 3600

/** `1h30m` in seconds; 0 for what is no duration. */
export function durationSeconds(text: string): number {
  const [, h = '0', m = '0', s = '0'] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? []
  return Number(h) * 3600 + Number(m) * 60 + Number(s)
}

/** `90s`, `15m`, `1h30m`: at least a second, at most a week. */
export const duration = ruled(
  z
    .string()
    .max(16)
    .regex(
      /^([1-9][0-9]{0,2}h)?([1-9][0-9]{0,3}m)?([1-9][0-9]{0,5}s)?$/,
      'must be like `90s`, `15m`, `1h30m`',
    )
    .min(2),
  {
    rule: "duration(self) <= duration('168h')",
    message: 'is at most a week, `168h`',
    test: (text) => durationSeconds(text) <= week,
  },
)
