import { triggerAudience, triggerMaker } from '@jackstay/contract/enrolment'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { type Trigger, trigger } from '@jackstay/contract/trigger'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { post } from '../mediator.ts'
import { whoAmI } from '../person.ts'

type Texts = Readonly<Record<string, string>>

/** Says that something happened, as the person: the token names them, and the API server holds it to that. */
export async function createTrigger(
  { labels, annotations }: { readonly labels: Texts; readonly annotations: Texts },
  url: URL,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Trigger> {
  const token = await makerToken(client, signal)
  return post(new URL('/v1/triggers', url), token, { labels, annotations }, trigger, signal)
}

/** Says that it is over: what waits for it ends as obsolete. */
export async function resolveTrigger(
  id: string,
  url: URL,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Trigger> {
  const token = await makerToken(client, signal)
  const path = `/v1/triggers/${encodeURIComponent(id)}/resolved`
  return post(new URL(path, url), token, {}, trigger, signal)
}

async function makerToken(client: KubeClient, signal: AbortSignal): Promise<string> {
  const { username } = await whoAmI(client, signal)
  const options = { audiences: [triggerAudience(username)], expirationSeconds: 600, signal }
  try {
    return (await client.createToken(systemNamespace, triggerMaker, options)).token
  } catch (error) {
    if (statusOf(error)?.code !== 403) throw error
    throw new CommandFailed(
      exitCodes.unreachable,
      'forbidden',
      `you may not make triggers: ${statusOf(error)?.message}; ask for the role \`jackstay-trigger\``,
    )
  }
}
