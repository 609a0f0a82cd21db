import { fieldChanges } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import { describeObject, type Plan } from '@jackstay/contract/plan'
import { type Line, styled } from './screen.ts'

/** What the control plane computed: per write the object, per field before and after. */
export function diffLines({ writes }: Plan): Line[] {
  return writes.flatMap((write) => [
    [styled('dim', `${write.id} ${write.verb} `), describeObject(write.object)],
    ...fieldChanges(write).map(
      ({ path, before, after }): Line => [
        `   ${path === '' ? 'the whole object' : path}: `,
        styled('red', shown(before)),
        ' → ',
        styled('green', shown(after)),
      ],
    ),
  ])
}

function shown(value: Json | undefined): string {
  return value === undefined ? '(absent)' : JSON.stringify(value)
}

/** A diff line of an Intent object, `path: before → after`. */
export function projectedDiff(lines: readonly string[]): Line[] {
  return lines.map((line) => {
    const [, before = line, after = ''] = /^(.*) → (.*)$/s.exec(line) ?? []
    return after === '' ? [before] : [before, ' → ', styled('green', after)]
  })
}
