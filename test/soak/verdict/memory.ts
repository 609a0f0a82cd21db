/** Resident memory of one process at one moment. */
export interface MemorySample {
  readonly pid: number
  /** Milliseconds since the start. */
  readonly at: number
  readonly bytes: number
}

export interface MemoryVerdict {
  readonly highestMb: number
  /** Of the process that lived longest, by least squares; undefined where none lived long enough. */
  readonly mbPerMinute?: number
  readonly livedMs: number
}

const mb = 1024 * 1024

/** A process that has just started grows: what it took to warm up is not counted. */
const warmUpMs = 60_000
/** Over less, the slope is that of one garbage collection. */
const slopeOverMs = 120_000

export function memoryVerdict(samples: readonly MemorySample[]): MemoryVerdict {
  const highest = samples.reduce((most, { bytes }) => Math.max(most, bytes), 0)
  const lives = [...Map.groupBy(samples, ({ pid }) => pid).values()]
  const longest = lives.reduce((a, b) => (lengthOf(b) > lengthOf(a) ? b : a), [])
  const [first] = longest
  const warm = longest.filter(({ at }) => at - (first?.at ?? 0) >= warmUpMs)
  const slope = lengthOf(warm) < slopeOverMs ? undefined : slopeOf(warm)
  return {
    highestMb: Math.round(highest / mb),
    livedMs: lengthOf(longest),
    ...(slope !== undefined && { mbPerMinute: slope }),
  }
}

function lengthOf(life: readonly MemorySample[]): number {
  return (life.at(-1)?.at ?? 0) - (life[0]?.at ?? 0)
}

function slopeOf(samples: readonly MemorySample[]): number {
  const mean = (of: (sample: MemorySample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const minutes = ({ at }: MemorySample) => at / 60_000
  const [x, y] = [mean(minutes), mean(({ bytes }) => bytes / mb)]
  const over = samples.reduce((sum, s) => sum + (minutes(s) - x) * (s.bytes / mb - y), 0)
  const under = samples.reduce((sum, s) => sum + (minutes(s) - x) ** 2, 0)
  return under === 0 ? 0 : over / under
}
