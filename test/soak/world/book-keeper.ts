import type { JsonMap } from '@jackstay/contract/json'
import type { ApiRequest, ApiResponse, KubeClient } from '@jackstay/kube/client'
import { z } from 'zod'
import type { Book, GivenVerdict, PersonsEdit, Stop } from '../verdict/evidence.ts'

/** Writes down what our own people and agents do, as it happens. */
export class BookKeeper implements Book {
  readonly deeds = new Set<string>()
  readonly edits = new Map<string, PersonsEdit>()
  readonly stops: Stop[] = []
  readonly verdicts: GivenVerdict[] = []
  readonly taken = new Set<string>()
  readonly forbidden = new Map<string, string>()
  readonly letIn: string[] = []

  /** One change by somebody of ours; the audit log knows it by the id in the answer. */
  async deed(client: KubeClient, request: ApiRequest): Promise<ApiResponse & { auditId: string }> {
    const answer = await client.request(request)
    const said = answer.headers['audit-id']
    const auditId = (Array.isArray(said) ? said[0] : said) ?? ''
    this.deeds.add(auditId)
    return { ...answer, auditId }
  }

  async patch(client: KubeClient, path: string, patch: JsonMap): Promise<void> {
    const contentType = 'application/merge-patch+json'
    await this.#edit(client, { method: 'PATCH', path, body: patch, contentType }, { patch })
  }

  /** Deletes an object and makes another like it under its name. */
  async replace(client: KubeClient, path: string): Promise<void> {
    const { status, body } = await client.request({ method: 'GET', path })
    if (status >= 300) return
    const { apiVersion, kind, metadata, spec } = replaceable.parse(body)
    // answered without a resourceVersion, so nobody could say when: what is made anew stands for both
    await this.deed(client, { method: 'DELETE', path })
    const collection = path.slice(0, path.lastIndexOf('/'))
    const made = { apiVersion, kind, metadata, spec }
    await this.#edit(client, { method: 'POST', path: collection, body: made }, 'made')
  }

  async #edit(client: KubeClient, request: ApiRequest, edit: PersonsEdit): Promise<void> {
    const { status, auditId } = await this.deed(client, request)
    if (status < 300) this.edits.set(auditId, edit)
  }
}

const replaceable = z.looseObject({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
})
