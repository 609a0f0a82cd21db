import { CelError, Duration, Timestamp } from './values.ts'

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const second = 1_000_000_000n
const longest = 2n ** 63n - 1n

/** A span as Go writes it, such as `1h30m` or `-1.5s`. */
export function readDuration(text: string): Duration | undefined {
  const [, sign, rest = ''] = /^([-+]?)(.*)$/s.exec(text) ?? []
  if (rest === '0') return new Duration(0n)
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined
  let nanos = 0n
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const size = units[unit] ?? 0n
    nanos += BigInt(whole || '0') * size
    if (fraction !== '') nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
  }
  if (nanos > longest) return undefined
  return new Duration(sign === '-' ? -nanos : nanos)
}

const moment =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** A moment per RFC 3339. */
export function readTimestamp(text: string): Timestamp | undefined {
  const match = moment.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, seconds = 0] = match
    .slice(1, 7)
    .map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, seconds)
  const kept = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!kept || hour > 23 || minute > 59 || seconds > 59) return undefined
  const [fraction = '', sign, hours = '0', minutes = '0'] = match.slice(7)
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  const whole = BigInt(date.getTime() / 1000 - offset * 60) * second
  return new Timestamp(whole + BigInt(fraction.padEnd(9, '0').slice(0, 9)))
}

/** What a text that is no such value is answered with. */
export function unconverted(type: string): CelError {
  return new CelError(`type conversion error from 'string' to '${type}'`)
}

export function durationOf(text: string): Duration {
  const found = readDuration(text)
  if (found === undefined) throw unconverted('google.protobuf.Duration')
  return found
}

export function timestampOf(text: string): Timestamp {
  const found = readTimestamp(text)
  if (found === undefined) {
    throw unconverted('google.protobuf.Timestamp')
  }
  return found
}

export function durationText({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos
  const fraction = `${size % second}`.padStart(9, '0').replace(/0+$/, '')
  return `${nanos < 0n ? '-' : ''}${size / second}${fraction === '' ? '' : `.${fraction}`}s`
}

export function timestampText({ nanos }: Timestamp): string {
  const fraction = ((nanos % second) + second) % second
  const date = new Date(Number((nanos - fraction) / 1_000_000n))
  const digits = `${fraction}`.padStart(9, '0').replace(/0+$/, '')
  return `${date.toISOString().slice(0, 19)}${digits === '' ? '' : `.${digits}`}Z`
}
