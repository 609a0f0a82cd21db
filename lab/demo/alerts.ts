import type { Alert } from '@jackstay/cluster/alertmanager'
import { Alertmanager, type Firing } from '../posting-alertmanager.ts'

type Labelled = Pick<Alert, 'labels'>

/** Who tells the mediator that something is wrong. */
export interface Alerts {
  fire(alert: Alert): Promise<void>
  resolve(alert: Labelled): Promise<void>
  stop(): Promise<void>
}

/** Posts alerts as an Alertmanager would, for a demo without one. */
export function postedAlerts(webhookUrl: string, bearerToken: string): Alerts {
  const alertmanager = new Alertmanager(webhookUrl, bearerToken)
  const firing = new Map<string, Firing>()
  return {
    async fire({ labels, annotations = {} }) {
      firing.set(keyOf(labels), await alertmanager.fire({ labels, annotations }))
    },
    async resolve({ labels }) {
      const one = firing.get(keyOf(labels))
      firing.delete(keyOf(labels))
      await one?.resolve()
    },
    stop: async () => {},
  }
}

function keyOf(labels: Labelled['labels']): string {
  return JSON.stringify(Object.entries(labels).sort())
}
