import type { ContainerLogs } from '../api/logs.ts'
import { textAt } from '../resources/columns.ts'
import type { Behaviours } from './behaviour.ts'
import { logLines, runOf } from './log-lines.ts'

/** What containers write, told by their images and by what their Pods say of them. */
export function containerLogs(behaviours: () => Behaviours): ContainerLogs {
  return {
    lines(pod, name, previous, now) {
      const run = runOf(pod, name, previous)
      if (run === undefined) return undefined
      const behaviour = behaviours()(textAt(run.container, 'image'))
      return { lines: logLines(run, now, behaviour?.says), isOver: run.to !== undefined }
    },
  }
}
