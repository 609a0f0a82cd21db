import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifierFromVkey } from '@jackstay/ledger/note'
import type { WitnessAnswer } from '@jackstay/ledger/witness-client'
import { collectCosignatures, keepWitnessed, type Witnessed } from '@jackstay/ledger/witnessing'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { type Line, styled } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { demandPolicy, type EvidenceRequest } from './quorum.ts'
import { assertDataDirectory, type OpenMediator, withLog } from './source.ts'

export interface WitnessRequest extends EvidenceRequest {
  /** Where the cosigned checkpoint goes besides the data directory. */
  readonly out?: string | undefined
  readonly json: boolean
}

/**
 * Asks the witnesses of the policy to cosign the newest checkpoint and keeps what they sign.
 * @throws CommandFailed with exit code 5 where the quorum is not met, or a witness knows another log
 */
export async function witness(
  request: WitnessRequest,
  terminal: Terminal,
  openMediator: OpenMediator,
): Promise<void> {
  const policy = await demandPolicy(request)
  const { data, out } = request
  if (data !== undefined) assertDataDirectory(data)
  await withLog(request, terminal, openMediator, async ({ read, vkey }) => {
    const witnesses = policy.witnesses?.policy
    if (witnesses === undefined) return
    const note = await read.checkpoint()
    const found = await collectCosignatures(
      { ...read, checkpoint: async () => note },
      vkey,
      witnesses,
      {
        ...{ fetch, signal: terminal.signal, timeoutMs: policy.timeoutMs, random: Math.random },
        wait: (ms) => sleep(ms, undefined, { signal: terminal.signal }),
      },
    )
    if (data !== undefined) await keepWitnessed(data, found, witnesses, verifierFromVkey(vkey))
    if (out !== undefined) await writeFile(out, found.note)
    if (request.json) printData(terminal, found)
    else print(terminal, witnessedLines(found, data ?? out))
    assertSound(found)
  })
}

function witnessedLines({ checkpoint, verdict, answers }: Witnessed, kept?: string): Line[] {
  return [
    [`${checkpoint.origin} at ${checkpoint.size} leaves`],
    ...answers.map(({ name, answer }): Line => [`${name}: `, ...answerWords(answer)]),
    [
      verdict.met ? styled('green', 'quorum') : styled('yellow', 'no quorum'),
      ` — ${verdict.reason}`,
    ],
    [kept === undefined ? 'nothing was kept: name a file with --out' : `kept in ${kept}`],
  ]
}

function answerWords(answer: WitnessAnswer): Line {
  switch (answer.kind) {
    case 'cosigned':
      return [styled('green', 'cosigned')]
    case 'contradicts':
      return [styled('red', 'has seen another log'), ` — ${answer.problem}`]
    case 'refused':
      return [styled('yellow', 'refused'), ` — ${answer.problem}`]
    case 'unreachable':
      return [styled('yellow', 'away'), ` — ${answer.problem}`]
  }
}

function assertSound({ verdict, answers }: Witnessed): void {
  const other = answers.find(({ answer }) => answer.kind === 'contradicts')
  if (other !== undefined) {
    throw new CommandFailed(
      exitCodes.ledger,
      'witness_contradicts',
      `the witness \`${other.name}\` has seen another log: keep a copy, compare with \`jackstay ledger verify --checkpoint FILE\`, and treat the mediator as compromised`,
    )
  }
  if (!verdict.met) {
    const message = `${verdict.reason}; look at what each answered, and ask again`
    throw new CommandFailed(exitCodes.ledger, 'quorum_missing', message)
  }
}
