import { JackstayError } from '@jackstay/contract/errors'
import { openCheckpoint, readCheckpoint } from '@jackstay/ledger/checkpoint'
import { type LedgerPolicy, loadLedgerPolicy } from '@jackstay/ledger/ledger-policy'
import { splitNote, verifierFromVkey } from '@jackstay/ledger/note'
import type { TileReader } from '@jackstay/ledger/reader'
import { type QuorumVerdict, quorumMet } from '@jackstay/ledger/witness-policy'
import { readWitnessed } from '@jackstay/ledger/witnessing'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import type { Mediator } from '../mediator.ts'
import type { LogRequest, LogSource } from './source.ts'

/** The checkpoint that evidence rests on, and what witnesses have to do with it. */
export interface Evidence {
  readonly note: string
  readonly size: number
  /** Absent where nobody named a policy. */
  readonly quorum?: QuorumVerdict
}

export interface EvidenceRequest extends LogRequest {
  /** A ledger policy: who has to have cosigned. */
  readonly policy?: string | undefined
}

/**
 * The newest cosigned checkpoint where there is one that holds leaf `index`, else the newest.
 * @throws CommandFailed where the policy, or the mediator's, demands a quorum that is not met
 */
export async function evidenceOf(
  request: EvidenceRequest,
  log: LogSource,
  index = 0,
): Promise<Evidence> {
  const { mediator } = log
  const newest = await log.read.checkpoint()
  const cosigned = await cosignedOf(request, mediator)
  const policy = await policyOf(request)
  // One that was signed before the key changed is no evidence under the new key.
  const verifier = verifierFromVkey(log.vkey)
  const current =
    cosigned !== undefined && openCheckpoint(cosigned, verifier).ok ? cosigned : newest
  const usable = [current, newest].filter((note) => note !== undefined && sizeOf(note) > index)
  const [note] = usable
  if (note === undefined) {
    throw new CommandFailed(exitCodes.notFound, 'not_found', `the log has no leaf ${index} yet`)
  }
  const quorum = policy?.witnesses && quorumOf(note, policy.witnesses.policy, log.vkey)
  const demanded = policy?.witnesses?.required === true || (await mediatorDemands(mediator))
  if (demanded && quorum?.met !== true) throw quorumMissing(quorum?.reason ?? demanded)
  return { note, size: sizeOf(note), ...(quorum !== undefined && { quorum }) }
}

/** The log as it stood at the checkpoint that evidence rests on. */
export function readAt(read: TileReader, { note }: Evidence): TileReader {
  return { checkpoint: async () => note, tile: (...args) => read.tile(...args) }
}

export function quorumMissing(reason: string | true): CommandFailed {
  const why =
    reason === true ? 'the mediator demands one; give the same policy with --policy' : reason
  return new CommandFailed(
    exitCodes.ledger,
    'quorum_missing',
    `no evidence without its witnesses: ${why}; ask them with \`jackstay ledger witness\``,
  )
}

export async function policyOf({ policy }: EvidenceRequest): Promise<LedgerPolicy | undefined> {
  return policy === undefined ? undefined : loadLedgerPolicy(policy)
}

export async function demandPolicy(request: EvidenceRequest): Promise<LedgerPolicy> {
  const policy = await policyOf(request)
  if (policy?.witnesses !== undefined) return policy
  throw usageError('no witness is named; give a file that names some with --policy')
}

function quorumOf(
  note: string,
  policy: NonNullable<LedgerPolicy['witnesses']>['policy'],
  vkey: string,
): QuorumVerdict {
  return quorumMet(note, policy, [verifierFromVkey(vkey)])
}

async function cosignedOf(
  { data }: EvidenceRequest,
  mediator: Mediator | undefined,
): Promise<string | undefined> {
  if (data !== undefined) return readWitnessed(data)
  return mediator && ifThere(mediator.text('/ledger/witnessed'))
}

/**
 * Whether the mediator's own policy demands a quorum. What it says may only make us stricter.
 * @throws JackstayError `upstream_unavailable` where it says so in words this version does not know
 */
async function mediatorDemands(mediator: Mediator | undefined): Promise<boolean> {
  const status = mediator && (await ifThere(mediator.ledgerStatus()))
  return status?.witnessed?.required === true
}

/** Undefined where the mediator has no such thing. */
async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof JackstayError && error.code === 'not_found') return undefined
    throw error
  }
}

export function sizeOf(note: string): number {
  const read = readCheckpoint(splitNote(note)?.text ?? '')
  return read.ok ? read.checkpoint.size : 0
}
