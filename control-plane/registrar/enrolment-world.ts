import { generateKeyPairSync, type webcrypto } from 'node:crypto'
import { enrolmentProof } from '@jackstay/contract/enrolment'
import { sha256 } from '@jackstay/contract/json'
import {
  type PublicKey,
  publicKey,
  type SignedType,
  sign,
  thumbprintOf,
} from '@jackstay/contract/signing'
import type { Caller } from '@jackstay/service/caller'
import type { PodView, Ports, SecondEnrolment, StoredKey } from './enrol.ts'

/** Builders for tests: keys, proofs, and a cluster in memory. */
export const clusterUid = '11111111-1111-4111-8111-111111111111'
export const podUid = '22222222-2222-4222-8222-222222222222'
export const startedAt = Date.UTC(2026, 0, 5, 12)
export const token = 'enrol-token'

export interface KeyPair {
  readonly kid: string
  readonly publicKey: PublicKey
  readonly privateKey: webcrypto.CryptoKey
}

export async function newKey(): Promise<KeyPair> {
  const pair = generateKeyPairSync('ed25519')
  const { crv, kty, x } = pair.publicKey.export({ format: 'jwk' })
  const parsed = publicKey.parse({ crv, kty, x })
  const privateKey = await crypto.subtle.importKey(
    'jwk',
    pair.privateKey.export({ format: 'jwk' }),
    'Ed25519',
    false,
    ['sign'],
  )
  return { kid: await thumbprintOf(parsed), publicKey: parsed, privateKey }
}

export interface ProofChanges {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly typ?: SignedType
  readonly kid?: string
  readonly token?: string
}

/** A proof that passes, except for the given changes. */
export async function proofOf(key: KeyPair, changes: ProofChanges = {}): Promise<string> {
  const iat = startedAt / 1000
  const claims = enrolmentProof.parse({
    v: 1,
    aud: clusterUid,
    iat,
    exp: iat + 60,
    ath: sha256(changes.token ?? token),
    jwk: key.publicKey,
  })
  return await sign(
    changes.typ ?? 'jackstay-enrol+jws',
    { ...claims, ...changes.claims },
    { kid: changes.kid ?? key.kid, privateKey: key.privateKey },
  )
}

export const agentCaller: Caller = {
  kind: 'serviceaccount',
  username: 'system:serviceaccount:jackstay-class-web:fixer',
  groups: [],
  namespace: 'jackstay-class-web',
  name: 'fixer',
  pod: { name: 'fixer-0', uid: podUid },
}

export const runningPod: PodView = { uid: podUid, phase: 'Running', serviceAccount: 'fixer' }

export interface World {
  now: number
  caller: Caller | Error
  pod: PodView | undefined
  classes: string[]
  /** What the next creations answer instead of the truth. */
  createAnswers: ('created' | 'exists' | 'unknown')[]
  /** Why the next revocations fail. */
  revokeFailures: string[]
  readonly stored: Map<string, StoredKey>
  readonly alarms: SecondEnrolment[]
  readonly calls: string[]
  readonly ports: Ports
}

export function newWorld(): World {
  const stored = new Map<string, StoredKey>()
  const world: World = {
    now: startedAt,
    caller: agentCaller,
    pod: runningPod,
    classes: ['web'],
    createAnswers: [],
    revokeFailures: [],
    stored,
    alarms: [],
    calls: [],
    ports: {
      clock: { now: () => world.now },
      clusterUid: () => clusterUid,
      tokens: {
        async identify(_, audience) {
          world.calls.push(`identify ${audience}`)
          if (world.caller instanceof Error) throw world.caller
          return world.caller
        },
      },
      async pod(namespace, name) {
        world.calls.push(`pod ${namespace}/${name}`)
        return world.pod
      },
      async classesOf() {
        return world.classes
      },
      keys: memoryKeys(() => world),
      alarm: (second) => world.alarms.push(second),
    },
  }
  return world
}

function memoryKeys(world: () => World): Ports['keys'] {
  return {
    async create(key) {
      const { stored, createAnswers } = world()
      const path = `${key.namespace}/${key.name}`
      const scripted = createAnswers.shift()
      if (scripted === 'unknown') return scripted
      if (stored.has(path)) return 'exists'
      stored.set(path, { ...key, uid: `uid-of-${key.name}`, revoked: false })
      return scripted ?? 'created'
    },
    async read(namespace, name) {
      return world().stored.get(`${namespace}/${name}`)
    },
    async revoke(key) {
      const { stored, revokeFailures } = world()
      const failure = revokeFailures.shift()
      if (failure !== undefined) return failure
      stored.set(`${key.namespace}/${key.name}`, { ...key, revoked: true })
      return undefined
    },
  }
}
