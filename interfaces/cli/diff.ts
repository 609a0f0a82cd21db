import type { Plan, PlannedWrite, Reading } from '@jackstay/contract/plan'
import { type Line, styled } from './screen.ts'

/** What the control plane computed: per write the object, per field before and after. */
export function diffLines({ writes }: Plan): Line[] {
  return writes.flatMap((write) => [
    [styled('dim', `${write.id} ${write.verb} `), objectName(write)],
    ...write.before.map((before, i): Line => {
      const after = write.after[i]
      return [
        `   ${before.path}: `,
        styled('red', shown(before)),
        ' → ',
        styled('green', after === undefined ? '(absent)' : shown(after)),
      ]
    }),
  ])
}

export function objectName({ object }: PlannedWrite): string {
  const { kind, namespace, name } = object
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

function shown({ value }: Reading): string {
  return value === 'absent' ? '(absent)' : JSON.stringify(value.is)
}

/** A diff line of an Intent object, `path: before → after`. */
export function projectedDiff(lines: readonly string[]): Line[] {
  return lines.map((line) => {
    const [, before = line, after = ''] = /^(.*) → (.*)$/s.exec(line) ?? []
    return after === '' ? [before] : [before, ' → ', styled('green', after)]
  })
}
