import type { DatabaseSync } from 'node:sqlite'
import { JackstayError } from '@jackstay/contract/errors'
import { canonical } from '@jackstay/contract/json'
import { redactTrigger, triggerIdOf } from '@jackstay/contract/redaction'
import { pendingLeaf } from '../store/append-request.ts'
import {
  type ErasedValue,
  namesToErase,
  type Redacted,
  type Redaction,
  redactionLeaves,
} from '../store/erasure.ts'
import {
  assertNotHeld,
  type ChangedEvent,
  changedEvents,
  notFound,
  type Subject,
  valuesToErase,
} from '../store/erasure-rows.ts'
import { blob, integer, isNull, json, summaryOf, text } from '../store/rows.ts'
import { oweScrub } from './database.ts'
import type { SqliteHolds } from './holds.ts'
import type { SqliteLog } from './log.ts'

/** Takes values away everywhere they stand. `redact` runs inside a transaction of the caller. */
export class SqliteRedaction {
  readonly #db: DatabaseSync
  readonly #log: SqliteLog
  readonly #holds: SqliteHolds
  readonly #sql

  constructor(db: DatabaseSync, log: SqliteLog, holds: SqliteHolds) {
    this.#db = db
    this.#log = log
    this.#holds = holds
    this.#sql = {
      intent: db.prepare('SELECT * FROM intents WHERE id = ?'),
      leaf: db.prepare('SELECT intent, position, bytes FROM leaves WHERE position = ?'),
      leaves: db.prepare('SELECT position, bytes FROM leaves WHERE intent = ? ORDER BY position'),
      standing: db.prepare('SELECT name FROM sealed WHERE position = ? AND value IS NOT NULL'),
      erase: db.prepare(
        'UPDATE sealed SET salt = NULL, value = NULL, redacted_by = ? WHERE position = ? AND name = ?',
      ),
      events: db.prepare('SELECT seq, type, data FROM events WHERE intent = ? ORDER BY seq'),
      event: db.prepare('UPDATE events SET data = ? WHERE intent = ? AND seq = ?'),
      trigger: db.prepare('SELECT data FROM triggers WHERE id = ? AND redacted_by IS NULL'),
      emptyTrigger: db.prepare(
        `UPDATE triggers SET data = ?, group_key = '', redacted_by = ? WHERE id = ?`,
      ),
    }
  }

  /** @throws JackstayError `not_found`, `retained` */
  redact(request: Redaction, at: string): Redacted {
    const subject = this.#subject(request)
    const { intent, leaves } = subject
    if (intent !== undefined && this.#log.isPending(intent.id)) {
      throw new JackstayError('not_ready', `\`${intent.id}\` is being written to: try again`)
    }
    assertNotHeld(subject, this.#holds.list())
    const names = namesToErase(request, intent)
    const values = leaves.flatMap((leaf) => this.#standing(leaf, names))
    // the leaf's own place, which the events have to name before it is written
    const leaf = this.#log.next
    const events = intent === undefined ? [] : this.#changed(intent.id, names, leaf)
    if (values.length === 0 && events.length === 0) {
      return { values: [], events: [], leafIndexes: [] }
    }
    for (const value of values) this.#sql.erase.run(leaf, value.leaf, value.name)
    for (const { seq, after } of events) {
      this.#sql.event.run(canonical(after), intent?.id ?? null, seq)
    }
    if (names === 'all' || names.includes('trigger')) this.#emptyTrigger(events, leaf)
    oweScrub(this.#db)
    const seqs = events.map(({ seq }) => seq)
    const said = redactionLeaves(request, values, seqs, at)
    const leafIndexes = said.map((one) => this.#log.add(pendingLeaf(one)))
    return { values, events: seqs, leafIndexes }
  }

  #subject({ of }: Redaction): Subject {
    if ('leaf' in of) {
      const row = this.#sql.leaf.get(of.leaf)
      if (row === undefined) throw notFound(`leaf ${of.leaf}`)
      if (!isNull(row, 'intent')) return this.#subjectOf(text(row, 'intent'))
      return { intent: undefined, leaves: [{ index: of.leaf, bytes: blob(row, 'bytes') }] }
    }
    return this.#subjectOf(of.intent)
  }

  #subjectOf(id: string): Subject {
    const row = this.#sql.intent.get(id)
    if (row === undefined) throw notFound(`intent \`${id}\``)
    const leaves = this.#sql.leaves.all(id)
    return {
      intent: summaryOf(row),
      leaves: leaves.map((leaf) => ({
        index: integer(leaf, 'position'),
        bytes: blob(leaf, 'bytes'),
      })),
    }
  }

  #standing(
    leaf: Subject['leaves'][number],
    names: readonly string[] | 'all',
  ): readonly ErasedValue[] {
    const standing = this.#sql.standing.all(leaf.index).map((row) => text(row, 'name'))
    return valuesToErase(leaf, standing, names)
  }

  #changed(id: string, names: readonly string[] | 'all', leaf: number): readonly ChangedEvent[] {
    return changedEvents(this.#sql.events.all(id), names, leaf)
  }

  /** The alert itself lies in a table of its own, for as long as agents may be offered it. */
  #emptyTrigger(events: readonly ChangedEvent[], leaf: number): void {
    for (const { type, before } of events) {
      const id = triggerIdOf(type, before)
      const row = id === undefined ? undefined : this.#sql.trigger.get(id)
      if (id === undefined || row === undefined) continue
      this.#sql.emptyTrigger.run(canonical(redactTrigger(json(row, 'data'))), leaf, id)
    }
  }
}
