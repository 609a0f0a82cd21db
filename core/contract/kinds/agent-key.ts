import { z } from 'zod'
import { agentName } from '../intent.ts'
import { publicKey, thumbprint } from '../signing.ts'
import { dnsName, uuid } from '../text.ts'
import { defineKind } from './kind.ts'

export const agentKeySpec = z.strictObject({
  agent: agentName,
  class: dnsName,
  podName: dnsName,
  podUid: uuid,
  thumbprint,
  publicKey,
})
export type AgentKeySpec = z.infer<typeof agentKeySpec>

export const agentKeyStatus = z.strictObject({
  revoked: z.boolean().optional(),
  reason: z.string().max(256).optional(),
  revokedAt: z.string().max(64).optional(),
})

export const agentKey = defineKind({
  kind: 'AgentKey',
  plural: 'agentkeys',
  singular: 'agentkey',
  shortName: 'agk',
  scope: 'Namespaced',
  summary:
    'The public key one Pod enrolled. Written by the registrar alone, never changed, gone with its Pod.',
  spec: agentKeySpec,
  status: agentKeyStatus,
  immutable: true,
  columns: [
    { name: 'Agent', type: 'string', jsonPath: '.spec.agent' },
    { name: 'Pod', type: 'string', jsonPath: '.spec.podName' },
    { name: 'Revoked', type: 'boolean', jsonPath: '.status.revoked' },
    { name: 'Why', type: 'string', jsonPath: '.status.reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})
