import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { approval } from '@jackstay/contract/kinds/approval'
import { intentObject } from '@jackstay/contract/kinds/intent-object'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { systemNamespace } from '@jackstay/contract/namespaces'
import type { KubeClient } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import type { KubeObject } from '@jackstay/kube/resources'
import { wordsOf } from '../../install/cluster-objects.ts'
import { holds, textAt } from '../../kubernetes/resources/columns.ts'
import { oncall } from '../../world/people.ts'

const lookMs = 100

/** Whoever is on call: says yes or no with rights of their own, as people do. */
export class Oncall {
  readonly #client: KubeClient
  readonly #signal: AbortSignal

  constructor(client: KubeClient, signal: AbortSignal) {
    this.#client = client
    this.#signal = signal
  }

  /** Agrees to a class as soon as the control plane says what exactly there is to agree to. */
  async grant(name: string, reason: string): Promise<void> {
    const ref = { apiVersion: groupVersion, resource: agentClass.plural, name }
    const found = await this.#wait(ref, 'status.specHash')
    await this.#say('AgentClass', found, 'status.specHash', systemNamespace, 'approve', reason)
    await this.#wait(ref, 'status.specHash', (one) => holds(one, 'Ready'))
  }

  /** Answers an intent that waits. */
  async answer(
    id: string,
    namespace: string | undefined,
    verdict: 'approve' | 'reject',
    reason: string,
  ): Promise<void> {
    const place = namespace ?? systemNamespace
    const ref = {
      apiVersion: groupVersion,
      resource: intentObject.plural,
      namespace: place,
      name: id,
    }
    const found = await this.#wait(ref, 'status.digest')
    await this.#say('Intent', found, 'status.digest', place, verdict, reason)
  }

  async #wait(
    ref: Parameters<typeof find>[1],
    path: string,
    isSo: (found: KubeObject) => boolean = () => true,
  ): Promise<KubeObject> {
    for (;;) {
      const found = await find(this.#client, ref, { signal: this.#signal })
      if (found !== undefined && textAt(found, path) !== '' && isSo(found)) return found
      await sleep(lookMs, undefined, { signal: this.#signal })
    }
  }

  async #say(
    kind: 'AgentClass' | 'Intent',
    { metadata, ...about }: KubeObject,
    path: string,
    namespace: string,
    verdict: 'approve' | 'reject',
    reason: string,
  ): Promise<void> {
    const { name = '', uid = '' } = metadata
    const made = await this.#client.create(
      { apiVersion: groupVersion, resource: approval.plural },
      namespace,
      {
        apiVersion: groupVersion,
        kind: approval.kind,
        metadata: { name: `oncall-${randomUUID()}`, namespace },
        spec: {
          subject: { kind, name, uid },
          digest: textAt(about, path),
          ...{ verdict, approver: oncall.user, groups: [oncall.group], reason },
        },
      },
      { signal: this.#signal },
    )
    if (made.kind === 'applied') return
    throw new Error(`the ${verdict} of ${kind} ${name} was not taken: ${wordsOf(made)}`)
  }
}
