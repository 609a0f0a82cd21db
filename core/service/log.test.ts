import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logger } from './log.ts'
import { type Redactor, redactor } from './redact.ts'

const secret = 'swordfish\n"quoted"'

function capture(redact: Redactor = redactor(() => [secret])) {
  const lines: string[] = []
  const log = logger({ name: 'test', level: 'debug', redact, write: (line) => lines.push(line) })
  return { log, lines, last: (): unknown => JSON.parse(lines.at(-1) ?? '') }
}

test('an event is one JSON line with a constant message and its fields', () => {
  const { log, lines } = capture()
  log.info({ intentId: 'i1', n: 3 }, 'intent dispatched')
  const line = lines[0] ?? ''
  assert.match(line, /^\{"level":"info","time":"[^"]+Z","program":"test","intentId":"i1","n":3,/)
  assert.match(line, /"msg":"intent dispatched"\}\n$/)
})

test('T71 held values leave through no door: message, field, error, cause, child', () => {
  const { log, lines } = capture()
  log.info(`message ${secret}`)
  log.info({ deep: [{ text: secret, [`key ${secret}`]: 1 }] }, 'x')
  log.error({ err: new Error(`a ${secret}`, { cause: new Error(`b ${secret}`) }) }, 'x')
  log.child({ bound: secret }).warn('x')
  log.error(new Error(secret))
  const text = lines.join('')
  assert.equal(lines.length, 5)
  assert.doesNotMatch(text, /swordfish|quoted/)
  assert.match(text, /\[redacted\]/)
})

test('fields that hold credentials are emptied whatever they hold', () => {
  const { log, last } = capture()
  log.info({ headers: { authorization: 'Bearer zzz' }, jws: 'a.b.c', password: 'p' }, 'x')
  const line = JSON.stringify(last())
  assert.doesNotMatch(line, /zzz|a\.b\.c|"p"/)
})

test('T71 line breaks and escape sequences stay inside their string', () => {
  const { log, lines } = capture()
  log.info({ text: 'a\n{"level":"fatal"}\u001b[31m' }, 'x')
  const line = lines[0] ?? ''
  assert.equal(line.indexOf('\n'), line.length - 1)
  assert.ok(!line.includes('\u001b'))
})

test('when redaction fails the line is withheld', () => {
  const { log, last, lines } = capture(() => {
    throw new Error('broken')
  })
  log.info({ text: 'anything' }, 'x')
  assert.deepEqual(last(), { level: 'error', msg: 'log line withheld: redaction failed' })
  assert.doesNotMatch(lines.join(''), /anything/)
})
