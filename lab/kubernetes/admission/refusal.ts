import type { AdmissionRequest } from './request.ts'

/** A Status' parts, for whoever answers the request. */
export interface Refusal {
  readonly code: number
  readonly reason: string
  readonly message: string
  readonly details: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly causes?: readonly { readonly message: string }[]
  }
}

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
}

/** `deployments.apps "api" is forbidden: …`, as every plugin of the API server refuses. */
export function forbidden(
  request: AdmissionRequest,
  message: string,
  { reason = 'Forbidden', causes }: { readonly reason?: string; readonly causes?: string[] } = {},
): Refusal {
  const { resource, object } = request
  const { group, resource: plural } = resource
  const given = object?.metadata
  const name = request.name || given?.name || given?.generateName || 'Unknown'
  const qualified = group === '' ? plural : `${plural}.${group}`
  return {
    code: codes[reason] ?? 422,
    reason,
    message: `${qualified} ${JSON.stringify(name)} is forbidden: ${message}`,
    details: {
      name,
      ...(group !== '' && { group }),
      kind: plural,
      ...(causes !== undefined && { causes: causes.map((cause) => ({ message: cause })) }),
    },
  }
}
