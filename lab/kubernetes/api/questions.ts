import { randomUUID } from 'node:crypto'
import type { Rbac } from '../access/rbac.ts'
import {
  reviewAccess,
  reviewLocalAccess,
  reviewOwnAccess,
  reviewOwnRules,
  reviewSelf,
} from '../access/reviews.ts'
import { reviewToken } from '../access/token-review.ts'
import { requestToken, type TokenSettings } from '../access/tokens.ts'
import type { KubeObject } from '../objects.ts'
import { isStatus, type Status } from '../status.ts'
import type { ObjectStore } from '../store/store.ts'
import { readObject } from './body.ts'
import type { Answer, Call } from './call.ts'
import { ApiError, methodNotAllowed } from './status.ts'

/** What questions about rights and tokens are answered from. */
export interface Answering {
  readonly store: ObjectStore
  readonly rights: Rbac
  readonly tokens: TokenSettings
  readonly now: () => number
}

type Ask = (call: Call, body: KubeObject, by: Answering) => Promise<KubeObject | Status>

/** Kinds that are asked and never stored. */
const questions: Readonly<Record<string, Ask>> = {
  TokenReview: (_, body, { store, tokens, now }) => reviewToken(store, tokens, body, now()),
  SelfSubjectReview: async ({ user }, _, { now }) => reviewSelf(user, now()),
  SubjectAccessReview: async (_, body, { rights }) => reviewAccess(rights, body),
  SelfSubjectAccessReview: async ({ user }, body, { rights }) =>
    reviewOwnAccess(rights, body, user),
  SelfSubjectRulesReview: async ({ user }, body, { rights }) => reviewOwnRules(rights, body, user),
  LocalSubjectAccessReview: async ({ info }, body, { rights }) =>
    reviewLocalAccess(rights, body, info.namespace),
}

export function isQuestion({ resource }: Call): boolean {
  return Object.hasOwn(questions, resource.kind)
}

/** @throws ApiError */
export async function answered(call: Call, by: Answering): Promise<Answer> {
  const ask = questions[call.resource.kind]
  if (ask === undefined || call.info.verb !== 'create') throw methodNotAllowed()
  return created(await ask(call, await readObject(call.request), by))
}

/** A token for a ServiceAccount. @throws ApiError */
export async function token(call: Call, { store, tokens, now }: Answering): Promise<Answer> {
  if (call.info.verb !== 'create') throw methodNotAllowed()
  const { namespace, name } = call.info
  const body = await readObject(call.request)
  const asked = { namespace, name, body, now: now(), tokenId: randomUUID() }
  return created(await requestToken(store, tokens, asked))
}

function created(answer: KubeObject | Status): Answer {
  if (isStatus(answer)) throw new ApiError(answer)
  return { code: 201, body: answer }
}
