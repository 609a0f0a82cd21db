import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { gives } from './cases.ts'
import { readQuantity } from './quantities.ts'

describe('quantities, as Kubernetes documents them', () => {
  gives('reads amounts', [
    ['isQuantity("1.3Gi")', true],
    ['isQuantity("1.3KB")', false],
    ['isQuantity("1.3G")', true],
    ['isQuantity("-250m")', true],
    ['isQuantity("+1e3")', true],
    ['isQuantity(".5")', true],
    ['isQuantity("5.")', true],
    ['isQuantity("")', false],
    ['isQuantity(".")', false],
    ['isQuantity("1 Gi")', false],
    ['isQuantity("0x10")', false],
    ['isQuantity("Infinity")', false],
    ['quantity("much")', 'error'],
  ])
  gives('compares by value, whatever the unit', [
    ['quantity("200M").compareTo(quantity("0.2G"))', 0n],
    ['quantity("50M").compareTo(quantity("50Mi"))', -1n],
    ['quantity("50Mi").compareTo(quantity("50M"))', 1n],
    ['quantity("200M") == quantity("0.2G")', true],
    ['quantity("1") == quantity("1000m")', true],
    ['quantity("150Mi").isGreaterThan(quantity("100Mi"))', true],
    ['quantity("50M").isGreaterThan(quantity("100M"))', false],
    ['quantity("50M").isLessThan(quantity("100M"))', true],
    ['quantity("100M").isLessThan(quantity("50M"))', false],
  ])
  gives('knows whole numbers', [
    ['quantity("50000000G").isInteger()', true],
    ['quantity("50k").isInteger()', true],
    ['quantity("9999999999999999999999999999999999999G").isInteger()', false],
    ['quantity("50k").asInteger()', 50000n],
    ['quantity("100m").asInteger()', 'error'],
    ['quantity("9999999999999999999999999999999999999G").asInteger()', 'error'],
    ['quantity("50.703k").asApproximateFloat()', 50703],
    ['quantity("-1").sign()', -1n],
    ['quantity("0").sign()', 0n],
  ])
  gives('adds and subtracts', [
    ['quantity("50k").add("20k") == quantity("70k")', 'error'],
    ['quantity("50k").add(quantity("20k")) == quantity("70k")', true],
    ['quantity("50k").add(20) == quantity("50020")', true],
    ['quantity("50k").sub(quantity("20k")) == quantity("30k")', true],
    ['quantity("50k").sub(20000) == quantity("30k")', true],
  ])
  it('rounds up what is finer than a billionth, away from zero', () => {
    assert.equal(readQuantity('0.1n'), 1n)
    assert.equal(readQuantity('-0.1n'), -1n)
    assert.equal(readQuantity('1n'), 1n)
  })
  it('reads any whole number with any unit exactly', () => {
    const units = { '': 1n, k: 1000n, Ki: 1024n, M: 1_000_000n, Ei: 2n ** 60n }
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
        fc.constantFrom(...Object.entries(units)),
        (n, [unit, size]) => {
          assert.equal(readQuantity(`${n}${unit}`), n * size * 1_000_000_000n)
        },
      ),
    )
  })
})
