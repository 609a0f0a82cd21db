import assert from 'node:assert/strict'
import { test } from 'node:test'
import { register } from 'prom-client'
import { metrics } from './metrics.ts'

test('each program has its own registry and the global one stays empty', async () => {
  const one = metrics({ name: 'one', process: false })
  const two = metrics({ name: 'two' })
  one.counter('things_total', 'things').inc()
  two.counter('things_total', 'things').inc({}, 2)
  assert.match((await one.expose()).text, /things_total\{program="one"\} 1/)
  const text = (await two.expose()).text
  assert.match(text, /things_total\{program="two"\} 2/)
  assert.match(text, /process_cpu_seconds_total/)
  assert.equal(await register.metrics(), '\n')
})

test('T76 label combinations beyond the bound are counted together', async () => {
  const { counter, expose } = metrics({ name: 'x', process: false, maxSeries: 2 })
  const refused = counter('refused_total', 'refusals', ['reason'])
  for (let i = 0; i < 100; i++) refused.inc({ reason: `r${i}`, stray: `${i}` })
  refused.inc({ reason: 'r0' })
  const series = (await expose()).text.split('\n').filter((line) => line.startsWith('refused'))
  assert.deepEqual(series, [
    'refused_total{reason="r0",program="x"} 2',
    'refused_total{reason="r1",program="x"} 1',
    'refused_total{reason="other",program="x"} 98',
  ])
})

test('a gauge is set, or read when scraped', async () => {
  const { gauge, gaugeOf, expose } = metrics({ name: 'x', process: false })
  let size = 1
  gauge('lag', 'lag', ['kind']).set(7, { kind: 'pods' })
  gaugeOf('cache_entries', 'entries', () => size)
  size = 5
  const { text } = await expose()
  assert.match(text, /lag\{kind="pods",program="x"\} 7/)
  assert.match(text, /cache_entries\{program="x"\} 5/)
})
