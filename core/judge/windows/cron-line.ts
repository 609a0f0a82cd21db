import { Cron } from 'croner'
import { maxPerDay, type Read } from './recurrence.ts'

const day = 24 * 3600_000
/** More runs than any accepted line has between two moments that are asked about. */
const maxRuns = 50_000

const field = /^(\*|([0-9]{1,2}|[A-Z]{3})(-([0-9]{1,2}|[A-Z]{3}))?)(\/[0-9]{1,2})?$/

/**
 * Reads a cron line of five fields, by wall time. Where both days are restricted either of them
 * suffices, as in every cron since Vixie's.
 */
export function readCron(line: string): Read {
  const fields = line.split(' ')
  if (fields.length !== 5) {
    return {
      problem: 'a cron line has five fields with one space between them, like `0 9 * * 1-5`',
    }
  }
  for (const one of fields.flatMap((f) => f.split(','))) {
    if (!field.test(one)) {
      return { problem: `\`${one}\` is no cron field; there are numbers, names, \`* , - /\`` }
    }
  }
  try {
    const cron = new Cron(line, { timezone: 'UTC', mode: '5-part', paused: true })
    // every day with openings has the same ones: the hours and minutes are fields of their own
    const everyDay = `${fields.slice(0, 2).join(' ')} * * *`
    const daily = new Cron(everyDay, { timezone: 'UTC', mode: '5-part', paused: true })
    if (runs(daily, 0, day, maxPerDay + 1).length > maxPerDay) {
      return { problem: `opens more than ${maxPerDay} times a day; use a longer \`duration\`` }
    }
    return { recurrence: { between: (from, to) => runs(cron, from, to, maxRuns) } }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    return { problem: `cannot be read: ${why.replace(/^CronPattern: /, '')}` }
  }
}

function runs(cron: Cron, from: number, to: number, most: number): readonly number[] {
  const found: number[] = []
  // the next run is after its argument: begin a moment earlier
  for (let at = from - 1; found.length < most; ) {
    const next = cron.nextRun(new Date(at))?.getTime()
    if (next === undefined || next >= to) break
    found.push(next)
    at = next
  }
  return found
}
