import type { JsonMap } from '@jackstay/contract/json'
import type { ApiRequest, ApiResponse, KubeClient } from '@jackstay/kube/client'
import type { Book, GivenVerdict, Stop } from '../verdict/evidence.ts'

/** Writes down what our own people and agents do, as it happens. */
export class BookKeeper implements Book {
  readonly deeds = new Set<string>()
  readonly edits = new Map<string, JsonMap>()
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

  async edit(client: KubeClient, path: string, body: JsonMap): Promise<void> {
    const contentType = 'application/merge-patch+json'
    const answer = await this.deed(client, { method: 'PATCH', path, body, contentType })
    if (answer.status < 300) this.edits.set(answer.auditId, body)
  }
}
