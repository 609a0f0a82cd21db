import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { showingLife } from './progress.ts'
import type { Terminal } from './terminal.ts'

const wiped = '\r\u001b[2K'

function started(t: TestContext, livingErr: boolean) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const told: string[] = []
  const answers: ((answer: string) => void)[] = []
  const terminal: Terminal = {
    ...{ env: {}, interactive: true, colours: false, livingErr, signal: t.signal },
    ...{ out: (text) => void told.push(text), err: (text) => void told.push(`err ${text}`) },
    ask: (question) => {
      told.push(question)
      return new Promise((resolve) => void answers.push(resolve))
    },
    input: async function* () {},
  }
  const wait = (seconds: number) => t.mock.timers.tick(seconds * 1000)
  const answer = (text: string) => answers.shift()?.(text)
  return { ...showingLife(terminal), told, wait, answer }
}

describe('a command that takes long', () => {
  it('shows after two seconds that it goes on, in a row that is gone before anything else', (t) => {
    const { terminal, told, wait, end } = started(t, true)
    wait(1)
    assert.deepEqual(told, [])
    wait(2)
    terminal.out('done\n')
    const row = (seconds: number) => `err ${wiped}… still working (${seconds} s)`
    assert.deepEqual(told.splice(0), [row(2), row(3), `err ${wiped}`, 'done\n'])
    wait(1)
    assert.deepEqual(told, [], 'it has just said something')
    wait(1)
    end()
    wait(9)
    assert.deepEqual(told, [row(5), `err ${wiped}`])
  })

  it('says nothing into what a person types', async (t) => {
    const { terminal, told, wait, answer, end } = started(t, true)
    const asked = terminal.ask('go on? ')
    wait(9)
    answer('yes')
    assert.equal(await asked, 'yes')
    wait(1)
    terminal.input()
    wait(9)
    end()
    assert.deepEqual(told, ['go on? '])
  })

  it('shows nothing where standard error is no screen', (t) => {
    const { terminal, told, wait, end } = started(t, false)
    wait(9)
    terminal.err('x')
    end()
    assert.deepEqual(told, ['err x'])
  })
})
