import { type Evidence, eventsOf, type History, type LogLeaf, type Violation } from './evidence.ts'

const whole = 'no leaf is missing, and none is invented'
const first = 'no write without a durable leaf before it'

/** Histories and log name each other, and every write that passed by had its leaf by then. */
export function leafFaults({
  histories,
  leaves,
  sightings,
}: Pick<Evidence, 'histories' | 'leaves' | 'sightings'>): Violation[] {
  const at = new Map(leaves.map((leaf) => [leaf.index, leaf]))
  const dispatchLeaf = new Map<string, number>()
  for (const { kind, intent = '', index } of leaves) {
    if (kind === 'dispatch' && !dispatchLeaf.has(intent)) dispatchLeaf.set(intent, index)
  }
  const early = sightings.filter(({ intent, logSize }) => {
    return logSize <= (dispatchLeaf.get(intent) ?? Infinity)
  })
  return [
    ...histories.flatMap((history) => [...misses(history, at), ...owes(history, at)]),
    ...invented(histories, leaves),
    ...uncounted(histories, leaves),
    ...early.map(({ intent, logSize }) => ({
      promise: first,
      what: `\`${intent}\` wrote when the log had ${logSize} leaves and none for its dispatch`,
    })),
  ]
}

/** Leaves that the history names and the log has not. */
function misses({ id, events }: History, at: ReadonlyMap<number, LogLeaf>): Violation[] {
  return events.flatMap(({ seq, type, leafIndexes }) =>
    leafIndexes
      .filter((index) => at.get(index)?.intent !== id || at.get(index)?.seq !== seq)
      .map((index) => ({
        promise: whole,
        what: `\`${id}\` names leaf ${index} for \`${type}\`, which the log has not`,
      })),
  )
}

/** Events that must have written a leaf. */
function owes(history: History, at: ReadonlyMap<number, LogLeaf>): Violation[] {
  const { id } = history
  const has = (indexes: readonly number[], kind: string) =>
    indexes.some((index) => at.get(index)?.kind === kind)
  const rehearsed = eventsOf(history, 'rehearsed')
  const wrote = eventsOf(history, 'dispatched').length > 0
  const owed = history.events.filter(({ type, leafIndexes, ...event }) => {
    switch (type) {
      case 'dispatched':
        return !has(leafIndexes, 'dispatch')
      case 'rehearsed':
        // the stage that ends an intent may be the one that writes it
        return !history.events.some((any) => has(any.leafIndexes, 'decision'))
      case 'approved':
        return !has(leafIndexes, 'approval')
      case 'ended': {
        const proposed = 'phase' in event.data && event.data.phase === 'proposed'
        return rehearsed.length > 0 && (wrote || !proposed) && !has(leafIndexes, 'outcome')
      }
      default:
        return false
    }
  })
  return owed.map(({ type }) => ({ promise: whole, what: `\`${id}\` has no leaf for \`${type}\`` }))
}

function invented(histories: readonly History[], leaves: readonly LogLeaf[]): Violation[] {
  const named = new Set(
    histories.flatMap(({ id, events }) =>
      events.flatMap(({ leafIndexes }) => leafIndexes.map((index) => `${index} ${id}`)),
    ),
  )
  return leaves
    .filter(({ index, intent }) => intent !== undefined && !named.has(`${index} ${intent}`))
    .map(({ index, kind, intent }) => ({
      promise: whole,
      what: `leaf ${index} (${kind}) is of \`${intent}\`, whose history does not name it`,
    }))
}

/** Refusals in a flood share leaves that say how many they are: those without one of their own. */
export function uncountedRefusals(
  histories: readonly History[],
  leaves: readonly LogLeaf[],
): number {
  const without = histories.filter(({ events }) =>
    events.every(({ leafIndexes }) => leafIndexes.length === 0),
  )
  return without.length - leaves.reduce((sum, { refusals = 0 }) => sum + refusals, 0)
}

function uncounted(histories: readonly History[], leaves: readonly LogLeaf[]): Violation[] {
  const count = uncountedRefusals(histories, leaves)
  if (count === 0) return []
  return [
    { promise: whole, what: `the intents without a leaf are ${count} more than leaves count` },
  ]
}
