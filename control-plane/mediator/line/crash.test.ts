import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { askPeople, Crash, Line } from './line-builder.ts'

/** Every point at which the line touches the world, for one kind of course. */
async function pointsOf(course: (line: Line) => Promise<string>): Promise<string[]> {
  const points: string[] = []
  const line = new Line()
  line.onEffect = (point) => points.push(point)
  await course(line)
  return points
}

/** Runs a course, dying at the n-th point, then restarting until the intent has ended. */
async function dieAt(n: number, course: (line: Line) => Promise<string>): Promise<Line> {
  const line = new Line()
  let seen = 0
  line.onEffect = () => {
    if (seen++ === n) throw new Crash('the process died here')
  }
  for (let restarts = 0; restarts < 3; restarts++) {
    try {
      await course(line)
      return line
    } catch (error) {
      if (!(error instanceof Crash)) throw error
    }
  }
  throw new Error('it kept dying')
}

const courses: Record<
  string,
  { run: (line: Line) => Promise<string>; ends: string; effects: string[] }
> = {
  'a change that verifies': {
    run: (line) => {
      line.cluster.available = 5
      return line.toEnd()
    },
    ends: 'verified/succeeded',
    effects: ['2→5'],
  },
  'a change that is approved first': {
    run: async (line) => {
      line.policies = [askPeople]
      line.cluster.available = 5
      await line.go()
      if (line.approvals.length === 0) line.approve()
      return await line.toEnd()
    },
    ends: 'verified/succeeded',
    effects: ['2→5'],
  },
  'a change that is taken back': {
    run: (line) => line.toEnd(),
    ends: 'rolled_back/undone',
    effects: ['2→5', '5→2'],
  },
}

describe('a crash before or after every effect (T46)', () => {
  for (const [name, { run, ends, effects }] of Object.entries(courses)) {
    it(`leaves ${name} with one effect and one end`, async () => {
      const points = await pointsOf(run)
      assert.ok(points.length >= 12, points.join(', '))
      for (const [n, point] of points.entries()) {
        const line = await dieAt(n, run)
        assert.equal(line.phase(), ends, `died ${point}`)
        assert.deepEqual(line.cluster.effects, effects, `died ${point}`)
        assert.equal(line.events.filter((e) => e.type === 'ended').length, 1)
        const outcomes = line.leaves.filter((leaf) => leaf.kind === 'outcome')
        assert.equal(outcomes.length, 1, `died ${point}`)
      }
    })
  }
})
