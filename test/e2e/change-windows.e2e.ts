import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { attempt, passed, refusedBy } from './attempt.ts'
import { letKeepWindows, type Manifest } from './governed.ts'
import { breakGlassOf, changeWindowOf, clusterPath } from './specimens.ts'
import { noCluster, type Person, type World, world } from './world.ts'

const path = clusterPath('changewindows')
const dryRun = { dryRun: true }

describe('change windows at the API server', { skip: await noCluster() }, () => {
  let w: World
  let oncall: Person
  let takeAway: (() => Promise<void>) | undefined
  before(async () => {
    w = await world()
    oncall = await w.person('oncall-1', [])
    takeAway = await letKeepWindows(w, 'oncall-1')
  })
  after(async () => await takeAway?.())

  const once = (from: string, until: string) => {
    const { cron: _, duration: __, timeZone: ___, ...rest } = changeWindowOf().spec
    return { ...rest, once: { from, until } }
  }
  const bad: [string, Manifest, RegExp][] = [
    ['a cron line of six fields', { cron: '0 0 9 * * *' }, /five fields with one space/],
    ['an hour that no day has', { cron: '0 24 * * *' }, /out of its range.*hour 0-23/],
    ['a day that no month has', { cron: '0 9 32 * *' }, /out of its range.*day of month 1-31/],
    ['a macro', { cron: '@midnight' }, /five fields with one space/],
    ['a zone that is an offset', { timeZone: '+01:00' }, /timeZone/],
    ['less than a minute', { duration: '59s' }, /at least a minute/],
    ['more than a week', { duration: '169h' }, /at most a week/],
    ['an unknown effect', { effect: 'alow' }, /Unsupported value: "alow"/],
    ['no namespaces', { namespaces: [] }, /should have at least 1 items/],
    [
      'two schedules',
      { rrule: { start: '2026-01-05T09:00', rule: 'FREQ=DAILY' } },
      /exactly one of/,
    ],
    ['a grant nobody asks for', { grant: { count: 1, groups: ['oncall'] } }, /only a break-glass/],
  ]
  for (const [what, spec, says] of bad) {
    it(`refuses ${what}, and says what is right`, async () => {
      const { status, message } = await attempt(w.admin, 'POST', path, changeWindowOf(spec), dryRun)
      assert.equal(status, 422, message)
      assert.match(message, says)
    })
  }

  it('refuses a recurrence rule that is none', async () => {
    const { cron: _, ...rest } = changeWindowOf().spec
    for (const [rule, says] of [
      ['RRULE:FREQ=DAILY', /no `RRULE:` before/],
      ['BYDAY=MO', /a rule has a `FREQ`/],
      ['FREQ=HOURLY', /use `cron`/],
    ] as const) {
      const one = changeWindowOf()
      const object = { ...one, spec: { ...rest, rrule: { start: '2026-01-05T09:00', rule } } }
      const { status, message } = await attempt(w.admin, 'POST', path, object, dryRun)
      assert.equal(status, 422, rule)
      assert.match(message, says)
    }
  })

  it('refuses one that ends before it begins, and a break-glass window of more than a day', async () => {
    const backwards = once('2026-02-03T00:00:00Z', '2026-02-02T00:00:00Z')
    const first = await attempt(
      w.admin,
      'POST',
      path,
      { ...changeWindowOf(), spec: backwards },
      dryRun,
    )
    assert.match(first.message, /`once.until` is after `once.from`/)
    const long = breakGlassOf({
      once: { from: '2026-02-02T00:00:00Z', until: '2026-02-03T00:00:01Z' },
    })
    const second = await attempt(oncall.client, 'POST', path, long, dryRun)
    assert.match(second.message, /for 24 hours at most/)
    for (const missing of ['reason', 'madeBy', 'grant', 'once']) {
      const whole = breakGlassOf()
      const spec = Object.fromEntries(Object.entries(whole.spec).filter(([key]) => key !== missing))
      const { status } = await attempt(oncall.client, 'POST', path, { ...whole, spec }, dryRun)
      assert.equal(status, 422, missing)
    }
  })

  it('lets a person break the glass in their own name alone, and never change it', async () => {
    const forged = breakGlassOf({ madeBy: 'oncall-2' })
    const answer = await attempt(oncall.client, 'POST', path, forged, dryRun)
    refusedBy('jackstay-change-windows-signed', answer)
    assert.match(answer.message, /spec\.madeBy must be you/)
    const own = breakGlassOf()
    passed(await attempt(oncall.client, 'POST', path, own))
    const at = `${path}/${own.metadata.name}`
    for (const spec of [{ reason: 'other' }, { grant: { count: 1, groups: ['friends'] } }]) {
      refusedBy(
        'jackstay-change-windows-signed',
        await attempt(oncall.client, 'PATCH', at, { spec }),
      )
    }
    passed(await attempt(oncall.client, 'PATCH', at, { metadata: { labels: { ticket: 'x' } } }))
    passed(await attempt(oncall.client, 'DELETE', at))
  })

  it('lets no ServiceAccount break the glass, whatever its rights', async () => {
    const username = 'system:serviceaccount:argocd:argocd-controller'
    const controller = w.admin.as({ username, groups: ['system:masters'] })
    const glass = breakGlassOf({ madeBy: username })
    const { status } = await attempt(controller, 'POST', path, glass, dryRun)
    assert.ok(status === 403 || status === 422)
    refusedBy(
      'jackstay-change-windows-signed',
      await attempt(controller, 'POST', path, breakGlassOf(), dryRun),
    )
    passed(await attempt(controller, 'POST', path, changeWindowOf(), dryRun))
  })

  it('keeps every spec from Jackstay’s own programs', async () => {
    const one = changeWindowOf()
    passed(await attempt(w.admin, 'POST', path, one))
    const at = `${path}/${one.metadata.name}`
    for (const program of ['mediator', 'registrar', 'operator']) {
      const username = `system:serviceaccount:jackstay-system:jackstay-${program}`
      const ours = w.admin.as({ username, groups: ['system:masters'] })
      for (const tried of [
        await attempt(ours, 'POST', path, changeWindowOf(), dryRun),
        await attempt(ours, 'PATCH', at, { spec: { duration: '1h' } }, dryRun),
        await attempt(ours, 'DELETE', at, undefined, dryRun),
      ]) {
        refusedBy('jackstay-change-windows-kept', tried)
      }
    }
    passed(await attempt(w.admin, 'DELETE', at))
  })

  it('lets nobody make one without the right to', async () => {
    const bystander = await w.person('bystander-1', [])
    const { status } = await attempt(bystander.client, 'POST', path, changeWindowOf(), dryRun)
    assert.equal(status, 403)
  })
})
