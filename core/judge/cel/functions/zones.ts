/** A moment on the calendar of a zone. */
export interface LocalTime {
  readonly year: number
  /** From 0. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** Where a text is a fixed offset from UTC, such as `+02:00` or `-09:30`: its minutes. */
function offsetOf(name: string): number | undefined {
  const match = /^([+-]?)(\d\d):(\d\d)$/.exec(name)
  if (match === null) return undefined
  const [, sign, hours, minutes] = match
  const total = Number(hours) * 60 + Number(minutes)
  return Number(minutes) > 59 || total > 14 * 60 ? undefined : sign === '-' ? -total : total
}

/** Whether it is an IANA zone that this Node knows, or a fixed offset. */
export function isZone(name: string): boolean {
  if (offsetOf(name) !== undefined) return true
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    formatter(name)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

function formatter(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', era: 'short', year: 'numeric', month: 'numeric' },
    ...{ day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  })
}

/** Zones of one set of rules: making a formatter costs a hundred times what asking it does. */
export class Zones {
  readonly #formatters = new Map<string, Intl.DateTimeFormat>()
  /** The last answer of each zone: all rules of a judgement ask about one `now`. */
  readonly #last = new Map<string, { readonly at: number; readonly time: LocalTime }>()

  /** Called when rules are loaded, so there are as many as the rules name. */
  add(name: string): void {
    if (offsetOf(name) === undefined) this.#formatters.set(name, formatter(name))
  }

  /** @throws TypeError for a zone that was not added */
  at(milliseconds: number, name: string): LocalTime {
    const offset = offsetOf(name)
    if (offset !== undefined) return utc(milliseconds + offset * 60_000)
    const last = this.#last.get(name)
    if (last?.at === milliseconds) return last.time
    const format = this.#formatters.get(name)
    if (format === undefined) throw new TypeError(`the zone \`${name.slice(0, 64)}\` is not loaded`)
    const time = localTime(format, milliseconds)
    this.#last.set(name, { at: milliseconds, time })
    return time
  }
}

export function utc(milliseconds: number): LocalTime {
  const date = new Date(milliseconds)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  }
}

function localTime(format: Intl.DateTimeFormat, milliseconds: number): LocalTime {
  const parts = format.formatToParts(milliseconds)
  const text = (type: string) => parts.find((part) => part.type === type)?.value ?? ''
  const year = Number(text('year'))
  return {
    year: text('era').startsWith('B') ? 1 - year : year,
    month: Number(text('month')) - 1,
    day: Number(text('day')),
    hour: Number(text('hour')),
    minute: Number(text('minute')),
    second: Number(text('second')),
  }
}
