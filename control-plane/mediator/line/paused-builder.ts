import type { Observed } from '@jackstay/actions/action'
import type { ActionPolicySpec } from '@jackstay/contract/kinds/action-policy'
import type { LinePorts, WriteAnswer } from '../ports.ts'
import { scaling, uid } from './asked-builder.ts'
import { classSpec, Line } from './line-builder.ts'

/** Builders for tests of a change that only removes: a paused Deployment that is resumed. */

class PausedWorld {
  paused = true
  version = 1
  /** Writes of ours that really landed. */
  effects: string[] = []
  /** How many of the next writes the API server is too busy for. */
  busy = 0

  object(): Observed {
    const version = this.version
    return {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
      metadata: {
        ...{ name: 'web', namespace: 'shop', uid, generation: version },
        resourceVersion: String(version),
      },
      // the API server keeps no `false` here
      spec: { replicas: 2, ...(this.paused && { paused: true }) },
      status: {
        ...{ observedGeneration: version, replicas: 2, updatedReplicas: 2 },
        ...{ readyReplicas: 2, availableReplicas: 2 },
      },
    }
  }

  /** Somebody, us or another, sets the field; nothing tells who took it away. */
  set(paused: boolean): void {
    this.paused = paused
    this.version++
  }

  patch(body: unknown, version: string, dryRun: boolean): WriteAnswer {
    const paused = (body as { spec: { paused: boolean } }).spec.paused === true
    if (dryRun) {
      const spec = { replicas: 2, ...(paused && { paused }) }
      return { kind: 'applied', object: { ...this.object(), spec } }
    }
    if (this.busy > 0) {
      this.busy--
      return { kind: 'not_sent', message: 'too many requests' }
    }
    if (version !== String(this.version)) return { kind: 'conflict', message: 'moved' }
    this.set(paused)
    this.effects.push(paused ? 'pause' : 'resume')
    return { kind: 'applied', object: this.object() }
  }
}

const name = 'workload.resume'
const resumable: ActionPolicySpec = {
  ...{ mode: 'enforce', actions: [name] },
  rules: [{ name: 'allow', allow: { when: 'true' } }],
}

export class PausedLine extends Line {
  readonly world = new PausedWorld()

  constructor() {
    super({}, { asks: { action: name, target: scaling.target } })
    const targets = { namespaces: ['shop'], names: ['*'] }
    this.class = { ...classSpec, actions: [{ name, targets }] }
    this.policies = [resumable]
  }

  override ports(): LinePorts {
    const ports = super.ports()
    const read = async () => this.world.object()
    return {
      ...ports,
      targets: {
        ...ports.targets,
        ...{ get: read, read },
        patch: async (_, body, { resourceVersion }, __, { dryRun }) =>
          this.world.patch(body, resourceVersion, dryRun),
      },
    }
  }
}
