import { readFile } from 'node:fs/promises'
import type { Evidence, Snapshot } from '../verdict/evidence.ts'
import type { MemorySample } from '../verdict/memory.ts'
import type { BookKeeper } from '../world/book-keeper.ts'
import type { Chaos } from '../world/chaos.ts'
import { allParties, type Ground } from '../world/ground.ts'
import type { AuditWrite } from './audit-event.ts'
import { type AuditLog, followAuditLog } from './audit-log.ts'
import { intentHistories, logLeaves } from './ledger.ts'
import { snapshot } from './snapshot.ts'

/** Looks on from the moment it is called, and believes nobody's word but the API server's. */
export class Witness implements AsyncDisposable {
  readonly memory: MemorySample[] = []
  readonly writes: AuditWrite[] = []
  readonly #ground: Ground
  readonly #auditLog: AuditLog
  readonly #before: Snapshot
  readonly #started = performance.now()

  private constructor(ground: Ground, auditLog: AuditLog, before: Snapshot) {
    this.#ground = ground
    this.#auditLog = auditLog
    this.#before = before
  }

  static async call(ground: Ground): Promise<Witness> {
    const auditLog = await followAuditLog(ground.w.cluster.auditLog)
    return new Witness(ground, auditLog, await snapshot(ground.w, governedBy(ground)))
  }

  /** What came into the audit log since, and how large the mediator is by now. */
  async look(): Promise<void> {
    this.writes.push(...(await this.#auditLog.read()))
    const pid = this.#ground.w.plane.mediator.pid()
    const bytes = await residentBytes(pid)
    if (bytes > 0) this.memory.push({ pid, at: performance.now() - this.#started, bytes })
  }

  /** Everything that the verdict rests on, as it stands now. */
  async evidence(book: BookKeeper, chaos: Chaos): Promise<Evidence> {
    const { plane } = this.#ground.w
    const after = await snapshot(this.#ground.w, governedBy(this.#ground))
    await this.look()
    return {
      writes: this.writes,
      histories: intentHistories(plane.dataDirectory),
      leaves: await logLeaves(plane.dataDirectory),
      sightings: chaos.sightings,
      ...{ book, before: this.#before, after },
      governed: new Set(governedBy(this.#ground)),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#auditLog.close()
  }
}

function governedBy(ground: Ground): string[] {
  return allParties(ground).flatMap(({ namespace, targets }) => [namespace, targets])
}

/** Zero for a process that is gone. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}
