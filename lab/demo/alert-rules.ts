import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '@jackstay/kube/client'
import { incidents } from '../incidents/catalogue.ts'
import type { Incident } from '../incidents/incident.ts'
import { type Observed, observe } from '../incidents/observed.ts'
import type { PostedAlerts } from './alerts.ts'

export interface AlertRules {
  readonly client: KubeClient
  readonly alerts: PostedAlerts
  /** Until it aborts. */
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

const everyMs = 1000
/** What is seen once only may be on its way to something else. */
const looks = 2

/**
 * What a Prometheus does with its rules: looks at the lab's world again and again, and fires the alert of
 * a fault that shows, until all is well, whoever broke or mended it. Of several about one thing only the
 * first fires, as an Alertmanager that inhibits the others would have it.
 */
export async function runAlertRules({
  client,
  alerts,
  signal,
  onError,
}: AlertRules): Promise<void> {
  const faults = incidents.filter(({ kind }) => kind === 'incident')
  const rules = faults.map((fault) => new AlertRule(fault))
  while (!signal.aborted) {
    try {
      const seen = await observe(client, signal)
      for (const rule of rules) await rule.look(seen, alerts)
    } catch (error) {
      if (!signal.aborted) onError(error)
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

export class AlertRule {
  readonly #fault: Incident
  #shown = 0
  #well = 0

  constructor(fault: Incident) {
    this.#fault = fault
  }

  async look(seen: Observed, alerts: PostedAlerts): Promise<void> {
    const { shows, well, alert } = this.#fault
    this.#shown = shows(seen) === undefined ? this.#shown + 1 : 0
    this.#well = well.every((check) => check(seen) === undefined) ? this.#well + 1 : 0
    if (alerts.isFiring(alert)) {
      if (this.#well >= looks) await alerts.resolve(alert)
    } else if (this.#shown >= looks && !alerts.isFiringAbout(alert)) await alerts.fire(alert)
  }
}
