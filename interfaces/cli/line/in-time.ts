import { age } from '../intents.ts'

/** `in 12m`, or `4m ago`. */
export function inTime(at: string, now: number): string {
  const ms = Date.parse(at)
  if (!Number.isFinite(ms)) return at
  return ms >= now ? `in ${age(new Date(now).toISOString(), ms)}` : `${age(at, now)} ago`
}
