import { assertNever } from '@jackstay/contract/errors'
import { random } from '../schedule/random.ts'
import type { Step } from '../schedule/steps.ts'
import { Approver } from './approver.ts'
import { ask, askByTool } from './asking.ts'
import { Attacker } from './attacks.ts'
import { BookKeeper } from './book-keeper.ts'
import { Chaos } from './chaos.ts'
import type { Ground } from './ground.ts'
import { People } from './people.ts'
import { slipUp } from './slips.ts'
import { Tally } from './tally.ts'
import { Crew } from './tended.ts'

/** Everybody who does something on the ground, and the book that they keep. */
export class Doings {
  readonly book = new BookKeeper()
  readonly tally = new Tally()
  readonly chaos: Chaos
  readonly people: People
  readonly approver: Approver
  readonly crew: Crew
  readonly #attacker: Attacker
  readonly #ground: Ground

  constructor(ground: Ground, seed: number) {
    this.#ground = ground
    this.chaos = new Chaos(ground, this.tally, random(seed, 'chaos'))
    this.people = new People(ground, this.book)
    this.approver = new Approver(ground, this.book, this.tally, random(seed, 'approver'))
    this.crew = new Crew(ground.w, ground.parties.tending.targets)
    this.#attacker = new Attacker(ground, this.book)
  }

  /** One step of the schedule, to its end. */
  async take(step: Step, signal: AbortSignal): Promise<void> {
    const { book, tally } = this
    const { parties } = this.#ground
    tally.add(`steps: ${step.do}`)
    switch (step.do) {
      case 'ask': {
        const by = step.by === 'mcp' ? askByTool : ask
        return await by(parties[step.tenant], step.wish, book, tally)
      }
      case 'slip':
        return await slipUp(parties[step.tenant], step.slip, step.wish, book)
      case 'attack':
        return await this.#attacker.attack(parties[step.tenant], step.attack, step.wish)
      case 'kill':
        return await this.chaos.kill(step, signal)
      case 'fault':
        return await this.chaos.fault(step, signal)
      case 'stop':
        return await this.people.stop(parties[step.tenant], step, signal)
      case 'rules':
        return await this.people.changeRules(parties[step.tenant], step.revision)
      case 'edit':
        return await this.people.edit(parties[step.tenant], step.wish, step.edit)
      default:
        return assertNever(step)
    }
  }
}
