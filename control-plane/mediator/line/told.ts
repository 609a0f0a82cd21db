import type { IntentEvent } from '@jackstay/contract/history'
import { extend, type IntentRecord } from '@jackstay/contract/record'
import type { Leaf, LinePorts } from '../ports.ts'

/** The record with what is not written yet: of stages that only look, one transaction is enough. */
export class Told {
  record: IntentRecord
  readonly #ports: LinePorts
  #written: IntentRecord
  #events: readonly IntentEvent[] = []

  constructor(ports: LinePorts, record: IntentRecord) {
    this.#ports = ports
    this.#written = record
    this.record = record
  }

  add(events: readonly IntentEvent[]): void {
    this.record = extend(this.record, events)
    this.#events = [...this.#events, ...events]
  }

  async write(leaves: readonly Leaf[] = []): Promise<void> {
    const events = this.#events
    if (events.length === 0) return
    this.#events = []
    this.#written = await this.#ports.history.append(this.#written, events, leaves)
    this.record = this.#written
  }
}
