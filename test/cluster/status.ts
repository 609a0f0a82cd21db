import { isInUse } from './in-use.ts'
import { layoutOf, type Mode } from './layout.ts'
import { isAlive } from './process.ts'
import { clusterNames, readState } from './state.ts'

export type ClusterStatus = {
  readonly name: string
  readonly mode: Mode
  readonly state: 'starting' | 'up' | 'stopping' | 'crashed'
  readonly attached: boolean
  readonly server: string
  readonly kubeconfig: string
  readonly programs: readonly { name: string; pid: number; running: boolean }[]
}

/** Every cluster that has left anything on this machine for this user. */
export function clusterStatuses(): ClusterStatus[] {
  return clusterNames().flatMap((name) => {
    const state = readState(name)
    if (state === undefined) return []
    const { server, kubeconfig } = layoutOf(state)
    return {
      ...{ name, server, kubeconfig },
      mode: state.mode,
      state: isInUse(state) || state.phase === 'stopping' ? state.phase : 'crashed',
      attached: state.attached,
      programs: state.programs.map((program) => ({
        name: program.name,
        pid: program.process.pid,
        running: isAlive(program.process),
      })),
    }
  })
}
