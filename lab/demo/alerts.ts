import type { Alert } from '@jackstay/cluster/alertmanager'

/** Who tells the mediator that something is wrong. */
export interface Alerts {
  fire(alert: Alert): Promise<void>
  resolve(alert: Pick<Alert, 'labels'>): Promise<void>
  stop(): Promise<void>
}

const timeoutMs = 10_000

/** Posts alerts as an Alertmanager would, for a demo without one. */
export function postedAlerts(webhookUrl: string, bearerToken: string): Alerts {
  const startsAt = new Date().toISOString()
  const post = async ({ labels, annotations = {} }: Alert, status: 'firing' | 'resolved') => {
    const endsAt = status === 'firing' ? '0001-01-01T00:00:00Z' : new Date().toISOString()
    const alert = { status, labels, annotations, startsAt, endsAt, fingerprint: 'd0d0d0d0d0d0d0d0' }
    const response = await fetch(webhookUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearerToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ version: '4', groupKey: 'demo', status, receiver: 'jackstay', alerts: [alert] },
      }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const answer = await response.text()
    if (!response.ok) throw new Error(`the alert was not taken: ${response.status} ${answer}`)
  }
  return {
    fire: (alert) => post(alert, 'firing'),
    resolve: (alert) => post(alert, 'resolved'),
    stop: async () => {},
  }
}
