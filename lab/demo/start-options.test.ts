import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { misused, type StartOptions, startCommand } from './start-options.ts'

function parsed(...flags: string[]): StartOptions {
  const command = startCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  return command.parse(flags, { from: 'user' }).opts<StartOptions>()
}

describe('flags of `npm start --`', () => {
  it('are taken with numbers where numbers belong', () => {
    const { port, speed, seed } = parsed('--port', '6443', '--speed', '2.5', '--seed', 'a')
    assert.deepEqual([port, speed, seed], [6443, 2.5, 'a'])
    for (const wrong of [
      ['--port', '65536'],
      ['--port', '-1'],
      ['--port', '1e3'],
      ['--speed', '0'],
      ['--speed', 'fast'],
      ['--speed', '1000'],
      ['--cluster', 'imaginary'],
      ['--clutser', 'real'],
    ]) {
      assert.throws(() => parsed(...wrong), wrong.join(' '))
    }
  })

  it('that mean nothing together are named', () => {
    const wrong: readonly (readonly [RegExp, ...string[]])[] = [
      [/choose one/, '--cluster=real', '--kubeconfig', 'f'],
      [/--context, --image: only with --kubeconfig/, '--context', 'c', '--image', 'i'],
      [/--incident, --data: only in the lab/, '--cluster=real', '--data', 'd', '--incident', 'i'],
      [/--seed: only in the lab/, '--kubeconfig', 'f', '--seed', 's'],
      [/add --yes/, '--kubeconfig', 'f', '--once'],
    ]
    for (const [message, ...flags] of wrong) {
      assert.match(misused(parsed(...flags)) ?? '', message, flags.join(' '))
    }
  })

  it('that go together are let through', () => {
    for (const flags of [
      [],
      ['--once'],
      ['--once', '--cluster=real'],
      ['--once', '--kubeconfig', 'f', '--yes'],
      ['--data', 'd', '--incident', 'i', '--seed', 's', '--speed', '10', '--port', '0'],
    ]) {
      assert.equal(misused(parsed(...flags)), undefined, flags.join(' '))
    }
  })
})
