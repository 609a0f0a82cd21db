import { setTimeout as sleep } from 'node:timers/promises'
import { assertNever } from '@jackstay/contract/errors'
import { type ApiCall, type Fate, pass } from '@jackstay/e2e/faulty-api'
import type { Random } from '../schedule/random.ts'
import type { Fault, Step } from '../schedule/steps.ts'
import type { Sighting } from '../verdict/evidence.ts'
import { durableLeaves } from '../witness/ledger.ts'
import type { Ground } from './ground.ts'
import type { Tally } from './tally.ts'

type FaultStep = Extract<Step, { do: 'fault' }>
type KillStep = Extract<Step, { do: 'kill' }>

/** Kills programs and starts them again, and stands between the mediator and the API server. */
export class Chaos {
  readonly sightings: Sighting[] = []
  readonly #ground: Ground
  readonly #tally: Tally
  readonly #chance: Random
  readonly #faults = new Map<Fault, number>()
  readonly #down = new Map<string, Promise<void>>()

  constructor(ground: Ground, tally: Tally, chance: Random) {
    this.#ground = ground
    this.#tally = tally
    this.#chance = chance
    const { api } = ground
    api.before = async (call) => {
      await this.#see(call)
      return await this.#fate()
    }
    api.after = (call) => (this.#strikes('lost answers') && call.writes ? { kind: 'cut' } : pass)
  }

  async fault({ fault, share, forMs }: FaultStep, signal: AbortSignal): Promise<void> {
    this.#tally.add(`fault: ${fault}`)
    if (fault === 'watches cut') {
      this.#ground.api.cutAll()
      return
    }
    this.#faults.set(fault, share)
    await sleep(forMs, undefined, { signal }).catch(() => undefined)
    this.#faults.delete(fault)
  }

  /** Dead for a while, unless it is dead already. */
  async kill(step: KillStep, signal: AbortSignal): Promise<void> {
    const { program } = step
    if (this.#down.has(program)) return
    this.#tally.add(`killed: ${program}`)
    const back = this.#killAndStart(step, signal)
    this.#down.set(program, back)
    await back.finally(() => this.#down.delete(program))
  }

  /** Everything up and no fault any more. */
  async calm(): Promise<void> {
    this.#faults.clear()
    await Promise.all(this.#down.values())
  }

  async #killAndStart({ program, downMs }: KillStep, signal: AbortSignal): Promise<void> {
    const { plane } = this.#ground.w
    const { free, asking } = this.#ground.parties
    const beside = this.#chance.chance(0.5) ? free.beside : asking.beside
    const one = program === 'sidecar' ? beside : plane[program]
    if (one === undefined) return
    await one.kill()
    await sleep(downMs, undefined, { signal }).catch(() => undefined)
    await startAgain(() => one.start())
  }

  #strikes(fault: Fault): boolean {
    const share = this.#faults.get(fault)
    return share !== undefined && this.#chance.chance(share)
  }

  async #fate(): Promise<Fate> {
    for (const fault of this.#faults.keys()) {
      if (!this.#strikes(fault)) continue
      switch (fault) {
        case 'cut':
          return { kind: 'cut' }
        case 'too many':
          return { kind: 'answer', status: 429, retryAfter: 1 }
        case 'broken':
          return { kind: 'answer', status: 500 }
        case 'slow':
          await sleep(this.#chance.between(50, 2_000))
          return pass
        case 'lost answers':
        case 'watches cut':
          break
        default:
          return assertNever(fault)
      }
    }
    return pass
  }

  /** What was durable when a write passed by: no clock is believed for that. */
  async #see({ intent, writes }: ApiCall): Promise<void> {
    if (intent === undefined || !writes) return
    const logSize = await durableLeaves(this.#ground.w.plane.dataDirectory)
    this.sightings.push({ intent, logSize })
  }
}

/** A mediator that meets a fault while it starts ends, as it should; whoever runs it starts it again. */
async function startAgain(start: () => Promise<void>): Promise<void> {
  for (let left = 5; ; left--) {
    try {
      return await start()
    } catch (error) {
      if (left === 0) throw error
    }
  }
}
