import { Turns } from '@jackstay/service/turns'

/** Long polls one caller may hold at a time: each takes one of the server's places. */
const perCaller = 8

/** Counts who waits, so that one caller's waiting never takes everybody's places. */
export function waiting(): Turns {
  return new Turns(
    perCaller,
    (held) => `you hold ${held} long polls already; let one end, or ask without \`wait\``,
  )
}
