import { z } from 'zod'

const who = z.object({
  username: z.string().optional(),
  extra: z.record(z.string(), z.array(z.string())).optional(),
})

const event = z.object({
  auditID: z.string(),
  stage: z.string(),
  requestURI: z.string(),
  verb: z.string(),
  user: who,
  impersonatedUser: who.optional(),
  objectRef: z
    .object({
      resource: z.string(),
      apiGroup: z.string().optional(),
      subresource: z.string().optional(),
      namespace: z.string().optional(),
      name: z.string().optional(),
    })
    .optional(),
  responseStatus: z.object({ code: z.int().optional() }).optional(),
  requestObject: z.unknown().optional(),
  responseObject: z.unknown().optional(),
  requestReceivedTimestamp: z.string(),
  stageTimestamp: z.string(),
})

/** One change that the API server was asked for, as its own audit log tells it. */
export interface AuditWrite {
  readonly auditId: string
  /** Who it counts as: whoever was impersonated, else the caller. */
  readonly user: string
  /** Who called, where that is somebody else. */
  readonly caller: string
  readonly extra: Readonly<Record<string, readonly string[]>>
  readonly verb: string
  readonly resource: string
  readonly group: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly code: number
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  readonly endedAt: number
  readonly body: unknown
  readonly result: unknown
}

const changing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/**
 * The change in a line of the audit log; undefined for reads, dry runs and stages before the answer.
 * @throws Error for a line that is no audit event: then the witness is not to be believed at all
 */
export function readAuditLine(line: string): AuditWrite | undefined {
  const { stage, verb, requestURI, objectRef, user, impersonatedUser, ...rest } = event.parse(
    JSON.parse(line),
  )
  if (!changing.has(verb) || stage === 'RequestReceived' || stage === 'ResponseStarted') return
  if (new URL(requestURI, 'http://api').searchParams.has('dryRun')) return
  const caller = user.username ?? ''
  const { resource = '', apiGroup = '', subresource = '', namespace = '' } = objectRef ?? {}
  return {
    auditId: rest.auditID,
    user: impersonatedUser?.username ?? caller,
    caller,
    extra: (impersonatedUser ?? user).extra ?? {},
    ...{ verb, resource, group: apiGroup, subresource, namespace },
    name: objectRef?.name ?? nameIn(rest.responseObject),
    // a request that ended without an answer may have been carried out
    code: rest.responseStatus?.code ?? 0,
    receivedAt: Date.parse(rest.requestReceivedTimestamp),
    endedAt: Date.parse(rest.stageTimestamp),
    body: rest.requestObject,
    result: rest.responseObject,
  }
}

const named = z.object({ metadata: z.object({ name: z.string() }) })

function nameIn(object: unknown): string {
  return named.safeParse(object).data?.metadata.name ?? ''
}

/** Whether it changed something. */
export function succeeded({ code }: AuditWrite): boolean {
  return code >= 200 && code < 300
}
