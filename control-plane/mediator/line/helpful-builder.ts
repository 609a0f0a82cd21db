import type { Line } from './line-builder.ts'

/** The line becomes available as soon as its write landed. */
export function helpful(line: Line): Line {
  line.onEffect = (point) => {
    if (point.startsWith('after write')) line.cluster.available = line.cluster.replicas
  }
  return line
}

/** Of its leaves. */
export function kindsOf(line: Line): string[] {
  return line.leaves.map((leaf) => leaf.kind)
}
