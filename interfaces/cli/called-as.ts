import type { Environment } from './terminal.ts'

/** What npm says it runs where a checkout's command is meant: no PATH has it there, and npx finds it. */
const inCheckout: ReadonlySet<string> = new Set(['npx', 'jackstay'])

/** The environment of a command that was typed as `npx jackstay`. */
export const asIfByNpx = { npm_lifecycle_event: 'npx' }

/**
 * Text of ours with the commands in it as whoever reads it can type them: called by npx, they are
 * told `npx jackstay …`. Never for what others wrote: that stays as it is.
 * @example asTyped('over? jackstay lab heal bad-tag', { npm_lifecycle_event: 'npx' })
 *   // 'over? npx jackstay lab heal bad-tag'
 */
export function asTyped(text: string, { npm_lifecycle_event: by = '' }: Environment): string {
  if (!inCheckout.has(by)) return text
  return text.replace(/(?<![\w/-]|npx )jackstay (?=[a-z[<])/g, 'npx jackstay ')
}
