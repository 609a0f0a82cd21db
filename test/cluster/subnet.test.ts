import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeIndex, subnetOf } from './subnet.ts'

test('the first cluster gets the first subnet', () => {
  assert.equal(freeIndex(['lo', 'eth0'], ['127.0.0.1', '192.168.1.7']), 1)
})

test('links and addresses of others are left alone', () => {
  assert.equal(freeIndex(['jackstay1', 'jackstay3'], ['10.99.2.9']), 4)
})

test('an address that only begins alike takes no index', () => {
  assert.equal(freeIndex([], ['10.99.11.1', '110.99.1.1']), 1)
})

test('with every subnet taken the error says what to do', () => {
  const links = Array.from({ length: 254 }, (_, index) => subnetOf(index + 1).hostLink)
  assert.throws(() => freeIndex(links, []), /take some down/)
})

test('the name of a link is short enough for the kernel', () => {
  assert.ok(subnetOf(254).hostLink.length <= 15)
})
