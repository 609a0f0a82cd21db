import type { Ports } from '../ports.ts'

/**
 * The time by which a deadline is over: the later of both clocks where the one on the wall has jumped.
 * One that was set back makes nothing valid again (T09).
 */
export function latest({ clock, steady }: Pick<Ports, 'clock' | 'steady'>): number {
  const now = clock.now()
  return Math.max(now, now - steady.ahead())
}
