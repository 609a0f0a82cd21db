import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { connections } from './connections.ts'

class Socket extends EventEmitter {
  readonly remoteAddress: string
  readonly remotePort: number
  closed = false

  constructor(remoteAddress: string, remotePort: number) {
    super()
    this.remoteAddress = remoteAddress
    this.remotePort = remotePort
  }

  destroy(): void {
    this.closed = true
    this.emit('close')
  }
}

/** As a real one: that it closed is told in a later turn. */
class LateSocket extends Socket {
  override destroy(): void {
    this.closed = true
  }
}

describe('connections', () => {
  it('T13 whoever holds most without a known caller loses its oldest first', () => {
    let closed = 0
    const held = connections(5, () => closed++)
    const open = (address: string, port: number) => {
      const socket = new Socket(address, port)
      held.opened(socket)
      return socket
    }
    const quiet = open('10.0.0.1', 1)
    const agent = open('10.0.0.9', 1)
    held.known({ remoteAddress: '10.0.0.9', remotePort: 1 }, 'agent')
    const flood = Array.from({ length: 20 }, (_, n) => open('10.0.0.2', n + 1))
    assert.equal(closed, 17)
    assert.deepEqual(
      flood.map((socket) => socket.closed),
      flood.map((_, n) => n < 17),
    )
    assert.deepEqual([quiet.closed, agent.closed], [false, false])
    assert.ok(!open('10.0.0.3', 1).closed, 'a newcomer finds room')
    assert.equal(flood[17]?.closed, true)
  })

  it('T13 where only known callers are, the newcomer has to wait', () => {
    const held = connections(1, () => undefined)
    const [agent, late] = [new Socket('10.0.0.1', 1), new Socket('10.0.0.2', 1)]
    held.opened(agent)
    held.known(agent, 'agent')
    held.opened(late)
    assert.deepEqual([agent.closed, late.closed], [false, true])
    agent.destroy()
    const next = new Socket('10.0.0.2', 2)
    held.opened(next)
    assert.ok(!next.closed)
  })

  it('T02 a known caller that holds too many loses its own oldest, and nobody else one', () => {
    const held = connections(1000, () => undefined)
    const open = (caller: string, port: number) => {
      const socket = new Socket('10.0.0.1', port)
      held.opened(socket)
      held.known(socket, caller)
      return socket
    }
    const other = open('other', 1)
    const greedy = Array.from({ length: 100 }, (_, n) => open('greedy', n + 2))
    assert.deepEqual(
      greedy.map((socket) => socket.closed),
      greedy.map((_, n) => n < 36),
    )
    assert.equal(other.closed, false)
  })

  it('T02 T13 each that comes in one burst closes another one, before any has told that it closed', () => {
    const burst = (held: ReturnType<typeof connections>, caller?: string) =>
      Array.from({ length: 100 }, (_, n) => {
        const socket = new LateSocket('10.0.0.1', n)
        held.opened(socket)
        if (caller !== undefined) held.known(socket, caller)
        return socket
      }).filter((socket) => !socket.closed).length
    assert.equal(
      burst(
        connections(1000, () => undefined),
        'greedy',
      ),
      64,
    )
    assert.equal(burst(connections(10, () => undefined)), 10)
  })

  it('forgets that connection alone which closed, also where its address is used again', () => {
    const held = connections(2, () => undefined)
    const [gone, again, third, fourth] = [1, 1, 2, 3].map((port) => new Socket('10.0.0.1', port))
    assert.ok(gone && again && third && fourth)
    held.opened(gone)
    held.opened(again)
    gone.emit('close')
    held.opened(third)
    held.opened(fourth)
    assert.deepEqual([again.closed, third.closed, fourth.closed], [true, false, false])
  })
})
