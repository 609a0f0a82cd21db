import type { Digest } from '@jackstay/contract/json'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { changeWindow, windowHash } from '@jackstay/contract/kinds/change-window'
import { intentObject } from '@jackstay/contract/kinds/intent-object'
import { groupVersion, objectOf } from '@jackstay/contract/kinds/kind'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { digest as digestSchema, uuid } from '@jackstay/contract/text'
import { classHash } from '@jackstay/judge/class-ceiling'
import { type KubeClient, statusOf } from '@jackstay/kube/client'
import type { KubeObject } from '@jackstay/kube/resources'
import type { Subject } from './approval.ts'
import { projectedDiff } from './diff.ts'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed, usageError } from './failure.ts'
import { assertWhole } from './intent-id.ts'
import { type Line, section, styled } from './screen.ts'

/** A subject with what its approver has to see. */
export interface Presented {
  readonly subject: Subject
  readonly lines: readonly Line[]
}

const classNames = new Set(['agentclass', 'agentclasses', 'agc'])
const windowNames = new Set(['changewindow', 'changewindows', 'cw'])
const intentNames = new Set(['intent', 'intents', 'int'])

/** `ID`, `intent/ID`, `agentclass/NAME` or `changewindow/NAME`. */
export function parseSubject(text: string): { kind: Subject['kind']; name: string } {
  const [first = '', ...rest] = text.split('/')
  if (rest.length === 0) {
    if (uuid.safeParse(first).success) return { kind: 'Intent', name: first }
    assertWhole(first)
    throw usageError(
      `\`${text}\` is no intent id; write an id, or \`agentclass/${text}\` for a class`,
    )
  }
  const name = rest.join('/')
  if (intentNames.has(first)) return parseSubject(name)
  if (classNames.has(first) && name !== '') return { kind: 'AgentClass', name }
  if (windowNames.has(first) && name !== '') return { kind: 'ChangeWindow', name }
  throw usageError(
    `\`${text}\` is neither an intent id nor \`agentclass/NAME\` or \`changewindow/NAME\``,
  )
}

/** Finds the subject on the API server, as the user. */
export async function findSubject(
  client: KubeClient,
  text: string,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<Presented> {
  const { kind, name } = parseSubject(text)
  if (kind === 'AgentClass') return presentClass(await findClass(client, name, signal))
  if (kind === 'ChangeWindow') {
    const type = { apiVersion: groupVersion, kind, resource: changeWindow.plural }
    return presentWindow(await client.get({ ...type, name }, { signal }))
  }
  return presentIntent(await findIntent(client, name, namespace, signal))
}

function findClass(client: KubeClient, name: string, signal: AbortSignal): Promise<KubeObject> {
  const type = { apiVersion: groupVersion, kind: 'AgentClass', resource: agentClass.plural }
  return client.get({ ...type, name }, { signal })
}

export async function findIntent(
  client: KubeClient,
  name: string,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<KubeObject> {
  const type = { apiVersion: groupVersion, kind: 'Intent', resource: intentObject.plural }
  if (namespace !== undefined) return client.get({ ...type, namespace, name }, { signal })
  const { items } = await listed(client, type, name, signal)
  const [found] = items
  if (found !== undefined) return found
  throw new CommandFailed(
    exitCodes.notFound,
    'not_found',
    `no namespace shows the intent \`${name}\`; it may have ended: \`jackstay why ${name}\` tells`,
  )
}

async function listed(
  client: KubeClient,
  type: Parameters<KubeClient['list']>[0],
  name: string,
  signal: AbortSignal,
) {
  try {
    return await client.list(type, { fieldSelector: `metadata.name=${name}`, signal })
  } catch (error) {
    if (statusOf(error)?.code !== 403) throw error
    throw new CommandFailed(
      exitCodes.unreachable,
      'forbidden',
      'you may not list intents in all namespaces; name the one of the target with -n',
    )
  }
}

/** @throws CommandFailed when the intent does not wait for an approval */
function presentIntent(object: KubeObject): Presented {
  const parsed = objectOf(intentObject).safeParse(object)
  const status = intentObject.status?.safeParse(parsed.data?.status ?? {}).data
  if (!parsed.success || status === undefined) throw unreadable('Intent', object.metadata.name)
  const { metadata, spec } = parsed.data
  const { phase = 'unknown', digest, summary = '', diff = [], notes = [] } = status
  const { needs = [], expiresAt } = status
  if (phase !== 'approve' || digest === undefined) {
    throw new CommandFailed(
      exitCodes.refused,
      'not_waiting',
      `the intent \`${metadata.name}\` is \`${phase}\` and waits for no approval; \`jackstay why ${metadata.name}\` tells why`,
    )
  }
  const subject: Subject = {
    kind: 'Intent',
    name: metadata.name,
    uid: metadata.uid,
    namespace: metadata.namespace ?? systemNamespace,
    digest: digestSchema.parse(digest),
    needs,
  }
  return {
    subject,
    lines: [
      ...section('Operation', [[styled('bold', spec.action), ` on ${spec.target}`], [summary]]),
      ...section('Asked by', [[spec.agent]]),
      ...section('Diff', diff.length > 0 ? projectedDiff(diff) : [['(none shown)']]),
      ...section(
        'To know',
        notes.map((note) => [note]),
      ),
      ...section(
        'Needs',
        needs.map((need) => [need]),
      ),
      ...section('Expires', [[expiresAt ?? 'never']]),
      ...section('Digest', [[styled('cyan', subject.digest)]]),
    ],
  }
}

/** @throws CommandFailed while the control plane speaks of another spec than the one read */
function presentClass(object: KubeObject): Presented {
  const parsed = objectOf(agentClass).safeParse(object)
  if (!parsed.success) throw unreadable('AgentClass', object.metadata.name)
  const { metadata, spec, status = {} } = parsed.data
  const hash: Digest = classHash(spec)
  const reported = status.specHash
  if (reported !== undefined && reported !== hash) {
    throw new CommandFailed(
      exitCodes.refused,
      'spec_hash_differs',
      `the class \`${metadata.name}\` was edited and its status is still about the old spec; try again in a moment`,
    )
  }
  const needs = [`${spec.grant.count} approval(s) by ${spec.grant.groups.join(' or ')}`]
  return {
    subject: {
      kind: 'AgentClass',
      name: metadata.name,
      uid: metadata.uid,
      namespace: systemNamespace,
      digest: hash,
      needs,
    },
    lines: [
      ...section('Class', [[styled('bold', metadata.name), `, autonomy ${spec.autonomy}`]]),
      ...section(
        'Spec',
        JSON.stringify(spec, null, 2)
          .split('\n')
          .map((line) => [line]),
      ),
      ...section('Needs', [needs]),
      ...section('Digest', [[styled('cyan', hash), styled('dim', ' of the spec')]]),
    ],
  }
}

/** @throws CommandFailed where the window asks nobody: an allow or a freeze is in force as written */
function presentWindow(object: KubeObject): Presented {
  const parsed = objectOf(changeWindow).safeParse(object)
  if (!parsed.success) throw unreadable('ChangeWindow', object.metadata.name)
  const { metadata, spec } = parsed.data
  const { name, uid } = metadata
  if (spec.grant === undefined) {
    throw new CommandFailed(
      exitCodes.refused,
      'not_waiting',
      `the window \`${name}\` needs no approval: only a break-glass window does`,
    )
  }
  const { count, groups } = spec.grant
  const needs = [
    `${count} approval(s) by ${groups.join(' or ')}, not by ${spec.madeBy ?? 'nobody'}`,
  ]
  const digest = windowHash(spec)
  return {
    subject: { kind: 'ChangeWindow', name, uid, namespace: systemNamespace, digest, needs },
    lines: [
      ...section('Break glass', [[styled('bold', name), `, made by ${spec.madeBy ?? 'nobody'}`]]),
      ...section('Why', [[spec.reason ?? 'no reason given']]),
      ...section('Open', [[`from ${spec.once?.from ?? '?'} until ${spec.once?.until ?? '?'}`]]),
      ...section('Lifts', [
        [`freezes of ${spec.actions.join(', ')} in ${spec.namespaces.join(', ')}`],
      ]),
      ...section('Needs', [needs]),
      ...section('Digest', [[styled('cyan', digest), styled('dim', ' of the spec')]]),
    ],
  }
}

function unreadable(kind: string, name: string | undefined): CommandFailed {
  return new CommandFailed(
    exitCodes.refused,
    'unreadable',
    `the ${kind} \`${name ?? ''}\` has a form this version does not know; use a \`jackstay\` of the cluster's version`,
  )
}
