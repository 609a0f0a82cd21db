import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import fc from 'fast-check'
import { z } from 'zod'
import { readSettings, settings } from './settings.ts'

const schema = z.object({
  dataDir: z.string().min(1).describe('where the ledger lives'),
  port: z.number().int().min(0).max(65535).default(7440).describe('where to listen'),
  watch: z.boolean().default(true).describe('whether to watch'),
  origin: z.array(z.string()).default([]).describe('whom to trust'),
  level: z.enum(['info', 'debug']).optional(),
})

function read(argv: string[], env: Record<string, string> = {}) {
  return readSettings(schema, { argv, env })
}

function refusal(argv: string[], env: Record<string, string> = {}): string {
  try {
    read(argv, env)
  } catch (error) {
    assert.ok(error instanceof JackstayError)
    assert.equal(error.code, 'invalid_config')
    return error.message
  }
  return assert.fail('nothing was refused')
}

test('a flag wins over a variable, a variable over the default', () => {
  const env = { JACKSTAY_DATA_DIR: '/env', JACKSTAY_PORT: '1', JACKSTAY_ORIGIN: 'a, b' }
  assert.deepEqual(read(['--data-dir', '/flag'], env), {
    dataDir: '/flag',
    port: 1,
    watch: true,
    origin: ['a', 'b'],
  })
  assert.deepEqual(read(['--data-dir=/x', '--no-watch', '--origin', 'a', '--origin', 'b,c']), {
    dataDir: '/x',
    port: 7440,
    watch: false,
    origin: ['a', 'b,c'],
  })
  assert.equal(read(['--data-dir=/x'], { JACKSTAY_WATCH: 'false' }).watch, false)
})

test('a mistake names the flag and what to type', () => {
  assert.equal(
    refusal([]),
    '`--data-dir` (where the ledger lives) is missing: type `--data-dir <text>` or set `JACKSTAY_DATA_DIR`',
  )
  assert.equal(
    refusal(['--data-dir', 'x', '--port', '70000']),
    '`--port` (where to listen) is wrong: too big: expected number to be <=65535; type `--port <number>` or set `JACKSTAY_PORT`',
  )
  assert.match(refusal(['--data-dir', 'x'], { JACKSTAY_PORT: '1e3' }), /^`JACKSTAY_PORT` .* wrong/)
  assert.match(refusal(['--data-dir', 'x'], { JACKSTAY_WATCH: 'yes' }), /`true` or `false`/)
  assert.match(refusal(['--data-dir', 'x', '--level', 'loud']), /^`--level` is wrong: .*"info"/)
  assert.match(refusal(['--prot', '7']), /unknown option `--prot`; `--help` lists the flags/)
  assert.match(refusal(['stray']), /stray/)
  assert.match(refusal(['--data-dir']), /--data-dir/)
})

test('no text becomes a number unless it is one', () => {
  for (const bad of ['', ' 1', '0x10', '1e3', 'Infinity', 'NaN', '１', '1,5']) {
    assert.match(refusal(['--data-dir', 'x', `--port=${bad}`]), /--port/, bad)
  }
})

test('whatever is typed is either read or refused as invalid_config', () => {
  const word = fc.oneof(
    fc.constantFrom(
      '--data-dir',
      '--port',
      '--no-watch',
      '--watch=true',
      '--',
      '-x',
      '--__proto__',
    ),
    fc.string({ maxLength: 8 }),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      try {
        assert.equal(typeof read(argv).dataDir, 'string')
      } catch (error) {
        assert.ok(error instanceof JackstayError && error.code === 'invalid_config', String(error))
      }
    }),
  )
})

/** Runs as a program would, up to its exit. */
function run(argv: string[]) {
  let out = ''
  let err = ''
  class Exit extends Error {
    readonly code: number
    constructor(code: number) {
      super()
      this.code = code
    }
  }
  try {
    settings(schema, {
      argv,
      env: {},
      help: 'jackstay-mediator: the line',
      stdout: (text) => {
        out += text
      },
      stderr: (text) => {
        err += text
      },
      exit: (code) => {
        throw new Exit(code)
      },
    })
  } catch (error) {
    assert.ok(error instanceof Exit)
    return { code: error.code, out, err }
  }
  return { code: undefined, out, err }
}

test('a mistake is one line and exit code 2; help lists everything and exits with 0', () => {
  const wrong = run([])
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /^invalid_config: `--data-dir`[^\n]*\n$/)
  const help = run(['--help', '--nonsense'])
  assert.equal(help.code, 0)
  assert.match(help.out, /^jackstay-mediator: the line\n\n {2}--data-dir <text> +JACKSTAY_DATA_DIR/)
  assert.match(help.out, /--port <number> +JACKSTAY_PORT +where to listen \[default 7440\]\n/)
  assert.match(help.out, /--origin <text> +JACKSTAY_ORIGIN +whom to trust \(repeatable\)/)
  const required = help.out.match(/^ {2}--\S+(?=.* \(required\)$)/gm)
  assert.deepEqual(required, ['  --data-dir'])
  assert.match(help.out, /\nExit codes: 0 .*, 1 .*, 2 .*\n$/)
})
