/** A number, or a share of all such as `25%`. */
export type Share = number | string

export interface Rolling {
  readonly desired: number
  readonly maxSurge: Share
  readonly maxUnavailable: Share
}

/** A ReplicaSet of a rollout, as far as it matters to how far each goes. */
export interface SetState {
  readonly replicas: number
  readonly available: number
}

export interface Steps {
  /** How many the newest set is to have now. */
  readonly newest: number
  /** The same of the earlier ones, in their order. */
  readonly older: readonly number[]
}

/**
 * How far a rolling update goes now: up with the newest set as far as the surge allows, down with the
 * others as far as enough Pods are available. What is not available anyway goes first.
 */
export function rollingSteps(
  newest: SetState,
  older: readonly SetState[],
  rolling: Rolling,
): Steps {
  const { desired } = rolling
  const { surge, unavailable } = bounds(rolling)
  const total = newest.replicas + sum(older, ({ replicas }) => replicas)
  const room = Math.max(0, desired + surge - total)
  const up = newest.replicas > desired ? desired : Math.min(desired, newest.replicas + room)
  const least = desired - unavailable
  const lacking = Math.max(0, newest.replicas - newest.available)
  let spare = Math.max(0, total - least - lacking)
  const unhealthy = older.map(({ replicas, available }) => {
    const gone = Math.min(spare, Math.max(0, replicas - available))
    spare -= gone
    return { replicas: replicas - gone, available }
  })
  let extra = newest.available + sum(older, ({ available }) => available) - least
  const down = unhealthy.map(({ replicas, available }) => {
    const gone = Math.max(0, Math.min(spare, extra, replicas))
    spare -= gone
    extra -= Math.min(gone, available)
    return replicas - gone
  })
  return { newest: up, older: down }
}

/** All others first, then the newest. */
export function recreateSteps(
  older: readonly SetState[],
  olderPods: number,
  newest: SetState,
  desired: number,
): Steps {
  const gone = olderPods === 0 && older.every(({ replicas }) => replicas === 0)
  return { newest: gone ? desired : newest.replicas, older: older.map(() => 0) }
}

/** How many more Pods there may be than wanted, and how many fewer available ones. */
export function bounds({ desired, maxSurge, maxUnavailable }: Rolling) {
  const surge = resolved(maxSurge, desired, Math.ceil)
  const unavailable = Math.min(desired, resolved(maxUnavailable, desired, Math.floor))
  // neither up nor down would be no rollout
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

/** A share of all as a number, rounded as is asked for. */
export function resolved(share: Share, all: number, round: (value: number) => number): number {
  return typeof share === 'number' ? share : round((Number.parseInt(share, 10) / 100) * all)
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
