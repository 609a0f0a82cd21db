import { Temporal } from 'temporal-polyfill'

/**
 * How a wall time that does not exist, or exists twice, is read (docs/adr/0008). `lenient` times
 * open something: RFC 5545 leaves out what does not exist and takes the first of two. `strict` times
 * close something, and must not slip through: what does not exist is when the clocks jump, and of
 * two both count.
 */
export type Reading = 'lenient' | 'strict'

/** @throws RangeError for a zone that does not exist */
export function checkZone(zone: string): void {
  Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone)
}

/** The instants of a wall time in a zone, both in milliseconds; the wall time as if it were UTC. */
export function instantsOf(wall: number, zone: string, reading: Reading): readonly number[] {
  const plain = Temporal.Instant.fromEpochMilliseconds(wall)
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime()
  const earlier = plain.toZonedDateTime(zone, { disambiguation: 'earlier' })
  const later = plain.toZonedDateTime(zone, { disambiguation: 'later' })
  const first = earlier.epochMilliseconds
  if (first === later.epochMilliseconds) return [first]
  const exists = earlier.toPlainDateTime().equals(plain)
  if (exists) return reading === 'strict' ? [first, later.epochMilliseconds] : [first]
  if (reading === 'lenient') return []
  const jump = earlier.getTimeZoneTransition('next')
  return jump === null ? [] : [jump.epochMilliseconds]
}
