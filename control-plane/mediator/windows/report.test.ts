import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { windowReport } from './report.ts'
import { onceWindow, viewOf } from './window-builder.ts'
import { windowView } from './window-view.ts'

const at = (text: string) => Date.parse(text)
const from = '2026-03-02T09:00:00Z'
const until = '2026-03-02T18:00:00Z'
const report = (spec: ChangeWindowSpec, now: string, granted?: boolean) =>
  windowReport(
    viewOf('w', spec),
    granted === undefined ? undefined : { granted, message: 'people say' },
    at(now),
  )

/** As somebody's etcd may hold it. */
function stored(spec: unknown) {
  const metadata = { name: 'w', uid: 'u', generation: 3, resourceVersion: '1' }
  return windowView({ apiVersion: groupVersion, kind: 'ChangeWindow', metadata, spec })
}

describe('the report on a window', () => {
  it('says since and until when it is in force, and when the report will differ', () => {
    for (const effect of ['allow', 'freeze'] as const) {
      const window = onceWindow(effect, from, until)
      const before = report(window, '2026-03-02T08:00:00Z')
      assert.deepEqual(before.inForce, { ok: false, message: `not in force before ${from}` })
      assert.equal(before.next, at(from))
      const within = report(window, from)
      assert.deepEqual(within.inForce, { ok: true, message: `in force until ${until}` })
      assert.equal(within.next, at(until))
      const over = report(window, until)
      assert.deepEqual(over.inForce, { ok: false, message: 'over: it opens no more' })
      assert.equal(over.next, undefined)
      assert.ok(before.valid.ok && within.valid.ok && over.valid.ok)
    }
  })

  it('says where no end is in sight', () => {
    const always: ChangeWindowSpec = {
      ...{ effect: 'freeze', actions: ['*'], namespaces: ['*'] },
      ...{ cron: '0 * * * *', duration: '2h', timeZone: 'UTC' },
    }
    const { inForce, next } = report(always, from)
    assert.deepEqual(inForce, { ok: true, message: 'in force, with no end in sight' })
    assert.equal(next, undefined)
  })

  it('says who may approve a break-glass window, which is not in force before', () => {
    const glass = onceWindow('breakGlass', from, until)
    const waiting = report(glass, '2026-03-02T10:00:00Z', false)
    assert.deepEqual(waiting.inForce, { ok: false, message: 'people say' })
    assert.equal(waiting.next, at(until))
    assert.equal(report(glass, '2026-03-02T10:00:00Z', true).inForce.ok, true)
    assert.equal(report(glass, until, true).inForce.ok, false, 'approved, and over')
  })

  it('of one whose schedule cannot be read says what it then does', () => {
    const zone = { cron: '0 9 * * *', duration: '1h', timeZone: 'Mars/Olympus' }
    const { once: _, ...rest } = onceWindow('freeze', from, until)
    for (const [effect, ok, message] of [
      ['freeze', true, /freezes what it names until it is repaired/],
      ['allow', false, /never opens: what it names is shut until it is repaired/],
      ['breakGlass', false, /lifts nothing/],
    ] as const) {
      const { valid, inForce, next } = report({ ...rest, ...zone, effect }, from, true)
      assert.equal(valid.ok, false)
      assert.match(valid.message, /there is no time zone `Mars\/Olympus`/)
      assert.equal(inForce.ok, ok)
      assert.match(inForce.message, message)
      assert.equal(next, undefined)
    }
  })

  it('of one that turned invalid in the store shuts everything, or lifts nothing, and says so', () => {
    const shapes: [unknown, boolean][] = [
      [undefined, true],
      ['text', true],
      [{ effect: 'alow' }, true],
      [{ ...onceWindow('allow', from, until), namespaces: [] }, true],
      [{ ...onceWindow('freeze', from, until), sinceWhen: 'a later version' }, true],
      [{ ...onceWindow('breakGlass', from, until), grant: { count: 0, groups: [] } }, false],
    ]
    for (const [spec, freezes] of shapes) {
      const view = stored(spec)
      const { valid, inForce } = windowReport(view, undefined, at(from))
      assert.equal(valid.ok, false, JSON.stringify(spec))
      assert.match(valid.message, /cannot be read/)
      assert.equal(inForce.ok, freezes)
      assert.deepEqual(view.window.spec.namespaces, ['*'])
      assert.equal(view.generation, 3)
    }
  })
})
