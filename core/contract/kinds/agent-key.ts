import { z } from 'zod'
import { agentName } from '../intent.ts'
import { publicKey, thumbprint } from '../signing.ts'
import { dnsName, uuid } from '../text.ts'
import { defineKind } from './kind.ts'

export const agentKeySpec = z.strictObject({
  agent: agentName.describe('the agent as `<namespace>/<ServiceAccount>`'),
  class: dnsName.describe('the AgentClass that the agent is of'),
  podName: dnsName.describe('the Pod that enrolled the key'),
  podUid: uuid.describe('its uid: another Pod of that name has no key'),
  thumbprint: thumbprint.describe('of the key, RFC 7638'),
  publicKey: publicKey.describe('the public half, as a JWK'),
})
export type AgentKeySpec = z.infer<typeof agentKeySpec>

export const agentKeyStatus = z.strictObject({
  revoked: z
    .boolean()
    .optional()
    .describe('`true`: nothing it signed counts any more; never taken back'),
  reason: z.string().max(256).optional().describe('why it was revoked'),
  revokedAt: z.string().max(64).optional().describe('when it was revoked, RFC 3339'),
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
