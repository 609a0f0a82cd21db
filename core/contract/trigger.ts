import { z } from 'zod'

const labels = z.record(z.string().max(317), z.string().max(4096))

/** Marks the alerts that Jackstay itself posts: they tell people something, and are no triggers. */
export const pagerLabel = { jackstay: 'pager' } as const

/** One alert of Alertmanager's webhook, version 4. Fields we do not use are dropped. */
export const alertmanagerAlert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels,
  annotations: labels,
  startsAt: z.iso.datetime({ offset: true }),
  endsAt: z.string().max(64),
  fingerprint: z.string().regex(/^[0-9a-f]{1,32}$/),
})

/** The body Alertmanager posts: https://prometheus.io/docs/alerting/latest/configuration (webhook_config). */
export const alertmanagerWebhook = z.object({
  version: z.literal('4'),
  groupKey: z.string().min(1).max(4096),
  status: z.enum(['firing', 'resolved']),
  receiver: z.string().max(1024),
  alerts: z.array(alertmanagerAlert).max(256),
})
export type AlertmanagerWebhook = z.infer<typeof alertmanagerWebhook>

/** `POST /v1/triggers`: somebody says that something happened, where no Alertmanager does. */
export const manualTrigger = z.strictObject({
  labels: labels.refine((all) => isFew(all, 1), 'has 1 to 64 labels'),
  annotations: labels.refine((all) => isFew(all, 0), 'has at most 64 annotations'),
})
export type ManualTrigger = z.infer<typeof manualTrigger>

function isFew(all: Readonly<Record<string, string>>, least: number): boolean {
  const count = Object.keys(all).length
  return count >= least && count <= 64
}

/**
 * Something happened: context and chain of custody for an intent, never authority. Labels and
 * annotations are somebody's words: they are shown escaped and no rule may rest on them.
 */
export const trigger = z.strictObject({
  id: z.string(),
  source: z.enum(['alertmanager', 'manual']),
  /** Who made a manual one, as the API server vouches. */
  createdBy: z.string().max(253).optional(),
  status: z.enum(['firing', 'resolved']),
  fingerprint: z.string(),
  groupKey: z.string(),
  startsAt: z.string(),
  receivedAt: z.string(),
  labels,
  annotations: labels,
})
export type Trigger = z.infer<typeof trigger>
